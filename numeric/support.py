"""The engine `support`: it computes the rows that can matter, and holds the memory word by word.

Which rows these are is derived from the placed statement and the proved support rules of its
gadgets (`support_plan`).  They are computed with NumPy (`support_arrays`) or, where `llvmlite` is
installed, by compiled code (`support_compiled`): the same numbers either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from threading import Lock
from typing import NoReturn

import numpy as np

from numeric.codec import Codec
from numeric.engines import check_looped
from numeric.lower import Array
from numeric.support_arrays import HALF, Blocks, word_width
from numeric.support_compiled import Code, available
from numeric.support_forms import Product, Row
from numeric.support_lanes import PARAMETERS as LANES_PARAMETERS
from numeric.support_lanes import text as lanes_text
from numeric.support_llvm import PARAMETERS, text
from numeric.support_plan import NO_SUMS, Memory, Plan, plan
from verified_mlp.constructions.registry import Construction, Prefetched
from verified_mlp.machine.host import Signals
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.network import Gadget, Network


class SupportName(StrEnum):
    """`support` compiles where it can, `support-numpy` never does."""

    SUPPORT = "support"
    NUMPY = "support-numpy"


PATIENCE = 4096
"""Passes that NumPy makes before compiling pays: it takes as long as some ten thousand."""

AT_ONCE = 2**16
"""Passes that are made before the host is asked again, at most."""


class RuleError(Exception):
    """A rule's premise does not hold in a state, or what is to be written is no word."""


def build(
    network: Network,
    proved: Sequence[Gadget],
    shape: Shape,
    name: SupportName,
    how: Construction | None = None,
) -> SupportEngine:
    """The engine of a network that is looped; the rules are those of the gadgets that are proved.
    Its vector is that of a construction (None: the state's fields).

    Raises NoSupportError for a network to which they do not apply.
    """
    check_looped(network)
    made = plan(network, proved, how.sums if how else NO_SUMS)
    return SupportEngine(made, shape, name, prefetched=how.prefetched if how else None)


@dataclass(frozen=True)
class SupportEngine:
    """The plan of a network.  `at_once` asks for machine code from the first pass on; else it is
    used where it was kept, and compiled once a run is long.
    """

    plan: Plan
    shape: Shape
    name: SupportName = SupportName.SUPPORT
    at_once: bool = False
    prefetched: Prefetched | None = None
    stop: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        codec = self.codec
        flags = [codec.place(name).start for name in ("fault", "wanted", "valid")]
        object.__setattr__(self, "stop", (*flags, codec.place("pc").stop - 1))

    @cached_property
    def codec(self) -> Codec:
        """The coding of the small fields."""
        return Codec(self.shape, self.plan.small, prefetched=self.prefetched)

    @cached_property
    def codec_of_vectors(self) -> Codec:
        """The coding of whole vectors, as the other engines have them."""
        return Codec(self.shape, sums=self.plan.sums, prefetched=self.prefetched)

    @cached_property
    def code(self) -> Code:
        """The machine code, not yet loaded."""
        return Code(text(self.plan, self.stop), PARAMETERS)

    @cached_property
    def code_of_lanes(self) -> Code:
        """Machine code for several states side by side (see `support_lanes`), not yet loaded."""
        return Code(lanes_text(self.plan, self.stop), LANES_PARAMETERS)

    @cached_property
    def blocks(self) -> Blocks:
        """The plan as arrays, for one processor at a time."""
        return Blocks(self.plan)

    @cached_property
    def taken(self) -> Lock:
        """To be held by who uses `blocks`."""
        return Lock()

    @cached_property
    def looked_at(self) -> tuple[Array, Array]:
        """The places in `blocks` of the state after a pass and of what is checked, and of the word
        that is written.
        """
        checks = [check.register for check in self.plan.checks]
        at = self.blocks.at
        return at[[*self.plan.outputs, *checks]], at[list(self.plan.memory.registers)]

    @property
    def nonzeros(self) -> int:
        """The number of weights that a pass evaluates."""
        ops = self.plan.program.ops
        return sum(len(op.terms) if isinstance(op, Row) else isinstance(op, Product) for op in ops)

    def decoded(self, memory: Array, entries: Array) -> State:
        """The state that is held as these; raises ValueError if it is none."""
        return State(**{self.plan.memory.name: memory.tolist(), **self.codec.read_all(entries)})

    def entries(self, state: State) -> Array:
        """The entries of a state's small fields."""
        found = np.zeros(len(self.plan.outputs))
        for name, number in self.codec.values(state).items():
            self.codec.write(found, name, number)
        return found

    def vector(self, memory: Array, entries: Array) -> Array:
        """The vector, in the form of the other engines, of a memory and the small fields' entries:
        what stands for a sum is its first part.
        """
        codec = self.codec_of_vectors
        found = np.zeros(codec.width)
        codec.write(found, self.plan.memory.name, memory.tolist())
        for name in self.plan.small:
            own, start = entries[self.codec.place(name)], codec.place(name).start
            found[start : start + len(own)] = own
        return found

    def check_bits(self, entries: Array) -> None:
        """Raise RuleError for entries of which one is no bit: only those of bits are planned."""
        if not _bits_only(entries):
            names = self.codec.entries
            at = int(np.flatnonzero(entries * entries != entries)[0])
            raise RuleError(
                f"{names[at]} is {entries[at]:g} in the state vector, where every entry must be 0 "
                f"or 1. Run this network with the sparse engine."
            )

    def check_words(self, words: list[int]) -> NoReturn:
        """Raise ValueError for words that cannot be packed."""
        Codec(self.shape).check(self.plan.memory.name, words)
        raise AssertionError("words in range were not packed")

    def forward(self, vector: Array) -> Array:
        """One pass: a state vector to the next one, in the form of the other engines."""
        codec = self.codec_of_vectors
        processor = SupportProcessor(self, codec.decode(vector))
        processor.advance(1)
        return codec.encode(processor.state())


