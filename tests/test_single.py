"""The construction `single`: its network beside the step, its gadgets, its proof, and what is not
proved.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from constructed import ask, columns, placed_otherwise, split, verdicts
from exact_batch import layers, with_outputs
from sample_states import adversarial_states, random_states, stepped

from proofs import gate
from proofs.certificate import check, decode
from proofs.exhaustive import first_failure
from proofs.machine import machine
from proofs.results import Verdict
from proofs.sabotage_machine import unproved
from proofs.verify import Options, check_instance, gadgets, obligations
from verified_mlp.constructions.registry import construction
from verified_mlp.constructions.single import single, vector_fields
from verified_mlp.gadgets.instruction import (
    closed_threshold,
    instruction_bit,
    instruction_difference,
    instruction_jump,
)
from verified_mlp.gadgets.registry import gadgets as registered
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.machine.state import State, state_fields
from verified_mlp.statement.evaluate import offsets, size, width
from verified_mlp.statement.mutate_network import network_changes
from verified_mlp.statement.network import Gadget, Network

TINY = Shape(4, 4)
HOW = construction("single")
SHAPES = [Shape(4, 4), Shape(4, 5), Shape(5, 4)]


@cache
def built(shape: Shape) -> tuple[Any, Any, Any]:
    """Weights and bias of the layer, and the matrix that decodes the vector."""
    return matrices(machine(shape, "single").network)


def matrices(network: Network) -> tuple[Any, Any, Any]:
    (weights, bias), (decoding, none) = layers(with_outputs(network))
    assert not none.any()
    return weights, bias, decoding


def encoded(shape: Shape, vectors: Any) -> Any:
    """Vectors of this construction for state vectors [entries, states]."""
    fields = vector_fields(shape)
    found = np.zeros((width(fields), vectors.shape[1]), dtype=np.int64)
    starts = offsets(fields)
    for name, bits in split(state_fields(shape), vectors).items():
        if name in HOW.encoded:
            found[starts[HOW.encoded[name]] :][: len(bits)] = bits
    return found


def after(found: tuple[Any, Any, Any], vectors: Any) -> Any:
    """The vectors after a pass; few entries of a vector are not 0."""
    weights, bias, _ = found
    product = weights @ scipy.sparse.csr_array(vectors)
    return np.maximum(product.toarray() + bias, 0)


# What the network is.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_one_layer_that_is_the_vector(shape: Shape) -> None:
    network = single(shape)
    assert len(network.layers) == 1
    assert network.inputs == vector_fields(shape)
    neurons = [(each.name, each.shape) for each in network.layers[0].neurons]
    assert neurons == [(each.name, each.shape) for each in network.inputs]
    assert neurons == [(each.name, each.shape) for each in network.outputs]


def test_its_neurons_grow_with_the_third_power_of_the_words() -> None:
    assert [width(vector_fields(shape)) for shape in SHAPES] == [1843, 4231, 2289]
    weights, _, _ = built(TINY)
    assert weights.count_nonzero() == 2_655_245


def test_results_are_never_read() -> None:
    """Of what only says what was wanted or shown, that it was wanted counts for the fault."""
    weights, _, _ = built(TINY)
    starts = offsets(vector_fields(TINY))
    assert weights[:, starts["shown"] :].nnz == 0


@pytest.mark.parametrize("shape", [Shape(4, 6), Shape(6, 4), Shape(16, 256)], ids=str)
def test_a_shape_that_is_too_large_is_refused(shape: Shape) -> None:
    with pytest.raises(ValueError, match="single") as failure:
        single(shape)
    assert str(failure.value) == (
        f"the construction single is for at most 5 words of 5 bits, not {shape}: every neuron of "
        "one case of an instruction reads those of all cases, so the number of weights grows with "
        "the sixth power of the number of words; choose a smaller shape or another construction."
    )


# The network beside the step.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_passes_in_a_loop_are_steps(shape: Shape) -> None:
    """The vector that a pass leaves is what the next one reads, with no encoding between; its
    entries are within the ranges of the fields.
    """
    found = built(shape)
    states = [*random_states(shape, 5, 300), *adversarial_states(shape).values()]
    vectors = encoded(shape, columns(shape, states))
    highs = np.concatenate([np.full(size(each.shape), each.high) for each in vector_fields(shape)])
    for _ in range(8):
        states = [stepped(shape, state) for state in states]
        vectors = after(found, vectors)
        assert np.all(vectors <= highs[:, None])
        assert np.array_equal(found[2] @ vectors, columns(shape, states))


def test_encoding_is_undone_by_decoding() -> None:
    vectors = columns(TINY, random_states(TINY, 3, 50))
    got = split(state_fields(TINY), built(TINY)[2] @ encoded(TINY, vectors))
    for name, bits in split(state_fields(TINY), vectors).items():
        assert np.array_equal(got[name], bits if name in HOW.encoded else 0 * bits)


def instructions() -> list[State]:
    """Every program counter and every A and B, with two contents of each other word, and every
    input flag and fault.
    """
    found = []
    for pc in range(16):
        for a in range(16):
            for b in range(16):
                for rest in range(4):
                    fill = 3 if rest & 1 else 12
                    mem = [fill, 15 - fill, 7, 8]
                    at = pc if pc < 2 else 0
                    mem[at : at + 2] = [a, b]
                    found.append(State(mem, pc, int(rest == 3), 5, rest >> 1))
    return found


def test_every_kind_of_instruction_at_every_place() -> None:
    found, states = built(TINY), instructions()
    expected = columns(TINY, [stepped(TINY, state) for state in states])
    for start in range(0, len(states), 2048):
        block = slice(start, start + 2048)
        vectors = after(found, encoded(TINY, columns(TINY, states[block])))
        assert np.array_equal(found[2] @ vectors, expected[:, block])


# The gadgets.


def small(gadget: Gadget, **parameters: int) -> Gadget:
    """The gadget with parameters of at most so much."""
    return replace(
        gadget,
        parameters=tuple(
            replace(each, upper=parameters.get(each.name, each.upper)) for each in gadget.parameters
        ),
    )


@pytest.mark.parametrize(
    "gadget",
    [instruction_bit(bits=2), small(closed_threshold(gate=4), t=4, top=4, most=2)],
    ids=lambda each: each.name,
)
def test_a_gadget_meets_its_specification_on_every_input(gadget: Gadget) -> None:
    complete, failing = first_failure(gadget)
    assert complete
    assert failing is None


def word(number: int) -> list[int]:
    return [number >> k & 1 for k in range(4)]


def test_the_specifications_say_what_is_meant() -> None:
    """Against arithmetic on Python's integers."""
    pick = instruction_bit(bits=4).spec["out"]
    subtract = instruction_difference(bits=4).spec["sum"]
    jump = instruction_jump(bits=4).spec["out"]
    here = {"p": word(3), "a": word(9), "b": word(14), "i": 3, "u": 9, "v": 14}
    for x in range(16):
        for y in range(16):
            words = {"x": word(x), "y": word(y)}
            at_most_zero = (x - y + 8) % 16 - 8 <= 0
            assert subtract(**here, **words, off=0) == (x - y) % 16
            assert subtract(**here, **words, off=1) == 0
            assert subtract(**{**here, "u": 8}, **words, off=0) == 0
            for c in (0, 1):
                for q in (0, 1):
                    assert jump(**here, **words, c=c, q=q, off=0) == (at_most_zero and c != q)
                    assert jump(**{**here, "i": 2}, **words, c=c, q=q, off=0) == 0
    for m in (0, 1):
        assert [pick(**here, m=m, off=off) for off in range(3)] == [m, 0, 0]
        assert pick(**{**here, "v": 13}, m=m, off=0) == 0


