"""The grammar of a line of assembly, and the parser made from it.

A line holds everything up to its end: no statement goes over two lines.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken, v_args

from verified_mlp.assembler.explain import explain_character, explain_word
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

# A sign with a blank before and none after it (TIGHT) could begin an operand or continue one, so
# it may do neither where both are possible.
GRAMMAR = r"""
line: [statement] (";" [statement])*

?statement: labels                    -> bare
          | items                     -> instruction
          | "." items                 -> data
          | labels "." items          -> labelled_data
          | INCLUDE STRING            -> include
          | MACRO NAME NAME*          -> macro_start
          | END                       -> macro_end

items: first next*
?first: signed                        -> item
      | labels signed                 -> labelled_item
      | STRING                        -> string
      | labels STRING                 -> labelled_string
?next: sum                            -> item
     | labels signed                  -> labelled_item
     | STRING                         -> string
     | labels STRING                  -> labelled_string
labels: LABEL+

?signed: sum | led
?sum: atom
    | sum PLUS term                   -> binary
    | sum MINUS term                  -> binary
?led: sign term                       -> unary
    | led PLUS term                   -> binary
    | led MINUS term                  -> binary
?term: atom | sign term               -> unary
?inner: term | inner sign term        -> binary
?sign: PLUS | PLUS_TIGHT | MINUS | MINUS_TIGHT
?atom: NUMBER                         -> word
     | CHARACTER                      -> character
     | NAME                           -> word
     | NEXT                           -> next_cell
     | OPEN inner CLOSE               -> enclosed

LABEL: /[A-Za-z_][A-Za-z_0-9]*[ \t]*:/
NAME: /[A-Za-z_][A-Za-z_0-9]*/
NUMBER: /[0-9]+(?![A-Za-z_0-9])/
CHARACTER: /'(?:\\.|[^'\\])*'/
STRING: /"(?:\\.|[^"\\])*"/
NEXT: "?"
OPEN: "("
CLOSE: ")"
PLUS_TIGHT.1: /(?<=[ \t])\+(?=[^ \t])/
MINUS_TIGHT.1: /(?<=[ \t])-(?=[^ \t])/
PLUS: "+"
MINUS: "-"
INCLUDE.2: /\.include(?![A-Za-z_0-9:])/
MACRO.2: /\.macro(?![A-Za-z_0-9:])/
END.2: /\.end(?![A-Za-z_0-9:])/
%ignore /[ \t\r\f\v]+/
%ignore /#.*/
"""

_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, "'": 39, '"': 34}
_PARTS = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|[^\\]+", re.DOTALL)


def parse(text: str) -> list[Statement]:
    """The statements of a line, in which a number is a name that begins with a digit.

    Raises LineError for a line that is none.
    """
    try:
        found: Any = _parser().parse(text)
    except UnexpectedCharacters as error:
        raise explain_character(text, error.column) from error
    except UnexpectedToken as error:
        raise explain_word(error) from error
    statements: list[Statement] = found
    return statements


class _Sum(NamedTuple):
    """A sum that is being read: a leaf, or two parts, of which the second may be negative."""

    left: Any
    right: Any
    minus: bool


@v_args(inline=True)
class _Build(Transformer[Token, Any]):
    """Makes statements while the parser runs, so no tree of the text is ever there."""

    def line(self, *statements: Statement | None) -> list[Statement]:
        return [each for each in statements if each is not None]

    def bare(self, labels: tuple[Name, ...]) -> Statement:
        return Labels(labels)

    def instruction(self, items: tuple[Item, ...]) -> Statement:
        return Instruction(items)

    def data(self, items: tuple[Item, ...]) -> Statement:
        return Data((), items)

    def labelled_data(self, labels: tuple[Name, ...], items: tuple[Item, ...]) -> Statement:
        return Data(labels, items)

    def include(self, token: Token, path: Token) -> Statement:
        return Include(_bytes_of(path), _column(token))

    def macro_start(self, _: Token, name: Token, *parameters: Token) -> Statement:
        return MacroStart(_name(name), tuple(map(_name, parameters)))

    def macro_end(self, token: Token) -> Statement:
        return MacroEnd(_column(token))

    def items(self, *items: Item) -> tuple[Item, ...]:
        return items

    def item(self, value: Any) -> Item:
        expression = _flat(value)
        return Item((), expression, expression.column)

    def labelled_item(self, labels: tuple[Name, ...], value: Any) -> Item:
        return Item(labels, *self.item(value)[1:])

    def string(self, token: Token) -> Item:
        return Item((), _bytes_of(token), _column(token))

    def labelled_string(self, labels: tuple[Name, ...], token: Token) -> Item:
        return Item(labels, *self.string(token)[1:])

    def labels(self, *tokens: Token) -> tuple[Name, ...]:
        return tuple(Name(each[:-1].rstrip(), _column(each)) for each in tokens)

    def binary(self, left: Any, sign: Token, right: Any) -> Any:
        return _Sum(left, right, sign == "-")

    def unary(self, sign: Token, term: Any) -> Any:
        return _Sum(Expression(0, 0, (), _column(sign)), term, sign == "-")

    def enclosed(self, opening: Token, inner: Any, _: Token) -> Any:
        return _Sum(Expression(0, 0, (), _column(opening)), inner, False)

    def character(self, token: Token) -> Any:
        value = _bytes_of(token)
        if len(value) != 1:
            raise LineError(
                _column(token),
                f"a character in '...' is one byte, and this is {len(value)}. Give one character, "
                'or a data statement with a string: . "...".',
            )
        return Expression(value[0], 0, (), _column(token))

    def word(self, token: Token) -> Any:
        name = _name(token)
        return Expression(0, 0, ((name, 1),), name.column)

    def next_cell(self, token: Token) -> Any:
        return Expression(0, 1, (), _column(token))


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="line", parser="lalr", lexer="basic", transformer=_Build())


def _flat(value: Any) -> Expression:
    """The sum of all parts; they may be nested as deep as a line is long."""
    if isinstance(value, Expression):
        return value
    constant, nexts, names = 0, 0, []
    first = value
    while isinstance(first, _Sum):
        first = first.left
    waiting = [(value, 1)]
    while waiting:
        part, sign = waiting.pop()
        if isinstance(part, _Sum):
            waiting.append((part.right, -sign if part.minus else sign))
            waiting.append((part.left, sign))
        else:
            constant += sign * part.constant
            nexts += sign * part.nexts
            names += [(name, sign * each) for name, each in part.names]
    return Expression(constant, nexts, tuple(names), first.column)


def _bytes_of(token: Token) -> bytes:
    """What stands between quotes, in UTF-8, with its escapes replaced."""
    found = bytearray()
    for part in _PARTS.finditer(token[1:-1]):
        text = part[0]
        if not text.startswith("\\"):
            found += text.encode("utf-8", "surrogatepass")
        elif len(text) == 4:
            found.append(int(text[2:], 16))
        elif text[1] in _ESCAPES:
            found.append(_ESCAPES[text[1]])
        else:
            raise LineError(
                _column(token) + 1 + part.start(),
                f"there is no escape {text}. Use \\n, \\t, \\r, \\0, \\\\, \\', \\\" or, "
                "for any byte, \\x and two hexadecimal digits.",
            )
    return bytes(found)


def _name(token: Token) -> Name:
    return Name(str(token), _column(token))


def _column(token: Token) -> int:
    assert token.column is not None
    return token.column
