"""Lemmas of the machine theorem that the constructions share: reading, writing, the outputs.

They speak of what a construction has where (see `stages.Stages`), not of how it gets there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.kernel import Theorem
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.machine import encoded_bit
from proofs.scripts.common import N, specification
from proofs.scripts.stages import Stages
from proofs.terms import conj, disj, implies, ite, unknown
from proofs.theory import Formula, Term
from verified_mlp.logic import pow2

J, ADDRESS = unknown("j"), unknown("address")
WORDS = ("a", "b", "c")
KINDS: Uses = (("operands", {"j": 0}),)
"""The lemma that says which kind of instruction it is."""


def operands(s: Stages) -> Uses:
    """The lemmas that say which words the instruction has."""
    fetched = [(f"{name} is fetched", {"n": s.bits}) for name in WORDS]
    return [("pc below 2^n", {"n": s.bits}), *_rows(s, WORDS), *fetched]


def top_bit(s: Stages) -> Uses:
    """The lemmas that say which bit of the program counter is its sign."""
    return [("pc below 2^n", {"n": s.bits - 1}), ("pc below 2^n", {"n": s.bits})]


def fetching(s: Stages, sums: Sequence[Part] = (), uses: Uses = ()) -> list[Part]:
    """Layers 1 and 2: the instruction's words.  What layer 2 reads besides single rows is known by
    the lemmas `sums`; its wires need the lemmas `uses`.
    """
    view = s.view
    chosen = {name: ite(s.fetched, s.pc, s.shape.code) for name in ("run", *WORDS)}
    return [
        *words_below(s),
        layer_wires(view, 1),
        *sums,
        layer_wires(
            view,
            2,
            [("pc below 2^n", {"n": s.bits}), *uses],
            {k: {"a": v} for k, v in chosen.items()},
        ),
        Lemma(
            "fetch",
            "bit j of the words at pc, pc + 1, pc + 2, if an instruction is executed, else 0",
            lambda: (
                [J >= 0, s.bits > J],
                conj(
                    s.at(2, "run") == ite(s.fetched, 1, 0),
                    *(
                        s.at(2, name)[J] == ite(s.fetched, s.at(0, "mem")[s.pc + ahead, J], 0)
                        for ahead, name in enumerate(WORDS)
                    ),
                ),
            ),
            uses=[("pc below 2^n", {"n": s.bits})],
        ),
        *fetched_words(s),
    ]


def words_below(s: Stages) -> list[Part]:
    """The words of the state are numbers below 2**bits."""
    return [
        below(s, "pc", s.at(0, "pc")),
        below(s, "input", s.at(0, "input")),
        Lemma(
            "rows below 2^n",
            "the first n bits of any word of memory spell a number in 0..2^n - 1",
            lambda: ([], conj(s.row(ADDRESS, N) >= 0, s.row(ADDRESS, N) < pow2(N))),
            over=_bits(s),
        ),
    ]


def fetched_words(s: Stages) -> list[Part]:
    """The numbers that the bits of the instruction's words spell."""
    return [
        spells(
            s,
            f"{name} is fetched",
            f"the number that the bits of {name.upper()} spell is the word at pc + {ahead}",
            partial(s.fetched_number, name),
            partial(s.fetched_row, ahead),
            [("fetch", {"j": N})],
        )
        for ahead, name in enumerate(WORDS)
    ]


