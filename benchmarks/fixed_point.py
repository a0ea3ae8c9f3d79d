"""Errors of the programs that compute in fixed point: `python benchmarks/fixed_point.py`.

Each runs on the inputs below, and what it prints is held against NumPy with numbers of 64 bits.
The error of a run is the greatest difference in it.  A script, not a test; it uses the tests'
tables and their compiled interpreter, and so needs the `dev` extra.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from example_cases import MAX_STEPS, PROGRAMS, Case, Fault, program
from example_cases_numeric import (
    CASES,
    XOR_DATA,
    XOR_RATE,
    XOR_START,
    matrices,
    points,
    symmetric_matrices,
)
from fast_interpreter import HALTED, run_image

from verified_mlp.machine.shape import Shape

Values = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A program, what it is held against, and the inputs of the table."""

    name: str
    against: str
    inputs: Sequence[bytes]
    right: Callable[[bytes], Values]
    """What the program should print, but for errors."""

    @property
    def case(self) -> Case:
        """Its entry in the table of cases."""
        return next(case for case in CASES if case.name == self.name)

    @property
    def bound(self) -> float:
        """What the head of the program says that its error is below."""
        head = (PROGRAMS / f"{self.name}.asm").read_text(encoding="utf-8")
        found = re.search(r"^# Error:  below (\d\.\d+)", head, re.MULTILINE)
        if not found:
            raise ValueError(f"the head of {self.name}.asm does not say 'Error:  below' a number")
        return float(found[1])


def numbers(text: bytes) -> Values:
    """The numbers in a text."""
    return np.array(text.split(), float)


def inverse(given: bytes) -> Values:
    """NumPy's inverse."""
    found: Values = np.linalg.inv(numbers(given).reshape(3, 3)).ravel()
    return found


def eigenvalue(given: bytes) -> Values:
    """NumPy's eigenvalue of greatest size, and its vector, whose greatest number is 1."""
    values, vectors = np.linalg.eigh(numbers(given)[1:].reshape(3, 3))
    largest = np.abs(values).argmax()
    vector = vectors[:, largest]
    return np.array([values[largest], *vector / vector[np.abs(vector).argmax()]])


def line(given: bytes) -> Values:
    """NumPy's line of least squares."""
    x, y = numbers(given)[3:].reshape(-1, 2).T
    return np.polyfit(x, y, 1)


def network(given: bytes) -> Values:
    """The same training in NumPy, and what the program prints after it."""
    weights = np.array([[float(word) for word in row] for row in XOR_START])
    into, out, bias = weights[:3], weights[3], 0.0
    for _ in range(int(given)):
        for first, second, wanted in XOR_DATA:
            x = np.array([first, second, 1.0])
            hidden = np.maximum(0, x @ into)
            change = float(XOR_RATE) * (out @ hidden + bias - wanted)
            back = change * out * (hidden > 0)
            out = out - change * hidden
            into = into - np.outer(x, back)
            bias -= change
    return np.array(
        [
            (first, second, out @ np.maximum(0, np.array([first, second, 1.0]) @ into) + bias)
            for first, second, _ in XOR_DATA
        ]
    ).ravel()


COMPARISONS = (
    Comparison("matrix_inverse", "numpy.linalg.inv", matrices(1000), inverse),
    Comparison("power_iteration", "numpy.linalg.eigh", symmetric_matrices(300), eigenvalue),
    Comparison(
        "regression", "numpy.polyfit", [points(n, k) for n in range(2, 21) for k in range(3)], line
    ),
    Comparison("xor", "the same training", [b"%d" % n for n in range(0, 401, 10)], network),
)


def error(comparison: Comparison, given: bytes, fault: Fault | None = None) -> float:
    """The error of a run, perhaps with a fault planted; raises ValueError if it does not halt."""
    case = comparison.case
    image = program(case, fault).numbers
    ran = run_image(Shape(case.bits, case.words), image, given, limit=MAX_STEPS)
    if ran.ended != HALTED:
        raise ValueError(f"{case.name}.asm does not halt on {given!r}")
    return float(np.abs(numbers(ran.output) - comparison.right(given)).max())


def table() -> Iterator[str]:
    """The lines of the table."""
    yield "| program | held against | runs | median error | greatest | below |"
    yield "|---|---|--:|--:|--:|--:|"
    for each in COMPARISONS:
        errors = [error(each, given) for given in each.inputs]
        yield (
            f"| `{each.name}.asm` | {each.against} | {len(errors)} | {np.median(errors):.6f} "
            f"| {max(errors):.6f} | {each.bound} |"
        )


def main() -> None:
    """Print the table."""
    for row in table():
        print(row, flush=True)


if __name__ == "__main__":
    main()
