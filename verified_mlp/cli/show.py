"""`verified-mlp show`: the layers of the network, the rows of one layer, its exact matrix."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.shell import UserError
from verified_mlp.cli.tables import Line, plain_table
from verified_mlp.machine.shape import Shape

# What computes is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.exactness import Exactness
    from verified_mlp.statement.measure_rows import Measure
    from verified_mlp.statement.network import Network, Neurons, Placed

USUAL = Shape(16, 256)
SMALL = Shape(4, 4)
"""The shape of a matrix that is asked for without a shape."""
MOST_ENTRIES = 250_000
"""The largest matrix that is printed."""

HEADINGS = (
    "layer",
    "stage",
    "what it does",
    "rows",
    "columns",
    "nonzeros",
    "largest weight",
    "largest partial sum",
)
WORDY = 3
"""So many of the headings, the first ones, stand over text (or the layer's number)."""


def show(
    bits: Annotated[
        int | None,
        typer.Option(help="Bits a word, 4 to 64; 16 unless given (4 with --matrix)."),
    ] = None,
    words: Annotated[
        int | None,
        typer.Option(help="Words of memory, 4 to 2^24; 256 unless given (4 with --matrix)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    layer: Annotated[
        int | None, typer.Option(metavar="K", help="Show this layer, row by row as stated.")
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="With --layer, print its exact matrix and bias.")
    ] = False,
    construction: ConstructionName = PAPER,
    formats: Annotated[
        bool,
        typer.Option("--formats", help="Show which number formats compute each layer exactly."),
    ] = False,
) -> None:
    """Show the network: its layers, the rows of a layer, its matrix, or what its numbers fit in.

    No sum of some of a row's products and its bias, in any order and on any state, exceeds the
    largest partial sum of its layer in size.
    """
    if matrix and layer is None:
        raise UserError("--matrix prints the matrix of one layer: add --layer K.")
    if matrix and as_json:
        raise UserError("--matrix prints text and --json prints figures: leave one of them out.")
    if formats and layer is not None:
        raise UserError("--formats is about the whole network: leave --layer out.")
    usual = SMALL if matrix else USUAL
    try:
        shape = Shape(usual.bits if bits is None else bits, usual.words if words is None else words)
    except ValueError as error:
        raise UserError(str(error)) from error

    from verified_mlp.constructions.registry import construction as named

    try:
        network = named(construction).network(shape)
    except ValueError as error:
        raise UserError(str(error)) from error
    count = len(network.layers)
    if layer is not None and not 1 <= layer <= count:
        raise UserError(f"layer {layer} does not exist: choose 1 to {count}.")
    if matrix and layer is not None:
        _print_lines(_matrix_lines(network, shape, layer - 1))
        return

    if formats:
        from numeric.exactness import exactness

        exact = exactness(network)
        if not as_json:
            _print_formats(network, shape, exact)
            return

    from verified_mlp.statement.measure import measure_layer

    depths = range(count) if layer is None else range(layer - 1, layer)
    measures = [measure_layer(network, depth) for depth in depths]
    if as_json:
        figures = _figures(network, shape, depths, measures)
        if formats:
            figures["formats"] = [_format_figures(each) for each in exact]
        print(json.dumps(figures, indent=2))
    elif layer is not None:
        _print_lines(_layer_lines(network, shape, layer - 1, measures[0]))
    else:
        _print_table(network, shape, measures)


def _print_lines(lines: Iterator[str]) -> None:
    for line in lines:
        print(line)


def _figures(
    network: Network, shape: Shape, depths: Sequence[int], measures: Sequence[Measure]
) -> dict[str, Any]:
    from verified_mlp.statement.digest import digest
    from verified_mlp.statement.evaluate import width

    return {
        "bits": shape.bits,
        "words": shape.words,
        "digest": digest(network),
        "layers": [
            {
                "index": depth + 1,
                "stage": network.layers[depth].stage,
                "note": network.layers[depth].note,
                "rows": measure.rows,
                "columns": width(network.sources(depth)),
                "nonzeros": measure.nonzeros,
                "largest_weight": measure.largest_weight,
                "largest_partial_sum": measure.largest_partial_sum,
            }
            for depth, measure in zip(depths, measures, strict=True)
        ],
    }


def _print_table(network: Network, shape: Shape, measures: Sequence[Measure]) -> None:
    figures = _figures(network, shape, range(len(network.layers)), measures)
    lines = [
        (
            str(each["index"]),
            each["stage"],
            each["note"],
            *(f"{each[key]:,}" for key in list(each)[WORDY:]),
        )
        for each in figures["layers"]
    ]
    rows, nonzeros = (sum(each[key] for each in figures["layers"]) for key in ("rows", "nonzeros"))
    weight, partial = (
        max(each[key] for each in figures["layers"])
        for key in ("largest_weight", "largest_partial_sum")
    )
    total = ("", "total", "", f"{rows:,}", "", f"{nonzeros:,}", f"{weight:,}", f"{partial:,}")
    _print_lines_as_table(f"The network at {shape}", HEADINGS, lines, total)
    print(f"{shape}, statement sha256 {figures['digest']}")


def _format_figures(exact: Exactness) -> dict[str, Any]:
    return {
        "name": exact.format.name,
        "note": exact.format.note,
        "exact": exact.exact,
        "decisive_layer": exact.decisive.layer,
        "layers": [
            {
                "index": each.layer,
                "exact": each.exact,
                "quantity": each.figure.quantity,
                "figure": each.figure.number,
                "limit": each.limit,
                "neurons": each.figure.family,
            }
            for each in exact.layers
        ],
    }


def _print_formats(network: Network, shape: Shape, formats: Sequence[Exactness]) -> None:
    answers = [[_yes(layer.exact) for layer in each.layers] for each in formats]
    lines = [
        (str(depth + 1), layer.stage, layer.note, *row)
        for depth, (layer, row) in enumerate(
            zip(network.layers, zip(*answers, strict=True), strict=True)
        )
    ]
    headings = (*HEADINGS[:WORDY], *(each.format.name for each in formats))
    total = ("", "all", "", *(_yes(each.exact) for each in formats))
    _print_lines_as_table(f"Exact at {shape}", headings, lines, total)
    print()
    for each in formats:
        verdict = "exact" if each.exact else "not exact"
        print(f"{each.format.name}, {each.format.note}: {verdict}; {each.decisive}")


def _yes(exact: bool) -> str:
    return "yes" if exact else "no"


def _print_lines_as_table(title: str, headings: Line, lines: Sequence[Line], total: Line) -> None:
    """A table with lines on a terminal, columns of plain text elsewhere."""
    if sys.stdout.isatty():
        _print_rich_table(title, headings, lines, total)
    else:
        _print_lines(plain_table([headings, *lines, total], range(1, WORDY)))


def _print_rich_table(title: str, headings: Line, lines: Sequence[Line], total: Line) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="left" if 0 < at < WORDY else "right")
    stage = lines[0][1]
    for line in lines:
        if line[1] != stage:
            table.add_section()
            stage = line[1]
        table.add_row(*line)
    table.add_section()
    table.add_row(*total)
    Console().print(table)


