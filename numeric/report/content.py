"""What a report holds: the proof, the network with its weights, the gadgets, the programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from numeric.engines import Engine, EngineName
from numeric.machine import Machine
from numeric.report.evidence import Proof, proof
from numeric.report.weights import encoded
from proofs.certificate import Certificate
from proofs.description import Description, describe
from proofs.machine import read_out
from proofs.matrices import with_outputs
from verified_mlp.constructions.registry import Construction
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import state_fields
from verified_mlp.statement.arrays import entries
from verified_mlp.statement.network import Field, Neurons

MOST_BITS, MOST_WORDS = 16, 256
"""A page executes networks up to these."""


class ReportError(ValueError):
    """There is no page for this; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to step through: its words (0..2**bits-1), the labels of its source with their
    addresses, and the bytes of input that it gets at first.
    """

    name: str
    words: list[int]
    labels: list[tuple[str, int]]
    input: list[int]


@dataclass(frozen=True, slots=True)
class PageField:
    """An array of the network: its shape, its largest value, and its row for neurons."""

    name: str
    shape: tuple[int, ...]
    largest: int
    row: str


@dataclass(frozen=True, slots=True)
class PageLayer:
    """A layer; `weights` is the text of `numeric.report.weights`."""

    stage: str
    note: str
    rows: int
    columns: int
    nonzeros: int
    families: list[PageField]
    weights: str


@dataclass(frozen=True, slots=True)
class PageState:
    """What a vector stands for: state = W vector + b, with W and b as in `PageLayer`.

    A state is encoded as the vector whose fields in `encoded`, by name of the field of the state,
    have its entries; all others are 0.
    """

    rows: int
    columns: int
    nonzeros: int
    fields: list[PageField]
    weights: str
    encoded: dict[str, str]


@dataclass(frozen=True, slots=True)
class PageNetwork:
    """The network."""

    construction: str
    bits: int
    words: int
    inputs: list[PageField]
    layers: list[PageLayer]
    state: PageState


@dataclass(frozen=True, slots=True)
class Content:
    """All of a report."""

    shape: Shape
    proof: Proof
    network: PageNetwork
    gadgets: list[Description]
    programs: list[Program]


def check_construction(how: Construction) -> None:
    """Raises ReportError for a construction of which a page cannot make vectors."""
    if how.prefetched:
        raise ReportError(
            f"a page cannot make the vector of a state for the construction {how.name}, which "
            "holds words besides the state: choose another construction."
        )


def check_shape(shape: Shape) -> None:
    """Raises ReportError for a network that is too large for a page to execute."""
    if shape.bits > MOST_BITS or shape.words > MOST_WORDS:
        raise ReportError(
            f"a page executes networks up to {MOST_BITS} bits x {MOST_WORDS} words, and this one "
            f"has {shape}: choose fewer with --bits and --words, or use verified-mlp debug."
        )


def content(machine: Machine, certificate: Certificate, programs: Sequence[Program]) -> Content:
    """The report of a machine with the engine `sparse`, which its certificate covers.

    Raises ReportError for a network that is too large or an engine that keeps no sparse matrices,
    and NotVerifiedError if the network is no instance of the one that is proved.
    """
    shape, engine = machine.shape, machine.engine
    check_shape(shape)
    check_construction(machine.construction)
    if not isinstance(engine, Engine) or engine.name is not EngineName.SPARSE:
        raise ReportError(f"a page needs the engine sparse, not {engine.name}.")
    return Content(
        shape,
        proof(certificate, shape),
        _network(machine, engine),
        describe(shape, machine.construction.name),
        list(programs),
    )


def _network(machine: Machine, engine: Engine) -> PageNetwork:
    network = machine.network
    layers = []
    for layer, (weights, bias) in zip(network.layers, engine.layers, strict=True):
        rows, columns = weights.shape
        text = encoded(weights, bias)
        fields = _fields(layer.neurons)
        layers.append(
            PageLayer(layer.stage, layer.note, rows, columns, int(weights.nnz), fields, text)
        )
    return PageNetwork(
        machine.construction.name,
        machine.shape.bits,
        machine.shape.words,
        _fields(network.inputs),
        layers,
        _state(machine),
    )


def _state(machine: Machine) -> PageState:
    """How the construction encodes a state, from its own statement of that."""
    how, network = machine.construction, machine.network
    stated = with_outputs(read_out(network, how, machine.shape))
    found = entries(stated, len(network.layers))
    weights: Any = sp.csr_array((found.weights, (found.rows, found.columns)), found.shape)
    weights = weights.astype(np.float64)
    fields = state_fields(machine.shape)
    return PageState(
        *found.shape,
        int(weights.nnz),
        _fields(fields),
        encoded(weights, found.bias.astype(np.float64)),
        dict(how.encoded) if how.forms else {each.name: how.parts(each.name)[0] for each in fields},
    )


def _fields(arrays: Iterable[Field | Neurons]) -> list[PageField]:
    return [
        PageField(
            each.name,
            each.shape,
            _largest(each),
            str(each.row) if isinstance(each, Neurons) else "",
        )
        for each in arrays
    ]


def _largest(array: Field | Neurons) -> int:
    """The largest of the largest values of an array's entries."""
    grid: Any = np.meshgrid(*map(np.arange, array.shape), indexing="ij", sparse=True)
    names = [index.name for index in array.indices]
    return int(np.max(array.largest.evaluate(dict(zip(names, grid, strict=True)))))
