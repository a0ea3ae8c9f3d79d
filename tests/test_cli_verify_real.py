"""The command verify-all as a user types it: the console script, the real prover, a terminal."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCRIPT = Path(sys.executable).with_name("verify-all")
SMALL = ("--bits", "4", "--words", "5")
LONG = ("--bits", "64", "--words", "1024", "--no-cache")
WRONG = """
from verified_mlp.cli.verify import main
from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.network import Condition, Field, Gadget


@gadget()
def wrong_or():
    build = Builder("wrong_or", [Field("x"), Field("y")])
    now = build.layer()
    build.neurons("total", (), now.x + now.y, largest=2)
    now = build.layer()
    build.neurons("out", (), now.total, largest=2)
    done = build.close()
    return Gadget(
        name="wrong_or",
        network=build.build(build.output("out", (), done.out)),
        spec={"out": lambda x, y: where(x == 1, 1, y)},
        source="nobody, \\u00a7 0",
        formula="out = ReLU(x + y)",
    )


@gadget()
def empty():
    build = Builder("empty", [Field("x")])
    now = build.layer()
    build.neurons("out", (), now.x)
    done = build.close()
    return Gadget(
        name="empty",
        network=build.build(build.output("out", (), done.out)),
        spec={"out": lambda x: x},
        conditions=(Condition("x is 2", (), lambda x: x == 2),),
        source="nobody",
        formula="out = ReLU(x)",
    )


if __name__ == "__main__":
    main()
"""
# Makes its terminal the one that Ctrl-C comes from, as a shell would.
FOREGROUND = (
    "import fcntl, os, sys, termios; "
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """That of a person at a terminal, with a cache of proofs of its own."""
    dropped = {"CI", "NO_COLOR", "FORCE_COLOR", "TERM", "PYTHONUNBUFFERED"}
    kept = {name: text for name, text in os.environ.items() if name not in dropped}
    return kept | {"TERM": "xterm", "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture
def type_(environment, tmp_path):
    def run(*arguments, script=(SCRIPT,), **changes):
        return subprocess.run(
            [*script, *arguments],
            check=False,
            cwd=tmp_path,
            env=environment | changes,
            text=True,
            capture_output=True,
            timeout=120,
        )

    return run


@pytest.fixture
def wrong(tmp_path):
    """verify-all of a project with two gadgets more, one wrong and one without a domain."""
    path = tmp_path / "wrong.py"
    path.write_text(WRONG)
    return sys.executable, path


def alive(session):
    """The processes of a session that have not ended (a zombie has)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, *rest = path.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(rest[2]) == session and state != "Z":
            found.append(path.parent.name)
    return found


def all_ended(session):
    for _ in range(100):
        if not alive(session):
            return True
        time.sleep(0.05)
    return False


def read_terminal(master):
    """All that a terminal got, until the last process has closed it."""
    chunks = []
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            chunk = b""
        if not chunk:
            return b"".join(chunks).decode()
        chunks.append(chunk)


def test_a_small_shape_is_proved_and_reported(type_, tmp_path):
    done = type_(*SMALL, "--json", "out.json", "--junit", "out.xml")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.isprintable() for line in lines)
    assert lines[-1] == (
        "PROVED: one pass of the 23-layer network at 4 bits x 5 words is one SUBLEQ step, for "
        "every state and at every number of words from 4 to 10, and every gadget meets its "
        "specification on its whole domain."
    )
    document = json.loads((tmp_path / "out.json").read_text())
    names = [result["obligation"]["name"] for result in document["results"]]
    shown = [line.split("  ")[0:2] for line in lines if line.startswith("PROVED   ")]
    assert [["PROVED", f" {name}"] for name in names] == shown
    assert len(set(names)) == len(names) == document["counts"]["PROVED"]
    assert document["exit_code"] == 0
    cases = ElementTree.parse(tmp_path / "out.xml").getroot()[0].findall("testcase")
    assert [case.get("name") for case in cases] == names
    listed = type_(*SMALL, "--list").stdout.splitlines()
    assert sorted(line for line in listed if not line.startswith(" ")) == sorted(names)


