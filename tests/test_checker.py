"""The checker of evidence: what it accepts, and every way in which it refuses."""

import itertools
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import checker
from proofs.checker import Refused, check
from proofs.evidence import Function, Model, Refutation, UnreadableEvidence, from_json, to_json
from proofs.find_evidence import find


def script(declared, *assertions):
    """A text that declares constants, and functions with a number of arguments after a slash."""
    lines = ["(set-logic ALL)"]
    for name, _, arity in (each.partition("/") for each in declared.split()):
        lines.append(f"(declare-fun {name} ({' '.join(['Int'] * int(arity or 0))}) Int)")
    return "\n".join([*lines, *(f"(assert {each})" for each in assertions), "(check-sat)", ""])


def refused(text, evidence):
    with pytest.raises(Refused) as caught:
        check(text, evidence)
    return str(caught.value)


# Nodes: 2 is x + y >= 2, which is known not to hold; 3 and 4 are x >= 1 and y >= 1.
SUMS = script("x y", "(<= (+ x y) 1)", "(>= x 1)", "(>= y 1)")
SUMS_SHOWN = Refutation([0, 1, 2], farkas=[[-2, 1, 3, 1, 4, 1]], moves=[5])
# Node 2 is x >= 0, and 2 (x + 1) >= 3 becomes node 3, x >= 1.
ROUNDED = Refutation([0, 2], farkas=[[-2, 1, 3, 1]], moves=[4])
# Nodes: 2 and 3 are x >= 1 and y >= 1; 4 to 7 each exclude one of the four combinations.
CASES = script(
    "x y",
    "(or (> x 0) (> y 0))",
    "(or (> x 0) (not (> y 0)))",
    "(or (not (> x 0)) (> y 0))",
    "(or (not (> x 0)) (not (> y 0)))",
)
ALL = [0, 1, 2, 3]
CASES_SHOWN = Refutation(ALL, moves=[-2, 6, 7, 4, 5])
# Terms: 1 to 4 are x, y, f(x), f(y).  Nodes: 4 is x = y, 7 is f(x) = f(y).
EQUALS = script("x y f/1 g/1", "(= x y)", "(not (= (f x) (f y)))")
EQUALS_SHOWN = Refutation([0, 1], congruences=[(3, 4)], moves=[8])
# Node 2 is x - y >= 1; the cuts are nodes 3 and 4: x >= 3 and y >= 3.
CUT = script("x y", "(> x y)", "(<= x 3)", "(>= (* 2 y) 5)")
CUT_SHOWN = Refutation([0, 1, 2], cuts=[[3, 2, 1]], farkas=[[2, 1, -3, 1, 4, 1]], moves=[5])


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        (SUMS, SUMS_SHOWN),
        (SUMS, Refutation([0, 1, 2], farkas=[[-2, "1/2", 3, "2/4", 4, "1/2"]], moves=[5])),
        (CASES, CASES_SHOWN),
        (CASES, Refutation(ALL, moves=[-3, 5, 7, 4, 6])),
        (EQUALS, EQUALS_SHOWN),
        (CUT, CUT_SHOWN),
        (script("x", "(= (* 2 x) 1)"), Refutation([0])),
        (script("x", "(>= (mod x 4) 4)"), Refutation([0])),
        (script("x", "(< (mod x 4) 0)"), Refutation([0])),
        (script("x", "(> (* 8 (div x 8)) x)"), Refutation([0])),
        (script("x", "(< x 0)", "true", "(let ((y (+ x 1))) (> (+ y y) 2))"), ROUNDED),
        (
            script("x y", "(< (ite (> x y) x y) x)"),
            Refutation([0], farkas=[[3, 1, -2, 1, -7, 1]], moves=[5, 6, 10, 11]),
        ),
        (
            script("x y", "(= x y)", "(not (= (div x 2) (div y 2)))"),
            Refutation(
                [0, 1],
                farkas=[[-3, 1, 8, 1, -11, 1, 6, 2], [2, 1, -9, 1, 10, 1, -5, 2]],
                moves=[-5, 7, 12, 13],
            ),
        ),
    ],
)
def test_refutations_that_are_accepted(text, evidence) -> None:
    check(text, evidence)
    assert from_json(to_json(evidence)) == evidence


