"""Symbolic execution: the paths that a program takes from a domain of inputs.

A path is a state whose words are numbers or forms of the inputs, and the region of the inputs that
follow it.  The machine's one step function advances it.  Where that cannot go on, the region is
split (`split`) and each part makes the step anew; a part is left out only if bounds or the solver
show that it is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from proofs.programs.budget import Budget, conditions
from proofs.programs.region import Form, Range, Region
from proofs.programs.symbolic_word import Fork, Word, decided, plain, word
from proofs.terms import conj, neg
from verified_mlp.machine.host import Outcome
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.step import Before, step

_CLOCK = 256
"""The time is looked at once in so many steps."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The inputs: a name and a range for each, and where it goes.

    An input with an address is a word of memory at the start.  The others are words that the
    program reads, in order; after them the input ends.
    """

    names: tuple[str, ...]
    ranges: tuple[Range, ...]
    addresses: tuple[int | None, ...]

    @property
    def size(self) -> int:
        """The number of points."""
        size = 1
        for low, high in self.ranges:
            size *= high - low + 1
        return size

    def __str__(self) -> str:
        return ", ".join(
            f"{name}:{low}..{high}"
            for name, (low, high) in zip(self.names, self.ranges, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """What a theorem is about: a program (its numbers, signed or not), a machine, a domain, and
    the largest number of steps.
    """

    words: Sequence[int]
    shape: Shape
    domain: Domain
    max_steps: int


@dataclass(slots=True)
class Path:
    """A path: its region, the state that it has reached, and what it has printed.

    `changed` are the words that differ from the program's; `output` are words modulo 256, or
    2**bits if that is less; `outcome` is how it ended, if it has.
    """

    region: Region
    changed: dict[int, Form | int]
    pc: Form | int = 0
    fault: int = 0
    input: Form | int = 0
    ready: int = 0
    read: int = 0
    steps: int = 0
    output: list[Form | int] = field(default_factory=list)
    outcome: Outcome | None = None

    def on(self, region: Region) -> Path:
        """A copy on another region."""
        return replace(self, region=region, changed=dict(self.changed), output=list(self.output))


class _Memory:
    """The words of a path as the step sees them; `store` notes the one change of a step."""

    __slots__ = ("_first", "_modulus", "_path", "change")

    def __init__(self, path: Path, first: Mapping[int, int], modulus: int) -> None:
        self._path, self._first, self._modulus = path, first, modulus
        self.change: tuple[int, Form | int] | None = None

    def load(self, address: Any) -> Any:
        """The word at an address; raises Fork if that depends on inputs."""
        if isinstance(address, Word):
            raise address.value()
        found = self._path.changed.get(address)
        if found is None:
            return self._first.get(address, 0)
        return word(found, self._path.region, self._modulus)

    def store(self, condition: Any, address: Any, value: Any) -> _Memory:
        """Note the change, where the condition holds; raises Fork if that depends on inputs."""
        if decided(condition):
            if isinstance(address, Word):
                raise address.value()
            self.change = address, plain(value)
        return self


def paths(subject: Subject, budget: Budget, *, discharge: bool) -> Iterator[Path]:
    """Every path to its end: halted, faulted or at the limit of steps.

    Together their regions are the domain.  To `discharge` is to ask the solver at every fork
    whether the parts are all of what is split.  Raises NotProvedError if the budget does not
    suffice.
    """
    shape, domain = subject.shape, subject.domain
    first = {at: number % shape.modulus for at, number in enumerate(subject.words)}
    inputs = [Form(0, ((number, 1),)) for number in range(len(domain.names))]
    places = list(zip(domain.addresses, inputs, strict=True))
    given = [form for address, form in places if address is None]
    changed: dict[int, Form | int] = {at: form for at, form in places if at is not None}
    corner = tuple(low for low, _ in domain.ranges)
    waiting = [Path(Region(domain.ranges, {}, corner), changed)]
    while waiting:
        path = waiting.pop()
        try:
            _run(path, subject, first, given, budget)
        except Fork as fork:
            parts = split(path.region, fork, budget)
            if discharge:
                check_whole(path.region, parts, budget)
            budget.fork(len(parts))
            waiting.extend(path.on(part) for part in reversed(parts))
        else:
            yield path


def split(region: Region, fork: Fork, budget: Budget) -> list[Region]:
    """The parts of a region into which a fork splits it, each with a witness.

    The parts tried are consecutive ranges, from the least value that the sum can have to the
    largest, so nothing is left over; those that are empty are left out.
    """
    low, high = region.span(fork.terms)
    starts = [low, *(cut for cut in fork.cuts if low < cut <= high)]
    ends = [*(cut - 1 for cut in starts[1:]), high]
    parts = []
    for wanted in zip(starts, ends, strict=True):
        budget.check()
        part = region.narrowed(fork.terms, wanted)
        if part is None:
            continue
        near = tuple(
            min(max(each, least), most)
            for each, (least, most) in zip(region.witness, part.box, strict=True)
        )
        point = near if part.contains(near) else budget.point(part)
        if point is not None:
            parts.append(replace(part, witness=point))
    if not parts:
        raise RuntimeError(f"a fork of {fork.terms} leaves nothing of {region}")
    return parts


def check_whole(region: Region, parts: Sequence[Region], budget: Budget) -> None:
    """Raise RuntimeError if a point of a region is in none of its parts, as the solver decides."""
    outside = [neg(conj(*conditions(part, budget.names))) for part in parts]
    lost = budget.point(region, outside)
    if lost is not None:
        raise RuntimeError(f"a fork of {region} loses the point {lost}")


def _run(
    path: Path, subject: Subject, first: Mapping[int, int], given: list[Form], budget: Budget
) -> None:
    """Advance a path until it ends, as `Host.run` does; raises Fork where it cannot go on."""
    shape = subject.shape
    modulus, shown = shape.modulus, min(shape.modulus, 256)
    while True:
        pc = word(path.pc, path.region, modulus)
        if path.fault:
            path.outcome = Outcome.FAULT
            return
        if decided(pc >= modulus // 2):
            path.outcome = Outcome.HALTED
            return
        if path.steps >= subject.max_steps:
            path.outcome = Outcome.LIMIT
            return
        if isinstance(pc, Word):
            raise pc.value()
        if path.steps % _CLOCK == 0:
            budget.check()
        memory = _Memory(path, first, modulus)
        read = word(path.input, path.region, modulus)
        after = step(shape, Before(memory, pc, path.fault, read, path.ready))
        # Nothing of the path changes before the step is whole, for it may be made anew.
        if after.wanted:
            path.input = given[path.read] if path.read < len(given) else modulus - 1
            path.read, path.ready = path.read + 1, 1
            continue
        if memory.change:
            path.changed[memory.change[0]] = memory.change[1]
        path.steps += 1
        path.pc, path.fault, path.ready = plain(after.pc), after.fault, after.ready
        if after.valid:
            path.output.append(_byte(plain(after.output), shown))


def _byte(printed: Form | int, shown: int) -> Form | int:
    return printed % shown if isinstance(printed, int) else printed
