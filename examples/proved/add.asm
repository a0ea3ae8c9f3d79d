# Add two bytes that are read.
#
# Input:  two bytes; what is not there counts as -1.
# Output: their sum modulo 256, as a byte.
# Proved: --spec examples/proved/specs.py:add --inputs "in0:0..255,in1:0..255" --max-steps 9

        (-1) x
        (-1) y
        x minus                 # minus = -x
        minus y                 # y = y + x
        y (-1)
        zero zero (-1)

. x: 0  y: 0  minus: 0  zero: 0
