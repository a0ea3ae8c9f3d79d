"""A proof goes by what a placed gadget is called: so all its parts and outputs must be its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from proofs.gadget_view import SymbolicView
from proofs.machine import machine
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.affine import Signal, to_affine
from verified_mlp.statement.builder import rewired
from verified_mlp.statement.network import Gadget, Placed


def part_of_difference(edit: Callable[[Placed], Placed], at: int) -> Gadget:
    """The machine whose `difference`, of two layers, is edited in its first part or its second."""
    whole = machine(Shape(50, 8), "compact")
    layers = list(whole.network.layers)
    layer = layers[at]
    placed = tuple(edit(each) if each.name == "difference" else each for each in layer.placed)
    layers[at] = replace(layer, placed=placed)
    return replace(whole, network=replace(whole.network, layers=tuple(layers)))


FIRST, SECOND = 4, 5


@pytest.mark.parametrize("at", [FIRST, SECOND])
def test_parts_of_a_gadget_that_are_wired_differently_are_refused(at: int) -> None:
    """The contract would be of the last part's wires, and what is computed by the first one's."""
    assert SymbolicView(part_of_difference(lambda placed: placed, at))

    def other_carry(placed: Placed) -> Placed:
        return rewired(placed, {**placed.wires, "carry": Signal(lambda: to_affine(0), ())})

    with pytest.raises(ValueError, match="wired alike") as failure:
        SymbolicView(part_of_difference(other_carry, at))
    assert str(failure.value) == (
        "difference: the layer before does not have the part before it of wide_sum(bits=50), wired "
        "alike"
    )


def test_outputs_that_are_read_from_other_neurons_are_refused() -> None:
    def other_outputs(placed: Placed) -> Placed:
        return replace(
            placed, outputs={"sum": Signal(lambda j: 1 - placed.outputs["sum"][j], (50,))}
        )

    with pytest.raises(ValueError, match="outputs") as failure:
        SymbolicView(part_of_difference(other_outputs, SECOND))
    assert str(failure.value) == "difference: its outputs are not those of wide_sum(bits=50)"
