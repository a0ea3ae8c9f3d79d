"""Proofs about addition, for every width by the same lemmas.

The bridge is the carry of addition by hand: C(0) = 0, C(n + 1) = [x_n + y_n + C(n) >= 2], and the
digit D(n) = x_n + y_n + C(n) mod 2.  The network's blocks are shown to find the same carries and
digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N, folded, specification, spelled, wires
from proofs.terms import conj, disj, ite, substitute, unknown
from proofs.theory import Formula, Term
from verified_mlp.gadgets.adder import block_count, block_size
from verified_mlp.logic import pow2


class ByHand:
    """Carries and digits of x + y by hand, and of what is carried `into` the lowest digits."""

    def __init__(self, view: SymbolicView, into: Term = 0) -> None:
        self.view, self.into = view, into
        self.x, self.y = view.inputs["x"], view.inputs["y"]

    def carry(self, n: Term) -> Any:
        """What is carried to digit n."""

        def step(k: Term, carried: Term) -> Any:
            return ite(self.x[k] + self.y[k] + carried >= 2, 1, 0)

        return folded(self.view, 0, n, self.into, step)

    def digit(self, n: Term) -> Any:
        """Digit n."""
        total = self.x[n] + self.y[n] + self.carry(n)
        return ite(disj(total == 1, total == 3), 1, 0)

    def digits(self, low: Term, high: Term) -> Any:
        """The number that digits low..high-1 spell."""
        return spelled(self.view, Vector(self.digit), low, high)

    def lemmas(self, low: Term) -> list[Lemma]:
        """What carries are, and what digits from any place `low` on are with the carry."""
        bits = self.view.gadget.settings["bits"]

        def segment() -> tuple[list[Formula], Formula]:
            x, y = (spelled(self.view, word, low, N) for word in (self.x, self.y))
            digits, power = self.digits(low, N), pow2(N - low)
            carried = ite(self.carry(N) == 1, power, 0)
            bounds = [conj(each >= 0, each < power) for each in (x, y, digits)]
            sum_ = x + y + self.carry(low)
            return [low >= 0, low <= bits], conj(sum_ == digits + carried, *bounds)

        return [
            Lemma(
                "carry is a bit",
                "the carry by hand is 0 or 1",
                lambda: ([], conj(self.carry(N) >= 0, self.carry(N) <= 1)),
                over=Over("n", 0, bits, f"n in 0..{bits}"),
            ),
            Lemma(
                "segment",
                "bits low..n-1 of x and y and the carry in add up to the digits and the carry out",
                segment,
                over=Over("n", low, bits, f"n in low..{bits}"),
                uses=[("carry is a bit", {}), ("carry is a bit", {"n": low})],
            ),
        ]

    def whole(self, result: Any, bit: Uses) -> Lemma:
        """The number that the digits spell; that each digit is in `result` follows from `bit`."""
        bits = self.view.gadget.settings["bits"]

        def state() -> tuple[list[Formula], Formula]:
            power = pow2(N)
            x, y, got = (spelled(self.view, word, 0, N) for word in (self.x, self.y, result))
            carried = ite(self.carry(N) == 1, power, 0)
            bounds = [conj(each >= 0, each < power) for each in (x, y, got)]
            return [], conj(got + carried == x + y + self.into, *bounds)

        return Lemma(
            "whole",
            "the first n bits of the sum and the carry add up to those of x and y",
            state,
            over=Over("n", 0, bits, f"n in 0..{bits}"),
            uses=[*bit, ("carry is a bit", {})],
        )


def block_sums(view: SymbolicView) -> Sequence[Part]:
    """The weighted sum of the operands' bits is the sum of the numbers that they spell."""
    bits = view.gadget.settings["bits"]
    beta, blocks = block_size(bits), block_count(bits)
    x, y = view.inputs["x"], view.inputs["y"]
    b, j = unknown("b"), unknown("j")
    parts: list[Part] = []
    for name, index, size, low, high in (
        ("generate", b, blocks - 1, beta * b, beta * b + beta),
        ("propagate", b, blocks - 1, beta * b, beta * b + beta),
        ("prefix", j, bits, _base(j, beta), j + 1),
    ):
        source = "x" if name == "prefix" else "s"
        over = {str(index): index}

        def sums(
            name: str = name,
            source: str = source,
            over: Any = over,
            index: Any = index,
            size: int = size,
            low: Any = low,
        ) -> tuple[list[Formula], Formula]:
            numbers = [spelled(view, word, low, N) for word in (x, y)]
            power = pow2(N - low)
            bounds = [conj(number >= 0, number < power) for number in numbers]
            total = view.sum_wired(name, source, over, N)
            return [index >= 0, index < size], conj(total == numbers[0] + numbers[1], *bounds)

        parts.append(
            Lemma(
                f"{name}: sum",
                "the weighted sum of a block's bits is the sum of the numbers they spell",
                sums,
                over=Over("n", low, high, "the bits of a block"),
            )
        )
        parts.append(wires(view, name, [(f"{name}: sum", {"n": high})], positions=beta + 1))
        own = unknown(f"at!{index}")
        uses = [(f"{name}: sum", {"n": substitute(high, (index, own)), str(index): own})]
        parts.append(specification(view, name, uses, positions=beta + 1))
    return parts


