"""The cache of answers: it remembers what is certain, under all that it depends on, or nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import proofs.cache
from proofs import verify
from proofs.cache import Cache, folder
from proofs.results import Answer, Verdict
from proofs.smtlib import text_of
from proofs.solver import solve
from proofs.terms import unknown
from proofs.verify import Options
from verified_mlp.machine.shape import Shape

X = unknown("x")
SAT = Answer("sat", 0.25, 17, {"x": "-5", "y": "3"})
UNSAT = Answer("unsat", 1 / 3, 2**40, {})
SCRIPT = Path(sys.executable).with_name("verify-all")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "below" / "answers.sqlite"


@pytest.fixture
def cache(path):
    opened = Cache(path)
    yield opened
    opened.close()


def found(path, text):
    """What a new process finds."""
    cache = Cache(path)
    try:
        return cache.get(text)
    finally:
        cache.close()


def rows(path):
    with sqlite3.connect(path) as database:
        kept = database.execute("SELECT key, answer, checksum FROM answers").fetchall()
    database.close()
    return kept


def alter(path, statement, *values):
    with sqlite3.connect(path) as database:
        changed = database.execute(statement, values).rowcount
    database.close()
    return changed


# What is remembered.


@pytest.mark.parametrize("answer", [SAT, UNSAT], ids=lambda answer: answer.status)
def test_the_same_text_is_answered_alike(cache, path, answer):
    assert cache.get("a text") is None
    cache.put("a text", answer)
    assert cache.get("a text") == answer
    assert found(path, "a text") == answer


@pytest.mark.parametrize("text", ["", "a text ", "A text", "a text\n", " a text", "another"])
def test_another_text_is_not_known(cache, text):
    cache.put("a text", SAT)
    assert cache.get(text) is None


@pytest.mark.parametrize("status", ["unknown", "timeout", "error", ""])
def test_only_what_is_certain_is_kept(cache, path, status):
    """A larger budget may decide what this one did not."""
    cache.put("a text", Answer(status, 1, 5, {}))
    assert cache.get("a text") is None
    assert rows(path) == []


def test_a_later_answer_takes_the_place_of_an_earlier_one(cache, path):
    cache.put("a text", SAT)
    cache.put("a text", UNSAT)
    assert cache.get("a text") == UNSAT
    assert len(rows(path)) == 1


@pytest.mark.parametrize("name", ["version", "SCHEMA"])
def test_another_version_of_solver_or_schema_knows_nothing(path, monkeypatch, name):
    first = Cache(path)
    first.put("a text", SAT)
    first.close()
    changed = {"version": lambda: "z3 9.9.9", "SCHEMA": 2}[name]
    with monkeypatch.context() as patch:
        patch.setattr(proofs.cache, name, changed)
        assert found(path, "a text") is None
    assert found(path, "a text") == SAT


def test_an_answer_of_the_solver_is_what_it_was(cache):
    text = text_of([X > 3, X < 5])
    answer = solve(text, 10**6, 60)
    cache.put(text, answer)
    assert cache.get(text) == answer
    assert answer.model == {"x": "4"}


# What is broken is not there.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answers SET answer = replace(answer, 'unsat', 'sat')",
        "UPDATE answers SET answer = answer || ' '",
        "UPDATE answers SET answer = ''",
        "UPDATE answers SET checksum = ''",
        "UPDATE answers SET checksum = upper(checksum)",
        "UPDATE answers SET answer = CAST(answer AS BLOB)",
        "UPDATE answers SET key = substr(key, 2)",
        "DELETE FROM answers",
        "DROP TABLE answers",
    ],
)
def test_a_row_that_was_altered_is_ignored(path, statement):
    cache = Cache(path)
    cache.put("a text", UNSAT)
    cache.close()
    alter(path, statement)
    assert found(path, "a text") is None
    # And a new answer takes its place.
    cache = Cache(path)
    cache.put("a text", SAT)
    assert cache.get("a text") == SAT
    cache.close()


def test_a_row_does_not_answer_for_another_text(path):
    cache = Cache(path)
    cache.put("a text", UNSAT)
    cache.put("another", SAT)
    cache.close()
    (first, *_), (second, *_) = sorted(rows(path))
    alter(path, "DELETE FROM answers WHERE key = ?", first)
    assert alter(path, "UPDATE answers SET key = ? WHERE key = ?", first, second) == 1
    assert (found(path, "a text"), found(path, "another")) == (None, None)


@pytest.mark.parametrize(
    "content", [b"", b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_file_that_is_no_database_is_ignored(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    cache = Cache(path)
    cache.put("a text", SAT)
    # An empty file is a database without a table yet.
    assert cache.get("a text") == (None if content else SAT)
    cache.close()
    assert bool(content) == (path.read_bytes() == content)


def test_a_file_that_is_cut_off_is_ignored(path):
    cache = Cache(path)
    for number in range(300):
        cache.put(f"text {number}", SAT)
    cache.close()
    whole = path.read_bytes()
    for length in (100, 5000, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        cache = Cache(path)
        answers = [cache.get(f"text {number}") for number in range(300)]
        cache.close()
        assert all(answer in (None, SAT) for answer in answers)
        assert None in answers


# Where nothing can be kept.


@pytest.mark.parametrize("where", ["a file in the way", "/proc", "/dev/null"])
def test_a_folder_that_cannot_be_written_is_a_cache_that_knows_nothing(tmp_path, where):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    path = (blocked if where == "a file in the way" else Path(where)) / "verified-mlp" / "a.sqlite"
    cache = Cache(path)
    cache.put("a text", SAT)
    assert cache.get("a text") is None
    cache.close()
    assert blocked.read_text(encoding="utf-8") == "in the way"


def test_a_database_that_is_only_to_be_read_is_read_or_ignored(path):
    """Without a write the answers stay right; with the right to write none, none is lost."""
    cache = Cache(path)
    cache.put("a text", SAT)
    cache.close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        cache = Cache(path)
        cache.put("another", UNSAT)
        assert cache.get("a text") in (SAT, None)
        cache.close()
    finally:
        path.parent.chmod(0o700)
        path.chmod(0o600)
    assert found(path, "a text") == SAT


def test_a_closed_cache_knows_nothing(cache):
    cache.put("a text", SAT)
    cache.close()
    cache.close()
    assert cache.get("a text") is None
    cache.put("a text", SAT)


def test_the_folder_is_that_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder() == tmp_path / "verified-mlp"
    monkeypatch.setenv("HOME", str(tmp_path))
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("XDG_CACHE_HOME")
        else:
            monkeypatch.setenv("XDG_CACHE_HOME", unset)
        assert folder() == tmp_path / ".cache" / "verified-mlp"


# Several processes.

WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from proofs.cache import Cache
    from proofs.results import Answer

    path, start, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    cache = Cache(path)
    print("ready", flush=True)
    for number in range(start, start + count):
        cache.put(f"text {number}", Answer("sat", 0.5, number, {"x": "1" * 2000}))
        assert cache.get(f"text {number}").resources == number
    print("done", flush=True)
    """
)


