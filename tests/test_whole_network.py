"""The whole network, in exact integer arithmetic, against the step function."""

from collections.abc import Iterator, Sequence
from itertools import groupby, product
from typing import Any

import numpy as np
import pytest
from exact_batch import forward, layers, state_vectors, vectors_after
from sample_states import adversarial_states, random_states

from verified_mlp.constructions.paper import STAGES, paper
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State, state_fields
from verified_mlp.machine.step import After, ArrayMemory, Before, ListMemory, step
from verified_mlp.statement.evaluate import width

TINY = Shape(4, 4)
ALL_WORDS = range(16)
AT_ONCE = 2**14
EVERY_STATE = [(ALL_WORDS, (0, 1), ALL_WORDS, (0, 1))]
SOME_STATES = [
    # At the two places where an instruction can stand, with some input words.
    ((0, 1), (0,), (0, 5, 8, 15), (0, 1)),
    # Everywhere else, also where pc is negative.
    (range(2, 16), (0,), (6,), (1,)),
    # With the fault flag set.
    ((0, 8), (1,), (9,), (1,)),
]
"""Program counters, fault flags, input words and ready flags; each with all 2**16 memories."""

SHAPES = [
    Shape(4, 4),
    Shape(4, 7),
    Shape(4, 15),
    Shape(4, 16),
    Shape(5, 32),
    Shape(6, 21),
    Shape(8, 64),
    Shape(8, 255),
    Shape(8, 256),
    Shape(13, 100),
    Shape(16, 256),
    Shape(16, 1000),
    Shape(24, 50),
    Shape(63, 30),
    Shape(64, 37),
]


def all_memories() -> ArrayMemory:
    place = np.arange(2**16, dtype=np.int32)
    return ArrayMemory(np.stack([(place >> 4 * word) & 15 for word in range(4)], axis=1))


def batches(parts: Sequence[tuple[Sequence[int], ...]]) -> Iterator[Before]:
    """The states of some parts of the tiny machine, all memories at a time."""
    memory = all_memories()
    same = np.ones(len(memory.words), dtype=np.int32)
    for part in parts:
        for numbers in product(*part):
            yield Before(memory, *(same * number for number in numbers))


def differing(weights: Any, before: Before) -> int:
    """For how many states the network does not do what the step does."""
    expected = vectors_after(TINY, step(TINY, before), np.int16)
    vectors = state_vectors(TINY, before, dtype=np.int16)
    count = 0
    for start in range(0, vectors.shape[1], AT_ONCE):
        block = slice(start, start + AT_ONCE)
        got = forward(weights, np.ascontiguousarray(vectors[:, block]))
        count += int(np.any(got != expected[:, block], axis=0).sum())
    return count


def test_stages() -> None:
    network = paper(TINY)
    stages = [
        (name, len(list(run))) for name, run in groupby(each.stage for each in network.layers)
    ]
    assert stages == list(STAGES)
    assert [count for _, count in stages] == [2, 2, 7, 2, 6, 4]
    assert all(layer.note for layer in network.layers)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_last_layer_is_the_state_vector(shape: Shape) -> None:
    network = paper(shape)
    fields = state_fields(shape)
    assert network.inputs == fields
    rows = [family.shape for family in network.layers[-1].neurons]
    assert rows == [field.shape for field in fields]
    assert [output.name for output in network.outputs] == [field.name for field in fields]
    assert width(network.layers[-1].neurons) == width(fields)


def test_results_are_never_read() -> None:
    """What a pass reports has zero columns in the first layer."""
    for shape in (TINY, Shape(16, 40)):
        first, _ = layers(paper(shape))[0]
        assert first[:, -(shape.bits + 2) :].nnz == 0


def test_some_states_of_a_tiny_machine() -> None:
    weights = layers(paper(TINY), np.int16)
    count = 0
    for before in batches(SOME_STATES):
        assert differing(weights, before) == 0
        count += len(before.pc)
    assert count == (16 + 14 + 2) * 2**16


@pytest.mark.slow
def test_every_state_of_a_tiny_machine(capsys: pytest.CaptureFixture[str]) -> None:
    weights = layers(paper(TINY), np.int16)
    done, whole = 0, 2**26
    for before in batches(EVERY_STATE):
        assert differing(weights, before) == 0
        done += len(before.pc)
        if done % 2**22 == 0:
            with capsys.disabled():
                print(f"{TINY}: {done:,} of {whole:,} states equal the step", flush=True)
    assert done == whole


def array_of(words: Sequence[int]) -> Any:
    return np.array(words, dtype=np.uint64)


def packed(shape: Shape, states: Sequence[State]) -> Any:
    """The vectors of states on Python ints."""
    columns = {
        name: array_of([getattr(state, name) for state in states])
        for name in ("pc", "fault", "input", "ready", "wanted", "output", "valid")
    }
    memory = ArrayMemory(np.array([state.mem for state in states], dtype=np.uint64))
    before = Before(memory, *(columns[name] for name in ("pc", "fault", "input", "ready")))
    return state_vectors(shape, before, (columns["wanted"], columns["output"], columns["valid"]))


def stepped(shape: Shape, state: State) -> tuple[State, int]:
    """The state after one step on Python ints, and what happened."""
    memory = ListMemory(list(state.mem))
    after: After = step(shape, Before(memory, state.pc, state.fault, state.input, state.ready))
    state = State(
        memory.words,
        after.pc,
        after.fault,
        after.input,
        after.ready,
        after.wanted,
        after.output,
        after.valid,
    )
    return state, after.kind


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_and_adversarial_states(shape: Shape) -> None:
    adversarial = adversarial_states(shape)
    names = [*adversarial, *(f"random state {at}" for at in range(300))]
    states = [*adversarial.values(), *random_states(shape, seed=shape.words, count=300)]
    after = [stepped(shape, state) for state in states]
    assert {kind for _, kind in after} == {0, 1, 2, 3, 4, 5}
    got = forward(layers(paper(shape)), packed(shape, states))
    wrong = np.any(got != packed(shape, [state for state, _ in after]), axis=0)
    assert [names[at] for at in np.flatnonzero(wrong)] == []


def found_by(depth: int, tries: Iterator[tuple[Any, Any]]) -> bool:
    """Whether one of the changes of a layer gives other steps."""
    weights = layers(paper(TINY), np.int16)
    parts = [((0, 1), (0,), (11,), (0, 1))]
    return any(
        differing([*weights[:depth], changed, *weights[depth + 1 :]], before)
        for changed in tries
        for before in batches(parts)
    )


@pytest.mark.parametrize("depth", range(23), ids=lambda depth: f"layer {depth + 1}")
def test_a_changed_weight_is_found(depth: int) -> None:
    """Some changes are harmless, so a few are tried."""

    def tries() -> Iterator[tuple[Any, Any]]:
        matrix, bias = layers(paper(TINY), np.int16)[depth]
        for at in np.random.default_rng(depth).choice(matrix.nnz, 5, replace=False):
            changed = matrix.copy()
            changed.data[at] += 1
            yield changed, bias

    assert found_by(depth, tries())


@pytest.mark.parametrize("depth", range(23), ids=lambda depth: f"layer {depth + 1}")
def test_a_changed_bias_is_found(depth: int) -> None:
    """Some changes are harmless, so a few are tried."""

    def tries() -> Iterator[tuple[Any, Any]]:
        matrix, bias = layers(paper(TINY), np.int16)[depth]
        for at in np.random.default_rng(depth).choice(len(bias), 5, replace=False):
            changed = bias.copy()
            changed[at] += 1
            yield matrix, changed

    assert found_by(depth, tries())
