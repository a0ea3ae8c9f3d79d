"""A record of every step of a run, taken from the states before and after it.

Nothing in a record is computed beside the network: the operands are the words at pc before the
step, what was written is the word at the address afterwards, and the kind of a step follows from
the flags that the network sets and from the host having been asked for input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from numeric.debugger.session import operands
from numeric.machine import Machine
from numeric.support import SupportEngine, SupportProcessor
from verified_mlp.machine.host import Host, Sink, Source
from verified_mlp.machine.state import State


class Kind(StrEnum):
    """What a step did; `halt` is the end of a program, which is no step."""

    SUBTRACT = "subtract"
    INPUT = "input"
    OUTPUT = "output"
    FAULT = "fault"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class Record:
    """A step.  Words are 0..2**bits-1; None is what does not apply.

    `step` is the number of steps before it.  `a`, `b` and `c` are the instruction's words (None
    outside of the memory).  `address` is where the step wrote, `old` and `new` the word there
    before and after it; `output` is the byte that it printed; `next_pc` is pc afterwards.
    """

    step: int
    pc: int
    a: int | None
    b: int | None
    c: int | None
    kind: Kind
    address: int | None = None
    old: int | None = None
    new: int | None = None
    output: int | None = None
    next_pc: int | None = None


def trace(
    machine: Machine, words: Sequence[int], source: Source, sink: Sink, most: int | None = None
) -> Iterator[Record]:
    """Run a program, and give a record for each step, at most `most`, as it is made.

    The last record is that of the halt or fault, if the program came to it.  TypeError for another
    engine than `support`.
    """
    if not isinstance(machine.engine, SupportEngine):
        raise TypeError("a trace needs the support engine")
    shape = machine.shape
    mem = [*words, *[0] * (shape.words - len(words))]
    processor = SupportProcessor(machine.engine, State(mem=mem))
    asked, printed = _Asked(source), _Printed(sink)
    host = Host(shape, processor, asked, printed)
    while most is None or host.steps < most:
        step, pc = host.steps, processor.signals().pc
        if pc >= shape.modulus // 2:
            yield Record(step, pc, None, None, None, Kind.HALT)
            return
        a, b, c = operands(processor.memory, pc)
        old = None if b is None or b >= shape.words else int(processor.memory[b])
        asked.count, printed.byte = 0, None
        host.run(1)
        after = processor.signals()
        if after.fault:
            yield Record(step, pc, a, b, c, Kind.FAULT, next_pc=after.pc)
            return
        if after.valid:
            yield Record(step, pc, a, b, c, Kind.OUTPUT, output=printed.byte, next_pc=after.pc)
            continue
        kind = Kind.INPUT if asked.count else Kind.SUBTRACT
        assert b is not None
        yield Record(step, pc, a, b, c, kind, b, old, int(processor.memory[b]), None, after.pc)


class _Asked:
    """Counts how often input was asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.count = 0

    def read(self, size: int) -> bytes:
        self.count += 1
        return bytes(self._source.read(size))


class _Printed:
    """Remembers the last byte."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.byte: int | None = None

    def write(self, data: bytes) -> None:
        self.byte = data[-1]
        self._sink.write(data)

    def flush(self) -> None:
        self._sink.flush()
