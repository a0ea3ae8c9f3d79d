# Conway's Game of Life on a torus: what leaves the board on one side comes in on the other.
#
# Input:  height, width and generations, e.g. "3 4 10", and a line for each row: "#" is a living
#         cell, anything else a dead one.  At most 400 cells.
# Output: the board after each generation, "#" or "." for each cell, and an empty line.
# shape:  --bits 16 --words 4096

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"
.include "multiply.asm"

.macro hundred_words
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
.end

.macro count_cell row column    # living = living + the cell there
        plus row column at
        get board at x
        add x living
.end

        read_decimal height end
        read_decimal width end
        read_decimal generations end
        multiply height width size
fill:   read_character x
        jump_if_equal x new_line fill
        jump_if_equal x alive cell
        jump put_cell
cell:   put ONE board i
put_cell:
        increment i
        jump_if_less i size fill

generation:
        decrement generations
        jump_if_negative generations done
        clear i
        minus size width above  # a row is the address of its first cell, counted from the board's
        clear this
rows:   plus this width below
        jump_if_less below size inside
        clear below
inside: minus width ONE left
        clear middle
columns:
        plus middle ONE right
        jump_if_less right width within
        clear right
within: clear living
        count_cell above left
        count_cell above middle
        count_cell above right
        count_cell this left
        count_cell this right
        count_cell below left
        count_cell below middle
        count_cell below right
        move ONE x
        jump_if_equal living three set_cell
        get board i x
        jump_if_equal living two set_cell
        clear x
set_cell:
        put x new_board i
        increment i
        move middle left
        move right middle
        jump_if_not_zero middle columns
        move this above
        move below this
        jump_if_not_zero this rows

        clear i
        move width middle       # cells that are left of the row
show:   get new_board i x
        put x board i
        jump_if_zero x dead
        print_character alive
        jump on
dead:   print_literal '.'
on:     increment i
        decrement middle
        jump_if_positive middle show
        move width middle
        print_literal '\n'
        jump_if_less i size show
        print_literal '\n'
        jump generation
done:   halt

height: . 0
width:  . 0
generations: . 0
end:    . 0
size:   . 0                     # how many cells there are
i:      . 0
at:     . 0
x:      . 0
living: . 0                     # living neighbours
above:  . 0                     # the three rows
this:   . 0
below:  . 0
left:   . 0                     # and the three columns that matter to a cell
middle: . 0
right:  . 0
two:    . 2
three:  . 3
alive:  . '#'
new_line: . '\n'
board:
        hundred_words
        hundred_words
        hundred_words
        hundred_words
new_board:                      # the rest of the memory
