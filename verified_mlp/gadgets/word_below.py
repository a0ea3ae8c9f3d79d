"""Compare a word with a number, in one layer."""

from __future__ import annotations

from verified_mlp.gadgets.gated_threshold import gated_threshold
from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import both, value, where
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, pow2, var
from verified_mlp.statement.network import Field, Gadget, Parameter


@gadget(lambda shape: [{"bits": shape.bits}], construction="five")
def word_below(bits: int) -> Gadget:
    """1 if the word x is below the limit and the gate is on, in one layer.

    With S = 2**bits - 1 - x, which is in 0..2**bits - 1: [S >= 2**bits - limit].

    | x          | S                  | out |
    |------------|--------------------|-----|
    | < limit    | >= 2**bits - limit | 1   |
    | >= limit   | < 2**bits - limit  | 0   |

    One proof serves all limits in 1..2**bits - 1.
    """
    k, limit, top = Index("k", bits), var("limit"), 2**bits - 1
    build = Builder("word_below", [Field("x", (bits,), word=True), Field("on")])
    now = build.layer()
    short = top - total(k, pow2(k) * now.x[k])
    parameters = {"t": 2**bits - limit, "top": top}
    build.place(gated_threshold(), "least", (), parameters, s=short, on=now.on)
    done = build.close()
    return Gadget(
        name="word_below",
        network=build.build(build.output("out", (), done.least)),
        parameters=(Parameter("limit", 1, top),),
        spec={
            "out": lambda x, on, limit: where(both(value(x, 0, bits) < limit, on == 1), 1, 0),
        },
        source="ours; whether a word is an address, without its match with every row",
        formula="out = [2^bits - 1 - sum_k 2^k x_k >= 2^bits - limit]",
        settings={"bits": bits},
    )
