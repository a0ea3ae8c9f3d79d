"""The folder of SMT-LIB files that verify-all writes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import z3

import proofs.solver
from proofs import prover
from proofs.results import Obligation, Query, Result, Verdict
from proofs.verify import Options, gadgets
from verified_mlp.cli import verify_export
from verified_mlp.cli.shell import UserError
from verified_mlp.cli.verify_export import smt_file, write_folder
from verified_mlp.cli.verify_runs import ProofRun
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.mutate import changes

SCRIPT = Path(sys.executable).with_name("verify-all")
SMALL = ("--bits", "4", "--words", "5", "--jobs", "1")
SHAPE = Shape(4, 5)
ODD = Obligation("a|b\\c≤/../x", "a|b\\c≤", "claim", "domain", "z3", "ours")
QUERY = Query("(set-logic ALL)\n(assert true)\n(check-sat)\n", "sat", "sat")


def answered(text):
    """What z3 says to a file, complaints included."""
    context = z3.Context()
    return z3.Z3_eval_smtlib2_string(context.ref(), text).strip()


@pytest.fixture(scope="module")
def type_(tmp_path_factory):
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}

    def run(*arguments, cwd):
        return subprocess.run(
            [SCRIPT, *arguments],
            check=False,
            cwd=cwd,
            env=environment,
            text=True,
            capture_output=True,
            timeout=120,
        )

    return run


@pytest.fixture(scope="module")
def exported(type_, tmp_path_factory):
    """A folder of the queries of three gadgets: by cases, by induction, from lemmas."""
    place = tmp_path_factory.mktemp("exported")
    only = ("--only", "not", "--only", "increment", "--only", "is_zero")
    done = type_(*SMALL, *only, "--export-smt", "queries", "--json", "out.json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    folder = place / "queries"
    index = json.loads((folder / "index.json").read_text())
    return folder, index, json.loads((place / "out.json").read_text())


def test_the_index_lists_every_file_of_every_obligation(exported):
    folder, index, results = exported
    assert index["schema"] == {"name": "verify-all/queries", "version": 1}
    assert index["verdict"] == results["verdict"]
    files = [entry["file"] for entry in index["queries"]]
    assert sorted([*files, "index.json"]) == sorted(path.name for path in folder.iterdir())
    assert len({file.lower() for file in files}) == len(files)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+\.smt2", file) for file in files)
    obligations = {result["obligation"]["name"] for result in results["results"]}
    assert {entry["obligation"] for entry in index["queries"]} == obligations
    for name in obligations:
        numbers = [each["query"] for each in index["queries"] if each["obligation"] == name]
        assert numbers == list(range(1, len(numbers) + 1))
    assert "queries" not in results["results"][0]


def test_every_file_says_what_it_is(exported):
    folder, index, _ = exported
    for entry in index["queries"]:
        assert (folder / entry["file"]).read_text().splitlines()[:4] == [
            "(set-info :smt-lib-version 2.6)",
            "(set-logic ALL)",
            "(set-info :source |verified-mlp 0.1.0, 4 bits x 5 words: "
            f"{entry['obligation']}, query {entry['query']}|)",
            f"(set-info :status {entry['expected']})",
        ]
    # Each obligation needs that its goal follows and that its hypotheses do not contradict.
    for name in {entry["obligation"] for entry in index["queries"]}:
        needed = {each["expected"] for each in index["queries"] if each["obligation"] == name}
        assert needed == {"sat", "unsat"}


def test_z3_reads_every_file_and_answers_as_expected(exported):
    folder, index, _ = exported
    for entry in index["queries"]:
        text = (folder / entry["file"]).read_text()
        answer = answered(text)
        assert answer == entry["expected"] == entry["z3"], entry["file"]


def test_cvc5_reads_every_file_strictly_and_answers_as_expected(exported):
    cvc5 = pytest.importorskip("cvc5")
    folder, index, _ = exported
    for entry in index["queries"]:
        solver = cvc5.Solver(cvc5.TermManager())
        solver.setOption("parsing-mode", "strict")
        parser = cvc5.InputParser(solver)
        parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, str(folder / entry["file"]))
        said = ""
        while not (command := parser.nextCommand()).isNull():
            said += command.invoke(solver, parser.getSymbolManager())
        assert said.strip() == entry["expected"], entry["file"]


def test_an_empty_folder_is_filled(type_, tmp_path):
    (tmp_path / "empty").mkdir()
    done = type_(*SMALL, "--only", "not", "--export-smt", "empty", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "empty" / "index.json").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("full",), "cannot write to full: the folder is not empty. Choose a new one."),
        (("file",), "cannot write to file: Not a directory. Choose another folder."),
        (
            ("none/new",),
            "cannot write to none/new: No such file or directory. Choose another folder.",
        ),
        (
            ("empty", "--json", "empty/x.json"),
            "empty/x.json is in the folder of --export-smt. Choose another place.",
        ),
        *(
            (
                ("new", mode),
                f"--export-smt is about the queries of the proofs, {mode} is not: "
                "give one of the two.",
            )
            for mode in ("--list", "--sabotage", "--audit")
        ),
    ],
)
def test_wrong_use_is_one_sentence_and_changes_nothing(type_, tmp_path, arguments, sentence):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    done = type_(*SMALL, "--export-smt", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"verify-all: {sentence}\n"
    assert sorted(tmp_path.rglob("*")) == before


def a_run(count):
    names = [Obligation(f"{ODD.name} {k}", "", "", "", "", "") for k in range(count)]
    results = [Result(each, Verdict.PROVED, queries=[QUERY]) for each in names]
    return ProofRun(SHAPE, Options(), [], count, names, results)


@pytest.mark.parametrize("existed", [False, True])
def test_a_folder_that_cannot_be_finished_is_left_as_it_was(tmp_path, monkeypatch, existed):
    folder = tmp_path / "new"
    if existed:
        folder.mkdir()
    write = verify_export.write_whole
    written = []

    def full_at_the_third(path, content):
        if len(written) == 2:
            raise UserError("cannot write: No space left on device.")
        written.append(path)
        write(path, content)

    monkeypatch.setattr(verify_export, "write_whole", full_at_the_third)
    with pytest.raises(UserError, match="No space left"):
        write_folder(folder, a_run(3))
    assert len(written) == 2
    assert list(tmp_path.rglob("*")) == ([folder] if existed else [])


def test_odd_names_make_safe_files_that_both_solvers_read(tmp_path):
    write_folder(tmp_path / "new", a_run(2))
    files = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert files == ["1-a-b-c-x-0-1.smt2", "2-a-b-c-x-1-1.smt2", "index.json"]
    text = smt_file(QUERY, 1, Result(ODD, Verdict.PROVED), SHAPE)
    assert "4 bits x 5 words: a?b?c?/../x, query 1|)" in text
    assert answered(text) == "sat"


def kept(gadget, answer):
    """The verdict and the queries of the gadget's first obligation."""
    first = next(iter(prover.prove(gadget, lambda text: (answer(text), False), keep=True)))
    return first.verdict, [(query.answer, query.expected) for query in first.queries]


def test_what_a_failed_proof_expected():
    gadget = next(each for each in gadgets(SHAPE) if each.title == "not")

    def solved(text):
        return proofs.solver.solve(text, 0, 60)

    mutants = [change.apply(gadget, 1) for change in changes(gadget)]
    refuted = [found for found in (kept(each, solved) for each in mutants) if found[0] == "REFUTED"]
    assert refuted
    assert all(queries[-1] == ("sat", "unsat") for _, queries in refuted)
    assert all(answer == needed for _, queries in refuted for answer, needed in queries[:-1])

    def always(status):
        return lambda _: proofs.solver.Answer(status, 0, 0, {})

    assert kept(gadget, always("unsat")) == ("VACUOUS", [("unsat", "sat")])
    assert kept(gadget, always("unknown")) == ("UNKNOWN", [("unknown", "unknown")])
    assert kept(gadget, always("timeout")) == ("TIMEOUT", [("timeout", "unknown")])
