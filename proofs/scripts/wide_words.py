"""Proofs about words in two halves: what a word spells is what the halves spell, together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N, specification, spelled, wires
from proofs.terms import conj, ite, unknown
from proofs.theory import Formula
from verified_mlp.gadgets.wide_words import halves
from verified_mlp.logic import pow2


def wide_sum(view: SymbolicView) -> Sequence[Part]:
    """The halves' contracts, and that of the carry between them."""
    bits = view.gadget.settings["bits"]
    low, high = halves(bits)
    x, y, carry = (view.inputs[name] for name in ("x", "y", "carry"))
    lower, plain, carried = (view.result(name) for name in ("lower", "plain", "carried"))
    out, j = view.output("sum"), unknown("j")
    upper = _above(out, low)

    def prefix() -> tuple[list[Formula], Formula]:
        numbers = [spelled(view, word, 0, N) for word in (x, y)]
        bounds = [conj(number >= 0, number < pow2(N)) for number in numbers]
        total = view.sum_wired("carries", "s", {}, N)
        return view.domain(), conj(total == numbers[0] + numbers[1], *bounds)

    def carries() -> tuple[list[Formula], Formula]:
        total = spelled(view, x, 0, low) + spelled(view, y, 0, low) + carry
        on = view.inputs["on"]
        found = view.result("carries")
        return view.domain(), found == ite(conj(on == 1, total >= 2**low), 1, 0)

    def selected() -> tuple[list[Formula], Formula]:
        number = spelled(view, upper, 0, N)
        either = [spelled(view, word, 0, N) for word in (plain, carried)]
        return view.domain(), number == ite(view.result("carries") == 1, either[1], either[0])

    def bit() -> tuple[list[Formula], Formula]:
        return [*view.domain(), j >= 0, j < bits], conj(out[j] >= 0, out[j] <= 1)

    def low_bits() -> tuple[list[Formula], Formula]:
        return view.domain(), spelled(view, out, 0, N) == spelled(view, lower, 0, N)

    over = Over("n", 0, high, f"n in 0..{high}")
    over_low = Over("n", 0, low, f"n in 0..{low}")
    parts: Uses = [("carries", {})]
    return [
        _powers(low, high),
        Lemma(
            "prefix",
            "the weighted sum of the first n bits is the sum of the numbers they spell",
            prefix,
            over=over_low,
        ),
        *(
            _split(view, name, view.inputs[name], _above(view.inputs[name], low), [])
            for name in "xy"
        ),
        *(wires(view, name) for name in ("lower", "plain", "carried")),
        wires(view, "carries", [("prefix", {"n": low})]),
        Lemma(
            "carries",
            f"the low halves carry if they add up to 2^{low} or more",
            carries,
            uses=[("prefix", {"n": low})],
        ),
        *(wires(view, name, parts) for name in ("kept", "chosen")),
        Lemma(
            "selected",
            "the first n bits of the high half are those with the carry that there is",
            selected,
            over=over,
            uses=parts,
        ),
        Lemma("bit", "every output is 0 or 1", bit, uses=parts),
        Lemma("low bits", "the low half is that of the first layer", low_bits, over=over_low),
        _split(view, "sum", out, upper, parts),
        specification(
            view,
            "sum",
            [
                *(("prefix", {"n": low}), *parts),
                *((f"halves of {name}", {"n": high}) for name in ("x", "y", "sum")),
                ("selected", {"n": high}),
                ("low bits", {"n": low}),
                ("bit", {"j": unknown("at!j")}),
            ],
        ),
    ]


def same_wide_word(view: SymbolicView) -> Sequence[Part]:
    """Words are equal if their halves are."""
    bits = view.gadget.settings["bits"]
    low, high = halves(bits)
    found: list[Part] = [_powers(low, high)]
    for name in ("x", "y"):
        word = view.inputs[name]
        found += [_below(view, name, word, low), _split(view, name, word, _above(word, low), [])]
    uses: Uses = [
        *((f"{name} below 2^n", {"n": low}) for name in ("x", "y")),
        *((f"halves of {name}", {"n": high}) for name in ("x", "y")),
    ]
    return [
        *found,
        *(wires(view, name) for name in ("lower", "upper", "same")),
        specification(view, "out", uses),
    ]


def _above(word: Any, low: int) -> Vector:
    return Vector(lambda k: word[k + low])


def _below(view: SymbolicView, name: str, word: Any, low: int) -> Lemma:
    number = spelled(view, word, 0, N)
    return Lemma(
        f"{name} below 2^n",
        f"the first n bits of {name} spell a number in 0..2^n - 1",
        lambda: (view.domain(), conj(number >= 0, number < pow2(N))),
        over=Over("n", 0, low, f"n in 0..{low}"),
    )


def _powers(low: int, high: int) -> Lemma:
    return Lemma(
        "powers",
        f"2^({low} + n) is 2^{low} times 2^n",
        lambda: ([], pow2(N + low) == 2**low * pow2(N)),
        over=Over("n", 0, high, f"n in 0..{high}"),
    )


def _split(view: SymbolicView, name: str, word: Any, upper: Any, uses: Uses) -> Lemma:
    """A word's number is that of its low half and 2**low times that of its `upper` half."""
    low, high = halves(view.gadget.settings["bits"])

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
        uses=[("powers", {}), *uses],
        unfold=[N + low + 1],
    )
