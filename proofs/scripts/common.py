"""Lemmas that several scripts use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import z3

from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Over, Uses
from proofs.theory import Formula, Term
from verified_mlp import logic
from verified_mlp.logic import Step, pow2

N = z3.Int("n")


def spelled(view: SymbolicView, bits: Any, low: Term, high: Term) -> Any:
    """The number that bits low..high-1 spell, as a term."""
    return view.run(lambda: logic.value(bits, low, high))


def folded(view: SymbolicView, low: Term, high: Term, start: Term, step: Step) -> Any:
    """A fold, as a term."""
    return view.run(lambda: logic.fold(low, high, start, step))


def ranges(view: SymbolicView, uses: Uses) -> Lemma:
    """Every neuron of a one-layer gadget stays within its largest value."""

    def state() -> tuple[list[Formula], Formula]:
        goals = []
        for depth, layer in enumerate(view.gadget.network.layers):
            for family in layer.neurons:
                largest = family.largest.evaluate(view.parameters)
                goals.append(view.neuron(depth, family.name) <= largest)
        return view.domain(), z3.And(*goals)

    claim = "every neuron is at most its declared largest value"
    return Lemma("ranges", claim, state, uses=uses)


def specification(
    view: SymbolicView,
    output: str,
    uses: Uses,
    unfold: Sequence[Term] = (),
    spells: Sequence[tuple[Term, int]] = (),
    positions: int = 0,
) -> Lemma:
    """The output is what the specification says, for every input of the domain."""

    def state() -> tuple[list[Formula], Formula]:
        indices, goal = view.meets_specification(output)
        return [*view.domain(), *indices], goal

    claim = f"{output} is what the specification says, on the whole domain"
    several = len(view.gadget.network.outputs) > 1
    return Lemma(
        f"specification of {output}" if several else "specification",
        claim,
        state,
        uses=uses,
        unfold=unfold,
        spells=spells,
        positions=positions,
    )


def wires(
    view: SymbolicView,
    name: str,
    uses: Uses = (),
    depth: int | None = None,
    positions: int = 0,
) -> Lemma:
    """The wires of a placed gadget stay in its domain; then its contract may be used."""
    placed = view.placed(name, depth)
    assert placed.gadget is not None

    def state() -> tuple[list[Formula], Formula]:
        indices, goal = view.wires_in_domain(placed)
        return [*view.domain(), *indices], goal

    layer = view.depth(placed) + 2 - len(placed.gadget.network.layers)
    return Lemma(
        f"wires of {name} in layer {layer}",
        f"the inputs of {placed.gadget.title} are in its domain",
        state,
        uses=uses,
        positions=positions,
        accept=lambda: view.accept(placed),
    )


def below_power(view: SymbolicView, name: str, bits: Any, width: int) -> Lemma:
    """The first n bits of a word spell a number below 2**n."""
    number = spelled(view, bits, 0, N)
    return Lemma(
        f"{name} below 2^n",
        f"the first n bits of {name} spell a number in 0..2^n - 1",
        lambda: (view.domain(), z3.And(number >= 0, number < pow2(N))),
        over=Over("n", 0, width, f"n in 0..{width}"),
    )
