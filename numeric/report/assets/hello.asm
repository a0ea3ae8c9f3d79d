# Hello world, in assembly.
#
# Input:  none.
# Output: the line "Hello, world!".
# shape:  --bits 8 --words 64
#
# The first operand of the first instruction is the address of the character to print, and the
# program adds 1 to that operand after every character.

print:  text (-1)           # print the character
        minus print         # the next address: subtract -1 from the operand
        one left end        # one character less is left; go to the end if there is none
        zero zero print     # 0 - 0 is 0: the next character
end:    zero zero (-1)      # halt

. one: 1  minus: -1  zero: 0
. text: "Hello, world!\n"
. left: left - text         # the number of characters
