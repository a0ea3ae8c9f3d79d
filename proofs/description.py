"""What a reader wants to see of each gadget: text, rows and exact matrices, as plain data."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import verified_mlp.gadgets
from proofs.machine import machine
from proofs.verify import gadgets
from verified_mlp.constructions.registry import DEFAULT
from verified_mlp.gadgets.registry import entries
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.evaluate import column_names, rows, size, width
from verified_mlp.statement.network import Gadget, Network, Neurons

MOST_CELLS = 12_000
"""Entries of the largest matrix that is written out."""

Values = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Family:
    """Some neurons of a layer: `name[index]`, the range of each index in words, and their row."""

    name: str
    over: str
    row: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """W and b of a layer, exact: the entries that are not zero, as text with their row and column.

    `entries` and `bias` are None if the matrix has more than `MOST_CELLS` entries.
    """

    row_names: list[str] | None
    column_names: list[str] | None
    height: int
    width: int
    entries: list[tuple[int, int, str]] | None
    bias: list[str] | None


@dataclass(frozen=True, slots=True)
class GadgetLayer:
    """A layer of a gadget, as stated and as a matrix."""

    families: list[Family]
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class Description:
    """A gadget.  `title` is that of its proof, `here` that at the shape, from which it differs if
    the gadget depends on the number of words.

    `prose` is the documentation, with its case table as a Markdown table; `example` are the values
    of the gadget's parameters in its matrices.
    """

    title: str
    here: str
    formula: str
    source: str
    domain: str
    prose: str
    outputs: list[str]
    example: dict[str, int]
    layers: list[GadgetLayer]


def describe(shape: Shape, how: str = DEFAULT) -> list[Description]:
    """Every gadget of which there is a proof for a shape, the machine last, without matrices.

    Raises ValueError for the name of no construction.
    """
    general, here = gadgets(memories(shape), how), gadgets(shape, how)
    # The titles of both are sorted, and those that depend on the words may sort differently.
    found = {gadget.title: gadget for gadget in here}
    used = _used(here)
    prose = _prose()
    return [
        _described(gadget.title, _match(gadget, found, shape), prose, used) for gadget in general
    ]


def _match(general: Gadget, here: Mapping[str, Gadget], shape: Shape) -> Gadget:
    """The gadget at the shape that is this one at its number of words."""
    if general.title in here:
        return here[general.title]
    if general.name == "machine":
        return next(each for each in here.values() if each.name == "machine")
    settled = {
        name: value.evaluate({"words": shape.words}) if hasattr(value, "evaluate") else value
        for name, value in general.settings.items()
    }
    return next(
        each
        for each in here.values()
        if each.name == general.name and dict(each.settings) == settled
    )


def _prose() -> dict[str, str]:
    """The documentation of gadgets, by the name of the function that makes them."""
    found = {"machine": inspect.getdoc(machine) or ""}
    for module in iter_modules(verified_mlp.gadgets.__path__):
        name = f"verified_mlp.gadgets.{module.name}"
        import_module(name)
        for entry in entries(name):
            # A name that Python has taken ends in an underscore.
            found[entry.name.rstrip("_")] = inspect.getdoc(entry.build) or ""
    return found


def _described(
    title: str, gadget: Gadget, prose: Mapping[str, str], used: Mapping[str, Values]
) -> Description:
    values = dict(used.get(gadget.title, {}))
    for parameter in gadget.parameters:
        if not parameter.ghost and parameter.name not in values:
            high = parameter.largest.evaluate(values)
            values[parameter.name] = parameter.low + (high - parameter.low) * 2 // 3
    whole = gadget.name == "machine"
    return Description(
        title=title,
        here=gadget.title,
        formula=gadget.formula,
        source=gadget.source,
        domain=gadget.domain_text(),
        prose=prose.get(gadget.name, ""),
        outputs=[f"{each.name} = {each.form}" for each in gadget.network.outputs],
        example=values,
        # The machine's own layers are those of the network, which is shown by itself.
        layers=[] if whole else list(_layers(gadget.network, values)),
    )


def _layers(network: Network, values: Values) -> Iterator[GadgetLayer]:
    for depth, layer in enumerate(network.layers):
        families = [Family(each.name, _over(each), str(each.row)) for each in layer.neurons]
        yield GadgetLayer(families, _matrix(network, depth, values))


def _over(family: Neurons) -> str:
    return ", ".join(f"{index.name} < {index.size}" for index in family.indices)


def _matrix(network: Network, depth: int, values: Values) -> Matrix:
    families, sources = network.layers[depth].neurons, network.sources(depth)
    height, columns = width(families), width(sources)
    if height * columns > MOST_CELLS:
        return Matrix(None, None, height, columns, None, None)
    found = list(rows(network, depth, values))
    return Matrix(
        [row.name for row in found],
        column_names(sources),
        height,
        columns,
        [
            (at, column, str(weight))
            for at, row in enumerate(found)
            for column, weight in sorted(row.weights.items())
        ],
        [str(row.bias) for row in found],
    )


def _used(known: Sequence[Gadget]) -> dict[str, Values]:
    """For gadgets that another one places, values of their parameters there: in the middle of the
    first place.
    """
    found: dict[str, Values] = {}
    waiting: list[tuple[Gadget, dict[str, int]]] = [
        (each, {}) for each in reversed(known) if not each.parameters
    ]
    while waiting:
        gadget, outer = waiting.pop(0)
        for layer in gadget.network.layers:
            for placed in layer.placed:
                if placed.gadget is None or placed.gadget.title in found:
                    continue
                middle: dict[str, Any] = dict(outer)
                for index in placed.over:
                    middle[index.name] = size((index.size,)) * 2 // 3
                values = {
                    name: int(value.evaluate(middle)) for name, value in placed.parameters.items()
                }
                found[placed.gadget.title] = values
                waiting.append((placed.gadget, values))
    return found
