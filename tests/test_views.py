"""The three views of a statement are equal, entry by entry."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from exact_batch import csr, forward, layers, standing, state_vectors
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.logic import digits
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import state_fields
from verified_mlp.machine.step import ArrayMemory, Before
from verified_mlp.statement import arrays
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.evaluate import column_names, evaluate, matrix, rows, width
from verified_mlp.statement.expr import Index, at_most, bit, equal, pow2
from verified_mlp.statement.network import Field, Network

SHAPES = [Shape(4, 4), Shape(4, 16), Shape(4, 11), Shape(5, 32), Shape(6, 7), Shape(9, 5)]
SMALLEST = Shape(4, 4)


def by_arrays(network: Network, depth: int) -> tuple[dict[tuple[int, int], Any], list[Any]]:
    """The non-zero entries and the bias of a layer, from its arrays."""
    found = arrays.entries(network, depth)
    weights: dict[tuple[int, int], Any] = {}
    triplets = (found.rows.tolist(), found.columns.tolist(), found.weights.tolist())
    for row, column, weight in zip(*triplets, strict=True):
        weights[row, column] = weights.get((row, column), 0) + weight
    assert found.shape == (width(network.layers[depth].neurons), width(network.sources(depth)))
    return {place: weight for place, weight in weights.items() if weight}, found.bias.tolist()


def by_rows(network: Network, depth: int) -> tuple[dict[tuple[int, int], Any], list[Any]]:
    """The same from its rows."""
    weights, bias = {}, []
    for at, row in enumerate(rows(network, depth)):
        weights.update({(at, column): weight for column, weight in row.weights.items()})
        bias.append(row.bias)
    return weights, bias


def by_sympy(network: Network, depth: int) -> tuple[dict[tuple[int, int], Any], list[Any]]:
    """The same from its matrices."""
    weights, bias = matrix(network, depth)
    assert weights.shape == (
        width(network.layers[depth].neurons),
        width(network.sources(depth)),
    )
    return weights.todok(), list(bias)


def assert_views_equal(network: Network) -> None:
    for depth in range(len(network.layers)):
        expected = by_rows(network, depth)
        assert by_arrays(network, depth) == expected
        assert by_sympy(network, depth) == expected


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_machine(shape: Shape) -> None:
    assert_views_equal(paper(shape))


@pytest.mark.parametrize("gadget", gadgets(Shape(5, 6)), ids=lambda gadget: gadget.title)
def test_every_gadget(gadget: Any) -> None:
    for place in (0, 1):
        parameters = {
            parameter.name: min(parameter.high, parameter.low + 2 + place)
            for parameter in gadget.parameters
        }
        network = standing(gadget, parameters)
        assert_views_equal(network)
        for depth in range(len(network.layers)):
            # Placing a gadget changes its names, and nothing else.
            alone = [(row.weights, row.bias) for row in rows(gadget.network, depth, parameters)]
            placed = [(row.weights, row.bias) for row in rows(network, depth)]
            assert alone == placed


def test_columns_and_rows_have_names() -> None:
    network = paper(SMALLEST)
    names = column_names(network.inputs)
    assert names[:5] == ["mem[0, 0]", "mem[0, 1]", "mem[0, 2]", "mem[0, 3]", "mem[1, 0]"]
    assert names[16:21] == ["pc[0]", "pc[1]", "pc[2]", "pc[3]", "fault"]
    for depth in range(len(network.layers)):
        named = [row.name for row in rows(network, depth)]
        assert named == column_names(network.layers[depth].neurons)
        assert len(set(named)) == len(named)
    assert column_names(network.inputs) == column_names(state_fields(SMALLEST))


def test_whole_passes_are_equal() -> None:
    """Values entry by entry, and products of the arrays with whole vectors."""
    for shape in (SMALLEST, Shape(4, 16), Shape(5, 7)):
        network = paper(shape)
        rng = np.random.default_rng(shape.words)
        mem = rng.integers(0, shape.modulus, (5, shape.words))
        word, flag = rng.integers(0, shape.modulus, (2, 5)), rng.integers(0, 2, (2, 5))
        before = Before(ArrayMemory(mem), word[0] % shape.words, flag[0], word[1], flag[1])
        after = forward(layers(network), state_vectors(shape, before))
        for state in range(5):
            given = {
                "mem": [digits(int(number), shape.bits) for number in mem[state]],
                "pc": digits(int(before.pc[state]), shape.bits),
                "fault": int(before.fault[state]),
                "input": digits(int(before.input[state]), shape.bits),
                "ready": int(before.ready[state]),
                "wanted": 0,
                "output": [0] * shape.bits,
                "valid": 0,
            }
            outputs, _ = evaluate(network, given)
            values = np.concatenate([np.ravel(outputs[name]) for name in given])
            assert values.tolist() == after[:, state].tolist()


def toy(row: Callable[[Any, Index], Any], extent: int) -> Network:
    """A layer of neurons y[k] = ReLU(row), over a field x of the same extent."""
    build = Builder("toy", [Field("x", (extent,))])
    now = build.layer()
    k = Index("k", extent)
    build.neurons("y", (k,), row(now.x, k))
    build.close()
    return build.build()


M = Index("m", 4)
EXACT = {
    "a third": lambda x, k: Fraction(1, 3) * x[k] - Fraction(2, 7),
    "thirds that add up": lambda x, k: Fraction(1, 3) * (x[k] + x[k] + x[k]) + Fraction(1, 2) * k,
    "a third of some": lambda x, k: Fraction(1, 3) * bit(k, 1) * x[k],
    "beyond int64": lambda x, k: 2**70 * x[k] - 2**71,
    "growing beyond int64": lambda x, k: pow2(k) * x[k],
    "sums of the same entry": lambda x, k: total(M, pow2(M) * x[k]) + total(M, M * k),
    "sums that cancel": lambda x, k: total(M, (2 * bit(M, 0) - 1) * x[k]) + x[0],
    "a triangle": lambda x, k: total(Index("m", 9), x[Index("m", 9)], 0, k % 9),
    "no weights": lambda x, k: k - 3,
    "no row at all": lambda x, k: 0 * x[k],
    "outside where it is 0": lambda x, k: at_most(k, 3) * x[k + 5] + equal(k, 70) * x[k - 70],
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_numbers(name: str) -> None:
    assert_views_equal(toy(EXACT[name], 71))


WRAPPING = {
    "a multiple of a large power": lambda x, k: 4 * pow2(k % 63) * x[k],
    "a multiple of an index": lambda x, k: 2**62 * k * x[k],
    "a bias that adds up": lambda x, k: x[k] + (2**63 - 1) + k,
    "a sum of large constants": lambda x, k: x[k] + total(M, 2**62),
    "a bit of a large constant": lambda x, k: bit(2**80 + 5, k) * x[k],
    "a large constant somewhere": lambda x, k: equal(k, 3) * 2**70 * x[k],
}


@pytest.mark.parametrize("name", WRAPPING)
def test_exact_numbers_beyond_int64_on_the_way(name: str) -> None:
    assert_views_equal(toy(WRAPPING[name], 71))


def test_exact_thirds_stay_thirds() -> None:
    weights, bias = matrix(toy(EXACT["a third"], 2), 0)
    assert weights == sympy.Matrix([[sympy.Rational(1, 3), 0], [0, sympy.Rational(1, 3)]])
    assert bias == sympy.Matrix([sympy.Rational(-2, 7)] * 2)
    outputs = evaluate(toy(EXACT["a third"], 2), {"x": [1, Fraction(9, 7)]})[1][0]["y"]
    assert list(outputs) == [Fraction(1, 21), Fraction(1, 7)]


def test_a_term_that_reads_outside_its_field() -> None:
    network = toy(lambda x, k: x[k + 1], 3)
    with pytest.raises(IndexError) as caught:
        list(rows(network, 0))
    assert str(caught.value) == "x[k + 1] at {'k': 2} is outside its shape (3,)"
    with pytest.raises(IndexError) as caught:
        arrays.entries(network, 0)
    assert str(caught.value) == "x[k + 1] is outside its shape (3,)"


WEIGHTS = st.integers(-4, 4)


@given(st.lists(st.tuples(WEIGHTS, st.integers(0, 5)), max_size=6), WEIGHTS, st.integers(1, 3))
def test_random_rows(parts: list[tuple[int, int]], bias: int, stride: int) -> None:
    def row(x: Any, k: Index) -> Any:
        form = x[0] * 0 + bias * k
        for weight, shift in parts:
            m = Index("m", 3)
            form = form + weight * x[(stride * k + shift) % 6]
            form = form + total(m, (weight - m) * x[m], 0, k % 3)
        return form

    assert_views_equal(toy(row, 6))


def test_a_changed_entry_is_seen() -> None:
    """The comparison of this file is no formality: arrays of another network differ."""
    network, other = toy(EXACT["a triangle"], 9), toy(EXACT["beyond int64"], 9)
    assert by_arrays(network, 0) != by_rows(other, 0)
    assert by_sympy(network, 0) != by_rows(other, 0)
    weights, bias = csr(paper(SMALLEST), 4)
    weights[0, 0] += 1
    again, same_bias = csr(paper(SMALLEST), 4)
    assert (weights != again).nnz == 1
    assert np.array_equal(bias, same_bias)
