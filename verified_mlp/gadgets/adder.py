"""The block adder: three layers with small weights; increment and subtract are made of it.

A word is cut into blocks of beta bits.  Layer 1 finds for every block whether it generates a
carry by itself and whether it would pass one on, and the sums of its low bits.  Layer 2 finds
the carry into every block.  Layer 3 finds the bits.  The largest weight is
2**(max(beta, blocks) - 1), so beta is about the square root of the width.
"""

from __future__ import annotations

from math import isqrt

from verified_mlp import logic
from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.logic_gates import and_, merge, not_
from verified_mlp.gadgets.registry import gadget
from verified_mlp.gadgets.threshold import threshold
from verified_mlp.logic import Value, fold, value, where
from verified_mlp.statement.affine import Signal, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, bit, pow2
from verified_mlp.statement.network import Condition, Field, Gadget


def block_size(bits: int) -> int:
    """beta: the least number whose square is at least `bits`."""
    return isqrt(bits - 1) + 1


def block_count(bits: int) -> int:
    """The number of blocks; the last may be shorter."""
    return -(-bits // block_size(bits))


@gadget(lambda shape: [{"bits": shape.bits}])
def block_sums(bits: int) -> Gadget:
    """Layer 1 of the adder of words x and y.

    With X and Y the numbers that the bits of block B spell, and with k the offset of bit j in its
    block:

    | output       | is                                                   |
    |--------------|------------------------------------------------------|
    | generate[B]  | X + Y >= 2**beta: carries out whatever comes in      |
    | propagate[B] | X + Y >= 2**beta - 1: carries out if one comes in    |
    | prefix[j]    | the sum of the two numbers that bits 0..k spell      |

    The last block's carry leaves the word, so it has no generate and propagate.
    """
    beta, blocks = block_size(bits), block_count(bits)
    b, j, k = Index("b", blocks - 1), Index("j", bits), Index("k", bits)
    build = Builder("block_sums", [Field(name, (bits,), word=True) for name in ("x", "y")])
    now = build.layer()
    start = j - j % beta
    whole = total(k, pow2(k - beta * b) * (now.x[k] + now.y[k]), beta * b, beta * b + beta)
    upto = total(k, pow2(k - start) * (now.x[k] + now.y[k]), start, j + 1)
    test = threshold()
    top = 2 ** (beta + 1) - 2
    build.place(test, "generate", (b,), {"t": 2**beta, "top": top}, s=whole)
    build.place(test, "propagate", (b,), {"t": 2**beta - 1, "top": top}, s=whole)
    highest = 4 * pow2(j % beta) - 2
    build.place(carry(), "prefix", (j,), {"top": highest}, x=upto)
    done = build.close()

    def block_total(b: Value, x: Value, y: Value) -> Value:
        return value(x, beta * b, beta * b + beta) + value(y, beta * b, beta * b + beta)

    return Gadget(
        name="block_sums",
        network=build.build(
            build.output("generate", (b,), done.generate[b]),
            build.output("propagate", (b,), done.propagate[b]),
            build.output("prefix", (j,), done.prefix[j], largest=highest),
        ),
        spec={
            "generate": lambda b, x, y: where(block_total(b, x, y) >= 2**beta, 1, 0),
            "propagate": lambda b, x, y: where(block_total(b, x, y) >= 2**beta - 1, 1, 0),
            "prefix": lambda j, x, y: value(x, j - j % beta, j + 1) + value(y, j - j % beta, j + 1),
        },
        source="ours; carry lookahead over blocks in the paper's 3-layer budget for an addition",
        formula="generate, propagate: thresholds of the block sum; prefix: sums of low bits",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"bits": shape.bits}])
def block_carries(bits: int) -> Gadget:
    """Layer 2 of the adder: the carry into every block.

    carry[b] = [ sum over c < b of 2**c (g_c + p_c) >= 2**b ].  A block that generates (g = p = 1)
    adds 2 * 2**c, one that only propagates 2**c, one that does neither nothing, so the sum
    reaches 2**b exactly if a generating block is followed by propagating ones up to b.

    | g_(b-1) | p_(b-1) | carry[b]   |
    |---------|---------|------------|
    | 1       | 1       | 1          |
    | 0       | 1       | carry[b-1] |
    | 0       | 0       | 0          |
    """
    blocks = block_count(bits)
    b, c = Index("b", blocks), Index("c", blocks - 1)
    inputs = [Field("g", (blocks - 1,)), Field("p", (blocks - 1,))]
    build = Builder("block_carries", inputs)
    now = build.layer()
    reach = total(c, pow2(c) * (now.g[c] + now.p[c]), 0, b)
    build.place(threshold(), "carry", (b,), {"t": pow2(b), "top": 2 * pow2(b) - 1}, s=reach)
    done = build.close()
    return Gadget(
        name="block_carries",
        network=build.build(build.output("carry", (b,), done.carry[b])),
        conditions=(Condition("g_c <= p_c", (c,), lambda c, g, p: g[c] <= p[c]),),
        spec={
            "carry": lambda b, g, p: fold(
                0, b, 0, lambda c, into: where(g[c] == 1, 1, where(p[c] == 1, into, 0))
            )
        },
        source="ours; carry lookahead over blocks in the paper's 3-layer budget for an addition",
        formula="carry[b] = [sum_(c<b) 2^c (g_c + p_c) >= 2^b]",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"bits": shape.bits}])
