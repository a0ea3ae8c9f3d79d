"""An audit as lines to read and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from proofs.audit import Audit, Contract
from verified_mlp.cli.verify_files import Document, Schema, encoded, tools
from verified_mlp.cli.verify_output import WIDTH, printable


class AuditDocument(Document, frozen=True):
    """The document `verify-all/audit`."""

    audit: Audit


def audit_json(audit: Audit) -> bytes:
    """The document `verify-all/audit`."""
    return encoded(AuditDocument(Schema("verify-all/audit"), tools(), audit.shape, [], audit))


def audit_lines(audit: Audit) -> Iterator[str]:
    """The audit in sections, each with a heading."""
    yield f"What the proof at {audit.shape} assumes. Nothing was proved for this list."
    yield from _heading("claims")
    for each in audit.claims:
        yield from _wrapped("  - ", each.claim)
        facts = {"sizes": each.sizes, "by": each.by, "where": each.where.replace("`", "")}
        for label, fact in facts.items():
            yield from _wrapped(f"    {label + ':':<6} ", fact)
    yield from _heading("versions")
    for name, version in audit.versions.items():
        yield f"  {name} {version}"
    yield from _heading("statement: the digest of the network's canonical text, sha256")
    yield f"  {audit.statement}"
    yield from _heading("solvers")
    yield from (f"  {solver}" for solver in audit.solvers)
    yield from _heading("what a theorem is")
    yield from _text(audit.theorem)
    yield from _heading("rules: nothing else makes a theorem or a contract")
    for rule in audit.rules:
        yield f"  {rule.name}"
        yield from _text(rule.text, "    ")
    yield from _heading("axioms: taken as true of the integers")
    yield from _items(audit.axioms)
    yield from _heading("definitions: the statement of the machine theorem")
    for definition in audit.definitions:
        yield f"  {definition.name}"
        yield from _text(definition.text, "    ")
        yield ""
    yield from _heading("contracts: the gadgets of the network, and what each rests on")
    for contract in audit.contracts:
        yield from _contract(contract)
    yield from _heading("machine: the theorem rests on these contracts and on")
    yield from (f"  {printable(name)}" for name in audit.machine)
    yield from _heading("outside the proof")
    yield from _items(audit.outside)


def _contract(contract: Contract) -> Iterator[str]:
    yield f"  {printable(contract.gadget)}"
    facts = {
        "formula": contract.formula,
        "source": contract.source,
        "domain": contract.domain,
        "layers": ", ".join(map(str, contract.layers)) or "none by itself, only in other gadgets",
        "uses": ", ".join(contract.uses) or "no other gadget",
    }
    for label, fact in facts.items():
        yield from _wrapped(f"    {label + ':':<9} ", fact)
    yield from (f"    obligation {printable(name)}" for name in contract.obligations)


def _heading(title: str) -> list[str]:
    name, colon, remark = title.partition(":")
    return ["", f"{name.upper()}{colon}{remark}"]


def _text(text: str, indent: str = "  ") -> Iterator[str]:
    """Text as it is laid out in its source."""
    for line in text.splitlines():
        yield f"{indent}{printable(line)}".rstrip()


def _items(items: list[str]) -> Iterator[str]:
    for item in items:
        yield from _wrapped("  - ", item)


def _wrapped(start: str, text: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
