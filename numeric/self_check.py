"""Checking a run of the support engine against the literal network, every so many passes.

Where the sparse engine fits in memory, the whole network is evaluated from the same state.  At
other sizes it is a sample of the rows of every family, chosen anew each time: each is evaluated
with all its weights, over the values that the plan gives for the layer before, and compared with
the value that the plan gives for the row, zeros and unchanged words included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from numeric.activations import Activations, View, named, row_value
from numeric.capacity import available_bytes, needed_bytes
from numeric.engines import EngineName
from numeric.engines import build as build_literal
from numeric.lower import Array
from numeric.support import SupportEngine, SupportProcessor
from verified_mlp.machine.host import Signals
from verified_mlp.machine.state import State
from verified_mlp.statement.evaluate import entry_name
from verified_mlp.statement.network import Network, Neurons

LITERAL = 2**30
"""Bytes that the literal network may take in a check."""

ROWS = 3
"""Rows of a family that a sample has, beside one in the row of its slot."""


class DifferenceError(Exception):
    """The support engine and the literal network differ; the text says where, with both values."""


class CheckedProcessor:
    """A processor of the support engine of which every `every`-th pass is checked.

    `advance` raises DifferenceError where a checked pass differs from the network's.
    """

    def __init__(
        self,
        processor: SupportProcessor,
        engine: SupportEngine,
        network: Network,
        every: int,
        whole: bool,
    ) -> None:
        self._processor = processor
        self._every = every
        self._left = every
        self._check = _Whole(engine, network) if whole else _Sample(engine, network)
        self.checked = 0
        """The number of passes that were checked."""

    def signals(self) -> Signals:
        """What the host needs to know of the current state."""
        return self._processor.signals()

    def give(self, word: int) -> None:
        """Fill the input word and set its ready flag."""
        self._processor.give(word)

    def state(self) -> State:
        """A copy of the whole state."""
        return self._processor.state()

    def advance(self, passes: int = 1) -> int:
        """Make passes, as the support engine does."""
        if self._left > 1:
            made = self._processor.advance(min(passes, self._left - 1))
            self._left -= made
            return made
        before = self._processor.copy()
        made = self._processor.advance(1)
        if made:
            self._check(before, self._processor)
            self._left = self._every
            self.checked += 1
        return made


def checked(
    processor: SupportProcessor, engine: SupportEngine, network: Network, every: int
) -> CheckedProcessor:
    """The processor with every `every`-th pass checked, against the whole network if that is built
    in a second or so and half of the memory that there is holds it.
    """
    most = min(LITERAL, (available_bytes() or 0) // 2)
    whole = needed_bytes(network, EngineName.SPARSE) <= most
    return CheckedProcessor(processor, engine, network, every, whole)


class _Whole:
    """All of the network, by the sparse engine."""

    def __init__(self, engine: SupportEngine, network: Network) -> None:
        self._codec, self._vector = engine.codec_of_vectors, engine.vector
        self._engine = build_literal(network, EngineName.SPARSE)
        self._names = self._codec.entries

    def __call__(self, before: SupportProcessor, after: SupportProcessor) -> None:
        given = self._vector(before.memory, before.entries)
        expected = self._codec.summed(self._engine.forward(given))
        got = self._codec.summed(self._vector(after.memory, after.entries))
        for at in np.flatnonzero(got != expected):
            raise DifferenceError(_sentence(before, self._names[at], got[at], expected[at]))


class _Sample:
    """Some rows of every family, by their literal weights."""

    def __init__(self, engine: SupportEngine, network: Network) -> None:
        self._engine, self._network = engine, network
        self._rng = np.random.default_rng()

    def __call__(self, before: SupportProcessor, after: SupportProcessor) -> None:
        found = Activations(self._engine, self._network, before)
        views = found.layers
        for depth, layer in enumerate(self._network.layers):
            for family in layer.neurons:
                claimed = views[depth + 1][family.name]
                for point in self._points(family, claimed):
                    total = row_value(family.row, named(family, point), views[depth])
                    expected, got = max(total, 0.0), float(claimed.at(*point))
                    if got != expected:
                        name = f"layer {depth + 1}, {entry_name(family.name, point)}"
                        raise DifferenceError(_sentence(before, name, got, expected))
        self._check_state(before, after, found.values, found.slots)

    def _points(self, family: Neurons, claimed: View) -> Iterator[tuple[int, ...]]:
        shape = family.shape
        for _ in range(ROWS):
            yield tuple(int(self._rng.integers(extent)) for extent in shape)
        if claimed.slot is not None and claimed.slot < shape[0]:
            yield claimed.slot, *(int(self._rng.integers(extent)) for extent in shape[1:])

    def _check_state(
        self, before: SupportProcessor, after: SupportProcessor, values: Array, slots: Array
    ) -> None:
        """The state that was made is the one of which the rows were compared."""
        plan = self._engine.plan
        for at, register in enumerate(plan.outputs):
            if after.entries[at] != values[register]:
                name = f"entry {at} of the state"
                raise DifferenceError(_sentence(before, name, after.entries[at], values[register]))
        memory, held = before.memory.copy(), plan.memory
        if held.slot is not None and (row := int(slots[held.slot])) < held.words:
            bits = values[list(held.registers)].astype(int).tolist()
            memory[row] = sum(bit << at for at, bit in enumerate(bits))
        for at in np.flatnonzero(memory != after.memory).tolist():
            raise DifferenceError(_sentence(before, f"mem[{at}]", after.memory[at], memory[at]))


def _sentence(before: SupportProcessor, name: str, got: Any, expected: Any) -> str:
    return (
        f"self-check: {name} is {got:g} by the support engine and {expected:g} by the network, in "
        f"the pass at pc = {before.signals().pc}. Please report it."
    )
