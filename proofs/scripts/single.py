"""The proof of the machine theorem for the construction `single`: one layer is one step.

A field of the state after the pass is a sum over all cases of an instruction: a place p, words A =
u and B = v.  Each sum collapses, index by index from the innermost, to the one case that is there:
pc = p, and the words at p and p + 1 are u and v.  What is computed in a case is its gadget's
contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from proofs.forms import form_value, plus
from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N
from proofs.scripts.direct import (
    AXIS_0,
    AXIS_1,
    BIT_0,
    Direct,
    P,
    U,
    V,
    in_memory,
    in_word,
    over_bits,
    rows,
    within,
)
from proofs.scripts.direct_reading import digits, links, read_words
from proofs.scripts.direct_sums import Sum, all_sums, collapse, collapsed, difference
from proofs.scripts.machine_steps import (
    ADDRESS,
    J,
    below,
    ending,
    generic,
    layer_wires,
    spells,
)
from proofs.scripts.stages import construction_of
from proofs.terms import conj, ite
from proofs.theory import Formula, Term
from verified_mlp import logic
from verified_mlp.logic import pow2


def single(view: SymbolicView) -> Sequence[Part]:
    """The words that the layer reads, the sums one by one, and the outputs."""
    s = Direct(view)
    sums = all_sums(s)
    lemmas: list[Part] = [
        below(s, "pc", s.at(0, "pc")),
        below(s, "input", s.at(0, "input")),
        Lemma(
            "rows below 2^n",
            "the first n bits of any word of memory spell a number in 0..2^n - 1",
            lambda: (in_memory(s), conj(s.row(ADDRESS, N) >= 0, s.row(ADDRESS, N) < pow2(N))),
            over=over_bits(s),
        ),
        *digits(s),
        *read_words(s),
        Lemma(
            "bits of memory",
            "every bit of a word of memory is 0 or 1",
            lambda: (
                generic(s),
                conj(s.at(0, "mem")[ADDRESS, J] >= 0, s.at(0, "mem")[ADDRESS, J] <= 1),
            ),
        ),
        Lemma(
            "bits of the pc",
            "every bit of the pc is 0 or 1",
            lambda: (in_word(s), conj(s.at(0, "pc")[J] >= 0, s.at(0, "pc")[J] <= 1)),
        ),
        layer_wires(
            view,
            1,
            [
                *((each.name, {}) for each in links(s)),
                (links(s)[0].name, {"j": BIT_0}),
                ("bits of the pc", {"j": s.bits - 1}),
            ],
        ),
        *difference(s),
        *(lemma for each in sums for lemma in collapse(s, each)),
        *_outputs(s, sums),
    ]
    lemmas += [*_stays(s), *_encoded(s)]
    return [_under_domain(view, each) for each in lemmas]


def _under_domain(view: SymbolicView, part: Part) -> Part:
    """The lemma, for vectors of which the flags too are bits."""
    assert isinstance(part, Lemma)
    state = part.state

    def stated() -> tuple[Sequence[Formula], Formula]:
        given, goal = state()
        known = [each for each in view.domain() if all(each is not own for own in given)]
        return [*known, *given], goal

    return replace(part, state=stated)


def _outputs(s: Direct, sums: Sequence[Sum]) -> list[Part]:
    """What the outputs are, and what follows."""
    flags = s.conditions()
    sums_of = partial(collapsed, s, sums)
    top: Uses = [("pc below 2^n", {"n": s.bits - 1}), ("pc below 2^n", {"n": s.bits})]
    subtracts = flags["subtracts"]
    here = {"p": s.pc, "u": s.operand("a"), "v": s.operand("b")}
    parts = {each.name: each for each in ending(s)}
    own: dict[str, Lemma] = {
        "operands": Lemma(
            "operands",
            "the results' flags, and whether the input is still there",
            lambda: (
                [],
                conj(
                    s.view.output("wanted") == ite(flags["wanted"], 1, 0),
                    s.view.output("valid") == ite(flags["valid"], 1, 0),
                    s.view.output("ready") == ite(flags["takes"], 0, s.at(0, "ready")),
                ),
            ),
            uses=[*sums_of("wanted"), *sums_of("valid"), *sums_of("ready")],
        ),
        "effects": Lemma(
            "effects",
            "whether the step faults",
            lambda: ([], s.view.output("fault") == ite(s.faults(), 1, 0)),
            uses=[
                *sums_of("fault"),
                *top,
                ("the sign is read", {}),
                ("bits of the pc", {"j": s.bits - 1}),
            ],
            unfold=[s.bits],
        ),
        "either word": spells(
            s,
            "either word",
            "the number that the result's bits spell is the difference or the input word",
            lambda n: s.number(s.got("result"), n),
            lambda n: ite(subtracts, s.difference(n), s.number(s.at(0, "input"), n)),
            [],
        ),
        "third word": spells(
            s,
            "third word",
            "the number that the bits of C spell is the word at pc + 2",
            lambda n: s.number(s.word("c"), n),
            lambda n: s.row(s.pc + 2, n),
            [],
        ),
        "result": Lemma(
            "result",
            "the word to be written, if one is: mem[B] - mem[A] mod 2^bits, or the input word",
            lambda: ([s.writes()], s.number(s.got("result")) == s.written()),
            uses=[
                ("either word", {"n": s.bits}),
                ("difference", here),
                ("input below 2^n", {"n": s.bits}),
                *rows(s, s.pc),
                ("pc below 2^n", {"n": s.bits}),
            ],
        ),
        "next pc": Lemma(
            "next pc",
            "the digits of pc + 3 spell it, where there is an instruction",
            lambda: ([s.fetched], s.number(s.got("next")) == (s.pc + 3) % s.shape.modulus),
            uses=[("pc below 2^n", {"n": s.bits})],
            spells=[(s.pc + 3, s.bits)],
        ),
    }
    changed: dict[str, Uses] = {
        "pc bit": [*sums_of("pc"), ("pc bits", {}), ("result", {})],
        "output bit": sums_of("output"),
    }
    bits: dict[str, Uses] = {
        "mem": [
            ("memory bit", {"address": AXIS_0, "j": AXIS_1}),
            ("bits of memory", {"address": AXIS_0, "j": AXIS_1}),
            ("difference bit", {**here, "j": AXIS_1}),
        ],
        "pc": [
            ("pc bit", {"j": AXIS_0}),
            ("third word", {"n": s.bits}),
            ("bits of memory", {"address": s.pc + 2, "j": AXIS_0}),
            ("bits of the pc", {"j": AXIS_0}),
        ],
        "output": [
            ("output bit", {"j": AXIS_0}),
            ("bits of memory", {"address": s.operand("a"), "j": AXIS_0}),
        ],
    }
    found: list[Part] = [*own.values()]
    found.append(
        Lemma(
            "memory bit",
            "bit j of a word after write back: the result's in row B, else the old one",
            lambda: (
                generic(s),
                s.view.output("mem")[ADDRESS, J]
                == ite(
                    conj(s.writes(), s.operand("b") == ADDRESS),
                    s.got("result")[J],
                    s.at(0, "mem")[ADDRESS, J],
                ),
            ),
            uses=sums_of("mem"),
        )
    )
    known = {"pc below 2^n", "input below 2^n", "rows below 2^n", "memory bit", *own, *parts}
    for name, part in parts.items():
        assert isinstance(part, Lemma)
        uses = changed.get(name, [use for use in part.uses if use[0] in known])
        if name.startswith("specification"):
            uses = [*uses, *rows(s, s.pc), *bits.get(name.rpartition(" ")[2], ())]
        found.append(replace(part, uses=uses))
    return found


def _stays(s: Direct) -> list[Part]:
    """The next pass finds a vector in the domain, as this one has."""
    network = s.view.gadget.network
    (layer,) = network.layers
    axes = {"p": P, "u": U, "v": V, "i": ADDRESS, "j": J}

    def ranges() -> tuple[Sequence[Formula], Formula]:
        goals = []
        for source, family in zip(network.inputs, layer.neurons, strict=True):
            # An index has the name of an axis, or of one in a gadget placed there.
            at = [axes[index.name.rpartition(".")[2]] for index in family.indices]
            entry = s.view.neuron(0, family.name, *at)
            goals += [entry >= 0, entry <= source.largest.evaluate(s.view.parameters)]
        return [*generic(s), *within(s, "puv")], conj(*goals)

    def bits() -> tuple[Sequence[Formula], Formula]:
        after = [
            s.view.output("mem")[ADDRESS, J],
            s.view.output("pc")[J],
            s.view.output("fault"),
            s.view.output("ready"),
        ]
        return generic(s), conj(*(conj(each >= 0, each <= 1) for each in after))

    here = {"p": s.pc, "u": s.operand("a"), "v": s.operand("b")}
    return [
        Lemma(
            "powers",
            "2^j is at most 2^n",
            lambda: (in_word(s), conj(pow2(J) >= 1, pow2(J) <= pow2(N))),
            over=Over("n", J, s.bits, f"n in j..{s.bits}"),
        ),
        Lemma(
            "the vector stays in its ranges",
            "after a pass, every entry of the vector is at most what the next pass is proved for",
            ranges,
            uses=[("powers", {"n": s.bits - 1})],
        ),
        Lemma(
            "the vector stays in the domain",
            "after a pass, what is decoded from it is bits again",
            bits,
            uses=[
                ("memory bit", {}),
                ("pc bit", {}),
                ("effects", {}),
                ("operands", {}),
                ("bits of memory", {}),
                ("bits of memory", {"address": s.pc + 2}),
                ("bits of the pc", {}),
                ("difference bit", here),
                *rows(s, s.pc),
                ("pc below 2^n", {"n": s.bits}),
            ],
        ),
    ]


def _encoded(s: Direct) -> list[Part]:
    """The bits of an encoded state are those of its words, and in the domain."""
    how, view = construction_of(s.view), s.view
    word, flag = (view.theory.declare(name, 0)() for name in ("word", "flag"))
    fields = {part: source for source, part in how.encoded.items()}

    def read(name: str, *at: Term) -> Any:
        if name not in fields:
            return 0
        return logic.bit(word, at[-1]) if at else flag

    def nothing(times: int, high: Term) -> Any:
        """A sum of zeros over indices inside each other."""
        if not times:
            return 0
        size = s.shape.addresses
        return view.theory.fold(
            0, high, 0, lambda index, before: plus(before, nothing(times - 1, size))
        )

    def state() -> tuple[Sequence[Formula], Formula]:
        goals = []
        for name in how.encoded:
            form, names = s.form(name)
            at = {**view.parameters, **dict(zip(names, [ADDRESS, J][-len(names) :], strict=False))}
            got = form_value(form, at, read, view.theory.fold)
            entry = logic.bit(word, J) if names else flag
            goals += [got == entry, conj(entry >= 0, entry <= 1)]
        return [*generic(s), flag >= 0, flag <= 1], conj(*goals)

    sums = [
        Lemma(
            f"no cases, {times} deep",
            "a sum of nothing over all cases is 0",
            lambda times=times: ([], nothing(times, N) == 0),  # type: ignore[misc]
            over=Over("n", 0, s.shape.words, f"n in 0..{s.shape.words}"),
            uses=[(f"no cases, {times - 1} deep", {"n": s.shape.addresses})] if times > 1 else [],
        )
        for times in (1, 2, 3)
    ]
    return [
        *sums,
        Lemma(
            "decode(encode(b)) = b",
            "an encoded state is decoded as it was, and its vector is in the domain",
            state,
            uses=[(each.name, {"n": s.shape.code}) for each in sums],
        ),
    ]
