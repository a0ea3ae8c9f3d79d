"""Exact evaluation: rows, sympy matrices and values of a network, entry by entry.

This is the plain view, written as loops over index points and terms.  `arrays` computes the
same entries for large shapes at once; the tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from verified_mlp.logic import Value, where
from verified_mlp.statement.affine import Affine, Bound, Term
from verified_mlp.statement.expr import Expr, Number
from verified_mlp.statement.network import Field, Layer, Network, Neurons

if TYPE_CHECKING:
    import sympy

Point = tuple[int, ...]
Numbers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One neuron's row: its family and index point, weights by column, bias."""

    family: Neurons
    point: Point
    weights: dict[int, Number]
    bias: Number

    @property
    def name(self) -> str:
        """The neuron's name, e.g. `sA[3, 0]`."""
        return entry_name(self.family.name, self.point)


def entry_name(name: str, point: Point) -> str:
    """`name[3, 0]`, or the bare name for a scalar."""
    return f"{name}[{', '.join(map(str, point))}]" if point else name


def points(shape: Sequence[int]) -> Iterator[Point]:
    """All index points of a shape in row order."""
    return product(*(range(size) for size in shape))


def size(shape: Sequence[int]) -> int:
    """The number of index points of a shape."""
    count = 1
    for extent in shape:
        count *= extent
    return count


def offsets(arrays: Sequence[Field | Neurons]) -> dict[str, int]:
    """The column at which each array begins."""
    start, found = 0, {}
    for array in arrays:
        found[array.name] = start
        start += size(array.shape)
    return found


def width(arrays: Sequence[Field | Neurons]) -> int:
    """The number of entries of all arrays together."""
    return sum(size(array.shape) for array in arrays)


def column_names(arrays: Sequence[Field | Neurons]) -> list[str]:
    """The name of every column."""
    return [entry_name(array.name, point) for array in arrays for point in points(array.shape)]


def summands(term: Term, values: Numbers) -> Iterator[Numbers]:
    """The index values at which a term's summands stand."""
    return _bound_values(term.bounds, values)


def _bound_values(bounds: Sequence[Bound], values: Numbers) -> Iterator[Numbers]:
    if not bounds:
        yield values
        return
    first, *rest = bounds
    for index in range(first.low.evaluate(values), first.high.evaluate(values)):
        yield from _bound_values(rest, {**values, first.name: index})


def position(term: Term, values: Numbers, shape: Sequence[int]) -> Point | None:
    """The entry that a summand reads, or None where its coefficient is 0.

    Raises IndexError for an entry outside the field whose coefficient is not 0.
    """
    assert term.ref is not None
    point = tuple(expr.evaluate(values) for expr in term.ref.positions)
    if len(point) == len(shape) and all(
        0 <= at < extent for at, extent in zip(point, shape, strict=True)
    ):
        return point
    if term.coefficient.evaluate(values) == 0:
        return None
    raise IndexError(f"{term.ref} at {dict(values)} is outside its shape {tuple(shape)}")


def rows(network: Network, depth: int, parameters: Numbers | None = None) -> Iterator[Row]:
    """The rows of layer `depth` (from 0), for given values of a gadget's parameters.

    Raises ValueError for a size that is not settled.
    """
    sources = network.sources(depth)
    starts = offsets(sources)
    shapes = {source.name: source.shape for source in sources}
    for family in network.layers[depth].neurons:
        names = [index.name for index in family.indices]
        for point in points(family.shape):
            values = {**(parameters or {}), **dict(zip(names, point, strict=True))}
            weights: dict[int, Number] = {}
            bias: Number = 0
            for term in family.row.terms:
                for at in summands(term, values):
                    coefficient = term.coefficient.evaluate(at)
                    if term.ref is None:
                        bias += coefficient
                        continue
                    shape = shapes[term.ref.field]
                    entry = position(term, at, shape)
                    if entry is None:
                        continue
                    column = starts[term.ref.field] + int(np.ravel_multi_index(entry, shape))
                    weights[column] = weights.get(column, 0) + coefficient
            yield Row(family, point, {c: w for c, w in weights.items() if w != 0}, bias)


