"""What the programs of examples/programs do: for each its shape, inputs, and the same in Python."""

import ast
import itertools
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from verified_mlp.assembler.assemble import Program, assemble
from verified_mlp.assembler.sources import read_source

PROGRAMS = Path(__file__).parent.parent / "examples" / "programs"
MAX_STEPS = 20_000_000
"""No program of the gallery takes more steps than this on any of its inputs."""


@dataclass(frozen=True)
class Case:
    """A program, its shape, and what it prints; the first input is the one of the gallery."""

    name: str
    """That of its source in examples/programs, without `.asm`."""
    bits: int
    words: int
    inputs: tuple[bytes, ...]
    reference: Callable[[bytes], bytes]
    """What the program must print on an input."""
    shows: str
    """What the program does and shows, for the gallery: a phrase, without a full stop."""

    @property
    def path(self) -> Path:
        return PROGRAMS / f"{self.name}.asm"


@dataclass(frozen=True)
class Fault:
    """A fault to be planted in a program: a text that stands in it once, and what is put there."""

    name: str
    old: str
    new: str


@cache
def program(case: Case, fault: Fault | None = None) -> Program:
    """The program of a case, assembled for its shape, as it is or with a fault planted."""
    text = read_source(case.path)
    if fault:
        assert text.count(fault.old) == 1, fault
        text = text.replace(fault.old, fault.new)
    return assemble(text, str(case.path), case.bits, case.words)


def all_cases() -> tuple[Case, ...]:
    """The cases of this table, and those of the programs that compute with fractions."""
    return (*CASES, *_others("CASES"))


def all_faults() -> tuple[Fault, ...]:
    """The faults of all tables."""
    return (*FAULTS, *_others("FAULTS"))


def _others(table: str) -> tuple[Any, ...]:
    if not find_spec("example_cases_numeric"):
        return ()
    return getattr(import_module("example_cases_numeric"), table, ())


def numbers(given: bytes) -> list[int]:
    return [int(word) for word in given.split()]


def counted(values: Sequence[int], *more: int) -> bytes:
    """How many values there are, they, and more numbers."""
    return " ".join(map(str, [len(values), *values, *more])).encode() + b"\n"


def lines(values: Sequence[int]) -> bytes:
    return b"".join(b"%d\n" % value for value in values)


def some(count: int, low: int = -32768, high: int = 32767) -> list[int]:
    """Random numbers, the same in every run."""
    return random.Random(count).choices(range(low, high + 1), k=count)


# The same in Python.


def gcd(given: bytes) -> bytes:
    return lines([math.gcd(*numbers(given))])


def factorial(given: bytes) -> bytes:
    return lines([math.factorial(*numbers(given))])


def fibonacci(given: bytes) -> bytes:
    pairs = itertools.accumulate(range(int(given)), lambda pair, _: (pair[1], sum(pair)),
                                 initial=(0, 1))  # fmt: skip
    return lines([x for x, _ in pairs])


def in_order(given: bytes) -> bytes:
    return lines(sorted(numbers(given)[1:]))


def search(given: bytes) -> bytes:
    *values, sought = numbers(given)[1:]
    return lines([values.index(sought) if sought in values else -1])


def backwards(given: bytes) -> bytes:
    return lines(numbers(given)[:0:-1])


def primes(given: bytes) -> bytes:
    return lines([n for n in range(2, int(given) + 1) if all(n % k for k in range(2, n))])


def queens(given: bytes) -> bytes:
    n = int(given)
    ways = [
        way
        for way in itertools.permutations(range(n))
        if len({row + way[row] for row in range(n)}) == n
        and len({row - way[row] for row in range(n)}) == n
    ]
    board = ["." * column + "Q" + "." * (n - 1 - column) for way in ways[:1] for column in way]
    return "".join(f"{line}\n" for line in [len(ways), *board]).encode()


def calculator(given: bytes) -> bytes:
    rows = given.decode("latin-1").split("\n")
    return "".join(f"{_answer(row)}\n" for row in rows if row.strip(" \t\r")).encode()


def _answer(row: str) -> str:
    if re.search(r"[^-+*/%() \t\r0-9]|\*\s*\*|/\s*/|\d\s+\d", row):  # what Python takes otherwise
        return "not an expression"
    row = re.sub(r"\b0+(?=\d)", "", row.translate({9: " ", 13: " "}).strip())
    try:
        tree = ast.parse(row, mode="eval").body
    except SyntaxError:
        return "not an expression"
    if not all(isinstance(node, EXPRESSION) for node in ast.walk(tree)):
        return "not an expression"
    try:
        return str(_value(tree))
    except ZeroDivisionError:
        return "division by zero"


