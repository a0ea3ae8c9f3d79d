"""Sabotage: change one number of a gadget, and see what the proof says.

Each non-zero weight and each bias that a gadget states is changed by +1 and by -1, one at a time.
A change is REFUTED if the proof fails and an input is found on which the changed gadget breaks its
specification (confirmed by exact evaluation), HARMLESS if the changed gadget is proved to meet
it, by the gadget's own lemmas, by trying every input where the domain is small, or by showing that
no neuron or output changes.  A proof that goes through although an input refutes it is MISSED.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction

from proofs import prover
from proofs.domain_search import same_layer
from proofs.exhaustive import LIMIT, domain_size, first_failure
from proofs.expanded import confirm, same_neurons
from proofs.matrices import input_highs, matrices
from proofs.modules import faults_of
from proofs.results import Counterexample, Fate, Mutant, Verdict
from proofs.verify import Options, select_gadgets, solver, stated
from proofs.workers import spread
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.mutate import Change, changes
from verified_mlp.statement.network import Gadget

_CHUNK = 12


def count(shape: Shape, names: list[str], options: Options) -> int:
    """The number of mutants."""
    return sum(2 * len(list(changes(gadget))) for gadget in _chosen(shape, names, options))


def run(shape: Shape, names: list[str], options: Options) -> Iterator[Mutant]:
    """Every mutant of the named gadgets (all, if none is named) and what became of it.

    Raises LookupError (its text is a sentence) for a name that picks no gadget.
    """
    tasks = []
    for gadget in _chosen(shape, names, options):
        total = len(list(changes(gadget)))
        tasks += [
            (shape, gadget.title, start, start + _CHUNK, options)
            for start in range(0, total, _CHUNK)
        ]
    yield from spread(_judge_some, tasks, options.jobs)


def _chosen(shape: Shape, names: list[str], options: Options) -> list[Gadget]:
    """The named gadgets; the machine, a gadget too, states no number that these do not."""
    found = select_gadgets(shape, names, options.modules, options.construction)
    return [gadget for gadget in found if gadget.name != "machine"]


def _judge_some(shape: Shape, title: str, start: int, stop: int, options: Options) -> list[Mutant]:
    known = stated(shape, options.modules, options.construction)
    gadget = next(each for each in known if each.title == title)
    answer, close = solver(options)
    try:
        with faults_of(options.modules, f"a change of {title} cannot be judged"):
            return [
                judge(gadget, change, delta, answer)
                for change in list(changes(gadget))[start:stop]
                for delta in (1, -1)
            ]
    finally:
        close()


def judge(gadget: Gadget, change: Change, delta: int, solve: prover.Solve) -> Mutant:
    """What becomes of one change."""
    start = time.perf_counter()
    fate, reason, found = _fate(gadget, change.apply(gadget, delta), solve)
    if fate is Fate.HARMLESS:
        reason = f"{_kind(change, delta)}: {reason}"
    seconds = time.perf_counter() - start
    return Mutant(gadget.title, change.place, delta, fate, reason, seconds, found)


def _fate(
    gadget: Gadget, mutant: Gadget, solve: prover.Solve
) -> tuple[Fate, str, Counterexample | None]:
    for result in prover.prove(mutant, solve):
        if result.verdict is Verdict.PROVED:
            continue
        failed = result.detail
        if result.counterexample is not None:
            return Fate.REFUTED, failed, result.counterexample
        return _harmless(gadget, mutant, solve, failed)
    _, failing = first_failure(mutant)
    found = confirm(mutant, failing) if failing is not None else None
    if found is not None:
        return Fate.MISSED, "it was proved", found
    return Fate.HARMLESS, "proved by the gadget's lemmas", None


def _harmless(
    gadget: Gadget, mutant: Gadget, solve: prover.Solve, failed: str
) -> tuple[Fate, str, Counterexample | None]:
    """The fate of a mutant whose lemmas fail although no counterexample is known."""
    if domain_size(mutant) <= LIMIT:
        # Where the solver gave up, nothing has been tried yet.
        _, failing = first_failure(mutant)
        found = confirm(mutant, failing) if failing is not None else None
        if found is not None:
            return Fate.REFUTED, failed, found
        return Fate.HARMLESS, "proved by trying every input", None
    if same_neurons(gadget, mutant, lambda text: solve(text)[0]):
        return Fate.HARMLESS, "proved: no neuron or output changes on any input", None
    if _same_layer(gadget, mutant, solve):
        return Fate.HARMLESS, "proved by the solver, of all that the layer before reads", None
    return Fate.UNKNOWN, failed, None


def _same_layer(gadget: Gadget, mutant: Gadget, solve: prover.Solve) -> bool:
    """Whether no neuron of the layer that was changed is another, for a gadget that is proved."""
    if gadget.parameters or any(
        each.verdict is not Verdict.PROVED for each in prover.prove(gadget, solve)
    ):
        return False
    was = matrices(gadget.network)
    now = matrices(mutant.network, (gadget.network, was))
    return same_layer(was, now, input_highs(gadget.network), lambda text: solve(text)[0])


def _kind(change: Change, delta: int) -> str:
    what = "bias" if change.extra.ref is None else "weight"
    before = Fraction(change.number)
    return f"{what} {before} made {before + delta}"
