"""The proof of the machine theorem for the construction `prefetch`: 3 layers are one step, or 4.

The instruction's words are in the vector; that they are those at the program counter is part of the
domain.  What is read of memory are sums of columns, as for `five`.  What is proved in addition is
that the words which a pass leaves are those at the next program counter (`prefetch_next`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.lemma import Lemma, Part, Uses
from proofs.scripts.common import N
from proofs.scripts.compact import AXIS_0, AXIS_1, encoded, flipping
from proofs.scripts.five import BITS, column, columns_at
from proofs.scripts.machine_steps import (
    KINDS,
    WORDS,
    J,
    below,
    carried,
    effects,
    ending,
    fetched_words,
    kinds,
    layer_wires,
    memory_bit,
    operand_words,
    operands,
    spells,
    target,
    words_below,
)
from proofs.scripts.prefetch_next import held_words, next_words, successors, vector_stays
from proofs.scripts.stages import Stages, in_layer
from proofs.terms import conj, ite
from proofs.theory import Formula

PLACES = {
    **{name: in_layer(0, name) for name in WORDS},
    "from_a": column("from_a"),
    "from_b": column("from_b"),
    "moves": lambda s: found(s, "subtracts") + (found(s, "takes") + found(s, "valid")),
    "fault": lambda s: s.at(s.depth, "fault"),
    "difference": lambda s: found(s, "difference"),
    "result": lambda s: Vector(lambda j: _result(s, j)),
    "target": lambda s: found(s, "target"),
    "mem": lambda s: Vector(
        lambda i, j: reduce(add, (s.at(s.depth, part)[i, j] for part in ("keep", "set", "got")))
    ),
    "next": lambda s: found(s, "next"),
    "jumps": lambda s: found(s, "difference")[s.bits - 1] + found(s, "zero"),
}
ROWS = {"addresses": (1, "at_b"), "code": (1, "here_c")}


def found(s: Stages, name: str) -> Any:
    """What is known before the layer that writes."""
    return s.at(s.depth - 1, name)


def prefetch(view: SymbolicView) -> Sequence[Part]:
    """The instruction, the operands, arithmetic, the step's outputs; the next instruction."""
    s = Stages(view, PLACES, ROWS)
    addresses, code = s.shape.addresses, s.shape.code
    read = [
        *((f"columns at {name.upper()}", {"n": addresses, "j": j}) for name in "ab" for j in BITS),
        *((f"columns at {name.upper()}", {"n": addresses}) for name in "ab"),
        *operands(s),
    ]
    ghosts = {
        "from_a": {"a": ite(s.valid("a"), s.operand("a"), addresses)},
        "in_code_c": {"a": ite(conj(s.fetched, s.operand("c") < code), s.operand("c"), code)},
        "in_code_n": {"a": ite(conj(s.fetched, s.pc + 3 < code), s.pc, code)},
    }
    return [
        *words_below(s),
        _fetch(s),
        *fetched_words(s),
        layer_wires(view, 1, [("pc below 2^n", {"n": s.bits})]),
        *(columns_at(s, name) for name in "ab"),
        layer_wires(view, 2, [*read, ("fetch", {"j": 0})], ghosts),
        # A third layer has the second half of the arithmetic, and what is carried beside it.
        *(layer_wires(view, layer) for layer in range(3, s.depth)),
        kinds(s, s.depth - 1, [*read, ("fetch", {"j": J})]),
        *operand_words(s),
        *_arithmetic(s),
        *successors(s),
        layer_wires(
            view,
            s.depth,
            [
                *KINDS,
                *operands(s),
                ("branch", {}),
                *((f"{word} at {at}", {"n": code}) for word in WORDS for at in ("C", "pc + 3")),
            ],
        ),
        effects(s),
        target(s),
        memory_bit(s, KINDS),
        carried(s, "next", s.depth - 1, s.depth - 2),
        Lemma(
            "next pc",
            "one addition gives pc + 3 mod 2^bits",
            lambda: ([], s.number(s.got("next")) == (s.pc + 3) % s.shape.modulus),
            uses=[(f"next in layer {s.depth - 1}", {"n": s.bits}), ("pc below 2^n", {"n": s.bits})],
            spells=[(3, s.bits)],
        ),
        *ending(
            s,
            {
                "mem": [("memory bit", {"address": AXIS_0, "j": AXIS_1}), *KINDS],
                "pc": [("pc bit", {"j": AXIS_0})],
                "output bit": [*operands(s), ("fetch", {"j": J})],
            },
        ),
        *next_words(s),
        vector_stays(s),
        *held_words(s),
        encoded(s),
    ]


