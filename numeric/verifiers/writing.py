"""Queries for neural-network verifiers and for SMT solvers, as files.

onnx/NAME.onnx         a gadget, or a tiny machine, as MatMul, Add and Relu
vnnlib/NAME-y3.vnnlib  the negated claim about its output 3
smt/NAME.smt2          a gadget's whole specification over integers, negated
instances.csv          network, query, seconds: as VNN-COMP has it
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from numeric.verifiers.cells import (
    Cell,
    Instance,
    LinearLayer,
    instances,
    layers_of,
    relu_network,
    table,
)
from numeric.verifiers.machines import machine_queries
from numeric.verifiers.text import Query, gadget_text
from proofs.expanded import WRITABLE_ENTRIES, Expanded, claims, entry_count, overflows
from proofs.smtlib import text_of
from proofs.terms import disj, formula
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.settle import settle

SECONDS = 60
"""What instances.csv allows a verifier for each query."""
MOST_CELLS = 1_000
"""Gadgets that need more cells are left out."""
OPSET, IR_VERSION = 13, 8
"""Old enough for the verifiers."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a folder has, and the gadgets that it has not, with the reason."""

    networks: int
    queries: int
    cells: int
    scripts: int
    left_out: tuple[tuple[str, str], ...]


def write_queries(folder: Path, shape: Shape) -> Written:
    """Write all queries of a shape into a new folder.

    Raises OSError, FileExistsError if the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
    for each in ("onnx", "vnnlib", "smt"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    left_out: list[tuple[str, str]] = []
    networks = cells = 0
    for name, layers, queries in _all(shape, left_out):
        (folder / "onnx" / f"{name}.onnx").write_bytes(onnx_bytes(name, layers))
        networks += 1
        for query in queries:
            cells += query.cells
            path = f"vnnlib/{query.name}.vnnlib"
            (folder / path).write_text(query.text, encoding="ascii")
            lines.append(f"onnx/{name}.onnx,{path},{SECONDS}")
    scripts = 0
    for name, text in smt_texts(shape):
        (folder / "smt" / f"{name}.smt2").write_text(text, encoding="ascii")
        scripts += 1
    (folder / "instances.csv").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return Written(networks, len(lines), cells, scripts, tuple(left_out))


def _all(
    shape: Shape, left_out: list[tuple[str, str]]
) -> Iterator[tuple[str, list[LinearLayer], list[Query]]]:
    for instance in instances(shape):
        queries = gadget_queries(instance)
        if isinstance(queries, str):
            left_out.append((instance.name, queries))
        else:
            yield instance.name, layers_of(instance), queries
    found = machine_queries(shape)
    if isinstance(found, str):
        left_out.append((f"machine-bits{shape.bits}-words{shape.words}", found))
    else:
        yield found


def gadget_queries(instance: Instance) -> list[Query] | str:
    """The queries about a gadget, one for each output; or why there are none."""
    given = table(instance)
    if given is None:
        return "its domain is too large to be cut into boxes here"
    network = relu_network(layers_of(instance))
    by_output: dict[int, list[Cell]] = {}
    for count, cell in enumerate(given.cells(network)):
        if count == MOST_CELLS:
            return f"it needs more than {MOST_CELLS:,} cells"
        by_output.setdefault(cell.output, []).append(cell)
    return [
        Query(
            f"{instance.name}-y{output}",
            gadget_text(instance, given.highs, cells, len(network.outputs)),
            len(cells),
        )
        for output, cells in by_output.items()
    ]


def smt_texts(shape: Shape) -> Iterator[tuple[str, str]]:
    """For each gadget of a shape that is not too large to be written out: its name, and a text that
    asks for integers of its domain, parameters included, at which it breaks its specification or
    a neuron exceeds its declared largest value.

    A parameter whose bits are weights would make products of unknowns; there is a text for each
    value at which the network has it.
    """
    for gadget in gadgets(shape):
        if not any(each.bits for each in gadget.parameters):
            yield from smt_text(Instance(gadget, {}))
    for instance in instances(shape):
        if any(each.bits for each in instance.gadget.parameters):
            yield from smt_text(instance)


def smt_text(instance: Instance) -> Iterator[tuple[str, str]]:
    """The text of one gadget, if it is not too large."""
    gadget = instance.gadget
    if instance.parameters:
        gadget = settle(gadget, instance.parameters)
    if entry_count(gadget) > WRITABLE_ENTRIES:
        return
    it = Expanded(gadget)
    broken = [got != wanted for _, got, wanted in claims(gadget, it.outputs, it.values)]
    broken += [neuron > most for _, neuron, most in overflows(gadget, it.trace, it.parameters)]
    text = text_of([*map(formula, it.domain), disj(*map(formula, broken))])
    given = "".join(f", {key}={number}" for key, number in instance.parameters.items())
    head = (
        f"; {gadget.title}{given}: {gadget.formula}\n"
        f"; domain: {gadget.domain_text()}\n"
        "; unsat says: on all integers of the domain every output is what the specification says,\n"
        "; and every neuron is at most its declared largest value.\n"
    )
    yield instance.name, head + text.replace("(set-logic ALL)", "(set-logic QF_LIA)", 1)


def onnx_bytes(name: str, layers: Sequence[LinearLayer]) -> bytes:
    """The layers as an ONNX model, checked: in float32 if that holds all numbers exactly, else in
    float64.

    Raises ValueError for a number that float64 does not hold exactly.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kind = next((each for each in (np.float32, np.float64) if _exact(layers, each)), None)
    if kind is None:
        raise ValueError(f"{name}: float64 does not hold all numbers exactly")
    element = TensorProto.FLOAT if kind is np.float32 else TensorProto.DOUBLE
    nodes: list[Any] = []
    constants: list[Any] = []
    source = "X"
    for number, layer in enumerate(layers, start=1):
        for part, exact in ((f"W{number}", layer.weights.T), (f"b{number}", layer.bias)):
            held = np.ascontiguousarray(exact.astype(kind))
            constants.append(numpy_helper.from_array(held, part))
        total = f"sum{number}" if layer.relu else "Y"
        nodes.append(helper.make_node("MatMul", [source, f"W{number}"], [f"product{number}"]))
        nodes.append(helper.make_node("Add", [f"product{number}", f"b{number}"], [total]))
        if layer.relu:
            source = f"values{number}"
            nodes.append(helper.make_node("Relu", [total], [source]))
    ends = [("X", layers[0].weights.shape[1]), ("Y", layers[-1].weights.shape[0])]
    read, given = (helper.make_tensor_value_info(each, element, [1, size]) for each, size in ends)
    graph = helper.make_graph(nodes, name, [read], [given], constants)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="verified-mlp",
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _exact(layers: Sequence[LinearLayer], kind: Any) -> bool:
    """Whether a number format holds all weights and biases."""
    return all(
        Fraction(float(kind(each))) == Fraction(each)
        for layer in layers
        for each in (*layer.weights.ravel(), *layer.bias)
    )
