"""Lemmas as data: what is to be proved, by which rule, from which other lemmas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proofs.kernel import Ask, Hints, Theorem, cases, follow, induction
from proofs.theory import Formula, Term, Theory

Case = tuple[str, Sequence[Formula], Formula]

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
    lemmas made known.  `accept` is called once it is proved.
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
    accept: Callable[[], None] = lambda: None

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
        self.accept()
        return theorem


@dataclass(frozen=True, slots=True)
class Entries:
    """One obligation proved entry by entry, each entry a query of its own."""

    name: str
    claim: str
    state: Callable[[], tuple[Sequence[Formula], Sequence[Case]]]
    uses: Uses = field(default=())

    method = "z3, every entry"

    def prove(self, theory: Theory | None, known: Mapping[str, Theorem], ask: Ask) -> Theorem:
        """The theorem, by a rule of the kernel; raises NotProved."""
        return cases(theory or Theory(), self.name, *self.state(), ask)


Part = Lemma | Entries
Script = Callable[[Any], Sequence[Part]]
"""From a `SymbolicView` of the gadget to its lemmas, the specification last."""
