"""The network as ONNX models: one pass, or a loop of passes, dense or by gathering.

The input `state` and the output `next` are state vectors, one in each row.  A layer is

- `dense`: MatMul, Add, Relu, with every weight, zeros too;
- `gather`: the rows of W with equally many non-zero weights are one group, whose inputs are
  gathered by column index, multiplied and added up (Gather, Mul, ReduceSum); the groups are put
  together and in order (Concat, Gather), then Add, Relu.  Nothing but the non-zero weights is
  kept, so this form grows with them.

A scatter with addition is not used: ONNX Runtime's ScatterND and ScatterElements have none in
float16.  With `passes`, the layers are the body of a Loop, and a second output, `results`, has the
state without its memory after each pass, so that nothing that was printed is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numeric.capacity import entries_at_most
from numeric.exactness import FORMATS, Exactness, exactness
from numeric.export.layout import ExportError, exported, layout_of, needs, to_strings
from numeric.lower import Array, Lowered, lower_layers
from verified_mlp.constructions.registry import DEFAULT
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import width
from verified_mlp.statement.network import Network

OPSET, IR_VERSION = 18, 9
MOST_BYTES = 2**31 - 1
"""No Protocol Buffers message, and so no model in one file, is larger."""
MOST_PASSES = 2**31 - 1
INDEX = 4
"""Bytes of an int32."""


class Form(StrEnum):
    """How a layer is written."""

    DENSE = "dense"
    GATHER = "gather"


class Precision(StrEnum):
    """The number format of weights and states."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    FLOAT16 = "float16"


class Kind(NamedTuple):
    """Which model of a network: `passes` is None for one pass that is not in a loop."""

    form: Form = Form.GATHER
    precision: Precision = Precision.FLOAT64
    passes: int | None = None


def write_onnx(path: Path, shape: Shape, kind: Kind, how: str = DEFAULT) -> None:
    """Build a model, have ONNX's checker check it, and write it.  Raises ExportError."""
    from numeric.export.files import replacing

    model = onnx_model(shape, kind, how)
    import onnx

    onnx.checker.check_model(model, full_check=True)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def onnx_model(shape: Shape, kind: Kind, how: str = DEFAULT) -> Any:
    """The model (`onnx.ModelProto`).

    Raises ExportError if the precision does not compute the network exactly (see
    `numeric.exactness`), if the model would be too large, or if ONNX is not installed.
    """
    try:
        from onnx import helper
    except ImportError as error:
        raise needs("onnx", "export", error) from error
    network = exported(shape, how)
    check_kind(shape, kind, how)
    layout = layout_of(shape, how)
    parts = _Parts(kind)
    if kind.passes is None:
        parts.layers("state", "next", network)
        results = []
    else:
        # The memory, or its parts, stand first.
        after = max(each.stop for each in layout.fields if len(each.shape) == 2)
        parts.loop(network, kind.passes, after, layout.width)
        results = [parts.value("results", [kind.passes, "states", layout.width - after])]
    graph = helper.make_graph(
        parts.nodes,
        f"{layout.construction} at {shape}",
        [parts.value("state", ["states", layout.width])],
        [parts.value("next", ["states", layout.width]), *results],
        parts.initializers,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="verified-mlp",
    )
    helper.set_model_props(model, to_strings(layout) | kind_strings(kind))
    return model


def kind_strings(kind: Kind) -> dict[str, str]:
    """What the metadata says beside the layout.

    >>> kind_strings(Kind(passes=3))
    {'form': 'gather', 'precision': 'float64', 'passes': '3'}
    """
    found = {"form": str(kind.form), "precision": str(kind.precision)}
    return found if kind.passes is None else found | {"passes": str(kind.passes)}


def check_kind(shape: Shape, kind: Kind, how: str = DEFAULT) -> None:
    """Raise ExportError for a model that is not exact, or that no file can hold."""
    check_exact(shape, kind.precision, how)
    check_size(exported(shape, how), shape, kind)


@cache
def _exactness(shape: Shape, precision: Precision, how: str) -> Exactness:
    chosen = [each for each in FORMATS if each.name == precision]
    (found,) = exactness(exported(shape, how), chosen)
    return found


def check_exact(shape: Shape, precision: Precision, how: str = DEFAULT) -> None:
    """Raise ExportError unless the theorem of `numeric.exactness` covers the network."""
    found = _exactness(shape, precision, how)
    if not found.exact:
        raise ExportError(
            f"{precision} is not known to compute the network of {shape} exactly: "
            f"{found.decisive}. Choose what verified-mlp show --formats calls exact, fewer bits, "
            f"or the construction {DEFAULT}, which is exact in float64 at every width."
        )


def bytes_about(network: Network, kind: Kind) -> int:
    """The bytes of a model's weights, biases and indices, or a little more for the gather form."""
    item = int(np.dtype(kind.precision).itemsize)
    total = 0
    for depth, layer in enumerate(network.layers):
        rows, columns = width(layer.neurons), width(network.sources(depth))
        if kind.form is Form.DENSE:
            total += item * rows * (columns + 1)
        else:
            total += (item + INDEX) * (entries_at_most(network, depth) + rows)
    return total


def check_size(network: Network, shape: Shape, kind: Kind) -> None:
    """Raise ExportError for a model that is larger than a file of ONNX can be."""
    needed = bytes_about(network, kind)
    if needed > MOST_BYTES:
        cure = "--form gather or fewer words" if kind.form is Form.DENSE else "fewer words"
        raise ExportError(
            f"the {kind.form} model of {shape} in {kind.precision} would have {needed:,} bytes "
            f"({in_gb(needed)}), and an ONNX file holds at most {MOST_BYTES:,}: choose {cure}."
        )


