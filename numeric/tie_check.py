"""The tie-check: whether a network's arrays hold exactly what its placed statement says.

The arrays are built by index arithmetic on whole grids (`verified_mlp.statement.arrays`), which
is fast and not plain.  Here every row is read from the statement again, entry by entry, with
Python's integers and fractions, by code that the arrays do not share; only the layout of columns
(`offsets`) and the statement itself are common to both.  What a term gives is kept while the
indices that it uses stand still.
"""

from __future__ import annotations

import operator
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from random import Random
from typing import Any

import numpy as np
import scipy.sparse as sp

from numeric.lower import Array, Sparse
from verified_mlp.statement.affine import Term
from verified_mlp.statement.evaluate import Point, entry_name, offsets, points, size, width
from verified_mlp.statement.expr import Expr, Number
from verified_mlp.statement.network import Field, Network, Neurons

Entries = tuple[dict[int, Number], Number]
"""The weights by column and the bias."""

MOST = 10
"""So many differences are listed unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where arrays and statement differ.

    `layer` counts from 1; `neuron` and `column` are names such as `a[3, 0]`.  Without a column it
    is the neuron's bias; without a neuron it is the form of the layer's arrays, and `stated` and
    `held` are phrases.
    """

    layer: int
    neuron: str
    column: str
    stated: Number | str
    held: float | str

    def __str__(self) -> str:
        """The difference as a sentence.

        >>> print(Difference(3, "at_a[1]", "a[0]", -1, 1.0))
        layer 3, neuron at_a[1]: the weight of a[0] is -1 in the statement and 1 in the arrays.
        """
        if not self.neuron:
            return f"layer {self.layer}: the statement has {self.stated}, the arrays {self.held}."
        what = f"the weight of {self.column}" if self.column else "the bias"
        return (
            f"layer {self.layer}, neuron {self.neuron}: {what} is {self.stated} in the statement "
            f"and {self.held:.17g} in the arrays."
        )


@dataclass(frozen=True, slots=True)
class Tie:
    """What a tie-check saw: the rows it compared, their non-zero weights as stated, and the
    differences.  `seed` repeats a sample; it is None where every row was compared.
    """

    rows: int = 0
    nonzeros: int = 0
    differences: tuple[Difference, ...] = ()
    seed: int | None = None


def tie_check(
    network: Network,
    layers: Iterable[tuple[Any, Array]],
    sample: int | None = None,
    seed: int | None = None,
    most: int = MOST,
) -> Tie:
    """Compare the (weights, bias) of every layer with the statement, exactly.

    `layers` are those of `lower` or of an engine: CSR or dense weights, float64.  Each is dropped
    before the next is taken, so that the layers of a generator need not stand in memory together.
    Every row is compared, or, with a `sample`, so many rows of every family, drawn at random from
    the `seed` (a fresh one unless given).  The check ends at `most` differences.

    Raises IndexError if the statement reads outside a field.
    """
    if sample is not None and seed is None:
        seed = secrets.randbits(64)
    draw = None if sample is None else Draw(sample, Random(seed))
    rows = nonzeros = 0
    found: list[Difference] = []
    for depth, (stated, held) in enumerate(zip_longest(network.layers, layers)):
        if stated is None or held is None:
            texts = ("no such layer", "have one") if stated is None else ("this layer", "lack it")
            found.append(Difference(depth + 1, "", "", *texts))
            break
        weights, bias = held
        tie = check_layer(network, depth, weights, bias, draw, most - len(found))
        rows, nonzeros = rows + tie.rows, nonzeros + tie.nonzeros
        found += tie.differences
        if len(found) >= most:
            break
    return Tie(rows, nonzeros, tuple(found), None if sample is None else seed)


@dataclass(frozen=True, slots=True)
class Draw:
    """A random choice of at most `sample` rows of a family."""

    sample: int
    random: Random

    def rows(self, count: int) -> list[int]:
        """Some of the rows 0..count-1, in order."""
        return sorted(self.random.sample(range(count), min(self.sample, count)))


