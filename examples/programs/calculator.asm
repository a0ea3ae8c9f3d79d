# A calculator: a subroutine for each rule of the grammar of expressions.
#
#   expression = term, then any number of "+" term, "-" term
#   term       = factor, then any number of "*" factor, "/" factor, "%" factor
#   factor     = digits, or "-" factor, or "(" expression ")"
#
# Input:  lines until the end of input, an expression each, e.g. "-7 / (1 + 2)".  Blanks between its
#         parts do not matter, empty lines neither; parentheses may be 100 deep.
# Output: a line for each: the value, e.g. "-2", "division by zero" or "not an expression".  Values
#         wrap around at 32 bits.  "/" rounds towards 0, the result of "%" has the sign of what is
#         before it.
# shape:  --bits 32 --words 4096

.include "all.asm"
.include "calls.asm"

line:   call advance
        jump_if_negative c done
        jump_if_equal c new_line line
        clear wrong
        clear by_zero
        call expression
rest:   jump_if_equal c new_line answer         # nothing may follow
        jump_if_negative c answer
        set wrong 1
        call advance
        jump rest
answer: jump_if_not_zero wrong no_expression
        jump_if_not_zero by_zero no_value
        print_decimal value
        jump next
no_expression:
        print_string not_an_expression
        jump next
no_value:
        print_string division_by_zero
next:   print_literal '\n'
        jump_if_not_negative c line
done:   halt

# The subroutines find the first character of their part in c, and leave the one after it there.
# What is wrong is noted, and the reading goes on: so the stack is always cleared.

expression:                                     # value = that of an expression
        call term
sums:   jump_if_equal c plus_sign sum
        jump_if_equal c minus_sign difference
        return
sum:    push value
        call advance
        call term
        pop left
        plus left value value
        jump sums
difference:
        push value
        call advance
        call term
        pop left
        minus left value value
        jump sums

term:                                           # value = that of a term
        call factor
products:
        jump_if_equal c star product
        jump_if_equal c slash quotient
        jump_if_equal c percent modulo
        return
product:
        push value
        call advance
        call factor
        pop left
        multiply left value value
        jump products
quotient:
        push value
        call advance
        call factor
        pop left
        jump_if_zero value zero
        divide left value value
        jump products
modulo: push value
        call advance
        call factor
        pop left
        jump_if_zero value zero
        remainder left value value
        jump products
zero:   set by_zero 1
        jump products

factor:                                         # value = that of a factor
        jump_if_equal c minus_sign negative
        jump_if_equal c opening inner
        clear value
        jump_if_less c digit_0 mistake
        jump_if_greater c digit_9 mistake
digits: multiply value ten value
        add c value
        subtract digit_0 value
        read_character c
        jump_if_less c digit_0 number
        jump_if_less_or_equal c digit_9 digits
number: call skip
        return
negative:
        call advance
        call factor
        negate value
        return
inner:  call advance
        call expression
        jump_if_not_equal c closing mistake
        call advance
        return
mistake:
        set wrong 1
        return

advance:                                        # c = the next character but for blanks
        read_character c
skip:   jump_if_equal c blank advance           # the same, from c on
        jump_if_equal c tab advance
        jump_if_equal c carriage_return advance
        return

c:      . 0                                     # a character, or -1
value:  . 0
left:   . 0
wrong:  . 0                                     # 1 if it is not an expression
by_zero: . 0                                    # 1 if it divides by zero
ten:    . 10
plus_sign: . '+'
minus_sign: . '-'
star:   . '*'
slash:  . '/'
percent: . '%'
opening: . '('
closing: . ')'
digit_0: . '0'
digit_9: . '9'
blank:  . ' '
tab:    . '\t'
carriage_return: . '\r'
new_line: . '\n'
not_an_expression: . "not an expression\0"
division_by_zero: . "division by zero\0"
STACK:
