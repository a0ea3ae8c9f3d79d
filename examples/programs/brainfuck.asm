# A Brainfuck interpreter.
#
# Each command becomes the address of what is to be done for it, and each bracket has the place of
# the other one beside it, so that a run is nothing but jumps.
#
# Input:  a program of at most 900 of the commands "><+-.,[]", then "!", then the program's own
#         input, e.g. ",[.,]!text".  Other characters in the program are comments.
# Output: what the program prints, or "brackets do not match" or "too many commands".  Its tape is a
#         ring of 500 cells from 0 to 255, which wrap around; "," at the end of input gives 0.
# shape:  --bits 16 --words 4096

.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"

.macro hundred_words
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        . 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
.end

.macro nine_hundred_words
        hundred_words; hundred_words; hundred_words
        hundred_words; hundred_words; hundred_words
        hundred_words; hundred_words; hundred_words
.end

read:   read_character c
        jump_if_negative c all
        jump_if_equal c mark all
        clear k
which:  get commands k x
        jump_if_equal c x keep
        increment k
        jump_if_less k eight which
        jump read
keep:   jump_if_equal i most too_many
        get routines k x
        put x code i
        jump_if_less k six kept
        jump_if_equal k six opens
        jump_if_negative inner unmatched        # "]"
        move inner k
        get match k inner
        put k match i
        put i match k
        jump kept
opens:  put inner match i               # until its "]" comes, beside "[" is the place of the last one
        move i inner                    # before it that is open
kept:   increment i
        jump read
all:    jump_if_not_negative inner unmatched
        set x stop
        put x code i

        clear i
next:   get code i routine
        increment i
        Z Z routine:0

right:  increment p
        jump_if_less p size next
        clear p
        jump next
left:   decrement p
        jump_if_not_negative p next
        plus size MINUS_ONE p
        jump next
more:   get tape p x
        increment x
        jump_if_less_or_equal x greatest keep_cell
        clear x
        jump keep_cell
less:   get tape p x
        decrement x
        jump_if_not_negative x keep_cell
        move greatest x
        jump keep_cell
input:  read_character x
        jump_if_not_negative x keep_cell
        clear x
keep_cell:
        put x tape p
        jump next
output: get tape p x
        print_character x
        jump next
open:   get tape p x
        jump_if_not_zero x next
        jump across
close:  get tape p x
        jump_if_zero x next
across: get match-1 i i                 # i is already the place after this bracket
        increment i
        jump next

unmatched:
        print_string not_matching
        jump stop
too_many:
        print_string too_long
stop:   halt

c:      . 0
k:      . 0
x:      . 0
i:      . 0                             # a place in the program
inner:  . -1                            # the place of the last open bracket
p:      . 0                             # a place on the tape
mark:   . '!'
six:    . 6
eight:  . 8
greatest: . 255
size:   . 500
most:   . 900
commands: . "><+-.,[]"
routines: . right left more less output input open close
not_matching: . "brackets do not match\n\0"
too_long: . "too many commands\n\0"
code:   nine_hundred_words
        . 0
match:  nine_hundred_words
tape:                                   # the rest of the memory
