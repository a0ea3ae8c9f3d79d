"""Every gadget is proved, and no broken one ever is.

The broken gadgets stand in a table, each with the verdict that it must get.  A counterexample is
checked with plain exact evaluation (`proof_samples`), which knows nothing of the proofs.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from proof_samples import (
    BUDGET,
    answer,
    broken_members,
    changed,
    confirms,
    domain,
    filled,
    in_domain,
    one_layer,
    primitive,
    rewire,
    with_largest,
)

from proofs import prover
from proofs.exhaustive import first_failure
from proofs.lemma import Lemma, Over
from proofs.results import Verdict
from proofs.scripts import SCRIPTS
from proofs.scripts.common import N, ranges, specification, spelled, wires
from proofs.solver import solve
from verified_mlp.constructions.registry import CONSTRUCTIONS
from verified_mlp.gadgets.adder import (
    adder,
    block_bits,
    block_carries,
    block_sums,
    increment,
    subtract,
)
from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.choose import choose, write_or_keep
from verified_mlp.gadgets.logic_gates import and_, merge, nor, not_, or_
from verified_mlp.gadgets.match import match, select
from verified_mlp.gadgets.one_hot_sum import one_hot_sum
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.gadgets.registry import gadgets as registered
from verified_mlp.gadgets.threshold import threshold
from verified_mlp.gadgets.word_tests import all_ones, at_most_zero, is_zero
from verified_mlp.logic import value, where
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.affine import Signal, field
from verified_mlp.statement.evaluate import size
from verified_mlp.statement.expr import Index, at_most, const, equal
from verified_mlp.statement.network import Condition, Field, Parameter

SHAPES = [Shape(4, 4), Shape(16, 256), Shape(24, 100), Shape(64, 1024)]


_results = {}


def results(gadget):
    """What becomes of a gadget of the table; each is proved once for all tests."""
    if gadget.title not in _results:
        _results[gadget.title] = list(prover.prove(gadget, answer))
    return _results[gadget.title]


def verdicts(gadget):
    return [result.verdict for result in prover.prove(gadget, answer)]


def by_name(gadget):
    return [each.name.partition("/")[2] for each in prover.obligations(gadget)]


# Every gadget is proved.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_gadget_is_proved(shape):
    for gadget in gadgets(shape):
        for result in results(gadget):
            assert result.verdict is Verdict.PROVED, result
            assert result.counterexample is None
            assert result.resources > 0
            assert not result.cached
            assert result.detail == ""


def test_the_lemmas_of_a_gadget_are_the_same_at_every_shape():
    found = {}
    for shape in SHAPES:
        for gadget in gadgets(shape):
            names = by_name(gadget)
            assert names == found.setdefault(gadget.name, names)
            assert names == [each.obligation.name.partition("/")[2] for each in results(gadget)]
            assert len(set(names)) == len(names) > 0
    assert {gadget.name for gadget in gadgets(SHAPES[0])} == set(found)
    shapes = [Shape(4, 4), Shape(64, 4)]
    others = {each.name for how in CONSTRUCTIONS for at in shapes for each in registered(at, how)}
    assert set(SCRIPTS) - set(found) - others == {"machine"}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_output_range_and_placed_gadget_has_its_lemma(shape):
    """The specification of each output; the range of each neuron, where none is placed; for each
    placed gadget that its wires are in its domain.
    """
    for gadget in gadgets(shape):
        names = by_name(gadget)
        outputs = [output.name for output in gadget.network.outputs]
        several = [f"specification of {each}" for each in outputs]
        if gadget.name not in SCRIPTS or len(outputs) == 1:
            assert "specification" in names
        else:
            assert set(several) <= set(names)
        direct = [each for layer in gadget.network.layers for each in layer.placed]
        if gadget.name not in SCRIPTS:
            rules = [f"support of {rule.neurons}" for rule in gadget.support]
            assert names == ["specification", "ranges", *rules]
            continue
        assert ("ranges" in names) == any(each.gadget is None for each in direct)
        for layer, found in enumerate(gadget.network.layers, 1):
            for placed in found.placed:
                if placed.gadget is not None and placed.part == 0:
                    assert f"wires of {placed.name} in layer {layer}" in names


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_domain_is_empty(shape):
    """A member of each, by plain evaluation: a solver's word for it would rest on its axioms."""
    for gadget in gadgets(shape):
        assert any(in_domain(gadget, member) for member in plain_members(gadget)), gadget.title


