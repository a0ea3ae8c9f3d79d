"""Theorems about programs: every path halts, and prints what the specification says.

The specification is a Python function.  In a domain of at most `MOST_POINTS` points it is
*tabulated*: it is evaluated at every point, on ints, and every point must be on exactly one path.
In a larger one it is evaluated on terms, once for each path; the solver compares, and decides at
every fork that no point is lost.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import Any

import numpy as np

from proofs.modules import ModuleFault, described, faults
from proofs.programs.budget import Budget, NotProvedError, term_of
from proofs.programs.execution import Domain, Path, Subject, paths
from proofs.programs.points import points, positions, printed
from proofs.programs.region import Form, Point
from proofs.terms import IntTerm, conj, neg, term, unknown
from verified_mlp.machine.host import Host, Outcome, explain_fault
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.state import State

MOST_POINTS = 2**20

_FAULT = "{name} cannot be evaluated{where}"


class Method(StrEnum):
    """How outputs are compared with the specification."""

    TABULATED = "tabulated"
    SYMBOLIC = "symbolic"


@dataclass(frozen=True, slots=True)
class Spec:
    """A specification and its name; the inputs go to parameters of their names, or in order."""

    name: str
    function: Callable[..., Any]

    def __call__(self, domain: Domain, values: tuple[Any, ...]) -> Any:
        """What the function gives for the inputs."""
        named = dict(zip(domain.names, values, strict=True))
        signature = inspect.signature(self.function)
        try:
            signature.bind(**named)
        except TypeError:
            return self.function(*values)
        return self.function(**named)

    def output(self, domain: Domain, point: Point) -> bytes:
        """The output that it demands at a point.  Raises ModuleFault."""
        where = f" at {shown(domain, point)}"
        with faults(_FAULT.format(name=self.name, where=where)):
            found = self(domain, point)
            if isinstance(found, str):
                return found.encode()
            if isinstance(found, bytes | bytearray):
                return bytes(found)
            if isinstance(found, list | tuple):
                return bytes(found)
        raise ModuleFault(
            f"{self.name} gives a value of type {type(found).__name__}{where}: give the output as "
            f"bytes, as a str (in UTF-8), or as a list of numbers 0 to 255."
        )


@dataclass(frozen=True, slots=True)
class Refuted:
    """An input at which the program is wrong, as the reference interpreter confirms.

    `fault` is a sentence if it faulted, else empty.
    """

    point: Point
    outcome: Outcome
    steps: int
    printed: bytes
    expected: bytes
    fault: str


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof came to: paths, the largest number of steps, and questions to the solver."""

    method: Method
    paths: int
    steps: int
    queries: int


def prove(subject: Subject, spec: Spec, budget: Budget) -> Proved | Refuted:
    """Prove that for every input of the domain the program halts within the bound of steps and
    prints what the specification says, or find an input for which it does not.

    Raises NotProvedError if the budget does not suffice, ModuleFault for a specification that
    cannot be evaluated.
    """
    domain = subject.domain
    table = domain.size <= MOST_POINTS
    method = Method.TABULATED if table else Method.SYMBOLIC
    seen = np.zeros(domain.size if table else 0, dtype=bool)
    count = steps = 0
    for path in paths(subject, budget, discharge=not table):
        count, steps = count + 1, max(steps, path.steps)
        if path.outcome is not Outcome.HALTED:
            return confirmed(subject, spec, path.region.witness)
        if table:
            wrong = _tabulated(subject, spec, path, seen, budget)
        else:
            wrong = _symbolic(subject, spec, path, budget)
        if wrong is not None:
            return confirmed(subject, spec, wrong)
    if not seen.all():
        missing = int(np.flatnonzero(~seen)[0])
        raise RuntimeError(f"no path has point {missing} of the domain")
    return Proved(method, count, steps, budget.queries)


