"""What the library's macros do: a use of each, and the same in Python.

A use stands in a program with the words x, y, z, w in this order, then p and q, which hold the
addresses of x and z.  Before it, x and y are any words, and z and w are as below.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fast_interpreter import Words, run_image, signed, sweep

from verified_mlp.assembler.assemble import Program, assemble
from verified_mlp.assembler.sources import LIBRARY, read_source
from verified_mlp.machine.shape import Shape

Z, W = -5, 77
TAKEN = {"z": Z - 1}
"""What the program does where a jump leads."""
LIMIT = 20_000
KEPT = {"Z": 0, "ONE": 1, "MINUS_ONE": -1, "_t": 0, "_u": 0}
"""The words of the library that all of it relies on."""


@dataclass(frozen=True)
class Case:
    """A use of a macro of a file, and what x, y become: the words that change, before wrapping."""

    file: str
    use: str
    effect: str
    gives: Callable[[int, int, int], Mapping[str, int]]
    """From x, y and the number of bits."""
    after: int = 1
    """The steps that the program takes after the use."""

    @property
    def name(self) -> str:
        return self.use.split()[0]


@dataclass(frozen=True)
class TextCase:
    """A use of a macro that reads or prints text: on every input, what it prints and leaves."""

    file: str
    use: str
    effect: str
    inputs: Callable[[], Iterable[tuple[int, bytes]]]
    """The words x and the inputs on which the steps are counted."""
    domain: str

    @property
    def name(self) -> str:
        return self.use.split()[0]


def quotient(x: int, y: int) -> int:
    """Rounded towards 0; 0 for a division by 0."""
    size = abs(x) // abs(y) if y else 0
    return size if (x < 0) == (y < 0) else -size


def rest(x: int, y: int) -> int:
    return x - quotient(x, y) * y


def taken(condition: Callable[[int, int], bool]) -> Callable[[int, int, int], Mapping[str, int]]:
    return lambda x, y, _: TAKEN if condition(x, y) else {}


CASES = [
    Case("words.asm", "jump yes", "go to yes", lambda x, y, _: TAKEN),
    Case("words.asm", "halt", "halt", lambda x, y, _: {}, after=0),
    Case("words.asm", "clear z", "z = 0", lambda x, y, _: {"z": 0}),
    Case("words.asm", "set z (-123)", "z = -123", lambda x, y, _: {"z": -123}),
    Case("words.asm", "move x z", "z = x", lambda x, y, _: {"z": x}),
    Case("words.asm", "swap x y", "x, y = y, x", lambda x, y, _: {"x": y, "y": x}),
    Case("words.asm", "add x y", "y = y + x", lambda x, y, _: {"y": y + x}),
    Case("words.asm", "subtract x y", "y = y - x", lambda x, y, _: {"y": y - x}),
    Case("words.asm", "add_number (-123) y", "y = y - 123", lambda x, y, _: {"y": y - 123}),
    Case("words.asm", "increment y", "y = y + 1", lambda x, y, _: {"y": y + 1}),
    Case("words.asm", "decrement y", "y = y - 1", lambda x, y, _: {"y": y - 1}),
    Case("words.asm", "plus x y z", "z = x + y", lambda x, y, _: {"z": x + y}),
    Case("words.asm", "minus x y z", "z = x - y", lambda x, y, _: {"z": x - y}),
    Case("words.asm", "double y", "y = 2 y", lambda x, y, _: {"y": 2 * y}),
    Case("words.asm", "negate y", "y = -y", lambda x, y, _: {"y": -y}),
    Case("compare.asm", "jump_if_less x y yes", "to yes if x < y", taken(lambda x, y: x < y)),
    Case(
        "compare.asm", "jump_if_less_or_equal x y yes", "to yes if x <= y",
        taken(lambda x, y: x <= y),
    ),
    Case("compare.asm", "jump_if_greater x y yes", "to yes if x > y", taken(lambda x, y: x > y)),
    Case(
        "compare.asm", "jump_if_greater_or_equal x y yes", "to yes if x >= y",
        taken(lambda x, y: x >= y),
    ),
    Case("compare.asm", "jump_if_equal x y yes", "to yes if x = y", taken(lambda x, y: x == y)),
    Case(
        "compare.asm", "jump_if_not_equal x y yes", "to yes if x is not y",
        taken(lambda x, y: x != y),
    ),
    Case("compare.asm", "jump_if_zero x yes", "to yes if x = 0", taken(lambda x, y: x == 0)),
    Case(
        "compare.asm", "jump_if_not_zero x yes", "to yes if x is not 0", taken(lambda x, y: x != 0)
    ),
    Case("compare.asm", "jump_if_negative x yes", "to yes if x < 0", taken(lambda x, y: x < 0)),
    Case(
        "compare.asm", "jump_if_not_negative x yes", "to yes if x >= 0", taken(lambda x, y: x >= 0)
    ),
    Case("compare.asm", "jump_if_positive x yes", "to yes if x > 0", taken(lambda x, y: x > 0)),
    Case(
        "compare.asm", "jump_if_not_positive x yes", "to yes if x <= 0",
        taken(lambda x, y: x <= 0),
    ),
    Case("multiply.asm", "multiply x y z", "z = x * y", lambda x, y, _: {"z": x * y}),
    Case(
        "divide.asm", "divide x y z", "z = x / y, rounded towards 0",
        lambda x, y, _: {"z": quotient(x, y)},
    ),
    Case(
        "divide.asm", "remainder x y z", "z = x - x / y * y", lambda x, y, _: {"z": rest(x, y)}
    ),
    Case(
        "divide.asm", "divide_remainder x y z w", "z = x / y, w = x - z * y",
        lambda x, y, _: {"z": quotient(x, y), "w": rest(x, y)},
    ),
    Case(
        "shifts.asm", "shift_left x y z", "z = x shifted left by y bits",
        lambda x, y, bits: {"z": x << max(0, min(y, bits))},
    ),
    Case(
        "shifts.asm", "shift_right x y z", "z = x shifted right by y bits; zeros come in",
        lambda x, y, bits: {"z": x % 2**bits >> max(0, y)},
    ),
    Case(
        "shifts.asm", "shift_right_signed x y z", "z = the same, but the sign of x comes in",
        lambda x, y, _: {"z": x >> max(0, y)},
    ),
    Case("logic.asm", "and x y z", "z = x and y, bit by bit", lambda x, y, _: {"z": x & y}),
    Case("logic.asm", "or x y z", "z = x or y", lambda x, y, _: {"z": x | y}),
    Case("logic.asm", "xor x y z", "z = x exclusive-or y", lambda x, y, _: {"z": x ^ y}),
    Case("logic.asm", "not x z", "z = not x", lambda x, y, _: {"z": ~x}),
    Case("pointers.asm", "load p z", "z = the word at the address in p",
         lambda x, y, _: {"z": x}),
    Case("pointers.asm", "store x q", "the word at the address in q = x",
         lambda x, y, _: {"z": x}),
    Case("pointers.asm", "get x ONE z", "z = word number ONE of the array at x",
         lambda x, y, _: {"z": y}),
    Case("pointers.asm", "put x y ONE", "word number ONE of the array at y = x",
         lambda x, y, _: {"z": x}),
    Case("calls.asm", "push x; pop z", "the same as move x z", lambda x, y, _: {"z": x}),
    Case("calls.asm", "call routine", "go to routine, which returns", lambda x, y, _: TAKEN,
         after=2),
]  # fmt: skip


def every_number() -> Iterable[tuple[int, bytes]]:
    return [(x, b"") for x in range(-128, 128)]


def every_numeral() -> Iterable[tuple[int, bytes]]:
    return [(0, b"%d\n" % x) for x in range(-128, 128)]


TEXT_CASES = [
    TextCase("strings.asm", "print_character x", "print the character in x", every_number,
             "one character"),
    TextCase("strings.asm", "print_literal 'x'", "print the character x",
             lambda: [(0, b"")], "one character"),
    TextCase("strings.asm", "read_character z", "z = the next byte of input, or -1",
             lambda: [(0, b"a"), (0, b"")], "one character"),
    TextCase("strings.asm", "print_string text", "print the string at text",
             lambda: [(0, b"")], "10 characters"),
    TextCase("strings.asm", "print_string_at r", "print the string at the address in r",
             lambda: [(0, b"")], "10 characters"),
    TextCase("strings.asm", "read_line buffer 11 z", "read a line; z = its length, or -1",
             lambda: [(0, b"0123456789\n")], "10 characters"),
    TextCase("decimal.asm", "print_decimal x", "print x in decimal", every_number,
             "-128 to 127"),
    TextCase("decimal.asm", "read_decimal z w",
             "z = the number read, w = the character after it", every_numeral, "-128 to 127"),
]  # fmt: skip

FILES = sorted(path.name for path in LIBRARY.glob("*.asm"))
TEXT = "0123456789"


def source(file: str, use: str) -> str:
    """The program with a use; it begins at the label `begin`, and its last step ends it."""
    return f"""
