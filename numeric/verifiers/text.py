"""The text of VNN-LIB queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from numeric.verifiers.cells import Cell, Instance


@dataclass(frozen=True, slots=True)
class Query:
    """A query by name: its text, and how many cells (or single states) it is about."""

    name: str
    text: str
    cells: int


def gadget_text(
    instance: Instance, highs: Sequence[int], cells: Sequence[Cell], outputs: int
) -> str:
    """The query whether one of these cells' claims, all about one output, fails."""
    gadget, output = instance.gadget, cells[0].output
    given = "".join(f", {key}={number}" for key, number in instance.parameters.items())
    head = [
        f"{gadget.title}{given}: {gadget.formula}",
        f"domain: {gadget.domain_text()}",
        f"unsat says: on each of {len(cells)} boxes, Y_{output} is nearer than 1/2 to the value",
        "that the specification gives on the integers of the domain in it;",
        "the boxes cover the domain.",
    ]
    cases = [case for cell in cells for case in _cell(cell, highs)]
    box = [(0, high) for high in highs]
    return vnnlib(head, box, outputs, cases)


def _cell(cell: Cell, highs: Sequence[int]) -> Iterator[list[str]]:
    box: list[str] = []
    for at, (low, high, most) in enumerate(zip(cell.low, cell.high, highs, strict=True)):
        box += [f"(>= X_{at} {low}.0)"] * (low > 0) + [f"(<= X_{at} {high}.0)"] * (high < most)
    for text in far_from(f"Y_{cell.output}", cell.value):
        yield [*box, text]


def far_from(term: str, value: int) -> tuple[str, str]:
    """The two ways in which a term may differ from an integer by 1/2 or more.

    >>> far_from("Y_0", 0)
    ('(<= Y_0 -0.5)', '(>= Y_0 0.5)')
    """
    doubled = 2 * value - 1, 2 * value + 1
    less, more = (f"{'-' * (each < 0)}{abs(each) // 2}.5" for each in doubled)
    return f"(<= {term} {less})", f"(>= {term} {more})"


def vnnlib(
    head: Iterable[str],
    box: Sequence[tuple[int, int]],
    outputs: int,
    cases: Sequence[Sequence[str]],
) -> str:
    """A file: comment lines, the box of inputs, and a disjunction of conjunctions."""
    lines = [f"; {_ascii(each)}" for each in head]
    lines += [f"(declare-const X_{at} Real)" for at in range(len(box))]
    lines += [f"(declare-const Y_{at} Real)" for at in range(outputs)]
    for at, (low, high) in enumerate(box):
        lines += [f"(assert (>= X_{at} {low}.0))", f"(assert (<= X_{at} {high}.0))"]
    lines += ["(assert (or", *(f"  (and {' '.join(case)})" for case in cases), "))", ""]
    return "\n".join(lines)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