def check_layer(
    network: Network,
    depth: int,
    weights: Any,
    bias: Array,
    draw: Draw | None = None,
    most: int = MOST,
) -> Tie:
    """`tie_check` of layer `depth` (from 0): of every row, or of those that are drawn."""
    sources, families = network.sources(depth), network.layers[depth].neurons
    expected, actual = _stated_form(width(families), width(sources)), _form(weights, bias)
    if actual != expected:
        return Tie(differences=(Difference(depth + 1, "", "", expected, f"have {actual}"),))
    held_row = _csr_row if sp.issparse(weights) else _dense_row
    rows = nonzeros = first = 0
    found: list[Difference] = []
    for family in families:
        read = row_reader(sources, family)
        for place, point in _chosen(family, draw):
            stated, constant = read(point)
            held = held_row(weights, first + place)
            held_bias = float(bias[first + place])
            rows, nonzeros = rows + 1, nonzeros + len(stated)
            if held == stated and held_bias == constant:
                continue
            neuron = entry_name(family.name, point)
            for column in sorted(held.keys() | stated.keys()):
                entry = (stated.get(column, 0), held.get(column, 0.0))
                if entry[0] != entry[1]:
                    found.append(Difference(depth + 1, neuron, _name(sources, column), *entry))
            if held_bias != constant:
                found.append(Difference(depth + 1, neuron, "", constant, held_bias))
            if len(found) >= most:
                return Tie(rows, nonzeros, tuple(found[:most]))
        first += size(family.shape)
    return Tie(rows, nonzeros, tuple(found))


def _chosen(family: Neurons, draw: Draw | None) -> Iterator[tuple[int, Point]]:
    if draw is None:
        yield from enumerate(points(family.shape))
        return
    for place in draw.rows(size(family.shape)):
        yield place, _point(place, family.shape)


def _point(place: int, shape: Sequence[int]) -> Point:
    """The index point at a place in row order.

    >>> _point(7, (3, 4))
    (1, 3)
    """
    point = []
    for extent in reversed(shape):
        place, at = divmod(place, extent)
        point.append(at)
    return tuple(reversed(point))


def _name(sources: Sequence[Field | Neurons], column: int) -> str:
    for source in sources:
        count = size(source.shape)
        if column < count:
            return entry_name(source.name, _point(column, source.shape))
        column -= count
    raise IndexError(column)


def _csr_row(weights: Any, row: int) -> dict[int, float]:
    start, end = weights.indptr[row], weights.indptr[row + 1]
    return dict(
        zip(weights.indices[start:end].tolist(), weights.data[start:end].tolist(), strict=True)
    )


def _dense_row(weights: Array, row: int) -> dict[int, float]:
    columns = np.flatnonzero(weights[row])
    return dict(zip(columns.tolist(), weights[row, columns].tolist(), strict=True))


def _stated_form(rows: int, columns: int) -> str:
    return f"{rows} x {columns} weights and {rows} biases of float64"


def _form(weights: Any, bias: Array) -> str:
    """What the arrays are, in the words of `_stated_form` where they are as they must be."""
    rows = " x ".join(map(str, bias.shape))
    form = f"{' x '.join(map(str, weights.shape))} weights and {rows} biases of {weights.dtype}"
    if bias.dtype != weights.dtype:
        form += f" and {bias.dtype}"
    if not sp.issparse(weights):
        return form
    kind = getattr(weights, "format")  # noqa: B009  # SciPy's stubs do not know it
    if kind != "csr":
        return f"{form} in the format {kind}"
    return form if _is_in_order(weights) else f"{form} whose columns are not each once, in order"


def _is_in_order(weights: Sparse) -> bool:
    """Whether every row of a CSR array lists existing columns, each once, in rising order.

    Only then does the product with a vector add up what the rows list, as it is listed.
    """
    ends, columns, count = weights.indptr, weights.indices, len(weights.data)
    if len(ends) != weights.shape[0] + 1 or ends[0] != 0 or np.any(ends[1:] < ends[:-1]):
        return False
    if not ends[-1] == len(columns) == count:
        return False
    if count and (columns.min() < 0 or columns.max() >= weights.shape[1]):
        return False
    rising = columns[1:] > columns[:-1]
    starts = ends[(ends > 0) & (ends < count)]
    rising[starts - 1] = True
    return bool(rising.all())


