"""The theory: every axiom is true of the integers, and a term means what it was made from.

The axioms that are generated are evaluated on numbers, by an evaluator that is written here and
knows the integers only; folds are compared with loops of Python.
"""

from itertools import product as pairs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proof_samples import ask
from term_values import evaluated

from proofs.kernel import Hints, NotProved, follow
from proofs.results import Verdict
from proofs.smtlib import text_of
from proofs.solver import solve
from proofs.terms import (
    apply,
    conj,
    disj,
    formula,
    implies,
    ite,
    neg,
    substitute,
    term,
    unknown,
    unknowns,
)
from proofs.theory import Theory, digits_spell, product
from verified_mlp import logic
from verified_mlp.statement import expr
from verified_mlp.statement.expr import const, to_expr, var

N, V, A, B = (unknown(name) for name in ("n", "v", "a", "b"))


def integers(elsewhere=0):
    """pow2 and bit as they are; where the integers say nothing, `elsewhere`."""
    return {
        "pow2": lambda n: 2**n if n >= 0 else elsewhere,
        "bit": lambda word, k: (word >> k) & 1 if k >= 0 else abs(elsewhere) % 2,
    }


def hold(axioms, meaning):
    """Whether there are axioms and all of them are true."""
    assert axioms
    return all(evaluated(axiom, meaning) for axiom in axioms)


def at(**values):
    """That constants have these values."""
    return [unknown(name) == value for name, value in values.items()]


numbers = st.integers(-40, 40)
shifts = st.integers(-3, 3)


# Terms mean what Python's numbers mean.


