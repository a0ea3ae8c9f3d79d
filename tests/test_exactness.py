"""Which formats are exact: the figures, and the formats themselves put to work."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_states import adversarial_states, random_states

from numeric.codec import Codec
from numeric.exactness import FORMATS, Exactness, Figure, exact_formats_by_width, exactness
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import MAX_WORDS, Shape
from verified_mlp.statement import arrays
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, pow2
from verified_mlp.statement.network import Field, Network

NAMES = ["float64", "float32", "float16", "bfloat16", "int8"]


def by_name(network: Network) -> dict[str, Exactness]:
    return {each.format.name: each for each in exactness(network)}


def exact_names(network: Network) -> list[str]:
    return [each.format.name for each in exactness(network) if each.exact]


# The figures of the machine.


@pytest.mark.parametrize(
    ("bits", "largest", "exact"),
    [
        (4, 58, NAMES),
        (16, 1006, ["float64", "float32", "float16", "int8"]),
        (24, 4062, ["float64", "float32", "int8"]),
        (64, 261886, ["float64", "float32"]),
    ],
)
@pytest.mark.parametrize("words", [16, 2**24])
def test_the_machine(bits: int, largest: int, exact: list[str], words: int) -> None:
    found = by_name(paper(Shape(bits, min(words, 2**bits))))
    assert list(found) == NAMES
    assert [name for name in NAMES if found[name].exact] == exact
    for name in NAMES[:4]:
        decisive = found[name].decisive
        assert (decisive.layer, decisive.figure.quantity) == (9, "partial sum")
        assert decisive.figure.number == largest
        assert decisive.figure.family == "result.difference.blocks.generate.passed"


def test_layers_are_decided_one_by_one() -> None:
    found = by_name(paper(Shape(16, 65536)))
    assert [each.layer for each in found["float16"].layers] == list(range(1, 24))
    wrong = [each.layer for each in found["bfloat16"].layers if not each.exact]
    assert wrong == [7, 9, 10, 15, 17, 18]
    int8 = by_name(paper(Shape(64, 256)))["int8"]
    assert str(int8.decisive) == (
        "layer 6: value 510 of result.negative.plus.blocks.prefix, at most 127 is held"
    )
    # What layer 6 cannot give, layer 7 cannot take.
    assert int8.layers[5].figure == int8.layers[6].figure
    assert [each.exact for each in int8.layers[4:8]] == [True, False, False, False]


WIDTHS = {
    4: NAMES,
    9: NAMES,
    10: ["float64", "float32", "float16", "int8"],
    16: ["float64", "float32", "float16", "int8"],
    17: ["float64", "float32", "int8"],
    36: ["float64", "float32", "int8"],
    37: ["float64", "float32"],
    64: ["float64", "float32"],
}


def test_formats_by_width() -> None:
    found = exact_formats_by_width(WIDTHS)
    assert {width: list(names) for width, names in found.items()} == WIDTHS


@pytest.mark.slow
def test_formats_of_every_width() -> None:
    """Between the widths of the table nothing changes."""
    found = exact_formats_by_width()
    assert list(found) == list(range(4, 65))
    for width, names in found.items():
        assert list(names) == WIDTHS[max(each for each in WIDTHS if each <= width)], width


@pytest.mark.parametrize("bits", [4, 5, 9])
def test_fewer_words_have_no_larger_figures(bits: int) -> None:
    most = min(MAX_WORDS, 2**bits)
    largest = by_name(paper(Shape(bits, most)))
    for words in {*range(4, min(most, 20), 3), 7, most // 2, most - 1} - {most}:
        for name, found in by_name(paper(Shape(bits, words))).items():
            for fewer, more in zip(found.layers, largest[name].layers, strict=True):
                parts = [Fraction(each.figure.number, each.limit) for each in (fewer, more)]
                assert parts == sorted(parts), (name, words, fewer.layer)


# Small networks at the edges of the formats.


def toy(
    row: Callable[[Any], Any], high: int = 1, extent: int = 1, one_hot: bool = False
) -> Network:
    """A layer with one neuron y = ReLU(row), over a field x."""
    build = Builder("toy", [Field("x", (extent,), high=high, one_hot=one_hot)])
    now = build.layer()
    build.neurons("y", (), row(now.x))
    build.close()
    return build.build()


@pytest.mark.parametrize(
    ("name", "digits"), [("float64", 53), ("float32", 24), ("float16", 11), ("bfloat16", 8)]
)
def test_floats_are_exact_up_to_their_limit(name: str, digits: int) -> None:
    def verdict(row: Callable[[Any], Any], high: int = 1) -> bool:
        return by_name(toy(row, high))[name].exact

    limit = 2**digits
    assert verdict(lambda x: limit * x[0])
    assert not verdict(lambda x: (limit + 1) * x[0])
    assert verdict(lambda x: x[0] - (limit - 1))
    assert not verdict(lambda x: x[0] - limit)
    assert verdict(lambda x: x[0], high=limit)
    assert not verdict(lambda x: 0 * x[0], high=limit + 1)
    assert verdict(lambda x: 2 * x[0] - limit // 2, high=limit // 4)


def test_what_int8_accumulating_in_int32_holds() -> None:
    def figure(row: Callable[[Any], Any], high: int = 1, extent: int = 1) -> tuple[bool, str]:
        found = by_name(toy(row, high, extent))["int8"]
        return found.exact, found.decisive.figure.quantity

    k = Index("k", 2**18)
    assert figure(lambda x: -127 * x[0]) == (True, "weight")
    assert figure(lambda x: 128 * x[0]) == (False, "weight")
    assert figure(lambda x: x[0], high=127) == (True, "value")
    assert figure(lambda x: x[0], high=128) == (False, "value")
    assert figure(lambda x: x[0] - (2**31 - 2)) == (True, "partial sum")
    assert figure(lambda x: x[0] - (2**31 - 1)) == (False, "partial sum")
    assert figure(lambda x: 0 * x[0] - 2**31) == (False, "partial sum")
    assert figure(lambda x: total(k, 100 * x[k]), 90, 2**18) == (False, "partial sum")


def test_the_value_of_a_neuron_is_what_is_declared() -> None:
    build = Builder("toy", [Field("x")])
    now = build.layer()
    k = Index("k", 9)
    build.neurons("y", (k, Index("j", 2)), pow2(k) * now.x, largest=pow2(k))
    build.close()
    decisive = by_name(build.build())["int8"].decisive
    assert decisive.figure in (Figure("value", 256, "y"), Figure("weight", 256, "y"))
    assert by_name(build.build())["bfloat16"].exact


def test_of_a_one_hot_field_one_position_counts() -> None:
    k = Index("k", 5000)
    assert "float16" not in exact_names(toy(lambda x: total(k, x[k]), extent=5000))
    assert "float16" in exact_names(toy(lambda x: total(k, x[k]), extent=5000, one_hot=True))


def test_fractions_are_not_integers_here_and_after() -> None:
    build = Builder("toy", [Field("x")])
    for depth in range(3):
        now = build.layer()
        source = now.y if depth else now.x
        build.neurons("y", (), source * (Fraction(1, 2) if depth == 1 else 1))
    build.close()
    for found in exactness(build.build()):
        assert [each.exact for each in found.layers] == [True, False, False]
        assert str(found.decisive) == "layer 2: fraction 1/2 of y, only integers are held"
        assert found.layers[2].figure == found.decisive.figure
    assert exact_names(toy(lambda x: 2 * x[0] - Fraction(1, 2))) == []


# The formats at work: each number rounded as the format rounds it, in several orders of adding.


def as_bfloat16(numbers: np.ndarray) -> np.ndarray:
    """The float32 numbers rounded to the nearest that 16 bits hold, ties to even."""
    bits = np.asarray(numbers, dtype=np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32)


def as_it_is(numbers: np.ndarray) -> np.ndarray:
    return numbers


ARITHMETIC: dict[str, tuple[Any, Any, Callable[[np.ndarray], np.ndarray]]] = {
    "float64": (np.float64, np.float64, as_it_is),
    "float32": (np.float32, np.float32, as_it_is),
    "float16": (np.float16, np.float16, as_it_is),
    "bfloat16": (np.float32, np.float32, as_bfloat16),
    "int8": (np.int8, np.int32, as_it_is),
}
"""The type of weights and values, that of sums, and a rounding after each operation."""

Order = Callable[[np.ndarray], np.ndarray]


def orders(seed: int) -> dict[str, Order]:
    """Keys by which each row's products are sorted before they are added up."""
    rng = np.random.default_rng(seed)
    return {
        "shuffled": lambda weights: rng.random(weights.shape),
        "again": lambda weights: rng.random(weights.shape),
        "positive first": lambda weights: -weights,
        "negative first": lambda weights: weights,
        "largest first": lambda weights: -abs(weights),
    }


