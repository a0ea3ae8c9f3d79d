"""The kernel: no theorem but by a rule, and no rule that can be misused.

Each rule is given what must not go through: a goal that does not follow, hypotheses that
contradict each other, a false base or step, a solver that gives up, theorems out of their scope.
"""

import ast
import copy
from pathlib import Path

import pytest
from hypothesis import given as given_
from hypothesis import strategies as st
from proof_samples import ask
from term_values import evaluated

import proofs.kernel
from proofs.gadget_view import SymbolicView
from proofs.kernel import Hints, NotProved, Theorem, cases, follow, induction
from proofs.results import Answer, Verdict
from proofs.scripts import SCRIPTS
from proofs.scripts.common import spelled
from proofs.smtlib import text_of
from proofs.solver import solve
from proofs.terms import conj, disj, formula, implies, neg, term, unknown
from proofs.theory import Theory
from verified_mlp.gadgets.match import match
from verified_mlp.logic import pow2

N, X, Y, A, B = (unknown(name) for name in ("n", "x", "y", "a", "b"))
NO_HINTS = Hints()


def prove(given, goal, uses=(), theory=None, hints=NO_HINTS, ask=ask):
    return follow(theory or Theory(), "claim", given, goal, uses, hints, ask)


def by_induction(goal, low=0, high=10, given=(), uses=(), theory=None, variable="n", ask=ask):
    theory = theory or Theory()
    return induction(theory, "claim", variable, low, high, given, goal, uses, NO_HINTS, ask)


def refused(verdict, reason, attempt):
    with pytest.raises(NotProved) as failure:
        attempt()
    assert failure.value.verdict is verdict
    assert failure.value.reason == str(failure.value) == reason
    return failure.value.model


def is_true(statement, **numbers):
    """The truth of a formula without functions, at numbers."""
    return evaluated(statement, numbers)


def length(theory):
    """1 + ... + 1, n times."""
    return theory.fold(0, N, 0, lambda k, total: total + 1)


# A theorem is made by a rule.


def test_a_theorem_is_not_made_by_hand():
    for seal in (None, object(), "_SEAL"):
        with pytest.raises(TypeError) as failure:
            Theorem(seal, Theory(), "false", (), formula(False), "follow")
        assert str(failure.value) == "a Theorem is made by a rule of the kernel, not by hand"


@pytest.mark.parametrize("slot", ["given", "goal", "name", "theory", "other"])
def test_a_theorem_does_not_change(slot):
    theorem = prove([X > 0], X >= 1)
    with pytest.raises(AttributeError) as failure:
        setattr(theorem, slot, formula(False))
    assert str(failure.value) == f"the {slot} of a Theorem cannot be changed"
    assert theorem.goal is (X >= 1)


def test_a_copy_cannot_be_filled_in():
    with pytest.raises(AttributeError, match="of a Theorem cannot be changed"):
        copy.copy(prove([X > 0], X >= 1))


def test_only_the_kernel_makes_theorems():
    package = Path(proofs.kernel.__file__).parent
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
        made = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Theorem"
        ]
        assert bool(made) == ("_SEAL" in names) == (path.name == "kernel.py"), path


# Consequence.


def test_what_follows_is_a_theorem():
    theorem = prove([X > 0, Y > 0], X + Y >= 2)
    assert theorem.name == "claim"
    assert [str(each) for each in theorem.given] == ["x > 0", "y > 0"]
    assert str(theorem.goal) == "(x + y) >= 2"


def test_python_truth_values_are_formulas():
    assert prove([True], True).goal is formula(True)
    refused(Verdict.REFUTED, "claim: the goal does not follow", lambda: prove([], False))
    refused(
        Verdict.VACUOUS,
        "claim: the hypotheses contradict each other",
        lambda: prove([False], X == 0),
    )


@given_(st.integers(-20, 20), st.integers(-20, 20), st.integers(-3, 3))
def test_a_goal_that_does_not_follow_has_a_countermodel(low, limit, factor):
    """`low <= x` implies `factor * x <= limit` in no more cases than these."""
    given, goal = [low <= X, low + 5 >= X], factor * X <= limit
    holds = all(factor * x <= limit for x in range(low, low + 6))
    if holds:
        assert prove(given, goal).goal is (goal)
        return
    reason = "claim: the goal does not follow"
    model = refused(Verdict.REFUTED, reason, lambda: prove(given, goal))
    x = int(model["x"])
    assert low <= x <= low + 5
    assert factor * x > limit


