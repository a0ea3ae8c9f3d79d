"""Integer arithmetic written once for Python ints, NumPy arrays and solver terms.

A specification is a function on integers.  It chooses with `where`, repeats with `fold` and
weighs with `pow2`; everything else is `+`, `-`, `//`, `%` and comparisons.  So the same
lines serve as a reference model (ints), as a batch model (arrays) and as a formula (terms):
`proofs` registers the solver's types with the functions below, and this module imports none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import singledispatch
from typing import Any

import numpy as np

Value = Any
"""An int, an integer array or a solver's integer term."""

Truth = Any
"""A bool, a boolean array or a solver's boolean term."""

Step = Callable[[Value, Value], Value]


@singledispatch
def where(condition: Truth, then: Value, otherwise: Value) -> Value:
    """`then` where the condition holds, `otherwise` elsewhere (element by element for arrays).

    >>> where(3 > 2, 10, 20)
    10
    """
    raise TypeError(f"where() has no meaning for a condition of type {type(condition).__name__}")


@where.register(bool)
@where.register(np.bool_)
def _(condition: bool, then: Value, otherwise: Value) -> Value:
    return then if condition else otherwise


@where.register
def _(condition: np.ndarray, then: Value, otherwise: Value) -> Value:
    # NumPy takes an int beyond int64 for unsigned, and wraps its sum with others in silence.
    if any(isinstance(each, int) and each.bit_length() > 63 for each in (then, otherwise)):
        then = np.asarray(then, dtype=object)
    return np.where(condition, then, otherwise)


def both(first: Truth, second: Truth) -> Truth:
    """The conjunction."""
    return where(first, second, False)


def either(first: Truth, second: Truth) -> Truth:
    """The disjunction."""
    return where(first, True, second)


def negate(condition: Truth) -> Truth:
    """The negation."""
    return where(condition, False, True)


@singledispatch
def pow2(exponent: Value) -> Value:
    """Two to a non-negative power.

    >>> pow2(5)
    32
    """
    return 1 << exponent


@pow2.register
def _(exponent: np.ndarray) -> Any:
    # int64 holds 2**62; beyond it NumPy would wrap in silence.
    if exponent.size and exponent.max() > 62:
        return 1 << exponent.astype(object)
    return np.left_shift(1, exponent)


def bit(word: Value, position: Value) -> Value:
    """The bit of a non-negative integer at a position, least significant first.

    >>> [bit(6, k) for k in range(4)]
    [0, 1, 1, 0]
    """
    return bit_at(position, word)


@singledispatch
def bit_at(position: Value, word: Value) -> Value:
    """`bit`, for positions of a given kind."""
    return bit_of(word, position)


@singledispatch
def bit_of(word: Value, position: Value) -> Value:
    """`bit` at a known position, for words of a given kind."""
    return (word >> position) & 1


@singledispatch
def quotient(dividend: Value, divisor: int) -> Value:
    """The floor of a quotient with a positive divisor.

    >>> quotient(-7, 2)
    -4
    """
    return dividend // divisor


def _loop(low: Value, high: Value, start: Value, step: Step) -> Value:
    value = start
    for index in range(low, high):
        value = step(index, value)
    return value


_fold: ContextVar[Callable[[Value, Value, Value, Step], Value]] = ContextVar("fold", default=_loop)


def fold(low: Value, high: Value, start: Value, step: Step) -> Value:
    """`step(high-1, ... step(low+1, step(low, start)))`: the one way to repeat.

    Inside `folding_with(handler)` the handler gives the value, so that a proof can keep a
    fold of symbolic length as a recursive function.

    >>> fold(0, 4, 0, lambda k, total: total + k)
    6
    """
    return _fold.get()(low, high, start, step)


@contextmanager
def folding_with(handler: Callable[[Value, Value, Value, Step], Value]) -> Iterator[None]:
    """Within the block, `fold` is the handler's."""
    token = _fold.set(handler)
    try:
        yield
    finally:
        _fold.reset(token)


def symbolic() -> bool:
    """Whether a handler keeps folds as terms."""
    return _fold.get() is not _loop


def value(bits: Any, low: Value, high: Value) -> Value:
    """The number that the bits at positions low..high-1 spell, the lowest worth 1.

    >>> value([0, 1, 1, 0, 1], 1, 4)
    3
    """
    return fold(low, high, 0, lambda k, total: total + where(bits[k] == 1, pow2(k - low), 0))


def digits(word: int, bits: int) -> list[int]:
    """The bits of `word mod 2**bits`, least significant first.

    >>> digits(-2, 4)
    [0, 1, 1, 1]
    """
    return [(word >> k) & 1 for k in range(bits)]


def entry(array: Any, position: Value, size: Value) -> Value:
    """The entry of an array of `size` entries at a position, or 0 beyond its end.

    >>> entry([5, 6, 7], 1, 3), entry([5, 6, 7], 3, 3)
    (6, 0)
    """
    if not symbolic():
        return fold(0, size, 0, lambda i, found: where(position == i, array[i], found))
    return where(position < size, array[position], 0)
