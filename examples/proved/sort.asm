# Sort four numbers.
#
# Memory: a, b, c and d, not negative.
# Output: the four in ascending order, each as a byte.
# Proved: --spec examples/proved/specs.py:sort --inputs "a:0..7,b:0..7,c:0..7,d:0..7" --max-steps 99

.macro clear word
        word word
.end

.macro order p q
        clear minus; p minus    # minus = -p
        clear gap; minus gap    # gap = p
        q gap sorted            # gap = p - q; if that is <= 0, they are in order
        gap p                   # p = q
        clear minus; gap minus
        minus q                 # q = q + gap = the former p
sorted:
.end

        order a b
        order b c
        order c d
        order a b
        order b c
        order a b
        a (-1); b (-1); c (-1); d (-1)
        zero zero (-1)

. a: 0  b: 0  c: 0  d: 0  minus: 0  gap: 0  zero: 0
