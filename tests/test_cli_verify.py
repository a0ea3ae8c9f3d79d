"""The command verify-all: what it answers, and how it ends, whatever is typed and happens.

Where a test needs proofs to fail in a certain way, the prover is replaced by a table; the other
tests type the command as a user does.
"""

import json
import os
import sys
from xml.etree import ElementTree

import pytest

import proofs.sabotage
import proofs.verify
from proofs.results import Counterexample, Fate, Mutant, Obligation, Result, Verdict
from verified_mlp.cli import verify_certificate
from verified_mlp.cli.verify import main

POINT = Counterexample("not", {"x": "1"}, [{"out": "1"}], {"out": "0"}, {"out": "1"})
FOUND = [
    Obligation(f"{gadget}/{part}", gadget, f"the {part} is right", "x in 0..1", "z3", "ours")
    for gadget in ("and", "not", "or")
    for part in ("range", "specification")
]


class Typed:
    """Types a command in this process, in front of a prover whose answers are in a table."""

    def __init__(self, monkeypatch, capsys):
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.verdicts = {}
        self.fates = [Fate.REFUTED, Fate.HARMLESS]
        self.asked = []
        self.ended = False
        self.raises = {}

    def obligations(self, shape, modules, construction):
        return FOUND

    def select(self, found, names, modules, construction):
        chosen = [each for each in found if {each.name, each.gadget} & set(names)]
        if not chosen and "nothing" not in names:
            raise LookupError(f"no obligation is called {names[0]!r}. A sentence.")
        return chosen

    def run(self, shape, chosen, options):
        self.asked.append(options)
        try:
            for each in chosen:
                if each.name in self.raises:
                    raise self.raises[each.name]
                verdict = self.verdicts.get(each.name, Verdict.PROVED)
                yield Result(each, verdict, 1, 5, counterexample=POINT)
        finally:
            self.ended = True

    def count(self, shape, names, modules):
        if "nowhere" in names:
            raise LookupError("no gadget is called 'nowhere'. A sentence.")
        return 0 if "nothing" in names else len(self.fates)

    def change(self, shape, names, options):
        self.asked.append(options)
        for k, fate in enumerate(self.fates):
            if fate == "stop":
                raise KeyboardInterrupt
            yield Mutant("not", f"layer {k}", 1, fate, "why", 1, POINT)

    def __call__(self, *arguments):
        self.monkeypatch.setattr(sys, "argv", ["verify-all", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self.capsys.readouterr()
        return left.value.code, out, err


@pytest.fixture
def typed(monkeypatch, capsys):
    typed = Typed(monkeypatch, capsys)
    monkeypatch.setattr(proofs.verify, "obligations", typed.obligations)
    monkeypatch.setattr(proofs.verify, "select", typed.select)
    monkeypatch.setattr(proofs.verify, "run", typed.run)
    monkeypatch.setattr(verify_certificate, "certify", lambda *given: None)
    monkeypatch.setattr(proofs.sabotage, "count", typed.count)
    monkeypatch.setattr(proofs.sabotage, "run", typed.change)
    return typed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--jobs 0", "--jobs 0 is out of range: give 1 to 1024 worker processes."),
        ("--jobs 1025", "--jobs 1025 is out of range: give 1 to 1024 worker processes."),
        ("--jobs -1", "--jobs -1 is out of range: give 1 to 1024 worker processes."),
        (
            "--budget -1",
            "--budget -1 is out of range: give 1 to 4294967295, or 0 for no limit.",
        ),
        (
            "--budget 4294967296",
            "--budget 4294967296 is out of range: give 1 to 4294967295, or 0 for no limit.",
        ),
        (
            "--timeout 0",
            "--timeout 0 is out of range: give more than 0 seconds, at most 1000000.",
        ),
        (
            "--timeout -2.5",
            "--timeout -2.5 is out of range: give more than 0 seconds, at most 1000000.",
        ),
        (
            "--timeout nan",
            "--timeout nan is out of range: give more than 0 seconds, at most 1000000.",
        ),
        (
            "--timeout inf",
            "--timeout inf is out of range: give more than 0 seconds, at most 1000000.",
        ),
        ("--bits 3", "bits = 3 is out of range: choose 4 to 64 bits a word."),
        ("--bits 65", "bits = 65 is out of range: choose 4 to 64 bits a word."),
        (
            "--words 3",
            "words = 3 is out of range: with 16-bit words, choose 4 to 65536 words of memory.",
        ),
        (
            "--bits 4 --words 17",
            "words = 17 is out of range: with 4-bit words, choose 4 to 16 words of memory.",
        ),
        (
            "--list --sabotage",
            "--list lists obligations, --sabotage has none: give one of the two.",
        ),
        ("--list --junit a.xml", "--junit does not go with --list: use --json."),
        ("--sabotage --junit a.xml", "--junit does not go with --sabotage: use --json."),
        ("--json a --junit ./a", "--json and --junit both name a: choose two files."),
        (
            "--json nowhere/a",
            "cannot write nowhere/a: No such file or directory. Choose another file.",
        ),
        (
            "--junit nowhere/a",
            "cannot write nowhere/a: No such file or directory. Choose another file.",
        ),
        ("--json .", "cannot write .: Is a directory. Choose another file."),
        ("--only none", "no obligation is called 'none'. A sentence."),
        (
            "--only nothing",
            "nothing is selected, so nothing is proved. List with verify-all --list.",
        ),
        (
            "--list --only nothing",
            "nothing is selected, so nothing is proved. List with verify-all --list.",
        ),
        ("--sabotage --only nowhere", "no gadget is called 'nowhere'. A sentence."),
        (
            "--sabotage --only nothing",
            "nothing is selected, so nothing is changed. List with verify-all --list.",
        ),
        ("--only", "Option '--only' requires an argument."),
        ("more", "Got unexpected extra argument(s) (more)"),
        ("--wrods 3", "No such option: --wrods (Possible options: --jobs, --words)"),
    ],
)
def test_wrong_usage_is_one_sentence_and_proves_nothing(
    typed, monkeypatch, tmp_path, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    assert typed(*arguments.split()) == (2, "", f"verify-all: {sentence}\n")
    assert typed.asked == []
    assert list(tmp_path.iterdir()) == []


def test_all_proved(typed):
    code, out, err = typed("--jobs", 1)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[1:7] == [
        f"PROVED   {each.name}  {each.claim}  [z3; 1.00 s; 5 rlimit]" for each in FOUND
    ]
    assert lines[-1] == (
        "PROVED: one pass of the 23-layer network at 16 bits x 256 words is one SUBLEQ step, for "
        "every state and at every number of words from 4 to 32770, and every gadget meets its "
        "specification on its whole domain."
    )


def test_options_reach_the_prover(typed):
    arguments = ["--jobs", "3", "--budget", "7", "--timeout", "2.5", "--fail-fast", "--no-cache"]
    expected = proofs.verify.Options(
        budget=7, timeout=2.5, jobs=3, cache=False, fail_fast=True, queries=True
    )
    typed(*arguments)
    typed(*arguments, "--sabotage")
    usual = proofs.verify.Options(jobs=len(os.sched_getaffinity(0)), queries=True)
    typed()
    assert typed.asked == [expected, expected, usual]


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["UNKNOWN"], 3),
        (["TIMEOUT"], 3),
        (["REFUTED", "UNKNOWN"], 1),
        (["VACUOUS"], 1),
        (["REFUTED", "ERROR"], 4),
    ],
)
def test_the_exit_code_is_that_of_the_worst_verdict(typed, verdicts, code):
    names = [each.name for each in FOUND[1:]]
    typed.verdicts = dict(zip(names, map(Verdict, verdicts), strict=False))
    assert typed()[0] == code


