# Reverses a linked list where it is: only the links change.
#
# Input:  how many numbers there are, 0 to 400, and the numbers, e.g. "3 20 -5 7".
# Output: the numbers from the last to the first, a line each.
# shape:  --bits 16 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"

# A node is two words: a number, and the address of the next node or 0.
        read_decimal n end
        set free nodes
        set link first
build:  decrement n
        jump_if_negative n reverse
        store free link
        read_decimal x end
        store x free
        increment free
        move free link
        increment free
        jump build

reverse:
        move first node
turn:   jump_if_zero node show
        plus node ONE link
        load link after
        store before link
        move node before
        move after node
        jump turn

show:   move before node
print:  jump_if_zero node done
        load node x
        print_decimal x
        print_literal '\n'
        increment node
        load node node
        jump print
done:   halt

n:      . 0
end:    . 0
x:      . 0
first:  . 0                     # the address of the first node, or 0
node:   . 0
before: . 0
after:  . 0
link:   . 0                     # the address of a link
free:   . 0                     # the address from which on the memory is free
nodes:                          # the rest of the memory