def reading(s: Stages) -> list[Part]:
    """Layers 1 to 4: the instruction's words, the operands, the kind of instruction."""
    view = s.view
    looked_up = {
        f"from_{name}": ite(s.valid(name), s.operand(name), s.shape.addresses)
        for name in ("a", "b")
    }
    found = [*operands(s), *((f"{x} has one row", {"n": s.shape.addresses}) for x in ("a", "b"))]
    return [
        *fetching(s),
        layer_wires(view, 3, [("fetch", {"j": 0})]),
        *(
            Lemma(
                f"{name} has one row",
                f"the sum of the matches of {name.upper()} below row n: 1 if it is among them",
                partial(s.one_row, name),
                over=Over("n", 0, s.shape.addresses, f"n in 0..{s.shape.addresses}"),
                uses=[*operands(s), ("fetch", {"j": 0})],
            )
            for name in ("a", "b")
        ),
        layer_wires(
            view, 4, [*found, ("fetch", {"j": 0})], {k: {"a": v} for k, v in looked_up.items()}
        ),
        kinds(s, 4, [*found, ("fetch", {"j": J})]),
        *operand_words(s),
        carried(s, "input", 4, 0),
    ]


def kinds(s: Stages, layer: int, uses: Uses) -> Lemma:
    """The operands' bits, and the flags in a layer that say which kind of instruction it is."""
    return Lemma(
        "operands",
        "bit j of the words at A and B, if these are addresses; the kind of instruction",
        lambda: (
            [J >= 0, s.bits > J],
            conj(
                *(
                    conj(s.got(f"from_{name}")[J] == s.operand_bit(name, J), _is_bit(s, name))
                    for name in ("a", "b")
                ),
                *(
                    s.at(layer, flag) == ite(condition, 1, 0)
                    for flag, condition in s.conditions().items()
                ),
            ),
        ),
        uses=uses,
    )


def _is_bit(s: Stages, name: str) -> Formula:
    bit = s.got(f"from_{name}")[J]
    return conj(bit >= 0, bit <= 1)


def operand_words(s: Stages) -> list[Part]:
    """The numbers that the operands' bits spell."""
    return [
        spells(
            s,
            f"operand at {name.upper()}",
            f"the number that the operand's bits spell is the word at {name.upper()}",
            partial(s.operand_number, name),
            partial(s.operand_row, name),
            [("operands", {"j": N})],
        )
        for name in ("a", "b")
    ]


def effects(s: Stages) -> Lemma:
    """What the step does to the program counter, but for jumping, and to the fault flag."""
    return Lemma(
        "effects",
        "whether the step moves on, and whether it faults",
        lambda: (
            [],
            conj(
                s.got("moves") == ite(s.moves(), 1, 0),
                s.got("fault") == ite(s.faults(), 1, 0),
            ),
        ),
        uses=[*KINDS, *top_bit(s)],
        unfold=[s.bits],
    )


def target(s: Stages) -> Lemma:
    """The place to write."""
    return Lemma(
        "target",
        "the row to be written is row B, if a word is written",
        lambda: (
            [ADDRESS >= 0, s.shape.addresses > ADDRESS],
            s.got("target")[ADDRESS] == ite(conj(s.writes(), s.operand("b") == ADDRESS), 1, 0),
        ),
        uses=[*KINDS, ("fetch", {"j": 0})],
    )


def memory_bit(s: Stages, uses: Uses = ()) -> Lemma:
    """The memory's bits after the write; `uses` are the lemmas that the result's bits are bits."""
    return Lemma(
        "memory bit",
        "bit j of a word after write back: the result's in row B, else the old one",
        lambda: (
            [J >= 0, s.bits > J, ADDRESS >= 0, s.shape.words > ADDRESS],
            s.got("mem")[ADDRESS, J]
            == ite(
                conj(s.writes(), s.operand("b") == ADDRESS),
                s.got("result")[J],
                s.at(0, "mem")[ADDRESS, J],
            ),
        ),
        uses=[("target", {}), *uses],
    )


