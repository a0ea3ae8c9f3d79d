"""The files that `verify-all` writes: JSON and JUnit XML, whole or not at all."""

from __future__ import annotations

import errno
import os
import platform
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import msgspec

from proofs import solver
from proofs.results import Mutant, Obligation, Result, Verdict
from proofs.verify import Options
from verified_mlp.cli.shell import UserError
from verified_mlp.cli.verify_output import result_lines
from verified_mlp.cli.verify_runs import ProofRun, SabotageRun
from verified_mlp.machine.shape import Shape

VERSION = 1
"""Of the JSON documents; it goes up when a name in one of them changes or goes away."""


class Schema(msgspec.Struct, frozen=True):
    """Which document this is: `verify-all/` and `results`, `mutants`, `obligations`,
    `queries` or `audit`.
    """

    name: str
    version: int = VERSION


class Tools(msgspec.Struct, frozen=True, rename={"verified_mlp": "verified-mlp"}):
    """The versions of what made the document; cvc5's only if it had a part in it."""

    verified_mlp: str
    python: str
    z3: str
    cvc5: str | msgspec.UnsetType = msgspec.UNSET


class Document(msgspec.Struct, frozen=True):
    """What all documents begin with."""

    schema: Schema
    tools: Tools
    shape: Shape
    only: list[str]


class Listing(Document, frozen=True):
    """What `verify-all --list` lists."""

    obligations: list[Obligation]


class Outcome(Document, frozen=True):
    """What a run has come to; `seconds` is wall-clock time."""

    options: Options
    counts: dict[str, int]
    seconds: float
    interrupted: bool
    verdict: str
    exit_code: int


class Proofs(Outcome, frozen=True):
    """All results of a run of proofs; `resources` is in z3's rlimit units."""

    resources: int
    results: list[Result]
    not_attempted: list[str]


class Sabotage(Outcome, frozen=True):
    """What became of every mutant."""

    mutants: list[Mutant]


def tools(second: str = "") -> Tools:
    """The versions of this package, of Python, of z3 and of the second solver, if there is one."""
    return Tools(
        version("verified-mlp"),
        platform.python_version(),
        solver.version().removeprefix("z3 "),
        version(second) if second else msgspec.UNSET,
    )


def listing_json(shape: Shape, only: list[str], chosen: list[Obligation]) -> bytes:
    """The document `verify-all/obligations`."""
    return encoded(Listing(Schema("verify-all/obligations"), tools(), shape, only, chosen))


def proofs_json(run: ProofRun) -> bytes:
    """The document `verify-all/results`."""
    return encoded(
        Proofs(
            Schema("verify-all/results"),
            tools(run.options.cross_check),
            run.shape,
            run.only,
            run.options,
            run.counts,
            run.seconds,
            bool(run.stopped),
            run.verdict,
            run.code,
            run.resources,
            # The text of an error may hold what UTF-8 cannot (a broken file name, say).
            [
                replace(each, detail=_unicode(each.detail), queries=msgspec.UNSET)
                for each in run.results
            ],
            [each.name for each in run.not_attempted],
        )
    )


def sabotage_json(run: SabotageRun) -> bytes:
    """The document `verify-all/mutants`."""
    return encoded(
        Sabotage(
            Schema("verify-all/mutants"),
            tools(),
            run.shape,
            run.only,
            run.options,
            run.counts,
            run.seconds,
            bool(run.stopped),
            run.verdict,
            run.code,
            run.mutants,
        )
    )


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def encoded(document: Document) -> bytes:
    """The document as JSON for people to read, too."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def junit_xml(run: ProofRun) -> bytes:
    """A JUnit test suite with a test case for every chosen obligation.

    REFUTED and VACUOUS are failures; every other verdict but PROVED, and an obligation that was
    not attempted, is an error, so that no reader takes half a run for a whole one.
    """
    failed = {Verdict.REFUTED, Verdict.VACUOUS}
    kinds = ["failure" if each.verdict in failed else "error" for each in run.failures]
    skipped = run.not_attempted
    totals = {
        "name": f"verify-all {run.shape}",
        "tests": str(len(run.chosen)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error") + len(skipped)),
        "time": f"{run.seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", {k: v for k, v in totals.items() if k != "name"})
    suite = ElementTree.SubElement(root, "testsuite", totals)
    properties = ElementTree.SubElement(suite, "properties")
    facts = {
        "bits": run.shape.bits,
        "words": run.shape.words,
        **msgspec.to_builtins(tools(run.options.cross_check)),
        "verdict": run.verdict,
        "interrupted": str(bool(run.stopped)).lower(),
    }
    for name, fact in facts.items():
        ElementTree.SubElement(properties, "property", name=name, value=xml_text(str(fact)))
    for result in run.results:
        case = _case(suite, result.obligation, f"{result.seconds:.3f}")
        if result.verdict is Verdict.PROVED:
            continue
        kind = "failure" if result.verdict in failed else "error"
        message = xml_text(f"{result.verdict}: {result.obligation.claim}")
        problem = ElementTree.SubElement(case, kind, type=result.verdict, message=message)
        lines = result_lines(result, run.shape, run.options)
        problem.text = xml_text("\n".join(lines))
    for obligation in skipped:
        case = _case(suite, obligation, "0")
        message = "not attempted: the run ended before it"
        ElementTree.SubElement(case, "error", type="NOT ATTEMPTED", message=message)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: ElementTree.Element, obligation: Obligation, time: str) -> ElementTree.Element:
    name, gadget = xml_text(obligation.name), xml_text(obligation.gadget)
    return ElementTree.SubElement(suite, "testcase", name=name, classname=gadget, time=time)


_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    r"""The text with the characters that XML 1.0 forbids, even as references, escaped.

    >>> xml_text("a\x00b")
    'a\\x00b'
    """
    return _NOT_XML.sub(lambda match: ascii(match.group())[1:-1], text)


def check_writable(paths: Sequence[Path]) -> None:
    """Raises UserError if a file cannot be written there; leaves nothing behind.

    A proof may take minutes, so this is found out before it starts.
    """
    for path in paths:
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if path.exists() and not path.is_file():
                if not os.access(path, os.W_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                continue
            # The same kind of name as the whole file gets at first.
            tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.").close()
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot write {path}: {reason}. Choose another file.") from error
    if len({path.resolve() for path in paths}) < len(paths):
        raise UserError(f"--json and --junit both name {paths[0]}: choose two files.")