def no_set(*numbers):
    return Refutation([0, 1, 2], farkas=[list(numbers)], moves=[5])


@pytest.mark.parametrize(
    ("text", "evidence", "message"),
    [
        (SUMS, Refutation([0, 1, 3]), "Assertion 3 is used but does not exist."),
        (SUMS, Refutation([-1]), "Assertion -1 is used but does not exist."),
        (SUMS, Refutation([]), "The moves end, and 1 of the cases are not closed."),
        (SUMS, Refutation([0, 1, 2]), "The moves end, and 1 of the cases are not closed."),
        (
            SUMS,
            no_set(-2, 1, 3, 1, 4, 2),
            "Farkas set 0 does not add up to a number below 0.",
        ),
        (SUMS, no_set(2, 1, 3, 1, 4, 1), "Farkas set 0 does not add up to a number below 0."),
        (SUMS, no_set(-2, 1, 3, 1), "Farkas set 0 does not add up to a number below 0."),
        (SUMS, no_set(), "Farkas set 0 does not add up to a number below 0."),
        (SUMS, no_set(-2, 1, 3), "Farkas set 0 has a literal without a multiplier."),
        (SUMS, no_set(-2, 0, 3, 1), "Farkas set 0: 0 is not a multiplier above 0."),
        (SUMS, no_set(-2, -1, -3, -1), "Farkas set 0: -1 is not a multiplier above 0."),
        (SUMS, no_set(-2, "-1", 3, 1), "Farkas set 0: '-1' is not a multiplier above 0."),
        (SUMS, no_set(-2, "1/0", 3, 1), "Farkas set 0: '1/0' is not a multiplier above 0."),
        (SUMS, no_set(-2, "1/", 3, 1), "Farkas set 0: '1/' is not a multiplier above 0."),
        (SUMS, no_set(-2, "/2", 3, 1), "Farkas set 0: '/2' is not a multiplier above 0."),
        (SUMS, no_set(-2, "1/2/3", 3, 1), "Farkas set 0: '1/2/3' is not a multiplier above 0."),
        (SUMS, no_set(-2, "0.5", 3, 1), "Farkas set 0: '0.5' is not a multiplier above 0."),
        (SUMS, no_set(-2, "²", 3, 1), "Farkas set 0: '²' is not a multiplier above 0."),
        (
            SUMS,
            no_set(-2, "9" * 5000, 3, 1),
            f"Farkas set 0: '{'9' * 39} is not a multiplier above 0.",
        ),
        (SUMS, no_set(1, 1), "Farkas set 0: 1 is not the number of a bound."),
        (SUMS, no_set(0, 1), "Farkas set 0: 0 is not the number of a bound."),
        (SUMS, no_set(99, 1), "Farkas set 0: 99 is not the number of a bound."),
        (SUMS, no_set("2", 1), "Farkas set 0: '2' is not the number of a bound."),
        (CASES, Refutation(ALL, farkas=[[4, 1]]), "Farkas set 0: 4 is not the number of a bound."),
        (
            SUMS,
            Refutation([0, 1, 2], farkas=[[-2, 1, 3, 1, 4, 1]], moves=[5, 5]),
            "Move 1 comes after every case is closed.",
        ),
        (CASES, Refutation(ALL, moves=[8]), "Move 0 is at node 8, which does not exist."),
        (CASES, Refutation(ALL, moves=[-8]), "Move 0 is at node 8, which does not exist."),
        (CASES, Refutation(ALL, moves=[0]), "Move 0 is at node 0, which does not exist."),
        (CASES, Refutation(ALL, moves=[4]), "Move 0: nothing follows at node 4 in this case."),
        (CASES, Refutation(ALL, moves=[2]), "Move 0: nothing follows at node 2 in this case."),
        (CASES, Refutation(ALL, moves=[1]), "Move 0: nothing follows at node 1 in this case."),
        (
            CASES,
            Refutation(ALL, moves=[-2, 6, 7]),
            "The moves end, and 1 of the cases are not closed.",
        ),
        (
            CASES,
            Refutation(ALL, moves=[-2, 6]),
            "The moves end, and 2 of the cases are not closed.",
        ),
        (
            # What one case knows is forgotten in the other.
            CASES,
            Refutation(ALL, moves=[-2, 6, 7, 7]),
            "Move 3: nothing follows at node 7 in this case.",
        ),
        (
            CASES,
            Refutation([0, 1, 2], moves=CASES_SHOWN.moves),
            "Move 2 is at node 7, which does not exist.",
        ),
        (
            EQUALS,
            Refutation([0, 1], congruences=[(3, 5)]),
            "A congruence is of terms 3 and 5, which do not both exist.",
        ),
        (
            EQUALS,
            Refutation([0, 1], congruences=[(0, 3)]),
            "A congruence is of terms 0 and 3, which do not both exist.",
        ),
        (
            EQUALS,
            Refutation([0, 1], congruences=[(1, 3)]),
            "Terms 1 and 3 are not applications of one function.",
        ),
        (
            CUT,
            Refutation([0, 1, 2], cuts=[[3, 2]]),
            "Cut 0 is not a number, followed by terms and coefficients.",
        ),
        (
            CUT,
            Refutation([0, 1, 2], cuts=[[]]),
            "Cut 0 is not a number, followed by terms and coefficients.",
        ),
        (
            CUT,
            Refutation([0, 1, 2], cuts=[[3, 4, 1]]),
            "Cut 0 is not a number, followed by terms and coefficients.",
        ),
        (
            script("x", "(* x x)"),
            Refutation([0]),
            "The text cannot be read. Two expressions are multiplied, none of them whole.",
        ),
    ],
)
def test_refutations_that_are_refused(text, evidence, message) -> None:
    assert refused(text, evidence) == message


