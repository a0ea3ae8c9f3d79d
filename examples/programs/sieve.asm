# The prime numbers up to a number, by the sieve of Eratosthenes.
#
# Input:  a number from 0 to 2000, e.g. "12".
# Output: the prime numbers that are not greater, a line each: "2", "3", "5", "7", "11".
# shape:  --bits 16 --words 4096

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"

        read_decimal n end
next:   jump_if_greater i n done
        get struck i x
        jump_if_not_zero x on
        print_decimal i
        print_literal '\n'
        plus i i j              # strike out the multiples of i
strike: jump_if_greater j n on
        put ONE struck j
        add i j
        jump strike
on:     increment i
        jump next
done:   halt

n:      . 0
end:    . 0
x:      . 0
i:      . 2
j:      . 0
struck:                         # the rest of the memory: 1 for a number that was struck out
