"""The terms and ranges of which the lemmas about the construction `single` speak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.lemma import Over, Uses
from proofs.machine import Sizes
from proofs.scripts.machine_steps import (
    ADDRESS,
    J,
)
from proofs.scripts.stages import Stages, construction_of
from proofs.terms import conj, disj, ite, substitute, term, unknown
from proofs.theory import Formula, Term
from verified_mlp import logic
from verified_mlp.statement.affine import Affine
from verified_mlp.statement.expr import to_expr

CASE = {name: unknown(name) for name in "puv"}
"""A case: any place of an instruction and any words A and B."""
P, U, V = CASE.values()
AXIS_0, AXIS_1 = unknown("at!axis0"), unknown("at!axis1")
BIT_0 = unknown("b!0")
"""Any bit of the word b that a gadget reads."""
AHEAD = {"a": 0, "b": 1, "c": 2}


class Direct(Stages):
    """The terms of a network that reads the state's words themselves."""

    def __init__(self, view: SymbolicView) -> None:
        self.view, self._how, self.depth = view, construction_of(view), 1
        self.bits = view.gadget.settings["bits"]
        extents = {source.name: source.extents for source in view.gadget.network.inputs}
        code, addresses, _ = extents["moved"]
        self.shape = Sizes(
            self.bits,
            2**self.bits,
            *(
                term(to_expr(each).evaluate(view.parameters))
                for each in (extents["keep"][0], addresses, code)
            ),
        )
        self.sizes = {"p": self.shape.code, "u": self.shape.addresses, "v": self.shape.addresses}
        self._places = {
            "result": lambda s: Vector(self.result_bit),
            "next": lambda s: Vector(lambda j: logic.bit(s.pc + 3, j)),
        }
        for name in ("j", "address", *CASE):
            view.theory.declare(name, 0)

    def at(self, layer: int, name: str, output: str = "") -> Any:
        """What a placed gadget gives after the layer; after layer 0, the state before."""
        if layer:
            return self.view.result(name, output, layer - 1)
        form, names = self.form(name)

        def entry(*at: Term) -> Any:
            # The vector's fields are called as the neurons of which the next one consists.  The
            # positions are put in afterwards, so that the sums for all of them are one function.
            value = self.view.form(form, {**self.view.parameters, **free(names)}, -1)
            return substitute(term(value), *zip(free(names).values(), map(term, at), strict=True))

        return Vector(entry) if names else entry()

    def form(self, name: str) -> tuple[Affine, list[str]]:
        """How a field of the state is read from the vector, and the names of its indices."""
        outputs = self.view.gadget.network.outputs
        (source,) = (each for each in outputs if each.name == name)
        return source.form, [index.name for index in source.indices]

    def word(self, name: str) -> Any:
        """The bits of the instruction's word A, B or C."""
        return Vector(lambda j: self.at(0, "mem")[self.pc + AHEAD[name], j])

    def operand(self, name: str) -> Any:
        """The instruction's word A, B or C."""
        return self.row(self.pc + AHEAD[name])

    def result_bit(self, j: Term) -> Any:
        """A bit of the word to be written."""
        difference = self.at(1, "difference")[self.pc, self.operand("a"), self.operand("b"), j]
        return ite(self.conditions()["subtracts"], difference, self.at(0, "input")[j])

    def difference(self, length: Term) -> Any:
        """The number that the first bits of the difference spell, in the case that is there."""
        word = Vector(lambda j: self.at(1, "difference")[P, U, V, j])
        case = (self.pc, self.operand("a"), self.operand("b"))
        return substitute(self.number(word, length), *zip((P, U, V), case, strict=True))

    def wired(self, name: str, source: str, *over: Term) -> Any:
        """The number of a word that a placed gadget reads in a case."""
        placed = self.view.placed(name)
        indices = [index.name for index in placed.over]
        given = dict(zip(indices, over, strict=True))
        return self.view.signal(placed.wires[source], 1, -1, given)

    def case(self, p: Term = P, u: Term = U, v: Term = V) -> Any:
        """The instruction is at p, and its words are u and v."""
        there = conj(self.at(0, "fault") == 0, self.pc == p)
        return conj(there, self.row(p) == u, self.row(p + 1) == v)

    def jump(self, u: Term, v: Term) -> Any:
        """An instruction with words u and v jumps."""
        difference = (self.row(v) - self.row(u)) % self.shape.modulus
        return disj(difference == 0, difference >= self.shape.modulus // 2)


def free(names: Sequence[str]) -> dict[str, Any]:
    """Any position, by the names of its indices."""
    return {name: unknown(f"any!{name}") for name in names}


def over_bits(s: Direct) -> Over:
    """An induction over the bits of a word."""
    return Over("n", 0, s.bits, f"n in 0..{s.bits}")


def in_memory(s: Direct) -> list[Formula]:
    """The address is that of a word of memory."""
    return [ADDRESS >= 0, s.shape.words > ADDRESS]


def within(s: Direct, names: str) -> list[Formula]:
    """Such a place of an instruction, and words that are addresses."""
    return [conj(CASE[name] >= 0, s.sizes[name] > CASE[name]) for name in names]


def in_word(s: Direct) -> list[Formula]:
    """The position is one in a word."""
    return [J >= 0, s.bits > J]


def rows(s: Direct, p: Term) -> Uses:
    """The words at p and p + 1 are numbers of a word."""
    return [("rows below 2^n", {"address": p + ahead, "n": s.bits}) for ahead in range(2)]
