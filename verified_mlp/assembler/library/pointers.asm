# Words whose addresses are known only when the program runs.
#
# A pointer is a word that holds an address.  An array is a number: the address of its first word.

.include "words.asm"

.macro load pointer to          # to = the word at the address in pointer
        pointer _t
        at at
        _t at
        _t
        at:0 _t
        to to
        _t to
        _t
.end

.macro store from pointer       # the word at the address in pointer = from
        pointer _t
        at at
        _t at
        also also
        _t also
        again again
        _t again
        _t
        from _t
        at:0 also:0
        _t again:0
        _t
.end

.macro get array index to       # to = the word at array + index
        at at go
k:      . -array
go:     k at
        index _t
        _t at
        _t
        at:0 _t
        to to
        _t to
        _t
.end

.macro put from array index     # the word at array + index = from
        Z Z go
k:      . array
go:     k _t
        index _t
        at at
        _t at
        also also
        _t also
        again again
        _t again
        _t
        from _t
        at:0 also:0
        _t again:0
        _t
.end
