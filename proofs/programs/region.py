"""Regions: the inputs that follow one path, described by linear inequalities.

Everything here is exact arithmetic on integers.  What it cannot decide is asked of the solver
(`proofs.programs.budget`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import gcd

Range = tuple[int, int]
"""The integers from the first to the second, both included."""

Terms = tuple[tuple[int, int], ...]
"""A sum of unknowns: the number of each, ascending, with its coefficient, which is not 0."""

Point = tuple[int, ...]
"""A value of each unknown."""

_ROUNDS = 8
"""So often bounds are derived from one another; they hold after any number of times."""


@dataclass(frozen=True, slots=True)
class Form:
    """A constant plus a sum of unknowns."""

    constant: int
    terms: Terms = ()

    def at(self, point: Point) -> int:
        """The value at a point."""
        return self.constant + total(self.terms, point)

    def primitive(self) -> tuple[int, Terms]:
        """A number g and terms L, whose coefficients have no common divisor and of which the
        first is positive, such that the form is constant + g * L.

        >>> Form(7, ((0, -4), (1, 6))).primitive()
        (-2, ((0, 2), (1, -3)))
        """
        factor = gcd(*(weight for _, weight in self.terms))
        if self.terms[0][1] < 0:
            factor = -factor
        return factor, tuple((name, weight // factor) for name, weight in self.terms)


def combine(left: Form, right: Form, weight: int, modulus: int) -> Form:
    """The form left + weight * right modulo the modulus, with
    coefficients of the least absolute value.

    >>> combine(Form(3, ((0, 1),)), Form(5, ((0, 1), (1, 1))), -1, 16)
    Form(constant=-2, terms=((1, -1),))
    """
    sums = dict(left.terms)
    for name, coefficient in right.terms:
        sums[name] = sums.get(name, 0) + weight * coefficient
    reduced = ((name, least(sums[name], modulus)) for name in sorted(sums))
    terms = tuple((name, coefficient) for name, coefficient in reduced if coefficient)
    return Form(least(left.constant + weight * right.constant, modulus), terms)


def least(number: int, modulus: int) -> int:
    """The number of the least absolute value that is the same modulo the modulus."""
    return (number + modulus // 2) % modulus - modulus // 2


def total(terms: Terms, point: Point) -> int:
    """The value of a sum of unknowns at a point."""
    return sum(weight * point[name] for name, weight in terms)


@dataclass(frozen=True, slots=True)
class Region:
    """The points in a box at which sums of unknowns lie in ranges; `witness` is one of them."""

    box: tuple[Range, ...]
    limits: dict[Terms, Range] = field(default_factory=dict)
    witness: Point = ()

    def contains(self, point: Point) -> bool:
        """Whether a point is in it."""
        inside = all(low <= each <= high for (low, high), each in zip(self.box, point, strict=True))
        return inside and all(
            low <= total(terms, point) <= high for terms, (low, high) in self.limits.items()
        )

    def span(self, terms: Terms) -> Range:
        """A range that a sum of unknowns does not leave."""
        low, high = _span(self.box, terms)
        known = self.limits.get(terms)
        return (max(low, known[0]), min(high, known[1])) if known else (low, high)

    def reduced(self, form: Form, modulus: int) -> Form:
        """The form with the unknowns that have one value here put in, modulo the modulus."""
        if all(self.box[name][0] < self.box[name][1] for name, _ in form.terms):
            return form
        constant = form.constant
        terms = []
        for name, weight in form.terms:
            low, high = self.box[name]
            if low == high:
                constant += weight * low
            else:
                terms.append((name, weight))
        return Form(least(constant, modulus), tuple(terms))

    def narrowed(self, terms: Terms, wanted: Range) -> Region | None:
        """The part in which a sum of unknowns is in a range, with no witness; None if bounds show
        that there is no such part.

        >>> Region(((0, 9), (0, 9))).narrowed(((0, 1), (1, 1)), (15, 99))
        Region(box=((6, 9), (6, 9)), limits={((0, 1), (1, 1)): (15, 18)}, witness=())
        """
        low, high = self.span(terms)
        low, high = max(low, wanted[0]), min(high, wanted[1])
        if low > high:
            return None
        limits = {**self.limits, terms: (low, high)}
        box = list(self.box)
        for _ in range(_ROUNDS):
            before = list(box)
            for each, bounds in limits.items():
                if not _tighten(box, each, bounds):
                    return None
            if box == before:
                break
        # What the box implies need not be said.
        told = {
            each: bounds for each, bounds in limits.items() if not _within(_span(box, each), bounds)
        }
        return Region(tuple(box), told)


def _span(box: Iterable[Range], terms: Terms) -> Range:
    ranges = tuple(box)
    low = sum(weight * ranges[name][weight < 0] for name, weight in terms)
    high = sum(weight * ranges[name][weight > 0] for name, weight in terms)
    return low, high


def _within(inner: Range, outer: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _tighten(box: list[Range], terms: Terms, bounds: Range) -> bool:
    """Narrow the ranges of the box to what the bounds of a sum leave; whether that is anything."""
    for name, weight in terms:
        others = tuple(each for each in terms if each[0] != name)
        low, high = _span(box, others)
        narrower = quotients((bounds[0] - high, bounds[1] - low), weight)
        box[name] = max(box[name][0], narrower[0]), min(box[name][1], narrower[1])
        if box[name][0] > box[name][1]:
            return False
    return True


def quotients(products: Range, factor: int) -> Range:
    """The integers whose product with a factor, not 0, is in a range; maybe none.

    >>> quotients((3, 10), 4), quotients((3, 10), -4)
    ((1, 2), (-2, -1))
    """
    low, high = products if factor > 0 else (-products[1], -products[0])
    return -(-low // abs(factor)), high // abs(factor)
