"""The construction `five`: its network beside the step, its gadget, its proof, and what is not
proved.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from constructed import (
    ask,
    breaks,
    columns,
    decoded,
    encoded,
    placed_otherwise,
    tried_states,
    unseen,
    verdicts,
)
from exact_batch import forward, layers, state_vectors, vectors_after
from sample_states import adversarial_states, random_states, stepped

from numeric.engines import EngineName, build
from proofs import gate
from proofs.certificate import check, decode
from proofs.exhaustive import first_failure
from proofs.machine import machine
from proofs.results import Verdict
from proofs.sabotage_machine import unproved
from proofs.verify import Options, check_instance, gadgets, obligations
from verified_mlp.constructions.compact import compact, vector_fields
from verified_mlp.constructions.five import five
from verified_mlp.constructions.registry import construction
from verified_mlp.gadgets.registry import gadgets as registered
from verified_mlp.gadgets.word_below import word_below
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.machine.step import ArrayMemory, Before, step
from verified_mlp.statement.builder import rewired
from verified_mlp.statement.expr import var
from verified_mlp.statement.network import Gadget, Network

TINY = Shape(4, 4)
HOW = construction("five")
SHAPES = [
    Shape(4, 4),
    Shape(4, 7),
    Shape(4, 15),
    Shape(4, 16),
    Shape(5, 7),
    Shape(5, 32),
    Shape(8, 64),
    Shape(8, 256),
    Shape(24, 50),
    Shape(40, 20),
]


# What the network is.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_five_layers_whose_last_is_the_vector(shape: Shape) -> None:
    network = five(shape)
    assert len(network.layers) == 5
    assert all(layer.stage and layer.note for layer in network.layers)
    assert network.inputs == vector_fields(shape) == compact(shape).inputs
    assert [each.name for each in network.outputs] == [each.name for each in network.inputs]
    rows = [family.shape for family in network.layers[-1].neurons]
    assert rows == [source.shape for source in network.inputs]


def test_results_are_never_read() -> None:
    for shape in (TINY, Shape(16, 40)):
        first, _ = layers(five(shape))[0]
        assert first[:, -(shape.bits + 2) :].nnz == 0


def test_the_layer_saved_costs_weights_that_grow_with_the_square_of_the_width() -> None:
    """Per word of memory: the arithmetic reads two rows of `bits` entries for every threshold."""

    def per_word(make: Any, bits: int) -> int:
        sizes = [sum(matrix.nnz for matrix, _ in layers(make(Shape(bits, n)))) for n in (32, 33)]
        return int(sizes[1] - sizes[0])

    deeper, here = ([per_word(make, bits) for bits in (8, 16, 32)] for make in (compact, five))
    assert deeper[2] < 5 * deeper[1] < 25 * deeper[0]
    growth = [mine - theirs for mine, theirs in zip(here, deeper, strict=True)]
    assert growth[2] > 3.5 * growth[1] > 12 * growth[0]


# The network beside the step.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pass_is_a_step(shape: Shape) -> None:
    """On every engine, in whatever parts a sum's bits are; all entries after it are bits."""
    states = [*random_states(shape, 11, 150), *adversarial_states(shape).values()]
    expected = columns(shape, [stepped(shape, state) for state in states])
    vectors = encoded(HOW, shape, columns(shape, states), seed=1)
    names = EngineName if shape.words < 20 else [EngineName.SPARSE]
    for name in names:
        got = build(five(shape), name).forward(vectors.copy())
        assert set(np.unique(got)) <= {0, 1}
        assert np.array_equal(decoded(HOW, shape, got), expected)


def test_passes_in_a_loop_are_steps() -> None:
    """The vector that a pass leaves is what the next one reads, with no encoding between."""
    shape = Shape(5, 12)
    engine = build(five(shape), EngineName.SPARSE)
    states = random_states(shape, 5, 200)
    vectors = encoded(HOW, shape, columns(shape, states))
    for _ in range(12):
        states = [stepped(shape, state) for state in states]
        vectors = engine.forward(vectors)
        assert np.array_equal(decoded(HOW, shape, vectors), columns(shape, states))


