from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numeric.lower import LIMIT, NotExactError, lower
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.evaluate import rows
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Field, Network


def one_neuron(*weights: int | Fraction, bias: int | Fraction = 0, high: int = 1) -> Network:
    """ReLU(weights[0] x + weights[1] x + ... + bias): all weights share their place."""
    build = Builder("demo", [Field("x", high=high)])
    now = build.layer()
    form = now.x * 0
    for weight in weights:
        form = form + now.x * weight
    build.neurons("y", (), form + bias)
    done = build.close()
    return build.build(build.output("y", (), done.y))


@pytest.mark.parametrize("shape", [Shape(4, 4), Shape(4, 16), Shape(5, 9), Shape(64, 5)], ids=str)
def test_arrays_hold_the_rows_of_the_statement(shape: Shape) -> None:
    network = paper(shape)
    for depth, layer in enumerate(lower(network)):
        dense = layer.weights.toarray()
        count = 0
        for at, row in enumerate(rows(network, depth)):
            expected = np.zeros(dense.shape[1])
            for column, weight in row.weights.items():
                expected[column] = weight
            assert np.array_equal(dense[at], expected), (depth, row.name)
            assert layer.bias[at] == row.bias, (depth, row.name)
            count = at + 1
        assert dense.shape[0] == len(layer.bias) == count
        assert layer.weights.nnz == np.count_nonzero(dense)


def test_a_fraction_that_float64_does_not_hold() -> None:
    with pytest.raises(NotExactError) as error:
        lower(one_neuron(Fraction(1, 3)))
    assert str(error.value) == (
        "layer 1 of demo: float64 does not hold 1/3 exactly. State the network with weights and "
        "biases that it holds."
    )


def test_a_bias_that_float64_does_not_hold() -> None:
    with pytest.raises(NotExactError) as error:
        lower(one_neuron(1, bias=2**53 + 1))
    assert str(error.value) == (
        "layer 1 of demo: float64 does not hold 9007199254740993 exactly. State the network with "
        "weights and biases that it holds."
    )


def test_a_number_beyond_float64() -> None:
    with pytest.raises(NotExactError, match=r"^layer 1 of demo: float64 does not hold 10+ exactly"):
        lower(one_neuron(10**400))


def test_a_partial_sum_that_float64_does_not_hold() -> None:
    with pytest.raises(NotExactError) as error:
        lower(one_neuron(2**30, bias=-1, high=2**23))
    assert str(error.value) == (
        "layer 1 of demo: a partial sum may reach 2^53, from where on float64 has gaps. State the "
        "network with smaller weights."
    )
    lower(one_neuron(2**30, bias=-1, high=2**23 - 1))


def test_a_partial_sum_of_fractions_is_counted_in_their_unit() -> None:
    lower(one_neuron(Fraction(1, 2**20), high=2**52))
    with pytest.raises(NotExactError, match=r"a partial sum may reach 2\^53 / 1048576,"):
        lower(one_neuron(1, bias=Fraction(1, 2**20), high=2**33))


def test_the_unit_is_that_of_all_layers_so_far() -> None:
    build = Builder("demo", [Field("x")])
    for depth in range(3):
        now = build.layer()
        source = now.x if depth == 0 else now.y
        build.neurons("y", (), source * Fraction(1, 2**20) + 1)
    done = build.close()
    with pytest.raises(
        NotExactError,
        match=r"^layer 3 of demo: a partial sum may reach 2\^53 / 1152921504606846976,",
    ):
        lower(build.build(build.output("y", (), done.y)))


def test_sums_over_an_index_add_up_every_column() -> None:
    build = Builder("demo", [Field("x", (3,), high=2**51)])
    now = build.layer()
    k = Index("k", 3)
    build.neurons("y", (), total(k, now.x[k]))
    done = build.close()
    network = build.build(build.output("y", (), done.y))
    assert lower(network)[0].weights.toarray().tolist() == [[1, 1, 1]]


def test_weights_that_share_a_place_are_added_before_int64_could_wrap() -> None:
    layer = lower(one_neuron(2**62, 2**62, -(2**62), -(2**62) + 3))[0]
    assert layer.weights.toarray().tolist() == [[3]]


def test_weights_that_cancel_are_no_entries() -> None:
    assert lower(one_neuron(5, -5, bias=1))[0].weights.nnz == 0


@given(
    st.lists(
        st.integers(-(2**70), 2**70)
        | st.integers(-9, 9)
        | st.fractions(max_denominator=12)
        | st.just(Fraction(1, 3)),
        max_size=4,
    )
)
def test_the_exact_sum_is_lowered_or_refused(weights: list[int | Fraction]) -> None:
    exact = Fraction(sum(weights))
    held = Fraction(float(exact)) == exact and abs(exact.numerator) < LIMIT
    if held:
        matrix = lower(one_neuron(*weights))[0].weights.toarray()
        assert Fraction(matrix[0, 0]) == exact
    else:
        with pytest.raises(NotExactError):
            lower(one_neuron(*weights))
