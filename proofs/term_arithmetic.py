"""Arithmetic on terms: sums collected, differences known, values computed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proofs.terms import APPLICATION, CONSTANT, IntTerm, Node, below, term

Linear = tuple[dict[IntTerm, int], int]
"""A sum: the factor of each term, and a number."""


def linear(node: IntTerm) -> Linear:
    """The term as a sum of parts that are no sums."""
    if node.op == CONSTANT:
        return {}, node.label
    if node.op not in ("+", "-", "*"):
        return {node: 1}, 0
    if node._linear is None:
        node._linear = _collected(node)
    found: Linear = node._linear
    return found


def _collected(node: IntTerm) -> Linear:
    if node.op in ("+", "-"):
        first, *rest = map(linear, node.args)
        sign = 1 if node.op == "+" else -1
        return _sum([first, *rest], [sign] if not rest else [1, *[sign] * len(rest)])
    left, right = map(linear, node.args)
    for factor, other in ((left, right), (right, left)):
        if not factor[0]:
            return _sum([other], [factor[1]])
    return {node: 1}, 0


def _sum(parts: Sequence[Linear], factors: Sequence[int]) -> Linear:
    found: dict[IntTerm, int] = {}
    number = 0
    for (terms, constant), factor in zip(parts, factors, strict=True):
        number += factor * constant
        for each, times in terms.items():
            found[each] = found.get(each, 0) + factor * times
    return {each: times for each, times in found.items() if times}, number


def difference(left: IntTerm, right: IntTerm) -> int | None:
    """The first minus the second, if that is a number whatever the unknowns are."""
    terms, number = _sum([linear(left), linear(right)], [1, -1])
    return None if terms else number


def simplified(node: IntTerm) -> IntTerm:
    """An equal term: its parts collected, numbers added up."""
    terms, number = linear(node)
    total: IntTerm | None = None
    for each, times in terms.items():
        part = each if times == 1 else times * each
        total = part if total is None else total + part
    if total is None:
        return term(number)
    return total if not number else total + number


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": lambda *numbers: sum(numbers),
    "-": lambda first, *others: first - sum(others) if others else -first,
    "*": operator.mul,
    "div": operator.floordiv,
    "mod": operator.mod,
    "=": operator.eq,
    "distinct": operator.ne,
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "not": operator.not_,
    "and": lambda *truths: all(truths),
    "or": lambda *truths: any(truths),
    "=>": operator.le,
    "ite": lambda condition, then, otherwise: then if condition else otherwise,
}


def evaluated(root: Node, values: Mapping[IntTerm, int]) -> Any:
    """The number or truth value of a term without functions, its unknowns having these values.

    Raises KeyError for an unknown without a value.
    """
    found: dict[Node, Any] = {}
    for node in below(root):
        if node.op == CONSTANT:
            found[node] = node.label
        elif node.op == APPLICATION:
            found[node] = values[node]
        else:
            found[node] = _OPERATIONS[node.op](*(found[arg] for arg in node.args))
    return found[root]
