"""The command `verified-mlp trace`: a record of every step of a run on the verified network."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from verified_mlp.cli.asm import Bits, Kind, load_program
from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.debug import Words, read_file
from verified_mlp.cli.machines import load_machine
from verified_mlp.cli.shell import UserError
from verified_mlp.machine.image_formats import Format

if TYPE_CHECKING:
    from numeric.debugger.trace import Record


class To(StrEnum):
    """How records are written."""

    CSV = "csv"
    JSONL = "jsonl"


def trace(
    program: Annotated[
        Path,
        typer.Argument(metavar="PROGRAM", help="The program: an image, or a source named *.asm."),
    ],
    bits: Bits = None,
    words: Words = None,
    kind: Kind = Format.DECIMAL,
    construction: ConstructionName = PAPER,
    to: Annotated[To, typer.Option(help="Lines of values, or of JSON objects.")] = To.CSV,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write here, and what the program prints to stdout.  [default: the trace alone, "
            "to stdout]",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after so many steps.")
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="The program's input.  [default: stdin]"),
    ] = None,
) -> int:
    """Run a program on the network and write a record of every step, as it is made.

    A record has the number of steps before it, pc, the instruction's words a, b and c, the kind of
    the step (subtract, input, output or fault; halt for the end), the address that was written,
    the word there before and after, the byte that was printed, and pc afterwards. Words are
    unsigned; what does not apply is empty, or null.

    Exit code: 0 traced, however the program ended; 2 wrong usage or bad program; 4 network not
    verified; 5 internal error; 130 interrupted.
    """
    if steps is not None and steps < 0:
        raise UserError(f"--steps {steps} is out of range: give 0 or more steps.")
    if output is not None and output.is_file() and output.resolve() == program.resolve():
        raise UserError(f"{output} is the program: choose another file for the trace.")
    loaded = load_program(program, kind, bits, words)
    content = None if given is None else read_file(given)

    from numeric.debugger.trace import Record
    from numeric.debugger.trace import trace as traced

    machine = load_machine(loaded.shape, construction=construction)
    source = _Stdin() if content is None else BytesIO(content)
    sink = BytesIO() if output is None else _Stdout()
    names = [each.name for each in fields(Record)]
    with _opened(output) as stream:
        write = _WRITERS[to](stream, names)
        for record in traced(machine, loaded.words, source, sink, steps):
            write(record)
    return 0


def _csv(stream: IO[str], names: list[str]) -> Callable[[Record], object]:
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    return lambda record: writer.writerow(asdict(record))


def _jsonl(stream: IO[str], names: list[str]) -> Callable[[Record], object]:
    return lambda record: stream.write(json.dumps(asdict(record)) + "\n")


_WRITERS = {To.CSV: _csv, To.JSONL: _jsonl}


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[str]]:
    """The file to write to, or standard output; errors of writing are sentences."""
    name = "standard output" if path is None else str(path)
    try:
        if path is not None:
            with path.open("w", encoding="ascii", newline="") as stream:
                yield stream
        elif sys.stdout is None:
            raise UserError("cannot write the trace: standard output is closed.")
        else:
            yield sys.stdout
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {name}: {reason}. Choose another file.") from error


class _Stdin:
    """Standard input."""

    def read(self, size: int) -> bytes:
        try:
            return b"" if sys.stdin is None else sys.stdin.buffer.read(size)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot read the program's input: {reason}.") from error


class _Stdout:
    """Standard output, for what the program prints."""

    def write(self, data: bytes) -> Any:
        if sys.stdout is None:
            raise UserError("cannot write the program's output: standard output is closed.")
        return sys.stdout.buffer.write(data)

    def flush(self) -> None:
        sys.stdout.flush()