def _value(node: ast.expr) -> int:
    """The value of an expression, in 32 bits at every step."""
    match node:
        case ast.UnaryOp(operand=operand):
            return _wrapped(-_value(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return _wrapped(OPERATIONS[type(op)](_value(left), _value(right)))
    return _wrapped(ast.literal_eval(node))


def _wrapped(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def _quotient(x: int, y: int) -> int:
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: _quotient,
    ast.Mod: lambda x, y: x - _quotient(x, y) * y,
}
EXPRESSION = (ast.Constant, ast.UnaryOp, ast.USub, ast.BinOp, *OPERATIONS)


def life(given: bytes) -> bytes:
    head, _, rest = given.partition(b"\n")
    height, width, generations = numbers(head)
    cells = rest.replace(b"\n", b"").ljust(height * width)[: height * width]
    board = np.frombuffer(cells, np.uint8).reshape(height, width) == ord("#")
    printed = []
    for _ in range(generations):
        living = sum(
            np.roll(board, (down, right), (0, 1)).astype(int)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        )
        board = (living == 3) | board & (living == 4)  # the cell itself is counted
        printed += ["".join("#" if cell else "." for cell in row) + "\n" for row in board] + ["\n"]
    return "".join(printed).encode()


def soup(height: int, width: int, generations: int) -> bytes:
    """A random board."""
    rows = ["".join(random.Random(row).choices(".#", k=width)) for row in range(height)]
    return "\n".join([f"{height} {width} {generations}", *rows, ""]).encode()


GLIDER = b"8 8 32\n.#......\n..#.....\n###.....\n" + b"........\n" * 5

EXPRESSIONS = b"""\
1 + 2 * 3
(1 + 2) * 3
-7 / 2
-7 % 2
7 % -2
10 - 4 - 3
2 * (3 + 4 * (5 - 6)) / -(1 - 3)
--5
1 / 0
(1 + 2
65536 * 32768
"""

ODD_EXPRESSIONS = b"""\

1 2
()
+1
2 ** 3
 \t007\r
1 / (2 - 2) +
1 / 0 / 0 + (1 % 0)
2147483647 + 1
-2147483648 / -1
-2147483648 % -1
99999999999
3 (4)
)
a
2(
1 +
*1
\x00
\xff
((((((((((7))))))))))
5 * -3"""

SORTABLE = (
    counted(some(50)),
    b"0",
    b"1 -3",
    b"2 2 1",
    b"3 20 -5 7",
    counted([32767, -32768, 0, -1, 32767, -32768]),
    counted(some(300, -3, 3)),
    counted([7] * 40),
)

CASES = (
    Case(
        "gcd",
        16,
        2048,
        (b"1071 462\n", b"0 0", b"0 -7", b"32767 -32766", b"-12 18", b"5 0\n", b"6765 4181"),
        gcd,
        "greatest common divisor, by Euclid's algorithm",
    ),
    Case(
        "factorial",
        64,
        2048,
        (b"20\n", *(b"%d" % n for n in range(20))),
        factorial,
        "factorial, by a subroutine that calls itself",
    ),
    Case(
        "fibonacci",
        32,
        1024,
        (b"46\n", *(b"%d" % n for n in range(46))),
        fibonacci,
        "Fibonacci numbers, each printed as it comes",
    ),
    Case(
        "bubble_sort",
        16,
        2048,
        (*SORTABLE, counted(range(500)), counted(range(500, 0, -1))),
        in_order,
        "bubble sort of an array",
    ),
    Case(
        "linear_search",
        16,
        2048,
        (
            counted(some(100), some(100)[70]),
            b"0 5",
            b"1 5 5",
            b"1 5 4",
            b"4 20 -5 7 -5 -5",
            counted([32767, -32768], -32768),
            counted(some(500), some(500)[-1]),
            counted(some(500, 0, 9), 10),
        ),
        search,
        "search in an array, one number after the other",
    ),
    Case(
        "binary_search",
        16,
        2048,
        (
            counted(sorted(some(100)), some(100)[70]),
            b"0 5",
            b"1 5 5",
            b"1 5 4",
            b"1 5 6",
            b"2 -5 -3 0",
            b"4 -5 7 7 20 7",
            counted([-32768, 32767], 32767),
            counted([-32768, 32767], -32767),
            *(counted(range(0, 20, 2), sought) for sought in range(-1, 21)),
            counted(sorted(some(500, 0, 9)), 9),
        ),
        search,
        "search in an array that is in order, by halving",
    ),
    Case(
        "reverse_list",
        16,
        2048,
        (*SORTABLE, counted(range(400))),
        backwards,
        "reversal of a linked list in place",
    ),
    Case(
        "sieve",
        16,
        4096,
        (b"1000\n", b"2000", *(b"%d" % n for n in range(60))),
        primes,
        "prime numbers, by the sieve of Eratosthenes",
    ),
    Case(
        "quicksort",
        16,
        4096,
        (*SORTABLE, counted(range(400)), counted(range(400, 0, -1)), counted(some(400))),
        in_order,
        "quicksort of an array, by a subroutine that calls itself",
    ),
    Case(
        "queens",
        16,
        2048,
        (b"8\n", *(b"%d" % n for n in range(1, 8)), b"9"),
        queens,
        "8 queens: all solutions counted, and the first one",
    ),
    Case(
        "calculator",
        32,
        4096,
        (
            EXPRESSIONS,
            b"",
            b"\n \n",
            b"7",
            ODD_EXPRESSIONS,
            b"(" * 100 + b"1" + b"+1)" * 100,
            b"-" * 400 + b"9",
        ),
        calculator,
        "calculator, by recursive descent: `+ - * / %`, parentheses, negative numbers",
    ),
    Case(
        "life",
        16,
        4096,
        (
            GLIDER,
            b"1 1 3\n#\n",
            b"3 4 0\n#",
            b"1 5 2\n###..\n",
            b"5 1 2\n#\n#\n#\n",
            b"2 2 2\n##\n#.\n",
            b"4 6 3\n.##",
            b"4 4 5\n\n####\n#xx#\n\n#\0\xff#\n####",
            soup(20, 20, 20),
            soup(5, 80, 10),
        ),
        life,
        "Conway's Game of Life on a torus: a glider on 8 x 8 cells, 32 generations",
    ),
)

FAULTS = (
    Fault("gcd", "swap x y", "move y x"),
    Fault("gcd", "negate x", "clear x"),
    Fault("factorial", "push n", "push m"),
    Fault("factorial", "set n 1", "set n 2"),
    Fault("fibonacci", "plus x y z", "minus x y z"),
    Fault("fibonacci", "jump_if_not_negative n next", "jump_if_positive n next"),
    Fault("bubble_sort", "jump_if_less_or_equal x y keep", "jump_if_greater_or_equal x y keep"),
    Fault("bubble_sort", "jump_if_less i last step", ""),
    Fault("bubble_sort", "set changed 1", ""),
    Fault("linear_search", "set i (-1)", ""),
    Fault("linear_search", "jump_if_equal x sought show", "jump_if_less_or_equal x sought show"),
    Fault("binary_search", "jump_if_less x sought", "jump_if_less_or_equal x sought"),
    Fault("binary_search", "plus i ONE low", "move i low"),
    Fault("binary_search", "jump_if_equal low n none", ""),
    Fault("reverse_list", "store before link", ""),
    Fault("reverse_list", "store free link", ""),
    Fault("sieve", "add i j", "double j"),
    Fault("sieve", "put ONE struck j", "put ONE struck+1 j"),
    Fault("quicksort", "pop place\n        pop high", "pop high\n        pop place"),
    Fault("quicksort", "put pivot array place", ""),
    Fault("quicksort", "plus place ONE low", ""),
    Fault("queens", "put Z rising up", ""),
    Fault("queens", "get falling+8 down", "get rising down"),
    Fault("queens", "jump_if_greater count ONE back", ""),
    Fault("calculator", "minus left value value", "minus value left value"),
    Fault("calculator", "negate value", ""),
    Fault("calculator", "jump_if_not_equal c closing mistake", ""),
    Fault("calculator", "remainder left", "divide left"),
    Fault("calculator", "call skip", ""),
    Fault("life", "count_cell below right", ""),
    Fault("life", "move width middle\n        print", "print"),
    Fault("life", "clear below", "move this below"),
    Fault("life", "jump_if_equal living two set_cell", ""),
)
