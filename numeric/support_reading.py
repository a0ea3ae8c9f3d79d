"""Affine forms over the arrays of a layer, in registers: what a row of the statement says there.

An array is held entry by entry, or is zero or the memory outside of one row (see `support_plan`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from numeric.support_forms import ONE, ZERO, Form, Program, added, multiplied, slot_name
from verified_mlp.statement.affine import Affine, Bound, Ref, Term
from verified_mlp.statement.expr import Expr, at_most, equal, to_expr, var
from verified_mlp.statement.polynomial import normal

Array = np.ndarray[Any, Any]

Place = Mapping[str, Expr]
"""The values of index variables: numbers, or the row number of a slot."""

MOST_ROWS = 2**14
"""Families of more neurons are not computed row by row, nor longer sums term by term."""


class NoSupportError(ValueError):
    """The support engine cannot compute this network; the text says which family, and why."""


@dataclass(frozen=True, slots=True)
class Held:
    """An array of which every entry is in a register."""

    registers: Array


@dataclass(frozen=True, slots=True)
class Outside:
    """An array of `extent` rows that is zero, or the memory field `base`, but for the row of a
    slot, whose entries are in registers.
    """

    base: str
    extent: int
    slot: int | None = None
    registers: Array | None = None


class Reader:
    """Forms over the arrays that are readable now, for a program.

    `where` says what is being planned, for the sentence of a refusal.
    """

    def __init__(self, network: str, program: Program) -> None:
        self.network = network
        self.program = program
        self.arrays: Mapping[str, Held | Outside] = {}
        self.where = "the input"
        self.zero: frozenset[str] = frozenset()
        """Arrays of which every entry is 0."""

    def refuse(self, why: str) -> NoReturn:
        """Raise NoSupportError for what is being planned."""
        raise NoSupportError(
            f"the support engine does not apply to the network {self.network}: "
            f"{self.where}: {why}. Choose the sparse engine."
        )

    def form(self, affine: Affine, place: Place) -> Form:
        """An affine form at a place, in registers."""
        form = ZERO
        for term in self.present(affine).terms:
            for factor, at in self._summands(term, ONE, term.bounds, place):
                weight = multiplied(factor, self._weight(term.coefficient, at))
                if weight:
                    entry = ONE if term.ref is None else self._entry(term.ref, at)
                    form = added(form, multiplied(weight, entry))
        return form

    def present(self, affine: Affine) -> Affine:
        """An affine form without what it reads of arrays that are 0."""
        if not self.zero:
            return affine
        terms = [term for term in affine.terms if not term.ref or term.ref.field not in self.zero]
        return Affine(tuple(terms))

    def _weight(self, coefficient: Expr, place: Place) -> Form:
        expr = coefficient.substitute(place)
        if expr.constant is not None:
            return {(): expr.constant} if expr.constant != 0 else ZERO
        return self.program.coefficient(expr)

    def _summands(
        self, term: Term, factor: Form, bounds: Sequence[Bound], place: Place
    ) -> Iterator[tuple[Form, Place]]:
        """The places at which a term's summands can be other than zero, with a factor."""
        if not bounds:
            yield factor, place
            return
        bound, *rest = bounds
        low, high = bound.low.substitute(place), bound.high.substitute(place)
        array = self.arrays[term.ref.field] if term.ref else None
        if (
            isinstance(array, Outside)
            and term.ref is not None
            and term.ref.positions[0] == var(bound.name)
        ):
            if array.base or array.slot is None:
                self.refuse(f"it sums over all rows of {term.ref.field}")
            here = slot_name(array.slot)
            if low.constant != 0 or high.constant != array.extent:
                inside = at_most(low, here) * at_most(here + 1, high)
                factor = multiplied(factor, self.program.coefficient(inside))
            yield from self._summands(term, factor, rest, {**place, bound.name: here})
            return
        if low.constant is None or high.constant is None:
            self.refuse("the ends of a sum depend on a row")
        if high.constant - low.constant > MOST_ROWS:
            self.refuse(f"it sums {high.constant - low.constant} terms")
        for at in range(int(low.constant), int(high.constant)):
            yield from self._summands(term, factor, rest, {**place, bound.name: to_expr(at)})

    def _entry(self, ref: Ref, place: Place) -> Form:
        """An entry of an array."""
        array = self.arrays[ref.field]
        positions = [normal(position.substitute(place)) for position in ref.positions]
        if isinstance(array, Held):
            at = self._numbers(ref, positions)
            self._check_inside(ref, at, array.registers.shape)
            return {(int(array.registers[at]),): 1}
        row, *rest = positions
        at = self._numbers(ref, rest)
        if row.constant is not None:
            self._check_inside(ref, (row.constant,), (array.extent,))
        base: Form = {(self.program.bit(row, at[0]),): 1} if array.base else ZERO
        if array.slot is None or array.registers is None:
            return base
        self._check_inside(ref, at, array.registers.shape)
        own: Form = {(int(array.registers[at]),): 1}
        here = slot_name(array.slot)
        if row == here:
            return own
        meets = self.program.coefficient(equal(here, row))
        misses = added(ONE, multiplied({(): -1}, meets))
        return added(multiplied(meets, own), multiplied(misses, base))

    def _numbers(self, ref: Ref, positions: Sequence[Expr]) -> tuple[int, ...]:
        found = []
        for position in positions:
            if not isinstance(position.constant, int):
                self.refuse(f"it reads {ref} at a place found at run time")
            found.append(position.constant)
        return tuple(found)

    def _check_inside(self, ref: Ref, at: Sequence[Any], shape: Sequence[int]) -> None:
        if not all(0 <= one < extent for one, extent in zip(at, shape, strict=True)):
            raise IndexError(f"{self.where}: {ref} at {tuple(at)} is outside its shape")