class SupportProcessor:
    """A state, its memory one number a word, that an engine advances.

    See `verified_mlp.machine.host`.  `advance` raises RuleError, and leaves the state as it was,
    where the network does something for which its rules are not proved, or the state is none.
    """

    def __init__(self, engine: SupportEngine, state: State) -> None:
        self._engine = engine
        memory = engine.plan.memory
        words = getattr(state, memory.name)
        packed = packed_words(words, memory)
        if packed is None or len(packed) < memory.words:
            engine.check_words(words)
        self.memory = packed
        self.entries = engine.entries(state)
        self._made = np.zeros(1, dtype=np.int64)
        self._interrupted = False
        self._compiles = engine.name is SupportName.SUPPORT and available()
        self._code: Code | None = None
        if self._compiles and (engine.at_once or engine.code.load()):
            engine.code.compile()
            self._code = engine.code

    def signals(self) -> Signals:
        """What the host needs to know of the current state."""
        read, state = self._engine.codec.read, self.entries
        return Signals(
            **{name: read(state, name) for name in ("pc", "fault", "wanted", "output", "valid")}
        )

    def copy(self) -> SupportProcessor:
        """Another processor with the same state."""
        other = copy(self)
        other.memory, other.entries = self.memory.copy(), self.entries.copy()
        other._made = self._made.copy()
        return other

    def give(self, word: int) -> None:
        """Fill the input word and set its ready flag."""
        self._engine.codec.write(self.entries, "input", word)
        self._engine.codec.write(self.entries, "ready", 1)

    def state(self) -> State:
        """The whole state, decoded; raises ValueError if it is none."""
        return self._engine.decoded(self.memory, self.entries)

    def advance(self, passes: int = 1) -> int:
        """Make passes, at least one and at most so many, until the host has something to do;
        returns how many.
        """
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt
        self._engine.check_bits(self.entries)
        before = int(self._made[0])
        self._choose()
        try:
            if self._code is None:
                going = self._passes(min(passes, PATIENCE))
            else:
                most = min(passes, AT_ONCE)
                going = bool(self._code.run(self.entries, self.memory, most, self._made))
        except KeyboardInterrupt:
            # What was done is counted first; the next call raises it.
            self._interrupted, going = True, True
        made = int(self._made[0]) - before
        if not going and made == 0:
            raise RuleError(self._failed())
        if self._interrupted and made == 0:
            self._interrupted = False
            raise KeyboardInterrupt
        return made

    def _choose(self) -> None:
        if self._code is None and self._compiles and self._made[0] >= PATIENCE:
            self._engine.code.compile()
            self._code = self._engine.code

    def _passes(self, most: int) -> bool:
        """Passes with NumPy, as `Code.passes` makes them."""
        engine, plan, state, memory = self._engine, self._engine.plan, self.entries, self.memory
        blocks, made, slot, stop = engine.blocks, self._made, plan.memory.slot, engine.stop
        looked_at, written = engine.looked_at
        values, slots, count = blocks.values, blocks.slots, len(plan.outputs)
        with engine.taken:
            blocks.start(memory, state)
            for _ in range(most):
                blocks.compute()
                found = values.take(looked_at)
                after = found[:count]
                all_bits = _bits_only(found)
                if not all_bits and not _bits_only(found[count:]):
                    return False
                at = len(memory) if slot is None else int(slots[slot])
                if at < len(memory):
                    word = _spelled(values.take(written))
                else:
                    at, word = 0, int(memory[0])
                # These three call nothing, so that no interrupt can come between them.
                memory[at] = word
                state[:] = after
                made[0] += 1
                if not all_bits or any([state[entry] for entry in stop]):  # noqa: C419
                    break
                blocks.state[:] = after
        return True

    def _failed(self) -> str:
        """Which check failed, in a sentence."""
        blocks = self._engine.blocks
        with self._engine.taken:
            blocks.start(self.memory, self.entries)
            blocks.compute()
            found = [blocks.values[blocks.at[each.register]] for each in self._engine.plan.checks]
        for check, number in zip(self._engine.plan.checks, found, strict=True):
            if number not in (0, 1):
                return (
                    f"{check.text} is {number:g} at pc = {self.signals().pc}, where it must be 0 "
                    f"or 1. Run this network with the sparse engine."
                )
        raise AssertionError("compiled code and NumPy differ on what they check")


def _bits_only(values: Array) -> bool:
    squares = values * values
    squares -= values
    return not squares.any()


_POWERS = np.ldexp(1.0, np.arange(HALF))


def _spelled(bits: Array) -> int:
    low = int(bits[:HALF] @ _POWERS[: len(bits)])
    if len(bits) <= HALF:
        return low
    return low | int(bits[HALF:] @ _POWERS[: len(bits) - HALF]) << HALF


def packed_words(words: Sequence[int], memory: Memory) -> Array | None:
    """The words as an array; None if there are more than the memory holds, or one is none."""
    try:
        packed = np.array(words, dtype=np.uint64)
    except OverflowError:
        return None
    if len(packed) > memory.words or (len(packed) and int(packed.max()) >> memory.bits):
        return None
    return packed.astype(f"u{word_width(memory.bits) // 8}")
