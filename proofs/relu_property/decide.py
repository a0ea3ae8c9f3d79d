"""Whether some input of a ReLU network fulfils a condition, decided in exact arithmetic.

A condition is a disjunction of conjunctions of linear atoms over inputs and outputs: the negation
of a property, as in VNN-LIB.  Each conjunction is searched by cases of neurons.  A case says of
some neurons which sign their form has, and has bounds on all (`bounds`).  From these follow linear
inequalities that every input of the case fulfils.

- They exclude each other: the case is done.  An *oracle* may propose multipliers with which their
  sum shows it; whether it does is found by adding up exactly.
- A point at which they hold is known, from the oracle or from z3, and exact evaluation says that
  its input fulfils the condition: this is the answer.
- Otherwise the case is split by the sign of the neuron whose value at the point is furthest from
  ReLU of its form.

Where no neuron is left to split by, the inequalities are exact and z3 decides, so the search ends.
What an oracle says is a proposal and never a reason, so it may compute in floats; no number here
is one.  The cost is counted in cases and in z3's resources, not in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs.relu_property.bounds import Interval, Known, line
from proofs.relu_property.network import ZERO, Form, ReluNetwork, weighted
from proofs.solver import solve

_SECONDS = 600
"""A backstop for one question to z3; the resources end it long before."""


@dataclass(frozen=True, slots=True)
class Atom:
    """form <= 0, or form < 0 if `strict`.

    In a condition, the variables of the form are the inputs and, after them, the outputs.
    """

    form: Form
    strict: bool = False

    def holds(self, value: Fraction) -> bool:
        """Whether it holds where the form has this value."""
        return value < 0 or (value == 0 and not self.strict)


Conjunction = tuple[Atom, ...]
Condition = tuple[Conjunction, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """What an oracle proposes: multipliers for inequalities, by place; a point that may fulfil
    them; and whether it is `close`, so that floats do not tell and z3 is to be asked.
    """

    multipliers: Mapping[int, Fraction]
    point: list[Fraction]
    close: bool


Oracle = Callable[[Sequence[Interval], Sequence[Atom], int], Guess]
"""From the bounds of all variables, inequalities, and how many of these, the first, are what is
wanted; the others follow from the bounds.
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many cases are tried in all, and z3's rlimit for each question."""

    cases: int = 10_000
    resources: int = 20_000_000


