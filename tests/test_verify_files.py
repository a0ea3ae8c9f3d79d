"""The files that verify-all writes."""

import os
import platform
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
import z3
from hypothesis import given
from hypothesis import strategies as st

from proofs.results import Counterexample, Fate, Mutant, Obligation, Result, Verdict
from proofs.verify import Options
from verified_mlp.cli.shell import UserError, write_whole
from verified_mlp.cli.verify_files import (
    Listing,
    Proofs,
    Sabotage,
    check_writable,
    junit_xml,
    listing_json,
    proofs_json,
    sabotage_json,
    xml_text,
)
from verified_mlp.cli.verify_runs import ProofRun, SabotageRun
from verified_mlp.machine.shape import Shape

SHAPE = Shape(16, 256)
POINT = Counterexample("not", {"x": "1"}, [{"out": "1"}], {"out": "0"}, {"out": "1"})
TOOLS = {
    "verified-mlp": "0.1.0",
    "python": platform.python_version(),
    "z3": z3.get_version_string(),
}


def obligation(name):
    return Obligation(f"{name}/ranges", name, "out is 0 or 1", "x in 0..1", "z3", "ours")


def a_run(verdicts, chosen=None, **facts):
    names = [obligation(f"gadget {k}") for k in range(len(verdicts) if chosen is None else chosen)]
    results = [
        Result(each, verdict, 2, 7, detail=f"why {verdict}", counterexample=POINT)
        for each, verdict in zip(names, verdicts, strict=False)
    ]
    return ProofRun(SHAPE, Options(), [], len(names), names, results, **facts)


def decoded(content):
    """The document as the plain values that any reader of JSON gets."""
    return msgspec.json.decode(content)


def test_json_of_proofs_is_complete():
    run = a_run([Verdict.PROVED, Verdict.REFUTED], chosen=3, seconds=2.5)
    document = decoded(proofs_json(run))
    results = document.pop("results")
    assert document == {
        "schema": {"name": "verify-all/results", "version": 1},
        "tools": TOOLS,
        "shape": {"bits": 16, "words": 256},
        "only": [],
        "options": {
            "budget": Options().budget,
            "timeout": Options().timeout,
            "jobs": 1,
            "cache": True,
            "fail_fast": False,
            "cross_check": "",
            "queries": False,
            "modules": [],
            "construction": "paper",
        },
        "counts": {
            "obligations": 3,
            "selected": 3,
            "PROVED": 1,
            "REFUTED": 1,
            "VACUOUS": 0,
            "UNKNOWN": 0,
            "TIMEOUT": 0,
            "ERROR": 0,
            "not_attempted": 1,
            "cached": 0,
            "cross_checked": 0,
        },
        "seconds": 2.5,
        "resources": 14,
        "interrupted": False,
        "verdict": (
            "NOT PROVED at 16 bits x 256 words: 1 REFUTED, 1 not attempted, of 3 obligations."
        ),
        "exit_code": 1,
        "not_attempted": ["gadget 2/ranges"],
    }
    assert [each["verdict"] for each in results] == ["PROVED", "REFUTED"]
    assert results[1] == {
        "obligation": {
            "name": "gadget 1/ranges",
            "gadget": "gadget 1",
            "claim": "out is 0 or 1",
            "domain": "x in 0..1",
            "method": "z3",
            "source": "ours",
        },
        "verdict": "REFUTED",
        "seconds": 2,
        "resources": 7,
        "cached": False,
        "detail": "why REFUTED",
        "counterexample": {
            "gadget": "not",
            "inputs": {"x": "1"},
            "layers": [{"out": "1"}],
            "expected": {"out": "0"},
            "got": {"out": "1"},
        },
        "rule": "",
        "uses": [],
        "rests_on": [],
        "cross_checked": 0,
    }


def test_json_reads_back_as_what_was_written():
    run = a_run(list(Verdict))
    assert msgspec.json.decode(proofs_json(run), type=Proofs).results == run.results
    chosen = [obligation("not")]
    listed = msgspec.json.decode(listing_json(SHAPE, ["not"], chosen), type=Listing)
    assert (listed.schema.name, listed.only) == ("verify-all/obligations", ["not"])
    assert listed.obligations == chosen
    mutants = [Mutant("not", "layer 1", -1, fate, "why", 1, POINT) for fate in Fate]
    changes = SabotageRun(SHAPE, Options(), ["not"], 4, mutants)
    written = msgspec.json.decode(sabotage_json(changes), type=Sabotage)
    assert (written.schema.name, written.exit_code) == ("verify-all/mutants", 1)
    assert written.mutants == mutants
    assert written.verdict == changes.verdict
    assert written.counts == {
        "mutants": 4,
        "REFUTED": 1,
        "HARMLESS": 1,
        "UNKNOWN": 1,
        "MISSED": 1,
        "not_attempted": 0,
    }


