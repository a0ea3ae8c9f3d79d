"""Settling parameters: the instance of a statement at numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from verified_mlp.statement.affine import Affine, Signal
from verified_mlp.statement.expr import Expr, Index, const
from verified_mlp.statement.network import (
    Condition,
    Field,
    Gadget,
    Layer,
    Network,
    Neurons,
    Output,
    Placed,
)

Statement = TypeVar("Statement", Network, Gadget)

Values = Mapping[str, Expr]

_Key = tuple[int, tuple[tuple[str, int], ...]]


def settle(statement: Statement, values: Mapping[str, int]) -> Statement:
    """The statement with each of these parameters settled at its number.

    Expressions are evaluated as far as that goes; a size that is then a number is an int.  A gadget
    loses the parameters; its texts for people, but for its title and its domain's ranges, stay as
    they are.  In the gadgets that a network places, the parameters that their sizes depend on are
    settled too, so that the instance is placed as a network of that size states it.

    Raises ValueError for a name on which the statement does not depend and for a number out of its
    parameter's range, or at which a size is negative.

    >>> from verified_mlp.constructions.paper import paper
    >>> from verified_mlp.machine.shape import Shape, memories
    >>> network = settle(paper(memories(Shape(16, 256))), {"words": 256})
    >>> network.inputs == paper(Shape(16, 256)).inputs
    True
    """
    settling = _Settling()
    if isinstance(statement, Gadget):
        return settling.gadget(statement, values)
    free = variables(statement)
    for name in values:
        if name not in free:
            known = ", ".join(sorted(free)) or "nothing"
            raise ValueError(f"{statement.name} does not depend on {name}; it depends on {known}")
    return settling.network(statement, {name: const(each) for name, each in values.items()})


def variables(network: Network) -> frozenset[str]:
    """The names of the parameters on which a network depends."""
    found: set[str] = set()
    for _, extent in network.sizes():
        found |= extent.variables()
    for source in network.inputs:
        found |= _free(source.largest.variables(), source.indices)
    for layer in network.layers:
        for family in layer.neurons:
            found |= _free(family.row.variables() | family.largest.variables(), family.indices)
    for output in network.outputs:
        found |= _free(output.form.variables() | output.largest.variables(), output.indices)
    return frozenset(found)


def _free(names: frozenset[str], indices: Sequence[Index]) -> frozenset[str]:
    return names - {index.name for index in indices}


class _Settling:
    """One settling; a gadget that is placed twice with equal numbers is settled once."""

    def __init__(self) -> None:
        self._settled: dict[_Key, tuple[Gadget, Gadget]] = {}

    def gadget(self, gadget: Gadget, numbers: Mapping[str, int]) -> Gadget:
        """The gadget without the parameters that have numbers."""
        key = (id(gadget), tuple(sorted(numbers.items())))
        if key not in self._settled:
            # The gadget is kept too, so that its id is not given to another.
            self._settled[key] = gadget, self._gadget(gadget, numbers)
        return self._settled[key][1]

    def _gadget(self, gadget: Gadget, numbers: Mapping[str, int]) -> Gadget:
        values = {name: const(number) for name, number in numbers.items()}
        _check_ranges(gadget, numbers, values)
        settings = {name: _settled(each, values) for name, each in gadget.settings.items()}
        told = frozenset().union(
            *(each.variables() for each in gadget.settings.values() if isinstance(each, Expr))
        )
        settings |= {name: number for name, number in numbers.items() if name not in told}
        return replace(
            gadget,
            network=self.network(gadget.network, values),
            spec={name: _given(spec, numbers) for name, spec in gadget.spec.items()},
            parameters=tuple(
                replace(each, upper=_settled(each.upper, values))
                for each in gadget.parameters
                if each.name not in numbers
            ),
            conditions=tuple(
                Condition(each.text, _indices(each.indices, values), _given(each.holds, numbers))
                for each in gadget.conditions
            ),
            settings=settings,
        )

    def network(self, network: Network, values: Values) -> Network:
        """The network with expressions in place of its parameters."""
        return Network(
            network.name,
            tuple(_field(source, values) for source in network.inputs),
            tuple(
                Layer(
                    tuple(self._placed(placed, values) for placed in layer.placed),
                    layer.stage,
                    layer.note,
                )
                for layer in network.layers
            ),
            tuple(_output(output, values) for output in network.outputs),
        )

    def _placed(self, placed: Placed, values: Values) -> Placed:
        gadget = placed.gadget
        parameters = {name: each.substitute(values) for name, each in placed.parameters.items()}
        if gadget is not None:
            needed = frozenset().union(*(extent.variables() for _, extent in gadget.sizes()))
            numbers = {
                name: each.constant
                for name, each in parameters.items()
                if name in needed and isinstance(each.constant, int)
            }
            if numbers:
                gadget = self.gadget(gadget, numbers)
                parameters = {
                    name: each for name, each in parameters.items() if name not in numbers
                }
        return Placed(
            placed.name,
            gadget,
            placed.part,
            _indices(placed.over, values),
            {name: _signal(wire, values) for name, wire in placed.wires.items()},
            parameters,
            tuple(_neurons(family, values) for family in placed.neurons),
            {name: _signal(signal, values) for name, signal in placed.outputs.items()},
        )


def _check_ranges(gadget: Gadget, numbers: Mapping[str, int], values: Values) -> None:
    known = {parameter.name: parameter for parameter in gadget.parameters}
    for name, number in numbers.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise ValueError(
                f"{gadget.title} has no parameter {name} to settle; its parameters: {names}"
            )
        low, high = known[name].low, _settled(known[name].upper, values)
        if number < low or (isinstance(high, int) and number > high):
            raise ValueError(
                f"{gadget.title}: {name} = {number} is out of its range, {low}..{high}"
            )


def _settled(value: Any, values: Values) -> Any:
    """The value at these numbers, an int where it is one; what is no expression stays."""
    if not isinstance(value, Expr):
        return value
    expr = value.substitute(values)
    return expr.constant if isinstance(expr.constant, int) else expr


def _given(function: Callable[..., Any], numbers: Mapping[str, int]) -> Callable[..., Any]:
    return partial(function, **numbers)


def _indices(indices: Sequence[Index], values: Values) -> tuple[Index, ...]:
    return tuple(Index(index.name, _settled(index.extent, values)) for index in indices)


def _field(source: Field, values: Values) -> Field:
    extents = tuple(_settled(extent, values) for extent in source.extents)
    return replace(source, extents=extents, high=_settled(source.high, values))


def _neurons(family: Neurons, values: Values) -> Neurons:
    _check_indices(family.name, family.indices, values)
    return replace(
        family,
        indices=_indices(family.indices, values),
        row=family.row.substitute(values),
        largest=family.largest.substitute(values),
    )


def _output(output: Output, values: Values) -> Output:
    _check_indices(output.name, output.indices, values)
    return replace(
        output,
        indices=_indices(output.indices, values),
        form=output.form.substitute(values),
        largest=output.largest.substitute(values),
    )


def _check_indices(name: str, indices: Sequence[Index], values: Values) -> None:
    """An index of the name of a parameter would be taken for it."""
    for index in indices:
        if index.name in values:
            raise ValueError(
                f"{name}: its index {index.name} has the name of what is to be settled; rename it"
            )


def _signal(signal: Signal, values: Values) -> Signal:
    def at(*positions: Any) -> Affine:
        return signal[positions].substitute(values)

    extent = signal.extent and tuple(_settled(each, values) for each in signal.extent)
    return Signal(at, extent)
