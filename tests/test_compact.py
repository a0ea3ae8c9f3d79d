"""The construction `compact`: its network beside the step, its gadgets, its proof, and what is not
proved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from constructed import ask, breaks, placed_otherwise, unseen
from exact_batch import forward, layers, state_vectors, vectors_after
from proof_samples import answer
from sample_states import adversarial_states, random_states, stepped

from numeric.codec import Codec
from numeric.engines import EngineName, build
from proofs import gate, prover
from proofs.certificate import CertificateError, check, decode
from proofs.exhaustive import first_failure
from proofs.machine import machine
from proofs.results import Verdict
from proofs.sabotage_machine import unproved
from proofs.verify import Options, check_instance, gadgets, obligations
from verified_mlp.constructions.compact import compact, vector_fields
from verified_mlp.constructions.registry import CONSTRUCTIONS, construction
from verified_mlp.gadgets.gated_threshold import gated_threshold
from verified_mlp.gadgets.registry import gadgets as registered
from verified_mlp.gadgets.unless import unless
from verified_mlp.gadgets.word_sum import same_word, word_sum
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.machine.state import State, state_fields
from verified_mlp.machine.step import ArrayMemory, Before, step
from verified_mlp.statement.builder import Builder, rewired
from verified_mlp.statement.evaluate import offsets, size, width
from verified_mlp.statement.expr import var
from verified_mlp.statement.network import Field, Gadget, Placed
from verified_mlp.statement.settle import settle

TINY = Shape(4, 4)
HOW = construction("compact")
OPTIONS = Options(construction="compact")
SHAPES = [
    Shape(4, 4),
    Shape(4, 7),
    Shape(4, 15),
    Shape(4, 16),
    Shape(5, 32),
    Shape(8, 64),
    Shape(8, 255),
    Shape(8, 256),
    Shape(24, 50),
    Shape(40, 20),
]


def split(fields: Sequence[Field], vectors: Any) -> dict[str, Any]:
    """The rows of vectors [entries, states] by field."""
    starts = offsets(fields)
    return {each.name: vectors[starts[each.name] :][: size(each.shape)] for each in fields}


def encoded(shape: Shape, vectors: Any, seed: int | None = None) -> Any:
    """Vectors of this construction for state vectors; with a seed, each set bit of a sum is in a
    part chosen at random, as passes leave it.
    """
    rng = np.random.default_rng(seed)
    found = []
    for name, bits in split(state_fields(shape), vectors).items():
        parts = HOW.encode(name, bits)
        if seed is not None:
            chosen = rng.integers(0, len(parts), bits.shape, dtype=np.int8)
            parts = {part: bits * (chosen == k) for k, part in enumerate(parts)}
        found += list(parts.values())
    return np.concatenate(found)


def decoded(shape: Shape, vectors: Any) -> Any:
    """The state vectors that vectors of this construction stand for."""
    parts = split(vector_fields(shape), vectors)
    return np.concatenate([HOW.decode(each.name, parts) for each in state_fields(shape)])


def columns(shape: Shape, states: Sequence[State]) -> Any:
    codec = Codec(shape)
    return np.stack([codec.encode(state) for state in states], axis=1)


# What the network is.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_six_layers_whose_last_is_the_vector(shape: Shape) -> None:
    network = compact(shape)
    assert len(network.layers) == 6
    assert all(layer.stage and layer.note for layer in network.layers)
    assert network.inputs == vector_fields(shape)
    assert [each.name for each in network.outputs] == [each.name for each in network.inputs]
    rows = [family.shape for family in network.layers[-1].neurons]
    assert rows == [source.shape for source in network.inputs]


def test_the_fields_of_the_vector() -> None:
    names = [source.name for source in vector_fields(TINY)]
    assert names == [
        *("keep", "set", "jump_to", "go_on", "stay", "fault"),
        *("input", "ready", "wanted", "output", "valid"),
    ]
    assert width(vector_fields(TINY)) == width(state_fields(TINY)) + 4 * 4 + 2 * 4


def test_results_are_never_read() -> None:
    for shape in (TINY, Shape(16, 40)):
        first, _ = layers(compact(shape))[0]
        assert first[:, -(shape.bits + 2) :].nnz == 0


def test_encoding_is_undone_by_decoding() -> None:
    vectors = columns(TINY, random_states(TINY, 3, 50))
    for seed in (None, 1):
        assert np.array_equal(decoded(TINY, encoded(TINY, vectors, seed)), vectors)
    assert not np.array_equal(encoded(TINY, vectors), encoded(TINY, vectors, 1))


def test_constructions_by_name() -> None:
    assert list(CONSTRUCTIONS) == ["paper", "compact", "five", "prefetch", "single"]
    with pytest.raises(ValueError, match="no construction") as failure:
        construction("deep")
    assert (
        str(failure.value)
        == "there is no construction 'deep': choose paper, compact, five, prefetch or single."
    )


# The network beside the step.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pass_is_a_step(shape: Shape) -> None:
    """On every engine, in whatever parts a sum's bits are; all entries after it are bits."""
    states = [*random_states(shape, 11, 150), *adversarial_states(shape).values()]
    expected = columns(shape, [stepped(shape, state) for state in states])
    vectors = encoded(shape, columns(shape, states), seed=1)
    names = EngineName if shape.words < 20 else [EngineName.SPARSE]
    for name in names:
        got = build(compact(shape), name).forward(vectors.copy())
        assert set(np.unique(got)) <= {0, 1}
        assert np.array_equal(decoded(shape, got), expected)