.include "{file}"
begin:  {use}
        Z Z (-1)
yes:    ONE z (-1)
{"routine: decrement z; return" if file == "calls.asm" else ""}
x: . 0
y: . 0
z: . 0
w: . 0
p: . x
q: . z
r: . text
text: . "{TEXT}\\0"
buffer: . 0 0 0 0 0 0 0 0 0 0 0 12345
STACK:
"""


def assembled(file: str, use: str, old: str = "", new: str = "", nth: int = 0) -> Program:
    """The program with a use; in the library's file, the `nth` place of a text may be changed."""

    def read(path: Path) -> str:
        text = read_source(path)
        if old and path.name == file:
            parts = text.split(old)
            text = old.join(parts[: nth + 1]) + new + old.join(parts[nth + 1 :])
        return text

    return assemble(source(file, use), read=read)


def renamed(use: str, names: Mapping[str, str]) -> str:
    """A use with other words."""
    return " ".join(names.get(each, each) for each in use.split())


class Swept(NamedTuple):
    """What x, y, z, w become for each pair of x and y, and the steps up to the halt; the number of
    pairs before the first for which there was none; and the memory at the end.
    """

    found: Words
    steps: Words
    done: int
    mem: Words


def run_rows(program: Program, bits: int, pairs: Words) -> Swept:
    """Run a use on every pair, one after another on the same memory."""
    words = 1 << min(bits, 11)
    mem = signed([*program.numbers, *[0] * (words - len(program.numbers))], bits)
    places = np.array([program.symbols[name] for name in "xyzw"])
    rows = np.empty((len(pairs), 4), np.int64)
    rows[:, :2], rows[:, 2:] = pairs, (Z, W)
    found, steps = rows.copy(), np.zeros(len(rows), np.int64)
    done = sweep(mem, bits, program.symbols["begin"], LIMIT, places, rows, found, steps)
    return Swept(found, steps, done, mem)