def test_a_name_that_nothing_has_is_a_sentence(type_):
    for name, hint in (("nope", "."), ("nott", "; did you mean 'not'?")):
        done = type_("--only", "not", "--only", name)
        assert (done.returncode, done.stdout) == (2, "")
        what = f"no obligation is called {name!r}{hint}"
        assert done.stderr == f"verify-all: {what} List them with verify-all --list.\n"


def test_help_does_not_wait_for_the_prover(type_):
    done = type_("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^  (--[a-z-]+) ", done.stdout, re.MULTILINE) == [
        "--bits",
        "--words",
        "--construction",
        "--only",
        "--module",
        "--list",
        "--jobs",
        "--budget",
        "--timeout",
        "--fail-fast",
        "--no-cache",
        "--json",
        "--junit",
        "--plain",
        "--sabotage",
        "--machine",
        "--export-smt",
        "--certificate",
        "--cross-check",
        "--audit",
        "--help",
    ]
    code = "import sys, verified_mlp.cli.verify; sys.exit('z3' in sys.modules)"
    assert type_("-c", code, script=[sys.executable]).returncode == 0


def test_a_wrong_gadget_is_refuted_in_the_readers_terms(type_, wrong):
    done = type_(*SMALL, "--only", "wrong_or", "--fail-fast", "--jobs", "1", script=wrong)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert re.fullmatch(
        r"REFUTED  wrong_or/specification  every output is what the specification says, on the "
        r"whole domain  \[z3, every entry; and every input; \d+\.\d\d s; [\d,]+ rlimit\]",
        lines[1],
    )
    assert lines[2].startswith("    reason:    ")
    assert lines[3:13] == [
        "    gadget:    wrong_or",
        "    inputs:    x=1, y=1",
        "    layer 1:   total=2",
        "    layer 2:   out=2",
        "    expected:  out=1",
        "    got:       out=2",
        "    repeat:    verify-all --bits 4 --words 5 --only wrong_or/specification --no-cache",
        "",
        "failures:",
        "  REFUTED  wrong_or/specification",
    ]
    assert lines[-1] == (
        "NOT PROVED at 4 bits x 5 words: 1 REFUTED, 1 not attempted, of 2 obligations."
    )


def test_a_gadget_without_a_domain_proves_nothing(type_, wrong):
    done = type_(*SMALL, "--only", "empty", "--only", "not", script=wrong)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == (
        "NOT PROVED at 4 bits x 5 words: 2 VACUOUS, of 4 obligations."
    )


def test_too_small_a_budget_decides_nothing_and_the_command_repeats_that(type_):
    done = type_("--only", "or/specification", "--budget", "1", "--no-cache")
    assert (done.returncode, done.stderr) == (3, "")
    verdict = "NOT PROVED at 16 bits x 256 words: 1 UNKNOWN, of 1 obligations."
    assert done.stdout.splitlines()[-1] == verdict
    repeat = re.search(r"    repeat:    verify-all (.*)", done.stdout)[1]
    again = type_(*repeat.split())
    assert again.stdout.splitlines()[-1] == verdict


