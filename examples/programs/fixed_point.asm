# Numbers with fractions, for programs to include: multiply, divide, read and print them.
#
# A word of 32 bits stands for itself / 65536: from -32768 to 32767.99998, in steps of 0.000015.
# Sums and comparisons are those of integers.  What does not fit wraps around.
#
#   multiply_fixed x y to    to = x * y, rounded to the nearest; half a step is rounded up
#   divide_fixed x y to      to = x / y, rounded to the nearest; half a step is rounded away from 0.
#                            If y is 0, so is the result; y must not be the least word, -32768.
#   read_fixed to            to = the next number, e.g. "-12.5": up to four digits after the point
#                            count, rounded to the nearest; the character after them is read, too
#   print_fixed x            print x with five digits after the point, rounded to the nearest; no
#                            two words look the same

.include "words.asm"
.include "compare.asm"
.include "multiply.asm"
.include "divide.asm"
.include "decimal.asm"
.include "strings.asm"

        Z Z _fixed_end

# _fixed_r = -(x * y); x and y come as their negatives.
#
# The sizes of x and y count as words without signs.  That of x is high * 65536 + low.  Its product
# with the bits of y so far, the first of which come first, is -(r * 65536 + f), where f stays above
# -65536: so nothing is lost.
_fixed_multiply:
        negate _fixed_x
        negate _fixed_y
        jump_if_not_negative _fixed_x _fixed_x_size
        negate _fixed_x
        increment _fixed_s
_fixed_x_size:
        jump_if_not_negative _fixed_y _fixed_y_size
        negate _fixed_y
        decrement _fixed_s
_fixed_y_size:
        clear _fixed_r
        clear _fixed_f
        clear _fixed_high
        move _fixed_x _fixed_low
        jump_if_negative _fixed_x _fixed_split
        minus _fixed_x _fixed_unit _fixed_v
        jump_if_not_positive _fixed_v _fixed_start      # low may be 65536, too
_fixed_split:
        move _fixed_x _fixed_v
        set _fixed_n 16
_fixed_high_bits:
        double _fixed_high
        jump_if_not_negative _fixed_v _fixed_high_0
        increment _fixed_high
_fixed_high_0:
        double _fixed_v
        ONE _fixed_n _fixed_low_bits
        jump _fixed_high_bits
_fixed_low_bits:
        move _fixed_high _fixed_v
        set _fixed_n 16
_fixed_shift:
        double _fixed_v
        ONE _fixed_n _fixed_rest
        jump _fixed_shift
_fixed_rest:
        subtract _fixed_v _fixed_low
_fixed_start:
        set _fixed_n 32
_fixed_lead:                                            # zeros before the first 1
        jump_if_negative _fixed_y _fixed_bits
        double _fixed_y
        ONE _fixed_n _fixed_done
        jump _fixed_lead
_fixed_bits:
        double _fixed_r
        double _fixed_f
        _fixed_minus_unit _fixed_f _fixed_carry         # f + 65536
        _fixed_unit _fixed_f _fixed_bit
_fixed_carry:
        decrement _fixed_r
_fixed_bit:
        jump_if_not_negative _fixed_y _fixed_next
        subtract _fixed_high _fixed_r
        subtract _fixed_low _fixed_f
        _fixed_minus_unit _fixed_f _fixed_again
        _fixed_unit _fixed_f _fixed_next
_fixed_again:
        decrement _fixed_r
_fixed_next:
        double _fixed_y
        ONE _fixed_n _fixed_round
        jump _fixed_bits
_fixed_round:
        add _fixed_half _fixed_f
        jump_if_not_zero _fixed_s _fixed_round_unlike
        jump_if_positive _fixed_f _fixed_done
        decrement _fixed_r
        jump _fixed_done
_fixed_round_unlike:
        jump_if_not_negative _fixed_f _fixed_sign
        decrement _fixed_r
_fixed_sign:                                            # r is minus the size of the result
        jump_if_zero _fixed_s _fixed_done
        negate _fixed_r
_fixed_done:
        clear _fixed_x
        clear _fixed_y
        clear _fixed_s
        _fixed_to
        _fixed_link _fixed_to
        _fixed_link _fixed_link _fixed_to:0

# _fixed_r = -(x / y); x and y come as their negatives.
#
# After the integers' quotient, 16 more bits of it, and one to round.  v is the remainder - |y| + 1,
# as in divide.asm: it is above 0 if |y| goes into the remainder.
_fixed_divide:
        clear _fixed_r
        jump_if_zero _fixed_y _fixed_done
        negate _fixed_x
        negate _fixed_y
        divide_remainder _fixed_x _fixed_y _fixed_r _fixed_v
        jump_if_not_negative _fixed_x _fixed_x_known
        increment _fixed_s
_fixed_x_known:
        jump_if_not_negative _fixed_y _fixed_y_known
        negate _fixed_y
        decrement _fixed_s
_fixed_y_known:
        jump_if_not_negative _fixed_v _fixed_v_known
        negate _fixed_v
