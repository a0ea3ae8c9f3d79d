"""What every neuron of every layer is in one pass, at any size: none of it stored.

The support engine's plan says of every array where its entries are: in registers, or zero or the
memory outside of one row.  A `View` reads any entry from that, and `Activations` has the views of
all layers.  A row of the statement can be evaluated over the views of the layer before it, with all
of its literal weights, and so be compared with what the view of its own layer says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numeric.lower import Array
from numeric.support import SupportEngine, SupportProcessor
from numeric.support_reading import Held, Outside
from verified_mlp.statement.affine import Affine, Term
from verified_mlp.statement.evaluate import entry_name
from verified_mlp.statement.network import Network, Neurons


class WrongValueError(Exception):
    """A view says something else of a neuron than the neuron's row; the text says what."""


class View:
    """An array as the plan has it after a pass: any entry, none of them stored."""

    def __init__(self, array: Held | Outside, values: Array, slots: Array, memory: Array) -> None:
        self._array, self._memory = array, memory
        registers = array.registers
        self._values = None if registers is None else values[registers]
        self.slot = None
        if isinstance(array, Outside) and array.slot is not None:
            self.slot = int(slots[array.slot])

    def at(self, *positions: Any) -> Any:
        """The entries at some positions: numbers, or arrays of numbers."""
        if isinstance(self._array, Held):
            assert self._values is not None
            return self._values[positions]
        row, *rest = positions
        found: Any = 0.0
        if self._array.base:
            words = self._memory[row].astype(np.uint64)
            found = ((words >> np.asarray(rest[0], dtype=np.uint64)) & np.uint64(1)).astype(float)
        if self.slot is None or self._values is None:
            return found
        return np.where(np.asarray(row) == self.slot, self._values[tuple(rest)], found)

    def rows_on(self) -> list[int]:
        """The positions on the first axis at which some entry is not zero, in order."""
        if isinstance(self._array, Held):
            assert self._values is not None
            rows = np.unique(np.nonzero(self._values)[0])
        else:
            rows = np.flatnonzero(self._memory) if self._array.base else np.zeros(0, dtype=int)
            if self.slot is not None and self._values is not None:
                rows = rows[rows != self.slot]
                if self.slot < self._array.extent and self._values.any():
                    rows = np.sort(np.append(rows, self.slot))
        return [int(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Input:
    """An entry that a row reads: its name, its weight in the row and its value."""

    name: str
    weight: float
    value: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a neuron is what it is: `value` = ReLU(`sum`), where `sum` is `bias` and the products of
    weights and values; `inputs` are the entries that are read with a weight other than zero, but
    for `off` of them, which are zero.
    """

    name: str
    inputs: tuple[Input, ...]
    off: int
    bias: float
    sum: float
    value: float


class Activations:
    """All layers in the pass that an engine makes from the state of a processor.

    `layers[0]` are the views of the state before it by name, `layers[n]` those of layer n, the last
    of which are the state after it.  The views read the processor's memory, so they hold until it
    is changed.  `values` are the plan's registers and `slots` the rows that it found.
    """

    def __init__(self, engine: SupportEngine, network: Network, before: SupportProcessor) -> None:
        self.network = network
        blocks = engine.blocks
        with engine.taken:
            blocks.start(before.memory, before.entries)
            blocks.compute()
            self.values, self.slots = blocks.values[blocks.at], blocks.slots.copy()
        self.layers = [
            {
                name: View(array, self.values, self.slots, before.memory)
                for name, array in layer.items()
            }
            for layer in engine.plan.arrays
        ]

    def explain(self, depth: int, name: str, point: Sequence[int], most: int) -> Explanation:
        """Why a neuron of layer `depth` (from 1) is what it is.

        At most `most` inputs that are zero are listed.  Raises KeyError for a name that the layer
        does not have, IndexError for a point outside of its array, and WrongValueError if the row
        gives another value than the view.
        """
        families = {family.name: family for family in self.network.layers[depth - 1].neurons}
        family, sources = families[name], self.network.sources(depth - 1)
        if len(point) != len(family.shape) or not all(
            0 <= at < extent for at, extent in zip(point, family.shape, strict=True)
        ):
            raise IndexError(f"{entry_name(name, tuple(point))} is outside of {family.shape}")
        views = self.layers[depth - 1]
        read, bias = _weights(family.row, named(family, point), {s.name: s.shape for s in sources})
        inputs, off, total = list[Input](), 0, bias
        for source in sources:
            if source.name not in read:
                continue
            columns, weights = read[source.name]
            # The columns of a scalar are 0 alone.
            places = np.unravel_index(columns, source.shape) if source.shape else ()
            values = np.broadcast_to(views[source.name].at(*places), columns.shape)
            total += float(weights @ values)
            on = np.flatnonzero(values)
            unlisted = len(columns) - len(on)
            shown = on if unlisted > most else np.arange(len(columns))
            off += len(columns) - len(shown)
            for at in shown.tolist():
                place = tuple(int(axis[at]) for axis in places)
                entry = entry_name(source.name, place)
                inputs.append(Input(entry, float(weights[at]), float(values[at])))
        found, value = max(total, 0.0), float(self.layers[depth][name].at(*point))
        entry = entry_name(name, tuple(point))
        if found != value:
            raise WrongValueError(
                f"layer {depth}, {entry} is {value:g} by the plan and {found:g} by its row."
            )
        return Explanation(entry, tuple(inputs), off, bias, total, value)


def row_value(row: Affine, place: Mapping[str, int], views: Mapping[str, View]) -> float:
    """The value of an affine form, all of its summands evaluated."""
    return sum((_term_value(term, place, views) for term in row.terms), 0.0)


def named(family: Neurons, point: Sequence[int]) -> dict[str, int]:
    """The values of a family's indices at a point."""
    return {index.name: at for index, at in zip(family.indices, point, strict=True)}


def _summands(term: Term, place: Mapping[str, int]) -> tuple[Array, list[Any]]:
    """The weights of all summands of a term, as a grid, and the positions at which it reads."""
    values: dict[str, Any] = dict(place)
    inside: Any = True
    for axis, bound in enumerate(term.bounds):
        lay = [1] * len(term.bounds)
        lay[axis] = bound.size
        at = np.arange(bound.size).reshape(lay)
        first, end = bound.low.evaluate(values), bound.high.evaluate(values)
        inside = inside & (first <= at) & (at < end)
        # Outside of its ends the summand need not make sense.
        values[bound.name] = np.clip(at, first, np.maximum(end - 1, first))
    weights = np.where(inside, term.coefficient.evaluate(values), 0)
    shape = tuple(bound.size for bound in term.bounds)
    refs = () if term.ref is None else term.ref.positions
    return np.broadcast_to(weights, shape), [position.evaluate(values) for position in refs]


def _term_value(term: Term, place: Mapping[str, int], views: Mapping[str, View]) -> float:
    weights, positions = _summands(term, place)
    # An entry that is read with weight 0 may be outside of its array.
    if term.ref is None or not np.any(weights):
        return float(weights.sum())
    return float((weights * views[term.ref.field].at(*positions)).sum())


def _weights(
    row: Affine, place: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, tuple[Array, Array]], float]:
    """The row's entries other than zero, by the array that is read: columns of the flattened array
    and weights; and the bias.
    """
    found: dict[str, list[tuple[Array, Array]]] = {}
    bias = 0.0
    for term in row.terms:
        weights, positions = _summands(term, place)
        if term.ref is None:
            bias += float(weights.sum())
            continue
        on = np.nonzero(weights) if weights.ndim else ()
        if not np.any(weights):
            continue
        columns = np.zeros(1, dtype=np.int64)
        for position, extent in zip(positions, shapes[term.ref.field], strict=True):
            at = np.broadcast_to(position, weights.shape)[on].reshape(-1)
            columns = columns * extent + at
        found.setdefault(term.ref.field, []).append((columns, weights[on].reshape(-1)))
    return {
        name: merged for name, parts in found.items() if len((merged := _merged(parts))[0])
    }, bias


def _merged(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Each column once, in order, with the sum of its weights where that is not zero."""
    columns, where = np.unique(np.concatenate([each for each, _ in parts]), return_inverse=True)
    weights = np.bincount(where, np.concatenate([each for _, each in parts]).astype(float))
    return columns[weights != 0], weights[weights != 0]


def points_on(
    view: View, shape: Sequence[int], row: int
) -> Iterator[tuple[tuple[int, ...], float]]:
    """The entries other than zero in a row of an array of a shape, with their values."""
    rest = tuple(shape[1:])
    grid = np.indices(rest)
    entries = np.broadcast_to(view.at(row, *grid), rest)
    for place in np.argwhere(entries).tolist():
        yield (row, *place), float(entries[tuple(place)])
