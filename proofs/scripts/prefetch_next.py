"""The machine theorem for `prefetch`: a pass leaves the words of the next instruction.

Rows are summed by induction: of the rows from which a word was looked up, the one at C (or 3 words
after pc) alone is not 0, and it is dropped if the write replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from proofs.gadget_view import Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N, specification
from proofs.scripts.machine_steps import (
    ADDRESS,
    KINDS,
    WORDS,
    J,
    generic,
    operands,
    spells,
    top_bit,
)
from proofs.scripts.stages import Stages, construction_of
from proofs.terms import conj, formula, ite, neg, substitute, term, unknown
from proofs.theory import Formula, Term

POSITION = unknown("at!axis0")

PLACES = {"C": ("at_c", "set_at_c"), "pc + 3": ("ahead", "set_ahead")}
"""Where the next instruction may be, and which parts of its words are looked up there, or set."""


def successors(s: Stages) -> list[Part]:
    """The sums over rows of each word at C, and 3 words further on than the program counter."""
    return [_successor(s, word, ahead, at) for ahead, word in enumerate(WORDS) for at in PLACES]


def _place(s: Stages, at: str) -> Term:
    """The place where the next instruction may be."""
    return s.operand("c") if at == "C" else s.pc + 3


def _inside(s: Stages, at: str) -> Formula:
    """An instruction is executed, and one can stand at the place."""
    return conj(s.fetched, _place(s, at) < s.shape.code)


def _successor(s: Stages, word: str, ahead: int, at: str) -> Lemma:
    looked_up, replaced_by = (f"{word}_{end}" for end in PLACES[at])

    def state() -> tuple[Sequence[Formula], Formula]:
        place = _place(s, at)
        row = s.operand("c") if at == "C" else s.pc
        reached = conj(_inside(s, at), row < N)
        at_b = conj(s.valid("b"), s.operand("b") == place + ahead)
        old = s.view.sum_wired(looked_up, "x", {"j": J}, N)
        new = s.view.sum_wired(replaced_by, "x", {"j": J}, N)
        kept = ite(conj(reached, neg(at_b)), s.at(0, "mem")[place + ahead, J], 0)
        return [J >= 0, s.bits > J], conj(old == kept, new == ite(conj(reached, at_b), 1, 0))

    return Lemma(
        f"{word} at {at}",
        f"the rows below n for {word.upper()} at {at}: bit j of the word there, unless it is at B",
        state,
        over=Over("n", 0, s.shape.code, "n in 0..code"),
        uses=[*operands(s), ("fetch", {"j": J})],
    )


def _ending(s: Stages, inside: Any) -> Any:
    """By where the step goes on: `inside` of that place, 0 where nothing is executed next."""
    flags = s.conditions()
    return ite(
        s.jumps(),
        inside("C"),
        ite(s.moves(), inside("pc + 3"), ite(flags["wanted"], inside(""), 0)),
    )


def next_words(s: Stages) -> list[Part]:
    """What a pass leaves of each word, and of `run`."""
    how = construction_of(s.view)
    uses: Uses = [*KINDS, ("branch", {}), *operands(s), ("fetch", {"j": J})]

    def word_at(word: str, ahead: int, at: str) -> Any:
        if not at:
            return s.word(word)[J]
        place = _place(s, at)
        at_b = conj(s.writes(), s.operand("b") == place + ahead)
        held = ite(at_b, s.got("result")[J], s.at(0, "mem")[place + ahead, J])
        return ite(_inside(s, at), held, 0)

    def left(name: str) -> Any:
        parts = {part: s.at(s.depth, part) for part in how.parts(name)}
        if name not in WORDS:
            return how.decode(name, parts)
        return how.decode(name, {part: bits[J] for part, bits in parts.items()})

    def state(word: str, ahead: int) -> tuple[Sequence[Formula], Formula]:
        return _bit(s), left(word) == _ending(s, partial(word_at, word, ahead))

    def runs(at: str) -> Any:
        return ite(_inside(s, at), 1, 0) if at else 1

    return [
        Lemma(
            "next run",
            "whether there is an instruction after the step",
            lambda: ([], left("run") == _ending(s, runs)),
            uses=[*uses[:-1], ("fetch", {"j": 0})],
        ),
        *(
            Lemma(
                f"next {word}",
                f"bit j of {word.upper()} after the step: of that at C, 3 words on, or as it was",
                partial(state, word, ahead),
                uses=[*uses, *((f"{word} at {at}", {"n": s.shape.code}) for at in PLACES)],
            )
            for ahead, word in enumerate(WORDS)
        ),
    ]


def _bit(s: Stages) -> list[Formula]:
    return [J >= 0, s.bits > J]


def vector_stays(s: Stages) -> Lemma:
    """The next pass finds a vector of the domain, as this one has."""
    view = s.view

    def state() -> tuple[Sequence[Formula], Formula]:
        after = {each.name: s.at(s.depth, each.name) for each in view.gadget.network.inputs}
        goals = []
        for condition in view.gadget.conditions:
            at = (ADDRESS, J) if len(condition.indices) > 1 else (J,)
            held = partial(condition.holds, *at, **after, **view.parameters)
            goals.append(formula(view.run(held)))
        return generic(s), conj(*goals)

    pc = s.number(view.output("pc"))
    return Lemma(
        "the vector stays in the domain",
        "after a pass, sums that stand for bits are bits, and the words held are those at the pc",
        state,
        uses=[
            *KINDS,
            *operands(s),
            ("fetch", {"j": J}),
            ("memory bit", {}),
            *(("memory bit", {"address": pc + ahead}) for ahead, _ in enumerate(WORDS)),
            ("pc bit", {}),
            ("pc after", {"n": s.bits}),
            ("next pc", {}),
            ("effects", {}),
            ("next run", {}),
            *((f"next {word}", {}) for word in WORDS),
        ],
    )


def held_words(s: Stages) -> list[Part]:
    """The outputs that are no fields of the state: what the step's instruction is after it."""
    view = s.view
    pc = s.number(view.output("pc"))
    runs = conj(view.output("fault") == 0, pc < s.shape.code)
    state: Uses = [
        *KINDS,
        *operands(s),
        *top_bit(s),
        ("effects", {}),
        ("pc after", {"n": s.bits}),
        ("next pc", {}),
        ("result", {}),
        ("next run", {}),
    ]

    def spelled(word: str, n: Term) -> Any:
        return s.number(view.output(word), n)

    def row(ahead: int, n: Term) -> Any:
        # As in "memory after", where the row is a parameter of the sum.
        mem = view.output("mem")
        word = s.number(Vector(lambda k: mem[ADDRESS, k]), n)
        return substitute(word, (ADDRESS, term(pc + ahead)))

    def found(ahead: int, n: Term) -> Any:
        return ite(runs, row(ahead, n), 0)

    parts: list[Part] = [specification(view, "run", state)]
    for ahead, word in enumerate(WORDS):
        parts += [
            spells(
                s,
                f"{word} after",
                f"what {word.upper()} spells after the step is the word at the pc + {ahead} then",
                partial(spelled, word),
                partial(found, ahead),
                [("the vector stays in the domain", {"address": 0, "j": N})],
            ),
            specification(
                view,
                word,
                [
                    *state,
                    ("specification of pc", {}),
                    ("specification of fault", {}),
                    ("specification of mem", {"at!axis0": pc + ahead, "at!axis1": POSITION}),
                    (f"{word} after", {"n": s.bits}),
                    ("the vector stays in the domain", {"address": 0, "j": POSITION}),
                ],
            ),
        ]
    return parts
