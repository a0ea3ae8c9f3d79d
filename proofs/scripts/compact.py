"""The proof of the machine theorem for the construction `compact`: 6 layers are one step, or 7.

Reading, the outputs and most of what they follow from are as for the paper's construction.  The
arithmetic is one gadget's contract; the result is the sum of a difference and an input word of
which one is 0, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.machine import encoded_bit
from proofs.scripts.common import N
from proofs.scripts.machine_steps import (
    ADDRESS,
    KINDS,
    J,
    below,
    carried,
    effects,
    ending,
    generic,
    layer_wires,
    memory_bit,
    reading,
    spells,
    target,
    top_bit,
)
from proofs.scripts.stages import Place, Stages, construction_of, in_layer
from proofs.terms import conj, ite, unknown
from proofs.theory import Formula, Term
from verified_mlp.logic import pow2

AXIS_0, AXIS_1 = unknown("at!axis0"), unknown("at!axis1")


def places(at: int) -> dict[str, Place]:
    """What is where, if the arithmetic is done in layer `at` and the next one writes."""
    return {
        "moves": in_layer(at, "moves"),
        "fault": in_layer(at + 1, "fault"),
        "difference": in_layer(at, "difference"),
        "result": lambda s: Vector(lambda j: s.at(at, "difference")[j] + s.at(at, "received")[j]),
        "target": in_layer(at, "target"),
        "mem": lambda s: Vector(
            lambda i, j: s.at(at + 1, "keep")[i, j] + s.at(at + 1, "set")[i, j]
        ),
        "next": in_layer(at, "next"),
        "jumps": lambda s: s.at(at, "difference")[s.bits - 1] + s.at(at, "zero"),
    }


def compact(view: SymbolicView) -> Sequence[Part]:
    """Reading, the one layer of arithmetic, writing; then the outputs."""
    s = Stages(view, places(len(view.gadget.network.layers) - 1))
    return [*reading(s), *arithmetic_wires(s, 5, KINDS), *written(s)]


def arithmetic_wires(s: Stages, first: int, uses: Uses) -> list[Part]:
    """What the layers of the arithmetic read: one, or two of which the second has little to do."""
    return [layer_wires(s.view, layer, uses) for layer in range(first, s.depth)]


def written(s: Stages, flipped: Uses = ()) -> list[Part]:
    """All from the arithmetic on, which ends in the layer before the last.  That the bits of A's
    operand are `flipped` follows from these lemmas.
    """
    view, at = s.view, s.depth - 1
    read = at - layers_of(s, "difference")
    subtracts, takes = s.conditions()["subtracts"], s.conditions()["takes"]
    difference = s.got("difference")
    operands = [
        *KINDS,
        *((f"operand at {name.upper()}", {"n": s.bits}) for name in ("a", "b")),
        *(("rows below 2^n", {"address": s.operand(name), "n": s.bits}) for name in ("a", "b")),
    ]

    def subtracted() -> Any:
        """The difference of the operands mod 2**bits, as the step has it."""
        return (s.row(s.operand("b")) - s.row(s.operand("a"))) % s.shape.modulus

    return [
        flipping(s, flipped),
        Lemma(
            "difference",
            "where the step subtracts, mem[B] - mem[A] mod 2^bits, else 0",
            lambda: ([], s.number(difference) == ite(subtracts, subtracted(), 0)),
            uses=[*operands, ("flipped", {"n": s.bits})],
        ),
        below(s, "difference", difference),
        Lemma(
            "a set bit counts",
            "a word is at least 2^j if its bit j is set",
            lambda: (
                [J >= 0, s.bits > J],
                s.number(difference, N) >= ite(difference[J] == 1, pow2(J), 0),
            ),
            over=Over("n", J + 1, s.bits, f"n in j + 1..{s.bits}"),
            uses=[("difference below 2^n", {"n": J})],
            unfold=[J + 1],
        ),
        Lemma(
            "difference bit",
            "no bit of the difference is set unless the step subtracts",
            lambda: (
                [J >= 0, s.bits > J],
                conj(difference[J] >= 0, difference[J] <= ite(subtracts, 1, 0)),
            ),
            uses=[*KINDS, ("difference", {}), ("a set bit counts", {"n": s.bits})],
        ),
        spells(
            s,
            "either word",
            "the number that the result's bits spell is the difference or the input word",
            lambda n: s.number(s.got("result"), n),
            lambda n: ite(
                subtracts,
                s.number(difference, n),
                ite(takes, s.number(s.at(read, "input"), n), 0),
            ),
            [*KINDS, ("difference bit", {"j": N})],
        ),
        Lemma(
            "result",
            "the word to be written, if one is: mem[B] - mem[A] mod 2^bits, or the input word",
            lambda: ([s.writes()], s.number(s.got("result")) == s.written()),
            uses=[
                *operands,
                ("difference", {}),
                ("either word", {"n": s.bits}),
                (f"input in layer {read}", {"n": s.bits}),
                ("input below 2^n", {"n": s.bits}),
            ],
        ),
        target(s),
        Lemma(
            "branch",
            "it jumps if it subtracts and the result is <= 0",
            lambda: ([], s.got("jumps") == ite(s.jumps(), 1, 0)),
            uses=[
                *operands,
                ("difference", {}),
                ("difference below 2^n", {"n": s.bits - 1}),
                ("difference below 2^n", {"n": s.bits}),
                ("difference bit", {"j": s.bits - 1}),
                ("either word", {"n": s.bits}),
            ],
            unfold=[s.bits],
        ),
        layer_wires(view, at + 1, [*KINDS, ("branch", {}), ("difference bit", {}), *top_bit(s)]),
        effects(s),
        memory_bit(s, _bits(J)),
        carried(s, "pc", read, 0),
        Lemma(
            "next pc",
            "one addition gives pc + 3 mod 2^bits",
            lambda: ([], s.number(s.got("next")) == (s.pc + 3) % s.shape.modulus),
            uses=[(f"pc in layer {read}", {"n": s.bits}), ("pc below 2^n", {"n": s.bits})],
            spells=[(3, s.bits)],
        ),
        *ending(
            s,
            # That the sums are bits.
            {
                "mem": [("memory bit", {"address": AXIS_0, "j": AXIS_1}), *_bits(AXIS_1)],
                "pc": [("pc bit", {"j": AXIS_0})],
            },
        ),
        _in_domain(s),
        encoded(s),
    ]


def _bits(j: Term) -> Uses:
    """That bit j of the result is one."""
    return [*KINDS, ("difference bit", {"j": j})]


def layers_of(s: Stages, name: str) -> int:
    """How many layers a placed gadget has."""
    gadget = s.view.placed(name).gadget
    assert gadget is not None
    return len(gadget.network.layers)


def flipping(s: Stages, uses: Uses) -> Lemma:
    """What the difference's gadget reads in place of A's operand."""
    placed = s.view.placed("difference")
    read = s.view.depth(placed) - layers_of(s, "difference")
    wire = s.view.signal(placed.wires["y"], 1, read, {})

    def state() -> tuple[Sequence[Formula], Formula]:
        number, other = s.operand_number("a", N), s.number(wire, N)
        return [], conj(other == pow2(N) - 1 - number, number >= 0, number < pow2(N))

    return Lemma(
        "flipped",
        "flipping n bits gives 2^n - 1 minus their number",
        state,
        over=Over("n", 0, s.bits, f"n in 0..{s.bits}"),
        uses=uses,
    )


def _in_domain(s: Stages) -> Lemma:
    """The next pass finds sums that are bits, as this one has."""
    how = construction_of(s.view)

    def state() -> tuple[Sequence[Formula], Formula]:
        bits = []
        for name, at in (("mem", (ADDRESS, J)), ("pc", (J,))):
            parts = {part: _entry(s.at(s.depth, part), at) for part in how.parts(name)}
            bits += [*(part >= 0 for part in parts.values()), how.decode(name, parts) <= 1]
        return generic(s), conj(*bits)

    return Lemma(
        "the vector stays in the domain",
        "after a pass, the fields of which sums are read add up to 0 or 1 again",
        state,
        uses=[("memory bit", {}), ("pc bit", {}), *_bits(J)],
    )


def _entry(array: Any, at: tuple[Term, ...]) -> Any:
    return array[at] if len(at) > 1 else array[at[0]]


def encoded(s: Stages) -> Lemma:
    """The bits of an encoded state are those of its words, and in the domain."""
    how = construction_of(s.view)
    word = s.view.theory.declare("word", 0)()

    def state() -> tuple[Sequence[Formula], Formula]:
        bit = encoded_bit(word, J)
        goals = []
        for name in how.sums:
            parts = how.encode(name, bit)
            goals += [part >= 0 for part in parts.values()]
            goals += [how.decode(name, parts) == bit, how.decode(name, parts) <= 1]
        return [J >= 0, s.bits > J], conj(*goals)

    return Lemma(
        "decode(encode(b)) = b",
        "bits that are encoded as several fields are decoded as they were, and are in the domain",
        state,
    )
