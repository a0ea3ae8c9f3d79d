"""Sabotage: every change of a number is caught or harmless, and every number is changed.

What becomes of a change is checked by trying every input, plainly; which numbers are changed, by
the rows of the exact matrices.
"""

from collections import Counter
from itertools import product

import pytest
from proof_samples import answer, broken_members, confirms, faults, member_of, primitive

from proofs import prover, sabotage
from proofs.exhaustive import LIMIT, domain_size
from proofs.results import Answer, Fate, Result, Verdict
from proofs.sabotage import judge
from proofs.verify import Options
from verified_mlp.gadgets.adder import block_carries, increment
from verified_mlp.gadgets.choose import choose, write_or_keep
from verified_mlp.gadgets.logic_gates import and_, merge, nor, not_, or_
from verified_mlp.gadgets.match import match, select
from verified_mlp.gadgets.one_hot_sum import one_hot_sum
from verified_mlp.gadgets.threshold import threshold
from verified_mlp.gadgets.word_tests import all_ones, at_most_zero, is_zero
from verified_mlp.logic import where
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import points, rows
from verified_mlp.statement.expr import Index
from verified_mlp.statement.mutate import changes
from verified_mlp.statement.network import Field

PRIMITIVE = [
    not_(),
    or_(),
    and_(inputs=2),
    merge(inputs=3),
    nor(inputs=2),
    match(bits=2),
    one_hot_sum(size=3),
    is_zero(bits=2),
    all_ones(bits=2),
]
COMPOSITE = [choose(), write_or_keep(), at_most_zero(bits=2)]
SMALL = [*PRIMITIVE, *COMPOSITE]
LARGER = [
    select(bits=2),
    at_most_zero(bits=3),
    block_carries(bits=4),
    increment(bits=3, constant=1),
]


def titled(gadgets):
    return {"argvalues": gadgets, "ids": [gadget.title for gadget in gadgets]}


def slow(gadgets):
    return [pytest.param(gadget, marks=pytest.mark.slow) for gadget in gadgets]


def mutants(gadget, solve=answer):
    """(change, delta, the changed gadget, what is said to become of it)."""
    for change in changes(gadget):
        for delta in (1, -1):
            yield change, delta, change.apply(gadget, delta), judge(gadget, change, delta, solve)


@pytest.mark.parametrize(
    "gadget", [*SMALL, *slow(LARGER)], ids=[gadget.title for gadget in (*SMALL, *LARGER)]
)
def test_every_change_of_a_small_gadget_is_decided_and_rightly(gadget):
    fates = Counter()
    for change, delta, mutant, said in mutants(gadget):
        fates[said.fate] += 1
        broken = broken_members(mutant)
        assert said.fate is (Fate.REFUTED if broken else Fate.HARMLESS), said
        assert (said.gadget, said.place, said.change) == (gadget.title, change.place, delta)
        assert said.reason
        if broken:
            assert confirms(mutant, said.counterexample)
            assert not faults(gadget, member_of(gadget, said.counterexample))
        else:
            assert said.counterexample is None
            kind = "bias" if change.place.endswith("bias") else "weight"
            head = f"{kind} {change.number} made {change.number + delta}: proved"
            assert said.reason.startswith(head)
    assert fates[Fate.REFUTED] > 0


def test_what_is_harmless_is_known_by_hand():
    """or: out = ReLU(x + y) - ReLU(x + y - 1), in which nothing may change; is_zero: z =
    ReLU(on - sum of the bits), in which a bit may count for more.
    """
    harmless = {
        (change.place, delta)
        for gadget in (or_(), is_zero(bits=2))
        for change, delta, _, said in mutants(gadget)
        if said.fate is Fate.HARMLESS
    }
    assert harmless == {("layer 1, z, weight of r[0]", -1), ("layer 1, z, weight of r[1]", -1)}


# Every number is changed, once and alone.


def settled(gadget):
    """Every value of a gadget's parameters."""
    ranges = (range(each.low, each.high + 1) for each in gadget.parameters)
    names = [each.name for each in gadget.parameters]
    return [dict(zip(names, numbers, strict=True)) for numbers in product(*ranges)]


def entries(gadget):
    """The weights and biases of all rows, by parameters, layer, neuron and column (None: bias)."""
    found = {}
    for order, parameters in enumerate(settled(gadget)):
        for depth in range(len(gadget.network.layers)):
            for row in rows(gadget.network, depth, parameters):
                found[order, depth, row.name, None] = row.bias
                for column, weight in row.weights.items():
                    found[order, depth, row.name, column] = weight
    return found


