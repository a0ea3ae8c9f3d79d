"""The sums over all cases of an instruction, as lemmas: what is added up in the case that is there.

A sum over a place p and words u and v collapses index by index, from the innermost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proofs.gadget_view import Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N
from proofs.scripts.direct import (
    CASE,
    Direct,
    P,
    U,
    V,
    in_memory,
    in_word,
    rows,
    within,
)
from proofs.scripts.direct_reading import known_of, links
from proofs.scripts.machine_steps import (
    ADDRESS,
    J,
    spells,
)
from proofs.terms import conj, ite
from proofs.theory import Formula, Term
from verified_mlp import logic
from verified_mlp.logic import pow2


@dataclass(frozen=True)
class Sum:
    """A sum in the form of an output: over which of p, u, v, innermost last; what the others are;
    what it adds up in the case that is there; and what contracts and lemmas that rests on.
    """

    name: str
    output: str
    over: str
    term: Callable[[Term, Term, Term], Any]
    fixed: Mapping[str, Term] = field(default_factory=dict)
    at: tuple[Term, ...] = ()
    given: Sequence[Formula] = ()
    uses: Uses = ()


def difference(s: Direct) -> list[Part]:
    """The difference's bits are 0 but in the case that is there."""
    word = Vector(lambda j: s.at(1, "difference")[P, U, V, j])
    return [
        Lemma(
            "difference",
            "in the case that is there, the difference of its words mod 2^bits, else 0",
            lambda: (
                within(s, "puv"),
                s.number(word) == ite(s.case(), (s.row(V) - s.row(U)) % s.shape.modulus, 0),
            ),
            uses=known_of(s),
        ),
        spells(
            s,
            "difference below 2^n",
            "the first n bits of a difference spell a number in 0..2^n - 1",
            lambda n: s.number(word, n),
            None,
            [],
            within(s, "puv"),
        ),
        Lemma(
            "a set bit counts",
            "a word is at least 2^j if its bit j is set",
            lambda: (
                [*in_word(s), *within(s, "puv")],
                s.number(word, N) >= ite(word[J] == 1, pow2(J), 0),
            ),
            over=Over("n", J + 1, s.bits, f"n in j + 1..{s.bits}"),
            uses=[("difference below 2^n", {"n": J})],
            unfold=[J + 1],
        ),
        Lemma(
            "difference bit",
            "no bit of a difference is set but in the case that is there",
            lambda: (
                [*in_word(s), *within(s, "puv")],
                conj(word[J] >= 0, word[J] <= ite(s.case(), 1, 0)),
            ),
            uses=[("difference", {}), ("a set bit counts", {"n": s.bits})],
        ),
    ]


def all_sums(s: Direct) -> list[Sum]:
    """All sums of the outputs' forms."""
    port = s.shape.modulus - 1
    mem, ready = s.at(0, "mem"), s.at(0, "ready")
    reads, prints = {"u": port}, {"v": port}
    word, bit = [*in_memory(s), *in_word(s)], in_word(s)
    addressed = s.shape.addresses > ADDRESS

    def change(p: Term) -> Any:
        return logic.bit(p + 3, J) - logic.bit(p, J)

    def goes(p: Term, u: Term, v: Term) -> Any:
        after = logic.bit(p + 3, J)
        return ite(s.jump(u, v), mem[p + 2, J], after) - logic.bit(p, J)

    def subtracted(p: Term, u: Term, v: Term) -> Any:
        return ite(addressed, s.at(1, "difference")[p, u, v, J] - mem[v, J], 0)

    def received(p: Term, u: Term, v: Term) -> Any:
        return ite(addressed, ite(ready == 1, s.at(0, "input")[J] - mem[v, J], 0), 0)

    row = {"v": ADDRESS}
    return [
        Sum("differences written", "mem", "pu", subtracted, row, (ADDRESS, J), word),
        Sum("input written", "mem", "p", received, {**reads, **row}, (ADDRESS, J), word),
        Sum("pc of subtractions", "pc", "puv", goes, {}, (J,), bit),
        Sum(
            "pc of inputs",
            "pc",
            "pv",
            lambda p, u, v: ite(ready == 1, change(p), 0),
            reads,
            (J,),
            bit,
        ),
        Sum("pc of outputs", "pc", "pu", lambda p, u, v: change(p), prints, (J,), bit),
        Sum("subtractions", "fault", "puv", lambda p, u, v: -1),
        Sum("inputs", "fault", "pv", lambda p, u, v: -1, reads),
        Sum("outputs", "fault", "pu", lambda p, u, v: -1, prints),
        Sum("inputs taken", "ready", "pv", lambda p, u, v: -ready, reads),
        Sum("inputs wanted", "wanted", "pv", lambda p, u, v: 1 - ready, reads),
        Sum("words shown", "output", "pu", lambda p, u, v: mem[u, J], prints, (J,), bit),
        Sum("words valid", "valid", "pu", lambda p, u, v: 1, prints),
    ]