def test_contradicting_hypotheses_prove_nothing():
    reason = "claim: the hypotheses contradict each other"
    for given in ([X > 0, X < 0], [X > 0, X < 1], [pow2(N) < 1, N >= 0]):
        refused(Verdict.VACUOUS, reason, lambda given=given: prove(given, X == 77))
        refused(Verdict.VACUOUS, reason, lambda given=given: prove(given, False))


def test_hypotheses_that_contradict_the_axioms_prove_nothing():
    theory = Theory()
    bit = theory.declare("x", 0, lambda: 1)()
    reason = "claim: the hypotheses contradict each other"
    refused(Verdict.VACUOUS, reason, lambda: prove([bit == 2], Y == 0, theory=theory))


def test_hypotheses_that_contradict_a_theorem_prove_nothing():
    theory = Theory()
    square = by_induction(length(theory) == N, theory=theory)
    reason = "claim: the hypotheses contradict each other"
    given = [length(theory) == 7, N == 6]
    attempts = [
        lambda: prove(given, X == 0, [(square, {})], theory),
        lambda: prove([N == 6, length(theory) > N], False, [(square, {})], theory),
    ]
    for attempt in attempts:
        refused(Verdict.VACUOUS, reason, attempt)


# Induction.


def test_induction_concludes_for_the_range_only():
    theory = Theory()
    count = by_induction(length(theory) == N, theory=theory)
    assert [str(each) for each in count.given] == ["0 <= n", "n <= 10"]
    inside = prove([N >= 2, N <= 10], length(theory) >= 2, [(count, {})], theory)
    assert inside.goal is (length(theory) >= 2)
    for outside in (N == 11, N == -1):
        with pytest.raises(NotProved) as failure:
            prove([outside], length(theory) == N, [(count, {})], theory)
        assert failure.value.verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("goal", "part"),
    [
        pytest.param(N >= 1, "base", id="false at the lower end, true of every step"),
        pytest.param(N < 10, "step", id="false at the upper end"),
        pytest.param(N != 5, "step", id="false in the middle"),
        pytest.param(N % 2 == 0, "step", id="true of the base"),
    ],
)
def test_a_false_base_or_step_is_refused(goal, part):
    reason = f"claim, {part}: the goal does not follow"
    refused(Verdict.REFUTED, reason, lambda: by_induction(goal))


def test_the_step_may_not_go_below_the_base():
    """From 3 on; at 2 the goal is false."""
    assert by_induction(N >= 3, low=3).goal is (N >= 3)
    reason = "claim, base: the goal does not follow"
    refused(Verdict.REFUTED, reason, lambda: by_induction(N >= 3, low=2))


@pytest.mark.parametrize(
    "arguments",
    [
        {"given": [N > 3]},
        {"given": [implies(X > 0, Y + 2 * N > 3)]},
        {"low": N - 1},
        {"high": X + N},
    ],
)
def test_hypotheses_and_bounds_may_not_mention_the_variable(arguments):
    with pytest.raises(ValueError, match="induction") as failure:
        by_induction(N >= 0, **arguments)
    expected = "claim: the hypotheses and bounds of an induction mention n"
    assert str(failure.value) == expected


def test_the_axioms_may_not_mention_the_variable():
    """With 0 <= c <= n, `n = 0 or c <= n - 1` is true of 0 and of every step, and false."""
    theory = Theory()
    c = theory.declare("c", 0, lambda: N)()
    with pytest.raises(ValueError, match="induction") as failure:
        by_induction(disj(N == 0, c <= N - 1), theory=theory)
    expected = "claim: the axioms speak of n, the variable of an induction"
    assert str(failure.value) == expected


def test_an_empty_range_is_vacuous():
    reason = "claim, base: the hypotheses contradict each other"
    refused(Verdict.VACUOUS, reason, lambda: by_induction(N == 77, low=3, high=2))


