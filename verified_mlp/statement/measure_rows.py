"""What is counted of a row, on its plain entries.

`measure` finds the same numbers without enumerating the rows, where it can.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from verified_mlp.statement.affine import Affine
from verified_mlp.statement.arrays import Array, entries
from verified_mlp.statement.evaluate import offsets, size
from verified_mlp.statement.expr import Index, Number, var
from verified_mlp.statement.network import Field, Layer, Network, Neurons, Placed
from verified_mlp.statement.normal import axis_name, collect

_SUMMANDS_AT_ONCE = 2**20


@dataclass(frozen=True, slots=True)
class Measure:
    """Of some rows of a layer, exactly: how many there are, their non-zero weights, and the
    largest absolute weight, absolute bias and possible partial sum.

    The largest possible partial sum of a row is `sum |W| * largest(x) + |b|`: no sum of some of
    its products, in any order, exceeds it.  At most one position along the first axis of a
    `one_hot` field is non-zero, so of the positions of such a field only the one that
    contributes most is counted.
    """

    rows: int = 0
    nonzeros: int = 0
    largest_weight: Number = 0
    largest_bias: Number = 0
    largest_partial_sum: Number = 0

    def __or__(self, other: Measure) -> Measure:
        """The measure of both together."""
        return Measure(
            self.rows + other.rows,
            self.nonzeros + other.nonzeros,
            max(self.largest_weight, other.largest_weight),
            max(self.largest_bias, other.largest_bias),
            max(self.largest_partial_sum, other.largest_partial_sum),
        )


def by_rows(sources: Sequence[Field | Neurons], family: Neurons) -> Measure:
    """The measure of a family that reads the sources, from all its entries, some rows at a time.

    Raises IndexError if a term reads outside its field.
    """
    return reduce(Measure.__or__, (_of_part(sources, part) for part in _parts(family)), Measure())


def _parts(family: Neurons) -> Iterator[Neurons]:
    """The family cut along its first axis, so that each part has a bounded number of entries."""
    axes = tuple(Index(axis_name(axis), extent) for axis, extent in enumerate(family.shape))
    row = Affine(collect(family.row, family.indices))
    if not axes:
        yield replace(family, row=row)
        return
    first, rest = axes[0], axes[1:]
    summands = sum(size([bound.size for bound in term.bounds]) for term in row.terms)
    step = max(1, _SUMMANDS_AT_ONCE // max(1, summands * size(family.shape[1:])))
    for start in range(0, first.size, step):
        part = Index(first.name, min(step, first.size - start))
        shifted = row.substitute({first.name: var(first.name) + start})
        yield replace(family, indices=(part, *rest), row=shifted)


def _of_part(sources: Sequence[Field | Neurons], family: Neurons) -> Measure:
    read = tuple(Field(source.name, source.shape) for source in sources)
    layer = Layer((Placed(family.name, None, 0, family.indices, {}, {}, (family,)),))
    found = entries(Network(family.name, read, (layer,), ()), 0)
    bias = np.abs(found.bias.astype(object))
    order = np.lexsort((found.columns, found.rows))
    rows, columns, weights = found.rows[order], found.columns[order], found.weights[order]
    starts = _starts(rows, columns)
    # Object arrays hold Python's integers and fractions, which do not overflow.
    weights = _reduce(np.add, weights.astype(object), starts)
    kept = weights != 0
    rows, columns, weights = rows[starts][kept], columns[starts][kept], np.abs(weights[kept])

    source, group, largest = _read(sources, columns)
    starts = _starts(rows, source, group)
    rows, source = rows[starts], source[starts]
    sums = _reduce(np.add, weights * largest, starts)
    starts = _starts(rows, source)
    totals = bias.copy()
    np.add.at(totals, rows[starts], _reduce(np.maximum, sums, starts))
    return Measure(len(bias), len(weights), max(weights, default=0), max(bias), max(totals))


def _read(sources: Sequence[Field | Neurons], columns: Array) -> tuple[Array, Array, Array]:
    """For each column its source, its position along the first axis where that is one-hot
    (else 0), and its largest value.
    """
    which = np.zeros(len(columns), dtype=np.int64)
    group = np.zeros(len(columns), dtype=np.int64)
    largest = np.zeros(len(columns), dtype=object)
    firsts = offsets(sources)
    for number, source in enumerate(sources):
        first = firsts[source.name]
        at = np.flatnonzero((columns >= first) & (columns < first + size(source.shape)))
        which[at] = number
        position: tuple[Array, ...] = ()
        if source.shape:
            position = np.unravel_index(columns[at] - first, source.shape)
        names = [index.name for index in source.indices]
        largest[at] = source.largest.evaluate(dict(zip(names, position, strict=True)))
        if source.one_hot and position:
            group[at] = position[0]
    return which, group, largest


def _starts(*keys: Array) -> Array:
    """Where a new combination of the keys begins."""
    changes = np.ones(len(keys[0]), dtype=bool)
    changes[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.flatnonzero(changes)


def _reduce(combine: Any, values: Array, starts: Array) -> Array:
    # reduceat has no meaning for no values at all.
    reduced: Array = combine.reduceat(values, starts) if len(starts) else values
    return reduced
