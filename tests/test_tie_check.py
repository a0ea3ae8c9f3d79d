"""The tie-check: equal arrays are found equal, and every change of an array is found and named."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from exact_batch import standing
from hypothesis import given
from hypothesis import strategies as st

from numeric import lower as lowering
from numeric.engines import EngineName, build
from numeric.lower import Lowered, lower, lower_layers
from numeric.tie_check import Difference, Tie, check_layer, compiled, row_reader, tie_check
from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.evaluate import column_names, rows, width
from verified_mlp.statement.expr import Index, at_most, bit, equal, pow2, var
from verified_mlp.statement.network import Field, Network

SHAPES = [Shape(4, 4), Shape(4, 16), Shape(5, 7), Shape(8, 64)]
SMALL = Shape(4, 4)
Arrays = tuple[Any, np.ndarray]


@cache
def arrays(shape: Shape = SMALL) -> tuple[Lowered, ...]:
    return lower(paper(shape))


def count_rows(network: Network) -> int:
    return sum(width(layer.neurons) for layer in network.layers)


def check(changes: dict[int, Arrays], shape: Shape = SMALL, **options: Any) -> Tie:
    """The tie-check of a machine, some layers (from 1) of which are replaced."""
    layers = [changes.get(at, layer) for at, layer in enumerate(arrays(shape), 1)]
    return tie_check(paper(shape), layers, **options)


def texts(changes: dict[int, Arrays], shape: Shape = SMALL) -> list[str]:
    """The differences as sentences: the same for the sparse and the dense arrays."""
    found = list(map(str, check(changes, shape).differences))
    dense = {at: (weights.toarray(), bias) for at, (weights, bias) in changes.items()}
    assert list(map(str, check(dense, shape).differences)) == found
    return found


def changed(layer: int, edit: Callable[[np.ndarray, np.ndarray], None]) -> dict[int, Arrays]:
    """A layer (from 1) with its written-out weights and bias edited in place."""
    weights, bias = arrays()[layer - 1]
    weights, bias = weights.toarray(), bias.copy()
    edit(weights, bias)
    return {layer: (sp.csr_array(weights), bias)}


def places(layer: int) -> tuple[dict[str, int], dict[str, int]]:
    """The rows and the columns of a layer (from 1) by name."""
    network = paper(SMALL)
    neurons = column_names(network.layers[layer - 1].neurons)
    sources = column_names(network.sources(layer - 1))
    return (
        {name: at for at, name in enumerate(neurons)},
        {name: at for at, name in enumerate(sources)},
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_arrays_of_the_machine_are_those_of_the_statement(shape: Shape) -> None:
    network = paper(shape)
    nonzeros = sum(layer.weights.nnz for layer in arrays(shape))
    assert tie_check(network, arrays(shape)) == Tie(count_rows(network), nonzeros)


@pytest.mark.parametrize("name", EngineName)
def test_engines_are_checked_as_they_are(name: EngineName) -> None:
    network = paper(Shape(5, 7))
    engine = build(network, name)
    assert tie_check(network, engine.layers) == Tie(count_rows(network), engine.nonzeros)


@pytest.mark.parametrize("gadget", gadgets(Shape(5, 6)), ids=lambda gadget: gadget.title)
def test_the_arrays_of_gadgets(gadget: Any) -> None:
    for place in (0, 1):
        parameters = {each.name: min(each.high, each.low + 2 + place) for each in gadget.parameters}
        network = standing(gadget, parameters)
        found = tie_check(network, lower_layers(network))
        assert (found.rows, found.differences) == (count_rows(network), ())


def test_a_weight_that_is_changed() -> None:
    neurons, columns = places(3)

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        weights[neurons["at_a[1]"], columns["a[0]"]] += 1
        weights[neurons["from_b[2, 3]"], columns["mem[2, 3]"]] -= 1

    assert texts(changed(3, edit)) == [
        "layer 3, neuron at_a[1]: the weight of a[0] is 1 in the statement and 2 in the arrays.",
        "layer 3, neuron from_b[2, 3]: the weight of mem[2, 3] is 1 in the statement and 0 in the "
        "arrays.",
    ]


def test_a_weight_that_is_moved() -> None:
    neurons, columns = places(12)

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        row = weights[neurons["mem.keep[3, 1]"]]
        row[columns["target[2]"]], row[columns["target[3]"]] = row[columns["target[3]"]], 0

    assert texts(changed(12, edit)) == [
        "layer 12, neuron mem.keep[3, 1]: the weight of target[2] is 0 in the statement and -1 in "
        "the arrays.",
        "layer 12, neuron mem.keep[3, 1]: the weight of target[3] is -1 in the statement and 0 in "
        "the arrays.",
    ]


def test_a_weight_that_is_dropped_and_one_that_is_added() -> None:
    neurons, columns = places(1)

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        weights[neurons["pc[0]"], columns["pc[0]"]] = 0
        weights[neurons["ready"], columns["output[3]"]] = -0.5

    assert texts(changed(1, edit)) == [
        "layer 1, neuron pc[0]: the weight of pc[0] is 1 in the statement and 0 in the arrays.",
        "layer 1, neuron ready: the weight of output[3] is 0 in the statement and -0.5 in the "
        "arrays.",
    ]


def test_a_bias_that_is_changed() -> None:
    neurons, _ = places(22)

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        bias[neurons["pc.from_b[2]"]] += 1

    assert texts(changed(22, edit)) == [
        "layer 22, neuron pc.from_b[2]: the bias is -1 in the statement and 0 in the arrays."
    ]


def test_a_row_of_zeros() -> None:
    neurons, _ = places(22)

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        weights[neurons["pc.from_a[0]"]], bias[neurons["pc.from_a[0]"]] = 0, 0

    where = "layer 22, neuron pc.from_a[0]"
    assert texts(changed(22, edit)) == [
        f"{where}: the weight of jumps.either.some is 1 in the statement and 0 in the arrays.",
        f"{where}: the weight of jumps.either.twice is -1 in the statement and 0 in the arrays.",
        f"{where}: the weight of c[0] is 1 in the statement and 0 in the arrays.",
        f"{where}: the bias is -1 in the statement and 0 in the arrays.",
    ]


def test_two_rows_that_are_swapped() -> None:
    neurons, _ = places(23)
    first, second = neurons["mem[0, 1]"], neurons["mem[3, 2]"]

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        weights[[first, second]] = weights[[second, first]]

    assert texts(changed(23, edit)) == [
        "layer 23, neuron mem[0, 1]: the weight of mem[0, 1] is 1 in the statement and 0 in the "
        "arrays.",
        "layer 23, neuron mem[0, 1]: the weight of mem[3, 2] is 0 in the statement and 1 in the "
        "arrays.",
        "layer 23, neuron mem[3, 2]: the weight of mem[0, 1] is 0 in the statement and 1 in the "
        "arrays.",
        "layer 23, neuron mem[3, 2]: the weight of mem[3, 2] is 1 in the statement and 0 in the "
        "arrays.",
    ]


@given(st.data())
def test_any_change_of_any_entry(data: st.DataObject) -> None:
    layer = data.draw(st.integers(1, 23))
    weights, bias = arrays()[layer - 1]
    row = data.draw(st.integers(0, len(bias) - 1))
    column = data.draw(st.integers(-1, weights.shape[1] - 1))
    before = float(bias[row] if column < 0 else weights[row, column])
    after = data.draw(
        st.sampled_from([before + 1, before - 1, np.nextafter(before, 9), np.nan, np.inf, -np.inf])
    )

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        if column < 0:
            bias[row] = after
        else:
            weights[row, column] = after

    neurons, columns = places(layer)
    names = (list(neurons)[row], "" if column < 0 else list(columns)[column])
    (found,) = check(changed(layer, edit)).differences
    assert (found.layer, found.neuron, found.column) == (layer, *names)
    assert (found.stated, str(found.held)) == (before, str(float(after)))


def test_the_arrays_of_another_statement() -> None:
    build = Builder("wrong", [Field("x", (5,))])
    right = Builder("right", [Field("x", (5,))])
    i = Index("i", 5)
    for builder, position in ((build, i - equal(i, 4)), (right, i)):
        now = builder.layer()
        builder.neurons("y", (i,), now.x[position])
        builder.close()
    network = right.build()
    assert list(map(str, tie_check(network, lower(build.build())).differences)) == [
        "layer 1, neuron y[4]: the weight of x[3] is 0 in the statement and 1 in the arrays.",
        "layer 1, neuron y[4]: the weight of x[4] is 1 in the statement and 0 in the arrays.",
    ]
    assert tie_check(network, lower(network)).differences == ()


def test_a_fault_of_the_index_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two sides share no code that could be wrong in both."""
    original = lowering.entries

    def shifted(network: Network, depth: int) -> Any:
        found = original(network, depth)
        found.columns[found.rows == 5] ^= 1
        return found

    monkeypatch.setattr(lowering, "entries", shifted)
    network = paper(SMALL)
    found = tie_check(network, lower(network), most=1000).differences
    assert {each.layer for each in found} == set(range(1, 24))


