from functools import cache

import numpy as np
import pytest
from sample_states import adversarial_states, random_states, stepped

from numeric.codec import Codec
from numeric.engines import Engine, EngineName, build
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State, state_fields
from verified_mlp.machine.step import SUBTRACT, ArrayMemory, Before, step
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.evaluate import evaluate
from verified_mlp.statement.network import Field

DENSE, SPARSE = EngineName
TINY = [Shape(4, 4), Shape(4, 7), Shape(5, 11), Shape(4, 15), Shape(4, 16)]
SMALL = [*TINY, Shape(5, 32), Shape(8, 20), Shape(16, 9), Shape(64, 4)]
LARGE = [Shape(8, 256), Shape(10, 37), Shape(16, 256), Shape(33, 50), Shape(64, 37)]

STEPS, EVERY_STEP = 5_000, 100_000
"""Random steps at 16 bits x 256 words: by default, and in the campaign."""


@cache
def engine(shape: Shape, name: EngineName) -> Engine:
    return build(paper(shape), name)


def encoded(shape: Shape, states: list[State]) -> np.ndarray:
    """The states as columns."""
    codec = Codec(shape)
    return np.stack([codec.encode(state) for state in states], axis=1)


def assert_same_bits(got: np.ndarray, expected: np.ndarray) -> None:
    """The same floats and not only equal ones: a negative zero is not a zero."""
    assert got.shape == expected.shape
    assert np.array_equal(got.view(np.int64), expected.view(np.int64))


def exactly(shape: Shape, state: State) -> State:
    """The state after one pass of the network in exact arithmetic."""
    codec = Codec(shape)
    bits = codec.encode(state).astype(int).tolist()
    inputs: dict[str, object] = {}
    for source in state_fields(shape):
        size = int(np.prod(source.shape))
        part, bits = np.array(bits[:size]).reshape(source.shape), bits[size:]
        inputs[source.name] = part if source.shape else int(part)
    outputs, _ = evaluate(paper(shape), inputs)
    parts = [np.ravel(outputs[source.name]) for source in state_fields(shape)]
    return codec.decode(np.concatenate(parts).astype(float))


@pytest.mark.parametrize("shape", TINY, ids=str)
def test_exact_evaluation_equals_the_step(shape: Shape) -> None:
    states = [*adversarial_states(shape).values(), *random_states(shape, seed=7, count=30)]
    for state in states:
        assert exactly(shape, state) == stepped(shape, state), state


@pytest.mark.parametrize("name", EngineName)
@pytest.mark.parametrize("shape", SMALL, ids=str)
def test_adversarial_states(shape: Shape, name: EngineName) -> None:
    codec = Codec(shape)
    for what, state in adversarial_states(shape).items():
        got = codec.decode(engine(shape, name).forward(codec.encode(state)))
        assert got == stepped(shape, state), what


@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_adversarial_states_at_larger_shapes(shape: Shape) -> None:
    states = list(adversarial_states(shape).values())
    expected = encoded(shape, [stepped(shape, state) for state in states])
    assert_same_bits(engine(shape, SPARSE).forward(encoded(shape, states)), expected)


@pytest.mark.parametrize("shape", SMALL, ids=str)
def test_random_states_on_both_engines(shape: Shape) -> None:
    states = random_states(shape, seed=1, count=600)
    columns = encoded(shape, states)
    expected = encoded(shape, [stepped(shape, state) for state in states])
    assert_same_bits(engine(shape, DENSE).forward(columns), expected)
    assert_same_bits(engine(shape, SPARSE).forward(columns), expected)


@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_random_states_at_larger_shapes(shape: Shape) -> None:
    states = random_states(shape, seed=2, count=300)
    expected = encoded(shape, [stepped(shape, state) for state in states])
    assert_same_bits(engine(shape, SPARSE).forward(encoded(shape, states)), expected)


@pytest.mark.parametrize("name", EngineName)
def test_one_state_is_a_column_of_many(name: EngineName) -> None:
    shape = Shape(5, 11)
    columns = encoded(shape, random_states(shape, seed=3, count=50))
    before = columns.copy()
    together = engine(shape, name).forward(columns)
    for at in range(50):
        one = engine(shape, name).forward(np.ascontiguousarray(columns[:, at]))
        assert_same_bits(one, np.ascontiguousarray(together[:, at]))
    assert_same_bits(columns, before)


@pytest.mark.parametrize("name", EngineName)
def test_the_loop_stays_with_the_integers(name: EngineName) -> None:
    """Twenty passes, each over the last one's result: many states halt or fault and then rest."""
    shape = Shape(5, 32)
    states = random_states(shape, seed=4, count=50)
    columns = encoded(shape, states)
    for _ in range(20):
        columns = engine(shape, name).forward(columns)
        states = [stepped(shape, state) for state in states]
        assert_same_bits(columns, encoded(shape, states))


def test_the_random_states_show_every_kind_of_step() -> None:
    shape = Shape(16, 256)
    states = random_states(shape, seed=5, count=1000)
    memory = ArrayMemory(np.array([state.mem for state in states]))
    names = ("pc", "fault", "input", "ready")
    rest = (np.array([getattr(state, name) for state in states]) for name in names)
    kinds = np.bincount(step(shape, Before(memory, *rest)).kind, minlength=SUBTRACT + 1)
    assert (kinds >= 20).all(), kinds


def compare(shape: Shape, seed: int, count: int) -> None:
    states = random_states(shape, seed, count)
    expected = encoded(shape, [stepped(shape, state) for state in states])
    assert_same_bits(engine(shape, SPARSE).forward(encoded(shape, states)), expected)


def test_a_twentieth_of_the_random_steps_at_16_bits_x_256_words() -> None:
    for seed in range(STEPS // 250):
        compare(Shape(16, 256), seed, 250)


@pytest.mark.slow
def test_all_random_steps_at_16_bits_x_256_words() -> None:
    for seed in range(EVERY_STEP // 250):
        compare(Shape(16, 256), seed, 250)


@pytest.mark.parametrize("shape", [Shape(4, 4), Shape(5, 11)], ids=str)
def test_nonzeros_are_counted_alike(shape: Shape) -> None:
    assert engine(shape, DENSE).nonzeros == engine(shape, SPARSE).nonzeros > 0


def demo(output: str = "x", scale: int = 1, second: bool = False) -> None:
    fields = [Field("x", (2,)), Field("y")] if second else [Field("x", (2,))]
    builder = Builder("demo", fields)
    now = builder.layer()
    index = fields[0].indices
    builder.neurons("z", index, now.x[index])
    done = builder.close()
    build(builder.build(builder.output(output, index, scale * done.z[index])), SPARSE)


def test_a_network_that_cannot_loop_is_refused() -> None:
    demo()
    for wrong in ({"output": "z"}, {"scale": 2}, {"second": True}):
        with pytest.raises(ValueError) as error:  # noqa: PT011
            demo(**wrong)
        assert str(error.value) == (
            "the network demo cannot be applied to its own result: its last layer must hold the "
            "fields of its input, in their order, and nothing else."
        )
