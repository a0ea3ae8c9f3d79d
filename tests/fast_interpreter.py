"""The step of the machine compiled by Numba, for tests that run millions of steps.

It is written anew and not taken from `verified_mlp.machine.step`, to which
`test_fast_interpreter.py` holds it equal.  Words are signed here: 64 bits hold all of them.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numba
import numpy as np

from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

HALTED, FAULT, TOO_LONG, FULL = range(4)
"""How a run ended: in a halt, in a fault, after too many steps, with no room for its output."""

Words = np.ndarray[Any, np.dtype[np.int64]]


def compiled(function: Callable[..., Any]) -> Any:
    """A function compiled when it is first called, and kept for later runs."""
    return numba.njit(cache=True)(function)


@compiled
def _signed(word, bits):  # type: ignore[no-untyped-def]
    shift = 64 - bits
    return (word << shift) >> shift


@compiled
def _valid(word, bits, words):  # type: ignore[no-untyped-def]
    """The address that a word is; -1 if it is none."""
    if word == -1:
        return -1
    address = word if bits == 64 else word & ((1 << bits) - 1)
    return address if 0 <= address < words else -1


@compiled
def _step(mem, bits, pc, fault, word, ready):  # type: ignore[no-untyped-def]
    """One step: the new pc, fault and ready, then wanted, output and valid."""
    words = len(mem)
    if pc < 0 or fault:
        return pc, fault, ready, 0, 0, 0
    if pc >= words - 2:
        return pc, 1, ready, 0, 0, 0
    a, b, c = mem[pc], mem[pc + 1], mem[pc + 2]
    at_a, at_b = _valid(a, bits, words), _valid(b, bits, words)
    following = _signed(pc + 3, bits)
    if a == -1 and at_b >= 0:
        if not ready:
            return pc, 0, 0, 1, 0, 0
        mem[at_b] = word
        return following, 0, 0, 0, 0, 0
    if b == -1 and at_a >= 0:
        return following, 0, ready, 0, mem[at_a], 1
    if at_a < 0 or at_b < 0:
        return pc, 1, ready, 0, 0, 0
    result = _signed(mem[at_b] - mem[at_a], bits)
    mem[at_b] = result
    return (c if result <= 0 else following), 0, ready, 0, 0, 0


@compiled
def run(mem, bits, pc, given, output, limit):  # type: ignore[no-untyped-def]
    """Run until the end; the input is `given`, and then -1 for ever.

    Returns how it ended, the steps, pc, and how much was written to `output` and read.
    """
    steps, written, read, fault = 0, 0, 0, 0
    while pc >= 0:
        if steps == limit:
            return TOO_LONG, steps, pc, written, read
        word = given[read] if read < len(given) else -1
        pc, fault, ready, _, out, valid = _step(mem, bits, pc, fault, word, 1)
        if fault:
            return FAULT, steps, pc, written, read
        if not ready:
            read = min(read + 1, len(given))
        if valid:
            if written == len(output):
                return FULL, steps, pc, written, read
            output[written] = out & 255
            written += 1
        steps += 1
    return HALTED, steps, pc, written, read


@compiled
def sweep(mem, bits, pc, limit, places, rows, found, steps):  # type: ignore[no-untyped-def]
    """Run once for every row: with its words at the places, where the words of `found` are then.

    The memory stays as each run leaves it, so that a run that does not tidy up spoils the next.
    Returns the number of runs that halted: less than all rows if one did not.
    """
    nothing = np.zeros(0, np.int64)
    output = np.zeros(0, np.int64)
    for i in range(len(rows)):
        for j in range(len(places)):
            mem[places[j]] = rows[i, j]
        ended, taken, _, _, _ = run(mem, bits, pc, nothing, output, limit)
        if ended != HALTED:
            return i
        for j in range(len(places)):
            found[i, j] = mem[places[j]]
        steps[i] = taken
    return len(rows)


class Ran(NamedTuple):
    """What a run left behind; words are signed."""

    ended: int
    steps: int
    output: bytes
    read: int
    mem: Words


def signed(words: Sequence[int], bits: int) -> Words:
    """Words of a machine, signed or not, as signed ones."""
    half = 1 << (bits - 1)
    return np.array([(word + half) % (2 * half) - half for word in words], dtype=np.int64)


def run_image(
    shape: Shape,
    image: Sequence[int],
    given: bytes = b"",
    pc: int = 0,
    limit: int = 10**8,
    room: int = 10**4,
) -> Ran:
    """Run a program on a memory of a shape with some input and room for so much output."""
    mem = signed([*image, *[0] * (shape.words - len(image))], shape.bits)
    output = np.zeros(room, np.int64)
    words = signed(list(given), shape.bits)
    ended, steps, _, written, read = run(mem, shape.bits, pc, words, output, limit)
    return Ran(ended, steps, bytes(output[:written].astype(np.uint8)), read, mem)


def stepped(shape: Shape, state: State) -> State:
    """The state after one step."""
    mem = signed(state.mem, shape.bits)
    pc, word = signed([state.pc, state.input], shape.bits)
    after = _step(mem, shape.bits, pc, state.fault, word, state.ready)
    pc, fault, ready, wanted, output, valid = map(int, after)
    modulus = shape.modulus
    return State(
        mem=[int(each) % modulus for each in mem],
        pc=pc % modulus,
        fault=fault,
        input=state.input,
        ready=ready,
        wanted=wanted,
        output=output % modulus,
        valid=valid,
    )
