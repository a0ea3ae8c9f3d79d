"""Formulas as SMT-LIB text that depends on nothing but the formulas.

z3's own printer names and shares terms by the order in which the process made them; a text that
serves as a key, and as a file for another solver, must be the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import z3

_OPERATORS = {"if": "ite"}
_LOCAL = "?"
_PLAIN = frozenset("~!@$%^&*_-+=<>.?/") | frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)


class Printer:
    """Prints assertions; what it has printed, it remembers."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[z3.ExprRef, str, frozenset[tuple[str, int]]]] = {}

    def script(self, assertions: Sequence[z3.BoolRef]) -> str:
        """The script that asks whether the assertions can hold together.

        Only integers, booleans and functions of integers occur.
        """
        lines: list[str] = []
        symbols: set[tuple[str, int]] = set()
        for assertion in assertions:
            _, text, used = self._printed(assertion)
            lines.append(f"(assert {text})")
            symbols |= used
        declared = [
            f"(declare-fun {_quoted(name)} ({' '.join(['Int'] * arity)}) Int)"
            for name, arity in sorted(symbols)
        ]
        return "\n".join(["(set-logic ALL)", *declared, *lines, "(check-sat)", ""])

    def _printed(self, root: z3.BoolRef) -> tuple[z3.ExprRef, str, frozenset[tuple[str, int]]]:
        known = self._known.get(root.get_id())
        if known is None:
            # The term is kept, so that its number is not given to another one.
            known = (root, *_print(root))
            self._known[root.get_id()] = known
        return known


def _print(root: z3.ExprRef) -> tuple[str, frozenset[tuple[str, int]]]:
    """The text of a term, with a `let` for each part that occurs more than once."""
    children: dict[int, tuple[z3.ExprRef, list[z3.ExprRef]]] = {}
    uses: dict[int, int] = {}
    order: list[int] = []
    stack: list[tuple[z3.ExprRef, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        key = node.get_id()
        if done:
            order.append(key)
            continue
        uses[key] = uses.get(key, 0) + 1
        if key in children:
            continue
        below = node.children()
        children[key] = (node, below)
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(below))
    texts: dict[int, str] = {}
    symbols: set[tuple[str, int]] = set()
    shared: list[str] = []
    names = count()
    for key in order:
        node, below = children[key]
        declaration = node.decl()
        if z3.is_int_value(node):
            number = node.as_long()
            texts[key] = str(number) if number >= 0 else f"(- {-number})"
            continue
        name = declaration.name()
        if declaration.kind() == z3.Z3_OP_UNINTERPRETED:
            symbols.add((name, len(below)))
            head = _quoted(name)
        else:
            head = _OPERATORS.get(name, name)
        if not below:
            texts[key] = head if head not in ("and", "or") else str(head == "and").lower()
            continue
        if len(below) == 1 and head in ("and", "or"):
            # z3 has conjunctions of one formula, SMT-LIB has not.
            texts[key] = texts[below[0].get_id()]
            continue
        text = f"({head} {' '.join(texts[child.get_id()] for child in below)})"
        if uses[key] > 1 and key != root.get_id():
            local = f"{_LOCAL}{next(names)}"
            shared.append(f"(let (({local} {text})) ")
            text = local
        texts[key] = text
    return "".join(shared) + texts[root.get_id()] + ")" * len(shared), frozenset(symbols)


def _quoted(name: str) -> str:
    if name.startswith(_LOCAL) or set(name) & {"|", "\\"}:
        # A `let` would capture the first, and no quotes hold the others.
        raise ValueError(f"{name!r}: a name begins with {_LOCAL!r} or contains '|' or '\\\\'")
    return name if set(name) <= _PLAIN and not name[0].isdigit() else f"|{name}|"
