"""Proofs about words in two halves: what a word spells is what the halves spell, together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.addition import ByHand
from proofs.scripts.common import N, below_power, specification, spelled, wires
from proofs.terms import conj, ite, unknown
from proofs.theory import Formula
from verified_mlp.gadgets.wide_words import halves
from verified_mlp.logic import pow2


def wide_sum(view: SymbolicView) -> Sequence[Part]:
    """The bits are the digits of addition by hand, as those of the block adder."""
    bits = view.gadget.settings["bits"]
    low, _ = halves(bits)
    carry, on = view.inputs["carry"], view.inputs["on"]
    hand = ByHand(view, carry)
    start, j = unknown("low"), unknown("j")
    view.theory.declare("low", 0)
    view.theory.declare("j", 0)
    base = j - j % low

    def low_halves() -> tuple[list[Formula], Formula]:
        # As "segment" has it, of a lower end that is no number.
        numbers = [spelled(view, word, start, N) for word in (hand.x, hand.y)]
        return [start == 0], view.sum_wired("carries", "s", {}, N) == numbers[0] + numbers[1]

    def prefix() -> tuple[list[Formula], Formula]:
        numbers = [spelled(view, word, base, N) for word in (hand.x, hand.y)]
        total = view.sum_wired("prefix", "x", {"j": j}, N)
        return [j >= 0, j < bits], total == numbers[0] + numbers[1]

    def carries() -> tuple[list[Formula], Formula]:
        return [], view.result("carries") == hand.carry(low)

    def bit() -> tuple[list[Formula], Formula]:
        got = view.output("sum")[j]
        return [j >= 0, j < bits], conj(
            got == ite(on == 1, hand.digit(j), 0), hand.digit(j) >= 0, hand.digit(j) <= 1
        )

    def gated() -> tuple[list[Formula], Formula]:
        number = spelled(view, view.output("sum"), 0, N)
        return [], number == ite(on == 1, hand.digits(0, N), 0)

    here: Uses = [("prefix", {"n": j + 1}), ("segment", {"low": base, "n": j + 1})]
    halfway: Uses = [
        ("low halves", {"low": 0, "n": low}),
        ("segment", {"low": 0, "n": low}),
        ("carry is a bit", {"n": low}),
    ]
    return [
        *hand.lemmas(start),
        Lemma(
            "low halves",
            "the weighted sum of the first n bits is the sum of the numbers they spell",
            low_halves,
            over=Over("n", 0, low, f"n in 0..{low}"),
        ),
        Lemma(
            "prefix",
            "the weighted sum of a half's bits is the sum of the numbers they spell",
            prefix,
            over=Over("n", base, j + 1, "the bits of a half up to j"),
        ),
        wires(view, "carries", halfway, positions=low + 1),
        wires(view, "prefix", here, positions=low + 1),
        wires(view, "on"),
        Lemma(
            "carries",
            "the carry into the high half is that by hand",
            carries,
            uses=halfway,
            positions=low + 1,
        ),
        *(
            wires(view, name, [*here, ("carries", {}), *halfway[2:]], positions=low + 1)
            for name in ("one", "two", "three")
        ),
        Lemma(
            "bit",
            "bit j of the network's sum is digit j, if the gate is on",
            bit,
            uses=[
                *here,
                ("segment", {"low": base, "n": j}),
                ("carry is a bit", {"n": j}),
                ("carry is a bit", {"n": j + 1}),
                ("carries", {}),
            ],
            unfold=[j + 1],
            positions=low + 1,
        ),
        Lemma(
            "gated",
            "the first n bits of the sum spell what the digits spell, if the gate is on",
            gated,
            over=Over("n", 0, bits, f"n in 0..{bits}"),
            uses=[("bit", {"j": N})],
        ),
        hand.whole(Vector(hand.digit), [("bit", {"j": N})]),
        specification(
            view,
            "sum",
            [("whole", {"n": bits}), ("gated", {"n": bits}), ("bit", {"j": unknown("at!j")})],
        ),
    ]


def same_wide_word(view: SymbolicView) -> Sequence[Part]:
    """Words are equal if their halves are."""
    bits = view.gadget.settings["bits"]
    low, high = halves(bits)
    found: list[Part] = [_powers(low, high)]
    for name in ("x", "y"):
        word = view.inputs[name]
        found += [below_power(view, name, word, low), _split(view, name, word)]
    uses: Uses = [
        *((f"{name} below 2^n", {"n": low}) for name in ("x", "y")),
        *((f"halves of {name}", {"n": high}) for name in ("x", "y")),
    ]
    return [
        *found,
        *(wires(view, name) for name in ("lower", "upper", "same")),
        specification(view, "out", uses),
    ]


def _powers(low: int, high: int) -> Lemma:
    return Lemma(
        "powers",
        f"2^({low} + n) is 2^{low} times 2^n",
        lambda: ([], pow2(N + low) == 2**low * pow2(N)),
        over=Over("n", 0, high, f"n in 0..{high}"),
    )


def _split(view: SymbolicView, name: str, word: Any) -> Lemma:
    """A word's number is that of its low half and 2**low times that of its high half."""
    low, high = halves(view.gadget.settings["bits"])
    upper = Vector(lambda k: word[k + low])

    def state() -> tuple[list[Formula], Formula]:
        whole, rest = spelled(view, word, 0, N + low), spelled(view, upper, 0, N)
        split = whole == spelled(view, word, 0, low) + 2**low * rest
        return view.domain(), conj(split, rest >= 0, rest < pow2(N))

    return Lemma(
        f"halves of {name}",
        f"the first {low} + n bits of {name} spell the low half and 2^{low} times n bits of the "
        "high half",
        state,
        over=Over("n", 0, high, f"n in 0..{high}"),
        uses=[("powers", {})],
        unfold=[N + low + 1],
    )
