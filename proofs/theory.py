"""The formulas of a proof: function symbols over the integers and the axioms about them.

Arrays of bits, neurons and repeated sums are functions of an index, so that one formula speaks of
every address and every bit, and nothing fixes how many there are.  Formulas have no quantifiers: an
axiom is instantiated at the arguments that occur.  The axioms, all true of the integers:

- a declared function has its values in 0..high;
- a fold of length n is its start for n <= low, and its step applied to the fold of length n - 1
  beyond;
- pow2(n) >= 1 for n >= 0, pow2(n + 1) = 2 pow2(n), pow2 of a number is that number;
- bit(v, k) is 0 or 1, and equals (v div 2**k) mod 2 for a given k;
- what a placed gadget's contract says of its outputs (see `gadget_view`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import z3

from verified_mlp import logic
from verified_mlp.logic import Step
from verified_mlp.statement.expr import Expr

Term = Any
"""An integer term of z3, or a Python int."""

Formula = Any
"""A boolean term of z3, or a Python bool."""

_INT = z3.IntSort()
_POW2 = z3.Function("pow2", _INT, _INT)
_BIT = z3.Function("bit", _INT, _INT, _INT)
# Multiplication of two unknowns, about which nothing is assumed: see `product`.
_TIMES = z3.Function("times", _INT, _INT, _INT)


@logic.where.register
def _(condition: z3.BoolRef, then: Any, otherwise: Any) -> Any:
    return z3.If(condition, then, otherwise)


@logic.pow2.register
def _(exponent: z3.ArithRef) -> Any:
    plain = z3.simplify(exponent)
    return z3.IntVal(2 ** plain.as_long()) if z3.is_int_value(plain) else _POW2(exponent)


@logic.bit_at.register
def _(position: z3.ArithRef, word: Any) -> Any:
    return _BIT(term(word), position)


@logic.bit_of.register
def _(word: z3.ArithRef, position: int) -> Any:
    return (word / 2**position) % 2


@logic.quotient.register
def _(dividend: z3.ArithRef, divisor: int) -> Any:
    return dividend / divisor


def term(value: Term) -> z3.ArithRef:
    """The value as a term."""
    return z3.IntVal(value) if isinstance(value, int) else value


def formula(value: Formula) -> z3.BoolRef:
    """The truth value as a formula."""
    return z3.BoolVal(value) if isinstance(value, bool) else value


def product(coefficient: Expr, at: dict[str, Any], value: Term) -> Term:
    """`coefficient * value` without a product of two unknowns.

    A coefficient that is a bit or a condition gives a case split.  A power of two with an unknown
    exponent is multiplied by 0 or 1 by cases; for any other value nothing is known of the
    result, which can only make a proof fail.
    """
    match coefficient.op:
        case "const":
            # One times a term is that term, so that equal steps look equal.
            return value if coefficient.args[0] == 1 else coefficient.args[0] * value
        case "add":
            return product(coefficient.args[0], at, value) + product(coefficient.args[1], at, value)
        case "mul":
            return product(coefficient.args[0], at, product(coefficient.args[1], at, value))
    factor = coefficient.evaluate(at)
    if isinstance(factor, int) or z3.is_int_value(factor):
        return factor * value
    if isinstance(value, int) or z3.is_int_value(value):
        return factor if isinstance(value, int) and value == 1 else factor * value
    match coefficient.op:
        case "bit" | "eq" | "le":
            return z3.If(factor == 1, value, z3.If(factor == 0, 0, _TIMES(factor, value)))
        case _:
            return z3.If(value == 1, factor, z3.If(value == 0, 0, _TIMES(factor, value)))


@dataclass(frozen=True, slots=True)
class _Fold:
    """F(low, parameters..., n); start and body are terms in `arguments`."""

    arguments: tuple[z3.ArithRef, ...]
    start: z3.ArithRef
    index: z3.ArithRef
    before: z3.ArithRef
    body: z3.ArithRef


class Theory:
    """The function symbols of one proof and the axioms about them."""

    def __init__(self) -> None:
        self._highs: dict[str, Callable[..., Term] | None] = {}
        self._contracts: dict[str, list[Callable[..., Iterable[Formula]]]] = {}
        self._folds: dict[str, _Fold] = {}
        self._depth = 0
        self._fold_symbols: dict[tuple[str, str, int], z3.FuncDeclRef] = {}
        self._mentions: dict[int, tuple[Any, list[z3.ArithRef]]] = {}
        self._knowledge: dict[tuple[int, int], tuple[Any, list[Any]]] = {}
        self.fixed: set[str] = set()
        """Constants of which an axiom spoke by itself, not because they were arguments."""

    def declare(
        self, name: str, arity: int, high: Callable[..., Term] | None = None
    ) -> Callable[..., z3.ArithRef]:
        """A function symbol (a constant where arity is 0) with values in 0..high(arguments);
        without `high`, any integers.

        Raises ValueError for a name that already means something else.
        """
        taken = {each.name() for each in (_POW2, _BIT, _TIMES)} | set(self._folds)
        if name in taken or self._highs.get(name) is not None or name in self._contracts:
            raise ValueError(f"{name} already means something else in this proof; rename one")
        self._highs[name] = high
        if arity == 0:
            constant = z3.Int(name)
            return lambda: constant
        symbol = z3.Function(name, *([_INT] * (arity + 1)))
        return lambda *arguments: symbol(*map(term, arguments))

    def promise(self, name: str, contract: Callable[..., Iterable[Formula]]) -> None:
        """Further axioms about a declared symbol, at the arguments at which it occurs."""
        self._contracts.setdefault(name, []).append(contract)

    def fold(self, low: Term, high: Term, start: Term, step: Step) -> Term:
        """A fold as a term: a function of its length, its lower end and whatever else the step
        depends on.  Equal steps give the same function.
        """
        low, high, start = term(low), term(high), term(start)
        # Names by nesting depth while the step is run, so that a fold inside it captures none.
        own = [z3.Int(f"fold!{self._depth}!{role}") for role in ("index", "before")]
        self._depth += 1
        body = term(step(*own))
        self._depth -= 1
        index, before = z3.Int("fold!index"), z3.Int("fold!before")
        body = z3.substitute(body, (own[0], index), (own[1], before))
        arguments: list[z3.ArithRef] = []
        values: list[z3.ArithRef] = []
        if not z3.is_int_value(low):
            arguments.append(z3.Int("fold!low"))
            values.append(low)
            body = z3.substitute(body, (low, arguments[0]))
        else:
            arguments.append(low)
            values.append(low)
        bound = {"fold!index", "fold!before", "fold!low"}
        # In the order in which the step reads them, whatever they are called.
        for constant in constants(body, start):
            if str(constant) not in bound:
                renamed = z3.Int(f"fold!{len(arguments)}")
                body = z3.substitute(body, (constant, renamed))
                start = z3.substitute(start, (constant, renamed))
                arguments.append(renamed)
                values.append(constant)
        key = (body.sexpr(), start.sexpr(), len(arguments))
        if key not in self._fold_symbols:
            name = f"fold{len(self._folds)}"
            while name in self._highs:
                name += "'"
            # Lower ends that are numbers are arguments of the function too.
            self._fold_symbols[key] = z3.Function(name, *([_INT] * (len(values) + 2)))
            self._folds[name] = _Fold(tuple(arguments), start, index, before, body)
        return self._fold_symbols[key](*values, high)

    def axioms(
        self,
        formulas: Iterable[Formula],
        unfold: Iterable[Term] = (),
        positions: int = 0,
        reach: int | None = None,
    ) -> list[z3.BoolRef]:
        """The axioms at every argument that occurs in the formulas or in these axioms.

        Folds whose length equals a term of `unfold` are unfolded; bits and powers at positions
        below `positions` get their value.  Contracts are instantiated for what the formulas mention
        and, `reach` times over, for what contracts mention; without `reach` to the end.
        """
        lengths = [term(length) for length in unfold]
        found: list[z3.BoolRef] = []
        seen: set[int] = set()
        exponents: dict[str, z3.ArithRef] = {}
        # In rounds, so that what is mentioned earlier is reached from nearer.
        queue: deque[tuple[Any, int]] = deque((formula(each), 0) for each in formulas)
        while queue:
            mentioning, distance = queue.popleft()
            for application in self._mentioned(mentioning):
                if application.get_id() in seen:
                    continue
                seen.add(application.get_id())
                name = application.decl().name()
                new: list[Any] = []
                nearer = distance
                if name == "pow2":
                    exponent = application.arg(0)
                    exponents.setdefault(exponent.sexpr(), exponent)
                    new += _positions(application, exponent, positions, lambda k: 2**k)
                elif name == "bit":
                    word, position = application.children()
                    new += [application >= 0, application <= 1]
                    new += _positions(application, position, positions, partial(logic.bit_of, word))
                elif name in self._folds:
                    arguments = application.children()
                    new += self._unfolded(application, arguments, lengths)
                    queue.append((self._first_step(application, arguments), distance))
                elif name in self._highs:
                    promised = reach is None or distance < reach
                    new += self._known_of(application, name, promised)
                    nearer = distance + promised
                new = [formula(each) for each in new]
                found += new
                queue += ((each, nearer) for each in new)
        return found + list(_powers(list(exponents.values())))

    def _mentioned(self, root: Any) -> list[z3.ArithRef]:
        """The applications of uninterpreted symbols in a term.

        Terms are kept: z3 gives the number of a dropped term to a new one.
        """
        key = root.get_id()
        if key not in self._mentions:
            self._mentions[key] = (root, list(_applications(root, set())))
        return self._mentions[key][1]

    def _known_of(self, application: z3.ArithRef, name: str, promised: bool) -> list[Any]:
        """The range of a declared symbol's application, and what contracts promise of it."""
        contracts = self._contracts.get(name, []) if promised else []
        key = (application.get_id(), len(contracts))
        if key not in self._knowledge:
            arguments = application.children()
            high = self._highs[name]
            new: list[Any] = []
            if high is not None:
                new += [application >= 0, application <= high(*arguments)]
            for contract in contracts:
                new += contract(*arguments)
            new = [formula(each) for each in new]
            spoken_of = {
                str(each) for fact in new for each in self._mentioned(fact) if each.num_args() == 0
            }
            self.fixed |= spoken_of - {str(each) for each in constants(*arguments)}
            self._knowledge[key] = (application, new)
        return self._knowledge[key][1]

    def _first_step(self, application: z3.ArithRef, arguments: list[z3.ArithRef]) -> z3.ArithRef:
        """What a fold reads at its lower end: the contract of a word comes in with it."""
        fold = self._folds[application.decl().name()]
        known = [
            (argument, value)
            for argument, value in zip(fold.arguments, arguments[:-1], strict=True)
            if not z3.is_int_value(argument)
        ]
        start = z3.substitute(fold.start, *known)
        return z3.substitute(fold.body, *known, (fold.index, arguments[0]), (fold.before, start))

    def _unfolded(
        self, application: z3.ArithRef, arguments: list[z3.ArithRef], lengths: list[z3.ArithRef]
    ) -> Iterator[Any]:
        *values, length = arguments
        fold = self._folds[application.decl().name()]
        known = [
            (argument, value)
            for argument, value in zip(fold.arguments, values, strict=True)
            if not z3.is_int_value(argument)
        ]
        low = values[0]
        start = z3.substitute(fold.start, *known)
        yield z3.Implies(length <= low, application == start)
        if any(_difference(length, each) == 0 for each in lengths):
            last = z3.simplify(length - 1)
            before = application.decl()(*values, last)
            body = z3.substitute(fold.body, *known, (fold.index, last), (fold.before, before))
            yield z3.Implies(length > low, application == body)


