"""Sabotage of the machine's placed statement: change it in one place, and see what the proof says.

Every wire, parameter, row and read-out of the network's statement is changed, one at a time (see
`statement.mutate_network`), and the machine theorem is tried on the changed network.  Nothing else
decides: no digest, no comparison of arrays or of statements.

- REFUTED: the proof fails, and a state is found on which a pass is not the step, or on which a
  neuron leaves its declared range.
- HARMLESS: the changed network is proved all the same, by the lemmas; or, where these fail, by
  trying every input of the gadget that was changed inside, or all values on which the changed rows
  depend (see `unchanged`), or by the solver (see `domain_search`).  Where no row is another, the
  proof of the network itself will do.  All this rests on the contracts of the gadgets, as the
  machine theorem does.
- UNKNOWN: the proof fails, and no such state is known.
- MISSED: the proof goes through although such a state exists: a fault of the prover.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from math import prod

import numpy as np

from proofs.domain_cone import facts_of, same_in_the_domain
from proofs.domain_search import Domain, differing_sums, differing_vectors, same_layer
from proofs.exhaustive import first_failure
from proofs.kernel import Ask, NotProved, Theorem, contract
from proofs.machine import READ, machine, read_out
from proofs.machine_passes import Failure, failing_state, failure_on, reading_sums
from proofs.matrices import Array, Matrix, input_highs, matrices
from proofs.prover import Solve, parts
from proofs.results import Answer, Fate
from proofs.scripts.common import needed
from proofs.unchanged import unchanged
from proofs.verify import Options, solver
from proofs.workers import spread
from verified_mlp.constructions.registry import DEFAULT, construction
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import state_fields
from verified_mlp.statement.mutate_network import Kind, NetworkChange, network_changes
from verified_mlp.statement.network import Gadget

_CHUNK = 24
_MOST_AT_ONCE = 64
"""Up to so many rows of a layer the solver is asked whether what they add up to is another."""


@dataclass(frozen=True, slots=True)
class NetworkMutant:
    """A change of the placed statement and what became of it.

    `layer` counts from 1; `place` names the gadget, its row and what was changed; `reason` says
    which lemma failed, or how a harmless change is proved.
    """

    kind: Kind
    layer: int
    gadget: str
    place: str
    fate: Fate
    reason: str
    seconds: float = 0
    failure: Failure | None = None

    def __str__(self) -> str:
        """The change in a line."""
        return f"layer {self.layer}, {self.place}"


def chosen(shape: Shape, names: Sequence[str] = (), how: str = DEFAULT) -> list[NetworkChange]:
    """The changes of a shape's network where a gadget of one of these names stands (all, if there
    are none): titles such as `nor(inputs=6)`, or bare names.  `how` names the construction.

    Raises LookupError (its text is a sentence) for a name that picks none.
    """
    found = list(network_changes(construction(how).network(shape)))
    known = {handle for each in found for handle in _handles(each)}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise LookupError(
                f"no gadget of the network is called {name!r}{hint} "
                f"They are: {', '.join(sorted({each.gadget for each in found}))}."
            )
    return [each for each in found if not names or set(names) & set(_handles(each))]


def _handles(change: NetworkChange) -> tuple[str, str]:
    return change.gadget, change.gadget.partition("(")[0]


def run(shape: Shape, names: Sequence[str], options: Options) -> Iterator[NetworkMutant]:
    """What becomes of every chosen change.

    Raises ValueError, with a sentence, for a shape whose words are too wide.
    """
    total = len(chosen(shape, names, options.construction))
    tasks = [(shape, tuple(names), at, at + _CHUNK, options) for at in range(0, total, _CHUNK)]
    yield from spread(_judge_some, tasks, options.jobs)


def _judge_some(
    shape: Shape, names: tuple[str, ...], start: int, stop: int, options: Options
) -> list[NetworkMutant]:
    answer, close = solver(options)
    try:
        how = options.construction
        judge = Judge(shape, answer, _memory(shape, options), how)
        return [judge.of(change) for change in _changes(shape, names, how)[start:stop]]
    finally:
        close()


@lru_cache(maxsize=1)
def _changes(shape: Shape, names: tuple[str, ...], how: str) -> list[NetworkChange]:
    return chosen(shape, names, how)


@dataclass(slots=True)
class Memory:
    """What a process has found out: the solver's answers, most of which all changed networks have
    in common, and what is not proved of the unchanged one (None: it was not tried).
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    failed: str | None = None


@lru_cache(maxsize=1)
def _memory(_shape: Shape, _options: Options) -> Memory:
    return Memory()


