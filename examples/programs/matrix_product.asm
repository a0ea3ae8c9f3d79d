# The product of two matrices of integers.
#
# Input:  n, m and k, at least 1 each, then n rows of m numbers and m rows of k numbers, at most 2000
#         in all, e.g. "2 2 1  1 2 3 4  5 6".
# Output: the product, n lines of k numbers.  They wrap around at 32 bits.
# shape:  --bits 32 --words 4096

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"
.include "multiply.asm"

        read_decimal n end
        read_decimal m end
        read_decimal k end
        multiply n m second
        multiply m k all
        add second all
read:   read_decimal x end
        put x numbers i
        increment i
        jump_if_less i all read

row:    clear column
next:   clear sum
        move first i
        plus second column j
        move m left
terms:  get numbers i x
        get numbers j y
        multiply x y x
        add x sum
        increment i                     # along the row
        add k j                         # down the column
        decrement left
        jump_if_positive left terms
        print_decimal sum
        increment column
        jump_if_equal column k over
        print_literal ' '
        jump next
over:   print_literal '\n'
        add m first
        jump_if_less first second row
        halt

n:      . 0
m:      . 0
k:      . 0
end:    . 0
x:      . 0
y:      . 0
i:      . 0
j:      . 0
sum:    . 0
left:   . 0                             # how many terms are left
column: . 0
first:  . 0                             # where the row of the first matrix begins
second: . 0                             # where the second matrix begins
all:    . 0
numbers:                                # the rest of the memory
