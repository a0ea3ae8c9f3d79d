"""Stating a network layer by layer.

build = Builder("demo", (Field("x"), Field("y")))
now = build.layer()                        # now.x, now.y: what this layer can read
build.neurons("both", (), now.x + now.y - 1)
now = build.layer()                        # now.both
...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from verified_mlp.statement.affine import Affine, AffineLike, Signal, field, to_affine
from verified_mlp.statement.expr import Expr, ExprLike, Extent, Index, to_expr, var
from verified_mlp.statement.network import (
    Field,
    Gadget,
    Layer,
    Network,
    Neurons,
    Output,
    Placed,
    sizes,
)

Wire = Signal | AffineLike


class Builder:
    """Collects layers; each call of `layer` closes the one before and opens the next.

    Placing a gadget of several layers places its later layers in the layers that follow; its
    outputs can be read in the layer after its last.
    """

    def __init__(self, name: str, inputs: Sequence[Field]) -> None:
        self._name = name
        self._inputs = tuple(inputs)
        self._layers: list[Layer] = []
        self._open: list[Placed] | None = None
        self._heading = ("", "")
        self._pending: list[tuple[Placed, str]] = []
        self._readable: dict[str, Any] = {
            source.name: _reading(source.name, source.extents) for source in self._inputs
        }
        self._next: dict[str, Any] = {}

    def layer(self, stage: str = "", note: str = "") -> SimpleNamespace:
        """Open the next layer; returns the signals that it can read, by name."""
        self._close()
        self._open, self._heading, self._next = [], (stage, note), {}
        pending, self._pending = self._pending, []
        for before, prefix in pending:
            self._place_part(before, prefix)
        return SimpleNamespace(**self._readable)

    def neurons(
        self,
        name: str,
        over: Sequence[Index],
        row: AffineLike,
        largest: ExprLike = 1,
        one_hot: bool = False,
    ) -> None:
        """Neurons ReLU(row) stated directly, for every point of `over`.

        Raises ValueError for a size that differs from point to point.
        """
        self._check_even(over, sizes(name, over, to_affine(row)))
        family = Neurons(name, tuple(over), to_affine(row), to_expr(largest), one_hot)
        self._add(Placed(name, None, 0, tuple(over), {}, {}, (family,)))
        self._next[name] = _reading(name, family.extents)

    def place(
        self,
        gadget: Gadget,
        name: str,
        over: Sequence[Index] = (),
        parameters: Mapping[str, ExprLike] | None = None,
        one_hot: bool = False,
        **wires: Wire,
    ) -> None:
        """Place a gadget for every point of `over`, its inputs wired to signals.

        `one_hot` says that at most one point of the first index gives a non-zero neuron.
        Raises ValueError for a wire or parameter too many or too few, and for a size that would
        differ from point to point.
        """
        given = {key: to_expr(number) for key, number in (parameters or {}).items()}
        needed = {source.name for source in gadget.network.inputs}
        counted = {parameter.name for parameter in gadget.parameters if not parameter.ghost}
        if set(wires) != needed or set(given) != counted:
            raise ValueError(
                f"{name}: {gadget.title} takes the inputs {sorted(needed)} and the parameters "
                f"{sorted(counted)}, not {sorted(wires)} and {sorted(given)}"
            )
        settled = ((owner, extent.substitute(given)) for owner, extent in gadget.sizes())
        self._check_even(over, ((f"{name}.{owner}", extent) for owner, extent in settled))
        signals = {key: _as_signal(wire) for key, wire in wires.items()}
        start = Placed(name, gadget, -1, tuple(over), signals, given, ())
        self._place_part(start, name, one_hot)

    def arrange(self, *names: str) -> None:
        """Order the open layer's placed gadgets by name, so that its rows follow a vector's."""
        assert self._open is not None
        self._open.sort(key=lambda placed: names.index(placed.name))

    def output(
        self,
        name: str,
        over: Sequence[Index],
        form: AffineLike,
        largest: ExprLike = 1,
        word: bool = False,
    ) -> Output:
        """An output of the network, to be handed to `build`; read after the last layer."""
        return Output(name, tuple(over), to_affine(form), to_expr(largest), word)

    def close(self) -> SimpleNamespace:
        """Close the last layer; returns the signals that the outputs can read."""
        self._close()
        if self._pending:
            names = ", ".join(placed.name for placed, _ in self._pending)
            raise ValueError(f"{self._name}: layers are missing for {names}")
        return SimpleNamespace(**self._readable)

    def build(self, *outputs: Output) -> Network:
        """The network."""
        return Network(self._name, self._inputs, tuple(self._layers), outputs)

    def _check_even(self, over: Sequence[Index], sized: Iterable[tuple[str, Expr]]) -> None:
        indices = {index.name for index in over}
        for owner, extent in sized:
            for index in sorted(extent.variables() & indices):
                raise ValueError(
                    f"{self._name}: the size of {owner} depends on the index {index}; a size is "
                    f"the same at every index"
                )

    def _add(self, placed: Placed) -> None:
        if self._open is None:
            raise ValueError(f"{self._name}: open a layer before placing {placed.name}")
        names = {family.name for other in self._open for family in other.neurons}
        for family in placed.neurons:
            if family.name in names:
                raise ValueError(f"{self._name}: this layer has two fields {family.name}")
        self._open.append(placed)

    def _place_part(self, before: Placed, prefix: str, one_hot: bool = False) -> None:
        gadget, part = before.gadget, before.part + 1
        assert gadget is not None
        families = gadget.network.layers[part].neurons
        placement = _Placement(prefix, before.over, before.parameters, single(gadget))
        wires = (
            before.wires if part == 0 else placement.inner(gadget.network.layers[part - 1].neurons)
        )
        neurons = tuple(placement.neurons(family, wires, one_hot) for family in families)
        last = part + 1 == len(gadget.network.layers)
        read = placement.inner(families) if last else {}
        signals = {
            output.name: placement.output(output, read) for output in gadget.network.outputs if last
        }
        placed = Placed(
            before.name,
            gadget,
            part,
            before.over,
            before.wires,
            before.parameters,
            neurons,
            {name: _as_signal(signal) for name, signal in signals.items()},
        )
        self._add(placed)
        if not last:
            self._pending.append((placed, prefix))
            return
        self._next[before.name] = (
            next(iter(signals.values())) if len(signals) == 1 else SimpleNamespace(**signals)
        )

    def _close(self) -> None:
        if self._open is not None:
            self._layers.append(Layer(tuple(self._open), *self._heading))
            self._readable, self._open = self._next, None


def rewired(placed: Placed, wires: Mapping[str, Signal]) -> Placed:
    """The placed gadget with other wires; its neurons keep their names and shapes."""
    gadget = placed.gadget
    assert gadget is not None
    placement = _Placement(placed.name, placed.over, placed.parameters, single(gadget))
    read = readable(replace(placed, wires=wires))
    families = gadget.network.layers[placed.part].neurons
    neurons = tuple(
        placement.neurons(family, read, old.one_hot)
        for family, old in zip(families, placed.neurons, strict=True)
    )
    return replace(placed, wires=wires, neurons=neurons)


def readable(placed: Placed) -> Mapping[str, Signal]:
    """What this layer of a placed gadget reads, under the names that the gadget has for it."""
    gadget = placed.gadget
    assert gadget is not None
    if placed.part == 0:
        return placed.wires
    placement = _Placement(placed.name, placed.over, placed.parameters, single(gadget))
    return placement.inner(gadget.network.layers[placed.part - 1].neurons)


def check_placed(network: Network) -> None:
    """Check that what is placed is what it is called.

    A proof goes by a placed gadget's contract, the matrices by the neurons that stand there.
    Raises ValueError if these are not those of the gadget with these wires, if its outputs are read
    from others, or if the layer before does not have its part before, wired alike.
    """
    before: tuple[Placed, ...] = ()
    for layer in network.layers:
        for placed in layer.placed:
            if placed.gadget is None:
                continue
            if rewired(placed, placed.wires).neurons != placed.neurons:
                raise ValueError(
                    f"{placed.name}: its neurons are not those of {placed.gadget.title}"
                )
            over = len(placed.over)
            ranks = {each.name: over + len(each.indices) for each in placed.gadget.network.outputs}
            read = _forms(placed.outputs, ranks)
            if placed.outputs and read != _forms(_own_outputs(placed), ranks):
                raise ValueError(
                    f"{placed.name}: its outputs are not those of {placed.gadget.title}"
                )
            if placed.part and not any(_is_part_before(each, placed) for each in before):
                raise ValueError(
                    f"{placed.name}: the layer before does not have the part before it of "
                    f"{placed.gadget.title}, wired alike"
                )
        before = layer.placed


def _is_part_before(before: Placed, placed: Placed) -> bool:
    """Whether two parts are of the same gadget in the same place, one after the other."""
    assert placed.gadget is not None
    ranks = {source.name: len(source.extents) for source in placed.gadget.network.inputs}
    return (
        (before.name, before.part, before.over) == (placed.name, placed.part - 1, placed.over)
        and before.gadget is placed.gadget
        and before.parameters == placed.parameters
        and _forms(before.wires, ranks) == _forms(placed.wires, ranks)
    )


def _forms(signals: Mapping[str, Signal], ranks: Mapping[str, int]) -> dict[str, Affine]:
    """What signals read at any position."""
    places = {
        name: tuple(var(f"position!{axis}") for axis in range(ranks[name])) for name in signals
    }
    return {name: signal[places[name]] for name, signal in signals.items()}


def _own_outputs(placed: Placed) -> Mapping[str, Signal]:
    """The outputs of the last part of a placed gadget, as it should have them."""
    gadget = placed.gadget
    assert gadget is not None
    placement = _Placement(placed.name, placed.over, placed.parameters, single(gadget))
    read = placement.inner(gadget.network.layers[-1].neurons)
    outputs = gadget.network.outputs
    return {each.name: _as_signal(placement.output(each, read)) for each in outputs}


def single(gadget: Gadget) -> bool:
    """Whether every layer of the gadget has one family, so that it needs no name of its own."""
    return all(len(layer.neurons) == 1 for layer in gadget.network.layers)


class _Placement:
    """The substitution that puts a gadget's own names and indices into the layer's."""

    def __init__(
        self, prefix: str, over: tuple[Index, ...], parameters: Mapping[str, Expr], plain: bool
    ) -> None:
        self.prefix, self.over, self.parameters, self.plain = prefix, over, parameters, plain

    def name(self, family: str) -> str:
        return self.prefix if self.plain else f"{self.prefix}.{family}"

    def inner(self, families: Sequence[Neurons]) -> dict[str, Signal]:
        """The gadget's own fields, read at the placement's indices."""
        return {
            family.name: _prefixed(
                field(self.name(family.name), len(self.over) + len(family.indices)), self.over
            )
            for family in families
        }

    def _values(self, indices: Sequence[Index]) -> dict[str, Expr]:
        renamed = {index.name: var(f"{self.prefix}.{index.name}") for index in indices}
        return {**self.parameters, **renamed}

    def _extent(self, index: Index) -> Expr:
        return to_expr(index.extent).substitute(self.parameters)

    def neurons(self, family: Neurons, wires: Mapping[str, Signal], one_hot: bool) -> Neurons:
        values = self._values(family.indices)
        row = family.row.rename(self.prefix).substitute(values).rewire(wires)
        own = tuple(
            Index(f"{self.prefix}.{index.name}", self._extent(index)) for index in family.indices
        )
        return Neurons(
            self.name(family.name),
            self.over + own,
            row,
            family.largest.substitute(values),
            one_hot or (family.one_hot and not self.over),
        )

    def output(self, output: Output, read: dict[str, Signal]) -> Any:
        """The output as a signal over the placement's indices and then its own."""
        values = self._values(output.indices)
        form = output.form.rename(self.prefix).substitute(values).rewire(read)
        names = [index.name for index in self.over]
        names += [f"{self.prefix}.{index.name}" for index in output.indices]

        def at(*positions: ExprLike) -> Affine:
            return form.substitute(dict(zip(names, map(to_expr, positions), strict=True)))

        extent = tuple(index.extent for index in self.over)
        extent += tuple(self._extent(index) for index in output.indices)
        return Signal(at, extent) if names else form


def _reading(name: str, extents: tuple[Extent, ...]) -> Any:
    return field(name, len(extents), extents) if extents else field(name, 0, ())[()]


def _as_signal(wire: Wire) -> Signal:
    if isinstance(wire, Signal):
        return wire
    form = to_affine(wire)
    return Signal(lambda: form, ())


def _prefixed(signal: Signal, over: tuple[Index, ...]) -> Signal:
    return Signal(lambda *positions: signal[(*over, *positions)])
