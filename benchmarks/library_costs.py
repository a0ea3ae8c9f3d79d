"""What the library's macros cost, as in docs/library.md: `python benchmarks/library_costs.py`.

A script, not a test; it uses the tests' table of the library, and so needs the `dev` extra.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from library_cases import (
    CASES,
    FILES,
    TEXT_CASES,
    cells,
    costs,
    file_cells,
    large_costs,
    text_costs,
)


def main() -> None:
    """Print three tables in Markdown: files, macros on words, macros on text."""
    print("\n".join(tables()))


def tables() -> Iterator[str]:
    """The lines of the tables."""
    yield "| file | cells |"
    yield "|---|--:|"
    for file in FILES:
        yield f"| `{file}` | {file_cells(file)} |"
    yield ""
    yield "| file | use | effect | least | median | most | of large ones | cells |"
    yield "|---|---|---|--:|--:|--:|--:|--:|"
    for case in CASES:
        row = _row(case.file, case.use, case.effect, costs(case))
        yield f"{row} {large_costs(case).max()} | {cells(case)} |"
    yield ""
    yield "| file | use | effect | of | least | median | most | cells |"
    yield "|---|---|---|---|--:|--:|--:|--:|"
    for text in TEXT_CASES:
        effect = f"{text.effect} | {text.domain}"
        yield f"{_row(text.file, text.use, effect, text_costs(text))} {cells(text)} |"


def _row(file: str, use: str, effect: str, steps: np.ndarray) -> str:  # type: ignore[type-arg]
    least, middle, most = int(steps.min()), int(np.median(steps)), int(steps.max())
    return f"| `{file}` | `{use}` | {effect} | {least} | {middle} | {most} |"


if __name__ == "__main__":
    main()
