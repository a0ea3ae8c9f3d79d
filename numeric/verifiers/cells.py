"""A gadget's specification over integers, as claims about boxes of real inputs.

A verifier knows real inputs only.  The integers of a gadget's domain are covered by *cells*: boxes,
each with the one value that the specification gives an output on all integers of the domain in it.
A cell claims that the output is nearer than 1/2 to that value at every real point of the box.  At
integers the output is an integer, for all weights are, so there it is the value.  Between integers
nothing is promised by a specification, so a box is kept whole only if the claim is found to hold
on it by exact arithmetic; else it is cut, down to single points if need be.  The claims of all
cells together therefore say of a gadget no more and no less than its specification does, if they
hold, and one of them fails if it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from numeric.verifiers.guessing import guess
from proofs.expanded import conditions
from proofs.matrices import with_outputs
from proofs.relu_property.decide import Atom, Budget, Condition, Proved, decide
from proofs.relu_property.network import Form, ReluNetwork
from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.logic import bit
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import points, rows, width
from verified_mlp.statement.network import Gadget, Network

Array = np.ndarray[Any, Any]

MOST_POINTS, MOST_INPUTS = 2**16, 12
"""Gadgets with a larger domain, conditions not counted, or more inputs, are left out."""
HALF = Fraction(1, 2)
_SOME = Budget(cases=50, resources=2_000_000)


@dataclass(frozen=True, slots=True)
class Instance:
    """A gadget at values of the parameters on which its weights depend."""

    gadget: Gadget
    parameters: Mapping[str, int]

    @property
    def name(self) -> str:
        """A name that is safe for files, e.g. `match-bits4-i3`."""
        numbers = {**self.gadget.settings, **self.parameters}
        return "-".join([self.gadget.name, *(f"{key}{number}" for key, number in numbers.items())])


@dataclass(frozen=True, slots=True)
class LinearLayer:
    """y = W x + b, and then ReLU if `relu`; integers."""

    weights: Array
    bias: Array
    relu: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A box of inputs, and the value that an output is to have in it."""

    low: tuple[int, ...]
    high: tuple[int, ...]
    output: int
    value: int


def instances(shape: Shape) -> list[Instance]:
    """The gadgets of a shape, at the parameters at which its network places them."""
    found: dict[str, Instance] = {}
    for gadget, parameters in _placed(paper(shape), {}):
        each = Instance(gadget, parameters)
        found.setdefault(each.name, each)
    for gadget in gadgets(shape):
        if all(each.ghost for each in gadget.parameters):
            each = Instance(gadget, {})
            found.setdefault(each.name, each)
    return sorted(found.values(), key=lambda each: each.name)


def _placed(network: Network, values: Mapping[str, int]) -> Iterator[tuple[Gadget, dict[str, int]]]:
    for layer in network.layers:
        for placed in layer.placed:
            if placed.gadget is None or placed.part != 0:
                continue
            names = [index.name for index in placed.over]
            settled: dict[tuple[int, ...], dict[str, int]] = {}
            for point in points([index.size for index in placed.over]):
                at = {**values, **dict(zip(names, point, strict=True))}
                given = {key: expr.evaluate(at) for key, expr in placed.parameters.items()}
                settled.setdefault(tuple(given.values()), given)
            for given in settled.values():
                yield placed.gadget, given
                yield from _placed(placed.gadget.network, given)


def layers_of(instance: Instance) -> list[LinearLayer]:
    """The layers as matrices of integers, and the outputs as a last layer without ReLU."""
    network = with_outputs(instance.gadget.network)
    found = []
    for depth in range(len(network.layers)):
        shape = (width(network.layers[depth].neurons), width(network.sources(depth)))
        weights, bias = np.zeros(shape, dtype=object), np.zeros(shape[0], dtype=object)
        for at, row in enumerate(rows(network, depth, instance.parameters)):
            bias[at] = row.bias
            for column, weight in row.weights.items():
                weights[at, column] = weight
        found.append(LinearLayer(weights, bias, depth + 1 < len(network.layers)))
    return found


def relu_network(layers: Sequence[LinearLayer]) -> ReluNetwork:
    """The layers as exact forms."""
    inputs = layers[0].weights.shape[1]
    neurons: list[Form] = []
    read = list(range(inputs))
    for layer in layers:
        forms = [
            Form.of(
                Fraction(bias), [(read[c], Fraction(row[c])) for c in np.flatnonzero(row).tolist()]
            )
            for row, bias in zip(layer.weights, layer.bias, strict=True)
        ]
        if not layer.relu:
            return ReluNetwork(inputs, tuple(neurons), tuple(forms))
        read = [inputs + len(neurons) + at for at in range(len(forms))]
        neurons += forms
    raise ValueError("the last layer has a ReLU")


