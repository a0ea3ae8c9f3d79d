"""Terms and formulas: one object for each, Python's operators, replacing, collecting."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from term_values import evaluated

from proofs import terms
from proofs.term_arithmetic import difference, linear, simplified
from proofs.terms import (
    apply,
    conj,
    disj,
    formula,
    implies,
    ite,
    mentions,
    neg,
    substitute,
    term,
    unknown,
    unknowns,
)

X, Y = unknown("x"), unknown("y")

numbers = st.integers(-20, 20)
sums = st.deferred(
    lambda: st.one_of(
        numbers.map(term),
        st.sampled_from([X, Y, apply("f", [X]), ite(X > Y, X, 3), X * Y, X // 3, Y % 4]),
        st.tuples(sums, sums).map(lambda two: two[0] + two[1]),
        st.tuples(sums, sums).map(lambda two: two[0] - two[1]),
        st.tuples(sums, numbers).map(lambda two: two[1] * two[0]),
        sums.map(lambda one: -one),
    )
)


def meaning(x, y):
    return {"x": x, "y": y, "f": lambda value: value**2 - 7}


def test_equal_terms_are_one_object_as_long_as_they_live():
    assert X + 2 * Y is unknown("x") + 2 * unknown("y")
    assert X + Y is not Y + X
    assert term(True) is term(1)
    assert term(1) is not formula(True)
    assert (X == 1) is (X == 1)
    gc.collect()
    before = len(terms._NODES)
    many = [X + number for number in range(1000, 1100)]
    assert len(terms._NODES) == before + 200
    del many
    gc.collect()
    assert len(terms._NODES) == before


def test_what_is_not_decided_has_no_truth_value():
    for condition in (X == 1, X < Y, conj(X > 0), X != 2, conj(True) == (X > 0)):
        with pytest.raises(TypeError) as failure:
            bool(condition)
        assert str(failure.value) == (
            "a condition on unknowns is neither true nor false; instead of if, and, or, not and "
            "in, use where, both, either and negate of verified_mlp.logic"
        )
    with pytest.raises(TypeError) as failure:
        bool(X)
    assert str(failure.value) == (
        "an unknown number is neither true nor false; compare it with a number"
    )
    assert formula(True)
    assert not formula(False)
    assert term(2)
    assert not term(0)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: X // -3, "a term is divided by positive numbers only, not by -3"),
        (lambda: X % 0, "a term is divided by positive numbers only, not by 0"),
        (lambda: X // Y, "a term is divided by positive numbers only, not by y"),
        (lambda: X / 2, "x / 2 is no integer; divide with //"),
        (lambda: term("1"), "'1' is no integer"),
        (lambda: term(1.0), "1.0 is no integer"),
        (lambda: formula(1), "1 is no truth value"),
        (lambda: ite(X > 0, X, X > 1), "x > 1 is no integer"),
        (lambda: conj(X), "x is no truth value"),
    ],
)
def test_what_is_no_term_is_refused(wrong, sentence):
    with pytest.raises(TypeError) as failure:
        wrong()
    assert str(failure.value) == sentence


def test_replacing_is_done_at_once_and_everywhere():
    root = conj(X + Y > X, apply("f", [X, Y]) == ite(X == Y, X, 0))
    got = substitute(root, (X, Y), (Y, X))
    assert got is conj(Y + X > Y, apply("f", [Y, X]) == ite(Y == X, Y, 0))
    assert substitute(root, (unknown("z"), X)) is root
    assert substitute(X + Y <= 3, (X + Y, Y)) is (Y <= 3)


def test_what_occurs():
    root = disj(neg(apply("f", [Y + X]) <= X), implies(X > 0, Y > 0))
    assert root.symbols() == {("f", 1), ("x", 0), ("y", 0)}
    assert set(unknowns(root)) == {X, Y}
    assert mentions(root, X)
    assert not mentions(root, unknown("f"))


@given(sums, numbers, numbers)
def test_a_sum_collected_is_the_same_number(total, x, y):
    expected = evaluated(total, meaning(x, y))
    assert evaluated(simplified(total), meaning(x, y)) == expected
    parts, number = linear(total)
    at = meaning(x, y)
    assert sum(times * evaluated(each, at) for each, times in parts.items()) + number == expected
    assert 0 not in parts.values()


@given(sums, sums, numbers)
def test_a_difference_is_known_where_nothing_unknown_is_left(left, right, number):
    assert difference(left + right + number, right + left) == number
    found = difference(left, right)
    for x, y in ((0, 0), (3, -5), (-7, 11)):
        at = meaning(x, y)
        assert found in (None, evaluated(left, at) - evaluated(right, at))


def test_deep_terms():
    total = X
    for _ in range(20_000):
        total = total + Y
    assert evaluated(total.args[1], meaning(1, 2)) == 2
    assert mentions(substitute(total, (Y, term(3))), X)
