"""Reads the SMT-LIB texts of the proofs into nested lists, and says what their symbols mean.

The grammar is what `smtlib` prints: `set-info`, `set-logic`, `declare-fun` of functions from
integers to an integer, `assert`, and one `check-sat` at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

Expr: TypeAlias = "int | str | list[Expr]"
"""A numeral, a symbol (without its bars), or an application."""

RESERVED = frozenset(
    [
        "and",
        "or",
        "not",
        "=>",
        "=",
        "ite",
        "let",
        "true",
        "false",
        "<",
        "<=",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "div",
        "mod",
        "abs",
        "distinct",
        "xor",
        "forall",
        "exists",
        "assert",
        "declare-fun",
    ]
)

DEPTH = 200
"""How deep expressions may be nested, the bodies of `let` not counted."""

_TOKEN = re.compile(r"""[()]|\|[^|\\]*\||;[^\n]*|[^ \t\r\n()|;"]+|[|"]""")


class UnreadableText(Exception):
    """The text is not a script of the grammar; the message says why."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a text declares, as number of arguments by name, and what it asserts, in order."""

    arities: dict[str, int]
    assertions: list[Expr]


def read(text: str) -> Script:
    """The script that a text spells.

    >>> read("(declare-fun |a b| () Int) (assert (< |a b| 3)) (check-sat)")
    Script(arities={'a b': 0}, assertions=[['<', 'a b', 3]])

    Raises UnreadableText.
    """
    arities: dict[str, int] = {}
    assertions: list[Expr] = []
    commands = _parsed(text)
    if not commands or commands.pop() != ["check-sat"]:
        raise UnreadableText("The text does not end with (check-sat).")
    for command in commands:
        match command:
            case ["assert", assertion]:
                assertions.append(assertion)
            case ["declare-fun", str(name), list(arguments), "Int"] if arguments == ["Int"] * len(
                arguments
            ):
                if name in arities or name in RESERVED:
                    raise UnreadableText(f"{name!r} is declared but already means something.")
                arities[name] = len(arguments)
            case ["set-info", str(), _] | ["set-logic", "ALL"]:
                pass
            case _:
                raise UnreadableText(f"This command is not understood: {_shown(command)}")
    return Script(arities, assertions)


def _parsed(text: str) -> list[Expr]:
    top: list[Expr] = []
    stack: list[list[Expr]] = []
    known: dict[str, int | str] = {}
    for token in _TOKEN.findall(text):
        if token == "(":
            inner: list[Expr] = []
            top.append(inner)
            stack.append(top)
            top = inner
        elif token == ")":
            if not stack:
                raise UnreadableText("The text has a closing parenthesis too many.")
            top = stack.pop()
        elif token[0] != ";":
            atom = known.get(token)
            if atom is None:
                atom = known[token] = _atom(token)
            top.append(atom)
    if stack:
        raise UnreadableText("The text ends before all parentheses are closed.")
    return top


def _atom(token: str) -> int | str:
    if token.isascii() and token.isdigit():
        try:
            return int(token)
        except ValueError as error:
            raise UnreadableText("A number of the text has too many digits.") from error
    if token in ("|", '"'):
        raise UnreadableText(f"The text has a {token} that does not belong to a name.")
    return token.strip("|")


def _shown(expr: Expr) -> str:
    """The beginning of an expression, to recognise it by."""
    shown, stack, length = [], [expr], 0
    while stack and length < 60:
        node = stack.pop()
        if isinstance(node, list):
            stack += [")", *reversed(node), "("]
        else:
            shown.append(str(node))
            length += len(shown[-1]) + 1
    text = " ".join(shown).replace("( ", "(").replace(" )", ")")
    return text if not stack else f"{text[:60]} ..."
