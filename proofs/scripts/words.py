"""Proofs about words: match, select, one-hot sums, zero, all ones, at most zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Over, Part
from proofs.scripts.common import N, below_power, folded, ranges, specification, spelled, wires
from proofs.terms import conj, ite
from verified_mlp import logic
from verified_mlp.logic import pow2
from verified_mlp.statement.expr import to_expr


def _agreement(view: SymbolicView) -> list[Lemma]:
    bits = view.gadget.settings["bits"]
    address = view.parameters["i"]
    p = view.inputs["p"]
    (family,) = view.gadget.network.layers[0].neurons
    count = view.sum_in(0, family.name, N)
    agrees = folded(
        view,
        0,
        N,
        1,
        lambda k, so_far: ite(logic.bit(address, k) == p[k], so_far, 0),
    )
    left, right = spelled(view, _Bits(address), 0, N), spelled(view, p, 0, N)
    over = Over("n", 0, bits, f"n in 0..{bits}")
    return [
        Lemma(
            "disagreements",
            "the sum over the first n bits is 0 if p and i agree in them, else negative",
            lambda: (
                view.domain(),
                conj(count <= 0, (count == 0) == (agrees == 1), agrees >= 0, agrees <= 1),
            ),
            over=over,
        ),
        Lemma(
            "binary",
            "the first n bits of p and i agree exactly if they spell the same number",
            lambda: (
                view.domain(),
                conj(
                    (agrees == 1) == (left == right),
                    left >= 0,
                    left < pow2(N),
                    right >= 0,
                    right < pow2(N),
                    agrees >= 0,
                    agrees <= 1,
                ),
            ),
            over=over,
        ),
    ]


class _Bits:
    """The bits of a number, as an array."""

    def __init__(self, word: Any) -> None:
        self._word = word

    def __getitem__(self, position: Any) -> Any:
        return logic.bit(self._word, position)


def _matching(view: SymbolicView, output: str) -> list[Part]:
    bits = view.gadget.settings["bits"]
    uses = [("disagreements", {"n": bits}), ("binary", {"n": bits})]
    return [
        *_agreement(view),
        specification(view, output, uses, spells=[(view.parameters["i"], bits)]),
        ranges(view, [("specification", {})]),
    ]


def match(view: SymbolicView) -> Sequence[Part]:
    """Count disagreements by induction; no disagreement is equality of numbers."""
    return _matching(view, "h")


def select(view: SymbolicView) -> Sequence[Part]:
    """As `match`."""
    return _matching(view, "s")


def one_hot_sum(view: SymbolicView) -> Sequence[Part]:
    """The sum of the first n members is the addressed one if it is among them, else 0."""
    size = to_expr(view.gadget.settings["size"]).evaluate(view.parameters)
    place, members = view.parameters["a"], view.inputs["x"]
    so_far = view.sum_in(0, "y", N)
    addressed = ite(place < N, members[place], 0)
    uses = [("partial sums", {"n": size})]
    return [
        Lemma(
            "partial sums",
            "the sum of the first n members is the addressed one if it is among them, else 0",
            lambda: (view.domain(), so_far == addressed),
            over=Over("n", 0, size, f"n in 0..{size}"),
        ),
        specification(view, "y", uses),
        ranges(view, uses),
    ]


def is_zero(view: SymbolicView) -> Sequence[Part]:
    """No bit is set exactly if the number is 0."""
    bits = view.gadget.settings["bits"]
    count, number = view.sum_in(0, "z", N), spelled(view, view.inputs["r"], 0, N)
    return [
        Lemma(
            "bits set",
            "the sum over the first n bits is 0 if they spell 0, else negative",
            lambda: (
                view.domain(),
                conj(count <= 0, number >= 0, (count == 0) == (number == 0)),
            ),
            over=Over("n", 0, bits, f"n in 0..{bits}"),
        ),
        specification(view, "z", [("bits set", {"n": bits})]),
        ranges(view, [("bits set", {"n": bits})]),
    ]


def all_ones(view: SymbolicView) -> Sequence[Part]:
    """All bits are set exactly if the number is 2**bits - 1."""
    bits = view.gadget.settings["bits"]
    count, number = view.sum_in(0, "y", N), spelled(view, view.inputs["x"], 0, N)
    return [
        Lemma(
            "bits set",
            "the sum over the first n bits is n if they spell 2^n - 1, else less",
            lambda: (
                view.domain(),
                conj(
                    count <= N,
                    number >= 0,
                    number < pow2(N),
                    (count == N) == (number == pow2(N) - 1),
                ),
            ),
            over=Over("n", 0, bits, f"n in 0..{bits}"),
        ),
        specification(view, "y", [("bits set", {"n": bits})]),
        ranges(view, [("bits set", {"n": bits})]),
    ]


def at_most_zero(view: SymbolicView) -> Sequence[Part]:
    """A word is negative exactly if its top bit is set."""
    bits = view.gadget.settings["bits"]
    return [
        below_power(view, "r", view.inputs["r"], bits),
        wires(view, "zero"),
        wires(view, "sign"),
        wires(view, "either"),
        specification(view, "out", [("r below 2^n", {"n": bits - 1})], unfold=[bits]),
    ]
