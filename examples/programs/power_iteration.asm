# The eigenvalue of greatest size of a symmetric 3 x 3 matrix in fixed point, by power iteration.
#
# A vector, at first (1, 1, 1), is multiplied by the matrix again and again, and divided by its
# number of greatest size.  Of the last vector v, the eigenvalue is (v, A v) / (v, v).  Words have 32
# bits, 16 of them for the fraction, as fixed_point.asm says.
#
# Input:  how many times, at least 1, and nine numbers, row by row, with at most four digits after
#         the point, e.g. "40  2 -1 0  -1 2 -1  0 -1 2".
# Output: the eigenvalue; then a line with the vector.
# Error:  below 0.0002 in each number, for 300 random matrices with numbers from -5 to 5, whose other
#         eigenvalues are at most 0.7 times as large, after 40 rounds, as benchmarks/fixed_point.py
#         measures it.
# shape:  --bits 32 --words 4096

.include "compare.asm"
.include "strings.asm"
.include "pointers.asm"
.include "decimal.asm"
.include "fixed_point.asm"

        read_decimal rounds end
read:   read_fixed x
        put x matrix i
        increment i
        jump_if_less i nine read

round:  jump product
back:   clear size                      # divide by the number of greatest size
        clear j
search: get image j x
        move x y
        jump_if_not_negative y compare
        negate y
compare:
        jump_if_less_or_equal y size smaller
        move y size
        move x greatest
smaller:
        increment j
        jump_if_less j three search
        clear j
shrink: get image j x
        divide_fixed x greatest x
        put x vector j
        increment j
        jump_if_less j three shrink
        decrement rounds
        jump_if_positive rounds round

product:                                # image = matrix * vector
        clear i
        clear k
row:    clear sum
        clear j
terms:  get matrix i x
        get vector j y
        multiply_fixed x y x
        add x sum
        increment i
        increment j
        jump_if_less j three terms
        put sum image k
        increment k
        jump_if_less k three row
        jump_if_positive rounds back

        clear sum
        clear size
        clear j
last:   get vector j x
        get image j y
        multiply_fixed x y y
        add y sum
        multiply_fixed x x x
        add x size
        increment j
        jump_if_less j three last
        divide_fixed sum size x
        print_fixed x
        print_literal '\n'
        clear j
show:   get vector j x
        print_fixed x
        increment j
        jump_if_equal j three over
        print_literal ' '
        jump show
over:   print_literal '\n'
        halt

rounds: . 0
end:    . 0
i:      . 0
j:      . 0
k:      . 0
x:      . 0
y:      . 0
sum:    . 0
size:   . 0
greatest: . 0
three:  . 3
nine:   . 9
vector: . 65536 65536 65536
image:  . 0 0 0
matrix: . 0 0 0 0 0 0 0 0 0
