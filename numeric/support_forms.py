"""Straight-line programs over registers: the plan of a pass, before it is computed in some form.

A register holds one number.  A *form* is a polynomial in registers, whose factors beyond the first
are *atoms*: what a weight owes to a row number found at run time, such as one of its bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from verified_mlp.statement.expr import Expr, Number, const, var
from verified_mlp.statement.polynomial import normal

Form = Mapping[tuple[int, ...], Number]
"""The coefficient of each product of registers; that of no registers is the bias."""

ZERO: Form = {}
ONE: Form = {(): 1}


@dataclass(frozen=True, slots=True)
class State:
    """An entry of the state vector's small fields."""

    entry: int


@dataclass(frozen=True, slots=True)
class Bit:
    """A bit of a word of memory: the number of the load, the position in the word."""

    load: int
    position: int


@dataclass(frozen=True, slots=True)
class Atom:
    """What a weight owes to row numbers: an expression in `slot_name`s."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Product:
    """The product of two registers, the first an atom or a product of atoms."""

    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Row:
    """`sum of weight * register + bias`, its ReLU if `relu`; and 0 where the slot `within[0]` is
    not below `within[1]`, for there is no such row.
    """

    terms: tuple[tuple[int, Number], ...]
    bias: Number
    relu: bool
    within: tuple[int, int] | None = None


Op = State | Bit | Atom | Product | Row


class Program:
    """Registers, each with the operation that gives it; equal operations share a register.

    `slots` are row numbers found at run time, each the number that the bits in some registers
    spell; `loads` are the addresses of words of memory, expressions in slots.
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.slots: list[tuple[int, ...]] = []
        self.loads: list[Expr] = []
        self._known: dict[Op, int] = {}

    def register(self, op: Op) -> int:
        """The register that holds what the operation gives."""
        if op not in self._known:
            self._known[op] = len(self.ops)
            self.ops.append(op)
        return self._known[op]

    def slot(self, bits: tuple[int, ...]) -> int:
        """The number of the slot that the bits spell."""
        if bits not in self.slots:
            self.slots.append(bits)
        return self.slots.index(bits)

    def bit(self, address: Expr, position: int) -> int:
        """The register of a bit of the word at an address."""
        address = normal(address)
        if address not in self.loads:
            self.loads.append(address)
        return self.register(Bit(self.loads.index(address), position))

    def row(self, form: Form, relu: bool, within: tuple[int, int] | None = None) -> int:
        """The register of a form; that of its only term where nothing is to be computed."""
        terms: dict[int, Number] = {}
        for registers, weight in form.items():
            if registers:
                at = registers[-1]
                for atom in reversed(registers[:-1]):
                    at = self.register(Product(atom, at))
                terms[at] = terms.get(at, 0) + weight
        row = Row(tuple(sorted(terms.items())), form.get((), 0), relu, within)
        if not relu and within is None and row.bias == 0 and len(row.terms) == 1:
            ((only, weight),) = row.terms
            if weight == 1:
                return only
        return self.register(row)

    def coefficient(self, expr: Expr) -> Form:
        """A weight as a form in atoms."""
        form = ZERO
        for number, factors in monomials(normal(expr)):
            atoms = tuple(sorted(self.register(Atom(factor)) for factor in factors))
            form = added(form, {atoms: number})
        return form


def slot_name(number: int) -> Expr:
    """The variable that stands for a slot's row number; no `Index` of a statement is called so."""
    return var(f"@slot{number}")


def slots_in(expr: Expr) -> frozenset[int]:
    """The numbers of the slots on which an expression depends."""
    return frozenset(int(name.removeprefix("@slot")) for name in expr.variables())


def added(left: Form, right: Form) -> Form:
    """The sum; no term is 0."""
    found = dict(left)
    for registers, number in right.items():
        found[registers] = found.get(registers, 0) + number
        if found[registers] == 0:
            del found[registers]
    return found


def multiplied(left: Form, right: Form) -> Form:
    """The product; atoms stand on the left."""
    found = ZERO
    for (ours, number), (theirs, factor) in product(left.items(), right.items()):
        found = added(found, {ours + theirs: number * factor})
    return found


def monomials(expr: Expr) -> Iterator[tuple[Number, tuple[Expr, ...]]]:
    """The terms of an expression in normal form: their numbers and their other factors."""
    if expr.op == "add":
        yield from monomials(expr.args[0])
        yield from monomials(expr.args[1])
        return
    number: Number = 1
    factors = []
    left = [expr]
    while left:
        part = left.pop()
        if part.op == "mul":
            left += part.args
        elif part.constant is not None:
            number *= part.constant
        else:
            factors.append(part)
    if number != 0 and expr != const(0):
        yield number, tuple(factors)
