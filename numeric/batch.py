"""Many runs at once: one program on many inputs, or many programs, each with its own end.

With the compiled support engine, a thread for each core runs several states side by side
(`support_lanes`), and a lane whose run has ended takes the next job.  With other engines the jobs
run one after another.  Either way each job gives what `Machine.run` gives.

machine = Machine(Shape(bits=16, words=64))
jobs = [Job(words, input=b"6*7"), Job(words, input=b"2*3")]
print([result.output for result in run_batch(machine, jobs)])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from io import BytesIO
from threading import Event, Lock

import numpy as np

from numeric.lower import Array
from numeric.machine import Machine
from numeric.support import RuleError, SupportEngine, SupportName, packed_words
from numeric.support_arrays import word_width
from numeric.support_compiled import available
from numeric.support_lanes import LANES
from verified_mlp.machine.host import Outcome, explain_fault
from verified_mlp.machine.state import State

PASSES = 2048
"""Passes between two looks at lanes that wait for the host: more would keep them waiting, fewer
would cost more than the passes.
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A program, as `Machine.run` takes it, and all its input."""

    words: Sequence[int]
    input: bytes = b""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a job's run left behind; `fault` is a sentence if the program faulted, else empty."""

    outcome: Outcome
    steps: int
    output: bytes
    fault: str
    read: Callable[[], State] = field(repr=False, compare=False)

    def state(self) -> State:
        """The whole state at the end; it is decoded anew at each call."""
        return self.read()


