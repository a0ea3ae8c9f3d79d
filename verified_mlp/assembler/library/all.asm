# The whole library.

.include "words.asm"
.include "compare.asm"
.include "arithmetic.asm"
.include "logic.asm"
.include "pointers.asm"
.include "input_output.asm"
