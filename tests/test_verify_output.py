"""The lines that verify-all prints."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import solver
from proofs.results import Counterexample, Fate, Mutant, Obligation, Result, Verdict
from proofs.verify import Options
from verified_mlp.cli.verify_output import (
    command,
    listing_lines,
    mutant_lines,
    printable,
    proof_header,
    result_lines,
    sabotage_header,
    score_lines,
    summary_lines,
)
from verified_mlp.cli.verify_runs import ProofRun, SabotageRun
from verified_mlp.machine.shape import Shape

SHAPE = Shape(16, 256)
AND = Obligation(
    name="and(inputs=2)/specification",
    gadget="and(inputs=2)",
    claim="out is what the specification says",
    domain="x in 0..1; y in 0..1",
    method="z3",
    source="a gate on bits; ours",
)
NOT = Obligation("not/ranges", "not", "out is 0 or 1", "x in 0..1", "enumeration", "ours")
OR = Obligation("or/ranges", "or", "out is 0 or 1", "x in 0..1", "enumeration", "ours")
POINT = Counterexample(
    gadget="and(inputs=2)",
    inputs={"x": "1", "y": "0"},
    layers=[{"out": "1"}],
    expected={"out": "0"},
    got={"out": "1"},
)
PROVED = Result(AND, Verdict.PROVED, seconds=1.5, resources=12345)


def proofs(*results, chosen=(AND, NOT), total=None, **facts):
    many = len(chosen) if total is None else total
    return ProofRun(SHAPE, Options(), [], many, list(chosen), list(results), **facts)


def sabotage(*mutants, only=(), total=None, **facts):
    many = len(mutants) if total is None else total
    return SabotageRun(SHAPE, Options(), list(only), many, list(mutants), **facts)


def mutant(fate, reason="", change=1, gadget="and(inputs=2)", **facts):
    return Mutant(gadget, "layer 1: out, weight of x", change, fate, reason, **facts)


def test_a_proved_obligation_is_one_line():
    assert result_lines(PROVED, SHAPE, Options()) == [
        "PROVED   and(inputs=2)/specification  out is what the specification says  "
        "[z3; 1.50 s; 12,345 rlimit]"
    ]


def test_a_remembered_proof_says_so_and_no_time():
    remembered = Result(NOT, Verdict.PROVED, seconds=1.5, resources=12345, cached=True)
    assert result_lines(remembered, SHAPE, Options()) == [
        "PROVED   not/ranges  out is 0 or 1  [enumeration; cached]"
    ]


def test_a_refuted_obligation_shows_its_counterexample_and_how_to_see_it_again():
    refuted = Result(AND, Verdict.REFUTED, 0, 7, detail="out differs", counterexample=POINT)
    assert result_lines(refuted, SHAPE, Options()) == [
        "REFUTED  and(inputs=2)/specification  out is what the specification says  "
        "[z3; 0.00 s; 7 rlimit]",
        "    reason:    out differs",
        "    gadget:    and(inputs=2)",
        "    inputs:    x=1, y=0",
        "    layer 1:   out=1",
        "    expected:  out=0",
        "    got:       out=1",
        "    repeat:    verify-all --bits 16 --words 256 --only 'and(inputs=2)/specification' "
        "--no-cache",
    ]


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (Verdict.REFUTED, "a point of the domain contradicts the claim"),
        (Verdict.VACUOUS, "no point satisfies the hypotheses, so the claim says nothing"),
        (Verdict.UNKNOWN, "neither proved nor refuted within the budget; --budget raises it"),
        (Verdict.TIMEOUT, "no answer within the time limit; --timeout raises it"),
        (Verdict.ERROR, "the attempt itself failed"),
    ],
)
def test_a_failure_without_a_reason_gets_that_of_its_verdict(verdict, reason):
    lines = result_lines(Result(NOT, verdict), SHAPE, Options())
    assert lines == [
        f"{verdict:<8} not/ranges  out is 0 or 1  [enumeration; 0.00 s; 0 rlimit]",
        f"    reason:    {reason}",
        "    repeat:    verify-all --bits 16 --words 256 --only not/ranges --no-cache",
    ]


def test_a_long_counterexample_is_wrapped_and_complete():
    bits = {f"sum[{k}]": str(k % 2) for k in range(64)}
    point = Counterexample("adder(bits=64)", bits, [bits, {}], {"out": "0"}, {"out": "1"})
    refuted = Result(NOT, Verdict.REFUTED, detail="x", counterexample=point)
    lines = result_lines(refuted, SHAPE, Options())
    assert all(len(line) <= 100 for line in lines)
    text = " ".join(line.strip() for line in lines)
    assert "inputs:    " + ", ".join(f"sum[{k}]={k % 2}" for k in range(64)) in text
    assert "    layer 2:   none" in lines


@given(st.text(), st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_no_text_of_a_result_can_control_the_terminal(name, claim, detail, values):
    point = Counterexample(name, values, [values], values, values)
    odd = Obligation(name, name, claim, claim, claim, claim)
    result = Result(odd, Verdict.REFUTED, detail=detail, counterexample=point)
    run = proofs(result, chosen=[odd])
    change = Mutant(name, claim, 1, Fate.MISSED, detail, counterexample=point)
    score = sabotage(change, mutant(Fate.HARMLESS, detail, gadget=name))
    lines = [
        *result_lines(result, SHAPE, Options()),
        *listing_lines(odd),
        *summary_lines(run),
        *mutant_lines(change),
        *score_lines(score),
    ]
    assert all(line.isprintable() for line in lines)


@given(st.text())
def test_printable_keeps_what_can_be_printed(text):
    if text.isprintable():
        assert printable(text) == text
    assert printable(printable(text)) == printable(text)


@given(st.text())
def test_the_command_names_the_obligation_whatever_its_name(name):
    words = ["verify-all", "--bits", "16", "--words", "256", "--only", name, "--no-cache"]
    assert shlex.split(command(SHAPE, Options(), name, "--no-cache")) == words


def test_the_command_repeats_unusual_limits():
    assert command(SHAPE, Options(budget=5, timeout=2), "not") == (
        "verify-all --bits 16 --words 256 --budget 5 --timeout 2 --only not"
    )


def test_the_list_says_all_of_an_obligation():
    assert listing_lines(AND) == [
        "and(inputs=2)/specification",
        "    claim:     out is what the specification says",
        "    domain:    x in 0..1; y in 0..1",
        "    method:    z3",
        "    source:    a gate on bits; ours",
    ]


def test_headers():
    usual = f"2 jobs, {solver.version()}"
    run = proofs(total=9)
    run.options = Options(jobs=2)
    assert (
        proof_header(run) == f"verify-all 0.1.0: 16 bits x 256 words, 2 of 9 obligations, {usual}"
    )
    changes = sabotage(total=9)
    changes.options = Options(jobs=2)
    assert sabotage_header(changes) == f"verify-all 0.1.0: 16 bits x 256 words, 9 changes, {usual}"


def test_summary_of_a_pass():
    remembered = Result(NOT, Verdict.PROVED, seconds=9, cached=True)
    run = proofs(PROVED, remembered, seconds=2)
    assert summary_lines(run) == [
        "",
        "slowest: and(inputs=2)/specification 1.50 s",
        "2 of 2 proved, 1 from the cache, 2.0 s, 12,345 rlimit",
    ]
    assert run.verdict == (
        "PROVED: one pass of the 23-layer network at 16 bits x 256 words is one SUBLEQ step, for "
        "every state and at every number of words from 4 to 32770, and every gadget meets its "
        "specification on its whole domain."
    )
    assert run.code == 0


def test_summary_names_the_failures_again_and_what_was_not_attempted():
    run = proofs(PROVED, Result(NOT, Verdict.TIMEOUT, 60), chosen=[AND, NOT, OR], seconds=61)
    assert summary_lines(run) == [
        "",
        "failures:",
        "  TIMEOUT  not/ranges",
        "not attempted: 1 of 3",
        "slowest: not/ranges 60.00 s; and(inputs=2)/specification 1.50 s",
        "1 of 3 proved, 0 from the cache, 61.0 s, 12,345 rlimit",
    ]
    assert run.verdict == (
        "NOT PROVED at 16 bits x 256 words: 1 TIMEOUT, 1 not attempted, of 3 obligations."
    )
    assert run.code == 3


def test_a_selection_does_not_claim_the_rest():
    run = proofs(PROVED, chosen=[AND], total=3)
    assert run.verdict == (
        "PROVED: the 1 selected of 3 obligations at 16 bits x 256 words; this says nothing about "
        "the others."
    )
    assert run.code == 0


def test_a_run_that_was_stopped_does_not_pass():
    run = proofs(PROVED, stopped=130)
    assert run.verdict == (
        "INTERRUPTED at 16 bits x 256 words: 1 of 2 obligations done, 1 of them proved."
    )
    assert run.code == 130


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["PROVED", "PROVED", "PROVED"], 0),
        (["PROVED", "PROVED"], 3),
        ([], 3),
        (["PROVED", "UNKNOWN", "PROVED"], 3),
        (["PROVED", "TIMEOUT", "VACUOUS"], 1),
        (["REFUTED"], 1),
        (["REFUTED", "ERROR", "UNKNOWN"], 4),
    ],
)
def test_exit_codes(verdicts, code):
    chosen = [AND, NOT, OR]
    results = [
        Result(each, Verdict(verdict)) for each, verdict in zip(chosen, verdicts, strict=False)
    ]
    assert proofs(*results, chosen=chosen).code == code


def test_a_mutant_is_shown_only_if_it_got_away():
    assert mutant_lines(mutant(Fate.REFUTED, counterexample=POINT)) == []
    assert mutant_lines(mutant(Fate.HARMLESS)) == []
    assert mutant_lines(mutant(Fate.UNKNOWN, "specification failed", change=-1)) == [
        "UNKNOWN  and(inputs=2)  layer 1: out, weight of x, -1  specification failed",
    ]
    missed = mutant(Fate.MISSED, "all lemmas proved", counterexample=POINT)
    assert mutant_lines(missed) == [
        "MISSED   and(inputs=2)  layer 1: out, weight of x, +1  all lemmas proved",
        "    gadget:    and(inputs=2)",
        "    inputs:    x=1, y=0",
        "    layer 1:   out=1",
        "    expected:  out=0",
        "    got:       out=1",
    ]


def test_the_score_of_a_sabotage_that_was_caught():
    run = sabotage(
        mutant(Fate.REFUTED),
        mutant(Fate.HARMLESS, "the neuron stays at 0"),
        mutant(Fate.REFUTED, gadget="not"),
        mutant(Fate.HARMLESS, "the neuron stays at 0"),
        mutant(Fate.HARMLESS, "it is larger than needed", gadget="not"),
        mutant(Fate.HARMLESS, "it is smaller than needed"),
        seconds=12,
    )
    assert score_lines(run) == [
        "",
        "gadget         changes  refuted harmless  unknown   missed",
        "and(inputs=2)        4        1        3        0        0",
        "not                  2        1        1        0        0",
        "all                  6        2        4        0        0",
        "",
        "harmless, by gadget and reason:",
        "and(inputs=2)",
        "      2  the neuron stays at 0",
        "      1  it is smaller than needed",
        "not",
        "      1  it is larger than needed",
        "",
        "6 changes: 2 refuted, 4 proved harmless, 0 unknown, 0 missed, 0 not attempted, 12.0 s",
    ]
    assert run.verdict == (
        "CAUGHT: each of 6 changes of one number in all gadgets at 16 bits x 256 words is refuted "
        "with a counterexample or proved harmless."
    )
    assert run.code == 0


def test_the_score_of_a_sabotage_that_was_not_caught_says_how_to_see_it_again():
    got_away = [mutant(Fate.UNKNOWN), mutant(Fate.MISSED), mutant(Fate.UNKNOWN, gadget="not")]
    assert score_lines(sabotage(*got_away))[5:] == [
        "",
        "repeat what was missed or is unknown:",
        "  verify-all --bits 16 --words 256 --only 'and(inputs=2)' --sabotage",
        "  verify-all --bits 16 --words 256 --only not --sabotage",
        "",
        "3 changes: 0 refuted, 0 proved harmless, 2 unknown, 1 missed, 0 not attempted, 0.0 s",
    ]


@pytest.mark.parametrize(
    ("fates", "total", "code", "verdict"),
    [
        ("MISSED UNKNOWN REFUTED", 3, 1, "1 MISSED, 1 UNKNOWN, of 3 changes."),
        ("UNKNOWN UNKNOWN", 3, 3, "2 UNKNOWN, 1 not attempted, of 3 changes."),
        ("REFUTED HARMLESS", 3, 3, "1 not attempted, of 3 changes."),
    ],
)
def test_a_sabotage_that_was_not_caught_does_not_pass(fates, total, code, verdict):
    run = sabotage(*(mutant(Fate(fate)) for fate in fates.split()), total=total)
    assert run.code == code
    assert run.verdict == f"NOT ALL CAUGHT at 16 bits x 256 words: {verdict}"


def test_a_selected_or_stopped_sabotage_says_so():
    assert sabotage(mutant(Fate.REFUTED), only=["not"]).verdict == (
        "CAUGHT: each of 1 changes of one number in the selected gadgets at 16 bits x 256 words "
        "is refuted with a counterexample or proved harmless."
    )
    stopped = sabotage(mutant(Fate.MISSED), total=7, stopped=130)
    assert stopped.verdict == (
        "INTERRUPTED at 16 bits x 256 words: 1 of 7 changes tried, 1 of them missed or unknown."
    )
    assert stopped.code == 130
