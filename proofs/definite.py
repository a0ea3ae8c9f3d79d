"""Calling functions that a user wrote: they must give integers and truth values.

That they do not branch on unknowns is seen to by the terms themselves (`terms.BoolTerm`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from proofs.terms import BoolTerm, IntTerm
from verified_mlp.statement.network import Condition, Gadget


class NotAValue(TypeError):
    """A function gave something else than it must; `place` is its file and line."""

    def __init__(self, sentence: str, place: tuple[str, int] | None = None) -> None:
        super().__init__(sentence)
        self.place = place


def definite(gadget: Gadget) -> Gadget:
    """The gadget with every call of its specification and conditions checked: they must
    give integers and truth values.
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
    return isinstance(found, IntTerm | int | np.integer) and not isinstance(found, bool)


def _is_truth(found: Any) -> bool:
    if isinstance(found, np.ndarray):
        return found.dtype == bool or (found.dtype == object and all(map(_is_truth, found.flat)))
    return isinstance(found, bool | np.bool_ | BoolTerm)


def _named(found: Any) -> str:
    if found is None:
        return "None"
    if _is_truth(found):
        return "a truth value"
    if _is_integer(found):
        return "an integer"
    if isinstance(found, np.ndarray):
        return f"an array of {found.dtype}"
    return f"a value of type {type(found).__name__}"
