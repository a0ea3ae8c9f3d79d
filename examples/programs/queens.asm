# The ways to put n queens on n x n squares so that none attacks another, by trying them all.
#
# Input:  n, from 1 to 9, e.g. "8".
# Output: how many ways there are, e.g. "92", and, if there are any, the one whose columns are first
#         in dictionary order: a line for each row, "Q" for a queen and "." for an empty square.
# shape:  --bits 16 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"

        read_decimal n end
try:    jump_if_equal column n back             # no column is left
        get columns column x
        jump_if_not_zero x next
        plus row column up
        get rising up x
        jump_if_not_zero x next
        minus row column down
        get falling+8 down x
        jump_if_not_zero x next
        put column queens row
        put ONE columns column
        put ONE rising up
        put ONE falling+8 down
        increment row
        clear column
        jump_if_less row n try

        increment count
        jump_if_greater count ONE back
        clear i                                 # keep the first way
keep:   get queens i x
        put x first i
        increment i
        jump_if_less i n keep

back:   decrement row                           # take the last queen away
        jump_if_negative row show
        get queens row column
        plus row column up
        minus row column down
        put Z columns column
        put Z rising up
        put Z falling+8 down
next:   increment column
        jump try

show:   print_decimal count
        print_literal '\n'
        jump_if_zero count done
        clear row
line:   get first row x
        clear column
square: jump_if_equal column x queen
        print_literal '.'
        jump on
queen:  print_literal 'Q'
on:     increment column
        jump_if_less column n square
        print_literal '\n'
        increment row
        jump_if_less row n line
done:   halt

n:      . 0
end:    . 0
x:      . 0
i:      . 0
row:    . 0
column: . 0
count:  . 0
up:     . 0                                     # row + column
down:   . 0                                     # row - column
queens: . 0 0 0 0 0 0 0 0 0                     # the column of the queen in each row
first:  . 0 0 0 0 0 0 0 0 0                     # the same in the first way
columns: . 0 0 0 0 0 0 0 0 0                    # 1 if there is a queen in this column,
rising: . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0     # on this diagonal,
falling: . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0    # on this one, from -8 on
