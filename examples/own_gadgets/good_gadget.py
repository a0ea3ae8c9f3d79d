"""The bit that most of three bits are: a gadget that is what it says."""

from __future__ import annotations

from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.network import Field, Gadget


@gadget()
def majority() -> Gadget:
    """1 if at least two of x, y, z are 1: ReLU(x + y + z - 1) - ReLU(x + y + z - 2)."""
    build = Builder("majority", [Field("x"), Field("y"), Field("z")])
    now = build.layer()
    build.neurons("two", (), now.x + now.y + now.z - 1, largest=2)
    build.neurons("three", (), now.x + now.y + now.z - 2)
    done = build.close()
    return Gadget(
        name="majority",
        network=build.build(build.output("out", (), done.two - done.three)),
        spec={"out": lambda x, y, z: where(x == y, x, z)},
        source="ours",
        formula="out = ReLU(x + y + z - 1) - ReLU(x + y + z - 2)",
    )
