# Division: the quotient is rounded towards 0, and the remainder has the sign of x.
#
# If y is 0, the quotient is 0 and the remainder is x.  The least word divided by -1 is itself.

.include "words.asm"

        Z Z _divide_end

# _divide_q = -(x / y), _divide_r = -(x rem y); x and y come as their negatives.
#
# Shifts the bits of |x| out of _divide_m, with a 1 behind them as in multiply.asm.  Of the
# remainder so far, _divide_t is that - |y| + 1, which is at most 0; _divide_f is 1 - |y|.
_divide:
        _divide_q
        _divide_r
        Z _divide_y _divide_y_low
        _divide_y _t                            # y < 0
        _t _divide_d
        MINUS_ONE _divide_s
        _t _t _divide_with
_divide_y_low:
        _divide_y _divide_d _divide_y_end
        Z Z _divide_with
_divide_y_end:
        ONE _divide_d _divide_by_zero
        MINUS_ONE _divide_d                     # y is the least word
        MINUS_ONE _divide_s
_divide_with:
        Z _divide_x _divide_x_low
        _divide_x _t                            # x < 0
        _t _divide_m
        _t _t _divide_x_negative
_divide_x_low:
        _divide_x _divide_m _divide_x_end
        Z Z _divide_start
_divide_x_end:
        ONE _divide_m _divide_done              # x = 0
        MINUS_ONE _divide_m                     # x is the least word
_divide_x_negative:
        MINUS_ONE _divide_sx
        Z _divide_s _divide_unlike
        _divide_s _divide_s _divide_start
_divide_unlike:
        MINUS_ONE _divide_s
_divide_start:
        _divide_d _divide_f
        MINUS_ONE _divide_f
        _divide_f _t
        _t _divide_t
        _t
        Z _divide_m _divide_least
        _divide_m _t                            # the first bit is 0
        _t _divide_m
        _t
        MINUS_ONE _divide_m _divide_one
_divide_lead:                                   # and so are others before the first 1
        _divide_m _t
        _t _divide_m _divide_leads
        _t _t _divide_lead
_divide_leads:
        _t _t _divide_one
_divide_least:                                  # 1, and then zeros
        _divide_m
        MINUS_ONE _divide_m
        Z Z _divide_with_one
_divide_next:
        Z _divide_m _divide_one
        _divide_m _t
        _t _divide_m
        _t
        _divide_t _u
        _u _divide_t
        _u
        _divide_f _divide_t _divide_less
        Z Z _divide_more
_divide_one:
        _divide_m _t _divide_sum                # the least word: nothing but the mark is left
        _t _divide_m
        _t
_divide_with_one:
        _divide_t _u
        _u _divide_t
        _u
        MINUS_ONE _divide_t
        _divide_f _divide_t _divide_less
_divide_more:                                   # |y| goes into it
        _divide_d _divide_t
        _divide_q _u
        _u _divide_q
        ONE _divide_q
        _u _u _divide_next
_divide_less:
        _divide_q _u
        _u _divide_q
        _u _u _divide_next
_divide_sum:
        _t
        Z _divide_sx _divide_rest
        _divide_f _divide_r
        _divide_t _t
        _t _divide_r
        _t _t _divide_sign
_divide_rest:
        _divide_t _divide_r
        _divide_f _t
        _t _divide_r
        _t
_divide_sign:
        Z _divide_s _divide_done
        _divide_q _t
        _t _u
        _divide_q
        _u _divide_q
        _t
        _u _u _divide_done
_divide_by_zero:
        _divide_x _t
        _t _divide_r
        _t
_divide_done:
        _divide_x
        _divide_y
        _divide_m
        _divide_d
        _divide_f
        _divide_t
        _divide_s
        _divide_sx
        _divide_to
        _divide_link _divide_to
        _divide_link _divide_link _divide_to:0
_divide_x: . 0
_divide_y: . 0
_divide_m: . 0
_divide_d: . 0
_divide_f: . 0
_divide_t: . 0
_divide_s: . 0              # 1 if the quotient is negative
_divide_sx: . 0             # 1 if x is
_divide_q: . 0
_divide_r: . 0
_divide_link: . 0
_divide_end:

.macro divide x y to        # to = x / y
        x _divide_x
        y _divide_y
        k _divide_link _divide
k:      . back
back:   to to
        _divide_q to
.end

.macro remainder x y to     # to = x - x / y * y
        x _divide_x
        y _divide_y
        k _divide_link _divide
k:      . back
back:   to to
        _divide_r to
.end

.macro divide_remainder x y to rest     # both: to = x / y, rest = x - x / y * y
        divide x y to
        rest rest
        _divide_r rest
.end
