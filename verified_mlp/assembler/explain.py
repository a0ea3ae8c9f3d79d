"""Why a line does not follow the grammar: a sentence about what stands there, and a cure."""

from __future__ import annotations

import re
from typing import Any

from lark import Token, UnexpectedToken

from verified_mlp.assembler.syntax import LineError, Name

_WORD = re.compile(r"[A-Za-z_0-9]+")
_OPERANDS = {"NAME", "NUMBER", "CHARACTER", "NEXT", "OPEN", "LABEL"}
_STRING = "a string cannot be part of a sum. Use a character in '...'."


def explain_character(text: str, column: int) -> LineError:
    """Why no word of the notation begins at this column of a line."""
    found = text[column - 1]
    word = _WORD.match(text, column - 1)
    if word:
        return LineError(
            column,
            f"'{_short(word[0])}' is neither a number nor a name. Numbers are decimal, and names "
            f"do not begin with a digit.",
        )
    shown = f"'{found}'" if found.isprintable() else f"U+{ord(found):04X}"
    sentence = {
        '"': 'the string has no end. Close it with " on the same line.',
        "'": "the character has no end. Close it with ' on the same line.",
        ",": "',' has no meaning here. Put blanks between operands.",
        ":": "':' ends a label, and there is none before it. A label is a name: letters, digits "
        "and '_', with no digit first.",
        "*": "'*' is no operator here. A sum has + and - only.",
        "/": "'/' is no operator here. A sum has + and - only, and a comment begins with '#'.",
    }.get(
        found,
        f"the character {shown} has no meaning here. Remove it, or put it into a '#' comment.",
    )
    return LineError(column, sentence)


def explain_word(error: UnexpectedToken) -> LineError:
    """Why a word cannot stand where it does, after what was read before it."""
    token = error.token
    stack: list[Any] = error.interactive_parser.parser_state.value_stack
    last: Any = stack[-1] if stack else None
    before = last.type if isinstance(last, Token) else ""
    ends = token.type in ("$END", "SEMICOLON")

    started = _directive(stack, token)
    if started:
        return started
    if before.startswith(("PLUS", "MINUS")):
        if token.type == "STRING":
            return _at(token, _STRING)
        return _at(last, f"an operand is missing after '{last}'. Write one.")
    opened = [each for each in stack if isinstance(each, Token) and each.type == "OPEN"]
    if opened:
        if token.type == "STRING":
            return _at(token, _STRING)
        if before == "OPEN":
            return _at(last, "a sum is missing after '('. Write one.")
        if token.type in _OPERANDS:
            return _at(token, f"'+', '-' or ')' is missing before '{_short(token)}'. Write one.")
        return _at(opened[-1], "the '(' is not closed. Put a ')' after its sum.")
    if before == "DOT" and ends:
        return _at(last, "the data statement is empty. Give it a number, a sum or a string.")
    label = _label(last)
    if label:
        return LineError(
            label.column,
            f"the label '{_short(label.text)}' stands before no cell. Put it before one, or into a "
            f"statement of its own, where it names the next cell.",
        )
    if token.type in ("PLUS", "MINUS"):
        return _at(token, _STRING)
    if token.type.endswith("_TIGHT"):
        return _at(
            token,
            f"'{token}' after a blank could begin an operand or continue a sum. Write ({token}x) "
            f"for an operand of its own, or x {token} y for a sum.",
        )
    if token.type == "CLOSE":
        return _at(token, "this ')' closes nothing. Remove it, or write the '(' that it closes.")
    return _at(token, f"'{token}' can only begin a statement. Put ';' or a new line before it.")


def _directive(stack: list[Any], token: Token) -> LineError | None:
    """What is wrong in a statement that begins with a name after a dot; None if none is begun."""
    kinds = [each.type if isinstance(each, Token) else "" for each in stack]
    begun = [kind for kind in kinds if kind in ("INCLUDE", "MACRO", "END")]
    if not begun:
        return None
    if kinds[-1] == "INCLUDE":
        return _at(stack[-1], 'after .include comes a file in quotes, as in .include "lib.asm".')
    if begun[-1] == "MACRO":
        at = stack[-1] if token.type == "$END" else token
        return _at(
            at, "after .macro come a name and the names of parameters, with blanks between them."
        )
    return _at(
        token, f"the statement ends before '{_short(token)}'. Put ';' or a new line before it."
    )


def _label(read: Any) -> Name | None:
    """The last of the labels that were read last."""
    if isinstance(read, Token) and read.type == "LABEL":
        return Name(read[:-1].rstrip(), read.column or 1)
    if isinstance(read, tuple) and read and isinstance(read[-1], Name):
        return read[-1]
    return None


def _at(token: Token, sentence: str) -> LineError:
    assert token.column is not None
    return LineError(token.column, sentence)


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:27]}..."
