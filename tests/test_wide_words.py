"""Words too wide for one layer: the gadgets that take them in halves, and the networks that
are one layer deeper for them.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from constructed import breaks, placed_otherwise, tried_states, verdicts
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import answer
from sample_states import adversarial_states, random_states, stepped

from numeric.engines import EngineName, build
from numeric.exactness import FORMATS, exactness
from numeric.linear_codec import codec_of
from proofs import prover
from proofs.exhaustive import first_failure
from proofs.machine import machine
from proofs.results import Fate, Verdict
from proofs.sabotage import judge
from proofs.sabotage_machine import unproved
from verified_mlp.constructions.registry import construction
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.gadgets.wide_words import halves, is_wide, same_wide_word, wide_sum
from verified_mlp.gadgets.word_below import word_below
from verified_mlp.gadgets.word_sum import MOST_AT_ONCE
from verified_mlp.machine.shape import MAX_BITS, MAX_WORDS, Shape, memories
from verified_mlp.machine.state import State
from verified_mlp.statement.builder import rewired
from verified_mlp.statement.evaluate import evaluate
from verified_mlp.statement.mutate import changes
from verified_mlp.statement.network import Gadget

DEPTHS = {"compact": (6, 7), "five": (5, 6), "prefetch": (3, 4)}
"""Layers for words that are added at once, and for wider ones."""
FLOAT64 = [each for each in FORMATS if each.name == "float64"]
SHAPES = [Shape(50, 8), Shape(64, 12)]

each_construction = pytest.mark.parametrize("name", DEPTHS)


# The gadgets.


def spelled(bits: Any) -> int:
    return sum(int(bit) << k for k, bit in enumerate(bits))


def word(number: int, bits: int) -> list[int]:
    return [number >> k & 1 for k in range(bits)]


@pytest.mark.parametrize("bits", [2, 3, 4, 5])
@pytest.mark.parametrize("make", [wide_sum, same_wide_word])
def test_a_gadget_meets_its_specification_on_every_input(make: Any, bits: int) -> None:
    assert first_failure(make(bits=bits)) == (True, None)


@pytest.mark.parametrize("bits", [2, 3, 5, MOST_AT_ONCE + 1, 57, MAX_BITS])
@pytest.mark.parametrize("make", [wide_sum, same_wide_word])
def test_a_gadget_is_proved(make: Any, bits: int) -> None:
    assert set(verdicts(make(bits=bits)).values()) == {Verdict.PROVED}


@st.composite
def two_words(draw: st.DrawFn) -> tuple[int, int, int]:
    """A width, and two words of it, often such that a carry runs through many bits."""
    bits = draw(st.integers(MOST_AT_ONCE + 1, MAX_BITS))
    top = 2**bits - 1
    x = draw(st.integers(0, top))
    near = st.integers(-2, 2).map(lambda off: (off - x) & top)
    low, _ = halves(bits)
    one_half = st.sampled_from([x ^ 1 << (low - 1), x ^ 1 << low, x ^ 1, x ^ 1 << (bits - 1), x])
    return bits, x, draw(st.integers(0, top) | near | one_half)


@given(two_words(), st.integers(0, 1), st.integers(0, 1))
def test_sums_and_comparisons_of_wide_words(
    given: tuple[int, int, int], carry: int, on: int
) -> None:
    bits, x, y = given
    words = {"x": word(x, bits), "y": word(y, bits), "on": on}
    outputs, _ = evaluate(wide_sum(bits=bits).network, {**words, "carry": carry}, {})
    assert spelled(outputs["sum"]) == (on * (x + y + carry)) % 2**bits
    outputs, _ = evaluate(same_wide_word(bits=bits).network, words, {})
    assert int(outputs["out"]) == (on == 1 and x == y)


@pytest.mark.parametrize("bits", [24, 25, 26, 49, 64])
def test_a_word_that_exceeds_every_number_of_words_is_not_below_one(bits: int) -> None:
    gadget = word_below(bits=bits)
    (limit,) = gadget.parameters
    assert limit.high == min(2**bits - 1, MAX_WORDS)
    tried = {0, 1, 2**23, MAX_WORDS - 1, MAX_WORDS, MAX_WORDS + 1, 2 ** (bits - 1), 2**bits - 1}
    for number in {*tried, *(2**k for k in range(bits))}:
        for most in (1, 2**12, 2**23 + 1, limit.high - 1, limit.high):
            given = {"x": word(number % 2**bits, bits), "on": 1}
            outputs, _ = evaluate(gadget.network, given, {"limit": most})
            assert int(outputs["out"]) == (number % 2**bits < most)


def changed(gadget: Gadget, name: str, wires: Any = None, **parameters: Any) -> Gadget:
    """The gadget with one of those that it places changed."""

    def other(placed: Any) -> Any:
        if placed.name != name:
            return placed
        given = {**placed.parameters}
        given |= {key: given[key] + more for key, more in parameters.items()}
        return rewired(replace(placed, parameters=given), wires or placed.wires)

    layers = tuple(
        replace(layer, placed=tuple(map(other, layer.placed))) for layer in gadget.network.layers
    )
    return replace(gadget, network=replace(gadget.network, layers=layers))


@pytest.mark.parametrize("name", ["carries", "one", "two", "three"])
@pytest.mark.parametrize("bits", [4, 5, 64])
def test_a_wrong_threshold_of_a_wide_sum_is_refuted(name: str, bits: int) -> None:
    wrong = changed(wide_sum(bits=bits), name, t=1)
    found = {each.obligation.name: each for each in prover.prove(wrong, answer)}
    assert not {each.verdict for each in found.values()} <= {Verdict.PROVED}
    refuted = [each for each in found.values() if each.verdict is Verdict.REFUTED]
    assert bits == 64 or refuted


def test_a_comparison_of_one_half_is_refuted() -> None:
    right = same_wide_word(bits=5)
    low = next(each for each in right.network.layers[0].placed if each.name == "lower")
    both = {"x": low.wires["x"], "y": low.wires["x"], "on": low.wires["on"]}
    found = verdicts(changed(right, "lower", both))
    assert found["specification"] is Verdict.REFUTED


@pytest.mark.parametrize("make", [wide_sum, same_wide_word])
def test_every_change_of_one_number_is_decided(make: Any) -> None:
    gadget = make(bits=4)
    fates = Counter(
        judge(gadget, change, delta, answer).fate for change in changes(gadget) for delta in (1, -1)
    )
    assert set(fates) == {Fate.REFUTED, Fate.HARMLESS}
    assert fates[Fate.REFUTED] > 5 * fates[Fate.HARMLESS] > 0


@each_construction
def test_the_gadgets_of_a_width(name: str) -> None:
    """Those of wide words are proved where there are some, those of others where there are not."""
    how = "compact"
    for bits in (MOST_AT_ONCE, MOST_AT_ONCE + 1):
        found = {each.name for each in gadgets(memories(Shape(bits, 16)), how)}
        wide, at_once = {"wide_sum", "same_wide_word"}, {"word_sum", "same_word"}
        assert found & (wide | at_once) == (wide if is_wide(bits) else at_once)
    assert len(construction(name).network(Shape(bits, 16)).layers) == DEPTHS[name][1]


# The networks.


@each_construction
def test_wide_words_take_one_layer_more(name: str) -> None:
    for bits in (4, 16, MOST_AT_ONCE, MOST_AT_ONCE + 1, 57, MAX_BITS):
        network = construction(name).network(Shape(bits, 16))
        assert len(network.layers) == DEPTHS[name][is_wide(bits)]
        assert all(layer.stage and layer.note for layer in network.layers)


@each_construction
@pytest.mark.parametrize("bits", [4, 24, 25, MOST_AT_ONCE, MOST_AT_ONCE + 1, 57, MAX_BITS])
def test_float64_holds_all_numbers(name: str, bits: int) -> None:
    (found,) = exactness(construction(name).network(Shape(bits, 16)), FLOAT64)
    assert found.exact


def at_the_halves(shape: Shape) -> list[State]:
    """Subtractions whose borrow comes from the low half, or runs through it, or ends there."""
    low, _ = halves(shape.bits)
    edge, top = 2**low, shape.modulus - 1
    sign = shape.modulus // 2
    numbers = (0, 1, edge - 1, edge, edge + 1, sign - 1, sign, sign + edge, top - edge, top)
    rest = [7] * (shape.words - 5)
    return [
        State(mem=[3, 4, 5, a, b, *rest], pc=0, input=a, ready=1) for a in numbers for b in numbers
    ]


@each_construction
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pass_is_a_step(name: str, shape: Shape) -> None:
    how = construction(name)
    codec, engine = codec_of(shape, how), build(how.network(shape), EngineName.SPARSE)
    states = [*at_the_halves(shape), *adversarial_states(shape).values()]
    for state in (*states, *random_states(shape, 9, 150)):
        vector = engine.forward(codec.encode(state))
        assert set(np.unique(vector)) <= {0, 1}
        assert codec.decode(vector) == stepped(shape, state)
        assert codec.decode(engine.forward(vector)) == stepped(shape, stepped(shape, state))


@each_construction
@pytest.mark.parametrize("shape", [Shape(50, 64), Shape(57, 256), Shape(64, 2**24)], ids=str)
def test_the_machine_theorem(name: str, shape: Shape) -> None:
    found = verdicts(machine(memories(shape), name), machine(Shape(shape.bits, 4), name))
    assert set(found.values()) == {Verdict.PROVED}


WRONG = {
    "compact": ((6, "moves", {"x": 0}), (6, "stuck", {"x": 0}), (6, "target", {"x": 0})),
    "five": ((5, "stuck", {"x": 0}), (5, "ready", {"x": 1}), (5, "valid", {"x": 0})),
    "prefetch": ((3, "takes", {"x": 0}), (3, "subtracts", {"x": 1}), (3, "run", {"x": 0})),
}
"""Wrong wires of what is carried in the layer that wide words have besides."""


@each_construction
@pytest.mark.parametrize("fault", range(3))
def test_a_wide_network_with_a_part_changed_is_not_proved(name: str, fault: int) -> None:
    depth, part, wires = WRONG[name][fault]
    whole = machine(memories(Shape(50, 8)), name)
    assert not unproved(whole, lambda text: answer(text)[0])
    wrong = replace(whole, network=placed_otherwise(whole.network, depth, part, **wires))
    assert unproved(wrong, lambda text: answer(text)[0])
    if name != "prefetch":
        tried = tried_states(construction(name), Shape(50, 8), 400)
        small = machine(Shape(50, 8), name).network
        assert not breaks(small, tried)
        assert breaks(placed_otherwise(small, depth, part, **wires), tried)