def augmented(network: Network, depth: int) -> np.ndarray:
    """The exact weights of a layer, and as last column its bias."""
    found = arrays.entries(network, depth)
    weights = np.zeros((found.shape[0], found.shape[1] + 1), dtype=np.int64)
    np.add.at(weights, (found.rows, found.columns), found.weights)
    weights[:, -1] = found.bias
    return weights


def layer_in(name: str, weights: np.ndarray, values: np.ndarray, order: Order) -> np.ndarray:
    """ReLU(weights @ (values, 1)) in a format: product by product, in an order."""
    small, wide, rounded = ARITHMETIC[name]
    keys = np.where(weights == 0, np.inf, order(weights))
    most = max(1, int((weights != 0).sum(axis=1).max()))
    columns = np.argsort(keys, axis=1, kind="stable")[:, :most]
    factors = np.take_along_axis(weights, columns, axis=1)
    held = rounded(np.vstack([values, np.ones_like(values[:1])]).astype(small)).astype(wide)
    is_bias = columns == weights.shape[1] - 1
    # A weight is held in the small type, a bias in the wide one.
    factors = np.where(is_bias, factors.astype(wide), factors.astype(small).astype(wide))
    sums = np.zeros((len(weights), values.shape[1]), dtype=wide)
    for at in range(most):
        product = rounded(rounded(factors[:, at])[:, None] * held[columns[:, at]])
        sums = rounded(sums + product)
    return np.maximum(sums, 0).astype(small)


