"""What a line of assembly says, as plain data, and how a fault in a source is reported.

Columns are counted from 1, in characters.
"""

from __future__ import annotations

from typing import NamedTuple

EXCERPT = 100
"""The most characters of a source line that an error message shows."""


class Name(NamedTuple):
    """A name and where it stands."""

    text: str
    column: int


class Expression(NamedTuple):
    """A sum: a constant, `nexts` times the address of the next cell (`?`), and names with signs."""

    constant: int
    nexts: int
    names: tuple[tuple[Name, int], ...]
    column: int


def is_name(value: Expression) -> bool:
    """Whether a sum is a name and nothing else."""
    return not (value.constant or value.nexts) and [sign for _, sign in value.names] == [1]


class Item(NamedTuple):
    """What stands for one cell or, as a string, for a cell of every byte; its labels before it."""

    labels: tuple[Name, ...]
    value: Expression | bytes
    column: int


class Labels(NamedTuple):
    """Labels without a cell: they name the one that comes next."""

    labels: tuple[Name, ...]


class Instruction(NamedTuple):
    """Operands, or the name of a macro and its arguments."""

    items: tuple[Item, ...]


class Data(NamedTuple):
    """Cells as they are; the labels stand before the dot."""

    labels: tuple[Name, ...]
    items: tuple[Item, ...]


class Include(NamedTuple):
    """Another source is to be read here."""

    path: bytes
    column: int


class MacroStart(NamedTuple):
    """The head of a macro."""

    name: Name
    parameters: tuple[Name, ...]


class MacroEnd(NamedTuple):
    """The end of a macro."""

    column: int


Statement = Labels | Instruction | Data | Include | MacroStart | MacroEnd


class Place(NamedTuple):
    """A line of a source: the source's name, the line's number from 1, and its text."""

    source: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}"


class LineError(Exception):
    """A fault in a line: where, and what is wrong and what to do, in whole sentences."""

    def __init__(self, column: int, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column


class AssemblyError(ValueError):
    """Why there is no program, in whole sentences."""


class SourceError(AssemblyError):
    """A fault in a source: file, line and column, what is wrong, what to do, the line and a caret.

    >>> print(SourceError(Place("a.asm", 3, "x 5y z"), 3, "'5y' is no number."))
    a.asm, line 3, column 3: '5y' is no number.
        x 5y z
          ^
    """

    def __init__(self, place: Place, column: int, sentence: str) -> None:
        self.place, self.column = place, column
        shown, before = _excerpt(place.text, column)
        super().__init__(f"{place}, column {column}: {sentence}\n    {shown}\n    {before}^")


def _excerpt(text: str, column: int) -> tuple[str, str]:
    """The line, or the part of it around the column, and the blanks before the caret."""
    text = "".join(each if each.isprintable() or each == "\t" else "\ufffd" for each in text)
    text = text.rstrip()
    start = max(0, column - 1 - EXCERPT // 2) if len(text) > EXCERPT else 0
    shown = text[start : start + EXCERPT]
    head, tail = "..." * (start > 0), "..." * (start + EXCERPT < len(text))
    before = "".join("\t" if each == "\t" else " " for each in shown[: column - 1 - start])
    return f"{head}{shown}{tail}", " " * len(head) + before.ljust(column - 1 - start)
