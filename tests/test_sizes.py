"""Sizes that are expressions in parameters, wherever a statement has a size."""

import re
from collections.abc import Callable
from fractions import Fraction

import pytest

from verified_mlp.gadgets.carry import carry, carry_fields
from verified_mlp.gadgets.one_hot_sum import one_hot_sum
from verified_mlp.statement.affine import Bound, Signal, field, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.digest import canonical_text, digest
from verified_mlp.statement.expr import Expr, Index, const, to_extent, var
from verified_mlp.statement.network import (
    Condition,
    Field,
    Gadget,
    Network,
    Neurons,
    Output,
    Parameter,
)

N, M = var("n"), var("m")
I = Index("i", N)  # noqa: E741 - the name of the index
FOUR = Parameter("n", 1, 4)


def exactly(text: str) -> str:
    return f"^{re.escape(text)}$"


def test_a_size_that_is_a_number_is_an_int() -> None:
    for extent in (4, const(4), N * 0 + 4, Fraction(8, 2)):
        index = Index("i", extent)  # type: ignore[arg-type]
        assert index == Index("i", 4)
        assert type(index.extent) is int
        assert type(index.size) is int
    assert Field("x", (const(3), 2)) == Field("x", (3, 2))
    assert Field("x", (const(3), 2)).shape == (3, 2)
    assert Bound("k", const(3), const(0), const(3)).size == 3
    assert Signal(lambda k: k, (const(3), N)).extent == (3, N)
    assert Parameter("t", 0, const(3)) == Parameter("t", 0, 3)
    assert Parameter("t", 0, 3).high == 3
    assert Parameter("t", 0, 3).largest == const(3)


def test_a_size_that_is_an_expression() -> None:
    source = Field("x", (N - 1, 8))
    assert source.extents == (N - 1, 8)
    assert source.indices == (Index("axis0", N - 1), Index("axis1", 8))
    family = Neurons("y", (I, Index("j", 2)), total(I, 1), const(1))
    assert family.extents == (N, 2)
    assert Parameter("a", 0, N + 1).largest == N + 1
    assert str(I + 1) == "i + 1"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda: I.size, "the size of index i depends on n; settle it first"),
        (
            lambda: Index("i", N * M - N).size,
            "the size of index i depends on m and n; settle it first",
        ),
        (lambda: Field("x", (3, N)).shape, "the size of x depends on n; settle it first"),
        (
            lambda: Neurons("y", (I,), total(I, 1), const(1)).shape,
            "the size of y depends on n; settle it first",
        ),
        (
            lambda: Output("z", (I,), total(I, 1), const(1)).shape,
            "the size of z depends on n; settle it first",
        ),
        (
            lambda: Bound("k", N, const(0), N).size,
            "the size of index k depends on n; settle it first",
        ),
        (
            lambda: Parameter("a", 0, N).high,
            "the range of a depends on n; settle it first",
        ),
        (lambda: Index("i", -1), "the size of index i is -1: it must be a whole number, 0 or more"),
        (
            lambda: Field("x", (const(Fraction(1, 2)),)),
            "the size of x is 1/2: it must be a whole number, 0 or more",
        ),
        (lambda: Parameter("a", 3, 2), "parameter a: 3..2 is no range"),
        (
            lambda: Parameter("a", 0, N, bits=4),
            "parameter a: 0..n is no range of numbers of 4 bits",
        ),
    ],
)
def test_sizes_that_are_no_numbers(read: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError, match=exactly(text)):
        read()


def test_a_size_is_exact() -> None:
    with pytest.raises(TypeError, match=r"^an exact int or Fraction is needed here, not 2.0$"):
        to_extent("x", 2.0)  # type: ignore[arg-type]


def test_a_sum_beyond_its_index_space() -> None:
    x = field("x", 1)
    for high in (N, N - 1, N + 1 - 1, 2, M):
        total(I, x[I], 0, high)
    # That 2 * n - (n - 3) is more than n shows when it is multiplied out.
    for high, shown in ((N + 1, "n + 1"), (2 * N - (N - 3), "2*n - (n - 3)")):
        text = f"a sum over i below {shown} leaves 0..n - 1"
        with pytest.raises(ValueError, match=exactly(text)):
            total(I, x[I], 0, high)
    with pytest.raises(ValueError, match=exactly("a sum over i below 5 leaves 0..3")):
        total(Index("i", 4), x[var("i")], 0, 5)


def demo(size: Expr) -> Network:
    build = Builder("demo", [Field("x", (size, 2)), Field("on", (3,))])
    now = build.layer()
    i, k = Index("i", size), Index("k", size)
    build.neurons("y", (i,), total(k, now.x[k, 1], 0, i) + now.on[0])
    build.place(carry(), "whole", (), {"top": size}, x=total(k, now.x[k, 0]))
    carry_fields(build, now, "x", "on")
    done = build.close()
    return build.build(build.output("z", (i,), done.y[i] + done.whole, largest=size))


