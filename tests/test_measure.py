from collections.abc import Callable, Sequence
from fractions import Fraction
from math import isqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.evaluate import points, rows, width
from verified_mlp.statement.expr import Index, at_most, bit, equal, pow2
from verified_mlp.statement.measure import (
    Irregular,
    by_cells,
    measure,
    measure_family,
    measure_layer,
)
from verified_mlp.statement.measure_rows import Measure, by_rows
from verified_mlp.statement.network import Field, Network, Neurons

SHAPES = [Shape(4, 4), Shape(4, 16), Shape(4, 15), Shape(5, 32), Shape(6, 13), Shape(9, 5)]
LARGEST = [Shape(24, 2**24), Shape(64, 2**24), Shape(25, 2**24 - 1)]


def naive(network: Network, depth: int) -> Measure:
    """The measure of a layer, row by row and weight by weight."""
    columns: list[tuple[str, bool, Any, Any]] = []
    for source in network.sources(depth):
        for point in points(source.shape):
            names = [index.name for index in source.indices]
            largest = source.largest.evaluate(dict(zip(names, point, strict=True)))
            columns.append((source.name, source.one_hot and point != (), point[:1], largest))
    nonzeros, weights, biases, sums = 0, [0], [0], [0]
    count = 0
    for row in rows(network, depth):
        count += 1
        nonzeros += len(row.weights)
        weights += [abs(weight) for weight in row.weights.values()]
        biases.append(abs(row.bias))
        total_size: Any = abs(row.bias)
        one_hot: dict[str, dict[Any, Any]] = {}
        for column, weight in row.weights.items():
            name, alone, first, largest = columns[column]
            if alone:
                groups = one_hot.setdefault(name, {})
                groups[first] = groups.get(first, 0) + abs(weight) * largest
            else:
                total_size += abs(weight) * largest
        sums.append(total_size + sum(max(groups.values()) for groups in one_hot.values()))
    return Measure(count, nonzeros, max(weights), max(biases), max(sums))


def each_family(network: Network) -> list[tuple[Sequence[Field | Neurons], Neurons]]:
    return [
        (network.sources(depth), family)
        for depth, layer in enumerate(network.layers)
        for family in layer.neurons
    ]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_machine_is_measured_as_its_rows_are(shape: Shape) -> None:
    network = paper(shape)
    for depth, found in enumerate(measure(network)):
        assert found == naive(network, depth), depth + 1
        assert found.rows == width(network.layers[depth].neurons)


@pytest.mark.parametrize("shape", [Shape(8, 64), Shape(8, 256), Shape(16, 300)], ids=str)
def test_cells_give_what_all_entries_give(shape: Shape) -> None:
    for sources, family in each_family(paper(shape)):
        assert by_cells(sources, family) == by_rows(sources, family), family.name


@pytest.mark.parametrize("shape", LARGEST, ids=str)
def test_the_largest_machines_need_no_enumeration(shape: Shape) -> None:
    for sources, family in each_family(paper(shape)):
        by_cells(sources, family)  # raises Irregular where it cannot


def beta(bits: int) -> int:
    return isqrt(bits - 1) + 1


