"""Fixed point and the programs that use it: bit for bit as the models, and close to NumPy."""

import importlib
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType

import numpy as np
import pytest
from documents import ROOT
from example_cases import PROGRAMS, Fault, program
from example_cases_numeric import (
    CASES,
    GUEST_WORDS,
    brainfuck,
    fixed_divide,
    fixed_multiply,
    fixed_read,
    fixed_text,
    guest,
    sized,
    subleq,
    xor,
)
from fast_interpreter import HALTED, Words, run_image, signed, sweep
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.assembler.assemble import Program, assemble
from verified_mlp.machine.shape import Shape

SHAPE = Shape(32, 4096)
LEAST, GREATEST = -(2**31), 2**31 - 1
EDGES = [
    sign * size + near
    for size in (0, 1, 2**15, 2**16, 2**17, 2**30)
    for sign in (1, -1)
    for near in (-1, 0, 1)
] + [LEAST, LEAST + 1, GREATEST, GREATEST - 1]


@cache
def using(use: str, old: str = "", new: str = "") -> Program:
    """A program that uses fixed_point.asm on words x, y and z; `old` can be made `new` in it."""
    text = (PROGRAMS / "fixed_point.asm").read_text(encoding="utf-8")
    assert not old or text.count(old) == 1, old
    text = text.replace(old, new) if old else text
    text += f"\n        {use}\n        halt\nx: . 0\ny: . 0\nz: . 0\n"
    return assemble(text, str(PROGRAMS / "fixed_point.asm"), SHAPE.bits, SHAPE.words)


def pairs(count: int) -> Words:
    """Random words of all sizes, and those near the edges with each other."""
    generator = np.random.default_rng(1)
    words = generator.integers(LEAST, GREATEST, (count, 2), endpoint=True)
    words >>= generator.integers(0, 32, (count, 2))
    edges = np.array([(x, y) for x in EDGES for y in EDGES])
    return np.concatenate([words, edges])


def results(program: Program, rows: Words) -> list[int]:
    """z for each pair of x and y."""
    mem = signed([*program.numbers, *[0] * (SHAPE.words - len(program.numbers))], SHAPE.bits)
    places = np.array([program.symbols[name] for name in "xyz"])
    given = np.concatenate([rows, np.zeros((len(rows), 1), np.int64)], axis=1)
    found = np.zeros_like(given)
    steps = np.zeros(len(rows), np.int64)
    assert sweep(mem, SHAPE.bits, 0, 10**5, places, given, found, steps) == len(rows)
    assert (found[:, :2] == rows).all()
    return [int(z) for z in found[:, 2]]


def differences(program: Program, model: Callable[[int, int], int], rows: Words) -> int:
    """For how many pairs the result is not that of the model."""
    found = results(program, rows)
    return sum(z != model(x, y) for z, (x, y) in zip(found, rows.tolist(), strict=True))


# Fixed point

ROWS = pairs(20_000)
DIVISIBLE = ROWS[ROWS[:, 1] != LEAST]


def test_multiply_fixed() -> None:
    assert differences(using("multiply_fixed x y z"), fixed_multiply, ROWS) == 0


def test_divide_fixed() -> None:
    assert differences(using("divide_fixed x y z"), fixed_divide, DIVISIBLE) == 0


@pytest.mark.parametrize(
    ("use", "x"),
    [("multiply_fixed x y x", "x"), ("multiply_fixed x x z", "z"), ("multiply_fixed x y y", "y")],
)
def test_a_word_may_be_argument_and_result(use: str, x: str) -> None:
    program = using(use)
    for a, b in [(100_000, -70_000), (-3, 5), (LEAST, LEAST)]:
        image = list(program.numbers)
        image[program.symbols["x"]], image[program.symbols["y"]] = a, b
        ran = run_image(SHAPE, image)
        expected = fixed_multiply(a, a if x == "z" else b)
        assert int(ran.mem[program.symbols[x]]) == expected


@pytest.mark.parametrize(
    ("use", "old", "new"),
    [
        ("multiply", "        subtract _fixed_high _fixed_r\n", ""),
        ("multiply", "_fixed_f _fixed_again\n", "_fixed_f _fixed_next\n"),
        ("multiply", "jump_if_positive _fixed_f _fixed_done", "jump _fixed_done"),
        ("multiply", "jump_if_not_negative _fixed_f", "jump_if_positive _fixed_f"),
        ("divide", "set _fixed_n 16\n_fixed_more:", "set _fixed_n 15\n_fixed_more:"),
        ("divide", "negate _fixed_v", ""),
        ("divide", "_fixed_v _fixed_less", "_fixed_r _fixed_less"),
    ],
)
def test_a_fault_in_the_arithmetic_is_seen(use: str, old: str, new: str) -> None:
    model = fixed_multiply if use == "multiply" else fixed_divide
    rows = DIVISIBLE[-(len(EDGES) ** 2) // 2 :]
    assert differences(using(f"{use}_fixed x y z"), model, rows) == 0
    assert differences(using(f"{use}_fixed x y z", old, new), model, rows) > 0


def test_the_models_are_right() -> None:
    one = 65536
    assert fixed_multiply(one, -7) == -7
    assert [fixed_multiply(each, one // 2) for each in (1, -1, 3, -3)] == [1, 0, 2, -1]
    assert [fixed_divide(each, 2 * one) for each in (1, -1, 3, -3)] == [1, -1, 2, -2]
    assert fixed_divide(one, 3 * one) == 21845
    assert fixed_divide(one, 0) == 0
    assert fixed_multiply(LEAST, -one) == LEAST
    words = ROWS[:5000].astype(float)
    products = words[:, 0] * words[:, 1] / 65536
    for (x, y), product in zip(ROWS[:5000].tolist(), products, strict=True):
        if abs(product) < 2**31 - 1:
            assert abs(fixed_multiply(x, y) - product) <= 0.5 + 1e-6
    assert fixed_read("-12.5") == -12 * one - one // 2
    assert fixed_text(-one // 3) == "-0.33334"


def printed(word: int) -> str:
    program = using("print_fixed x")
    image = list(program.numbers)
    image[program.symbols["x"]] = word
    ran = run_image(SHAPE, image)
    assert ran.ended == HALTED
    return ran.output.decode()


@given(st.integers(LEAST, GREATEST) | st.sampled_from(EDGES) | st.integers(-70000, 70000))
def test_print_fixed(word: int) -> None:
    assert printed(word) == fixed_text(word)
    assert abs(float(printed(word)) - word / 65536) <= 0.000005 + 1e-12


def test_no_two_words_look_the_same() -> None:
    assert len({fixed_text(word) for word in range(-65536, 65537)}) == 2 * 65536 + 1


@given(st.from_regex(r"-?[0-9]{0,4}(\.[0-9]{0,6})?", fullmatch=True))
def test_read_fixed(text: str) -> None:
    program = using("read_fixed x\n        read_fixed y")
    ran = run_image(SHAPE, program.numbers, f" \n{text} -1.5".encode())
    assert ran.ended == HALTED
    expected = fixed_read(text) if text else -98304
    assert int(ran.mem[program.symbols["x"]]) == expected
    if text:
        assert int(ran.mem[program.symbols["y"]]) == -98304


# The programs


def check(name: str, given: bytes) -> None:
    """A program prints what its reference does."""
    case = next(case for case in CASES if case.name == name)
    ran = run_image(Shape(case.bits, case.words), program(case).numbers, given)
    assert (ran.ended, ran.output) == (HALTED, case.reference(given))


COMMANDS = st.text("><+-.,", max_size=8)
LOOPS = st.tuples(st.text("+-.,", max_size=5), COMMANDS).map(lambda two: f"[->{two[0]}<]{two[1]}")
"""These come to an end: the body leaves the cell that it counts down alone."""


@given(st.lists(COMMANDS | LOOPS, max_size=8).map("".join), st.binary(max_size=8))
def test_any_brainfuck(text: str, rest: bytes) -> None:
    check("brainfuck", text.encode() + b"!" + rest)


@given(st.text("[]+x", max_size=12))
def test_any_brackets(text: str) -> None:
    rest = text.replace("+", "").replace("x", "")
    while "[]" in rest:
        rest = rest.replace("[]", "")
    if rest:  # what matches may never end
        assert brainfuck(text.encode()) == b"brackets do not match\n"
        check("brainfuck", text.encode())


ADDRESS = st.integers(0, 20) | st.sampled_from([-1, -2, GUEST_WORDS - 1, GUEST_WORDS])


@given(
    st.lists(st.tuples(ADDRESS, ADDRESS), max_size=5),
    st.lists(st.integers(-32768, 32767), min_size=9, max_size=9),
    st.binary(max_size=3),
)
def test_any_subleq(pairs: list[tuple[int, int]], data: list[int], rest: bytes) -> None:
    """Instructions that go on with the next one and may change each other; then all is printed."""
    words = [word for i, (a, b) in enumerate(pairs) for word in (a, b, 3 * i + 3)]
    shown = [word for at in range(12) for word in (at, -1, 0)]
    text = guest([*words, *shown, 1, 1, -1, *data], rest)
    if ends(text):
        check("subleq", text)


def ends(text: bytes) -> bool:
    """Whether the interpreter comes to an end soon."""
    case = next(case for case in CASES if case.name == "subleq")
    ran = run_image(Shape(case.bits, case.words), program(case).numbers, text, limit=10**6)
    return ran.ended == HALTED


@given(st.data(), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
def test_any_matrices_of_integers(data: st.DataObject, n: int, m: int, k: int) -> None:
    words = st.integers(LEAST, GREATEST) | st.integers(-9, 9)
    size = n * m + m * k
    values = data.draw(st.lists(words, min_size=size, max_size=size))
    check("matrix_product", sized(n, m, k, values=values))
    small = [value % 65536 - 32768 for value in values[: n * m]]
    check("transpose", sized(n, m, values=small))


FRACTIONS = st.integers(-200_000, 200_000).map(lambda n: f"{n / 10000:.4f}") | st.sampled_from(
    ["0", "1", "-1", "2", "0.0001", "-0.0001"]
)
NINE = st.lists(FRACTIONS, min_size=9, max_size=9).map(" ".join)


@given(NINE)
def test_any_matrix_with_fractions(matrix: str) -> None:
    check("matrix_inverse", matrix.encode())
    check("power_iteration", f"3 {matrix}".encode())


@given(st.integers(0, 20), FRACTIONS, st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=1,
                                               max_size=4))  # fmt: skip
def test_any_regression(steps: int, rate: str, pairs: list[tuple[str, str]]) -> None:
    rows = "  ".join(f"{x} {y}" for x, y in pairs)
    check("regression", f"{steps} {rate} {len(pairs)}  {rows}".encode())


def test_what_runs_in_the_interpreter() -> None:
    """The first lines of the table of cases are what they seem."""
    case = next(case for case in CASES if case.name == "subleq")
    printed = [subleq(given) for given in case.inputs[:6]]
    assert printed == [
        b"Hello, world!\n",
        b"? 5\n4\n3\n2\n1\n0\n",
        b"some bytes: \xff\x00.",
        b"***\n*\n****\n*\n*****\n",
        b"21\n",
        b"Hello, world!\n",
    ]


def test_the_network_learns() -> None:
    outputs = [
        [float(line.split()[2]) for line in xor(given).splitlines()] for given in (b"0", b"100")
    ]
    assert np.abs(np.array(outputs[0]) - [0, 1, 1, 0]).max() > 0.5
    assert np.abs(np.array(outputs[1]) - [0, 1, 1, 0]).max() < 0.001


# The errors

OFF = {
    "matrix_inverse": Fault("matrix_inverse", "print_fixed x", "add_number 40 x; print_fixed x"),
    "power_iteration": Fault(
        "power_iteration", "divide_fixed sum size x", "divide_fixed sum size x; add_number 40 x"
    ),
    "regression": Fault("regression", "done: ", "done: add_number 40 slope;"),
    "xor": Fault("xor", "print_fixed output", "add_number 40 output; print_fixed output"),
}
"""40 steps too much, 0.0006."""


@pytest.fixture
def fixed_point(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    return importlib.import_module("fixed_point")


@pytest.mark.parametrize("name", OFF)
def test_the_error_is_below_what_the_head_says(name: str, fixed_point: ModuleType) -> None:
    each = next(each for each in fixed_point.COMPARISONS if each.name == name)
    assert max(fixed_point.error(each, given) for given in each.inputs) < each.bound
    assert fixed_point.error(each, each.inputs[0], OFF[name]) > each.bound


def test_every_program_with_fractions_is_compared(fixed_point: ModuleType) -> None:
    using_fractions = {
        path.stem
        for path in PROGRAMS.glob("*.asm")
        if '.include "fixed_point.asm"' in path.read_text(encoding="utf-8")
    }
    assert {each.name for each in fixed_point.COMPARISONS} == using_fractions == set(OFF)


def test_the_table(fixed_point: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    brief = [
        fixed_point.Comparison("xor", "the same training", [b"0", b"1"], fixed_point.network),
    ]
    monkeypatch.setattr(fixed_point, "COMPARISONS", brief)
    *_, row = fixed_point.table()
    assert row.startswith("| `xor.asm` | the same training | 2 | 0.0000")
    assert row.endswith(" | 0.0005 |")


def test_a_head_without_an_error_is_refused(fixed_point: ModuleType) -> None:
    one = fixed_point.Comparison("transpose", "nothing", [], fixed_point.inverse)
    with pytest.raises(
        ValueError, match=r"^the head of transpose\.asm does not say 'Error:  below' a number$"
    ):
        _ = one.bound


def test_a_program_that_does_not_halt_is_refused(fixed_point: ModuleType) -> None:
    one = fixed_point.Comparison("xor", "nothing", [b"0"], fixed_point.network)
    with pytest.raises(ValueError, match=r"^xor\.asm does not halt on b'0'$"):
        fixed_point.error(one, b"0", Fault("xor", "jump_if_negative rounds done", ""))
