"""The constructions by name: how each makes the network of a shape, and what its vector means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

from verified_mlp.constructions import compact, five, paper, prefetch, single
from verified_mlp.machine.shape import Dimensions
from verified_mlp.machine.step import Before, Limits
from verified_mlp.statement.affine import Signal
from verified_mlp.statement.network import Network

DEFAULT = "paper"


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What a vector holds of a state besides its own fields: `words` and `flags` by name, and `of`,
    which gives their values for a state of a shape; written as the step is, with integers.

    It only chooses words or 0: of one bit of each word of memory it gives that bit of the words.

    >>> from verified_mlp.machine.shape import Shape
    >>> from verified_mlp.machine.step import ListMemory
    >>> state = Before(ListMemory([7, 8, 9, 10]), pc=1, fault=0, input=0, ready=0)
    >>> PREFETCH.prefetched.of(Shape(4, 4), state)
    {'run': 1, 'a': 8, 'b': 9, 'c': 10}
    """

    words: tuple[str, ...]
    flags: tuple[str, ...]
    of: Callable[[Limits, Before], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Construction:
    """A construction.  `network` gives the network of a shape or of a family of shapes; it raises
    NotBuiltError for a shape that is too large for the construction.

    `sums` names the fields of the state that the vector holds as the sum of several fields, and
    these fields.  Every other field of the state is a field of the vector.

    A construction with `forms` has no such sums: they give every field of the state as a linear
    form of the fields of the vector, for a shape or a family of shapes.  A state is then encoded as
    the fields `encoded` of the vector, by name of the field of the state; every other entry is 0.

    A construction with `prefetched` holds more than the fields of the state: words and flags that
    depend on these, each the sum of the fields that `sums` names.
    """

    name: str
    network: Callable[[Dimensions], Network]
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forms: Callable[[Dimensions], Mapping[str, Signal]] | None = None
    encoded: Mapping[str, str] = field(default_factory=dict)
    prefetched: Prefetched | None = None

    def parts(self, name: str) -> tuple[str, ...]:
        """The fields of the vector whose sum is a field of the state."""
        return self.sums.get(name, (name,))

    def decode(self, name: str, fields: Mapping[str, Any]) -> Any:
        """A field of the state, as bits, from the fields of the vector (numbers or arrays).

        >>> CONSTRUCTIONS["compact"].decode("fault", {"fault": 1})
        1
        """
        return reduce(add, (fields[part] for part in self.parts(name)))

    def encode(self, name: str, bits: Any) -> dict[str, Any]:
        """Fields of the vector (numbers or arrays) that stand for the bits of a field of the
        state: the first is these, the others are 0.

        >>> CONSTRUCTIONS["compact"].encode("mem", 1)
        {'keep': 1, 'set': 0}
        """
        first = self.parts(name)[0]
        return {part: bits if part == first else 0 * bits for part in self.parts(name)}


PREFETCH = Construction(
    "prefetch",
    prefetch.prefetch,
    prefetch.SUMS,
    prefetched=Prefetched(prefetch.WORDS, prefetch.FLAGS, prefetch.prefetched),
)

CONSTRUCTIONS = {
    each.name: each
    for each in (
        Construction("paper", paper.paper),
        Construction("compact", compact.compact, compact.SUMS),
        Construction("five", five.five, compact.SUMS),
        PREFETCH,
        Construction("single", single.single, forms=single.forms, encoded=single.ENCODED),
    )
}


def construction(name: str) -> Construction:
    """The construction of a name.  Raises ValueError, with a sentence, for a name that is none.

    >>> construction("deep")
    Traceback (most recent call last):
    ...
    ValueError: there is no construction 'deep': choose paper, compact, five, prefetch or single.
    """
    if name not in CONSTRUCTIONS:
        raise ValueError(f"there is no construction {name!r}: choose {_names()}.")
    return CONSTRUCTIONS[name]


def _names() -> str:
    """The names, as in a sentence: a, b or c."""
    *others, last = CONSTRUCTIONS
    return f"{', '.join(others)} or {last}"
