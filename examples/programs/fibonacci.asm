# The Fibonacci numbers, each the sum of the two before it.
#
# Input:  a number n from 0 to 46, e.g. "5".
# Output: the Fibonacci numbers from the one numbered 0 to the one numbered n, a line each:
#         "0", "1", "1", "2", "3", "5".
# shape:  --bits 32 --words 1024

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"

        read_decimal n end
next:   print_decimal x
        print_literal '\n'
        plus x y z
        move y x
        move z y
        decrement n
        jump_if_not_negative n next
        halt

n:      . 0
end:    . 0
x:      . 0                     # the number to be printed,
y:      . 1                     # the one after it,
z:      . 0                     # and the one after that
