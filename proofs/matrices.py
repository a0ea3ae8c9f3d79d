"""The layers of a network as exact integer matrices, to be multiplied with many vectors at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from verified_mlp.statement.arrays import entries
from verified_mlp.statement.evaluate import column_names, points, size
from verified_mlp.statement.network import Layer, Network, Neurons, Placed

Array = np.ndarray[Any, Any]

_SPARSE = 50
"""Where of so many numbers fewer than one is not 0, only those are multiplied."""


class Matrix:
    """Rows of a layer: int64 weights (CSR) and bias, the largest values that are allowed, names."""

    def __init__(self, weights: Any, bias: Array, largest: Array, names: list[str]) -> None:
        self.weights, self.bias, self.largest, self.names = weights, bias, largest, names
        self._row = int(np.max(abs(weights).sum(axis=1), initial=0))
        self._bias = int(abs(bias).max(initial=0))

    def product(self, vectors: Array) -> Array:
        """The rows' values, a column for each vector of numbers that are not negative.

        Raises ValueError if they may be too large for 64 bits.
        """
        self._check_size(vectors)
        few = np.count_nonzero(vectors) * _SPARSE < vectors.size
        found: Array = (
            (self.weights @ sp.csc_array(vectors)).toarray() if few else self.weights @ vectors
        )
        found += self.bias[:, None]
        return found

    def bounds(self, least: Array, greatest: Array) -> tuple[Array, Array]:
        """Bounds on the rows' values, from bounds on what they read, none of which is negative."""
        self._check_size(greatest)
        up, down = self.weights.maximum(0), self.weights.minimum(0)
        bias = self.bias[:, None]
        return up @ least + down @ greatest + bias, up @ greatest + down @ least + bias

    def _check_size(self, vectors: Array) -> None:
        limit = self._row * int(vectors.max(initial=0)) + self._bias
        if limit > np.iinfo(np.int64).max:
            raise ValueError(f"the values of a layer may reach {limit}: too many for 64 bits.")

    @property
    def pattern(self) -> Any:
        """1 where a row reads a column."""
        return abs(self.weights).sign()

    def differing(self, before: Matrix) -> Array:
        """The rows that differ from those before, or whose range is narrower."""
        weights = np.asarray(abs(self.weights - before.weights).sum(axis=1)) != 0
        narrower = self.largest < before.largest
        return np.flatnonzero(weights | (self.bias != before.bias) | narrower)

    def read_by(self, rows: Array) -> Array:
        """The columns that some of the rows read."""
        found: Array = np.unique(self.weights[rows].nonzero()[1])
        return found

    def readers(self, columns: Array) -> Array:
        """The rows that read some of the columns."""
        found: Array = np.unique(self.weights[:, columns].nonzero()[0])
        return found

    def reading(self, columns: Array) -> Matrix:
        """The same rows, where column `columns[k]` is read in place of column k."""
        kept: Any = self.weights.data, columns[self.weights.indices], self.weights.indptr
        weights = sp.csr_array(kept, self.weights.shape, copy=True)
        weights.sum_duplicates()
        weights.eliminate_zeros()
        return Matrix(weights, self.bias, self.largest, self.names)

    def first(self, count: int) -> Matrix:
        """The first rows."""
        names = self.names[:count]
        return Matrix(self.weights[:count], self.bias[:count], self.largest[:count], names)

    def zeroed(self, rows: Array) -> Matrix:
        """The same with some rows 0."""
        kept = np.ones(len(self.bias), dtype=np.int64)
        kept[rows] = 0
        weights = self.weights.copy()
        weights.data *= np.repeat(kept, np.diff(weights.indptr))
        weights.eliminate_zeros()
        return Matrix(weights, self.bias * kept, self.largest, self.names)

    def rows_within(self, columns: Array) -> Array:
        """The rows that read no other columns than these."""
        pattern = self.pattern
        inside = np.zeros(pattern.shape[1], dtype=np.int64)
        inside[columns] = 1
        found: Array = np.flatnonzero(pattern @ inside == pattern.sum(axis=1))
        return found

    def part(self, rows: Array, columns: Array) -> Matrix:
        """Some of the rows, which read no other columns than these."""
        names = [self.names[row] for row in rows]
        return Matrix(self.weights[rows][:, columns], self.bias[rows], self.largest[rows], names)


def input_highs(network: Network) -> Array:
    """The largest value of every entry of the inputs."""
    sources = network.inputs
    return np.repeat([each.high for each in sources], [size(each.shape) for each in sources])


def matrices(network: Network, known: tuple[Network, list[Matrix]] | None = None) -> list[Matrix]:
    """The matrices of all layers, and of the read-outs, which have no ReLU, last.

    `known` is a network that differs in numbers alone, with its matrices, which are taken where a
    layer is the very same.  Raises IndexError, with a sentence, for a network that reads outside
    a field.
    """
    whole = with_outputs(network)
    if known is None:
        return [_matrix(whole, depth) for depth in range(len(whole.layers))]
    before, found = known
    same = [a is b for a, b in zip(network.layers, before.layers, strict=True)]
    same.append(network.outputs is before.outputs)
    return [found[depth] if kept else _matrix(whole, depth) for depth, kept in enumerate(same)]


def _matrix(network: Network, depth: int) -> Matrix:
    found = entries(network, depth)
    triplets: Any = (found.weights, (found.rows, found.columns))
    weights = sp.csr_array(triplets, found.shape).astype(np.int64)
    # A weight that is 0 is no reading.
    weights.eliminate_zeros()
    families = network.layers[depth].neurons
    largest = [
        family.largest.evaluate(
            dict(zip((index.name for index in family.indices), point, strict=True))
        )
        for family in families
        for point in points(family.shape)
    ]
    return Matrix(weights, found.bias, np.array(largest, dtype=np.int64), column_names(families))


def with_outputs(network: Network) -> Network:
    """The network with one more layer whose rows are the outputs."""
    families = [
        Neurons(each.name, each.indices, each.form, each.largest) for each in network.outputs
    ]
    placed = tuple(Placed(each.name, None, 0, each.indices, {}, {}, (each,)) for each in families)
    return replace(network, layers=(*network.layers, Layer(placed)))
