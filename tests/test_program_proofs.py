"""Symbolic execution against the reference interpreter, and theorems about programs."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.modules import ModuleFault, load
from proofs.programs import budget as budgets
from proofs.programs import execution, theorem
from proofs.programs.budget import Budget, NotProvedError
from proofs.programs.domain import DomainError, read_domain
from proofs.programs.execution import Domain, Subject, check_whole, paths, split
from proofs.programs.points import points, positions, printed
from proofs.programs.region import Region
from proofs.programs.symbolic_word import Fork, Truth, Word, truth, word
from proofs.programs.theorem import Method, Proved, Refuted, Spec, prove
from proofs.results import Answer
from verified_mlp.assembler.assemble import assemble
from verified_mlp.logic import either, negate, where
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

PROVED = Path(__file__).parent.parent / "examples" / "proved"
SPECS = load(str(PROVED / "specs.py"))[0]
SHAPE = Shape(16, 256)

CASES = {
    "multiply": ("x:0..15,y:0..15", 100),
    "maximum": ("x:-100..100,y:-100..100", 10),
    "absolute": ("x:-128..127", 10),
    "gcd": ("x:0..15,y:0..15", 200),
    "sort": ("a:0..7,b:0..7,c:0..7,d:0..7", 99),
    "add": ("in0:0..255,in1:0..255", 9),
}

BUGS = {
    "multiply": ("minus1 y  ", "zero zero  "),
    "maximum": ("minus gap second", "minus gap (-1)"),
    "absolute": ("x minus  ", "minus x  "),
    "gcd": ("minus y  ", "zero zero  "),
    "sort": ("        order b c\n        order a b\n        a", "        order a b\n        a"),
    "add": ("minus y ", "x y     "),
}


def source(name: str) -> str:
    return (PROVED / f"{name}.asm").read_text(encoding="utf-8")


def subject(text: str, inputs: str, max_steps: int, shape: Shape = SHAPE) -> Subject:
    program = assemble(text)
    domain = read_domain(inputs, program.symbols, shape)
    return Subject(program.numbers, shape, domain, max_steps)


def budget(of: Subject, seconds: int = 60, forks: int = 100_000) -> Budget:
    return Budget(seconds, forks, of.domain.names)


def tried(of: Subject, function: Callable[..., Any], **limits: int) -> Proved | Refuted:
    return prove(of, Spec("f", function), budget(of, **limits))


def interpreted(of: Subject, point: tuple[int, ...]) -> tuple[Outcome, int, bytes]:
    """The reference: a run at one point of the domain, written without the prover's."""
    mem = [number % of.shape.modulus for number in of.words]
    mem += [0] * (of.shape.words - len(mem))
    read = []
    for value, address in zip(point, of.domain.addresses, strict=True):
        if address is None:
            read.append(value)
        else:
            mem[address] = value % of.shape.modulus
    sink = BytesIO()
    host = Host(of.shape, Interpreter(of.shape, State(mem=mem)), BytesIO(bytes(read)), sink)
    return host.run(of.max_steps), host.steps, sink.getvalue()


def check_paths(of: Subject) -> int:
    """Every point is on one path, which does there what the interpreter does; how many paths."""
    met: Counter[tuple[int, ...]] = Counter()
    count = 0
    for path in paths(of, budget(of), discharge=True):
        count += 1
        assert path.region.contains(path.region.witness)
        grid = points(path.region)
        rows = printed(path, grid, of.shape.bits)
        for point, row in zip(map(tuple, grid.tolist()), rows, strict=True):
            met[point] += 1
            assert (path.outcome, path.steps, row.tobytes()) == interpreted(of, point)
    ranges = (range(low, high + 1) for low, high in of.domain.ranges)
    assert met == Counter(product(*ranges))
    return count


@st.composite
def random_subjects(draw: st.DrawFn) -> Subject:
    """Small programs that compute with inputs, jump to instructions and at times change them."""
    bits = draw(st.sampled_from([4, 5, 8]))
    length = draw(st.integers(1, 3))
    shape = Shape(bits, draw(st.integers(3 * length + 3, 15)))
    data, anywhere = st.integers(3 * length, shape.words - 1), st.integers(0, shape.words)
    at = draw(st.lists(st.one_of(data, data, data, anywhere), min_size=1, max_size=3, unique=True))
    at = [each for each in at if each < shape.words]
    given_word = st.sampled_from(at) if at else data
    operand = st.one_of(given_word, given_word, given_word, data, data, st.just(-1), anywhere)
    words = []
    for number in range(length):
        after = 3 * number + 3
        aim = st.one_of(st.just(after), st.sampled_from([*range(0, 3 * length, 3), -1]), anywhere)
        words += [draw(operand), draw(operand), draw(aim)]
    small = st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    words += draw(st.lists(small, max_size=shape.words - len(words)))
    read = draw(st.integers(0 if at else 1, 1))
    names = (*(f"m{each}" for each in at), *(f"in{each}" for each in range(read)))
    ranges = []
    for each in range(len(names)):
        low = draw(st.integers(-(2 ** (bits - 1)) if each < len(at) else 0, 2**bits - 4))
        ranges.append((low, low + draw(st.integers(1, 3))))
    domain = Domain(names, tuple(ranges), (*at, *(None for _ in range(read))))
    return Subject(words, shape, domain, 12 - draw(st.integers(0, 12)))


