"""The command `verified-mlp picture`: the layers as matrices, or one pass through them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.asm import Bits, Kind, load_program
from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.debug import Words, read_file
from verified_mlp.cli.machines import load_machine
from verified_mlp.cli.shell import UserError, write_whole
from verified_mlp.machine.image_formats import BITS, WORDS, Format, Image
from verified_mlp.machine.shape import Shape

# What computes is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Write here: PNG or SVG, by its ending.")
    ],
    program: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PROGRAM]",
            help="Draw a pass of this program, an image or a source named *.asm, instead of the "
            "matrices.",
            show_default=False,
        ),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(metavar="K", help="Draw the matrix of this layer alone.  [default: all]"),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="With PROGRAM: draw the pass after so many steps.  [default: 0]"
        ),
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="The program's input.  [default: none]"),
    ] = None,
    bits: Bits = None,
    words: Words = None,
    kind: Kind = Format.DECIMAL,
    construction: ConstructionName = PAPER,
) -> int:
    """Draw the network: its layers as matrices, or every neuron in one pass of a program.

    A program runs on the verified network only. The pictures are drawn by Matplotlib, of the extra
    plot.

    Exit code: 0 written; 2 wrong usage or bad program; 4 network not verified; 5 internal error;
    130 interrupted.
    """
    if program is None and (step is not None or given is not None):
        option = "--step" if step is not None else "--input"
        raise UserError(f"{option} is about a pass of a program: give a PROGRAM after the file.")
    if program is not None and layer is not None:
        raise UserError("--layer draws a matrix and PROGRAM a pass: leave one of the two out.")
    if step is not None and step < 0:
        raise UserError(f"--step {step} is out of range: give 0 or more steps.")
    if program is not None and file.is_file() and file.resolve() == program.resolve():
        raise UserError(f"{file} is the program: choose another file for the picture.")

    from numeric.pictures.draw import PictureError, check_ending, check_installed, content

    try:
        check_ending(file)
        check_installed()
        if program is None:
            figure = _matrices(bits, words, construction, layer)
        else:
            loaded = load_program(program, kind, bits, words)
            source = read_file(given) if given else b""
            figure = _pass(loaded, program.name, step or 0, source, construction)
    except PictureError as error:
        raise UserError(str(error)) from error
    write_whole(file, content(figure, file.suffix))
    return 0


def _matrices(bits: int | None, words: int | None, how: str, layer: int | None) -> Figure:
    from numeric.capacity import DoesNotFitError, available_bytes, check_fits
    from numeric.engines import EngineName
    from numeric.pictures.matrices import all_layers, one_layer
    from verified_mlp.constructions.registry import construction

    try:
        shape = Shape(BITS if bits is None else bits, WORDS if words is None else words)
        network = construction(how).network(shape)
        check_fits(network, shape, EngineName.SPARSE, available_bytes())
    except (DoesNotFitError, ValueError) as error:
        raise UserError(str(error)) from error
    return all_layers(network, shape) if layer is None else one_layer(network, shape, layer)


def _pass(loaded: Image, name: str, step: int, source: bytes, how: str) -> Figure:
    from numeric.engines import Engine
    from numeric.linear_codec import codec_of
    from numeric.pictures.draw import PictureError
    from numeric.pictures.passes import one_pass

    shape = loaded.shape
    machine = load_machine(shape, "sparse", construction=how)
    host = machine.host(loaded.words, BytesIO(source), BytesIO())
    outcome = host.run(step)
    if host.steps < step:
        raise PictureError(
            f"{name} is {outcome} after {host.steps} steps: choose --step 0 to {host.steps}."
        )
    state = host.processor.state()
    vector = codec_of(shape, machine.construction).encode(state)
    assert isinstance(machine.engine, Engine)
    title = f"The pass of {name} after {step} steps, at pc = {state.pc}, at {shape}"
    return one_pass(machine.network, machine.engine, vector, title)
