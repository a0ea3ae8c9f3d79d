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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from proofs.term_arithmetic import difference, simplified
from proofs.terms import (
    BoolTerm,
    IntTerm,
    Node,
    applications,
    apply,
    conj,
    formula,
    implies,
    ite,
    substitute,
    term,
    unknown,
    unknowns,
)
from verified_mlp import logic
from verified_mlp.logic import Step
from verified_mlp.statement.expr import Expr

Term = Any
"""An `IntTerm`, or a Python int."""

Formula = Any
"""A `BoolTerm`, or a Python bool."""

_POW2, _BIT = "pow2", "bit"
# Multiplication of two unknowns, about which nothing is assumed: see `product`.
_TIMES = "times"


@logic.pow2.register
def _(exponent: IntTerm) -> Any:
    plain = simplified(exponent)
    known = plain.is_constant and plain.label >= 0
    return term(2**plain.label) if known else apply(_POW2, [exponent])


@logic.bit_at.register
def _(position: IntTerm, word: Any) -> Any:
    return apply(_BIT, [word, position])


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
    if isinstance(factor, int) or factor.is_constant:
        return factor * value
    if isinstance(value, int) or value.is_constant:
        return factor if isinstance(value, int) and value == 1 else factor * value
    match coefficient.op:
        case "bit" | "eq" | "le":
            return ite(factor == 1, value, ite(factor == 0, 0, apply(_TIMES, [factor, value])))
        case _:
            return ite(value == 1, factor, ite(value == 0, 0, apply(_TIMES, [factor, value])))


@dataclass(frozen=True, slots=True)
class _Fold:
    """F(low, parameters..., n); start and body are terms in `arguments`."""

    arguments: tuple[IntTerm, ...]
    start: IntTerm
    index: IntTerm
    before: IntTerm
    body: IntTerm


