"""What the tests of the proofs share: small gadgets, asking the solver, and trying every input.

The model here is plain: exact evaluation on ints, one input after the other.  It knows nothing of
`proofs`.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from proofs.solver import solve
from verified_mlp.statement.builder import Builder, rewired
from verified_mlp.statement.evaluate import entry_name, evaluate, points
from verified_mlp.statement.mutate import changes
from verified_mlp.statement.network import Gadget

BUDGET, SECONDS = 20_000_000, 60


def ask(text):
    """The solver, as the kernel takes it."""
    return solve(text, BUDGET, SECONDS)


def answer(text):
    """The solver, as the prover takes it; nothing is remembered."""
    return ask(text), False


def primitive(
    name, inputs, row, spec, *, largest=1, parameters=(), conditions=(), settings=None, over=()
):
    """A gadget of one family of neurons, ReLU(row(signals that it reads)), that are its output."""
    build = Builder(name, inputs)
    build.neurons("y", over, row(build.layer()), largest=largest)
    read = build.close().y
    return Gadget(
        name=name,
        network=build.build(build.output("out", over, read[over] if over else read)),
        spec={"out": spec},
        source="a test",
        formula="out = ReLU(row)",
        parameters=parameters,
        conditions=conditions,
        settings=settings or {},
    )


def one_layer(name, inputs, outputs, place, spec, *, conditions=(), settings=None):
    """A composite gadget of one layer; `place(build, signals)` fills it, `outputs(build, done)`
    lists its outputs.
    """
    build = Builder(name, inputs)
    place(build, build.layer())
    done = build.close()
    return Gadget(
        name=name,
        network=build.build(*outputs(build, done)),
        spec=spec,
        source="a test",
        formula="placed gadgets",
        conditions=conditions,
        settings=settings or {},
    )


def changed(gadget, place, delta):
    """The gadget with the number at a place changed."""
    (found,) = {each.place: each for each in changes(gadget) if each.place == place}.values()
    return found.apply(gadget, delta)


def rewire(gadget, name, source, signal):
    """The gadget with one input of a gadget that it places wired to something else."""

    def edited(placed):
        return rewired(placed, {**placed.wires, source: signal}) if placed.name == name else placed

    layers = tuple(
        replace(layer, placed=tuple(map(edited, layer.placed))) for layer in gadget.network.layers
    )
    assert layers != gadget.network.layers
    return replace(gadget, network=replace(gadget.network, layers=layers))


def with_largest(gadget, family, largest):
    """The gadget with another declared largest value of one family of its last layer."""
    *before, last = gadget.network.layers
    placed = tuple(
        replace(
            each,
            neurons=tuple(
                replace(neurons, largest=largest) if neurons.name == family else neurons
                for neurons in each.neurons
            ),
        )
        for each in last.placed
    )
    assert placed != last.placed
    network = replace(gadget.network, layers=(*before, replace(last, placed=placed)))
    return replace(gadget, network=network)


def domain(gadget):
    """Every member of a gadget's domain: inputs and parameters by name."""
    ranges = (range(each.low, each.high + 1) for each in gadget.parameters)
    for numbers in product(*ranges):
        parameters = dict(zip((each.name for each in gadget.parameters), numbers, strict=True))
        choices = []
        for source in gadget.network.inputs:
            entries = range(source.largest.evaluate(parameters) + 1)
            choices.append(list(product(entries, repeat=len(list(points(source.shape))))))
        for chosen in product(*choices):
            member = dict(parameters)
            for source, entries in zip(gadget.network.inputs, chosen, strict=True):
                member[source.name] = filled(source.shape, entries)
            if in_domain(gadget, member):
                yield member


def filled(shape, entries):
    """An object array of ints, or the only entry of a scalar."""
    if not shape:
        return entries[0]
    array = np.empty(shape, dtype=object)
    for point, entry in zip(points(shape), entries, strict=True):
        array[point] = entry
    return array


def in_domain(gadget, member):
    """Whether a member of the ranges is in the domain."""
    for each in gadget.parameters:
        if not each.low <= member[each.name] <= each.high:
            return False
    for source in gadget.network.inputs:
        high = source.largest.evaluate(member)
        if any(not 0 <= entry <= high for entry in np.ravel(np.asarray(member[source.name]))):
            return False
    return all(
        condition.holds(*point, **member)
        for condition in gadget.conditions
        for point in points([index.size for index in condition.indices])
    )


def computed(gadget, member):
    """(outputs, trace) of the exact network."""
    parameters = {each.name: member[each.name] for each in gadget.parameters}
    return evaluate(gadget.network, member, parameters)


def faults(gadget, member):
    """The names of what is wrong at a member of the domain: output entries (or words), neurons
    beyond their largest value.
    """
    outputs, trace = computed(gadget, member)
    wrong = set()
    for output in gadget.network.outputs:
        got, spec = outputs[output.name], gadget.spec[output.name]
        if output.word:
            bits = list(got)
            wrong |= {entry_name(output.name, (k,)) for k, b in enumerate(bits) if b not in (0, 1)}
            if sum((b == 1) << k for k, b in enumerate(bits)) != spec(**member):
                wrong.add(output.name)
            continue
        for point in points([index.size for index in output.indices]):
            if (got[point] if point else got) != spec(*point, **member):
                wrong.add(entry_name(output.name, point))
    for layer, neurons in zip(gadget.network.layers, trace, strict=True):
        for family in layer.neurons:
            names = [index.name for index in family.indices]
            for point in points(family.shape):
                at = {**member, **dict(zip(names, point, strict=True))}
                if neurons[family.name][point] > family.largest.evaluate(at):
                    wrong.add(entry_name(family.name, point))
    return wrong


def broken_members(gadget):
    """The members of the domain at which a gadget breaks its specification or its ranges."""
    return [member for member in domain(gadget) if faults(gadget, member)]


def member_of(gadget, counterexample):
    """A printed counterexample's inputs as numbers; raises if one is missing."""
    member = {each.name: int(counterexample.inputs[each.name]) for each in gadget.parameters}
    for source in gadget.network.inputs:
        text = counterexample.inputs[source.name]
        listed = (
            text.partition("lowest first: ")[2].rstrip(")") if source.word else text.strip("[]")
        )
        entries = [int(entry) for entry in listed.split(", ")]
        member[source.name] = filled(source.shape, entries)
        if source.word:
            number = sum(bit << k for k, bit in enumerate(entries))
            assert text.startswith(f"{number} (bits, lowest first: ")
    return member


def confirms(gadget, counterexample):
    """Whether exact evaluation finds just what a printed counterexample says, neurons included."""
    member = member_of(gadget, counterexample)
    _, trace = computed(gadget, member)
    layers = [
        {
            entry_name(name, point): str(neurons[point])
            for name, neurons in layer.items()
            for point in points(neurons.shape)
        }
        for layer in trace
    ]
    wrong = faults(gadget, member)
    return (
        in_domain(gadget, member)
        and bool(wrong)
        and set(counterexample.expected) == set(counterexample.got) == wrong
        and counterexample.layers == layers
        and counterexample.gadget == gadget.title
    )
