# The factorial of a number, by a subroutine that calls itself.
#
# Input:  a number from 0 to 20, e.g. "5".
# Output: the product of the numbers from 1 to it, e.g. "120".
# shape:  --bits 64 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "multiply.asm"
.include "calls.asm"

        read_decimal n end
        call factorial
        print_decimal n
        print_literal '\n'
        halt

factorial:                      # n = n!
        jump_if_not_positive n one
        push n
        decrement n
        call factorial
        pop m
        multiply m n n
        return
one:    set n 1
        return

n:      . 0
m:      . 0
end:    . 0
STACK:
