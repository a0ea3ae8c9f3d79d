"""The programs of examples/programs against Python, and docs/gallery.md against the programs."""

import importlib
import re
import sys
from functools import cache
from types import ModuleType

import pytest
from documents import ROOT, blocks, commands, matches, read, run
from example_cases import (
    MAX_STEPS,
    PROGRAMS,
    Case,
    Fault,
    all_cases,
    all_faults,
    counted,
    program,
)
from fast_interpreter import HALTED, TOO_LONG, Ran, run_image
from hypothesis import given
from hypothesis import strategies as st

from numeric.machine import Machine
from proofs.verify import Options
from verified_mlp.constructions.registry import CONSTRUCTIONS, DEFAULT
from verified_mlp.machine.host import Outcome
from verified_mlp.machine.shape import Shape

CASES = {case.name: case for case in all_cases()}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))

ROOM = 10**5
"""Bytes that a program may print."""
BRIEFLY = 1_000_000
"""Steps that a program makes on the network in the tests that are not slow."""


@cache
def on_integers(case: Case, input: bytes, fault: Fault | None, limit: int) -> Ran:
    image = program(case, fault).numbers
    return run_image(Shape(case.bits, case.words), image, input, limit=limit, room=ROOM)


def difference(case: Case, input: bytes, fault: Fault | None = None) -> str:
    """What a program does wrong on an input: a sentence, or nothing."""
    ran = on_integers(case, input, fault, MAX_STEPS)
    if ran.ended != HALTED:
        return f"{case.name}.asm does not halt on {input!r}"
    expected = case.reference(input)
    if ran.output != expected:
        return f"{case.name}.asm prints {ran.output!r} and not {expected!r} on {input!r}"
    return ""


# What the sources are


def test_every_program_has_a_case() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in PROGRAMS.glob("*.asm")}
    included = {
        name for text in sources.values() for name in re.findall(r'^\.include "(.*)"', text, re.M)
    }
    names = [path.stem for path in sources if path.name not in included]
    assert sorted(names) == sorted(CASES)
    assert len(CASES) == len(all_cases())


@every_case
def test_the_head_says_what_it_is(case: Case) -> None:
    head = case.path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    assert head[0].endswith(".")
    text = "\n".join(head)
    assert re.search(r"^# Input:  \S", text, re.MULTILINE)
    assert re.search(r"^# Output: \S", text, re.MULTILINE)
    assert f"# shape:  --bits {case.bits} --words {case.words}" in head


# What they do


@every_case
def test_it_prints_what_python_gives(case: Case) -> None:
    for input in case.inputs:
        assert difference(case, input) == ""


@pytest.mark.parametrize(
    "fault", all_faults(), ids=[f"{fault.name}-{fault.old}" for fault in all_faults()]
)
def test_a_planted_fault_is_seen(fault: Fault) -> None:
    case = CASES[fault.name]
    assert program(case, fault).numbers != program(case).numbers
    assert any(difference(case, input, fault) for input in case.inputs)


def test_every_program_has_a_planted_fault() -> None:
    assert {fault.name for fault in all_faults()} == set(CASES)


def test_what_a_difference_says() -> None:
    case = CASES["factorial"]
    assert difference(case, b"3", Fault("factorial", "set n 1", "set n 2")) == (
        "factorial.asm prints b'12\\n' and not b'6\\n' on b'3'"
    )
    assert difference(case, b"3", Fault("factorial", "decrement n", "")) == (
        "factorial.asm does not halt on b'3'"
    )


# On any input

WORDS = st.integers(-32768, 32767)
NEAR = st.integers(-3, 3)


def arrays(most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(WORDS, max_size=most) | st.lists(NEAR, max_size=most)


def in_blanks(*parts: str) -> st.SearchStrategy[str]:
    """The parts with no blank or one between them."""
    blanks = [st.just(part) | st.just(f"{part} ") for part in parts]
    return st.tuples(*blanks).map("".join)


def larger(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.tuples(smaller, st.sampled_from("+-*/%"), smaller)
    return (
        joined.flatmap(lambda three: in_blanks(*three))
        | smaller.map(lambda text: f"-{text}")
        | smaller.map(lambda text: f"({text})")
    )


SIMPLE = (st.integers(0, 9) | st.integers(0, 2**32)).map(str)
EXPRESSION = st.recursive(SIMPLE, larger, max_leaves=20)
SCRAMBLED = st.text("0123+-*/%() \t\r", max_size=12)
BOARDS = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 4)).flatmap(
    lambda size: st.text("#.", min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda cells: f"{size[0]} {size[1]} {size[2]}\n{cells}".encode()
    )
)

