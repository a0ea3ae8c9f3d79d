"""What the neurons of the construction `single` read, as lemmas: the state's words and flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from proofs.gadget_view import Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N, folded
from proofs.scripts.direct import (
    CASE,
    Direct,
    P,
    U,
    V,
    free,
    in_word,
    over_bits,
    within,
)
from proofs.scripts.machine_steps import (
    J,
    spells,
)
from proofs.terms import conj, formula, implies, ite, substitute, term, unknown
from proofs.theory import Formula, Term
from verified_mlp import logic
from verified_mlp.logic import pow2
from verified_mlp.statement.affine import Affine
from verified_mlp.statement.expr import var


def digits(s: Direct) -> list[Part]:
    """The bits of the program counter are the digits of the number that they spell."""
    number, bits = s.pc, s.at(0, "pc")
    digits = Vector(lambda k: logic.bit(number, k))
    agree = folded(s.view, 0, N, 1, lambda k, so_far: ite(digits[k] == bits[k], so_far, 0))

    def agreed() -> tuple[Sequence[Formula], Formula]:
        left, right = s.number(digits, N), s.number(bits, N)
        numbers = [conj(each >= 0, each < pow2(N)) for each in (left, right)]
        return [], conj((agree == 1) == (left == right), *numbers, agree >= 0, agree <= 1)

    return [
        Lemma(
            "pc agrees",
            "the first n bits of the pc are the first digits of its number if they spell the same",
            agreed,
            over=over_bits(s),
        ),
        Lemma(
            "pc digits",
            "if the first n bits are the first digits, bit j is digit j",
            lambda: (in_word(s), implies(agree == 1, digits[J] == bits[J])),
            over=Over("n", J + 1, s.bits, f"n in j + 1..{s.bits}"),
            uses=[("pc agrees", {})],
            unfold=[J + 1],
        ),
        Lemma(
            "pc bits",
            "bit j of the pc is digit j of the number that its bits spell",
            lambda: (in_word(s), digits[J] == bits[J]),
            uses=[
                ("pc agrees", {"n": s.bits}),
                ("pc digits", {"n": s.bits}),
                ("pc below 2^n", {"n": s.bits}),
            ],
            spells=[(number, s.bits)],
        ),
    ]


READ = {
    "the word at p": ("moved", "a", P),
    "the word at p + 1": ("moved", "b", P + 1),
    "the word at u": ("difference", "y", U),
    "the word at v": ("difference", "x", V),
}
"""Words that gadgets read, by gadget and input, and the address at which they stand."""


def _number_read(s: Direct, name: str, source: str, length: Term) -> Any:
    """The number that the first bits of a word spell that a gadget reads in a case."""
    return s.number(s.wired(name, source, P, U, V), length)


def read_words(s: Direct) -> list[Part]:
    """What the gadgets read is the state's."""
    return [
        *(lemma for each in links(s) for lemma in _linked(s, each)),
        *(
            spells(
                s,
                f"{what} is read",
                f"the gadgets read {what}",
                partial(_number_read, s, name, source),
                partial(s.row, address),
                [("the bit at p + 1 is read", {"j": N})] if what.endswith("1") else [],
                within(s, what.removesuffix(" + 1")[-1]),
            )
            for what, (name, source, address) in READ.items()
        ),
    ]


@dataclass(frozen=True)
class Link:
    """What stands in a wire is a sum of entries of the state, each with a sign.

    The sums in the wire are other functions than those of which the lemmas speak, where a position
    is p + 1 or the last, or where sums of two entries are one; they are equal, term by term.
    """

    name: str
    claim: str
    wire: Affine
    at: Mapping[str, Any]
    offset: int
    entries: Sequence[tuple[str, tuple[Term, ...], int]]
    positions: int = 0


