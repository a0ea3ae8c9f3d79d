# The inverse of a 3 x 3 matrix in fixed point, by Gauss-Jordan elimination with row exchanges.
#
# Words have 32 bits, 16 of them for the fraction, as fixed_point.asm says.
#
# Input:  nine numbers, row by row, with at most four digits after the point, e.g.
#         "2 -1 0  -1 2 -1  0 -1 2.5".
# Output: the inverse, three lines of three numbers, or the line "no inverse".
# Error:  below 0.0001 in each number, for 1000 random matrices with numbers from -10 to 10 and a
#         condition number of at most 20, as benchmarks/fixed_point.py measures it.  It grows with
#         the condition number, and what has nearly no inverse gets a useless one.
# shape:  --bits 32 --words 4096

.include "compare.asm"
.include "strings.asm"
.include "pointers.asm"
.include "fixed_point.asm"

.macro absolute x
        jump_if_not_negative x positive
        negate x
positive:
.end

# Each row of `rows` is a row of the matrix and then one of what becomes the inverse: six words.

read:   set left 3
number: read_fixed x
        put x rows i
        increment i
        decrement left
        jump_if_positive left number
        add_number 3 i                  # those are of the identity
        jump_if_less i all read

column: clear greatest                  # find the greatest number of the column, from `this` on
        plus this j i
search: get rows i x
        absolute x
        jump_if_less_or_equal x greatest not_greater
        move x greatest
        minus i j other                 # its row
not_greater:
        add_number 6 i
        jump_if_less i all search
        jump_if_zero greatest singular

        move this i                     # exchange that row and this one, and divide by the number
        plus other j k
        get rows k head
scale:  get rows other y
        get rows i x
        put x rows other
        divide_fixed y head y
        put y rows i
        increment i
        increment other
        add_number (-6) i
        jump_if_equal i this eliminate
        add_number 6 i
        jump scale

eliminate:                              # subtract it from the others, so that they have 0 there
        clear other
others: jump_if_equal other this same
        plus other j k
        get rows k factor
        move other i
        move this k
        set left 6
terms:  get rows k x
        multiply_fixed factor x x
        get rows i y
        subtract x y
        put y rows i
        increment i
        increment k
        decrement left
        jump_if_positive left terms
same:   add_number 6 other
        jump_if_less other all others
        increment j
        add_number 6 this
        jump_if_less this all column

        clear i
show:   add_number 3 i
        set left 3
part:   get rows i x
        print_fixed x
        increment i
        decrement left
        jump_if_zero left over
        print_literal ' '
        jump part
over:   print_literal '\n'
        jump_if_less i all show
        halt

singular:
        print_string none
        halt

i:      . 0
j:      . 0                             # the column
k:      . 0
x:      . 0
y:      . 0
this:   . 0                             # where the row of that number begins
other:  . 0                             # and where another one
left:   . 0
greatest: . 0
head:   . 0
factor: . 0
all:    . 18
none:   . "no inverse\n\0"
rows:   . 0 0 0 65536 0 0
        . 0 0 0 0 65536 0
        . 0 0 0 0 0 65536
