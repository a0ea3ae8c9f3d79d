"""Sabotage of the arrays: change them in one place at a time, and see what the tie-check says.

A change counts as caught only if the tie-check finds differences in exactly those neurons that
were changed, and, for a change of weights, in exactly those columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

import numpy as np
import scipy.sparse as sp

from numeric.lower import Array, Lowered, lower_layers
from numeric.tie_check import Difference, check_layer
from verified_mlp.statement.evaluate import column_names, width
from verified_mlp.statement.network import Layer, Network


class Kind(StrEnum):
    """How arrays are changed."""

    WEIGHT_UP = "a weight changed by +1"
    WEIGHT_DOWN = "a weight changed by -1"
    WEIGHT_MOVED = "a weight moved to another column"
    WEIGHT_DROPPED = "a weight dropped"
    WEIGHT_ADDED = "a weight of 1 added"
    BIAS_UP = "a bias changed by +1"
    BIAS_DOWN = "a bias changed by -1"
    ROW_ZEROED = "a row zeroed"
    ROWS_SWAPPED = "two rows swapped"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a layer, every weight written out, and its bias."""

    weights: Array
    bias: float


@dataclass(frozen=True, slots=True)
class ArrayMutant:
    """A change and what the tie-check said of it; `layer` counts from 1, `gadget` is the title of
    the one to which the row belongs ("" if it belongs to none).
    """

    kind: Kind
    layer: int
    gadget: str
    place: str
    caught: bool
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        """The change in a line."""
        return f"layer {self.layer}, {f'{self.gadget} {self.place}'.strip()}: {self.kind}"


def sabotage_arrays(
    network: Network,
    sample: int | None = None,
    seed: int = 0,
    gadgets: Collection[str] | None = None,
) -> Iterator[ArrayMutant]:
    """Change every row of every layer (or `sample` rows of each layer) in every kind of way; only
    rows of the gadgets with these titles, if there are some.

    Which weight or column of a row is changed, and with which other row it is swapped, is drawn
    at random from the seed.  A kind that would change nothing in a row is left out: a weight
    dropped where there is none, a row zeroed that is zero, a swap where all rows are equal.  The
    tie-check compares every row of the changed layer.
    """
    random = Random(seed)
    for depth, layer in enumerate(lower_layers(network)):
        columns = column_names(network.sources(depth))
        neurons = column_names(network.layers[depth].neurons)
        owners = _owners(network.layers[depth])
        rows = [row for row, owner in enumerate(owners) if gadgets is None or owner in gadgets]
        if sample is not None:
            rows = sorted(random.sample(rows, min(sample, len(rows))))
        for row in rows:
            for kind in Kind:
                changed = change(layer, row, kind, random)
                if changed:
                    yield _judge(
                        network, depth, layer, kind, owners[row], changed, neurons, columns
                    )


def _owners(layer: Layer) -> list[str]:
    """The title of the gadget to which each row belongs."""
    return [
        placed.gadget.title if placed.gadget else ""
        for placed in layer.placed
        for _ in range(width(placed.neurons))
    ]


def change(layer: Lowered, row: int, kind: Kind, random: Random) -> dict[int, Row]:
    """The rows that a change of that kind leaves in the place of others; none, if it cannot be
    made in that row.
    """
    before = row_of(layer, row)
    used = np.flatnonzero(before.weights).tolist()
    unused = np.flatnonzero(before.weights == 0).tolist()
    weights, bias = before.weights.copy(), before.bias
    match kind:
        case Kind.WEIGHT_UP | Kind.WEIGHT_DOWN if used:
            weights[random.choice(used)] += 1 if kind is Kind.WEIGHT_UP else -1
        case Kind.WEIGHT_MOVED if used and unused:
            source, target = random.choice(used), random.choice(unused)
            weights[target], weights[source] = weights[source], 0
        case Kind.WEIGHT_DROPPED if used:
            weights[random.choice(used)] = 0
        case Kind.WEIGHT_ADDED if unused:
            weights[random.choice(unused)] = 1
        case Kind.BIAS_UP | Kind.BIAS_DOWN:
            bias += 1 if kind is Kind.BIAS_UP else -1
        case Kind.ROW_ZEROED if used or bias:
            weights[:], bias = 0, 0
        case Kind.ROWS_SWAPPED:
            count = len(layer.bias)
            start = random.randrange(count)
            for other in (*range(start, count), *range(start)):
                partner = row_of(layer, other)
                if _changes(before, partner):
                    return {row: partner, other: before}
            return {}
        case _:
            return {}
    return {row: Row(weights, bias)}


def row_of(layer: Lowered, row: int) -> Row:
    """A row of a layer."""
    weights = np.zeros(layer.weights.shape[1])
    start, end = layer.weights.indptr[row : row + 2]
    weights[layer.weights.indices[start:end]] = layer.weights.data[start:end]
    return Row(weights, float(layer.bias[row]))


def with_rows(layer: Lowered, changed: Mapping[int, Row]) -> Lowered:
    """The layer with some rows replaced."""
    weights, bias = layer.weights, layer.bias.copy()
    counts = np.diff(weights.indptr)
    columns = np.split(weights.indices, weights.indptr[1:-1])
    data = np.split(weights.data, weights.indptr[1:-1])
    for row, new in changed.items():
        columns[row] = np.flatnonzero(new.weights)
        data[row], counts[row] = new.weights[columns[row]], len(columns[row])
        bias[row] = new.bias
    starts = np.concatenate(([0], np.cumsum(counts)))
    parts = (np.concatenate(data), np.concatenate(columns), starts)
    return Lowered(sp.csr_array(parts, weights.shape), bias)


def _judge(
    network: Network,
    depth: int,
    layer: Lowered,
    kind: Kind,
    gadget: str,
    changed: Mapping[int, Row],
    neurons: list[str],
    columns: list[str],
) -> ArrayMutant:
    expected = set()
    for row, new in changed.items():
        before = row_of(layer, row)
        expected |= {(row, column) for column in _changes(before, new)}
    names = {(neurons[row], "" if at < 0 else columns[at]) for row, at in expected}
    tie = check_layer(network, depth, *with_rows(layer, changed), most=len(names) + 1)
    found = {(each.neuron, each.column) for each in tie.differences}
    place = " and ".join(neurons[row] for row in sorted(changed))
    if kind not in (Kind.ROW_ZEROED, Kind.ROWS_SWAPPED):
        place += f", {' and '.join(sorted(column or 'bias' for _, column in names))}"
    return ArrayMutant(kind, depth + 1, gadget, place, found == names, tie.differences)


BIAS = -1
"""Stands for the bias where a column is named."""


def _changes(before: Row, after: Row) -> list[int]:
    """The columns whose weights differ, and BIAS."""
    columns: list[int] = np.flatnonzero(before.weights != after.weights).tolist()
    return columns if before.bias == after.bias else [*columns, BIAS]
