"""Formulas over the integers in a normal form: bounds on linear sums, and conjunctions of them.

A *sum* is a dict from terms to whole coefficients that are not 0; under the key 0 stands the
constant.  A *term* is a number from 1 on, and stands for an integer that sums do not look into: a
constant, a function of sums, an `ite` of sums, a quotient of a sum.  Equal descriptions have equal
numbers, so that functions of equal sums are one term.

A *literal* is the number of a node, or minus it, which negates.  Node 1 is true.  Other nodes are a
bound (a sum is at least a number) or a conjunction of literals.  Whatever is a bound or a
conjunction becomes one by rewriting that is an equivalence over the integers:

- `a < b` is `b - a - 1 >= 0`; `a = b` is both `a - b >= 0` and `b - a >= 0`;
- the bound `sum >= b`, all coefficients divisible by g, is `sum / g >= b / g`, rounded up;
- a bound whose first coefficient is negative is the negation of one whose first is positive:
  `-s >= b` is `not (s >= 1 - b)`;
- `or`, `=>`, `ite` and `=` of formulas are `not` and `and`;
- `e mod c` is `e - c * (e div c)`, for a whole c > 0.

`definitions` says of terms what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import TypeAlias

from proofs.smt_reader import DEPTH, Expr, UnreadableText

Sum: TypeAlias = dict[int, int]
Key: TypeAlias = tuple[tuple[int, int], ...]
"""A sum as its sorted items."""

TRUE, FALSE = 1, -1


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of sums; a constant is a function of none."""

    name: str
    arguments: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """`ite` of a literal and two sums."""

    condition: int
    then: Key
    otherwise: Key


@dataclass(frozen=True, slots=True)
class Quotient:
    """A sum divided by a whole number above 0, rounded down."""

    dividend: Key
    divisor: int


@dataclass(frozen=True, slots=True)
class Bound:
    """A sum without constant is at least `least`; its first coefficient is positive."""

    total: Key
    least: int


@dataclass(frozen=True, slots=True)
class All:
    """All of two or more literals hold."""

    literals: tuple[int, ...]


Term: TypeAlias = Apply | Choice | Quotient
Node: TypeAlias = Bound | All


