"""What the interpreters and the numeric programs of examples/programs do, in the same form.

The programs with fractions compute in fixed point.  Their references are exact integer models, so
that every bit has to be right; `test_programs_numeric.py` holds the models to NumPy.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from example_cases import Case, Fault, some

from verified_mlp.assembler.assemble import assemble
from verified_mlp.assembler.sources import read_source
from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape

EXAMPLES = Path(__file__).parent.parent / "examples"
BF_CELLS, BF_COMMANDS = 500, 900
GUEST_WORDS = 2800

# Interpreters


def brainfuck(given: bytes) -> bytes:
    text, _, rest = given.partition(b"!")
    code = [byte for byte in text if byte in b"><+-.,[]"]
    other: dict[int, int] = {}
    opened: list[int] = []
    for i, command in enumerate(code):
        if i == BF_COMMANDS:
            return b"too many commands\n"
        if command == ord("["):
            opened.append(i)
        if command == ord("]"):
            if not opened:
                return b"brackets do not match\n"
            other[i] = opened.pop()
            other[other[i]] = i
    if opened:
        return b"brackets do not match\n"
    tape, at, i, read, printed = [0] * BF_CELLS, 0, 0, 0, bytearray()
    while i < len(code):
        match chr(code[i]):
            case ">":
                at = (at + 1) % BF_CELLS
            case "<":
                at = (at - 1) % BF_CELLS
            case "+":
                tape[at] = (tape[at] + 1) % 256
            case "-":
                tape[at] = (tape[at] - 1) % 256
            case ".":
                printed.append(tape[at])
            case ",":
                tape[at] = rest[read] if read < len(rest) else 0
                read += 1
            case "[" if not tape[at]:
                i = other[i]
            case "]" if tape[at]:
                i = other[i]
        i += 1
    return bytes(printed)


def subleq(given: bytes) -> bytes:
    text, _, rest = given.partition(b"!")
    numbers = [int(word) for word in text.split()]
    if len(numbers) > GUEST_WORDS:
        return b"too many words\n"
    mem = [_wrapped16(number) for number in numbers]
    mem += [0] * (GUEST_WORDS - len(mem))
    pc, read, printed = 0, 0, bytearray()
    while pc >= 0:
        if pc > GUEST_WORDS - 3:
            return bytes(printed) + b"fault\n"
        a, b, c = mem[pc : pc + 3]
        if a == -1 and 0 <= b < GUEST_WORDS:
            mem[b] = rest[read] if read < len(rest) else -1
            read += 1
            pc += 3
        elif b == -1 and 0 <= a < GUEST_WORDS:
            printed.append(mem[a] % 256)
            pc += 3
        elif not (0 <= a < GUEST_WORDS and 0 <= b < GUEST_WORDS):
            return bytes(printed) + b"fault\n"
        else:
            mem[b] = _wrapped16(mem[b] - mem[a])
            pc = c if mem[b] <= 0 else pc + 3
    return bytes(printed)


def _wrapped16(value: int) -> int:
    return (value + 2**15) % 2**16 - 2**15


def guest(numbers: Sequence[int], given: bytes = b"") -> bytes:
    """A program and its input as input of the interpreter."""
    signed = [_wrapped16(number) for number in numbers]
    return " ".join(map(str, signed)).encode() + b"!" + given


@cache
def example(name: str) -> tuple[int, ...]:
    """The words of an image or a source of examples/, as far as the last one that is not 0."""
    if name.endswith(".sq"):
        words = list(read_image(EXAMPLES / name, Shape(16, 256)))
    else:
        path = EXAMPLES / name
        words = list(assemble(read_source(path), str(path), 16, 4096).numbers)
    while not words[-1]:
        words.pop()
    return tuple(_wrapped16(word) for word in words)


# Matrices of integers


def rows(matrix: Sequence[Sequence[int]]) -> bytes:
    return "".join(" ".join(map(str, row)) + "\n" for row in matrix).encode()


def transpose(given: bytes) -> bytes:
    height, width, *values = map(int, given.split())
    return rows(np.array(values).reshape(height, width).T.tolist())


def matrix_product(given: bytes) -> bytes:
    n, m, k, *values = map(int, given.split())
    left = np.array(values[: n * m], np.int32).reshape(n, m)
    right = np.array(values[n * m :], np.int32).reshape(m, k)
    return rows((left @ right).tolist())


def sized(*sizes: int, values: Sequence[int]) -> bytes:
    return " ".join(map(str, [*sizes, *values])).encode()


# Fixed point: a word stands for itself / 65536


def _wrapped(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def fixed_multiply(x: int, y: int) -> int:
    """The product, rounded to the nearest; half a step is rounded up."""
    return _wrapped((x * y + 32768) >> 16)


def fixed_divide(x: int, y: int) -> int:
    """The quotient, rounded to the nearest; half a step is rounded away from 0."""
    if y == 0:
        return 0
    size = (abs(x) * 2 * 65536 + abs(y)) // (2 * abs(y))
    return _wrapped(size if (x < 0) == (y < 0) else -size)


def fixed_read(text: str) -> int:
    """A number in decimal; four digits after the point count."""
    whole, _, fraction = text.removeprefix("-").partition(".")
    part = (int(fraction[:4].ljust(4, "0")) * 65536 + 5000) // 10000
    size = int(whole or "0") * 65536 + part
    return _wrapped(-size if text.startswith("-") else size)


def fixed_text(word: int) -> str:
    """A word in decimal, with five digits after the point."""
    whole, part = divmod(abs(word), 65536)
    return f"{'-' if word < 0 else ''}{whole}.{(part * 3125 + 1024) // 2048:05d}"


def fixed_rows(matrix: Sequence[Sequence[int]]) -> bytes:
    return "".join(" ".join(map(fixed_text, row)) + "\n" for row in matrix).encode()


def matrix_inverse(given: bytes) -> bytes:
    words = [fixed_read(word) for word in given.decode().split()]
    a = [[*words[3 * i : 3 * i + 3], *(65536 * (i == j) for j in range(3))] for i in range(3)]
    for column in range(3):
        pivot = max(range(column, 3), key=lambda i: abs(a[i][column]))
        a[column], a[pivot] = a[pivot], a[column]
        head = a[column][column]
        if not head:
            return b"no inverse\n"
        a[column] = [fixed_divide(x, head) for x in a[column]]
        for i in {0, 1, 2} - {column}:
            factor = a[i][column]
            a[i] = [
                _wrapped(x - fixed_multiply(factor, y))
                for x, y in zip(a[i], a[column], strict=True)
            ]
    return fixed_rows([row[3:] for row in a])


def _dot(x: Sequence[int], y: Sequence[int]) -> int:
    return _wrapped(sum(fixed_multiply(a, b) for a, b in zip(x, y, strict=True)))


def power_iteration(given: bytes) -> bytes:
    rounds, *words = given.decode().split()
    a = [[fixed_read(word) for word in words[3 * i : 3 * i + 3]] for i in range(3)]
    v = [65536] * 3
    for _ in range(int(rounds)):
        v = [_dot(row, v) for row in a]
        largest = max(v, key=abs)
        v = [fixed_divide(x, largest) for x in v]
    value = fixed_divide(_dot(v, [_dot(row, v) for row in a]), _dot(v, v))
    return fixed_rows([[value], v])


def regression(given: bytes) -> bytes:
    first, second, third, *words = given.decode().split()
    rounds, rate, n = int(first), fixed_read(second), int(third)
    points = [fixed_read(word) for word in words]
    slope = offset = 0
    for _ in range(rounds):
        to_slope = to_offset = 0
        for x, y in zip(points[::2], points[1::2], strict=True):
            error = _wrapped(fixed_multiply(slope, x) + offset - y)
            to_slope = _wrapped(to_slope + fixed_multiply(error, x))
            to_offset = _wrapped(to_offset + error)
        slope = _wrapped(slope - fixed_multiply(fixed_divide(to_slope, n * 65536), rate))
        offset = _wrapped(offset - fixed_multiply(fixed_divide(to_offset, n * 65536), rate))
    return fixed_rows([[slope, offset]])


XOR_START = (
    ("0.5", "-0.4", "0.3"),
    ("-0.3", "0.6", "0.4"),
    ("0.1", "0.1", "0.1"),
    ("0.6", "0.5", "-0.4"),
)
"""The weights at first, for each unit: of the two inputs, of 1, and of the unit in the output."""
XOR_RATE = "0.25"
XOR_DATA = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))


def xor(given: bytes) -> bytes:
    of_first, of_second, of_one, of_output = ([fixed_read(w) for w in row] for row in XOR_START)
    rate, bias = fixed_read(XOR_RATE), 0

    def forward(first: int, second: int) -> tuple[list[int], int]:
        hidden = [
            max(0, one + first * a + second * b)
            for a, b, one in zip(of_first, of_second, of_one, strict=True)
        ]
        return hidden, _wrapped(bias + _dot(of_output, hidden))

    for _ in range(int(given)):
        for first, second, wanted in XOR_DATA:
            hidden, output = forward(first, second)
            change = fixed_multiply(_wrapped(output - 65536 * wanted), rate)
            bias -= change
            for i in range(3):
                if hidden[i]:
                    back = fixed_multiply(change, of_output[i])
                    of_output[i] -= fixed_multiply(change, hidden[i])
                    of_one[i] -= back
                    of_first[i] -= back * first
                    of_second[i] -= back * second
    return "".join(
        f"{first} {second} {fixed_text(forward(first, second)[1])}\n"
        for first, second, _ in XOR_DATA
    ).encode()


def matrices(count: int) -> list[bytes]:
    """Random matrices with numbers from -10 to 10 that are far from having no inverse."""
    generator = np.random.default_rng(3)
    found: list[bytes] = []
    while len(found) < count:
        matrix = generator.uniform(-10, 10, (3, 3)).round(4)
        if np.linalg.cond(matrix) <= 20:
            found.append(_in_decimal(matrix))
    return found


def symmetric_matrices(count: int) -> list[bytes]:
    """Random symmetric matrices with numbers from -5 to 5 and one large eigenvalue; 40 rounds."""
    generator = np.random.default_rng(4)
    found: list[bytes] = []
    while len(found) < count:
        half = generator.uniform(-5, 5, (3, 3)).round(4)
        matrix = np.triu(half) + np.triu(half, 1).T
        sizes = np.sort(np.abs(np.linalg.eigvalsh(matrix)))
        if sizes[1] <= 0.7 * sizes[2]:
            found.append(b"40 " + _in_decimal(matrix))
    return found


def points(count: int, seed: int = 0) -> bytes:
    """Random points near a line with x from -2 to 2, for 500 steps at the rate 0.25."""
    generator = np.random.default_rng([count, seed])
    slope, offset = generator.uniform(-3, 3, 2)
    x = np.append(generator.uniform(-2, 2, count - 2), [-1.0, 1.5])
    y = slope * x + offset + generator.normal(0, 0.3, count)
    return b"500 0.25 %d " % count + _in_decimal(np.stack([x, y], axis=1))


def _in_decimal(values: np.ndarray[Any, np.dtype[np.float64]]) -> bytes:
    return " ".join(f"{value:.4f}" for value in values.ravel()).encode()


HELLO_WORLD = (
    b"++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<.+++."
    b"------.--------.>>+.>++.!"
)
MULTIPLY_DIGITS = b"""\
the product of two digits if it has one digit
,>,>++++++++[<------<------>>-]<<[>[>+>+<<-]>>[<<+>>-]<<<-]
>>>++++++[<++++++++>-]<.!"""

CASES: tuple[Case, ...] = (
    Case(
        "brainfuck",
        16,
        4096,
        (
            HELLO_WORLD,
            b",[.,]!echo \xff\x01\x80",
            b">,[>,]<[.<]!backwards",
            MULTIPLY_DIGITS + b"24",
            b"-.+.<.-.>>.!",
            b"+" + b">" * 500 + b".<.",  # around the ring
            b"[-][[]].!",
            b"+[[-]+[-]]+.",
            b"[[]",
            b"]",
            b"",
            b"!",
            b"no commands at all!",
            b"+" * 899 + b".",
            b"+" * 900 + b".",
            b"[" * 450 + b"]" * 450 + b"!",
            b"+[-[<<[+[--->]-[<<<]]]>>>-]>-.---.>..>.<<<<-.<+.>>>>>.>.<<.<-.!",
        ),
        brainfuck,
        "Brainfuck interpreter, here for a program that prints a line",
    ),
    Case(
        "subleq",
        16,
        4096,
        (
            guest(example("hello.sq")),
            guest(example("count_down.sq"), b"5"),
            guest(example("echo.sq"), b"some bytes: \xff\x00."),
            guest(example("array_walk.sq")),
            guest(example("programs/gcd.asm"), b"1071 462"),
            guest(example("programs/subleq.asm"), guest(example("hello.sq"))),
            b"-1 9 3  9 -1 6  9 9 -1  0!A",
            b"-1 9 3  9 -1 6  9 9 -1  0!",
            b"0 0 -1 !",  # a word more, which is 0
            b"0 0 -1",
            b"0 0 2797 " + b"0 " * 2794 + b"0 0 -1!",
            b"0 0 2798!",
            b"-1 -1 0!",
            b"-2 0 0!",
            b"0 -2 0!",
            b"2800 0 0!",
            b"0 2800 0!",
            b"-1 2800 0!",
            b"-1 -2 0!",
            b"2800 -1 0!",
            b"9 10 3  9 -1 6  0 0 -1  66 0!",
            b"12 13 6  0 0 -1  14 -1 9  0 0 -1  -32768 1 65!",  # 1 - (-32768) is below 0, too
            b"0 0 -1" + b" 0" * 2797 + b"!",
            b"0 0 -1" + b" 0" * 2798 + b"!",
        ),
        subleq,
        "SUBLEQ interpreter, here for `hello.sq`",
    ),
    Case(
        "transpose",
        16,
        2048,
        (
            b"3 4  1 2 3 4  5 6 7 8  9 10 11 12\n",
            b"1 1 -5",
            sized(1, 7, values=some(7)),
            sized(7, 1, values=some(7)),
            sized(20, 20, values=some(400)),
            sized(2, 2, values=[32767, -32768, 0, -1]),
        ),
        transpose,
        "transposed matrix, 3 x 4",
    ),
    Case(
        "matrix_product",
        32,
        4096,
        (
            sized(4, 4, 4, values=some(32, -99, 99)),
            b"1 1 1 -7 6",
            sized(2, 3, 4, values=some(18, -999, 999)),
            sized(5, 1, 3, values=some(8)),
            sized(1, 9, 1, values=some(18)),
            sized(2, 2, 2, values=[2**31 - 1, -(2**31), 5, -(2**31), -1, 2**31 - 1, -(2**31), -1]),
            sized(10, 20, 15, values=some(500)),
        ),
        matrix_product,
        "product of two matrices of integers, 4 x 4",
    ),
    Case(
        "matrix_inverse",
        32,
        4096,
        (
            b"4 -2 1  -2 5 1.5  1 1.5 3\n",
            b"2 -1 0 -1 2 -1 0 -1 2",
            b"0 0 1  0 1 0  1 0 0",
            b"0 2 0  0 0 -4  0.5 0 0",
            b"1 2 3  4 5 6  7 8 9",
            b"0 0 0 0 0 0 0 0 0",
            b"1 2 3 2 4 6 0 0 1",
            b"1 1 1  1 1 2  1 2 1",
            b"100.25 -3 7.125  0.0625 -0.5 8  -9.75 3.3333 0.1",
            *matrices(20),
        ),
        matrix_inverse,
        "inverse of a 3 x 3 matrix in fixed point, by Gauss-Jordan elimination",
    ),
    Case(
        "power_iteration",
        32,
        4096,
        (
            b"40  2 -1 0  -1 2 -1  0 -1 2\n",
            b"1 1 0 0 0 1 0 0 0 1",
            b"5 0 0 0 0 0 0 0 0 0",
            b"30 -5 1 0.5 1 -3 0.25 0.5 0.25 2",
            b"20 1 1 -2 1 1 -2 -2 -2 4",  # the first vector goes to 0
            *symmetric_matrices(10),
        ),
        power_iteration,
        "largest eigenvalue of a symmetric 3 x 3 matrix in fixed point, by power iteration",
    ),
    Case(
        "regression",
        32,
        4096,
        (
            b"500 0.25  8  -1.5 -4  -1 -3.2  -0.5 -1.7  0 -1.1  0.5 0.2  1 1.1  1.5 1.8  2 3.4\n",
            b"0 1 1 1 1",
            b"1 0.5 1 3 -7.5",
            b"50 0.1 3 0 1 1 3.1 2 4.9",
            *(points(n) for n in (2, 5, 20)),
        ),
        regression,
        "linear regression in fixed point, by gradient descent",
    ),
    Case(
        "xor",
        32,
        4096,
        (b"100\n", *(b"%d" % rounds for rounds in (0, 1, 2, 10, 50, 200))),
        xor,
        "network of 2-3-1 units that learns exclusive or by backpropagation in fixed point",
    ),
)

FAULTS: tuple[Fault, ...] = (
    Fault("brainfuck", "move greatest x", "clear x"),
    Fault("brainfuck", "jump_if_less p size next", "jump next"),
    Fault("brainfuck", "jump_if_not_negative inner unmatched", ""),
    Fault("brainfuck", "get match-1 i i", "get match i i"),
    Fault("subleq", "add_number 3 pc", "add_number 2 pc"),
    Fault("subleq", "get memory+2 pc c", "get memory+1 pc c"),
    Fault("subleq", "jump_if_positive y step", "jump_if_not_negative y step"),
    Fault("subleq", "jump_if_greater_or_equal pc last fault", "jump_if_greater pc last fault"),
    Fault("transpose", "add columns i", "add rows i"),
    Fault("matrix_product", "add k j ", "increment j "),
    Fault("matrix_product", "add m first", "add k first"),
    Fault("matrix_inverse", "negate x", ""),
    Fault("matrix_inverse", "put x rows other\n", "\n"),
    Fault("matrix_inverse", "jump_if_equal other this same", ""),
    Fault("matrix_inverse", "jump_if_zero greatest singular", ""),
    Fault("power_iteration", "negate y", ""),
    Fault("power_iteration", "multiply_fixed x x x", "move size x"),
    Fault("power_iteration", "divide_fixed x greatest x", "divide_fixed x size x"),
    Fault("regression", "subtract y error", ""),
    Fault("regression", "divide_fixed to_offset n to_offset", ""),
    Fault("xor", "jump_if_zero h next ", "jump_if_negative h next "),
    Fault("xor", "jump_if_not_negative h active", "jump active"),
    Fault("xor", "subtract h w", "add h w"),
)
