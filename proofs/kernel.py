"""The kernel: theorems, and the only rules that make them.

A `Theorem` says: for all integers and for all functions that the theory declares, within their
ranges, the `given` formulas imply the `goal`.  Its free constants are universally quantified.
`follow`, `induction` and `cases` ask about quantifier-free formulas, and a theorem exists only if
every answer was as required:

- the hypotheses together with the negated goal have no model (the goal follows);
- the hypotheses alone have a model (they do not contradict each other).

`unknown`, a time-out or a contradiction raises `NotProved`.  `enumeration` asks nobody.

A `Contract` says: a gadget meets its specification on its whole domain, if the gadgets that it is
made of do.  `placement` puts a contract to use where the gadget stands, `contract` concludes one
from theorems, `composition` leaves no condition open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from proofs.results import Answer, Verdict
from proofs.smtlib import text_of
from proofs.term_arithmetic import evaluated
from proofs.terms import (
    BoolTerm,
    IntTerm,
    Node,
    conj,
    formula,
    implies,
    mentions,
    neg,
    substitute,
    term,
    unknown,
)
from proofs.theory import Formula, Term, Theory, digits_spell

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

    __slots__ = ("given", "goal", "name", "rule", "theory", "uses")
    theory: Theory
    rule: str
    uses: tuple[str, ...]
    name: str
    given: tuple[BoolTerm, ...]
    goal: BoolTerm

    def __init__(
        self,
        seal: object,
        theory: Theory,
        name: str,
        given: Sequence[BoolTerm],
        goal: BoolTerm,
        rule: str,
        uses: Sequence[str] = (),
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("a Theorem is made by a rule of the kernel, not by hand")
        contents = (tuple(given), goal, name, rule, theory, tuple(uses))
        for slot, content in zip(self.__slots__, contents, strict=True):
            object.__setattr__(self, slot, content)

    def __setattr__(self, slot: str, content: object) -> None:
        raise AttributeError(f"the {slot} of a Theorem cannot be changed")

    def instance(self, values: Mapping[str, Term]) -> BoolTerm:
        """The statement with constants replaced by terms; sound, since they are quantified.

        Raises ValueError for a constant of which the theory's axioms speak: these hold of it,
        not of whatever takes its place.
        """
        for name in values:
            if name in self.theory.fixed:
                raise ValueError(f"{self.name}: the axioms speak of {name}, so it stays as it is")
        statement = implies(conj(*self.given), self.goal)
        return substitute(
            statement, *((unknown(name), term(value)) for name, value in values.items())
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
    return Theorem(_SEAL, theory, name, hypotheses, formula(goal), "follow", _names(uses))


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
    n = unknown(variable)
    low, high = term(low), term(high)
    hypotheses = [formula(each) for each in given]
    if any(mentions(each, n) for each in (*hypotheses, low, high)):
        raise ValueError(f"{name}: the hypotheses and bounds of an induction mention {variable}")
    goal = formula(goal)

    def at(each: Node, value: Term) -> Any:
        return substitute(each, (n, term(value)))

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
    return Theorem(
        _SEAL, theory, name, [*hypotheses, low <= n, n <= high], goal, "induction", _names(uses)
    )


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
        proved.append(implies(conj(*hypotheses), formula(goal)))
    return Theorem(_SEAL, theory, name, (), conj(*proved), "cases")


def enumeration(
    theory: Theory,
    name: str,
    ranges: Mapping[IntTerm, tuple[int, int]],
    domain: Sequence[Formula],
    goals: Sequence[tuple[str, Formula]],
) -> Theorem:
    """Enumeration.  Conclude `domain` => every goal, for unknowns in finite ranges.

    Sound because every value of every unknown is tried, by arithmetic on integers.  One at least
    must be in the domain.
    """
    given = [formula(each) for each in domain]
    stated = [(label, formula(goal)) for label, goal in goals]
    if not stated:
        raise NotProved(Verdict.VACUOUS, f"{name}: there is nothing to prove", {})
    members = 0
    for numbers in product(*(range(low, high + 1) for low, high in ranges.values())):
        values = dict(zip(ranges, numbers, strict=True))
        if not all(evaluated(each, values) for each in given):
            continue
        members += 1
        for label, goal in stated:
            if not evaluated(goal, values):
                model = {unknown.label: str(number) for unknown, number in values.items()}
                raise NotProved(Verdict.REFUTED, f"{name}, {label}: the goal does not hold", model)
    if not members:
        raise NotProved(Verdict.VACUOUS, f"{name}: the domain is empty", {})
    limits = [conj(low <= each, each <= high) for each, (low, high) in ranges.items()]
    goal = conj(*(goal for _, goal in stated))
    return Theorem(_SEAL, theory, name, [*limits, *given], goal, "enumeration")


def placement(
    theory: Theory,
    name: str,
    domain: Theorem,
    within: Sequence[BoolTerm],
    goal: BoolTerm,
    promises: Mapping[str, Callable[..., Iterable[Formula]]],
) -> None:
    """Placement over an index space (and sequence, where the space is one point).

    `goal` says of a placed gadget that what it is handed is in its domain, at any indices that are
    `within` the space.  From a theorem that says so, the theory may use what the gadget's
    contract promises of the symbols, at any arguments.  Sound because the contract holds on the
    whole domain.  Where the theorem has further hypotheses, so have the promises.

    Raises ValueError if the theorem does not say so.
    """
    stated = implies(conj(*within), goal)
    parts = domain.goal.args if domain.goal.op == "and" else (domain.goal,)
    in_part = any(part is stated for part in parts)
    if domain.theory is not theory or not (in_part or domain.goal is goal):
        raise ValueError(f"{domain.name} does not say that what {name} is handed is in its domain")
    further = [each for each in domain.given if in_part or all(each is not own for own in within)]
    for symbol, promise in promises.items():
        theory.admit(symbol, _under(further, promise))


def _under(
    given: Sequence[BoolTerm], promise: Callable[..., Iterable[Formula]]
) -> Callable[..., Iterable[Formula]]:
    if not given:
        return promise
    return lambda *at: (implies(conj(*given), fact) for fact in promise(*at))


class Contract:
    """That a gadget meets its specification, if those of `rests_on` meet theirs; only `contract`
    and `composition` make one.
    """

    __slots__ = ("gadget", "rests_on")
    gadget: str
    rests_on: frozenset[str]

    def __init__(self, seal: object, gadget: str, rests_on: Iterable[str]) -> None:
        if seal is not _SEAL:
            raise TypeError("a Contract is made by a rule of the kernel, not by hand")
        object.__setattr__(self, "gadget", gadget)
        object.__setattr__(self, "rests_on", frozenset(rests_on))

    def __setattr__(self, slot: str, content: object) -> None:
        raise AttributeError(f"the {slot} of a Contract cannot be changed")


def contract(
    gadget: str,
    needed: Sequence[tuple[Sequence[BoolTerm], BoolTerm]],
    theorems: Sequence[Theorem],
    rests_on: Iterable[str],
) -> Contract:
    """Conclude that a gadget meets its specification: all that is `needed`, (given, goal), is
    stated by the theorems, none of them under further hypotheses.

    Raises ValueError for what no theorem states.
    """
    for given, goal in needed:
        if not any(
            each.goal is goal and all(any(one is own for own in given) for one in each.given)
            for each in theorems
        ):
            raise ValueError(f"{gadget}: no theorem states {goal}")
    if not needed:
        raise ValueError(f"{gadget}: nothing is needed, so nothing is known")
    return Contract(_SEAL, gadget, rests_on)


def composition(whole: str, contracts: Sequence[Contract]) -> Contract:
    """Conclude that a gadget meets its specification, by contracts for all that it rests on.

    Sound by induction: one contract after the other is freed of what it rests on.  Raises
    ValueError if one is missing, or rests on itself.
    """
    left = {each.gadget: each.rests_on for each in contracts}
    freed: set[str] = set()
    while whole not in freed:
        next_ones = {gadget for gadget, rests_on in left.items() if rests_on <= freed} - freed
        if not next_ones:
            missing = sorted(left.get(whole, {whole}) - freed)
            raise ValueError(f"{whole} is not proved: it rests on {', '.join(missing)}")
        freed |= next_ones
    return Contract(_SEAL, whole, ())


def _names(uses: Sequence[Use]) -> list[str]:
    return [theorem.name for theorem, _ in uses]


def _facts(theory: Theory, name: str, uses: Sequence[Use]) -> list[BoolTerm]:
    """The instances of theorems, all of this theory; elsewhere its symbols mean other things."""
    for theorem, _ in uses:
        if theorem.theory is not theory:
            raise ValueError(f"{name}: {theorem.name} is a theorem of another theory")
    return [theorem.instance(values) for theorem, values in uses]


def _discharge(
    theory: Theory,
    name: str,
    hypotheses: Sequence[BoolTerm],
    goal: BoolTerm,
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
    answer = ask(text_of([*known, neg(goal)]))
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