@dataclass(frozen=True, slots=True)
class Proved:
    """No input fulfils the condition; found with so many cases."""

    cases: int


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input that fulfils the condition, and the outputs, both exact."""

    inputs: tuple[Fraction, ...]
    outputs: tuple[Fraction, ...]
    cases: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """The budget ended first; `why` is a part of a sentence."""

    why: str
    cases: int


Decision = Proved | Counterexample | Unknown


def fulfils(network: ReluNetwork, condition: Condition, point: Sequence[Fraction]) -> bool:
    """Whether a point fulfils a condition, by exact evaluation."""
    values = [*point, *network.evaluate(point)]
    return any(
        all(atom.holds(atom.form.value(values)) for atom in conjunction)
        for conjunction in condition
    )


def decide(
    network: ReluNetwork,
    condition: Condition,
    budget: Budget | None = None,
    oracle: Oracle | None = None,
) -> Decision:
    """Decide whether some input fulfils the condition; without an oracle, z3 is always asked.

    >>> one = Fraction(1)
    >>> doubled = ReluNetwork(1, (Form(ZERO, {0: Fraction(2)}),), (Form(ZERO, {1: one}),))
    >>> at_least_one = Atom(Form(one, {1: -one}))
    >>> below_half = Atom(Form(Fraction(-1, 2), {0: one}), strict=True)
    >>> decide(doubled, ((at_least_one, below_half),))
    Proved(cases=3)
    >>> decide(doubled, ((at_least_one,),)).inputs
    (Fraction(1, 2),)
    """
    search = _Search(network, budget or Budget(), oracle)
    for conjunction in condition:
        found = search.run(conjunction)
        if found is None:
            continue
        if isinstance(found, str):
            return Unknown(found, search.cases)
        if not fulfils(network, condition, found):
            raise RuntimeError(f"the input {found} does not fulfil the condition")
        return Counterexample(tuple(found), tuple(network.evaluate(found)), search.cases)
    return Proved(search.cases)


class _Search:
    """Searches conjunctions and counts the cases of all."""

    def __init__(self, network: ReluNetwork, budget: Budget, oracle: Oracle | None) -> None:
        self.network, self.budget, self.oracle, self.cases = network, budget, oracle, 0
        self._roots: dict[tuple[Interval, ...], Known | None] = {}

    def run(self, conjunction: Conjunction) -> list[Fraction] | str | None:
        """An input that fulfils the conjunction, None if there is none, or why it is not known."""
        atoms = [self._composed(atom) for atom in conjunction]
        box = _box(self.network.inputs, atoms)
        if any(each.empty for each in box):
            return None
        root = self._root(tuple(box))
        if root is None:
            return None
        cases = [_Case(root)]
        try:
            while cases:
                if self.cases == self.budget.cases:
                    return f"the {self.budget.cases:,} cases of the budget are used up"
                self.cases += 1
                found = self._look(cases.pop(), atoms)
                if isinstance(found, tuple):
                    cases += found
                elif found is not None:
                    return found
        except _OutOfResourcesError:
            return f"z3 used up the {self.budget.resources:,} resources of a question"
        return None

    def _root(self, box: tuple[Interval, ...]) -> Known | None:
        """What is known over a box; kept, for many conjunctions have the same."""
        if box not in self._roots:
            known = Known(self.network, box)
            self._roots[box] = known if known.extend() else None
        return self._roots[box]

    def _look(
        self, case: _Case, atoms: Sequence[Atom]
    ) -> list[Fraction] | tuple[_Case, ...] | None:
        """An input that fulfils the atoms, None if there is none in the case, or its parts."""
        known, signs = case.known, case.signs
        if any(_excluded(known, atom) for atom in (*atoms, *signs)):
            return None
        unstable = known.unstable
        if not unstable:
            exact = [Atom(_form(known.below(atom.form)), atom.strict) for atom in (*atoms, *signs)]
            return self._asked(self.network.inputs, exact)
        inequalities = [*atoms, *signs, *relaxed(known)]
        point = self._point(known, inequalities, len(atoms) + len(signs))
        if point is None:
            return None
        inputs = self.network.inputs
        values = self.network.values(_inside(known.box, point[:inputs]))
        if all(atom.holds(atom.form.value(values)) for atom in atoms):
            return values[:inputs]
        neurons = self.network.neurons
        lost = {
            at: abs(point[inputs + at] - max(neurons[at].value(point), ZERO)) for at in unstable
        }
        at = max(unstable, key=lambda each: (lost[each], -each))
        first = neurons[at].value(point) >= 0
        return tuple(case.parts(at, first))

    def _point(
        self, known: Known, inequalities: Sequence[Atom], wanted: int
    ) -> list[Fraction] | None:
        """A point at which all inequalities may hold; None if they exclude each other."""
        if self.oracle is not None:
            guess = self.oracle(known.values, inequalities, wanted)
            if refutes(known, inequalities, guess.multipliers):
                return None
            if not guess.close:
                return guess.point
        return self._asked(len(known.values), [*_limits(known.values), *inequalities])

    def _asked(self, variables: int, inequalities: Sequence[Atom]) -> list[Fraction] | None:
        """A point at which inequalities hold, or None.  Raises _OutOfResourcesError."""
        answer = solve(text_of(variables, inequalities), self.budget.resources, _SECONDS)
        if answer.status == "unsat":
            return None
        if answer.status != "sat":
            raise _OutOfResourcesError
        # A variable that no inequality mentions may have any value.
        return [Fraction(answer.model.get(f"x{i}", "0")) for i in range(variables)]

    def _composed(self, atom: Atom) -> Atom:
        """The atom over the network's variables, in place of inputs and outputs."""
        inputs, one = self.network.inputs, Fraction(1)
        pairs = [
            (number, self.network.outputs[v - inputs] if v >= inputs else Form(ZERO, {v: one}))
            for v, number in atom.form.terms.items()
        ]
        return Atom(weighted(pairs, atom.form.constant), atom.strict)