def ending(s: Stages, further: Mapping[str, Uses] | None = None) -> list[Part]:
    """The outputs: what they are, the specification, and which states stay as they are.

    `further` lemmas are used for the specification of some outputs, and for the output's bits.
    """
    further = further or {}
    bits: Uses = [(f"{name} bit", {}) for name in ("memory", "pc", "output")]
    still = [*KINDS, *bits, ("effects", {}), *top_bit(s)]
    return [
        Lemma(
            "pc bit",
            "bit j of the pc after the step: that of C, of pc + 3 or of pc",
            lambda: (
                [J >= 0, s.bits > J],
                s.view.output("pc")[J]
                == ite(
                    s.jumps(),
                    s.word("c")[J],
                    ite(s.moves(), s.got("next")[J], s.at(0, "pc")[J]),
                ),
            ),
            uses=[("effects", {}), ("branch", {})],
        ),
        spells(
            s,
            "pc after",
            "the number that the pc's bits spell is C, pc + 3 or pc",
            lambda n: s.number(s.view.output("pc"), n),
            lambda n: ite(
                s.jumps(),
                s.number(s.word("c"), n),
                ite(s.moves(), s.number(s.got("next"), n), s.number(s.at(0, "pc"), n)),
            ),
            [("pc bit", {"j": N})],
        ),
        spells(
            s,
            "memory after",
            "the number that a row's bits spell is the result in row B, else the old word",
            lambda n: s.number(_row(s.view.output("mem"), ADDRESS), n),
            lambda n: ite(
                conj(s.writes(), s.operand("b") == ADDRESS),
                s.number(s.got("result"), n),
                s.row(ADDRESS, n),
            ),
            [("memory bit", {"j": N})],
            [ADDRESS >= 0, s.shape.words > ADDRESS],
        ),
        Lemma(
            "output bit",
            "bit j of the output: that of the word at A, if the step prints, else 0",
            lambda: (
                [J >= 0, s.bits > J],
                s.view.output("output")[J]
                == ite(s.conditions()["valid"], s.at(0, "mem")[s.operand("a"), J], 0),
            ),
            uses=[("operands", {"j": J}), *further.get("output bit", ())],
        ),
        spells(
            s,
            "output after",
            "the number that the output's bits spell is the word at A, if the step prints, else 0",
            lambda n: s.number(s.view.output("output"), n),
            lambda n: ite(s.conditions()["valid"], s.row(s.operand("a"), n), 0),
            [("output bit", {"j": N})],
        ),
        carried(s, "input", s.depth, 0),
        *_specifications(s, further),
        Lemma(
            "halted and faulted states stay",
            "where the machine has halted or faulted, a pass changes no bit and raises no flag",
            lambda: (
                [*generic(s), disj(s.halted(), s.at(0, "fault") == 1)],
                conj(_unchanged(s), s.view.output("wanted") == 0),
            ),
            uses=still,
        ),
        Lemma(
            "waiting states stay",
            "where an input is wanted and not there, a pass changes no bit and says so",
            lambda: (
                [*generic(s), s.conditions()["wanted"]],
                conj(_unchanged(s), s.view.output("wanted") == 1),
            ),
            uses=still,
        ),
        _decoded(s),
    ]


def generic(s: Stages) -> list[Formula]:
    """A bit j of the word at an address."""
    return [J >= 0, s.bits > J, ADDRESS >= 0, s.shape.words > ADDRESS]


def _unchanged(s: Stages) -> Formula:
    """The bits of the state vector are those before the pass, and nothing is printed."""
    return conj(
        s.view.output("mem")[ADDRESS, J] == s.at(0, "mem")[ADDRESS, J],
        *(s.view.output(name)[J] == s.at(0, name)[J] for name in ("pc", "input")),
        *(s.view.output(name) == s.at(0, name) for name in ("fault", "ready")),
        s.view.output("output")[J] == 0,
        s.view.output("valid") == 0,
    )


def _decoded(s: Stages) -> Lemma:
    """Decoding what was encoded gives it back."""
    number = s.view.theory.declare("number", 0)()

    def state() -> tuple[Sequence[Formula], Formula]:
        bits = Vector(partial(encoded_bit, number))
        return [number >= 0, number < 2**s.bits], s.number(bits) == number

    return Lemma(
        "decode(encode(w)) = w",
        "the bits of a word spell the word, and all of a state is words and flags",
        state,
        spells=[(number, s.bits)],
    )


