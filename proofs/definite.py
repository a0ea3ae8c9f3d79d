"""Calling functions that a user wrote on terms, so that a term is never taken for a truth value.

To Python, `x == 1` of a term x is false, because x is not the number 1: a specification with `if`,
`in` or `and` would state something else than it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import z3

from verified_mlp.statement.network import Condition, Gadget


class NotAValue(TypeError):
    """A function gave something else than it must; `place` is its file and line."""

    def __init__(self, sentence: str, place: tuple[str, int] | None = None) -> None:
        super().__init__(sentence)
        self.place = place


@contextmanager
def no_branching() -> Iterator[None]:
    """Within the block, a formula whose truth depends on its unknowns has no truth value in
    Python: `if`, `and`, `or`, `not` and `in` raise TypeError.
    """
    before = z3.AstRef.__bool__
    z3.AstRef.__bool__ = _decided
    try:
        yield
    finally:
        z3.AstRef.__bool__ = before


def _decided(condition: Any) -> bool:
    if z3.is_true(condition) or z3.is_false(condition):
        return bool(z3.is_true(condition))
    raise TypeError(
        "a condition on unknowns is neither true nor false; instead of if, and, or, not and in, "
        "use where, both, either and negate of verified_mlp.logic"
    )


def definite(gadget: Gadget) -> Gadget:
    """The gadget with every call of its specification and conditions checked: they may not branch
    on terms, and must give integers and truth values.
    """
    return replace(
        gadget,
        spec={
            name: _checked(spec, f"the specification of {name}", _is_integer, "an integer")
            for name, spec in gadget.spec.items()
        },
        conditions=tuple(_definite_condition(each) for each in gadget.conditions),
    )


def _definite_condition(condition: Condition) -> Condition:
    what = f"the condition {condition.text!r}"
    return replace(condition, holds=_checked(condition.holds, what, _is_truth, "a truth value"))


def _checked(
    function: Callable[..., Any], what: str, fits: Callable[[Any], bool], needed: str
) -> Callable[..., Any]:
    def call(*at: Any, **values: Any) -> Any:
        with no_branching():
            found = function(*at, **values)
        if not fits(found):
            code = getattr(function, "__code__", None)
            raise NotAValue(
                f"{what} gives {_named(found)}, where {needed} is needed",
                (code.co_filename, code.co_firstlineno) if code else None,
            )
        return found

    return call


def _is_integer(found: Any) -> bool:
    if isinstance(found, np.ndarray):
        return found.dtype.kind in "iu" or (
            found.dtype == object and all(map(_is_integer, found.flat))
        )
    if isinstance(found, z3.ArithRef):
        return bool(found.is_int())
    return isinstance(found, int | np.integer) and not isinstance(found, bool)


def _is_truth(found: Any) -> bool:
    if isinstance(found, np.ndarray):
        return found.dtype == bool or (found.dtype == object and all(map(_is_truth, found.flat)))
    return isinstance(found, bool | np.bool_ | z3.BoolRef)


def _named(found: Any) -> str:
    if found is None:
        return "None"
    if _is_truth(found):
        return "a truth value"
    if isinstance(found, np.ndarray):
        return f"an array of {found.dtype}"
    return f"a value of type {type(found).__name__}"
