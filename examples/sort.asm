# Sort four bytes, by waiting for each.
#
# Input:  four bytes, none of them 0, e.g. "3142".
# Output: the same four in ascending order, e.g. "1234".
# shape:  --bits 16 --words 64
#
# Once round, every byte becomes 1 less; those that are 0 or less have been reached.  When more are
# reached than are printed, the number of rounds is the next byte to print.

        (-1) a; (-1) b; (-1) c; (-1) d
round:  minus rounds        # rounds = rounds + 1
        left new            # new = -left, where left = 4 - the number of printed bytes
        one a b1; minus new # new = new + 1 for every byte that is not reached
b1:     one b c1; minus new
c1:     one c d1; minus new
d1:     one d test
        minus new test      # new = printed - reached is never above 0: always go to test
show:   rounds (-1)
        one left (-1)       # left = left - 1; halt if that is 0
test:   minus new show      # new = new + 1; if that is <= 0, one more was reached than printed
        one new round       # new = 0 again: the next round

. a: 0  b: 0  c: 0  d: 0
. rounds: 0  left: 4  new: 0
. one: 1  minus: -1
