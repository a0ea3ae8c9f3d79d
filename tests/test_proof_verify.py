"""Discharging a shape: which obligations there are, which are picked, and how a run goes."""

from dataclasses import replace

import pytest
from proof_samples import changed, primitive

from proofs import prover, verify
from proofs.machine import machine
from proofs.results import Verdict
from proofs.verify import Options
from verified_mlp.constructions.paper import paper
from verified_mlp.constructions.registry import Construction
from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.logic_gates import and_, not_, or_
from verified_mlp.gadgets.registry import gadgets as registered
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.network import Field

SHAPES = [Shape(4, 4), Shape(4, 16), Shape(16, 256), Shape(24, 100), Shape(64, 1024)]
SHAPE = SHAPES[0]
FRESH = Options(cache=False)


def placed(network):
    """Every gadget that a network places, and those that these place."""
    for layer in network.layers:
        for each in layer.placed:
            if each.gadget is not None:
                yield each.gadget
                yield from placed(each.gadget.network)


# Which obligations there are.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_gadget_that_is_placed_is_to_be_proved(shape):
    """At its own settings; also those of the table that are not placed, and the machine."""
    family = memories(shape)
    to_prove = {each.gadget for each in verify.obligations(shape)}
    needed = {gadget.title for gadget in placed(paper(family))}
    known = {gadget.title for gadget in registered(family)}
    assert to_prove == needed | known | {machine(family).title}
    assert needed
    for dimensions in (shape, family):
        listed = {gadget.title: gadget for gadget in verify.gadgets(dimensions)}
        for gadget in (*placed(paper(dimensions)), *registered(dimensions)):
            assert listed[gadget.title] is gadget


