from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.statement.affine import Affine, Signal, field, to_affine, total
from verified_mlp.statement.evaluate import Arithmetic, affine_value
from verified_mlp.statement.expr import Index, at_most, bit, pow2, var
from verified_mlp.statement.normal import collect

SIZE = 4
X, Y = field("x", 1), field("y", 2)
J, K = Index("j", SIZE), Index("k", SIZE)
VALUES = {
    "x": np.array([3, 5, 7, 11], dtype=object),
    "y": np.arange(100, 100 + SIZE * SIZE, dtype=object).reshape(SIZE, SIZE),
}
NUMBERS = st.one_of(st.integers(-5, 5), st.fractions(-2, 2, max_denominator=7))


def simple_form(number: Any, kind: str) -> Affine:
    """A form in the free index i."""
    i = var("i")
    match kind:
        case "entry":
            return number * X[i]
        case "sum":
            return total(K, number * (2 * bit(i, K) - 1) * X[K])
        case "sum of constants":
            return total(K, number * pow2(K), 0, i + 1)
        case "triangle":
            return total(K, number * Y[K, i], i, SIZE)
        case "nested":
            return total(J, total(K, number * at_most(J, K) * Y[K, J], J, SIZE), 0, i)
    return to_affine(number)


KINDS = ["entry", "sum", "sum of constants", "triangle", "nested", "constant"]
PARTS = st.lists(st.tuples(NUMBERS, st.sampled_from(KINDS)), max_size=5)


def joined(parts: list[tuple[Any, str]]) -> Affine:
    form = to_affine(0)
    for number, kind in parts:
        form = form + simple_form(number, kind)
    return form


def value(form: Affine, i: int) -> Any:
    return affine_value(form, {"i": i}, VALUES, Arithmetic())


@given(PARTS, PARTS, NUMBERS, st.integers(0, SIZE - 1))
def test_arithmetic_on_forms_is_arithmetic_on_values(
    left: list[Any], right: list[Any], factor: Any, i: int
) -> None:
    f, g = joined(left), joined(right)
    assert value(f + g, i) == value(f, i) + value(g, i)
    assert value(f - g, i) == value(f, i) - value(g, i)
    assert value(-f, i) == -value(f, i)
    assert value(f * factor, i) == value(factor * f, i) == factor * value(f, i)
    assert value(factor + f, i) == value(f + factor, i) == factor + value(f, i)
    assert value(factor - f, i) == factor - value(f, i)


def naive(number: Any, kind: str, i: int) -> Any:
    """What `simple_form` says, in plain loops."""
    x, y = VALUES["x"], VALUES["y"]
    match kind:
        case "entry":
            return number * x[i]
        case "sum":
            return sum(number * (1 if i >> k & 1 else -1) * x[k] for k in range(SIZE))
        case "sum of constants":
            return sum(number * 2**k for k in range(i + 1))
        case "triangle":
            return sum(number * y[k, i] for k in range(i, SIZE))
        case "nested":
            return sum(number * y[k, j] for j in range(i) for k in range(j, SIZE) if j <= k)
    return number


@given(PARTS, st.integers(0, SIZE - 1))
def test_a_form_says_what_it_says(parts: list[Any], i: int) -> None:
    assert value(joined(parts), i) == sum(naive(number, kind, i) for number, kind in parts)


@given(PARTS, st.integers(0, SIZE - 1))
def test_renaming_bound_indices_changes_nothing(parts: list[Any], i: int) -> None:
    form = joined(parts)
    renamed = form.rename("inner")
    assert value(renamed, i) == value(form, i)
    assert collect(renamed) == collect(form)
    assert not {bound.name for term in renamed.terms for bound in term.bounds} & {"j", "k"}


@given(PARTS, st.integers(0, SIZE - 2))
def test_free_indices_are_substituted_everywhere(parts: list[Any], i: int) -> None:
    form = joined(parts)
    assert value(form.substitute({"i": var("i") + 1}), i) == value(form, i + 1)


@given(PARTS, PARTS, st.integers(0, SIZE - 1))
def test_rewiring_puts_forms_in_the_place_of_entries(
    outer: list[Any], inner: list[Any], i: int
) -> None:
    form, source = joined(outer), joined(inner).rename("source")
    wired = form.rename("form").rewire({"x": Signal(lambda at: source.substitute({"i": at}))})
    values = {**VALUES, "x": np.array([value(source, at) for at in range(SIZE)], dtype=object)}
    assert value(wired, i) == affine_value(form, {"i": i}, values, Arithmetic())


@given(PARTS, st.integers(0, SIZE - 1))
def test_collecting_changes_no_value_and_reads_each_entry_once(parts: list[Any], i: int) -> None:
    terms = collect(joined(parts))
    assert value(Affine(terms), i) == value(joined(parts), i)
    assert len({(term.ref, term.bounds) for term in terms}) == len(terms)
    assert all(term.coefficient.constant != 0 for term in terms)


@given(PARTS.filter(lambda parts: len(parts) <= 4))
def test_collecting_forgets_the_order_of_terms(parts: list[Any]) -> None:
    assert {collect(joined(list(order))) for order in permutations(parts)} == {
        collect(joined(parts))
    }


def test_the_order_of_independent_sums_does_not_matter() -> None:
    # The second sum runs the other way round, under exchanged names.
    one = total(J, total(K, bit(J, 0) * pow2(K) * Y[J, K]))
    other = total(J, total(K, bit(K, 0) * pow2(J) * Y[K, J]))
    assert collect(one) == collect(other)
    assert collect(one) != collect(total(J, total(K, bit(J, 0) * pow2(K) * Y[K, J])))


def test_an_inner_sum_hides_an_outer_index_of_the_same_name() -> None:
    k = Index("k", SIZE)
    hidden = total(k, total(k, X[k]))
    clear = total(J, total(K, X[K]))
    assert value(hidden, 0) == value(clear, 0) == SIZE * sum(VALUES["x"])
    assert collect(hidden) == collect(clear)
    own = total(Index("i", SIZE), X[var("i")])
    assert collect(own, [Index("i", 3)]) == collect(total(K, X[K]), [Index("i", 3)])


def test_the_axes_of_a_family_have_normal_names() -> None:
    first = collect(X[Index("a", 3)], [Index("a", 3)])
    assert [str(term) for term in first] == ["x[@0]"]
    assert first == collect(X[Index("b", 3)], [Index("b", 3)])


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (to_affine(0), "0"),
        (to_affine(5), "5"),
        (1 - total(K, X[K]), "1 + sum(0 <= k < 4) (-1) x[k]"),
        (Fraction(1, 3) * X[0] - 2, "(1/3) x[0] + -2"),
        (field("flag", 0)[()] * 2, "(2) flag"),
        (total(K, Y[J, K], J, J + 2), "sum(j <= k < j + 2) y[j, k]"),
    ],
)
def test_text(form: Affine, text: str) -> None:
    assert str(form) == text


def test_the_number_of_positions_is_checked() -> None:
    with pytest.raises(ValueError, match=r"^y has 2 axes, not 1$"):
        Y[1]


def test_only_exact_multiples() -> None:
    with pytest.raises(TypeError, match=r"^an exact int or Fraction is needed here, not 0\.5$"):
        X[0] * 0.5
