"""How arrays of very different sizes are laid side by side on an axis, and named there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from numeric.lower import Array
from verified_mlp.statement.evaluate import size
from verified_mlp.statement.network import Field, Neurons

LEAST_PART = 0.03
"""What every array has on an axis besides the root of its size: a part of all the roots."""


@dataclass(frozen=True, slots=True)
class Block:
    """An array on an axis: its entries go from `start` over `length`, of 1 for the whole axis."""

    name: str
    shape: tuple[int, ...]
    first: int
    size: int
    start: float
    length: float

    @property
    def middle(self) -> float:
        """Where its name stands."""
        return self.start + self.length / 2


def blocks(arrays: Sequence[Field | Neurons]) -> list[Block]:
    """The arrays along an axis of length 1.  A length grows as the square root of the array's size,
    so that a flag can be seen beside the memory.

    >>> found = blocks([Field("mem", (8, 8)), Field("fault")])
    >>> [(each.name, round(each.start, 2), round(each.length, 2)) for each in found]
    [('mem', 0.0, 0.87), ('fault', 0.87, 0.13)]
    """
    sizes = [size(array.shape) for array in arrays]
    roots = np.sqrt(sizes)
    lengths = roots + LEAST_PART * roots.sum()
    lengths /= lengths.sum()
    starts = np.cumsum(lengths) - lengths
    firsts = np.cumsum(sizes) - sizes
    return [
        Block(array.name, array.shape, int(first), count, float(start), float(length))
        for array, first, count, start, length in zip(
            arrays, firsts, sizes, starts, lengths, strict=True
        )
    ]


def places(found: Sequence[Block]) -> Array:
    """The place of every entry on the axis."""
    return np.concatenate(
        [each.start + (np.arange(each.size) + 0.5) / each.size * each.length for each in found]
    )


def named(found: Sequence[Block], room: float) -> list[Block]:
    """Those whose names can be written if each takes so much of the axis, in order."""
    free, chosen = -room, list[Block]()
    for each in found:
        if each.middle - room / 2 >= free:
            chosen.append(each)
            free = each.middle + room / 2
    return chosen


def short(name: str, most: int) -> str:
    """A name cut off at its beginning if it is longer than so many letters.

    >>> short("result.plus.blocks.prefix", 14), short("pc", 14)
    ('…blocks.prefix', 'pc')
    """
    return name if len(name) <= most else "…" + name[len(name) - most + 1 :]
