# Words: moving them, adding them, jumping.
#
# Include the library's files first of all: each begins with a jump over its own cells, one step.
#
# Z is always 0, ONE is 1, MINUS_ONE is -1.  An argument is the address of a word unless it is
# said to be a number.  Only the word named `to` changes, and it may be one of the others too.

        Z Z _words_end
Z:      . 0
ONE:    . 1
MINUS_ONE: . -1
_t:     . 0                 # for intermediate results: 0 before and after each macro
_u:     . 0                 # another
_words_end:

.macro jump target          # go to target, a number
        Z Z target
.end

.macro halt
        Z Z (-1)
.end

.macro clear to             # to = 0
        to to
.end

.macro set to number        # to = number: any sum, so an address too
        to to go
k:      . -number
go:     k to
.end

.macro move from to         # to = from
        from _t
        to to
        _t to
        _t
.end

.macro swap x y             # x, y = y, x
        x _t
        y _u
        x x
        _u x
        y y
        _t y
        _t
        _u
.end

.macro add from to          # to = to + from
        from _t
        _t to
        _t
.end

.macro subtract from to     # to = to - from
        from to
.end

.macro add_number number to # to = to + number
        Z Z go
k:      . -number
go:     k to
.end

.macro increment to         # to = to + 1
        MINUS_ONE to
.end

.macro decrement to         # to = to - 1
        ONE to
.end

.macro plus x y to          # to = x + y
        x _t
        y _t
        to to
        _t to
        _t
.end

.macro minus x y to         # to = x - y
        y _u
        _u _t
        x _t
        to to
        _t to
        _t
        _u
.end

.macro double to            # to = to + to
        to _t
        _t to
        _t
.end

.macro negate to            # to = -to
        to _t
        _t _u
        to to
        _u to
        _t
        _u
.end
