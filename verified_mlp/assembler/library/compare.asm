# Comparisons of signed words, right for all of them: target is a number, where to go if it is so.

.include "words.asm"

        Z Z _compare_end

# To the address whose negative is in _compare_yes if x <= y, else to that in _compare_no.
# x and y come as their negatives.  These four words are 0 before and after.
_compare:
        ONE _compare_x      # the complements, of which no sum overflows: -x - 1, -y - 1
        ONE _compare_y      # x <= y if that of x is not less than that of y
        Z _compare_x _compare_x_low
        Z _compare_y _compare_is
        _compare_x _compare_y _compare_is       # both above 0
        Z Z _compare_not
_compare_x_low:
        MINUS_ONE _compare_x _compare_x_below   # now it is -x
        Z _compare_y _compare_is                # it was 0
        Z Z _compare_not
_compare_x_below:
        Z _compare_y _compare_low
        Z Z _compare_not
_compare_low:
        _compare_x _compare_y _compare_near     # x - y - 1, which does not overflow
        Z Z _compare_not
_compare_near:
        MINUS_ONE _compare_y _compare_is
        Z Z _compare_not

# The same for x = y.
_equal: _compare_x _compare_y _equal_near
        Z Z _compare_not
_equal_near:
        MINUS_ONE _compare_y _compare_not
_compare_is:
        _compare_to _compare_to
        _compare_yes _compare_to
        Z Z _compare_go
_compare_not:
        _compare_to _compare_to
        _compare_no _compare_to
_compare_go:
        _compare_x
        _compare_y
        _compare_yes
        _compare_no _compare_no _compare_to:0
_compare_x: . 0
_compare_y: . 0
_compare_yes: . 0
_compare_no: . 0
_compare_end:

.macro jump_if_less_or_equal x y target     # if x <= y
        x _compare_x
        y _compare_y
        yes _compare_yes
        no _compare_no _compare
yes:    . target
no:     . next
next:
.end

.macro jump_if_less x y target              # if x < y
        y _compare_x
        x _compare_y
        yes _compare_yes
        no _compare_no _compare
yes:    . next
no:     . target
next:
.end

.macro jump_if_greater x y target           # if x > y
        jump_if_less y x target
.end

.macro jump_if_greater_or_equal x y target  # if x >= y
        jump_if_less_or_equal y x target
.end

.macro jump_if_equal x y target             # if x = y
        x _compare_x
        y _compare_y
        yes _compare_yes
        no _compare_no _equal
yes:    . target
no:     . next
next:
.end

.macro jump_if_not_equal x y target         # if x is not y
        x _compare_x
        y _compare_y
        yes _compare_yes
        no _compare_no _equal
yes:    . next
no:     . target
next:
.end

.macro jump_if_not_positive x target        # if x <= 0
        Z x target
.end

.macro jump_if_positive x target            # if x > 0
        Z x no
        Z Z target
no:
.end

.macro jump_if_zero x target                # if x = 0
        Z x low
        Z Z no
low:    x _t end            # the negative of x is at most 0 if x is 0 or the least word
        _t _t no
end:    ONE _t is           # -1, or the greatest word
        _t _t no
is:     _t _t target
no:
.end

.macro jump_if_not_zero x target            # if x is not 0
        Z x low
        Z Z target
low:    x _t end
        _t _t target
end:    ONE _t no
        _t _t target
no:     _t
.end

.macro jump_if_negative x target            # if x < 0
        x _t end            # above 0 if x < 0, but for the least word
        _t _t target
end:    ONE _t no
        _t _t target
no:     _t
.end

.macro jump_if_not_negative x target        # if x >= 0
        x _t end
        _t _t no
end:    ONE _t is
        _t _t no
is:     _t _t target
no:
.end
