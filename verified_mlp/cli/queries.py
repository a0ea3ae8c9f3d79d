"""The command `verified-mlp queries`: the specifications as queries for the verifiers of others."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Annotated

import typer

from verified_mlp.cli.shell import UserError
from verified_mlp.machine.shape import Shape


def queries(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or an empty folder.")],
    bits: Annotated[int, typer.Option(help="Bits a word, 4 to 64.")] = 4,
    words: Annotated[int, typer.Option(help="Words of memory, 4 to 2^24.")] = 4,
) -> int:
    """Write the gadgets' specifications, negated, as VNN-LIB with ONNX and as SMT-LIB.

    For each gadget that is small enough, and for a tiny machine. docs/verifiers.md says what each
    file asks and what an answer means. Nothing is proved or taken for proved here.

    Exit code: 0 written; 2 wrong usage; 5 internal error; 130 interrupted.
    """
    try:
        shape = Shape(bits, words)
    except ValueError as error:
        raise UserError(str(error)) from error
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"ONNX files need the extra export: pip install 'verified-mlp[export]' ({error})."
        ) from error

    from numeric.verifiers.writing import write_queries

    try:
        written = write_queries(folder, shape)
    except OSError as error:
        reason = os.strerror(error.errno or errno.ENOTEMPTY)
        raise UserError(f"cannot write to {folder}: {reason}. Choose a new folder.") from error
    print(
        f"{folder}: {shape}, {written.networks} networks, {written.queries} VNN-LIB queries about "
        f"{written.cells:,} boxes and states, {written.scripts} SMT-LIB queries"
    )
    for name, reason in written.left_out:
        print(f"left out as VNN-LIB: {name}; {reason}")
    return 0
