"""Integer terms and formulas: what a proof speaks of, as plain immutable trees.

Equal terms are one object, so that comparing, replacing and printing them is fast.  Nothing here
knows a solver: a formula is printed (`smtlib`) and read by whoever decides it.

>>> x = unknown("x")
>>> substitute(x + 1 <= 3 * x, (x, x + 2)).args[0].args
(x + 2, 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from verified_mlp import logic

CONSTANT, APPLICATION = "constant", "application"
"""The `op` of a number or truth value, and of a function symbol (a name) with its arguments."""

_SHORT = {"div": "//", "mod": "%", "=": "=="}


class Node:
    """A term or a formula.

    `op` is its SMT-LIB operator, or `constant` or `application`; `label` is then the number or
    truth value, or the name of the function symbol.
    """

    __slots__ = ("__weakref__", "_linear", "_symbols", "args", "label", "op", "text")
    op: str
    label: Any
    args: tuple[Any, ...]
    _linear: Any
    _symbols: Any
    text: Any
    """Its printed form, once `smtlib` has printed it as an assertion."""

    __hash__ = object.__hash__

    @property
    def is_constant(self) -> bool:
        """Whether it is a number or a truth value."""
        return self.op == CONSTANT

    @property
    def is_unknown(self) -> bool:
        """Whether it is a constant symbol, of any value."""
        return self.op == APPLICATION and not self.args

    def symbols(self) -> frozenset[tuple[str, int]]:
        """The function symbols that occur in it: their names and numbers of arguments."""
        if self._symbols is None:
            for node in below(self):
                if node._symbols is None:
                    own = ((node.label, len(node.args)),) if node.op == APPLICATION else ()
                    node._symbols = frozenset(own).union(*(each._symbols for each in node.args))
        found: frozenset[tuple[str, int]] = self._symbols
        return found

    def __repr__(self) -> str:
        if self.op == CONSTANT:
            return str(self.label)
        shown = [f"({arg})" if _is_compound(arg) else str(arg) for arg in self.args]
        if self.op == APPLICATION:
            return f"{self.label}({', '.join(map(str, self.args))})" if self.args else self.label
        if len(shown) == 2:
            return f"{shown[0]} {_SHORT.get(self.op, self.op)} {shown[1]}"
        return f"{self.op}({', '.join(map(str, self.args))})"


class IntTerm(Node):
    """An integer term."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _arithmetic("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _arithmetic("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _arithmetic("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _arithmetic("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _arithmetic("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _arithmetic("*", other, self)

    def __neg__(self) -> IntTerm:
        return _node(IntTerm, "-", None, (self,))

    def __truediv__(self, divisor: Any) -> Any:
        raise TypeError(f"{self} / {divisor} is no integer; divide with //")

    def __floordiv__(self, divisor: Any) -> Any:
        return _division("div", self, divisor)

    def __mod__(self, divisor: Any) -> Any:
        return _division("mod", self, divisor)

    def __eq__(self, other: object) -> Any:
        return _comparison("=", self, other)

    def __ne__(self, other: object) -> Any:
        return _comparison("distinct", self, other)

    def __le__(self, other: Any) -> Any:
        return _comparison("<=", self, other)

    def __lt__(self, other: Any) -> Any:
        return _comparison("<", self, other)

    def __ge__(self, other: Any) -> Any:
        return _comparison(">=", self, other)

    def __gt__(self, other: Any) -> Any:
        return _comparison(">", self, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self.op == CONSTANT:
            return bool(self.label)
        raise TypeError("an unknown number is neither true nor false; compare it with a number")


class BoolTerm(Node):
    """A formula.  Python's `if`, `and`, `or`, `not` and `in` refuse it, unless it is decided."""

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, bool | np.bool_ | BoolTerm):
            return NotImplemented
        return _node(BoolTerm, "=", None, (self, formula(other)))

    def __ne__(self, other: object) -> Any:
        if not isinstance(other, bool | np.bool_ | BoolTerm):
            return NotImplemented
        return _node(BoolTerm, "distinct", None, (self, formula(other)))

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self.op == CONSTANT:
            return bool(self.label)
        raise TypeError(
            "a condition on unknowns is neither true nor false; instead of if, and, or, not and "
            "in, use where, both, either and negate of verified_mlp.logic"
        )


_NODES: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()

Kind = TypeVar("Kind", bound=Node)


def _node(kind: type[Kind], op: str, label: Any, args: tuple[Any, ...]) -> Kind:
    """The one object for this term."""
    key = (kind, op, label, *map(id, args))
    found: Kind | None = _NODES.get(key)
    if found is None:
        found = kind.__new__(kind)
        found.op, found.label, found.args = op, label, args
        found._symbols = found._linear = found.text = None
        _NODES[key] = found
    return found


def term(number: Any) -> IntTerm:
    """A number as a term; a term as it is.  Raises TypeError for anything else."""
    if isinstance(number, IntTerm):
        return number
    if isinstance(number, int | np.integer):
        return _node(IntTerm, CONSTANT, int(number), ())
    raise TypeError(f"{number!r} is no integer")


def formula(truth: Any) -> BoolTerm:
    """A truth value as a formula; a formula as it is.  Raises TypeError for anything else."""
    if isinstance(truth, BoolTerm):
        return truth
    if isinstance(truth, bool | np.bool_):
        return _node(BoolTerm, CONSTANT, bool(truth), ())
    raise TypeError(f"{truth!r} is no truth value")


def unknown(name: str) -> IntTerm:
    """The integer unknown of that name."""
    return _node(IntTerm, APPLICATION, name, ())


def apply(name: str, arguments: Iterable[Any]) -> IntTerm:
    """The function symbol of that name, from integers to an integer, at the arguments."""
    return _node(IntTerm, APPLICATION, name, tuple(map(term, arguments)))


def ite(condition: Any, then: Any, otherwise: Any) -> Any:
    """`then` where the condition holds, else `otherwise`: both numbers, or both truth values."""
    if isinstance(then, BoolTerm | bool | np.bool_) and isinstance(
        otherwise, BoolTerm | bool | np.bool_
    ):
        args = (formula(condition), formula(then), formula(otherwise))
        return _node(BoolTerm, "ite", None, args)
    return _node(IntTerm, "ite", None, (formula(condition), term(then), term(otherwise)))


def conj(*parts: Any) -> BoolTerm:
    """The conjunction."""
    return _node(BoolTerm, "and", None, tuple(map(formula, parts)))


def disj(*parts: Any) -> BoolTerm:
    """The disjunction."""
    return _node(BoolTerm, "or", None, tuple(map(formula, parts)))


def neg(part: Any) -> BoolTerm:
    """The negation."""
    return _node(BoolTerm, "not", None, (formula(part),))


def implies(first: Any, second: Any) -> BoolTerm:
    """The implication."""
    return _node(BoolTerm, "=>", None, (formula(first), formula(second)))


def _arithmetic(op: str, left: Any, right: Any) -> Any:
    if _is_number(left) and _is_number(right):
        return _node(IntTerm, op, None, (term(left), term(right)))
    return NotImplemented


def _comparison(op: str, left: Any, right: Any) -> Any:
    if _is_number(right):
        return _node(BoolTerm, op, None, (left, term(right)))
    return NotImplemented


def _division(op: str, left: IntTerm, divisor: Any) -> Any:
    if not _is_number(divisor):
        return NotImplemented
    by = term(divisor)
    if not by.is_constant or by.label < 1:
        # Solvers and Python round differently there, and a solver may choose x div 0.
        raise TypeError(f"a term is divided by positive numbers only, not by {divisor}")
    return _node(IntTerm, op, None, (left, by))


def _is_number(value: Any) -> bool:
    return isinstance(value, IntTerm | int | np.integer)


def _is_compound(node: Node) -> bool:
    return node.op not in (CONSTANT, APPLICATION)


def below(*roots: Node) -> Iterator[Any]:
    """Every part of the terms once, parts before what they are part of."""
    done: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, opened = stack.pop()
        if opened:
            yield node
        elif id(node) not in done:
            done.add(id(node))
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args))


