"""Whether the numbers in a file are the statement's: every weight and every bias.

The statement's numbers are the arrays that the engines use (`numeric.lower`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from numeric.capacity import available_bytes, in_gib, needed_bytes
from numeric.engines import EngineName
from numeric.export.layout import (
    ExportError,
    Layout,
    NotTheNetworkError,
    exported,
    network_of,
    shape_of,
)
from numeric.lower import Array, Lowered, Sparse, lower_layers
from verified_mlp.constructions.registry import DEFAULT
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import column_names
from verified_mlp.statement.network import Network

Read = Callable[[int, tuple[int, int]], tuple[Any, Array]]
"""Gives the weights (a SciPy sparse array) and the bias of a layer, from 1, whose weights have so
many rows and columns.  May raise ExportError."""


class Held(NamedTuple):
    """What was compared: the layout, and the number of weights that are not zero."""

    layout: Layout
    nonzeros: int


def check_room(shape: Shape, how: str = DEFAULT) -> None:
    """Raise ExportError if the arrays of the network need more memory than there is."""
    needed, available = needed_bytes(exported(shape, how), EngineName.SPARSE), available_bytes()
    if available is not None and needed > available:
        raise ExportError(
            f"the arrays of the network of {shape} need {in_gib(needed)} of memory, but "
            f"{in_gib(available)} are available: choose fewer words."
        )


def check_layers(layout: Layout, read: Read, name: str) -> Held:
    """Compare all layers of a file, which messages call `name`, with the statement.

    Raises NotTheNetworkError, naming the first layer and row that differ; ExportError for a network
    whose arrays need more memory than there is.
    """
    network = network_of(layout)
    check_room(shape_of(layout), layout.construction)
    nonzeros = 0
    for number, stated in enumerate(lower_layers(network), 1):
        weights, bias = read(number, stated.weights.shape)
        if bias.dtype.kind not in "fi" or weights.dtype.kind not in "fi":
            raise ExportError(f"{name}, layer {number}: its numbers are not real. Export it again.")
        check_layer(network, number, stated, weights, bias, name)
        nonzeros += stated.weights.nnz
    return Held(layout, nonzeros)


def check_layer(
    network: Network, number: int, stated: Lowered, weights: Any, bias: Array, name: str
) -> None:
    """Compare one layer (from 1); see `check_layers`."""
    if weights.shape != stated.weights.shape or bias.shape != stated.bias.shape:
        raise NotTheNetworkError(
            f"{name} is not the network: layer {number} has {_form(weights, bias)}, and in the "
            f"statement {_form(*stated)}."
        )
    # A number that is none (NaN) equals nothing, and so differs.
    gap = sp.coo_array(sp.csr_array(weights) - stated.weights)
    wrong = gap.data != 0
    rows, columns = gap.coords[0][wrong], gap.coords[1][wrong]
    wrong_bias = np.flatnonzero(bias != stated.bias)
    if not rows.size and not wrong_bias.size:
        return
    depth = number - 1
    row = int(min(rows.min(initial=stated.bias.size), wrong_bias.min(initial=stated.bias.size)))
    neuron = column_names(network.layers[depth].neurons)[row]
    if np.any(rows == row):
        column = int(columns[rows == row].min())
        what = f"the weight of {column_names(network.sources(depth))[column]} (column {column})"
        numbers = (stated.weights[row, column], sp.csr_array(weights)[row, column])
    else:
        what, numbers = "the bias", (stated.bias[row], bias[row])
    raise NotTheNetworkError(
        f"{name} is not the network: layer {number}, row {row} ({neuron}): {what} is "
        f"{numbers[0]:.17g} in the statement and {numbers[1]:.17g} in the file."
    )


def _form(weights: Any, bias: Array) -> str:
    sizes = " x ".join(f"{each:,}" for each in weights.shape)
    return f"{sizes} weights and {' x '.join(f'{each:,}' for each in bias.shape)} biases"


def sparse_array(
    weights: Array, rows: Array, columns: Array, shape: tuple[int, int], where: str
) -> Sparse:
    """The sparse array of three lists, row, column and weight, each place once.

    Raises ExportError, about the place `where`, for lists that are none of a matrix of the shape.
    """
    same = weights.shape == rows.shape == columns.shape and weights.ndim == 1
    kinds = weights.dtype.kind == "f" and rows.dtype.kind in "iu" and columns.dtype.kind in "iu"
    inside = (
        same
        and kinds
        and all(
            not at.size or (at.min() >= 0 and at.max() < size)
            for at, size in zip((rows, columns), shape, strict=True)
        )
    )
    if not inside:
        raise ExportError(
            f"{where}: its rows, columns and weights are no list of the entries of a matrix of "
            f"{shape[0]:,} x {shape[1]:,}. Export it again."
        )
    if not np.can_cast(weights.dtype, np.float64):
        raise ExportError(f"{where}: its weights are wider than float64. Export it again.")
    found: Sparse = sp.csr_array((weights.astype(np.float64), (rows, columns)), shape)
    check_once(found, len(weights), where)
    return found


def check_once(found: Sparse, count: int, where: str) -> None:
    """Raise ExportError unless `count` entries are so many of the array: those of one place were
    added, and an engine might add them in another order.
    """
    if found.nnz != count:
        raise ExportError(f"{where}: it has several weights at one place. Export it again.")
