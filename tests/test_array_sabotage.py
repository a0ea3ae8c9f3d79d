"""Sabotage of the arrays: every change is a change, and the score is what the tie-check finds."""

from collections import Counter
from random import Random

import numpy as np
import pytest

from numeric import array_sabotage
from numeric.array_sabotage import ArrayMutant, Kind, change, row_of, sabotage_arrays, with_rows
from numeric.lower import Lowered, lower
from numeric.tie_check import Difference, Tie
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.evaluate import width
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Field, Network

SMALL = Shape(4, 4)


def toy() -> Network:
    """y[0] = x[0], y[1] = 2 x[1] - 1, and z = 0."""
    build = Builder("toy", [Field("x", (2,))])
    now = build.layer()
    i = Index("i", 2)
    build.neurons("y", (i,), (i + 1) * now.x[i] - i)
    build.neurons("z", (), now.x[0] * 0)
    build.close()
    return build.build()


def assert_all_caught(mutants: list[ArrayMutant]) -> None:
    assert [str(each) for each in mutants if not each.caught] == []


def test_a_sample_of_changes_at_a_small_shape() -> None:
    mutants = list(sabotage_arrays(paper(SMALL), sample=4, seed=1))
    assert_all_caught(mutants)
    kinds = Counter(each.kind for each in mutants)
    assert set(kinds) == set(Kind)
    assert all(count >= 80 for count in kinds.values()), kinds
    assert {each.layer for each in mutants} == set(range(1, 24))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SMALL, Shape(5, 7)], ids=str)
def test_every_row_is_changed_in_every_way(shape: Shape) -> None:
    network = paper(shape)
    mutants = list(sabotage_arrays(network))
    assert_all_caught(mutants)
    rows = sum(width(layer.neurons) for layer in network.layers)
    kinds = Counter(each.kind for each in mutants)
    assert kinds[Kind.BIAS_UP] == kinds[Kind.BIAS_DOWN] == kinds[Kind.ROWS_SWAPPED] == rows
    empty = sum(int((np.diff(layer.weights.indptr) == 0).sum()) for layer in lower(network))
    assert kinds[Kind.WEIGHT_DROPPED] == kinds[Kind.WEIGHT_UP] == rows - empty


def test_changes_at_a_larger_shape() -> None:
    assert_all_caught(list(sabotage_arrays(paper(Shape(8, 64)), sample=1, seed=2)))


def test_every_change_of_a_toy() -> None:
    mutants = list(sabotage_arrays(toy(), seed=3))
    assert_all_caught(mutants)
    assert Counter(each.kind for each in mutants) == {
        Kind.WEIGHT_UP: 2,
        Kind.WEIGHT_DOWN: 2,
        Kind.WEIGHT_MOVED: 2,
        Kind.WEIGHT_DROPPED: 2,
        Kind.WEIGHT_ADDED: 3,
        Kind.BIAS_UP: 3,
        Kind.BIAS_DOWN: 3,
        Kind.ROW_ZEROED: 2,
        Kind.ROWS_SWAPPED: 3,
    }
    lines = list(map(str, mutants))
    for line in (
        "layer 1, y[0], x[0]: a weight changed by +1",
        "layer 1, y[0], x[0] and x[1]: a weight moved to another column",
        "layer 1, y[1], x[1]: a weight dropped",
        "layer 1, y[1], bias: a bias changed by -1",
        "layer 1, y[1]: a row zeroed",
    ):
        assert lines.count(line) == 1, lines
    assert any(line.endswith(": two rows swapped") for line in lines)
    (up,) = (each for each in mutants if str(each) == lines[0])
    assert up.differences == (Difference(1, "y[0]", "x[0]", 1, 2.0),)


def test_rows_that_are_equal_are_not_swapped() -> None:
    build = Builder("toy", [Field("x")])
    now = build.layer()
    build.neurons("y", (Index("i", 3),), now.x - 1)
    build.close()
    kinds = {each.kind for each in sabotage_arrays(build.build())}
    # With one column, no weight can be moved or added either.
    assert kinds == set(Kind) - {Kind.ROWS_SWAPPED, Kind.WEIGHT_MOVED, Kind.WEIGHT_ADDED}


