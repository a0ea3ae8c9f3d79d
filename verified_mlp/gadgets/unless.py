"""Keep a bit unless another is set."""

from __future__ import annotations

from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.network import Field, Gadget, Support


@gadget(construction="compact")
def unless() -> Gadget:
    """The bit m, or 0 if h is set: ReLU(m - h).

    | h | ReLU(m - h) |
    |---|-------------|
    | 0 | m           |
    | 1 | 0           |
    """
    build = Builder("unless", [Field("m"), Field("h")])
    now = build.layer()
    build.neurons("kept", (), now.m - now.h)
    done = build.close()
    return Gadget(
        name="unless",
        network=build.build(build.output("kept", (), done.kept)),
        spec={"kept": lambda m, h: where(h == 1, 0, m)},
        source="ours; the first half of the paper's write back",
        formula="kept = ReLU(m - h)",
        support=(Support("kept", zero="h", same=("m",)),),
    )
