"""Reads VNN-LIB properties, the usual subset, into exact conditions.

    (declare-const X_0 Real)    an input of the network; (declare-fun X_0 () Real) too
    (declare-const Y_0 Real)    an output
    (assert (<= X_0 0.5))       <=, >=, <, > and = between linear terms; and, or

A term is a decimal number, a variable, or made with +, -, * and / so that it is linear.  Numbers
are taken as the decimals that they are.  A file asks for an input at which all assertions hold;
there being none (`unsat`) is the property's proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import NoReturn

from proofs.relu_property.decide import Atom, Condition, Conjunction
from proofs.relu_property.network import ZERO, Form

MOST_CASES = 20_000
"""So many conjunctions a condition may have."""
MOST_DEPTH = 200
_MOST_DIGITS = 400
_TOKEN = re.compile(r"""[()]|;[^\n]*|\|[^|]*\||[^\s();|]+|\|""")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_VARIABLE = re.compile(r"([XY])_(0|[1-9]\d{0,8})")
_IGNORED = ("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit")


class VnnLibError(ValueError):
    """A text is no property of the subset; the sentence says where and why."""


@dataclass(frozen=True, slots=True)
class Property:
    """How many inputs and outputs are declared, and the condition on them."""

    inputs: int
    outputs: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class _Node:
    """An atom (a text) or a list, and where it begins."""

    line: int
    column: int
    parts: str | tuple[_Node, ...]

    @property
    def head(self) -> str:
        """The atom, or the first atom of the list, or nothing."""
        if isinstance(self.parts, str):
            return self.parts
        return self.parts[0].parts if self.parts and isinstance(self.parts[0].parts, str) else ""

    @property
    def arguments(self) -> tuple[_Node, ...]:
        """What follows the head of a list."""
        return () if isinstance(self.parts, str) else self.parts[1:]

    def refuse(self, why: str) -> NoReturn:
        """Raise VnnLibError for this place."""
        raise VnnLibError(f"line {self.line}, column {self.column}: {why}")


def read(text: str) -> Property:
    """The property that a text states.

    >>> read("(declare-const X_0 Real)(declare-const Y_0 Real)(assert (< Y_0 X_0))").condition
    ((Atom(form=Form(constant=Fraction(0, 1), terms={1: Fraction(1, 1), 0: Fraction(-1, 1)}), \
strict=True),),)

    Raises VnnLibError.
    """
    declared: dict[str, _Node] = {}
    assertions: list[_Node] = []
    for node in _parsed(text):
        if isinstance(node.parts, str):
            node.refuse(f"{node.parts!r} stands outside parentheses.")
        match node.head:
            case "declare-const" | "declare-fun":
                _declare(node, declared)
            case "assert":
                if len(node.arguments) != 1:
                    node.refuse(f"assert takes one formula, not {len(node.arguments)}.")
                assertions.append(node.arguments[0])
            case name if name not in _IGNORED:
                node.refuse(
                    f"{name or 'this'!r} is no command that is known here; known are "
                    f"declare-const, declare-fun and assert."
                )
    counts = {kind: sum(name[0] == kind for name in declared) for kind in "XY"}
    for name, node in declared.items():
        kind, number = name[0], int(name[2:])
        if number >= counts[kind]:
            node.refuse(
                f"{name} is declared, but {counts[kind]} variables {kind} in all: number them from "
                f"{kind}_0 without a gap."
            )
    if not counts["X"] or not counts["Y"]:
        raise VnnLibError("the file declares no inputs X_0, ... or no outputs Y_0, ...: add them.")
    reader = _Reader(declared, counts["X"])
    condition = _all_of([reader.formula(each) for each in assertions], assertions)
    return Property(counts["X"], counts["Y"], condition)


def _declare(node: _Node, declared: dict[str, _Node]) -> None:
    rest = node.arguments
    if node.head == "declare-fun" and len(rest) == 3 and rest[1].parts == ():
        rest = (rest[0], rest[2])
    if len(rest) != 2 or not all(isinstance(each.parts, str) for each in rest):
        node.refuse("write a declaration like (declare-const X_0 Real).")
    name, sort = rest[0].head, rest[1].head
    if not _VARIABLE.fullmatch(name):
        rest[0].refuse(f"{name!r} is no name of a variable: inputs are X_0, ..., outputs Y_0, ...")
    if sort != "Real":
        rest[1].refuse(f"{name} has the sort {sort!r}; only Real is known here.")
    if name in declared:
        rest[0].refuse(f"{name} is declared twice.")
    declared[name] = rest[0]


class _Reader:
    def __init__(self, declared: dict[str, _Node], inputs: int) -> None:
        self.declared, self.inputs = declared, inputs

    def formula(self, node: _Node) -> Condition:
        """The formula as a disjunction of conjunctions."""
        if isinstance(node.parts, str):
            node.refuse(
                f"{node.parts!r} is no formula; one begins with and, or, <=, >=, <, > or =."
            )
        match node.head:
            case "and":
                return _all_of([self.formula(each) for each in node.arguments], [node])
            case "or":
                return tuple(case for each in node.arguments for case in self.formula(each))
            case "<=" | ">=" | "<" | ">" | "=":
                if len(node.arguments) != 2:
                    node.refuse(f"{node.head} takes two terms, not {len(node.arguments)}.")
                left, right = (self.term(each) for each in node.arguments)
                less, strict = left - right, node.head in "<>"
                if node.head == "=":
                    return ((Atom(less), Atom(-less)),)
                return ((Atom(less if node.head in ("<", "<=") else -less, strict),),)
        return node.refuse(
            f"{node.head or 'this'!r} is no formula that is known here; known are and, or, <=, >=, "
            f"<, > and =."
        )

    def term(self, node: _Node) -> Form:
        """The term as a linear form."""
        if isinstance(node.parts, str):
            return self._atom(node, node.parts)
        terms = [self.term(each) for each in node.arguments]
        match node.head, terms:
            case "+", [first, *rest]:
                return sum(rest, first)
            case "-", [only]:
                return -only
            case "-", [first, *rest]:
                return first - sum(rest, Form())
            case "*", [_, *_]:
                factors = [each for each in terms if not each.terms]
                others = [each for each in terms if each.terms]
                if len(others) > 1:
                    node.refuse("this product is not linear: one factor may have variables.")
                return (others or [Form(Fraction(1))])[0] * prod(
                    (each.constant for each in factors), start=Fraction(1)
                )
            case "/", [first, second] if not second.terms and second.constant:
                return first * (1 / second.constant)
            case "/", _:
                node.refuse("/ takes a term and a number that is not 0.")
        return node.refuse(
            f"{node.head or 'this'!r} is no term that is known here; known are +, -, * and /."
        )

    def _atom(self, node: _Node, text: str) -> Form:
        if _NUMBER.fullmatch(text) and len(text) <= _MOST_DIGITS:
            return Form(Fraction(text))
        if text in self.declared:
            place = int(text[2:]) + (self.inputs if text[0] == "Y" else 0)
            return Form(ZERO, {place: Fraction(1)})
        if _VARIABLE.fullmatch(text):
            node.refuse(f"{text} is not declared.")
        return node.refuse(f"{text[:40]!r} is neither a number nor a variable.")


def _all_of(parts: list[Condition], nodes: list[_Node]) -> Condition:
    """The conjunction of conditions."""
    if prod(map(len, parts)) > MOST_CASES:
        nodes[-1].refuse(
            f"written out as a disjunction, the assertions have more than {MOST_CASES:,} cases."
        )
    return tuple(_joined(each) for each in product(*parts))


def _joined(each: tuple[Conjunction, ...]) -> Conjunction:
    return tuple(atom for conjunction in each for atom in conjunction)


def _parsed(text: str) -> list[_Node]:
    stack: list[tuple[int, int, list[_Node]]] = [(1, 1, [])]
    for line, column, token in _tokens(text):
        if token == "(":
            if len(stack) > MOST_DEPTH:
                raise VnnLibError(
                    f"line {line}, column {column}: parentheses are nested more than {MOST_DEPTH} "
                    f"deep."
                )
            stack.append((line, column, []))
        elif token == ")":
            if len(stack) == 1:
                raise VnnLibError(f"line {line}, column {column}: there is no ( for this ).")
            start, at, parts = stack.pop()
            stack[-1][2].append(_Node(start, at, tuple(parts)))
        else:
            stack[-1][2].append(_Node(line, column, token))
    if len(stack) > 1:
        line, column, _ = stack[-1]
        raise VnnLibError(f"line {line}, column {column}: there is no ) for this (.")
    return stack[0][2]


def _tokens(text: str) -> Iterator[tuple[int, int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        for found in _TOKEN.finditer(line):
            if not found[0].startswith(";"):
                yield number, found.start() + 1, found[0]
