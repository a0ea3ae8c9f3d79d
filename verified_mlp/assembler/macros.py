"""Macros: statements with parameters, and the names that each use of them brings along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from verified_mlp.assembler.syntax import (
    Data,
    Expression,
    Instruction,
    Labels,
    Name,
    Place,
    SourceError,
    Statement,
)

MAX_DEPTH = 100
"""The most macros that may be at work at once, one in another."""
MAX_USES = 2**21
"""The most uses of macros in a program; only macros that use one another could have more."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro: its head, the head's line, and the statements of its body with their places."""

    name: Name
    parameters: tuple[Name, ...]
    place: Place
    body: list[tuple[Statement, Place]] = field(default_factory=list)


class Argument(NamedTuple):
    """What a parameter stands for in one use, and where the names in it belong."""

    value: Expression
    scope: Scope | None
    place: Place


@dataclass(slots=True)
class Scope:
    """One use of a macro: its arguments, the addresses of its labels, and where it is used.

    `sums` remembers the numbers that arguments have come to.
    """

    macro: Macro
    arguments: dict[str, Argument]
    place: Place
    depth: int
    labels: dict[str, int] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"in the macro '{self.macro.name.text}', used at {self.place}"


def labels_of(statement: Statement) -> Iterator[Name]:
    """The labels that a statement gives, in order."""
    if isinstance(statement, Labels | Data):
        yield from statement.labels
    if isinstance(statement, Instruction | Data):
        for item in statement.items:
            yield from item.labels


def check_macro(macro: Macro) -> None:
    """Raise SourceError if a name is there twice among the parameters and labels of a macro."""
    seen: dict[str, Place] = {}
    for parameter in macro.parameters:
        if parameter.text in seen:
            raise SourceError(
                macro.place,
                parameter.column,
                f"the parameter '{parameter.text}' is there twice. Give one of them another name.",
            )
        seen[parameter.text] = macro.place
    for statement, place in macro.body:
        for label in labels_of(statement):
            if label.text in seen:
                raise SourceError(place, label.column, given_twice(label.text, seen[label.text]))
            seen[label.text] = place


def given_twice(name: str, first: Place) -> str:
    """What to say about a label whose name was given before."""
    return f"the name '{name}' is given already at {first}. Give one of them another name."
