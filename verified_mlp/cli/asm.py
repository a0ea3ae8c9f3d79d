"""The commands `verified-mlp asm` and `disasm`, and how a program is read to be run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.shell import UserError, write_whole
from verified_mlp.machine.image_formats import Format, Image, encode_image, fit_shape, load_image
from verified_mlp.machine.shape import Shape

# The assembler is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from verified_mlp.assembler.assemble import Program

SOURCE = ".asm"
"""How the name of a source ends."""

Bits = Annotated[
    int | None,
    typer.Option(help="Bits a word, 4 to 64.  [default: the format's or 16, more if needed]"),
]
Kind = Annotated[
    Format, typer.Option("--format", help="Decimal text, or words of so many bits, big-endian.")
]


def load_program(path: Path, kind: Format, bits: int | None, words: int | None) -> Image:
    """The image in a file, or that of a source if the file's name ends in .asm, and its machine.

    Raises UserError for a file that is neither, or is too much for `bits` and `words`.
    """
    return load_symbols(path, kind, bits, words)[0]


def load_symbols(
    path: Path, kind: Format, bits: int | None, words: int | None
) -> tuple[Image, dict[str, int]]:
    """What `load_program` gives, and the addresses of a source's labels; an image has none."""
    if path.suffix.lower() == SOURCE:
        if kind is not Format.DECIMAL:
            raise UserError(
                f"{path} is a source, for its name ends in {SOURCE}: leave --format {kind} out."
            )
        program, shape = _assembled(path, kind, bits, words)
        return Image(program.numbers, shape), program.symbols
    try:
        return load_image(path, kind, bits, words), {}
    except ValueError as error:
        raise UserError(str(error)) from error


def _assembled(
    path: Path, kind: Format, bits: int | None, words: int | None
) -> tuple[Program, Shape]:
    from verified_mlp.assembler.assemble import assemble_file

    try:
        fit_shape([], kind, bits, words)  # refuses what no machine has
        program = assemble_file(path, bits, words)
        return program, fit_shape(program.numbers, kind, bits, words)
    except ValueError as error:
        raise UserError(str(error)) from error


def asm(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The program: assembly.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="IMAGE", help="Write the image here.")
    ],
    bits: Bits = None,
    words: Annotated[
        int | None,
        typer.Option(help="Words of memory, 4 to 2^24.  [default: what the program needs]"),
    ] = None,
    kind: Kind = Format.DECIMAL,
    listing: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every line here, with its address and words."),
    ] = None,
    symbols: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the labels here, with addresses.")
    ] = None,
) -> int:
    """Assemble a program: from a source, an image for `run`.

    docs/assembly.md describes the notation.

    Exit code: 0 written; 2 wrong usage or a fault in the source; 5 internal error; 130 interrupted.
    """
    from verified_mlp.assembler.listing import format_listing, format_symbols

    program, shape = _assembled(source, kind, bits, words)
    try:
        image = encode_image(program.numbers, kind, shape.bits, str(source))
    except ValueError as error:
        raise UserError(str(error)) from error
    contents = {output: image}
    if listing:
        contents[listing] = format_listing(program).encode("utf-8", "surrogateescape")
    if symbols:
        contents[symbols] = format_symbols(program).encode()
    _check_distinct([output, listing, symbols], {place.source for place, _ in program.lines})
    for path, content in contents.items():
        write_whole(path, content)
    return 0


def disasm(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The image.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="SOURCE", help="Write here, not to stdout."),
    ] = None,
    bits: Bits = None,
    kind: Kind = Format.DECIMAL,
) -> int:
    """Disassemble an image: a source from which `asm` makes the same image.

    Exit code: 0 written; 2 wrong usage or bad image; 5 internal error; 130 interrupted.
    """
    from verified_mlp.assembler.disassemble import disassemble

    try:
        text = disassemble(load_image(image, kind, bits))
    except ValueError as error:
        raise UserError(str(error)) from error
    if output:
        _check_distinct([output], {str(image)})
        write_whole(output, text.encode())
    elif sys.stdout is not None:
        sys.stdout.write(text)
    return 0


def _check_distinct(outputs: list[Path | None], inputs: set[str]) -> None:
    """Refuse to write two things to one file, or over what was read."""
    taken = {Path(each).resolve() for each in inputs}
    for path in outputs:
        if path is None:
            continue
        if path.is_file() or not path.exists():  # a device may take anything
            if path.resolve() in taken:
                raise UserError(
                    f"{path} is read or written already by this command. Choose another file."
                )
            taken.add(path.resolve())