def plain_members(gadget):
    """All inputs 0, the parameters at their ends."""
    inputs = {
        source.name: filled(source.shape, [0] * size(source.shape))
        for source in gadget.network.inputs
    }
    ends = [(each.low, each.high) for each in gadget.parameters]
    for at in range(2 ** len(ends)):
        chosen = [end[at >> k & 1] for k, end in enumerate(ends)]
        names = [each.name for each in gadget.parameters]
        yield {**inputs, **dict(zip(names, chosen, strict=True))}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_trying_inputs_finds_nothing_against_a_proof(shape):
    """Evidence beside the proofs: exact evaluation of many inputs, all where they are few."""
    for gadget in gadgets(shape):
        _, failing = first_failure(gadget)
        assert failing is None, gadget.title


# No broken gadget is proved.


def spec_of(gadget, **specs):
    return replace(gadget, spec={**gadget.spec, **specs})


def without_conditions(gadget):
    assert gadget.conditions
    return replace(gadget, conditions=())


def conditioned(gadget, text, holds, indices=()):
    return replace(gadget, conditions=(*gadget.conditions, Condition(text, indices, holds)))


def output_of(gadget, name):
    """The signal that a placed gadget gives."""
    placed = [each for layer in gadget.network.layers for each in layer.placed]
    (outputs,) = [each.outputs for each in placed if each.name == name and each.outputs]
    (signal,) = outputs.values()
    return signal


def wide_is_zero():
    """The gate may be 2, so that the neuron passes its range."""
    gadget = is_zero(bits=4)
    inputs = tuple(
        replace(each, high=2) if each.name == "on" else each for each in gadget.network.inputs
    )
    network = replace(gadget.network, inputs=inputs)
    return replace(gadget, network=network)


@dataclass(frozen=True)
class Broken:
    """A gadget that is wrong, the verdict of the first lemma that fails, and its name."""

    what: str
    make: Any
    verdict: Verdict
    lemma: str


R, V, U = Verdict.REFUTED, Verdict.VACUOUS, Verdict.UNKNOWN

