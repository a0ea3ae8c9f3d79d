"""States as vectors of a construction that gives every field of the state as a linear form.

For small machines: the forms are held as a matrix, and a field is set by encoding the whole state.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from numeric.codec import Codec
from numeric.lower import Array
from proofs.machine import read_out
from proofs.matrices import with_outputs
from verified_mlp.constructions.registry import Construction
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.arrays import entries
from verified_mlp.statement.evaluate import offsets, width


class LinearCodec:
    """Encoding and decoding for a construction with `forms`, for machines of one shape."""

    def __init__(self, shape: Shape, how: Construction) -> None:
        network = how.network(shape)
        found = entries(with_outputs(read_out(network, how, shape)), len(network.layers))
        triplets: Any = (found.weights, (found.rows, found.columns))
        self._forms: Any = sp.csr_array(triplets, found.shape).astype(np.float64)
        self._bias: Array = found.bias.astype(np.float64)
        self._state, self._how = Codec(shape), how
        self._starts = offsets(network.inputs)
        self.width = width(network.inputs)

    def encode(self, state: State) -> Array:
        """The vector of a state; raises ValueError for a word or flag out of range."""
        bits, vector = self._state.encode(state), np.zeros(self.width)
        for name, field in self._how.encoded.items():
            entries_of = bits[self._state.place(name)]
            start = self._starts[field]
            vector[start : start + len(entries_of)] = entries_of
        return vector

    def summed(self, vector: Array) -> Array:
        """The entries of the whole state."""
        found: Array = self._forms @ vector + self._bias
        return found

    def decode(self, vector: Array) -> State:
        """The state of a vector; raises ValueError if some entry of it is not 0 or 1."""
        return self._state.decode(self.summed(vector))

    def read(self, vector: Array, name: str) -> Any:
        """One field of the state: a number, or the list of words for `mem`."""
        return self._state.read(self.summed(vector), name)

    def write(self, vector: Array, name: str, number: Any) -> None:
        """Set one field of the state in place."""
        vector[:] = self.encode(replace(self.decode(vector), **{name: number}))


def codec_of(shape: Shape, how: Construction) -> Codec | LinearCodec:
    """The codec of a construction at a shape."""
    if how.forms:
        return LinearCodec(shape, how)
    return Codec(shape, sums=how.sums, prefetched=how.prefetched)
