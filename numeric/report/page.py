"""The report as one HTML file that needs nothing else: text, style, program and data."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from html import escape
from importlib.metadata import version
from importlib.resources import files

import msgspec

from numeric.report.content import Content
from numeric.report.evidence import Line, Proof
from numeric.report.prose import inline, to_html
from proofs.description import Description

SCRIPTS = (
    "network.js",
    "session.js",
    "draw.js",
    "elements.js",
    "activations.js",
    "viewer.js",
    "sections.js",
    "main.js",
)
"""In the order in which they need each other."""

_IMPORT = re.compile(r"^import \{[^}]*\} from \"\./\w+\.js\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_PLACE = re.compile(r"\{\{([\w-]+)\}\}")


def script(names: tuple[str, ...] = SCRIPTS) -> str:
    """Some of the modules as one, which imports nothing."""
    texts = [_EXPORT.sub("", _IMPORT.sub("", asset(name))) for name in names]
    return "".join(texts)


def asset(name: str) -> str:
    """The text of a file of the page."""
    return files("numeric.report").joinpath("assets", name).read_text(encoding="utf-8")


def page(content: Content) -> str:
    """The page of a report."""
    network, proof = content.network, content.proof
    style, code = asset("page.css"), script()
    nonzeros = sum(layer.nonzeros for layer in network.layers)
    data = {
        "network": network,
        "programs": content.programs,
        "gadgets": [{"example": each.example, "layers": each.layers} for each in content.gadgets],
    }
    named = f", construction {network.construction}" if network.construction != "paper" else ""
    filled = {
        "title": escape(f"verified-mlp, {content.shape}"),
        "subtitle": escape(
            f"A looped ReLU MLP of {len(network.layers)} layers that executes SUBLEQ, at "
            f"{content.shape}{named}, proved"
        ),
        "layer-count": str(len(network.layers)),
        "nonzeros": f"{nonzeros:,}",
        "verdict": _verdict(proof),
        "layer-table": _layer_table(content),
        "proof-count": f"{len(proof.lines)} of {len(proof.lines)} obligations",
        "proof-rows": "\n".join(map(_proof_row, proof.lines)),
        "assumed": "<ul>" + "".join(f"<li>{inline(each)}</li>" for each in proof.assumed) + "</ul>",
        "gadgets": "\n".join(
            _gadget(at, each, proof.lines) for at, each in enumerate(content.gadgets)
        ),
        "version": escape(version("verified-mlp")),
        "style": style,
        "style-hash": _hash(style),
        "script": code,
        "script-hash": _hash(code),
        # Within a script, nothing may look like its end.
        "data": msgspec.json.encode(data).decode().replace("<", "\\u003c"),
    }
    return _filled(asset("template.html"), filled)


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], template)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _verdict(proof: Proof) -> str:
    tools = ", ".join(f"{name} {number}" for name, number in proof.tools.items())
    evidence = (
        f"{proof.by_evidence:,} of {proof.queries:,} queries have evidence in the certificate that "
        "needs no solver; the others were decided by a solver"
    )
    facts = {
        "theorem": escape(proof.theorem),
        "proved for": escape(proof.family),
        "obligations": f"{len(proof.lines)}, all proved",
        "queries": escape(evidence),
        "solvers": escape(", ".join(proof.solvers)),
        "time": f"{proof.seconds:.1f} s for all obligations, added up, when they were proved",
        "versions": escape(tools),
        "statement sha256": f"<code>{escape(proof.statement)}</code>",
        "definitions sha256": f"<code>{escape(proof.definitions)}</code>",
        "certificate sha256": f"<code>{escape(proof.checksum)}</code>",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts.items())
    return f'<p class="verdict">{escape(proof.verdict)}</p><dl class="facts">{rows}</dl>'


def _layer_table(content: Content) -> str:
    rows = [
        f"<tr><td>{at}</td><td>{escape(layer.stage)}</td><td>{escape(layer.note)}</td>"
        f'<td class="number">{layer.rows:,}</td><td class="number">{layer.columns:,}</td>'
        f'<td class="number">{layer.nonzeros:,}</td></tr>'
        for at, layer in enumerate(content.network.layers, 1)
    ]
    heads = ("layer", "stage", "what it does", "rows", "columns", "weights")
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    return (
        "<details><summary>All layers as a table</summary>"
        '<div class="scroll" tabindex="0" role="region" aria-label="All layers">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        "</details>"
    )


def _proof_row(line: Line) -> str:
    asked = f"{line.queries}"
    if line.by_evidence:
        asked += f", {line.by_evidence} by evidence"
    return (
        f"<tr><td><code>{escape(line.name)}</code><small>{escape(line.claim)}</small></td>"
        f'<td class="badge">{escape(line.verdict)}</td><td>{escape(line.method)}</td>'
        f'<td class="number" data-label="queries:">{asked}</td>'
        f'<td class="number" data-label="time:">{line.seconds:.3f} s</td></tr>'
    )


def _gadget(at: int, gadget: Description, lines: list[Line]) -> str:
    own = [line for line in lines if line.gadget == gadget.title]
    verdicts = sorted({line.verdict for line in own})
    other = f" (here {escape(gadget.here)})" if gadget.here != gadget.title else ""
    rows = [
        f"<li><code>{escape(family.name)}{f' for {escape(family.over)}' if family.over else ''}"
        f" = ReLU({escape(family.row)})</code></li>"
        for layer in gadget.layers
        for family in layer.families
    ]
    stated = f"<h4>Rows</h4><ul class='formula'>{''.join(rows)}</ul>" if rows else ""
    outputs = "".join(f"<li><code>{escape(each)}</code></li>" for each in gadget.outputs)
    return (
        f'<details class="gadget" data-at="{at}"><summary><b>{escape(gadget.title)}</b>{other} '
        f'<span class="badge">{escape(", ".join(verdicts))}</span> '
        f"<code>{escape(gadget.formula)}</code></summary>"
        f'<div class="prose">{to_html(gadget.prose)}</div>'
        f'<dl class="facts"><dt>domain</dt><dd><code>{escape(gadget.domain)}</code></dd>'
        f"<dt>source</dt><dd>{inline(gadget.source)}</dd></dl>{stated}"
        f"<h4>Outputs</h4><ul class='formula'>{outputs}</ul>"
        f'<h4>Lemmas</h4><ul>{"".join(map(_lemma, own))}</ul><div class="matrices"></div></details>'
    )


def _lemma(line: Line) -> str:
    rule = f", by {escape(line.rule)}" if line.rule else ""
    uses = f", from {escape(', '.join(line.uses))}" if line.uses else ""
    rests = f"; with the contracts of {escape(', '.join(line.rests_on))}" if line.rests_on else ""
    return (
        f"<li><code>{escape(line.name.partition('/')[2])}</code>: {escape(line.claim)}. "
        f'<span class="badge">{escape(line.verdict)}</span>{rule}{uses}{rests}</li>'
    )
