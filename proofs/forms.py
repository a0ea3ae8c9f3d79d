"""The value of an affine form over integers or terms, its sums kept as folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proofs.theory import Term, product
from verified_mlp.logic import Step
from verified_mlp.statement.affine import Affine, Bound
from verified_mlp.statement.affine import Term as Summand

Read = Callable[..., Term]
"""The entry of a field: its name, then its positions."""

Fold = Callable[[Term, Term, Term, Step], Term]
"""See `logic.fold`."""


def form_value(form: Affine, at: Mapping[str, Any], read: Read, fold: Fold) -> Term:
    """The value of a form where its variables are `at`; terms under equal sums are one fold."""
    groups: dict[tuple[Bound, ...], list[Summand]] = {}
    for each in form.terms:
        groups.setdefault(each.bounds, []).append(each)
    total: Term = 0
    for bounds, terms in groups.items():
        total = plus(total, summed(bounds, terms, at, read, fold))
    return total


def summed(
    bounds: Sequence[Bound],
    terms: Sequence[Summand],
    at: Mapping[str, Any],
    read: Read,
    fold: Fold,
    high: Term = None,
) -> Term:
    """The sum of terms over bounds, one inside the other; the first below `high` if it is given."""
    if not bounds:
        return _plain(terms, at, read)
    bound, *rest = bounds

    def step(index: Term, before: Term) -> Term:
        return before + summed(rest, terms, {**at, bound.name: index}, read, fold)

    end = bound.high.evaluate(at) if high is None else high
    return fold(bound.low.evaluate(at), end, 0, step)


def _plain(terms: Sequence[Summand], at: Mapping[str, Any], read: Read) -> Term:
    total: Term = 0
    for each in terms:
        entry: Term = 1
        if each.ref is not None:
            entry = read(each.ref.field, *(place.evaluate(at) for place in each.ref.positions))
            if isinstance(entry, int) and entry == 0:
                continue
        total = plus(total, product(each.coefficient, dict(at), entry))
    return total


def plus(left: Term, right: Term) -> Term:
    """The sum, without a 0 on the left."""
    return right if isinstance(left, int) and left == 0 else left + right