def _result(s: Stages, j: Any) -> Any:
    """Bit j of the word that is written, if one is."""
    flags = s.conditions()
    taken = ite(flags["takes"], s.at(0, "input")[j], 0)
    return ite(flags["subtracts"], found(s, "difference")[j], taken)


def _fetch(s: Stages) -> Lemma:
    """What the domain says of the instruction's words, at the program counter."""

    def state() -> tuple[Sequence[Formula], Formula]:
        words = (
            s.word(name)[J] == ite(s.fetched, s.at(0, "mem")[s.pc + ahead, J], 0)
            for ahead, name in enumerate(WORDS)
        )
        return [J >= 0, s.bits > J], conj(s.at(0, "run") == ite(s.fetched, 1, 0), *words)

    return Lemma(
        "fetch",
        "bit j of the words at pc, pc + 1, pc + 2, if an instruction is executed, else 0",
        state,
        uses=[("pc below 2^n", {"n": s.bits})],
    )


def _arithmetic(s: Stages) -> list[Part]:
    """The difference, which has no gate; the word that is written; the branch."""
    difference = s.got("difference")
    flags = s.conditions()
    words: Uses = [
        *KINDS,
        *((f"operand at {name.upper()}", {"n": s.bits}) for name in "ab"),
        *(("rows below 2^n", {"address": s.operand(name), "n": s.bits}) for name in "ab"),
    ]

    def subtracted() -> Any:
        read = {name: s.operand_row(name, s.bits) for name in "ab"}
        return (read["b"] - read["a"]) % s.shape.modulus

    def branch() -> tuple[Sequence[Formula], Formula]:
        jumps = s.got("jumps")
        kinds = (found(s, flag) == ite(condition, 1, 0) for flag, condition in flags.items())
        return [], conj(
            jumps >= 0,
            jumps <= 1,
            ite(flags["subtracts"], jumps, 0) == ite(s.jumps(), 1, 0),
            *kinds,
        )

    return [
        flipping(s, [("columns at A", {"n": s.shape.addresses, "j": N}), *operands(s)]),
        Lemma(
            "difference",
            "mem[B] - mem[A] mod 2^bits, with 0 for what is at no address",
            lambda: ([], s.number(difference) == subtracted()),
            uses=[*words, ("flipped", {"n": s.bits})],
        ),
        below(s, "difference", difference),
        spells(
            s,
            "either word",
            "the number that the result's bits spell is the difference or the input word",
            lambda n: s.number(s.got("result"), n),
            lambda n: ite(
                flags["subtracts"],
                s.number(difference, n),
                ite(flags["takes"], s.number(s.at(0, "input"), n), 0),
            ),
            [],
        ),
        Lemma(
            "result",
            "the word to be written, if one is: mem[B] - mem[A] mod 2^bits, or the input word",
            lambda: ([s.writes()], s.number(s.got("result")) == s.written()),
            uses=[
                *words,
                ("difference", {}),
                ("either word", {"n": s.bits}),
                ("input below 2^n", {"n": s.bits}),
            ],
        ),
        Lemma(
            "branch",
            "if it subtracts, it jumps if the result is <= 0; the kind of instruction",
            branch,
            uses=[
                *words,
                ("difference", {}),
                ("difference below 2^n", {"n": s.bits - 1}),
                ("difference below 2^n", {"n": s.bits}),
                ("either word", {"n": s.bits}),
            ],
            unfold=[s.bits],
        ),
    ]