TABLE = [
    # A weight.
    Broken(
        "and: a weight of 2",
        lambda: changed(and_(inputs=2), "layer 1, out, weight of x", 1),
        R,
        "specification",
    ),
    Broken(
        "match: a weight of 0 at an address bit that is set",
        lambda: changed(match(bits=16), "layer 1, h, weight of p[3] where i_3 = 1", -1),
        R,
        "disagreements",
    ),
    Broken(
        "select: m counts twice",
        lambda: changed(select(bits=64), "layer 1, s, weight of m", 1),
        R,
        "specification",
    ),
    Broken(
        "one_hot_sum: a member is left out",
        lambda: changed(one_hot_sum(size=100), "layer 1, y, weight of x[98]", -1),
        R,
        "partial sums",
    ),
    Broken(
        "all_ones: the top bit counts twice",
        lambda: changed(all_ones(bits=16), "layer 1, y, weight of x[15]", 1),
        R,
        "bits set",
    ),
    Broken(
        "threshold: a read-out of 2",
        lambda: changed(threshold(), "output out, weight of reached", 1),
        R,
        "specification",
    ),
    # A bias.
    Broken(
        "not: a bias of 2",
        lambda: changed(not_(), "layer 1, out, bias", 1),
        R,
        "specification",
    ),
    Broken(
        "nor: a bias of 0",
        lambda: changed(nor(inputs=6), "layer 1, out, bias", -1),
        R,
        "specification",
    ),
    Broken(
        "match: a bias of 1",
        lambda: changed(match(bits=64), "layer 1, h, bias", 1),
        R,
        "specification",
    ),
    Broken(
        "is_zero: a bias of -1",
        lambda: changed(is_zero(bits=16), "layer 1, z, bias", -1),
        R,
        "specification",
    ),
    Broken(
        "threshold: one too early",
        lambda: changed(threshold(), "layer 1, reached, bias", 1),
        R,
        "specification",
    ),
    # A specification.
    Broken("or: it should be x", lambda: spec_of(or_(), out=lambda x, y: x), R, "specification"),
    Broken(
        "carry: all but one number",
        lambda: spec_of(carry(), y=lambda x, top: where(x == 987654321, 0, x)),
        R,
        "specification",
    ),
    Broken(
        "adder: one more",
        lambda: spec_of(
            adder(bits=16),
            sum=lambda x, y: (value(x, 0, 16) + value(y, 0, 16) + 1) % 2**16,
        ),
        R,
        "specification",
    ),
    Broken(
        "adder: without the modulus",
        lambda: spec_of(adder(bits=4), sum=lambda x, y: value(x, 0, 4) + value(y, 0, 4)),
        R,
        "specification",
    ),
    Broken(
        "subtract: the other way round",
        lambda: spec_of(
            subtract(bits=4),
            difference=lambda a, b, c, use_b, use_c: (value(a, 0, 4) - value(b, 0, 4)) % 16,
        ),
        R,
        "specification",
    ),
    Broken(
        "increment: by another constant",
        lambda: replace(increment(bits=24, constant=2), spec=increment(bits=24, constant=1).spec),
        R,
        "specification",
    ),
    Broken(
        "one_hot_sum: 1 whatever stands there",
        lambda: spec_of(one_hot_sum(size=64), y=lambda x, a: where(a < 64, 1, 0)),
        R,
        "specification",
    ),
    Broken(
        "match: any address but 7",
        lambda: spec_of(
            match(bits=4),
            h=lambda p, on, i: where(value(p, 0, 4) == i, where(i == 7, 0, on), 0),
        ),
        R,
        "specification",
    ),
    Broken(
        "block_carries: no carry passes",
        lambda: spec_of(block_carries(bits=16), carry=lambda b, g, p: where(b == 0, 0, g[b - 1])),
        R,
        "specification",
    ),
    # A range.
    Broken("or: x + y up to 1", lambda: with_largest(or_(), "some", const(1)), R, "ranges"),
    Broken("is_zero: a gate of 2", wide_is_zero, R, "specification"),
    Broken(
        "one_hot_sum: always 0",
        lambda: with_largest(one_hot_sum(size=9), "y", const(0)),
        R,
        "ranges",
    ),
    Broken(
        "select: always 0",
        lambda: with_largest(select(bits=5), "s", const(0)),
        R,
        "ranges",
    ),
    Broken("carry: up to 7", lambda: with_largest(carry(), "y", const(7)), R, "ranges"),
    # An empty domain.
    Broken(
        "choose: a condition that is never true",
        lambda: conditioned(choose(), "never", lambda **bits: False),
        V,
        "specification",
    ),
    Broken(
        "threshold: conditions that contradict each other",
        lambda: conditioned(threshold(), "t > top", lambda s, t, top: t > top),
        V,
        "specification",
    ),
    Broken(
        "is_zero: no bit is a bit",
        lambda: conditioned(
            conditioned(is_zero(bits=4), "r_k = 0", lambda k, r, on: r[k] == 0, (Index("k", 4),)),
            "r_k = 1",
            lambda k, r, on: r[k] == 1,
            (Index("k", 4),),
        ),
        V,
        "bits set",
    ),
    Broken(
        "match: no such address",
        lambda: conditioned(match(bits=4), "i > 15", lambda p, on, i: i > 15),
        V,
        "disagreements",
    ),
    Broken(
        "merge: neither none nor one",
        lambda: conditioned(merge(inputs=2), "both", lambda x, y: x + y == 2),
        V,
        "specification",
    ),
    # A wire of a composite.
    Broken(
        "at_most_zero: the wrong bit for the sign",
        lambda: rewire(at_most_zero(bits=16), "sign", "x", Signal(lambda: field("r", 1)[14], ())),
        R,
        "specification",
    ),
    Broken(
        "increment: adds the word to itself",
        lambda: rewire(increment(bits=16, constant=1), "plus", "y", field("x", 1, (16,))),
        R,
        "specification",
    ),
    Broken(
        "subtract: b where c belongs",
        lambda: rewire(
            subtract(bits=4), "c", "x", Signal(lambda: field("b", 1)[Index("j", 4)], ())
        ),
        R,
        "minuend",
    ),
    Broken(
        "adder: the carry into block 0 for all",
        lambda: rewire(
            adder(bits=16), "bits", "c", Signal(lambda j: output_of(adder(bits=16), "into")[0], ())
        ),
        R,
        "bit",
    ),
    Broken(
        "adder: block sums of x and x",
        lambda: rewire(adder(bits=4), "blocks", "y", field("x", 1, (4,))),
        R,
        "block carry",
    ),
    Broken(
        "write_or_keep: keep is not read",
        lambda: rewire(write_or_keep(), "after", "x", Signal(lambda: field("set", 0)[()], ())),
        R,
        "specification",
    ),
    Broken(
        "block_sums: a low bit counts twice",
        lambda: changed(block_sums(bits=4), "layer 1, prefix[1], input x, weight of x[0]", 1),
        R,
        "prefix: sum",
    ),
    # A condition of the domain that is dropped.
    Broken("merge: both", lambda: without_conditions(merge(inputs=2)), R, "specification"),
    Broken("choose: both", lambda: without_conditions(choose()), R, "specification"),
    Broken("threshold: t > top", lambda: without_conditions(threshold()), R, "ranges"),
    Broken(
        "one_hot_sum: several",
        lambda: without_conditions(one_hot_sum(size=254)),
        R,
        "partial sums",
    ),
    Broken(
        "block_carries: generates and does not propagate",
        lambda: without_conditions(block_carries(bits=16)),
        R,
        "reach",
    ),
    Broken(
        "block_bits: beyond 4 * 2^k",
        lambda: without_conditions(block_bits(bits=16)),
        R,
        "wires of one in layer 1",
    ),
    Broken("subtract: both", lambda: without_conditions(subtract(bits=4)), R, "wires of minuend"),
]