_fixed_v_known:
        jump_if_not_positive _fixed_r _fixed_r_known
        negate _fixed_r
_fixed_r_known:
        subtract _fixed_y _fixed_v
        increment _fixed_v
        set _fixed_n 16
_fixed_more:
        double _fixed_r
        double _fixed_v
        add _fixed_y _fixed_v
        decrement _fixed_v
        jump_if_not_positive _fixed_v _fixed_less
        subtract _fixed_y _fixed_v
        decrement _fixed_r
_fixed_less:
        ONE _fixed_n _fixed_nearest
        jump _fixed_more
_fixed_nearest:
        double _fixed_v
        add _fixed_y _fixed_v
        decrement _fixed_v
        jump_if_not_positive _fixed_v _fixed_sign
        decrement _fixed_r
        jump _fixed_sign

# _fixed_r = minus the number read.
_fixed_read:
        clear _fixed_r
        clear _fixed_v
        read_character _fixed_c
        jump_if_negative _fixed_c _fixed_done
        jump_if_less_or_equal _fixed_c _fixed_blank _fixed_read
        jump_if_not_equal _fixed_c _fixed_minus _fixed_whole
        set _fixed_s 1
        read_character _fixed_c
_fixed_whole:
        jump_if_less _fixed_c _fixed_0 _fixed_point
        jump_if_greater _fixed_c _fixed_9 _fixed_point
        multiply _fixed_r _fixed_ten _fixed_r
        subtract _fixed_c _fixed_r
        add _fixed_0 _fixed_r
        read_character _fixed_c
        jump _fixed_whole
_fixed_point:
        multiply _fixed_r _fixed_unit _fixed_r
        jump_if_not_equal _fixed_c _fixed_dot _fixed_sign
        set _fixed_n 1000                               # what the digit is worth
_fixed_digits:
        read_character _fixed_c
        jump_if_less _fixed_c _fixed_0 _fixed_ten_thousandths
        jump_if_greater _fixed_c _fixed_9 _fixed_ten_thousandths
        subtract _fixed_0 _fixed_c
        multiply _fixed_c _fixed_n _fixed_c
        add _fixed_c _fixed_v
        divide _fixed_n _fixed_ten _fixed_n
        jump _fixed_digits
_fixed_ten_thousandths:
        multiply _fixed_v _fixed_unit _fixed_v
        add_number 5000 _fixed_v
        set _fixed_n 10000
        divide _fixed_v _fixed_n _fixed_v
        subtract _fixed_v _fixed_r
        jump _fixed_sign

# Print the number that comes as its negative in _fixed_x.  The fraction is n / 65536, rounded to
# (n * 3125 + 1024) / 2048 hundred thousandths, which is at most 99998.
_fixed_print:
        jump_if_not_positive _fixed_x _fixed_print_size
        print_character _fixed_minus
        negate _fixed_x
_fixed_print_size:                                      # x is minus the size, of any word
        negate _fixed_x
        jump_if_not_negative _fixed_x _fixed_parts
        print_string _fixed_least                       # the least word has no size
        jump _fixed_done
_fixed_parts:
        divide_remainder _fixed_x _fixed_unit _fixed_high _fixed_v
        print_decimal _fixed_high
        print_character _fixed_dot
        set _fixed_n 3125
        multiply _fixed_v _fixed_n _fixed_v
        add_number 1024 _fixed_v
        set _fixed_n 2048
        divide _fixed_v _fixed_n _fixed_v
        set _fixed_n 10000
_fixed_print_digit:
        divide_remainder _fixed_v _fixed_n _fixed_c _fixed_v
        add _fixed_0 _fixed_c
        print_character _fixed_c
        divide _fixed_n _fixed_ten _fixed_n
        jump_if_positive _fixed_n _fixed_print_digit
        jump _fixed_done

_fixed_x: . 0
_fixed_y: . 0
_fixed_r: . 0
_fixed_s: . 0               # not 0 if x and y have unlike signs; 0 before and after
_fixed_f: . 0
_fixed_high: . 0
_fixed_low: . 0
_fixed_v: . 0
_fixed_n: . 0
_fixed_c: . 0
_fixed_link: . 0
_fixed_unit: . 65536
_fixed_minus_unit: . -65536
_fixed_half: . 32768
_fixed_ten: . 10
_fixed_blank: . ' '
_fixed_minus: . '-'
_fixed_dot: . '.'
_fixed_0: . '0'
_fixed_9: . '9'
_fixed_least: . "-32768.00000\0"
_fixed_end:

.macro multiply_fixed x y to
        x _fixed_x
        y _fixed_y
        k _fixed_link _fixed_multiply
k:      . back
back:   to to
        _fixed_r to
.end

.macro divide_fixed x y to
        x _fixed_x
        y _fixed_y
        k _fixed_link _fixed_divide
k:      . back
back:   to to
        _fixed_r to
.end

.macro read_fixed to
        k _fixed_link _fixed_read
k:      . back
back:   to to
        _fixed_r to
.end

.macro print_fixed x
        x _fixed_x
        k _fixed_link _fixed_print
k:      . back
back:
.end