def test_passes_in_a_loop_are_steps() -> None:
    """The vector that a pass leaves is what the next one reads, with no encoding between."""
    shape = Shape(5, 12)
    engine = build(compact(shape), EngineName.SPARSE)
    states = random_states(shape, 5, 200)
    vectors = encoded(shape, columns(shape, states))
    for _ in range(12):
        states = [stepped(shape, state) for state in states]
        vectors = engine.forward(vectors)
        assert np.array_equal(decoded(shape, vectors), columns(shape, states))


def all_states() -> Iterator[Before]:
    """Every state of 4 bits x 4 words, all memories at a time."""
    place = np.arange(2**16, dtype=np.int32)
    memory = ArrayMemory(np.stack([(place >> 4 * word) & 15 for word in range(4)], axis=1))
    same = np.ones(2**16, dtype=np.int32)
    for rest in range(2**10):
        numbers = (rest & 15, rest >> 4 & 1, rest >> 5 & 15, rest >> 9)
        yield Before(memory, *(same * number for number in numbers))


@pytest.mark.slow
def test_every_state_of_a_tiny_machine() -> None:
    weights, count = layers(compact(TINY), np.int16), 0
    for seed, before in enumerate(all_states()):
        vectors = encoded(TINY, state_vectors(TINY, before, dtype=np.int16), seed)
        expected = vectors_after(TINY, step(TINY, before), np.int16)
        for start in range(0, 2**16, 2**14):
            block = slice(start, start + 2**14)
            got = forward(weights, np.ascontiguousarray(vectors[:, block]))
            assert np.array_equal(decoded(TINY, got), expected[:, block])
            count += got.shape[1]
    assert count == 2**26


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
    [word_sum(bits=3), same_word(bits=3), unless(), small(gated_threshold(), t=6, top=6)],
    ids=lambda each: each.name,
)
def test_a_gadget_meets_its_specification_on_every_input(gadget: Gadget) -> None:
    complete, failing = first_failure(gadget)
    assert complete
    assert failing is None


def test_the_specifications_say_what_is_meant() -> None:
    """Against arithmetic on Python's integers."""
    add, same = word_sum(bits=4).spec["sum"], same_word(bits=4).spec["out"]
    for x in range(16):
        for y in range(16):
            words = [[number >> k & 1 for k in range(4)] for number in (x, y)]
            for carry in (0, 1):
                assert add(*words, carry, 1) == (x + y + carry) % 16
                assert add(*words, carry, 0) == 0
            assert same(*words, 1) == (x == y)
            assert same(*words, 0) == 0
    test = gated_threshold().spec["out"]
    for s in range(5):
        for t in range(1, 5):
            assert test(s, 1, t, 5) == (s >= t)
            assert test(s, 0, t, 5) == 0
    kept = unless().spec["kept"]
    assert [kept(m, h) for m in (0, 1) for h in (0, 1)] == [0, 0, 1, 0]


