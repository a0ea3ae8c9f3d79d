"""The sum of a family of which at most one member is not zero."""

from __future__ import annotations

from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import entry, where
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Condition, Field, Gadget, Parameter


@gadget(lambda shape: [{"size": shape.addresses}, {"size": shape.code}])
def one_hot_sum(size: int) -> Gadget:
    """The bit at the addressed place a, of a family that is 0 everywhere else.

    y = ReLU(x_0 + ... + x_(size-1)).

    | a         | y   |
    |-----------|-----|
    | 0..size-1 | x_a |
    | size      | 0   |

    All terms but one are 0.  The place a is known to the domain and the specification only.
    """
    i = Index("i", size)
    build = Builder("one_hot_sum", [Field("x", (size,), one_hot=True)])
    now = build.layer()
    build.neurons("y", (), total(i, now.x[i]))
    done = build.close()
    return Gadget(
        name="one_hot_sum",
        network=build.build(build.output("y", (), done.y)),
        parameters=(Parameter("a", 0, size, ghost=True),),
        conditions=(
            Condition("x_i = 0 unless i = a", (i,), lambda i, x, a: where(i == a, True, x[i] == 0)),
        ),
        spec={"y": lambda x, a: entry(x, a, size)},
        source="ours; the second layer of the paper's address lookup",
        formula="y = ReLU(sum_i x_i)",
        settings={"size": size},
    )
