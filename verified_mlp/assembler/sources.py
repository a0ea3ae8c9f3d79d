"""Source files: reading them, and finding those that they include."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from verified_mlp.assembler.syntax import AssemblyError, Include, Place, SourceError


def read_source(path: Path) -> str:
    """The text of a source file.  Raises AssemblyError for a file that cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise AssemblyError(f"cannot read the source {path}: {reason}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AssemblyError(
            f"the source {path} is not a text file (see byte {error.start}): save it as UTF-8."
        ) from error


def included_path(statement: Include, place: Place) -> Path:
    """The file to include, which is named as seen from the one that includes it.

    Raises SourceError for a name that no file can have.
    """
    if b"\0" in statement.path:
        raise SourceError(place, statement.column, "no file has a zero byte in its name.")
    return Path(place.source).parent / os.fsdecode(statement.path)


def included_text(path: Path, statement: Include, place: Place, read: Callable[[Path], str]) -> str:
    """The text of a file to include.  Raises SourceError, with the place, if `read` gives none."""
    try:
        return read(path)
    except AssemblyError as error:
        raise SourceError(place, statement.column, str(error)) from error


def identity(path: Path) -> str:
    """A name of a file that is the same for all its names."""
    return os.path.realpath(path)
