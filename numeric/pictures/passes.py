"""One pass of a state through the layers: every neuron, in blocks with the names of the fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numeric.engines import Engine, EngineName
from numeric.lower import Array
from numeric.pictures.draw import LINE, MINUS, PLUS, ZERO, PictureError, new_figure
from numeric.pictures.scales import Block, blocks, short
from verified_mlp.statement.network import Field, Network, Neurons

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 15.0
STRIP, BAND, LINES = 1.04, 0.36, 4
"""Inches from layer to layer, inches of the height of a layer, and lines of names above it."""
LETTER = 0.075
"""Inches of the width of a letter."""


def activations(engine: Engine, vector: Array) -> list[Array]:
    """What is before the first layer and after each, from a state vector.

    Raises PictureError for the engine of dense matrices, which are not kept for large shapes.
    """
    if engine.name is not EngineName.SPARSE:
        raise PictureError(f"a picture of a pass needs the engine sparse, not {engine.name}.")
    found = [vector]
    for weights, bias in engine.layers:
        found.append(np.maximum(weights @ found[-1] + bias, 0.0))
    return found


def one_pass(network: Network, engine: Engine, vector: Array, title: str) -> Figure:
    """A picture of the pass from a state vector: a strip for the vector and for every layer."""
    values = activations(engine, vector)
    strips: list[tuple[str, Sequence[Field | Neurons]]] = [("the state before", network.inputs)]
    strips += [
        (f"{at}: {layer.stage}\n{layer.note}", layer.neurons)
        for at, layer in enumerate(network.layers, 1)
    ]
    height = STRIP * len(strips) + 0.95
    figure = new_figure(WIDE, height)
    for at, ((name, arrays), found) in enumerate(zip(strips, values, strict=True)):
        bottom = 1 - (0.8 + STRIP * (at + 1)) / height
        axes = figure.add_axes((0.19, bottom, 0.8, BAND / height))
        _strip(axes, arrays, found)
        on = np.count_nonzero(found)
        figure.text(
            0.012, bottom + BAND / 2 / height, f"{_lines(name)}\n{on:,} of {len(found):,} not zero",
            fontsize=7.5, va="center", linespacing=1.15,
        )  # fmt: skip
    figure.suptitle(
        f"{title}\n"
        "grey: 0; blue: 1, or darker up to the largest value of the field; red: more than that; "
        "first index to the right, others down",
        fontsize=11,
        y=1 - 0.2 / height,
        va="top",
    )
    return figure


def _lines(name: str, most: int = 44) -> str:
    """The stage, and the note in lines that are not too long."""
    stage, _, note = name.partition("\n")
    words, lines = note.split(), [stage]
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > most:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, *([line] if line else [])])


def _strip(axes: Axes, arrays: Sequence[Field | Neurons], values: Array) -> None:
    found = blocks(arrays)
    axes.set_xlim(0, 1)
    axes.set_ylim(1, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(LINE)
        spine.set_linewidth(0.5)
    free = [-1.0] * LINES
    for array, block in zip(arrays, found, strict=True):
        part = values[block.first : block.first + block.size]
        axes.imshow(
            _image(part, block, largest(array)),
            extent=(block.start, block.start + block.length, 1, 0),
            interpolation="nearest",
            aspect="auto",
        )
        axes.axvline(block.start, color=LINE, linewidth=0.5)
        _name(axes, block, free)
    axes.set_xlim(0, 1)
    axes.set_ylim(1, 0)


def _name(axes: Axes, block: Block, free: list[float]) -> None:
    """The name above the block, in the lowest line in which there is room."""
    name = short(block.name, 20)
    half = (len(name) + 1) * LETTER / (WIDE * 0.8) / 2
    middle = min(max(block.middle, half), 1 - half)
    for line in range(LINES):
        if middle - half >= free[line]:
            free[line] = middle + half
            axes.text(
                middle, -0.08 - 0.3 * line, name,
                fontsize=6.5, ha="center", va="bottom", family="monospace",
            )  # fmt: skip
            return


def largest(array: Field | Neurons) -> int:
    """The largest of the largest values of an array's entries."""
    grid = np.meshgrid(*map(np.arange, array.shape), indexing="ij", sparse=True)
    names = [index.name for index in array.indices]
    found = array.largest.evaluate(dict(zip(names, grid, strict=True)))
    return int(np.max(found))


def _image(values: Array, block: Block, most: int) -> Array:
    """Colours, the first axis of the array to the right and all others down."""
    across = block.shape[0] if block.shape else 1
    grid = values.reshape(across, -1).T
    strength = np.where(grid > 0, np.maximum(grid / max(most, 1), 0.3), 0)[..., np.newaxis]
    mixed: Array = np.array(ZERO) + (np.array(PLUS) - np.array(ZERO)) * np.minimum(strength, 1)
    mixed[grid > most] = MINUS
    return mixed
