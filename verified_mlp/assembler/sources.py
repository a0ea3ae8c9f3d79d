"""Source files: reading them, and finding those that they include."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from verified_mlp.assembler.syntax import AssemblyError, Include, Place, SourceError

LIBRARY = Path(__file__).parent / "library"
"""Where the sources are that any program may include by their bare names."""


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

    If there is none and the library has one of that name, it is that one.  Raises SourceError for a
    name that no file can have.
    """
    if b"\0" in statement.path:
        raise SourceError(place, statement.column, "no file has a zero byte in its name.")
    name = os.fsdecode(statement.path)
    near = Path(place.source).parent / name
    if name in library_names() and not near.exists():
        return LIBRARY / name
    return near


def library_names() -> list[str]:
    """The names of the library's files, sorted.

    >>> "words.asm" in library_names()
    True
    """
    return sorted(path.name for path in LIBRARY.glob("*.asm"))


def included_text(path: Path, statement: Include, place: Place, read: Callable[[Path], str]) -> str:
    """The text of a file to include.  Raises SourceError, with the place, if `read` gives none."""
    try:
        return read(path)
    except AssemblyError as error:
        sentence = str(error)
        if isinstance(error.__cause__, FileNotFoundError):
            sentence += f" The library has {', '.join(library_names())}."
        raise SourceError(place, statement.column, sentence) from error


def identity(path: Path) -> str:
    """A name of a file that is the same for all its names."""
    return os.path.realpath(path)