def difference(gadget, mutant):
    before, after = entries(gadget), entries(mutant)
    places = before.keys() | after.keys()
    found = {place: after.get(place, 0) - before.get(place, 0) for place in places}
    return {place: delta for place, delta in found.items() if delta}


def at_bits(gadget, place):
    """The parameters (by their order) of which `weight of x where i_0 = 1` speaks."""
    said = [each.split(" = ") for each in place.partition(" where ")[2].split(", ") if each]
    bits = [(*name.split("_"), int(digit)) for name, digit in said]
    return {
        order
        for order, numbers in enumerate(settled(gadget))
        if all(numbers[name] >> int(k) & 1 == digit for name, k, digit in bits)
    }


@pytest.mark.parametrize("gadget", **titled([*PRIMITIVE, choose(), select(bits=3)]))
def test_every_weight_and_bias_is_changed_by_one(gadget):
    """A change alters one entry of the matrices, for those parameters whose bits are as its place
    says; together the changes alter every entry that is not 0, and every bias.
    """
    reached = set()
    for change in changes(gadget):
        if change.site.kind == "output":
            continue
        for delta in (1, -1):
            altered = difference(gadget, change.apply(gadget, delta))
            assert set(altered.values()) == {delta}
            assert len({place[1:] for place in altered}) == 1
            assert {place[0] for place in altered} == at_bits(gadget, change.place)
            reached |= set(altered)
    # Also a weight that is 0 for these parameters is changed, where it is not 0 for others.
    always = {place for place in entries(gadget) if place[3] is None or entries(gadget)[place]}
    assert always <= reached


@pytest.mark.parametrize("gadget", **titled(SMALL))
def test_every_read_out_is_changed(gadget):
    for output in gadget.network.outputs:
        for point in points([index.size for index in output.indices]):
            sites = [
                each
                for each in changes(gadget)
                if each.site.kind == "output"
                and (each.site.name, each.site.point) == (output.name, point)
            ]
            read = [each for each in sites if each.extra.ref is not None]
            assert len(sites) - len(read) == 1
            assert read
            for each in sites:
                changed = each.apply(gadget, 1)
                assert difference(gadget, changed) == {}
                assert changed != gadget


@pytest.mark.parametrize("gadget", **titled([at_most_zero(bits=2), *LARGER[1:]]))
def test_every_wire_of_a_composite_is_changed(gadget):
    """Each input of each placed gadget has its bias, at each point of it."""
    biases = {each.site.text for each in changes(gadget) if each.extra.ref is None}
    expected = set()
    for depth, layer in enumerate(gadget.network.layers, 1):
        for placed in layer.placed:
            if placed.gadget is None or placed.part != 0:
                continue
            for own in points([index.size for index in placed.over]):
                for source in placed.gadget.network.inputs:
                    for at in points(source.shape):
                        where_ = f"{placed.name}{list(own)}" if own else placed.name
                        entry = f"{source.name}{list(at)}" if at else source.name
                        expected.add(f"layer {depth}, {where_}, input {entry}")
    assert expected <= biases
    assert {text for text in biases if not text.startswith("output")} == expected


def test_the_places_are_told_apart():
    for gadget in SMALL:
        places = [change.place for change in changes(gadget)]
        assert len(set(places)) == len(places), gadget.title


def test_changing_there_and_back_changes_nothing():
    for gadget in PRIMITIVE:
        for change in changes(gadget):
            twice = change.apply(change.apply(gadget, 1), -1)
            assert difference(gadget, twice) == {}
            assert broken_members(twice) == []


# The whole of a run.

SHAPE = Shape(4, 4)
OPTIONS = Options(cache=False)


@pytest.mark.parametrize("names", [["or"], ["not", "and(inputs=2)"], ["not", "not"]])
def test_as_many_mutants_are_judged_as_are_counted(names):
    judged = list(sabotage.run(SHAPE, names, OPTIONS))
    assert sabotage.count(SHAPE, names, Options()) == len(judged)
    assert len({(each.gadget, each.place, each.change) for each in judged}) == len(judged)
    gadgets = {"or": or_(), "not": not_(), "and(inputs=2)": and_(inputs=2)}
    wanted = {
        (gadgets[name].title, change.place, delta)
        for name in names
        for change in changes(gadgets[name])
        for delta in (1, -1)
    }
    assert {(each.gadget, each.place, each.change) for each in judged} == wanted


