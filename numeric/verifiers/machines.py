"""Queries about a whole tiny machine: one pass of its network is one step.

Two kinds.  For single states, a claim about every output: samples, a few of every kind of step.
And for boxes of states, with all bits that are not given any real numbers in 0..1: a halted machine
and a faulted one stand still, every output nearer than 1/2 to its input and every result to 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from numeric.codec import Codec
from numeric.verifiers.cells import Instance, LinearLayer, layers_of
from numeric.verifiers.text import Query, far_from, vnnlib
from proofs.machine import machine
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.machine.step import Before, ListMemory, step

MOST_COLUMNS = 64
"""Machines with a longer vector are left out."""
STATES = 4
"""So many states are taken of each kind of step."""
KINDS = ("still", "fault", "wait", "input", "output", "subtract")
RESULTS = ("wanted", "output", "valid")
_TRIES = 20_000


def machine_queries(shape: Shape) -> tuple[str, list[LinearLayer], list[Query]] | str:
    """The network of a shape and its queries; or why there are none."""
    codec = Codec(shape)
    if codec.width > MOST_COLUMNS:
        return f"its vector has {codec.width} columns, more than {MOST_COLUMNS}"
    instance = Instance(machine(shape), {})
    queries = [*_states(shape, codec, instance.name), *_still(shape, codec, instance.name)]
    return instance.name, layers_of(instance), queries


def _states(shape: Shape, codec: Codec, name: str) -> Iterator[Query]:
    for kind, states in samples(shape).items():
        for number, state in enumerate(states, start=1):
            model = Interpreter(shape, state)
            model.advance()
            before, after = (codec.encode(each) for each in (state, model.state()))
            head = [
                f"one pass of the network of {shape}, on one state ({kind}):",
                f"{state}",
                "unsat says: every output is nearer than 1/2 to what the step gives.",
            ]
            box = [(int(bit), int(bit)) for bit in before]
            cases = [
                [text] for at, bit in enumerate(after) for text in far_from(f"Y_{at}", int(bit))
            ]
            yield Query(f"{name}-{kind}{number}", vnnlib(head, box, codec.width, cases), 1)


def _still(shape: Shape, codec: Codec, name: str) -> Iterator[Query]:
    results = {
        at for each in RESULTS for at in range(codec.place(each).start, codec.place(each).stop)
    }
    fixed = {"halted": codec.place("pc").stop - 1, "faulted": codec.place("fault").start}
    for why, column in fixed.items():
        head = [
            f"one pass of the network of {shape}, {why} (X_{column} is 1), all else in 0..1:",
            "unsat says: every output is nearer than 1/2 to its input, and every result to 0.",
            "inputs and outputs stand in one constraint here.",
        ]
        box = [(int(at == column), 1) for at in range(codec.width)]
        cases = [
            [text]
            for at in range(codec.width)
            for text in far_from(f"Y_{at}" if at in results else f"(- Y_{at} X_{at})", 0)
        ]
        yield Query(f"{name}-{why}", vnnlib(head, box, codec.width, cases), 1)


def samples(shape: Shape) -> Mapping[str, list[State]]:
    """Some states of every kind of step, always the same ones."""
    generator = np.random.default_rng(0)
    top = shape.modulus - 1
    found: dict[str, list[State]] = {kind: [] for kind in KINDS}
    for _ in range(_TRIES):
        if all(len(each) == STATES for each in found.values()):
            break
        mem = generator.integers(0, top, shape.words, endpoint=True)
        near = generator.integers(0, shape.words, shape.words)
        mem = np.where(generator.random(shape.words) < 0.5, near, mem)
        mem = np.where(generator.random(shape.words) < 0.2, top, mem)
        inside = generator.random() < 0.8
        pc = generator.integers(0, shape.words - 2) if inside else generator.integers(0, top)
        state = State(
            mem=mem.tolist(),
            pc=int(pc),
            input=int(generator.integers(0, top, endpoint=True)),
            ready=int(generator.integers(0, 2)),
        )
        before = Before(ListMemory(list(state.mem)), state.pc, 0, state.input, state.ready)
        some = found[KINDS[step(shape, before).kind]]
        if len(some) < STATES:
            some.append(state)
    return found