def _layer_lines(network: Network, shape: Shape, depth: int, measure: Measure) -> Iterator[str]:
    from verified_mlp.statement.evaluate import width

    layer = network.layers[depth]
    yield f"layer {depth + 1} at {shape} ({layer.stage}): {layer.note}"
    yield (
        f"{measure.rows:,} rows, {width(network.sources(depth)):,} columns, "
        f"{measure.nonzeros:,} nonzeros, largest weight {measure.largest_weight}, "
        f"largest partial sum {measure.largest_partial_sum:,}"
    )
    for placed in layer.placed:
        yield ""
        yield _gadget_line(placed)
        for family in placed.neurons:
            yield f"  {_range_line(family)}"
            yield f"    = ReLU({family.row})"


def _gadget_line(placed: Placed) -> str:
    gadget = placed.gadget
    if gadget is None:
        return f"{placed.name}: stated directly"
    parts = len(gadget.network.layers)
    which = f", its layer {placed.part + 1} of {parts}" if parts > 1 else ""
    return f"{placed.name}: {gadget.title}{which}: {gadget.formula}"


def _range_line(family: Neurons) -> str:
    if not family.indices:
        return f"{family.name} in 0..{family.largest}"
    names = ", ".join(index.name for index in family.indices)
    ranges = ", ".join(f"{index.name} < {index.size}" for index in family.indices)
    one_hot = f"; non-zero at one {family.indices[0].name} at most" if family.one_hot else ""
    return f"{family.name}[{names}] in 0..{family.largest} for {ranges}{one_hot}"


def _matrix_lines(network: Network, shape: Shape, depth: int) -> Iterator[str]:
    from verified_mlp.statement.evaluate import column_names, matrix, width

    families, sources = network.layers[depth].neurons, network.sources(depth)
    rows, columns = width(families), width(sources)
    if rows * columns > MOST_ENTRIES:
        raise UserError(
            f"layer {depth + 1} at {shape} is a matrix of {rows:,} x {columns:,} = "
            f"{rows * columns:,} entries, and at most {MOST_ENTRIES:,} are printed: choose fewer "
            f"bits and words, such as --bits {SMALL.bits} --words {SMALL.words}."
        )
    weights, bias = matrix(network, depth)
    entries = {place: str(entry) for place, entry in weights.todok().items()}
    names = column_names(families)
    numbers = [str(column) for column in range(columns)]
    cell = max(map(len, [*numbers, *entries.values()])) + 1
    left = max(map(len, names))

    yield f"layer {depth + 1} at {shape}: y = ReLU(W x + b), W has {rows} rows, {columns} columns"
    yield ""
    yield "the columns of W:"
    for number, name in zip(numbers, column_names(sources), strict=True):
        yield f"{number:>{cell}} {name}"
    yield ""
    yield "W | b, where . is 0:"
    yield f"{'':{left}} {''.join(f'{number:>{cell}}' for number in numbers)} | b"
    for row, name in enumerate(names):
        line = "".join(f"{entries.get((row, column), '.'):>{cell}}" for column in range(columns))
        yield f"{name:{left}} {line} | {bias[row, 0]}"