def _specifications(s: Stages, further: Mapping[str, Uses]) -> list[Part]:
    """The outputs are those of the step."""
    kinds = [*KINDS, *operands(s)]
    address = unknown("at!axis0")
    after: dict[str, Uses] = {
        "mem": [
            ("memory after", {"address": address, "n": s.bits}),
            ("result", {}),
            ("rows below 2^n", {"address": s.operand("b"), "n": s.bits}),
            ("input below 2^n", {"n": s.bits}),
        ],
        "pc": [("pc after", {"n": s.bits}), ("next pc", {}), ("result", {}), ("effects", {})],
        "fault": [("effects", {})],
        "input": [(f"input in layer {s.depth}", {"n": s.bits})],
        "ready": [],
        "wanted": [],
        "output": [("output after", {"n": s.bits})],
        "valid": [],
    }
    return [
        specification(s.view, name, [*kinds, *uses, *further.get(name, ())])
        for name, uses in after.items()
    ]


def _row(mem: Any, address: Term) -> Vector:
    return Vector(lambda k: mem[address, k])


def carried(s: Stages, name: str, layer: int, since: int) -> Lemma:
    """A word is carried unchanged from one layer to another."""
    return spells(
        s,
        f"{name} in layer {layer}",
        f"{name} in layer {layer} spells what it spelled in layer {since}",
        lambda n: s.number(s.at(layer, name), n),
        lambda n: s.number(s.at(since, name), n),
        [],
    )


def _bits(s: Stages) -> Over:
    return Over("n", 0, s.bits, f"n in 0..{s.bits}")


def _rows(s: Stages, names: Sequence[str]) -> Uses:
    return [
        ("rows below 2^n", {"address": s.pc + ahead, "n": s.bits}) for ahead, _ in enumerate(names)
    ]


def below(s: Stages, name: str, bits: Any) -> Lemma:
    """The first n bits of a word spell a number below 2**n."""
    return spells(
        s,
        f"{name} below 2^n",
        f"the first n bits of {name} spell a number in 0..2^n - 1",
        lambda n: s.number(bits, n),
        None,
        [],
    )


def spells(
    s: Stages,
    name: str,
    claim: str,
    left: Callable[[Term], Any],
    right: Callable[[Term], Any] | None,
    uses: Uses,
    given: Sequence[Formula] = (),
) -> Lemma:
    """By induction over n: what `left` gives of n is what `right` gives; without `right`, it is a
    number of n bits.
    """

    def state() -> tuple[Sequence[Formula], Formula]:
        number = left(N)
        if right is None:
            return given, conj(number >= 0, number < pow2(N))
        return given, number == right(N)

    return Lemma(name, claim, state, over=_bits(s), uses=uses)


def layer_wires(
    view: SymbolicView,
    layer: int,
    uses: Uses = (),
    ghosts: Mapping[str, Mapping[str, Term]] | None = None,
    reach: int | None = None,
) -> Lemma:
    """What layer `layer` reads is in the domains of the gadgets that begin there."""
    begun = [
        view.placed(each.name, layer - 2 + len(each.gadget.network.layers))
        for each in view.gadget.network.layers[layer - 1].placed
        if each.part == 0 and each.gadget is not None
    ]

    def state() -> tuple[list[Formula], Formula]:
        for placed in begun:
            if ghosts and placed.name in ghosts:
                view.ghosts[view.depth(placed), placed.name] = dict(ghosts[placed.name])
        goals = []
        for placed in begun:
            ranges, goal = view.wires_in_domain(placed)
            goals.append(implies(conj(*ranges), goal))
        return [], conj(*goals)

    def accept(domain: Theorem) -> None:
        for placed in begun:
            view.accept(placed, domain)

    names = ", ".join(dict.fromkeys(each.gadget.title for each in begun if each.gadget))
    return Lemma(
        f"wires of layer {layer}",
        f"what layer {layer} reads is in the domains of {names}",
        state,
        uses=uses,
        reach=reach,
        accept=accept,
    )
