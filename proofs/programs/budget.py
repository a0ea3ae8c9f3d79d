"""What a proof about a program may cost, and the questions that it asks the solver.

A question is the text of a query, decided in a fresh context (`proofs.solver`).  Running out of
anything raises NotProvedError, which is never a proof.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from proofs.programs.region import Form, Point, Region
from proofs.smtlib import text_of
from proofs.solver import solve
from proofs.terms import BoolTerm, IntTerm, conj, term, unknown

RESOURCES = 20_000_000
"""z3's rlimit for each question."""


class NotProvedError(Exception):
    """Neither proved nor refuted; the text says what ran out, as a part of a sentence."""


@dataclass(slots=True)
class Budget:
    """Seconds from when it is made, and forks; `queries` counts the questions asked."""

    seconds: int
    forks: int
    names: Sequence[str]
    resources: int = RESOURCES
    queries: int = 0
    forked: int = 0
    _start: float = field(default_factory=time.perf_counter)

    def check(self) -> None:
        """Raise NotProvedError if the time is over."""
        if self.left() <= 0:
            raise NotProvedError(f"budget: the {self.seconds} seconds of --seconds are over")

    def left(self) -> float:
        """The seconds that are left."""
        return self._start + self.seconds - time.perf_counter()

    def fork(self, children: int) -> None:
        """Take a fork into so many paths from the budget."""
        self.forked += children - 1
        if self.forked > self.forks:
            raise NotProvedError(f"budget: the {self.forks} forks of --forks are used up")

    def point(self, region: Region, extra: Sequence[BoolTerm] = ()) -> Point | None:
        """A point of a region at which more conditions hold; None if there is none."""
        self.check()
        self.queries += 1
        answer = solve(
            text_of([*conditions(region, self.names), *extra]), self.resources, self.left()
        )
        if answer.status == "unsat":
            return None
        if answer.status != "sat":
            raise NotProvedError(f"budget: the solver's answer to a query is {answer.status!r}")
        point = tuple(
            int(answer.model.get(name, low))
            for name, (low, _) in zip(self.names, region.box, strict=True)
        )
        if not region.contains(point):
            raise RuntimeError(f"the solver's model {point} is not in the region {region}")
        return point


def conditions(region: Region, names: Sequence[str]) -> list[BoolTerm]:
    """A region as formulas."""
    found = [
        conj(low <= unknown(name), unknown(name) <= high)
        for name, (low, high) in zip(names, region.box, strict=True)
    ]
    for terms, (low, high) in region.limits.items():
        value = term_of(Form(0, terms), names)
        found.append(conj(low <= value, value <= high))
    return found


def term_of(form: Form, names: Sequence[str]) -> IntTerm:
    """A form with unknowns as a solver's term."""
    value = term(form.constant)
    for name, weight in form.terms:
        value = value + weight * unknown(names[name])
    return value