def test_one_lemma_stands_for_its_gadget():
    both = sabotage.count(SHAPE, ["or"], Options())
    assert sabotage.count(SHAPE, ["or/ranges"], Options()) == both == 2 * len(list(changes(or_())))


def test_a_name_that_is_none_is_an_error():
    expected = "no obligation is called 'nothing'"
    for attempt in (
        lambda: sabotage.count(SHAPE, ["nothing"], Options()),
        lambda: list(sabotage.run(SHAPE, ["or", "nothing"], OPTIONS)),
    ):
        with pytest.raises(LookupError) as failure:
            attempt()
        assert failure.value.args[0].startswith(expected)


def test_two_jobs_find_what_one_finds():
    options = [Options(cache=False, jobs=jobs) for jobs in (1, 2)]
    found = [
        sorted(
            (each.gadget, each.place, each.change, each.fate, each.reason)
            for each in sabotage.run(SHAPE, ["or", "not"], option)
        )
        for option in options
    ]
    assert found[0] == found[1]
    assert len(found[0]) == sabotage.count(SHAPE, ["or", "not"], Options())


# A prover at fault, and a solver that gives up.


@pytest.mark.parametrize("gadget", **titled([or_(), one_hot_sum(size=3)]))
def test_a_prover_that_proves_anything_is_found_out(gadget, monkeypatch):
    """Changes that an input refutes are MISSED, with that input; the others are proved."""

    def gullible(mutant, solve, *others, **more):
        for obligation in prover.obligations(mutant):
            yield Result(obligation, Verdict.PROVED)

    monkeypatch.setattr(prover, "prove", gullible)
    fates = Counter()
    for _, _, mutant, said in mutants(gadget):
        broken = broken_members(mutant)
        assert said.fate is (Fate.MISSED if broken else Fate.HARMLESS)
        if broken:
            assert said.reason == "it was proved"
            assert confirms(mutant, said.counterexample)
        fates[said.fate] += 1
    assert fates[Fate.MISSED] > 0


@pytest.mark.parametrize("status", ["unknown", "timeout"])
@pytest.mark.parametrize("gadget", **titled([or_(), one_hot_sum(size=3)]))
def test_a_solver_that_gives_up_lets_nothing_pass(gadget, status):
    """Small domains are tried whole all the same; a change that fails there is caught."""
    give_up = lambda text: (Answer(status, 0, 0, {}), False)  # noqa: E731
    for _, _, mutant, said in mutants(gadget, give_up):
        broken = broken_members(mutant)
        assert said.fate is (Fate.REFUTED if broken else Fate.HARMLESS)
        assert (said.counterexample is None) == (not broken)


def test_a_large_domain_is_not_decided_without_a_solver():
    assert domain_size(threshold()) > LIMIT
    give_up = lambda text: (Answer("unknown", 0, 0, {}), False)  # noqa: E731
    fates = {said.fate for *_, said in mutants(threshold(), give_up)}
    assert fates == {Fate.UNKNOWN}


def test_changes_of_a_large_domain_are_decided_by_the_solver():
    for gadget in (threshold(), match(bits=24)):
        some = list(changes(gadget))[::15]
        fates = {judge(gadget, change, 1, answer).fate for change in some}
        assert fates <= {Fate.REFUTED, Fate.HARMLESS}
        assert Fate.REFUTED in fates


# What changes are made of.


def test_a_weight_that_occurs_twice_is_changed_in_each_place():
    """Both places are one entry of the matrix."""
    gadget = primitive("twice", [Field("x")], lambda now: 2 * now.x - now.x, lambda x: x)
    weights = [change for change in changes(gadget) if change.place == "layer 1, y, weight of x"]
    assert [change.number for change in weights] == [2, -1]
    for change in weights:
        (altered,) = difference(gadget, change.apply(gadget, 1)).items()
        assert altered == ((0, 0, "y", 0), 1)


def test_a_change_at_one_index_leaves_the_others():
    k = Index("k", 3)
    gadget = primitive(
        "row",
        [Field("x", (3,))],
        lambda now: now.x[k],
        lambda k, x: where(x[k] == 1, 1, 0),
        over=(k,),
    )
    (change,) = [c for c in changes(gadget) if c.place == "layer 1, y[1], weight of x[1]"]
    assert difference(gadget, change.apply(gadget, -1)) == {(0, 0, "y[1]", 1): -1}
