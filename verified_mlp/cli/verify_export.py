"""The folder of `verify-all --export-smt`: an SMT-LIB 2.6 file for each query, an index."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from proofs.results import Query, Result
from verified_mlp.cli.shell import UserError, write_whole
from verified_mlp.cli.verify_files import Document, Schema, encoded, tools
from verified_mlp.cli.verify_runs import ProofRun
from verified_mlp.machine.shape import Shape

INDEX = "index.json"
LONGEST_NAME = 100
"""Of the part of a file's name that is made of the obligation's."""


class Entry(msgspec.Struct, frozen=True):
    """A file: the obligation and which of its queries it is (from 1), the answer that the proof
    needs (`sat`, `unsat`; `unknown` where it is not known), z3's answer.
    """

    file: str
    obligation: str
    query: int
    expected: str
    z3: str


class Index(Document, frozen=True):
    """All files of a run, in the order of the obligations."""

    verdict: str
    queries: list[Entry]


def check_folder(folder: Path, others: Sequence[Path] = ()) -> None:
    """Raises UserError unless the folder is empty, or new and can be made, and no other file is to
    be written into it; leaves nothing behind.
    """
    for other in others:
        if other.resolve().parent == folder.resolve():
            raise UserError(f"{other} is in the folder of --export-smt. Choose another place.")
    try:
        if folder.is_dir():
            if any(folder.iterdir()):
                raise UserError(
                    f"cannot write to {folder}: the folder is not empty. Choose a new one."
                )
        elif folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        place = folder if folder.is_dir() else folder.parent
        tempfile.TemporaryDirectory(dir=place).cleanup()
    except OSError as error:
        raise _refused(folder, error) from error


def write_folder(folder: Path, run: ProofRun) -> None:
    """Write the queries of a run and, last, the index.

    Raises UserError if that fails; then what was written is removed.
    """
    check_folder(folder)
    made = not folder.exists()
    written: list[Path] = []
    try:
        folder.mkdir(exist_ok=True)
        index = []
        for entry, text in _files(run):
            index.append(entry)
            written.append(folder / entry.file)
            write_whole(written[-1], text.encode("ascii"))
        document = Index(
            Schema("verify-all/queries"), tools(), run.shape, run.only, run.verdict, index
        )
        written.append(folder / INDEX)
        write_whole(written[-1], encoded(document))
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if made and folder.exists():
            folder.rmdir()
        if isinstance(error, OSError):
            raise _refused(folder, error) from error
        raise


def _refused(folder: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(f"cannot write to {folder}: {reason}. Choose another folder.")


def _files(run: ProofRun) -> Iterator[tuple[Entry, str]]:
    found = {result.obligation.name: result for result in run.results}
    digits = len(str(len(run.chosen)))
    for position, obligation in enumerate(run.chosen, start=1):
        if obligation.name not in found:
            continue
        result = found[obligation.name]
        for number, query in enumerate(result.queries or (), start=1):
            # The position makes the name unique, also where upper and lower case are the same.
            file = f"{position:0{digits}}-{_safe(obligation.name)}-{number}.smt2"
            entry = Entry(file, obligation.name, number, query.expected, query.answer)
            yield entry, smt_file(query, number, result, run.shape)


def smt_file(query: Query, number: int, result: Result, shape: Shape) -> str:
    """The query as a file by itself: what it is, what it should answer, the text."""
    logic, _, rest = query.text.partition("\n")
    this = result.obligation
    source = f"verified-mlp {version('verified-mlp')}, {shape}: {this.name}, query {number}"
    return "\n".join(
        [
            "(set-info :smt-lib-version 2.6)",
            logic,
            f"(set-info :source |{_quotable(source)}|)",
            f"(set-info :status {query.expected})",
            rest,
        ]
    )


def _safe(name: str) -> str:
    """The name with what is not safe in a file's name made a hyphen.

    >>> _safe("select(words=5)/at most 2^n")
    'select-words-5-at-most-2-n'
    """
    return re.sub("[^A-Za-z0-9_]+", "-", name)[:LONGEST_NAME].strip("-")


def _quotable(text: str) -> str:
    r"""The text with what cannot stand between SMT-LIB's bars made a question mark.

    >>> _quotable("a|b\\c\u2264")
    'a?b?c?'
    """
    return re.sub(r"[^ -\[\]-{}~]", "?", text)
