"""Every construction runs: on every engine, what the step says, and what the others say."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import fields, replace
from random import Random
from typing import Any

import numpy as np
import pytest
from sample_states import adversarial_states, random_states, stepped

from numeric.activations import Activations
from numeric.codec import Codec
from numeric.engines import EngineName
from numeric.engines import build as build_literal
from numeric.linear_codec import LinearCodec, codec_of
from numeric.machine import Machine
from numeric.self_check import DifferenceError, checked
from numeric.support import RuleError, SupportEngine, SupportName, SupportProcessor, build
from numeric.support_reading import NoSupportError
from proofs.verify import Options, stated
from verified_mlp.cli.constructions import PAPER
from verified_mlp.constructions.registry import CONSTRUCTIONS, DEFAULT, Construction, construction
from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.mutate_network import network_changes
from verified_mlp.statement.network import Network

OTHERS = [each for each in CONSTRUCTIONS.values() if each.name != DEFAULT]
SHAPES = [Shape(4, 5), Shape(5, 32), Shape(8, 40), Shape(16, 16), Shape(24, 50)]


def engine(how: Construction, shape: Shape, name: SupportName) -> SupportEngine:
    return build(how.network(shape), stated(shape, how=how.name), shape, name, how)


def built(how: Construction, shape: Shape) -> Network:
    """The network; the test is skipped for a shape at which it is not built."""
    try:
        return how.network(shape)
    except ValueError as refusal:
        pytest.skip(str(refusal))


@pytest.mark.parametrize("how", OTHERS, ids=lambda each: each.name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_engines_make_the_step(how: Construction, shape: Shape) -> None:
    network = built(how, shape)
    codec = codec_of(shape, how)
    engines: list[Any] = [build_literal(network, EngineName.SPARSE)]
    if not how.forms:
        engines += [engine(how, shape, name) for name in SupportName]
    for state in (*adversarial_states(shape).values(), *random_states(shape, 7, 100)):
        expected = stepped(shape, state)
        for each in engines:
            assert codec.decode(each.forward(codec.encode(state))) == expected, each.name


@pytest.mark.parametrize("how", OTHERS, ids=lambda each: each.name)
@pytest.mark.parametrize("engine", ["auto", "sparse"])
def test_a_program_runs_as_on_the_first(
    how: Construction, engine: str, request: pytest.FixtureRequest
) -> None:
    shape = Shape(16, 64)
    built(how, shape)
    words = read_image(request.config.rootpath / "examples" / "multiply.sq", shape)
    results = [
        Machine(shape, engine, Options(construction=each), verified=False).run(words, b"6*7")
        for each in (DEFAULT, how.name)
    ]
    assert results[0] == results[1]
    assert results[0].output == b"42\n"


def test_the_codec_reads_sums() -> None:
    shape, sums = Shape(4, 5), {"mem": ("keep", "set"), "pc": ("jump_to", "go_on", "stay")}
    codec = Codec(shape, sums=sums)
    state = State([1, 2, 3, 4, 15], pc=3, input=9, ready=1)
    vector = codec.encode(state)
    assert len(vector) == Codec(shape).width + 5 * 4 + 2 * 4
    assert codec.decode(vector) == state
    moved = vector.copy()
    moved[20], moved[0] = vector[0], vector[20]  # one bit of mem, from `keep` to `set`
    assert codec.decode(moved) == state
    assert not np.array_equal(moved, vector)
    assert np.array_equal(codec.summed(moved), codec.summed(vector))
    moved[0] = 1
    with pytest.raises(ValueError, match="mem") as failure:
        codec.decode(moved)
    assert str(failure.value) == (
        "mem[0, 0] is 2.0 in the state vector, where every entry must be 0 or 1."
    )


def test_what_is_prefetched_is_encoded_with_the_state() -> None:
    shape, how = Shape(4, 5), construction("prefetch")
    codec = codec_of(shape, how)
    state = State([1, 2, 3, 4, 15], pc=1, input=9, ready=1)
    vector = codec.encode(state)
    assert codec.decode(vector) == state
    assert [codec.read(vector, name) for name in ("run", "a", "b", "c")] == [1, 2, 3, 4]
    late = codec.encode(replace(state, pc=3))
    assert [codec.read(late, name) for name in ("run", "a", "b", "c")] == [0, 0, 0, 0]


def test_a_linear_code_is_undone_and_a_field_can_be_set() -> None:
    shape, how = Shape(4, 5), construction("single")
    codec = LinearCodec(shape, how)
    state = State([1, 2, 3, 4, 15], pc=3, input=9, ready=1)
    vector = codec.encode(state)
    assert codec.decode(vector) == state
    codec.write(vector, "input", 6)
    codec.write(vector, "ready", 0)
    assert codec.decode(vector) == replace(state, input=6, ready=0)
    assert codec.read(vector, "mem") == state.mem
    vector[0] += 1
    with pytest.raises(ValueError, match="where every entry must be 0 or 1") as failure:
        codec.decode(vector)
    assert str(failure.value).startswith("mem[0, 0] is 2.0 in the state vector")


def test_a_construction_whose_rows_are_not_known_has_no_support_engine() -> None:
    shape, options = Shape(4, 4), Options(construction="single")
    assert Machine(shape, options=options, verified=False).engine.name is EngineName.SPARSE
    with pytest.raises(NoSupportError) as failure:
        Machine(shape, "support", options, verified=False)
    assert str(failure.value) == (
        "the support engine is not for the construction single, whose rows it does not know to be "
        "zero: choose the sparse or dense engine."
    )


def test_a_network_that_reads_one_part_of_a_sum_has_no_plan() -> None:
    """The plan holds sums only; what reads less than a sum is no function of them."""
    shape, how = Shape(4, 5), construction("compact")
    network = how.network(shape)
    first = network.layers[0]
    placed = next(each for each in first.placed if each.name == "mem")
    family = placed.neurons[0]
    terms = tuple(each for each in family.row.terms if each.ref and each.ref.field == "keep")
    changed = replace(placed, neurons=(replace(family, row=replace(family.row, terms=terms)),))
    layer = replace(
        first, placed=tuple(changed if each is placed else each for each in first.placed)
    )
    wrong = replace(network, layers=(layer, *network.layers[1:]))
    with pytest.raises(NoSupportError, match="sum mem") as failure:
        build(wrong, stated(shape, how="compact"), shape, SupportName.NUMPY, how)
    assert "layer 1, mem" in str(failure.value)
    assert "it reads more than the sum mem of keep, set" in str(failure.value) or (
        "it reads more than the sum mem of set, keep" in str(failure.value)
    )


def test_a_pass_is_checked_and_shown_by_the_literal_rows() -> None:
    shape, how = Shape(8, 40), construction("compact")
    network, compiled = how.network(shape), engine(how, shape, SupportName.NUMPY)
    for whole in (True, False):
        processor = SupportProcessor(compiled, random_states(shape, 3, 1)[0])
        twice = checked(processor, compiled, network, 1)
        assert twice.advance(5) >= 1 or whole
    state = random_states(shape, 5, 1)[0]
    found = Activations(compiled, network, SupportProcessor(compiled, state))
    assert len(found.layers) == len(network.layers) + 1
    explained = found.explain(6, "keep", (0, 0), 5)
    assert explained.value in (0, 1)


@pytest.mark.parametrize(
    ("name", "field"), [("compact", "pc"), ("prefetch", "pc"), ("prefetch", "c")]
)
def test_a_wrong_plan_is_found_out_by_the_check(name: str, field: str) -> None:
    """Also where words are wrong that the state does not show, for they are prefetched."""
    shape, how = Shape(8, 40), construction(name)
    right, other = how.network(shape), engine(how, shape, SupportName.NUMPY)
    states = random_states(shape, 11, 40)

    class Off(SupportProcessor):
        def advance(self, passes: int = 1) -> int:
            made = super().advance(passes)
            at = other.codec.place(field).start
            self.entries[at] = 1 - self.entries[at]
            return made

    assert any(stepped(shape, state) != state for state in states)
    with pytest.raises(DifferenceError, match=f"self-check: {field}"):
        deque(checked(Off(other, state), other, right, 1).advance(1) for state in states)


SUMMED = [each for each in OTHERS if not each.forms]


@pytest.mark.parametrize("how", SUMMED, ids=lambda each: each.name)
@pytest.mark.parametrize(("name", "count"), [("support-numpy", 120), ("support", 24)])
def test_a_sabotaged_network_gives_the_same_wrong_vectors_or_is_refused(
    how: Construction, name: str, count: int
) -> None:
    if name == SupportName.SUPPORT:
        pytest.importorskip("llvmlite")
    shape = Shape(4, 8)
    proved, whole = stated(shape, how=how.name), how.network(shape)
    states = [*adversarial_states(shape).values(), *random_states(shape, 3, 30)]
    seen: Counter[str] = Counter()
    for change in Random(5).sample(list(network_changes(whole)), count):
        try:
            network = change.apply()
            literal = build_literal(network, EngineName.SPARSE)
            other = build(network, proved, shape, SupportName(name), how)
        except (ValueError, IndexError):
            seen["not built"] += 1
            continue
        seen[judged(replace(other, at_once=True), literal, states)] += 1
    assert seen["wrong alike"] >= count // 8, seen
    assert seen["not built"] >= 1, seen


def judged(built: SupportEngine, literal: Any, states: list[State]) -> str:
    """Two passes of each state by both engines, the second from what the first left."""
    codec, verdict = built.codec_of_vectors, "right"
    for state in states:
        processor = SupportProcessor(built, state)
        for _ in range(2):
            given = built.vector(processor.memory, processor.entries)
            try:
                assert processor.advance(1) == 1
            except RuleError:
                assert np.array_equal(built.vector(processor.memory, processor.entries), given)
                return "refused in some state"
            after = built.vector(processor.memory, processor.entries)
            assert np.array_equal(codec.summed(after), codec.summed(literal.forward(given)))
        right = codec.encode(stepped(built.shape, stepped(built.shape, state)))
        if not np.array_equal(codec.summed(after), codec.summed(right)):
            verdict = "wrong alike"
    return verdict


def test_a_vector_with_an_entry_that_is_no_bit_is_refused() -> None:
    shape, how = Shape(4, 8), construction("prefetch")
    processor = SupportProcessor(engine(how, shape, SupportName.NUMPY), State(mem=[0] * 8))
    processor.entries[processor._engine.codec.place("b").start + 1] = 2
    with pytest.raises(RuleError) as refusal:
        processor.advance(1)
    assert str(refusal.value) == (
        "b[1] is 2 in the state vector, where every entry must be 0 or 1. Run this network with "
        "the sparse engine."
    )


def test_the_default_is_named_once_for_the_commands() -> None:
    assert PAPER == DEFAULT
    assert {each.name for each in fields(Construction)} >= {"name", "network", "sums"}