def test_no_more_differences_than_asked_for() -> None:
    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        bias += 1

    everywhere = {layer: next(iter(changed(layer, edit).values())) for layer in range(1, 24)}
    assert len(check(everywhere).differences) == 10
    found = check(everywhere, most=100).differences
    assert len(found) == 100
    assert check(everywhere, most=3).differences == found[:3]
    assert {each.layer for each in found} == {1, 2, 3}


FORM = "32 x 40 weights and 32 biases of float64"
"""Of layer 23."""


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda w, b: (w.astype(np.float32), b.astype(np.float32)), FORM.replace("64", "32")),
        (lambda w, b: (w.astype(np.float32), b), FORM.replace("64", "32") + " and float64"),
        (lambda w, b: (w, b.astype(np.int64)), f"{FORM} and int64"),
        (lambda w, b: (w[:-1], b), FORM.replace("32 x", "31 x")),
        (lambda w, b: (w[:, :-1], b), FORM.replace("40", "39")),
        (lambda w, b: (w, b[:-1]), FORM.replace("32 b", "31 b")),
        (lambda w, b: (w, b[:, None]), FORM.replace("32 b", "32 x 1 b")),
        (lambda w, b: (w.tocsc(), b), f"{FORM} in the format csc"),
    ],
)
def test_arrays_of_another_form(edit: Callable[..., Arrays], text: str) -> None:
    (found,) = check({23: edit(*arrays()[22])}).differences
    assert str(found) == f"layer 23: the statement has {FORM}, the arrays have {text}."


