"""Many passes of the machine's network at once, in exact integers, beside the step.

A network whose placed statement was changed is tried on the same random states as the step.  A
state is encoded at random where a construction has several encodings of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
import scipy.sparse as sp

from proofs.matrices import Array, Matrix
from verified_mlp.constructions.registry import DEFAULT, Construction, construction
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import state_fields
from verified_mlp.machine.step import ArrayMemory, Before, step
from verified_mlp.statement.evaluate import offsets

States = Mapping[str, Array]
"""A batch of state vectors: a word or flag for each state by name; `mem` is [states, words]."""

MOST_BITS = 32
"""With wider words int64 would not hold all that a changed network may compute."""

_FEW, _MANY, _AT_ONCE = 2**11, 2**16, 2**13
_MOST_WORDS = 2**22
"""So many words of memory a batch of states has at most."""

_READ = ("mem", "pc", "fault", "input", "ready")
_RESULTS = ("wanted", "output", "valid")


@dataclass(frozen=True, slots=True)
class Failure:
    """A state on which a pass is not the step, or a neuron exceeds its declared largest value.

    `state` gives the words and flags by name; `expected` and `got` the entries of the state vector
    that differ, such as `pc[0]`, and the neurons that exceed, such as `layer 3, run`, of the first
    layer in which some do.
    """

    state: dict[str, str]
    expected: dict[str, str]
    got: dict[str, str]


def failing_state(shape: Shape, matrices: Sequence[Matrix], name: str = DEFAULT) -> Failure | None:
    """A state on which the network of these matrices (see `proofs.matrices`) fails, of some that
    are tried, or None.  `name` is that of the construction which says how states are encoded.

    Raises ValueError, with a sentence, for a shape whose words are too wide.
    """
    if shape.bits > MOST_BITS:
        raise ValueError(
            f"bits = {shape.bits} is too many to try states of a changed network: choose "
            f"{MOST_BITS} bits a word or fewer."
        )
    how = construction(name)
    for states in _random_states(shape):
        vectors = _encoded(shape, how, states)
        got, exceeds = _passed(matrices, vectors)
        wrong = exceeds | np.any(got != _stepped(shape, how, states), axis=0)
        if wrong.any():
            place = [int(np.argmax(wrong))]
            one = {name: numbers[place] for name, numbers in states.items()}
            return _shown(shape, how, matrices, one, vectors[:, place])
    return None


def failure_on(
    shape: Shape, layers: Sequence[Matrix], own: Matrix, vector: Array, name: str
) -> Failure | None:
    """What is wrong with a vector of the domain, which the read-outs `own` decode, or None."""
    how, columns = construction(name), vector[:, None]
    states = _decoded(shape, own.product(columns))
    got, exceeds = _passed(layers, columns)
    if not exceeds.any() and np.array_equal(got, _stepped(shape, how, states)):
        return None
    return _shown(shape, how, layers, states, columns)


def _decoded(shape: Shape, entries: Array) -> States:
    """The states of which these are the entries, a column for each."""
    found, at = {}, 0
    for field in state_fields(shape):
        rows = entries[at : at + prod(field.shape)]
        at += len(rows)
        width = field.shape[-1] if field.shape else 1
        powers = 1 << np.arange(width)
        words = np.tensordot(powers, rows.reshape(-1, width, entries.shape[1]), (0, 1))
        found[field.name] = words.T if field.name == "mem" else words[0]
    return found


def _passed(matrices: Sequence[Matrix], vectors: Array) -> tuple[Array, Array]:
    """(the outputs, whether some neuron exceeds its largest value), for each state."""
    exceeds = np.zeros(vectors.shape[1], dtype=bool)
    for matrix in matrices[:-1]:
        vectors = matrix.product(vectors)
        np.maximum(vectors, 0, out=vectors)
        exceeds |= np.any(vectors > matrix.largest[:, None], axis=0)
    return matrices[-1].product(vectors), exceeds


def _shown(
    shape: Shape, how: Construction, matrices: Sequence[Matrix], state: States, vector: Array
) -> Failure:
    """What is wrong with one state, encoded as the vector."""
    expected: dict[str, str] = {}
    got: dict[str, str] = {}
    for number, matrix in enumerate(matrices[:-1], 1):
        vector = np.maximum(matrix.product(vector), 0)
        for row in np.flatnonzero(vector[:, 0] > matrix.largest) if not expected else ():
            name = f"layer {number}, {matrix.names[row]}"
            expected[name] = f"at most {matrix.largest[row]}"
            got[name] = str(vector[row, 0])
    vector, wanted = matrices[-1].product(vector), _stepped(shape, how, state)
    for row in np.flatnonzero(vector[:, 0] != wanted[:, 0]):
        name = matrices[-1].names[row]
        expected[name], got[name] = str(wanted[row, 0]), str(vector[row, 0])
    words = ", ".join(map(str, state["mem"][0]))
    shown = {name: str(state[name][0]) for name in (*_READ[1:], *_RESULTS)}
    return Failure({"mem": f"[{words}]", **shown}, expected, got)


def _encoded(shape: Shape, how: Construction, states: States) -> Array:
    """The vectors of the construction, a column for each state: every entry that is a sum is in one
    of its parts, in which is drawn at random, always the same.  What is a linear form is encoded.
    """
    if how.forms:
        return _encoded_as_forms(shape, how, states)
    rng = np.random.default_rng(1)
    blocks: list[Array] = []
    memory, *others = (states[name] for name in _READ)
    held = _held(shape, how, Before(ArrayMemory(memory), *others))
    for name, rows in {**_entries(shape, states), **held}.items():
        parts = how.parts(name)
        drawn = rng.integers(0, len(parts), rows.shape)
        blocks += [np.where(drawn == number, rows, 0) for number in range(len(parts))]
    return np.concatenate(blocks)


def _encoded_as_forms(shape: Shape, how: Construction, states: States) -> Array:
    """The vectors of a construction with `forms`, a column for each state."""
    fields = how.network(shape).inputs
    starts, entries = offsets(fields), _entries(shape, states)
    entries_all = sum(prod(each.shape) for each in fields)
    found = np.zeros((entries_all, len(states["pc"])), dtype=np.int64)
    for name, part in how.encoded.items():
        found[starts[part] :][: len(entries[name])] = entries[name]
    return found


def reading_sums(shape: Shape, how: Construction, first: Sequence[Matrix]) -> list[Matrix]:
    """Matrices of the first layer, where of the parts of an entry that is a sum only one is read of
    those that every row of all of them reads with the same weight.  The others may then be taken as
    0, for at most one part of an entry is 1.
    """
    if how.forms:
        return list(first)
    same = _equal_columns(first)
    unread, at = np.zeros(len(same), dtype=bool), 0
    for name, extent in entries_of(shape, how).items():
        parts = same[at : at + len(how.parts(name)) * extent].reshape(-1, extent)
        for number, part in enumerate(parts):
            unread[at + number * extent :][:extent] = (parts[:number] == part).any(axis=0)
        at += parts.size
    found = []
    for each in first:
        weights = each.weights.copy()
        weights.data[unread[weights.indices]] = 0
        weights.eliminate_zeros()
        found.append(Matrix(weights, each.bias, each.largest, each.names))
    return found


def entries_of(shape: Shape, how: Construction) -> dict[str, int]:
    """How many entries there are of each field of the state, and of what is held besides."""
    sizes = {field.name: prod(field.shape) for field in state_fields(shape)}
    if how.prefetched:
        sizes.update(dict.fromkeys(how.prefetched.flags, 1))
        sizes.update(dict.fromkeys(how.prefetched.words, shape.bits))
    return sizes


def _equal_columns(matrices: Sequence[Matrix]) -> Array:
    """For each column the first column that is the same in all matrices."""
    columns = sp.vstack([each.weights for each in matrices]).tocsc().sorted_indices()
    first: dict[tuple[bytes, bytes], int] = {}
    pairs = enumerate(pairwise(columns.indptr))
    keys = (
        (
            first.setdefault(
                (columns.indices[start:end].tobytes(), columns.data[start:end].tobytes()), column
            )
        )
        for column, (start, end) in pairs
    )
    return np.fromiter(keys, dtype=np.int64)


def _vectors(shape: Shape, states: States) -> Array:
    """The entries of the fields of the state, a column for each state."""
    return np.concatenate(list(_entries(shape, states).values()))


def _entries(shape: Shape, states: States) -> dict[str, Array]:
    """The bits of every field of the state, a column for each state."""
    found: dict[str, Array] = {}
    for field in state_fields(shape):
        numbers = states[field.name]
        width = field.shape[-1] if field.shape else 1
        words = numbers.T if field.name == "mem" else [numbers]
        found[field.name] = np.stack([(word >> k) & 1 for word in words for k in range(width)])
    return found


def _held(shape: Shape, how: Construction, state: Before) -> dict[str, Array]:
    """The bits of what a vector holds besides the fields of the state, a column for each state."""
    if how.prefetched is None:
        return {}
    found = how.prefetched.of(shape, state)
    flags = {name: found[name][None] for name in how.prefetched.flags}
    words = {
        name: np.stack([(found[name] >> k) & 1 for k in range(shape.bits)])
        for name in how.prefetched.words
    }
    return {**flags, **words}


def _stepped(shape: Shape, how: Construction, states: States) -> Array:
    """The state vectors that the step gives, and what is held besides."""
    memory, *others = (states[name] for name in _READ)
    after = step(shape, Before(ArrayMemory(memory), *others))
    found = {name: getattr(after, name) for name in (*_READ[1:], *_RESULTS)}
    state = _vectors(shape, {"mem": after.mem.words, **found})
    left = Before(after.mem, after.pc, after.fault, after.input, after.ready)
    return np.concatenate([state, *_held(shape, how, left).values()])


def _random_states(shape: Shape) -> Iterator[States]:
    """Few states, then many, always the same, with any results of a pass before.

    Words are often addresses, sometimes -1; at pc there is often an instruction, its operands at
    times equal or with equal words.
    """
    rng = np.random.default_rng(0)
    most = max(_MOST_WORDS // shape.words, _FEW)
    yield _random(shape, rng, _FEW)
    left = _MANY
    while left > 0:
        count = min(_AT_ONCE, left, most)
        left -= count
        yield _random(shape, rng, count)


def _random(shape: Shape, rng: np.random.Generator, count: int) -> States:
    top = shape.modulus - 1

    def some(percent: int) -> Array:
        return rng.integers(0, 100, count) < percent

    def below(end: int, *more: int) -> Array:
        return rng.integers(0, end, (count, *more), dtype=np.int64)

    near = rng.integers(0, 100, (count, shape.words))
    mem = np.where(near < 50, below(min(shape.words + 3, top + 1), shape.words), top)
    mem = np.where(near < 85, mem, below(top + 1, shape.words))
    pc = np.where(some(85), below(shape.code), below(top + 1))
    inside = pc < shape.words - 2
    for ahead in (0, 1):
        operand = np.where(some(25), top, below(shape.addresses))
        chosen = np.flatnonzero(inside & some(70))
        mem[chosen, pc[chosen] + ahead] = operand[chosen]
    chosen = np.flatnonzero(inside & some(10))
    mem[chosen, pc[chosen] + 1] = mem[chosen, pc[chosen]]
    chosen = np.flatnonzero(inside & some(20))
    a, b = mem[chosen, pc[chosen]], mem[chosen, pc[chosen] + 1]
    held = (a < shape.words) & (b < shape.words)
    mem[chosen[held], b[held]] = mem[chosen[held], a[held]]
    flags = {name: np.where(some(50), 1, 0) for name in ("ready", "wanted", "valid")}
    words = {name: below(top + 1) for name in ("input", "output")}
    return {"mem": mem, "pc": pc, "fault": np.where(some(10), 1, 0), **flags, **words}
