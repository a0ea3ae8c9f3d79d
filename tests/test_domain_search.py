"""Vectors on which a changed layer is another: as trying every vector finds them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.domain_search import Domain, differing_sums, differing_vectors, same_layer, same_rows
from proofs.matrices import Array, Matrix
from proofs.results import Answer, Fate
from proofs.sabotage_machine import Judge, chosen
from proofs.solver import solve
from proofs.verify import Options, solver
from verified_mlp.machine.shape import Shape

SHAPE = Shape(4, 4)
WIDTH = 4


def ask(text: str) -> Answer:
    return solve(text, 0, 10)


def matrix(rows: list[list[int]], largest: list[int]) -> Matrix:
    """Rows of weights with the bias last."""
    numbers = np.array(rows, dtype=np.int64)
    names = [str(row) for row in range(len(rows))]
    weights: Any = sp.csr_array(numbers[:, :-1])
    return Matrix(weights, numbers[:, -1], np.array(largest, dtype=np.int64), names)


@st.composite
def changed_layers(draw: st.DrawFn) -> tuple[Domain, Matrix, Matrix]:
    """A domain, a layer of two rows, and the same with numbers of the first row changed."""
    numbers = st.lists(st.integers(-2, 2), min_size=WIDTH + 1, max_size=WIDTH + 1)
    bits = matrix(draw(st.lists(numbers, min_size=1, max_size=2)), [1, 1])
    highs = np.array(draw(st.lists(st.integers(1, 3), min_size=WIDTH, max_size=WIDTH)))
    rows = [draw(numbers), draw(numbers)]
    if draw(st.booleans()):
        # Entries that nothing tells apart are one unknown.
        for row in (*rows, *bits.weights.toarray()):
            row[1] = row[0]
    other = [number + draw(st.integers(-1, 1)) for number in rows[0]]
    largest = draw(st.integers(0, 9))
    narrower = draw(st.integers(0, largest))
    was, now = matrix(rows, [largest, 9]), matrix([other, rows[1]], [narrower, 9])
    return Domain(highs, bits), was, now


def vectors(domain: Domain) -> Iterator[Array]:
    """All vectors of the domain, as columns."""
    for values in product(*(range(high + 1) for high in domain.highs)):
        vector = np.array(values)[:, None]
        if np.isin(domain.bits.product(vector), (0, 1)).all():
            yield vector


def tried(domain: Domain, was: Matrix, now: Matrix) -> list[Array]:
    """All vectors of the domain on which the first row's neuron differs or leaves its range."""
    found = []
    for vector in vectors(domain):
        old, new = (max(int(each.product(vector)[0, 0]), 0) for each in (was, now))
        if old != new or (old <= was.largest[0] and new > now.largest[0]):
            found.append(vector[:, 0])
    return found


@given(changed_layers())
def test_a_vector_is_found_where_there_is_one(case: tuple[Domain, Matrix, Matrix]) -> None:
    domain, was, now = case
    expected = tried(domain, was, now)
    found = list(differing_vectors(domain, was, now, ask))
    assert len(found) == min(len(expected), 1)
    for vector in found:
        assert any(np.array_equal(vector, each) for each in expected)


@given(changed_layers(), st.lists(st.integers(-1, 1), min_size=2, max_size=2))
def test_sums_differ_where_they_do(case: tuple[Domain, Matrix, Matrix], weights: list[int]) -> None:
    """Both rows are changed alike, so that with opposite weights they cancel out."""
    domain, was, now = case
    read = matrix([[*weights, 0]], [9])
    was, now = doubled(was), doubled(now)
    found = list(differing_sums(domain, was, now, read.weights, ask))
    expected = []
    for vector in vectors(domain):
        old, new = (np.maximum(each.product(vector), 0) for each in (was, now))
        leaves = np.any((old[:, 0] <= was.largest) & (new[:, 0] > now.largest))
        if leaves or np.any(read.product(old) != read.product(new)):
            expected.append(vector[:, 0])
    assert len(found) == min(len(expected), 1)
    for vector in found:
        assert any(np.array_equal(vector, each) for each in expected)


def doubled(layer: Matrix) -> Matrix:
    """The first row of a layer, twice."""
    return layer.part(np.array([0, 0]), np.arange(WIDTH))


