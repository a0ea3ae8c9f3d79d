"""Certificates: what was proved, of which network, how, and evidence that stands by itself.

A certificate is one JSON file about a width and a range of numbers of words.  `check` believes
nothing in it: it states the network anew from this package's source, makes every obligation and
every query anew by the kernel's rules, and takes an answer only if the evidence for it passes the
checker (`checker`, which knows no solver), or if a solver gives it again.  What the certificate
records must then be what came out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import UNSET

from proofs import kernel, prover
from proofs.audit import OUTSIDE, definitions, versions
from proofs.checker import Refused
from proofs.checker import check as check_evidence
from proofs.evidence import Evidence, Refutation
from proofs.results import Answer, Result, Verdict
from proofs.verify import gadgets
from verified_mlp.constructions.registry import CONSTRUCTIONS, DEFAULT
from verified_mlp.machine.shape import Memories, Region, Shape, memories
from verified_mlp.statement.digest import digest

SCHEMA = 1

THEOREM = (
    "One pass of the network is one step of the machine (see the definitions): for every state, if "
    "the vector encodes it, then the vector after the last layer encodes the step of it."
)


class CertificateError(Exception):
    """A certificate that is refused; the text says why."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A query of an obligation: the SHA-256 of its SMT-LIB text, the answer, and who gave it."""

    text: str
    answer: str
    solvers: list[str]