def row_reader(sources: Sequence[Field | Neurons], family: Neurons) -> Callable[[Point], Entries]:
    """A function from an index point to the family's row there, as the statement has it.

    The function raises IndexError if a term reads outside its field.
    """
    starts = offsets(sources)
    shapes = {source.name: source.shape for source in sources}
    names = [index.name for index in family.indices]
    terms = [_term_reader(term, starts, shapes, names) for term in family.row.terms]

    def read(point: Point) -> Entries:
        weights: dict[int, Number] = {}
        bias: Number = 0
        for term in terms:
            part, constant = term(point)
            bias += constant
            if weights.keys().isdisjoint(part):
                weights.update(part)
                continue
            for column, number in part.items():
                weights[column] = weights.get(column, 0) + number
        if 0 in weights.values():
            weights = {column: number for column, number in weights.items() if number != 0}
        return weights, bias

    return read


def _term_reader(
    term: Term,
    starts: dict[str, int],
    shapes: dict[str, tuple[int, ...]],
    names: Sequence[str],
) -> Callable[[Point], Entries]:
    """What a term adds to the row at an index point."""
    coefficient = compiled(term.coefficient)
    bounds = [(bound.name, compiled(bound.low), compiled(bound.high)) for bound in term.bounds]
    positions = [] if term.ref is None else [compiled(each) for each in term.ref.positions]
    start = 0 if term.ref is None else starts[term.ref.field]
    shape = () if term.ref is None else shapes[term.ref.field]
    axes = [axis for axis, name in enumerate(names) if name in _variables(term)]

    @lru_cache(maxsize=1)
    def read(*used: int) -> Entries:
        at = {names[axis]: number for axis, number in zip(axes, used, strict=True)}
        weights: dict[int, Number] = {}
        bias: Number = 0
        for _ in _summands(bounds, at):
            number = coefficient(at)
            if number == 0:
                continue
            if term.ref is None:
                bias += number
                continue
            column = 0
            for position, extent in zip(positions, shape, strict=True):
                place = position(at)
                if not 0 <= place < extent:
                    raise IndexError(f"{term.ref} at {at} is outside its shape {shape}")
                column = column * extent + place
            column += start
            weights[column] = weights.get(column, 0) + number
        return weights, bias

    return lambda point: read(*[point[axis] for axis in axes])


def _variables(term: Term) -> frozenset[str]:
    """The names in a term, those of its summation indices among them."""
    exprs = [term.coefficient, *(() if term.ref is None else term.ref.positions)]
    for bound in term.bounds:
        exprs += [bound.low, bound.high]
    return frozenset().union(*(expr.variables() for expr in exprs))


_Bounds = Sequence[tuple[str, "Reading", "Reading"]]
Reading = Callable[[dict[str, int]], Any]
"""A function of the values of the indices."""


def _summands(bounds: _Bounds, at: dict[str, int]) -> Iterator[None]:
    """Set the summation indices in `at` to each of their combinations in turn."""
    if not bounds:
        yield
        return
    (name, low, high), *rest = bounds
    for number in range(low(at), high(at)):
        at[name] = number
        yield from _summands(rest, at)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "mul": operator.mul,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "bit": lambda word, position: (word >> position) & 1,
    "pow2": lambda exponent: 1 << exponent,
    "eq": lambda left, right: int(left == right),
    "le": lambda left, right: int(left <= right),
}


def compiled(expr: Expr) -> Reading:
    """The expression as a function: for ints it gives what `Expr.evaluate` gives.

    >>> from verified_mlp.statement.expr import bit, var
    >>> compiled(2 * bit(var("i"), 1) - 1)({"i": 5})
    -1
    """
    if expr.op == "const":
        number = expr.args[0]
        return lambda at: number
    if expr.op == "var":
        return operator.itemgetter(expr.args[0])
    operation = _OPERATIONS[expr.op]
    first, *others = map(compiled, expr.args)
    if not others:
        return lambda at: operation(first(at))
    (second,) = others
    return lambda at: operation(first(at), second(at))
