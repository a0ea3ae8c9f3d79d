"""The sum of a family of which at most one member is not zero."""

from __future__ import annotations

from typing import Any

from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import entry, where
from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Extent, Index, to_expr, to_extent
from verified_mlp.statement.network import Condition, Field, Gadget, Parameter


def sized(shape: Dimensions, size: Extent) -> dict[str, Any]:
    """The arguments of `one_hot_sum` for a size that depends on the shape's parameters at most."""
    free = to_expr(size).variables()
    given = tuple(each for each in shape.parameters if each.name in free)
    arguments: dict[str, Any] = {"size": to_extent("one_hot_sum", size)}
    return {**arguments, "parameters": given} if given else arguments


@gadget(lambda shape: [sized(shape, shape.addresses), sized(shape, shape.code)])
def one_hot_sum(size: Extent, parameters: tuple[Parameter, ...] = ()) -> Gadget:
    """The bit at the addressed place a, of a family that is 0 everywhere else.

    y = ReLU(x_0 + ... + x_(size-1)).

    | a         | y   |
    |-----------|-----|
    | 0..size-1 | x_a |
    | size      | 0   |

    All terms but one are 0.  The place a is known to the domain and the specification only.
    A size that is an expression depends on the parameters given.
    """
    length = to_expr(size)
    i = Index("i", size)
    build = Builder("one_hot_sum", [Field("x", (size,), one_hot=True)])
    now = build.layer()
    build.neurons("y", (), total(i, now.x[i]))
    done = build.close()
    return Gadget(
        name="one_hot_sum",
        network=build.build(build.output("y", (), done.y)),
        parameters=(*parameters, Parameter("a", 0, size, ghost=True)),
        conditions=(
            Condition(
                "x_i = 0 unless i = a",
                (i,),
                lambda i, x, a, **_: where(i == a, True, x[i] == 0),
            ),
        ),
        spec={"y": lambda x, a, **given: entry(x, a, length.evaluate(given))},
        source="ours; the second layer of the paper's address lookup",
        formula="y = ReLU(sum_i x_i)",
        settings={"size": size},
    )
