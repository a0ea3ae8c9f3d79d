"""Lemmas as data: what is to be proved, by which rule, from which other lemmas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proofs.kernel import Ask, Hints, Theorem, cases, enumeration, follow, induction
from proofs.terms import IntTerm
from proofs.theory import Formula, Term, Theory

Case = tuple[str, Sequence[Formula], Formula]

Limits = Mapping[IntTerm, tuple[int, int]]
"""The lowest and the highest value of unknowns."""

Uses = Sequence[tuple[str, Mapping[str, Term]]]
"""Names of lemmas proved before, with the terms for their constants."""


@dataclass(frozen=True, slots=True)
class Over:
    """The index of an induction: its name and its range, both ends included."""

    variable: str
    low: Term
    high: Term
    text: str


@dataclass(frozen=True, slots=True)
class Lemma:
    """One obligation.  `claim` says in words what it states.

    `state` gives (given, goal) when the lemma's turn has come, so that it can speak of what earlier
    lemmas made known.  `accept` is called with the theorem, once it is proved.
    """

    name: str
    claim: str
    state: Callable[[], tuple[Sequence[Formula], Formula]]
    over: Over | None = None
    uses: Uses = ()
    unfold: Sequence[Term] = ()
    positions: int = 0
    spells: Sequence[tuple[Term, int]] = ()
    reach: int | None = None
    accept: Callable[[Theorem], None] = lambda theorem: None

    @property
    def method(self) -> str:
        """How it is proved, in a few words."""
        if self.over is not None:
            return f"z3, induction over {self.over.text}"
        return "z3, from lemmas" if self.uses else "z3"

    def prove(self, theory: Theory | None, known: Mapping[str, Theorem], ask: Ask) -> Theorem:
        """The theorem, by a rule of the kernel; raises NotProved."""
        assert theory is not None
        given, goal = self.state()
        uses = [(known[name], values) for name, values in self.uses]
        hints = Hints(self.unfold, self.positions, self.reach, self.spells)
        if self.over is None:
            theorem = follow(theory, self.name, given, goal, uses, hints, ask)
        else:
            over = self.over
            theorem = induction(
                theory,
                self.name,
                over.variable,
                over.low,
                over.high,
                given,
                goal,
                uses,
                hints,
                ask,
            )
        self.accept(theorem)
        return theorem


@dataclass(frozen=True, slots=True)
class Entries:
    """One obligation proved entry by entry, each entry a query of its own; where `limits` of the
    unknowns are given, also by trying every input.
    """

    name: str
    claim: str
    state: Callable[[], tuple[Sequence[Formula], Sequence[Case]]]
    limits: Callable[[], Limits] | None = None
    uses: Uses = field(default=())

    @property
    def method(self) -> str:
        """How it is proved, in a few words."""
        return "z3, every entry; and every input" if self.limits else "z3, every entry"

    def prove(self, theory: Theory | None, known: Mapping[str, Theorem], ask: Ask) -> Theorem:
        """The theorem, by a rule of the kernel; raises NotProved."""
        theory = theory or Theory()
        domain, found = self.state()
        theorem = cases(theory, self.name, domain, found, ask)
        if self.limits is not None:
            goals = [(label, goal) for label, _, goal in found]
            enumeration(theory, self.name, self.limits(), domain, goals)
        return theorem


Part = Lemma | Entries
Script = Callable[[Any], Sequence[Part]]
"""From a `SymbolicView` of the gadget to its lemmas, the specification last."""