def states_of_tiny(every: int) -> Iterator[Before]:
    """All states of 4 bits x 4 words with one memory in so many, these memories at a time."""
    for rest in range(2**10):
        place = np.arange(rest % every, 2**16, every, dtype=np.int32)
        memory = ArrayMemory(np.stack([(place >> 4 * word) & 15 for word in range(4)], axis=1))
        numbers = (rest & 15, rest >> 4 & 1, rest >> 5 & 15, rest >> 9)
        yield Before(memory, *(np.full_like(place, number) for number in numbers))


def differences(every: int) -> tuple[int, int]:
    """(states tried, states of which a pass is not the step), of one memory in so many."""
    weights, count, wrong = layers(five(TINY), np.int16), 0, 0
    for seed, before in enumerate(states_of_tiny(every)):
        vectors = encoded(HOW, TINY, state_vectors(TINY, before, dtype=np.int16), seed)
        expected = vectors_after(TINY, step(TINY, before), np.int16)
        for start in range(0, expected.shape[1], 2**14):
            block = slice(start, start + 2**14)
            got = forward(weights, np.ascontiguousarray(vectors[:, block]))
            wrong += int(np.any(decoded(HOW, TINY, got) != expected[:, block], axis=0).sum())
            count += got.shape[1]
    return count, wrong


@pytest.mark.slow
def test_every_state_of_a_tiny_machine() -> None:
    assert differences(1) == (2**26, 0)


def test_some_states_for_every_pc_and_input_of_a_tiny_machine() -> None:
    """One memory in 256 for every program counter, fault, input and ready."""
    assert differences(256) == (2**18, 0)


# The gadget.


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_word_below_meets_its_specification_on_every_input(bits: int) -> None:
    complete, failing = first_failure(word_below(bits=bits))
    assert complete
    assert failing is None


def test_the_specification_says_what_is_meant() -> None:
    below = word_below(bits=4).spec["out"]
    for x in range(16):
        word = [x >> k & 1 for k in range(4)]
        for limit in range(1, 16):
            assert below(word, 1, limit) == (x < limit)
            assert below(word, 0, limit) == 0


def test_a_limit_beside_its_own_is_refuted() -> None:
    right = word_below(bits=4)
    assert set(verdicts(right).values()) == {Verdict.PROVED}
    wrong = replace(right, network=with_threshold(right, 17 - var("limit")))
    assert verdicts(wrong)["specification"] is Verdict.REFUTED


def with_threshold(gadget: Gadget, threshold: Any) -> Network:
    """The network of `word_below` with another threshold."""
    (layer,) = gadget.network.layers
    (placed,) = layer.placed
    changed = replace(placed, parameters={**placed.parameters, "t": threshold})
    placed = rewired(changed, placed.wires)
    return replace(gadget.network, layers=(replace(layer, placed=(placed,)),))


def test_its_gadget_is_proved_with_it_alone() -> None:
    names = {how: {each.name for each in registered(TINY, how)} for how in ("paper", "five")}
    assert names["five"] - names["paper"] == {"word_below"}


# The proof.

PROVED_AT = [
    Shape(4, 4),
    Shape(4, 16),
    Shape(5, 7),
    Shape(16, 256),
    Shape(16, 65536),
    Shape(32, 2**20),
    Shape(64, 1024),
]


@pytest.mark.parametrize("shape", PROVED_AT, ids=str)
def test_the_machine_theorem(shape: Shape) -> None:
    found = verdicts(machine(memories(shape), "five"))
    assert set(found.values()) == {Verdict.PROVED}
    assert {
        "specification of mem",
        "specification of pc",
        "halted and faulted states stay",
        "waiting states stay",
        "the vector stays in the domain",
        "decode(encode(w)) = w",
        "decode(encode(b)) = b",
    } <= set(found)


def test_the_statement_of_the_theorem() -> None:
    """That of `compact`, of another network."""
    family = memories(Shape(16, 256))
    mine, other = machine(family, "five"), machine(family, "compact")
    assert mine.title == "machine(bits=16, words=4..32770, construction=five)"
    assert mine.formula == "5 layers = one step"
    assert [each.text for each in mine.conditions] == [each.text for each in other.conditions]
    assert mine.network.inputs == other.network.inputs
    assert [each.form for each in mine.network.outputs] == [
        each.form for each in other.network.outputs
    ]


