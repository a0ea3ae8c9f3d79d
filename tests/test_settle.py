"""Settling a statement: the network of a family at a number of words is that of the shape."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from exact_batch import layers
from hypothesis import given, settings
from hypothesis import strategies as st
from proof_samples import computed, domain, filled

from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.match import match
from verified_mlp.gadgets.one_hot_sum import one_hot_sum
from verified_mlp.gadgets.threshold import threshold
from verified_mlp.machine.shape import MAX_WORDS, Memories, Region, Shape, memories
from verified_mlp.statement.affine import Signal, total
from verified_mlp.statement.arrays import entries
from verified_mlp.statement.builder import Builder, rewired
from verified_mlp.statement.digest import canonical_text, digest
from verified_mlp.statement.evaluate import (
    column_names,
    evaluate,
    matrix,
    offsets,
    points,
    rows,
)
from verified_mlp.statement.expr import Index, var
from verified_mlp.statement.measure import measure, measure_layer
from verified_mlp.statement.mutate import changes
from verified_mlp.statement.network import Field, Gadget, Network, Parameter
from verified_mlp.statement.settle import settle, variables

BORDERS = [
    Shape(bits, words)
    for bits in (4, 5, 8, 16, 24)
    for words in (4, 2 ** (bits - 1) + 2, 2 ** (bits - 1) + 3, 2**bits - 1, 2**bits)
]
WIDE = [
    Shape(bits, words) for bits in (25, 32, 63, 64) for words in (4, 256, MAX_WORDS - 1, MAX_WORDS)
]
SMALL = [Shape(4, 4), Shape(4, 10), Shape(4, 11), Shape(4, 15), Shape(4, 16), Shape(7, 9)]
FAMILIES = [Memories(6, region) for region in Region]
WORDS = var("words")
SUM = one_hot_sum(size=WORDS - 2, parameters=(Parameter("words", 4, 9),))


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def settled(shape: Shape) -> Network:
    return settle(paper(memories(shape)), {"words": shape.words})


def assert_same_statement(shape: Shape) -> None:
    found, expected = settled(shape), paper(shape)
    assert canonical_text(found) == canonical_text(expected)
    # What is written is the same, not only what it means.
    assert (found.name, found.inputs) == (expected.name, expected.inputs)
    assert found.outputs == expected.outputs
    for layer, other in zip(found.layers, expected.layers, strict=True):
        assert layer.neurons == other.neurons
        assert (layer.stage, layer.note) == (other.stage, other.note)


@pytest.mark.parametrize("shape", [*BORDERS, *WIDE], ids=str)
def test_a_family_at_a_number_of_words_is_the_network_of_the_shape(shape: Shape) -> None:
    assert_same_statement(shape)


@pytest.mark.parametrize("shape", [*SMALL, Shape(16, 65536), Shape(64, MAX_WORDS)], ids=str)
def test_digests(shape: Shape) -> None:
    assert digest(settled(shape)) == digest(paper(shape))


@settings(max_examples=15)
@given(bits=st.integers(4, 64), data=st.data())
def test_any_shape(bits: int, data: st.DataObject) -> None:
    assert_same_statement(Shape(bits, data.draw(st.integers(4, min(MAX_WORDS, 2**bits)))))


@pytest.mark.parametrize("shape", [*SMALL, Shape(16, 65536), Shape(64, 1024)], ids=str)
def test_the_gadgets_that_it_places_are_settled(shape: Shape) -> None:
    for layer, other in zip(settled(shape).layers, paper(shape).layers, strict=True):
        for placed, expected in zip(layer.placed, other.placed, strict=True):
            gadget = placed.gadget
            assert gadget is not None
            assert expected.gadget is not None
            assert gadget.title == expected.gadget.title
            assert gadget.domain_text() == expected.gadget.domain_text()
            assert gadget.parameters == expected.gadget.parameters
            assert canonical_text(gadget.network) == canonical_text(expected.gadget.network)
            assert (placed.name, placed.part) == (expected.name, expected.part)
            assert (placed.over, placed.parameters) == (expected.over, expected.parameters)
            # Placed once more, the gadget gives the neurons that stand there.
            assert rewired(placed, placed.wires).neurons == placed.neurons
            for name, output in placed.outputs.items():
                assert output.extent == expected.outputs[name].extent
                at = tuple(var(f"position{axis}") for axis in range(len(output.extent or ())))
                assert output[at] == expected.outputs[name][at]


def test_a_gadget_that_stands_in_many_places_is_settled_once() -> None:
    found = {
        id(placed.gadget)
        for layer in settled(Shape(8, 64)).layers
        for placed in layer.placed
        if placed.gadget is not None and placed.gadget.name == "one_hot_sum"
    }
    assert len(found) == 2  # words and words - 2


@pytest.mark.parametrize("shape", [*SMALL, Shape(16, 256), Shape(8, 256)], ids=str)
def test_its_arrays(shape: Shape) -> None:
    found, expected = settled(shape), paper(shape)
    for (weights, bias), (other, its) in zip(layers(found), layers(expected), strict=True):
        assert weights.shape == other.shape
        assert (weights != other).nnz == 0
        assert np.array_equal(bias, its)


@pytest.mark.parametrize("shape", [*SMALL, Shape(24, 2**24), Shape(64, 2**24)], ids=str)
def test_its_measure(shape: Shape) -> None:
    assert measure(settled(shape)) == measure(paper(shape))


@pytest.mark.parametrize("shape", [Shape(4, 5), Shape(4, 11), Shape(4, 16)], ids=str)
def test_its_rows_and_values(shape: Shape) -> None:
    found, expected = settled(shape), paper(shape)
    for depth in range(len(found.layers)):
        assert list(rows(found, depth)) == list(rows(expected, depth))
    # The first instruction subtracts, and jumps to itself.
    memory = [3, 4, 0, 7, 5]
    memory += [0] * (shape.words - len(memory))
    inputs: dict[str, Any] = {
        source.name: filled(source.shape, [0] * len(list(points(source.shape))))
        for source in found.inputs
    }
    for word, number in enumerate(memory):
        for bit in range(4):
            inputs["mem"][word, bit] = number >> bit & 1
    outputs, _ = evaluate(found, inputs)
    others, _ = evaluate(expected, inputs)
    assert all(np.array_equal(outputs[name], others[name]) for name in others)
    assert [int(bit) for bit in outputs["mem"][4]] == [0, 1, 1, 1]  # 5 - 7 = -2


@pytest.mark.parametrize("words", range(4, 10))
def test_a_gadget_at_a_number(words: int) -> None:
    found, expected = settle(SUM, {"words": words}), one_hot_sum(size=words - 2)
    assert found.title == expected.title == f"one_hot_sum(size={words - 2})"
    assert found.domain_text() == expected.domain_text()
    assert found.parameters == expected.parameters
    assert found.network.inputs == expected.network.inputs
    assert canonical_text(found.network) == canonical_text(expected.network)
    members = list(domain(found))
    assert [str(each) for each in members] == [str(each) for each in domain(expected)]
    assert len(members) == (words - 2) * 2 + 1
    for member in members:
        outputs, _ = computed(found, member)
        assert outputs == {"y": found.spec["y"](**member)}
        # The specification of the family takes the number of words by name.
        assert outputs == {"y": SUM.spec["y"](**member, words=words)}


def test_other_parameters_can_be_settled_too() -> None:
    found = settle(threshold(), {"t": 2})
    assert found.title == "threshold(t=2)"
    assert [each.name for each in found.parameters] == ["top"]
    assert canonical_text(found.network) == (
        "input s in 0..top\n"
        "layer 1\n"
        "neurons reached in 0..top - 1\n"
        "  -1\n"
        "  s\n"
        "neurons passed in 0..top - 2\n"
        "  -2\n"
        "  s\n"
        "output out in 0..1\n"
        "  (-1) passed\n"
        "  reached\n"
    )
    assert [found.spec["out"](s=s, top=3) for s in range(4)] == [0, 0, 1, 1]
    (condition,) = found.conditions
    assert [condition.holds(s=0, top=top) for top in (1, 2)] == [False, True]
    all_settled = settle(found, {"top": 3})
    assert (all_settled.title, all_settled.parameters) == ("threshold(t=2, top=3)", ())
    assert all_settled.network.inputs == (Field("s", high=3),)
    here = settle(match(bits=3), {"i": 5})
    assert evaluate(here.network, {"p": [1, 0, 1], "on": 1})[0] == {"h": 1}
    assert evaluate(here.network, {"p": [1, 1, 1], "on": 1})[0] == {"h": 0}


def test_parameters_on_which_no_size_depends_stay_with_the_placed_gadget() -> None:
    """As in a network that is stated at these numbers: `carry` is not settled at top = 1."""
    found = settled(Shape(8, 64))
    carried = [each for each in found.layers[0].placed if each.name == "mem"]
    assert [each.gadget is carry() for each in carried] == [True]
    assert [
        {name: str(number) for name, number in each.parameters.items()} for each in carried
    ] == [{"top": "1"}]


def nested() -> Gadget:
    """A gadget of two parameters that places one with sizes of its own."""
    n, m = Parameter("n", 1, 5), Parameter("m", 1, 5)
    i = Index("i", var("m"))
    inner = one_hot_sum(size=var("k"), parameters=(Parameter("k", 1, 10),))
    build = Builder("nested", [Field("x", (var("m"), var("n") + 1))])
    now = build.layer()
    build.place(
        inner, "y", (i,), {"k": var("n") + 1}, x=Signal(lambda k: now.x[i, k], (var("n") + 1,))
    )
    done = build.close()
    return Gadget(
        name="nested",
        network=build.build(build.output("y", (i,), done.y[i])),
        spec={"y": lambda i, x, n, m: sum(x[i, k] for k in range(n + 1))},
        source="ours",
        formula="y = ReLU(sum_k x_ik)",
        parameters=(n, m),
        settings={"rows": var("m")},
    )


def test_one_parameter_after_another() -> None:
    gadget = nested()
    assert gadget.title == "nested(rows=m)"
    assert gadget.domain_text() == "n in 1..5; m in 1..5; x[m x n + 1] in 0..1"
    some = settle(gadget, {"n": 2})
    assert some.title == "nested(rows=m, n=2)"
    assert some.network.inputs[0].extents == (var("m"), 3)
    (placed,) = some.network.layers[0].placed
    assert placed.gadget is not None
    assert (placed.gadget.title, placed.parameters) == ("one_hot_sum(size=3)", {})
    assert placed.wires["x"].extent == (3,)
    assert variables(some.network) == {"m"}
    both = settle(some, {"m": 4})
    assert both.title == "nested(rows=4, n=2)"
    assert both.network.inputs[0].shape == (4, 3)
    at_once = settle(gadget, {"m": 4, "n": 2})
    assert canonical_text(both.network) == canonical_text(at_once.network)
    x = np.arange(12).reshape(4, 3)
    outputs, _ = evaluate(both.network, {"x": x})
    assert list(outputs["y"]) == [both.spec["y"](i=i, x=x) for i in range(4)] == [3, 12, 21, 30]


def test_on_what_a_network_depends() -> None:
    assert variables(paper(Shape(16, 256))) == frozenset()
    for family in FAMILIES:
        assert variables(paper(family)) == {"words"}
    assert variables(threshold().network) == {"t", "top"}
    assert variables(match(bits=4).network) == {"i"}


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: settle(paper(Shape(4, 4)), {"words": 4}),
            "paper does not depend on words; it depends on nothing",
        ),
        (
            lambda: settle(paper(Memories(4, Region.SMALL)), {"words": 4, "bits": 4}),
            "paper does not depend on bits; it depends on words",
        ),
        (
            lambda: settle(paper(Memories(4, Region.SMALL)), {"words": 11}),
            "one_hot_sum(size=words - 2): words = 11 is out of its range, 4..10",
        ),
        (
            lambda: settle(SUM, {"words": 3}),
            "one_hot_sum(size=words - 2): words = 3 is out of its range, 4..9",
        ),
        (
            lambda: settle(SUM, {"words": 5, "a": 4}),
            "one_hot_sum(size=words - 2): a = 4 is out of its range, 0..3",
        ),
        (
            lambda: settle(SUM, {"size": 5}),
            "one_hot_sum(size=words - 2) has no parameter size to settle; its parameters: words, a",
        ),
        (
            lambda: settle(Network("some", (Field("x", (WORDS - 5,)),), (), ()), {"words": 4}),
            "the size of x is -1: it must be a whole number, 0 or more",
        ),
    ],
)
def test_what_cannot_be_settled(make: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError, match=exactly(text)):
        make()


def test_an_index_of_the_name_of_a_parameter() -> None:
    build = Builder("some", [Field("x", (WORDS,))])
    now = build.layer()
    words = Index("words", 3)
    build.neurons("y", (words,), now.x[words])
    done = build.close()
    network = build.build(build.output("z", (words,), done.y[words]))
    text = "y: its index words has the name of what is to be settled; rename it"
    with pytest.raises(ValueError, match=exactly(text)):
        settle(network, {"words": 5})


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize(
    "use",
    [
        lambda network: entries(network, 0),
        measure,
        lambda network: measure_layer(network, 0),
        lambda network: evaluate(network, {"mem": []}),
        lambda network: next(rows(network, 0)),
        lambda network: matrix(network, 0),
        lambda network: offsets(network.inputs),
        lambda network: column_names(network.inputs),
    ],
)
def test_what_needs_numbers_says_so(family: Memories, use: Callable[[Network], object]) -> None:
    text = r"^the size of (mem|here) depends on words; settle it first$"
    with pytest.raises(ValueError, match=text):
        use(paper(family))


def test_what_of_a_gadget_needs_numbers_says_so() -> None:
    for use in (
        lambda: evaluate(SUM.network, {"x": [0, 0]}, {"words": 4}),
        lambda: entries(SUM.network, 0),
        lambda: measure(SUM.network),
        lambda: SUM.network.inputs[0].shape,
    ):
        with pytest.raises(ValueError, match=r"^the size of x depends on words; settle it first$"):
            use()
    with pytest.raises(ValueError, match=r"^the range of a depends on words; settle it first$"):
        _ = SUM.parameters[1].high
    build = Builder("some", [Field("x")])
    now = build.layer()
    i = Index("i", WORDS)
    build.neurons("y", (i,), now.x)
    done = build.close()
    network = build.build(build.output("z", (i,), done.y[i]))
    with pytest.raises(ValueError, match=r"^the size of y depends on words; settle it first$"):
        evaluate(network, {"x": 1})
    spread = Gadget(
        "some", network, {"z": lambda i, x, words: x}, "", "", (Parameter("words", 1, 9),)
    )
    with pytest.raises(
        ValueError, match=r"^the size of index i depends on words; settle it first$"
    ):
        list(changes(spread))
    wide = build.build(build.output("z", (i,), total(Index("k", 2), done.y[i])))
    with pytest.raises(ValueError, match=r"^the size of y depends on words; settle it first$"):
        measure(wide)
