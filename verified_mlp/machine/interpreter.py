"""The reference interpreter: the step function on Python integers, as a processor."""

from __future__ import annotations

from dataclasses import replace

from verified_mlp.machine.host import Signals
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.machine.step import Before, ListMemory, step


class Interpreter:
    """A state that `verified_mlp.machine.step` advances.

    >>> machine = Interpreter(Shape(8, 4), State(mem=[3, 3, 255, 7]))
    >>> machine.advance()
    1
    >>> machine.state().mem, machine.signals().pc
    ([3, 3, 255, 0], 255)
    """

    def __init__(self, shape: Shape, state: State) -> None:
        self.shape = shape
        self._state = _copy(state)

    def signals(self) -> Signals:
        """What the host needs to know of the current state."""
        state = self._state
        return Signals(state.pc, state.fault, state.wanted, state.output, state.valid)

    def advance(self, passes: int = 1) -> int:
        """Replace the state by the one after one step; one, whatever is asked for."""
        now = self._state
        before = Before(ListMemory(now.mem), now.pc, now.fault, now.input, now.ready)
        after = step(self.shape, before)
        self._state = State(
            mem=after.mem.words,
            pc=after.pc,
            fault=after.fault,
            input=after.input,
            ready=after.ready,
            wanted=after.wanted,
            output=after.output,
            valid=after.valid,
        )
        return 1

    def give(self, word: int) -> None:
        """Fill the input word and set its ready flag."""
        self._state.input, self._state.ready = word, 1

    def state(self) -> State:
        """A copy of the whole state."""
        return _copy(self._state)


def _copy(state: State) -> State:
    return replace(state, mem=list(state.mem))
