"""Changing a network's placed statement in one place, to see whether a proof notices.

What a network states by itself is how its gadgets are placed: the wires, which are affine forms
over the fields of the layer before, the parameters, and the read-outs of its outputs.  The numbers
inside a gadget are the gadget's; `mutate` changes those.

A coefficient or a bias stands for every index at once.  It is changed as a whole, and at one index
point alone (the first at which it counts), so that a change at one address must be noticed too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from verified_mlp.statement.affine import Affine, Ref, Signal, Term
from verified_mlp.statement.builder import rewired
from verified_mlp.statement.evaluate import entry_name, points, summands
from verified_mlp.statement.expr import Expr, ExprLike, Index, const, equal, to_expr, var
from verified_mlp.statement.network import Gadget, Layer, Network, Neurons, Output, Placed

READ_OUT = "read-out"
"""Stands for the gadget where an output of the network is changed."""


class Kind(StrEnum):
    """How a placed statement is changed."""

    COEFFICIENT = "a coefficient changed by one"
    BIAS = "a bias changed by one"
    WIRE = "a wire moved to another field"
    ROW = "a row dropped"
    PARAMETER = "a parameter changed by one"


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """A change: `layer` counts from 1, `gadget` is a title (READ_OUT for an output), `place` says
    all of it in words, the gadget and its row among them; `apply` gives the changed network.

    `inside` gives, for a row inside a gadget of several layers, the gadget that lacks it.
    """

    kind: Kind
    layer: int
    gadget: str
    place: str
    apply: Callable[[], Network]
    inside: Callable[[], Gadget] | None = None

    def __str__(self) -> str:
        """The change in a line."""
        return f"layer {self.layer}, {self.place}"


@dataclass(frozen=True, slots=True)
class _Site:
    """A form of the placed statement: a wire, or a read-out.

    `indices` are the names of what it depends on and their sizes; `put` gives the network in which
    another form stands there.
    """

    depth: int
    gadget: str
    text: str
    form: Affine
    indices: tuple[tuple[str, int], ...]
    put: Callable[[Affine], Network]


def network_changes(network: Network) -> Iterator[NetworkChange]:
    """Every change of the placed statement of a network whose sizes are settled, in a fixed order.

    A wire moves to every other field of the same shape that its layer can read.  A dropped row is
    0: its readers read 0 in its place, or, inside a gadget of several layers, it is stated as 0.

    >>> from verified_mlp.constructions.paper import paper
    >>> from verified_mlp.machine.shape import Shape
    >>> found = list(network_changes(paper(Shape(4, 5))))
    >>> print(found[0])
    layer 1, match(bits=4) here[i], input p[k0], coefficient of pc[k0], +1 at every index
    >>> print(found[2])
    layer 1, match(bits=4) here[i], input p[k0], coefficient of pc[k0], +1 at i = 0, k0 = 0
    """
    for depth, layer in enumerate(network.layers):
        for placed in layer.placed:
            if placed.gadget is None:
                continue
            if placed.part == 0:
                for name in placed.wires:
                    yield from _form_changes(network, _wire(network, depth, placed, name))
                yield from _parameter_changes(network, depth, placed)
            yield from _dropped_rows(network, depth, placed)
    for output in network.outputs:
        yield from _form_changes(network, _read_out(network, output))


def _wire(network: Network, depth: int, placed: Placed, name: str) -> _Site:
    assert placed.gadget is not None
    source = next(each for each in placed.gadget.network.inputs if each.name == name)
    positions = [f"k{axis}" for axis in range(len(source.extents))]
    signal = placed.wires[name]
    form = signal[tuple(map(var, positions))]
    # The input's size may depend on the parameters that it is handed.
    extents = (to_expr(each).substitute(placed.parameters) for each in source.extents)
    sizes = [Index(each, extent).size for each, extent in zip(positions, extents, strict=True)]
    own = [(index.name, index.size) for index in placed.over]

    def put(changed: Affine) -> Network:
        def at(*given: ExprLike) -> Affine:
            return changed.substitute(dict(zip(positions, map(to_expr, given), strict=True)))

        return _with_wires(
            network, depth, placed, {**placed.wires, name: Signal(at, signal.extent)}
        )

    text = f"{_heading(placed)}, input {_indexed(name, positions)}"
    indices = (*own, *zip(positions, sizes, strict=True))
    return _Site(depth, placed.gadget.title, text, form, indices, put)


def _read_out(network: Network, output: Output) -> _Site:
    names = [index.name for index in output.indices]

    def put(changed: Affine) -> Network:
        outputs = tuple(
            replace(each, form=changed) if each.name == output.name else each
            for each in network.outputs
        )
        return replace(network, outputs=outputs)

    text = f"{READ_OUT} of {_indexed(output.name, names)}"
    indices = tuple((index.name, index.size) for index in output.indices)
    return _Site(len(network.layers), READ_OUT, text, output.form, indices, put)


def _form_changes(network: Network, site: _Site) -> Iterator[NetworkChange]:
    """One term, or the bias, changed at a time; then one term moved at a time."""

    def change(kind: Kind, text: str, form: Affine) -> NetworkChange:
        place = f"{site.text}, {text}"
        layer = min(site.depth + 1, len(network.layers))
        return NetworkChange(kind, layer, site.gadget, place, lambda: site.put(form))

    terms, sources = site.form.terms, network.sources(site.depth)
    for at, term in enumerate(terms):
        if term.ref is None:
            continue
        shape = next(each.shape for each in sources if each.name == term.ref.field)
        inside = _inside(term, site.indices, shape)
        for where, point in _places(term, site.indices):
            guard = point * inside
            for delta in (1, -1):
                coefficient = term.coefficient + guard * delta
                form = _with_term(terms, at, replace(term, coefficient=coefficient))
                text = f"coefficient of {term.ref}, {delta:+d}{where}"
                yield change(Kind.COEFFICIENT, text, form)
    for where, guard in _places(Term(const(1), None), site.indices):
        for delta in (1, -1):
            form = Affine((*terms, Term(guard * delta, None)))
            yield change(Kind.BIAS, f"bias, {delta:+d}{where}", form)
    for at, term in enumerate(terms):
        if term.ref is None:
            continue
        shape = next(each.shape for each in sources if each.name == term.ref.field)
        for other in sources:
            if other.name != term.ref.field and other.shape == shape:
                ref = Ref(other.name, term.ref.positions)
                form = _with_term(terms, at, replace(term, ref=ref))
                yield change(Kind.WIRE, f"{ref} read in place of {term.ref}", form)


def _places(term: Term, indices: Sequence[tuple[str, int]]) -> Iterator[tuple[str, Expr]]:
    """Where a coefficient is changed, in words and as a factor that is 1 there: everywhere, and
    at one point of the indices on which the entry depends, those of its sums among them.
    """
    if not indices and not term.bounds:
        yield "", const(1)
        return
    yield " at every index", const(1)
    point = _first_point(term, indices)
    if point is not None:
        texts = [f"{name} = {number}" for name, number in point.items()]
        yield f" at {', '.join(texts)}", _guard(point)


def _inside(term: Term, indices: Sequence[tuple[str, int]], shape: Sequence[int]) -> Expr:
    """1 but where the term, its coefficient being 0, names an entry that its field does not have:
    a coefficient may not be changed there.
    """
    found: Expr = const(1)
    if term.ref is None or term.coefficient.constant is not None:
        return found
    names = [name for name, _ in indices]
    for own in points([size for _, size in indices]):
        for at in summands(term, dict(zip(names, own, strict=True))):
            entry = [each.evaluate(at) for each in term.ref.positions]
            if not all(0 <= k < size for k, size in zip(entry, shape, strict=True)):
                found = found * (1 - _guard(dict(at)))
    return found


def _first_point(term: Term, indices: Sequence[tuple[str, int]]) -> dict[str, int] | None:
    """The first index point at which the coefficient counts, or None if it never does."""
    names = [name for name, _ in indices]
    for own in points([size for _, size in indices]):
        for at in summands(term, dict(zip(names, own, strict=True))):
            if term.coefficient.evaluate(at) != 0:
                return dict(at)
    return None


def _guard(point: Mapping[str, int]) -> Expr:
    found: Expr = const(1)
    for name, number in point.items():
        found = found * equal(var(name), number)
    return found


def _with_term(terms: Sequence[Term], at: int, term: Term) -> Affine:
    return Affine((*terms[:at], term, *terms[at + 1 :]))


def _parameter_changes(network: Network, depth: int, placed: Placed) -> Iterator[NetworkChange]:
    """Every parameter by one; one that depends on the indices also at their first point."""
    assert placed.gadget is not None
    own = [(index.name, index.size) for index in placed.over]
    for name, number in placed.parameters.items():
        used = [each for each in own if each[0] in number.variables()]
        places = [(" at every index" if own else "", const(1))]
        if used:
            point = dict.fromkeys((each for each, _ in used), 0)
            texts = [f"{each} = 0" for each in point]
            places.append((f" at {', '.join(texts)}", _guard(point)))
        for where, guard in places:
            for delta in (1, -1):
                changed = {**placed.parameters, name: number + guard * delta}
                yield NetworkChange(
                    Kind.PARAMETER,
                    depth + 1,
                    placed.gadget.title,
                    f"{_heading(placed)}, parameter {name} = {number}, {delta:+d}{where}",
                    partial(_with_parameters, network, depth, placed, changed),
                )


def _dropped_rows(network: Network, depth: int, placed: Placed) -> Iterator[NetworkChange]:
    """Every family of a placed gadget's layer dropped, and its first row."""
    assert placed.gadget is not None
    last = placed.part + 1 == len(placed.gadget.network.layers)
    for order, family in enumerate(placed.neurons):
        names = [index.name for index in family.indices]
        cases = [(_indexed(family.name, names), dict[str, int]())]
        if names:
            first = entry_name(family.name, (0,) * len(names))
            cases.append((first, dict.fromkeys(names, 0)))
        for text, point in cases:
            if last:
                apply = partial(_unread, network, depth, family, point)
                inside = None
            else:
                apply = partial(_zeroed, network, depth, placed, order, point)
                inside = partial(_lacking, placed, order, point)
            yield NetworkChange(
                Kind.ROW,
                depth + 1,
                placed.gadget.title,
                f"{_heading(placed)}, row {text} dropped",
                apply,
                inside,
            )


