"""Add or compare words that are too wide for one layer, in two: each half by itself, then both.

A sum over a whole word has weights that grow with 2**bits.  Up to `MOST_AT_ONCE` bits float64 holds
all numbers that they lead to; from there on a word is cut in two halves.
"""

from __future__ import annotations

from collections.abc import Sequence

from verified_mlp.gadgets.gated_threshold import gated_threshold
from verified_mlp.gadgets.logic_gates import and_
from verified_mlp.gadgets.registry import gadget
from verified_mlp.gadgets.unless import unless
from verified_mlp.gadgets.word_sum import MOST_AT_ONCE, same_word, word_sum
from verified_mlp.logic import Value, both, value, where
from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.affine import Signal, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, at_most, pow2
from verified_mlp.statement.network import Field, Gadget


def halves(bits: int) -> tuple[int, int]:
    """The bits of the low and of the high half of a word."""
    return bits // 2, bits - bits // 2


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

    The first layer adds the low halves, and the high halves once without and once with a carry, and
    finds whether the low halves carry.  The second one chooses (carry-select):

    | the low halves with the carry are | high half               |
    |-----------------------------------|-------------------------|
    | < 2**low                          | that without a carry    |
    | >= 2**low                         | that with a carry       |

    The low half of the sum is right either way.
    """
    low, high = halves(bits)
    j, k = Index("j", bits), Index("k", bits)
    inputs = [Field(name, (bits,), word=True) for name in ("x", "y")]
    build = Builder("wide_sum", [*inputs, Field("carry"), Field("on")])
    now = build.layer()
    (low_x, high_x), (low_y, high_y) = _cut(now.x, bits), _cut(now.y, bits)
    build.place(word_sum(bits=low), "lower", x=low_x, y=low_y, carry=now.carry, on=now.on)
    for name, one in (("plain", 0), ("carried", 1)):
        build.place(word_sum(bits=high), name, x=high_x, y=high_y, carry=one, on=now.on)
    whole = total(k, pow2(k) * (now.x[k] + now.y[k]), 0, low) + now.carry
    limits = {"t": 2**low, "top": 2 * 2**low - 1}
    build.place(gated_threshold(), "carries", (), limits, s=whole, on=now.on)

    now = build.layer()
    in_low = at_most(j, low - 1)
    above = (1 - in_low) * now.carried[j - low]
    either = in_low * now.lower[j] + (1 - in_low) * now.plain[j - low]
    build.place(unless(), "kept", (j,), m=either, h=(1 - in_low) * now.carries)
    build.place(and_(inputs=2), "chosen", (j,), x=above, y=now.carries)
    done = build.close()

    def spec(x: Value, y: Value, carry: Value, on: Value) -> Value:
        return where(on == 1, (value(x, 0, bits) + value(y, 0, bits) + carry) % 2**bits, 0)

    return Gadget(
        name="wide_sum",
        network=build.build(build.output("sum", (j,), done.kept[j] + done.chosen[j], word=True)),
        spec={"sum": spec},
        source="ours; carry-select over two halves, each added as by word_sum",
        formula="sum = low + 2^low (high + 1 if the low halves carry, else high)",
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
        spec={
            "out": lambda x, y, on: where(
                both(value(x, 0, bits) == value(y, 0, bits), on == 1), 1, 0
            )
        },
        source="ours; two halves, each compared as by same_word",
        formula="out = ReLU([low halves equal] + [high halves equal] - 1)",
        settings={"bits": bits},
    )