def test_sabotage_of_a_gadget_is_caught(type_, tmp_path):
    done = type_("--sabotage", "--only", "not", "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("CAUGHT: each of ")
    document = json.loads((tmp_path / "out.json").read_text())
    counts = document["counts"]
    assert len(document["mutants"]) == counts["mutants"] == counts["REFUTED"] + counts["HARMLESS"]
    for mutant in document["mutants"]:
        found = mutant["counterexample"]
        assert (mutant["fate"] == "REFUTED") == (found is not None)
        assert not found or found["expected"] != found["got"]


def test_a_character_that_the_terminal_lacks_is_escaped(type_, wrong):
    done = type_("--list", "--only", "wrong_or", script=wrong, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "    source:    nobody, \\xa7 0\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "changes", "drawn"),
    [
        ([], {}, True),
        (["--sabotage"], {}, True),
        (["--plain"], {}, False),
        ([], {"TERM": "dumb"}, False),
        ([], {"TERM": ""}, False),
        ([], {"CI": "true"}, False),
    ],
)
def test_a_terminal_gets_colours_and_a_bar_unless_it_should_not(
    environment, arguments, changes, drawn
):
    master, slave = pty.openpty()
    command = [SCRIPT, "--only", "not", *arguments]
    with subprocess.Popen(
        command, stdout=slave, stderr=subprocess.PIPE, env=environment | changes, text=True
    ) as process:
        os.close(slave)
        shown = read_terminal(master)
        os.close(master)
        complaints = process.stderr.read()
    assert (process.returncode, complaints) == (0, "")
    assert ("\x1b[" in shown) == drawn
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert ("━━━" in text) == drawn
    if "--sabotage" in arguments:
        assert re.search(r"[\r\n]CAUGHT: each of \d+ changes", text)
        assert re.search(r"changing ━+ \d+/\d+ \d:\d\d:\d\d", text)
        return
    assert re.search(r"[\r\n]PROVED   not/specification  every output is what .*\r\n", text)
    assert re.search(r"[\r\n]PROVED: the 2 selected of \d+ obligations", text)
    assert ("\x1b[32mPROVED\x1b[0m   not/specification" in shown) == drawn
    assert bool(re.search(r"proving ━+ \d/2 \d:\d\d:\d\d", text)) == drawn
    if not drawn:
        assert all(line.isprintable() for line in text.split("\r\n"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_control_c_at_a_terminal_is_one_line(environment, tmp_path, jobs):
    master, slave = pty.openpty()
    files = ["--json", tmp_path / "out.json", "--junit", tmp_path / "out.xml"]
    with subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, SCRIPT, *LONG, "--jobs", jobs, *files],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,
    ) as process:
        os.close(slave)
        shown = ""
        while "PROVED" not in shown:
            shown += os.read(master, 65536).decode(errors="replace")
        os.write(master, b"\x03")
        shown += read_terminal(master)
        os.close(master)
        complaints = process.stderr.read()
    assert process.returncode == 130
    found = re.fullmatch(
        r"verify-all: interrupted: (\d+) of (\d+) obligations done, \1 of them proved\.\n",
        complaints,
    )
    assert found
    assert "\x1b[?25h" in shown.partition("^C")[2]  # the cursor is there again
    assert all_ended(process.pid)
    document = json.loads((tmp_path / "out.json").read_text())
    assert (document["interrupted"], document["exit_code"]) == (True, 130)
    assert len(document["results"]) == int(found[1]) < int(found[2])
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()[0]
    assert int(suite.get("errors")) == int(found[2]) - int(found[1])


def start(environment, *arguments):
    return subprocess.Popen(
        [SCRIPT, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,
    )


def test_a_request_to_terminate_leaves_no_process_behind(environment):
    with start(environment, *LONG, "--jobs", "2") as process:
        while not process.stdout.readline().startswith("PROVED"):
            pass
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(
        r"verify-all: interrupted: \d+ of \d+ obligations done, \d+ of them proved\.\n", complaints
    )
    assert all_ended(process.pid)


@pytest.mark.parametrize(("arguments", "lines"), [([*LONG, "--jobs", "2"], 1), (["--list"], 0)])
def test_a_reader_that_goes_away_ends_it_quietly(environment, arguments, lines):
    with start(environment, *arguments) as process:
        for _ in range(lines):
            process.stdout.readline()
        process.stdout.close()
        complaints = process.stderr.read()
    assert (process.returncode, complaints) == (128 + signal.SIGPIPE, "")
    assert all_ended(process.pid)
