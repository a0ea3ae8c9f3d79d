# Bit by bit: and, or, exclusive or, not.

.include "words.asm"

        Z Z _and_end

# _and_r = -(x and y); x and y come as their negatives.  Shifts the bits of x out of _and_x and
# those of y out of _and_y, with a 1 behind them as in multiply.asm.
_and:   _and_r
        _and_a _and_x _and_x_low
        _and_b _and_y
        _and_x _t
        _t _and_x
        _t
        MINUS_ONE _and_x
        Z Z _and_first
_and_x_low:
        MINUS_ONE _and_x _and_x_below
        Z Z _and_done                           # x = 0
_and_x_below:
        _and_x _t
        _t _and_x
        _t
        ONE _and_x
        _and_b _and_y _and_y_low
        Z Z _and_first
_and_y_low:
        MINUS_ONE _and_y _and_y_below
        Z Z _and_done                           # y = 0
_and_y_below:
        ONE _and_y
        ONE _and_r
_and_first:
        _and_y _t
        _t _and_y
        _t
        MINUS_ONE _and_y
_and_next:
        Z _and_x _and_one
        _and_x _t
        _t _and_x
        _t
_and_zero:
        _and_y _t
        _t _and_y
        _t
        _and_r _t
        _t _and_r
        _t _t _and_next
_and_one:
        _and_x _t _and_done                     # the least word: nothing but the mark is left
        _t _and_x
        _t
        Z _and_y _and_both
        Z Z _and_zero
_and_both:
        _and_y _t
        _t _and_y
        _t
        _and_r _t
        _t _and_r
        ONE _and_r
        _t _t _and_next
_and_done:
        _t
        _and_a
        _and_b
        _and_x
        _and_y
        _and_to
        _and_link _and_to
        _and_link _and_link _and_to:0
_and_a: . 0
_and_b: . 0
_and_x: . 0
_and_y: . 0
_and_r: . 0
_and_link: . 0
_and_end:

.macro and x y to           # to = x and y
        x _and_a
        y _and_b
        k _and_link _and
k:      . back
back:   to to
        _and_r to
.end

.macro or x y to            # to = x or y, which is x + y - (x and y)
        x _and_a
        y _and_b
        k _and_link _and
k:      . back
back:   x _t
        y _t
        _and_r _t
        to to
        _t to
        _t
.end

.macro xor x y to           # to = x exclusive-or y, which is x + y - 2 (x and y)
        x _and_a
        y _and_b
        k _and_link _and
k:      . back
back:   x _t
        y _t
        _and_r _t
        _and_r _t
        to to
        _t to
        _t
.end

.macro not x to             # to = not x, which is -x - 1
        x _t
        _t _u
        to to
        _u to
        ONE to
        _t
        _u
.end