def test_a_cut_states_nothing() -> None:
    text = script("x", "(>= x 0)")
    assert refused(text, Refutation([0], cuts=[[5, 1, 1], [-4, 1, -1]])) == (
        "The moves end, and 1 of the cases are not closed."
    )


def test_a_congruence_needs_equal_arguments() -> None:
    text = script("x y f/1", "(= x (+ y 1))", "(not (= (f x) (f y)))")
    evidence = Refutation([0, 1], congruences=[(3, 4)])
    assert refused(text, evidence) == "The moves end, and 1 of the cases are not closed."


NUMBERS = st.integers(-15, 15) | st.integers()
REFUTATIONS = st.builds(
    Refutation,
    st.lists(st.integers(0, 4) | NUMBERS, max_size=6),
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3),
    st.lists(st.lists(NUMBERS, max_size=5), max_size=3),
    st.lists(st.lists(NUMBERS | st.text("0123456789/-", max_size=5), max_size=6), max_size=2),
    st.lists(NUMBERS, max_size=12),
)


@settings(max_examples=500, deadline=None)
@given(REFUTATIONS)
def test_whatever_claims_to_refute_what_has_a_model_is_refused(evidence) -> None:
    text = script(
        "x y f/1",
        "(or (> x 0) (> y 0))",
        "(or (> x 0) (not (> (f y) (f x))))",
        "(= (mod x 2) (ite (< x y) 1 0))",
        "(< (+ x y) 9)",
        "(=> (= x y) (< (f x) 3))",
    )
    check(text, Model({"x": 2, "y": 1}, {"f": Function([], 0)}))
    assert refused(text, evidence).endswith(".")


def test_the_work_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(checker, "WORK", 7)
    check(SUMS, SUMS_SHOWN)
    message = "Move 4: the steps look at more than 7 literals."
    assert refused(CASES, CASES_SHOWN) == message


