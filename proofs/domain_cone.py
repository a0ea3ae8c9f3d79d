"""Whether a changed row is what it was on every vector of the domain, asked of the solver.

The row is followed back through all layers to the vector, neuron by neuron; of the vector the
solver knows that what is read as a sum is a bit, and which flags a state has that are prefetched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from proofs.domain_search import Ask, differs, relu, total
from proofs.machine_passes import entries_of
from proofs.matrices import Array, Matrix
from proofs.smtlib import text_of
from proofs.terms import BoolTerm, conj, formula, term, unknown
from verified_mlp.constructions.registry import Construction
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.step import Before
from verified_mlp.statement.evaluate import offsets
from verified_mlp.statement.network import Network

Entries = Mapping[int, Any]
"""Unknowns for the entries of the vector that are read, by column."""
Facts = Callable[[Entries], list[BoolTerm]]


def same_in_the_domain(
    was: list[Matrix], now: list[Matrix], highs: Array, facts: Facts, ask: Ask
) -> bool:
    """Whether it is proved that no row of the only layer that differs is another, for all vectors
    with entries 0..`highs` of which the facts hold.  The ranges of `was` must hold.
    """
    changed = [depth for depth, each in enumerate(was) if len(now[depth].differing(each))]
    if len(changed) != 1:
        return False
    (depth,) = changed
    plain = depth + 1 == len(was)
    for row in now[depth].differing(was[depth]).tolist():
        asserted, old, new = _cone(was[:depth], was[depth], now[depth], row, highs, facts)
        limits = [(int(was[depth].largest[row]), int(now[depth].largest[row]))]
        asserted.append(old != new if plain else differs([old], [new], limits))
        if ask(text_of(asserted)).status != "unsat":
            return False
    return True


def _cone(
    below: list[Matrix], was: Matrix, now: Matrix, row: int, highs: Array, facts: Facts
) -> tuple[list[BoolTerm], Any, Any]:
    """(What is known of all that a row depends on, the row before and after the change); `below`
    are the layers before it.
    """
    needed = [np.union1d(was.read_by(np.array([row])), now.read_by(np.array([row])))]
    for layer in reversed(below):
        needed.insert(0, layer.read_by(needed[0]))
    columns = np.union1d(needed[0], (below[0] if below else was).weights.nonzero()[1])
    values: dict[int, Any] = {int(column): unknown(f"v{column}") for column in columns}
    asserted = [conj(each >= 0, each <= int(highs[at])) for at, each in values.items()]
    asserted += facts(values)
    for level, (layer, rows) in enumerate(zip(below, needed[1:], strict=True)):
        found: dict[int, Any] = {int(each): unknown(f"y{level}.{each}") for each in rows}
        for each, neuron in found.items():
            asserted.append(neuron == relu(_sum(layer, each, values)))
            asserted.append(neuron <= int(layer.largest[each]))
        values = found
    return asserted, _sum(was, row, values), _sum(now, row, values)


def _sum(matrix: Matrix, row: int, values: Entries) -> Any:
    """A row of a matrix, of these values."""
    weights = matrix.weights[[row]].tocoo()
    read = weights.coords[1]
    return total(int(matrix.bias[row]), weights.data, [values[int(each)] for each in read])


def facts_of(shape: Shape, how: Construction, network: Network) -> Facts:
    """What is known of a vector of a construction: what is read as a sum is at most 1, and flags
    that are prefetched are those of the state.  An entry that nothing reads may be taken as 0.
    """
    starts, sizes = offsets(network.inputs), entries_of(shape, how)

    def facts(entries: Entries) -> list[BoolTerm]:
        def parts(name: str, position: int) -> list[Any]:
            columns = (starts[part] + position for part in how.parts(name))
            return [entries[each] for each in columns if each in entries]

        def entry(name: str, position: int = 0) -> Any:
            return sum(parts(name, position), term(0))

        found = [entry(name, at) <= 1 for name in how.sums for at in range(sizes[name])]
        places = [("fault", 0), *(("pc", at) for at in range(shape.bits))]
        if how.prefetched and all(parts(*place) for place in places):
            pc = sum((2**at * entry("pc", at) for at in range(shape.bits)), term(0))
            state = Before(_Anything(), pc, entry("fault"), unknown("input!"), unknown("ready!"))
            held = how.prefetched.of(shape, state)
            found += [entry(name) == held[name] for name in how.prefetched.flags]
        return [formula(each) for each in found]

    return facts


class _Anything:
    """A memory of which nothing is known."""

    def load(self, address: Any) -> Any:
        """Any word."""
        return unknown("word!")

    def store(self, condition: Any, address: Any, word: Any) -> _Anything:
        """A memory of which nothing is known."""
        return self
