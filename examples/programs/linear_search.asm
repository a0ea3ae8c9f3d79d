# Looks for a number among others, one after the other.
#
# Input:  how many numbers there are, 0 to 500, the numbers, and the one to look for, e.g.
#         "4 20 -5 7 -5 -5".
# Output: where the number is for the first time, counted from 0, e.g. "1"; "-1" if it is not there.
# shape:  --bits 16 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"

        read_decimal n end
read:   jump_if_greater_or_equal i n look
        read_decimal x end
        put x array i
        increment i
        jump read

look:   read_decimal sought end
        clear i
next:   jump_if_greater_or_equal i n none
        get array i x
        jump_if_equal x sought show
        increment i
        jump next
none:   set i (-1)
show:   print_decimal i
        print_literal '\n'
        halt

n:      . 0
end:    . 0
i:      . 0
x:      . 0
sought: . 0
array:                          # the rest of the memory