MODELLED = script("x f/1", "(= (f (+ x 1)) 7)", "(= (f 0) (mod (- 7) 4))", "(> (div x 2) 1)")
MODEL = Model({"x": 4}, {"f": Function([[5, 7]], 1)})


def test_models_that_are_accepted() -> None:
    check(MODELLED, MODEL)
    assert from_json(to_json(MODEL)) == MODEL
    check(script(""), Model())
    logical = "(and (=> false true) (or false true) (= false (not true)) (ite true true false))"
    check(script("", logical, "(= (ite (<= 2 2) (* 2 3) 0) (- 7 1))", "(>= (- 2) (- 3))"), Model())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model({"x": 3}, MODEL.functions), "Assertion 0 does not hold under the model."),
        (
            Model({"x": 4}, {"f": Function([[5, 7]], 2)}),
            "Assertion 1 does not hold under the model.",
        ),
        (Model({}, MODEL.functions), "The model does not say what 'x' is."),
        (Model({"x": 4}), "The model does not say what 'f' is."),
        (
            Model({"x": 4}, {"f": Function([[5, 5, 7]], 1)}),
            "The model's rows for 'f' do not have its arguments and a value.",
        ),
        (
            Model({"x": 4}, MODEL.functions | {"x": Function([[4]], 4)}),
            "The model's rows for 'x' do not have its arguments and a value.",
        ),
        (
            Model({"x": 4}, {"f": Function([[5, 7], [5, 8]], 1)}),
            "The model gives 'f' two values for the same arguments.",
        ),
        (
            Model({"x": 4, "y": 1}, MODEL.functions),
            "The model gives a value to 'y', which is no constant.",
        ),
    ],
)
def test_models_that_are_refused(model, message) -> None:
    assert refused(MODELLED, model) == message


