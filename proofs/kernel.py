"""The kernel: theorems, and the only rules that make them.

A `Theorem` says: for all integers and for all functions that the theory declares, within their
ranges, the `given` formulas imply the `goal`.  Its free constants are universally quantified.
There are three rules.  Each asks a solver about quantifier-free formulas, and a theorem exists
only if every answer was as required:

- the hypotheses together with the negated goal have no model (the goal follows);
- the hypotheses alone have a model (they do not contradict each other).

`unknown`, a time-out or a contradiction raises `NotProved`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import z3

from proofs.results import Verdict
from proofs.solver import Answer, text_of
from proofs.theory import Formula, Term, Theory, digits_spell, formula, term

Ask = Callable[[str], Answer]
"""Answers an SMT-LIB text."""


class NotProved(Exception):
    """Why there is no theorem: the verdict, a sentence, and the solver's countermodel if any."""

    def __init__(self, verdict: Verdict, reason: str, model: Mapping[str, str]) -> None:
        super().__init__(reason)
        self.verdict, self.reason, self.model = verdict, reason, model


_SEAL = object()


class Theorem:
    """A proved statement about the symbols of a theory; only the rules of this module make one."""

    __slots__ = ("given", "goal", "name", "theory")
    theory: Theory
    name: str
    given: tuple[z3.BoolRef, ...]
    goal: z3.BoolRef

    def __init__(
        self,
        seal: object,
        theory: Theory,
        name: str,
        given: Sequence[z3.BoolRef],
        goal: z3.BoolRef,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("a Theorem is made by a rule of the kernel, not by hand")
        for slot, content in zip(self.__slots__, (tuple(given), goal, name, theory), strict=True):
            object.__setattr__(self, slot, content)

    def __setattr__(self, slot: str, content: object) -> None:
        raise AttributeError(f"the {slot} of a Theorem cannot be changed")

    def instance(self, values: Mapping[str, Term]) -> z3.BoolRef:
        """The statement with constants replaced by terms; sound, since they are quantified.

        Raises ValueError for a constant of which the theory's axioms speak: these hold of it,
        not of whatever takes its place.
        """
        for name in values:
            if name in self.theory.fixed:
                raise ValueError(f"{self.name}: the axioms speak of {name}, so it stays as it is")
        statement = z3.Implies(z3.And(*self.given), self.goal)
        return z3.substitute(
            statement, *((z3.Int(name), term(value)) for name, value in values.items())
        )


Use = tuple[Theorem, Mapping[str, Term]]
"""A theorem and the terms for its constants."""


@dataclass(frozen=True, slots=True)
class Hints:
    """Which instances of axioms a proof needs: folds to unfold, positions to tell apart, how far
    contracts reach (see `Theory.axioms`).  Hints decide what is found, never what is sound.
    """

    unfold: Sequence[Term] = field(default=())
    positions: int = 0
    reach: int | None = None
    spells: Sequence[tuple[Term, int]] = field(default=())
    """Words and widths: the word's bits spell it (see `theory.digits_spell`)."""


def follow(
    theory: Theory,
    name: str,
    given: Sequence[Formula],
    goal: Formula,
    uses: Sequence[Use],
    hints: Hints,
    ask: Ask,
) -> Theorem:
    """Consequence.  From theorems (at instances) and axioms, conclude `given` => `goal`.

    Sound because the solver finds no model of the given formulas, instances of theorems, instances
    of true axioms and the negated goal.
    """
    hypotheses = [formula(each) for each in given]
    facts = _facts(theory, name, uses)
    _discharge(theory, name, [*hypotheses, *facts], formula(goal), hints, ask)
    return Theorem(_SEAL, theory, name, hypotheses, formula(goal))


def induction(
    theory: Theory,
    name: str,
    variable: str,
    low: Term,
    high: Term,
    given: Sequence[Formula],
    goal: Formula,
    uses: Sequence[Use],
    hints: Hints,
    ask: Ask,
) -> Theorem:
    """Induction over an index.  Conclude `given` and low <= n <= high => `goal`.

    Base: `given` and low <= high imply the goal at low.  Step: `given`, low <= n < high and the
    goal at n imply the goal at n + 1.  Sound by induction on n - low, since neither `given` nor
    the theory's axioms speak of n.
    """
    n = z3.Int(variable)
    low, high = term(low), term(high)
    hypotheses = [formula(each) for each in given]
    if any(_mentions(each, n) for each in (*hypotheses, low, high)):
        raise ValueError(f"{name}: the hypotheses and bounds of an induction mention {variable}")
    goal = formula(goal)

    def at(each: z3.ExprRef, value: Term) -> Any:
        return z3.substitute(each, (n, term(value)))

    facts = _facts(theory, name, uses)
    _discharge(
        theory,
        f"{name}, base",
        [*hypotheses, low <= high, *(at(fact, low) for fact in facts)],
        at(goal, low),
        hints,
        ask,
    )
    step = replace(hints, unfold=[*hints.unfold, n + 1])
    _discharge(
        theory,
        f"{name}, step",
        [*hypotheses, low <= n, n < high, goal, *facts],
        at(goal, n + 1),
        step,
        ask,
    )
    if variable in theory.fixed:
        raise ValueError(f"{name}: the axioms speak of {variable}, the variable of an induction")
    return Theorem(_SEAL, theory, name, [*hypotheses, low <= n, n <= high], goal)


def cases(
    theory: Theory,
    name: str,
    domain: Sequence[Formula],
    goals: Sequence[tuple[str, Sequence[Formula], Formula]],
    ask: Ask,
) -> Theorem:
    """Conjunction.  Conclude that every (label, given, goal) of a finite list holds.

    Sound because each is discharged by itself.  The whole domain, of which each `given` is a
    part, must have a member.
    """
    if not goals:
        raise NotProved(Verdict.VACUOUS, f"{name}: there is nothing to prove", {})
    answer = ask(text_of([formula(each) for each in domain]))
    if answer.status == "unsat":
        raise NotProved(Verdict.VACUOUS, f"{name}: the domain is empty", {})
    _require(answer, "sat", name)
    proved = []
    for label, given, goal in goals:
        hypotheses = [formula(each) for each in given]
        _discharge(theory, f"{name}, {label}", hypotheses, formula(goal), Hints(), ask)
        proved.append(z3.Implies(z3.And(*hypotheses), formula(goal)))
    return Theorem(_SEAL, theory, name, (), z3.And(*proved))


def _facts(theory: Theory, name: str, uses: Sequence[Use]) -> list[z3.BoolRef]:
    """The instances of theorems, all of this theory; elsewhere its symbols mean other things."""
    for theorem, _ in uses:
        if theorem.theory is not theory:
            raise ValueError(f"{name}: {theorem.name} is a theorem of another theory")
    return [theorem.instance(values) for theorem, values in uses]


def _discharge(
    theory: Theory,
    name: str,
    hypotheses: Sequence[z3.BoolRef],
    goal: z3.BoolRef,
    hints: Hints,
    ask: Ask,
) -> None:
    spells = [digits_spell(theory, word, bits) for word, bits in hints.spells]
    axioms = theory.axioms(
        [*hypotheses, goal, *spells],
        unfold=hints.unfold,
        positions=hints.positions,
        reach=hints.reach,
    )
    known = [*hypotheses, *spells, *axioms]
    answer = ask(text_of([*known, z3.Not(goal)]))
    if answer.status == "sat":
        raise NotProved(Verdict.REFUTED, f"{name}: the goal does not follow", answer.model)
    _require(answer, "unsat", name)
    answer = ask(text_of(known))
    if answer.status == "unsat":
        raise NotProved(Verdict.VACUOUS, f"{name}: the hypotheses contradict each other", {})
    _require(answer, "sat", name)


def _require(answer: Answer, status: str, name: str) -> None:
    if answer.status == status:
        return
    if answer.status == "timeout":
        raise NotProved(Verdict.TIMEOUT, f"{name}: the solver ran out of time", {})
    raise NotProved(Verdict.UNKNOWN, f"{name}: the solver gave up within its budget", {})


def _mentions(root: z3.ExprRef, constant: z3.ExprRef) -> bool:
    stack, seen = [root], set()
    while stack:
        node = stack.pop()
        if node.eq(constant):
            return True
        if node.get_id() not in seen:
            seen.add(node.get_id())
            stack += node.children()
    return False
