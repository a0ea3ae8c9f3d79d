"""Contradictions between bounds, as z3 finds them, and the multipliers that prove them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fractions import Fraction
from math import lcm

import z3
from sympy import QQ
from sympy.polys.matrices import DomainMatrix

from proofs.normal_form import Formulas

RESOURCES = 1_000_000
"""z3's budget for each answer, in rlimit units; without one, nothing contradicts."""


class Contradictions:
    """Contradictions between bounds, over the integers if `whole`, over the rationals otherwise."""

    def __init__(self, formulas: Formulas, whole: bool) -> None:
        self._formulas = formulas
        self._context = z3.Context()
        self._solver = z3.SolverFor("QF_LIA" if whole else "QF_LRA", ctx=self._context)
        self._solver.set("rlimit", RESOURCES)
        self._sort = z3.IntSort(self._context) if whole else z3.RealSort(self._context)
        self._markers: dict[int, z3.BoolRef | None] = {}
        self._terms: dict[int, z3.ArithRef] = {}

    def contradiction(self, literals: Iterable[int]) -> list[int] | None:
        """Literals of bounds that contradict each other, none of which can be left out; None if
        there are none.  Literals of conjunctions are passed over.
        """
        core = self._core(literals)
        if core is None:
            return None
        position = 0
        while position < len(core):
            smaller = self._core(core[:position] + core[position + 1 :])
            if smaller is None:
                position += 1
            else:
                core = smaller
        return core

    def values(self, literals: Collection[int]) -> dict[int, Fraction] | None:
        """Rational values of terms under which bounds hold; None if there are none."""
        if self._core(literals) is not None:
            return None
        model = self._solver.model()
        found = {}
        terms = {term for each in literals for term in self._formulas.bound_of(each) or {} if term}
        for number in sorted(terms):
            value = model.eval(self._terms[number], model_completion=True)
            found[number] = Fraction(value.numerator_as_long(), value.denominator_as_long())
        return found

    def _core(self, literals: Iterable[int]) -> list[int] | None:
        marked = {}
        for literal in literals:
            marker = self._markers[literal] if literal in self._markers else self._new(literal)
            if marker is not None:
                marked[literal] = marker
        # Not through `Solver.check`, which takes longer to look at its arguments than to decide.
        asts = [marker.as_ast() for marker in marked.values()]
        answer = z3.Z3_solver_check_assumptions(
            self._context.ref(), self._solver.solver, len(asts), (z3.Ast * len(asts))(*asts)
        )
        if answer != z3.Z3_L_FALSE:
            return None
        core = {each.get_id() for each in self._solver.unsat_core()}
        return [literal for literal, marker in marked.items() if marker.get_id() in core]

    def _new(self, literal: int) -> z3.BoolRef | None:
        """A proposition that implies a bound; None if the literal is no bound."""
        bound = self._formulas.bound_of(literal)
        marker = None
        if bound is not None:
            constant = bound.pop(0, 0)
            parts = [coefficient * self._term(term) for term, coefficient in bound.items()]
            marker = z3.Bool(f"literal {literal}", self._context)
            self._solver.add(z3.Implies(marker, z3.Sum(parts) >= -constant))
        self._markers[literal] = marker
        return marker

    def _term(self, number: int) -> z3.ArithRef:
        if number not in self._terms:
            self._terms[number] = z3.Const(f"term {number}", self._sort)
        return self._terms[number]


def multipliers(formulas: Formulas, literals: list[int]) -> list[int] | None:
    """Whole numbers above 0 by which bounds that contradict each other, none of which can be left
    out, add up to a number below 0; None if there are none.

    For such bounds the multipliers are unique but for a common factor, so they are the null space
    of the coefficients.
    """
    bounds = [formulas.bound_of(literal) or {} for literal in literals]
    terms = sorted({term for bound in bounds for term in bound if term})
    rows = [[QQ(bound.get(term, 0)) for bound in bounds] for term in terms]
    null = DomainMatrix(rows, (len(terms), len(bounds)), QQ).nullspace().to_list()
    if len(null) != 1:
        return None
    values = [Fraction(int(value.numerator), int(value.denominator)) for value in null[0]]
    sign = 1 if values[0] > 0 else -1
    scale = sign * lcm(*(value.denominator for value in values))
    found = [int(scale * value) for value in values]
    total = sum(factor * bound.get(0, 0) for factor, bound in zip(found, bounds, strict=True))
    return found if min(found) > 0 and total < 0 else None