def test_symbolic_bounds_may_be_empty_for_some():
    """With symbolic ends the range is not always empty, and the conclusion is for its members."""
    theorem = by_induction(N >= A, low=A, high=B)
    assert prove([A <= N, N <= B], N >= A, [(theorem, {})], theorem.theory)


def test_contradicting_hypotheses_prove_nothing_by_induction():
    reason = "claim, base: the hypotheses contradict each other"
    refused(Verdict.VACUOUS, reason, lambda: by_induction(N >= 5, given=[X > 0, X < 0]))


# Conjunction.


def conjunction(domain, goals, ask=ask):
    return cases(Theory(), "claim", domain, goals, ask)


BIT = [X >= 0, X <= 1]


def test_every_case_is_proved():
    theorem = conjunction(BIT, [("one", BIT, X <= 1), ("two", BIT[:1], 2 * X >= X)])
    assert theorem.given == ()
    assert is_true(theorem.goal, x=0)
    both = conj(implies(conj(*BIT), X <= 1), implies(X >= 0, 2 * X >= X))
    assert prove([], theorem.goal == both)


@pytest.mark.parametrize(
    ("domain", "goals", "verdict", "reason"),
    [
        pytest.param(BIT, [], Verdict.VACUOUS, "claim: there is nothing to prove", id="no case"),
        pytest.param(
            [*BIT, X == 2],
            [("one", BIT, X <= 1)],
            Verdict.VACUOUS,
            "claim: the domain is empty",
            id="empty domain",
        ),
        pytest.param(
            [False],
            [("one", BIT, X <= 1)],
            Verdict.VACUOUS,
            "claim: the domain is empty",
            id="domain that is never",
        ),
        pytest.param(
            BIT,
            [("one", BIT, X <= 1), ("two", BIT, X == 0)],
            Verdict.REFUTED,
            "claim, two: the goal does not follow",
            id="one false case",
        ),
        pytest.param(
            BIT,
            [("one", BIT, X <= 1), ("two", [X > 2, X < 1], X == 0)],
            Verdict.VACUOUS,
            "claim, two: the hypotheses contradict each other",
            id="one empty case",
        ),
    ],
)
def test_one_bad_case_is_enough(domain, goals, verdict, reason):
    refused(verdict, reason, lambda: conjunction(domain, goals))


# Every answer must be as required.

RULES = {
    "follow": lambda ask: prove([X > 0], X >= 1, ask=ask),
    "induction": lambda ask: by_induction(N >= 0, given=[X > 0], ask=ask),
    "cases": lambda ask: conjunction(BIT, [("one", BIT, X <= 1), ("two", BIT, X >= 0)], ask),
}
FAILURES = {
    "unknown": (Verdict.UNKNOWN, "the solver gave up within its budget"),
    "timeout": (Verdict.TIMEOUT, "the solver ran out of time"),
}


class Altered:
    """The solver, with one answer replaced."""

    def __init__(self, place, status):
        self.place, self.status, self.asked = place, status, 0

    def __call__(self, text):
        answer = ask(text)
        self.asked += 1
        if self.asked - 1 != self.place:
            return answer
        flipped = {"sat": "unsat", "unsat": "sat"}[answer.status]
        status = flipped if self.status == "flipped" else self.status
        return Answer(status, 0, 0, {})


@pytest.mark.parametrize("status", ["unknown", "timeout", "flipped"])
@pytest.mark.parametrize("rule", RULES)
def test_one_answer_that_is_not_as_required_is_enough(rule, status):
    whole = Altered(-1, status)
    RULES[rule](whole)
    assert whole.asked == {"follow": 2, "induction": 4, "cases": 5}[rule]
    for place in range(whole.asked):
        with pytest.raises(NotProved) as failure:
            RULES[rule](Altered(place, status))
        if status == "flipped":
            assert failure.value.verdict in (Verdict.REFUTED, Verdict.VACUOUS)
        else:
            verdict, reason = FAILURES[status]
            assert failure.value.verdict is verdict
            assert failure.value.reason.endswith(f": {reason}")


def test_a_budget_that_is_spent_is_unknown():
    reason = "claim: the solver gave up within its budget"
    little = lambda text: solve(text, 1, 60)  # noqa: E731
    refused(Verdict.UNKNOWN, reason, lambda: prove([X > 0], 2 * X >= X + 1, ask=little))


