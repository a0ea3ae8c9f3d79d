"""Evidence that is found: for queries of real proofs, and what becomes of it when it is changed."""

import random
import re
from collections import Counter

import pytest
import z3
from msgspec.structs import replace

from proofs.checker import Refused, check, starting_literals
from proofs.evidence import Function, Model, Refutation, to_json
from proofs.find_evidence import find
from proofs.normal_form import Formulas
from proofs.smt_reader import read
from proofs.verify import Options, obligations, run, select
from verified_mlp.machine.shape import Shape

SHAPE = Shape(4, 5)
GADGETS = ["increment", "is_zero", "block_bits", "block_carries", "choose", "match"]


@pytest.fixture(scope="module")
def queries():
    """Texts of real proofs with their answers, by cases, by induction and from lemmas."""
    chosen = select(obligations(SHAPE), GADGETS)
    results = run(SHAPE, chosen, Options(queries=True, cache=False))
    found = {query.text: query.answer for result in results for query in result.queries}
    assert Counter(found.values()).keys() == {"sat", "unsat"}
    return found


@pytest.fixture(scope="module")
def evidence(queries):
    return {text: find(text, answer) for text, answer in queries.items()}


def accepted(text, evidence):
    try:
        check(text, evidence)
    except Refused:
        return False
    return True


def test_every_query_has_evidence(queries, evidence) -> None:
    for text, found in evidence.items():
        assert found is not None, text
        assert isinstance(found, Refutation if queries[text] == "unsat" else Model)
        check(text, found)


def test_evidence_is_found_the_same_each_time(queries, evidence) -> None:
    for text in list(queries)[::7]:
        assert to_json(find(text, queries[text])) == to_json(evidence[text])


def test_nothing_is_found_for_the_wrong_status(queries) -> None:
    for text, answer in list(queries.items())[::5]:
        assert find(text, "sat" if answer == "unsat" else "unsat") is None
        assert find(text, "unknown") is None


def declared(*assertions):
    lines = [f"(declare-fun {name} () Int)" for name in ("x", "y", "z")]
    lines.append("(declare-fun f (Int) Int)")
    return "\n".join([*lines, *(f"(assert {each})" for each in assertions), "(check-sat)"])


@pytest.mark.parametrize(
    "assertions",
    [
        ["(= (* 2 x) (+ 1 (* 4 y)))"],
        ["(= x (+ y 1))", "(= (div x 2) 3)", "(= (div y 2) 1)"],
        ["(= x y)", "(not (= (mod x 7) (mod y 7)))"],
        ["(= y (mod (+ x 1) 16))", "(not (= (mod (+ y 2) 16) (mod (+ x 3) 16)))"],
        ["(= x y)", "(= y z)", "(not (= (f (+ x z)) (f (* 2 y))))"],
        ["(= (f (f x)) x)", "(= y (f x))", "(not (= (f y) x))"],
        ["(or (= x 0) (= x 1))", "(= y (ite (> x 0) 3 5))", "(not (or (= y 3) (= y 5)))"],
        ["(<= 0 x)", "(<= x 3)", "(not (or (= x 0) (= x 1) (= x 2) (= x 3)))"],
        ["(< 0 (- (* 3 x) (* 3 y)))", "(< (- (* 3 x) (* 3 y)) 3)"],
        ["(= (= (< x y) (< y z)) (= (<= z y) (> y x)))"],
    ],
)
def test_refutations_that_are_found(assertions) -> None:
    evidence = find(declared(*assertions), "unsat")
    assert evidence is not None
    check(declared(*assertions), evidence)


def test_the_budgets_end_the_search(queries) -> None:
    longest = max((t for t, answer in queries.items() if answer == "unsat"), key=len)
    assert find(longest, "unsat", cases=0) is None
    assert find(longest, "unsat", resources=1) is None
    assert find(declared("(= (+ x y) (* 2 z))", "(= x (+ 1 y))"), "unsat") is None


def test_what_cannot_be_read_has_no_evidence() -> None:
    for text in ("", "(assert (* x x)) (check-sat)", declared("true").replace("Int", "Real")):
        assert find(text, "sat") is None
        assert find(text, "unsat") is None
    product = declared("(= (* x y) 1)", "(< x 0)", "(> y 0)")
    assert find(product, "unsat") is None


# Changes of evidence and of texts.  Each returns something that differs, or None.


def changed_number(choose, text):
    """A text with another number or relation in an assertion."""
    start = text.index("(assert")
    places = list(re.finditer(r"(?<= )\d+(?=[ )])|(?<=\()(<=|>=|<|>)(?= )", text[start:]))
    if not places:
        return None
    place = choose.choice(places)
    old = place.group()
    other = ["<", "<=", ">", ">="] if not old.isdigit() else [int(old) + 1, 2 * int(old) + 3]
    new = choose.choice([str(each) for each in other if str(each) != old])
    return text[:start] + text[start:][: place.start()] + new + text[start:][place.end() :]