@given(numbers, st.integers(1, 9), st.integers(0, 9), st.booleans())
def test_operations_on_terms_are_those_on_numbers(word, divisor, position, truth):
    value = term(word)
    known = formula(truth)
    for got, expected in (
        (logic.quotient(value, divisor), word // divisor),
        (value % divisor, word % divisor),
        (logic.bit(value, position), (word >> position) & 1),
        (logic.where(known, value, divisor), word if truth else divisor),
        (logic.where(logic.both(known, value > 0), 1, 0), int(truth and word > 0)),
        (logic.where(logic.either(known, value > 0), 1, 0), int(truth or word > 0)),
        (logic.where(logic.negate(known), 1, 0), int(not truth)),
        (logic.pow2(term(position)), 2**position),
        (logic.pow2(term(position) + 1), 2 ** (position + 1)),
    ):
        assert evaluated(term(got), {}) == expected
        assert ask(text_of([term(got) == expected])).status == "sat"
        assert ask(text_of([term(got) != expected])).status == "unsat"


# Axioms of pow2 and bit.


@given(numbers, st.lists(shifts, min_size=1, max_size=4), st.integers(0, 6), numbers)
def test_axioms_of_pow2(n, terms, positions, elsewhere):
    formulas = [logic.pow2(N + shift) >= A for shift in terms]
    formulas += [logic.pow2(N) >= logic.pow2(ite(N > 3, N, 3))]
    axioms = Theory().axioms(formulas, positions=positions)
    assert hold(axioms, {**integers(elsewhere), "n": n})


@given(numbers, st.integers(-3, 8), st.integers(0, 6), numbers)
def test_axioms_of_bit(word, position, positions, elsewhere):
    formulas = [logic.bit(V, N) == 1, logic.bit(V + 3, N - 1) == 0, logic.bit(5, N) == 1]
    axioms = Theory().axioms(formulas, positions=positions)
    assert hold(axioms, {**integers(elsewhere), "v": word, "n": position})


@settings(max_examples=25)
@given(st.integers(0, 12), st.integers(1, 12))
def test_powers_are_known_where_they_have_to_be(n, positions):
    """Below `positions` the axioms leave no other value; that the next is twice, they say too."""
    theory = Theory()
    formulas = [logic.pow2(N), logic.pow2(N + 1)]
    known = theory.axioms([each >= 0 for each in formulas], positions=positions)
    wrong = [formulas[0] != 2**n, formulas[1] != 2 * formulas[0]]
    known += at(n=n)
    assert ask(text_of(known)).status == "sat"
    assert ask(text_of([*known, wrong[1]])).status == "unsat"
    first = ask(text_of([*known, wrong[0]])).status
    assert first == ("unsat" if n < positions or n == 0 else "sat")


@pytest.mark.parametrize("bits", [1, 2, 3, 6])
@pytest.mark.parametrize("word", [-9, -1, 0, 1, 5, "last", "first beyond", 77])
def test_the_bits_of_a_word_spell_it(bits, word):
    """The axiom is true of words in its range and says nothing of others."""
    word = {"last": 2**bits - 1, "first beyond": 2**bits}.get(word, word)
    theory = Theory()
    axiom = digits_spell(theory, V, bits)
    inside = 0 <= word < 2**bits
    spelled = axiom.args[1].args[0]
    known = theory.axioms([axiom], unfold=range(1, bits + 1), positions=bits) + at(v=word)
    for extra, possible in (
        (spelled == word % 2**bits, True),
        (spelled == word % 2**bits + 1, False),
        (axiom, True),
        (neg(axiom), False),
    ):
        assert ask(text_of([*known, extra])).status == ("sat" if possible else "unsat")
    wrong = [axiom, *at(v=word), spelled != word]
    assert ask(text_of(wrong)).status == ("unsat" if inside else "sat")


# Axioms of declared functions.


@given(st.lists(numbers, min_size=8, max_size=8), numbers, st.integers(0, 5))
def test_axioms_of_ranges_are_true_of_functions_in_range_only(table, n, high):
    theory = Theory()
    f = theory.declare("f", 1, lambda at: at * at + high)
    anything = theory.declare("g", 1)
    c = theory.declare("c", 0, lambda: high)()
    axioms = theory.axioms([f(N) + f(N + 1) + anything(f(N)) >= c])

    def look_up(at):
        return table[at % 8]

    meaning = {"f": look_up, "g": look_up, "n": n, "c": table[0]}
    inside = all(0 <= look_up(at) <= at * at + high for at in (n, n + 1))
    assert hold(axioms, meaning) == (inside and 0 <= table[0] <= high)


def test_axioms_of_contracts_stand_at_the_arguments_that_occur():
    """Also at those that occur in contracts only; `reach` says how many times over."""
    theory = Theory()
    f = theory.declare("f", 1)
    theory.declare("g", 2)
    theory.promise("f", lambda at: [f(at) >= at, implies(at > 0, f(at) > f(at - 1))])

    def found(**hints):
        return sorted(map(str, theory.axioms([f(N) == 3], **hints)))

    first = ["(n > 0) => (f(n) > f(n - 1))", "f(n) >= n"]
    assert found(reach=0) == []
    assert found(reach=1) == first
    assert found(reach=2) == sorted(
        [*first, "((n - 1) > 0) => (f(n - 1) > f((n - 1) - 1))", "f(n - 1) >= (n - 1)"]
    )


def test_a_contract_that_comes_later_is_known_from_then_on():
    theory = Theory()
    f = theory.declare("f", 1)
    assert theory.axioms([f(N) == 3]) == []
    theory.promise("f", lambda at: [f(at) >= at])
    assert list(map(str, theory.axioms([f(N) == 3]))) == ["f(n) >= n"]


def test_a_name_means_one_thing():
    theory = Theory()
    theory.declare("x", 1, lambda at: 1)
    theory.declare("y", 0)
    theory.promise("y", lambda: [])
    fold = theory.fold(0, N, 0, lambda k, before: before + 1)
    for name in ("x", "y", "pow2", "bit", "times", fold.label):
        with pytest.raises(ValueError, match="something else") as failure:
            theory.declare(name, 0)
        expected = f"{name} already means something else in this proof; rename one"
        assert str(failure.value) == expected


def test_a_fold_takes_no_name_that_is_taken():
    theory = Theory()
    taken = [theory.declare(f"fold{k}", 2)(0, N) for k in range(3)]
    fold = theory.fold(0, N, 0, lambda k, before: before + 1)
    assert not any(fold is each for each in taken)
    assert len(theory.axioms([fold >= 0, *(each >= 0 for each in taken)])) == 1


def test_what_is_declared_again_as_a_constant_may_be():
    theory = Theory()
    assert theory.declare("at!j", 0)() is theory.declare("at!j", 0)()


# Folds.


class World:
    """What a step may read: two constants, a function of an index, folds.  On numbers or terms."""

    def __init__(self, a, b, read):
        self.a, self.b, self.read = a, b, read


STEPS = {
    "one": lambda w, k, before: before + 1,
    "index": lambda w, k, before: before + k,
    "entry": lambda w, k, before: before + w.read(k),
    "entry in reverse": lambda w, k, before: before + w.read(w.b - k),
    "weighed": lambda w, k, before: before + logic.where(w.read(k) == 1, logic.pow2(k), 0),
    "parameter": lambda w, k, before: before + w.a,
    "two parameters": lambda w, k, before: 2 * before - w.b + w.a,
    "the same two": lambda w, k, before: 2 * before - w.a + w.b,
    "reads what it has": lambda w, k, before: before + w.read(before),
    "choice": lambda w, k, before: logic.where(w.read(k) == w.a, k, before),
    "bit": lambda w, k, before: before + logic.bit(w.b * w.b, k),
    "nested": lambda w, k, before: logic.fold(0, k, before, lambda i, t: t + w.read(i)),
    "nested, from the index": lambda w, k, before: (
        before + logic.fold(k, w.b, 0, lambda i, t: t + w.read(i))
    ),
    "nested, index and parameter": lambda w, k, before: (
        before + logic.fold(0, 3, w.a, lambda i, t: t + w.read(i + k))
    ),
    "nested twice": lambda w, k, before: logic.fold(
        0, 2, before, lambda i, t: logic.fold(i, k, t, lambda j, u: u + w.read(i) + w.a * 1 - j)
    ),
}


def terms(theory):
    """The world of terms; `read` is a declared function with values in 0..3."""
    return World(A, B, theory.declare("read", 1, lambda at: 3))


def loop(low, high, start, step, world):
    """The value in numbers."""
    return logic.fold(low, high, start, lambda k, before: step(world, k, before))


def fold(theory, low, high, start, step, world):
    with logic.folding_with(theory.fold):
        return logic.fold(low, high, start, lambda k, before: step(world, k, before))


LOWS = {
    "0": lambda w: 0,
    "2": lambda w: 2,
    "a": lambda w: w.a,
    "a + 1": lambda w: w.a + 1,
}


@pytest.mark.parametrize("name", STEPS)
@settings(max_examples=4)
@given(
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(-2, 4),
    st.lists(st.integers(0, 3), min_size=24, max_size=24),
    st.sampled_from(sorted(LOWS)),
    st.sampled_from(["0", "b"]),
)
def test_axioms_give_a_fold_the_value_of_the_loop(name, a, b, high, table, low, start):
    """With the function's values and the constants fixed, the axioms have a model, and in all of
    them the fold is what the loop gives.
    """
    theory = Theory()
    symbolic = terms(theory)
    world = World(a, b, lambda at: table[at + 8])
    first = 0 if start == "0" else symbolic.b
    expected = loop(LOWS[low](world), high, 0 if start == "0" else b, STEPS[name], world)
    got = fold(theory, LOWS[low](symbolic), N, first, STEPS[name], symbolic)
    # The lengths at which folds occur: of this one below n, of the inner ones below an index.
    lengths = [N - back for back in range(5)]
    lengths += [each - back for each in (B, term(3)) for back in range(3)]
    known = theory.axioms([got >= 0], unfold=lengths, positions=5)
    known += [symbolic.read(at) == table[at + 8] for at in range(-8, 16)]
    known += at(a=a, b=b, n=high)
    assert ask(text_of([*known, got == expected])).status == "sat"
    assert ask(text_of([*known, got != expected])).status == "unsat"


def test_equal_steps_give_one_function_and_different_steps_never():
    theory = Theory()
    symbolic = terms(theory)
    for left, right in pairs(STEPS, repeat=2):
        first = fold(theory, 0, N, 0, STEPS[left], symbolic)
        second = fold(theory, 0, N, 0, STEPS[right], symbolic)
        assert (first is second) == (left == right)
        # These two are one function, with the parameters the other way round.
        swapped = {left, right} == {"two parameters", "the same two"}
        assert (first.label == second.label) == (left == right or swapped)


@given(st.data())
def test_folds_that_look_equal_are_equal(data):
    """Any two folds over a small stock of steps, bounds and starts: if the terms are the same, the
    loops have the same values.
    """
    theory = Theory()
    symbolic = terms(theory)
    small = st.integers(0, 2)

    def step():
        factor, weight, shift, use = (data.draw(small) for _ in range(4))

        def made(w, k, before):
            read = w.read(k + shift) if use else w.b
            return factor * before + weight * read

        return made

    chosen = [(data.draw(st.sampled_from(sorted(LOWS))), data.draw(small), step()) for _ in "12"]
    left, right = (
        fold(theory, LOWS[low](symbolic), N, start, s, symbolic) for low, start, s in chosen
    )
    if left is not right:
        return
    for a, b, high in pairs((0, 1, 3), (0, 1, 2), (0, 1, 2, 5)):
        world = World(a, b, lambda at: (at * at + 1) % 4)
        first, second = (loop(LOWS[low](world), high, start, s, world) for low, start, s in chosen)
        assert first == second


def test_a_fold_is_a_function_of_what_its_step_reads():
    theory = Theory()
    symbolic = terms(theory)
    other = World(unknown("c"), unknown("d"), symbolic.read)
    for step in STEPS.values():
        mine = fold(theory, 0, N, 0, step, symbolic)
        its = fold(theory, 0, N, 0, step, other)
        renamed = substitute(mine, (A, other.a), (B, other.b))
        assert its is renamed


def test_the_lower_end_and_the_start_are_arguments():
    theory = Theory()
    symbolic = terms(theory)
    ends = [0, 2, A, A + 1, B]
    found = [fold(theory, low, N, 0, STEPS["entry"], symbolic) for low in ends]
    assert len({each.label for each in found}) == 1
    assert [str(each.args[0]) for each in found] == ["0", "2", "a", "a + 1", "b"]
    starts = [fold(theory, 0, N, start, STEPS["entry"], symbolic) for start in (0, 1, A, B)]
    assert len({each.label for each in starts}) == 3


def test_a_step_is_not_left_with_names_of_its_own():
    """No name of a bound index or value is left in a fold or in its axioms."""
    theory = Theory()
    symbolic = terms(theory)
    for name, step in STEPS.items():
        got = fold(theory, A, N, B, step, symbolic)
        known = theory.axioms([got >= 0], unfold=[N, N - 1, B, B - 1], positions=3)
        left = {each.label for each in unknowns(got, *known)} - {"n", "a", "b"}
        assert not left, name


def test_no_contract_is_read_at_a_bound_name():
    """f(v) is the sum of g(v, 0) and g(v, 1) and at most 1.  At a value that a step has so far,
    the contract's own fold must not take that value for its own.
    """
    theory = Theory()
    g = theory.declare("g", 2, lambda *at: 1)
    f = theory.declare("f", 1, lambda *at: 1)
    theory.promise("f", lambda v: [f(v) == theory.fold(0, 2, 0, lambda k, t: t + g(v, k))])
    some = theory.fold(0, N, 0, lambda k, t: f(t))
    rows = {(0, 0): 1, (0, 1): 0, (1, 0): 0, (1, 1): 1}
    possible = conj(*(g(*at) == bit for at, bit in rows.items()))
    with pytest.raises(NotProved) as failure:
        follow(
            theory,
            "claim",
            [implies(N < -5, some == 0)],
            neg(possible),
            [],
            Hints(unfold=[2, 1]),
            ask,
        )
    assert failure.value.verdict is Verdict.REFUTED


# Products.

leaves = st.one_of(
    st.integers(-3, 3).map(const),
    st.sampled_from([var("t"), var("i")]),
    st.integers(0, 3).map(lambda k: expr.bit(var("i"), k)),
    st.just(expr.bit(var("i"), var("t"))),
    st.just(expr.pow2(var("t"))),
)
coefficients = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda both: both[0] + both[1]),
        st.tuples(inner, inner).map(lambda both: both[0] * both[1]),
        st.tuples(inner, st.integers(1, 4)).map(lambda both: both[0] // both[1]),
        st.tuples(inner, st.integers(1, 4)).map(lambda both: both[0] % both[1]),
        st.tuples(inner, inner).map(lambda both: expr.equal(*both)),
        st.tuples(inner, inner).map(lambda both: expr.at_most(*both)),
    ),
    max_leaves=5,
)
PARAMETERS = {"t": unknown("t"), "i": unknown("i")}