def block_carries(view: SymbolicView) -> Sequence[Part]:
    """The sum reaches 2^b exactly if a carry comes into block b."""
    blocks = block_count(view.gadget.settings["bits"])
    g, p = view.inputs["g"], view.inputs["p"]
    b = unknown("b")

    def sums() -> tuple[list[Formula], Formula]:
        total = view.sum_wired("carry", "s", {"b": b}, N)
        carried = folded(view, 0, N, 0, lambda c, into: ite(g[c] == 1, 1, ite(p[c] == 1, into, 0)))
        power = pow2(N)
        return [b >= 0, b < blocks], conj(
            total >= 0,
            total <= 2 * power - 2,
            (total >= power) == (carried == 1),
            carried >= 0,
            carried <= 1,
        )

    return [
        Lemma(
            "reach",
            "the sum over the blocks below n reaches 2^n exactly if a carry comes into block n",
            sums,
            over=Over("n", 0, blocks - 1, f"blocks 0..{blocks - 1}"),
        ),
        wires(view, "carry", [("reach", {"n": b})], positions=blocks + 1),
        specification(view, "carry", [("reach", {"n": unknown("at!b"), "b": unknown("at!b")})]),
    ]


def block_bits(view: SymbolicView) -> Sequence[Part]:
    """Three thresholds tell the four values of v / 2^k apart."""
    beta = block_size(view.gadget.settings["bits"])
    return [
        *(wires(view, name, positions=beta) for name in ("one", "two", "three")),
        specification(view, "sum", [], positions=beta),
    ]


