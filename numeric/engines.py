"""The engines: how one pass of a network is computed in float64.

All engines compute y = ReLU(W x + b) layer by layer with the weights of the statement; they
differ in how W is kept.  `lower` has made sure that every sum is exact, so they agree bit by
bit, for one state (a vector) as for many (the columns of a matrix).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from numeric.lower import Array, lower
from verified_mlp.statement.affine import field
from verified_mlp.statement.network import Network


class EngineName(StrEnum):
    """`dense` keeps the literal matrices, `sparse` their non-zero entries (CSR)."""

    DENSE = "dense"
    SPARSE = "sparse"


@dataclass(frozen=True, slots=True)
class Engine:
    """The layers of a network as (weights, bias), float64, in the form its name says."""

    name: EngineName
    layers: tuple[tuple[Any, Array], ...]

    @property
    def nonzeros(self) -> int:
        """The number of weights that are not zero."""
        return sum(
            int(weights.nnz if self.name is EngineName.SPARSE else np.count_nonzero(weights))
            for weights, _ in self.layers
        )

    def forward(self, values: Array) -> Array:
        """One pass: a vector of input columns, or a matrix with one such vector per column,
        to the last layer's neurons in the same form.
        """
        for weights, bias in self.layers:
            values = weights @ values
            values += bias if values.ndim == 1 else bias[:, np.newaxis]
            np.maximum(values, 0.0, out=values)
        return values


def build(network: Network, name: EngineName) -> Engine:
    """The engine of that name for a network whose output is its input's successor.

    Raises ValueError if the network's last layer is not laid out as its input, and
    NotExactError (see `lower`) if float64 would not compute it exactly.
    """
    check_looped(network)
    lowered = lower(network)
    return Engine(name, tuple((_MATRIX[name](layer), layer.bias) for layer in lowered))


_MATRIX = {
    EngineName.DENSE: lambda layer: layer.weights.toarray(),
    EngineName.SPARSE: lambda layer: layer.weights,
}


def check_looped(network: Network) -> None:
    """A pass can be applied to its own result only if the two vectors are laid out alike."""
    last = network.layers[-1].neurons if network.layers else ()
    same = len(network.inputs) == len(last) == len(network.outputs) and all(
        source.name == output.name
        and source.shape == family.shape == tuple(index.size for index in output.indices)
        and output.form == field(family.name, len(output.indices))[output.indices]
        for source, family, output in zip(network.inputs, last, network.outputs, strict=True)
    )
    if not same:
        raise ValueError(
            f"the network {network.name} cannot be applied to its own result: its last layer must "
            f"hold the fields of its input, in their order, and nothing else."
        )
