"""What the tests of the constructions share: vectors that encode states, passes on many of them,
networks with a part changed, and the solver with its answers remembered.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from proof_samples import answer
from sample_states import random_states, stepped

from numeric.codec import Codec
from proofs import prover
from proofs.matrices import matrices
from proofs.results import Verdict
from proofs.sabotage_machine import unproved
from verified_mlp.constructions.registry import Construction
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State, state_fields
from verified_mlp.statement.affine import Signal, to_affine
from verified_mlp.statement.builder import rewired
from verified_mlp.statement.evaluate import offsets, size
from verified_mlp.statement.mutate_network import network_changes
from verified_mlp.statement.network import Field, Gadget, Network


def split(fields: Sequence[Field], vectors: Any) -> dict[str, Any]:
    """The rows of vectors [entries, states] by field."""
    starts = offsets(fields)
    return {each.name: vectors[starts[each.name] :][: size(each.shape)] for each in fields}


def columns(shape: Shape, states: Sequence[State]) -> Any:
    """The state vectors of states, [entries, states]."""
    codec = Codec(shape)
    return np.stack([codec.encode(state) for state in states], axis=1)


def encoded(how: Construction, shape: Shape, vectors: Any, seed: int | None = None) -> Any:
    """Vectors of a construction for state vectors; with a seed, each set bit of a sum is in a part
    chosen at random, as passes leave it.
    """
    rng = np.random.default_rng(seed)
    found = []
    for name, bits in split(state_fields(shape), vectors).items():
        parts = how.encode(name, bits)
        if seed is not None:
            chosen = rng.integers(0, len(parts), bits.shape, dtype=np.int8)
            parts = {part: bits * (chosen == k) for k, part in enumerate(parts)}
        found += list(parts.values())
    return np.concatenate(found)


def decoded(how: Construction, shape: Shape, vectors: Any) -> Any:
    """The state vectors that vectors of a construction stand for."""
    parts = split(how.network(shape).inputs, vectors)
    return np.concatenate([how.decode(each.name, parts) for each in state_fields(shape)])


def placed_otherwise(network: Network, depth: int, name: str, **wires: Any) -> Network:
    """The network with some inputs of a placed gadget wired otherwise."""
    layer = network.layers[depth - 1]
    signals = {
        source: wire if isinstance(wire, Signal) else Signal(partial(to_affine, wire), ())
        for source, wire in wires.items()
    }
    placed = tuple(
        rewired(each, {**each.wires, **signals}) if each.name == name else each
        for each in layer.placed
    )
    at = depth - 1
    changed = (*network.layers[:at], replace(layer, placed=placed), *network.layers[at + 1 :])
    return replace(network, layers=changed)


def tried_states(how: Construction, shape: Shape, count: int) -> tuple[Any, Any]:
    """Vectors of many states of a machine, and the state vectors after a step."""
    states = random_states(shape, 21, count)
    before = encoded(how, shape, columns(shape, states), seed=2).astype(np.int64)
    return before, columns(shape, [stepped(shape, state) for state in states])


def breaks(network: Network, tried: tuple[Any, Any]) -> bool:
    """Whether some state shows that a pass is not a step, or that a neuron leaves its range.

    The network's outputs are the fields of the state.
    """
    vectors, after = tried
    found = matrices(network)
    for each in found[:-1]:
        vectors = np.maximum(each.product(vectors), 0)
        if np.any(vectors > each.largest[:, None]):
            return True
    return not np.array_equal(found[-1].product(vectors), after)


_ANSWERS: dict[str, Any] = {}


def ask(text: str) -> tuple[Any, bool]:
    """The solver, as the prover takes it; its answers are remembered in this process."""
    if text not in _ANSWERS:
        _ANSWERS[text] = answer(text)[0]
    return _ANSWERS[text], False


def verdicts(gadget: Gadget, instance: Gadget | None = None) -> dict[str, Verdict]:
    """What becomes of the lemmas of a gadget."""
    attempt = prover.prove(gadget, ask, instance=instance)
    return {each.obligation.name.partition("/")[2]: each.verdict for each in attempt}


def unseen(whole: Gadget, tried: tuple[Any, Any], every: int) -> tuple[int, list[str]]:
    """How many changes of the machine's wiring break a pass, of one in so many; those proved all
    the same.
    """
    broken, missed = 0, []
    for change in list(network_changes(whole.network))[::every]:
        network = change.apply()
        if breaks(network, tried):
            broken += 1
            if not unproved(replace(whole, network=network), lambda text: ask(text)[0]):
                missed.append(str(change))
    return broken, missed
