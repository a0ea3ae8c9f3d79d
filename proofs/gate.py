"""The gate before the runtime: a shape's network is covered by a certificate that was checked.

Certificates are kept in the file of the cache of answers, one for each family of shapes and each
construction, so that a number of words never seen before needs no new proof.  That a certificate
was checked is remembered by its content and by everything that checking depends on.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import proofs
import verified_mlp
from proofs.cache import Cache, folder
from proofs.certificate import (
    SCHEMA,
    Certificate,
    CertificateError,
    check,
    decode,
    encode,
    family_of,
    make,
)
from proofs.evidence import Evidence
from proofs.results import Answer, Report, Verdict
from proofs.solver import version
from proofs.verify import DEFAULT, Options, check_instance, solver, verify
from verified_mlp.constructions.registry import DEFAULT as PAPER
from verified_mlp.machine.shape import Memories, Shape, memories
from verified_mlp.statement.network import Network


def ensure(shape: Shape, options: Options = DEFAULT, network: Network | None = None) -> Report:
    """The report of a shape's proofs, for the construction of the options: by the certificate that
    is kept, else by proving.

    By a certificate it is `known`, and its one result is that the network (that of the shape,
    unless one is given) is an instance of the one that is proved.
    """
    how = options.construction
    instance = [] if network is None else [check_instance(shape, network, how)]
    if not options.cache:
        report = verify(shape, options)
        return replace(report, results=[*report.results, *instance])
    try:
        covered(kept(memories(shape), how), shape, options)
    except CertificateError:
        report = verify(shape, replace(options, queries=True))
        if report.passed:
            keep(make(shape, report.results, [version()], {}, how))
        return replace(report, results=[*report.results, *instance])
    instance = instance or [check_instance(shape, how=how)]
    known = all(each.verdict is Verdict.PROVED for each in instance)
    return Report(shape.bits, shape.words, instance, known=known)


def covered(content: bytes, shape: Shape, options: Options = DEFAULT) -> Certificate:
    """The certificate in a file, checked (unless that is remembered) and covering the shape.

    Raises CertificateError.
    """
    certificate = decode(content)
    if certificate.construction != options.construction:
        raise CertificateError(
            f"it is about the construction {certificate.construction}, not {options.construction}."
        )
    family = family_of(certificate)
    if memories(shape) != family:
        raise CertificateError(f"it is about {family}, which {shape} is none of.")
    cache = Cache(folder() / "answers.sqlite") if options.cache else None
    answer, close = solver(options)
    checking = _checking(content)
    try:
        if cache and cache.proved(checking):
            return certificate

        def solve(text: str) -> Answer:
            return answer(text)[0]

        check(certificate, solve)
        if cache:
            cache.remember_proved(checking)
    finally:
        close()
        if cache:
            cache.close()
    return certificate


def keep(certificate: Certificate) -> None:
    """Keep a certificate that was made of a proof just now, whole or not at all."""
    content = encode(certificate)
    cache = _certificates()
    text = content.decode()
    cache.put(
        _key(family_of(certificate), certificate.construction),
        Answer("unsat", 0, 0, {"certificate": text}),
    )
    cache.close()
    _remember(content)


def kept(family: Memories, how: str = PAPER) -> bytes:
    """The certificate that is kept for a family of shapes and a construction; empty if there is
    none.
    """
    cache = _certificates()
    found = cache.get(_key(family, how))
    cache.close()
    return found.model.get("certificate", "").encode() if found else b""


def _key(family: Memories, how: str) -> str:
    return str(family) if how == PAPER else f"{family}, {how}"


def _certificates() -> Cache:
    return Cache(folder() / "answers.sqlite", f"certificates of schema {SCHEMA}")


def kept_evidence(family: Memories, how: str = PAPER) -> dict[str, Evidence]:
    """The evidence in the certificate that is kept, if there is one."""
    try:
        return decode(kept(family, how)).evidence
    except CertificateError:
        return {}


def _remember(content: bytes) -> None:
    cache = Cache(folder() / "answers.sqlite")
    cache.remember_proved(_checking(content))
    cache.close()


def _checking(content: bytes) -> str:
    """All that the outcome of checking a certificate depends on."""
    sources = hashlib.sha256()
    for package in (proofs, verified_mlp):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            sources.update(str(path.relative_to(package.__path__[0])).encode())
            sources.update(path.read_bytes())
    certificate = hashlib.sha256(content).hexdigest()
    return f"checked {certificate} {sources.hexdigest()} {version()} {sys.version}"