@given(random_subjects())
@settings(deadline=None)
def test_paths_of_random_programs_do_what_the_interpreter_does(of: Subject) -> None:
    check_paths(of)


@pytest.mark.parametrize("name", ["absolute", "gcd", "multiply"])
def test_paths_of_the_examples_do_what_the_interpreter_does(name: str) -> None:
    inputs = {"absolute": "x:-9..9", "gcd": "x:0..7,y:0..7", "multiply": "x:250..255,y:0..5"}
    assert check_paths(subject(source(name), inputs[name], 200)) > 1


def test_addresses_and_jumps_that_depend_on_inputs() -> None:
    # Print the word at p, then jump to where j says: an end, a loop, a fault, or to halt.
    text = """
        p:0 (-1)
        zero zero j:0
        zero zero (-1)
        zero zero 9
        99 zero
        . zero: 0
    """
    of = subject(text, "p:13..22,j:-1..18", 30, Shape(8, 64))
    assert check_paths(of) > 20


@pytest.mark.parametrize("name", CASES)
def test_the_examples_are_proved(name: str) -> None:
    of = subject(source(name), *CASES[name])
    found = tried(of, getattr(SPECS, name))
    assert isinstance(found, Proved)
    assert found.method is Method.TABULATED
    assert found.steps <= of.max_steps
    assert f'specs.py:{name} --inputs "{CASES[name][0]}" --max-steps {CASES[name][1]}' in source(
        name
    )


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_in_each_is_found(name: str) -> None:
    old, new = BUGS[name]
    assert source(name).count(old) == 1
    of = subject(source(name).replace(old, new), *CASES[name])
    found = tried(of, getattr(SPECS, name))
    assert isinstance(found, Refuted)
    assert (found.outcome, found.steps, found.printed) == interpreted(of, found.point)
    assert found.expected == Spec(name, getattr(SPECS, name)).output(of.domain, found.point)
    assert found.outcome is not Outcome.HALTED or found.printed != found.expected


def test_the_bound_of_steps_is_exact() -> None:
    proved = tried(subject(source("gcd"), "x:0..15,y:0..15", 200), SPECS.gcd)
    assert isinstance(proved, Proved)
    tight = tried(subject(source("gcd"), "x:0..15,y:0..15", proved.steps), SPECS.gcd)
    assert isinstance(tight, Proved)
    found = tried(subject(source("gcd"), "x:0..15,y:0..15", proved.steps - 1), SPECS.gcd)
    assert isinstance(found, Refuted)
    assert (found.outcome, found.steps) == (Outcome.LIMIT, proved.steps - 1)


def test_a_fault_and_a_loop_are_refuted() -> None:
    fault = tried(
        subject("zero x 6; zero zero (-1); 99 999; . zero: 0 x: 0", "x:-3..3", 9), lambda x: b""
    )
    assert isinstance(fault, Refuted)
    assert fault.outcome is Outcome.FAULT
    assert fault.point[0] <= 0
    assert fault.fault.startswith("fault at pc = 6, ")
    loop = tried(subject("zero x 0; zero zero (-1); . zero: 0 x: 0", "x:-3..3", 9), lambda x: b"")
    assert isinstance(loop, Refuted)
    assert (loop.outcome, loop.steps) == (Outcome.LIMIT, 9)


def test_after_the_given_words_the_input_ends() -> None:
    text = "(-1) x; (-1) y; x (-1); y (-1); x x (-1); . x: 0 y: 0"
    found = tried(subject(text, "in0:0..255", 9), lambda in0: [in0, 255])
    assert isinstance(found, Proved)


def test_a_large_domain_is_proved_and_refuted_on_terms() -> None:
    half = subject(source("maximum"), "x:-16384..16383,y:-16384..16383", 10)
    found = tried(half, SPECS.maximum)
    assert isinstance(found, Proved)
    assert found.method is Method.SYMBOLIC
    assert found.queries > 0
    whole = subject(source("maximum"), "x:-32768..32767,y:-32768..32767", 10)
    wrong = tried(whole, SPECS.maximum)  # the difference is no word
    assert isinstance(wrong, Refuted)
    assert wrong.expected == bytes([max(wrong.point) % 256]) != wrong.printed
    longer = tried(half, lambda x, y: [where(x > y, x, y) % 256, 0])
    assert isinstance(longer, Refuted)


