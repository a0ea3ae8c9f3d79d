"""Counterexamples: what is found is what trying every input finds, and it is printed in full.

Three ways of looking (whole domains, samples, the solver on the gadget written out) against one
that is plain and slow (`proof_samples.broken_members`).
"""

from dataclasses import replace

import pytest
from proof_samples import (
    ask,
    broken_members,
    changed,
    computed,
    confirms,
    domain,
    faults,
    filled,
    in_domain,
    member_of,
    primitive,
    with_largest,
)

from proofs.counterexample import find
from proofs.exhaustive import LIMIT, domain_size, first_failure
from proofs.expanded import Expanded, confirm, entry_count, same_neurons
from proofs.results import Answer, Counterexample
from proofs.smtlib import text_of
from proofs.terms import conj, neg, unknown, unknowns
from verified_mlp.gadgets.adder import adder
from verified_mlp.gadgets.choose import choose, write_or_keep
from verified_mlp.gadgets.logic_gates import and_, merge, or_
from verified_mlp.gadgets.match import match, select
from verified_mlp.gadgets.one_hot_sum import one_hot_sum
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.gadgets.word_tests import all_ones, at_most_zero, is_zero
from verified_mlp.logic import value, where
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.expr import const, var
from verified_mlp.statement.mutate import changes
from verified_mlp.statement.network import Condition, Field, Parameter

SMALL = [
    or_(),
    and_(inputs=2),
    merge(inputs=2),
    choose(),
    write_or_keep(),
    match(bits=2),
    select(bits=2),
    one_hot_sum(size=3),
    is_zero(bits=2),
    all_ones(bits=2),
    at_most_zero(bits=2),
    # A range that depends on a parameter, and a condition.
    primitive(
        "bounded",
        [Field("x", high=var("t") + 1), Field("y", (2,), high=2)],
        lambda now: now.x - now.y[0] + now.y[1] + var("t") - 1,
        lambda x, y, t: where(x - y[0] + y[1] + t >= 1, x - y[0] + y[1] + t - 1, 0),
        largest=6,
        parameters=(Parameter("t", 0, 2),),
        conditions=(Condition("y_0 <= x", (), lambda x, y, t: y[0] <= x),),
    ),
]


