"""The machine theorem's statement: the construction as a gadget whose specification is the step.

Its inputs are the fields of the state vector, its outputs the same fields after one pass.  `decode`
is: a word is the number that its bits spell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proofs.terms import substitute, term, unknown
from verified_mlp.constructions.paper import paper
from verified_mlp.logic import Truth, Value, both, entry, symbolic, value, where
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.step import After, Before, step
from verified_mlp.statement.network import Gadget


class BitMemory:
    """A memory of bits mem[i, j], read as words."""

    def __init__(self, mem: Any, shape: Shape) -> None:
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
    def __init__(self, mem: Any, address: Any, words: int) -> None:
        self._mem, self._address, self._words = mem, address, words

    def __getitem__(self, position: Any) -> Any:
        if symbolic():
            return self._mem[self._address, position]
        return entry(self._mem[:, position], self._address, self._words)


def row_value(mem: Any, address: Value, length: Value, words: int) -> Value:
    """The number that the first `length` bits of a row spell.

    For a term, the row is a parameter of the fold, so that the folds of all rows are one function.
    """
    if not symbolic():
        return value(_Row(mem, address, words), 0, length)
    row = value(_Row(mem, _ADDRESS, words), 0, length)
    return substitute(row, (_ADDRESS, term(address)))


def machine(shape: Shape) -> Gadget:
    """The network of a shape, with the step as its specification."""
    bits = shape.bits

    def after(**fields: Any) -> After:
        return step(
            shape,
            Before(
                mem=BitMemory(fields["mem"], shape),
                pc=value(fields["pc"], 0, bits),
                fault=fields["fault"],
                input=value(fields["input"], 0, bits),
                ready=fields["ready"],
            ),
        )

    def result(name: str) -> Callable[..., Value]:
        return lambda **fields: getattr(after(**fields), name)

    names = ("pc", "fault", "input", "ready", "wanted", "output", "valid")
    return Gadget(
        name="machine",
        network=paper(shape),
        spec={
            "mem": lambda i, **fields: after(**fields).mem.load(i),
            **{name: result(name) for name in names},
        },
        source="arXiv 2410.09375: one pass of the looped network is one SUBLEQ step",
        formula="23 layers = one step",
        settings={"bits": bits, "words": shape.words},
    )