@pytest.mark.parametrize("bits", [4, 16])
def test_the_gadgets_are_proved(bits: int) -> None:
    for gadget in (
        closed_threshold(gate=4 * 2**bits),
        instruction_bit(bits=bits),
        instruction_difference(bits=bits),
        instruction_jump(bits=bits),
    ):
        assert set(verdicts(gadget).values()) == {Verdict.PROVED}


def test_a_gate_that_is_too_weak_is_refuted() -> None:
    right = small(closed_threshold(gate=4), t=4, top=4, most=2)
    weak = closed_threshold(gate=3).network
    assert set(verdicts(right).values()) == {Verdict.PROVED}
    found = verdicts(replace(right, network=weak), replace(right, network=weak))
    assert found["specification"] is Verdict.REFUTED


def test_its_gadgets_are_proved_with_it_alone() -> None:
    names = {how: {each.name for each in registered(TINY, how)} for how in ("paper", "single")}
    assert names["single"] - names["paper"] == {
        "closed_threshold",
        "instruction_bit",
        "instruction_difference",
        "instruction_jump",
    }


# The proof.


@pytest.mark.parametrize(
    "shape",
    [
        Shape(4, 4),
        pytest.param(Shape(4, 11), marks=pytest.mark.slow),
        pytest.param(Shape(4, 16), marks=pytest.mark.slow),
        pytest.param(Shape(5, 5), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_machine_theorem(shape: Shape) -> None:
    """It is proved at every number of words, however few are built."""
    found = verdicts(machine(memories(shape), "single"))
    assert set(found.values()) == {Verdict.PROVED}
    assert {
        "specification of mem",
        "specification of pc",
        "halted and faulted states stay",
        "waiting states stay",
        "the vector stays in its ranges",
        "the vector stays in the domain",
        "decode(encode(w)) = w",
        "decode(encode(b)) = b",
    } <= set(found)


def test_the_statement_of_the_theorem() -> None:
    """That of `compact`, with other sums."""
    family = memories(TINY)
    mine, other = machine(family, "single"), machine(family, "compact")
    assert mine.title == "machine(bits=4, words=4..10, construction=single)"
    assert mine.formula == "1 layer = one step"
    assert [each.text for each in mine.conditions] == [
        "the sum that is mem in 0..1",
        "the sum that is pc in 0..1",
        "the sum that is fault in 0..1",
        "the sum that is ready in 0..1",
    ]
    assert [each.name for each in mine.network.outputs] == [
        each.name for each in other.network.outputs
    ]


@pytest.mark.parametrize("left_out", range(4))
def test_without_its_invariants_it_is_not_proved(left_out: int) -> None:
    whole = machine(memories(TINY), "single")
    kept = whole.conditions[:left_out] + whole.conditions[left_out + 1 :]
    assert unproved(replace(whole, conditions=kept), lambda text: ask(text)[0])


WRONG = {
    "a difference has no gate": ("difference", {"off": 0}),
    "a jump is for other operands": ("leap", {"y": None}),
    "an input is always there": ("taken", {"m": 1}),
    "nothing halts": ("running", {"x": 0}),
}


def changed(whole: Gadget, name: str) -> Network:
    part, wires = WRONG[name]
    placed = next(each for each in whole.network.layers[0].placed if each.name == part)
    given = {source: placed.wires["x"] if to is None else to for source, to in wires.items()}
    return placed_otherwise(whole.network, 1, part, **given)


def breaks(network: Network) -> bool:
    """Whether two passes in a row show that a pass is not a step."""
    states = [*random_states(TINY, 21, 1500), *adversarial_states(TINY).values()]
    found = matrices(network)
    vectors = encoded(TINY, columns(TINY, states))
    for _ in range(2):
        states = [stepped(TINY, state) for state in states]
        vectors = after(found, vectors)
        if not np.array_equal(found[2] @ vectors, columns(TINY, states)):
            return True
    return False


def test_the_network_itself_breaks_nothing() -> None:
    assert not breaks(machine(TINY, "single").network)


@pytest.mark.parametrize("name", WRONG)
def test_a_network_with_a_part_changed_is_not_proved(name: str) -> None:
    assert breaks(changed(machine(TINY, "single"), name))
    whole = machine(memories(TINY), "single")
    wrong = replace(whole, network=changed(whole, name))
    assert unproved(wrong, lambda text: ask(text)[0])


def unseen(every: int) -> tuple[int, list[str]]:
    """How many changes of the wiring break a pass, of one in so many; those proved all the same."""
    whole, broken, missed = machine(TINY, "single"), 0, []
    for change in list(network_changes(whole.network))[::every]:
        network = change.apply()
        if breaks(network):
            broken += 1
            if not unproved(replace(whole, network=network), lambda text: ask(text)[0]):
                missed.append(str(change))
    return broken, missed


@pytest.mark.slow
def test_some_changes_that_break_a_pass_are_not_proved() -> None:
    broken, missed = unseen(300)
    assert broken >= 3
    assert missed == []


# Which gadgets, which instance, which certificate.


def test_its_gadgets_are_those_that_it_places_and_the_table() -> None:
    titles = {each.gadget for each in obligations(TINY, how="single")}
    assert titles == {each.title for each in gadgets(memories(TINY), "single")}
    assert "instruction_jump(bits=4)" in titles


@pytest.mark.slow
def test_the_network_of_a_shape_is_an_instance() -> None:
    assert check_instance(TINY, how="single").verdict is Verdict.PROVED
    wrong = placed_otherwise(single(TINY), 1, "difference", off=0)
    assert check_instance(TINY, wrong, "single").verdict is Verdict.REFUTED


@pytest.mark.slow
def test_its_certificate_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert gate.ensure(TINY, Options(construction="single")).passed
    certificate = decode(gate.kept(memories(TINY), "single"))
    assert certificate.construction == "single"
    checked = check(certificate, lambda text: ask(text)[0])
    assert checked.obligations == len(obligations(TINY, how="single")) - 1
