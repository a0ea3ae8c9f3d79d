"""A gadget written out: a constant for every entry of every array.

It suits gadgets of small fixed size, which it proves entry by entry, and it finds
counterexamples, which are then confirmed by exact evaluation with plain ints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from proofs.results import Answer, Counterexample
from proofs.smtlib import text_of
from proofs.terms import IntTerm, conj, disj, formula, term, unknown, unknowns
from proofs.theory import Formula, Term, product
from verified_mlp import logic
from verified_mlp.logic import value
from verified_mlp.statement.evaluate import (
    Arithmetic,
    Trace,
    affine_value,
    entry_name,
    evaluate,
    layer_values,
    points,
    width,
)
from verified_mlp.statement.expr import Expr
from verified_mlp.statement.network import Gadget, Neurons, Output

Case = tuple[str, list[Formula], Formula]

WRITABLE_ENTRIES = 3000
"""Up to so many entries and neurons a gadget is written out for the solver."""


class _Cases(Arithmetic):
    def product(self, coefficient: Expr, at: Any, value: Term) -> Term:
        return product(coefficient, dict(at), value)


class _Address:
    """A parameter that is used through its bits: a constant for each."""

    def __init__(self, bits: Sequence[IntTerm]) -> None:
        self.bits = bits

    def __eq__(self, other: object) -> bool:
        # As an object it would equal no number, and a weight [i = 3] would be 0 everywhere.
        raise TypeError("a parameter with bits is used through its bits only")

    __hash__ = None  # type: ignore[assignment]


@logic.bit_of.register
def _(word: _Address, position: int) -> Term:
    return word.bits[position]


class Expanded:
    """Inputs and parameters as constants, outputs and neurons as terms in them."""

    def __init__(self, gadget: Gadget) -> None:
        self.gadget = gadget
        self._domain: list[Formula] = []
        self.parameters: dict[str, Any] = {}
        self.weights: dict[str, Any] = {}
        self._bits: dict[str, list[IntTerm]] = {}
        self.limits: dict[IntTerm, tuple[int, int]] = {}
        """Of every constant: its lowest value, and none lower than its highest."""
        for each in gadget.parameters:
            if each.bits:
                digits = [unknown(f"{each.name}_{k}") for k in range(each.bits)]
                self._domain += [conj(digit >= 0, digit <= 1) for digit in digits]
                self.limits |= dict.fromkeys(digits, (0, 1))
                self._bits[each.name] = digits
                number = value(digits, 0, each.bits)
                self.weights[each.name] = _Address(digits)
            else:
                number = unknown(each.name)
                self.weights[each.name] = number
                self.limits[number] = (each.low, each.high)
            self.parameters[each.name] = number
            self._domain += [number >= each.low, number <= each.high]
        self.inputs: dict[str, Any] = {}
        highs = {each.name: each.high for each in gadget.parameters}
        for source in gadget.network.inputs:
            high = source.largest.evaluate(self.parameters)
            limit = source.largest.evaluate(highs)
            array = np.empty(source.shape, dtype=object)
            for point in points(source.shape):
                array[point] = unknown(entry_name(source.name, point))
                self._domain += [array[point] >= 0, array[point] <= high]
                self.limits[array[point]] = (0, limit)
            self.inputs[source.name] = array if source.shape else array[()]
        self._domain += conditions(gadget, self.values)
        self._split_domain = [(part, set(unknowns(formula(part)))) for part in self._domain]
        self.outputs, self.trace = evaluate(gadget.network, self.inputs, self.weights, _Cases())

    @property
    def values(self) -> dict[str, Any]:
        """Inputs and parameters by name."""
        return {**self.inputs, **self.parameters}

    @property
    def domain(self) -> list[Formula]:
        """The whole domain."""
        return self._domain

    def specification(self) -> Iterator[Case]:
        """For every entry of every output: it is what the specification says."""
        for label, got, expected in claims(self.gadget, self.outputs, self.values):
            yield self.case(label, got == expected)

    def ranges(self) -> Iterator[Case]:
        """For every neuron: it is at most its declared largest value."""
        for name, neuron, largest in overflows(self.gadget, self.trace, self.parameters):
            yield self.case(name, neuron <= largest)

    def case(self, label: str, goal: Formula) -> Case:
        """The goal with that part of the domain which shares constants with it, directly or
        through other parts; leaving out hypotheses is always sound.
        """
        reached = set(unknowns(formula(goal)))
        left = list(self._split_domain)
        given: list[Formula] = []
        while True:
            near = [part for part in left if part[1] & reached]
            if not near:
                return label, given, goal
            given += [part[0] for part in near]
            left = [part for part in left if not part[1] & reached]
            reached = reached.union(*(part[1] for part in near))

    def search(self, ask: Any, fixed: dict[str, int]) -> dict[str, Any] | None:
        """Inputs and parameters on which the network breaks its specification or its ranges,
        or None if the solver finds none; `fixed` gives some parameters their value.
        """
        broken = [
            got != wanted for _, got, wanted in claims(self.gadget, self.outputs, self.values)
        ]
        broken += [
            neuron > largest
            for _, neuron, largest in overflows(self.gadget, self.trace, self.parameters)
        ]
        chosen = [self.parameters[name] == number for name, number in fixed.items()]
        answer: Answer = ask(
            text_of([*map(formula, self._domain), *chosen, disj(*map(formula, broken))])
        )
        if answer.status != "sat":
            return None

        def number(constant: Any) -> int:
            # A constant that the model leaves out may have any value; 0 is in every range.
            return int(answer.model.get(str(constant), "0"))

        found: dict[str, Any] = {}
        for each in self.gadget.parameters:
            if each.bits:
                found[each.name] = value([number(k) for k in self._bits[each.name]], 0, each.bits)
            else:
                found[each.name] = number(self.parameters[each.name])
        for source in self.gadget.network.inputs:
            array = np.empty(source.shape, dtype=object)
            for point in points(source.shape):
                array[point] = number(entry_name(source.name, point))
            found[source.name] = array if source.shape else array[()]
        return found


def same_neurons(gadget: Gadget, other: Gadget, ask: Any) -> bool:
    """Whether two gadgets with the same inputs and layers are proved to have the same neurons and
    outputs on the whole domain: layer by layer, from equal neurons before.
    """
    first = Expanded(gadget)
    pairs: list[tuple[Any, Any]] = []
    before: dict[str, Any] = {name: np.asarray(value) for name, value in first.inputs.items()}
    for layer, neurons in zip(other.network.layers, first.trace, strict=True):
        changed = layer_values(layer, before, first.weights, _Cases())
        pairs += [
            (neurons[name][point], changed[name][point])
            for name in neurons
            for point in points(neurons[name].shape)
        ]
        before = neurons
    for output in other.network.outputs:
        for point in points([index.size for index in output.indices]):
            at = {**first.weights, **_indices(output, point)}
            mine = np.asarray(first.outputs[output.name])[point]
            pairs.append((mine, affine_value(output.form, at, before, _Cases())))
    domain = [formula(part) for part in first.domain]
    return all(
        ask(text_of([*domain, formula(left != right)])).status == "unsat"
        for left, right in pairs
        # Terms that are the same text are equal; the solver is asked about the others.
        if term(left) is not term(right)
    )


def entry_count(gadget: Gadget) -> int:
    """The number of input entries and neurons, which says whether writing out is practical."""
    network = gadget.network
    neurons = sum(width(layer.neurons) for layer in network.layers)
    return width(network.inputs) + neurons


def conditions(gadget: Gadget, values: dict[str, Any]) -> list[Formula]:
    """The conditions of a gadget's domain at all their indices."""
    return [
        condition.holds(*point, **values)
        for condition in gadget.conditions
        for point in points([index.size for index in condition.indices])
    ]