def refutes(
    known: Known, inequalities: Sequence[Atom], multipliers: Mapping[int, Fraction]
) -> bool:
    """Whether inequalities exclude each other: their sum with these multipliers, none of which is
    negative, must be at most 0 (below 0 with a strict one), and within the bounds it is not.
    """
    used = {at: number for at, number in multipliers.items() if number > 0}
    total = weighted((number, inequalities[at].form) for at, number in used.items())
    strict = any(inequalities[at].strict for at in used)
    least = known.least(total)
    return least is not None and bool(used) and not Atom(total, strict).holds(least)


def relaxed(known: Known) -> list[Atom]:
    """Inequalities between each neuron and its form, which every input in the box fulfils."""
    found: list[Atom] = []
    for at, (form, place) in enumerate(zip(known.network.neurons, known.forms, strict=True)):
        neuron = Form(ZERO, {known.network.inputs + at: Fraction(1)})
        if place.inactive:
            continue  # its largest value is 0
        found.append(Atom(form - neuron))
        if place.active:
            found.append(Atom(neuron - form))
        elif place.low is not None and place.high is not None:
            slope, start = line(place.low, place.high)
            found.append(Atom(neuron - form * slope - Form(start)))
    return found


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known in it, and what the signs that it assumes say."""

    known: Known
    signs: tuple[Atom, ...] = ()

    def parts(self, at: int, first: bool) -> Iterator[_Case]:
        """The case by the sign of a neuron's form; that to be tried first is last."""
        form = self.known.network.neurons[at]
        for active in (not first, first):
            known = self.known.signed(at, active)
            if known is not None:
                yield _Case(known, (*self.signs, Atom(-form if active else form)))


class _OutOfResourcesError(Exception):
    """z3 gave no answer within its resources."""


def _box(inputs: int, atoms: Sequence[Atom]) -> list[Interval]:
    """What the atoms about single inputs say of each."""
    box = [Interval()] * inputs
    for atom in atoms:
        if len(atom.form.terms) == 1:
            ((variable, coefficient),) = atom.form.terms.items()
            if variable < inputs:
                end = -atom.form.constant / coefficient
                limit = Interval(None, end) if coefficient > 0 else Interval(end, None)
                box[variable] = box[variable].meet(limit)
    return box


def _inside(box: Sequence[Interval], point: Sequence[Fraction]) -> list[Fraction]:
    """The point of the box that is nearest to a point."""
    found = []
    for each, number in zip(box, point, strict=True):
        low = number if each.low is None else max(number, each.low)
        found.append(low if each.high is None else min(low, each.high))
    return found


def _excluded(known: Known, atom: Atom) -> bool:
    """Whether bounds alone say that an atom does not hold."""
    least = known.least(atom.form)
    return least is not None and not atom.holds(least)


def _form(found: Form | None) -> Form:
    assert found is not None  # only an unstable neuron has no bound
    return found


def _limits(values: Sequence[Interval]) -> Iterator[Atom]:
    """The bounds of all variables as inequalities."""
    for at, each in enumerate(values):
        for end, sign in ((each.low, -1), (each.high, 1)):
            if end is not None:
                yield Atom(Form(-sign * end, {at: Fraction(sign)}))


def text_of(variables: int, inequalities: Sequence[Atom]) -> str:
    """The SMT-LIB text that asks whether inequalities can hold together."""
    lines = [f"(declare-fun x{i} () Real)" for i in range(variables)]
    for atom in inequalities:
        parts = [_number(atom.form.constant)]
        parts += [f"(* {_number(c)} x{v})" for v, c in sorted(atom.form.terms.items())]
        total = f"(+ {' '.join(parts)})" if len(parts) > 1 else parts[0]
        lines.append(f"(assert ({'<' if atom.strict else '<='} {total} 0.0))")
    return "\n".join(["(set-logic QF_LRA)", *lines, "(check-sat)", ""])


def _number(number: Fraction) -> str:
    top, bottom = f"{abs(number.numerator)}.0", f"{number.denominator}.0"
    text = top if number.denominator == 1 else f"(/ {top} {bottom})"
    return text if number >= 0 else f"(- {text})"