class Theory:
    """The function symbols of one proof and the axioms about them."""

    def __init__(self) -> None:
        self._highs: dict[str, Callable[..., Term] | None] = {}
        self._contracts: dict[str, list[Callable[..., Iterable[Formula]]]] = {}
        self._folds: dict[str, _Fold] = {}
        self._depth = 0
        self._fold_names: dict[tuple[IntTerm, IntTerm, int], str] = {}
        self._mentions: dict[Node, list[IntTerm]] = {}
        self._knowledge: dict[tuple[IntTerm, int], list[BoolTerm]] = {}
        self._closed = False
        self.fixed: set[str] = set()
        """Constants of which an axiom spoke by itself, not because they were arguments."""

    def declare(
        self, name: str, arity: int, high: Callable[..., Term] | None = None
    ) -> Callable[..., IntTerm]:
        """A function symbol (a constant where arity is 0) with values in 0..high(arguments);
        without `high`, any integers.

        Raises ValueError for a name that already means something else.
        """
        taken = {_POW2, _BIT, _TIMES, *self._folds}
        if name in taken or self._highs.get(name) is not None or name in self._contracts:
            raise ValueError(f"{name} already means something else in this proof; rename one")
        self._highs[name] = high
        return lambda *arguments: apply(name, arguments)

    def promise(self, name: str, contract: Callable[..., Iterable[Formula]]) -> None:
        """Further axioms about a declared symbol, at the arguments at which it occurs.

        Raises ValueError once the theory is closed.
        """
        if self._closed:
            raise ValueError(f"the axioms about {name} are stated; more come by kernel.placement")
        self.admit(name, contract)

    def close(self) -> None:
        """From now on further axioms come by the kernel's `placement` only."""
        self._closed = True

    def admit(self, name: str, contract: Callable[..., Iterable[Formula]]) -> None:
        """`promise`, for the kernel."""
        self._contracts.setdefault(name, []).append(contract)

    def fold(self, low: Term, high: Term, start: Term, step: Step) -> Term:
        """A fold as a term: a function of its length, its lower end and whatever else the step
        depends on.  Equal steps give the same function.
        """
        low, high, start = term(low), term(high), term(start)
        # Names by nesting depth while the step is run, so that a fold inside it captures none.
        own = [unknown(f"fold!{self._depth}!{role}") for role in ("index", "before")]
        self._depth += 1
        body = term(step(*own))
        self._depth -= 1
        index, before = unknown("fold!index"), unknown("fold!before")
        body = substitute(body, (own[0], index), (own[1], before))
        arguments: list[IntTerm] = []
        values: list[IntTerm] = []
        if not low.is_constant:
            arguments.append(unknown("fold!low"))
            values.append(low)
            body = substitute(body, (low, arguments[0]))
        else:
            arguments.append(low)
            values.append(low)
        bound = {"fold!index", "fold!before", "fold!low"}
        # In the order in which the step reads them, whatever they are called.
        for constant in unknowns(body, start):
            if constant.label not in bound:
                renamed = unknown(f"fold!{len(arguments)}")
                body = substitute(body, (constant, renamed))
                start = substitute(start, (constant, renamed))
                arguments.append(renamed)
                values.append(constant)
        key = (body, start, len(arguments))
        if key not in self._fold_names:
            name = f"fold{len(self._folds)}"
            while name in self._highs:
                name += "'"
            self._fold_names[key] = name
            self._folds[name] = _Fold(tuple(arguments), start, index, before, body)
        # Lower ends that are numbers are arguments of the function too.
        return apply(self._fold_names[key], [*values, high])

    def axioms(
        self,
        formulas: Iterable[Formula],
        unfold: Iterable[Term] = (),
        positions: int = 0,
        reach: int | None = None,
    ) -> list[BoolTerm]:
        """The axioms at every argument that occurs in the formulas or in these axioms.

        Folds whose length equals a term of `unfold` are unfolded; bits and powers at positions
        below `positions` get their value.  Contracts are instantiated for what the formulas mention
        and, `reach` times over, for what contracts mention; without `reach` to the end.
        """
        lengths = [term(length) for length in unfold]
        found: list[BoolTerm] = []
        seen: set[IntTerm] = set()
        exponents: dict[IntTerm, None] = {}
        # In rounds, so that what is mentioned earlier is reached from nearer.
        queue: deque[tuple[Any, int]] = deque((formula(each), 0) for each in formulas)
        while queue:
            mentioning, distance = queue.popleft()
            for application in self._mentioned(mentioning):
                if application in seen:
                    continue
                seen.add(application)
                name = application.label
                new: list[Any] = []
                nearer = distance
                if name == _POW2:
                    (exponent,) = application.args
                    exponents[exponent] = None
                    new += _positions(application, exponent, positions, lambda k: 2**k)
                elif name == _BIT:
                    word, position = application.args
                    new += [application >= 0, application <= 1]
                    new += _positions(application, position, positions, partial(logic.bit_of, word))
                elif name in self._folds:
                    arguments = application.args
                    new += self._unfolded(application, arguments, lengths)
                    queue.append((self._first_step(application, arguments), distance))
                elif name in self._highs:
                    promised = reach is None or distance < reach
                    new += self._known_of(application, name, promised)
                    nearer = distance + promised
                new = [formula(each) for each in new]
                found += new
                queue += ((each, nearer) for each in new)
        return found + list(_powers(list(exponents)))

    def _mentioned(self, root: Node) -> list[IntTerm]:
        """The applications of function symbols in a term."""
        if root not in self._mentions:
            self._mentions[root] = list(applications(root, set()))
        return self._mentions[root]

    def _known_of(self, application: IntTerm, name: str, promised: bool) -> list[Any]:
        """The range of a declared symbol's application, and what contracts promise of it."""
        contracts = self._contracts.get(name, []) if promised else []
        key = (application, len(contracts))
        if key not in self._knowledge:
            arguments = application.args
            high = self._highs[name]
            new: list[Any] = []
            if high is not None:
                new += [application >= 0, application <= high(*arguments)]
            for contract in contracts:
                new += contract(*arguments)
            new = [formula(each) for each in new]
            spoken_of = {each.label for each in unknowns(*new)}
            self.fixed |= spoken_of - {each.label for each in unknowns(*arguments)}
            self._knowledge[key] = new
        return self._knowledge[key]

    def _first_step(self, application: IntTerm, arguments: Sequence[IntTerm]) -> IntTerm:
        """What a fold reads at its lower end: the contract of a word comes in with it."""
        fold = self._folds[application.label]
        known = [
            (argument, value)
            for argument, value in zip(fold.arguments, arguments[:-1], strict=True)
            if not argument.is_constant
        ]
        start = substitute(fold.start, *known)
        return substitute(fold.body, *known, (fold.index, arguments[0]), (fold.before, start))

    def _unfolded(
        self, application: IntTerm, arguments: Sequence[IntTerm], lengths: list[IntTerm]
    ) -> Iterator[Any]:
        *values, length = arguments
        fold = self._folds[application.label]
        known = [
            (argument, value)
            for argument, value in zip(fold.arguments, values, strict=True)
            if not argument.is_constant
        ]
        low = values[0]
        start = substitute(fold.start, *known)
        yield implies(length <= low, application == start)
        if any(difference(length, each) == 0 for each in lengths):
            last = simplified(length - 1)
            before = apply(application.label, [*values, last])
            body = substitute(fold.body, *known, (fold.index, last), (fold.before, before))
            yield implies(length > low, application == body)


def digits_spell(theory: Theory, word: Term, bits: int) -> BoolTerm:
    """The axiom that the first bits of a word in 0..2**bits-1 spell the word."""
    word = term(word)
    with logic.folding_with(theory.fold):
        spelled = logic.value(_Digits(word), 0, bits)
    return implies(conj(word >= 0, word < 2**bits), spelled == word)


class _Digits:
    def __init__(self, word: IntTerm) -> None:
        self._word = word

    def __getitem__(self, position: Any) -> Any:
        return apply(_BIT, [self._word, position])


def _powers(exponents: list[IntTerm]) -> Iterator[BoolTerm]:
    for exponent in exponents:
        power = apply(_POW2, [exponent])
        yield implies(exponent >= 0, power >= 1)
        plain = simplified(exponent)
        if plain.is_constant and plain.label >= 0:
            yield power == 2**plain.label
        yield implies(exponent == 0, power == 1)
        for other in exponents:
            if difference(exponent, other) == 1:
                yield implies(other >= 0, power == 2 * apply(_POW2, [other]))


def _positions(
    application: IntTerm, position: IntTerm, count: int, value: Callable[[int], Any]
) -> Iterator[BoolTerm]:
    for k in range(count):
        yield implies(position == k, application == value(k))
