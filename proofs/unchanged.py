"""Whether a changed network computes what it did, by trying all values that the changed rows read.

A change is followed forward, from layer to layer, to all rows that may take another value, and back
from these to the neurons that they depend on in some earlier layer.  If for all values of these
neurons, each within its proved range, the rows of some layer are what they were, then so is all
that comes after, on every state.  Values for which a neuron of the layer after would leave its own
proved range are those of no state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from proofs.bounded_values import affected_rows, unchanged_within_bounds
from proofs.matrices import Array, Matrix
from proofs.values import Values

FEW_VALUES, MOST_VALUES = 2**12, 2**22
"""Up to so many combinations of values are tried for one change, few before bounds are."""

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Cone:
    """What has to be computed from layer `first` on: `needed[k]` are the rows of layer `first` + k,
    `affected[k]` those of them that may take another value; `values` is what the first layer reads.
    """

    first: int
    values: Values
    needed: list[Array]
    affected: list[Array]


def unchanged(before: Sequence[Matrix], after: Sequence[Matrix], inputs: Array) -> bool:
    """Whether it is proved that no output is another and no range is left, for inputs 0..`inputs`.

    The matrices are those of all layers, the read-outs last; they differ in their numbers alone.
    The ranges of `before` must hold.
    """
    before, after = _without_twins(before, after)
    if all(
        now is was or not len(now.differing(was)) for was, now in zip(before, after, strict=True)
    ):
        return True
    if _row_by_row(before, after, inputs):
        return True
    cones = [each for each in _cones(before, after, inputs) if each.values.count <= MOST_VALUES]
    cones.sort(key=lambda each: each.values.count)
    few = [each for each in cones if each.values.count <= FEW_VALUES]
    return (
        any(_same(cone, before, after) for cone in few)
        or unchanged_within_bounds(before, after, inputs)
        or any(_same(cone, before, after) for cone in cones[len(few) :])
    )


def _without_twins(
    before: Sequence[Matrix], after: Sequence[Matrix]
) -> tuple[list[Matrix], list[Matrix]]:
    """The same, but of rows that are equal, whose neurons hence always are, only one is read."""
    old, new = [before[0]], [after[0]]
    for depth in range(1, len(before)):
        was, now = before[depth], after[depth]
        if after[depth - 1] is before[depth - 1]:
            folded = _folded(was, before[depth - 1])
            columns = _first_twins(before[depth - 1])
            was, now = folded, folded if now is was else now.reading(columns)
        old.append(was)
        new.append(now)
    return old, new


@lru_cache(maxsize=64)
def _first_twins(matrix: Matrix) -> Array:
    """For each row the first row that is the same."""
    weights = matrix.weights.sorted_indices()
    first: dict[tuple[bytes, bytes, int], int] = {}
    found = []
    for row, (start, stop) in enumerate(pairwise(weights.indptr)):
        key = (
            weights.indices[start:stop].tobytes(),
            weights.data[start:stop].tobytes(),
            int(matrix.bias[row]),
        )
        found.append(first.setdefault(key, row))
    return np.array(found, dtype=np.int64)


@lru_cache(maxsize=64)
def _folded(matrix: Matrix, before: Matrix) -> Matrix:
    return matrix.reading(_first_twins(before))


def _row_by_row(before: Sequence[Matrix], after: Sequence[Matrix], inputs: Array) -> bool:
    """Whether every changed row is what it was for all values of what it reads by itself."""
    ranges = [inputs, *(each.largest for each in before)]
    for depth, (was, now) in enumerate(zip(before, after, strict=True)):
        rows = now.differing(was) if now is not was else _NONE
        for row in rows[:, None]:
            columns = np.union1d(was.read_by(row), now.read_by(row))
            if Values.all(columns, ranges[depth][columns]).count > FEW_VALUES:
                return False
            plain = depth + 1 == len(before)
            found = _differing_values(was, now, row, ranges[depth], plain)
            if found is None or found.choices.shape[1]:
                return False
    return True


def _cones(before: Sequence[Matrix], after: Sequence[Matrix], inputs: Array) -> Iterator[_Cone]:
    """From each layer up to the first that differs to each from the last that does on."""
    differing = [
        now.differing(was) if now is not was else _NONE
        for was, now in zip(before, after, strict=True)
    ]
    changed = [depth for depth, rows in enumerate(differing) if len(rows)]
    start, end = changed[0], changed[-1]
    ranges = [inputs, *(each.largest for each in before)]
    few = None
    if start == end:
        plain = start + 1 == len(before)
        few = _differing_values(before[start], after[start], differing[start], ranges[start], plain)
    affected = affected_rows(before, after)
    for last in range(end, len(before)):
        needed, chain = affected[last], [affected[last]]
        for first in range(last, -1, -1):
            columns = np.union1d(before[first].read_by(needed), after[first].read_by(needed))
            if first == start and few is not None:
                # Where none of the changed rows is another, nothing after them is.
                columns = np.union1d(columns, few.columns)
            if first <= start:
                highs = ranges[first][columns]
                values = Values.all(columns, highs)
                if first == start and few is not None:
                    values = Values(columns, highs, few.columns, few.choices)
                rows = [affected[first + k] for k in range(len(chain))]
                yield _Cone(first, values, chain[::-1], rows)
            # What may take another value is computed too, so that its range is seen to.
            needed = np.union1d(columns, affected[first - 1] if first else _NONE).astype(np.int64)
            chain.append(needed)


def _differing_values(
    before: Matrix, after: Matrix, rows: Array, highs: Array, plain: bool
) -> Values | None:
    """The values of what changed rows read for which they differ or leave their range; None if
    there are too many to be tried.  `plain` rows have no ReLU.
    """
    columns = np.union1d(before.read_by(rows), after.read_by(rows))
    whole = Values.all(columns, highs[columns])
    if whole.count > MOST_VALUES:
        return None
    was, now = before.part(rows, columns), after.part(rows, columns)
    found = []
    narrower = (now.largest < was.largest)[:, None]
    limits = _within(before, columns)
    for values in whole.batches():
        batch = _possible(limits, values)
        old, new = was.product(batch), now.product(batch)
        if not plain:
            old, new = np.maximum(old, 0), np.maximum(new, 0)
        wrong = (new != old) | (narrower & (new > now.largest[:, None]))
        found.append(batch[:, wrong.any(axis=0)])
    return Values(columns, highs[columns], columns, np.concatenate(found, axis=1))


def _same(cone: _Cone, before: Sequence[Matrix], after: Sequence[Matrix]) -> bool:
    """Whether for all values the last rows are what they were, and no range is left."""
    steps = []
    columns = cone.values.columns
    for depth, needed, affected in zip(
        range(cone.first, len(before)), cone.needed, cone.affected, strict=False
    ):
        was, now = before[depth].part(needed, columns), after[depth].part(affected, columns)
        steps.append((was, now, np.searchsorted(needed, affected), depth + 1 == len(before)))
        columns = needed
    limits = _within(before[cone.first], cone.values.columns)
    for values in cone.values.batches():
        mine = other = _possible(limits, values)
        for was, now, places, plain in steps:
            new, mine = now.product(other), was.product(mine)
            if not plain:
                np.maximum(mine, 0, out=mine)
                np.maximum(new, 0, out=new)
                # A row that is what it was is in its range where that is no narrower.
                narrower = (now.largest < was.largest[places])[:, None]
                left = (new > now.largest[:, None]) & (narrower | (new != mine[places]))
                if np.any(left):
                    return False
            other = mine.copy()
            other[places] = new
        if np.any(other != mine):
            return False
    return True


def _within(before: Matrix, columns: Array) -> Matrix:
    """The rows that read no other columns than these."""
    return before.part(before.rows_within(columns), columns)


def _possible(limits: Matrix, values: Array) -> Array:
    """The values for which all these rows are in their ranges."""
    return values[:, (limits.product(values) <= limits.largest[:, None]).all(axis=0)]
