"""Answers of the solver, and whole verdicts, remembered by content.

The key is the SMT-LIB text, the solver's version and the schema of this file; only `sat` and
`unsat` are kept, which no budget can change.  SQLite makes a write whole or not at all, also
when two processes write or one is killed.  An entry whose checksum is wrong is not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path

from proofs.results import Answer
from proofs.solver import version

SCHEMA = 1


def folder() -> Path:
    """Where the answers are kept: `$XDG_CACHE_HOME/verified-mlp`, by default in `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "verified-mlp"


class Cache:
    """A table of answers of one solver in a file, which other solvers may share.

    A file that cannot be used is a cache that knows nothing.
    """

    def __init__(self, path: Path, solver: str | None = None) -> None:
        """`solver` is its name and version; z3's unless given."""
        self._solver = solver or version()
        self._database: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=10, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS answers"
                " (key TEXT PRIMARY KEY, answer TEXT NOT NULL, checksum TEXT NOT NULL)"
            )
        except (OSError, sqlite3.Error):
            self.close()

    def get(self, text: str) -> Answer | None:
        """The remembered answer, or None."""
        if self._database is None:
            return None
        key = _key(self._solver, text)
        try:
            row = self._database.execute(
                "SELECT answer, checksum FROM answers WHERE key = ?", (key,)
            ).fetchone()
        except sqlite3.Error:
            return None
        if row is None or row[1] != _checksum(key, row[0]):
            return None
        status, seconds_text, resources, model = json.loads(row[0])
        numerator, denominator = seconds_text
        return Answer(status, numerator / denominator, resources, model)

    def put(self, text: str, answer: Answer) -> None:
        """Remember a definite answer."""
        if self._database is None or answer.status not in ("sat", "unsat"):
            return
        key = _key(self._solver, text)
        seconds = answer.seconds.as_integer_ratio()
        content = json.dumps([answer.status, seconds, answer.resources, answer.model])
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                (key, content, _checksum(key, content)),
            )
        except sqlite3.Error:
            return

    def proved(self, content: str) -> bool:
        """Whether everything that this content stands for was proved before."""
        known = self.get(content)
        return known is not None and known.status == "unsat"

    def remember_proved(self, content: str) -> None:
        """Remember that everything that this content stands for was proved."""
        self.put(content, Answer("unsat", 0, 0, {}))

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None


def _key(solver: str, text: str) -> str:
    return hashlib.sha256(f"{SCHEMA}\n{solver}\n{text}".encode()).hexdigest()


def _checksum(key: str, content: str) -> str:
    return hashlib.sha256(f"{key}\n{content}".encode()).hexdigest()
