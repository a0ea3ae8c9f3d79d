"""Choose between values; write or keep a value."""

from __future__ import annotations

from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.network import Condition, Field, Gadget, Support


@gadget()
def choose() -> Gadget:
    """A if `first`, b if `second`, else c; a multiplexer of bits in two layers.

    Layer 1: ReLU(a + first - 1), ReLU(b + second - 1), ReLU(c - first - second); layer 2: sum.

    | first | second | the three | out |
    |-------|--------|-----------|-----|
    | 1     | 0      | a, 0, 0   | a   |
    | 0     | 1      | 0, b, 0   | b   |
    | 0     | 0      | 0, 0, c   | c   |
    """
    inputs = [Field("a"), Field("b"), Field("c"), Field("first"), Field("second")]
    build = Builder("choose", inputs)
    now = build.layer()
    build.neurons("from_a", (), now.a + now.first - 1)
    build.neurons("from_b", (), now.b + now.second - 1)
    build.neurons("from_c", (), now.c - now.first - now.second)
    now = build.layer()
    build.place(carry(), "chosen", (), {"top": 1}, x=now.from_a + now.from_b + now.from_c)
    done = build.close()
    return Gadget(
        name="choose",
        network=build.build(build.output("out", (), done.chosen)),
        conditions=(
            Condition(
                "not both first and second",
                (),
                lambda a, b, c, first, second: first + second <= 1,
            ),
        ),
        spec={"out": lambda a, b, c, first, second: where(first == 1, a, where(second == 1, b, c))},
        source="ours; the paper's conditional branch, with a third way: stand still",
        formula="out = ReLU(a + first - 1) + ReLU(b + second - 1) + ReLU(c - first - second)",
    )


@gadget()
def write_or_keep() -> Gadget:
    """R if the place is addressed (h = 1), else the old bit m, in two layers.

    Layer 1: keep = ReLU(m - h), set = ReLU(r + h - 1); layer 2: keep + set.

    | h | keep | set | out |
    |---|------|-----|-----|
    | 0 | m    | 0   | m   |
    | 1 | 0    | r   | r   |
    """
    build = Builder("write_or_keep", [Field("m"), Field("r"), Field("h")])
    now = build.layer()
    build.neurons("keep", (), now.m - now.h)
    build.neurons("set", (), now.r + now.h - 1)
    now = build.layer()
    build.place(carry(), "after", (), {"top": 1}, x=now.keep + now.set)
    done = build.close()
    return Gadget(
        name="write_or_keep",
        network=build.build(build.output("out", (), done.after)),
        spec={"out": lambda m, r, h: where(h == 1, r, m)},
        source="ours; the paper's write back",
        formula="out = ReLU(m - h) + ReLU(r + h - 1)",
        support=(
            Support("keep", zero="h", same=("m",)),
            Support("set", zero="h"),
            Support("after", same=("keep", "set")),
        ),
    )
