"""The terms of which the machine's lemmas speak: what the step has at hand, and the layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proofs.gadget_view import SymbolicView
from proofs.machine import Sizes, row_value, state_bits
from proofs.scripts.common import N, spelled
from proofs.terms import conj, disj, ite, neg, term
from proofs.theory import Formula, Term
from verified_mlp.constructions.registry import DEFAULT, Construction, construction
from verified_mlp.statement.expr import to_expr


def construction_of(view: SymbolicView) -> Construction:
    """The construction of which the machine is."""
    return construction(view.gadget.settings.get("construction", DEFAULT))


Place = Callable[["Stages"], Any]


def in_layer(layer: int, name: str) -> Place:
    """What a placed gadget gives after a layer (from 1)."""
    return lambda s: s.at(layer, name)


READ = {
    **{name: in_layer(2, name) for name in ("a", "b", "c")},
    **{name: in_layer(4, name) for name in ("from_a", "from_b")},
}
"""Where the bits of the instruction's words and of the operands are, if nothing else is said."""

ROWS = {"addresses": (3, "at_b"), "code": (1, "here")}
"""What has a row for each address, and for each place of an instruction: its layer and name."""


class Stages:
    """The terms of which the lemmas speak: what the step has at hand, and the network's layers.

    `places` says where the construction has what all have: whether the step `moves` on or `jumps`,
    the `fault` flag after it, the `result` to write and the `target` to write to, the memory `mem`
    after it, and the `next` program counter; the bits of the instruction's words, and of the
    operands `from_a` and `from_b` (by default as `READ` says).  `rows` says what has a row for each
    address and for each place of an instruction.
    """

    def __init__(
        self,
        view: SymbolicView,
        places: Mapping[str, Place],
        rows: Mapping[str, tuple[int, str]] = ROWS,
    ) -> None:
        self.view, self._places = view, {**READ, **places}
        self._how = construction_of(view)
        self.depth = len(view.gadget.network.layers)
        self.bits = view.gadget.settings["bits"]
        self.shape = Sizes(
            self.bits,
            2**self.bits,
            words=self._extent(0, self._how.parts("mem")[0]),
            addresses=self._extent(*rows["addresses"]),
            code=self._extent(*rows["code"]),
        )
        view.theory.declare("j", 0)
        view.theory.declare("address", 0)

    def _extent(self, layer: int, name: str) -> Any:
        """The number of rows of what a layer (from 1) computes; of layer 0, an input's."""
        network = self.view.gadget.network
        families = network.layers[layer - 1].neurons if layer else network.inputs
        index = next(each.indices[0] for each in families if each.name.partition(".")[0] == name)
        return term(to_expr(index.extent).evaluate(self.view.parameters))

    def at(self, layer: int, name: str, output: str = "") -> Any:
        """What a placed gadget gives after a layer (from 1); after layer 0, the state before."""
        if layer == 0:
            return state_bits(self._how, name, self.view.inputs)
        return self.view.result(name, output, layer - 1)

    def got(self, what: str) -> Any:
        """What the network has of the step (see `places`)."""
        return self._places[what](self)

    def number(self, word: Any, length: Term | None = None) -> Any:
        """The number that the first bits of a word spell."""
        return spelled(self.view, word, 0, self.bits if length is None else length)

    def row(self, address: Term, length: Term | None = None) -> Any:
        """The number that the first bits of the memory's row at an address spell."""
        return self.view.run(
            lambda: row_value(
                self.at(0, "mem"),
                address,
                self.bits if length is None else length,
                self.shape.words,
            )
        )

    @property
    def pc(self) -> Any:
        """The program counter before the step."""
        return self.number(self.at(0, "pc"))

    @property
    def fetched(self) -> Any:
        """An instruction is executed: not halted, no fault, all three words in memory."""
        return conj(self.at(0, "fault") == 0, self.pc < self.shape.code)

    def word(self, name: str) -> Any:
        """The bits of the instruction's word A, B or C, as the network has them first."""
        return self.got(name)

    def operand(self, name: str) -> Any:
        """The instruction's word A, B or C."""
        return self.number(self.word(name))

    def valid(self, name: str) -> Any:
        """The operand is the address of a word."""
        return conj(self.fetched, self.operand(name) < self.shape.addresses)

    def port(self, name: str) -> Any:
        """The operand is -1."""
        return conj(self.fetched, self.operand(name) == self.shape.modulus - 1)

    def fetched_number(self, name: str, length: Term) -> Any:
        """The number that the first bits of an instruction word spell."""
        return self.number(self.word(name), length)

    def fetched_row(self, ahead: int, length: Term) -> Any:
        """The number that the first bits at pc + ahead spell, if an instruction is executed."""
        return ite(self.fetched, self.row(self.pc + ahead, length), 0)

    def one_row(self, name: str) -> tuple[list[Formula], Formula]:
        """The sum of the matches of an operand below row N is 1 if it is among them, else 0."""
        total = self.view.sum_wired("subtracts", {"a": "x", "b": "y"}[name], {}, N)
        found = conj(self.fetched, self.operand(name) < N)
        return [], total == ite(found, 1, 0)

    def operand_bit(self, name: str, position: Term) -> Any:
        """The bit at an operand's address, if it is one."""
        return ite(self.valid(name), self.at(0, "mem")[self.operand(name), position], 0)

    def operand_number(self, name: str, length: Term) -> Any:
        """The number that the first bits of an operand spell, as the network has it."""
        return self.number(self.got(f"from_{name}"), length)

    def operand_row(self, name: str, length: Term) -> Any:
        """The number that the first bits at an operand's address spell, if it is one."""
        return ite(self.valid(name), self.row(self.operand(name), length), 0)

    def reads(self) -> Any:
        """An input instruction."""
        return conj(self.port("a"), self.valid("b"))

    def ready(self) -> Any:
        """The input word is there."""
        return self.at(0, "ready") == 1

    def conditions(self) -> dict[str, Any]:
        """What each of the network's flags stands for."""
        return {
            "subtracts": conj(self.valid("a"), self.valid("b")),
            "valid": conj(self.valid("a"), self.port("b")),
            "takes": conj(self.reads(), self.ready()),
            "wanted": conj(self.reads(), neg(self.ready())),
        }

    def written(self) -> Any:
        """The word to be written, as the step has it."""
        flags = self.conditions()
        minuend = ite(
            flags["subtracts"],
            self.row(self.operand("b")),
            ite(flags["takes"], self.number(self.at(0, "input")), 0),
        )
        subtrahend = ite(self.valid("a"), self.row(self.operand("a")), 0)
        return (minuend - subtrahend) % self.shape.modulus

    def writes(self) -> Any:
        """A word is written."""
        flags = self.conditions()
        return disj(flags["subtracts"], flags["takes"])

    def jumps(self) -> Any:
        """The step continues at C."""
        result = self.number(self.got("result"))
        at_most_zero = disj(result == 0, result >= self.shape.modulus // 2)
        return conj(self.conditions()["subtracts"], at_most_zero)

    def faults(self) -> Any:
        """The fault flag is set after the step."""
        running = conj(self.pc < self.shape.modulus // 2, self.at(0, "fault") == 0)
        waits = self.conditions()["wanted"]
        stuck = conj(running, neg(self.moves()), neg(waits))
        return disj(self.at(0, "fault") == 1, stuck)

    def halted(self) -> Any:
        """The program counter is negative."""
        return self.pc >= self.shape.modulus // 2

    def moves(self) -> Any:
        """The step ends behind the instruction or at C."""
        flags = self.conditions()
        return disj(flags["subtracts"], flags["takes"], flags["valid"])
