# Numbers in decimal: printing and reading them.

.include "words.asm"

        Z Z _decimal_end

# Print the word that comes as its negative in _decimal_x.  The powers of ten that a word can hold
# are worked out when the first number is printed, and kept as their negatives.
_decimal_print:
        Z _decimal_top _decimal_powers
_decimal_start:
        _decimal_at
        _decimal_top _t
        _t _decimal_at
        _t
        Z _decimal_x _decimal_x_low
        _decimal_x _decimal_m                   # below 0.  _decimal_m is minus the size
        Z Z _decimal_minus
_decimal_x_low:
        _decimal_x _decimal_m _decimal_x_end
        _decimal_m
        _decimal_x _t
        _t _decimal_m
        _t _t _decimal_next
_decimal_x_end:
        ONE _decimal_m _decimal_zero
        MINUS_ONE _decimal_m                    # the least word, which is minus its size
_decimal_minus:
        _decimal_sign (-1)
_decimal_next:
        _decimal_p                              # the power
        _decimal_at:0 _decimal_p
        _decimal_n                              # its negative
        _decimal_p _decimal_n
        _decimal_c                              # minus the digit
_decimal_again:
        _decimal_n _decimal_m _decimal_more
        _decimal_p _decimal_m                   # once too often
        MINUS_ONE _decimal_c _decimal_digit     # 1 - the digit
        Z _decimal_shown _decimal_then          # no 0 at the beginning
        Z Z _decimal_show
_decimal_more:
        ONE _decimal_c _decimal_again
_decimal_digit:
        _decimal_shown
        MINUS_ONE _decimal_shown
_decimal_show:
        _decimal_d
        _decimal_minus49 _decimal_d
        _decimal_c _decimal_d
        _decimal_d (-1)
_decimal_then:
        ONE _decimal_at
        ONE _decimal_p _decimal_done
        Z Z _decimal_next
_decimal_zero:
        _decimal_0 (-1)
_decimal_done:
        _decimal_m
        _decimal_x
        _decimal_shown
        _decimal_to
        _decimal_link _decimal_to
        _decimal_link _decimal_link _decimal_to:0

_decimal_powers:
        _decimal_p
        MINUS_ONE _decimal_p
_decimal_power:
        _decimal_p _decimal_put:_decimal_table
        _decimal_n
        _decimal_p _decimal_n
        _decimal_n _decimal_m
        _decimal_n _decimal_m _decimal_full     # 2 p; not above 0 if no word holds it
        _decimal_m _t
        _t _decimal_m _decimal_full             # 4 p
        _t
        _decimal_n _decimal_m _decimal_full     # 5 p
        _decimal_m _t
        _t _decimal_m _decimal_full             # 10 p
        _t
        _decimal_p
        _decimal_m _t
        _t _decimal_p
        _t
        _decimal_m
        MINUS_ONE _decimal_put
        Z Z _decimal_power
_decimal_full:
        _decimal_m
        _t
        _decimal_put _t
        _t _decimal_top
        _t _t _decimal_start

_decimal_table:
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0     # up to 64 bits
_decimal_top: . 0           # the address of the last of them
_decimal_x: . 0
_decimal_m: . 0
_decimal_p: . 0
_decimal_n: . 0
_decimal_c: . 0
_decimal_d: . 0
_decimal_shown: . 0         # 1 if there was a digit
_decimal_link: . 0
_decimal_sign: . '-'
_decimal_0: . '0'
_decimal_minus49: . -'1'

# Read a number: _decimal_r is its negative, _decimal_in the character after it.
_decimal_read:
        _decimal_r
_decimal_blank:
        (-1) _decimal_in
        _decimal_in _t
        _decimal_minus33 _t _decimal_begin      # 33 - c
        _t
        Z _decimal_in _decimal_read_done
        Z Z _decimal_blank
_decimal_begin:
        _decimal_minus12 _t _decimal_from_sign  # 45 - c
        _t _t _decimal_read_done
_decimal_from_sign:
        MINUS_ONE _t _decimal_look
        MINUS_ONE _decimal_negative             # it is '-'
_decimal_read_next:
        (-1) _decimal_in
_decimal_look:
        _t
        Z _decimal_in _decimal_read_done
        _decimal_in _t
        _decimal_minus48 _t _decimal_from_0     # 48 - c
        _t _t _decimal_read_done
_decimal_from_0:
        _decimal_minus10 _t _decimal_above_9    # 10 - the digit
        _decimal_r _u                           # 10 r
        _u _decimal_r
        _u
        _decimal_r _decimal_twice
        _decimal_r _u
        _u _decimal_r
        _u
        _decimal_r _u
        _u _decimal_r
        _u
        _decimal_twice _decimal_r
        _decimal_twice
        _t _u                                   # less the digit
        _u _decimal_r
        _decimal_ten _decimal_r
        _u _u _decimal_read_next
_decimal_above_9:
        _t
_decimal_read_done:
        Z _decimal_negative _decimal_read_back
        _decimal_negative
        _decimal_r _t
        _t _u
        _decimal_r
        _u _decimal_r
        _t
        _u
_decimal_read_back:
        _decimal_read_to
        _decimal_read_link _decimal_read_to
        _decimal_read_link _decimal_read_link _decimal_read_to:0
_decimal_r: . 0
_decimal_twice: . 0          # minus twice the number so far
_decimal_in: . 0
_decimal_negative: . 0      # 1 if there was '-'
_decimal_read_link: . 0
_decimal_minus33: . -33
_decimal_minus12: . -12
_decimal_minus48: . -'0'
_decimal_minus10: . -10
_decimal_ten: . 10
_decimal_end:

.macro print_decimal x      # print x, with '-' before it if it is below 0
        x _decimal_x
        k _decimal_link _decimal_print
k:      . back
back:
.end

# Skip blanks and new lines; then to = the number that '-' or nothing and then digits make, and
# end = the character after them, which is read as well, or -1 at the end of input.  Without digits,
# to = 0.
.macro read_decimal to end
        k _decimal_read_link _decimal_read
k:      . back
back:   to to
        _decimal_r to
        _decimal_in _t
        end end
        _t end
        _t
.end
