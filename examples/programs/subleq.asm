# A SUBLEQ interpreter: it does what the machine does that it runs on.
#
# Input:  a program of at most 2800 words: numbers in decimal with blanks between them, and "!" right
#         after the last one; then the program's own input, e.g. "-1 9 3  9 -1 6  9 9 -1  0!A".
# Output: what the program prints.  Its words have 16 bits and its memory 2800 words.  If it uses an
#         address outside, the line "fault" follows, and it ends.  Instead of a program that is too
#         long, "too many words" is printed.
# shape:  --bits 16 --words 4096

.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
.include "pointers.asm"

read:   read_decimal x end
        jump_if_equal pc size too_many
        put x memory pc
        increment pc
        jump_if_negative end begin
        jump_if_not_equal end mark read
begin:  clear pc

step:   jump_if_negative pc stop
        jump_if_greater_or_equal pc last fault  # the instruction does not end within the memory
        get memory pc a
        get memory+1 pc b
        get memory+2 pc c
        add_number 3 pc
        jump_if_negative a input
        jump_if_greater_or_equal a size fault
        get memory a x
        jump_if_negative b output
        jump_if_greater_or_equal b size fault
        get memory b y
        subtract x y
        put y memory b
        jump_if_positive y step
        move c pc
        jump step

input:  jump_if_not_equal a MINUS_ONE fault
        jump_if_negative b fault
        jump_if_greater_or_equal b size fault
        read_character x
        put x memory b
        jump step
output: jump_if_not_equal b MINUS_ONE fault
        print_character x
        jump step

fault:  print_string faulty
stop:   halt
too_many:
        print_string too_long
        halt

pc:     . 0
a:      . 0
b:      . 0
c:      . 0
x:      . 0
y:      . 0
end:    . 0
mark:   . '!'
size:   . 2800
last:   . 2798
faulty: . "fault\n\0"
too_long: . "too many words\n\0"
memory:                                         # the rest of the memory
