import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numeric.codec import Codec
from verified_mlp.logic import digits
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

SHAPE = Shape(5, 6)


@st.composite
def shapes_and_states(draw: st.DrawFn) -> tuple[Shape, State]:
    bits = draw(st.integers(4, 64))
    shape = Shape(bits, draw(st.integers(4, min(2**bits, 40))))
    word, flag = st.integers(0, 2**bits - 1), st.integers(0, 1)
    return shape, State(
        mem=draw(st.lists(word, min_size=shape.words, max_size=shape.words)),
        pc=draw(word),
        fault=draw(flag),
        input=draw(word),
        ready=draw(flag),
        wanted=draw(flag),
        output=draw(word),
        valid=draw(flag),
    )


@given(shapes_and_states())
def test_a_state_comes_back_from_its_vector(drawn: tuple[Shape, State]) -> None:
    shape, state = drawn
    codec = Codec(shape)
    vector = codec.encode(state)
    assert vector.dtype == np.float64
    assert codec.decode(vector) == state


@given(shapes_and_states())
def test_the_vector_is_the_fields_in_order_least_significant_bit_first(
    drawn: tuple[Shape, State],
) -> None:
    shape, state = drawn
    expected = [bit for word in state.mem for bit in digits(word, shape.bits)]
    expected += [*digits(state.pc, shape.bits), state.fault, *digits(state.input, shape.bits)]
    expected += [state.ready, state.wanted, *digits(state.output, shape.bits), state.valid]
    assert Codec(shape).encode(state).tolist() == expected


@pytest.mark.parametrize("wrong", [0.5, 2.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize(
    ("at", "name"), [(0, "mem[0, 0]"), (13, "mem[2, 3]"), (32, "pc[2]"), (35, "fault")]
)
def test_an_entry_that_is_no_bit_is_refused(wrong: float, at: int, name: str) -> None:
    codec = Codec(SHAPE)
    vector = codec.encode(State(mem=[0] * 6))
    vector[at] = wrong
    with pytest.raises(ValueError) as error:  # noqa: PT011
        codec.decode(vector)
    assert str(error.value) == (
        f"{name} is {wrong} in the state vector, where every entry must be 0 or 1."
    )


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Codec(SHAPE).decode(np.zeros(48))
    assert str(error.value) == (
        "a state of 5 bits x 6 words is a vector of 49 entries, not an array of shape (48,)."
    )


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (State(mem=[0] * 5), "mem holds 6 words, not 5."),
        (State(mem=[0] * 7), "mem holds 6 words, not 7."),
        (State(mem=[0, 0, 32, 0, 0, 0]), "mem[2] = 32 is out of range: it is 0 to 31."),
        (State(mem=[0, -1, 0, 0, 0, 0]), "mem[1] = -1 is out of range: it is 0 to 31."),
        (State(mem=[0] * 6, pc=32), "pc = 32 is out of range: it is 0 to 31."),
        (State(mem=[0] * 6, ready=2), "ready = 2 is out of range: it is 0 to 1."),
    ],
)
def test_a_state_out_of_range_is_refused(state: State, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Codec(SHAPE).encode(state)
    assert str(error.value) == sentence


def test_fields_are_written_and_read_in_place() -> None:
    codec = Codec(SHAPE)
    vector = codec.encode(State(mem=[1, 2, 3, 4, 5, 6]))
    codec.write(vector, "input", 21)
    codec.write(vector, "ready", 1)
    assert codec.read(vector, "input") == 21
    assert codec.read(vector, "mem") == [1, 2, 3, 4, 5, 6]
    assert codec.decode(vector) == State(mem=[1, 2, 3, 4, 5, 6], input=21, ready=1)
