"""An exclusive or that is 2 where both bits are 1: `verify-all` refutes it."""

from __future__ import annotations

from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.network import Field, Gadget


@gadget()
def exclusive_or() -> Gadget:
    """Said to be 1 if one of x, y is 1 and the other is not; x + y lacks - 2 ReLU(x + y - 1)."""
    build = Builder("exclusive_or", [Field("x"), Field("y")])
    now = build.layer()
    build.neurons("total", (), now.x + now.y, largest=2)
    done = build.close()
    return Gadget(
        name="exclusive_or",
        network=build.build(build.output("out", (), done.total)),
        spec={"out": lambda x, y: where(x == y, 0, 1)},
        source="ours",
        formula="out = ReLU(x + y)",
    )
