import re

import pytest

from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.logic_gates import and_, not_, or_
from verified_mlp.gadgets.match import match
from verified_mlp.gadgets.one_hot_sum import one_hot_sum
from verified_mlp.gadgets.word_tests import at_most_zero
from verified_mlp.statement.affine import Signal
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.evaluate import evaluate
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Field, Gadget, Network

I = Index("i", 3)  # noqa: E741 - the name of the index


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def test_a_network_in_two_layers() -> None:
    build = Builder("demo", [Field("x"), Field("y")])
    now = build.layer("first", "both of them")
    build.neurons("both", (), now.x + now.y - 1)
    now = build.layer("second", "neither")
    build.place(not_(), "out", x=now.both)
    done = build.close()
    network = build.build(build.output("nand", (), done.out))
    assert [(layer.stage, layer.note) for layer in network.layers] == [
        ("first", "both of them"),
        ("second", "neither"),
    ]
    for x in (0, 1):
        for y in (0, 1):
            outputs, trace = evaluate(network, {"x": x, "y": y})
            assert outputs == {"nand": 1 - x * y}
            assert [list(layer) for layer in trace] == [["both"], ["out"]]


def test_a_gadget_of_two_layers_stands_in_two_layers() -> None:
    build = Builder("demo", [Field("r", (4,), word=True), Field("on")])
    now = build.layer()
    build.place(at_most_zero(bits=4), "jumps", r=now.r, on=now.on)
    now = build.layer()
    assert not hasattr(now, "jumps")
    done = build.close()
    network = build.build(build.output("out", (), done.jumps))
    names = [[family.name for family in layer.neurons] for layer in network.layers]
    assert names == [["jumps.zero", "jumps.sign"], ["jumps.either.some", "jumps.either.twice"]]
    parts = [
        [(placed.gadget.title, placed.part) for placed in layer.placed] for layer in network.layers
    ]
    assert parts == [[("at_most_zero(bits=4)", 0)], [("at_most_zero(bits=4)", 1)]]
    for word in range(16):
        outputs, _ = evaluate(network, {"r": [word >> k & 1 for k in range(4)], "on": 1})
        assert outputs["out"] == (word == 0 or word >= 8)


def test_a_family_over_an_index_and_with_settled_parameters() -> None:
    build = Builder("demo", [Field("p", (2,), word=True), Field("on")])
    now = build.layer()
    build.place(match(bits=2), "here", (I,), {"i": I}, True, p=now.p, on=now.on)
    now = build.layer()
    build.place(one_hot_sum(size=3), "some", x=now.here)
    build.place(carry(), "same", (I,), {"top": 1}, one_hot=True, x=now.here[I])
    done = build.close()
    network = build.build(
        build.output("some", (), done.some), build.output("same", (I,), done.same[I])
    )
    assert network.layers[0].neurons[0].one_hot
    assert [family.one_hot for family in network.layers[1].neurons] == [False, True]
    for word in range(4):
        outputs, _ = evaluate(network, {"p": [word & 1, word >> 1], "on": 1})
        assert outputs["some"] == (word < 3)
        assert list(outputs["same"]) == [int(word == i) for i in range(3)]


def test_wires_may_be_any_affine_forms() -> None:
    build = Builder("demo", [Field("x", (4,)), Field("y", (4,))])
    now = build.layer()
    differs = Signal(lambda i: 1 - now.x[i] - now.y[i + 1], (3,))
    build.place(and_(inputs=2), "out", (I,), x=differs[I], y=now.x[I + 1])
    done = build.close()
    network = build.build(build.output("out", (I,), done.out[I]))
    outputs, _ = evaluate(network, {"x": [0, 1, 1, 1], "y": [1, 0, 0, 0]})
    assert list(outputs["out"]) == [1, 0, 0]


def test_families_in_the_order_of_a_vector() -> None:
    build = Builder("demo", [Field("x"), Field("y")])
    now = build.layer()
    build.place(carry(), "second", (), {"top": 1}, x=now.x)
    build.place(carry(), "first", (), {"top": 1}, x=now.y)
    build.arrange("first", "second")
    done = build.close()
    network = build.build(build.output("out", (), done.first - done.second))
    assert [family.name for family in network.layers[0].neurons] == ["first", "second"]


def test_what_a_gadget_takes_is_checked() -> None:
    build = Builder("demo", [Field("x"), Field("y")])
    now = build.layer()
    text = "some: or takes the inputs ['x', 'y'] and the parameters [], not ['x'] and []"
    with pytest.raises(ValueError, match=exactly(text)):
        build.place(or_(), "some", x=now.x)
    text = "kept: carry takes the inputs ['x'] and the parameters ['top'], not ['x'] and []"
    with pytest.raises(ValueError, match=exactly(text)):
        build.place(carry(), "kept", x=now.x)
    text = "some: or takes the inputs ['x', 'y'] and the parameters [], not ['x', 'y', 'z'] and []"
    with pytest.raises(ValueError, match=exactly(text)):
        build.place(or_(), "some", x=now.x, y=now.y, z=now.y)


def test_two_families_of_one_name() -> None:
    build = Builder("demo", [Field("x")])
    now = build.layer()
    build.neurons("y", (), now.x)
    with pytest.raises(ValueError, match=r"^demo: this layer has two fields y$"):
        build.neurons("y", (), now.x)


def test_placing_before_a_layer_is_open() -> None:
    build = Builder("demo", [Field("x")])
    with pytest.raises(ValueError, match=r"^demo: open a layer before placing y$"):
        build.neurons("y", (), 1)


def test_a_gadget_that_does_not_fit() -> None:
    build = Builder("demo", [Field("r", (4,)), Field("on")])
    now = build.layer()
    build.place(at_most_zero(bits=4), "jumps", r=now.r, on=now.on)
    with pytest.raises(ValueError, match=r"^demo: layers are missing for jumps$"):
        build.close()


def test_a_specification_names_the_outputs_of_its_network() -> None:
    network = Network("odd", (Field("x"),), (), ())
    text = (
        "gadget odd: the specification gives ['y'], the network []; name each output once in both"
    )
    with pytest.raises(ValueError, match=exactly(text)):
        Gadget("odd", network, {"y": lambda x: x}, source="none", formula="none")


def test_a_missing_input_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        evaluate(or_().network, {"x": 1})
