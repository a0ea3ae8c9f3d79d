"""The gallery of programs, docs/gallery.md: `python benchmarks/gallery.py > docs/gallery.md`.

Every program of examples/programs runs on the verified network, on the first input that
tests/example_cases.py (and example_cases_numeric.py) has for it.  A script, not a test; it uses the
tests' tables, and so needs the `dev` extra.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from example_cases import MAX_STEPS, Case, all_cases, program

from numeric.machine import Machine
from verified_mlp.machine.host import Outcome
from verified_mlp.machine.shape import Shape

HEAD = f"""\
# Gallery

The programs of `examples/programs`. The head of each says what it reads and prints; all are written
with the [library of routines](library.md). For instance:

```console
$ printf '1071 462' | verified-mlp run examples/programs/gcd.asm
21
$ echo '2 * (3 + 4)' | verified-mlp run examples/programs/calculator.asm --bits 32 --words 4096
14
```

`python benchmarks/gallery.py` prints this page. It runs each program on the verified network, with
as many bits and words as here, on the first of its inputs in `tests/example_cases*.py`. Each must
print what Python, or NumPy, gives for that input; none takes more than {MAX_STEPS:,} steps. The
seconds are those of one run with the engine `support`, without the time to prove, build and compile
the network. The tests try each program on its other inputs, too, and most on random ones.

| program | what it shows | bits | words | steps | seconds |
|---|---|--:|--:|--:|--:|
"""

LOOP = [3, 3, 0, 0]
"""A program without an end: so many steps of it that the engine is compiled."""


class WrongProgramError(Exception):
    """A program does not do what its case says."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    case: Case
    steps: int
    seconds: float


def main() -> None:
    """Print the page; raises WrongProgramError if a program is wrong."""
    print(page(map(measured, all_cases())), end="")


def measured(case: Case) -> Row:
    """A program's run on the network; raises WrongProgramError if it is wrong."""
    machine = _machine(Shape(case.bits, case.words))
    words = [number % machine.shape.modulus for number in program(case).numbers]
    given = case.inputs[0]
    began = time.perf_counter()
    result = machine.run(words, given, MAX_STEPS)
    seconds = time.perf_counter() - began
    if result.outcome is not Outcome.HALTED or result.output != case.reference(given):
        raise WrongProgramError(
            f"{case.name}.asm is wrong on its first input: it ended as {result.outcome} after "
            f"{result.steps} steps, and printed {result.output!r}. Its case in "
            f"tests/example_cases*.py says what it should print."
        )
    return Row(case, result.steps, seconds)


@cache
def _machine(shape: Shape) -> Machine:
    machine = Machine(shape)
    machine.run(LOOP, max_steps=10_000)
    return machine


def page(rows: Iterable[Row]) -> str:
    """The text of docs/gallery.md."""
    return HEAD + "".join(
        f"| [`{row.case.name}.asm`](../examples/programs/{row.case.name}.asm) | {row.case.shows} "
        f"| {row.case.bits} | {row.case.words:,} | {row.steps:,} | {row.seconds:.3f} |\n"
        for row in rows
    )


if __name__ == "__main__":
    main()