def digits_spell(theory: Theory, word: Term, bits: int) -> z3.BoolRef:
    """The axiom that the first bits of a word in 0..2**bits-1 spell the word."""
    word = term(word)
    with logic.folding_with(theory.fold):
        spelled = logic.value(_Digits(word), 0, bits)
    return z3.Implies(z3.And(word >= 0, word < 2**bits), spelled == word)


class _Digits:
    def __init__(self, word: z3.ArithRef) -> None:
        self._word = word

    def __getitem__(self, position: Any) -> Any:
        return _BIT(self._word, position)


def _powers(exponents: list[z3.ArithRef]) -> Iterator[z3.BoolRef]:
    for exponent in exponents:
        yield z3.Implies(exponent >= 0, _POW2(exponent) >= 1)
        plain = z3.simplify(exponent)
        if z3.is_int_value(plain) and plain.as_long() >= 0:
            yield _POW2(exponent) == 2 ** plain.as_long()
        yield z3.Implies(exponent == 0, _POW2(exponent) == 1)
        for other in exponents:
            if _difference(exponent, other) == 1:
                yield z3.Implies(other >= 0, _POW2(exponent) == 2 * _POW2(other))


def _positions(
    application: z3.ArithRef, position: z3.ArithRef, count: int, value: Callable[[int], Any]
) -> Iterator[z3.BoolRef]:
    for k in range(count):
        yield z3.Implies(position == k, application == value(k))


def _difference(left: z3.ArithRef, right: z3.ArithRef) -> int | None:
    difference = z3.simplify(left - right)
    return difference.as_long() if z3.is_int_value(difference) else None


def _applications(root: z3.ExprRef, seen: set[int]) -> Iterator[z3.ArithRef]:
    """The applications of uninterpreted symbols in a term that were not seen before."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.get_id() in seen:
            continue
        seen.add(node.get_id())
        stack += node.children()
        if z3.is_app(node) and node.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            yield node


def constants(*roots: z3.ExprRef) -> list[z3.ArithRef]:
    """The constants that occur in terms, in the order in which they occur."""
    seen: set[int] = set()
    return [node for root in roots for node in _applications(root, seen) if node.num_args() == 0]
