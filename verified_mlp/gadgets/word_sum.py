"""Add two words, or compare them, in one layer, with weights that grow with the word."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from verified_mlp.gadgets.gated_threshold import gated_threshold
from verified_mlp.gadgets.registry import Settings, gadget
from verified_mlp.logic import Value, both, value, where
from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.affine import Affine, AffineLike, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Expr, Index, pow2
from verified_mlp.statement.network import Field, Gadget

MOST_AT_ONCE = 49
"""The most bits of a word that are added up in one layer: float64 holds all numbers that a network
then computes.  Wider words are cut in halves (see `wide_words`).
"""


def _at_once(shape: Dimensions) -> list[Settings]:
    return [{"bits": shape.bits}] if shape.bits <= MOST_AT_ONCE else []


def sum_of_words(bits: int) -> Callable[..., Value]:
    """What a gadget that adds words gives: x + y + carry mod 2**bits if the gate is on, else 0."""

    def spec(x: Value, y: Value, carry: Value, on: Value) -> Value:
        return where(on == 1, (value(x, 0, bits) + value(y, 0, bits) + carry) % 2**bits, 0)

    return spec


def equal_words(bits: int) -> Callable[..., Value]:
    """What a gadget that compares words gives: 1 if x = y and the gate is on, else 0."""

    def spec(x: Value, y: Value, on: Value) -> Value:
        return where(both(value(x, 0, bits) == value(y, 0, bits), on == 1), 1, 0)

    return spec


def place_digits(build: Builder, j: Index, unit: Expr, s: Affine, on: AffineLike) -> None:
    """In a layer: three thresholds of s in 0..4 * unit - 1, from which `digit` is found."""
    for name, times in (("one", 1), ("two", 2), ("three", 3)):
        parameters = {"t": times * unit, "top": 4 * unit - 1}
        build.place(gated_threshold(), name, (j,), parameters, s=s, on=on)


def digit(done: SimpleNamespace, j: Index) -> Affine:
    """The bit of s that is worth `unit`, if the gate is on (see `place_digits`)."""
    found: Affine = done.one[j] - done.two[j] + done.three[j]
    return found


@gadget(_at_once, construction="compact")
def word_sum(bits: int) -> Gadget:
    """The word x + y + carry mod 2**bits if the gate is on, else 0, in one layer.

    Let T be the number that bits 0..j of x spell, plus that of bits 0..j of y, plus the carry.
    Bit j of the sum is bit j of T, and 0 <= T < 4 * 2^j, so three thresholds give it:
    [T >= 2^j] - [T >= 2 * 2^j] + [T >= 3 * 2^j].

    | T in units of 2^j | 0 | 1 | 2 | 3 |
    |-------------------|---|---|---|---|
    | bit j of T        | 0 | 1 | 0 | 1 |

    With the flipped bits of a for y and a carry of 1, the sum is x - a.
    """
    j, k = Index("j", bits), Index("k", bits)
    inputs = [Field(name, (bits,), word=True) for name in ("x", "y")]
    build = Builder("word_sum", [*inputs, Field("carry"), Field("on")])
    now = build.layer()
    upto = total(k, pow2(k) * (now.x[k] + now.y[k]), 0, j + 1) + now.carry
    place_digits(build, j, pow2(j), upto, now.on)
    done = build.close()
    return Gadget(
        name="word_sum",
        network=build.build(build.output("sum", (j,), digit(done, j), word=True)),
        spec={"sum": sum_of_words(bits)},
        source="ours; the last layer of the block adder with the whole word as one block",
        formula="sum[j] = [T >= 2^j] - [T >= 2*2^j] + [T >= 3*2^j], T = sum_(k<=j) 2^k (x_k + y_k) "
        "+ carry",
        settings={"bits": bits},
    )


@gadget(_at_once, construction="compact")
def same_word(bits: int) -> Gadget:
    """1 if the words x and y are equal and the gate is on, in one layer.

    With D = x - y + 2**bits, which is in 1..2 * 2**bits - 1: [D >= 2**bits] - [D > 2**bits].

    | x, y  | [D >= 2**bits] | [D > 2**bits] | out |
    |-------|----------------|---------------|-----|
    | x < y | 0              | 0             | 0   |
    | x = y | 1              | 0             | 1   |
    | x > y | 1              | 1             | 0   |
    """
    k = Index("k", bits)
    inputs = [Field(name, (bits,), word=True) for name in ("x", "y")]
    build = Builder("same_word", [*inputs, Field("on")])
    now = build.layer()
    apart = total(k, pow2(k) * (now.x[k] - now.y[k])) + 2**bits
    top = 2 * 2**bits - 1
    for name, t in (("least", 2**bits), ("more", 2**bits + 1)):
        build.place(gated_threshold(), name, (), {"t": t, "top": top}, s=apart, on=now.on)
    done = build.close()
    return Gadget(
        name="same_word",
        network=build.build(build.output("out", (), done.least - done.more)),
        spec={"out": equal_words(bits)},
        source="ours; part of the paper's conditional branch, without waiting for the difference",
        formula="out = [D >= 2^bits] - [D > 2^bits], D = sum_k 2^k (x_k - y_k) + 2^bits",
        settings={"bits": bits},
    )
