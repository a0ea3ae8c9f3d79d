"""The support rules of a gadget as lemmas: where its neurons need not be computed, and what they
are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proofs.expanded import Expanded
from proofs.gadget_view import SymbolicView
from proofs.lemma import Case, Lemma
from proofs.terms import BoolTerm, conj, formula, implies, neg
from proofs.theory import Formula
from verified_mlp.logic import value
from verified_mlp.statement.evaluate import entry_name, points
from verified_mlp.statement.network import Gadget, Neurons, Support


def name_of(rule: Support) -> str:
    """The name of the lemma that states a rule."""
    return f"support of {rule.neurons}"


def claim_of(rule: Support) -> str:
    """What the lemma says."""
    return f"{rule}, on the whole domain"


def lemmas(view: SymbolicView) -> Iterator[Lemma]:
    """The rules of a gadget that has a script, each from the gadget's specification.

    Raises NotImplementedError for a rule about other neurons than a single one of the first layer.
    """
    for rule in view.gadget.support:
        depth, family = check(view.gadget, rule)
        if depth > 0 or family.indices:
            raise NotImplementedError(
                f"{view.gadget.title}: a rule about {rule.neurons}, which is not a single neuron "
                f"of the first layer, where there is a proof script"
            )
        yield Lemma(
            name_of(rule),
            claim_of(rule),
            lambda rule=rule: _stated(view, rule),  # type: ignore[misc]
            uses=[("specification", {})],
        )


def cases(rule: Support, written_out: Expanded) -> Iterator[Case]:
    """A rule of a gadget that is proved entry by entry, at every neuron of the family."""
    gadget = written_out.gadget
    depth, _ = check(gadget, rule)
    read = written_out.trace[depth - 1] if depth else written_out.inputs
    neurons = written_out.trace[depth][rule.neurons]
    given = _condition(gadget, rule, written_out.values)
    for point in points(neurons.shape):
        same = sum((_entry(read[name], point) for name in rule.same), 0)
        goal = implies(given, formula(neurons[point] == same))
        yield written_out.case(entry_name(rule.neurons, point), goal)


def check(gadget: Gadget, rule: Support) -> tuple[int, Neurons]:
    """The layer (from 0) and the family of which a rule speaks.

    Raises ValueError if it names what is not there.
    """
    network = gadget.network
    inputs = {source.name for source in network.inputs}
    for depth, layer in enumerate(network.layers):
        for family in layer.neurons:
            if family.name != rule.neurons:
                continue
            parameter, word = rule.spells or ("", "")
            wrong = {*rule.same} - {source.name for source in network.sources(depth)}
            wrong |= {rule.zero, word} - inputs - {""}
            wrong |= {parameter} - {each.name for each in gadget.parameters} - {""}
            if wrong:
                raise ValueError(
                    f"{gadget.title}: the support rule '{rule}' names {min(wrong)}, which is not "
                    f"there"
                )
            return depth, family
    raise ValueError(
        f"{gadget.title}: the support rule '{rule}' names {rule.neurons}, which is not there"
    )


def _stated(view: SymbolicView, rule: Support) -> tuple[list[Formula], Formula]:
    given = view.run(lambda: _condition(view.gadget, rule, view.values))
    same = sum((view.inputs[name] for name in rule.same), 0)
    return view.domain(), implies(given, formula(view.neuron(0, rule.neurons) == same))


def _condition(gadget: Gadget, rule: Support, values: dict[str, Any]) -> BoolTerm:
    if rule.spells is not None:
        parameter, word = rule.spells
        (source,) = (each for each in gadget.network.inputs if each.name == word)
        spelled = value(values[word], 0, source.extents[0])
        return neg(formula(spelled == values[parameter]))
    return formula(values[rule.zero] == 0) if rule.zero else conj()


def _entry(array: Any, point: tuple[int, ...]) -> Any:
    """The entry of an array at a neuron's place; a scalar is the same at all places."""
    if not hasattr(array, "shape"):
        return array
    return array[point] if array.shape else array[()]