def test_without_its_invariants_it_is_not_proved() -> None:
    """The domain matters: a sum of 2 is no bit."""
    whole = machine(memories(TINY), "five")
    for left_out in range(2):
        kept = whole.conditions[:left_out] + whole.conditions[left_out + 1 :]
        found = verdicts(replace(whole, conditions=kept), machine(TINY, "five"))
        assert found["wires of layer 1"] is not Verdict.PROVED


@pytest.fixture(scope="module")
def tried() -> tuple[Any, Any]:
    return tried_states(HOW, TINY, 4000)


def test_the_network_itself_breaks_nothing(tried: tuple[Any, Any]) -> None:
    assert not breaks(machine(TINY, "five").network, tried)


WRONG = {
    "the difference has no gate": (4, "difference", {"on": 1}),
    "the difference lacks the one": (4, "difference", {"carry": 0}),
    "the pc goes on by 4": (4, "next", {"carry": 1}),
    "the place to write is always none": (5, "keep", {"h": 0}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_network_with_a_part_changed_is_not_proved(name: str, tried: tuple[Any, Any]) -> None:
    depth, part, wires = WRONG[name]
    assert breaks(placed_otherwise(machine(TINY, "five").network, depth, part, **wires), tried)
    whole = machine(memories(TINY), "five")
    wrong = replace(whole, network=placed_otherwise(whole.network, depth, part, **wires))
    assert unproved(wrong, lambda text: ask(text)[0])


def test_one_of_the_tests_of_a_and_b_needs_its_gate(tried: tuple[Any, Any]) -> None:
    """Without an instruction A and B are 0, which are addresses."""

    def without(whole: Gadget, *names: str) -> Network:
        network = whole.network
        for name in names:
            network = placed_otherwise(network, 2, name, on=1)
        return network

    whole, here = machine(memories(TINY), "five"), machine(TINY, "five")
    assert not breaks(without(here, "a_valid"), tried)
    assert breaks(without(here, "a_valid", "b_valid"), tried)
    wrong = replace(whole, network=without(whole, "a_valid", "b_valid"))
    assert unproved(wrong, lambda text: ask(text)[0])


def test_some_changes_that_break_a_pass_are_not_proved(tried: tuple[Any, Any]) -> None:
    broken, missed = unseen(machine(TINY, "five"), tried, 150)
    assert broken >= 10
    assert missed == []


@pytest.mark.slow
def test_no_change_that_breaks_a_pass_is_proved(tried: tuple[Any, Any]) -> None:
    broken, missed = unseen(machine(TINY, "five"), tried, 1)
    assert broken > 1500
    assert missed == []


# Which gadgets, which instance, which certificate.


def test_its_gadgets_are_those_that_it_places_and_the_table() -> None:
    family = memories(TINY)
    titles = [gadget.title for gadget in gadgets(family, "five")]
    assert titles[-1] == machine(family, "five").title
    for needed in ("word_below(bits=4)", "word_sum(bits=4)", "same_word(bits=4)", "unless"):
        assert needed in titles
    assert "word_below(bits=4)" not in [gadget.title for gadget in gadgets(family, "compact")]
    assert {each.gadget for each in obligations(TINY, how="five")} == set(titles)


def test_the_network_of_a_shape_is_an_instance() -> None:
    for shape in (Shape(4, 5), Shape(4, 16)):
        assert check_instance(shape, how="five").verdict is Verdict.PROVED
    wrong = placed_otherwise(five(Shape(4, 5)), 4, "difference", on=1)
    assert check_instance(Shape(4, 5), wrong, "five").verdict is Verdict.REFUTED
    assert check_instance(Shape(4, 5), five(Shape(4, 5)), "compact").verdict is Verdict.REFUTED


def test_its_certificate_is_accepted_and_covers_no_other_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options = Options(construction="five")
    assert gate.ensure(TINY, options).passed
    certificate = decode(gate.kept(memories(TINY), "five"))
    assert certificate.construction == "five"
    checked = check(certificate, lambda text: ask(text)[0])
    assert checked.obligations == len(obligations(TINY, how="five")) - 1
    wrong = placed_otherwise(five(TINY), 4, "difference", on=1)
    assert not gate.ensure(TINY, options, wrong).passed
