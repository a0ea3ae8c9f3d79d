"""Formulas as SMT-LIB text that depends on nothing but the formulas."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from proofs.terms import APPLICATION, CONSTANT, BoolTerm, Node, below

_LOCAL = "?"
_PLAIN = frozenset("~!@$%^&*_-+=<>.?/") | frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)
_RESERVED = frozenset(("_", "!", "let", "as", "exists", "forall", "match", "par", "true", "false"))
_RESERVED |= {"and", "or", "not", "xor", "ite", "distinct", "div", "mod", "abs", "divisible"}
_RESERVED |= {"+", "-", "*", "/", "=", "=>", "<", "<=", ">", ">=", "~", "^"}


def text_of(assertions: Sequence[BoolTerm]) -> str:
    """The SMT-LIB text that asks whether the assertions can hold together.

    Raises ValueError for a name that SMT-LIB cannot write.
    """
    lines = [f"(assert {_text(assertion)})" for assertion in assertions]
    symbols: frozenset[tuple[str, int]] = frozenset()
    symbols = symbols.union(*(assertion.symbols() for assertion in assertions))
    declared = [
        f"(declare-fun {_quoted(name)} ({' '.join(['Int'] * arity)}) Int)"
        for name, arity in sorted(symbols)
    ]
    return "\n".join(["(set-logic ALL)", *declared, *lines, "(check-sat)", ""])


def _text(root: Node) -> str:
    """The text of a formula, kept with it."""
    if root.text is None:
        root.text = _printed(root)
    found: str = root.text
    return found


def _printed(root: Node) -> str:
    """The text, with a `let` for each part that occurs more than once."""
    nodes = list(below(root))
    uses: dict[Node, int] = dict.fromkeys(nodes, 0)
    for node in nodes:
        for arg in node.args:
            uses[arg] += 1
    texts: dict[Node, str] = {}
    shared: list[str] = []
    names = count()
    for node in nodes:
        texts[node] = text = _of_one(node, [texts[arg] for arg in node.args])
        if uses[node] > 1 and node.args and text.startswith("("):
            local = f"{_LOCAL}{next(names)}"
            shared.append(f"(let (({local} {text})) ")
            texts[node] = local
    return "".join(shared) + texts[root] + ")" * len(shared)


def _of_one(node: Node, args: Sequence[str]) -> str:
    if node.op == CONSTANT:
        if isinstance(node.label, bool):
            return str(node.label).lower()
        return str(node.label) if node.label >= 0 else f"(- {-node.label})"
    if node.op in ("and", "or") and len(args) < 2:
        # SMT-LIB has no conjunction of one formula, or of none.
        return args[0] if args else str(node.op == "and").lower()
    head = _quoted(node.label) if node.op == APPLICATION else node.op
    return f"({head} {' '.join(args)})" if args else head


def _quoted(name: str) -> str:
    if name.startswith(_LOCAL) or set(name) & {"|", "\\"}:
        # A `let` would capture the first, and no quotes hold the others.
        raise ValueError(f"{name!r}: a name begins with {_LOCAL!r} or contains '|' or '\\\\'")
    plain = set(name) <= _PLAIN and name and not name[0].isdigit() and name not in _RESERVED
    return name if plain else f"|{name}|"