def first_difference(
    case: Case,
    bits: int,
    pairs: Words,
    program: Program | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """The first pair for which a use does not do what it should; empty if there is none.

    The program may be another one, and x, y, z, w in the use may stand for others of these words.
    """
    names = names or {}
    program = program or assembled(case.file, renamed(case.use, names))
    found, _, done, mem = run_rows(program, bits, pairs)
    if done < len(pairs):
        return f"{case.use}: no halt for x, y = {tuple(map(int, pairs[done]))}"
    kept = tuple(int(mem[program.symbols[name]]) for name in KEPT)
    if kept != tuple(KEPT.values()):
        return f"{case.use}: {', '.join(KEPT)} are {kept} and should be {tuple(KEPT.values())}"
    expected = np.empty((len(pairs), 4), np.int64)
    expected[:, :2], expected[:, 2:] = pairs, (Z, W)
    half = 1 << (bits - 1)
    for row, (x, y) in zip(expected, pairs.tolist(), strict=True):
        now = {"x": x, "y": y}
        given = case.gives(now[names.get("x", "x")], now[names.get("y", "y")], bits)
        for name, word in given.items():
            row["xyzw".index(names.get(name, name))] = (word + half) % (2 * half) - half
    wrong = np.flatnonzero((found != expected).any(axis=1))
    if not len(wrong):
        return ""
    at = wrong[0]
    return (
        f"{case.use}: for x, y = {tuple(map(int, pairs[at]))}, x, y, z, w are "
        f"{tuple(map(int, found[at]))} and should be {tuple(map(int, expected[at]))}"
    )


@cache
def small_pairs() -> Words:
    """All pairs of 8-bit numbers."""
    return np.array([(x, y) for x in range(-128, 128) for y in range(-128, 128)])


@cache
def edge_pairs(bits: int) -> Words:
    """All pairs of numbers near 0, near powers of two, and near the least and greatest words."""
    half = 1 << (bits - 1)
    near = [
        each + d for each in (0, half // 2, -half // 2, half, bits, 100) for d in (-2, -1, 0, 1)
    ]
    kept = sorted({(each + half) % (2 * half) - half for each in near})
    return np.array([(x, y) for x in kept for y in kept])


def random_pairs(bits: int, count: int, seed: int) -> Words:
    """Random pairs, of all sizes: every number of bits is as likely as another."""
    rng = np.random.default_rng(seed)
    half = 1 << (bits - 1)
    words = rng.integers(-half, half - 1, (count, 2), endpoint=True)
    return np.asarray(words >> rng.integers(0, bits, (count, 2)), dtype=np.int64)


def costs(case: Case) -> Words:
    """The steps of a use for all pairs of 8-bit numbers, with words of 16 bits."""
    return _steps(case, small_pairs())


def large_costs(case: Case) -> Words:
    """The same for 20,000 pairs of words of all sizes, and for those at the edges."""
    return _steps(case, np.concatenate([random_pairs(16, 20_000, seed=1), edge_pairs(16)]))


def _steps(case: Case, pairs: Words) -> Words:
    swept = run_rows(assembled(case.file, case.use), 16, pairs)
    assert swept.done == len(swept.steps)
    return swept.steps - case.after


def text_costs(case: TextCase) -> Words:
    """The steps of a use on its inputs, with words of 16 bits."""
    program = assembled(case.file, case.use)
    shape = Shape(16, 1024)
    steps = []
    for x, given in case.inputs():
        image = list(program.numbers)
        image[program.symbols["x"]] = x
        steps.append(run_image(shape, image, given, program.symbols["begin"]).steps - 1)
    return np.array(steps)


def cells(case: Case | TextCase) -> int:
    """The cells that a use takes."""
    used = len(assembled(case.file, case.use).numbers)
    return used - len(assembled(case.file, "").numbers)


def file_cells(file: str) -> int:
    """The cells that including a file takes, with what it includes."""
    return len(assemble(f'.include "{file}"\n. 0\nSTACK:').numbers) - 1
