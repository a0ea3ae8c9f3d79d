"""States as float64 vectors, and back.

The vector is laid out by `verified_mlp.machine.state.state_fields`; a word is its bits, least
significant first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import numpy as np

from numeric.lower import Array
from verified_mlp.constructions.registry import Prefetched
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State, state_fields
from verified_mlp.machine.step import Before, ListMemory
from verified_mlp.statement.evaluate import column_names, entry_name, size
from verified_mlp.statement.network import Field


class Codec:
    """Encoding and decoding for machines of one shape.

    >>> codec = Codec(Shape(4, 5))
    >>> state = State(mem=[1, 2, 3, 4, 15], pc=3, input=9, ready=1)
    >>> codec.encode(state)[:8].astype(int).tolist()
    [1, 0, 0, 0, 0, 1, 0, 0]
    >>> codec.decode(codec.encode(state)) == state
    True
    """

    def __init__(
        self,
        shape: Shape,
        names: Sequence[str] | None = None,
        sums: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        prefetched: Prefetched | None = None,
    ) -> None:
        """The whole state, or the fields of some names alone, in the state's order.

        A field in `sums` is in the vector as the sum of these, one after the other; it is encoded
        as the first of them, and the others are 0.  After the state's fields come those that are
        `prefetched`.
        """
        own = state_fields(shape)
        more = []
        if prefetched:
            more += [Field(name) for name in prefetched.flags]
            more += [Field(name, (shape.bits,), word=True) for name in prefetched.words]
        fields = [field for field in (*own, *more) if names is None or field.name in names]
        self.shape, self._prefetched = shape, prefetched
        self._fields = {field.name: field for field in fields}
        self._own = [field.name for field in own if field.name in self._fields]
        self._parts = {field.name: len(sums.get(field.name, (field.name,))) for field in fields}
        sizes = [size(field.shape) * self._parts[field.name] for field in fields]
        self.width = sum(sizes)
        self._starts = dict(zip(self._fields, accumulate([0, *sizes]), strict=False))

    def encode(self, state: State) -> Array:
        """The vector of a state.

        Raises ValueError for a memory of another size, or a word or flag out of range.
        """
        vector = np.empty(self.width)
        for name, number in self.values(state).items():
            self.write(vector, name, number)
        return vector

    def values(self, state: State) -> dict[str, Any]:
        """The fields that are encoded, and their values in a state."""
        found = {name: getattr(state, name) for name in self._own}
        if self._prefetched:
            before = Before(ListMemory(state.mem), state.pc, state.fault, state.input, state.ready)
            found |= self._prefetched.of(self.shape, before)
        return {name: found[name] for name in self._fields}

    def decode(self, vector: Array) -> State:
        """The state of a vector.

        Raises ValueError for a vector of another length, or with an entry that is not 0 or 1.
        """
        if vector.shape != (self.width,):
            raise ValueError(
                f"a state of {self.shape} is a vector of {self.width} entries, not an array of "
                f"shape {vector.shape}."
            )
        return State(**self.read_all(vector))

    def read_all(self, vector: Array) -> dict[str, Any]:
        """The state's own fields of a vector."""
        return {name: self.read(vector, name) for name in self._own}

    @property
    def entries(self) -> list[str]:
        """The names of the entries that `summed` gives."""
        return column_names(tuple(self._fields.values()))

    def write(self, vector: Array, name: str, number: Any) -> None:
        """Set one field of a vector in place: a number, or the list of words for `mem`."""
        field = self._fields[name]
        bits = self._bits(field, number)
        place = self.place(name)
        vector[place] = 0
        vector[place.start : place.start + len(bits)] = bits

    def summed(self, vector: Array) -> Array:
        """The entries of the whole state, each the sum of its parts."""
        return np.concatenate([self._entries(vector, name) for name in self._fields])

    def _entries(self, vector: Array, name: str) -> Array:
        found: Array = vector[self.place(name)].reshape(self._parts[name], -1).sum(axis=0)
        return found

    def read(self, vector: Array, name: str) -> Any:
        """One field of a vector: a number, or the list of words for `mem`."""
        field = self._fields[name]
        bits = self._entries(vector, name)
        wrong = np.flatnonzero((bits != 0) & (bits != 1))
        if wrong.size:
            point = tuple(int(at) for at in np.unravel_index(wrong[0], field.shape))
            raise ValueError(
                f"{entry_name(name, point)} is {bits[wrong[0]]!s} in the state vector, where every "
                f"entry must be 0 or 1."
            )
        if not field.shape:
            return int(bits[0])
        words = self._words(bits.reshape(-1, self.shape.bits))
        return words if len(field.shape) == 2 else words[0]

    def place(self, name: str) -> slice:
        """Where a field's entries stand in the vector, those of all its parts."""
        start = self._starts[name]
        return slice(start, start + size(self._fields[name].shape) * self._parts[name])

    def check(self, name: str, number: Any) -> None:
        """Raise ValueError for a field with too many words, or with a number out of range."""
        field = self._fields[name]
        words = number if len(field.shape) == 2 else [number]
        if len(field.shape) == 2 and len(words) != field.shape[0]:
            raise ValueError(f"{field.name} holds {field.shape[0]} words, not {len(words)}.")
        count = self.shape.bits if field.shape else 1
        for at, word in enumerate(words):
            if not 0 <= word < 2**count:
                name = entry_name(field.name, (at,)) if len(field.shape) == 2 else field.name
                raise ValueError(f"{name} = {word} is out of range: it is 0 to {2**count - 1}.")

    def _bits(self, field: Field, number: Any) -> Array:
        self.check(field.name, number)
        words = number if len(field.shape) == 2 else [number]
        count = self.shape.bits if field.shape else 1
        data = np.array(words, dtype="<u8").view(np.uint8).reshape(-1, 8)
        return np.unpackbits(data, axis=1, bitorder="little")[:, :count].ravel()

    def _words(self, bits: Array) -> list[int]:
        data = np.zeros((len(bits), 64), dtype=np.uint8)
        data[:, : bits.shape[1]] = bits
        packed = np.packbits(data, axis=1, bitorder="little")
        return [int(word) for word in packed.view("<u8").ravel()]