DEEP = "(+ 1 " * 300 + "1" + ")" * 300
NESTED = "Expressions are nested more than 200 deep."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The text does not end with (check-sat)."),
        ("(check-sat", "The text ends before all parentheses are closed."),
        ("(check-sat))", "The text has a closing parenthesis too many."),
        ('(assert ") (check-sat)', 'The text has a " that does not belong to a name.'),
        ("(assert |x) (check-sat)", "The text has a | that does not belong to a name."),
        (f"(assert {'9' * 5000}) (check-sat)", "A number of the text has too many digits."),
        ("(push 1) (check-sat)", "This command is not understood: (push 1)"),
        ("(check-sat) (check-sat)", "This command is not understood: (check-sat)"),
        (
            "(declare-fun x (Bool) Int) (check-sat)",
            "This command is not understood: (declare-fun x (Bool) Int)",
        ),
        (script("x x"), "'x' is declared but already means something."),
        (script("and"), "'and' is declared but already means something."),
        (script("", "(< y 1)"), "'y' is not declared, or needs arguments."),
        (script("", "(let ((a 1) (a 2)) true)"), "A `let` does not bind different names to "
         "expressions."),
        (script("", f"(< 0 {DEEP})"), NESTED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("evidence", [Refutation([0]), Model()])
def test_texts_that_cannot_be_read(text, message, evidence) -> None:
    assert refused(text, evidence) == f"The text cannot be read. {message}"


@pytest.mark.parametrize(
    "assertion",
    [
        *("(f 1 2)", "(and true)", "(not 1)", "(< true 1)", "(= 1 true)", "(ite 1 2 3)"),
        *("(div x 0)", "(mod x (- 2))", "(f true)", "(1 2)", "()", "x", "(ite true 1 false)"),
        *("(let ((f 1)) (< (f 1) 2))", "(let ((x true)) (< x 2))", "(- true)", "(< 1 2 3)"),
        "(abs x)",
    ],
)
def test_both_kinds_of_evidence_refuse_what_has_no_meaning(assertion) -> None:
    text = script("x f/1", assertion)
    refused(text, Refutation([0]))
    refused(text, Model({"x": 0}, {"f": Function([], 0)}))


def test_bytes_that_are_no_evidence() -> None:
    with pytest.raises(UnreadableEvidence) as caught:
        from_json(b'{"answer":"unsat","assertions":[true]}')
    assert str(caught.value) == (
        "This is no evidence: Expected `int`, got `bool` - at `$.assertions[0]`."
    )
    for document in (b"", b"{}", b"[" * 100_000, b'{"answer":"sat","functions":{"f":[[[]]]}}'):
        with pytest.raises(UnreadableEvidence, match=r"^This is no evidence: .*\.$"):
            from_json(document)


def test_the_checker_imports_no_solver() -> None:
    look = "import sys, proofs.checker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "proofs" in loaded
    assert not loaded & {"z3", "cvc5", "sympy", "numpy", "scipy"}


RANGE = range(-3, 4)


def random_term(choose, depth):
    if depth == 0:
        return choose.choice(["x", "y", "(f x)", "(f y)", str(choose.randrange(4))])
    one, two = random_term(choose, depth - 1), random_term(choose, 0)
    return choose.choice(
        [
            f"(+ {one} {two})",
            f"(- {one} {two})",
            f"(* 2 {one})",
            f"(div {one} 2)",
            f"(mod {one} 3)",
            f"(f {two})",
            f"(ite (< {one} {two}) {two} {one})",
        ]
    )


def random_formula(choose, depth):
    if depth == 0:
        relation = choose.choice(["<", "<=", "=", ">", ">="])
        return f"({relation} {random_term(choose, choose.randrange(2))} {random_term(choose, 1)})"
    one, two = random_formula(choose, depth - 1), random_formula(choose, 0)
    return choose.choice(
        [f"(or {one} {two})", f"(=> {one} {two})", f"(not {one})", f"(= {one} {two})"]
    )


def has_small_model(text, choose):
    """Whether a model is found by trying values, without any solver."""
    for x, y in itertools.product(RANGE, RANGE):
        table = Function([[x, choose.choice(RANGE)]], choose.choice(RANGE))
        try:
            check(text, Model({"x": x, "y": y}, {"f": table}))
        except Refused:
            continue
        return True
    return False


def random_refutation(choose, count):
    """Something with the form of evidence, most numbers of which exist."""
    node = lambda: choose.randrange(2, 14)  # noqa: E731
    return Refutation(
        sorted(choose.sample(range(count), choose.randrange(1, count + 1))),
        congruences=choose.choice([[], [(choose.randrange(1, 6), choose.randrange(1, 6))]]),
        cuts=choose.choice([[], [[choose.randrange(3), choose.randrange(1, 4), 1]]]),
        farkas=[
            [number for _ in range(2) for number in (choose.choice([1, -1]) * node(), 1)]
            for _ in range(choose.randrange(2))
        ],
        moves=[choose.choice([1, 1, -1]) * node() for _ in range(choose.randrange(6))],
    )


def test_nothing_refutes_what_has_a_model() -> None:
    """Satisfiable texts, each with evidence for a text that differs by an assertion."""
    choose = random.Random(3)
    borrowed = tried = 0
    while borrowed < 60:
        formulas = [random_formula(choose, choose.randrange(3)) for _ in range(3)]
        text = script("x y f/1", *formulas)
        if not has_small_model(text, choose):
            continue
        assert find(text, "unsat") is None
        for _ in range(20):
            refused(text, random_refutation(choose, 3))
            tried += 1
        other = script("x y f/1", *formulas, random_formula(choose, 0), random_formula(choose, 0))
        evidence = find(other, "unsat")
        if evidence is None:
            continue
        borrowed += 1
        check(other, evidence)
        refused(text, evidence)
        for positions in itertools.combinations(range(3), min(3, len(evidence.assertions))):
            replaced = Refutation(
                list(positions),
                evidence.congruences,
                evidence.cuts,
                evidence.farkas,
                evidence.moves,
            )
            refused(text, replaced)
    assert tried > 1000