@pytest.mark.parametrize("case", TABLE, ids=[case.what for case in TABLE])
def test_a_broken_gadget_is_not_proved(case):
    gadget = case.make()
    found = list(prover.prove(gadget, answer))
    failed = [result for result in found if result.verdict is not Verdict.PROVED]
    first = failed[0]
    assert first.verdict is case.verdict, first
    assert first.obligation.name.partition("/")[2].startswith(case.lemma)
    for result in failed:
        assert result.detail
        assert (result.verdict is R) == (result.counterexample is not None)
        if result.counterexample is not None:
            assert confirms(gadget, result.counterexample)
        else:
            assert result.verdict in (V, U)


def test_the_table_leaves_out_no_gadget():
    broken = {case.make().name for case in TABLE}
    assert {gadget.name for gadget in gadgets(SHAPES[0])} == broken


def test_what_rests_on_a_lemma_that_failed_is_unknown():
    gadget = changed(match(bits=4), "layer 1, h, weight of p[0] where i_0 = 1", -1)
    found = {result.obligation.name: result for result in prover.prove(gadget, answer)}
    assert found["match(bits=4)/binary"].verdict is Verdict.PROVED
    result = found["match(bits=4)/specification"]
    assert (result.verdict, result.detail) == (
        Verdict.UNKNOWN,
        "it rests on 'disagreements', which is not proved",
    )
    assert (result.resources, result.cached) == (0, False)


def test_a_lemma_that_is_too_weak_refutes_nothing(monkeypatch):
    """The gadget is right; a lemma of its proof is not."""

    def script(view):
        return [specification(view, "z", []), ranges(view, [])]

    monkeypatch.setitem(SCRIPTS, "is_zero", script)
    result, _ = prover.prove(is_zero(bits=4), answer)
    assert result.verdict is Verdict.UNKNOWN
    assert result.detail.startswith(
        "specification: the goal does not follow (countermodel: layer1.z"
    )
    assert result.detail.endswith("; no counterexample of the gadget was found")


