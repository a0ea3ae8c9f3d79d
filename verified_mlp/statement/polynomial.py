"""The normal form of expressions: those that are equal as polynomials look alike."""

from __future__ import annotations

from verified_mlp.statement.expr import Expr, Number, const

_Polynomial = dict[tuple[Expr, ...], Number]
"""The coefficient of each product of atoms; an atom is any expression but a sum or product."""


def normal(expr: Expr) -> Expr:
    """The expression multiplied out, equal products collected, everything in a fixed order.

    >>> from verified_mlp.statement.expr import var
    >>> i = var("i")
    >>> str(normal(2 * (i + 1) - i * 3))
    '-i + 2'
    """
    result = const(0)
    items = _polynomial(expr).items()
    for atoms, number in sorted(items, key=lambda item: (not item[0], [*map(str, item[0])])):
        product = const(number)
        for atom in atoms:
            product = product * atom
        result = result + product
    return result


def _polynomial(expr: Expr) -> _Polynomial:
    match expr.op:
        case "const":
            return {(): expr.args[0]} if expr.args[0] != 0 else {}
        case "var":
            return {(expr,): 1}
        case "add":
            return _sum(_polynomial(expr.args[0]), _polynomial(expr.args[1]))
        case "mul":
            return _product(_polynomial(expr.args[0]), _polynomial(expr.args[1]))
    args = tuple(normal(arg) for arg in expr.args)
    if expr.op == "eq":
        args = tuple(sorted(args, key=str))
    # Substituting nothing rebuilds the expression, so that constants among the args are folded.
    atom = Expr(expr.op, args).substitute({})
    return {(): atom.args[0]} if atom.op == "const" else {(atom,): 1}


def _sum(left: _Polynomial, right: _Polynomial) -> _Polynomial:
    numbers = dict(left)
    for atoms, number in right.items():
        numbers[atoms] = numbers.get(atoms, 0) + number
    return {atoms: number for atoms, number in numbers.items() if number != 0}


def _product(left: _Polynomial, right: _Polynomial) -> _Polynomial:
    result: _Polynomial = {}
    for atoms, number in left.items():
        for others, factor in right.items():
            joined = tuple(sorted(atoms + others, key=str))
            result = _sum(result, {joined: number * factor})
    return result