@given(changed_layers(), changed_layers())
def test_rows_are_the_same_if_they_are_on_every_value(
    first: tuple[Domain, Matrix, Matrix], second: tuple[Domain, Matrix, Matrix]
) -> None:
    """A layer of two rows, and one that reads it; values for which the first leaves its ranges are
    none.
    """
    domain, before, _ = first
    _, *layers = second
    was, now = (layer.part(np.array([0]), np.arange(2)) for layer in layers)
    same = True
    for vector in vectors(replace_bits(domain)):
        neurons = np.maximum(before.product(vector), 0)
        if np.any(before.product(vector)[:, 0] > before.largest):
            continue
        old, new = (max(int(each.product(neurons)[0, 0]), 0) for each in (was, now))
        same &= old == new and not (old <= was.largest[0] and new > now.largest[0])
    assert same or not same_rows(before, was, now, domain.highs, ask)


def test_rows_that_are_the_same_are_proved_to_be() -> None:
    """y reads ReLU(n) - ReLU(n - 2), which is 0..2 for the number n that two bits spell, and is
    read so; ReLU(n - 9) is always 0.
    """
    before = matrix([[1, 2, 0, 0, 0], [1, 2, 0, 0, -2], [1, 2, 0, 0, -9]], [3, 1, 0])
    highs = np.ones(WIDTH, dtype=np.int64)
    was = matrix([[1, -1, 0, 0]], [2])
    for other, same in (
        ([1, -1, 5, 0], True),
        ([1, -1, 0, 1], False),
        ([1, -2, 0, 0], False),
        ([2, -2, 0, -4], False),
    ):
        assert same_rows(before, was, matrix([other], [9]), highs, ask) == same
    assert not same_rows(before, was, matrix([[1, -1, 0, 0]], [1]), highs, ask)
    assert same_layer([before, was], [before, matrix([[1, -1, 7, 0]], [2])], highs, ask)
    assert not same_layer([before, was], [matrix([[9] * 5] * 3, [1] * 3), was], highs, ask)


ROW = np.array([0])


def replace_bits(domain: Domain) -> Domain:
    """All vectors in the ranges."""
    return Domain(domain.highs, matrix([[0] * (WIDTH + 1)], [1]))


def test_a_solver_that_does_not_say_is_no_proof() -> None:
    def undecided(text: str) -> Answer:
        return Answer("unknown", 0, 0, {})

    was, now = matrix([[1, 0, 0, 0, 0]], [1]), matrix([[2, 0, 0, 0, 0]], [1])
    domain = Domain(np.ones(WIDTH, dtype=np.int64), matrix([[1, 1, 1, 1, 0]], [1]))
    assert list(differing_vectors(domain, was, now, undecided)) == [None]
    (vector,) = differing_vectors(domain, was, now, ask)
    assert vector is not None
    assert vector.tolist() == [1, 0, 0, 0]


# Changes of the construction `single`.


@pytest.fixture(scope="module")
def judge() -> Judge:
    answer, _ = solver(Options(cache=False, construction="single"))
    return Judge(SHAPE, answer, how="single")


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ("layer 1, read-out of faulty, running read in place of faulty", Fate.REFUTED),
        ("layer 1, read-out of primed, running read in place of primed", Fate.REFUTED),
        ("layer 1, read-out of input[axis0], bias, +1 at every index", Fate.REFUTED),
        ("layer 1, carry faulty, input x, coefficient of faulty, -1", Fate.REFUTED),
        (
            "layer 1, instruction_difference(bits=4) difference[p, u, v], row "
            "difference.three.passed[0, 0, 0, 0] dropped",
            Fate.HARMLESS,
        ),
        (
            "layer 1, instruction_difference(bits=4) difference[p, u, v], row "
            "difference.one.passed[p, u, v, difference.j] dropped",
            Fate.REFUTED,
        ),
    ],
)
def test_a_change_is_decided(judge: Judge, change: str, fate: Fate) -> None:
    (found,) = (each for each in chosen(SHAPE, (), "single") if str(each) == change)
    mutant = judge.of(found)
    assert mutant.fate is fate, mutant
    assert (mutant.failure is not None) == (fate is Fate.REFUTED)
    if mutant.failure is not None:
        assert mutant.failure.expected.keys() == mutant.failure.got.keys() != set()