def applications(root: Node, seen: set[int]) -> Iterator[IntTerm]:
    """The applications of function symbols in a term, outer ones first; `seen` (by id) are left
    out, with their parts, and added to.
    """
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        stack.extend(node.args)
        if node.op == APPLICATION:
            yield node  # type: ignore[misc]


def unknowns(*roots: Node) -> list[IntTerm]:
    """The constant symbols that occur in terms, in the order in which they occur."""
    seen: set[int] = set()
    return [node for root in roots for node in applications(root, seen) if not node.args]


def mentions(root: Node, unknown: IntTerm) -> bool:
    """Whether a constant symbol occurs in a term."""
    return (unknown.label, 0) in root.symbols()


def substitute(root: Kind, *pairs: tuple[Node, Node]) -> Kind:
    """The term with every occurrence of each first member replaced by the second, at once."""
    memo: dict[int, Any] = {id(old): new for old, new in pairs}
    names = {(old.label, len(old.args)) for old, _ in pairs if old.is_unknown}
    only_unknowns = len(names) == len(pairs)
    stack: list[Any] = [root]
    while stack:
        node = stack[-1]
        if id(node) in memo:
            stack.pop()
        elif only_unknowns and names.isdisjoint(node.symbols()):
            memo[id(node)] = stack.pop()
        elif waiting := [arg for arg in node.args if id(arg) not in memo]:
            stack += waiting
        else:
            memo[id(node)] = _node(
                type(node), node.op, node.label, tuple(memo[id(arg)] for arg in node.args)
            )
            stack.pop()
    replaced: Kind = memo[id(root)]
    return replaced


@logic.where.register
def _(condition: BoolTerm, then: Any, otherwise: Any) -> Any:
    return ite(condition, then, otherwise)


@logic.bit_of.register
def _(word: IntTerm, position: int) -> Any:
    return (word // 2**position) % 2


@logic.quotient.register
def _(dividend: IntTerm, divisor: int) -> Any:
    return dividend // divisor