def with_gate(least: int) -> Gadget:
    """`gated_threshold` with K = top - t + 1 - least."""
    t, top = var("t"), var("top")
    gadget = gated_threshold()
    build = Builder("gated_threshold", gadget.network.inputs)
    now = build.layer()
    k = top - t + 1 - least
    build.neurons("reached", (), now.s - t + 1 + k * now.on - k, largest=top - t + 1)
    build.neurons("passed", (), now.s - t + k * now.on - k, largest=top - t)
    done = build.close()
    return replace(gadget, network=build.build(build.output("out", (), done.reached - done.passed)))


def verdicts(gadget: Gadget) -> dict[str, Verdict]:
    found = prover.prove(gadget, answer)
    return {each.obligation.name.partition("/")[2]: each.verdict for each in found}


def test_the_gate_needs_the_whole_of_k() -> None:
    assert set(verdicts(with_gate(0)).values()) == {Verdict.PROVED}
    weaker = verdicts(with_gate(1))
    assert weaker["specification"] is Verdict.REFUTED
    assert weaker["support of reached"] is Verdict.REFUTED


def test_every_threshold_of_a_sum_is_needed() -> None:
    """The bits of a sum with one of the three thresholds at a place beside its own."""
    right = word_sum(bits=4)
    assert set(verdicts(right).values()) == {Verdict.PROVED}
    for name in ("one", "two", "three"):
        (layer,) = right.network.layers
        placed = tuple(
            replaced(each, {**each.parameters, "t": each.parameters["t"] + 1})
            if each.name == name
            else each
            for each in layer.placed
        )
        wrong = replace(
            right, network=replace(right.network, layers=(replace(layer, placed=placed),))
        )
        assert verdicts(wrong)["specification"] is not Verdict.PROVED


def replaced(placed: Placed, parameters: dict[str, Any]) -> Placed:
    """The placed gadget with other parameters."""
    return rewired(replace(placed, parameters=parameters), placed.wires)


def test_a_gadget_of_this_construction_is_proved_with_it_alone() -> None:
    own = {"gated_threshold", "same_word", "unless", "word_sum"}
    names = {how: {gadget.name for gadget in registered(TINY, how)} for how in ("paper", "compact")}
    assert names["compact"] - names["paper"] == own
    assert names["paper"] < names["compact"]


# The proof.


def results(gadget: Gadget) -> dict[str, Verdict]:
    """What becomes of the lemmas of a machine."""
    attempt = prover.prove(gadget, ask, instance=machine(TINY, "compact"))
    return {each.obligation.name.partition("/")[2]: each.verdict for each in attempt}


PROVED_AT = [
    Shape(4, 5),
    Shape(4, 16),
    Shape(16, 256),
    Shape(16, 65536),
    Shape(32, 2**20),
    Shape(64, 1024),
]


@pytest.mark.parametrize("shape", PROVED_AT, ids=str)
def test_the_machine_theorem(shape: Shape) -> None:
    found = results(machine(memories(shape), "compact"))
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
    whole = machine(memories(Shape(16, 256)), "compact")
    assert whole.title == "machine(bits=16, words=4..32770, construction=compact)"
    assert [each.text for each in whole.conditions] == [
        "keep + set <= 1",
        "jump_to + go_on + stay <= 1",
    ]
    outputs = {each.name: str(each.form) for each in whole.network.outputs}
    assert list(outputs) == [source.name for source in state_fields(TINY)]
    assert outputs["mem"] == "keep[axis0, axis1] + set[axis0, axis1]"
    assert outputs["pc"] == "jump_to[axis0] + go_on[axis0] + stay[axis0]"
    assert machine(TINY).title == "machine(bits=4, words=4)"
    assert machine(TINY).conditions == ()


def test_without_its_invariants_it_is_not_proved() -> None:
    """The domain matters: a sum of 2 is no bit."""
    whole = machine(memories(TINY), "compact")
    for left_out in range(2):
        kept = whole.conditions[:left_out] + whole.conditions[left_out + 1 :]
        assert results(replace(whole, conditions=kept))["wires of layer 1"] is not Verdict.PROVED


def test_an_invariant_that_no_state_meets_proves_nothing() -> None:
    whole = machine(memories(TINY), "compact")
    never = replace(whole.conditions[1], holds=lambda *at, **fields: fields["stay"][at] <= -1)
    found = results(replace(whole, conditions=(*whole.conditions, never)))
    assert next(iter(found.values())) is Verdict.VACUOUS


