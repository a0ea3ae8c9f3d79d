"""Families of shapes: every shape is in one, and their numbers are those of its shapes."""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_states import random_states

from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.one_hot_sum import one_hot_sum
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.shape import (
    MAX_BITS,
    MAX_WORDS,
    MIN_BITS,
    MIN_WORDS,
    Dimensions,
    Memories,
    Region,
    Shape,
    memories,
)
from verified_mlp.machine.state import State, state_fields
from verified_mlp.machine.step import ArrayMemory, Before, Limits, step
from verified_mlp.statement.expr import to_expr, var
from verified_mlp.statement.network import Parameter


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    bits = draw(st.integers(MIN_BITS, MAX_BITS))
    return Shape(bits, draw(st.integers(MIN_WORDS, min(MAX_WORDS, 2**bits))))


def families() -> list[Memories]:
    found = []
    for bits in range(MIN_BITS, MAX_BITS + 1):
        for region in Region:
            try:
                found.append(Memories(bits, region))
            except ValueError:
                continue
    return found


def numbers(dimensions: Dimensions, words: int) -> tuple[int, ...]:
    given = {"words": words}
    sizes = (dimensions.words, dimensions.addresses, dimensions.code)
    return (
        dimensions.bits,
        dimensions.modulus,
        *(to_expr(size).evaluate(given) for size in sizes),
    )


@given(shapes())
def test_a_family_has_the_numbers_of_its_shapes(shape: Shape) -> None:
    family = memories(shape)
    assert family.low <= shape.words <= family.high
    assert numbers(family, shape.words) == numbers(shape, 0)


@pytest.mark.parametrize("bits", [4, 5, 16, 23, 24, 25, 26, 64])
def test_every_number_of_words_is_in_one_family(bits: int) -> None:
    mine = sorted((each for each in families() if each.bits == bits), key=lambda each: each.low)
    assert mine[0].low == MIN_WORDS
    assert mine[-1].high == min(MAX_WORDS, 2**bits)
    for before, after in pairwise(mine):
        assert after.low == before.high + 1
    for family in mine:
        for words in (family.low, family.high):
            shape = Shape(bits, words)
            assert memories(shape) == family
            assert numbers(family, words) == numbers(shape, 0)


def test_the_families() -> None:
    found = {(each.bits, str(each.region)): str(each) for each in families()}
    assert found[4, "small"] == "4 bits x 4..10 words"
    assert found[4, "large"] == "4 bits x 11..15 words"
    assert found[4, "full"] == "4 bits x 16 words"
    assert found[16, "small"] == "16 bits x 4..32770 words"
    assert found[16, "large"] == "16 bits x 32771..65535 words"
    assert found[16, "full"] == "16 bits x 65536 words"
    assert found[24, "large"] == "24 bits x 8388611..16777215 words"
    assert found[24, "full"] == "24 bits x 16777216 words"
    assert found[25, "small"] == "25 bits x 4..16777216 words"
    assert found[64, "small"] == "64 bits x 4..16777216 words"
    assert len(found) == (24 - 3) * 3 + (64 - 24)


def test_the_numbers_as_expressions() -> None:
    texts = {
        region: [
            str(size)
            for family in (Memories(8, region),)
            for size in (family.words, family.addresses, family.code)
        ]
        for region in Region
    }
    assert texts == {
        Region.SMALL: ["words", "words", "words - 2"],
        Region.LARGE: ["words", "words", "128"],
        Region.FULL: ["words", "words - 1", "128"],
    }
    assert Memories(8, Region.LARGE).parameters == (Parameter("words", 131, 255),)
    assert Shape(8, 16).parameters == ()


