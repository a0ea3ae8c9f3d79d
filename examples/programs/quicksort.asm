# Sorts numbers by parting them and sorting the parts, in a subroutine that calls itself.
#
# Input:  how many numbers there are, 0 to 400, and the numbers, e.g. "3 20 -5 7".
# Output: the numbers in order, the least first, a line each.
# shape:  --bits 16 --words 4096

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"
.include "calls.asm"

.macro hundred_words
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
.end

        read_decimal n end
read:   jump_if_greater_or_equal i n all
        read_decimal x end
        put x array i
        increment i
        jump read

all:    minus n ONE high
        call sort

        clear i
print:  jump_if_greater_or_equal i n done
        get array i x
        print_decimal x
        print_literal '\n'
        increment i
        jump print
done:   halt

sort:                           # sort the numbers from low to high
        jump_if_greater_or_equal low high sorted
        get array high pivot
        move low place          # before it are those less than the pivot
        move low i
part:   get array i x
        jump_if_greater_or_equal x pivot stay
        get array place y
        put x array place
        put y array i
        increment place
stay:   increment i
        jump_if_less i high part
        get array place x
        put x array high
        put pivot array place
        push high
        push place
        minus place ONE high
        call sort               # those before the pivot
        pop place
        pop high
        plus place ONE low
        call sort               # and those after it
sorted: return

n:      . 0
end:    . 0
i:      . 0
x:      . 0
y:      . 0
low:    . 0
high:   . 0
place:  . 0
pivot:  . 0
array:
        hundred_words
        hundred_words
        hundred_words
        hundred_words
STACK:
