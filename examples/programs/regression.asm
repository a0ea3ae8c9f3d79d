# Linear regression in fixed point, by gradient descent: the line that is closest to points.
#
# Each step takes from slope and offset the rate times the mean of error * x and of the error, where
# the error is slope * x + offset - y.  Both begin with 0.  Words have 32 bits, 16 of them for the
# fraction, as fixed_point.asm says.
#
# Input:  how many steps, the rate, how many points, 1 to 200, and x and y of each, with at most
#         four digits after the point, e.g. "500 0.25  3  0 1  1 3.1  2 4.9".
# Output: slope and offset, on one line.
# Error:  below 0.0001 in both, for random points with x from -2 to 2 near lines with slopes from -3
#         to 3, after 500 steps with the rate 0.25, as benchmarks/fixed_point.py measures it.
# shape:  --bits 32 --words 4096

.include "compare.asm"
.include "strings.asm"
.include "pointers.asm"
.include "decimal.asm"
.include "multiply.asm"
.include "fixed_point.asm"

        read_decimal steps end
        read_fixed rate
        read_decimal n end
        plus n n all
read:   read_fixed x
        put x points i
        increment i
        jump_if_less i all read
        multiply n one n                # as a number with a fraction

step:   decrement steps
        jump_if_negative steps done
        clear i
        clear to_slope
        clear to_offset
point:  get points i x
        get points+1 i y
        multiply_fixed slope x error
        add offset error
        subtract y error
        add error to_offset
        multiply_fixed error x error
        add error to_slope
        add_number 2 i
        jump_if_less i all point
        divide_fixed to_slope n to_slope
        multiply_fixed to_slope rate to_slope
        subtract to_slope slope
        divide_fixed to_offset n to_offset
        multiply_fixed to_offset rate to_offset
        subtract to_offset offset
        jump step
done:   print_fixed slope
        print_literal ' '
        print_fixed offset
        print_literal '\n'
        halt

steps:  . 0
rate:   . 0
n:      . 0
all:    . 0
end:    . 0
i:      . 0
x:      . 0
y:      . 0
error:  . 0
slope:  . 0
offset: . 0
to_slope: . 0
to_offset: . 0
one:    . 65536
points:                                 # the rest of the memory
