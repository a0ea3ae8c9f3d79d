"""What every exported file says of itself: which network it holds, and how its vector is laid out.

The digest is that of certificates and checkpoints, the statement's with the number of words free.
A file is taken for a network only if what it says of itself is what this version says, and then
its numbers are compared with the statement's (`numeric.export.compare`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from verified_mlp.constructions.registry import CONSTRUCTIONS, DEFAULT, construction
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.digest import digest
from verified_mlp.statement.evaluate import offsets, size, width
from verified_mlp.statement.network import Network

FORMAT = "verified-mlp network 1"
"""A change of what is written changes the number."""


class ExportError(ValueError):
    """A network cannot be written, or a file cannot be read; the text says what to do."""


class NotTheNetworkError(ExportError):
    """A file can be read, and is not the network that it says it is; the text says where."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field's entries stand in the state vector: from `start` to before `stop`.

    `shape` is [words, bits] for the memory, [bits] for a word and [] for a flag; the bits of a
    word are in rising order, the least significant first.
    """

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]


class Layout(msgspec.Struct, frozen=True):
    """The network that a file holds: its construction, shape and digest, how many layers it has,
    how long the state vector is, and where its fields stand.

    A field of the state that is none of the vector is the sum of those that `sums` names.  It is
    encoded as the first of them, with the others 0.
    """

    format: str
    construction: str
    bits: int
    words: int
    digest: str
    layers: int
    width: int
    fields: tuple[Place, ...]
    sums: dict[str, tuple[str, ...]]


def exported(shape: Shape, how: str = DEFAULT) -> Network:
    """The network of a shape, by the construction of a name.

    Raises ExportError for one that is not built there, or whose vector is more than sums.
    """
    named = construction(how)
    if named.forms or named.prefetched:
        raise ExportError(
            f"the vector of the construction {how} is more than the state's fields or their parts, "
            f"and no format here says how it is made: choose another construction."
        )
    try:
        return named.network(shape)
    except ValueError as error:
        raise ExportError(str(error)) from error


def network_of(layout: Layout) -> Network:
    """The network of which a layout is."""
    return exported(shape_of(layout), layout.construction)


@cache
def layout_of(shape: Shape, how: str = DEFAULT) -> Layout:
    """The layout of the network of a shape, by the construction of a name."""
    found = exported(shape, how).inputs
    starts = offsets(found)
    places = [
        Place(
            each.name,
            starts[each.name],
            starts[each.name] + size(each.shape),
            each.shape,
        )
        for each in found
    ]
    named = construction(how)
    family = named.network(memories(shape))
    return Layout(
        format=FORMAT,
        construction=how,
        bits=shape.bits,
        words=shape.words,
        digest=digest(family),
        layers=len(family.layers),
        width=width(found),
        fields=tuple(places),
        sums=dict(named.sums),
    )


def to_strings(layout: Layout) -> dict[str, str]:
    """The layout as the formats have metadata, text by text: what is no text is written as JSON.

    >>> to_strings(layout_of(Shape(4, 5)))["bits"]
    '4'
    """
    return {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in msgspec.to_builtins(layout).items()
    }


def from_strings(texts: Mapping[str, str], name: str) -> Layout:
    """The layout in a file's metadata; messages call the file `name`.  See `checked`.

    >>> from_strings(to_strings(layout_of(Shape(4, 5))), "a file") == layout_of(Shape(4, 5))
    True
    """
    found: dict[str, Any] = {}
    for key in Layout.__struct_fields__:
        text = texts.get(key, "")
        try:
            # Numbers and lists are JSON, and a text that is none stands for itself.
            is_text = Layout.__annotations__[key] == "str"
            found[key] = text if is_text else msgspec.json.decode(text)
        except msgspec.DecodeError:
            found[key] = None
    return checked(found, name)


def checked(document: Any, name: str) -> Layout:
    """The layout that a document states, if this version gives the same one for its shape.

    Raises ExportError for a document that is no layout, or one of another version, and
    NotTheNetworkError for one that says something else than `layout_of` its shape.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ExportError(
            f"{name} is no exported network, or one of another version: it does not say that it "
            f"is a {FORMAT!r}. Export it again."
        )
    try:
        layout = msgspec.convert(document, Layout)
        shape = Shape(layout.bits, layout.words)
    except (ValueError, msgspec.ValidationError) as error:
        raise ExportError(
            f"{name} does not say what it holds: its layout is damaged ({error}). Export it again."
        ) from error
    how = layout.construction if layout.construction in CONSTRUCTIONS else DEFAULT
    expected = layout_of(shape, how)
    for key in Layout.__struct_fields__:
        found, right = getattr(layout, key), getattr(expected, key)
        if found != right:
            shown = (
                f" is {found} and must be {right}"
                if key not in ("fields", "sums")
                else " are others"
            )
            raise NotTheNetworkError(
                f"{name} is not the network of {shape}: its {key}{shown}. Export it again."
            )
    return layout


def shape_of(layout: Layout) -> Shape:
    """The shape of the machine."""
    return Shape(layout.bits, layout.words)


def needs(package: str, extra: str, error: ImportError) -> ExportError:
    """The error for a package that is not installed.

    >>> print(needs("onnx", "export", ImportError()))
    the package onnx is not installed: run pip install 'verified-mlp[export]'.
    """
    return ExportError(
        f"the package {package} is not installed: run pip install 'verified-mlp[{extra}]'."
    )


def unreadable(name: str | Path, what: str, error: Exception) -> ExportError:
    """The error for a file that is not what its name or its beginning says."""
    if isinstance(error, FileNotFoundError):
        return ExportError(f"there is no file {name}: choose another, or export it.")
    if isinstance(error, OSError) and error.strerror:
        return ExportError(f"cannot read {name}: {error.strerror}.")
    return ExportError(f"{name} cannot be read as {what}: take a copy of it, or export it again.")
