import re
import shlex
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest

from numeric.machine import Machine
from proofs.verify import Options
from verified_mlp.constructions.registry import CONSTRUCTIONS
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.image import read_image
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

EXAMPLES = Path(__file__).parent.parent / "examples"

CASES = [
    ("hello", b"", b"Hello, world!\n"),
    ("echo", b"", b""),
    ("echo", b"a\0\xff\n", b"a\0\xff\n"),
    ("count_down", b"3", b"? 3\n2\n1\n0\n"),
    ("count_down", b"0\n", b"? 0\n"),
    ("multiply", b"6*7", b"42\n"),
    ("multiply", b"9x9\n", b"81\n"),
    ("multiply", b"0 8", b"0\n"),
    ("multiply", b"5*0", b"0\n"),
    ("multiply", b"2*5", b"10\n"),
    ("array_walk", b"", b"***\n*\n****\n*\n*****\n"),
]


def shape_of(name: str) -> Shape:
    """The shape that the head of an example states."""
    text = (EXAMPLES / f"{name}.sq").read_text(encoding="utf-8")
    found = re.search(r"^# shape:(.*)$", text, re.MULTILINE)
    assert found, name
    options = shlex.split(found[1])
    assert options[::2] == ["--bits", "--words"]
    return Shape(int(options[1]), int(options[3]))


@cache
def machine(shape: Shape, engine: str, how: str) -> Machine:
    return Machine(shape, engine, Options(construction=how))


def interpreted(name: str, shape: Shape, given: bytes) -> tuple[Outcome, int, bytes, list[int]]:
    words = read_image(EXAMPLES / f"{name}.sq", shape)
    state = State(mem=words + [0] * (shape.words - len(words)))
    sink = BytesIO()
    host = Host(shape, Interpreter(shape, state), BytesIO(given), sink)
    outcome = host.run(max_steps=10_000)
    return outcome, host.steps, sink.getvalue(), host.processor.state().mem


def test_every_example_has_a_case() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.sq")} == {name for name, _, _ in CASES}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.sq")), ids=lambda path: path.name)
def test_the_head_says_what_it_does(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    assert head[0].endswith(".")
    text = "\n".join(head)
    assert re.search(r"^# Input:  \S", text, re.MULTILINE)
    assert re.search(r"^# Output: \S", text, re.MULTILINE)
    assert shape_of(path.stem).words == 64


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.sq")), ids=lambda path: path.name)
def test_every_line_is_commented_with_its_address(path: Path) -> None:
    address = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        code, _, comment = line.partition(";")
        if line and not line.startswith("#"):
            assert re.match(rf" *{address}: \S", comment), line
            address += len(code.split())
    assert address == len(read_image(path, shape_of(path.stem)))


@pytest.mark.parametrize(("name", "given", "expected"), CASES)
@pytest.mark.parametrize("engine", ["support", "support-numpy", "sparse", "dense"])
@pytest.mark.parametrize("how", CONSTRUCTIONS)
def test_the_network_does_what_the_interpreter_does(
    name: str, given: bytes, expected: bytes, engine: str, how: str
) -> None:
    shape = shape_of(name)
    try:
        machine(shape, engine, how)
    except ValueError as refusal:
        assert how == "single" or (how == "prefetch" and engine == "dense")
        pytest.skip(str(refusal))
    outcome, steps, output, memory = interpreted(name, shape, given)
    assert (outcome, output) == (Outcome.HALTED, expected)
    words = read_image(EXAMPLES / f"{name}.sq", shape)
    result = machine(shape, engine, how).run(words, given, max_steps=10_000)
    assert result.outcome is Outcome.HALTED
    assert (result.steps, result.output, result.state.mem) == (steps, output, memory)


@pytest.mark.parametrize(("name", "given", "expected"), CASES)
def test_the_default_shape_serves_as_well(name: str, given: bytes, expected: bytes) -> None:
    outcome, _, output, _ = interpreted(name, Shape(16, 256), given)
    assert (outcome, output) == (Outcome.HALTED, expected)


@pytest.mark.parametrize("first", range(10))
def test_every_product(first: int) -> None:
    for second in range(10):
        given = f"{first}*{second}".encode()
        _, _, output, _ = interpreted("multiply", shape_of("multiply"), given)
        assert output == b"%d\n" % (first * second)