def confirm(gadget: Gadget, found: dict[str, Any]) -> Counterexample | None:
    """The counterexample in the reader's terms, if exact evaluation on ints confirms it."""
    names = {each.name for each in gadget.parameters}
    parameters = {name: number for name, number in found.items() if name in names}
    if not all(conditions(gadget, found)) or not _in_ranges(gadget, found):
        return None
    outputs, trace = evaluate(gadget.network, found, parameters)
    expected: dict[str, str] = {}
    got: dict[str, str] = {}
    for label, is_now, should_be in claims(gadget, outputs, found):
        if is_now != should_be:
            expected[label], got[label] = str(should_be), str(is_now)
    for name, neuron, largest in overflows(gadget, trace, parameters):
        if neuron > largest:
            expected[name], got[name] = f"at most {largest}", str(neuron)
    if not expected:
        return None
    inputs = {name: str(number) for name, number in parameters.items()}
    for source in gadget.network.inputs:
        inputs[source.name] = _shown(found[source.name], source.word)
    layers = [
        {
            entry_name(name, point): str(neurons[point])
            for name, neurons in layer.items()
            for point in points(neurons.shape)
        }
        for layer in trace
    ]
    return Counterexample(gadget.title, inputs, layers, expected, got)


def claims(
    gadget: Gadget, outputs: dict[str, Any], values: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """(label, what the network gives, what the specification says) for every output entry."""
    for output in gadget.network.outputs:
        spec, got = gadget.spec[output.name], outputs[output.name]
        shape = [index.size for index in output.indices]
        if output.word:
            *own, size = shape
            for point in points(own):
                word = got[point] if point else got
                yield entry_name(output.name, point), value(word, 0, size), spec(*point, **values)
            # A word's entries are bits; `value` reads any other number as 0.
            for point in points(shape):
                entry = got[point]
                yield (
                    entry_name(output.name, point),
                    entry,
                    logic.where(entry == 1, 1, 0),
                )
            continue
        for point in points(shape):
            entry = got[point] if point else got
            yield entry_name(output.name, point), entry, spec(*point, **values)


def overflows(
    gadget: Gadget, trace: Trace, parameters: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """(neuron, its value, its declared largest value) for every neuron."""
    for layer, neurons in zip(gadget.network.layers, trace, strict=True):
        for family in layer.neurons:
            for point in points(family.shape):
                largest = family.largest.evaluate({**parameters, **_indices(family, point)})
                yield entry_name(family.name, point), neurons[family.name][point], largest


def _in_ranges(gadget: Gadget, found: dict[str, Any]) -> bool:
    inside = all(each.low <= found[each.name] <= each.high for each in gadget.parameters)
    for source in gadget.network.inputs:
        high = source.largest.evaluate(found)
        entries = np.asarray(found[source.name], dtype=object).ravel()
        inside = inside and all(bool(0 <= entry <= high) for entry in entries)
    return inside


def _indices(family: Neurons | Output, point: tuple[int, ...]) -> dict[str, int]:
    return dict(zip((index.name for index in family.indices), point, strict=True))


def _shown(entry: Any, word: bool) -> str:
    if not isinstance(entry, np.ndarray):
        return str(entry)
    listed = ", ".join(map(str, entry.ravel()))
    if word and entry.ndim == 2:
        return f"[{', '.join(str(value(list(row), 0, len(row))) for row in entry)}]"
    if word:
        return f"{value(list(entry), 0, len(entry))} (bits, lowest first: {listed})"
    return f"[{listed}]"
