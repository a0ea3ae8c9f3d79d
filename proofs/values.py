"""Combinations of values, many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from proofs.matrices import Array

_AT_ONCE = 2**13


@dataclass(frozen=True, slots=True)
class Values:
    """Combinations of values of some columns: those of `chosen` are one of the columns of
    `choices`, each other one is 0..`highs`.
    """

    columns: Array
    highs: Array
    chosen: Array
    choices: Array

    @classmethod
    def all(cls, columns: Array, highs: Array) -> Values:
        """Every combination of values 0..`highs`."""
        none = np.zeros((0, 1), dtype=np.int64)
        return cls(columns, highs, np.zeros(0, dtype=np.int64), none)

    @property
    def count(self) -> int:
        """The number of combinations."""
        free = ~np.isin(self.columns, self.chosen)
        return int(self.choices.shape[1] * prod(int(high) + 1 for high in self.highs[free]))

    def batches(self) -> Iterator[Array]:
        """All combinations, a column for each, many at a time."""
        places = np.searchsorted(self.columns, self.chosen)
        free = np.flatnonzero(~np.isin(self.columns, self.chosen))
        for first in range(0, self.count, _AT_ONCE):
            left: Any = np.arange(first, min(first + _AT_ONCE, self.count), dtype=np.int64)
            found = np.empty((len(self.columns), len(left)), dtype=np.int64)
            for place in free:
                left, found[place] = np.divmod(left, int(self.highs[place]) + 1)
            found[places] = self.choices[:, left]
            yield found