def test_fail_fast_says_how_many_were_not_attempted(typed, tmp_path):
    typed.verdicts = {"and/specification": Verdict.REFUTED}
    code, out, err = typed("--fail-fast", "--junit", tmp_path / "junit.xml")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[1:3] == [
        "PROVED   and/range  the range is right  [z3; 1.00 s; 5 rlimit]",
        "REFUTED  and/specification  the specification is right  [z3; 1.00 s; 5 rlimit]",
    ]
    assert lines[10:14] == [
        "",
        "failures:",
        "  REFUTED  and/specification",
        "not attempted: 4 of 6",
    ]
    assert lines[-1] == (
        "NOT PROVED at 16 bits x 256 words: 1 REFUTED, 4 not attempted, of 6 obligations."
    )
    assert typed.ended
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "1", "4")


def test_the_repeated_only_selects_both(typed, tmp_path):
    arguments = ["--only", "not/range", "--only", "or", "--json", tmp_path / "out.json"]
    code, out, _ = typed(*arguments)
    assert code == 0
    assert out.splitlines()[-1] == (
        "PROVED: the 3 selected of 6 obligations at 16 bits x 256 words; this says nothing about "
        "the others."
    )
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["only"] == ["not/range", "or"]
    names = [result["obligation"]["name"] for result in document["results"]]
    assert names == ["not/range", "or/range", "or/specification"]