HARD = [X > 0, Y > 0, A > 0, X * X * X + Y * Y * Y == A * A * A]


def test_a_time_out_is_no_proof():
    """No cube is the sum of two, which no solver finds in a moment."""
    short = lambda text: solve(text, 0, 0.05)  # noqa: E731
    assert short(text_of(HARD)).status == "timeout"
    refused(
        Verdict.TIMEOUT,
        "claim: the solver ran out of time",
        lambda: prove(HARD[:3], neg(HARD[3]), ask=short),
    )


# Instances.


def test_an_instance_replaces_constants_all_at_once():
    theorem = prove([A < B], A + 1 <= B)
    assert theorem.instance({}) is (implies(conj(A < B), A + 1 <= B))
    assert theorem.instance({"a": B, "b": A}) is (implies(conj(B < A), B + 1 <= A))
    assert theorem.instance({"a": 3, "b": X + N}) is (
        implies(conj(term(3) < X + N), term(3) + 1 <= X + N)
    )
    assert theorem.instance({"elsewhere": 3}) is (theorem.instance({}))


@given_(*[st.integers(-9, 9)] * 4)
def test_an_instance_at_numbers_is_the_statement_at_numbers(a, b, x, shift):
    theorem = prove([A < B, X > 0], A * 2 < 2 * B + X)
    got = theorem.instance({"a": unknown("x") - shift, "b": b, "x": X})
    expected = not (x - shift < b and x > 0) or (x - shift) * 2 < 2 * b + x
    assert is_true(got, x=x, a=a) == expected


def test_an_instance_says_nothing_where_its_hypotheses_fail():
    theory = Theory()
    positive = prove([X > 0], X * 2 > 1, theory=theory)
    assert prove([Y > 4], Y * 2 > 1, [(positive, {"x": Y})], theory)
    with pytest.raises(NotProved):
        prove([Y > -4], Y * 2 > 1, [(positive, {"x": Y})], theory)


def test_a_theorem_is_of_its_theory():
    """In another theory the same name is another function: here n + n instead of n."""
    theory, other = Theory(), Theory()
    count = by_induction(length(theory) == N, theory=theory)
    twice = other.fold(0, N, 0, lambda k, total: total + 2)
    attempts = [
        lambda: prove([N == 3], twice == 3, [(count, {})], other),
        lambda: by_induction(twice == N, uses=[(count, {})], theory=other),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="theory") as failure:
            attempt()
        assert str(failure.value) == "claim: claim is a theorem of another theory"


def test_constants_of_which_the_axioms_speak_stay():
    """With 0 <= x <= a, `x <= a` is a theorem; neither `y <= a` nor `x <= y` is one."""
    theory = Theory()
    x = theory.declare("x", 0, lambda: A)()
    bounded = prove([], x <= A, theory=theory)
    for name in ("x", "a"):
        with pytest.raises(ValueError, match="axioms") as failure:
            bounded.instance({name: Y})
        assert str(failure.value) == f"claim: the axioms speak of {name}, so it stays as it is"


def test_arguments_of_the_axioms_may_be_replaced():
    theory = Theory()
    bits = theory.declare("bits", 1, lambda k: k + 1)
    bounded = prove([N >= 0], bits(N) <= N + 1, theory=theory)
    assert prove([Y >= 3], bits(Y) <= Y + 1, [(bounded, {"n": Y})], theory)


def test_the_address_that_a_gadget_matches_stays():
    """`h` is the neuron for the address i; it is not the neuron for the address 3."""
    view = SymbolicView(match(bits=4))
    known = {}
    for part in SCRIPTS["match"](view):
        known[part.name] = part.prove(view.theory, known, ask)
    word = spelled(view, view.inputs["p"], 0, 4)
    given, goal = [word == 3, view.inputs["on"] == 1], view.neuron(0, "h") == 1
    with pytest.raises(ValueError, match="axioms") as failure:
        prove(given, goal, [(known["specification"], {"i": 3})], view.theory)
    assert str(failure.value) == "specification: the axioms speak of i, so it stays as it is"
    assert prove(
        [*view.domain(), *given, view.parameters["i"] == 3],
        goal,
        [(known["specification"], {})],
        view.theory,
    )