@pytest.mark.parametrize("name", ["twice", "falling", "beyond", "negative", "starts", "longer"])
def test_rows_that_are_not_in_order(name: str) -> None:
    """Each of these would multiply otherwise than row by row it reads, or not at all."""
    weights, bias = arrays()[0]
    broken = weights.copy()
    starts, columns, data = broken.indptr, broken.indices, broken.data
    first, second = starts[0], starts[0] + 1
    match name:
        case "twice":
            columns[second] = columns[first]
        case "falling":
            columns[[first, second]] = columns[[second, first]]
            data[[first, second]] = data[[second, first]]
        case "beyond":
            columns[starts[1] - 1] = weights.shape[1]
        case "negative":
            columns[first] = -1
        case "starts":
            starts[1] = starts[2] + 1
        case "longer":
            starts[-1] -= 1
    (found,) = check({1: (broken, bias)}).differences
    form = f"{weights.shape[0]} x {weights.shape[1]} weights and {len(bias)} biases of float64"
    assert str(found) == (
        f"layer 1: the statement has {form}, the arrays have {form} whose columns are not each "
        f"once, in order."
    )


def test_zeros_that_are_stored_are_no_difference() -> None:
    weights, bias = arrays()[0]
    padded = sp.coo_array(weights)
    rows, columns = np.append(padded.row, 0), np.append(padded.col, weights.shape[1] - 1)
    assert weights[0, weights.shape[1] - 1] == 0
    stored = sp.csr_array((np.append(padded.data, -0.0), (rows, columns)), weights.shape)
    assert stored.nnz == weights.nnz + 1
    assert check({1: (stored, bias)}).differences == ()


def test_layers_that_are_missing_or_too_many() -> None:
    network = paper(SMALL)
    assert list(map(str, tie_check(network, arrays()[:-1]).differences)) == [
        "layer 23: the statement has this layer, the arrays lack it."
    ]
    assert list(map(str, tie_check(network, [*arrays(), arrays()[0]]).differences)) == [
        "layer 24: the statement has no such layer, the arrays have one."
    ]


def test_a_sample_is_repeated_by_its_seed() -> None:
    shape = Shape(8, 64)

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        bias[::7] += 1

    weights, bias = arrays(shape)[0]
    weights, bias = weights.toarray(), bias.copy()
    edit(weights, bias)
    changes = {1: (sp.csr_array(weights), bias)}
    samples = [check(changes, shape, sample=4, most=1000) for _ in range(5)]
    assert len({each.seed for each in samples}) == 5
    for found in samples:
        assert found == check(changes, shape, sample=4, seed=found.seed, most=1000)
    assert len({each.differences for each in samples}) > 1
    # `check` of every row has no seed.
    assert check(changes, shape).seed is None


def test_a_sample_has_so_many_rows_of_every_family() -> None:
    network = paper(Shape(5, 7))
    families = [family for layer in network.layers for family in layer.neurons]
    for sample in (1, 3, 1000):
        expected = sum(min(sample, width([family])) for family in families)
        found = tie_check(network, lower_layers(network), sample=sample)
        assert (found.rows, found.differences) == (expected, ())
    whole = tie_check(network, lower_layers(network))
    assert (found.rows, found.nonzeros) == (whole.rows, whole.nonzeros)


def test_a_sample_finds_what_it_draws() -> None:
    """A row of 28 in a family is changed: some seeds draw it and some do not."""
    neurons, columns = places(23)

    def edit(weights: np.ndarray, bias: np.ndarray) -> None:
        weights[neurons["mem[2, 1]"], columns["mem[2, 1]"]] = 5

    found = [check(changed(23, edit), sample=4, seed=seed).differences for seed in range(40)]
    named = Difference(23, "mem[2, 1]", "mem[2, 1]", 1, 5.0)
    assert set(found) == {(), (named,)}


