# The greatest common divisor of two numbers, by subtraction.
#
# Memory: x and y, not negative.
# Output: their greatest common divisor, as a byte; 0 if both are 0.
# Proved: --spec examples/proved/specs.py:gcd --inputs "x:0..15,y:0..15" --max-steps 200

again:  zero x is_y             # x <= 0: it is y
        zero y is_x             # y <= 0: it is x
        x y less                # y = y - x
        zero zero again
less:   minus minus             # y <= 0, so x was not less
        x minus                 # minus = -x
        minus y                 # y = y + x: as it was
        y x                     # x = x - y
        zero zero again
is_x:   x (-1)
        zero zero (-1)
is_y:   y (-1)
        zero zero (-1)

. x: 0  y: 0  minus: 0  zero: 0