def test_json_of_an_interrupted_run_says_so():
    document = decoded(proofs_json(a_run([Verdict.PROVED], chosen=2, stopped=130)))
    assert document["interrupted"] is True
    assert document["exit_code"] == 130
    assert document["verdict"] == (
        "INTERRUPTED at 16 bits x 256 words: 1 of 2 obligations done, 1 of them proved."
    )
    changes = SabotageRun(SHAPE, Options(), [], 4, [], stopped=130)
    assert decoded(sabotage_json(changes))["interrupted"] is True


@given(st.text(st.characters()))
def test_json_holds_any_detail(detail):
    run = a_run([Verdict.ERROR])
    run.results = [Result(run.chosen[0], Verdict.ERROR, detail=detail)]
    written = decoded(proofs_json(run))["results"][0]["detail"]
    assert written == detail.encode("utf-8", "backslashreplace").decode()


def test_junit_counts_failures_and_errors():
    run = a_run(list(Verdict), chosen=7, seconds=3)
    root = ElementTree.fromstring(junit_xml(run))
    suite = root[0]
    totals = {"tests": "7", "failures": "2", "errors": "4", "time": "3.000"}
    assert root.attrib == totals
    assert suite.attrib == totals | {"name": "verify-all 16 bits x 256 words"}
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [each.name for each in run.chosen]
    assert [[problem.tag for problem in case] for case in cases] == [
        [],
        ["failure"],
        ["failure"],
        ["error"],
        ["error"],
        ["error"],
        ["error"],
    ]
    assert [case[0].get("type") for case in cases[1:]] == [
        "REFUTED",
        "VACUOUS",
        "UNKNOWN",
        "TIMEOUT",
        "ERROR",
        "NOT ATTEMPTED",
    ]
    assert cases[1].attrib == {
        "name": "gadget 1/ranges",
        "classname": "gadget 1",
        "time": "2.000",
    }
    assert cases[1][0].get("message") == "REFUTED: out is 0 or 1"
    assert cases[1][0].text.splitlines() == [
        "REFUTED  gadget 1/ranges  out is 0 or 1  [z3; 2.00 s; 7 rlimit]",
        "    reason:    why REFUTED",
        "    gadget:    not",
        "    inputs:    x=1",
        "    layer 1:   out=1",
        "    expected:  out=0",
        "    got:       out=1",
        "    repeat:    verify-all --bits 16 --words 256 --only 'gadget 1/ranges' --no-cache",
    ]
    assert cases[6][0].get("message") == "not attempted: the run ended before it"


def test_junit_says_what_made_it_and_whether_it_is_whole():
    for stopped, interrupted in ((0, "false"), (130, "true")):
        run = a_run([Verdict.PROVED], stopped=stopped)
        found = ElementTree.fromstring(junit_xml(run)).iter("property")
        assert {each.get("name"): each.get("value") for each in found} == TOOLS | {
            "bits": "16",
            "words": "256",
            "verdict": run.verdict,
            "interrupted": interrupted,
        }


@given(st.text(st.characters()), st.text(st.characters()))
def test_junit_is_valid_xml_whatever_the_text(name, detail):
    odd = Obligation(name, name, detail, detail, detail, detail)
    result = Result(odd, Verdict.REFUTED, detail=detail, counterexample=POINT)
    run = ProofRun(SHAPE, Options(), [], 1, [odd], [result])
    case = ElementTree.fromstring(junit_xml(run)).find("testsuite/testcase")
    # A reader of XML takes the two ways to end a line besides "\n" for that one.
    assert case.get("name").replace("\r", "\n") == xml_text(name).replace("\r", "\n")
    assert case[0].text.startswith("REFUTED  ")


@given(st.text(st.characters()))
def test_xml_text_keeps_every_character_that_xml_allows(text):
    allowed = all(
        c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
        for c in text
    )
    assert (xml_text(text) == text) == allowed


def test_where_nothing_can_be_written_is_found_out_beforehand(tmp_path):
    (tmp_path / "file").write_text("there")
    for path, reason in (
        (tmp_path / "nowhere" / "a", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "file" / "a", "Not a directory"),
        (tmp_path / ("a" * 250), "File name too long"),
        (tmp_path / ("a" * 2500), "File name too long"),
    ):
        sentence = f"cannot write {path}: {reason}. Choose another file."
        with pytest.raises(UserError) as found:
            check_writable([path])
        assert (str(found.value), found.value.code) == (sentence, 2)
        with pytest.raises(UserError) as found:
            write_whole(path, b"content")
        assert str(found.value) == sentence
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_where_something_can_be_written_nothing_is_left_behind(tmp_path):
    there = tmp_path / "file"
    there.write_text("there")
    check_writable([there, tmp_path / "new", Path(os.devnull)])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert there.read_text() == "there"


def test_two_documents_do_not_fit_in_one_file(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b" / ".." / "a"
    (tmp_path / "b").mkdir()
    with pytest.raises(UserError) as found:
        check_writable([first, second])
    assert str(found.value) == f"--json and --junit both name {first}: choose two files."
