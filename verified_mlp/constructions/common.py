"""What the constructions have in common: parameters passed on, the row of a target, the outputs."""

from __future__ import annotations

from collections.abc import Sequence

from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.affine import Affine, Signal
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Expr, Index, at_most, var
from verified_mlp.statement.network import Field, Gadget, Network


def passed_on(gadget: Gadget) -> dict[str, Expr]:
    """The gadget's parameters, with the values that the network has for those of the same name."""
    return {each.name: var(each.name) for each in gadget.parameters if not each.ghost}


def within(target: Signal, shape: Dimensions, place: Index) -> Affine:
    """The row of `target` for a place; the place with the address of all ones has none."""
    if shape.words == shape.addresses:
        return target[place]
    return target[place] * at_most(place, shape.addresses - 1)


def closed(build: Builder, fields: Sequence[Field]) -> Network:
    """The network whose last layer is the vector of these fields."""
    build.arrange(*(source.name for source in fields))
    done = build.close()
    outputs = []
    for source in fields:
        signal = getattr(done, source.name)
        form = signal[source.indices] if source.extents else signal
        outputs.append(build.output(source.name, source.indices, form, word=source.word))
    return build.build(*outputs)
