# Multiply two numbers.
#
# Memory: x and y, each 0 to 255.
# Output: x * y as two bytes, the less significant first.
# Proved: --spec examples/proved/specs.py:multiply --inputs "x:0..15,y:0..15" --max-steps 100

        minus1 y                # y = y + 1
again:  one y done              # y = y - 1; if that is 0, all is added up
        x rest                  # rest = rest - x: minus the low byte, and maybe more
        minus256 rest carry     # rest = rest + 256; if that is <= 0, there is a carry
        plus256 rest again      # undo that: rest <= 0, so once more in any case
carry:  minus1 high             # high = high + 1
        zero zero again
done:   rest low                # low = -rest
        low (-1)
        high (-1)
        zero zero (-1)

. x: 0  y: 0  rest: 0  low: 0  high: 0
. one: 1  minus1: -1  plus256: 256  minus256: -256  zero: 0
