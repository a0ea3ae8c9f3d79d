"""Add or compare words that are too wide for one layer, in two: first each half by itself.

A sum over a whole word has weights that grow with 2**bits.  Up to `MOST_AT_ONCE` bits float64 holds
all numbers that they lead to; from there on a word is cut in two halves.
"""

from __future__ import annotations

from collections.abc import Sequence

from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.logic_gates import and_
from verified_mlp.gadgets.registry import gadget
from verified_mlp.gadgets.threshold import threshold
from verified_mlp.gadgets.word_sum import (
    MOST_AT_ONCE,
    digit,
    equal_words,
    place_digits,
    same_word,
    sum_of_words,
    word_sum,
)
from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.affine import Signal, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, at_most, pow2
from verified_mlp.statement.network import Field, Gadget


def halves(bits: int) -> tuple[int, int]:
    """The bits of the low and of the high half of a word; the low one may have one more."""
    return bits - bits // 2, bits // 2


def is_wide(bits: int) -> bool:
    """Whether words of so many bits are added in two layers."""
    return bits > MOST_AT_ONCE


def adding(bits: int) -> Gadget:
    """The gadget that adds words of so many bits, in one layer or in two."""
    return wide_sum(bits=bits) if is_wide(bits) else word_sum(bits=bits)


def comparing(bits: int) -> Gadget:
    """The gadget that compares words of so many bits, in as many layers as `adding` takes."""
    return same_wide_word(bits=bits) if is_wide(bits) else same_word(bits=bits)


def _of_wide_words(shape: Dimensions) -> Sequence[dict[str, int]]:
    return [{"bits": shape.bits}] if is_wide(shape.bits) else []


def _cut(word: Signal, bits: int) -> tuple[Signal, Signal]:
    """The low and the high half of a word."""
    low, high = halves(bits)
    return Signal(lambda k: word[k], (low,)), Signal(lambda k: word[low + k], (high,))


@gadget(_of_wide_words, construction="compact")
def wide_sum(bits: int) -> Gadget:
    """The word x + y + carry mod 2**bits if the gate is on, else 0, in two layers.

    The block adder with two blocks: only one carry is to be found between them, so no layer looks
    ahead.  With k the offset of bit j in its half:

    | layer | output    | is                                                              |
    |-------|-----------|-----------------------------------------------------------------|
    | 1     | carries   | the low halves and the carry add up to 2**low or more           |
    | 1     | prefix[j] | the sum of the numbers that bits 0..k of the halves spell, and, |
    |       |           | in the low half, the carry                                      |
    | 2     | sum[j]    | bit k of v: prefix[j], and, in the high half, `carries`         |

    As 0 <= v < 4 * 2**k, three thresholds give bit k of it, as in `word_sum`.
    """
    low, _ = halves(bits)
    j, k = Index("j", bits), Index("k", bits)
    inputs = [Field(name, (bits,), word=True) for name in ("x", "y")]
    build = Builder("wide_sum", [*inputs, Field("carry"), Field("on")])
    now = build.layer()
    start, unit, in_low = j - j % low, pow2(j % low), at_most(j, low - 1)
    whole = total(k, pow2(k) * (now.x[k] + now.y[k]), 0, low) + now.carry
    upto = total(k, pow2(k - start) * (now.x[k] + now.y[k]), start, j + 1) + in_low * now.carry
    build.place(threshold(), "carries", (), {"t": 2**low, "top": 2 * 2**low - 1}, s=whole)
    build.place(carry(), "prefix", (j,), {"top": 4 * unit - 1}, x=upto)
    build.place(carry(), "on", (), {"top": 1}, x=now.on)
    now = build.layer()
    place_digits(build, j, unit, now.prefix[j] + (1 - in_low) * now.carries, now.on)
    done = build.close()
    return Gadget(
        name="wide_sum",
        network=build.build(build.output("sum", (j,), digit(done, j), word=True)),
        spec={"sum": sum_of_words(bits)},
        source="ours; the block adder with two blocks",
        formula="sum[j] = [v >= 2^k] - [v >= 2*2^k] + [v >= 3*2^k], v = prefix[j] + carries (j in "
        "the high half)",
        settings={"bits": bits},
    )


@gadget(_of_wide_words, construction="compact")
def same_wide_word(bits: int) -> Gadget:
    """1 if the words x and y are equal and the gate is on, in two layers: each half, then both.

    | low halves | high halves | out |
    |------------|-------------|-----|
    | equal      | equal       | 1   |
    | equal      | differ      | 0   |
    | differ     | any         | 0   |
    """
    low, high = halves(bits)
    inputs = [Field(name, (bits,), word=True) for name in ("x", "y")]
    build = Builder("same_wide_word", [*inputs, Field("on")])
    now = build.layer()
    (low_x, high_x), (low_y, high_y) = _cut(now.x, bits), _cut(now.y, bits)
    build.place(same_word(bits=low), "lower", x=low_x, y=low_y, on=now.on)
    build.place(same_word(bits=high), "upper", x=high_x, y=high_y, on=now.on)
    now = build.layer()
    build.place(and_(inputs=2), "same", x=now.lower, y=now.upper)
    done = build.close()
    return Gadget(
        name="same_wide_word",
        network=build.build(build.output("out", (), done.same)),
        spec={"out": equal_words(bits)},
        source="ours; two halves, each compared as by same_word",
        formula="out = ReLU([low halves equal] + [high halves equal] - 1)",
        settings={"bits": bits},
    )
