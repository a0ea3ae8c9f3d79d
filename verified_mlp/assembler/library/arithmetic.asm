# Multiplication, division and shifts.

.include "multiply.asm"
.include "divide.asm"
.include "shifts.asm"
