# Multiply two numbers, in assembly.
#
# Input:  a digit, any one byte, a digit, e.g. "6*7".
# Output: their product in decimal and a new line, e.g. "42".  Other input gives no useful answer.
# shape:  --bits 8 --words 64

.macro read to
    (-1) to
.end

.macro print from
    from (-1)
.end

.macro stop
    zero zero (-1)
.end

        read x; ascii x     # the first digit's value
        read other          # the byte in between
        read y; below y     # the second digit's value and 1 more

again:  one y tens          # y = y - 1; if that is 0, all is added up
        x rest again        # rest = rest - x is <= 0: once more.  It becomes -(x * y)

tens:   minus10 rest more   # rest = rest + 10; if that is <= 0, the product has one more ten
        ten digit units     # digit = the number of tens; print none if it is 0
        minus48 digit       # as a character
        print digit
units:  rest last           # last = '0' + 10 - rest, where rest = 10 - units
        print last
        print line
        stop
more:   one ten tens        # ten = ten - 1 is <= 0: the next ten

. x: 0  other: 0  y: 0
. rest: 0                   # minus what is still to be printed
. ten: 0                    # minus the number of tens
. digit: 0  last: '0' + 10
. ascii: '0'  below: '0' - 1
. one: 1  minus10: -10  minus48: -'0'  zero: 0  line: '\n'
