# Subroutines that may call themselves, and a stack.
#
# The stack begins at the label STACK, which the program gives, and grows upwards.  Its words are 0
# where it has not come to or has come down from.  Write `STACK:` as the last line, and choose a
# memory with room after the program.

.include "words.asm"

        Z Z _calls_end

# Put a word, which comes as its negative, on the stack.  Four operands hold its end.
_push:  _push_in _push_at:STACK
        _push_in
        MINUS_ONE _push_at
        MINUS_ONE _pop_at
        MINUS_ONE _pop_also
        MINUS_ONE _pop_again
        _push_to
        _push_link _push_to
        _push_link _push_link _push_to:0
_push_in: . 0
_push_link: . 0

# Take a word from the stack: _pop_out is its negative.
_pop:   ONE _push_at
        ONE _pop_at
        ONE _pop_also
        ONE _pop_again
        _pop_out
        _pop_at:STACK _pop_out
        _pop_also:STACK _pop_again:STACK
        _pop_to
        _pop_link _pop_to
        _pop_link _pop_link _pop_to:0
_pop_out: . 0
_pop_link: . 0

_return: _return_k _pop_link _pop
_return_k: . _returns
_returns: _return_to
        _pop_out _return_to
        Z Z _return_to:0
_calls_end:

.macro push from                # put from on the stack
        from _push_in
        k _push_link _push
k:      . back
back:
.end

.macro pop to                   # take to from the stack
        k _pop_link _pop
k:      . back
back:   to to
        _pop_out to
.end

.macro call routine             # go to routine, a number, and go on here after its `return`
        back _push_in
        to _push_link _push
to:     . routine
back:   . next
next:
.end

.macro return                   # go back; what was pushed since the call must be popped
        Z Z _return
.end