class Formulas:
    """The terms and nodes of one script, numbered in the order in which they are met."""

    def __init__(self, arities: dict[str, int]) -> None:
        self._arities = arities
        self.terms: list[Term | None] = [None]
        self.nodes: list[Node | None] = [None, None]
        self._term_numbers: dict[Term, int] = {}
        self._node_numbers: dict[Node, int] = {}

    def term(self, term: Term) -> int:
        """The number of a term."""
        number = self._term_numbers.get(term)
        if number is None:
            number = self._term_numbers[term] = len(self.terms)
            self.terms.append(term)
        return number

    def at_least_0(self, total: Sum) -> int:
        """The literal that a sum is at least 0."""
        constant = total.get(0, 0)
        items = sorted(item for item in total.items() if item[0])
        if not items:
            return TRUE if constant >= 0 else FALSE
        divisor = gcd(*(coefficient for _, coefficient in items))
        least = -(constant // divisor)
        if items[0][1] > 0:
            return self._node(Bound(tuple((t, c // divisor) for t, c in items), least))
        return -self._node(Bound(tuple((t, -c // divisor) for t, c in items), 1 - least))

    def all_of(self, literals: Iterable[int]) -> int:
        """The literal that all of some literals hold."""
        unique = set(literals) - {TRUE}
        if FALSE in unique or any(-literal in unique for literal in unique):
            return FALSE
        if len(unique) < 2:
            return unique.pop() if unique else TRUE
        return self._node(All(tuple(sorted(unique))))

    def equal(self, left: Sum, right: Sum) -> int:
        """The literal that two sums are equal."""
        return self.all_of((self.at_least_0(less(left, right)), self.at_least_0(less(right, left))))

    def bound_of(self, literal: int) -> Sum | None:
        """The sum of which a literal says that it is at least 0, if it says such a thing."""
        node = self.nodes[abs(literal)]
        if not isinstance(node, Bound):
            return None
        if literal > 0:
            return less(dict(node.total), {}, node.least)
        return less({}, dict(node.total), 1 - node.least)

    def definitions(self) -> Iterator[int]:
        """Literals that hold because of what terms are: a choice is what its condition chooses, a
        dividend exceeds divisor times quotient by at least 0 and less than the divisor.
        """
        for number, term in enumerate(self.terms):
            value = {number: 1}
            match term:
                case Choice(condition, then, otherwise):
                    yield -self.all_of((condition, -self.equal(value, dict(then))))
                    yield -self.all_of((-condition, -self.equal(value, dict(otherwise))))
                case Quotient(dividend, divisor):
                    rest = less(dict(dividend), {number: divisor})
                    yield self.at_least_0(rest)
                    yield self.at_least_0(less({0: divisor - 1}, rest))

    def congruence(self, left: int, right: int) -> int | None:
        """The literal that two terms are equal if they are one function of equal arguments; None
        if they are not functions of one name.
        """
        one, two = self.terms[left], self.terms[right]
        if not (isinstance(one, Apply) and isinstance(two, Apply) and one.name == two.name):
            return None
        same = [
            self.equal(dict(a), dict(b)) for a, b in zip(one.arguments, two.arguments, strict=True)
        ]
        return -self.all_of([*same, -self.equal({left: 1}, {right: 1})])

    def terms_of(self, literals: Iterable[int]) -> set[int]:
        """The terms of literals, and the terms of which these are made."""
        found: set[int] = set()
        seen: set[int] = set()
        nodes = [abs(literal) for literal in literals]
        terms: list[int] = []
        while nodes or terms:
            if nodes:
                number = nodes.pop()
                node = self.nodes[number]
                if number in seen or node is None:
                    continue
                seen.add(number)
                if isinstance(node, All):
                    nodes += map(abs, node.literals)
                else:
                    terms += (term for term, _ in node.total)
                continue
            term = terms.pop()
            if term in found:
                continue
            found.add(term)
            sums: tuple[Key, ...] = ()
            match self.terms[term]:
                case Apply(_, arguments):
                    sums = arguments
                case Choice(condition, then, otherwise):
                    nodes.append(abs(condition))
                    sums = (then, otherwise)
                case Quotient(dividend, _):
                    sums = (dividend,)
            terms += (each for total in sums for each, _ in total if each)
        return found

    def literal(self, expr: Expr) -> int:
        """The literal that an expression of the script spells.

        Raises UnreadableText.
        """
        return _truth(self._value(expr, {}, 0))

    def _node(self, node: Node) -> int:
        number = self._node_numbers.get(node)
        if number is None:
            number = self._node_numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return number

    def _value(self, expr: Expr, local: dict[str, int | Sum], depth: int) -> int | Sum:
        """What an expression spells: a literal or a sum."""
        if depth > DEPTH:
            raise UnreadableText(f"Expressions are nested more than {DEPTH} deep.")
        while isinstance(expr, list) and expr[:1] == ["let"]:
            bound, expr = let_parts(expr)
            values = {name: self._value(each, local, depth + 1) for name, each in bound}
            local = local | values
        if isinstance(expr, int):
            return {0: expr} if expr else {}
        if isinstance(expr, str):
            return self._symbol(expr, local)
        if not expr or not isinstance(expr[0], str):
            raise UnreadableText("An expression in parentheses does not begin with a symbol.")
        head = expr[0]
        if head in local:
            raise UnreadableText(f"{head!r} is given arguments but is the name of a `let`.")
        return self._applied(head, [self._value(each, local, depth + 1) for each in expr[1:]])

    def _symbol(self, name: str, local: dict[str, int | Sum]) -> int | Sum:
        if name in local:
            return local[name]
        if name in ("true", "false"):
            return TRUE if name == "true" else FALSE
        if self._arities.get(name) != 0:
            raise UnreadableText(f"{name!r} is not declared, or needs arguments.")
        return {self.term(Apply(name, ())): 1}

    def _applied(self, head: str, values: list[int | Sum]) -> int | Sum:
        match head, values:
            case "and", [_, _, *_]:
                return self.all_of(map(_truth, values))
            case "or", [_, _, *_]:
                return -self.all_of(-_truth(value) for value in values)
            case "=>", [condition, result]:
                return -self.all_of((_truth(condition), -_truth(result)))
            case "not", [value]:
                return -_truth(value)
            case "=", [int(), int()]:
                return self._if(_truth(values[0]), _truth(values[1]), -_truth(values[1]))
            case "=", [left, right]:
                return self.equal(_total(left), _total(right))
            case "ite", [condition, int(), int()]:
                return self._if(_truth(condition), _truth(values[1]), _truth(values[2]))
            case "ite", [condition, then, otherwise]:
                return self._choice(_truth(condition), _total(then), _total(otherwise))
            case (">=", [left, right]) | ("<=", [right, left]):
                return self.at_least_0(less(_total(left), _total(right)))
            case (">", [left, right]) | ("<", [right, left]):
                return self.at_least_0(less(_total(left), _total(right), 1))
            case ("+", [_, *_]) | ("-", [_, *_]) | ("*", [_, *_]) | ("div" | "mod", [_, _]):
                return self._sum(head, [_total(value) for value in values])
        if self._arities.get(head, 0) == 0 or self._arities[head] != len(values):
            raise UnreadableText(f"{head!r} is not declared with {len(values)} arguments.")
        return {self.term(Apply(head, tuple(key(_total(value)) for value in values))): 1}

    def _sum(self, head: str, values: list[Sum]) -> Sum:
        total = values[0]
        match head:
            case "+":
                for value in values[1:]:
                    total = plus(total, value)
            case "-":
                for value in values[1:]:
                    total = less(total, value)
                return total if values[1:] else less({}, total)
            case "*":
                for value in values[1:]:
                    one, other = (total, value) if value.keys() <= {0} else (value, total)
                    if not other.keys() <= {0}:
                        raise UnreadableText("Two expressions are multiplied, none of them whole.")
                    total = times(other.get(0, 0), one)
            case _:
                divisor = values[1].get(0, 0)
                if divisor <= 0 or len(values[1]) != 1:
                    raise UnreadableText("A divisor is not a whole number above 0.")
                quotient = self._quotient(total, divisor)
                return quotient if head == "div" else less(total, times(divisor, quotient))
        return total

    def _quotient(self, total: Sum, divisor: int) -> Sum:
        if total.keys() <= {0}:
            whole = total.get(0, 0) // divisor
            return {0: whole} if whole else {}
        return total if divisor == 1 else {self.term(Quotient(key(total), divisor)): 1}

    def _choice(self, condition: int, then: Sum, otherwise: Sum) -> Sum:
        if abs(condition) == TRUE or then == otherwise:
            return then if condition == TRUE or then == otherwise else otherwise
        return {self.term(Choice(condition, key(then), key(otherwise))): 1}

    def _if(self, condition: int, then: int, otherwise: int) -> int:
        """`(condition => then) and (not condition => otherwise)`."""
        return self.all_of(
            (-self.all_of((condition, -then)), -self.all_of((-condition, -otherwise)))
        )


def let_parts(expr: list[Expr]) -> tuple[list[tuple[str, Expr]], Expr]:
    """The bindings and the body of a `let`.

    Raises UnreadableText.
    """
    match expr:
        case ["let", [*bindings], body]:
            pairs = [
                (pair[0], pair[1])
                for pair in bindings
                if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)
            ]
            names = sorted(name for name, _ in pairs)
            if len(pairs) == len(bindings) and all(a != b for a, b in pairwise(names)):
                return pairs, body
    raise UnreadableText("A `let` does not bind different names to expressions.")


def key(total: Sum) -> Key:
    """A sum as something to compare and look up."""
    return tuple(sorted(total.items()))


def plus(left: Sum, right: Sum) -> Sum:
    """The sum of two sums."""
    total = dict(left)
    for term, coefficient in right.items():
        value = total.get(term, 0) + coefficient
        if value:
            total[term] = value
        else:
            del total[term]
    return total


def times(factor: int, total: Sum) -> Sum:
    """A multiple of a sum."""
    return {term: factor * coefficient for term, coefficient in total.items()} if factor else {}


def less(left: Sum, right: Sum, more: int = 0) -> Sum:
    """The difference of two sums, less another number."""
    total = plus(left, times(-1, right))
    return plus(total, {0: -more}) if more else total


def _truth(value: int | Sum) -> int:
    if not isinstance(value, int):
        raise UnreadableText("A number stands where a truth value belongs.")
    return value


def _total(value: int | Sum) -> Sum:
    if isinstance(value, int):
        raise UnreadableText("A truth value stands where a number belongs.")
    return value