def matrix(
    network: Network, depth: int, parameters: Numbers | None = None
) -> tuple[sympy.SparseMatrix, sympy.SparseMatrix]:
    """The exact sympy matrix W (rows x columns) and bias b (rows x 1) of layer `depth`."""
    import sympy

    entries: dict[tuple[int, int], Any] = {}
    bias: dict[tuple[int, int], Any] = {}
    count = 0
    for at, row in enumerate(rows(network, depth, parameters)):
        for column, weight in row.weights.items():
            entries[at, column] = sympy.Rational(weight)
        if row.bias != 0:
            bias[at, 0] = sympy.Rational(row.bias)
        count = at + 1
    columns = width(network.sources(depth))
    return sympy.SparseMatrix(count, columns, entries), sympy.SparseMatrix(count, 1, bias)


class Arithmetic:
    """How `evaluate` multiplies a coefficient with a value; exact numbers by default."""

    def product(self, coefficient: Expr, at: Numbers, value: Value) -> Value:
        """`coefficient * value` at an index point."""
        return coefficient.evaluate(at) * value


Trace = list[dict[str, Any]]
"""For each layer its neurons: an object array (a bare value for a scalar) by family name."""


def evaluate(
    network: Network,
    inputs: Numbers,
    parameters: Numbers | None = None,
    arithmetic: Arithmetic | None = None,
) -> tuple[dict[str, Any], Trace]:
    """The outputs and every layer's neurons, exactly.

    `inputs` holds, for each input field, a value or an array of values indexed by position.
    Values may be ints, Fractions or a solver's terms.

    Raises KeyError for an input that is missing, ValueError for a size that is not settled.
    """
    arithmetic = arithmetic or Arithmetic()
    values: dict[str, Any] = {
        field.name: _as_array(inputs[field.name], field.shape) for field in network.inputs
    }
    trace: Trace = []
    for layer in network.layers:
        values = layer_values(layer, values, parameters or {}, arithmetic)
        trace.append(values)
    outputs: dict[str, Any] = {}
    for output in network.outputs:
        array = np.empty(output.shape, dtype=object)
        names = [index.name for index in output.indices]
        for point in points(array.shape):
            at = {**(parameters or {}), **dict(zip(names, point, strict=True))}
            array[point] = affine_value(output.form, at, values, arithmetic)
        outputs[output.name] = array if array.shape else array[()]
    return outputs, trace


def layer_values(
    layer: Layer, values: Numbers, parameters: Numbers, arithmetic: Arithmetic
) -> dict[str, Any]:
    """The neurons of one layer, from the arrays that it reads."""
    after: dict[str, Any] = {}
    for family in layer.neurons:
        array = np.empty(family.shape, dtype=object)
        names = [index.name for index in family.indices]
        for point in points(family.shape):
            at = {**parameters, **dict(zip(names, point, strict=True))}
            total = affine_value(family.row, at, values, arithmetic)
            array[point] = where(total > 0, total, 0)
        after[family.name] = array
    return after


def affine_value(form: Affine, at: Numbers, values: Numbers, arithmetic: Arithmetic) -> Value:
    """The value of an affine form at an index point."""
    total: Value = 0
    for term in form.terms:
        for inner in summands(term, at):
            if term.ref is None:
                total = total + arithmetic.product(term.coefficient, inner, 1)
            else:
                array = values[term.ref.field]
                entry = position(term, inner, array.shape)
                if entry is not None:
                    total = total + arithmetic.product(term.coefficient, inner, array[entry])
    return total


def _as_array(given: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(shape, dtype=object)
    if not shape:
        array[()] = given
        return array
    for point in points(shape):
        entry = given
        for at in point:
            entry = entry[at]
        array[point] = entry.item() if isinstance(entry, np.generic) else entry
    return array