def run_batch(
    machine: Machine, jobs: Sequence[Job], max_steps: int | None = None, threads: int | None = None
) -> list[BatchResult]:
    """Run every job, for at most so many steps each; the results are in the order of the jobs.

    `threads`: how many states' blocks run at once, by default one for every core that there is.
    Raises ValueError for words that are none, RuleError as the support engine does.
    """
    engine = machine.engine
    compiled = isinstance(engine, SupportEngine) and engine.name is SupportName.SUPPORT
    if not (compiled and available()):
        return [_alone(machine, job, max_steps) for job in jobs]
    assert isinstance(engine, SupportEngine)
    engine.code_of_lanes.compile()
    queue = _Queue(jobs)
    count = min(threads or len(os.sched_getaffinity(0)), -(-len(jobs) // LANES))
    results: list[BatchResult | None] = [None] * len(jobs)
    with ThreadPoolExecutor(max(count, 1)) as pool:
        blocks = [_Block(engine, queue, results, max_steps) for _ in range(count)]
        futures = [pool.submit(block.run) for block in blocks]
        try:
            wait(futures)
            for future in futures:
                future.result()
        finally:
            queue.ended.set()
    return [result for result in results if result is not None]


def _alone(machine: Machine, job: Job, max_steps: int | None) -> BatchResult:
    output = BytesIO()
    host = machine.host(job.words, BytesIO(job.input), output)
    outcome = host.run(max_steps)
    state = host.processor.state
    fault = explain_fault(machine.shape, state()) if outcome is Outcome.FAULT else ""
    return BatchResult(outcome, host.steps, output.getvalue(), fault, state)


class _Queue:
    """Jobs by number, each handed out once; none once the batch has `ended`."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs: Iterator[tuple[int, Job]] = enumerate(jobs)
        self._lock = Lock()
        self._packed: tuple[Sequence[int] | None, Array, Array] = None, np.empty(0), np.empty(0)
        self.ended = Event()

    def packed(self, words: Sequence[int], engine: SupportEngine) -> tuple[Array, Array]:
        """Words as an array, and the entries of the small fields of the state in which they start;
        those of the job before, if it has the same program.
        """
        before, array, entries = self._packed
        if words is not before:
            found = packed_words(words, engine.plan.memory)
            memory = [*words, *[0] * (engine.shape.words - len(words))]
            if found is None:
                self.ended.set()
                engine.check_words(memory)
            array, entries = found, engine.entries(State(memory))
            self._packed = words, array, entries
        return array, entries

    def take(self) -> tuple[int, Job] | None:
        """The next job."""
        with self._lock:
            return None if self.ended.is_set() else next(self._jobs, None)


@dataclass(slots=True)
class _Lane:
    """A job that runs."""

    number: int
    input: bytes
    taken: int = 0
    steps: int = 0
    output: bytearray = field(default_factory=bytearray)


class _Block:
    """States side by side, the job of each, and the host loop for all of them."""

    def __init__(
        self,
        engine: SupportEngine,
        queue: _Queue,
        results: list[BatchResult | None],
        max_steps: int | None,
    ) -> None:
        self._engine, self._queue, self._results = engine, queue, results
        self._most = max_steps
        memory, modulus = engine.plan.memory, engine.shape.modulus
        kind = np.dtype(f"u{word_width(memory.bits) // 8}")
        self._memory = np.zeros((memory.words + 1, LANES), kind)
        self._state = np.zeros((len(engine.plan.outputs), LANES))
        self._made = np.zeros(LANES, dtype=np.int64)
        self._live = np.zeros(LANES, dtype=np.uint8)
        self._failed = np.zeros(LANES, dtype=np.uint8)
        self._lanes: list[_Lane | None] = [None] * LANES
        self._end_of_input = modulus - 1

    def run(self) -> None:
        """Run jobs until there are no more."""
        for at in range(LANES):
            self._load(at)
        while not self._queue.ended.is_set() and self._live.any():
            self._passes()

    def _passes(self) -> None:
        running = int(self._live.sum())
        self._made[:] = 0
        self._engine.code_of_lanes.run(
            self._state,
            self._memory,
            self._limit(),
            running // 2 + 1,
            self._made,
            self._live,
            self._failed,
        )
        made, live = self._made.tolist(), self._live.tolist()
        for at, lane in enumerate(self._lanes):
            if lane is None:
                continue
            lane.steps += made[at]
            if not live[at]:
                self._serve(at, lane)
            elif lane.steps == self._most:
                self._finish(at, lane, Outcome.LIMIT)

    def _limit(self) -> int:
        """So many passes that no job exceeds its steps."""
        if self._most is None:
            return PASSES
        left = [self._most - lane.steps for lane in self._lanes if lane is not None]
        return min(PASSES, *left) if left else PASSES

    def _load(self, at: int) -> None:
        """Put the next job in a lane, if there is one."""
        found = self._queue.take()
        self._lanes[at], self._live[at] = None, 0
        if found is None:
            return
        number, job = found
        packed, entries = self._queue.packed(job.words, self._engine)
        self._memory[: len(packed), at] = packed
        self._memory[len(packed) :, at] = 0
        self._state[:, at] = entries
        lane = _Lane(number, job.input)
        self._lanes[at], self._live[at] = lane, 1
        if self._most == 0:
            self._finish(at, lane, Outcome.LIMIT)

    def _serve(self, at: int, lane: _Lane) -> None:
        """Do what the host does after a pass that ended something (see `Host.run`)."""
        entries = self._state[:, at].copy()
        if self._failed[at]:
            self._queue.ended.set()
            raise RuleError(
                f"job {lane.number}: a rule of the support engine does not hold after step "
                f"{lane.steps}. Run this network with the sparse engine."
            )
        codec = self._engine.codec
        read = codec.read
        try:
            if read(entries, "wanted"):
                lane.steps -= 1
                codec.write(entries, "input", self._next(lane))
                codec.write(entries, "ready", 1)
                self._state[:, at] = entries
            elif read(entries, "valid"):
                lane.output.append(read(entries, "output") % 256)
            fault, pc = read(entries, "fault"), read(entries, "pc")
            goes_on = not fault and pc < self._engine.shape.modulus // 2
            if goes_on and lane.steps != self._most:
                self._engine.check_bits(entries)
        except (RuleError, ValueError):
            self._queue.ended.set()
            raise
        if fault:
            self._finish(at, lane, Outcome.FAULT)
        elif not goes_on:
            self._finish(at, lane, Outcome.HALTED)
        elif lane.steps == self._most:
            self._finish(at, lane, Outcome.LIMIT)
        else:
            self._live[at] = 1

    def _next(self, lane: _Lane) -> int:
        if lane.taken == len(lane.input):
            return self._end_of_input
        lane.taken += 1
        return lane.input[lane.taken - 1] % self._engine.shape.modulus

    def _finish(self, at: int, lane: _Lane, outcome: Outcome) -> None:
        """Keep the result, and begin another job."""
        engine = self._engine
        kept = _Kept(engine, self._memory[:-1, at].copy(), self._state[:, at].copy())
        fault = explain_fault(engine.shape, kept()) if outcome is Outcome.FAULT else ""
        output = bytes(lane.output)
        self._results[lane.number] = BatchResult(outcome, lane.steps, output, fault, kept)
        self._load(at)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A state as the engine holds it; a call decodes it."""

    engine: SupportEngine
    memory: Array
    entries: Array

    def __call__(self) -> State:
        return self.engine.decoded(self.memory, self.entries)
