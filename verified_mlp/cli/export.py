"""The command `verified-mlp export`: the network in the formats of others, and back."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.machines import NOT_VERIFIED, options_of
from verified_mlp.cli.shell import UserError
from verified_mlp.machine.shape import Shape

# What computes is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.export.onnx_models import Kind

OTHER = 1
"""The exit code for a file that holds another network than it says."""


class OnnxForm(StrEnum):
    """How an ONNX model writes a layer."""

    DENSE = "dense"
    GATHER = "gather"


class OnnxPrecision(StrEnum):
    """The number format of an ONNX model."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    FLOAT16 = "float16"


def export(
    bits: Annotated[int, typer.Option(help="Bits a word, 4 to 64.")] = 16,
    words: Annotated[int, typer.Option(help="Words of memory, 4 to 2^24.")] = 256,
    construction: ConstructionName = PAPER,
    onnx: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an ONNX model, named *.onnx.")
    ] = None,
    form: Annotated[
        OnnxForm | None,
        typer.Option(
            help="With --onnx: whole matrices, for small shapes, or their non-zero weights.  "
            "[default: gather]",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        OnnxPrecision | None,
        typer.Option(
            help="With --onnx: of weights and states.  [default: float64]", show_default=False
        ),
    ] = None,
    passes: Annotated[
        int | None,
        typer.Option(metavar="K", help="With --onnx: a model that makes K passes in one call."),
    ] = None,
    safetensors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a file named *.safetensors.")
    ] = None,
    npz: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write NumPy arrays, named *.npz.")
    ] = None,
    matrix_market: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a new folder of *.mtx files.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Compare a file, or such a folder, with the statement."),
    ] = None,
) -> int:
    """Write the network in standard formats, once it is proved; or read such a file back.

    docs/export.md describes the formats. A precision is refused where it is not known to be exact.
    In float16, ONNX Runtime's CPU provider multiplies and adds in float32: there the format saves
    space, not time.

    Exit code: 0 written, or the same network; 1 another network; 2 wrong usage, or no such file;
    4 network not verified; 5 internal error; 130 interrupted.
    """
    given = {"--form": form, "--precision": precision, "--passes": passes}
    for option, value in given.items():
        if value is not None and onnx is None:
            raise UserError(f"{option} is about ONNX models: add --onnx FILE.")
    targets = [each for each in (onnx, safetensors, npz, matrix_market) if each is not None]
    if check is not None:
        if targets:
            raise UserError("--check reads a file and the others write one: leave one out.")
        print(_checked(check))
        return 0
    if not targets:
        raise UserError(
            "there is nothing to do: add --onnx, --safetensors, --npz, --matrix-market or --check."
        )
    for path, ending in ((onnx, ".onnx"), (safetensors, ".safetensors"), (npz, ".npz")):
        if path is not None and path.suffix.lower() != ending:
            raise UserError(f"{path} does not end in {ending}, by which it is known: rename it.")
    if len({path.resolve() for path in targets}) < len(targets):
        raise UserError("two formats cannot be written to one file: choose two.")
    try:
        shape = Shape(bits, words)
    except ValueError as error:
        raise UserError(str(error)) from error

    from numeric.export.onnx_models import Form, Kind, Precision

    if passes is not None:
        _check_passes(passes)
    kind = Kind(
        Form(form or OnnxForm.GATHER), Precision(precision or OnnxPrecision.FLOAT64), passes
    )
    options_of(construction)
    _write(shape, construction, kind, onnx, safetensors, npz, matrix_market)
    return 0


def _check_passes(passes: int) -> None:
    from numeric.export.onnx_models import MOST_PASSES

    if not 1 <= passes <= MOST_PASSES:
        raise UserError(f"--passes {passes} is out of range: give 1 to {MOST_PASSES} passes.")


def _write(
    shape: Shape,
    how: str,
    kind: Kind,
    onnx: Path | None,
    safetensors: Path | None,
    npz: Path | None,
    matrix_market: Path | None,
) -> None:
    from numeric.export.compare import check_room
    from numeric.export.files import (
        bytes_of,
        write_matrix_market,
        write_npz,
        write_safetensors,
    )
    from numeric.export.layout import ExportError, layout_of
    from numeric.export.onnx_models import Precision, check_exact, check_kind, write_onnx
    from numeric.export.reading import describe

    jobs: list[tuple[Path | None, str, Callable[[Path], None]]] = [
        (onnx, describe(kind), lambda path: write_onnx(path, shape, kind, how)),
        (safetensors, "safetensors", lambda path: write_safetensors(path, shape, how)),
        (npz, "NPZ", lambda path: write_npz(path, shape, how)),
        (matrix_market, "MatrixMarket files", lambda path: write_matrix_market(path, shape, how)),
    ]
    try:
        if onnx is not None:
            check_kind(shape, kind, how)
        check_exact(shape, Precision.FLOAT64, how)
        check_room(shape, how)
        _check_proved(shape, how)
        for path, what, write in jobs:
            if path is not None:
                write(path)
                print(f"{path}: {what}, {bytes_of(path):,} bytes")
    except ExportError as error:
        raise UserError(str(error)) from error
    print(f"{shape}, statement sha256 {layout_of(shape, how).digest}")


def _check_proved(shape: Shape, how: str) -> None:
    from numeric.machine import NotVerifiedError, check_verified
    from proofs import gate

    try:
        check_verified(gate.ensure(shape, options_of(how)))
    except NotVerifiedError as error:
        raise UserError(str(error), NOT_VERIFIED) from error


def _checked(path: Path) -> str:
    from numeric.export.layout import ExportError, NotTheNetworkError, shape_of
    from numeric.export.reading import check_file

    try:
        what, held = check_file(path)
    except NotTheNetworkError as error:
        raise UserError(str(error), OTHER) from error
    except ExportError as error:
        raise UserError(str(error)) from error
    layout = held.layout
    return (
        f"{path}: {what}\n"
        f"It holds the network of {shape_of(layout)}: {layout.layers} layers, {held.nonzeros:,} "
        f"non-zero weights, each as stated.\nstatement sha256 {layout.digest}"
    )