def _tabulated(
    subject: Subject, spec: Spec, path: Path, seen: np.ndarray[Any, Any], budget: Budget
) -> Point | None:
    """A point of a path at which the output is wrong, if there is one; notes the points."""
    domain = subject.domain
    grid = points(path.region)
    places = positions(grid, domain.ranges)
    if seen[places].any():
        raise RuntimeError(f"a point of {path.region} is on two paths")
    seen[places] = True
    rows = printed(path, grid, subject.shape.bits)
    for number, (point, row) in enumerate(zip(grid.tolist(), rows, strict=True)):
        if number % 1024 == 0:
            budget.check()
        if spec.output(domain, tuple(point)) != row.tobytes():
            return tuple(point)
    return None


def _symbolic(subject: Subject, spec: Spec, path: Path, budget: Budget) -> Point | None:
    """A point of a path at which the output is wrong, if there is one, as the solver says."""
    domain, region = subject.domain, path.region
    expected = _expected(spec, domain, path)
    shown_as = min(subject.shape.modulus, 256)
    if len(expected) != len(path.output):
        return region.witness
    got = [_printed_term(each, domain, shown_as) for each in path.output]
    equal = conj(*(each == term(wanted) for each, wanted in zip(got, expected, strict=True)))
    wrong = budget.point(region, [neg(equal)])
    if wrong is not None:
        return wrong
    # The function could mean one thing for terms and another for ints; try one point at least.
    output = bytes(
        each if isinstance(each, int) else each.at(region.witness) % shown_as
        for each in path.output
    )
    return None if spec.output(domain, region.witness) == output else region.witness


def _printed_term(printed_word: Form | int, domain: Domain, shown_as: int) -> IntTerm:
    if isinstance(printed_word, int):
        return term(printed_word)
    found: IntTerm = term_of(printed_word, domain.names) % shown_as
    return found


def _expected(spec: Spec, domain: Domain, path: Path) -> list[Any]:
    """The output that the specification demands on a path, as terms.  Raises ModuleFault."""
    values = tuple(
        low if low == high else unknown(name)
        for name, (low, high) in zip(domain.names, path.region.box, strict=True)
    )
    try:
        found = spec(domain, values)
        if isinstance(found, str):
            found = found.encode()
        if not isinstance(found, bytes | list | tuple):
            raise TypeError(f"a value of type {type(found).__name__} is no list of numbers")
        return [term(each) for each in found]
    except Exception as error:
        raise ModuleFault(
            f"{spec.name} cannot be evaluated on terms: {described(error)} The domain has "
            f"{domain.size} points, and only up to {MOST_POINTS} are tried one by one: choose a "
            f"smaller domain, or write {spec.name} with verified_mlp.logic, to give a list of "
            f"numbers."
        ) from None


def confirmed(subject: Subject, spec: Spec, point: Point) -> Refuted:
    """The refutation at a point, from a run of the reference interpreter.

    Raises NotProvedError if the run is as it should be: a solver's model of a specification that
    means something else for terms than for ints.
    """
    domain, shape = subject.domain, subject.shape
    mem = [number % shape.modulus for number in subject.words]
    mem += [0] * (shape.words - len(mem))
    given = []
    for value, address in zip(point, domain.addresses, strict=True):
        if address is None:
            given.append(value)
        else:
            mem[address] = value % shape.modulus
    sink = BytesIO()
    host = Host(shape, Interpreter(shape, State(mem=mem)), BytesIO(bytes(given)), sink)
    outcome = host.run(subject.max_steps)
    expected = spec.output(domain, point)
    if outcome is Outcome.HALTED and sink.getvalue() == expected:
        raise NotProvedError(
            f"the proof fails at {shown(domain, point)}, where the run is right: {spec.name} means "
            f"something else for terms than for numbers"
        )
    fault = explain_fault(shape, host.processor.state()) if outcome is Outcome.FAULT else ""
    return Refuted(point, outcome, host.steps, sink.getvalue(), expected, fault)


def shown(domain: Domain, point: Point) -> str:
    """A point in words."""
    return ", ".join(f"{name} = {value}" for name, value in zip(domain.names, point, strict=True))
