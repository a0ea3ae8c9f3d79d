"""The second solver: what it decides again, and what comes of a disagreement."""

import json
import sys

import pytest

import proofs.cache
import proofs.solver
from proofs import prover, second_solver
from proofs.results import Answer, Verdict
from proofs.verify import gadgets
from verified_mlp.cli.verify import main
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.mutate import changes

SMALL = ("--bits", "4", "--words", "5", "--plain", "--jobs", "1")
CHECKED = (*SMALL, "--cross-check", "cvc5")
SPECIFICATION = "not/specification"


def pigeons(count):
    """That so many pigeons sit in different holes, of which there is one less."""
    lines = [f"(declare-fun p{k} () Int)(assert (<= 0 p{k} {count - 2}))" for k in range(count)]
    lines += [f"(assert (not (= p{k} p{j})))" for k in range(count) for j in range(k)]
    return "\n".join(["(set-logic ALL)", *lines, "(check-sat)"])


needs_cvc5 = pytest.mark.skipif(
    not second_solver.installed(), reason="cvc5, of the extra `check`, is not installed"
)


@pytest.fixture
def type_(monkeypatch, capsys, tmp_path):
    """Types a command in this process; the cache is the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["verify-all", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def second(monkeypatch):
    """Replaces the second solver's answers: `answers` gives the one to each of z3's."""
    answers = {"sat": "sat", "unsat": "unsat"}
    asked = []

    def solve(text, budget, timeout):
        asked.append((text, budget, timeout))
        return Answer(answers[proofs.solver.solve(text, 0, 60).status], 0, 0, {})

    monkeypatch.setattr(second_solver, "solve", solve)
    monkeypatch.setattr(second_solver, "installed", lambda: True)
    monkeypatch.setattr(second_solver, "version", lambda: "cvc5 0.0")
    return answers, asked


@needs_cvc5
def test_agreement_is_counted_and_said(type_, tmp_path):
    path = tmp_path / "out.json"
    code, out, err = type_(*CHECKED, "--only", "not", "--only", "increment", "--json", path)
    assert (code, err) == (0, "")
    document = json.loads(path.read_text())
    counted = [result["cross_checked"] for result in document["results"]]
    assert all(counted)
    total = sum(counted)
    assert document["counts"]["cross_checked"] == total
    assert document["options"]["cross_check"] == "cvc5"
    assert f"cvc5 {document['tools']['cvc5']}" == second_solver.version()
    lines = out.splitlines()
    assert lines[0].endswith(f", z3 {document['tools']['z3']}, {second_solver.version()}")
    assert lines[-1] == (
        f"PROVED: the {len(counted)} selected of {document['counts']['obligations']} obligations "
        "at 4 bits x 5 words; this says nothing about the others. "
        "It rests on the contracts of adder(bits=4). "
        f"z3 and cvc5 agree on all {total} queries."
    )
    assert document["verdict"] == lines[-1]


def test_without_a_second_solver_nothing_is_said_of_one(type_, tmp_path):
    path = tmp_path / "out.json"
    code, out, _ = type_(*SMALL, "--only", "not", "--json", path)
    document = json.loads(path.read_text())
    assert (code, "cvc5" in out) == (0, False)
    assert document["counts"]["cross_checked"] == 0
    assert "cvc5" not in document["tools"]


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize(
    ("lie", "code", "verdict", "reason"),
    [
        (
            {"unsat": "sat"},
            4,
            "ERROR",
            "z3 says unsat and cvc5 says sat to query 2 of not/specification: one of them is "
            "wrong. Export the query with --export-smt, and report it",
        ),
        (
            {"sat": "unsat"},
            4,
            "ERROR",
            "z3 says sat and cvc5 says unsat to query 1 of not/specification: one of them is "
            "wrong. Export the query with --export-smt, and report it",
        ),
        (
            {"unsat": "unknown"},
            3,
            "UNKNOWN",
            "cvc5 gave up within its budget on query 2 of not/specification, which z3 finds unsat",
        ),
        (
            {"sat": "timeout"},
            3,
            "TIMEOUT",
            "cvc5 ran out of time on query 1 of not/specification, which z3 finds sat",
        ),
    ],
)
def test_a_second_solver_that_does_not_agree(
    type_, tmp_path, monkeypatch, second, lie, code, verdict, reason
):
    second[0].update(lie)
    path = tmp_path / "out.json"
    left, out, _ = type_(*CHECKED, "--only", SPECIFICATION, "--json", path)
    assert left == code
    (result,) = json.loads(path.read_text())["results"]
    assert (result["verdict"], result["detail"]) == (verdict, reason)
    repeat = "verify-all --bits 4 --words 5 --cross-check cvc5 --only not/specification --no-cache"
    assert f"    repeat:    {repeat}" in out.splitlines()
    assert out.splitlines()[-1] == (
        f"NOT PROVED at 4 bits x 5 words: 1 {verdict}, of 1 obligations."
    )


def test_what_rests_on_a_lemma_in_dispute_is_not_proved(type_, second):
    second[0]["unsat"] = "sat"
    code, out, _ = type_(*CHECKED, "--only", "increment(bits=4, constant=1)")
    assert code == 4
    assert "PROVED  " not in out


def test_the_limits_are_handed_on_and_answers_are_remembered(type_, second):
    _, asked = second
    arguments = (*CHECKED, "--only", "not", "--budget", "70000", "--timeout", "7")
    assert type_(*arguments)[0] == 0
    assert asked
    assert {limits for _, *limits in map(tuple, asked) for limits in [tuple(limits)]} == {
        (70000, 7.0)
    }
    asked.clear()
    _, out, _ = type_(*arguments)
    assert asked == []
    assert "; cached; cross-checked " in out
    assert type_(*arguments, "--no-cache")[0] == 0
    assert asked


def test_no_solver_is_given_the_answers_of_another(tmp_path):
    path = tmp_path / "answers.sqlite"
    opened = [
        proofs.cache.Cache(path, *solver)
        for solver in ((), ("cvc5 0.0",), ("cvc5 0.1",), ("cvc5 0.0",))
    ]
    ours, theirs, newer, again = opened
    theirs.put("text", Answer("unsat", 0, 0, {}))
    assert ours.get("text") is None
    assert newer.get("text") is None
    assert again.get("text") == Answer("unsat", 0, 0, {})
    for each in opened:
        each.close()


@needs_cvc5
def test_both_solvers_refute_a_wrong_gadget():
    """Each change of `not`: with the second solver the verdicts are those of the first."""
    gadget = next(each for each in gadgets(Shape(4, 5)) if each.title == "not")

    def first(text):
        return proofs.solver.solve(text, 0, 60), False

    def second(text):
        return second_solver.solve(text, 0, 60), False

    seen = set()
    for change in changes(gadget):
        for delta in (1, -1):
            mutant = change.apply(gadget, delta)
            alone = [result.verdict for result in prover.prove(mutant, first)]
            both = list(prover.prove(mutant, first, second))
            assert [result.verdict for result in both] == alone
            seen |= set(alone)
    assert Verdict.REFUTED in seen


@needs_cvc5
@pytest.mark.parametrize(
    ("budget", "timeout", "status"), [(10, 60, "unknown"), (0, 0.001, "timeout")]
)
def test_cvc5_gives_up_at_its_limits(budget, timeout, status):
    assert second_solver.solve(pigeons(10), budget, timeout).status == status


@needs_cvc5
def test_cvc5_spends_the_same_each_time():
    first, again = (second_solver.solve(pigeons(5), 0, 60) for _ in range(2))
    assert (first.status, first.resources) == (again.status, again.resources)
    assert first.status == "unsat"
    assert first.resources > 0


@needs_cvc5
@pytest.mark.parametrize(
    "text",
    ["(set-logic ALL)\n(assert x)\n(check-sat)", "(set-logic ALL)\n(assert (", "(set-logic ALL)\n"],
)
def test_a_text_that_is_no_query_is_refused(text):
    with pytest.raises(ValueError, match="the query"):
        second_solver.solve(text, 0, 60)


def test_cvc5_that_is_not_there_is_one_sentence(type_, monkeypatch):
    monkeypatch.setitem(sys.modules, "cvc5", None)
    assert type_(*CHECKED) == (
        2,
        "",
        "verify-all: --cross-check cvc5 needs the Python package cvc5, which is not installed. "
        "Install it with: pip install 'cvc5>=1.2'\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--cross-check", "z5"),
            "--cross-check z5: there is no such second solver; give cvc5.",
        ),
        *(
            (
                ("--cross-check", "cvc5", mode),
                f"--cross-check is about the queries of the proofs, {mode} is not: "
                "give one of the two.",
            )
            for mode in ("--list", "--sabotage", "--audit")
        ),
    ],
)
def test_wrong_use_is_one_sentence(type_, arguments, sentence):
    assert type_(*SMALL, *arguments) == (2, "", f"verify-all: {sentence}\n")
