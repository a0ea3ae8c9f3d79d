"""The command `check-certificate`, as a user types it; and verify-all --certificate."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(sys.executable).parent
PATIENCE = 300
SMALL = ["--bits", "4", "--words", "5"]


def typed(script, *arguments, home):
    done = subprocess.run(
        [SCRIPTS / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def written(home):
    """A certificate, as verify-all writes it."""
    path = home / "certificate.json"
    code, out, err = typed("verify-all", *SMALL, "--certificate", path, "--plain", home=home)
    assert (code, err) == (0, "")
    last = out.splitlines()[-1]
    assert re.fullmatch(r"evidence for all \d+ queries, \d+\.\d s\.", last)
    return path


def test_it_is_accepted_and_no_solver_is_loaded(home, written):
    code, out, err = typed("check-certificate", written, "--solver-free", home=home)
    assert (code, err) == (0, "")
    counts, verdict = out.splitlines()
    found = re.fullmatch(
        r"(\d+) obligations, (\d+) queries: (\d+) by evidence, 0 by a solver, \d+\.\d s", counts
    )
    assert found
    assert found[2] == found[3]
    assert verdict == (
        "ACCEPTED: one pass of the 23-layer network at 4 bits x 4..10 words is one step of the "
        "machine, for every state; no solver had to be trusted for it."
    )
    program = (
        "import sys; sys.argv = ['check-certificate', sys.argv[1], '--solver-free']\n"
        "from verified_mlp.cli.check import main\n"
        "try: main()\n"
        "finally: print('z3' in sys.modules, 'cvc5' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, written],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False False"


def test_a_query_without_evidence_is_named(home, written, tmp_path):
    """It is signed anew: whoever can change a file can also mend its checksum."""
    import msgspec
    from test_certificate import signed

    from proofs.certificate import decode, encode

    whole = decode(written.read_bytes())
    evidence = dict(whole.evidence)
    query = whole.proofs["not"][0].asked[1]
    del evidence[query.text]
    path = tmp_path / "less.json"
    path.write_bytes(encode(signed(msgspec.structs.replace(whole, evidence=evidence))))
    code, out, err = typed("check-certificate", path, home=home)
    assert (code, err) == (0, "")
    counts, *named, verdict = out.splitlines()
    assert ", 1 by a solver, " in counts
    assert named == ["  taken on a solver's word: 1 of not/specification"]
    assert verdict.endswith("z3 alone, where it says so above, had to be trusted for it.")
    code, out, err = typed("check-certificate", path, "--solver-free", home=home)
    assert (code, out) == (1, "")
    assert err == (
        f"check-certificate: {path} is refused: a query of not/specification has no evidence, and "
        "no solver is to be trusted.\n"
    )


def test_what_is_refused(home, written, tmp_path):
    path = tmp_path / "edited.json"
    document = json.loads(written.read_bytes())
    document["bits"] = 5
    path.write_text(json.dumps(document))
    code, out, err = typed("check-certificate", path, home=home)
    assert (code, out) == (1, "")
    assert err == (
        f"check-certificate: {path} is refused: it is damaged: its checksum is not that of its "
        "content.\n"
    )
    missing = tmp_path / "missing.json"
    code, out, err = typed("check-certificate", missing, home=home)
    assert (code, out) == (2, "")
    assert err == (
        f"check-certificate: cannot read {missing}: No such file or directory. Write one with "
        "verify-all.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--certificate", "no/where.json"],
            "cannot write no/where.json: No such file or directory. Choose another file.",
        ),
        (
            ["--certificate", "x.json", "--only", "not"],
            "--certificate is about the proof of the network: give it without --only.",
        ),
        (
            ["--certificate", "x.json", "--list"],
            "--certificate is about the queries of the proofs, --list is not: give one of the two.",
        ),
    ],
)
def test_a_certificate_that_cannot_be(home, arguments, sentence):
    code, out, err = typed("verify-all", *SMALL, *arguments, home=home)
    assert (code, out) == (2, "")
    assert err == f"verify-all: {sentence}\n"


def test_no_certificate_of_what_is_not_proved(home, tmp_path):
    path = tmp_path / "certificate.json"
    arguments = ["--certificate", path, "--budget", "1", "--no-cache", "--plain"]
    code, out, err = typed("verify-all", *SMALL, *arguments, home=home)
    assert (code, err) == (3, "")
    assert out.splitlines()[-1] == (
        f"no certificate is written to {path}: not everything is proved."
    )
    assert not path.exists()


def test_what_a_selection_rests_on(home):
    code, out, err = typed("verify-all", *SMALL, "--only", "at_most_zero", "--plain", home=home)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith(
        "obligations at 4 bits x 5 words; this says nothing about the others. It rests on the "
        "contracts of and(inputs=2), is_zero(bits=4), or."
    )
