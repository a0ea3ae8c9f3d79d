"""The assembler: statements become cells, then labels become addresses.

The first pass lays out the cells and notes which of them name labels; the second, when every label
has its address, adds these.  Both take time and memory that grow with the source and no faster.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from verified_mlp.assembler.forms import parse_line
from verified_mlp.assembler.macros import (
    MAX_DEPTH,
    MAX_USES,
    Argument,
    Macro,
    Scope,
    check_macro,
    given_twice,
)
from verified_mlp.assembler.sources import identity, included_path, included_text, read_source
from verified_mlp.assembler.syntax import (
    AssemblyError,
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
    Place,
    SourceError,
    Statement,
    is_name,
)
from verified_mlp.machine.shape import MAX_BITS, MAX_WORDS

MANY = 10_000
"""So many labels are looked through for one that is spelt alike."""
_NEXT = Expression(0, 1, (), 1)


@dataclass(frozen=True, slots=True)
class Program:
    """What a source says.

    `numbers` are its words as written: signed or unsigned, of any width up to `bits`.  `symbols`
    are its labels, but for those of macros.  `lines` are the lines that were read, in order, each
    with the address of the first cell after what was read before it.
    """

    numbers: list[int]
    symbols: dict[str, int]
    lines: list[tuple[Place, int]]


def assemble_file(path: Path, bits: int | None = None, words: int | None = None) -> Program:
    """The program in a file, as `assemble`."""
    return assemble(read_source(path), str(path), bits, words)


def assemble(
    text: str,
    name: str = "source",
    bits: int | None = None,
    words: int | None = None,
    read: Callable[[Path], str] = read_source,
) -> Program:
    """The program in a text; `name` is the source's name in messages and for what it includes.

    `bits` and `words` are the width and the number of words that it must fit into (None: any that
    a machine can have).  Raises AssemblyError, with the place if there is one, for what is no
    program.

    >>> assemble("top: x (-1); x x (-1); . x: 'A'").numbers
    [6, -1, 3, 6, 6, -1, 65]
    """
    width = MAX_BITS if bits is None else bits
    most = min(MAX_WORDS, 1 << width) if words is None else words
    assembler = _Assembler(width, most)
    assembler.read_all(text, name, read)
    assembler.add_labels()
    if not assembler.cells:
        raise AssemblyError(f"the source {name} is empty: write an instruction or data into it.")
    symbols = {label: where.address for label, where in assembler.symbols.items()}
    return Program(assembler.cells, symbols, assembler.lines)


class _Label(NamedTuple):
    """The address of a label, and where it was given."""

    address: int
    place: Place


class _Open(NamedTuple):
    """A cell whose number lacks what the names stand for."""

    address: int
    value: Expression
    scope: Scope | None
    place: Place


@dataclass(slots=True)
class _Assembler:
    """The state of the two passes."""

    bits: int
    words: int
    cells: list[int] = field(default_factory=list)
    symbols: dict[str, _Label] = field(default_factory=dict)
    lines: list[tuple[Place, int]] = field(default_factory=list)
    macros: dict[str, Macro] = field(default_factory=dict)
    uses: int = 0
    unfinished: list[_Open] = field(default_factory=list)

    # The first pass: cells

    def read_all(self, text: str, name: str, read: Callable[[Path], str]) -> None:
        """Lay out the cells of a source and of what it includes."""
        sources = [self._statements(text, name)]
        included = {identity(Path(name))}
        started: Macro | None = None
        while sources:
            place, statement = next(sources[-1], (None, None))
            if place is None or statement is None:
                sources.pop()
                if started:
                    raise SourceError(
                        started.place,
                        started.name.column,
                        f"the macro '{started.name.text}' has no end. Put .end after its body.",
                    )
            elif isinstance(statement, MacroEnd):
                if started is None:
                    raise SourceError(place, statement.column, ".end ends no macro. Remove it.")
                self._define(started)
                started = None
            elif started:
                _check_inside(statement, place)
                started.body.append((statement, place))
            elif isinstance(statement, MacroStart):
                started = Macro(statement.name, statement.parameters, place)
            elif isinstance(statement, Include):
                path = included_path(statement, place)
                if identity(path) not in included:
                    included.add(identity(path))
                    sources.append(
                        self._statements(included_text(path, statement, place, read), str(path))
                    )
            else:
                self._lay(statement, place, None)

    def _statements(self, text: str, name: str) -> Iterator[tuple[Place, Statement]]:
        """The statements of a source, each with its line, which is noted when it is reached."""
        # Only a new line or carriage return ends a line.
        for number, line in enumerate(io.StringIO(text, newline=None), 1):
            place = Place(name, number, line.rstrip("\n"))
            self.lines.append((place, len(self.cells)))
            try:
                statements = parse_line(place.text)
            except LineError as error:
                raise SourceError(place, error.column, str(error)) from error
            for statement in statements:
                if self.lines[-1][0] is not place:  # back from a source that it includes
                    self.lines.append((place, len(self.cells)))
                yield place, statement

    def _define(self, macro: Macro) -> None:
        check_macro(macro)
        name = macro.name
        before = self.macros.get(name.text)
        if before:
            sentence = f"the macro '{name.text}' is there already, at {before.place}."
        elif name.text in self.symbols:
            label = self.symbols[name.text]
            sentence = f"'{name.text}' is a label already, at {label.place}."
        else:
            self.macros[name.text] = macro
            return
        raise SourceError(macro.place, name.column, f"{sentence} Give one of them another name.")

    def _lay(self, statement: Statement, place: Place, scope: Scope | None) -> None:
        """Append the cells of a statement."""
        if isinstance(statement, Labels):
            self._name(statement.labels, place, scope)
        elif isinstance(statement, Data):
            self._name(statement.labels, place, scope)
            for item in statement.items:
                self._name(item.labels, place, scope)
                if isinstance(item.value, bytes):
                    for byte in item.value:
                        self._append(Expression(byte, 0, (), item.column), place, scope)
                else:
                    self._append(item.value, place, scope)
        elif isinstance(statement, Instruction):
            macro = self._macro(statement.items[0])
            if macro:
                self._use(macro, statement.items, place, scope)
            else:
                self._lay_instruction(statement.items, place, scope)

    def _lay_instruction(self, items: tuple[Item, ...], place: Place, scope: Scope | None) -> None:
        if len(items) > 3:
            raise _fault(
                place,
                items[3].column,
                f"an instruction has one to three operands, and this has {len(items)}. Begin a "
                f"data statement with '.', or end an instruction with ';'.",
                scope,
            )
        for item in items:
            self._name(item.labels, place, scope)
            self._append(self._sum(item, place, scope), place, scope)
        if len(items) == 1:
            # The second operand is the first once more, not its sum read anew a cell further on.
            value = self._sum(items[0], place, scope)
            self._append(value, place, scope, len(self.cells))
        if len(items) < 3:
            self._append(_NEXT._replace(column=items[-1].column), place, scope)

    def _sum(self, item: Item, place: Place, scope: Scope | None) -> Expression:
        if isinstance(item.value, bytes):
            raise _fault(
                place,
                item.column,
                "a string can stand only in a data statement. Begin that with '.'.",
                scope,
            )
        return item.value

    def _append(
        self, value: Expression, place: Place, scope: Scope | None, following: int | None = None
    ) -> None:
        """Append a cell; `following` is the address that `?` stands for, if not the next cell's."""
        address = len(self.cells)
        if address == self.words:
            raise _fault(
                place,
                value.column,
                f"word {address} of the program is one more than fits: the memory has "
                f"{self.words} words. Choose more words of memory or a shorter program.",
                scope,
            )
        number = value.constant + value.nexts * (address + 1 if following is None else following)
        if scope is None and all(name.text in self.symbols for name, _ in value.names):
            number += self._names_in(value, place, scope)
        elif value.names:
            self.unfinished.append(_Open(address, value, scope, place))
            self.cells.append(number)
            return
        self._check(number, value, place, scope)
        self.cells.append(number)

    def _name(self, labels: tuple[Name, ...], place: Place, scope: Scope | None) -> None:
        """Give labels to the next cell."""
        for label in labels:
            if scope:
                scope.labels[label.text] = len(self.cells)
            elif label.text in self.symbols:
                sentence = given_twice(label.text, self.symbols[label.text].place)
                raise SourceError(place, label.column, sentence)
            elif label.text in self.macros:
                raise SourceError(
                    place,
                    label.column,
                    f"'{label.text}' is a macro already, at {self.macros[label.text].place}. Give "
                    f"one of them another name.",
                )
            else:
                self.symbols[label.text] = _Label(len(self.cells), place)

    # Macros

    def _macro(self, item: Item) -> Macro | None:
        """The macro that an instruction's first item names."""
        if not self.macros or isinstance(item.value, bytes) or not item.value.names:
            return None
        return self.macros.get(item.value.names[0][0].text) if is_name(item.value) else None

    def _use(
        self, macro: Macro, items: tuple[Item, ...], place: Place, outer: Scope | None
    ) -> None:
        """Lay out the body of a macro."""
        call, *arguments = items
        depth = outer.depth + 1 if outer else 1
        self.uses += 1
        if depth > MAX_DEPTH or self.uses > MAX_USES:
            what = f"{MAX_DEPTH} deep" if depth > MAX_DEPTH else f"{MAX_USES} times"
            raise _fault(
                place,
                call.column,
                f"macros are used more than {what}. Let no macro use itself.",
                outer,
            )
        if len(arguments) != len(macro.parameters):
            raise _fault(
                place,
                call.column,
                f"the macro '{macro.name.text}' takes {_count(len(macro.parameters))}, and this "
                f"gives {len(arguments)}. It is defined at {macro.place}.",
                outer,
            )
        self._name(call.labels, place, outer)
        given = {}
        for parameter, item in zip(macro.parameters, arguments, strict=True):
            value = self._sum(item, place, outer)
            if item.labels or value.nexts:
                what = "a label" if item.labels else "'?'"
                raise _fault(
                    place,
                    item.labels[0].column if item.labels else item.column,
                    f"an argument of a macro cannot have {what}, for it is no cell. Label a cell "
                    f"and use its name.",
                    outer,
                )
            given[parameter.text] = Argument(value, outer, place)
        scope = Scope(macro, given, place, depth)
        for statement, inner in macro.body:
            self._lay(statement, inner, scope)

    # The second pass: labels

    def add_labels(self) -> None:
        """Add the addresses that labels stand for to the cells that name them."""
        for address, value, scope, place in self.unfinished:
            number = self.cells[address] + self._names_in(value, place, scope)
            self._check(number, value, place, scope)
            self.cells[address] = number

    def _names_in(self, value: Expression, place: Place, scope: Scope | None) -> int:
        """What the names in a sum add to it."""
        total = 0
        for name, sign in value.names:
            total += sign * self._value(name, place, scope)
        return total

    def _value(self, name: Name, place: Place, scope: Scope | None) -> int:
        """What a name stands for."""
        if scope:
            if name.text in scope.labels:
                return scope.labels[name.text]
            if name.text in scope.sums:
                return scope.sums[name.text]
            argument = scope.arguments.get(name.text)
            if argument:
                value, outer, origin = argument
                total = value.constant + self._names_in(value, origin, outer)
                scope.sums[name.text] = total
                return total
        label = self.symbols.get(name.text)
        if label is None:
            if name.text in self.macros:
                sentence = (
                    f"'{name.text}' is a macro, and no number. A macro is used by its name at the "
                    f"beginning of a statement, after its definition."
                )
            else:
                sentence = f"there is no label '{name.text}:'. {self._cure(name.text)}"
            raise _fault(place, name.column, sentence, scope)
        return label.address

    # Faults

    def _cure(self, missing: str) -> str:
        """What to do about a label that is not there."""
        few = len(self.symbols) <= MANY  # looking for names alike takes long among many
        near = difflib.get_close_matches(missing, self.symbols, n=1) if few else []
        if near:
            return f"Perhaps '{near[0]}' is meant?"
        return "Write it before a cell, or correct the name."

    def _check(self, number: int, value: Expression, place: Place, scope: Scope | None) -> None:
        low, high = -(1 << self.bits - 1), (1 << self.bits) - 1
        if not low <= number <= high:
            raise _fault(
                place,
                value.column,
                f"{number} is out of range: a word of {self.bits} bits is {low} to {high}.",
                scope,
            )


def _fault(place: Place, column: int, sentence: str, scope: Scope | None) -> SourceError:
    return SourceError(place, column, f"{sentence} This is {scope}." if scope else sentence)


def _count(number: int) -> str:
    return "1 argument" if number == 1 else f"{number} arguments"


def _check_inside(statement: Statement, place: Place) -> None:
    """Raise SourceError for what cannot stand in a macro."""
    if isinstance(statement, MacroStart):
        column, what = statement.name.column, "another macro"
    elif isinstance(statement, Include):
        column, what = statement.column, ".include"
    else:
        return
    raise SourceError(
        place, column, f"{what} cannot stand in a macro. Put .end after the body of the first."
    )
