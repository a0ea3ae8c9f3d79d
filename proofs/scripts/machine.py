"""The proof of the machine theorem: the placed gadgets of a construction's layers are one step.

Here are the lemmas for the paper's 23 layers; they follow the six stages.  Each speaks of a generic
address and bit, so none depends on how many words there are.  `wires of layer k` shows that what
layer k reads is in the domains of the gadgets that begin there; from then on their contracts are
known.
"""

from __future__ import annotations

from collections.abc import Sequence

from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Part
from proofs.scripts.compact import compact
from proofs.scripts.five import five
from proofs.scripts.machine_steps import (
    KINDS,
    carried,
    effects,
    ending,
    layer_wires,
    memory_bit,
    reading,
    target,
)
from proofs.scripts.prefetch import prefetch
from proofs.scripts.single import single
from proofs.scripts.stages import Stages, construction_of, in_layer
from proofs.terms import ite

PLACES = {
    "moves": in_layer(6, "moves"),
    "fault": in_layer(6, "fault"),
    "result": in_layer(11, "result"),
    "target": in_layer(11, "target"),
    "mem": in_layer(13, "mem"),
    "next": in_layer(19, "next"),
    "jumps": in_layer(21, "jumps"),
}


def machine(view: SymbolicView) -> Sequence[Part]:
    """The lemmas for the construction of which the gadget is."""
    scripts = {
        "paper": paper,
        "compact": compact,
        "five": five,
        "prefetch": prefetch,
        "single": single,
    }
    return scripts[construction_of(view).name](view)


def paper(view: SymbolicView) -> Sequence[Part]:
    """The stages in order, then the outputs."""
    s = Stages(view, PLACES)
    return [
        *reading(s),
        layer_wires(view, 5, KINDS),
        layer_wires(view, 6, KINDS),
        effects(s),
        *(layer_wires(view, layer, reach=1) for layer in range(7, 14)),
        Lemma(
            "result",
            "the word to be written: mem[B] - mem[A] mod 2^bits, or the input word",
            lambda: ([], s.number(s.got("result")) == s.written()),
            uses=[
                *KINDS,
                ("operand at A", {"n": s.bits}),
                ("operand at B", {"n": s.bits}),
                ("input in layer 4", {"n": s.bits}),
                ("rows below 2^n", {"address": s.operand("b"), "n": s.bits}),
                ("input below 2^n", {"n": s.bits}),
            ],
        ),
        target(s),
        memory_bit(s),
        *(layer_wires(view, layer, reach=1) for layer in range(14, 17)),
        carried(s, "pc", 13, 0),
        *(layer_wires(view, layer, reach=1) for layer in range(17, 20)),
        Lemma(
            "next pc",
            "two additions give pc + 3 mod 2^bits",
            lambda: (
                [],
                s.number(s.got("next")) == (s.pc + 3) % s.shape.modulus,
            ),
            uses=[("pc in layer 13", {"n": s.bits}), ("pc below 2^n", {"n": s.bits})],
        ),
        carried(s, "result", 19, 11),
        layer_wires(view, 20, reach=1),
        layer_wires(view, 21, reach=1),
        Lemma(
            "branch",
            "it jumps if it subtracts and the result is <= 0",
            lambda: ([], s.got("jumps") == ite(s.jumps(), 1, 0)),
            uses=[*KINDS, ("result in layer 19", {"n": s.bits})],
        ),
        layer_wires(view, 22, [("effects", {}), ("branch", {})]),
        layer_wires(view, 23, reach=1),
        *ending(s),
    ]