class Lemma(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One obligation: what it states, by which rule of the kernel, from which lemmas of the same
    gadget and which gadgets' contracts, and what was asked for it.
    """

    name: str
    claim: str
    rule: str
    uses: list[str]
    rests_on: list[str]
    verdict: str
    milliseconds: int
    resources: int
    asked: list[Asked]


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was proved of the network of a width, for every number of words in a range.

    `statement` is the digest of the network's canonical text with the number of words free,
    `definitions` that of the text of all that the theorem's statement is made of; `assumed` is what
    no proof covers.  `evidence` is kept by the digest of the query's text.  `checksum` is that of
    everything else.
    """

    schema: int
    theorem: str
    construction: str
    bits: int
    words: tuple[int, int]
    statement: str
    definitions: str
    assumed: list[str]
    tools: dict[str, str]
    proofs: dict[str, list[Lemma]]
    evidence: dict[str, Evidence]
    checksum: str = ""


@dataclass(slots=True)
class Checked:
    """What checking a certificate came to: counts, and the queries that a solver decided again
    for want of evidence, as (obligation, digest of the text).
    """

    family: Memories
    construction: str = DEFAULT
    obligations: int = 0
    queries: int = 0
    by_evidence: int = 0
    by_solver: list[tuple[str, str]] = field(default_factory=list)


def text_digest(text: str) -> str:
    """The SHA-256 of a query's text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def make(
    shape: Shape,
    results: Iterable[Result],
    solvers: Sequence[str],
    evidence: Mapping[str, Evidence],
    construction: str = DEFAULT,
) -> Certificate:
    """The certificate for a shape's family, from results that kept their queries.

    `solvers` decided them, all agreeing; `evidence` is by the digest of the text.  Raises
    ValueError unless every obligation is there, and PROVED.
    """
    family = memories(shape)
    known = {result.obligation.name: result for result in results}
    proofs: dict[str, list[Lemma]] = {}
    for gadget in gadgets(family, construction):
        names = [each.name for each in prover.obligations(gadget)]
        for name in names:
            if name not in known or known[name].verdict is not Verdict.PROVED:
                raise ValueError(f"{name} is not proved, so there is nothing to certify")
        proofs[gadget.title] = [_lemma(known[name], solvers) for name in names]
    texts = {asked.text for lemmas in proofs.values() for each in lemmas for asked in each.asked}
    unsigned = Certificate(
        schema=SCHEMA,
        theorem=THEOREM,
        construction=construction,
        bits=family.bits,
        words=(family.low, family.high),
        statement=digest(CONSTRUCTIONS[construction].network(family)),
        definitions=definitions_digest(),
        assumed=list(OUTSIDE),
        tools=versions(),
        proofs=proofs,
        evidence={key: each for key, each in sorted(evidence.items()) if key in texts},
    )
    return msgspec.structs.replace(unsigned, checksum=_checksum(unsigned))


def _lemma(result: Result, solvers: Sequence[str]) -> Lemma:
    assert result.queries is not UNSET
    return Lemma(
        name=result.obligation.name,
        claim=result.obligation.claim,
        rule=result.rule,
        uses=result.uses,
        rests_on=result.rests_on,
        verdict=result.verdict.value,
        milliseconds=round(result.seconds * 1000),
        resources=result.resources,
        asked=[
            Asked(text_digest(each.text), each.answer, list(solvers)) for each in result.queries
        ],
    )


def encode(certificate: Certificate) -> bytes:
    """The file's content; equal certificates have equal files."""
    return msgspec.json.format(msgspec.json.encode(certificate), indent=0) + b"\n"


def decode(content: bytes) -> Certificate:
    """The certificate in a file.

    Raises CertificateError if the content is none, is damaged or is of another schema.
    """
    try:
        found = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        schema = msgspec.json.decode(found.get("schema", msgspec.Raw(b"null")), type=int)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CertificateError(f"it is no certificate: {error}.") from error
    if schema != SCHEMA:
        raise CertificateError(
            f"it is a certificate of schema {schema}, and this version reads schema {SCHEMA}: make "
            "it anew with verify-all."
        )
    try:
        certificate = msgspec.json.decode(content, type=Certificate)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CertificateError(f"it is no certificate: {error}.") from error
    if encode(certificate) != content or _checksum(certificate) != certificate.checksum:
        raise CertificateError("it is damaged: its checksum is not that of its content.")
    return certificate


def _checksum(certificate: Certificate) -> str:
    bare = msgspec.structs.replace(certificate, checksum="")
    return hashlib.sha256(msgspec.json.encode(bare)).hexdigest()


def definitions_digest() -> str:
    """The SHA-256 of the definitions, as `verify-all --audit` prints them."""
    text = "".join(f"{each.name}\n{each.text}\n" for each in definitions())
    return hashlib.sha256(text.encode()).hexdigest()


def family_of(certificate: Certificate) -> Memories:
    """The shapes that a certificate speaks of.  Raises CertificateError if there are none."""
    for region in Region:
        try:
            family = Memories(certificate.bits, region)
        except ValueError:
            continue
        if (family.low, family.high) == certificate.words:
            return family
    low, high = certificate.words
    raise CertificateError(
        f"no theorem is about {certificate.bits} bits and {low} to {high} words: no family of "
        "shapes has this range."
    )


Solve = Callable[[str], Answer]


def check(
    certificate: Certificate, solve: Solve | None, tell: Callable[[str], None] = lambda _: None
) -> Checked:
    """Check a certificate against this package's source (see above).

    `solve` answers queries without evidence; without it these are refused.  `tell` hears the title
    of each gadget that is done.  Raises CertificateError.
    """
    family = family_of(certificate)
    _compare("its theorem", certificate.theorem, THEOREM)
    construction = certificate.construction
    if construction not in CONSTRUCTIONS:
        _compare("its construction", construction, " or ".join(CONSTRUCTIONS))
    network = CONSTRUCTIONS[construction].network(family)
    _compare("the network's statement", certificate.statement, digest(network))
    _compare("the definitions", certificate.definitions, definitions_digest())
    _compare("the list of what is assumed", certificate.assumed, list(OUTSIDE))
    checked = Checked(family, construction)
    contracts: list[kernel.Contract] = []
    found = gadgets(family, construction)
    _compare("the list of gadgets", list(certificate.proofs), [each.title for each in found])
    used: set[str] = set()
    for gadget in found:
        recorded = certificate.proofs[gadget.title]
        answers = _Answers(certificate, solve, checked, used)
        contracts.append(_replayed(gadget, recorded, answers))
        checked.obligations += len(recorded)
        tell(gadget.title)
    if unused := sorted(set(certificate.evidence) - used):
        raise CertificateError(f"it has evidence for a query that is not asked: {unused[0]}.")
    try:
        kernel.composition(found[-1].title, contracts)
    except ValueError as error:
        raise CertificateError(f"{error}.") from error
    return checked


class _Answers:
    """Answers the queries of a replay: by evidence, else by a solver, else not at all."""

    def __init__(
        self, certificate: Certificate, solve: Solve | None, checked: Checked, used: set[str]
    ) -> None:
        self._evidence, self._solve = certificate.evidence, solve
        self._checked, self._used = checked, used
        self.lemma = ""

    def __call__(self, text: str) -> tuple[Answer, bool]:
        key = text_digest(text)
        evidence = self._evidence.get(key)
        self._checked.queries += 1
        if evidence is None:
            return self._solved(key, text), False
        self._used.add(key)
        try:
            check_evidence(text, evidence)
        except Refused as reason:
            raise CertificateError(
                f"the evidence for a query of {self.lemma} is refused: {reason}"
            ) from reason
        self._checked.by_evidence += 1
        status = "unsat" if isinstance(evidence, Refutation) else "sat"
        return Answer(status, 0, 0, {}), False

    def _solved(self, key: str, text: str) -> Answer:
        if self._solve is None:
            raise CertificateError(
                f"a query of {self.lemma} has no evidence, and no solver is to be trusted."
            )
        self._checked.by_solver.append((self.lemma, key))
        return self._solve(text)


def _replayed(gadget: Any, recorded: Sequence[Lemma], answers: _Answers) -> kernel.Contract:
    """The gadget's contract, proved anew; each obligation must be as recorded."""
    names = [each.name for each in prover.obligations(gadget)]
    _compare(f"the list of obligations of {gadget.title}", [each.name for each in recorded], names)
    attempt = prover.prove(gadget, answers, keep=True)
    for lemma in recorded:
        answers.lemma = lemma.name
        result = next(attempt)
        if result.verdict is not Verdict.PROVED:
            raise CertificateError(f"{lemma.name} is {result.verdict}: {result.detail}.")
        now = _lemma(result, ())
        asked = [(each.text, each.answer) for each in now.asked]
        _compare(f"the verdict of {lemma.name}", lemma.verdict, now.verdict)
        _compare(f"the claim of {lemma.name}", lemma.claim, now.claim)
        _compare(
            f"the derivation of {lemma.name}",
            (lemma.rule, lemma.uses, lemma.rests_on),
            (now.rule, now.uses, now.rests_on),
        )
        _compare(
            f"the list of queries of {lemma.name}",
            [(each.text, each.answer) for each in lemma.asked],
            asked,
        )
    try:
        next(attempt)
    except StopIteration as end:
        if isinstance(end.value, kernel.Contract):
            return end.value
    raise CertificateError(f"{gadget.title} is not proved.")


def _compare(what: str, recorded: object, now: object) -> None:
    if recorded != now:
        raise CertificateError(
            f"{what} is not what this version of verified-mlp derives: {_shown(recorded)} is "
            f"recorded, {_shown(now)} is right. The certificate is of another version, or it was "
            "changed."
        )


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