def test_a_specification_for_ints_alone_is_no_proof_in_a_large_domain() -> None:
    of = subject(source("maximum"), "x:-16384..16383,y:-16384..16383", 10)
    with pytest.raises(
        ModuleFault, match=r"^f cannot be evaluated on terms: .*, line \d+: TypeErr"
    ):
        tried(of, lambda x, y: [max(x, y) % 256])
    # One that means something else for terms than for ints is not believed.
    with pytest.raises(NotProvedError, match=r" means something else for terms than for numbers$"):
        tried(of, lambda x, y: [(max(x, y) if isinstance(x, int) else x + 1) % 256])
    kind = tried(of, lambda x, y: [0 if isinstance(x, int) else where(x > y, x, y) % 256])
    assert isinstance(kind, Refuted)


def test_what_a_specification_may_give() -> None:
    of = subject("x x (-1); . x: 0", "x:0..0", 9)
    for output in (b"", "", [], (), bytearray()):
        assert isinstance(tried(of, lambda x, output=output: output), Proved)
    with pytest.raises(ModuleFault) as error:
        tried(of, lambda x: 5)
    assert str(error.value) == (
        "f gives a value of type int at x = 0: give the output as bytes, as a str (in UTF-8), or "
        "as a list of numbers 0 to 255."
    )
    with pytest.raises(ModuleFault, match=r"^f cannot be evaluated at x = 0: .*ZeroDivisionError"):
        tried(of, lambda x: [1 // x])


def test_running_out_is_never_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    of = subject(source("gcd"), "x:0..15,y:0..15", 200)
    with pytest.raises(NotProvedError) as error:
        tried(of, SPECS.gcd, forks=10)
    assert str(error.value) == "budget: the 10 forks of --forks are used up"
    with pytest.raises(NotProvedError) as error:
        tried(of, SPECS.gcd, seconds=0)
    assert str(error.value) == "budget: the 0 seconds of --seconds are over"

    large = subject(source("maximum"), "x:-16384..16383,y:-16384..16383", 10)
    for status in ("unknown", "timeout"):
        monkeypatch.setattr(budgets, "solve", lambda *_, status=status: Answer(status, 0, 0, {}))
        with pytest.raises(NotProvedError) as error:
            tried(large, SPECS.maximum)
        assert str(error.value) == f"budget: the solver's answer to a query is {status!r}"


def test_a_model_that_is_none_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Answer("sat", 0, 0, {"x": "77", "y": "0"})
    monkeypatch.setattr(budgets, "solve", lambda *_: wrong)
    with pytest.raises(RuntimeError, match=r"^the solver's model \(77, 0\) is not in the region"):
        Budget(60, 9, ("x", "y")).point(Region(((0, 9), (0, 9))))


def test_a_lost_part_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a table by counting the points, in a large domain by the solver."""
    monkeypatch.setattr(execution, "split", lambda *given: split(*given)[:1])
    with pytest.raises(RuntimeError, match=r"^no path has point "):
        tried(subject(source("absolute"), "x:-9..9", 10), SPECS.absolute)
    with pytest.raises(RuntimeError, match="loses the point"):
        tried(subject(source("maximum"), "x:-16384..16383,y:-16384..16383", 10), SPECS.maximum)


def test_a_part_given_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "split", lambda *given: split(*given) * 2)
    with pytest.raises(RuntimeError, match=r"is on two paths$"):
        tried(subject(source("absolute"), "x:-9..9", 10), SPECS.absolute)


def test_an_empty_part_is_left_out_by_the_solver() -> None:
    # The points of 3x - 2y = 1 lie so that bounds alone do not see which values 3x + 2y has.
    region = Region(((0, 9), (0, 9)), {((0, 3), (1, -2)): (1, 1)}, (1, 1))
    meter = Budget(60, 9, ("x", "y"))
    parts = split(region, Fork(((0, 3), (1, 2)), list(range(54))), meter)
    values = sorted({3 * x + 2 * y for x in range(10) for y in range(10) if 3 * x - 2 * y == 1})
    assert len(parts) == len(values)
    check_whole(region, parts, meter)
    with pytest.raises(RuntimeError, match="loses the point"):
        check_whole(region, parts[1:], meter)


def test_a_sum_with_one_value_is_a_number() -> None:
    region = Region(((2, 3), (1, 2)), {((0, 1), (1, -1)): (1, 1)})
    assert word(execution.Form(4, ((0, -3), (1, 3))), region, 16) == 1
    assert isinstance(word(execution.Form(4, ((0, -3), (1, 2))), region, 16), Word)


numbers = st.integers(-20, 20)


@given(
    st.integers(4, 6),
    st.tuples(numbers, st.integers(0, 8), numbers, st.integers(0, 8)),
    st.tuples(numbers, numbers, numbers),
    st.integers(-3, 70),
    st.sampled_from(["lt", "ge", "eq"]),
)
def test_conditions_on_words_are_those_on_numbers(
    bits: int, box: tuple[int, ...], weights: tuple[int, ...], number: int, kind: str
) -> None:
    modulus = 2**bits
    region = Region(((box[0], box[0] + box[1]), (box[2], box[2] + box[3])))
    x, y = (word(execution.Form(0, ((each, 1),)), region, modulus) for each in (0, 1))
    total: Any = weights[2] % modulus
    for value, weight in ((x, weights[0]), (y, weights[1])):
        for _ in range(abs(weight)):
            total = total + value if weight > 0 else total - value
    compare = {"lt": lambda v: v < number, "ge": lambda v: v >= number, "eq": lambda v: v == number}
    outcome = compare[kind](total if isinstance(total, Word) else total % modulus)
    for a, b in product(range(box[0], box[0] + box[1] + 1), range(box[2], box[2] + box[3] + 1)):
        expected = compare[kind]((weights[0] * a + weights[1] * b + weights[2]) % modulus)
        assert holds(outcome, (a, b)) == expected
        assert holds(negate(outcome), (a, b)) != expected


def holds(condition: Truth | bool, point: tuple[int, ...]) -> bool:
    if isinstance(condition, bool):
        return condition
    value = sum(weight * point[name] for name, weight in condition.terms)
    assert condition.span[0] <= value <= condition.span[1]
    return any(low <= value <= high for low, high in condition.ranges)


def test_where_forks_only_if_it_matters() -> None:
    small = truth(((0, 1),), (0, 9), [(0, 4)])
    large = truth(((0, 1),), (0, 9), [(4, 9)])
    other = truth(((1, 1),), (0, 9), [(0, 4)])
    assert either(small, large) is True
    assert where(small, 7, 7) == 7
    with pytest.raises(Fork) as fork:
        where(small, 7, 8)
    assert (fork.value.terms, fork.value.cuts) == (((0, 1),), [0, 5])
    with pytest.raises(Fork):
        either(small, other)
    region = Region(((0, 9), (0, 9)))
    x, y = (word(execution.Form(0, ((each, 1),)), region, 16) for each in (0, 1))
    assert where(small, x, x + 0).form == x.form
    with pytest.raises(Fork):
        where(small, x, y)
    with pytest.raises(TypeError, match="choose with where"):
        bool(small)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ("x", "--inputs has 'x', which is no name and range: write it like x:0..15, with commas "
         "in between."),
        ("x:3..1", "x:3..1 has no number: give the lower bound first."),
        ("x:0..1,x:0..2", "x is given twice in --inputs: give each name once."),
        ("in1:0..1", "in0 is missing in --inputs: words are read in order, so give it a range, "
         "too."),
        ("in0:0..256", "in0:0..256 is out of range: a word that is read is a byte, so choose "
         "0..255 or a part of it."),
        ("x:0..256", "x:0..256 is out of range: a word has 8 bits, so choose -128..255 or a part "
         "of it."),
        ("w:0..1", "the program has no label w: name one of its labels, or words that are read, "
         "in0, in1, ..."),
        ("x:0..1,z:0..1", "x and z are the same word, at 3: give one of them."),
        ("in7:0..1", "in7 could be a word that is read or the label in7: rename the label."),
        ("far:0..1", "far is at 99, outside the memory of 8 bits x 16 words."),
    ],
)  # fmt: skip
def test_what_is_no_domain(inputs: str, sentence: str) -> None:
    with pytest.raises(DomainError) as error:
        read_domain(inputs, {"x": 3, "z": 3, "in7": 5, "far": 99}, Shape(8, 16))
    assert str(error.value) == sentence


def test_points_keep_numbers_of_64_bits() -> None:
    low = 2**64 - 4
    region = Region(((low, low + 3), (0, 3)), {((0, 1), (1, -1)): (low, low)})
    grid = points(region)
    assert grid.tolist() == [[low + each, each] for each in range(4)]
    assert positions(grid, region.box).tolist() == [0, 5, 10, 15]


def test_the_largest_table_is_stated() -> None:
    of = subject(source("absolute"), "x:-128..127", 10)
    assert re.search(r"2\^20 points", (PROVED.parent.parent / "docs" / "prove.md").read_text())
    assert theorem.MOST_POINTS == 2**20
    assert replace(of.domain, ranges=((0, 9),)).size == 10
