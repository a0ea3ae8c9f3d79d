"""The exact integer arrays of a layer at any shape, built by index arithmetic on whole grids.

The entries are those of `evaluate.rows`; here each term of each family becomes one array
expression, so a layer of millions of rows takes a few array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verified_mlp.statement.affine import Term
from verified_mlp.statement.evaluate import offsets, size, width
from verified_mlp.statement.expr import Expr
from verified_mlp.statement.network import Network, Neurons

Array = np.ndarray[Any, Any]

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entries:
    """The non-zero weights of a layer as triplets (a place may occur twice: add), and its bias.

    `weights` and `bias` are int64, or object arrays of Fractions or large ints where int64
    does not hold them.
    """

    shape: tuple[int, int]
    rows: Array
    columns: Array
    weights: Array
    bias: Array


class _Grid:
    """An index grid: the family's axes first, then the term's summation axes."""

    def __init__(self, family: Neurons, term: Term) -> None:
        names = [index.name for index in family.indices] + [bound.name for bound in term.bounds]
        self.shape = family.shape + tuple(bound.size for bound in term.bounds)
        self.own = len(family.indices)
        self.values: dict[str, Array] = {}
        for axis, (name, extent) in enumerate(zip(names, self.shape, strict=True)):
            lay = [1] * len(self.shape)
            lay[axis] = extent
            self.values[name] = np.arange(extent, dtype=np.int64).reshape(lay)
        self.mask: Array | None = None
        for bound in term.bounds:
            self._restrict(bound.low, bound.high, bound.name, bound.size)

    def _restrict(self, low: Expr, high: Expr, name: str, extent: int) -> None:
        if low.constant == 0 and high.constant == extent:
            return
        at = self.values[name]
        first, end = low.evaluate(self.values), high.evaluate(self.values)
        inside = (first <= at) & (at < end)
        self.mask = inside if self.mask is None else self.mask & inside
        # A masked point must not make a coefficient fail or outgrow int64, such as 2**(k - low).
        self.values[name] = np.clip(at, first, np.maximum(end - 1, 0))

    def evaluate(self, expr: Expr) -> Any:
        """The exact values of an expression; NumPy would wrap int64 in silence."""
        if expr.constant is not None or _reach(expr, self.values) <= INT64_MAX:
            return expr.evaluate(self.values)
        names = sorted(expr.variables())
        point = np.frompyfunc(
            lambda *at: expr.evaluate(dict(zip(names, at, strict=True))), len(names), 1
        )
        return point(*(self.values[name].astype(object) for name in names))

    def full(self, array: Any) -> Array:
        """The array over the whole grid."""
        return np.broadcast_to(np.asarray(array), self.shape)

    def own_rows(self) -> Array:
        """The row within the family at each grid point."""
        rows = np.zeros((1,) * len(self.shape), dtype=np.int64)
        for axis in range(self.own):
            lay = [1] * len(self.shape)
            lay[axis] = self.shape[axis]
            step = size(self.shape[axis + 1 : self.own])
            rows = rows + step * np.arange(self.shape[axis], dtype=np.int64).reshape(lay)
        return rows


def entries(network: Network, depth: int) -> Entries:
    """The exact entries of layer `depth` (from 0).

    Raises IndexError if a term reads outside its field, ValueError for a size that is not settled.
    """
    sources = network.sources(depth)
    starts = offsets(sources)
    shapes = {source.name: source.shape for source in sources}
    families = network.layers[depth].neurons
    first_rows = offsets(families)
    found: list[tuple[Array, Array, Array]] = []
    biases: list[Array] = []
    for family in families:
        bias: Array = np.zeros(size(family.shape), dtype=np.int64)
        for term in family.row.terms:
            grid = _Grid(family, term)
            if term.ref is None:
                bias = _added(bias, _bias(grid, term))
            else:
                rows, columns, weights = _weights(grid, term, shapes[term.ref.field])
                found.append(
                    (
                        rows + first_rows[family.name],
                        columns + starts[term.ref.field],
                        weights,
                    )
                )
        biases.append(bias)
    parts = list(zip(*found, strict=True)) or [(), (), ()]
    row_parts, column_parts, weight_parts = (_joined(part) for part in parts)
    return Entries(
        (width(families), width(sources)),
        row_parts,
        column_parts,
        _narrow(weight_parts),
        _narrow(_joined(biases)),
    )


def _joined(parts: Any) -> Array:
    return np.concatenate(parts) if len(parts) else np.zeros(0, dtype=np.int64)


def _bias(grid: _Grid, term: Term) -> Any:
    numbers = np.asarray(grid.evaluate(term.coefficient))
    if _size(numbers) * size(grid.shape[grid.own :]) > INT64_MAX:
        numbers = numbers.astype(object)
    contribution = grid.full(numbers)
    if grid.mask is not None:
        contribution = np.where(grid.full(grid.mask), contribution, 0)
    axes = tuple(range(grid.own, len(grid.shape)))
    # The sum of an object array over all its axes is a bare object.
    return np.asarray(contribution.sum(axis=axes)).reshape(-1)


def _added(left: Array, right: Array) -> Array:
    return left.astype(object) + right if _size(left) + _size(right) > INT64_MAX else left + right


def _size(numbers: Array) -> Any:
    """The largest absolute value."""
    highest, lowest = numbers.max(initial=0), numbers.min(initial=0)
    # The least int64 has no negative in int64.
    return max(highest, -lowest) if numbers.dtype == object else max(int(highest), -int(lowest))


def _reach(expr: Expr, values: dict[str, Array]) -> int:
    """No number that occurs in finding the expression's values is larger in size."""
    match expr.op:
        case "const":
            return int(max(abs(expr.args[0].numerator), expr.args[0].denominator))
        case "var":
            return int(_size(values[expr.args[0]]))
        case "pow2":
            return 1 << int(_size(np.asarray(expr.args[0].evaluate(values))))
    left, *rest = (_reach(arg, values) for arg in expr.args)
    match expr.op:
        case "add":
            return left + rest[0]
        case "mul":
            return max(left, rest[0], left * rest[0])
    return max(left, *rest) + 1


def _narrow(numbers: Array) -> Array:
    """As int64 where that holds them all."""
    if numbers.dtype == object and all(
        isinstance(number, int) and abs(number) <= INT64_MAX for number in numbers
    ):
        return numbers.astype(np.int64)
    return numbers


def _weights(grid: _Grid, term: Term, shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
    assert term.ref is not None
    weights = grid.full(grid.evaluate(term.coefficient))
    keep = weights != 0
    if grid.mask is not None:
        keep = keep & grid.mask
    column: Any = 0
    for expr, extent in zip(term.ref.positions, shape, strict=True):
        at = expr.evaluate(grid.values)
        outside = ((at < 0) | (at >= extent)) & keep
        if np.any(outside):
            raise IndexError(f"{term.ref} is outside its shape {shape}")
        column = column * extent + at
    if np.all(keep):
        return grid.full(grid.own_rows()).ravel(), grid.full(column).ravel(), weights.ravel()
    return grid.full(grid.own_rows())[keep], grid.full(column)[keep], weights[keep]
