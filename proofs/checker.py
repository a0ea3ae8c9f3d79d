"""Checks evidence for a solver's answer, with exact arithmetic and without any solver.

`check(text, evidence)` returns if the evidence shows what it claims of the text, and raises
`Refused` otherwise.  What a reader has to believe is this module, `normal_form` (formulas as bounds
and conjunctions) and `smt_reader` (texts as nested lists).  No step searches: the work is bounded
by the sizes of text and evidence.

**A model** says that the assertions can hold together.  They are evaluated under it, one by one, as
SMT-LIB says (`div` rounds down, by a divisor above 0).

**A refutation** says that the assertions cannot hold together.  It speaks of terms and literals
by the numbers that `normal_form` gives them as it meets them: first in the assertions used, in
order, then in the definitions of their terms, then in congruences, cuts and Farkas sets.  What is
*known* is a set of literals that hold in every solution of the text that belongs to the case at
hand.  From the start these are

- the assertions used: all of them hold in a solution, so it is no harm to leave some out;
- the definitions: an `ite` is its first value if its condition holds and its second otherwise; for
  a whole c > 0, `q = e div c` is the only integer with `0 <= e - c q <= c - 1`;
- congruences: two terms are equal if they are one function, applied to equal arguments;
- for each Farkas set, that its literals do not all hold.  Each literal is a bound, that is, a sum
  that is at least 0 if the literal holds; the sums, each times its multiplier above 0, must add
  up to a number below 0, all terms cancelling.  Multipliers are rational, so this is the case of
  Farkas' lemma that is true for rationals and all the more for integers.  That bounds are rounded
  (`normal_form`) and cuts can be split upon is what integers add.

A cut only names a bound that the text does not mention.  If a conjunction is known, so are its
literals.  Each move is one of two:

- n > 0, a *step* at the conjunction n, adds one literal that follows from what is known: where
  the conjunction is known to be false and all its literals but one are known to hold, that the one
  does not hold; where nothing is known of the conjunction, that it holds if all its literals do,
  and that it does not if one of them does not;
- n < 0, a *split* on the node -n.  Every solution belongs to one of two cases: the node holds, or
  it does not.  The moves that follow treat the first case until it is closed, then the second,
  which begins with what was known before the split.

A case is *closed* as soon as a literal and its negation would be known, since then no solution
belongs to it.  The refutation is accepted if the last move closes the last case: then no
solution belongs to any case.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import TypeAlias

from proofs.evidence import Evidence, Model, Refutation
from proofs.normal_form import FALSE, TRUE, All, Formulas, Sum, let_parts, plus
from proofs.smt_reader import DEPTH, Expr, Script, UnreadableText, read

DIGITS = 400
"""The longest multiplier, in characters."""

WORK = 20_000_000
"""How many literals the steps of a refutation may look at."""


class Refused(Exception):
    """The evidence does not show what it claims; the message says where it fails."""


def check(text: str, evidence: Evidence) -> None:
    """Check that evidence shows its answer for an SMT-LIB text: a `Refutation` that the assertions
    cannot hold together, a `Model` that they can.

    >>> from proofs.evidence import Model, Refutation
    >>> text = "(declare-fun x () Int) (assert (< x 1)) (assert (< 1 (* 2 x))) (check-sat)"
    >>> check(text, Refutation(assertions=[0, 1]))
    >>> check(text, Model({"x": 1}))
    Traceback (most recent call last):
    ...
    proofs.checker.Refused: Assertion 0 does not hold under the model.

    Raises Refused.
    """
    try:
        script = read(text)
        if isinstance(evidence, Model):
            _check_model(script, evidence)
        else:
            _check_refutation(script, evidence)
    except UnreadableText as error:
        raise Refused(f"The text cannot be read. {error}") from error


class Branch:
    """The literals known in the case at hand; `trail` has them in the order in which they were
    added, after those known from the start.
    """

    def __init__(self, formulas: Formulas) -> None:
        self._nodes = formulas.nodes
        self._known = {TRUE}
        self.trail: list[int] = []
        self.work = 0
        self.clash = 0
        """A literal that would have been added although its negation is known."""

    def knows(self, literal: int) -> bool:
        """Whether a literal is known to hold."""
        return literal in self._known

    def add(self, literal: int) -> bool:
        """Add a literal and, if it is a conjunction, its literals; whether that closes the case."""
        waiting = [literal]
        while waiting:
            literal = waiting.pop()
            if literal in self._known:
                continue
            if -literal in self._known:
                self.clash = literal
                return True
            self._known.add(literal)
            self.trail.append(literal)
            node = self._nodes[literal] if literal > 0 else None
            if isinstance(node, All):
                self.work += len(node.literals)
                waiting += node.literals
        return False

    def forget(self, length: int) -> None:
        """Forget what was added after the trail had this length."""
        self._known.difference_update(self.trail[length:])
        del self.trail[length:]

    def conclusion(self, number: int) -> int | None:
        """The literal that follows at a conjunction from what is known; None if none does."""
        node = self._nodes[number]
        if not isinstance(node, All) or number in self._known:
            return None
        self.work += len(node.literals)
        doubtful = [literal for literal in node.literals if literal not in self._known]
        if -number in self._known:
            if len(doubtful) > 1:
                return None
            return -doubtful[0] if doubtful else FALSE
        if not doubtful:
            return number
        return -number if any(-literal in self._known for literal in doubtful) else None


def _check_refutation(script: Script, refutation: Refutation) -> None:
    formulas = Formulas(script.arities)
    given = list(starting_literals(formulas, script, refutation))
    branch = Branch(formulas)
    closed = any(branch.add(literal) for literal in given)
    others: list[tuple[int, int]] = []
    for position, move in enumerate(refutation.moves):
        if closed:
            raise Refused(f"Move {position} comes after every case is closed.")
        if not 1 <= abs(move) < len(formulas.nodes):
            raise Refused(f"Move {position} is at node {abs(move)}, which does not exist.")
        if move < 0:
            others.append((len(branch.trail), move))
            closed = branch.add(-move)
        else:
            literal = branch.conclusion(move)
            if literal is None:
                raise Refused(f"Move {position}: nothing follows at node {move} in this case.")
            closed = branch.add(literal)
        while closed and others:
            length, negation = others.pop()
            branch.forget(length)
            closed = branch.add(negation)
        if branch.work > WORK:
            raise Refused(f"Move {position}: the steps look at more than {WORK} literals.")
    if not closed:
        raise Refused(f"The moves end, and {len(others) + 1} of the cases are not closed.")


def starting_literals(formulas: Formulas, script: Script, refutation: Refutation) -> Iterator[int]:
    """The literals that are known at the start, in the order in which nodes are numbered.

    Raises Refused.
    """
    for position in refutation.assertions:
        if not 0 <= position < len(script.assertions):
            raise Refused(f"Assertion {position} is used but does not exist.")
        yield formulas.literal(script.assertions[position])
    yield from formulas.definitions()
    for left, right in refutation.congruences:
        if not (0 < left < len(formulas.terms) and 0 < right < len(formulas.terms)):
            raise Refused(f"A congruence is of terms {left} and {right}, which do not both exist.")
        congruence = formulas.congruence(left, right)
        if congruence is None:
            raise Refused(f"Terms {left} and {right} are not applications of one function.")
        yield congruence
    for number, cut in enumerate(refutation.cuts):
        formulas.at_least_0(_cut(formulas, number, cut))
    for number, numbers in enumerate(refutation.farkas):
        literals = numbers[::2]
        if not _adds_up(formulas, number, numbers):
            raise Refused(f"Farkas set {number} does not add up to a number below 0.")
        yield -formulas.all_of(map(int, literals))


def _cut(formulas: Formulas, number: int, cut: list[int]) -> Sum:
    terms, coefficients = cut[1::2], cut[2::2]
    if len(cut) % 2 == 0 or not all(0 < term < len(formulas.terms) for term in terms):
        raise Refused(f"Cut {number} is not a number, followed by terms and coefficients.")
    total: Sum = {}
    for term, coefficient in zip([0, *terms], [-cut[0], *coefficients], strict=True):
        if coefficient:
            total = plus(total, {term: coefficient})
    return total


def _adds_up(formulas: Formulas, number: int, numbers: list[int | str]) -> bool:
    """Whether the multiples of a Farkas set add up to a number below 0."""
    if len(numbers) % 2:
        raise Refused(f"Farkas set {number} has a literal without a multiplier.")
    total: dict[int, Fraction | int] = {}
    for literal, multiplier in zip(numbers[::2], numbers[1::2], strict=True):
        known = isinstance(literal, int) and 1 <= abs(literal) < len(formulas.nodes)
        bound = formulas.bound_of(literal) if known and isinstance(literal, int) else None
        if bound is None:
            raise Refused(f"Farkas set {number}: {literal!r} is not the number of a bound.")
        factor = _multiplier(number, multiplier)
        for term, coefficient in bound.items():
            total[term] = total.get(term, 0) + factor * coefficient
    return total.pop(0, 0) < 0 and not any(total.values())


def _multiplier(number: int, text: int | str) -> Fraction | int:
    """A multiplier, as a number above 0."""
    factor: Fraction | int = 0
    if isinstance(text, int):
        factor = text
    elif len(text) <= DIGITS:
        numerator, slash, denominator = text.partition("/")
        digits = numerator + denominator
        if digits.isascii() and digits.isdigit() and numerator and (denominator or not slash):
            below = int(denominator or 1)
            factor = Fraction(int(numerator), below) if below else 0
    if factor <= 0:
        raise Refused(f"Farkas set {number}: {text!r:.40} is not a multiplier above 0.")
    return factor


Value: TypeAlias = int | bool


@dataclass(frozen=True, slots=True)
class _Operator:
    """What an operator computes, of how many values of one kind."""

    takes: type[int]
    least: int
    most: int
    compute: Callable[..., Value]


_ANY = 1_000_000
_OPERATORS = {
    "and": _Operator(bool, 2, _ANY, lambda *values: all(values)),
    "or": _Operator(bool, 2, _ANY, lambda *values: any(values)),
    "=>": _Operator(bool, 2, 2, lambda condition, result: result or not condition),
    "not": _Operator(bool, 1, 1, operator.not_),
    "<": _Operator(int, 2, 2, operator.lt),
    "<=": _Operator(int, 2, 2, operator.le),
    ">": _Operator(int, 2, 2, operator.gt),
    ">=": _Operator(int, 2, 2, operator.ge),
    "+": _Operator(int, 1, _ANY, lambda *values: sum(values)),
    "-": _Operator(int, 1, _ANY, lambda first, *rest: first - sum(rest) if rest else -first),
    "*": _Operator(int, 1, _ANY, lambda *values: prod(values)),
    "div": _Operator(int, 2, 2, operator.floordiv),
    "mod": _Operator(int, 2, 2, operator.mod),
}


class _Meaning:
    """The values of expressions under a model."""

    def __init__(self, script: Script, model: Model) -> None:
        self._constants = model.constants
        self._functions = {
            name: ({tuple(row[:-1]): row[-1] for row in function.rows}, function.other)
            for name, function in model.functions.items()
        }
        self._arities = script.arities

    def value(self, expr: Expr, local: dict[str, Value], depth: int) -> Value:
        """The value of an expression.

        Raises UnreadableText.
        """
        if depth > DEPTH:
            raise UnreadableText(f"Expressions are nested more than {DEPTH} deep.")
        while isinstance(expr, list) and expr[:1] == ["let"]:
            bound, expr = let_parts(expr)
            values = {name: self.value(each, local, depth + 1) for name, each in bound}
            local = local | values
        if isinstance(expr, int):
            return expr
        if isinstance(expr, str):
            if expr in local:
                return local[expr]
            if expr in ("true", "false"):
                return expr == "true"
            if expr not in self._constants:
                raise UnreadableText(f"{expr!r} is not declared, or needs arguments.")
            return self._constants[expr]
        if not expr or not isinstance(expr[0], str) or expr[0] in local:
            raise UnreadableText("An expression in parentheses does not begin with a symbol.")
        return self._applied(expr[0], [self.value(each, local, depth + 1) for each in expr[1:]])

    def _applied(self, head: str, values: list[Value]) -> Value:
        kinds = {type(value) for value in values}
        known = _OPERATORS.get(head)
        if known is not None:
            if kinds == {known.takes} and known.least <= len(values) <= known.most:
                if head in ("div", "mod") and values[1] <= 0:
                    raise UnreadableText("A divisor is not a whole number above 0.")
                return known.compute(*values)
        elif head == "=":
            if len(kinds) == 1 and len(values) == 2:
                return values[0] == values[1]
        elif head == "ite":
            if (
                len(values) == 3
                and kinds == {bool, type(values[1])}
                and (type(values[1]) is type(values[2]))
            ):
                return values[1] if values[0] else values[2]
        elif head in self._functions and kinds == {int} and len(values) == self._arities[head]:
            rows, other = self._functions[head]
            return rows.get(tuple(values), other)
        raise UnreadableText(f"{head!r} is not declared, or is given the wrong arguments.")


def _check_model(script: Script, model: Model) -> None:
    for name, arity in script.arities.items():
        if name not in (model.functions if arity else model.constants):
            raise Refused(f"The model does not say what {name!r} is.")
    for name, function in model.functions.items():
        wanted = script.arities.get(name, 0) + 1
        if wanted == 1 or any(len(row) != wanted for row in function.rows):
            raise Refused(f"The model's rows for {name!r} do not have its arguments and a value.")
        if len({tuple(row[:-1]) for row in function.rows}) < len(function.rows):
            raise Refused(f"The model gives {name!r} two values for the same arguments.")
    if unknown := sorted(name for name in model.constants if script.arities.get(name) != 0):
        raise Refused(f"The model gives a value to {unknown[0]!r}, which is no constant.")
    meaning = _Meaning(script, model)
    for position, assertion in enumerate(script.assertions):
        if meaning.value(assertion, {}, 0) is not True:
            raise Refused(f"Assertion {position} does not hold under the model.")
