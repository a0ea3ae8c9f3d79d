"""Lines by their form: lines that differ only in names and numbers are parsed once.

The parser takes some 100 microseconds a line, and a long program has few forms of lines: `loop: x
?+6` and `top: sum ?+12` have the same one, `a: a ?+0`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern

from verified_mlp.assembler.parse import parse
from verified_mlp.assembler.syntax import (
    Data,
    Expression,
    Include,
    Instruction,
    Item,
    Labels,
    LineError,
    MacroEnd,
    MacroStart,
    Name,
    Statement,
)

# What is kept as it is comes first: strings, characters, and names after a dot.  A number that
# runs into a name is not replaced, so that the parser refuses it.
_WORDS = re.compile(
    r"""(?P<kept> "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | \.(?:include|macro|end)(?![:\w]) )
    | (?P<comment> \# )
    | (?P<name> [A-Za-z_]\w* )
    | (?P<number> \d+(?!\w) )""",
    re.ASCII | re.VERBOSE,
)
_MAX_DIGITS = 20
"""No word has more digits, and int() refuses very long numbers."""


def parse_line(text: str) -> list[Statement]:
    """The statements of a line.

    Raises LineError for a line that is none.

    >>> [type(each).__name__ for each in parse_line("top: a b; . x:1  # two")]
    ['Instruction', 'Data']
    """
    pieces: list[str] = []
    columns = [0]
    words: dict[int, str] = {}
    done, end = 0, len(text)
    for match in _WORDS.finditer(text):
        kind = match.lastgroup
        if kind == "kept":
            continue
        start = match.start()
        if kind == "comment":
            end = start
            break
        pieces += text[done:start], "a" if kind == "name" else "0"
        columns += range(done + 1, start + 2)
        words[len(columns) - 1] = match[0]
        done = match.end()
    pieces.append(text[done:end])
    columns += range(done + 1, end + 2)
    try:
        statements = _parse_form("".join(pieces))
    except LineError:
        return parse(text)  # for an error with the line's own words and columns
    return _Filler(columns, words).statements(statements)


@lru_cache(maxsize=4096)
def _parse_form(form: str) -> list[Statement]:
    return parse(form)


class _Filler:
    """Puts the words of a line, by their column in its form, and its columns into the form."""

    def __init__(self, columns: list[int], words: dict[int, str]) -> None:
        self.columns = columns
        self.words = words

    def statements(self, form: list[Statement]) -> list[Statement]:
        return [self._statement(each) for each in form]

    def _statement(self, form: Statement) -> Statement:
        if isinstance(form, Instruction):
            return Instruction(self._items(form.items))
        if isinstance(form, Data):
            return Data(self._names(form.labels), self._items(form.items))
        if isinstance(form, Labels):
            return Labels(self._names(form.labels))
        if isinstance(form, Include):
            return Include(form.path, self.columns[form.column])
        if isinstance(form, MacroStart):
            return MacroStart(self._name(form.name), self._names(form.parameters))
        return MacroEnd(self.columns[form.column])

    def _items(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        found = []
        for labels, value, column in items:
            names = self._names(labels) if labels else ()
            if isinstance(value, bytes):
                found.append(Item(names, value, self.columns[column]))
            else:
                found.append(Item(names, self._sum(value), self.columns[column]))
        return tuple(found)

    def _sum(self, form: Expression) -> Expression:
        constant, nexts, terms, column = form
        names = []
        for word, sign in terms:
            text = self.words[word.column]
            if word.text == "0":
                constant += sign * self._number(text, word.column)
            else:
                names.append((self._name(word), sign))
        return Expression(constant, nexts, tuple(names), self.columns[column])

    def _number(self, text: str, column: int) -> int:
        if len(text) > _MAX_DIGITS:
            text = text.lstrip("0") or "0"
        if len(text) > _MAX_DIGITS:
            raise LineError(
                self.columns[column],
                f"the number {text[:17]}... has {len(text)} digits, and no word holds more than "
                f"{_MAX_DIGITS}. Use a smaller number.",
            )
        return int(text)

    def _names(self, names: tuple[Name, ...]) -> tuple[Name, ...]:
        return tuple(map(self._name, names))

    def _name(self, name: Name) -> Name:
        return Name(intern(self.words[name.column]), self.columns[name.column])