def read_all(network: Network, depth: int) -> list[tuple[str, Any, Any]]:
    return [
        (row.name, *row_reader(network.sources(depth), row.family)(row.point))
        for row in rows(network, depth)
    ]


@pytest.mark.parametrize("shape", SHAPES[:3], ids=str)
def test_rows_are_read_as_they_are_evaluated(shape: Shape) -> None:
    network = paper(shape)
    for depth in range(len(network.layers)):
        expected = [(row.name, row.weights, row.bias) for row in rows(network, depth)]
        assert read_all(network, depth) == expected


K, M = Index("k", 7), Index("m", 4)
FORMS: dict[str, Callable[[Any], Any]] = {
    "fractions": lambda x: Fraction(1, 3) * x[K] - Fraction(2, 7) * K,
    "beyond int64": lambda x: pow2(20 * K) * x[K] - 2**71,
    "the same entry twice": lambda x: x[K] + x[K // 2] - x[0] + total(M, pow2(M) * x[K]),
    "weights that cancel": lambda x: total(M, (2 * bit(M, 0) - 1) * x[K]) + K,
    "a triangle": lambda x: total(M, M * x[M], K // 2, K % 5),
    "a sum over the family's own name": lambda x: total(Index("k", 4), x[var("k")]) + x[K],
    "a sum that ends at the name it hides": lambda x: total(Index("k", 7), x[var("k")], 0, K) + K,
    "sums within sums": lambda x: total(M, total(Index("n", 3), (M - var("n")) * x[M], 0, M % 4)),
    "sums of one name": lambda x: total(M, total(M, M * x[M], 0, M % 4)),
    "outside where it is 0": lambda x: at_most(K, 3) * x[K + 3] + equal(K, 70) * x[K - 70],
    "nothing": lambda x: 0 * x[K],
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_many_kinds(name: str) -> None:
    build = Builder("toy", [Field("z"), Field("x", (7,))])
    now = build.layer()
    build.neurons("y", (K,), FORMS[name](now.x))
    build.close()
    network = build.build()
    expected = [(row.name, row.weights, row.bias) for row in rows(network, 0)]
    assert read_all(network, 0) == expected
    # In another order, nothing that is kept from one point may serve for the next.
    reader = row_reader(network.inputs, network.layers[0].neurons[0])
    assert [(*reader((at,)),) for at in (5, 0, 5, 1, 6)] == [
        expected[at][1:] for at in (5, 0, 5, 1, 6)
    ]


def test_a_term_that_reads_outside_its_field() -> None:
    build = Builder("toy", [Field("x", (3,))])
    now = build.layer()
    k = Index("k", 3)
    build.neurons("y", (k,), now.x[k + 1])
    build.close()
    arrays = (sp.csr_array(np.eye(3)), np.zeros(3))
    with pytest.raises(IndexError) as caught:
        check_layer(build.build(), 0, *arrays)
    assert str(caught.value) == "x[k + 1] at {'k': 2} is outside its shape (3,)"


LEAVES = st.sampled_from([var("i"), var("k")]) | st.integers(0, 9)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*"), inner, inner).map(
            lambda each: {"+": each[1] + each[2], "-": each[1] - each[2], "*": each[1] * each[2]}[
                each[0]
            ]
        ),
        st.tuples(inner, st.integers(1, 9)).map(lambda each: each[0] // each[1]),
        st.tuples(inner, st.integers(1, 9)).map(lambda each: each[0] % each[1]),
        st.tuples(inner, inner).map(lambda each: bit(each[0], each[1] % 7)),
        inner.map(lambda each: pow2(each % 70)),
        st.tuples(inner, inner).map(lambda each: equal(*each)),
        st.tuples(inner, inner).map(lambda each: at_most(*each)),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS, st.integers(0, 100), st.integers(0, 100))
def test_expressions_mean_what_they_evaluate_to(expr: Any, i: int, k: int) -> None:
    form = expr + 0 * var("i")  # a plain number becomes an expression
    at = {"i": i, "k": k}
    assert compiled(form)(at) == form.evaluate(at)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [Shape(16, 4096), Shape(64, 300), Shape(16, 65536)], ids=str)
def test_every_row_at_large_shapes(shape: Shape) -> None:
    network = paper(shape)
    found = tie_check(network, lower_layers(network))
    assert (found.rows, found.differences) == (count_rows(network), ())


def test_a_sample_of_rows_at_a_larger_shape() -> None:
    network = paper(Shape(16, 4096))
    found = tie_check(network, lower_layers(network), sample=10)
    assert found.differences == (), f"repeat with seed={found.seed}"
