"""The command `verified-mlp report`: what is proved, and the network itself, as one page."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.asm import Kind, load_symbols
from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.debug import read_file
from verified_mlp.cli.machines import NOT_VERIFIED, load_machine, options_of
from verified_mlp.cli.shell import UserError, write_whole
from verified_mlp.machine.image_formats import BITS, WORDS, Format
from verified_mlp.machine.shape import Shape

# What computes is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.report.content import Program
    from proofs.certificate import Certificate
    from proofs.verify import Options


def report(
    programs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PROGRAM]...",
            help="Programs to step through: images, or sources named *.asm.  [default: hello "
            "world]",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page here.", show_default=False)
    ] = None,
    bits: Annotated[int, typer.Option(help="Bits a word, 4 to 16.")] = BITS,
    words: Annotated[int, typer.Option(help="Words of memory, 4 to 256.")] = WORDS,
    kind: Kind = Format.DECIMAL,
    construction: ConstructionName = PAPER,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Show this certificate, once it is checked."),
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="The programs' input.  [default: none]"),
    ] = None,
) -> int:
    """Write a page that shows what is proved of the network, and executes it.

    The page is one file, which needs no network. docs/report.md describes it. It is written only
    for a network whose proof is complete.

    Exit code: 0 written; 2 wrong usage or bad program; 4 network not verified; 5 internal error;
    130 interrupted.
    """
    if html is None:
        raise UserError("there is nothing to write: add --html FILE.")
    try:
        shape = Shape(bits, words)
    except ValueError as error:
        raise UserError(str(error)) from error

    from numeric.machine import NotVerifiedError
    from numeric.report.content import ReportError, check_construction, check_shape, content
    from numeric.report.page import page
    from verified_mlp.cli.verify_files import check_writable
    from verified_mlp.constructions.registry import construction as named

    try:
        check_shape(shape)
    except ReportError as error:
        raise UserError(str(error)) from error
    options = options_of(construction)
    try:
        check_construction(named(construction))
    except ReportError as error:
        raise UserError(str(error)) from error
    loaded = _programs(programs or [], shape, kind, list(read_file(given)) if given else [])
    for path in programs or []:
        if html.is_file() and html.resolve() == path.resolve():
            raise UserError(f"{html} is a program: choose another file for the page.")
    check_writable([html])

    machine = load_machine(shape, "sparse", certificate, construction=construction)
    try:
        proved = _certificate(certificate, shape, options)
        text = page(content(machine, proved, loaded))
    except NotVerifiedError as error:
        raise UserError(str(error), NOT_VERIFIED) from error
    write_whole(html, text.encode())
    print(f"{html}: {len(text.encode()):,} bytes")
    return 0


def _programs(paths: list[Path], shape: Shape, kind: Format, given: list[int]) -> list[Program]:
    from numeric.report.content import Program

    with ExitStack() as stack:
        if not paths:
            hello = files("numeric.report").joinpath("assets", "hello.asm")
            paths = [stack.enter_context(as_file(hello))]
        found = []
        for path in paths:
            image, labels = load_symbols(path, kind, shape.bits, shape.words)
            found.append(Program(path.name, image.words, sorted(labels.items()), given))
        return found


def _certificate(path: Path | None, shape: Shape, options: Options) -> Certificate:
    """The one in the file, which was checked when the machine was loaded; else the one kept."""
    from numeric.report.evidence import certificate_of
    from proofs.certificate import decode

    return decode(path.read_bytes()) if path else certificate_of(shape, options)
