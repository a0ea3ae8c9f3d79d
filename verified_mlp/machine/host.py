"""The host loop: it moves words between a processor and the outside, and computes nothing.

A *processor* holds a state and makes passes over it: the network in `numeric`, or the integer
interpreter beside this module.  One loop serves both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

_MANY = 2**62
"""More passes than are ever made."""


class Outcome(StrEnum):
    """Why a run ended."""

    HALTED = "halted"
    FAULT = "fault"
    LIMIT = "step limit reached"


@dataclass(frozen=True, slots=True)
class Signals:
    """The part of the state that the host looks at after every pass."""

    pc: int
    fault: int
    wanted: int
    output: int
    valid: int


class Processor(Protocol):
    """Something that holds a state and executes passes."""

    def signals(self) -> Signals:
        """What the host needs to know of the current state."""

    def advance(self, passes: int = 1, /) -> int:
        """Make passes, each of which replaces the state by its successor: at least one, at most so
        many, and none after one that halts, faults, prints or waits.  Returns how many.
        """

    def give(self, word: int) -> None:
        """Fill the input word, 0..2**bits-1, and set its ready flag."""

    def state(self) -> State:
        """A copy of the whole state."""


class Source(Protocol):
    """Where input comes from, e.g. a binary file."""

    def read(self, size: int, /) -> Any:
        """At most `size` bytes; none at the end of input."""


class Sink(Protocol):
    """Where output goes, e.g. a binary file."""

    def write(self, data: bytes, /) -> Any:
        """Take the bytes."""

    def flush(self) -> Any:
        """Make them visible."""


class Host:
    """Runs a processor.  `steps` counts its passes; one that waits for input is not a step.

    A byte is read only when the program waits for it.  It enters as its value mod 2**bits, the
    end of input as all ones (-1).  An output is the word mod 256, visible at once.
    """

    def __init__(self, shape: Shape, processor: Processor, source: Source, sink: Sink) -> None:
        self.shape = shape
        self.processor = processor
        self.steps = 0
        self._source = source
        self._sink = sink

    def run(
        self, max_steps: int | None = None, between: Callable[[], None] | None = None
    ) -> Outcome:
        """Run until the program halts or faults, or for `max_steps` more steps (None: no limit).

        A run that reached its limit, or was interrupted, goes on where it was if called again.

        `between` is called whenever passes were made and the host has done what they ask for: the
        state and `steps` then say all from which a run can go on.  What it raises ends the run.
        """
        last = None if max_steps is None else self.steps + max_steps
        now = self.processor.signals()
        while True:
            if now.fault:
                return Outcome.FAULT
            if now.pc >= self.shape.modulus // 2:
                return Outcome.HALTED
            if last is not None and self.steps >= last:
                return Outcome.LIMIT
            left = _MANY if last is None else last - self.steps
            self.steps += self.processor.advance(left)
            now = self.processor.signals()
            if now.wanted:
                self.steps -= 1
                self.processor.give(self._read())
            elif now.valid:
                self._sink.write(bytes((now.output % 256,)))
                self._sink.flush()
            if between is not None:
                between()

    def _read(self) -> int:
        byte = self._source.read(1)
        return byte[0] % self.shape.modulus if byte else self.shape.modulus - 1


def explain_fault(shape: Shape, state: State) -> str:
    """Where a faulted state stands, its operands and what is wrong with them, in one sentence.

    >>> explain_fault(Shape(8, 16), State(mem=[20, 3, 0] + [0] * 13, fault=1))
    'fault at pc = 0, A = 20, B = 3, C = 0: A is no address, for the addresses are 0 to 15.'
    """
    found = [state.mem[at] if at < shape.words else None for at in range(state.pc, state.pc + 3)]
    operands = ", ".join(
        f"{name} {'is outside the memory' if word is None else f'= {_as_text(shape, word)}'}"
        for name, word in zip("ABC", found, strict=True)
    )
    return f"fault at pc = {state.pc}, {operands}: {_reason(shape, found)}."


def _reason(shape: Shape, found: list[int | None]) -> str:
    if None in found:
        return f"an instruction is three words, and the memory ends at {shape.words - 1}"
    port = shape.modulus - 1
    a, b, _ = found
    if a == b == port:
        return "A and B are both -1, so there is neither a place to read nor one to write"
    wrong = [
        name
        for name, word in (("A", a), ("B", b))
        if word != port and word is not None and word >= shape.addresses
    ]
    verb = "is no address" if len(wrong) == 1 else "are no addresses"
    return f"{' and '.join(wrong)} {verb}, for the addresses are 0 to {shape.addresses - 1}"


def _as_text(shape: Shape, word: int) -> str:
    """The word, and what it is as a negative number if its top bit is set."""
    signed = word - shape.modulus
    if signed == -1:
        return "-1"
    return f"{word} ({signed})" if word >= shape.modulus // 2 else str(word)