def multiplied(coefficient, value, t, i, times):
    """The product as `product` states it, at numbers."""
    stated = term(product(to_expr(coefficient), PARAMETERS, value))
    v = value if isinstance(value, int) else None
    return lambda number: evaluated(
        stated, {**integers(), "times": times, "t": t, "i": i, "v": number if v is None else v}
    )


@settings(max_examples=200)
@given(coefficients, st.integers(0, 6), st.integers(0, 15), numbers)
def test_a_product_is_a_product(coefficient, t, i, number):
    expected = to_expr(coefficient).evaluate({"t": t, "i": i}) * number
    real = multiplied(coefficient, V, t, i, lambda left, right: left * right)
    assert real(number) == expected
    known = multiplied(coefficient, number, t, i, lambda left, right: left * right)
    assert known(number) == expected


@given(leaves, st.integers(0, 6), st.integers(0, 15), st.integers(0, 1), numbers, numbers)
def test_a_product_by_cases_assumes_nothing_of_multiplication(coefficient, t, i, bit, number, odd):
    """A coefficient that is a bit, times anything; any coefficient, times a bit."""
    expected = to_expr(coefficient).evaluate({"t": t, "i": i})
    anything = multiplied(coefficient, V, t, i, lambda left, right: odd)
    assert anything(bit) == expected * bit
    if coefficient.op in ("bit", "const"):
        assert anything(number) == expected * number