def changed_list(choose, values):
    """A list with one number dropped, doubled, swapped, negated or moved by 1."""
    if not values:
        return [choose.choice([1, -1]) * choose.randrange(2, 20)]
    values, at = list(values), choose.randrange(len(values))
    match choose.randrange(5):
        case 0:
            del values[at]
        case 1:
            values.insert(at, values[at])
        case 2:
            values[at - 1], values[at] = values[at], values[at - 1]
        case 3:
            values[at] = -values[at]
        case 4:
            values[at] += choose.choice([1, -1])
    return values


def changed_inner(choose, lists):
    if not lists:
        return None
    at = choose.randrange(len(lists))
    return [*lists[:at], changed_list(choose, lists[at]), *lists[at + 1 :]]


def changed_refutation(choose, evidence):
    kind = choose.choice(["assertions", "moves", "moves", "farkas", "farkas", "cuts", "truncated"])
    if kind in ("assertions", "moves"):
        return kind, replace(evidence, **{kind: changed_list(choose, getattr(evidence, kind))})
    if kind == "truncated":
        moves = evidence.moves[: choose.randrange(len(evidence.moves) or 1)]
        return kind, replace(evidence, moves=moves)
    inner = changed_inner(choose, getattr(evidence, kind))
    return kind, evidence if inner is None else replace(evidence, **{kind: inner})


def changed_model(choose, model):
    names = [*model.constants, *model.functions]
    name = choose.choice(names)
    step = choose.choice([1, -1, 5])
    if name in model.constants:
        return replace(model, constants=model.constants | {name: model.constants[name] + step})
    function = model.functions[name]
    rows = [list(row) for row in function.rows]
    if rows and choose.randrange(2):
        rows[choose.randrange(len(rows))][-1] += step
        new = Function(rows, function.other)
    else:
        new = Function(rows[1:], function.other + step)
    return replace(model, functions=model.functions | {name: new})


# What a changed proof or model is worth, according to z3.


def holds(text, model):
    """Whether z3 finds that a model makes the assertions true."""
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    lines = []
    for name, value in model.constants.items():
        lines.append(f"(assert (= |{name}| {number(value)}))")
    for name, function in model.functions.items():
        arguments = [f"a!{k}" for k in range(read(text).arities[name])]
        body = number(function.other)
        for row in reversed(function.rows):
            same = " ".join(f"(= {a} {number(v)})" for a, v in zip(arguments, row, strict=False))
            body = f"(ite (and true {same}) {number(row[-1])} {body})"
        bound = " ".join(f"({each} Int)" for each in arguments)
        applied = f"(|{name}| {' '.join(arguments)})"
        lines.append(f"(assert (forall ({bound}) (= {applied} {body})))")
    solver.from_string(text.replace("(check-sat)", "\n".join(lines)))
    return solver.check() == z3.sat


def number(value):
    return str(value) if value >= 0 else f"(- {-value})"


def still_proves(text, evidence):
    """Whether z3 finds the assertions used contradictory, and each Farkas set over the reals."""
    assertions = z3.parse_smt2_string(text)
    solver = z3.Solver()
    solver.add([assertions[position] for position in evidence.assertions])
    if solver.check() != z3.unsat:
        return False
    script = read(text)
    formulas = Formulas(script.arities)
    list(starting_literals(formulas, script, evidence))
    for numbers in evidence.farkas:
        reals = z3.Solver()
        for literal in numbers[::2]:
            bound = formulas.bound_of(literal)
            reals.add(
                z3.Sum([c * (z3.Real(f"t{t}") if t else z3.RealVal(1)) for t, c in bound.items()])
                >= 0
            )
        if reals.check() != z3.unsat:
            return False
    return True


def test_changed_evidence_is_refused_or_still_right(evidence) -> None:
    """Another order of moves, a step too many or an assertion too many can leave a proof a proof;
    another model can be one too.
    """
    choose = random.Random(1)
    counts = Counter()
    for text in list(evidence) * 30:
        old = evidence[text]
        if isinstance(old, Model):
            kind, new = "model", changed_model(choose, old)
        else:
            kind, new = changed_refutation(choose, old)
        if new == old:
            continue
        right = accepted(text, new)
        counts[kind, right] += 1
        if kind == "model":
            assert right == holds(text, new)
        elif kind == "truncated":
            # Whatever was superfluous is not in the evidence to begin with.
            assert not right
        elif right:
            assert still_proves(text, new)
    assert counts.total() >= 1000
    kinds = ("assertions", "moves", "farkas", "cuts", "truncated", "model")
    assert all(counts[kind, False] > 0 for kind in kinds), counts


def test_evidence_is_refused_for_texts_with_another_answer(evidence) -> None:
    """Texts with one number or relation changed; z3 says which ones change their answer."""
    choose = random.Random(2)
    counts = Counter()
    for text in list(evidence) * 12:
        changed = changed_number(choose, text)
        if changed is None:
            continue
        solver = z3.Solver(ctx=z3.Context())
        solver.from_string(changed)
        answer = str(solver.check())
        found = evidence[text]
        right = accepted(changed, found)
        if right:
            assert answer == ("sat" if isinstance(found, Model) else "unsat")
        counts[type(found), right] += 1
    assert counts[Refutation, False] > 50
    assert counts[Model, False] > 50
