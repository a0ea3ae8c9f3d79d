# Shifts by as many bits as a word says: by none if it is negative.

.include "words.asm"

        Z Z _shift_end

# _shift_r = -(x << count); x and count come as their negatives.
_shift_left:
        _shift_r
        _shift_c _shift_n _shift_left_done      # count
        _shift_x _shift_v                       # x
_shift_left_next:
        _shift_v _t
        _t _shift_v _shift_left_low
_shift_left_on:
        _t
        ONE _shift_n _shift_left_is
        Z Z _shift_left_next
_shift_left_low:
        MINUS_ONE _shift_v _shift_left_below
        _t _t _shift_done                       # it was 0, and so it remains
_shift_left_below:
        ONE _shift_v
        Z Z _shift_left_on
_shift_left_done:
        _shift_x _shift_v
_shift_left_is:
        _shift_v _shift_r
        Z Z _shift_done

# _shift_r = -(x >> count).  _shift_k, 2 to the power of count, becomes 0 when as many bits have been
# shifted out of it as are left of x.
_shift_right_signed:
        MINUS_ONE _shift_s
_shift_right:
        _shift_r
        _shift_x _shift_v
        MINUS_ONE _shift_k
        _shift_c _shift_n _shift_sign
_shift_power:
        _shift_k _t
        _t _shift_k _shift_power_low
_shift_power_on:
        _t
        ONE _shift_n _shift_sign
        Z Z _shift_power
_shift_power_low:
        MINUS_ONE _shift_k _shift_power_top
        _t                                      # all bits go
        Z _shift_s _shift_done
        Z _shift_v _shift_all_low
        Z Z _shift_done
_shift_all_low:
        MINUS_ONE _shift_v _shift_all_below
        Z Z _shift_done
_shift_all_below:
        MINUS_ONE _shift_r _shift_done
        Z Z _shift_done
_shift_power_top:
        ONE _shift_k
        Z Z _shift_power_on

_shift_sign:                                    # the first bit
        Z _shift_v _shift_low
        Z Z _shift_next
_shift_low:
        MINUS_ONE _shift_v _shift_below
        Z Z _shift_done
_shift_below:
        ONE _shift_v
        Z _shift_s _shift_unsigned
        MINUS_ONE _shift_r
        Z Z _shift_next
_shift_unsigned:
        ONE _shift_r
_shift_next:
        _shift_k _t
        _t _shift_k _shift_k_low
_shift_on:
        _t
        _shift_r _u
        _u _shift_r
        _u
        _shift_v _t
        _t _shift_v
        _t
        MINUS_ONE _shift_v _shift_one           # ones come in, so that it is never 0
        Z Z _shift_next
_shift_one:
        ONE _shift_r
        Z Z _shift_next
_shift_k_low:
        MINUS_ONE _shift_k _shift_k_top
        _t _t _shift_done
_shift_k_top:
        ONE _shift_k
        Z Z _shift_on
_shift_done:
        _shift_x
        _shift_c
        _shift_n
        _shift_v
        _shift_k
        _shift_s
        _shift_to
        _shift_link _shift_to
        _shift_link _shift_link _shift_to:0
_shift_x: . 0
_shift_c: . 0
_shift_n: . 0
_shift_v: . 0
_shift_k: . 0
_shift_s: . 0               # 1 if the sign is to be kept
_shift_r: . 0
_shift_link: . 0
_shift_end:

.macro shift_left x count to            # to = x << count
        x _shift_x
        count _shift_c
        k _shift_link _shift_left
k:      . back
back:   to to
        _shift_r to
.end

.macro shift_right x count to           # to = x >> count, zeros come in
        x _shift_x
        count _shift_c
        k _shift_link _shift_right
k:      . back
back:   to to
        _shift_r to
.end

.macro shift_right_signed x count to    # to = x >> count, the sign comes in
        x _shift_x
        count _shift_c
        k _shift_link _shift_right_signed
k:      . back
back:   to to
        _shift_r to
.end