def test_a_product_of_two_unknowns_is_not_known():
    stated = product(var("t"), PARAMETERS, V)
    known = at(t=2, v=3)
    assert ask(text_of([*known, stated == 6])).status == "sat"
    assert ask(text_of([*known, stated == 7])).status == "sat"


# What the solver is asked is what was meant.

integer_terms = st.deferred(
    lambda: st.one_of(
        st.integers(-5, 5).map(term),
        st.sampled_from([N, unknown("t!0"), unknown("1 2"), unknown("let")]),
        st.tuples(integer_terms, integer_terms).map(lambda two: two[0] + two[1] * 2 - two[0]),
        st.tuples(integer_terms, st.integers(1, 4)).map(lambda two: two[0] // two[1]),
        st.tuples(integer_terms, st.integers(1, 4)).map(lambda two: two[0] % two[1]),
        integer_terms.map(lambda one: apply("f", [-one])),
        st.tuples(truths, integer_terms, integer_terms).map(lambda three: ite(*three)),
    )
)
truths = st.deferred(
    lambda: st.one_of(
        st.booleans().map(formula),
        st.tuples(integer_terms, integer_terms).map(lambda two: two[0] <= two[1]),
        st.tuples(integer_terms, integer_terms).map(lambda two: two[0] != two[1]),
        st.tuples(truths, truths).map(lambda two: conj(two[0], neg(two[1]))),
        st.tuples(truths, truths).map(lambda two: disj(*two, two[0] == two[1])),
        st.tuples(truths, truths).map(lambda two: implies(*two)),
        st.lists(truths, max_size=1).map(lambda few: conj(*few)),
        st.lists(truths, max_size=1).map(lambda few: disj(*few)),
    )
)


@settings(max_examples=100)
@given(st.lists(truths, min_size=1, max_size=3), st.lists(numbers, min_size=4, max_size=4))
def test_the_text_for_the_solver_says_what_the_formulas_say(formulas, values):
    text = text_of(formulas)
    assert text == text_of(list(formulas))
    meaning = dict(zip(("n", "t!0", "1 2", "let"), values, strict=True))
    for name, number in meaning.items():
        shown = name if name in ("n", "t!0") else f"|{name}|"
        value = str(number) if number >= 0 else f"(- {-number})"
        text = text.replace(f"(declare-fun {shown} () Int)", f"(define-fun {shown} () Int {value})")
    text = text.replace(
        "(declare-fun f (Int) Int)", "(define-fun f ((x Int)) Int (- (* 3 x) (mod x 5)))"
    )
    assert "declare" not in text
    meaning["f"] = lambda x: 3 * x - x % 5
    expected = all(evaluated(each, meaning) for each in formulas)
    assert ask(text).status == ("sat" if expected else "unsat")


def test_shared_terms_take_no_name_of_a_constant():
    """A gadget with an array called t has a constant t!0 in its proof."""
    shared, own = N + V, unknown("t!0")
    formulas = [conj(shared + shared == 6, own == 7, N == 1, V == 2)]
    answer = ask(text_of(formulas))
    assert answer.status == "sat"
    assert answer.model == {"n": "1", "v": "2", "t!0": "7"}


@pytest.mark.parametrize("name", ["?0", "?", "a|b", "a\\b"])
def test_names_that_no_text_can_hold_are_refused(name):
    with pytest.raises(ValueError, match="name") as failure:
        text_of([unknown(name) == 0])
    expected = f"{name!r}: a name begins with '?' or contains '|' or '\\\\'"
    assert str(failure.value) == expected


# The solver's answers.


def test_a_model_gives_the_constants():
    text = text_of([N > 3, N < 5, V == -7, A * 0 == 0])
    answer = ask(text)
    assert (answer.status, answer.model["n"], answer.model["v"]) == ("sat", "4", "-7")
    assert ask(text).resources == answer.resources > 0
    assert ask(text_of([N > 3, N < 4])).model == {}


def test_without_a_budget_only_time_ends_a_search():
    text = text_of([N > 3, N < 5])
    assert solve(text, 1, 60).status == "unknown"
    assert solve(text, 0, 60).status == "sat"
