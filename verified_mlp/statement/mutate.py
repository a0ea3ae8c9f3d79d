"""Changing one number of a statement, to see whether a proof notices.

A primitive gadget states its numbers in the rows of its neurons, a composite one in the wires of
the gadgets that it places; both in the read-outs of their outputs.  A change adds `delta` to one
weight, or to one bias, at one index point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from verified_mlp.statement.affine import Affine, Ref, Signal, Term
from verified_mlp.statement.builder import rewired
from verified_mlp.statement.evaluate import entry_name, points, summands
from verified_mlp.statement.expr import Expr, ExprLike, Index, Number, const, equal, to_expr, var
from verified_mlp.statement.network import Gadget, Network, Placed


@dataclass(frozen=True, slots=True)
class Site:
    """A form of a gadget's statement: the row of a family (`row`), a wire of a placed gadget
    (`wire`: its input), or an output's read-out (`output`), at one index point.

    `at` are the form's index variables and `point` their values; `depth` counts layers from 0.
    """

    kind: str
    depth: int
    name: str
    input: str
    form: Affine
    at: tuple[Expr, ...]
    point: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A number of a gadget's statement: where it stands, what it is, and the term that adds one
    to it (with conditions on indices and on bits of parameters in its coefficient).
    """

    site: Site
    place: str
    number: Number
    extra: Term

    def apply(self, gadget: Gadget, delta: int) -> Gadget:
        """The gadget with the number changed by `delta`."""
        term = replace(self.extra, coefficient=self.extra.coefficient * delta)
        edit = {"row": _with_row, "wire": _with_wire, "output": _with_output}[self.site.kind]
        return replace(gadget, network=edit(gadget.network, self.site, term))


def changes(gadget: Gadget) -> Iterator[Change]:
    """Every non-zero weight and every bias that the gadget states."""
    bits = {each.name: each.bits for each in gadget.parameters if each.bits}
    numbers = {each.name: each.low for each in gadget.parameters if not each.bits}
    for site in _sites(gadget.network):
        yield from _changes_at(site, bits, numbers)


def _sites(network: Network) -> Iterator[Site]:
    for depth, layer in enumerate(network.layers):
        for placed in layer.placed:
            if placed.gadget is None:
                (family,) = placed.neurons
                yield from _points("row", depth, family.name, "", family.row, family.indices)
            elif placed.part == 0:
                yield from _wire_sites(placed, depth)
    last = len(network.layers) - 1
    for output in network.outputs:
        yield from _points("output", last, output.name, "", output.form, output.indices)


def _points(
    kind: str, depth: int, name: str, wire: str, form: Affine, indices: Sequence[Index]
) -> Iterator[Site]:
    at = tuple(var(index.name) for index in indices)
    for point in points([index.size for index in indices]):
        text = entry_name(name, point)
        where = f"output {text}" if kind == "output" else f"layer {depth + 1}, {text}"
        yield Site(kind, depth, name, wire, form, at, point, where)


def _wire_sites(placed: Placed, depth: int) -> Iterator[Site]:
    assert placed.gadget is not None
    over = [var(index.name) for index in placed.over]
    for source in placed.gadget.network.inputs:
        positions = [var(f"position.{axis}") for axis in range(len(source.shape))]
        form = placed.wires[source.name][tuple(positions)]
        sizes = [index.size for index in placed.over] + list(source.shape)
        for point in points(sizes):
            own, position = point[: len(over)], point[len(over) :]
            text = f"layer {depth + 1}, {entry_name(placed.name, own)}, input "
            text += entry_name(source.name, position)
            yield Site(
                "wire", depth, placed.name, source.name, form, (*over, *positions), point, text
            )


