"""What specifications are written with means the same on ints and on arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.logic import (
    bit,
    both,
    digits,
    either,
    fold,
    folding_with,
    negate,
    pow2,
    quotient,
    value,
    where,
)

WORDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5)
NUMBERS = st.integers(-(2**70), 2**70)


@pytest.mark.parametrize("dtype", [np.int64, object])
@given(words=WORDS)
def test_words_of_64_bits(dtype: type, words: list[int]) -> None:
    spelled = np.array([digits(word, 64) for word in words], dtype=dtype).T
    assert value(spelled, 0, 64).tolist() == words
    assert value(spelled, 3, 17).tolist() == [(word >> 3) % 2**14 for word in words]
    assert [value(digits(word, 64), 0, 64) for word in words] == words
    assert [[bit(word, k) for k in range(64)] for word in words] == spelled.T.tolist()


@given(st.lists(st.booleans(), min_size=1, max_size=4), NUMBERS, NUMBERS)
def test_choosing(conditions: list[bool], then: int, otherwise: int) -> None:
    chosen = [where(condition, then, otherwise) for condition in conditions]
    assert chosen == [then if condition else otherwise for condition in conditions]
    assert where(np.array(conditions), then, otherwise).tolist() == chosen


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_truths(pairs: list[tuple[bool, bool]]) -> None:
    left, right = np.array(pairs).T
    assert (
        both(left, right).tolist() == [both(*pair) for pair in pairs] == [a and b for a, b in pairs]
    )
    assert either(left, right).tolist() == [a or b for a, b in pairs]
    assert negate(left).tolist() == [negate(a) for a, _ in pairs] == [not a for a, _ in pairs]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5))
def test_powers(exponents: list[int]) -> None:
    powers = [2**exponent for exponent in exponents]
    assert [pow2(exponent) for exponent in exponents] == powers
    assert pow2(np.array(exponents)).tolist() == powers


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=5), st.integers(1, 9))
def test_quotients_are_floors(numbers: list[int], divisor: int) -> None:
    floors = [number // divisor for number in numbers]
    assert quotient(np.array(numbers), divisor).tolist() == floors
    assert [quotient(number, divisor) for number in numbers] == floors


def test_folds_are_loops_unless_they_are_handled() -> None:
    def step(index: int, text: str) -> str:
        return f"{text}{index}"

    assert fold(2, 5, "", step) == "234"
    assert fold(5, 5, "none", step) == "none"
    with folding_with(lambda low, high, start, step: (low, high, start)):
        assert fold(2, 5, "", step) == (2, 5, "")
    assert fold(2, 5, "", step) == "234"


def test_a_condition_must_be_a_truth() -> None:
    with pytest.raises(TypeError, match=r"^where\(\) has no meaning for a condition of type int$"):
        where(1, 2, 3)
