"""Documentation strings as HTML: paragraphs, lists, code and tables of Markdown, nothing else."""

from __future__ import annotations

import re
from html import escape

_CODE = re.compile(r"`([^`]+)`")
_EDGE = re.compile(r"\|[\s|:-]*\|")


def to_html(text: str) -> str:
    r"""The HTML of a text.  What is none of these is a paragraph, so nothing is lost.

    >>> to_html("One < two.\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    '<p>One &lt; two.</p><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>'
    """
    return "".join(_block(block) for block in re.split(r"\n[ \t]*\n", text.strip()) if block)


def _block(block: str) -> str:
    lines = block.splitlines()
    if all(line.lstrip().startswith("|") for line in lines):
        return _table(lines)
    if all(line.startswith(("    ", ">>> ")) for line in lines):
        return f"<pre>{escape(block)}</pre>"
    if lines[0].startswith("- "):
        items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
        return "<ul>" + "".join(f"<li>{inline(each)}</li>" for each in items) + "</ul>"
    return f"<p>{inline(block)}</p>"


def _table(lines: list[str]) -> str:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    edges = [_EDGE.fullmatch(line.strip()) is not None for line in lines]
    headed = len(lines) > 1 and edges[1]
    found = []
    for at, (row, edge) in enumerate(zip(rows, edges, strict=True)):
        if edge:
            continue
        tag = "th" if headed and at == 0 else "td"
        found.append("".join(f"<{tag}>{inline(cell)}</{tag}>" for cell in row))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in found) + "</table>"


def inline(text: str) -> str:
    """Text in a line: what stands between backticks is code."""
    return _CODE.sub(r"<code>\1</code>", escape(" ".join(text.split())))
