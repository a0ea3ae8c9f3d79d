"""Vectors on which a changed layer is another, found by the solver.

For a network of one layer that reads the state as linear forms of its vector (see
`Construction.forms`): its domain are all vectors within their ranges of which these forms are bits,
many more than a program ever reaches.  Whether a row can be another on one of them is a question of
linear integer arithmetic; entries that no row in question tells apart are one unknown, their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import scipy.sparse as sp

from proofs.matrices import Array, Matrix
from proofs.results import Answer
from proofs.smtlib import text_of
from proofs.terms import BoolTerm, conj, disj, ite, term, unknown

Ask = Callable[[str], Answer]
Limits = list[tuple[int, int]]
"""The largest value of a neuron before and after a change."""
Differ = Callable[[list[Any], list[Any], Limits], BoolTerm]
"""What is asked of some sums before and after a change."""


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
        yield from _found(domain, was, now, [int(row)], differs, ask)


def differing_sums(
    domain: Domain, was: Matrix, now: Matrix, read: Any, ask: Ask
) -> Iterator[Array | None]:
    """A vector of the domain on which a sum of neurons is another, with the weights of a row of
    `read`, or a neuron leaves its range; None if the solver does not say; nothing if there is none.
    """
    rows = [int(row) for row in now.differing(was)]

    def differ(olds: list[Any], news: list[Any], limits: Limits) -> BoolTerm:
        changes = [relu(new) - relu(old) for old, new in zip(olds, news, strict=True)]
        found = [_leaves(olds, news, limits)]
        weights = np.unique(read[:, rows].toarray(), axis=0)
        for weight in weights[np.any(weights != 0, axis=1)].tolist():
            found.append(sum(a * each for a, each in zip(weight, changes, strict=True)) != 0)
        return disj(*found)

    yield from _found(domain, was, now, rows, differ, ask)


def same_layer(was: list[Matrix], now: list[Matrix], highs: Array, ask: Ask) -> bool:
    """Whether it is proved that no row of the only layer that differs is another (see `same_rows`),
    for inputs 0..`highs`; the first layer is not asked about.  The ranges of `was` must hold.
    """
    changed = [depth for depth, each in enumerate(was) if len(now[depth].differing(each))]
    if len(changed) != 1 or changed == [0]:
        return False
    (depth,) = changed
    read = was[depth - 2].largest if depth > 1 else highs
    plain = depth + 1 == len(was)
    return same_rows(was[depth - 1], was[depth], now[depth], read, ask, plain)


def same_rows(
    before: Matrix, was: Matrix, now: Matrix, highs: Array, ask: Ask, plain: bool = False
) -> bool:
    """Whether it is proved that no row of a layer is another, and that none leaves its range, for
    all values 0..`highs` of what the layer `before` it reads for which that one is in its ranges.
    `plain` rows have no ReLU.

    What cannot be is tried as well where it saves unknowns: True is right, False says nothing.
    """
    for row in now.differing(was):
        at = np.array([row])
        read = np.union1d(was.read_by(at), now.read_by(at))
        columns = before.read_by(read)
        limited = before.rows_within(columns)
        rows = np.union1d(read, limited)
        weights, sums, asserted = _as_sums(before.weights[rows].toarray(), highs)
        numbers = {
            int(row): total(int(before.bias[row]), own, sums)
            for row, own in zip(rows, weights, strict=True)
        }
        for each in limited:
            asserted.append(numbers[int(each)] <= int(before.largest[each]))
        neurons = [unknown(f"y{each}") for each in read]
        for each, neuron in zip(read, neurons, strict=True):
            asserted.append(neuron == relu(numbers[int(each)]))
        places = [int(each) for each in read]
        old, new = (_value(each, int(row), places, neurons) for each in (was, now))
        differ = old != new if plain else differs([old], [new], _limits(was, now, [int(row)]))
        asserted.append(differ)
        if ask(text_of(asserted)).status != "unsat":
            return False
    return True


def _as_sums(weights: Array, highs: Array) -> tuple[Array, list[Any], list[BoolTerm]]:
    """(weights, unknowns, their ranges): the same rows as sums of fewer unknowns, for columns of
    which one is a multiple of the other are read as one sum.  Of a sum only the range is known, so
    more values are possible than there are.
    """
    found: dict[tuple[int, ...], list[int]] = {}
    for column, high in zip(weights.T.tolist(), highs.tolist(), strict=True):
        scale = gcd(*column) * (-1 if next(filter(None, column), 1) < 0 else 1)
        if scale:
            limits = found.setdefault(tuple(each // scale for each in column), [0, 0])
            limits[scale > 0] += scale * high
    unknowns = [unknown(f"s{at}") for at in range(len(found))]
    ranges = [
        conj(each >= low, each <= high)
        for each, (low, high) in zip(unknowns, found.values(), strict=True)
    ]
    return np.array(list(found)).reshape(len(found), len(weights)).T, unknowns, ranges


def total(bias: int, weights: Array, unknowns: list[Any]) -> Any:
    """A sum of unknowns."""
    found: Any = term(bias)
    for weight, each in zip(weights.tolist(), unknowns, strict=True):
        if weight:
            found = found + weight * each
    return found


def _found(
    domain: Domain, was: Matrix, now: Matrix, rows: list[int], differ: Differ, ask: Ask
) -> Iterator[Array | None]:
    """A vector of the domain of which `differ` holds, of the sums in some rows; as above."""
    stacked = [domain.bits.weights, was.weights[rows], now.weights[rows]]
    groups = _groups(sp.vstack(stacked).tocsc().sorted_indices())
    firsts = [int(group[0]) for group in groups]
    sizes = [int(domain.highs[group].sum()) for group in groups]
    unknowns = [unknown(f"v{first}") for first in firsts]
    asserted = [conj(x >= 0, x <= high) for x, high in zip(unknowns, sizes, strict=True)]
    for at in range(len(domain.bits.bias)):
        number = _value(domain.bits, at, firsts, unknowns)
        asserted.append(conj(number >= 0, number <= 1))
    olds, news = ([_value(each, row, firsts, unknowns) for row in rows] for each in (was, now))
    asserted.append(differ(olds, news, _limits(was, now, rows)))
    answer = ask(text_of(asserted))
    if answer.status == "sat":
        numbers = [int(answer.model.get(each.label, 0)) for each in unknowns]
        yield _spread(groups, numbers, domain.highs)
    elif answer.status != "unsat":
        yield None


def differs(olds: list[Any], news: list[Any], limits: Limits) -> BoolTerm:
    """The neurons of two sums differ, or the second leaves its range where the first does not."""
    found = [_leaves(olds, news, limits)]
    for old, new in zip(olds, news, strict=True):
        found.append(conj(old != new, disj(old > 0, new > 0)))
    return disj(*found)


def _leaves(olds: list[Any], news: list[Any], limits: Limits) -> BoolTerm:
    """Some second sum leaves its range where the first one is in its own."""
    return disj(
        *(
            conj(old <= was, new > now)
            for old, new, (was, now) in zip(olds, news, limits, strict=True)
        )
    )


def _limits(was: Matrix, now: Matrix, rows: list[int]) -> Limits:
    return [(int(was.largest[row]), int(now.largest[row])) for row in rows]


def relu(number: Any) -> Any:
    """A neuron's value, from its sum."""
    return ite(number > 0, number, 0)


def _value(matrix: Matrix, row: int, columns: list[int], unknowns: list[Any]) -> Any:
    """A row of a matrix in unknowns for its columns."""
    weights = matrix.weights[[row]].toarray()[0]
    return total(int(matrix.bias[row]), weights[columns], unknowns)


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
