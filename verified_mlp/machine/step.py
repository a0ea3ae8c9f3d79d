"""One step of the machine, written once: the reference interpreter and the specification.

It runs on Python ints, on NumPy arrays (a batch of states at once) and on a solver's integer
terms.  A *memory* is anything with `load(address)` and `store(condition, address, word)`;
load at an invalid address may give any word, for the step never uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from verified_mlp.logic import Truth, Value, both, either, negate, where


class Limits(Protocol):
    """What a step needs to know of a shape: numbers, or a solver's integer terms."""

    @property
    def modulus(self) -> int:
        """2**bits: words are numbers below it."""

    @property
    def words(self) -> Value:
        """The number of words of memory."""

    @property
    def addresses(self) -> Value:
        """The number of valid addresses."""


class Memory(Protocol):
    """Words by address."""

    def load(self, address: Value) -> Value:
        """The word at a valid address."""

    def store(self, condition: Truth, address: Value, word: Value) -> Self:
        """The memory with the word at the address, where the condition holds."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a step reads: the memory, words 0..2**bits-1, flags 0 or 1."""

    mem: Any
    pc: Value
    fault: Value
    input: Value
    ready: Value


@dataclass(frozen=True, slots=True)
class After:
    """What a step leaves, and its results.

    `kind` says what happened: 0 halted or faulted before, 1 fault, 2 waiting for input, 3 input,
    4 output, 5 subtraction.  It is not part of the state vector.
    """

    mem: Any
    pc: Value
    fault: Value
    input: Value
    ready: Value
    wanted: Value
    output: Value
    valid: Value
    kind: Value


STILL, FAULT, WAIT, INPUT, OUTPUT, SUBTRACT = range(6)


def step(shape: Limits, state: Before) -> After:
    """The state after one step (design: the machine).

        pc negative or fault set     nothing changes
        pc + 2 outside the memory    fault
        A = -1, B valid              input to mem[B] if ready, else wanted and nothing changes
        B = -1, A valid              output mem[A]
        A, B valid                   mem[B] -= mem[A]; pc = C if the result is <= 0, else pc + 3
        anything else                fault

    A valid address is below `words` and not all ones.  All three words are read before anything
    is written.
    """
    modulus, negative = shape.modulus, shape.modulus // 2
    mem, pc = state.mem, state.pc

    running = both(pc < negative, state.fault == 0)
    fetched = both(running, pc < shape.words - 2)
    at = where(fetched, pc, 0)
    a, b, c = mem.load(at), mem.load(at + 1), mem.load(at + 2)

    a_valid, b_valid = a < shape.addresses, b < shape.addresses
    reads = both(fetched, both(a == modulus - 1, b_valid))
    takes = both(reads, state.ready == 1)
    waits = both(reads, state.ready == 0)
    prints = both(fetched, both(b == modulus - 1, a_valid))
    subtracts = both(fetched, both(a_valid, b_valid))
    faults = both(running, negate(either(reads, either(prints, subtracts))))

    from_a = mem.load(where(a_valid, a, 0))
    from_b = mem.load(where(b_valid, b, 0))
    difference = (from_b - from_a) % modulus
    jumps = both(subtracts, either(difference == 0, difference >= negative))
    moves = either(takes, either(prints, subtracts))

    return After(
        mem=mem.store(
            either(takes, subtracts),
            where(b_valid, b, 0),
            where(takes, state.input, difference),
        ),
        pc=where(jumps, c, where(moves, (pc + 3) % modulus, pc)),
        fault=where(faults, 1, state.fault),
        input=state.input,
        ready=where(takes, 0, state.ready),
        wanted=where(waits, 1, 0),
        output=where(prints, from_a, 0),
        valid=where(prints, 1, 0),
        kind=where(
            subtracts,
            SUBTRACT,
            where(
                prints,
                OUTPUT,
                where(takes, INPUT, where(waits, WAIT, where(faults, FAULT, STILL))),
            ),
        ),
    )


class ListMemory:
    """A memory of Python ints; `store` writes in place."""

    __slots__ = ("words",)

    def __init__(self, words: list[int]) -> None:
        self.words = words

    def load(self, address: int) -> int:
        """The word at an address."""
        return self.words[address]

    def store(self, condition: bool, address: int, word: int) -> ListMemory:
        """Write in place where the condition holds."""
        if condition:
            self.words[address] = word
        return self


class ArrayMemory:
    """A batch of memories, an integer array [states, words]; `store` gives a new one."""

    __slots__ = ("words",)

    def __init__(self, words: np.ndarray[Any, Any]) -> None:
        self.words = words

    def load(self, address: Any) -> Any:
        """The word of each state at its address."""
        return self.words[np.arange(len(self.words)), address]

    def store(self, condition: Any, address: Any, word: Any) -> ArrayMemory:
        """New memories with the words written where the condition holds."""
        words = self.words.copy()
        rows = np.flatnonzero(condition)
        words[rows, np.asarray(address)[rows]] = np.asarray(word)[rows]
        return ArrayMemory(words)
