# Sorts numbers by exchanging neighbours, until a pass over them exchanges none.
#
# Input:  how many numbers there are, 0 to 500, and the numbers, e.g. "3 20 -5 7".
# Output: the numbers in order, the least first, a line each.
# shape:  --bits 16 --words 2048

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"

        read_decimal n end
read:   jump_if_greater_or_equal i n sort
        read_decimal x end
        put x array i
        increment i
        jump read

sort:   move n last             # from here on, all is in order
pass:   decrement last
        jump_if_not_positive last show
        clear changed
        clear i
        get array i x           # the greatest so far
step:   get array+1 i y
        jump_if_less_or_equal x y keep
        put y array i
        put x array+1 i
        set changed 1
        jump on
keep:   move y x
on:     increment i
        jump_if_less i last step
        jump_if_not_zero changed pass

show:   clear i
print:  jump_if_greater_or_equal i n done
        get array i x
        print_decimal x
        print_literal '\n'
        increment i
        jump print
done:   halt

n:      . 0
end:    . 0
i:      . 0
x:      . 0
y:      . 0
last:   . 0
changed: . 0
array:                          # the rest of the memory