WRONG = {
    "the difference has no gate": (5, "difference", {"on": 1}),
    "the difference lacks the one": (5, "difference", {"carry": 0}),
    "the comparison has no gate": (5, "zero", {"on": 1}),
    "the pc goes on by 4": (5, "next", {"carry": 1}),
    "the place to write is always none": (6, "keep", {"h": 0}),
    "the pc stays too": (6, "stay", {"h": 0}),
}


@pytest.fixture(scope="module")
def tried() -> tuple[Any, Any]:
    """Vectors of many states of the tiny machine, and the state vectors after a step."""
    states = random_states(TINY, 21, 4000)
    before = encoded(TINY, columns(TINY, states), seed=2).astype(np.int64)
    return before, columns(TINY, [stepped(TINY, state) for state in states])


def test_the_network_itself_breaks_nothing(tried: tuple[Any, Any]) -> None:
    assert not breaks(machine(TINY, "compact").network, tried)


@pytest.mark.parametrize("name", WRONG)
def test_a_network_with_a_part_changed_is_not_proved(name: str, tried: tuple[Any, Any]) -> None:
    depth, part, wires = WRONG[name]
    assert breaks(placed_otherwise(machine(TINY, "compact").network, depth, part, **wires), tried)
    whole = machine(memories(TINY), "compact")
    wrong = replace(whole, network=placed_otherwise(whole.network, depth, part, **wires))
    assert unproved(wrong, lambda text: ask(text)[0])


def test_some_changes_that_break_a_pass_are_not_proved(tried: tuple[Any, Any]) -> None:
    broken, missed = unseen(machine(TINY, "compact"), tried, 120)
    assert broken >= 12
    assert missed == []


@pytest.mark.slow
def test_no_change_that_breaks_a_pass_is_proved(tried: tuple[Any, Any]) -> None:
    broken, missed = unseen(machine(TINY, "compact"), tried, 1)
    assert broken > 1500
    assert missed == []


# Which gadgets, which instance, which certificate.


def test_its_gadgets_are_those_that_it_places_and_the_table() -> None:
    family = memories(TINY)
    titles = [gadget.title for gadget in gadgets(family, "compact")]
    assert titles[-1] == machine(family, "compact").title
    for needed in ("word_sum(bits=4)", "same_word(bits=4)", "unless", "gated_threshold"):
        assert needed in titles
        assert needed not in [gadget.title for gadget in gadgets(family)]
    listed = {each.gadget for each in obligations(TINY, how="compact")}
    assert listed == set(titles)


def test_the_network_of_a_shape_is_an_instance() -> None:
    for shape in (Shape(4, 5), Shape(4, 16)):
        found = check_instance(shape, how="compact")
        assert found.verdict is Verdict.PROVED
        assert found.obligation in obligations(shape, how="compact")
        assert (
            settle(compact(memories(shape)), {"words": shape.words}).inputs == compact(shape).inputs
        )
    wrong = placed_otherwise(compact(Shape(4, 5)), 5, "difference", on=1)
    assert check_instance(Shape(4, 5), wrong, "compact").verdict is Verdict.REFUTED
    assert check_instance(Shape(4, 5), compact(Shape(4, 5))).verdict is Verdict.REFUTED


def test_a_certificate_covers_its_construction_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    report = gate.ensure(TINY, OPTIONS)
    assert report.passed
    assert not report.known
    again = gate.ensure(Shape(4, 5), OPTIONS)
    assert again.passed
    assert again.known
    family = memories(TINY)
    assert gate.kept(family) == b""
    content = gate.kept(family, "compact")
    certificate = decode(content)
    assert certificate.construction == "compact"
    with pytest.raises(CertificateError) as refusal:
        gate.covered(content, TINY)
    assert str(refusal.value) == "it is about the construction compact, not paper."
    checked = check(certificate, lambda text: ask(text)[0])
    assert checked.obligations == len(obligations(TINY, how="compact")) - 1
    wrong = gate.ensure(TINY, OPTIONS, placed_otherwise(compact(TINY), 5, "difference", on=1))
    assert not wrong.passed
