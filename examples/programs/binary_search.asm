# Looks for a number among others that are in order, by halving what is left of them.
#
# Input:  how many numbers there are, 0 to 500, the numbers, the least first, and the one to look
#         for, e.g. "4 -5 7 7 20 7".
# Output: where the number is for the first time, counted from 0, e.g. "1"; "-1" if it is not there.
# shape:  --bits 16 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"
.include "shifts.asm"

        read_decimal n end
read:   jump_if_greater_or_equal i n look
        read_decimal x end
        put x array i
        increment i
        jump read

look:   read_decimal sought end
        move n high             # all before low are less, all from high on are not
halve:  jump_if_greater_or_equal low high found
        plus low high i
        shift_right i ONE i
        get array i x
        jump_if_less x sought above
        move i high
        jump halve
above:  plus i ONE low
        jump halve

found:  jump_if_equal low n none
        get array low x
        jump_if_equal x sought show
none:   set low (-1)
show:   print_decimal low
        print_literal '\n'
        halt

n:      . 0
end:    . 0
i:      . 0
x:      . 0
sought: . 0
low:    . 0
high:   . 0
array:                          # the rest of the memory
