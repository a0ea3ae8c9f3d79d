"""A program that is run step by step, forwards and backwards, on the verified network.

The state is advanced by the network alone.  To go back, a copy of an earlier state is made to run
again, with the input that it had, which gives the same states; copies are kept ever so many steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from numeric.activations import Activations
from numeric.lower import Array
from numeric.machine import Machine
from numeric.support import SupportEngine, SupportProcessor
from verified_mlp.machine.host import Host, Outcome, Signals, Sink, Source
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

CHUNK = 4096
"""Steps that are made before an interrupt is seen, at most."""

SPACING = 1024
"""Steps from one copy of the state to the next; doubled whenever there are too many copies."""

COPIES, COPIED = 64, 2**28
"""Copies of the state that are kept at most, and their bytes; but always a few."""


class Access(StrEnum):
    """What an instruction does to an address."""

    EXECUTE = "execute"
    READ = "read"
    WRITE = "write"


class Reason(StrEnum):
    """Why the program does not run on."""

    STEPPED = "stepped"
    REACHED = "reached"
    BREAKPOINT = "breakpoint"
    HALTED = "halted"
    FAULT = "fault"
    INTERRUPTED = "interrupted"


_ENDS = {Outcome.HALTED: Reason.HALTED, Outcome.FAULT: Reason.FAULT}


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """Stops a run before the step that does this to an address."""

    number: int
    access: Access
    address: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stopped; at which breakpoint, if it was one."""

    reason: Reason
    breakpoint: Breakpoint | None = None


@dataclass(frozen=True, slots=True)
class _Copy:
    """A state after some steps, and how much input and output there was."""

    steps: int
    memory: Array
    entries: Array
    inputs: int
    outputs: int


