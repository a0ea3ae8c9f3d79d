# Transposes a matrix: what was a column becomes a row.
#
# Input:  how many rows and columns there are, at least 1 each, and the numbers row by row, at most
#         400, e.g. "2 3  1 2 3  4 5 6".
# Output: the transposed matrix, a line for each row.
# shape:  --bits 16 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"
.include "multiply.asm"

        read_decimal rows end
        read_decimal columns end
        multiply rows columns size
read:   read_decimal x end
        put x matrix i
        increment i
        jump_if_less i size read

        clear column
row:    move column i                   # the next row is this column
next:   get matrix i x
        print_decimal x
        add columns i
        jump_if_greater_or_equal i size over
        print_literal ' '
        jump next
over:   print_literal '\n'
        increment column
        jump_if_less column columns row
        halt

rows:   . 0
columns: . 0
size:   . 0
end:    . 0
i:      . 0
x:      . 0
column: . 0
matrix:                                 # the rest of the memory