def mutants(gadget, every=1):
    """Some of a gadget's changes: every so many, by +1 and -1 in turn."""
    for order, change in enumerate(changes(gadget)):
        if order % every == 0:
            yield change.apply(gadget, 1 if (order // every) % 2 else -1)


def frozen(member):
    """A member as something to be compared."""
    return {
        name: [int(e) for e in z.ravel()] if hasattr(z, "ravel") else z
        for name, z in member.items()
    }


def never(text):
    raise AssertionError("the solver is not to be asked")


def searched(gadget, fixed=None):
    return Expanded(gadget).search(ask, fixed or {})


@pytest.mark.parametrize("gadget", SMALL, ids=lambda gadget: gadget.title)
def test_all_ways_of_looking_agree(gadget):
    cases = [gadget, *mutants(gadget, every=3)]
    outcomes = set()
    for each in cases:
        broken = [frozen(member) for member in broken_members(each)]
        outcomes.add(bool(broken))
        complete, failing = first_failure(each)
        assert complete
        assert (failing is None) == (not broken)
        if failing is not None:
            assert frozen(failing) in broken
        by_solver = searched(each)
        assert (by_solver is None) == (not broken)
        if by_solver is not None:
            assert frozen(by_solver) in broken
        found, complete = find(each, never, {})
        assert complete
        assert (found is None) == (not broken)
        if found is not None:
            assert confirms(each, found)
    assert outcomes == {True, False}


@pytest.mark.parametrize("gadget", SMALL, ids=lambda gadget: gadget.title)
def test_the_size_of_a_domain_counts_its_ranges(gadget):
    size = domain_size(gadget)
    without = len(list(domain(replace(gadget, conditions=()))))
    assert size >= without >= len(list(domain(gadget)))
    if all(source.largest.constant is not None for source in gadget.network.inputs):
        assert size == without


def test_a_range_that_depends_on_a_parameter_is_kept_to():
    """What happens beyond it is no failure."""
    gadget = replace(
        SMALL[-1],
        spec={"out": lambda x, y, t: where(x > t + 1, 99, SMALL[-1].spec["out"](x, y, t))},
    )
    assert first_failure(gadget) == (True, None)
    assert searched(gadget) is None
    assert broken_members(gadget) == []


def test_the_last_domain_that_is_tried_whole():
    def wide(high):
        return primitive(
            "wide",
            [Field("x", high=high)],
            lambda now: now.x,
            lambda x: where(x == high - 1, 0, x),
            largest=high,
        )

    assert first_failure(wide(LIMIT - 1)) == (True, {"x": LIMIT - 2})
    complete, failing = first_failure(wide(LIMIT))
    assert not complete
    assert failing in (None, {"x": LIMIT - 1})


@pytest.mark.parametrize("gadget", SMALL, ids=lambda gadget: gadget.title)
def test_only_members_of_the_domain_at_which_it_fails_are_confirmed(gadget):
    broken = next(each for each in mutants(gadget) if broken_members(each))
    for member in domain(broken):
        found = confirm(broken, member)
        assert (found is None) == (not faults(broken, member))
        if found is not None:
            assert confirms(broken, found)
            assert frozen(member_of(broken, found)) == frozen(member)


def test_inputs_outside_the_domain_are_never_confirmed():
    gadget = changed(choose(), "layer 1, from_a, weight of a", 1)
    inside = {"a": 1, "b": 0, "c": 0, "first": 1, "second": 0}
    assert confirm(gadget, inside) is not None
    for name, number in (("second", 1), ("a", 2), ("b", -1), ("c", 3)):
        member = {**inside, name: number}
        assert not in_domain(gadget, member)
        assert confirm(gadget, member) is None
    bounded = SMALL[-1]
    wrong = with_largest(bounded, "y", const(0))
    member = next(iter(broken_members(wrong)))
    assert confirm(wrong, member) is not None
    for t in (-1, 3):
        assert confirm(wrong, {**member, "t": t}) is None


def test_a_counterexample_is_printed_in_full():
    gadget = changed(match(bits=3), "layer 1, h, weight of p[1] where i_1 = 0", 1)
    member = {"i": 0, "p": [0, 1, 0], "on": 1}
    assert confirm(gadget, as_arrays(gadget, member)) == Counterexample(
        gadget="match(bits=3)",
        inputs={"i": "0", "p": "2 (bits, lowest first: 0, 1, 0)", "on": "1"},
        layers=[{"h": "1"}],
        expected={"h": "0"},
        got={"h": "1"},
    )


def test_every_layer_and_every_wrong_entry_is_printed():
    right = adder(bits=3)
    gadget = replace(right, spec={"sum": lambda x, y: (right.spec["sum"](x, y) + 2) % 8})
    member = as_arrays(gadget, {"x": [1, 1, 0], "y": [1, 0, 0]})
    found = confirm(gadget, member)
    assert found.inputs == {
        "x": "3 (bits, lowest first: 1, 1, 0)",
        "y": "1 (bits, lowest first: 1, 0, 0)",
    }
    # 3 + 1: the lower block generates a carry, and its sums are 2 and 4.
    assert [len(layer) for layer in found.layers] == [4 + 3, 4 + 3, 18]
    assert found.layers[0] == {
        "blocks.generate.reached[0]": "1",
        "blocks.generate.passed[0]": "0",
        "blocks.propagate.reached[0]": "2",
        "blocks.propagate.passed[0]": "1",
        "blocks.prefix[0]": "2",
        "blocks.prefix[1]": "4",
        "blocks.prefix[2]": "0",
    }
    assert (found.expected, found.got) == ({"sum": "6"}, {"sum": "4"})
    assert confirms(gadget, found)


def test_a_neuron_beyond_its_range_is_named():
    gadget = with_largest(or_(), "some", const(1))
    found = confirm(gadget, {"x": 1, "y": 1})
    assert (found.expected, found.got) == ({"some": "at most 1"}, {"some": "2"})
    assert found.layers == [{"some": "2", "twice": "1"}]


def test_an_array_that_is_no_word_is_printed_as_a_list():
    gadget = changed(one_hot_sum(size=3), "layer 1, y, weight of x[1]", 1)
    found = confirm(gadget, as_arrays(gadget, {"a": 1, "x": [0, 1, 0]}))
    assert found.inputs == {"a": "1", "x": "[0, 1, 0]"}


def as_arrays(gadget, member):
    shapes = {source.name: source.shape for source in gadget.network.inputs}
    return {
        name: filled(shapes[name], entry) if shapes.get(name) else entry
        for name, entry in member.items()
    }


# Domains that are too large to be tried whole.


def needle(place, high=10**9):
    """Wrong at one input of a milliard."""
    return primitive(
        "needle",
        [Field("x", high=high), Field("y", high=high)],
        lambda now: now.x + now.y,
        lambda x, y, t: where(x == place, where(t == 7, 0, x + y), x + y),
        largest=2 * high,
        parameters=(Parameter("t", 0, 1000),),
    )


def test_the_solver_finds_what_trying_does_not():
    gadget = needle(123_456_789)
    assert first_failure(gadget) == (False, None)
    found, complete = find(gadget, ask, {})
    assert not complete
    assert confirms(gadget, found)
    assert (found.inputs["x"], found.inputs["t"]) == ("123456789", "7")


def test_a_gadget_that_is_right_has_no_counterexample():
    assert find(needle(-1), ask, {}) == (None, False)


def test_the_parameters_of_a_countermodel_come_first():
    gadget = needle(123_456_789)
    asked = []

    def recorded(text):
        asked.append(text)
        return ask(text)

    found, _ = find(gadget, recorded, {"t": "7", "x": "5", "layer1.y": "3"})
    assert (len(asked), found.inputs["t"]) == (1, "7")
    found, _ = find(gadget, recorded, {"t": "8"})
    assert (len(asked), found.inputs["t"]) == (3, "7")
    assert confirms(gadget, found)


@pytest.mark.parametrize("status", ["unknown", "timeout", "unsat"])
def test_what_the_solver_does_not_find_is_not_found(status):
    assert find(needle(5), lambda text: Answer(status, 0, 0, {}), {}) == (None, False)


def test_a_model_that_is_wrong_is_not_confirmed():
    """Whatever the solver says, the gadget is evaluated."""
    lies = lambda text: Answer("sat", 0, 0, {"x": "4", "y": "2", "t": "7"})  # noqa: E731
    assert find(needle(5), lies, {}) == (None, False)
    told = lambda text: Answer("sat", 0, 0, {"x": "5", "y": "2", "t": "7"})  # noqa: E731
    found, _ = find(needle(5), told, {})
    assert confirms(needle(5), found)


def test_a_constant_that_a_model_leaves_out_is_in_its_range():
    found, _ = find(needle(0), lambda text: Answer("sat", 0, 0, {"t": "7", "y": "1"}), {})
    assert found.inputs == {"t": "7", "x": "0", "y": "1"}


@pytest.mark.parametrize("shape", [Shape(16, 256), Shape(64, 66)], ids=str)
def test_samples_are_of_the_domain_and_always_the_same(shape):
    """A gadget that is wrong everywhere fails at a member of its domain, and always at the same."""
    for gadget in gadgets(shape):
        if domain_size(gadget) <= LIMIT:
            continue
        wrong = everywhere_wrong(gadget)
        (complete, first), (_, second) = first_failure(wrong), first_failure(wrong)
        assert not complete
        assert first is not None
        assert in_domain(wrong, first)
        assert frozen(first) == frozen(second)


def everywhere_wrong(gadget):
    specs = {
        name: lambda *at, spec=spec, **given: spec(*at, **given) + 1
        for name, spec in gadget.spec.items()
    }
    return replace(gadget, spec=specs)


# The gadget written out.


def test_a_gadget_is_written_out_with_a_constant_for_every_entry():
    written = Expanded(match(bits=2))
    assert sorted(str(each) for each in [*written.inputs["p"], written.inputs["on"]]) == [
        "on",
        "p[0]",
        "p[1]",
    ]
    assert written.parameters["i"] is value([unknown("i_0"), unknown("i_1")], 0, 2)
    assert entry_count(match(bits=2)) == 2 + 1 + 1
    labels = [label for label, _, _ in written.specification()]
    assert labels == ["h"]
    assert [label for label, _, _ in Expanded(or_()).ranges()] == ["some", "twice"]
    words = [label for label, _, _ in Expanded(adder(bits=3)).specification()]
    assert words == ["sum", "sum[0]", "sum[1]", "sum[2]"]


@pytest.mark.parametrize("gadget", SMALL, ids=lambda gadget: gadget.title)
def test_what_is_written_out_is_what_is_computed(gadget):
    """At every member of the domain, the domain's formulas are true and the outputs' terms are
    the numbers.
    """
    written = Expanded(gadget)
    for member in list(domain(gadget))[::7]:
        known = [unknown(name) == number for name, number in named(gadget, member)]
        outputs, _ = computed(gadget, member)
        for name, number in outputs.items():
            got = conj(*known, *written.domain, written.outputs[name] == number)
            assert ask(text_of([got])).status == "sat"
            assert ask(text_of([*known, written.outputs[name] != number])).status == "unsat"


def named(gadget, member):
    """The constants of a gadget that is written out, with their values."""
    for each in gadget.parameters:
        if each.bits:
            yield from ((f"{each.name}_{k}", member[each.name] >> k & 1) for k in range(each.bits))
        else:
            yield each.name, member[each.name]
    for source in gadget.network.inputs:
        if source.shape:
            yield from ((f"{source.name}[{k}]", e) for k, e in enumerate(member[source.name]))
        else:
            yield source.name, member[source.name]


def test_leaving_out_the_rest_of_the_domain_leaves_out_no_hypothesis_that_matters():
    """x is bounded through y and z, with which it shares conditions; v and w have nothing to do
    with it.
    """
    names = ("x", "y", "z", "v", "w")
    gadget = primitive(
        "chain",
        [Field(name, high=5) for name in names],
        lambda now: now.x,
        lambda **given: given["x"],
        largest=3,
        conditions=(
            Condition("x <= y", (), lambda **given: given["x"] <= given["y"]),
            Condition("y <= z", (), lambda **given: given["y"] <= given["z"]),
            Condition("z <= 3", (), lambda **given: given["z"] <= 3),
            Condition("v <= w", (), lambda **given: given["v"] <= given["w"]),
        ),
    )
    ((_, given, goal),) = Expanded(gadget).ranges()
    assert {each.label for part in given for each in unknowns(part)} == {"x", "y", "z"}
    assert ask(text_of([*given, neg(goal)])).status == "unsat"


# Two gadgets with the same neurons and outputs.


@pytest.mark.parametrize(
    "gadget", [choose(), match(bits=2), one_hot_sum(size=3), or_()], ids=lambda each: each.title
)
def test_neurons_and_outputs_are_the_same_where_every_input_says_so(gadget):
    outcomes = set()
    for each in [gadget, *mutants(gadget)]:
        alike = all(computed(gadget, member) == computed(each, member) for member in domain(gadget))
        assert same_neurons(gadget, each, ask) == alike
        outcomes.add(alike)
    assert outcomes == {True, False}


def test_neurons_are_not_the_same_where_the_solver_gives_up():
    gadget = one_hot_sum(size=3)
    mutant = changed(gadget, "layer 1, y, weight of x[1]", -1)
    assert not same_neurons(gadget, mutant, lambda text: Answer("unknown", 0, 0, {}))