def block_bits(bits: int) -> Gadget:
    """Layer 3 of the adder: bit j is bit k of v = s_j + c_j, k the offset of j in its block.

    [v >= 2^k] - [v >= 2 * 2^k] + [v >= 3 * 2^k], for 0 <= v < 4 * 2^k:

    | v in units of 2^k | 0 | 1 | 2 | 3 |
    |-------------------|---|---|---|---|
    | bit k of v        | 0 | 1 | 0 | 1 |
    """
    beta = block_size(bits)
    j = Index("j", bits)
    unit = pow2(j % beta)
    inputs = [Field("s", (bits,), high=2 ** (beta + 1) - 2), Field("c", (bits,))]
    build = Builder("block_bits", inputs)
    now = build.layer()
    for name, times in (("one", 1), ("two", 2), ("three", 3)):
        build.place(
            threshold(),
            name,
            (j,),
            {"t": times * unit, "top": 4 * unit - 1},
            s=now.s[j] + now.c[j],
        )
    done = build.close()
    return Gadget(
        name="block_bits",
        network=build.build(build.output("sum", (j,), done.one[j] - done.two[j] + done.three[j])),
        conditions=(
            Condition(
                "s_j <= 4 * 2^k - 2",
                (j,),
                lambda j, s, c: s[j] <= 4 * logic.pow2(j % beta) - 2,
            ),
        ),
        spec={"sum": lambda j, s, c: logic.bit(s[j] + c[j], j % beta)},
        source="ours; carry lookahead over blocks in the paper's 3-layer budget for an addition",
        formula="sum[j] = [v >= 2^k] - [v >= 2*2^k] + [v >= 3*2^k], v = s_j + c_j",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"bits": shape.bits}])
def adder(bits: int) -> Gadget:
    """The word x + y mod 2**bits, in three layers."""
    beta = block_size(bits)
    j = Index("j", bits)
    build = Builder("adder", [Field(name, (bits,), word=True) for name in ("x", "y")])
    now = build.layer()
    build.place(block_sums(bits=bits), "blocks", x=now.x, y=now.y)
    now = build.layer()
    blocks = now.blocks
    build.place(block_carries(bits=bits), "into", g=blocks.generate, p=blocks.propagate)
    highest = 4 * pow2(j % beta) - 2
    build.place(carry(), "prefix", (j,), {"top": highest}, x=blocks.prefix[j])
    now = build.layer()
    into = now.into
    build.place(
        block_bits(bits=bits), "bits", s=now.prefix, c=Signal(lambda j: into[j // beta], (bits,))
    )
    done = build.close()
    return Gadget(
        name="adder",
        network=build.build(build.output("sum", (j,), done.bits[j], word=True)),
        spec={"sum": lambda x, y: (value(x, 0, bits) + value(y, 0, bits)) % 2**bits},
        source="ours; the paper's 3-layer addition",
        formula="block sums; carries into blocks; bits",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"bits": shape.bits, "constant": 1}, {"bits": shape.bits, "constant": 2}])
def increment(bits: int, constant: int) -> Gadget:
    """The word x + constant mod 2**bits: the adder with the constant's bits as second operand."""
    j = Index("j", bits)
    build = Builder("increment", [Field("x", (bits,), word=True)])
    now = build.layer()
    second = Signal(lambda j: bit(constant, j), (bits,))
    build.place(adder(bits=bits), "plus", x=now.x, y=second)
    build.layer()
    build.layer()
    done = build.close()
    return Gadget(
        name="increment",
        network=build.build(build.output("sum", (j,), done.plus[j], word=True)),
        spec={"sum": lambda x: (value(x, 0, bits) + constant) % 2**bits},
        source="ours; the paper's 3-layer addition with a constant operand",
        formula="adder(x, constant)",
        settings={"bits": bits, "constant": constant},
    )


@gadget(lambda shape: [{"bits": shape.bits}])
def subtract(bits: int) -> Gadget:
    """The word (b if use_b, c if use_c, else 0) - a mod 2**bits: the paper's seven layers.

    | layers | what                                           |
    |--------|------------------------------------------------|
    | 1      | flip the bits of a; gate b and c               |
    | 2 to 4 | add 1 to the flipped word: -a; merge b and c   |
    | 5 to 7 | add                                            |

    -a is the flipped word plus 1, in two's complement.
    """
    j = Index("j", bits)
    top = {"top": 1}
    inputs = [Field(name, (bits,), word=True) for name in ("a", "b", "c")]
    build = Builder("subtract", [*inputs, Field("use_b"), Field("use_c")])
    now = build.layer()
    build.place(not_(), "flipped", (j,), x=now.a[j])
    build.place(and_(inputs=2), "b", (j,), x=now.b[j], y=now.use_b)
    build.place(and_(inputs=2), "c", (j,), x=now.c[j], y=now.use_c)
    now = build.layer()
    build.place(increment(bits=bits, constant=1), "negative", x=now.flipped)
    build.place(merge(inputs=2), "minuend", (j,), x=now.b[j], y=now.c[j])
    for _ in range(2):
        now = build.layer()
        build.place(carry(), "minuend", (j,), top, x=now.minuend[j])
    now = build.layer()
    build.place(adder(bits=bits), "difference", x=now.negative, y=now.minuend)
    build.layer()
    build.layer()
    done = build.close()

    def spec(a: Value, b: Value, c: Value, use_b: Value, use_c: Value) -> Value:
        minuend = where(use_b == 1, value(b, 0, bits), where(use_c == 1, value(c, 0, bits), 0))
        return (minuend - value(a, 0, bits)) % 2**bits

    return Gadget(
        name="subtract",
        network=build.build(build.output("difference", (j,), done.difference[j], word=True)),
        conditions=(
            Condition(
                "not both use_b and use_c", (), lambda a, b, c, use_b, use_c: use_b + use_c <= 1
            ),
        ),
        spec={"difference": spec},
        source="ours, in the paper's layers: flip the bits, add one, add",
        formula="adder(increment(not a), b if use_b, c if use_c)",
        settings={"bits": bits},
    )
