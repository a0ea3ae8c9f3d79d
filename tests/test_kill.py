"""verify-all killed at random moments: nothing wrong is remembered, nothing is half written."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proofs.cache import Cache, folder
from proofs.certificate import CertificateError, check, decode
from proofs.gate import kept
from proofs.solver import solve
from proofs.verify import Options, obligations, run
from verified_mlp.machine.shape import Shape, memories

SHAPE = Shape(4, 5)
COMMAND = Path(sys.executable).parent / "verify-all"
ARGUMENTS = ["--bits", "4", "--words", "5", "--jobs", "2", "--plain"]


@pytest.mark.parametrize("times", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_random_moments(times, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = tmp_path / "files"
    files.mkdir()
    fresh = run(SHAPE, obligations(SHAPE), Options(cache=False, queries=True))
    answers = {query.text: query.answer for each in fresh for query in each.queries or ()}
    generator = random.Random(times)
    ended = 0
    for attempt in range(times):
        process = subprocess.Popen(
            [COMMAND, *ARGUMENTS, "--json", files / "out.json"],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(generator.uniform(0.3, 5))
        os.killpg(process.pid, signal.SIGKILL)
        ended += process.wait() == 0
        assert {each.name for each in files.iterdir()} <= {"out.json"}
        if (files / "out.json").exists():
            assert json.loads((files / "out.json").read_text())["results"]
            (files / "out.json").unlink()
        if attempt % 5 == 4:
            forget_some(generator)
    assert ended < times
    cache = Cache(folder() / "answers.sqlite")
    remembered = [text for text in answers if cache.get(text) is not None]
    assert remembered
    assert all(cache.get(text).status == answers[text] for text in remembered)
    cache.close()
    try:
        certificate = decode(kept(memories(SHAPE)))
    except CertificateError:
        return
    assert check(certificate, lambda text: solve(text, 10**7, 60)).obligations


def forget_some(generator):
    """Half of what is remembered, so that there is something to do and to write."""
    database = sqlite3.connect(folder() / "answers.sqlite")
    with database:
        keys = [key for (key,) in database.execute("SELECT key FROM answers")]
        for key in generator.sample(keys, len(keys) // 2):
            database.execute("DELETE FROM answers WHERE key = ?", (key,))
    database.close()
