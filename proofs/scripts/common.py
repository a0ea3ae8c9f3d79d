"""Lemmas that several scripts use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Over, Uses
from proofs.terms import conj, implies, unknown
from proofs.theory import Formula, Term
from verified_mlp import logic
from verified_mlp.logic import Step, pow2

N = unknown("n")


def spelled(view: SymbolicView, bits: Any, low: Term, high: Term) -> Any:
    """The number that bits low..high-1 spell, as a term."""
    return view.run(lambda: logic.value(bits, low, high))


def folded(view: SymbolicView, low: Term, high: Term, start: Term, step: Step) -> Any:
    """A fold, as a term."""
    return view.run(lambda: logic.fold(low, high, start, step))


def ranges(view: SymbolicView, uses: Uses) -> Lemma:
    """Every neuron that the gadget states itself stays within its largest value, at any index."""
    claim = "every neuron is at most its declared largest value"
    return Lemma("ranges", claim, lambda: stated_ranges(view), uses=uses)


def stated_ranges(view: SymbolicView) -> tuple[list[Formula], Formula]:
    """(the domain, that the neurons which the gadget states itself are in their ranges)."""
    goals = []
    for depth, layer in enumerate(view.gadget.network.layers):
        for family in (each for part in layer.placed if not part.gadget for each in part.neurons):
            within, inside = view.in_range(depth, family)
            goals.append(implies(conj(*within), inside) if within else inside)
    return view.domain(), conj(*goals)


def needed(view: SymbolicView) -> list[tuple[list[Formula], Formula]]:
    """All that must be proved of a gadget, as (given, goal): the specification of every output,
    and the ranges of the neurons that the gadget states itself; those of placed gadgets are
    proved with them.
    """
    found = [_specified(view, output.name) for output in view.gadget.network.outputs]
    layers = view.gadget.network.layers
    if any(placed.gadget is None for layer in layers for placed in layer.placed):
        found.append(stated_ranges(view))
    return found


def _specified(view: SymbolicView, output: str) -> tuple[list[Formula], Formula]:
    indices, goal = view.meets_specification(output)
    return [*view.domain(), *indices], goal


def specification(
    view: SymbolicView,
    output: str,
    uses: Uses,
    unfold: Sequence[Term] = (),
    spells: Sequence[tuple[Term, int]] = (),
    positions: int = 0,
) -> Lemma:
    """The output is what the specification says, for every input of the domain."""
    claim = f"{output} is what the specification says, on the whole domain"
    several = len(view.gadget.network.outputs) > 1
    return Lemma(
        f"specification of {output}" if several else "specification",
        claim,
        lambda: _specified(view, output),
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
        accept=partial(view.accept, placed),
    )


def below_power(view: SymbolicView, name: str, bits: Any, width: int) -> Lemma:
    """The first n bits of a word spell a number below 2**n."""
    number = spelled(view, bits, 0, N)
    return Lemma(
        f"{name} below 2^n",
        f"the first n bits of {name} spell a number in 0..2^n - 1",
        lambda: (view.domain(), conj(number >= 0, number < pow2(N))),
        over=Over("n", 0, width, f"n in 0..{width}"),
    )
