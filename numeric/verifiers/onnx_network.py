"""Reads a small ReLU network from ONNX, its weights as the exact rationals that the floats are.

What is read is the function over the real numbers that the graph describes; a runtime that computes
in floats may round.  Every tensor becomes an array of exact numbers or, after the input, of linear
forms (`proofs.relu_property.network`).  An operator that is not in the table is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from proofs.relu_property.network import ZERO, Form, ReluNetwork

Array = np.ndarray[Any, Any]
"""Of Fractions (constants) or of Forms."""

MOST_NEURONS = 5_000
MOST_NUMBERS = 2_000_000
"""So many weights a tensor may have."""


class NetworkError(ValueError):
    """A network cannot be read; the sentence says what and where."""


def read_network(path: Path) -> ReluNetwork:
    """The network of a file.  Raises NetworkError."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise NetworkError(
            f"ONNX files need the extra export: pip install 'verified-mlp[export]' ({error})."
        ) from error
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
        onnx.checker.check_model(model)
    except OSError as error:
        raise NetworkError(f"it cannot be read: {error.strerror or error}.") from error
    except (DecodeError, onnx.checker.ValidationError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "not ONNX"
        raise NetworkError(f"it is no valid ONNX model: {reason}") from error
    return _Graph(model.graph).network()


class _Graph:
    """The tensors of a graph, as they become known."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.neurons: list[Form] = []
        self.inputs = 0
        self.tensors: dict[str, Array] = {"": np.zeros(0, dtype=object)}

    def network(self) -> ReluNetwork:
        """Go through the nodes, in order."""
        from onnx import numpy_helper

        for each in self.graph.initializer:
            if each.data_location:
                raise NetworkError(
                    f"the weights {each.name!r} are in another file: save the model with all "
                    f"in one."
                )
            self.tensors[each.name] = _exact(numpy_helper.to_array(each), each.name)
        free = [each for each in self.graph.input if each.name not in self.tensors]
        if len(free) != 1 or len(self.graph.output) != 1:
            raise NetworkError(
                f"the network has {len(free)} inputs and {len(self.graph.output)} outputs; only "
                f"one tensor of each is read here."
            )
        self._input(free[0])
        for node in self.graph.node:
            self._node(node)
        outputs = self.tensors[self.graph.output[0].name].ravel()
        return ReluNetwork(self.inputs, tuple(self.neurons), tuple(map(_form, outputs)))

    def _input(self, value: Any) -> None:
        dims = value.type.tensor_type.shape.dim
        shape = [each.dim_value if each.HasField("dim_value") else 1 for each in dims]
        self.inputs = int(np.prod(shape, dtype=np.int64))
        if not 0 < self.inputs <= MOST_NEURONS:
            raise NetworkError(
                f"the input {value.name!r} has {self.inputs:,} entries; 1 to {MOST_NEURONS:,} are "
                f"read here."
            )
        found = np.empty(self.inputs, dtype=object)
        for at in range(self.inputs):
            found[at] = Form(ZERO, {at: Fraction(1)})
        self.tensors[value.name] = found.reshape(shape)

    def _node(self, node: Any) -> None:
        from onnx import helper

        where = f"the node {node.name or node.output[0]!r} ({node.op_type})"
        operator = _OPERATORS.get(node.op_type) if node.domain in ("", "ai.onnx") else None
        if operator is None or len(node.output) != 1:
            known = ", ".join(sorted(_OPERATORS))
            domain = f"{node.domain}." if node.domain else ""
            raise NetworkError(
                f"{where}: the operator {domain}{node.op_type} is not known here; known are "
                f"{known}."
            )
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        try:
            found = operator(self, [self.tensors[each] for each in node.input], attributes)
        except ValueError as error:
            reason = str(error).rstrip(".")
            raise NetworkError(f"{where}: {reason}.") from error
        if found.size > MOST_NUMBERS:
            raise NetworkError(f"{where}: it gives {found.size:,} numbers, too many for here.")
        self.tensors[node.output[0]] = found

    def _relu(self, inputs: list[Array], _: Mapping[str, Any]) -> Array:
        found = np.empty(inputs[0].size, dtype=object)
        for at, entry in enumerate(inputs[0].ravel()):
            form = _form(entry)
            if not form.terms:
                found[at] = max(form.constant, ZERO)
                continue
            found[at] = Form(ZERO, {self.inputs + len(self.neurons): Fraction(1)})
            self.neurons.append(form)
        if len(self.neurons) > MOST_NEURONS:
            raise ValueError(f"the network has more than {MOST_NEURONS:,} ReLUs")
        return found.reshape(inputs[0].shape)


def _exact(numbers: Any, name: str) -> Array:
    """An array of floats or integers as Fractions."""
    numbers = np.asarray(numbers)
    if numbers.dtype.kind not in "fiu" or numbers.size > MOST_NUMBERS:
        raise NetworkError(
            f"the weights {name!r} have {numbers.size:,} entries of type {numbers.dtype}; at most "
            f"{MOST_NUMBERS:,} floats or integers are read here."
        )
    if not np.isfinite(numbers).all():
        raise NetworkError(f"the weights {name!r} have an entry that is no finite number.")
    found = np.empty(numbers.size, dtype=object)
    for at, entry in enumerate(numbers.ravel()):
        found[at] = Fraction(entry.item())
    return found.reshape(numbers.shape)


def _form(entry: Fraction | Form) -> Form:
    return entry if isinstance(entry, Form) else Form(entry)


def _symbolic(array: Array) -> bool:
    return array.size > 0 and any(isinstance(each, Form) for each in array.ravel())


def _lifted(array: Array) -> Array:
    """The same, with constants as forms."""
    found = np.empty(array.size, dtype=object)
    for at, each in enumerate(array.ravel()):
        found[at] = _form(each)
    return found.reshape(array.shape)


def _numbers(array: Array) -> list[int]:
    """A constant list of integers, such as a shape."""
    if _symbolic(array):
        raise ValueError("its shape depends on the input")
    return [int(each) for each in array.ravel()]


def _matmul(_: _Graph, inputs: list[Array], __: Mapping[str, Any]) -> Array:
    return _product(*inputs)


def _product(left: Array, right: Array) -> Array:
    """The matrix product, where one factor is constant."""
    if _symbolic(left) and _symbolic(right):
        raise ValueError("both factors depend on the input, so the product is not linear")
    if left.ndim > 2 and all(extent == 1 for extent in left.shape[:-2]) and right.ndim <= 2:
        outer = left.shape[:-2]
        return _product(left.reshape(left.shape[-2:]), right).reshape(*outer, left.shape[-2], -1)
    if left.ndim > 2 or right.ndim > 2:
        raise ValueError("only vectors and matrices are multiplied here")
    rows, columns = np.atleast_2d(left), right.reshape(-1, 1) if right.ndim == 1 else right
    if rows.shape[1] != columns.shape[0]:
        raise ValueError(f"{left.shape} and {right.shape} are no shapes of factors")
    found = np.empty((rows.shape[0], columns.shape[1]), dtype=object)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns.T):
            found[i, j] = _dot(row, column)
    shape = (*left.shape[:-1], *right.shape[1:]) if right.ndim == 2 else left.shape[:-1]
    return found.reshape(shape)


def _dot(row: Array, column: Array) -> Fraction | Form:
    terms: list[tuple[int, Fraction]] = []
    constant, symbolic = ZERO, False
    for left, right in zip(row, column, strict=True):
        if isinstance(left, Form) or isinstance(right, Form):
            form, factor = (left, right) if isinstance(left, Form) else (right, left)
            symbolic = True
            if factor:
                constant += factor * form.constant
                terms += [(each, factor * number) for each, number in form.terms.items()]
        else:
            constant += left * right
    return Form.of(constant, terms) if symbolic else constant


def _added(_: _Graph, inputs: list[Array], __: Mapping[str, Any]) -> Array:
    return _sum(inputs[0], inputs[1])


def _subtracted(_: _Graph, inputs: list[Array], __: Mapping[str, Any]) -> Array:
    return _sum(inputs[0], -inputs[1])


def _sum(left: Array, right: Array) -> Array:
    if _symbolic(left) or _symbolic(right):
        left, right = _lifted(left), _lifted(right)
    found: Array = left + right
    return found if isinstance(found, np.ndarray) else np.array(found, dtype=object)


def _gemm(_: _Graph, inputs: list[Array], attributes: Mapping[str, Any]) -> Array:
    left = inputs[0].T if attributes.get("transA", 0) else inputs[0]
    right = inputs[1].T if attributes.get("transB", 0) else inputs[1]
    found = _scaled(_product(left, right), attributes.get("alpha", 1))
    if len(inputs) < 3 or inputs[2].size == 0:
        return found
    return _sum(found, _scaled(inputs[2], attributes.get("beta", 1)))


def _scaled(array: Array, factor: Any) -> Array:
    exact = Fraction(factor)
    return array if exact == 1 else array * exact


def _constant(_: _Graph, __: list[Array], attributes: Mapping[str, Any]) -> Array:
    from onnx import numpy_helper

    for name in ("value_float", "value_floats", "value_int", "value_ints"):
        if name in attributes:
            return _exact(np.array(attributes[name]), "constant")
    if "value" not in attributes:
        raise ValueError(f"a constant by {', '.join(sorted(attributes))} is not known here")
    return _exact(numpy_helper.to_array(attributes["value"]), "constant")


def _identity(_: _Graph, inputs: list[Array], __: Mapping[str, Any]) -> Array:
    return inputs[0]


def _flatten(_: _Graph, inputs: list[Array], attributes: Mapping[str, Any]) -> Array:
    axis = attributes.get("axis", 1)
    rows = int(np.prod(inputs[0].shape[:axis], dtype=np.int64))
    return inputs[0].reshape(rows, -1)


def _reshape(_: _Graph, inputs: list[Array], attributes: Mapping[str, Any]) -> Array:
    if attributes.get("allowzero", 0):
        raise ValueError("allowzero is not known here")
    sizes = _numbers(inputs[1])
    shape = [inputs[0].shape[at] if size == 0 else size for at, size in enumerate(sizes)]
    return inputs[0].reshape(shape)


_OPERATORS: dict[str, Callable[[_Graph, list[Array], Mapping[str, Any]], Array]] = {
    "Add": _added,
    "Constant": _constant,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "Identity": _identity,
    "MatMul": _matmul,
    "Relu": _Graph._relu,
    "Reshape": _reshape,
    "Sub": _subtracted,
}
