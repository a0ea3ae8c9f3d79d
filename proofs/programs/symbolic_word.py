"""Words that depend on the inputs, and conditions on them, for the machine's step.

A word is a linear form of the inputs modulo 2**bits.  `verified_mlp.machine.step` compares words
with numbers alone and chooses with `where`.  A comparison that the region of the path decides is a
truth value; any other is a `Truth`, of which `where` makes a `Fork` only if it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proofs.programs.budget import NotProvedError
from proofs.programs.region import Form, Range, Region, Terms, combine, quotients
from verified_mlp import logic

MOST_RANGES = 4096
"""So many times a word may pass 2**bits over the inputs of one path."""


class Fork(Exception):
    """The path must fork: a sum of unknowns is below, at or above each of the `cuts`.

    The children are the ranges between a cut and the next, each with its first number.
    """

    def __init__(self, terms: Terms, cuts: list[int]) -> None:
        super().__init__(terms, cuts)
        self.terms, self.cuts = terms, cuts


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether a sum of unknowns is in one of the `ranges`, ascending and apart, within `span`.

    In some of the ranges within the span, not in all: otherwise it would be a truth value.
    """

    terms: Terms
    span: Range
    ranges: tuple[Range, ...]

    def __bool__(self) -> bool:
        raise TypeError("a condition on inputs is neither true nor false; choose with where")

    def fork(self) -> Fork:
        """The fork that decides it."""
        cuts = {cut for low, high in self.ranges for cut in (low, high + 1)}
        return Fork(self.terms, sorted(cuts))


def truth(terms: Terms, span: Range, ranges: list[Range]) -> Truth | bool:
    """Whether a sum of unknowns, known to be in `span`, is in one of the ranges."""
    joined: list[Range] = []
    for low, high in sorted((max(a, span[0]), min(b, span[1])) for a, b in ranges):
        if low > high:
            continue
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    if not joined:
        return False
    return True if joined == [span] else Truth(terms, span, tuple(joined))


def decided(condition: Truth | bool) -> bool:
    """The truth value of a condition; raises Fork if it has none yet."""
    if isinstance(condition, Truth):
        raise condition.fork()
    return bool(condition)


@dataclass(frozen=True, slots=True, eq=False)
class Word:  # noqa: PLW1641  # equal words are no one thing to look up
    """A form modulo `modulus`, seen on a region on which it has more than one value."""

    form: Form
    region: Region
    modulus: int

    def __add__(self, other: Any) -> Any:
        return self._plus(self.form, other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._plus(self.form, other, -1)

    def __rsub__(self, other: int) -> Any:
        return self._made(combine(Form(other), self.form, -1, self.modulus))

    def __mod__(self, modulus: int) -> Word:
        if modulus != self.modulus:
            raise TypeError(f"a word modulo {self.modulus} has no remainder modulo {modulus}")
        return self

    def __lt__(self, number: int) -> Any:
        return self._among((0, number - 1))

    def __ge__(self, number: int) -> Any:
        return self._among((number, self.modulus - 1))

    def __eq__(self, number: object) -> Any:
        if not isinstance(number, int):
            return NotImplemented
        return self._among((number, number))

    def value(self) -> Fork:
        """The fork after which the word is a number on each path."""
        _, terms = self.form.primitive()
        low, high = self.region.span(terms)
        if high - low > self.modulus:  # more than there are addresses
            raise NotProvedError(f"a word that is used as an address has {high - low + 1} values")
        return Fork(terms, list(range(low, high + 1)))

    def _plus(self, left: Form, other: Any, sign: int) -> Any:
        right = other.form if isinstance(other, Word) else Form(other)
        return self._made(combine(left, right, sign, self.modulus))

    def _made(self, form: Form) -> Word | int:
        return word(form, self.region, self.modulus)

    def _among(self, wanted: Range) -> Truth | bool:
        """Whether the word, as a number 0..modulus-1, is in a range."""
        factor, terms = self.form.primitive()
        constant = self.form.constant
        low, high = self.region.span(terms)
        ends = sorted((constant + factor * low, constant + factor * high))
        turns = range(ends[0] // self.modulus, ends[1] // self.modulus + 1)
        if len(turns) > MOST_RANGES:
            raise NotProvedError(f"a word passes 2^bits {len(turns)} times on one path")
        first, last = max(wanted[0], 0), min(wanted[1], self.modulus - 1)
        offsets = (turn * self.modulus - constant for turn in turns)
        ranges = [quotients((first + each, last + each), factor) for each in offsets]
        return truth(terms, (low, high), ranges if first <= last else [])


def word(form: Form | int, region: Region, modulus: int) -> Word | int:
    """A form on a region: a number 0..modulus-1 if it has one value there."""
    if isinstance(form, int):
        return form
    form = region.reduced(form, modulus)
    if not form.terms:
        return form.constant % modulus
    factor, terms = form.primitive()
    low, high = region.span(terms)
    # A limit may leave a sum one value although its unknowns have several.
    return Word(form, region, modulus) if low < high else (form.constant + factor * low) % modulus


def plain(value: Any) -> Form | int:
    """A word without its region, as memory keeps it."""
    return value.form if isinstance(value, Word) else value


@logic.where.register
def _(condition: Truth, then: Any, otherwise: Any) -> Any:
    if isinstance(then, bool | Truth) and isinstance(otherwise, bool | Truth):
        inside = _ranges(condition, then)
        outside = _ranges(condition, otherwise)
        if inside is not None and outside is not None:
            no = _complement(condition.ranges, condition.span)
            chosen = _meet(condition.ranges, inside) + _meet(no, outside)
            return truth(condition.terms, condition.span, chosen)
    if _same(then, otherwise):
        return then
    raise condition.fork()


def _ranges(condition: Truth, other: Truth | bool) -> list[Range] | None:
    """The ranges of the other condition, if it is about the same sum."""
    if isinstance(other, bool):
        return [condition.span] if other else []
    return list(other.ranges) if other.terms == condition.terms else None


def _meet(first: Any, second: Any) -> list[Range]:
    return [(max(a, c), min(b, d)) for a, b in first for c, d in second if max(a, c) <= min(b, d)]


def _complement(ranges: tuple[Range, ...], span: Range) -> list[Range]:
    starts = [span[0], *(high + 1 for _, high in ranges)]
    ends = [*(low - 1 for low, _ in ranges), span[1]]
    return [(low, high) for low, high in zip(starts, ends, strict=True) if low <= high]


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Word) and isinstance(right, Word):
        return left.form == right.form
    if isinstance(left, int) and isinstance(right, int):
        return left == right
    return left is right
