"""Exact functions of index variables: the coefficients and the positions in a statement.

An `Expr` is a small immutable tree.  It is evaluated on Python ints, on integer arrays (one
value for each point of an index grid) and on solver terms, from the same tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verified_mlp import logic

Number = int | Fraction


class Operators:
    """The arithmetic that expressions and indices share."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _binary(_add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary(_add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _binary(_sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary(_sub, other, self)

    def __neg__(self) -> Expr:
        return _mul(const(-1), to_expr(self))

    def __mul__(self, other: Any) -> Any:
        return _binary(_mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary(_mul, other, self)

    def __floordiv__(self, divisor: int) -> Expr:
        return _floordiv(to_expr(self), divisor)

    def __mod__(self, divisor: int) -> Expr:
        return _mod(to_expr(self), divisor)


@dataclass(frozen=True, slots=True)
class Expr(Operators):
    """An exact function of index variables.

    `op` is one of `const` (a number), `var` (a name), `add`, `mul`, `floordiv`, `mod`,
    `bit` (word, position), `pow2` (exponent), `eq` and `le` (1 if it holds, else 0).
    Built with operators and the functions of this module; constants are folded.

    >>> i, k = var("i"), var("k")
    >>> str(2 * bit(i, k) - 1)
    '2*bit(i, k) - 1'
    >>> (2 * bit(i, k) - 1).evaluate({"i": 5, "k": 1})
    -1
    """

    op: str
    args: tuple[Any, ...]

    @property
    def constant(self) -> Number | None:
        """The number that this expression is, or None if it depends on an index."""
        return self.args[0] if self.op == "const" else None

    def variables(self) -> frozenset[str]:
        """The names of the index variables it depends on."""
        if self.op == "var":
            return frozenset((self.args[0],))
        if self.op == "const":
            return frozenset()
        return frozenset().union(*(arg.variables() for arg in self.args))

    def substitute(self, values: Mapping[str, Expr]) -> Expr:
        """The expression with index variables replaced by expressions."""
        if self.op == "const":
            return self
        if self.op == "var":
            return values.get(self.args[0], self)
        return _BUILD[self.op](*(arg.substitute(values) for arg in self.args))

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The value at a point (ints), on a grid (arrays) or for solver terms.

        Raises KeyError for a variable without a value.
        """
        match self.op:
            case "const":
                return self.args[0]
            case "var":
                return values[self.args[0]]
        left, *rest = (arg.evaluate(values) for arg in self.args)
        match self.op:
            case "add":
                return left + rest[0]
            case "mul":
                return left * rest[0]
            case "floordiv":
                return logic.quotient(left, rest[0])
            case "mod":
                return left % rest[0]
            case "bit":
                return logic.bit(left, rest[0])
            case "pow2":
                return logic.pow2(left)
            case "eq":
                return logic.where(left == rest[0], 1, 0)
            case "le":
                return logic.where(left <= rest[0], 1, 0)
        raise ValueError(f"no expression is built with {self.op!r}")

    def __str__(self) -> str:
        match self.op:
            case "const" | "var":
                return str(self.args[0])
            case "add":
                right = str(self.args[1])
                if right.startswith("-"):
                    return f"{self.args[0]} - {right[1:]}"
                return f"{self.args[0]} + {right}"
            case "mul":
                if self.args[0] == const(-1):
                    return f"-{_grouped(self.args[1])}"
                return f"{_grouped(self.args[0])}*{_grouped(self.args[1])}"
            case "floordiv":
                return f"{_grouped(self.args[0])} // {self.args[1]}"
            case "mod":
                return f"{_grouped(self.args[0])} % {self.args[1]}"
            case "eq":
                return f"[{self.args[0]} = {self.args[1]}]"
            case "le":
                return f"[{self.args[0]} <= {self.args[1]}]"
        return f"{self.op}({', '.join(map(str, self.args))})"


Extent = int | Expr
"""A number of positions; an expression in parameters where it is not settled."""


@dataclass(frozen=True, slots=True)
class Index(Operators):
    """An index variable that runs over 0..extent-1; it counts as an expression.

    An extent that is a number is an int, also where it is given as an expression.

    >>> str(Index("i", 4) + 1)
    'i + 1'
    """

    name: str
    extent: Extent

    def __post_init__(self) -> None:
        object.__setattr__(self, "extent", to_extent(f"index {self.name}", self.extent))

    @property
    def size(self) -> int:
        """The extent; raises ValueError where it is not a number."""
        return to_number(f"the size of index {self.name}", self.extent)


ExprLike = Expr | Index | int | Fraction


def const(number: Number) -> Expr:
    """The constant expression; an integral Fraction becomes an int."""
    if isinstance(number, Fraction) and number.denominator == 1:
        number = number.numerator
    return Expr("const", (number,))


def var(name: str) -> Expr:
    """An index variable."""
    return Expr("var", (name,))


def to_expr(value: Any) -> Expr:
    """The value as an expression; raises TypeError for anything inexact, floats included."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, Index):
        return var(value.name)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise TypeError(f"an exact int or Fraction is needed here, not {value!r}")
    return const(value)


def to_extent(name: str, value: Extent) -> Extent:
    """The size of what is called `name`, an int where it is a number.

    Raises TypeError for a value that is inexact, ValueError for a number that counts nothing.
    """
    expr = to_expr(value)
    number = expr.constant
    if number is None:
        return expr
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"the size of {name} is {number}: it must be a whole number, 0 or more")
    return number


