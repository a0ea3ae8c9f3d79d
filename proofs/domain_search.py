"""Vectors of the domain on which a changed layer is another, found by the solver.

For a network of one layer that reads the state as linear forms of its vector (see
`Construction.forms`): its domain are all vectors within their ranges of which these forms are bits,
many more than a program ever reaches.  Whether a row can be another on one of them is a question of
linear integer arithmetic; entries that no row in question tells apart are one unknown, their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from proofs.matrices import Array, Matrix
from proofs.results import Answer
from proofs.smtlib import text_of
from proofs.terms import BoolTerm, conj, disj, term, unknown

Ask = Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Domain:
    """All vectors with entries 0..`highs` for which each row of `bits` is 0 or 1."""

    highs: Array
    bits: Matrix


def differing_vectors(domain: Domain, was: Matrix, now: Matrix, ask: Ask) -> Iterator[Array | None]:
    """For each row that may be another: a vector of the domain on which its neuron is, or leaves
    its range; None where the solver does not say.  A row that is never another gives nothing.
    """
    for row in now.differing(was):
        rows = [domain.bits.weights, was.weights[[row]], now.weights[[row]]]
        groups = _groups(sp.vstack(rows).tocsc().sorted_indices())
        firsts = [int(group[0]) for group in groups]
        sizes = [int(domain.highs[group].sum()) for group in groups]
        unknowns = [unknown(f"v{first}") for first in firsts]
        asserted = [conj(x >= 0, x <= high) for x, high in zip(unknowns, sizes, strict=True)]
        for at in range(len(domain.bits.bias)):
            number = _value(domain.bits, at, firsts, unknowns)
            asserted.append(conj(number >= 0, number <= 1))
        old, new = (_value(each, int(row), firsts, unknowns) for each in (was, now))
        asserted.append(_differ(old, new, int(was.largest[row]), int(now.largest[row])))
        answer = ask(text_of(asserted))
        if answer.status == "sat":
            numbers = [int(answer.model.get(each.label, 0)) for each in unknowns]
            yield _spread(groups, numbers, domain.highs)
        elif answer.status != "unsat":
            yield None


def _differ(old: Any, new: Any, largest: int, most: int) -> BoolTerm:
    """The neurons of two sums differ, or the second leaves a range that is narrower."""
    others = [conj(old != new, disj(old > 0, new > 0))]
    if most < largest:
        others.append(new > most)
    return disj(*others)


def _value(matrix: Matrix, row: int, columns: list[int], unknowns: list[Any]) -> Any:
    """A row of a matrix in unknowns for its columns."""
    weights = matrix.weights[[row]].toarray()[0]
    total: Any = term(int(matrix.bias[row]))
    for column, each in zip(columns, unknowns, strict=True):
        if weights[column]:
            total = total + int(weights[column]) * each
    return total


def _groups(columns: Any) -> list[Array]:
    """The columns that are equal, together."""
    found: dict[tuple[bytes, bytes], list[int]] = {}
    for column in range(columns.shape[1]):
        start, end = columns.indptr[column], columns.indptr[column + 1]
        key = columns.indices[start:end].tobytes(), columns.data[start:end].tobytes()
        found.setdefault(key, []).append(column)
    return [np.array(group) for group in found.values()]


def _spread(groups: list[Array], numbers: list[int], highs: Array) -> Array:
    """A vector whose entries add up to these numbers, group by group."""
    found = np.zeros(len(highs), dtype=np.int64)
    for group, number in zip(groups, numbers, strict=True):
        left = number
        for column in group:
            found[column] = min(left, int(highs[column]))
            left -= int(found[column])
    return found