# Composite gadgets: contracts hold where the wires are in the domain, and only from then on.

INNER = primitive(
    "inner",
    [Field("x")],
    lambda now: 1 - now.x,
    lambda x: where(x == 0, 1, 0),
)


def outer(wire, spec, inner=INNER):
    return one_layer(
        "outer",
        [Field("a"), Field("b")],
        lambda build, done: [build.output("out", (), done.inside)],
        lambda build, now: build.place(inner, "inside", x=wire(now)),
        {"out": spec},
    )


SOUND = outer(lambda now: now.b, lambda a, b: 1 - b)
# Right, for the network clamps the sum at 0; but the inner gadget promises nothing of x = 2.
OUTSIDE = outer(lambda now: now.a + now.b, lambda a, b: where(a + b == 0, 1, 0))
BELOW = one_layer(
    "outer",
    [Field("a"), Field("b")],
    lambda build, done: [build.output("out", (), done.inside)],
    lambda build, now: build.place(carry(), "inside", (), {"top": 1}, x=now.a - now.b),
    {"out": lambda a, b: where(a > b, 1, 0)},
)

ORDERS = {
    "wires, then specification": lambda view: [
        wires(view, "inside"),
        specification(view, "out", [("wires of inside in layer 1", {})]),
    ],
    "specification alone": lambda view: [specification(view, "out", [])],
    "wires, and specification": lambda view: [
        wires(view, "inside"),
        specification(view, "out", []),
    ],
    "specification, then wires": lambda view: [
        specification(view, "out", []),
        wires(view, "inside"),
    ],
}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("wires, then specification", [Verdict.PROVED, Verdict.PROVED]),
        ("wires, and specification", [Verdict.PROVED, Verdict.PROVED]),
        ("specification alone", [Verdict.UNKNOWN]),
        ("specification, then wires", [Verdict.UNKNOWN, Verdict.PROVED]),
    ],
)
def test_a_contract_is_known_once_the_wires_are_proved(monkeypatch, order, expected):
    monkeypatch.setitem(SCRIPTS, "outer", ORDERS[order])
    assert verdicts(SOUND) == expected