@pytest.mark.parametrize(
    ("bits", "region", "sentence"),
    [
        (3, Region.SMALL, "bits = 3 is out of range: choose 4 to 64 bits a word."),
        (65, Region.FULL, "bits = 65 is out of range: choose 4 to 64 bits a word."),
        (
            25,
            Region.LARGE,
            "no memory of 25-bit words is large: it would have 16777219 words or more, and the "
            "most is 16777216.",
        ),
        (
            32,
            Region.FULL,
            "no memory of 32-bit words is full: it would have 4294967296 words or more, and the "
            "most is 16777216.",
        ),
    ],
)
def test_families_that_do_not_exist(bits: int, region: Region, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Memories(bits, region)


def test_the_state_of_a_family() -> None:
    first, *rest = state_fields(Memories(16, Region.FULL))
    assert first.extents == (var("words"), 16)
    assert tuple(rest) == state_fields(Shape(16, 65536))[1:]
    with pytest.raises(ValueError, match=r"^the size of mem depends on words; settle it first$"):
        _ = first.shape


@dataclass(frozen=True)
class Given:
    """The limits of a batch of states, each with its own number of words."""

    modulus: int
    words: np.ndarray
    addresses: np.ndarray


@pytest.mark.parametrize("family", [Memories(4, region) for region in Region], ids=str)
def test_the_step_of_a_family_is_that_of_each_shape(family: Memories) -> None:
    """A batch of memories of different sizes at once, against the step of every shape."""
    batch: list[tuple[Shape, State]] = []
    for words in range(family.low, family.high + 1):
        shape = Shape(family.bits, words)
        batch += [(shape, state) for state in random_states(shape, seed=words, count=300)]
    sizes = {"words": np.array([shape.words for shape, _ in batch])}
    limits: Limits = Given(
        family.modulus, family.words.evaluate(sizes), family.addresses.evaluate(sizes)
    )
    memory = np.zeros((len(batch), family.high), dtype=np.int64)
    for row, (_, state) in zip(memory, batch, strict=True):
        row[: len(state.mem)] = state.mem

    def column(name: str) -> np.ndarray:
        return np.array([getattr(state, name) for _, state in batch])

    names = ("pc", "fault", "input", "ready")
    after = step(limits, Before(ArrayMemory(memory), *map(column, names)))
    kinds = set()
    for at, (shape, state) in enumerate(batch):
        mem = ArrayMemory(np.array([state.mem]))
        flags = [np.array([getattr(state, name)]) for name in names]
        alone = step(shape, Before(mem, *flags))
        for name in (*names, "wanted", "output", "valid", "kind"):
            assert getattr(after, name)[at] == getattr(alone, name)[0], (name, shape, state)
        assert list(after.mem.words[at, : shape.words]) == list(alone.mem.words[0])
        kinds.add(int(alone.kind[0]))
    assert kinds == set(range(6))


@pytest.mark.parametrize("family", [Memories(16, region) for region in Region], ids=str)
def test_the_table_has_the_sums_that_the_network_places(family: Memories) -> None:
    sums = {each.title: each for each in gadgets(family) if each.name == "one_hot_sum"}
    placed = {
        each.gadget.title: each.gadget
        for layer in paper(family).layers
        for each in layer.placed
        if each.gadget is not None and each.gadget.name == "one_hot_sum"
    }
    titles = {
        Region.SMALL: ["one_hot_sum(size=words - 2)", "one_hot_sum(size=words)"],
        Region.LARGE: ["one_hot_sum(size=32768)", "one_hot_sum(size=words)"],
        Region.FULL: ["one_hot_sum(size=32768)", "one_hot_sum(size=words - 1)"],
    }
    assert sorted(sums) == titles[family.region]
    assert all(placed[title] is gadget for title, gadget in sums.items())
    if family.region != Region.SMALL:
        assert placed["one_hot_sum(size=32768)"] is one_hot_sum(size=32768)


def test_only_the_sums_depend_on_the_number_of_words() -> None:
    for region in Region:
        family = Memories(16, region)
        others = [each for each in gadgets(family) if each.name != "one_hot_sum"]
        concrete = gadgets(Shape(16, 256))
        assert others == [each for each in concrete if each.name != "one_hot_sum"]


def test_the_domain_of_a_sum_over_a_family() -> None:
    family = Memories(16, Region.SMALL)
    gadget = one_hot_sum(size=family.code, parameters=family.parameters)
    assert gadget.domain_text() == (
        "words in 4..32770; a in 0..words - 2; x[words - 2] in 0..1; x_i = 0 unless i = a"
    )
    assert one_hot_sum(size=254).domain_text() == (
        "a in 0..254; x[254] in 0..1; x_i = 0 unless i = a"
    )


def test_a_size_without_its_parameter() -> None:
    text = "gadget one_hot_sum: the range of a depends on words, which is no parameter before it"
    with pytest.raises(ValueError, match=f"^{text}$"):
        one_hot_sum(size=var("words"))
