# Characters and strings.  A string is a word for each byte, and a 0 after them.

.include "words.asm"

        Z Z _strings_end

# Print the string whose address comes as its negative.
_print_string:
        _print_at
        _print_p _print_at
        _print_also
        _print_p _print_also
_print_next:
        _print_at:0 _t _print_low
        Z Z _print_it
_print_low:
        MINUS_ONE _t _print_it
        _t
        _print_p
        _print_to
        _print_link _print_to
        _print_link _print_link _print_to:0
_print_it:
        _print_also:0 (-1)
        _t
        MINUS_ONE _print_at
        MINUS_ONE _print_also
        Z Z _print_next
_print_p: . 0
_print_link: . 0

# Read a line to the address that comes as its negative, as the number of words there does.
# _read_out is minus its length, or 1 at the end of input.
_read_line:
        _read_size _read_room
        ONE _read_room                          # but for the 0 at the end
        _read_n
        _read_at
        _read_p _read_at
        _read_also
        _read_p _read_also
        _read_again
        _read_p _read_again
_read_clear:
        _read_at:0 _read_also:0                 # the 0 at the end, if nothing follows
_read_next:
        (-1) _read_c
        Z _read_c _read_low
        _read_c _t
        _read_minus10 _t _read_from10           # 10 - c
        _t _t _read_keep
_read_from10:
        MINUS_ONE _t _read_above10
        _t _t _read_done
_read_above10:
        _t _t _read_keep
_read_low:
        MINUS_ONE _read_c _read_end             # c is -1 or 0
        ONE _read_c
        Z Z _read_keep
_read_end:
        Z _read_n _read_nothing
        Z Z _read_done
_read_nothing:
        ONE _read_n
        Z Z _read_done
_read_keep:
        Z _read_room _read_next
        ONE _read_room
        _read_c _t
        _t _read_again:0
        _t
        MINUS_ONE _read_at
        MINUS_ONE _read_also
        MINUS_ONE _read_again
        MINUS_ONE _read_n
        Z Z _read_clear
_read_done:
        _read_out
        _read_n _read_out
        _read_p
        _read_size
        _read_room
        _read_to
        _read_link _read_to
        _read_link _read_link _read_to:0
_read_p: . 0
_read_size: . 0
_read_room: . 0
_read_n: . 0
_read_c: . 0
_read_minus10: . -10
_read_out: . 0
_read_link: . 0
_strings_end:

.macro print_character from             # print the character whose number is in from
        from (-1)
.end

.macro print_literal number             # print a character that the program names, as 'x'
        Z Z go
k:      . number
go:     k (-1)
.end

.macro print_string string              # print the string at a label, a number
        text _print_p
        k _print_link _print_string
text:   . string
k:      . back
back:
.end

.macro print_string_at pointer          # print the string whose address is in pointer
        pointer _print_p
        k _print_link _print_string
k:      . back
back:
.end

.macro read_character to                # to = a byte of input, or -1 at its end
        (-1) to
.end

# to = the length of the next line, which is put, without its end and with a 0 after it, at the
# label `buffer`, a number, where there are `size` words, a number of at least 1.  What does not fit
# is left out.  At the end of input, if no character was put there, to = -1.
.macro read_line buffer size to
        where _read_p
        many _read_size
        k _read_link _read_line
where:  . buffer
many:   . size
k:      . back
back:   to to
        _read_out to
.end