@pytest.mark.parametrize("bits", [4, 5, 8, 9, 16, 17, 24, 25, 32, 36, 49, 64])
def test_weights_are_as_small_as_designed(bits: int) -> None:
    blocks = -(-bits // beta(bits))
    found = measure(paper(Shape(bits, 16)))
    assert max(layer.largest_weight for layer in found) == 2 ** (max(beta(bits), blocks) - 1)


@pytest.mark.parametrize(
    ("bits", "bias", "carries"), [(16, 24, 428), (24, 48, 1876), (64, 384, 129668)]
)
def test_biases_and_the_sums_for_carries_are_as_designed(
    bits: int, bias: int, carries: int
) -> None:
    network = paper(Shape(bits, 256))
    assert max(layer.largest_bias for layer in measure(network)) == bias
    notes = [layer.note for layer in network.layers]
    depth = notes.index("add the operands: carries into blocks")
    assert measure_layer(network, depth).largest_partial_sum == carries


@pytest.mark.parametrize("bits", [4, 9, 16, 17, 36, 50, 64])
def test_every_partial_sum_is_an_exact_float(bits: int) -> None:
    """Of 24 bits at every width, as float32 has them; of 11 up to 16 bits, as float16 has."""
    found = measure(paper(Shape(bits, min(2**24, 2**bits))))
    assert max(layer.largest_partial_sum for layer in found) <= (2**11 if bits <= 16 else 2**24)


@pytest.mark.parametrize(
    ("shape", "thousands"),
    [(Shape(8, 64), 49), (Shape(16, 256), 541), (Shape(16, 1024), 2150), (Shape(16, 4096), 8600)],
    ids=str,
)
def test_nonzeros_are_as_many_as_designed(shape: Shape, thousands: int) -> None:
    nonzeros = sum(layer.nonzeros for layer in measure(paper(shape)))
    assert abs(nonzeros - 1000 * thousands) * 200 < 1000 * thousands


def toy(row: Callable[..., Any], extents: tuple[int, ...] = (23,), size: int = 40) -> Network:
    """Neurons y[i, ...] = ReLU(row), over fields with ranges of every kind."""
    build = Builder(
        "toy",
        [
            Field("x", (size,), high=3),
            Field("grid", (size, 3), high=2),
            Field("one", (size,), high=5, one_hot=True),
            Field("ones", (size, 3), high=7, one_hot=True),
            Field("flag"),
        ],
    )
    now = build.layer()
    k = Index("k", size)
    build.neurons("tall", (k,), now.x[k], largest=pow2(k % 5) - 1)
    for name, rank in (("x", 1), ("grid", 2), ("one", 1), ("ones", 2), ("flag", 0)):
        over = tuple(Index(f"{name}{axis}", (size, 3)[axis]) for axis in range(rank))
        signal = getattr(now, name)
        largest = {"x": 3, "grid": 2, "one": 5, "ones": 7, "flag": 1}[name]
        form = signal[over] if over else signal
        build.neurons(name, over, form, largest=largest, one_hot=name.startswith("one"))
    now = build.layer()
    over = tuple(Index(name, extent) for name, extent in zip("ij", extents, strict=False))
    build.neurons("y", over, row(now, *over))
    build.close()
    return build.build()


M, N = Index("m", 6), Index("n", 3)
REGULAR: dict[str, Callable[..., Any]] = {
    "plain": lambda now, i: now.x[i] - 2 * now.flag + 3,
    "shifted": lambda now, i: now.x[i + 17] - 5,
    "nothing": lambda now, i: 0 * now.x[i],
    "a bias that depends on bits": lambda now, i: now.flag + total(M, 2 * bit(i, M) - 1) - 2,
    "weights that depend on bits": lambda now, i: total(M, (2 * bit(i, M) - 1) * now.x[M]) - 1,
    "weights that vanish": lambda now, i: total(M, bit(i, M) * pow2(M) * now.x[M]) + bit(i, 4) * 9,
    "bits the index has not": lambda now, i: total(M, (3 - bit(i, M + 3)) * now.x[M]),
    "one bit in two terms": lambda now, i: bit(i, 1) * now.flag - 2 * bit(i, 1) * now.flag,
    "a comparison": lambda now, i: at_most(i, 7) * now.x[i + 30] + 4 * at_most(9, i) * now.flag,
    "an equality": lambda now, i: equal(i, 22) * now.x[i] * 9 + now.flag,
    "ranges that differ": lambda now, i: 2 * now.tall[i] - 1,
    "one-hot sum": lambda now, i: total(Index("k", 40), 3 * now.one[Index("k", 40)]) + now.x[i],
    "one-hot part": lambda now, i: total(M, pow2(M) * now.one[M + 2]) + now.one[30] + now.x[i],
    "one-hot grid": lambda now, i: total(M, total(N, (M + N) * now.ones[M, N])),
    "one-hot across": lambda now, i: total(N, 2 * now.ones[i, N]) - 1,
    "sums of sums": lambda now, i: total(M, total(N, now.grid[M, N])) + total(M, now.x[0]),
    "a triangle": lambda now, i: total(Index("k", 40), now.x[Index("k", 40)], i, i + i // 2),
    "thirds": lambda now, i: Fraction(1, 3) * now.x[i] - Fraction(1, 7) * i,
    "beyond int64": lambda now, i: 2**80 * now.x[i] + 3**60,
    "overlapping windows": lambda now, i: total(M, now.x[i + M]) - total(N, now.x[i + N]),
    "the same entry twice": lambda now, i: now.x[i // 2] + now.x[i // 2] - now.x[0],
    "both axes": lambda now, i, j: now.grid[i, j] + j * now.x[i] - i,
    "columns of ones": lambda now, i, j: total(Index("k", 40), now.ones[Index("k", 40), j]) - 1,
}
IRREGULAR: dict[str, Callable[..., Any]] = {
    "products of bits": lambda now, i: bit(i, 0) * bit(i, 1) * now.x[i] + bit(i, 2),
    "two bits of one weight": lambda now, i: total(M, bit(i, M) * now.flag),
    "bits among one-hots": lambda now, i: total(M, (1 + bit(i, M)) * now.one[M]),
}


@pytest.mark.parametrize("name", [*REGULAR, *IRREGULAR])
@pytest.mark.parametrize("size", [1, 2, 8, 15, 23])
def test_statements_of_many_kinds(name: str, size: int) -> None:
    row = {**REGULAR, **IRREGULAR}[name]
    network = toy(row, (size, 3)[: row.__code__.co_argcount - 1])
    assert measure(network)[1] == naive(network, 1)
    sources, family = each_family(network)[-1]
    assert by_rows(sources, family) == naive(network, 1)


@pytest.mark.parametrize("name", REGULAR)
def test_regular_statements_need_no_enumeration(name: str) -> None:
    row = REGULAR[name]
    network = toy(row, (23, 3)[: row.__code__.co_argcount - 1])
    sources, family = each_family(network)[-1]
    assert by_cells(sources, family) == by_rows(sources, family)


@pytest.mark.parametrize("name", IRREGULAR)
def test_irregular_statements_are_enumerated(name: str) -> None:
    sources, family = each_family(toy(IRREGULAR[name]))[-1]
    with pytest.raises(Irregular):
        by_cells(sources, family)
    assert measure_family(sources, family) == by_rows(sources, family)


def test_rows_are_enumerated_in_parts() -> None:
    size = 5000
    network = toy(
        lambda now, i: total(Index("m", 900), (i % 7) * now.x[Index("m", 900)]), (size,), 900
    )
    sources, family = each_family(network)[-1]
    with pytest.raises(Irregular):
        by_cells(sources, family)
    found = measure_family(sources, family)
    assert found == Measure(size, 900 * sum(1 for i in range(size) if i % 7), 6, 0, 900 * 6 * 3)


PARTS = st.tuples(
    st.integers(-3, 3),
    st.sampled_from(
        [
            "x[i]",
            "x[i+m]",
            "x[m]",
            "tall[i]",
            "tall[m]",
            "flag",
            "one[m]",
            "ones[m,n]",
            "grid[m,n]",
            "1",
        ]
    ),
    st.sampled_from(["1", "bit(i,m)", "2bit(i,m)-1", "i<=5", "i=3", "2^m", "i%3", "bit(i,0)"]),
)


@given(st.lists(PARTS, max_size=4), st.integers(1, 20), st.integers(0, 6))
def test_random_statements(parts: list[tuple[int, str, str]], size: int, high: int) -> None:
    def row(now: Any, i: Index) -> Any:
        entries = {
            "x[i]": now.x[i],
            "x[i+m]": now.x[i + M],
            "x[m]": now.x[M],
            "tall[i]": now.tall[i],
            "tall[m]": now.tall[M],
            "flag": now.flag,
            "one[m]": now.one[M],
            "ones[m,n]": total(N, now.ones[M, N]),
            "grid[m,n]": total(N, now.grid[M, N]),
            "1": 1 + 0 * now.flag,
        }
        factors = {
            "1": 1,
            "bit(i,m)": bit(i, M),
            "2bit(i,m)-1": 2 * bit(i, M) - 1,
            "i<=5": at_most(i, 5),
            "i=3": equal(i, 3),
            "2^m": pow2(M),
            "i%3": i % 3,
            "bit(i,0)": bit(i, 0),
        }
        form = 0 * now.flag
        for number, entry, factor in parts:
            form = form + total(M, number * factors[factor] * entries[entry], 0, high)
        return form

    network = toy(row, (size,))
    assert measure(network)[1] == naive(network, 1)


def test_a_term_that_reads_outside_its_field() -> None:
    with pytest.raises(IndexError, match=r"^x\[@0 \+ 30\] is outside its shape \(40,\)$"):
        measure(toy(lambda now, i: now.x[i + 30]))


def test_a_parameter_must_be_settled() -> None:
    from verified_mlp.gadgets.match import match

    with pytest.raises(KeyError):
        measure(match(bits=4).network)
