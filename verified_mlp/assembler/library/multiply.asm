# Multiplication.

.include "words.asm"

        Z Z _multiply_end

# _multiply_r = -(x * y); x and y come as their negatives.  Shifts the bits of y, or of -y if that
# is less, out of _multiply_m: behind them comes a 1 that marks the end, so that it is never 0.
_multiply:
        _multiply_r
        Z _multiply_y _multiply_y_low
        _multiply_y _t                          # y < 0: (-x) * (-y)
        _t _multiply_m
        _t
        _multiply_x _t
        _t _multiply_a
        _t _t _multiply_first
_multiply_y_low:
        _multiply_y _multiply_m _multiply_y_end
        _multiply_x _multiply_a
_multiply_first:                                # the first bit is 0
        _multiply_m _t
        _t _multiply_m
        _t
        MINUS_ONE _multiply_m _multiply_one
_multiply_lead:                                 # and so are others before the first 1
        _multiply_m _t
        _t _multiply_m _multiply_leads
        _t _t _multiply_lead
_multiply_leads:
        _t _t _multiply_one
_multiply_y_end:
        ONE _multiply_m _multiply_done          # y = 0
        _multiply_x _multiply_a                 # y is the least word: 1, and then zeros
        _multiply_a _multiply_r
        _multiply_m
        MINUS_ONE _multiply_m
_multiply_next:
        Z _multiply_m _multiply_one
        _multiply_m _t
        _t _multiply_m
        _t
        _multiply_r _u
        _u _multiply_r
        _u _u _multiply_next
_multiply_one:
        _multiply_m _t _multiply_done           # the least word: nothing but the mark is left
        _t _multiply_m
        _t
        _multiply_r _u
        _u _multiply_r
        _multiply_a _multiply_r
        _u _u _multiply_next
_multiply_done:
        _t
        _multiply_x
        _multiply_y
        _multiply_m
        _multiply_a
        _multiply_to
        _multiply_link _multiply_to
        _multiply_link _multiply_link _multiply_to:0
_multiply_x: . 0
_multiply_y: . 0
_multiply_m: . 0
_multiply_a: . 0
_multiply_r: . 0
_multiply_link: . 0
_multiply_end:

.macro multiply x y to      # to = x * y
        x _multiply_x
        y _multiply_y
        k _multiply_link _multiply
k:      . back
back:   to to
        _multiply_r to
.end