class Judge:
    """Judges changes of the network of a shape, by a solver.  `how` names the construction."""

    def __init__(
        self, shape: Shape, solve: Solve, memory: Memory | None = None, how: str = DEFAULT
    ) -> None:
        self._shape, self._solve, self._memory = shape, solve, memory or Memory()
        self._how, self._gadget = how, machine(shape, how)
        self._matrices = matrices(self._gadget.network)
        self._highs = input_highs(self._gadget.network)

    def of(self, change: NetworkChange) -> NetworkMutant:
        """What becomes of one change."""
        start = time.perf_counter()
        fate, reason, failure = self._fate(change)
        if fate is Fate.HARMLESS:
            reason = f"{change.kind}: {reason}"
        seconds = time.perf_counter() - start
        return NetworkMutant(
            change.kind, change.layer, change.gadget, change.place, fate, reason, seconds, failure
        )

    def _fate(self, change: NetworkChange) -> tuple[Fate, str, Failure | None]:
        network = read_out(change.apply(), construction(self._how), self._shape)
        changed = matrices(network, (self._gadget.network, self._matrices))
        failure, same = None, False
        read_out_biases = changed[-1].bias, self._matrices[-1].bias
        if construction(self._how).forms and np.array_equal(*read_out_biases):
            failure, same = self._on_the_domain(changed)
        if failure is None and not same:
            failure = failing_state(self._shape, changed, self._how)
        if failure is None and self._sound():
            if same:
                return Fate.HARMLESS, "proved: on no vector of the domain a sum is another", None
            pairs = zip(changed, self._matrices, strict=True)
            if not any(len(now.differing(before)) for now, before in pairs if now is not before):
                return Fate.HARMLESS, "proved: no row is another and no range is narrower", None
        failed = unproved(replace(self._gadget, network=network), self._ask)
        if failure is not None:
            return (Fate.REFUTED, failed, failure) if failed else (Fate.MISSED, _PROVED, failure)
        if not failed:
            return Fate.HARMLESS, "proved by the lemmas", None
        if change.inside is not None and _meets(change.inside()):
            return Fate.HARMLESS, "proved by trying every input of the gadget without it", None
        if self._sound() and unchanged(*self._on_sums(changed), self._highs):
            return Fate.HARMLESS, "proved by trying all values on which the rows depend", None
        if self._sound() and same_layer(*self._on_sums(changed), self._highs, self._ask):
            return Fate.HARMLESS, "proved by the solver, of all that the layer before reads", None
        if self._sound() and self._same_in_the_domain(changed):
            return Fate.HARMLESS, "proved by the solver, of all layers up to it", None
        return Fate.UNKNOWN, failed, None

    def _on_the_domain(self, changed: list[Matrix]) -> tuple[Failure | None, bool]:
        """(What is wrong with a vector that the solver finds, or None; whether it is proved that
        there is none), for a network of one layer.
        """
        (layer, read_outs), (now, others) = self._matrices, changed
        # A neuron that is read with another weight matters where it is not 0.
        read = np.unique((others.weights - read_outs.weights).nonzero()[1])
        count = sum(prod(each.shape) for each in state_fields(self._shape) if each.name in READ)
        domain = Domain(self._highs, read_outs.first(count))
        by_row = chain(
            differing_vectors(domain, layer, now, self._ask),
            differing_vectors(domain, layer, layer.zeroed(read), self._ask),
        )
        failure, same = self._first_failure(changed, by_row)
        if failure is not None or same or len(read) or len(now.differing(layer)) > _MOST_AT_ONCE:
            return failure, same
        by_sum = differing_sums(domain, layer, now, read_outs.weights, self._ask)
        return self._first_failure(changed, by_sum)

    def _first_failure(
        self, changed: list[Matrix], vectors: Iterator[Array | None]
    ) -> tuple[Failure | None, bool]:
        """(What is wrong with the first vector with which something is; whether there is none)."""
        same = True
        for vector in vectors:
            same = False
            if vector is not None:
                failure = failure_on(self._shape, changed, self._matrices[-1], vector, self._how)
                if failure is not None:
                    return failure, False
        return None, same

    def _same_in_the_domain(self, changed: list[Matrix]) -> bool:
        """Whether no row that was changed is another on any vector of the domain."""
        how = construction(self._how)
        facts = facts_of(self._shape, how, self._gadget.network)
        return not how.forms and same_in_the_domain(
            *self._on_sums(changed), self._highs, facts, self._ask
        )

    def _on_sums(self, changed: list[Matrix]) -> tuple[list[Matrix], list[Matrix]]:
        """The matrices of the network and of the changed one, as functions of sums."""
        first = [self._matrices[0], changed[0]]
        was, now = reading_sums(self._shape, construction(self._how), first)
        if changed[0] is self._matrices[0]:
            now = was
        return [was, *self._matrices[1:]], [now, *changed[1:]]

    def _sound(self) -> bool:
        """Whether the unchanged network is proved; then its neurons are in their ranges."""
        if self._memory.failed is None:
            self._memory.failed = unproved(self._gadget, self._ask)
        return not self._memory.failed

    def _ask(self, text: str) -> Answer:
        if text not in self._memory.answers:
            self._memory.answers[text] = self._solve(text)[0]
        return self._memory.answers[text]


_PROVED = "it was proved"


def unproved(gadget: Gadget, ask: Ask) -> str:
    """Why the machine theorem does not hold of a gadget, by its first lemma that fails; "" if all
    are proved.
    """
    try:
        view, lemmas = parts(gadget)
    except ValueError as refusal:
        return f"the statement is refused: {refusal}"
    assert view is not None
    known: dict[str, Theorem] = {}
    for part in lemmas:
        try:
            known[part.name] = part.prove(view.theory, known, ask)
        except NotProved as failure:
            return failure.reason
    contract(gadget.title, needed(view), list(known.values()), view.rests_on)
    return ""


def _meets(gadget: Gadget) -> bool:
    """Whether the gadget meets its specification on every input, all of them tried."""
    complete, failing = first_failure(gadget)
    return complete and failing is None
