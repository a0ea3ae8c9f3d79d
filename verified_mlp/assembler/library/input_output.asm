# Characters, strings and numbers: printing and reading them.

.include "strings.asm"
.include "decimal.asm"