def test_the_seed_repeats_the_changes() -> None:
    def lines(seed: int) -> list[str]:
        return [str(each) for each in sabotage_arrays(paper(SMALL), sample=1, seed=seed)]

    assert lines(5) == lines(5)
    assert lines(5) != lines(6)


def test_each_change_is_made_and_nothing_else() -> None:
    random = Random(4)
    for layer in lower(paper(SMALL))[::5]:
        before = np.column_stack([layer.weights.toarray(), layer.bias])
        for row in range(0, len(layer.bias), 7):
            for kind in Kind:
                changed = change(layer, row, kind, random)
                after = with_rows(layer, changed)
                both = np.column_stack([after.weights.toarray(), after.bias])
                where = np.argwhere(both != before)
                assert set(where[:, 0]) == set(changed), kind
                delta = sorted((both - before)[tuple(where.T)].tolist())
                assert_kind(kind, before[row], both[row], delta, len(changed))


def assert_kind(
    kind: Kind, before: np.ndarray, after: np.ndarray, delta: list[float], rows: int
) -> None:
    bias = before[-1] != after[-1]
    nonzeros = np.count_nonzero(after[:-1]) - np.count_nonzero(before[:-1])
    match kind:
        case Kind.WEIGHT_UP | Kind.BIAS_UP:
            assert (delta, bias) == ([1], kind is Kind.BIAS_UP)
        case Kind.WEIGHT_DOWN | Kind.BIAS_DOWN:
            assert (delta, bias) == ([-1], kind is Kind.BIAS_DOWN)
        case Kind.WEIGHT_MOVED:
            assert (sum(delta), len(delta), nonzeros, bias) == (0, 2, 0, False)
        case Kind.WEIGHT_DROPPED:
            assert (len(delta), nonzeros, bias) == (1, -1, False)
        case Kind.WEIGHT_ADDED:
            assert (delta, nonzeros, bias) == ([1], 1, False)
        case Kind.ROW_ZEROED:
            assert not after.any()
        case Kind.ROWS_SWAPPED:
            assert rows == 2
            assert sum(delta) == 0


def test_a_row_reads_as_it_was_set() -> None:
    layer = lower(paper(SMALL))[4]
    row = row_of(layer, 3)
    assert row.weights.tolist() == layer.weights.toarray()[3].tolist()
    assert row.bias == layer.bias[3]
    again = with_rows(layer, {3: row})
    assert (again.weights != layer.weights).nnz == 0
    assert np.array_equal(again.bias, layer.bias)


def test_a_blind_check_catches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_sabotage, "check_layer", lambda *_, **__: Tie())
    mutants = list(sabotage_arrays(paper(SMALL), sample=1))
    assert mutants
    assert not any(each.caught for each in mutants)


@pytest.mark.parametrize(
    "said",
    [
        Difference(1, "y[1]", "x[0]", 1, 2.0),
        Difference(1, "y[0]", "x[1]", 1, 2.0),
        Difference(1, "y[0]", "", 1, 2.0),
        Difference(1, "", "", "one", "two"),
    ],
)
def test_a_check_that_names_another_place_has_not_caught(
    monkeypatch: pytest.MonkeyPatch, said: Difference
) -> None:
    tie = Tie(differences=(said,))
    monkeypatch.setattr(array_sabotage, "check_layer", lambda *_, **__: tie)
    first = next(sabotage_arrays(toy()))
    assert (first.kind, first.place, first.caught) == (Kind.WEIGHT_UP, "y[0], x[0]", False)


def test_the_original_arrays_are_left_as_they_are() -> None:
    layer = lower(toy())[0]
    copy = Lowered(layer.weights.copy(), layer.bias.copy())
    for kind in Kind:
        with_rows(layer, change(layer, 1, kind, Random(0)))
    assert (layer.weights != copy.weights).nnz == 0
    assert np.array_equal(layer.bias, copy.bias)
