"""The float64 arrays of a network's layers, with the proof by arithmetic that they are exact.

The entries come from the statement (`verified_mlp.statement.arrays`).  A layer is refused if
float64 does not hold its numbers, or if a partial sum could leave the integers that it holds:
then every sum is exact in any order, and every engine gives the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from verified_mlp.statement.arrays import Entries, entries
from verified_mlp.statement.network import Field, Network, Neurons

Array = np.ndarray[Any, Any]
Sparse = Any
"""A SciPy `csr_array` of float64."""

LIMIT = 2**53
"""Up to here float64 holds every integer."""


class NotExactError(ValueError):
    """Float64 does not compute this network exactly; the text says where and why."""


class Lowered(NamedTuple):
    """One layer, y = ReLU(weights @ x + bias): float64, `weights` sparse, `bias` of rank 1."""

    weights: Sparse
    bias: Array


def lower(network: Network) -> tuple[Lowered, ...]:
    """The float64 arrays of every layer, in compressed sparse rows.

    Raises NotExactError for a number or a possible partial sum that float64 does not hold.
    """
    return tuple(lower_layers(network))


def lower_layers(network: Network) -> Iterator[Lowered]:
    """`lower`, one layer at a time: for networks whose layers do not fit in memory together."""
    unit = 1
    for depth in range(len(network.layers)):
        name = f"layer {depth + 1} of {network.name}"
        found = entries(network, depth)
        layer = Lowered(_matrix(found, name), _float64(found.bias, name))
        # Values are multiples of 1/unit, so float64 holds them as it holds integers.
        unit *= max(_denominator(found.weights), _denominator(found.bias))
        largest = _largest(network.sources(depth))
        sums = abs(layer.weights) @ largest + abs(layer.bias)
        if sums.size and sums.max() * unit >= LIMIT:
            where = "2^53" if unit == 1 else f"2^53 / {unit}"
            raise NotExactError(
                f"{name}: a partial sum may reach {where}, from where on float64 has gaps. State "
                f"the network with smaller weights."
            )
        yield layer


def _matrix(found: Entries, name: str) -> Sparse:
    """The weights, with those that share a place added up before anything is rounded."""
    rows, columns, weights = found.rows, found.columns, found.weights
    if weights.dtype == object or _may_overflow(weights):
        places, where = np.unique(rows * found.shape[1] + columns, return_inverse=True)
        sums = np.zeros(len(places), dtype=object)
        np.add.at(sums, where, weights.astype(object))
        weights = _float64(sums, name)
        matrix: Sparse = sp.csr_array((weights, np.divmod(places, found.shape[1])), found.shape)
    else:
        exact: Sparse = sp.csr_array((weights, (rows, columns)), found.shape)
        matrix = sp.csr_array(
            (_float64(exact.data, name), exact.indices, exact.indptr), exact.shape
        )
    matrix.eliminate_zeros()
    return matrix


def _may_overflow(weights: Array) -> bool:
    """Whether a sum of these int64 numbers could leave int64."""
    if not weights.size:
        return False
    return max(int(weights.max()), -int(weights.min())) * weights.size >= 2**63


def _float64(numbers: Array, name: str) -> Array:
    """The numbers as float64; raises NotExactError if one of them has no float64."""
    if numbers.dtype != object and not np.any(abs(numbers) > LIMIT):
        return numbers.astype(np.float64)
    floats = np.empty(len(numbers))
    for at, number in enumerate(numbers.tolist()):
        try:
            floats[at] = float(number)
            exact = Fraction(floats[at]) == number
        except OverflowError:
            exact = False
        if not exact:
            raise NotExactError(
                f"{name}: float64 does not hold {number} exactly. State the network with weights "
                f"and biases that it holds."
            )
    return floats


def _denominator(numbers: Array) -> int:
    if numbers.dtype != object:
        return 1
    return max((Fraction(number).denominator for number in numbers.tolist()), default=1)


def _largest(sources: Sequence[Field | Neurons]) -> Array:
    """The largest value of every column."""
    parts = []
    for source in sources:
        grid = np.meshgrid(*map(np.arange, source.shape), indexing="ij", sparse=True)
        names = [index.name for index in source.indices]
        largest = source.largest.evaluate(dict(zip(names, grid, strict=True)))
        parts.append(np.broadcast_to(np.asarray(largest, dtype=np.float64), source.shape).ravel())
    return np.concatenate(parts).clip(min=0)