def _unread(network: Network, depth: int, family: Neurons, point: Mapping[str, int]) -> Network:
    """The network whose next layer, or whose outputs, read 0 in place of a row or a family."""

    def form(before: Affine) -> Affine:
        return Affine(tuple(_blind(term, family, point) for term in before.terms))

    if depth + 1 == len(network.layers):
        outputs = tuple(replace(each, form=form(each.form)) for each in network.outputs)
        return replace(network, outputs=outputs)
    found = network
    for reader in network.layers[depth + 1].placed:
        if reader.gadget is None or reader.part != 0:
            continue
        wires = {
            name: Signal(lambda *at, wire=wire: form(wire[at]), wire.extent)
            for name, wire in reader.wires.items()
        }
        if rewired(reader, wires).neurons != reader.neurons:
            found = _with_wires(found, depth + 1, reader, wires)
    return found


def _blind(term: Term, family: Neurons, point: Mapping[str, int]) -> Term:
    """The term, 0 where it reads the row at a point of a family (any row, if there is none)."""
    if term.ref is None or term.ref.field != family.name:
        return term
    here: Expr = const(1)
    for index, position in zip(family.indices, term.ref.positions, strict=True):
        if index.name in point:
            here = here * equal(position, point[index.name])
    return replace(term, coefficient=term.coefficient * (1 - here))


