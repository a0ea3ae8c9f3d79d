"""The network as plain arrays: safetensors, NPZ, and a folder of MatrixMarket files.

The first two have, for layer k from 1, the entries of W that are not zero as three lists,
`layers.k.rows`, `layers.k.columns` (int32, from 0) and `layers.k.weights` (float64), and
`layers.k.bias`.  These are also the names in the state dictionary of `torch_module`.  The
MatrixMarket folder has a file for each matrix and each bias.  Each has the layout.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from numeric.export.compare import Held, check_layers, check_once, sparse_array
from numeric.export.layout import (
    ExportError,
    NotTheNetworkError,
    checked,
    exported,
    from_strings,
    layout_of,
    needs,
    to_strings,
    unreadable,
)
from numeric.lower import Array, lower_layers
from verified_mlp.constructions.registry import DEFAULT
from verified_mlp.machine.shape import Shape

LAYOUT = "layout"
"""The array of an NPZ file that has the layout, as a text in JSON."""
LAYOUT_FILE = "layout.json"


def layer_arrays(shape: Shape, how: str = DEFAULT) -> Iterator[tuple[str, Array]]:
    """All arrays of the network by name, layer by layer.

    >>> [name for name, _ in layer_arrays(Shape(4, 5))][:4]
    ['layers.1.rows', 'layers.1.columns', 'layers.1.weights', 'layers.1.bias']
    """
    for number, layer in enumerate(lower_layers(exported(shape, how)), 1):
        triplets = layer.weights.tocoo()
        rows, columns = (each.astype(np.int32) for each in triplets.coords)
        yield f"layers.{number}.rows", rows
        yield f"layers.{number}.columns", columns
        yield f"layers.{number}.weights", triplets.data
        yield f"layers.{number}.bias", layer.bias


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write a file or a new folder to, which then takes the place of
    `path`; if what is done with it fails, it is removed and `path` stays as it was.

    Raises ExportError if it cannot be written.
    """
    try:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            temporary = folder / path.name
            yield temporary
            temporary.replace(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(f"cannot write {path}: {reason}. Choose another place.") from error


def write_safetensors(path: Path, shape: Shape, how: str = DEFAULT) -> None:
    """Write the network as a safetensors file.  Raises ExportError."""
    try:
        from safetensors.numpy import save
    except ImportError as error:
        raise needs("safetensors", "export", error) from error
    content = save(dict(layer_arrays(shape, how)), to_strings(layout_of(shape, how)))
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def check_safetensors(path: Path) -> Held:
    """Compare a safetensors file with the statement.  Raises ExportError."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise needs("safetensors", "export", error) from error
    try:
        with safe_open(path, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            arrays = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, TypeError) as error:
        raise unreadable(path, "safetensors", error) from error
    return _check_arrays(from_strings(metadata, str(path)), arrays, str(path))


def write_npz(path: Path, shape: Shape, how: str = DEFAULT) -> None:
    """Write the network as a compressed NPZ file.  Raises ExportError."""
    text = msgspec.json.encode(layout_of(shape, how)).decode()
    with replacing(path) as temporary, temporary.open("wb") as stream:
        arrays: Any = {LAYOUT: np.array(text), **dict(layer_arrays(shape, how))}
        np.savez_compressed(stream, **arrays)


def check_npz(path: Path) -> Held:
    """Compare an NPZ file with the statement.  Raises ExportError."""
    try:
        # Opened here, for NumPy leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as opened:
            arrays = {key: opened[key] for key in opened.files}
        document = json.loads(str(arrays.pop(LAYOUT, "{}")))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise unreadable(path, "NPZ", error) from error
    return _check_arrays(checked(document, str(path)), arrays, str(path))


def _check_arrays(layout: Any, arrays: Mapping[str, Array], name: str) -> Held:
    """Compare named arrays (see `layer_arrays`) with the statement."""
    parts = ("rows", "columns", "weights", "bias")
    expected = {f"layers.{k}.{part}" for k in range(1, layout.layers + 1) for part in parts}
    if expected != set(arrays):
        other = sorted(expected ^ set(arrays))[0]
        lack = "lacks" if other in expected else "has, as no network does,"
        raise ExportError(f"{name} {lack} the array {other!r}. Export it again.")

    def read(number: int, shape: tuple[int, int]) -> tuple[Any, Array]:
        rows, columns, weights, bias = (arrays[f"layers.{number}.{part}"] for part in parts)
        return sparse_array(weights, rows, columns, shape, f"{name}, layer {number}"), bias

    return check_layers(layout, read, name)


def write_matrix_market(folder: Path, shape: Shape, how: str = DEFAULT) -> None:
    """Write the network as a new folder: `layer-01.mtx` and `layer-01-bias.mtx` and so on, which
    SciPy's `mmread` reads, and `layout.json`.

    Raises ExportError, also if there is such a folder with something in it.
    """
    from scipy.io import mmwrite

    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ExportError(f"{folder} is there already: choose a new folder.")
    with replacing(folder) as temporary:
        temporary.mkdir()
        for number, layer in enumerate(lower_layers(exported(shape, how)), 1):
            for name, numbers in zip(_names(number), layer, strict=True):
                mmwrite(temporary / name, numbers if numbers.ndim == 2 else numbers[:, np.newaxis])
        layout = msgspec.json.format(msgspec.json.encode(layout_of(shape, how)))
        (temporary / LAYOUT_FILE).write_bytes(layout + b"\n")


def check_matrix_market(folder: Path) -> Held:
    """Compare a folder of MatrixMarket files with the statement.  Raises ExportError."""
    from scipy.sparse import csr_array

    path = folder / LAYOUT_FILE
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise unreadable(path, "JSON", error) from error

    def read(number: int, shape: tuple[int, int]) -> tuple[Any, Array]:
        sizes = shape, (shape[0], 1)
        named = zip(_names(number), sizes, strict=True)
        found: list[Any] = [_matrix(folder / name, *size) for name, size in named]
        weights, bias = found
        if not isinstance(bias, np.ndarray):
            bias = bias.toarray()
        stored = csr_array(weights)
        if not isinstance(weights, np.ndarray):
            check_once(stored, weights.nnz, f"{folder}, layer {number}")
        return stored, bias[:, 0] if bias.shape[1] == 1 else bias

    return check_layers(checked(document, str(folder)), read, str(folder))


def _matrix(path: Path, rows: int, columns: int) -> Any:
    """The matrix of a file, of that size.  Raises ExportError for one that says otherwise, before
    room is made for what it says.
    """
    from scipy.io import mminfo, mmread

    try:
        *size, entries = mminfo(path)[:3]
        if size == [rows, columns] and 2 * entries <= path.stat().st_size:
            return mmread(path, spmatrix=False)
    except (OSError, ValueError, OverflowError, TypeError) as error:
        raise unreadable(path, "MatrixMarket", error) from error
    raise NotTheNetworkError(
        f"{path} is not the network's: it says that it has {entries:,} numbers of a matrix of "
        f"{size[0]:,} x {size[1]:,}, and the network has there one of {rows:,} x {columns:,}."
    )


def _names(number: int) -> tuple[str, str]:
    return f"layer-{number:02}.mtx", f"layer-{number:02}-bias.mtx"


def bytes_of(path: Path) -> int:
    """The size of a file, or of all files of a folder."""
    if path.is_dir():
        return sum(entry.stat().st_size for entry in os.scandir(path))
    return path.stat().st_size