def _changes_at(
    site: Site, bits: Mapping[str, int], numbers: Mapping[str, int]
) -> Iterator[Change]:
    here: Expr = const(1)
    values: dict[str, int] = dict(numbers)
    for index, position in zip(site.at, site.point, strict=True):
        here = here * equal(index, position)
        values[index.args[0]] = position
    bias: Number = 0
    for term in site.form.terms:
        for inner in summands(term, values):
            chosen = here
            for bound in term.bounds:
                chosen = chosen * equal(var(bound.name), inner[bound.name])
            for number, guard, text in _cases(term.coefficient, inner, bits):
                if term.ref is None:
                    # What a bias owes to a parameter's bits is left out of the figure.
                    bias = bias if text else bias + number
                elif number != 0:
                    entry = Ref(
                        term.ref.field,
                        tuple(const(each.evaluate(inner)) for each in term.ref.positions),
                    )
                    place = f"{site.text}, weight of {entry}{text}"
                    yield Change(site, place, number, Term(chosen * guard, term.ref, term.bounds))
    yield Change(site, f"{site.text}, bias", bias, Term(here, None))


def _cases(
    coefficient: Expr, values: Mapping[str, int], bits: Mapping[str, int]
) -> Iterator[tuple[Number, Expr, str]]:
    """The values of a coefficient, by the parameters' bits that it depends on."""
    atoms = sorted(_bits_of(coefficient, bits), key=str)
    for digits in product((0, 1), repeat=len(atoms)):
        words = dict.fromkeys(bits, 0)
        guard: Expr = const(1)
        texts = []
        for atom, digit in zip(atoms, digits, strict=True):
            word, position = atom.args[0].args[0], atom.args[1].evaluate(values)
            words[word] |= digit << position
            guard = guard * equal(atom, digit)
            texts.append(f"{word}_{position} = {digit}")
        text = f" where {', '.join(texts)}" if texts else ""
        yield coefficient.evaluate({**words, **values}), guard, text


def _bits_of(coefficient: Expr, words: Mapping[str, int]) -> frozenset[Expr]:
    """The bits of parameters that occur in a coefficient."""
    if coefficient.op == "bit" and coefficient.args[0].op == "var":
        return frozenset((coefficient,)) if coefficient.args[0].args[0] in words else frozenset()
    if coefficient.op in ("const", "var"):
        return frozenset()
    return frozenset().union(*(_bits_of(arg, words) for arg in coefficient.args))


def _with_row(network: Network, site: Site, term: Term) -> Network:
    def edit(placed: Placed) -> Placed:
        (family,) = placed.neurons
        row = Affine((*family.row.terms, term))
        return replace(placed, neurons=(replace(family, row=row),))

    return _edited(network, range(site.depth, site.depth + 1), site.name, edit)


def _with_wire(network: Network, site: Site, term: Term) -> Network:
    layer = network.layers[site.depth]
    first = next(each for each in layer.placed if each.name == site.name)
    assert first.gadget is not None
    old = first.wires[site.input]

    def at(*positions: ExprLike) -> Affine:
        exprs = list(map(to_expr, positions))
        names = {f"position.{axis}": each for axis, each in enumerate(exprs)}
        return old[tuple(exprs)] + Affine((term.substitute(names),))

    wires = {**first.wires, site.input: Signal(at, old.extent)}
    depths = range(site.depth, site.depth + len(first.gadget.network.layers))
    return _edited(network, depths, site.name, lambda placed: rewired(placed, wires))


def _with_output(network: Network, site: Site, term: Term) -> Network:
    outputs = tuple(
        replace(each, form=Affine((*each.form.terms, term))) if each.name == site.name else each
        for each in network.outputs
    )
    return replace(network, outputs=outputs)


def _edited(
    network: Network, depths: range, name: str, edit: Callable[[Placed], Placed]
) -> Network:
    layers = tuple(
        replace(
            layer,
            placed=tuple(edit(each) if each.name == name else each for each in layer.placed),
        )
        if depth in depths
        else layer
        for depth, layer in enumerate(network.layers)
    )
    return replace(network, layers=layers)
