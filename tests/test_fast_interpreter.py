"""The compiled interpreter against the step that is the specification."""

from pathlib import Path

import fast_interpreter
import pytest
from fast_interpreter import FAULT, FULL, HALTED, TOO_LONG, run_image
from hypothesis import given
from hypothesis import strategies as st
from sample_states import adversarial_states, random_states, stepped

from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

EXAMPLES = Path(__file__).parent.parent / "examples"
SHAPES = [
    Shape(bits, words)
    for bits, words in [(4, 4), (4, 11), (4, 16), (5, 18), (8, 40), (8, 256), (16, 12), (63, 9),
                        (64, 4), (64, 30)]
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_and_adversarial_states(shape: Shape) -> None:
    states = random_states(shape, seed=7, count=400) + list(adversarial_states(shape).values())
    for state in states:
        assert fast_interpreter.stepped(shape, state) == stepped(shape, state)


@st.composite
def states(draw: st.DrawFn) -> tuple[Shape, State]:
    """A state of any shape with few words, whose words are often addresses or -1."""
    bits = draw(st.integers(4, 64))
    shape = Shape(bits, draw(st.integers(4, min(40, 2**bits))))
    top = shape.modulus - 1
    word = st.one_of(
        st.integers(0, min(shape.words, top)),
        st.sampled_from([top, shape.modulus // 2, shape.modulus // 2 - 1, 0, 1]),
        st.integers(0, top),
    )
    flag = st.integers(0, 1)
    mem = draw(st.lists(word, min_size=shape.words, max_size=shape.words))
    return shape, State(
        mem, draw(word), draw(flag), draw(word), draw(flag), draw(flag), draw(word), draw(flag)
    )


@given(states())
def test_any_state(case: tuple[Shape, State]) -> None:
    shape, state = case
    assert fast_interpreter.stepped(shape, state) == stepped(shape, state)


def test_programs_with_input_and_output() -> None:
    shape = Shape(16, 64)
    multiply = read_image(EXAMPLES / "multiply.sq", shape)
    ran = run_image(shape, multiply, b"6*7 and more")
    assert (ran.ended, ran.output, ran.read) == (HALTED, b"42\n", 3)
    echo = read_image(EXAMPLES / "echo.sq", shape)
    ran = run_image(shape, echo, bytes(range(256)))
    assert (ran.ended, ran.output, ran.read) == (HALTED, bytes(range(256)), 256)


def test_runs_that_do_not_halt() -> None:
    shape = Shape(16, 8)
    assert run_image(shape, [6, 6, 0], limit=1000)[:2] == (TOO_LONG, 1000)
    assert run_image(shape, [6, 6, 7])[:2] == (FAULT, 1)
    assert run_image(shape, [6, -1, 0, 6, 6, 0])[0] == FULL