def test_the_text_of_a_network_with_a_symbolic_size() -> None:
    assert canonical_text(demo(N - 1)) == (
        "input x[n - 1, 2] in 0..1\n"
        "input on[3] in 0..1\n"
        "layer 1\n"
        "neurons y[n - 1] in 0..1\n"
        "  on[0]\n"
        "  sum(0 <= #0 < @0) x[#0, 1]; #0 of n - 1\n"
        "neurons whole in 0..n - 1\n"
        "  sum(0 <= #0 < n - 1) x[#0, 0]\n"
        "neurons x[n - 1, 2] in 0..1\n"
        "  x[@0, @1]\n"
        "neurons on[3] in 0..1\n"
        "  on[@0]\n"
        "output z[n - 1] in 0..n - 1\n"
        "  whole\n"
        "  y[@0]\n"
    )


def test_a_size_in_any_form_has_one_text() -> None:
    texts = {canonical_text(demo(size)) for size in (2 * N - 2, N - 1 + N - 1, (N - 1) * 2)}
    assert len(texts) == 1
    assert digest(demo(N)) != digest(demo(N + 1))


def test_parameters_are_put_into_the_sizes_of_a_placed_gadget() -> None:
    k, c = Index("k", N), Index("c", N + 1)
    build = Builder("inner", [Field("x", (N + 1,), high=7)])
    now = build.layer()
    build.neurons("y", (k,), total(c, now.x[c], 0, k + 1), largest=7 * N)
    done = build.close()
    inner = Gadget(
        "inner",
        build.build(build.output("z", (k,), done.y[k], largest=7 * N)),
        {"z": lambda k, x, n: 0},
        source="",
        formula="",
        parameters=(FOUR,),
    )
    j = Index("j", 2)
    build = Builder("outer", [Field("x", (2, M + 3), high=7)])
    now = build.layer()
    for name, given in (("a", M + 2), ("b", const(3))):
        build.place(inner, name, (j,), {"n": given}, x=Signal(lambda k: now.x[j, k], (given + 1,)))
    done = build.close()
    families = build.build().layers[0].neurons
    assert [family.extents for family in families] == [(2, M + 2), (2, 3)]
    assert [[bound.extent for bound in family.row.terms[0].bounds] for family in families] == [
        [M + 3],
        [4],
    ]
    assert [str(family.largest) for family in families] == ["7*(m + 2)", "21"]
    assert (done.a.extent, done.b.extent) == ((2, M + 2), (2, 3))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda build, now: build.neurons("y", (J, Index("k", var("j") + 1)), now.x[0, 0]),
            "ragged: the size of y depends on the index j; a size is the same at every index",
        ),
        (
            lambda build, now: build.neurons("y", (J,), total(Index("k", var("j")), now.x[J, 0])),
            "ragged: the size of y depends on the index j; a size is the same at every index",
        ),
        (
            lambda build, now: build.place(
                one_hot_sum(size=N, parameters=(FOUR,)), "y", (J,), {"n": J}, x=now.x
            ),
            "ragged: the size of y.x depends on the index j; a size is the same at every index",
        ),
    ],
)
def test_a_size_that_differs_from_place_to_place(
    make: Callable[[Builder, object], None], text: str
) -> None:
    build = Builder("ragged", [Field("x", (4, 4))])
    now = build.layer()
    with pytest.raises(ValueError, match=exactly(text)):
        make(build, now)


J = Index("j", 3)


def gadget_of(
    parameters: tuple[Parameter, ...], sized: Expr, conditions: tuple[Condition, ...] = ()
) -> Gadget:
    network = Network("some", (Field("x", (sized,)),), (), ())
    return Gadget("some", network, {}, "", "", parameters, conditions)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: gadget_of((), N),
            "gadget some: the size of x depends on n, which is none of its parameters",
        ),
        (
            lambda: gadget_of(
                (FOUR,), N, (Condition("x_i = 0", (Index("i", M),), lambda i: True),)
            ),
            "gadget some: the size of x_i = 0 depends on m, which is none of its parameters",
        ),
        (
            lambda: gadget_of((Parameter("a", 0, N), FOUR), N),
            "gadget some: the range of a depends on n, which is no parameter before it",
        ),
    ],
)
def test_sizes_and_ranges_depend_on_parameters(make: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError, match=exactly(text)):
        make()
    gadget_of((FOUR, Parameter("a", 0, N)), N)


def test_a_gadget_with_a_size_that_is_placed_without_its_parameter() -> None:
    build = Builder("demo", [Field("x", (N,))])
    now = build.layer()
    text = (
        "y: one_hot_sum(size=n) takes the inputs ['x'] and the parameters ['n'], not ['x'] and []"
    )
    with pytest.raises(ValueError, match=exactly(text)):
        build.place(one_hot_sum(size=N, parameters=(FOUR,)), "y", x=now.x)


def test_the_domain_in_one_line() -> None:
    network = Network("some", (Field("x", (4, 2)), Field("y", (N, 2)), Field("z")), (), ())
    assert Gadget("some", network, {}, "", "", (FOUR,)).domain_text() == (
        "n in 1..4; x[4x2] in 0..1; y[n x 2] in 0..1; z in 0..1"
    )


def test_the_variables_of_a_form() -> None:
    x = field("x", 2)
    k = Index("k", N)
    form = total(k, var("w") * x[k + var("p"), var("j")], var("low"), var("high")) + var("b")
    assert form.variables() == {"n", "w", "p", "j", "low", "high", "b"}
    assert form.substitute({"n": const(3)}).terms[0].bounds[0].extent == 3
    # A summation index hides a parameter of its name.
    assert total(Index("n", 3), x[var("n"), 0]).variables() == frozenset()
