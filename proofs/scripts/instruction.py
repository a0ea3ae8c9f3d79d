"""Proofs about what is computed in one case of an instruction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N, folded, ranges, specification, spelled, wires
from proofs.terms import conj, ite, unknown
from proofs.theory import Formula, Term
from verified_mlp import logic
from verified_mlp.gadgets.instruction import CASE
from verified_mlp.logic import pow2

J = unknown("j")


class _Bits:
    """The bits of a number, as an array."""

    def __init__(self, word: Any) -> None:
        self._word = word

    def __getitem__(self, position: Any) -> Any:
        return logic.bit(self._word, position)


def _over(bits: int) -> Over:
    return Over("n", 0, bits, f"n in 0..{bits}")


def _is_case(view: SymbolicView) -> Formula:
    bits = view.gadget.settings["bits"]
    return conj(
        *(
            spelled(view, view.inputs[name], 0, bits) == view.parameters[number]
            for name, number in CASE
        )
    )


def _agree(view: SymbolicView, name: str, number: str) -> Any:
    """1 if the first n bits of a word are those of the case's number, else 0."""

    def step(k: Term, so_far: Term) -> Any:
        return ite(logic.bit(view.parameters[number], k) == view.inputs[name][k], so_far, 0)

    return folded(view, 0, N, 1, step)


def _case(view: SymbolicView, apart: Callable[[Term], Any]) -> list[Lemma]:
    """That the sum of disagreements `apart` is 0 in the gadget's case only."""
    bits = view.gadget.settings["bits"]
    agree = {name: _agree(view, name, number) for name, number in CASE}

    def counted() -> tuple[Sequence[Formula], Formula]:
        all_agree = conj(*(each == 1 for each in agree.values()))
        bounds = [conj(each >= 0, each <= 1) for each in agree.values()]
        count = apart(N)
        return view.domain(), conj(count >= 0, count <= 3 * N, (count == 0) == all_agree, *bounds)

    def binary(name: str, number: str) -> tuple[Sequence[Formula], Formula]:
        left = spelled(view, _Bits(view.parameters[number]), 0, N)
        right, agrees = spelled(view, view.inputs[name], 0, N), agree[name]
        numbers = [conj(each >= 0, each < pow2(N)) for each in (left, right)]
        return view.domain(), conj(
            (agrees == 1) == (left == right), *numbers, agrees >= 0, agrees <= 1
        )

    return [
        Lemma(
            "disagreements",
            "the sum over the first n bits is 0 if all words agree with the case in them",
            counted,
            over=_over(bits),
        ),
        *(
            Lemma(
                f"binary {name}",
                f"the first n bits of {name} and {number} agree exactly if they spell one number",
                partial(binary, name, number),
                over=_over(bits),
            )
            for name, number in CASE
        ),
        Lemma(
            "case",
            "the sum over all bits is 0 exactly in the gadget's case",
            lambda: (
                view.domain(),
                conj((apart(bits) == 0) == _is_case(view), apart(bits) >= 0),
            ),
            uses=[
                ("disagreements", {"n": bits}),
                *((f"binary {name}", {"n": bits}) for name, _ in CASE),
            ],
            spells=[(view.parameters[number], bits) for _, number in CASE],
        ),
    ]


def instruction_bit(view: SymbolicView) -> Sequence[Part]:
    """No disagreement, so the bit."""
    return [
        *_case(view, lambda n: -view.sum_in(0, "y", n)),
        specification(view, "out", [("case", {})]),
        ranges(view, [("case", {})]),
    ]


def instruction_difference(view: SymbolicView) -> Sequence[Part]:
    """As `word_sum`, in the gadget's case."""
    bits = view.gadget.settings["bits"]
    x, y = view.inputs["x"], view.inputs["y"]

    def total(n: Term) -> Any:
        return spelled(view, x, 0, n) + pow2(n) - 1 - spelled(view, y, 0, n)

    def prefix() -> tuple[list[Formula], Formula]:
        numbers = [spelled(view, word, 0, N) for word in (x, y)]
        bounds = [conj(number >= 0, number < pow2(N)) for number in numbers]
        added = view.sum_wired("one", "s", {"j": J}, N)
        return view.domain(), conj(added == total(N), *bounds)

    def whole() -> tuple[list[Formula], Formula]:
        sums = total(N) + 1
        result = spelled(view, view.output("sum"), 0, N)
        less = ite(sums >= pow2(N), sums - pow2(N), sums)
        there = conj(_is_case(view), view.inputs["off"] == 0)
        return view.domain(), conj(result == ite(there, less, 0), result >= 0, result < pow2(N))

    def bit() -> tuple[list[Formula], Formula]:
        got = view.output("sum")[J]
        return [*view.domain(), J >= 0, bits > J], conj(got >= 0, got <= 1)

    here: Uses = [
        ("prefix", {"n": J + 1}),
        ("disagreements", {"n": bits}),
        ("powers", {"n": bits}),
    ]
    return [
        *_case(view, lambda n: view.sum_wired("one", "d", {"j": J}, n)),
        Lemma(
            "prefix",
            "the weighted sum of the first n bits is that of the numbers they spell, one flipped",
            prefix,
            over=_over(bits),
        ),
        Lemma(
            "powers",
            "2^j is at most 2^n",
            lambda: ([*view.domain(), J >= 0, bits >= J], conj(pow2(J) <= pow2(N), pow2(J) >= 1)),
            over=Over("n", J, bits, f"n in j..{bits}"),
        ),
        *(wires(view, name, here) for name in ("one", "two", "three")),
        Lemma("bit", "every output is 0 or 1", bit, uses=here),
        Lemma(
            "whole",
            "the first n bits of the output spell the difference of those of x and y mod 2^n in "
            "the gadget's case, else 0",
            whole,
            over=_over(bits),
            uses=[
                ("case", {}),
                ("prefix", {}),
                ("prefix", {"n": N + 1}),
                ("bit", {"j": N}),
            ],
        ),
        specification(
            view,
            "sum",
            [("whole", {"n": bits}), ("prefix", {"n": bits}), ("bit", {"j": unknown("at!j")})],
        ),
    ]


def instruction_jump(view: SymbolicView) -> Sequence[Part]:
    """The weighted sum is the difference of the numbers that the words spell."""
    bits = view.gadget.settings["bits"]

    def apart() -> tuple[list[Formula], Formula]:
        x, y = (spelled(view, view.inputs[name], 0, N) for name in ("x", "y"))
        bounds = [conj(number >= 0, number < pow2(N)) for number in (x, y)]
        return view.domain(), conj(view.sum_wired("one", "s", {}, N) == x - y, *bounds)

    uses: Uses = [("apart", {"n": bits}), ("disagreements", {"n": bits}), ("case", {})]
    return [
        *_case(view, lambda n: view.sum_wired("one", "d", {}, n)),
        Lemma(
            "apart",
            "the weighted sum of the first n bits is the difference of the numbers they spell",
            apart,
            over=_over(bits),
        ),
        *(wires(view, name, uses) for name in ("one", "two", "three")),
        specification(view, "out", uses),
    ]