STRATEGIES: dict[str, st.SearchStrategy[bytes]] = {
    "gcd": st.tuples(*[NEAR | st.integers(-32767, 32767)] * 2).map(lambda pair: b"%d %d" % pair),
    "bubble_sort": arrays(30).map(counted),
    "linear_search": st.builds(counted, arrays(30), NEAR | WORDS),
    "binary_search": st.builds(counted, arrays(30).map(sorted), NEAR | WORDS),
    "reverse_list": arrays(30).map(counted),
    "quicksort": arrays(30).map(counted),
    "calculator": st.lists(EXPRESSION | SCRAMBLED, max_size=3).map(
        lambda rows: "\n".join(rows).encode()
    ),
    "life": BOARDS,
}
"""Inputs of the programs that have more than the case lists."""


@pytest.mark.parametrize("name", STRATEGIES)
@given(data=st.data())
def test_any_input(name: str, data: st.DataObject) -> None:
    assert difference(CASES[name], data.draw(STRATEGIES[name])) == ""


@pytest.mark.parametrize("name", ["linear_search", "binary_search"])
@given(data=st.data())
def test_a_number_that_is_there(name: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(NEAR | WORDS, min_size=1, max_size=30).map(sorted))
    sought = data.draw(st.sampled_from(values))
    assert difference(CASES[name], counted(values, sought)) == ""


# On the network


@cache
def machine(shape: Shape, how: str) -> Machine:
    return Machine(shape, options=Options(construction=how))


def check_on_the_network(case: Case, input: bytes, limit: int, how: str) -> None:
    """The verified network does the steps of a run, or the first so many, as the integers do."""
    network = machine(Shape(case.bits, case.words), how)
    modulus = network.shape.modulus
    expected = on_integers(case, input, None, limit)
    words = [number % modulus for number in program(case).numbers]
    result = network.run(words, input, limit)
    if expected.ended == TOO_LONG:
        assert result.outcome is not Outcome.HALTED
    else:
        assert result.outcome is Outcome.HALTED
        assert result.output == case.reference(input)
    assert (result.steps, result.output) == (expected.steps, expected.output)
    assert result.state.mem == [int(word) % modulus for word in expected.mem]


def that_fits(case: Case, how: str) -> str:
    """The construction's name; the test is skipped for a shape at which it is not built."""
    try:
        machine(Shape(case.bits, case.words), how)
    except ValueError as refusal:
        assert how == "single"
        pytest.skip(str(refusal))
    return how


every_construction = pytest.mark.parametrize("how", CONSTRUCTIONS)


@every_construction
@every_case
def test_on_the_network(case: Case, how: str) -> None:
    limit = BRIEFLY if how == DEFAULT else BRIEFLY // 10
    check_on_the_network(case, case.inputs[0], limit, that_fits(case, how))


@pytest.mark.slow
@every_construction
@every_case
def test_the_longest_run_on_the_network(case: Case, how: str) -> None:
    steps = {input: on_integers(case, input, None, MAX_STEPS).steps for input in case.inputs}
    longest = max(steps, key=steps.__getitem__)
    check_on_the_network(case, longest, MAX_STEPS, that_fits(case, how))


# The gallery

GALLERY = read("docs/gallery.md")


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    return importlib.import_module("gallery")


def without_seconds(page: str) -> str:
    return re.sub(r" \d+\.\d{3} \|$", " |", page, flags=re.MULTILINE)


def test_the_gallery_is_what_the_command_prints(gallery: ModuleType) -> None:
    rows = []
    for case in CASES.values():
        ran = on_integers(case, case.inputs[0], None, MAX_STEPS)
        rows.append(gallery.Row(case, ran.steps, 0.0))
    assert without_seconds(gallery.page(rows)) == without_seconds(GALLERY)
    assert GALLERY.count("\n| [") == len(rows)


def test_the_command_measures_a_program(gallery: ModuleType) -> None:
    case = CASES["gcd"]
    row = gallery.measured(case)
    assert (row.case, row.steps) == (case, on_integers(case, case.inputs[0], None, 10**6).steps)
    assert row.seconds > 0


def test_the_command_refuses_a_wrong_program(gallery: ModuleType) -> None:
    right = CASES["gcd"]
    wrong = Case("gcd", 16, 2048, (b"4 6",), lambda _: b"3\n", right.shows)
    with pytest.raises(gallery.WrongProgramError) as caught:
        gallery.measured(wrong)
    steps = on_integers(right, b"4 6", None, 10**6).steps
    assert str(caught.value) == (
        f"gcd.asm is wrong on its first input: it ended as halted after {steps} steps, and printed "
        r"b'2\n'. Its case in tests/example_cases*.py says what it should print."
    )


@pytest.mark.parametrize(
    ("command", "shown"), [pair for block in blocks(GALLERY, "console") for pair in commands(block)]
)
def test_its_commands_print_what_they_show(command: str, shown: str) -> None:
    code, printed = run(command, ROOT)
    assert code == 0
    assert matches(shown, printed), printed