def to_number(what: str, value: int | Expr) -> int:
    """The value; raises ValueError, saying what it is, where it is not a number."""
    if isinstance(value, int):
        return value
    depends = " and ".join(sorted(value.variables()))
    raise ValueError(f"{what} depends on {depends}; settle it first")


def to_sizes(name: str, extents: Sequence[Extent]) -> tuple[int, ...]:
    """The extents of what is called `name`; raises ValueError where one is not a number."""
    return tuple(to_number(f"the size of {name}", extent) for extent in extents)


def bit(word: ExprLike, position: ExprLike) -> Expr:
    """The bit of an index or constant at a position, least significant first."""
    word, position = to_expr(word), to_expr(position)
    if word.op == position.op == "const":
        return const(logic.bit(word.args[0], position.args[0]))
    return Expr("bit", (word, position))


def pow2(exponent: ExprLike) -> Expr:
    """Two to the power of a non-negative expression."""
    exponent = to_expr(exponent)
    if exponent.op == "const":
        return const(logic.pow2(exponent.args[0]))
    return Expr("pow2", (exponent,))


def equal(left: ExprLike, right: ExprLike) -> Expr:
    """1 where the two are equal, else 0."""
    left, right = to_expr(left), to_expr(right)
    if left.op == right.op == "const":
        return const(int(left == right))
    return Expr("eq", (left, right))


def at_most(left: ExprLike, right: ExprLike) -> Expr:
    """1 where left <= right, else 0."""
    left, right = to_expr(left), to_expr(right)
    if left.op == right.op == "const":
        return const(int(left.args[0] <= right.args[0]))
    return Expr("le", (left, right))


def _binary(combine: Callable[[Expr, Expr], Expr], left: Any, right: Any) -> Any:
    # Forms of other kinds (affine forms among them) define their own side of the operator.
    if not (isinstance(left, ExprLike) and isinstance(right, ExprLike)):
        return NotImplemented
    return combine(to_expr(left), to_expr(right))


def _sub(left: Expr, right: Expr) -> Expr:
    return _add(left, _mul(const(-1), right))


def _add(left: Expr, right: Expr) -> Expr:
    if left.op == right.op == "const":
        return const(left.args[0] + right.args[0])
    if left == const(0):
        return right
    if right == const(0):
        return left
    if left.op == "const":
        left, right = right, left
    # x + 2 - 2 is x: constants meet at the right end, so that equal positions look equal.
    if right.op == "const" and left.op == "add" and left.args[1].op == "const":
        return _add(left.args[0], const(left.args[1].args[0] + right.args[0]))
    return Expr("add", (left, right))


def _mul(left: Expr, right: Expr) -> Expr:
    if left.op == right.op == "const":
        return const(left.args[0] * right.args[0])
    if right.op == "const":
        left, right = right, left
    if left == const(0):
        return left
    if left == const(1):
        return right
    if left.op == "const" and right.op == "mul" and right.args[0].op == "const":
        return _mul(const(left.args[0] * right.args[0].args[0]), right.args[1])
    return Expr("mul", (left, right))


def _check_divisor(divisor: int) -> None:
    # Solvers and Python round quotients by negative numbers differently.
    if divisor < 1:
        raise ValueError(f"an index is divided by {divisor}: the divisor must be 1 or more")


def _floordiv(expr: Expr, divisor: int) -> Expr:
    _check_divisor(divisor)
    if expr.op == "const":
        return const(expr.args[0] // divisor)
    return expr if divisor == 1 else Expr("floordiv", (expr, const(divisor)))


def _mod(expr: Expr, divisor: int) -> Expr:
    _check_divisor(divisor)
    if expr.op == "const":
        return const(expr.args[0] % divisor)
    return const(0) if divisor == 1 else Expr("mod", (expr, const(divisor)))


def _grouped(expr: Expr) -> str:
    text = str(expr)
    return f"({text})" if expr.op in ("add", "mod", "floordiv") or text.startswith("-") else text


_BUILD: dict[str, Callable[..., Expr]] = {
    "add": _add,
    "mul": _mul,
    "floordiv": lambda left, right: _floordiv(left, right.args[0]),
    "mod": lambda left, right: _mod(left, right.args[0]),
    "bit": bit,
    "pow2": pow2,
    "eq": equal,
    "le": at_most,
}
