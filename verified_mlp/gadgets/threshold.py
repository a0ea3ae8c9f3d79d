"""Compare an integer with a threshold."""

from __future__ import annotations

from verified_mlp.gadgets.registry import LARGEST, gadget
from verified_mlp.logic import where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import var
from verified_mlp.statement.network import Condition, Field, Gadget, Parameter


@gadget()
def threshold() -> Gadget:
    """[s >= t] for an integer s in 0..top: ReLU(s - t + 1) - ReLU(s - t).

    | s          | ReLU(s - t + 1) | ReLU(s - t) | out |
    |------------|-----------------|-------------|-----|
    | s < t      | 0               | 0           | 0   |
    | s >= t     | s - t + 1       | s - t       | 1   |

    Between two neighbouring integers the difference rises from 0 to 1; s is never in between.
    The threshold t and the largest sum top are parameters: one proof serves all of them.
    """
    t, top = var("t"), var("top")
    build = Builder("threshold", [Field("s", high=top)])
    now = build.layer()
    build.neurons("reached", (), now.s - t + 1, largest=top - t + 1)
    build.neurons("passed", (), now.s - t, largest=top - t)
    done = build.close()
    return Gadget(
        name="threshold",
        network=build.build(build.output("out", (), done.reached - done.passed)),
        parameters=(Parameter("t", 1, LARGEST), Parameter("top", 0, LARGEST)),
        conditions=(Condition("t <= top", (), lambda s, t, top: t <= top),),
        spec={"out": lambda s, t, top: where(s >= t, 1, 0)},
        source="step function from two ReLUs; ours",
        formula="out = ReLU(s - t + 1) - ReLU(s - t)",
    )