def adder(view: SymbolicView) -> Sequence[Part]:
    """The adder's bits are the digits of addition by hand."""
    bits = view.gadget.settings["bits"]
    beta, blocks = block_size(bits), block_count(bits)
    hand = ByHand(view)
    low, b, j = unknown("low"), unknown("block"), unknown("j")
    view.theory.declare("low", 0)
    start, end = beta * b, beta * b + beta

    def block_carry() -> tuple[list[Formula], Formula]:
        generates = view.result("blocks", "generate")[b]
        propagates = view.result("blocks", "propagate")[b]
        passed_on = ite(propagates == 1, hand.carry(start), 0)
        return [b >= 0, b < blocks - 1], conj(
            hand.carry(end) == ite(generates == 1, 1, passed_on), generates <= propagates
        )

    def into_block(block: Term) -> Any:
        generates = view.result("blocks", "generate")
        propagates = view.result("blocks", "propagate")
        return folded(
            view,
            0,
            block,
            0,
            lambda c, into: ite(generates[c] == 1, 1, ite(propagates[c] == 1, into, 0)),
        )

    def lookahead() -> tuple[list[Formula], Formula]:
        return [], into_block(N) == hand.carry(beta * N)

    def bit() -> tuple[list[Formula], Formula]:
        got = view.output("sum")[j]
        return [j >= 0, j < bits], conj(got == hand.digit(j), got >= 0, got <= 1)

    base = j - j % beta
    return [
        *hand.lemmas(low),
        wires(view, "blocks"),
        Lemma(
            "block carry",
            "a block carries out if it generates, or propagates and a carry comes in",
            block_carry,
            uses=[
                ("segment", {"low": start, "n": end}),
                ("carry is a bit", {"n": start}),
                ("carry is a bit", {"n": end}),
            ],
            positions=beta + 1,
        ),
        wires(view, "into", [("block carry", {"block": unknown("condition!c")})]),
        Lemma(
            "lookahead",
            "the carry into a block, from generate and propagate, is the carry by hand",
            lookahead,
            over=Over("n", 0, blocks - 1, f"blocks 0..{blocks - 1}"),
            uses=[("block carry", {"block": N})],
        ),
        wires(
            view,
            "prefix",
            [("segment", {"low": base, "n": j + 1})],
            positions=beta,
        ),
        wires(
            view,
            "bits",
            [
                ("segment", {"low": _base(at, beta), "n": at + 1})
                for at in (unknown("condition!j"), unknown("s!0"))
            ]
            + [
                ("lookahead", {"n": unknown("c!0") // beta}),
                ("carry is a bit", {"n": beta * (unknown("c!0") // beta)}),
            ],
            positions=beta,
        ),
        Lemma(
            "bit",
            "bit j of the network's sum is digit j",
            bit,
            uses=[
                ("segment", {"low": base, "n": j}),
                ("segment", {"low": base, "n": j + 1}),
                ("carry is a bit", {"n": j}),
                ("carry is a bit", {"n": j + 1}),
                ("lookahead", {"n": j // beta}),
            ],
            unfold=[j + 1],
            positions=beta + 1,
        ),
        hand.whole(view.output("sum"), [("bit", {"j": N})]),
        specification(view, "sum", [("whole", {"n": bits}), ("bit", {"j": unknown("at!j")})]),
    ]


def _base(j: Any, beta: int) -> Any:
    return j - j % beta


def increment(view: SymbolicView) -> Sequence[Part]:
    """The adder's contract, with the constant's bits as second operand."""
    bits, constant = view.gadget.settings["bits"], view.gadget.settings["constant"]
    return [
        wires(view, "plus"),
        specification(view, "sum", [], spells=[(constant, bits)]),
    ]


def subtract(view: SymbolicView) -> Sequence[Part]:
    """Flipping a word's bits gives 2**bits - 1 minus it; adding one gives its negative."""
    bits = view.gadget.settings["bits"]
    a, b, c = (view.inputs[name] for name in ("a", "b", "c"))
    use_b, use_c = view.inputs["use_b"], view.inputs["use_c"]

    def flipped() -> tuple[list[Formula], Formula]:
        number = spelled(view, a, 0, N)
        other = spelled(view, view.result("flipped"), 0, N)
        return view.domain(), conj(other == pow2(N) - 1 - number, number >= 0, number < pow2(N))

    def minuend() -> tuple[list[Formula], Formula]:
        chosen = ite(
            use_b == 1,
            spelled(view, b, 0, N),
            ite(use_c == 1, spelled(view, c, 0, N), 0),
        )
        number = spelled(view, view.result("minuend", depth=3), 0, N)
        return view.domain(), conj(number == chosen, number >= 0, number < pow2(N))

    over = Over("n", 0, bits, f"n in 0..{bits}")
    return [
        wires(view, "flipped"),
        wires(view, "b"),
        wires(view, "c"),
        Lemma("flipped", "flipping n bits gives 2^n - 1 minus their number", flipped, over=over),
        wires(view, "negative"),
        wires(view, "minuend", depth=1),
        wires(view, "minuend", depth=2),
        wires(view, "minuend", depth=3),
        Lemma("minuend", "the minuend is b if use_b, c if use_c, else 0", minuend, over=over),
        wires(view, "difference"),
        specification(view, "difference", [("flipped", {"n": bits}), ("minuend", {"n": bits})]),
    ]
