# The greatest common divisor of two numbers, by Euclid's algorithm.
#
# Input:  two numbers from -32767 to 32767, e.g. "1071 462".
# Output: the greatest number that divides both, e.g. "21"; 0 if both are 0.
# shape:  --bits 16 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "divide.asm"

        read_decimal x end
        read_decimal y end
again:  jump_if_zero y done
        remainder x y x         # x, y = y, the rest of x / y
        swap x y
        jump again
done:   jump_if_not_negative x show     # a rest has the sign of x
        negate x
show:   print_decimal x
        print_literal '\n'
        halt

x:      . 0
y:      . 0
end:    . 0
