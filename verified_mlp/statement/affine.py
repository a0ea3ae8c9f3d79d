"""Affine forms over named fields: one row of a layer, or one wire, for every index at once.

A form is a list of terms `coefficient * field[positions]`, summed over bound indices.  Its
size does not depend on the sizes of the fields, so a row of a memory of a million words is
stated as briefly as one of four.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from verified_mlp.statement.expr import (
    Expr,
    ExprLike,
    Extent,
    Index,
    Number,
    const,
    to_expr,
    to_extent,
    to_number,
    var,
)
from verified_mlp.statement.polynomial import normal


@dataclass(frozen=True, slots=True)
class Ref:
    """An entry of a field: its name and one position for each axis."""

    field: str
    positions: tuple[Expr, ...]

    def __str__(self) -> str:
        if not self.positions:
            return self.field
        return f"{self.field}[{', '.join(map(str, self.positions))}]"


@dataclass(frozen=True, slots=True)
class Bound:
    """A summation index: low <= name < high, and always 0 <= name < extent."""

    name: str
    extent: Extent
    low: Expr
    high: Expr

    def __post_init__(self) -> None:
        object.__setattr__(self, "extent", to_extent(f"index {self.name}", self.extent))

    @property
    def size(self) -> int:
        """The extent; raises ValueError where it is not a number."""
        return to_number(f"the size of index {self.name}", self.extent)

    def __str__(self) -> str:
        return f"{self.low} <= {self.name} < {self.high}"


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient * ref` (`coefficient` alone where ref is None), summed over `bounds`."""

    coefficient: Expr
    ref: Ref | None
    bounds: tuple[Bound, ...] = ()

    def __str__(self) -> str:
        body = str(self.coefficient)
        if self.ref is not None:
            body = str(self.ref) if body == "1" else f"({body}) {self.ref}"
        sums = " ".join(f"sum({bound})" for bound in self.bounds)
        return f"{sums} {body}".strip()

    def variables(self) -> frozenset[str]:
        """The names of the free variables, those of sizes included."""
        found = set(self.coefficient.variables())
        for position in self.ref.positions if self.ref is not None else ():
            found |= position.variables()
        for bound in self.bounds:
            found |= bound.low.variables() | bound.high.variables()
        found -= {bound.name for bound in self.bounds}
        return frozenset(found).union(*(to_expr(bound.extent).variables() for bound in self.bounds))

    def substitute(self, values: Mapping[str, Expr]) -> Term:
        """The term with free variables replaced; bound ones stay."""
        own = {bound.name for bound in self.bounds}
        values = {name: expr for name, expr in values.items() if name not in own}
        ref = self.ref and Ref(
            self.ref.field, tuple(position.substitute(values) for position in self.ref.positions)
        )
        bounds = tuple(
            Bound(
                bound.name,
                to_expr(bound.extent).substitute(values),
                bound.low.substitute(values),
                bound.high.substitute(values),
            )
            for bound in self.bounds
        )
        return Term(self.coefficient.substitute(values), ref, bounds)


