"""The machine theorem's statement: the construction as a gadget whose specification is the step.

Its inputs are the fields of the state vector, its outputs the same fields after one pass.  `decode`
is: a word is the number that its bits spell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proofs.terms import substitute, term, unknown
from verified_mlp.constructions.paper import paper
from verified_mlp.logic import Truth, Value, bit, both, entry, symbolic, value, where
from verified_mlp.machine.shape import Dimensions
from verified_mlp.machine.step import After, Before, step
from verified_mlp.statement.expr import to_expr
from verified_mlp.statement.network import Gadget


@dataclass(frozen=True, slots=True)
class Sizes:
    """The numbers of a shape; terms where the parameters are (see `machine.step.Limits`)."""

    bits: int
    modulus: int
    words: Value
    addresses: Value
    code: Value


def sizes(dimensions: Dimensions, parameters: Mapping[str, Value]) -> Sizes:
    """The numbers of a shape, or of a family of shapes at values of its parameters."""
    words, addresses, code = (
        to_expr(extent).evaluate(parameters)
        for extent in (dimensions.words, dimensions.addresses, dimensions.code)
    )
    return Sizes(dimensions.bits, dimensions.modulus, words, addresses, code)


class BitMemory:
    """A memory of bits mem[i, j], read as words."""

    def __init__(self, mem: Any, shape: Sizes) -> None:
        self._mem, self._bits, self._words = mem, shape.bits, shape.words

    def load(self, address: Value) -> Value:
        """The word at an address."""
        return row_value(self._mem, address, self._bits, self._words)

    def store(self, condition: Truth, address: Value, word: Value) -> Written:
        """The memory with one word written where the condition holds."""
        return Written(self, condition, address, word)


class Written:
    """A memory after one conditional write."""

    def __init__(self, before: BitMemory, condition: Truth, address: Value, word: Value) -> None:
        self._before, self._condition = before, condition
        self._address, self._word = address, word

    def load(self, address: Value) -> Value:
        """The word at an address."""
        written = both(self._condition, address == self._address)
        return where(written, self._word, self._before.load(address))


_ADDRESS = unknown("address!")


class _Row:
    def __init__(self, mem: Any, address: Any, words: Value) -> None:
        self._mem, self._address, self._words = mem, address, words

    def __getitem__(self, position: Any) -> Any:
        if symbolic():
            return self._mem[self._address, position]
        return entry(self._mem[:, position], self._address, self._words)


def row_value(mem: Any, address: Value, length: Value, words: Value) -> Value:
    """The number that the first `length` bits of a row spell.

    For a term, the row is a parameter of the fold, so that the folds of all rows are one function.
    """
    if not symbolic():
        return value(_Row(mem, address, words), 0, length)
    row = value(_Row(mem, _ADDRESS, words), 0, length)
    return substitute(row, (_ADDRESS, term(address)))


def encoded_bit(word: Value, position: Value) -> Value:
    """Encode: the bit of a word at a position.  A state's words are encoded so, its flags are
    themselves.
    """
    return bit(word, position)


def decode(shape: Sizes, fields: Mapping[str, Any]) -> Before:
    """The state that fields of bits stand for: a word is the number that its bits spell."""
    return Before(
        mem=BitMemory(fields["mem"], shape),
        pc=value(fields["pc"], 0, shape.bits),
        fault=fields["fault"],
        input=value(fields["input"], 0, shape.bits),
        ready=fields["ready"],
    )


def machine(dimensions: Dimensions) -> Gadget:
    """The network of a shape, or of a family of shapes, with the step as its specification."""

    def after(fields: Mapping[str, Any]) -> After:
        shape = sizes(dimensions, fields)
        return step(shape, decode(shape, fields))

    def result(name: str) -> Callable[..., Value]:
        return lambda **fields: getattr(after(fields), name)

    names = ("pc", "fault", "input", "ready", "wanted", "output", "valid")
    return Gadget(
        name="machine",
        network=paper(dimensions),
        spec={
            "mem": lambda i, **fields: after(fields).mem.load(i),
            **{name: result(name) for name in names},
        },
        source="arXiv 2410.09375: one pass of the looped network is one SUBLEQ step",
        formula="23 layers = one step",
        parameters=dimensions.parameters,
        settings={"bits": dimensions.bits, "words": _words_text(dimensions)},
    )


def _words_text(dimensions: Dimensions) -> str:
    """The number of words, or its range."""
    for each in dimensions.parameters:
        return f"{each.low}..{each.high}" if each.low < each.high else f"{each.low}"
    return str(dimensions.words)
