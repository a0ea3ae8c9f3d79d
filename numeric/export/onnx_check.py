"""Reading ONNX models back: whether one is the model of the network that it says it is.

First every weight is compared with the statement, so that a difference has a layer and a row;
then the whole graph with the one that this version writes, so that nothing else is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from numeric.export.compare import Held, check_layers, sparse_array
from numeric.export.layout import (
    ExportError,
    NotTheNetworkError,
    from_strings,
    needs,
    shape_of,
    unreadable,
)
from numeric.export.onnx_models import Form, Kind, Precision, onnx_model, passes_of
from numeric.lower import Array


def check_onnx(path: Path) -> tuple[Held, Kind]:
    """Compare a model with the statement.  Raises ExportError."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise needs("onnx", "export", error) from error
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except (OSError, DecodeError, ValueError) as error:
        raise unreadable(path, "ONNX", error) from error
    return check_model(model, str(path))


def check_model(model: Any, name: str) -> tuple[Held, Kind]:
    """Compare a model (`onnx.ModelProto`), which messages call `name`, with the statement."""
    texts = {each.key: each.value for each in model.metadata_props}
    layout = from_strings(texts, name)
    try:
        passes = passes_of(texts["passes"]) if "passes" in texts else None
        kind = Kind(Form(texts["form"]), Precision(texts["precision"]), passes)
    except (KeyError, ValueError) as error:
        raise ExportError(
            f"{name} does not say in which form, precision and number of passes it holds the "
            f"network. Export it again."
        ) from error
    arrays = {each.name: each for each in model.graph.initializer}

    def read(number: int, shape: tuple[int, int]) -> tuple[Any, Array]:
        layer = f"layers.{number}"
        bias = _array(arrays, f"{layer}.bias", name)
        if kind.form is Form.DENSE:
            return _matrix(arrays, layer, name), bias
        return _gathered(arrays, layer, shape, name), bias

    held = check_layers(layout, read, name)
    expected = onnx_model(shape_of(layout), kind, layout.construction)
    same = (
        model.graph == expected.graph
        and list(model.opset_import) == list(expected.opset_import)
        and not model.functions
    )
    if not same:
        raise NotTheNetworkError(
            f"{name} has the weights of the network, but its graph is not the one that is "
            f"written for them. Export it again."
        )
    return held, kind


def _array(arrays: dict[str, Any], key: str, name: str) -> Array:
    from onnx import TensorProto, numpy_helper

    if key not in arrays:
        raise ExportError(f"{name} lacks the array {key!r}. Export it again.")
    if arrays[key].data_location == TensorProto.EXTERNAL:
        raise ExportError(
            f"{name} does not hold the array {key!r} itself, but names another file. Export it "
            f"again."
        )
    try:
        found: Array = numpy_helper.to_array(arrays[key])
    except (ValueError, TypeError, KeyError) as error:
        raise ExportError(f"{name}: the array {key!r} is damaged. Export it again.") from error
    return found


def _matrix(arrays: dict[str, Any], layer: str, name: str) -> Any:
    from scipy.sparse import csr_array

    found = _array(arrays, f"{layer}.weights", name)
    if found.ndim != 2 or found.dtype.kind != "f":
        raise ExportError(f"{name}: {layer}.weights is no matrix. Export it again.")
    return csr_array(found.T.astype(np.float64))


def _gathered(arrays: dict[str, Any], layer: str, shape: tuple[int, int], name: str) -> Any:
    """The matrix of a layer's groups: `places` says where in the joined sums each row stands."""
    places = _array(arrays, f"{layer}.places", name)
    columns: list[Array] = []
    weights: list[Array] = []
    while f"{layer}.{len(columns) + 1}.weights" in arrays:
        part = f"{layer}.{len(columns) + 1}"
        columns.append(_array(arrays, f"{part}.columns", name))
        weights.append(_array(arrays, f"{part}.weights", name))
        if columns[-1].shape != weights[-1].shape or columns[-1].ndim != 2:
            raise ExportError(f"{name}: {part}.weights is no group of rows. Export it again.")
    counts = [each.shape[1] for each in weights for _ in range(len(each))]
    if not counts or not np.array_equal(np.sort(places, axis=None), np.arange(len(counts))):
        raise ExportError(f"{name}: {layer}.places is no order of its rows. Export it again.")
    rows = np.repeat(np.argsort(places.ravel()), counts)
    flat = [np.concatenate([part.ravel() for part in each]) for each in (weights, columns)]
    return sparse_array(flat[0], rows, flat[1], shape, f"{name}, {layer}")