def _zeroed(
    network: Network, depth: int, placed: Placed, order: int, point: Mapping[str, int]
) -> Network:
    """The network in which a row, or a family, inside a gadget of several layers is 0."""
    neurons = _without(placed.neurons, order, point)
    return _replaced(network, depth, placed.name, lambda each: replace(each, neurons=neurons))


def _lacking(placed: Placed, order: int, point: Mapping[str, int]) -> Gadget:
    """The gadget in which what is dropped where it is placed is 0."""
    gadget = placed.gadget
    assert gadget is not None
    families = gadget.network.layers[placed.part].neurons
    # Of the indices of what is placed, its own come last.
    here = {each.name: 0 for each in families[order].indices if point}
    changed = _without(families, order, here)

    def edit(each: Placed) -> Placed:
        names = [family.name for family in each.neurons]
        return replace(each, neurons=tuple(f for f in changed if f.name in names))

    layer = gadget.network.layers[placed.part]
    layers = list(gadget.network.layers)
    layers[placed.part] = replace(layer, placed=tuple(map(edit, layer.placed)))
    return replace(gadget, network=replace(gadget.network, layers=tuple(layers)))


def _without(
    families: Sequence[Neurons], order: int, point: Mapping[str, int]
) -> tuple[Neurons, ...]:
    """The families, one of them 0 at a point (everywhere, if there is none)."""
    family = families[order]
    left = 1 - _guard(point)
    row = Affine(
        tuple(replace(term, coefficient=term.coefficient * left) for term in family.row.terms)
    )
    return (*families[:order], replace(family, row=row), *families[order + 1 :])


def _with_wires(
    network: Network, depth: int, placed: Placed, wires: Mapping[str, Signal]
) -> Network:
    return _edited(network, depth, placed, lambda each: rewired(each, wires))


def _with_parameters(
    network: Network, depth: int, placed: Placed, parameters: Mapping[str, Expr]
) -> Network:
    return _edited(
        network,
        depth,
        placed,
        lambda each: rewired(replace(each, parameters=parameters), each.wires),
    )


def _edited(
    network: Network, depth: int, placed: Placed, edit: Callable[[Placed], Placed]
) -> Network:
    """The network with every part of a placed gadget that begins in a layer edited."""
    assert placed.gadget is not None
    for at in range(depth, depth + len(placed.gadget.network.layers)):
        network = _replaced(network, at, placed.name, edit)
    return network


def _replaced(network: Network, depth: int, name: str, edit: Callable[[Placed], Placed]) -> Network:
    layer = network.layers[depth]
    parts = tuple(edit(each) if each.name == name else each for each in layer.placed)
    layers: tuple[Layer, ...] = (
        *network.layers[:depth],
        replace(layer, placed=parts),
        *network.layers[depth + 1 :],
    )
    return replace(network, layers=layers)


def _heading(placed: Placed) -> str:
    assert placed.gadget is not None
    return f"{placed.gadget.title} {_indexed(placed.name, [each.name for each in placed.over])}"


def _indexed(name: str, indices: Sequence[str]) -> str:
    return f"{name}[{', '.join(indices)}]" if indices else name