def test_the_network_of_a_shape_is_an_instance_of_the_one_that_is_proved(monkeypatch):
    assert verify.check_instance(Shape(4, 5)).verdict is Verdict.PROVED
    assert verify.check_instance(Shape(4, 5)).obligation in verify.obligations(Shape(4, 5))
    other = paper(Shape(4, 6))
    monkeypatch.setattr(
        verify,
        "construction",
        lambda name: Construction(
            name, lambda shape: other if shape == Shape(4, 5) else paper(shape)
        ),
    )
    found = verify.check_instance(Shape(4, 5))
    assert found.verdict is Verdict.REFUTED
    assert found.detail == (
        "the network states 'input mem[6, 4] in 0..1, word', the instance 'input mem[5, 4] in "
        "0..1, word'"
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_obligations_have_names_of_their_own(shape):
    found = verify.obligations(shape)
    assert len({each.name for each in found}) == len(found) > 0
    for each in found:
        assert each.name.startswith(f"{each.gadget}/")
        assert all([each.claim, each.domain, each.method, each.source])


def test_the_obligations_are_the_same_each_time_and_at_every_shape():
    def lemmas(shape):
        names = (
            (each.gadget.partition("(")[0], each.name.partition("/")[2])
            for each in verify.obligations(shape)
        )
        return sorted(set(names))

    assert verify.obligations(SHAPE) == verify.obligations(SHAPE)
    assert len({tuple(lemmas(shape)) for shape in SHAPES}) == 1


def test_two_gadgets_of_one_title_are_refused(monkeypatch):
    """A proof of one says nothing of the other."""
    other = changed(carry(), "layer 1, y, bias", 1)
    monkeypatch.setattr(verify, "registered", lambda shape, how: [carry(), other])
    with pytest.raises(ValueError, match="two gadgets") as failure:
        verify.gadgets(SHAPE)
    assert str(failure.value) == "two gadgets are called carry; give them different names."


def test_a_placed_gadget_is_not_taken_for_one_of_the_table(monkeypatch):
    other = changed(carry(), "layer 1, y, bias", 1)
    network = paper(SHAPE)
    first, *others = network.layers
    (name,) = [each.name for each in first.placed if each.name == "mem"]
    swapped = replace(
        first,
        placed=tuple(
            replace(each, gadget=other) if each.name == name else each for each in first.placed
        ),
    )
    made = replace(network, layers=(swapped, *others))
    monkeypatch.setattr(verify, "construction", lambda name: Construction(name, lambda shape: made))
    with pytest.raises(ValueError, match="two gadgets are called carry; "):
        verify.gadgets(SHAPE)


# Which are picked.


@pytest.fixture(scope="module")
def found():
    return verify.obligations(SHAPE)


def test_a_name_picks_an_obligation_a_gadget_or_all_gadgets_of_a_name(found):
    def names(*chosen):
        return [each.name for each in verify.select(found, list(chosen))]

    assert names("or/ranges") == ["or/ranges"]
    assert names("or") == ["or/specification", "or/ranges"]
    lemmas = ("specification", "ranges", "support of out")
    assert names("and(inputs=2)") == [f"and(inputs=2)/{lemma}" for lemma in lemmas]
    assert names("and") == [
        *names("and(inputs=2)"),
        *names("and(inputs=3)"),
    ]
    # In the order in which they are proved, each once.
    assert names("or", "and(inputs=3)", "or/ranges", "and") == [*names("and"), *names("or")]
    assert names() == []


def test_a_name_that_picks_nothing_is_an_error(found):
    for name, expected in (
        ("zzzzzz", "no obligation is called 'zzzzzz'. List them with verify-all --list."),
        ("", "no obligation is called ''. List them with verify-all --list."),
        (
            "threshhold",
            "no obligation is called 'threshhold'; did you mean 'threshold'? "
            "List them with verify-all --list.",
        ),
        (
            "or/range",
            "no obligation is called 'or/range'; did you mean 'or/ranges'? "
            "List them with verify-all --list.",
        ),
        (
            "match(bits=5)",
            "no obligation is called 'match(bits=5)'; did you mean 'match(bits=4)'? "
            "List them with verify-all --list.",
        ),
    ):
        with pytest.raises(LookupError) as failure:
            verify.select(found, ["or", name])
        assert failure.value.args == (expected,)


def test_gadgets_are_picked_by_their_obligations():
    assert verify.select_gadgets(SHAPE, ["or/ranges", "not"]) == [not_(), or_()]
    every = [gadget.title for gadget in verify.gadgets(SHAPE)]
    assert [gadget.title for gadget in verify.select_gadgets(SHAPE, [])] == every
    with pytest.raises(LookupError, match="no obligation is called 'nothing'"):
        verify.select_gadgets(SHAPE, ["nothing"])


# How a run goes.


def results(names, options=FRESH):
    return list(verify.run(SHAPE, verify.select(verify.obligations(SHAPE), names), options))


def test_only_what_is_chosen_is_reported():
    names = ["not/ranges", "match(bits=4)/specification"]
    found = results(names)
    assert [each.obligation.name for each in found] == [
        "match(bits=4)/specification",
        "not/ranges",
    ]
    assert {each.verdict for each in found} == {Verdict.PROVED}


def test_only_gadgets_that_are_chosen_are_proved(monkeypatch):
    proved = []

    def recorded(gadget, *others, **more):
        proved.append(gadget.title)
        return iter(())

    monkeypatch.setattr(prover, "prove", recorded)
    results(["not", "or/ranges", "and(inputs=3)/ranges"])
    assert proved == ["and(inputs=3)", "not", "or"]


def test_nothing_chosen_is_nothing_done():
    assert results([]) == []


@pytest.fixture
def with_a_broken_one(monkeypatch):
    """The table: `and` is right, `broken` is not, `not` is right."""
    broken = primitive("broken", [Field("x")], lambda now: now.x, lambda x: 1 - x)
    monkeypatch.setattr(verify, "registered", lambda shape, how: [and_(inputs=2), broken, not_()])
    monkeypatch.setattr(verify, "_placed", lambda network: iter(()))
    return [each for each in verify.obligations(SHAPE) if not each.gadget.startswith("machine")]


def test_a_run_goes_on_after_a_failure(with_a_broken_one):
    found = list(verify.run(SHAPE, with_a_broken_one, FRESH))
    assert [(each.obligation.name, each.verdict.value) for each in found] == [
        ("and(inputs=2)/specification", "PROVED"),
        ("and(inputs=2)/ranges", "PROVED"),
        ("and(inputs=2)/support of out", "PROVED"),
        ("broken/specification", "REFUTED"),
        ("broken/ranges", "PROVED"),
        ("not/specification", "PROVED"),
        ("not/ranges", "PROVED"),
    ]


def test_a_run_ends_with_the_first_failure_if_asked(with_a_broken_one):
    found = list(verify.run(SHAPE, with_a_broken_one, replace(FRESH, fail_fast=True)))
    assert [(each.obligation.name, each.verdict.value) for each in found] == [
        ("and(inputs=2)/specification", "PROVED"),
        ("and(inputs=2)/ranges", "PROVED"),
        ("and(inputs=2)/support of out", "PROVED"),
        ("broken/specification", "REFUTED"),
    ]


def test_a_failure_that_was_not_chosen_ends_nothing(with_a_broken_one):
    chosen = [each for each in with_a_broken_one if each.name != "broken/specification"]
    found = list(verify.run(SHAPE, chosen, replace(FRESH, fail_fast=True)))
    assert [each.obligation for each in found] == chosen
    assert {each.verdict for each in found} == {Verdict.PROVED}


def test_a_report_passes_if_all_is_proved(with_a_broken_one, monkeypatch):
    whole = [not_(), or_()]
    monkeypatch.setattr(verify, "gadgets", lambda shape, *names: whole)
    assert verify.verify(SHAPE, FRESH).passed
    broken = primitive("broken", [Field("x")], lambda now: now.x, lambda x: 1 - x)
    whole.append(broken)
    report = verify.verify(SHAPE, FRESH)
    assert (report.bits, report.words, report.passed) == (4, 4, False)
    assert len(report.results) == 6
    whole.clear()
    assert not verify.verify(SHAPE, FRESH).passed


def test_two_jobs_find_what_one_finds():
    """The same verdicts, and the same resources: what a solver spends depends on its text alone."""
    names = ["adder", "match", "one_hot_sum", "or", "subtract", "threshold"]

    def found(jobs):
        return sorted(
            (each.obligation.name, each.verdict, each.resources, each.detail, each.cached)
            for each in results(names, replace(FRESH, jobs=jobs))
        )

    alone = found(1)
    assert alone == found(2)
    assert len(alone) == len(verify.select(verify.obligations(SHAPE), names))
    assert {verdict for _, verdict, *_ in alone} == {Verdict.PROVED}


def test_what_is_proved_twice_costs_the_same():
    """Also where other gadgets were proved before, in the same process."""
    first = {each.obligation.name: each.resources for each in results(["is_zero"])}
    results(["or", "at_most_zero"])
    names = ["at_most_zero", "is_zero"]
    second = {each.obligation.name: each.resources for each in results(names)}
    assert first.items() <= second.items()


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape", [Shape(5, 9), Shape(4, 16), Shape(16, 37), Shape(64, 4096)], ids=str
)
def test_whole_shapes_are_proved(shape):
    report = verify.verify(shape, FRESH)
    assert report.passed
    assert [each.obligation for each in report.results] == verify.obligations(shape)
