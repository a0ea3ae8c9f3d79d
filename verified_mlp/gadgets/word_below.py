"""Compare a word with a number, in one layer."""

from __future__ import annotations

from verified_mlp.gadgets.gated_threshold import gated_threshold
from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import both, value, where
from verified_mlp.machine.shape import MAX_WORDS
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, at_most, pow2, var
from verified_mlp.statement.network import Field, Gadget, Parameter


def counted_bits(bits: int) -> int:
    """The low bits of a word that count by their places; each higher one makes it too large."""
    return min(bits, (MAX_WORDS - 1).bit_length())


@gadget(lambda shape: [{"bits": shape.bits}], construction="five")
def word_below(bits: int) -> Gadget:
    """1 if the word x is below the limit and the gate is on, in one layer.

    No limit exceeds 2**low, where low is `bits`, or 24 for wider words, for memories have at most
    2**24 words.  So all bits from there on may weigh 2**low: with V = sum_(k < low) 2^k x_k +
    2^low sum_(k >= low) x_k, which is in 0..top, and S = top - V: [S > top - limit].

    | x                       | V         | S             | out |
    |-------------------------|-----------|---------------|-----|
    | < limit                 | x         | > top - limit | 1   |
    | >= limit, below 2**low  | x         | <= top - limit| 0   |
    | >= 2**low               | >= 2**low | <= top - limit| 0   |

    One proof serves all limits in 1..2**low, or up to 2**bits - 1.
    """
    low = counted_bits(bits)
    k, limit = Index("k", bits), var("limit")
    top = 2**low - 1 + (bits - low) * 2**low
    build = Builder("word_below", [Field("x", (bits,), word=True), Field("on")])
    now = build.layer()
    counts = at_most(k, low - 1)
    weight = pow2(k) if low == bits else counts * pow2(k) + (1 - counts) * 2**low
    short = top - total(k, weight * now.x[k])
    parameters = {"t": top + 1 - limit, "top": top}
    build.place(gated_threshold(), "least", (), parameters, s=short, on=now.on)
    done = build.close()
    return Gadget(
        name="word_below",
        network=build.build(build.output("out", (), done.least)),
        parameters=(Parameter("limit", 1, min(2**bits - 1, 2**low)),),
        spec={
            "out": lambda x, on, limit: where(both(value(x, 0, bits) < limit, on == 1), 1, 0),
        },
        source="ours; whether a word is an address, without its match with every row",
        formula="out = [top - V >= top + 1 - limit], V = sum_k min(2^k, 2^24) x_k",
        settings={"bits": bits},
    )
