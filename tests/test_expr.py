from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.statement.expr import (
    Expr,
    Index,
    at_most,
    bit,
    const,
    equal,
    pow2,
    to_expr,
    var,
)
from verified_mlp.statement.normal import normal

SIZE = 8
AT, BIT = var("i"), var("k")
POINTS = [{"i": i, "k": k} for i in range(SIZE) for k in range(SIZE)]


def combined(children: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    pairs = st.tuples(children, children)
    divisors = st.integers(1, 5)
    return st.one_of(
        pairs.map(lambda both: both[0] + both[1]),
        pairs.map(lambda both: both[0] - both[1]),
        pairs.map(lambda both: both[0] * both[1]),
        pairs.map(lambda both: equal(*both)),
        pairs.map(lambda both: at_most(*both)),
        st.tuples(children, divisors).map(lambda both: both[0] // both[1]),
        st.tuples(children, divisors).map(lambda both: both[0] % both[1]),
        children.map(lambda expr: -expr),
        st.tuples(children, st.sampled_from([AT, BIT, const(2)])).map(lambda both: bit(*both)),
    )


EXPRESSIONS = st.recursive(
    st.one_of(st.sampled_from([AT, BIT, pow2(AT), pow2(BIT)]), st.integers(-9, 9).map(const)),
    combined,
    max_leaves=7,
)


@given(EXPRESSIONS)
def test_arrays_give_what_ints_give(expr: Expr) -> None:
    grid = {
        "i": np.arange(SIZE, dtype=np.int64).reshape(-1, 1),
        "k": np.arange(SIZE, dtype=np.int64),
    }
    on_grid = np.broadcast_to(expr.evaluate(grid), (SIZE, SIZE))
    assert on_grid.ravel().tolist() == [expr.evaluate(point) for point in POINTS]


@given(EXPRESSIONS, EXPRESSIONS)
def test_substituting_and_then_evaluating_is_evaluating_twice(expr: Expr, inner: Expr) -> None:
    nonnegative = inner % SIZE  # a position, exponent or bit position must not be negative
    replaced = expr.substitute({"i": nonnegative})
    for point in POINTS:
        inside = {**point, "i": nonnegative.evaluate(point)}
        assert replaced.evaluate(point) == expr.evaluate(inside)


@given(EXPRESSIONS)
def test_only_its_variables_matter(expr: Expr) -> None:
    known = dict.fromkeys(expr.variables(), 3)
    assert expr.evaluate(known) == expr.evaluate({"i": 3, "k": 3})
    if expr.constant is not None:
        assert expr.variables() == frozenset()
        assert expr.evaluate({}) == expr.constant


@given(EXPRESSIONS)
def test_the_normal_form_has_the_same_value_and_is_its_own_normal_form(expr: Expr) -> None:
    result = normal(expr)
    assert [result.evaluate(point) for point in POINTS] == [
        expr.evaluate(point) for point in POINTS
    ]
    assert normal(result) == result


@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_the_normal_form_forgets_order_and_grouping(a: Expr, b: Expr, c: Expr) -> None:
    assert normal(a + (b + c)) == normal((c + a) + b)
    assert normal(a * (b * c)) == normal((c * a) * b)
    assert normal(a * (b + c)) == normal(c * a + b * a)
    assert normal(a - a) == const(0)
    assert normal(equal(a, b)) == normal(equal(b, a))


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (2 * bit(AT, BIT) - 1, "2*bit(i, k) - 1"),
        (AT + 2 - 2, "i"),
        (1 + (AT + 1), "i + 2"),
        (-(AT + BIT), "-(i + k)"),
        (3 * (2 * AT), "6*i"),
        (AT * 0, "0"),
        (1 * AT, "i"),
        ((AT + 1) // 2 % 3, "((i + 1) // 2) % 3"),
        (AT // 1 + AT % 1, "i"),
        (pow2(BIT - AT), "pow2(k - i)"),
        (pow2(5) + bit(6, 1), "33"),
        (const(7) // 2 + const(7) % 4, "6"),
        (equal(AT, 3) + at_most(2, BIT), "[i = 3] + [2 <= k]"),
        (equal(3, 3) + at_most(3, 2), "1"),
        (Fraction(1, 3) * AT, "1/3*i"),
        (Fraction(4, 2) * AT, "2*i"),
        (to_expr(Index("j", 4)) + 1, "j + 1"),
        (AT * -2 + 1, "(-2)*i + 1"),
    ],
)
def test_text_and_folding(expr: Expr, text: str) -> None:
    assert str(expr) == text


def test_fractions_stay_exact() -> None:
    third = Fraction(1, 3) * AT
    assert third.evaluate({"i": 2}) == Fraction(2, 3)
    assert (third + third + third - AT).evaluate({"i": 5}) == 0
    assert normal(third + third + third) == AT


def test_integers_of_any_size() -> None:
    assert (pow2(AT) * pow2(AT)).evaluate({"i": 100}) == 2**200
    assert bit(2**80 + 1, 80) == const(1)


@pytest.mark.parametrize("inexact", [0.5, 1.0, True, "1", None, np.float64(2), np.int64(2)])
def test_only_exact_numbers_are_taken(inexact: object) -> None:
    with pytest.raises(TypeError) as caught:
        to_expr(inexact)
    assert str(caught.value) == f"an exact int or Fraction is needed here, not {inexact!r}"


def test_a_float_is_no_factor() -> None:
    with pytest.raises(TypeError):
        AT * 0.5


def test_an_unknown_variable_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        (AT + BIT).evaluate({"i": 1})