def test_the_list_proves_nothing_and_can_be_selected_and_written(typed, tmp_path):
    code, out, err = typed("--list", "--only", "or", "--json", tmp_path / "out.json")
    assert (code, err, typed.asked) == (0, "", [])
    assert out.splitlines() == [
        "or/range",
        "    claim:     the range is right",
        "    domain:    x in 0..1",
        "    method:    z3",
        "    source:    ours",
        "or/specification",
        "    claim:     the specification is right",
        "    domain:    x in 0..1",
        "    method:    z3",
        "    source:    ours",
    ]
    document = json.loads((tmp_path / "out.json").read_text())
    assert [each["name"] for each in document["obligations"]] == ["or/range", "or/specification"]


def test_an_interrupted_run_is_written_as_far_as_it_got(typed, tmp_path):
    typed.raises = {"not/range": KeyboardInterrupt()}
    files = ["--json", tmp_path / "out.json", "--junit", tmp_path / "junit.xml"]
    code, _, err = typed(*files)
    assert code == 130
    assert err == "verify-all: interrupted: 2 of 6 obligations done, 2 of them proved.\n"
    document = json.loads((tmp_path / "out.json").read_text())
    assert (document["interrupted"], document["exit_code"]) == (True, 130)
    assert len(document["results"]) == 2
    assert document["not_attempted"] == [each.name for each in FOUND[2:]]
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("errors")) == ("6", "4")


def test_a_fault_of_ours_is_an_internal_error_and_writes_nothing(typed, tmp_path):
    typed.raises = {"not/range": ZeroDivisionError("a fault")}
    code, _, err = typed("--json", tmp_path / "out.json")
    assert code == 4
    assert err == ("verify-all: internal error, please report it: ZeroDivisionError: a fault\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flags", [[], ["--sabotage"]])
def test_a_fault_in_choosing_is_no_wrong_usage(typed, monkeypatch, flags):
    def fault(*_):
        raise KeyError("a fault")

    monkeypatch.setattr(proofs.verify, "select", fault)
    monkeypatch.setattr(proofs.sabotage, "count", fault)
    assert typed("--only", "not", *flags) == (
        4,
        "",
        "verify-all: internal error, please report it: KeyError: 'a fault'\n",
    )


def test_what_is_no_number_is_wrong_usage(typed):
    for option in ("--bits", "--words", "--jobs", "--budget", "--timeout"):
        code, out, err = typed(option, "many")
        assert (code, out) == (2, "")
        assert err.startswith(f"verify-all: Invalid value for '{option}': ")


def test_sabotage_that_is_caught(typed, tmp_path):
    code, out, err = typed("--sabotage", "--json", tmp_path / "out.json")
    assert (code, err) == (0, "")
    assert out.splitlines()[1:10] == [
        "",
        "gadget  changes  refuted harmless  unknown   missed",
        "not           2        1        1        0        0",
        "all           2        1        1        0        0",
        "",
        "harmless, by gadget and reason:",
        "not",
        "      1  why",
        "",
    ]
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["schema"] == {"name": "verify-all/mutants", "version": 1}
    assert document["mutants"][0]["counterexample"]["inputs"] == {"x": "1"}


@pytest.mark.parametrize(
    ("fates", "code", "shown"),
    [
        ([Fate.UNKNOWN, Fate.REFUTED], 3, ["UNKNOWN  not  layer 0, +1  why"]),
        (
            [Fate.UNKNOWN, Fate.MISSED],
            1,
            ["UNKNOWN  not  layer 0, +1  why", "MISSED   not  layer 1, +1  why"],
        ),
    ],
)
def test_sabotage_that_gets_away(typed, fates, code, shown):
    typed.fates = fates
    found, out, err = typed("--sabotage")
    assert (found, err) == (code, "")
    assert [line for line in out.splitlines() if line.startswith(tuple(Fate))] == shown


def test_sabotage_stops_at_the_first_failure_if_asked(typed):
    typed.fates = [Fate.UNKNOWN, Fate.MISSED]
    code, out, _ = typed("--sabotage", "--fail-fast")
    assert code == 3
    assert out.splitlines()[-1] == (
        "NOT ALL CAUGHT at 16 bits x 256 words: 1 UNKNOWN, 1 not attempted, of 2 changes."
    )


def test_sabotage_that_is_interrupted(typed, tmp_path):
    typed.fates = [Fate.REFUTED, "stop"]
    code, _, err = typed("--sabotage", "--json", tmp_path / "out.json")
    assert code == 130
    assert err == "verify-all: interrupted: 1 of 2 changes tried, 0 of them missed or unknown.\n"
    document = json.loads((tmp_path / "out.json").read_text())
    assert (document["interrupted"], document["exit_code"]) == (True, 130)
    assert document["counts"]["not_attempted"] == 1
