"""Guesses for `proofs.relu_property.decide` by linear programming in float64.

HiGHS looks for a point that breaks no inequality by more than t, with the least t.  If that is
positive, the dual values are multipliers with which the inequalities add up to a contradiction, up
to rounding.  Both are proposals: what is concluded from them is found by exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from proofs.relu_property.bounds import Interval
from proofs.relu_property.decide import Atom, Guess
from proofs.relu_property.network import ZERO

_CLOSE = 1e-6
"""If t is nearer to 0, the float answer may be wrong."""
_DIGITS = 2**40
"""Multipliers, of which the largest is 1, are rounded to so many parts of 1."""


def guess(values: Sequence[Interval], inequalities: Sequence[Atom], wanted: int) -> Guess:
    """Multipliers, and a point, for inequalities over variables with bounds.

    The first `wanted` of the inequalities are those that may be broken by t; if the others
    exclude each other, all may.
    """
    for elastic in (wanted, len(inequalities)):
        found = _guess(values, inequalities, elastic)
        if found is not None:
            return found
    return Guess({}, [ZERO] * len(values), close=True)


def _guess(values: Sequence[Interval], inequalities: Sequence[Atom], elastic: int) -> Guess | None:
    variables = len(values)
    rows, columns, weights, right = [], [], [], []
    scales: list[Fraction] = []
    for row, atom in enumerate(inequalities):
        scale = max((abs(each) for each in atom.form.terms.values()), default=Fraction(1))
        scales.append(scale)
        for column, weight in atom.form.terms.items():
            rows.append(row)
            columns.append(column)
            weights.append(float(weight / scale))
        right.append(-float(atom.form.constant / scale))
    count = len(inequalities)
    rows += range(elastic)
    columns += [variables] * elastic
    weights += [-1.0] * elastic
    matrix = sp.csr_array((weights, (rows, columns)), (count, variables + 1))
    limits = [(_float(each.low), _float(each.high)) for each in values]
    cost = np.zeros(variables + 1)
    cost[variables] = 1
    found: Any = linprog(
        cost,
        matrix,
        np.array(right),
        bounds=[*limits, (-1, None)],
        method="highs-ds",  # type: ignore[call-overload]
    )
    if found.x is None:
        return None
    duals = -found.ineqlin.marginals
    largest = max(float(duals.max(initial=0)), 1e-300)
    multipliers = {
        int(at): Fraction(round(float(duals[at]) / largest * _DIGITS), _DIGITS) / scales[at]
        for at in np.flatnonzero(duals > 0)
    }
    point = [Fraction(float(each)) for each in found.x[:variables]]
    return Guess(multipliers, point, close=abs(found.fun) < _CLOSE)


def _float(limit: Fraction | None) -> float | None:
    return None if limit is None else float(limit)