@dataclass(frozen=True, slots=True)
class Affine:
    """A sum of terms: exact, immutable, closed under +, - and exact multiples.

    >>> p = field("p", 1)
    >>> k = Index("k", 3)
    >>> str(1 - total(k, p[k]))
    '1 + sum(0 <= k < 3) (-1) p[k]'
    """

    terms: tuple[Term, ...]

    def __add__(self, other: AffineLike) -> Affine:
        return Affine(self.terms + to_affine(other).terms)

    def __radd__(self, other: AffineLike) -> Affine:
        return to_affine(other) + self

    def __neg__(self) -> Affine:
        return self * -1

    def __sub__(self, other: AffineLike) -> Affine:
        return self + -to_affine(other)

    def __rsub__(self, other: AffineLike) -> Affine:
        return to_affine(other) + -self

    def __mul__(self, factor: ExprLike) -> Affine:
        expr = to_expr(factor)
        return Affine(
            tuple(Term(expr * term.coefficient, term.ref, term.bounds) for term in self.terms)
        )

    __rmul__ = __mul__

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms)) or "0"

    def variables(self) -> frozenset[str]:
        """The names of the free variables, those of sizes included."""
        return frozenset().union(*(term.variables() for term in self.terms))

    def substitute(self, values: Mapping[str, Expr]) -> Affine:
        """The form with free variables replaced."""
        return Affine(tuple(term.substitute(values) for term in self.terms))

    def rename(self, prefix: str) -> Affine:
        """The form with every bound index named `prefix.name`, so that none is captured."""
        return Affine(tuple(_rename(term, prefix) for term in self.terms))

    def rewire(self, wires: Mapping[str, Signal]) -> Affine:
        """The form with the fields that `wires` names replaced by what they are wired to."""
        terms: list[Term] = []
        for term in self.terms:
            if term.ref is None or term.ref.field not in wires:
                terms.append(term)
                continue
            for inner in wires[term.ref.field][term.ref.positions].terms:
                terms.append(
                    Term(
                        term.coefficient * inner.coefficient,
                        inner.ref,
                        term.bounds + inner.bounds,
                    )
                )
        return Affine(tuple(terms))


AffineLike = Affine | Expr | Index | Number


def to_affine(form: AffineLike) -> Affine:
    """The form, or the exact constant as a form."""
    if isinstance(form, Affine):
        return form
    expr = to_expr(form)
    return Affine(()) if expr == const(0) else Affine((Term(expr, None),))


class Signal:
    """What can be wired to an input: an affine form for every position of an index space.

    `signal[k]` (or `signal[i, j]`) is the form at a position.  `extent` is its shape where it
    is known.
    """

    __slots__ = ("_at", "extent")

    def __init__(
        self, at: Callable[..., AffineLike], extent: tuple[Extent, ...] | None = None
    ) -> None:
        self._at = at
        self.extent = extent and tuple(to_extent("a signal", each) for each in extent)

    def __getitem__(self, positions: ExprLike | tuple[ExprLike, ...]) -> Affine:
        if not isinstance(positions, tuple):
            positions = (positions,)
        return to_affine(self._at(*positions))


def field(name: str, rank: int, extent: tuple[Extent, ...] | None = None) -> Signal:
    """The signal that reads a field of the given rank entry by entry."""

    def at(*positions: ExprLike) -> Affine:
        if len(positions) != rank:
            raise ValueError(f"{name} has {rank} axes, not {len(positions)}")
        ref = Ref(name, tuple(map(to_expr, positions)))
        return Affine((Term(const(1), ref),))

    return Signal(at, extent)


def total(
    index: Index, form: AffineLike, low: ExprLike = 0, high: ExprLike | None = None
) -> Affine:
    """The sum of a form over low <= index < high (the whole index space unless told).

    Raises ValueError for a `high` that is beyond the index space by a constant.
    """
    last = to_expr(index.extent if high is None else high)
    excess = normal(last - index.extent).constant
    if excess is not None and excess > 0:
        raise ValueError(f"a sum over {index.name} below {last} leaves 0..{index.extent - 1}")
    bound = Bound(index.name, index.extent, to_expr(low), last)
    return Affine(
        tuple(
            Term(term.coefficient, term.ref, (bound, *term.bounds))
            for term in to_affine(form).terms
        )
    )


def _rename(term: Term, prefix: str) -> Term:
    names = {bound.name: var(f"{prefix}.{bound.name}") for bound in term.bounds}
    renamed = Term(term.coefficient, term.ref).substitute(names)
    bounds = tuple(
        Bound(
            f"{prefix}.{bound.name}",
            bound.extent,
            bound.low.substitute(names),
            bound.high.substitute(names),
        )
        for bound in term.bounds
    )
    return Term(renamed.coefficient, renamed.ref, bounds)
