# A neural network that learns exclusive or, by backpropagation in fixed point.
#
# Two inputs, three hidden units with ReLU, and one linear output.  In each round it sees the four
# cases in turn; after each it takes from every weight the rate, 0.25, times the gradient of half the
# squared error.  The weights at first are those in the tables below; from many others it does not
# learn.  Words have 32 bits, 16 of them for the fraction, as fixed_point.asm says.
#
# Input:  how many rounds, e.g. "100".
# Output: a line for each case: the inputs, and the network's output after these rounds.
# Error:  below 0.0005 after 0 to 400 rounds, against the same training in 64-bit floating point, as
#         benchmarks/fixed_point.py measures it.
# shape:  --bits 32 --words 4096

.include "compare.asm"
.include "strings.asm"
.include "pointers.asm"
.include "decimal.asm"
.include "fixed_point.asm"
.include "calls.asm"

        read_decimal rounds end
round:  decrement rounds
        jump_if_negative rounds done
        clear k
learn:  call forward
        get wanted k x
        minus output x change
        multiply_fixed change rate change
        subtract change bias
        clear j
unit:   get hidden j h
        jump_if_zero h next             # its gradients are 0
        get of_output j w
        multiply_fixed change w back
        multiply_fixed change h h
        subtract h w
        put w of_output j
        get of_one j w
        subtract back w
        put w of_one j
        jump_if_zero first not_first
        get of_first j w
        subtract back w
        put w of_first j
not_first:
        jump_if_zero second next
        get of_second j w
        subtract back w
        put w of_second j
next:   increment j
        jump_if_less j units unit
        increment k
        jump_if_less k cases learn
        jump round

done:   clear k
show:   call forward
        print_decimal first
        print_literal ' '
        print_decimal second
        print_literal ' '
        print_fixed output
        print_literal '\n'
        increment k
        jump_if_less k cases show
        halt

forward:                                # the output for case k
        get firsts k first
        get seconds k second
        move bias output
        clear j
sum:    get of_one j h
        jump_if_zero first without_first
        get of_first j w
        add w h
without_first:
        jump_if_zero second without_second
        get of_second j w
        add w h
without_second:
        jump_if_not_negative h active
        clear h
active: put h hidden j
        get of_output j w
        multiply_fixed w h w
        add w output
        increment j
        jump_if_less j units sum
        return

rounds: . 0
end:    . 0
k:      . 0                             # the case
j:      . 0                             # the hidden unit
first:  . 0
second: . 0
output: . 0
change: . 0                             # rate * error
back:   . 0                             # the same at a hidden unit
h:      . 0
w:      . 0
x:      . 0
cases:  . 4
units:  . 3
rate:   . 16384                         # 0.25
firsts: . 0 0 1 1
seconds: . 0 1 0 1
wanted: . 0 65536 65536 0
hidden: . 0 0 0
of_first: . 32768 (-26214) 19661        # 0.5, -0.4, 0.3: the weights of the first input
of_second: . -19661 39322 26214         # -0.3, 0.6, 0.4: those of the second
of_one: . 6554 6554 6554                # 0.1 each
of_output: . 39322 32768 (-26214)       # 0.6, 0.5, -0.4: of the units in the output
bias:   . 0
STACK:
