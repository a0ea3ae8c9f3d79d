"""States to try: random ones of every kind of step, and those that constructions get wrong."""

import numpy as np

from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State


def stepped(shape: Shape, state: State) -> State:
    """The state after one step on integers."""
    machine = Interpreter(shape, state)
    machine.advance()
    return machine.state()


def random_states(shape: Shape, seed: int, count: int) -> list[State]:
    """States whose words are often addresses, sometimes -1, and else anything.

    Also what is a result only (wanted, output, valid) is set: a pass must not depend on it.
    """
    rng = np.random.default_rng(seed)
    top = shape.modulus - 1

    def anything(*size: int) -> np.ndarray:
        return rng.integers(0, top, size, dtype=np.uint64, endpoint=True)

    states = []
    for _ in range(count):
        near = rng.integers(0, min(shape.words + 2, top), shape.words, dtype=np.uint64)
        mem = np.where(rng.random(shape.words) < 0.6, near, anything(shape.words))
        mem = np.where(rng.random(shape.words) < 0.15, np.uint64(top), mem)
        inside = rng.random() < 0.9
        states.append(
            State(
                mem=[int(word) for word in mem],
                pc=int(rng.integers(0, shape.words)) if inside else int(anything(1)[0]),
                fault=int(rng.random() < 0.05),
                input=int(anything(1)[0]),
                ready=int(rng.integers(0, 2)),
                wanted=int(rng.integers(0, 2)),
                output=int(anything(1)[0]),
                valid=int(rng.integers(0, 2)),
            )
        )
    return states


def adversarial_states(shape: Shape) -> dict[str, State]:
    """States at the edges of the machine, by what is special about them."""
    words, top, low = shape.words, shape.modulus - 1, shape.modulus // 2

    def at(place: int, *instruction: int, **rest: int) -> State:
        """An instruction at a place of a memory of ones and of extreme words."""
        mem = [(1, low, top, 0, low - 1)[i % 5] for i in range(words)]
        for i, word in enumerate(instruction):
            mem[(place + i) % words] = word
        return State(mem=mem, pc=place, **rest)

    last = shape.addresses - 1
    found = {
        "pc is the first negative number": at(0, 3, 3, 0),
        "pc is -1": at(0, 3, 3, 0),
        "fault is set": at(0, 3, 3, 0, fault=1),
        "fault is set, input is ready": at(0, top, 3, 0, fault=1, ready=1, input=1),
        "waits": at(0, top, 3, 0, input=top),
        "takes input": at(0, top, 3, 0, input=5, ready=1),
        "takes the end of input": at(0, top, 3, 0, input=top, ready=1),
        "takes input to the last address": at(0, top, last, 0, input=low, ready=1),
        "takes input over its own third word": at(0, top, 2, 1, input=0, ready=1),
        "prints": at(0, 3, top, 0, input=9, ready=1),
        "prints the last address": at(0, last, top, 0),
        "prints its own -1": at(0, 1, top, 0),
        "A and B are -1": at(0, top, top, 0, ready=1),
        "A is -1, B outside": at(0, top, min(words, top), 0, ready=1),
        "A outside, B is -1": at(0, min(words, top), top, 0),
        "A outside": at(0, min(words, top - 1), 3, 0),
        "A far outside": at(0, top - 1, 3, 0),
        "B outside": at(0, 3, min(words, top - 1), 0),
        "A = B": at(0, 3, 3, 1),
        "A = B = the last address": at(0, last, last, top),
        "overwrites its own third word and jumps": at(0, 2, 2, 3),
        "overwrites its own third word and goes on": at(0, 0, 2, 3),
        "overwrites its own first word": at(0, 1, 0, 3),
        "overwrites its own second word": at(0, 0, 1, 2),
        "1 - the least word": at(0, 1, 0, 2),
        "jumps outside": at(0, 3, 3, min(words, top)),
        "jumps to -1": at(0, 3, 3, top),
    }
    found["pc is the first negative number"].pc = low
    found["pc is -1"].pc = top
    for place in range(max(0, words - 4), words + 2):
        if place <= top:
            found[f"pc is {place} of {words}"] = at(place, 0, 1, 2)
    if words >= low:
        found["pc + 3 becomes negative"] = at(low - 3, 0, top, 1)
    return found