def links(s: Direct) -> list[Link]:
    """All such wires."""
    top = s.bits - 1
    case = {name: CASE[name] for name in CASE}
    bit = {**case, "j": J}
    return [
        Link(
            "the bit at p + 1 is read",
            "the gadgets read bit j of the word at p + 1",
            _wire(s, "moved", "b", "position!0"),
            {**case, "position!0": J},
            0,
            [("mem", (P + 1, J), 1)],
        ),
        Link(
            "the bit at p + 2 is read",
            "the gadgets read bit j of the word at p + 2",
            _wire(s, "leap", "c"),
            bit,
            0,
            [("mem", (P + 2, J), 1)],
        ),
        Link(
            "the sign is read",
            "the sign of the pc",
            _wire(s, "running", "x"),
            {},
            0,
            [("pc", (term(top),), 1)],
            s.bits,
        ),
        Link(
            "whether there is no input is read",
            "1 less whether there is input",
            _wire(s, "waits", "m"),
            case,
            1,
            [("ready", (), -1)],
        ),
        Link(
            "what closes an input is read",
            "the fault, and that there is no input",
            _wire(s, "got", "off"),
            bit,
            1,
            [("fault", (), 1), ("ready", (), -1)],
        ),
    ]


def _inside(name: str) -> Any:
    """Any value of an index of a sum."""
    return unknown(f"inside!{name}")


def _linked(s: Direct, link: Link) -> list[Part]:
    """The equality of each sum in the wire, from the innermost, and of the whole."""
    groups = dict.fromkeys(
        tuple(bound.name for bound in each.bounds) for each in link.wire.terms if each.bounds
    )

    def summed(output: str, positions: tuple[Term, ...], over: Sequence[str], fixed: Any) -> Any:
        form, names = s.form(output)
        if all([bound.name for bound in each.bounds] != [*over] for each in form.terms):
            return 0
        anywhere = free(names)
        found = s.view.sum_of(form, over, -1, {**anywhere, **fixed}, N)
        return substitute(term(found), *zip(anywhere.values(), map(term, positions), strict=True))

    def equal(over: Sequence[str], level: int) -> tuple[Sequence[Formula], Formula]:
        fixed = {name: _inside(name) for name in over[:level]}
        here = s.view.sum_of(link.wire, over, -1, {**link.at, **fixed}, N)
        there: Any = 0
        for output, positions, sign in link.entries:
            there = there + sign * summed(output, positions, over, fixed)
        return [], formula(here == there)

    def whole() -> tuple[Sequence[Formula], Formula]:
        entries = [
            sign * (s.at(0, output)[positions] if positions else s.at(0, output))
            for output, positions, sign in link.entries
        ]
        here = s.view.form(link.wire, {**s.view.parameters, **link.at}, -1)
        return [], formula(here == sum(entries, link.offset))

    def size(name: str) -> Any:
        return s.sizes[name.rpartition(".")[2]]

    def name_of(over: Sequence[str], level: int) -> str:
        left = " and ".join(name.rpartition(".")[2] for name in over[level:])
        of = "".join(name.rpartition(".")[2] for name in over)
        return f"{link.name}: sum over {left} of {of}"

    found: list[Part] = []
    for over in groups:
        for level in reversed(range(len(over))):
            uses: Uses = []
            if level + 1 < len(over):
                values = {_inside(over[level]).label: N, "n": size(over[level + 1])}
                uses = [(name_of(over, level + 1), values)]
            found.append(
                Lemma(
                    name_of(over, level),
                    f"{link.claim}: the sums in the wire and in the state, below n, are equal",
                    partial(equal, over, level),
                    over=Over("n", 0, size(over[level]), f"n in 0..{size(over[level])}"),
                    uses=uses,
                    positions=link.positions,
                )
            )
    found.append(
        Lemma(
            link.name,
            link.claim,
            whole,
            uses=[(name_of(over, 0), {"n": size(over[0])}) for over in groups],
        )
    )
    return found


def _wire(s: Direct, name: str, source: str, *positions: str) -> Affine:
    return s.view.placed(name).wires[source][tuple(map(var, positions))]


def known_of(s: Direct, p: Term = P, u: Term = U, v: Term = V) -> Uses:
    """What is known of the words in a case."""
    case = {"p": p, "u": u, "v": v}
    return [
        *((f"{what} is read", {**case, "n": s.bits}) for what in READ),
        *(("rows below 2^n", {"address": each, "n": s.bits}) for each in (p, p + 1)),
        ("pc below 2^n", {"n": s.bits}),
    ]