@pytest.mark.parametrize("gadget", [OUTSIDE, BELOW], ids=["beyond", "below"])
def test_wires_outside_the_domain_of_a_placed_gadget_are_not_accepted(monkeypatch, gadget):
    assert not broken_members(gadget)
    assert verdicts(gadget) == [Verdict.PROVED, Verdict.PROVED]  # entry by entry, no contract
    monkeypatch.setitem(SCRIPTS, "outer", ORDERS["wires, then specification"])
    first, second = prover.prove(gadget, answer)
    assert (first.verdict, second.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert first.detail.startswith("wires of inside in layer 1: the goal does not follow")
    assert second.detail == "it rests on 'wires of inside in layer 1', which is not proved"
    monkeypatch.setitem(SCRIPTS, "outer", ORDERS["wires, and specification"])
    assert verdicts(gadget) == [Verdict.UNKNOWN, Verdict.UNKNOWN]


def test_parameters_of_a_placed_gadget_are_in_its_domain(monkeypatch):
    """threshold takes t in 1.., and t <= top."""
    script = ORDERS["wires, then specification"]
    monkeypatch.setitem(SCRIPTS, "outer", script)
    for t, top, proved in ((1, 2, True), (2, 2, True), (3, 2, False), (0, 2, False), (1, 1, False)):
        gadget = one_layer(
            "outer",
            [Field("a"), Field("b")],
            lambda build, done: [build.output("out", (), done.inside)],
            lambda build, now, t=t, top=top: build.place(
                threshold(), "inside", (), {"t": t, "top": top}, s=now.a + now.b
            ),
            {"out": lambda a, b, t=t: where(a + b >= t, 1, 0)},
        )
        assert (verdicts(gadget) == [Verdict.PROVED] * 2) == proved, (t, top)


def test_conditions_of_a_placed_gadget_hold_of_its_wires(monkeypatch):
    monkeypatch.setitem(SCRIPTS, "outer", ORDERS["wires, then specification"])

    def joined(second):
        return one_layer(
            "outer",
            [Field("a"), Field("b")],
            lambda build, done: [build.output("out", (), done.inside)],
            lambda build, now: build.place(merge(inputs=2), "inside", x=now.a, y=second(now)),
            {"out": lambda a, b: where(a == 1, 1, where(b == 1, 1, 0))},
        )

    assert verdicts(joined(lambda now: now.b)) == [Verdict.REFUTED, Verdict.UNKNOWN]
    exclusive = conditioned(joined(lambda now: now.b), "a + b <= 1", lambda a, b: a + b <= 1)
    assert verdicts(exclusive) == [Verdict.PROVED, Verdict.PROVED]


def test_a_contract_says_nothing_beyond_the_entries_of_an_output(monkeypatch):
    """Four neurons, of which the output and its specification cover two."""
    whole, half = Index("j", 4), Index("j", 2)
    inner = primitive(
        "inner",
        [Field("x")],
        lambda now: now.x * at_most(whole, 1),
        lambda j, x: x,
        over=(whole,),
    )
    (output,) = inner.network.outputs
    short = replace(inner.network, outputs=(replace(output, indices=(half,)),))
    inner = replace(inner, network=short)
    assert verdicts(inner) == [Verdict.PROVED, Verdict.PROVED]
    composite = one_layer(
        "outer",
        [Field("x")],
        lambda build, done: [build.output("out", (whole,), field("inside", 1)[whole])],
        lambda build, now: build.place(inner, "inside", x=now.x),
        {"out": lambda j, x: x},
    )
    monkeypatch.setitem(SCRIPTS, "outer", ORDERS["wires, then specification"])
    first, second = prover.prove(composite, answer)
    assert first.verdict is Verdict.PROVED
    assert second.verdict is Verdict.REFUTED
    assert second.counterexample.expected == {"out[2]": "1", "out[3]": "1"}


def test_neurons_that_are_not_those_of_the_placed_gadget_are_refused():
    """The proof would go by the gadget, and the matrices by the neurons."""
    gadget = adder(bits=4)
    first, *others = gadget.network.layers
    (blocks,) = first.placed
    family, *more = blocks.neurons
    wrong = replace(blocks, neurons=(replace(family, row=family.row + 5), *more))
    network = replace(gadget.network, layers=(replace(first, placed=(wrong,)), *others))
    assert first_failure(replace(gadget, network=network))[1] is not None
    with pytest.raises(ValueError, match="neurons") as failure:
        verdicts(replace(gadget, network=network))
    assert str(failure.value) == "blocks: its neurons are not those of block_sums(bits=4)"


def test_a_neuron_is_clamped_at_0(monkeypatch):
    """x - 1 is -1 at x = 0, and the neuron 0; that both are the same must not be assumed."""

    def script(view):
        return [specification(view, "out", []), ranges(view, [])]

    monkeypatch.setitem(SCRIPTS, "clamped", script)
    inputs = [Field("x", high=3)]
    right = primitive(
        "clamped", inputs, lambda now: now.x - 1, lambda x: where(x > 1, x - 1, 0), largest=2
    )
    wrong = replace(right, spec={"out": lambda x: x - 1})
    assert verdicts(right) == [Verdict.PROVED, Verdict.PROVED]
    result, _ = prover.prove(wrong, answer)
    assert result.verdict is Verdict.REFUTED
    assert (result.counterexample.expected, result.counterexample.got) == (
        {"out": "-1"},
        {"out": "0"},
    )


def test_the_entries_of_a_word_are_bits(monkeypatch):
    """The entries are 0 or 2, and a word is read by those that are 1: it spells 0."""
    j = Index("j", 4)

    def made(weight, largest):
        gadget = primitive(
            "word",
            [Field("x", (4,))],
            lambda now: weight * now.x[j],
            lambda x: 0,
            over=(j,),
            largest=largest,
        )
        (output,) = gadget.network.outputs
        network = replace(gadget.network, outputs=(replace(output, word=True),))
        return replace(gadget, network=network)

    def script(view):
        number = spelled(view, view.output("out"), 0, N)
        return [
            Lemma(
                "spells 0",
                "the first n entries spell 0",
                lambda: (view.domain(), number == 0),
                over=Over("n", 0, 4, "n in 0..4"),
            ),
            specification(view, "out", [("spells 0", {"n": 4})]),
            ranges(view, ()),
        ]

    monkeypatch.setitem(SCRIPTS, "word", script)
    assert verdicts(made(0, 0)) == [Verdict.PROVED] * 3
    first, second, third = prover.prove(made(2, 2), answer)
    assert [first.verdict, second.verdict, third.verdict] == [
        Verdict.PROVED,
        Verdict.REFUTED,
        Verdict.PROVED,
    ]
    assert set(second.counterexample.expected.values()) == {"0"}
    assert set(second.counterexample.got.values()) == {"2"}


def test_an_array_called_t_is_an_array(monkeypatch):
    """Its proof has a constant t!0, which no shared term may hide."""
    k = Index("k", 3)
    inner = primitive(
        "inner", [Field("t", (3,))], lambda now: now.t[k], lambda k, t: t[k], over=(k,)
    )
    composite = one_layer(
        "outer",
        [Field("x", (4,)), Field("y", (4,))],
        lambda build, done: [build.output("out", (k,), done.inside[k])],
        lambda build, now: build.place(
            inner, "inside", t=Signal(lambda k: now.x[k] - now.x[k + 1] + now.y[k + 1], (3,))
        ),
        {"out": lambda k, x, y: x[k] - x[k + 1] + y[k + 1]},
    )
    monkeypatch.setitem(SCRIPTS, "outer", ORDERS["wires, then specification"])
    assert verdicts(composite) == [Verdict.REFUTED, Verdict.UNKNOWN]


def test_a_parameter_with_bits_is_used_through_them():
    """As an object it would equal no number, and the weight would be 0 in the proof."""
    gadget = primitive(
        "weighed",
        [Field("x")],
        lambda now: now.x * equal(Index("i", 4), 3),
        lambda x, i: 0,
        parameters=(Parameter("i", 0, 3, bits=2),),
    )
    assert broken_members(gadget) == [{"i": 3, "x": 1}]
    with pytest.raises(TypeError, match="a parameter with bits is used through its bits only"):
        verdicts(gadget)


# The prover gives up in time.


@pytest.mark.parametrize("gadget", gadgets(Shape(4, 4)), ids=lambda gadget: gadget.title)
def test_a_budget_of_one_proves_nothing(gadget):
    found = list(prover.prove(gadget, lambda text: (solve(text, 1, 60), False)))
    assert {result.verdict for result in found} == {Verdict.UNKNOWN}
    assert all(result.counterexample is None for result in found)


def test_a_budget_is_a_limit():
    """What a gadget takes is what it needs: a little less is not enough."""
    (first, *_) = results(and_(inputs=2))
    assert first.resources < BUDGET
    little, *_ = prover.prove(
        and_(inputs=2), lambda text: (solve(text, first.resources // 20, 60), False)
    )
    assert little.verdict is Verdict.UNKNOWN


def cube(number):
    return number * number * number


CUBES = primitive(
    "cubes",
    [Field(name, high=10**6) for name in ("x", "y", "z")],
    lambda now: now.x * 0,
    lambda x, y, z: where(cube(x + 1) + cube(y + 1) == cube(z + 1), 1, 0),
)


def test_a_short_time_is_no_proof():
    found = list(prover.prove(CUBES, lambda text: (solve(text, 0, 0.05), False)))
    verdict = {result.obligation.name: result.verdict for result in found}
    assert verdict["cubes/specification"] in (Verdict.TIMEOUT, Verdict.UNKNOWN)


def test_the_domains_of_the_small_gadgets_are_counted():
    """The model that confirms counterexamples covers domains as stated."""
    assert len(list(domain(merge(inputs=3)))) == 4
    assert len(list(domain(one_hot_sum(size=3)))) == 3 * 2 + 1
    assert len(list(domain(match(bits=2)))) == 4 * 4 * 2
    assert not any(broken_members(each) for each in (or_(), merge(inputs=3), one_hot_sum(size=3)))