def in_gb(count: int) -> str:
    """A number of bytes as text.

    >>> in_gb(5_104_336_376)
    '5.1 GB'
    """
    return f"{count / 1e9:.1f} GB"


class Group(NamedTuple):
    """Rows of a layer with equally many weights: which rows, and their columns and weights."""

    rows: Array
    columns: Array
    weights: Array


def groups(layer: Lowered) -> Iterator[Group]:
    """The rows of a layer by their number of weights; a row without weights has one that is 0."""
    ends, columns, data = layer.weights.indptr, layer.weights.indices, layer.weights.data
    counts = np.diff(ends)
    for count in np.unique(np.maximum(counts, 1)).tolist():
        rows = np.flatnonzero(np.maximum(counts, 1) == count)
        places = ends[rows][:, np.newaxis] + np.arange(count)
        empty = (counts[rows] == 0)[:, np.newaxis] & np.ones(count, dtype=bool)
        places = np.where(empty, 0, places)
        found = columns[places] if columns.size else np.zeros(places.shape, dtype=np.int64)
        weights = data[places] if data.size else np.zeros(places.shape)
        yield Group(rows.astype(np.int32), found.astype(np.int32), np.where(empty, 0.0, weights))


class _Parts:
    """The nodes and the initializers of a graph, as they are made."""

    def __init__(self, kind: Kind) -> None:
        from onnx import TensorProto

        self.kind = kind
        self.type = {
            Precision.FLOAT64: TensorProto.DOUBLE,
            Precision.FLOAT32: TensorProto.FLOAT,
            Precision.FLOAT16: TensorProto.FLOAT16,
        }[kind.precision]
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def value(self, name: str, shape: list[int | str]) -> Any:
        """An input or output, in the model's precision."""
        from onnx import helper

        return helper.make_tensor_value_info(name, self.type, shape)

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def constant(self, name: str, numbers: Array) -> str:
        """Add an initializer, floats in the model's precision, and return its name."""
        from onnx import numpy_helper

        if numbers.dtype.kind == "f":
            numbers = numbers.astype(self.kind.precision)
        self.initializers.append(numpy_helper.from_array(numbers, name))
        return name

    def layers(self, source: str, target: str, network: Network) -> None:
        """Add all layers of a pass."""
        last = len(network.layers)
        write = self._dense if self.kind.form is Form.DENSE else self._gather
        if self.kind.form is Form.GATHER:
            self.constant("last axis", np.array([2], dtype=np.int64))
        for number, layer in enumerate(lower_layers(network), 1):
            name = f"layers.{number}"
            total = write(name, source, layer)
            bias = self.constant(f"{name}.bias", layer.bias)
            total = self.node("Add", [total, bias], f"{name}.sum")
            source = self.node("Relu", [total], target if number == last else f"{name}.values")

    def _dense(self, name: str, source: str, layer: Lowered) -> str:
        weights = layer.weights.toarray().T
        return self.node(
            "MatMul", [source, self.constant(f"{name}.weights", weights)], f"{name}.product"
        )

    def _gather(self, name: str, source: str, layer: Lowered) -> str:
        found = list(groups(layer))
        sums = []
        for at, group in enumerate(found, 1):
            part = f"{name}.{at}"
            columns = self.constant(f"{part}.columns", group.columns)
            weights = self.constant(f"{part}.weights", group.weights)
            values = self.node("Gather", [source, columns], f"{part}.values", axis=1)
            products = self.node("Mul", [values, weights], f"{part}.products")
            sums.append(self.node("ReduceSum", [products, "last axis"], f"{part}.sums", keepdims=0))
        order = np.argsort(np.concatenate([group.rows for group in found])).astype(np.int32)
        places = self.constant(f"{name}.places", order)
        joined = self.node("Concat", sums, f"{name}.joined", axis=1)
        return self.node("Gather", [joined, places], f"{name}.product", axis=1)

    def loop(self, network: Network, passes: int, start: int, end: int) -> None:
        """Add a Loop of passes; its results are the columns from `start` to before `end`."""
        from onnx import TensorProto, helper

        outer = self.nodes
        self.nodes = []
        self.node("Identity", ["go on"], "go on again")
        self.layers("before", "after", network)
        edges = [self.constant(*each) for each in (
            ("passes", np.array(passes, dtype=np.int64)),
            ("results from", np.array([start], dtype=np.int64)),
            ("results to", np.array([end], dtype=np.int64)),
            ("columns", np.array([1], dtype=np.int64)),
        )]  # fmt: skip
        self.node("Slice", ["after", *edges[1:]], "result")
        body = helper.make_graph(
            self.nodes,
            "a pass",
            [
                helper.make_tensor_value_info("pass", TensorProto.INT64, []),
                helper.make_tensor_value_info("go on", TensorProto.BOOL, []),
                self.value("before", ["states", end]),
            ],
            [
                helper.make_tensor_value_info("go on again", TensorProto.BOOL, []),
                self.value("after", ["states", end]),
                self.value("result", ["states", end - start]),
            ],
        )
        loop = helper.make_node(
            "Loop", [edges[0], "", "state"], ["next", "results"], "loop", body=body
        )
        self.nodes = [*outer, loop]


def passes_of(text: str) -> int:
    """A number of passes, 1 or more.  Raises ValueError."""
    count = int(text)
    if not 1 <= count <= MOST_PASSES:
        raise ValueError(text)
    return count
