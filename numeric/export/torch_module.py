"""The network as a PyTorch module: one pass, on a state vector or on many, one in each row.

The names of its state dictionary are those of the arrays in a safetensors or NPZ file
(`layers.1.weights` and so on), so that `load_state_dict` takes what `safetensors.torch.load_file`
gives.  The arrays are buffers, not parameters: nothing is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from numeric.export.files import check_safetensors, layer_arrays
from numeric.export.layout import Layout, layout_of
from verified_mlp.constructions.registry import DEFAULT
from verified_mlp.machine.shape import Shape


class Layer(nn.Module):  # type: ignore[misc]  # mypy does not follow PyTorch
    """y = ReLU(W x + b), with the entries of W that are not zero as rows, columns and weights."""

    def __init__(self, rows: Tensor, columns: Tensor, weights: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", rows)
        self.register_buffer("columns", columns)
        self.register_buffer("weights", weights)
        self.register_buffer("bias", bias)

    def forward(self, values: Tensor) -> Tensor:
        """The neurons' values, for a vector or for the rows of a matrix."""
        products = values.index_select(-1, self.columns) * self.weights
        sums = self.bias.expand(*values.shape[:-1], -1).clone()
        return torch.relu(sums.index_add_(-1, self.rows, products))


class VerifiedNetwork(nn.Module):  # type: ignore[misc]
    """The network of a shape; `layout` says where the state's fields stand in its vector.

    It computes in float64; `.float()` and `.half()` change that, which is exact where
    `verified-mlp show --formats` says so.
    """

    def __init__(self, layout: Layout, arrays: Mapping[str, Tensor]) -> None:
        """Arrays with the names of `numeric.export.files.layer_arrays`."""
        super().__init__()
        self.layout = layout
        parts = ("rows", "columns", "weights", "bias")
        self.layers = nn.ModuleDict(
            {
                str(number): Layer(*(arrays[f"layers.{number}.{part}"] for part in parts))
                for number in range(1, layout.layers + 1)
            }
        )

    @classmethod
    def build(cls, shape: Shape, how: str = DEFAULT) -> VerifiedNetwork:
        """The network of a shape, from the statement; `how` names the construction."""
        arrays = {name: torch.from_numpy(array) for name, array in layer_arrays(shape, how)}
        return cls(layout_of(shape, how), arrays)

    @classmethod
    def load(cls, path: Path) -> VerifiedNetwork:
        """The network in a safetensors file, once every weight is compared with the statement.

        Raises ExportError for any other file.
        """
        from safetensors.torch import load_file

        layout = check_safetensors(path).layout
        return cls(layout, load_file(path))

    def forward(self, state: Tensor) -> Tensor:
        """The state after one pass."""
        for layer in self.layers.values():
            state = layer(state)
        return state
