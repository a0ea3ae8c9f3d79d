"""Proofs about sums of whole words in one layer."""

from __future__ import annotations

from collections.abc import Sequence

from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N, specification, spelled, wires
from proofs.terms import conj, disj, ite, unknown
from proofs.theory import Formula
from verified_mlp.gadgets.word_below import counted_bits
from verified_mlp.logic import pow2


def word_sum(view: SymbolicView) -> Sequence[Part]:
    """The first n bits spell the sum of the first n bits of both words, less 2^n if it is that."""
    bits = view.gadget.settings["bits"]
    x, y = view.inputs["x"], view.inputs["y"]
    carry, on = view.inputs["carry"], view.inputs["on"]
    j = unknown("j")

    def prefix() -> tuple[list[Formula], Formula]:
        numbers = [spelled(view, word, 0, N) for word in (x, y)]
        bounds = [conj(number >= 0, number < pow2(N)) for number in numbers]
        total = view.sum_wired("one", "s", {"j": j}, N)
        return view.domain(), conj(total == numbers[0] + numbers[1], *bounds)

    def whole() -> tuple[list[Formula], Formula]:
        total = spelled(view, x, 0, N) + spelled(view, y, 0, N) + carry
        result = spelled(view, view.output("sum"), 0, N)
        less = ite(total >= pow2(N), total - pow2(N), total)
        return view.domain(), conj(result == ite(on == 1, less, 0), result >= 0, result < pow2(N))

    def bit() -> tuple[list[Formula], Formula]:
        got = view.output("sum")[j]
        return [*view.domain(), j >= 0, j < bits], conj(got >= 0, got <= 1)

    over = Over("n", 0, bits, f"n in 0..{bits}")
    here = [("prefix", {"n": j + 1})]
    return [
        Lemma(
            "prefix",
            "the weighted sum of the first n bits is the sum of the numbers they spell",
            prefix,
            over=over,
        ),
        *(wires(view, name, here, positions=bits) for name in ("one", "two", "three")),
        Lemma("bit", "every output is 0 or 1", bit, uses=here),
        Lemma(
            "whole",
            "the first n bits of the output spell the sum of those of x and y and the carry, less "
            "2^n if it is as much, or 0 if the gate is off",
            whole,
            over=over,
            uses=[("prefix", {}), ("prefix", {"n": N + 1}), ("bit", {"j": N})],
        ),
        specification(
            view,
            "sum",
            [("whole", {"n": bits}), ("prefix", {"n": bits}), ("bit", {"j": unknown("at!j")})],
        ),
    ]


def same_word(view: SymbolicView) -> Sequence[Part]:
    """The weighted sum is the difference of the numbers that the words spell."""
    bits = view.gadget.settings["bits"]

    def apart() -> tuple[list[Formula], Formula]:
        x, y = (spelled(view, view.inputs[name], 0, N) for name in ("x", "y"))
        bounds = [conj(number >= 0, number < pow2(N)) for number in (x, y)]
        return view.domain(), conj(view.sum_wired("least", "s", {}, N) == x - y, *bounds)

    uses = [("apart", {"n": bits})]
    return [
        Lemma(
            "apart",
            "the weighted sum of the first n bits is the difference of the numbers they spell",
            apart,
            over=Over("n", 0, bits, f"n in 0..{bits}"),
        ),
        *(wires(view, name, uses) for name in ("least", "more")),
        specification(view, "out", uses),
    ]


def word_below(view: SymbolicView) -> Sequence[Part]:
    """The weighted sum is the number that the word spells, or too large for any limit as well."""
    bits = view.gadget.settings["bits"]
    low = counted_bits(bits)

    def short() -> tuple[list[Formula], Formula]:
        number = spelled(view, view.inputs["x"], 0, N)
        # The sum stands in the wire with its sign turned.
        total = view.sum_wired("least", "s", {}, N)
        bounds = conj(number >= 0, number < pow2(N))
        most = ite(low >= N, pow2(N), 2**low * (N - low + 1)) - 1
        beyond = conj(number >= 2**low, total <= -(2**low), total >= -most)
        return view.domain(), conj(bounds, disj(conj(number <= most, total == -number), beyond))

    powers = [
        Lemma(
            "small powers",
            f"2^n is at most 2^{low} for n up to {low}",
            lambda: ([N >= 0, low >= N], pow2(N) <= 2**low),
            positions=low + 1,
        ),
        Lemma(
            "large powers",
            f"2^n is at least 2^{low} from {low} on",
            lambda: ([], pow2(N) >= 2**low),
            over=Over("n", low, bits, f"n in {low}..{bits}"),
        ),
    ]
    # A word of so few bits has no others.
    powers = powers if bits > low else []
    known: Uses = [("small powers", {}), ("small powers", {"n": N + 1}), ("large powers", {})]
    uses = [("short", {"n": bits})]
    return [
        *powers,
        Lemma(
            "short",
            f"the weighted sum of the first n bits is the number they spell, or both are 2^{low} "
            "or more",
            short,
            over=Over("n", 0, bits, f"n in 0..{bits}"),
            uses=known if powers else [],
        ),
        wires(view, "least", uses),
        specification(view, "out", uses),
    ]
