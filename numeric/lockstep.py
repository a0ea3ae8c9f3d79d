"""Two networks side by side: the same passes, and after them the same state.

Each construction's network is proved to make the machine's step, so two of them, from the same
state, reach the same state.  Here they are run, and compared.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from verified_mlp.machine.host import Processor, Signals
from verified_mlp.machine.state import State

AT_ONCE = 256
"""Passes between two comparisons, at most."""


class ApartError(Exception):
    """Two networks reached different states; the text says where, with both values."""


class LockstepProcessor:
    """A processor with a second one beside it, which makes the same passes.

    Their names are those of their constructions.  `advance` raises ApartError when, after some
    passes, they are not in the same state.
    """

    def __init__(self, first: Processor, second: Processor, names: tuple[str, str]) -> None:
        self._first, self._second, self._names = first, second, names
        self._passes = 0

    def signals(self) -> Signals:
        """What the host needs to know of the current state."""
        return self._first.signals()

    def give(self, word: int) -> None:
        """Fill the input word of both and set their ready flags."""
        self._first.give(word)
        self._second.give(word)

    def state(self) -> State:
        """A copy of the whole state."""
        return self._first.state()

    def advance(self, passes: int = 1) -> int:
        """Make passes on both, at most `AT_ONCE`, and compare their states."""
        made = self._first.advance(min(passes, AT_ONCE))
        left = made
        while left:
            left -= self._second.advance(left)
        self._passes += made
        self._compare()
        return made

    def _compare(self) -> None:
        states = self._first.state(), self._second.state()
        if states[0] == states[1]:
            return
        for each in fields(State):
            one, other = (getattr(state, each.name) for state in states)
            if one != other:
                place, one, other = _first_difference(each.name, one, other)
                raise ApartError(
                    f"lockstep: after {self._passes} passes {place} is {one} by {self._names[0]} "
                    f"and {other} by {self._names[1]}. Please report it."
                )


def _first_difference(name: str, one: Any, other: Any) -> tuple[str, Any, Any]:
    """A field, or the first of its words, that differs, with both values."""
    if not isinstance(one, list):
        return name, one, other
    at = next(at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    return f"{name}[{at}]", one[at], other[at]
