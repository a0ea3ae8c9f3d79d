"""The layers as matrices: which weights are not zero, in blocks with the names of the fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numeric.lower import Array, Lowered, lower_layers
from numeric.pictures.draw import LINE, MINUS, PLUS, ZERO, PictureError, new_figure
from numeric.pictures.scales import Block, blocks, named, places, short
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 3.9
"""Inches of a layer's side among all layers."""
LARGE = 9.0
"""Inches of the side of a layer alone."""
ACROSS = 4


def pattern(weights: Any, rows: Sequence[Block], columns: Sequence[Block], side: int) -> Array:
    """An image of a sparse matrix, `side` x `side` colours: where weights above and below 0 meet in
    a dot, their colours are mixed.
    """
    triplets = weights.tocoo()
    down, across = (
        np.minimum((places(found) * side).astype(int), side - 1)[at]
        for found, at in zip((rows, columns), triplets.coords, strict=True)
    )
    # Where there are few weights each is drawn two dots wide and high, to be seen.
    wide = 2 if triplets.nnz < side * side / 20 else 1
    above, below = np.zeros((side, side)), np.zeros((side, side))
    for y in range(wide):
        for x in range(wide):
            at = np.minimum(down + y, side - 1), np.minimum(across + x, side - 1)
            np.add.at(above, at, triplets.data > 0)
            np.add.at(below, at, triplets.data < 0)
    count = above + below
    part = np.divide(above, count, out=np.zeros_like(above), where=count > 0)[..., np.newaxis]
    tone = np.array(PLUS) * part + np.array(MINUS) * (1 - part)
    strength = np.minimum(0.7 + 0.1 * np.log2(np.maximum(count, 1)), 1) * (count > 0)
    mixed: Array = np.array(ZERO) + (tone - np.array(ZERO)) * strength[..., np.newaxis]
    return mixed


def all_layers(network: Network, shape: Shape) -> Figure:
    """A picture with a panel for every layer.  Raises NotExactError (see `numeric.lower`)."""
    count = len(network.layers)
    down = -(-count // ACROSS)
    figure = new_figure(ACROSS * (PANEL + 1.5) + 0.3, down * (PANEL + 1.75) + 1.3)
    nonzeros = 0
    for depth, layer in enumerate(lower_layers(network)):
        axes = figure.add_subplot(down, ACROSS, depth + 1)
        _panel(axes, network, depth, layer, PANEL)
        nonzeros += layer.weights.nnz
    _title(
        figure,
        f"The {count} layers at {shape}: {nonzeros:,} weights that are not zero\n"
        "rows: what a layer computes; columns: what it reads; the side of a field grows as the "
        "root of its size; blue: above 0, red: below 0",
    )
    return figure


def one_layer(network: Network, shape: Shape, depth: int) -> Figure:
    """A picture of layer `depth` (from 1).  Raises PictureError for one that is not there."""
    if not 1 <= depth <= len(network.layers):
        raise PictureError(f"layer {depth} does not exist: choose 1 to {len(network.layers)}.")
    layer = next(each for at, each in enumerate(lower_layers(network), 1) if at == depth)
    figure = new_figure(LARGE + 2.6, LARGE + 2.4)
    axes = figure.add_subplot()
    _panel(axes, network, depth - 1, layer, LARGE)
    axes.set_xlabel("")
    label = _label(network, depth - 1, layer)
    _title(
        figure,
        f"Layer {depth} of {len(network.layers)} at {shape}, {label}; blue: above 0, red: below 0",
    )
    return figure


def _title(figure: Figure, text: str) -> None:
    height = figure.get_size_inches()[1]
    figure.suptitle(text, fontsize=13, y=1 - 0.25 / height, va="top")
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.95 / height), h_pad=2.2, w_pad=1.2)


def _panel(axes: Axes, network: Network, depth: int, layer: Lowered, inches: float) -> None:
    families = network.layers[depth].neurons
    rows, columns = blocks(families), blocks(network.sources(depth))
    large = inches == LARGE
    image = pattern(layer.weights, rows, columns, round(inches * 72))
    axes.imshow(image, extent=(0, 1, 1, 0), interpolation="nearest", aspect="equal")
    for each in rows[1:]:
        axes.axhline(each.start, color=LINE, linewidth=0.35)
    for each in columns[1:]:
        axes.axvline(each.start, color=LINE, linewidth=0.35)
    points = 8.0 if large else 6.0
    # A line of letters is some 1.3 times as high as they are.
    room = points * 1.3 / 72 / inches
    down, across = named(rows, room), named(columns, room)
    letters = 30 if large else 18
    axes.set_yticks([each.middle for each in down], [short(each.name, letters) for each in down])
    axes.set_xticks(
        [each.middle for each in across],
        [short(each.name, letters) for each in across],
        rotation=90,
    )
    axes.xaxis.tick_top()
    axes.tick_params(labelsize=points, length=2, width=0.4, pad=1.5)
    label = _label(network, depth, layer)
    axes.set_xlabel(f"{depth + 1}: {label}", fontsize=7.5)


def _label(network: Network, depth: int, layer: Lowered) -> str:
    stated = network.layers[depth]
    height, width = layer.weights.shape
    return (
        f"{stated.stage}: {stated.note}\n"
        f"{height:,} rows x {width:,} columns, {layer.weights.nnz:,} weights"
    )
