"""Refutes literals by case splits: the search for what `checker` checks.

In each case the search takes all steps; asks z3 whether the bounds that are known contradict each
other over the rationals, and if so learns their Farkas set; looks ahead, literal by literal,
whether a case is closed at once; and otherwise splits where both cases gain most.  Farkas sets are
kept, so that a later case has their conclusions by steps.  What a case does not use is left out of
the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import floor

from proofs.checker import Branch
from proofs.contradictions import Contradictions, multipliers
from proofs.normal_form import TRUE, All, Formulas, Quotient, Sum, less

CANDIDATES = 40
"""How many literals are looked at ahead of a split."""

DEPTH = 100
"""How many splits may lie within each other."""


class OutOfBudget(Exception):
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Steps, then a split on a literal into its case and the case of its negation; or, without a
    split, the last step closes the case.
    """

    steps: tuple[int, ...]
    split: tuple[int, Tree, Tree] | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A tree that closes a case, and the literals known before that it uses."""

    tree: Tree
    uses: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A step taken: where, from which literals, with which gain."""

    number: int
    reasons: frozenset[int]
    gained: frozenset[int]


class Search(Branch):
    """The search for a tree; `budget` is how many cases are looked at."""

    def __init__(self, formulas: Formulas, budget: int) -> None:
        super().__init__(formulas)
        self.formulas = formulas
        self.farkas: dict[int, tuple[list[int], list[int]]] = {}
        """By the number of the conjunction that does not hold: literals and multipliers."""
        self._budget = budget
        self._depth = 0
        self._rationals = Contradictions(formulas, whole=False)
        self._integers = Contradictions(formulas, whole=True)
        self._parents: dict[int, list[int]] = {}
        self._indexed = 0
        self._index()

    def close_from(self, literals: Iterable[int]) -> Closed:
        """Close the case in which some literals hold; the result uses some of these.

        Raises OutOfBudget.
        """
        gains: list[tuple[int, list[int]]] = []
        closed = None
        for literal in literals:
            length = len(self.trail)
            if self.add(literal):
                closed = Closed(Tree(()), frozenset({-self.clash, literal}))
            gains.append((literal, self.trail[length:]))
            if closed is not None:
                break
        closed = closed or self.close(0)
        uses = frozenset(
            literal for literal, gained in gains if not closed.uses.isdisjoint((literal, *gained))
        )
        return Closed(closed.tree, uses)

    def close(self, start: int) -> Closed:
        """Close the case at hand; what the trail has before `start` was looked at for steps.

        Raises OutOfBudget.
        """
        taken: list[_Taken] = []
        position = start
        while True:
            if self._take_steps(position, taken):
                return self._used(taken, None)
            position = len(self.trail)
            learnt = self._learn()
            if learnt is not None:
                self._take(learnt, taken)
                return self._used(taken, None)
            literal, closed = self._look_ahead()
            if closed is None:
                return self._used(taken, self._split(literal))
            if literal not in closed.uses:
                return self._used(taken, closed)
            if len(closed.tree.steps) == 1 and self.conclusion(closed.tree.steps[0]) == -literal:
                if self._take(closed.tree.steps[0], taken):
                    return self._used(taken, None)
            else:
                return self._used(taken, self._split(literal, closed))

    def _split(self, literal: int, first: Closed | None = None) -> Closed:
        first = first or self._case(literal)
        if literal not in first.uses:
            return first
        second = self._case(-literal)
        if -literal not in second.uses:
            return second
        uses = (first.uses - {literal}) | (second.uses - {-literal})
        return Closed(Tree((), (literal, first.tree, second.tree)), uses)

    def _case(self, literal: int) -> Closed:
        """Close the case of a literal; of what it brings with it, only the literal is used."""
        if self._depth == DEPTH:
            raise OutOfBudget
        self._depth += 1
        length = len(self.trail)
        if self.add(literal):
            closed = Closed(Tree(()), frozenset({-self.clash, literal}))
        else:
            closed = self.close(length)
        self._depth -= 1
        return self._left(length, literal, closed)

    def _left(self, length: int, literal: int, closed: Closed) -> Closed:
        """Leave the case of a literal, which began when the trail had a length."""
        gained = self.trail[length:]
        self.forget(length)
        if closed.uses.isdisjoint(gained):
            return closed
        return Closed(closed.tree, closed.uses.difference(gained) | {literal})

    def _used(self, taken: list[_Taken], rest: Closed | None) -> Closed:
        """What is needed of the steps taken, the last of which closes the case or leads to the
        rest.
        """
        if rest is None:
            last = taken.pop()
            uses = (last.reasons | {-self.clash}) - last.gained - {TRUE}
            rest = Closed(Tree((last.number,)), uses)
        uses, needed = rest.uses, []
        for each in reversed(taken):
            if not each.gained.isdisjoint(uses):
                needed.append(each.number)
                uses = (uses - each.gained) | each.reasons
        steps = (*reversed(needed), *rest.tree.steps)
        return Closed(Tree(steps, rest.tree.split), uses)

    def _take_steps(self, position: int, taken: list[_Taken]) -> bool:
        """Take all steps that follow from the trail from a position on; whether one closes."""
        while position < len(self.trail):
            number = abs(self.trail[position])
            position += 1
            for each in (number, *self._parents.get(number, ())):
                if self._take(each, taken):
                    return True
        return False

    def _take(self, number: int, taken: list[_Taken]) -> bool:
        literal = self.conclusion(number)
        if literal is None or self.knows(literal):
            return False
        node = self.formulas.nodes[number]
        assert isinstance(node, All)
        if self.knows(-number):
            reasons = {-number, *(each for each in node.literals if each != -literal)}
        elif literal == number:
            reasons = set(node.literals)
        else:
            reasons = {next(-each for each in node.literals if self.knows(-each))}
        length = len(self.trail)
        closed = self.add(literal)
        taken.append(_Taken(number, frozenset(reasons), frozenset(self.trail[length:])))
        return closed

    def _learn(self) -> int | None:
        """The conjunction of known bounds that contradict each other; None if there are none."""
        core = self._rationals.contradiction(self.trail)
        if core is None:
            return None
        factors = multipliers(self.formulas, core)
        if factors is None:
            raise OutOfBudget
        number = self.formulas.all_of(core)
        self.farkas[number] = (core, factors)
        self._known.add(-number)
        self._index()
        return number

    def _look_ahead(self) -> tuple[int, Closed | None]:
        """A literal whose case is closed at once, with how; or the one to split on."""
        best, best_score = 0, -1
        for number in self._candidates():
            gains = []
            for literal in (number, -number):
                closed, gain = self._try(literal)
                if closed is not None:
                    return literal, closed
                gains.append(gain)
            score = gains[0] * gains[1]
            if score > best_score:
                best, best_score = number, score
        core = self._integers.contradiction(self.trail)
        if core is not None:
            return self._cut(core)
        if not best:
            raise OutOfBudget
        return best, None

    def _try(self, literal: int) -> tuple[Closed | None, int]:
        """How the case of a literal is closed at once, if it is, and the literals gained in it."""
        self._spend()
        length = len(self.trail)
        taken: list[_Taken] = []
        closed = Closed(Tree(()), frozenset({-self.clash, literal})) if self.add(literal) else None
        if closed is None:
            at_end = self._take_steps(length, taken)
            if not at_end:
                learnt = self._learn()
                at_end = learnt is not None and self._take(learnt, taken)
            closed = self._used(taken, None) if at_end else None
        gain = len(self.trail) - length
        if closed is None:
            self.forget(length)
            return None, gain
        return self._left(length, literal, closed), gain

    def _spend(self) -> None:
        self._budget -= 1
        if self._budget < 0:
            raise OutOfBudget

    def _candidates(self) -> list[int]:
        """The nodes on which a conjunction that does not hold depends, from the shortest on."""
        found: list[tuple[int, int]] = []
        for number, node in enumerate(self.formulas.nodes):
            if isinstance(node, All) and self.knows(-number):
                if any(self.knows(-each) for each in node.literals):
                    continue
                doubtful = [abs(each) for each in node.literals if not self.knows(each)]
                found += [(len(doubtful), each) for each in doubtful]
        return list(dict.fromkeys(each for _, each in sorted(found)))[:CANDIDATES]

    def _cut(self, core: list[int]) -> tuple[int, Closed | None]:
        """Of bounds that contradict each other over the integers only, one that cuts off a solution
        over the rationals.

        Of sums and differences of quotients by one divisor, one of whose cases is closed at once:
        equal dividends have equal quotients.  Otherwise of the term that is nearest to 0, whose
        range tends to be the smallest.
        """
        values = self._rationals.values(core)
        if values is None:
            raise OutOfBudget
        for total in self._sums_of_quotients(values):
            if _value(total, values).denominator != 1:
                cut = self._above(total, values)
                for literal in (cut, -cut):
                    closed, _ = self._try(literal)
                    if closed is not None:
                        return literal, closed
        broken = [(abs(value), term) for term, value in values.items() if value.denominator != 1]
        if not broken:
            raise OutOfBudget
        return self._above({min(broken)[1]: 1}, values), None

    def _sums_of_quotients(self, terms: Iterable[int]) -> Iterator[Sum]:
        by_divisor: dict[int, list[int]] = {}
        for number in terms:
            term = self.formulas.terms[number]
            if isinstance(term, Quotient):
                by_divisor.setdefault(term.divisor, []).append(number)
        for same in by_divisor.values():
            yield from ({left: 1, right: -1} for left, right in combinations(same, 2))
        for same in by_divisor.values():
            for three in combinations(same, 3):
                yield from ({term: -1 if term == last else 1 for term in three} for last in three)

    def _above(self, total: Sum, values: dict[int, Fraction]) -> int:
        """The bound that a sum is at least the next whole number."""
        literal = self.formulas.at_least_0(less(total, {}, floor(_value(total, values)) + 1))
        self._index()
        return literal

    def _index(self) -> None:
        for number in range(self._indexed, len(self.formulas.nodes)):
            node = self.formulas.nodes[number]
            if isinstance(node, All):
                for literal in node.literals:
                    self._parents.setdefault(abs(literal), []).append(number)
        self._indexed = len(self.formulas.nodes)


def _value(total: Sum, values: dict[int, Fraction]) -> Fraction:
    return sum((factor * values[term] for term, factor in total.items()), Fraction(0))