@dataclass(frozen=True, slots=True)
class Table:
    """What the specification says on a grid of inputs: a value for each output, and where the
    grid is in the domain.  The last axis of `inside` and `values` counts the ghost parameters'
    values, which the network does not see.
    """

    highs: tuple[int, ...]
    inside: Array
    values: Array

    def cells(self, network: ReluNetwork) -> Iterator[Cell]:
        """Cells that cover the domain, output by output."""
        for output in range(len(network.outputs)):
            whole = tuple((0, high) for high in self.highs)
            yield from self._cut(network, output, whole)

    def _cut(
        self, network: ReluNetwork, output: int, box: tuple[tuple[int, int], ...]
    ) -> Iterator[Cell]:
        at = tuple(slice(low, high + 1) for low, high in box)
        inside = self.inside[at]
        if not inside.any():
            return
        values = self.values[output][at]
        given = np.unique(values[inside])
        if len(given) == 1:
            low, high = zip(*box, strict=True)
            cell = Cell(low, high, output, int(given[0]))
            if low == high or isinstance(
                decide(network, wrong(cell, network.inputs), _SOME, guess), Proved
            ):
                yield cell
                return
        elif all(low == high for low, high in box):
            raise ValueError("the specification gives two values for one input")
        for part in _halves(box, inside, values):
            yield from self._cut(network, output, part)


def _halves(
    box: tuple[tuple[int, int], ...], inside: Array, values: Array
) -> list[tuple[tuple[int, int], ...]]:
    """The box cut in two, so that in each part most values are equal."""
    best: tuple[int, int, int] | None = None
    long = [axis for axis, (low, high) in enumerate(box) if low < high]
    for axis in [axis for axis in long if _matters(axis, inside, values)] or long:
        low, high = box[axis]
        for cut in range(low, high):
            place = cut + 1 - low
            parts = [(slice(None),) * axis + (each,) for each in (slice(place), slice(place, None))]
            mixed = sum(_others(values[part][inside[part]]) for part in parts)
            if best is None or mixed < best[0]:
                best = mixed, axis, cut
    assert best is not None  # a box of one point is not cut
    _, axis, cut = best
    low, high = box[axis]
    return [(*box[:axis], part, *box[axis + 1 :]) for part in ((low, cut), (cut + 1, high))]


def _matters(axis: int, inside: Array, values: Array) -> bool:
    """Whether values differ along an axis, somewhere in the domain."""
    least, most = values.min(), values.max()
    highest = np.where(inside, values, least).max(axis=axis)
    lowest = np.where(inside, values, most).min(axis=axis)
    return bool((highest > lowest).any())


def _others(values: Array) -> int:
    """How many values differ from the most frequent one."""
    if not values.size:
        return 0
    return int(values.size - np.unique(values, return_counts=True)[1].max())


def table(instance: Instance) -> Table | None:
    """The specification of a gadget on its grid of inputs; None if that is too large."""
    gadget, fixed = instance.gadget, dict(instance.parameters)
    ghosts = [each for each in gadget.parameters if each.ghost]
    highs = [
        int(source.largest.evaluate(fixed))
        for source in gadget.network.inputs
        for _ in points(source.shape)
    ]
    spans = [each.high - each.low + 1 for each in ghosts]
    sizes = [*(high + 1 for high in highs), *spans]
    count = 1
    for extent in sizes:
        count *= extent
    if count > MOST_POINTS or len(highs) > MOST_INPUTS:
        return None
    grid = np.indices(sizes, dtype=np.int64).reshape(len(sizes), -1)
    columns = iter(grid)
    batch: dict[str, Any] = {}
    for source in gadget.network.inputs:
        array = np.empty(source.shape, dtype=object)
        for point in points(source.shape):
            array[point] = next(columns)
        batch[source.name] = array if source.shape else array[()]
    for each, column in zip(ghosts, columns, strict=True):
        batch[each.name] = column + each.low
    given = {**batch, **{key: np.full(count, number) for key, number in fixed.items()}}
    inside: Any = np.ones(count, dtype=bool)
    for condition in conditions(gadget, given):
        inside = inside & np.asarray(condition)
    shape = (*(high + 1 for high in highs), -1)
    wanted = _wanted(gadget, given, count)
    return Table(tuple(highs), inside.reshape(shape), np.array([w.reshape(shape) for w in wanted]))


def _wanted(gadget: Gadget, given: Mapping[str, Any], count: int) -> list[Array]:
    """What the specification says of each output entry, in the order of the network's outputs."""
    found: list[Array] = []
    for output in gadget.network.outputs:
        spec = gadget.spec[output.name]
        for point in points(output.shape):
            if output.word:
                value = bit(spec(*point[:-1], **given), point[-1])
            else:
                value = spec(*point, **given)
            found.append(np.broadcast_to(np.asarray(value, dtype=np.int64), (count,)))
    return found


def wrong(cell: Cell, inputs: int) -> Condition:
    """The condition that a cell's claim fails at a point."""
    box: list[Atom] = []
    one = Fraction(1)
    for at, (low, high) in enumerate(zip(cell.low, cell.high, strict=True)):
        box += [Atom(Form(Fraction(low), {at: -one})), Atom(Form(Fraction(-high), {at: one}))]
    place = inputs + cell.output
    few = Atom(Form(HALF - cell.value, {place: one}))
    many = Atom(Form(HALF + cell.value, {place: -one}))
    return ((*box, few), (*box, many))
