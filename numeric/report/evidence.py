"""What a report says of the proof: the certificate of a network, checked, and its obligations."""

from __future__ import annotations

from dataclasses import dataclass, replace

from numeric.machine import check_verified
from proofs import gate, verify
from proofs.certificate import Certificate, CertificateError, Lemma, make
from proofs.results import Obligation, Report
from proofs.solver import version
from verified_mlp.constructions.registry import construction
from verified_mlp.machine.shape import Shape, memories


@dataclass(frozen=True, slots=True)
class Line:
    """An obligation: what is claimed where, and how it was proved in how much time.

    Of its `queries`, so many have evidence in the certificate that needs no solver.
    """

    name: str
    gadget: str
    claim: str
    domain: str
    method: str
    verdict: str
    seconds: float
    queries: int
    by_evidence: int
    rule: str
    uses: list[str]
    rests_on: list[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proved of a network, from its certificate."""

    verdict: str
    theorem: str
    family: str
    statement: str
    definitions: str
    checksum: str
    solvers: list[str]
    tools: dict[str, str]
    assumed: list[str]
    seconds: float
    queries: int
    by_evidence: int
    lines: list[Line]


def certificate_of(shape: Shape, options: verify.Options) -> Certificate:
    """The certificate of a shape's network, checked: the one that is kept, else a new one.

    Raises NotVerifiedError if something is not proved.
    """
    check_verified(gate.ensure(shape, options))
    try:
        return gate.covered(gate.kept(memories(shape), options.construction), shape, options)
    except CertificateError:  # nothing can be kept here, or nothing was to be
        report = verify.verify(shape, replace(options, queries=True))
        check_verified(report)
        return make(shape, report.results, [version()], {}, options.construction)


def proof(certificate: Certificate, shape: Shape) -> Proof:
    """What a certificate, which was checked, says of a shape.

    Raises NotVerifiedError if the shape's network is no instance of the one that is proved.
    """
    how = certificate.construction
    instance = verify.check_instance(shape, how=how)
    check_verified(Report(shape.bits, shape.words, [instance]))
    stated = {each.name: each for each in verify.obligations(shape, how=how)}
    lemmas = [(title, each) for title, found in certificate.proofs.items() for each in found]
    lines = [_line(title, each, stated[each.name], certificate) for title, each in lemmas]
    own = instance.obligation
    lines.append(
        Line(
            own.name, own.gadget, own.claim, own.domain, own.method,
            instance.verdict.value, instance.seconds, 0, 0, "", [], [],
        )
    )  # fmt: skip
    layers = len(construction(how).network(shape).layers)
    low, high = certificate.words
    return Proof(
        verdict=f"PROVED: one pass of the {layers}-layer network at {shape} is one SUBLEQ step, "
        "for every state, and every gadget meets its specification on its whole domain.",
        theorem=certificate.theorem,
        family=f"{certificate.bits} bits x {low} to {high} words",
        statement=certificate.statement,
        definitions=certificate.definitions,
        checksum=certificate.checksum,
        solvers=sorted({name for _, each in lemmas for a in each.asked for name in a.solvers}),
        tools=certificate.tools,
        assumed=certificate.assumed,
        seconds=sum(line.seconds for line in lines),
        queries=sum(line.queries for line in lines),
        by_evidence=sum(line.by_evidence for line in lines),
        lines=lines,
    )


def _line(title: str, lemma: Lemma, stated: Obligation, certificate: Certificate) -> Line:
    return Line(
        name=lemma.name,
        gadget=title,
        claim=lemma.claim,
        domain=stated.domain,
        method=stated.method,
        verdict=lemma.verdict,
        seconds=lemma.milliseconds / 1000,
        queries=len(lemma.asked),
        by_evidence=sum(each.text in certificate.evidence for each in lemma.asked),
        rule=lemma.rule,
        uses=lemma.uses,
        rests_on=lemma.rests_on,
    )