def wrong_layers(network: Network, name: str, states: np.ndarray, order: Order) -> set[int]:
    """The layers (from 1) whose neurons the format gets wrong on some state, given the exact
    values of the layer before.
    """
    wrong = set()
    for depth in range(len(network.layers)):
        weights = augmented(network, depth)
        exact = np.maximum(weights[:, :-1] @ states + weights[:, -1:], 0)
        if not np.array_equal(layer_in(name, weights, states, order), exact):
            wrong.add(depth + 1)
        states = exact
    return wrong


def vectors(shape: Shape) -> np.ndarray:
    codec = Codec(shape)
    states = [*random_states(shape, seed=11, count=25), *adversarial_states(shape).values()]
    return np.stack([codec.encode(state) for state in states], axis=1).astype(np.int64)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("bfloat16", Shape(4, 16)),
        ("bfloat16", Shape(9, 6)),
        ("float16", Shape(9, 6)),
        ("float16", Shape(16, 6)),
        ("int8", Shape(16, 6)),
        ("int8", Shape(36, 5)),
        ("float32", Shape(64, 5)),
        ("float64", Shape(16, 6)),
    ],
    ids=str,
)
def test_what_is_said_to_be_exact_is(name: str, shape: Shape) -> None:
    network = paper(shape)
    assert by_name(network)[name].exact
    states = vectors(shape)
    for what, order in orders(seed=5).items():
        assert wrong_layers(network, name, states, order) == set(), what


@pytest.mark.parametrize(
    ("name", "shape"),
    [("bfloat16", Shape(17, 5)), ("float16", Shape(37, 5)), ("int8", Shape(37, 5))],
    ids=str,
)
def test_what_is_said_not_to_be_exact_goes_wrong(name: str, shape: Shape) -> None:
    """In some order, on some state; and in no layer that is said to be exact."""
    found = by_name(paper(shape))[name]
    assert not found.exact
    states = vectors(shape)
    wrong = set()
    for order in orders(seed=5).values():
        wrong |= wrong_layers(paper(shape), name, states, order)
    assert wrong
    assert wrong <= {each.layer for each in found.layers if not each.exact}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_number_beyond_a_limit_is_not_held(form: Any) -> None:
    """One more than the limit comes back as another number; the limit itself does not."""
    small, wide, rounded = ARITHMETIC[form.name]
    for quantity, limit in form.limits.items():
        kind = small if quantity in ("weight", "value") else wide
        for number, held in ((limit, True), (-limit, True), (limit + 1, False)):
            numbers = np.array([number], dtype=np.int64).astype(kind)
            assert (int(rounded(numbers)[0]) == number) is held, (quantity, number)


ROW = st.lists(st.integers(-40, 40), min_size=1, max_size=6)


@given(ROW, st.integers(-60, 60), st.integers(0, 40), st.randoms(use_true_random=False))
def test_random_rows_in_bfloat16(weights: list[int], bias: int, high: int, random: Any) -> None:
    """What is said to be exact is; and it is said unless a bound is beyond the limit."""
    count = len(weights)
    network = toy(
        lambda x: sum((weight * x[at] for at, weight in enumerate(weights)), 0 * x[0]) + bias,
        high,
        count,
    )
    bound = sum(abs(weight) * high for weight in weights) + abs(bias)
    exact = by_name(network)["bfloat16"].exact
    largest = max(bound, *map(abs, weights), high)
    declared = network.layers[0].neurons[0].largest.constant
    assert exact is (max(largest, declared) <= 256)
    if exact:
        states = np.array([[random.randint(0, high) for _ in range(8)] for _ in range(count)])
        for order in orders(seed=random.randint(0, 99)).values():
            assert wrong_layers(network, "bfloat16", states, order) == set()