def writer(path, start, count):
    command = [sys.executable, "-c", WRITER, str(path), str(start), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_write_at_once(path):
    both = [writer(path, start, 200) for start in (0, 100)]
    for process in both:
        said, _ = process.communicate(timeout=60)
        assert (said.split(), process.returncode) == (["ready", "done"], 0)
    cache = Cache(path)
    for number in range(300):
        assert cache.get(f"text {number}") == Answer("sat", 0.5, number, {"x": "1" * 2000})
    cache.close()
    assert len(rows(path)) == 300


def test_a_process_that_is_killed_while_it_writes_leaves_whole_rows(path):
    process = writer(path, 0, 10**9)
    assert process.stdout.readline() == "ready\n"
    wanted = time.monotonic() + 60
    while found(path, "text 20") is None:
        assert time.monotonic() < wanted
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    process.stdout.close()
    kept = len(rows(path))
    assert kept > 20
    cache = Cache(path)
    for number in range(kept):
        assert cache.get(f"text {number}").resources == number
    assert cache.get(f"text {kept}") is None
    cache.put("after", SAT)
    assert cache.get("after") == SAT
    cache.close()


# The solver with and without the cache.


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "verified-mlp"


def proved(options, title="not"):
    found = [each for each in verify.obligations(Shape(4, 4)) if each.gadget == title]
    return list(verify.run(Shape(4, 4), found, options))


def test_what_was_proved_is_remembered(home):
    first, second = proved(Options()), proved(Options())
    assert [each.cached for each in first] == [False, False]
    assert [each.cached for each in second] == [True, True]
    for fresh, remembered in zip(first, second, strict=True):
        assert fresh.verdict is remembered.verdict is Verdict.PROVED
        assert fresh.resources == remembered.resources > 0
    assert home.is_dir()


def test_without_the_cache_nothing_is_written(home):
    assert [each.verdict for each in proved(Options(cache=False))] == [Verdict.PROVED] * 2
    assert not home.exists()


def test_without_the_cache_nothing_is_read(home):
    """The cache is filled with lies."""
    texts = []

    def recorded(text, budget, timeout):
        texts.append(text)
        return solve(text, budget, timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "solve", recorded)
        proved(Options(cache=False))
    assert texts
    lies = Cache(home / "answers.sqlite")
    for text in texts:
        lies.put(text, Answer("sat", 0, 0, {"x": "0"}))
    lies.close()
    before = rows(home / "answers.sqlite")
    assert Verdict.PROVED not in {each.verdict for each in proved(Options())}
    assert {each.verdict for each in proved(Options(cache=False))} == {Verdict.PROVED}
    assert rows(home / "answers.sqlite") == before


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file in the way", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):
        results = proved(Options())
        assert [each.verdict for each in results] == [Verdict.PROVED] * 2
        assert not any(each.cached for each in results)


def test_a_small_budget_leaves_nothing_for_a_larger_one(home):
    few = proved(Options(budget=1))
    assert {each.verdict for each in few} == {Verdict.UNKNOWN}
    assert {each.verdict for each in proved(Options())} == {Verdict.PROVED}


def test_the_option_of_the_command(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [SCRIPT, "--bits", "4", "--words", "4", "--only", "not", "--plain"]

    def run(*options):
        return subprocess.run(
            [*command, *options], env=environment, capture_output=True, text=True, check=True
        ).stdout

    run("--no-cache")
    assert not (tmp_path / "cache").exists()
    run()
    kept = rows(tmp_path / "cache" / "verified-mlp" / "answers.sqlite")
    assert kept
    run("--no-cache")
    assert rows(tmp_path / "cache" / "verified-mlp" / "answers.sqlite") == kept
