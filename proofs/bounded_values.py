"""Whether a changed network computes what it did, by bounds on what is not tried.

What the changed rows depend on is tried, value by value, and what the rows after them depend on, as
far as that goes.  Of everything else only bounds are known, which are carried from layer to layer.
A neuron that one value of a gate holds at 0, whatever else it reads, is known all the same: so is
the end of most changes that matter only where nothing reads the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from proofs.matrices import Array, Matrix
from proofs.values import Values

MOST_VALUES = 2**14
"""Up to so many values of what the changed rows depend on are tried."""


def unchanged_within_bounds(
    before: Sequence[Matrix], after: Sequence[Matrix], inputs: Array
) -> bool:
    """Whether it is proved that no output is another and no range is left (see `unchanged`)."""
    for columns in _likely(before[0], after[0]):
        tried = Values.all(columns, inputs[columns])
        if tried.count <= MOST_VALUES and _all_same(before, after, tried, inputs):
            return True
    reached = affected_rows(before, after)
    seen = -1
    for last in range(len(before)):
        columns = _inputs_of(before, after, reached[: last + 1])
        tried = Values.all(columns, inputs[columns])
        if tried.count > MOST_VALUES:
            return False
        if len(columns) == seen or (not len(columns) and not len(reached[last])):
            continue
        seen = len(columns)
        if _all_same(before, after, tried, inputs):
            return True
    return False


def _likely(before: Matrix, after: Matrix) -> Iterator[Array]:
    """Inputs of the first layer that often decide: those whose weights were changed, and those that
    all changed rows read.
    """
    rows, columns = (after.weights - before.weights).nonzero()
    if len(rows):
        changed = np.unique(rows)
        yield np.unique(columns)
        patterns = (before.pattern + after.pattern)[changed].sign()
        yield np.flatnonzero(patterns.sum(axis=0) == len(changed))


def _all_same(
    before: Sequence[Matrix], after: Sequence[Matrix], tried: Values, inputs: Array
) -> bool:
    return all(_same(before, after, *each) for each in _starts(tried, tried.columns, inputs))


def affected_rows(before: Sequence[Matrix], after: Sequence[Matrix]) -> list[Array]:
    """For each layer the rows that were changed or that read, at some remove, such rows."""
    found: list[Array] = []
    reached = np.zeros(0, dtype=np.int64)
    for was, now in zip(before, after, strict=True):
        reached = np.union1d(was.readers(reached), now.readers(reached)).astype(np.int64)
        if now is not was:
            reached = np.union1d(reached, now.differing(was)).astype(np.int64)
        found.append(reached)
    return found


def _inputs_of(before: Sequence[Matrix], after: Sequence[Matrix], rows: Sequence[Array]) -> Array:
    """The inputs on which some rows of the first layers depend."""
    needed = np.zeros(0, dtype=np.int64)
    for was, now, own in reversed(list(zip(before, after, rows, strict=False))):
        needed = np.union1d(needed, own).astype(np.int64)
        needed = np.union1d(was.read_by(needed), now.read_by(needed)).astype(np.int64)
    return needed


def _starts(tried: Values, columns: Array, inputs: Array) -> Iterator[tuple[Array, Array]]:
    """(least, greatest) values of all inputs, for many values of those that are tried."""
    for batch in tried.batches():
        least = np.zeros((len(inputs), batch.shape[1]), dtype=np.int64)
        greatest = least + inputs[:, None]
        least[columns] = greatest[columns] = batch
        yield least, greatest


def _same(before: Sequence[Matrix], after: Sequence[Matrix], least: Array, greatest: Array) -> bool:
    """Whether what may be another, somewhere between these bounds, is not in the end."""
    old = new = (least, greatest)
    other = np.zeros(least.shape, dtype=bool)
    for depth, (was, now) in enumerate(zip(before, after, strict=True)):
        plain = depth + 1 == len(before)
        # A row may be another if it was changed or reads what may be.
        may = (was.pattern + now.pattern) @ other.astype(np.int64) > 0
        if now is not was:
            rows = now.differing(was)
            may[rows] |= _counts(was, now, rows, new)
        old, new = was.bounds(*old), now.bounds(*new)
        if not plain:
            old, new = _relu(old), _relu(new)
            if np.any(may & (new[1] > now.largest[:, None])):
                return False
            # The ranges of the unchanged network are proved.
            old = old[0], np.minimum(old[1], was.largest[:, None])
        new = np.where(may, new[0], old[0]), np.where(may, new[1], old[1])
        known = (old[0] == old[1]) & (new[0] == new[1]) & (old[0] == new[0])
        other = may & ~known
    return not other.any()


def _counts(was: Matrix, now: Matrix, rows: Array, bounds: tuple[Array, Array]) -> Array:
    """Whether what was changed in some rows may change their sums, or narrows their ranges."""
    weights, bias = now.weights[rows] - was.weights[rows], now.bias[rows] - was.bias[rows]
    names = [now.names[row] for row in rows]
    least, greatest = Matrix(weights, bias, now.largest[rows], names).bounds(*bounds)
    narrower = now.largest[rows] < was.largest[rows]
    found: Array = (least != 0) | (greatest != 0) | narrower[:, None]
    return found


def _relu(bounds: tuple[Array, Array]) -> tuple[Array, Array]:
    return np.maximum(bounds[0], 0), np.maximum(bounds[1], 0)
