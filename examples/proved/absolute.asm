# The absolute value of a signed number.
#
# Memory: x, from -32767 on.
# Output: its absolute value, as a byte.
# Proved: --spec examples/proved/specs.py:absolute --inputs "x:-128..127" --max-steps 10

        zero x below            # x - 0 <= 0
        x (-1)
        zero zero (-1)
below:  x minus                 # minus = -x
        minus (-1)
        zero zero (-1)

. x: 0  minus: 0  zero: 0
