# The larger of two signed numbers.
#
# Memory: x and y; their difference must be a word.
# Output: the larger one, as a byte.
# Proved: --spec examples/proved/specs.py:maximum --inputs "x:-100..100,y:-100..100" --max-steps 10

        x minus                 # minus = -x
        y gap                   # gap = -y
        minus gap second        # gap = x - y; if that is <= 0, y is the one
        x (-1)
        zero zero (-1)
second: y (-1)
        zero zero (-1)

. x: 0  y: 0  minus: 0  gap: 0  zero: 0