class Session:
    """A program on a machine whose engine is `support`; TypeError for another engine.

    `words` are the program, `source` is asked for input when the program waits for it, and `sink`
    gets its output: bytes that were printed already are printed again when their step is made
    again, but not while the session goes back.
    """

    def __init__(self, machine: Machine, words: Sequence[int], source: Source, sink: Sink) -> None:
        if not isinstance(machine.engine, SupportEngine):
            raise TypeError("a session needs the support engine")
        self.shape: Shape = machine.shape
        self.network = machine.network
        self.breakpoints: dict[int, Breakpoint] = {}
        self._engine = machine.engine
        mem = [*words, *[0] * (self.shape.words - len(words))]
        self._processor = SupportProcessor(self._engine, State(mem=mem))
        self._input, self._output = _Input(source), _Output(sink)
        self._host = Host(self.shape, self._processor, self._input, self._output)
        self._spacing, self._number = SPACING, 0
        self._most = min(COPIES, max(4, COPIED // self._processor.memory.nbytes))
        self._copies: list[_Copy] = []
        self._keep()

    @property
    def steps(self) -> int:
        """The number of steps that were made to the present state."""
        return self._host.steps

    @property
    def memory(self) -> Array:
        """The words of the memory, 0..2**bits-1; only to be read."""
        return self._processor.memory

    @property
    def output(self) -> bytes:
        """All that was printed in the steps to the present state."""
        return bytes(self._output.printed)

    def signals(self) -> Signals:
        """The program counter and what else the host looks at."""
        return self._processor.signals()

    def state(self) -> State:
        """A copy of the whole state."""
        return self._processor.state()

    def activations(self) -> Activations:
        """All layers in the pass that comes next; they hold until the state is changed."""
        return Activations(self._engine, self.network, self._processor)

    def add_breakpoint(self, access: Access, address: int) -> Breakpoint:
        """A new breakpoint, with the next number; ValueError for what is no address."""
        if not 0 <= address < self.shape.addresses:
            raise ValueError(
                f"{address} is no address: the addresses are 0 to {self.shape.addresses - 1}."
            )
        self._number += 1
        self.breakpoints[self._number] = Breakpoint(self._number, access, address)
        return self.breakpoints[self._number]

    def step(self, count: int = 1) -> Stop:
        """Make so many steps, whatever breakpoints there are, or fewer if the program ends."""
        return self._run(self.steps + count, Reason.STEPPED)

    def run(self, address: int | None = None, last: int | None = None) -> Stop:
        """Make steps, at least one, until the program ends, a breakpoint is met, pc = `address`,
        or `last` steps were made in all (none if there are so many already).
        """
        if address is None and not self.breakpoints:
            return self._run(last, Reason.REACHED)
        while last is None or self.steps < last:
            stop = self._run(self.steps + 1, Reason.STEPPED)
            if stop.reason is not Reason.STEPPED:
                return stop
            pc = self._engine.codec.read(self._processor.entries, "pc")
            if pc == address:
                return Stop(Reason.REACHED)
            hit = self._hit(pc)
            if hit:
                return Stop(Reason.BREAKPOINT, hit)
        return Stop(Reason.REACHED)

    def back(self, count: int = 1) -> None:
        """Go back so many steps; ValueError if there are not so many."""
        if not 0 <= count <= self.steps:
            raise ValueError(f"{count} steps back are before the first: {self.steps} were made.")
        self._go_back(self.steps - count)

    def _run(self, last: int | None, reached: Reason) -> Stop:
        """Steps until there are `last` in all, or the program ends, or the user interrupts."""
        try:
            while last is None or self.steps < last:
                kept = self._copies[-1].steps + self._spacing
                if self.steps >= kept:
                    self._keep()
                    continue
                most = min(kept - self.steps, CHUNK)
                if last is not None:
                    most = min(most, last - self.steps)
                outcome = self._host.run(most)
                if outcome is not Outcome.LIMIT:
                    return Stop(_ENDS[outcome])
            return Stop(reached)
        except KeyboardInterrupt:
            # It may have come between any two instructions, or while the program waits for input.
            self._go_back(self.steps)
            return Stop(Reason.INTERRUPTED)

    def _hit(self, pc: int) -> Breakpoint | None:
        """The first breakpoint that the next step meets."""
        kinds = {each.access for each in self.breakpoints.values()}
        found = {Access.EXECUTE: {pc}}
        if kinds - {Access.EXECUTE}:
            found |= accesses(self.shape, self.memory, pc)
        for each in self.breakpoints.values():
            if each.address in found.get(each.access, ()):
                return each
        return None

    def _keep(self) -> None:
        processor = self._processor
        copy = _Copy(
            self.steps,
            processor.memory.copy(),
            processor.entries.copy(),
            self._input.given,
            len(self._output.printed),
        )
        copies = [*self._copies, copy]
        if len(copies) > self._most:
            copies, self._spacing = copies[::2], 2 * self._spacing
        self._copies = copies

    def _go_back(self, target: int) -> None:
        """Bring about the state after `target` steps, which were made before."""
        while True:
            try:
                self._repeat(target)
            except KeyboardInterrupt:
                continue  # half of the way back there is no state to stop in
            else:
                return

    def _repeat(self, target: int) -> None:
        copies = [each for each in self._copies if each.steps <= target]
        last = copies[-1]
        self._copies = copies
        self._processor.memory[:] = last.memory
        self._processor.entries[:] = last.entries
        self._host.steps = last.steps
        self._input.given = last.inputs
        del self._output.printed[last.outputs :]
        self._output.quiet = True
        try:
            self._host.run(target - last.steps)
        finally:
            self._output.quiet = False


def operands(memory: Array, pc: int) -> list[int | None]:
    """The three words at pc; None for those outside of the memory."""
    return [int(memory[at]) if at < len(memory) else None for at in range(pc, pc + 3)]


def accesses(shape: Shape, memory: Array, pc: int) -> dict[Access, set[int]]:
    """The operands that the instruction at pc reads and writes, its own three words left out.

    >>> import numpy as np
    >>> found = accesses(Shape(8, 16), np.array([5, 6, 0]), 0)
    >>> sorted(found[Access.READ]), found[Access.WRITE]
    ([5, 6], {6})
    """
    a, b, _ = words = operands(memory, pc)
    port = shape.modulus - 1
    if pc >= shape.modulus // 2 or None in words or a is None or b is None:
        return {}
    a_valid, b_valid = a < shape.addresses, b < shape.addresses
    if a_valid and b_valid:
        return {Access.READ: {a, b}, Access.WRITE: {b}}
    if a_valid and b == port:
        return {Access.READ: {a}}
    if a == port and b_valid:
        return {Access.WRITE: {b}}
    return {}


class _Input:
    """Keeps what was given, so that a step that is made again has the same input."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._all: list[bytes] = []
        self.given = 0

    def read(self, size: int) -> bytes:
        if self.given == len(self._all):
            self._all.append(bytes(self._source.read(size)))
        self.given += 1
        return self._all[self.given - 1]


class _Output:
    """Keeps what was printed."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.printed = bytearray()
        self.quiet = False

    def write(self, data: bytes) -> None:
        self.printed += data
        if not self.quiet:
            self._sink.write(data)

    def flush(self) -> None:
        if not self.quiet:
            self._sink.flush()