def collapse(s: Direct, what: Sum) -> list[Part]:
    """A sum over several indices, from the innermost on: below n it is the case that is there, if
    that is below n.
    """
    return [_level(s, what, level) for level in reversed(range(len(what.over)))]


def _level_name(what: Sum, level: int) -> str:
    return f"{what.name}, over {' and '.join(what.over[level:])}"


def _level(s: Direct, what: Sum, level: int) -> Lemma:
    """The sum over the indices from `level` on, the ones before it as in any case."""
    own, given = what.over[level], what.over[:level]
    form = next(each for each in s.view.gadget.network.outputs if each.name == what.output)
    indices = dict(zip((index.name for index in form.indices), what.at, strict=True))

    def state() -> tuple[Sequence[Formula], Formula]:
        at = {**indices, **{f"each.{name}": CASE[name] for name in given}}
        total = s.view.sum_of(form.form, [f"each.{name}" for name in what.over], 0, at, N)
        fixed = {**{name: CASE[name] for name in given}, **what.fixed}
        p = fixed.get("p", s.pc)
        found = {"p": s.pc, "u": s.row(p), "v": s.row(p + 1)}
        there = [s.at(0, "fault") == 0]
        for name, number in found.items():
            if name in fixed:
                there.append(number == fixed[name])
            elif name == own:
                there.append(number < N)
            else:
                there.append(number < s.sizes[name])
        case = {**found, **fixed}
        value = what.term(case["p"], case["u"], case["v"])
        return [*what.given, *within(s, given)], total == ite(conj(*there), value, 0)

    next_case = {**{name: CASE[name] for name in given}, **what.fixed, own: N}
    uses: Uses = [("pc below 2^n", {"n": s.bits}), *what.uses]
    if level + 1 < len(what.over):
        inner = what.over[level + 1]
        uses = [
            *uses,
            (_level_name(what, level + 1), {own: N, "n": s.sizes[inner]}),
            *rows(s, next_case.get("p", N)),
        ]
    else:
        case = {**CASE, **next_case}
        uses = [*uses, *known_of(s, **case), *((each.name, case) for each in links(s)[3:])]
        if what.output == "pc":
            uses = [*uses, ("the bit at p + 2 is read", case)]
        if what.name == "differences written":
            uses = [*uses, ("difference bit", case)]
    return Lemma(
        _level_name(what, level),
        f"the sum over {' and '.join(what.over[level:])}, the first below n: the term of the case "
        f"that is there, if it is among them",
        state,
        over=Over("n", 0, s.sizes[own], f"n in 0..{s.sizes[own]}"),
        uses=uses,
    )


def collapsed(s: Direct, sums: Sequence[Sum], output: str) -> Uses:
    """All sums of an output, and the words of the instruction."""
    found = [
        (_level_name(each, 0), {"n": s.sizes[each.over[0]]})
        for each in sums
        if each.output == output
    ]
    return [*found, *rows(s, s.pc), ("pc below 2^n", {"n": s.bits})]
