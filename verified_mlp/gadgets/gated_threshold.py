"""Compare an integer with a threshold, if a gate is on."""

from __future__ import annotations

from verified_mlp.gadgets.registry import LARGEST, gadget
from verified_mlp.logic import both, where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import var
from verified_mlp.statement.network import Condition, Field, Gadget, Parameter, Support

MOST = 4 * LARGEST
"""Two words and a carry add up to less than twice a word's modulus; thresholds go beyond that."""


@gadget(construction="compact")
def gated_threshold() -> Gadget:
    """[s >= t and on] for an integer s in 0..top, in one layer.

    With K = top - t + 1: ReLU(s - t + 1 + K (on - 1)) - ReLU(s - t + K (on - 1)).

    | on | s      | ReLU(s - t + 1 + K (on - 1)) | ReLU(s - t + K (on - 1)) | out |
    |----|--------|------------------------------|--------------------------|-----|
    | 1  | s < t  | 0                            | 0                        | 0   |
    | 1  | s >= t | s - t + 1                    | s - t                    | 1   |
    | 0  | any    | ReLU(s - top) = 0            | ReLU(s - top - 1) = 0    | 0   |

    K is the least number that keeps the first neuron at 0 for every s while the gate is off.
    """
    t, top = var("t"), var("top")
    build = Builder("gated_threshold", [Field("s", high=top), Field("on")])
    now = build.layer()
    off = (top - t + 1) * now.on - (top - t + 1)
    build.neurons("reached", (), now.s - t + 1 + off, largest=top - t + 1)
    build.neurons("passed", (), now.s - t + off, largest=top - t)
    done = build.close()
    return Gadget(
        name="gated_threshold",
        network=build.build(build.output("out", (), done.reached - done.passed)),
        parameters=(Parameter("t", 1, MOST), Parameter("top", 0, MOST)),
        conditions=(Condition("t <= top", (), lambda s, on, t, top: t <= top),),
        spec={"out": lambda s, on, t, top: where(both(on == 1, s >= t), 1, 0)},
        source="step function from two ReLUs, with a gate; ours",
        formula="out = ReLU(s - t + 1 + K (on - 1)) - ReLU(s - t + K (on - 1)), K = top - t + 1",
        support=(Support("reached", zero="on"), Support("passed", zero="on")),
    )
