"""The normal form of rows: what is stated alike looks alike.

Two statements that differ in the order of their terms, in the names of their indices or in how
their constants are split have one normal form.  `digest` writes it down; `measure` counts on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from verified_mlp.statement.affine import Affine, Bound, Ref, Term
from verified_mlp.statement.expr import Expr, Index, const, to_expr, var
from verified_mlp.statement.polynomial import normal


def axis_name(axis: int) -> str:
    """The normal name of a family's own index.

    No `Index` of a statement is called so.
    """
    return f"@{axis}"


def sum_name(order: int) -> str:
    """The normal name of a summation index."""
    return f"#{order}"


def collect(row: Affine, indices: Sequence[Index] = ()) -> tuple[Term, ...]:
    """The terms of a row in normal form: each entry is read by one term, no coefficient is 0.

    The family's own `indices` are called `@0`, `@1`, ... and summation indices `#0`, `#1`, ...,
    in the order that reads smallest.

    >>> k = Index("k", 3)
    >>> from verified_mlp.statement.affine import field, total
    >>> p = field("p", 1)
    >>> [str(term) for term in collect(1 - total(k, p[k]) + 1)]
    ['2', 'sum(0 <= #0 < 3) (-1) p[#0]']
    """
    axes = {index.name: var(axis_name(axis)) for axis, index in enumerate(indices)}
    found: dict[str, Term] = {}
    for term in row.terms:
        added = _normal_term(_scoped(term, axes))
        key = str(Term(const(1), added.ref, added.bounds))
        before = found.get(key)
        coefficient = added.coefficient
        if before is not None:
            coefficient = normal(before.coefficient + coefficient)
        found[key] = Term(coefficient, added.ref, added.bounds)
    kept = [term for _, term in sorted(found.items()) if term.coefficient != const(0)]
    return tuple(kept)


def _scoped(term: Term, axes: Mapping[str, Expr]) -> Term:
    """The term with every index renamed; an inner summation index hides an outer name."""
    names = dict(axes)
    bounds = []
    for order, bound in enumerate(term.bounds):
        fresh = sum_name(order)
        low, high = bound.low.substitute(names), bound.high.substitute(names)
        bounds.append(Bound(fresh, bound.extent, low, high))
        names[bound.name] = var(fresh)
    return Term(term.coefficient, term.ref, tuple(bounds)).substitute(names)


def _normal_term(term: Term) -> Term:
    candidates = [_normal_parts(candidate) for candidate in _orders(term)]
    return min(candidates, key=lambda each: (str(Term(const(1), each.ref, each.bounds)), str(each)))


def _normal_parts(term: Term) -> Term:
    ref = term.ref and Ref(term.ref.field, tuple(map(normal, term.ref.positions)))
    bounds = tuple(
        Bound(
            bound.name,
            normal(to_expr(bound.extent)),
            normal(bound.low),
            normal(bound.high),
        )
        for bound in term.bounds
    )
    return Term(normal(term.coefficient), ref, bounds)


def _orders(term: Term) -> Iterator[Term]:
    """The term with its sums in every order that leaves each bound defined before its use."""
    names = {bound.name for bound in term.bounds}
    for bounds in permutations(term.bounds):
        known: set[str] = set()
        for bound in bounds:
            if (bound.low.variables() | bound.high.variables()) & names - known:
                break
            known.add(bound.name)
        else:
            renamed = {bound.name: var(sum_name(at)) for at, bound in enumerate(bounds)}
            body = Term(term.coefficient, term.ref).substitute(renamed)
            yield Term(
                body.coefficient,
                body.ref,
                tuple(
                    Bound(
                        sum_name(at),
                        bound.extent,
                        bound.low.substitute(renamed),
                        bound.high.substitute(renamed),
                    )
                    for at, bound in enumerate(bounds)
                ),
            )
