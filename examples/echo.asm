# Echo until the end of input, in assembly.
#
# Input:  any bytes.
# Output: the same bytes.
# shape:  --bits 16 --words 64
#
# The end of input arrives as -1.  With 16 bits no byte is -1; with 8 bits byte 255 would be.

next:   (-1) byte           # a byte, or -1 at the end of input
        minus byte (-1)     # add 1; halt if that is <= 0, so if it was -1
        one byte            # subtract 1: as it was
        byte (-1)           # print it
        zero zero next      # 0 - 0 is 0: the next byte

. byte: 0  one: 1  minus: -1  zero: 0
