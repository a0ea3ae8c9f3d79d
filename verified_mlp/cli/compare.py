"""The command `verified-mlp compare`: the constructions side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.shell import UserError
from verified_mlp.cli.tables import Line, plain_table
from verified_mlp.machine.shape import Shape

# The runtime and the prover are imported where they are used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.compare import Row

NOT_PROVED = 1


def compare(
    *,
    bits: Annotated[int, typer.Option(help="Bits a word, 4 to 64.")] = 16,
    words: Annotated[int, typer.Option(help="Words of memory, 4 to 2^24.")] = 256,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Prove each network, with no cache.")
    ] = True,
    speed: Annotated[
        bool, typer.Option("--speed/--no-speed", help="Measure each engine's steps a second.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw depth against nonzeros here, as PNG or SVG (extra plot)."
        ),
    ] = None,
) -> int:
    """Compare the constructions at a shape, and with published neural computers.

    A format is listed if the network is computed exactly in it, by the theorem of exactness. Times
    are those of this machine, with one process.

    Exit code: 0 done; 1 a network is not proved; 2 wrong usage; 5 internal error.
    """
    try:
        shape = Shape(bits, words)
    except ValueError as error:
        raise UserError(str(error)) from error
    if plot is not None:
        _check_plot(plot)

    from numeric.compare import compare as compared
    from numeric.published import PUBLISHED

    rows = []
    for row in compared(shape, verify, speed):
        rows.append(row)
        if sys.stderr is not None and sys.stderr.isatty():
            print(f"{row.name}: done", file=sys.stderr)
    if plot is not None:
        from numeric.compare_plot import draw

        draw(rows, shape, plot)
    if as_json:
        own = [asdict(row) for row in rows]
        others = [asdict(each) for each in PUBLISHED]
        print(json.dumps({"bits": bits, "words": words, "own": own, "published": others}, indent=2))
    else:
        for line in _lines(rows, shape):
            print(line)
    return NOT_PROVED if any(row.verdict == "NOT PROVED" for row in rows) else 0


def _check_plot(path: Path) -> None:
    from verified_mlp.cli.verify_files import check_writable

    if path.suffix not in (".png", ".svg"):
        raise UserError(f"--plot {path} is no picture: give a name that ends in .png or .svg.")
    if not find_spec("matplotlib"):
        raise UserError("--plot needs Matplotlib: pip install 'verified-mlp[plot]'.")
    check_writable([path])


def _lines(rows: Sequence[Row], shape: Shape) -> Iterator[str]:
    from numeric.compare import ENGINES
    from numeric.published import PUBLISHED

    built = [row for row in rows if not row.why]
    yield f"Constructions at {shape}; speeds in steps a second:"
    heads = ("name", "layers", "neurons", "nonzeros", "largest weight", "exact in", "verified")
    table: list[Line] = [(*heads, *ENGINES)]
    table += [(*_figures(row), *(_speed(row, name) for name in ENGINES)) for row in built]
    yield from plain_table(table, (0, 5, 6))
    for row in rows:
        if row.why:
            yield f"{row.name}: {row.why}"
    yield ""
    yield "Published, from their papers or repositories; none of them is machine-checked:"
    others: list[Line] = [("name", "layers", "of", "parameters", "a pass", "source")]
    for each in PUBLISHED:
        size = f"{each.parameters:,}" if each.parameters else "-"
        others.append((each.name, str(each.layers), each.kind, size, each.does, each.source))
    yield from plain_table(others, (0, 2, 4, 5))


def _figures(row: Row) -> Line:
    verified = "not asked"
    if row.seconds is not None:
        verified = f"{row.verdict}, {row.obligations} obligations, {row.seconds:.1f} s"
    return (
        row.name,
        str(row.layers),
        f"{row.neurons:,}",
        f"{row.nonzeros:,}",
        f"{row.largest_weight:,}",
        ", ".join(row.formats) or "none",
        verified,
    )


def _speed(row: Row, engine: str) -> str:
    found = row.speeds.get(engine)
    return "-" if found is None else f"{found:,.0f}"
