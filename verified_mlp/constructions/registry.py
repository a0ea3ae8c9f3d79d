"""The constructions by name: how each makes the network of a shape, and what its vector means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

from verified_mlp.constructions import compact, five, paper, single
from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.affine import Signal
from verified_mlp.statement.network import Network

DEFAULT = "paper"


@dataclass(frozen=True, slots=True)
class Construction:
    """A construction.  `network` gives the network of a shape or of a family of shapes; it raises
    NotBuiltError for a shape that is too large for the construction.

    `sums` names the fields of the state that the vector holds as the sum of several fields, and
    these fields.  Every other field of the state is a field of the vector.

    A construction with `forms` has no such sums: they give every field of the state as a linear
    form of the fields of the vector, for a shape or a family of shapes.  A state is then encoded as
    the fields `encoded` of the vector, by name of the field of the state; every other entry is 0.
    """

    name: str
    network: Callable[[Dimensions], Network]
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forms: Callable[[Dimensions], Mapping[str, Signal]] | None = None
    encoded: Mapping[str, str] = field(default_factory=dict)

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


CONSTRUCTIONS = {
    each.name: each
    for each in (
        Construction("paper", paper.paper),
        Construction("compact", compact.compact, compact.SUMS),
        Construction("five", five.five, compact.SUMS),
        Construction("single", single.single, forms=single.forms, encoded=single.ENCODED),
    )
}


def construction(name: str) -> Construction:
    """The construction of a name.  Raises ValueError, with a sentence, for a name that is none.

    >>> construction("deep")
    Traceback (most recent call last):
    ...
    ValueError: there is no construction 'deep': choose paper, compact, five or single.
    """
    if name not in CONSTRUCTIONS:
        raise ValueError(f"there is no construction {name!r}: choose {_names()}.")
    return CONSTRUCTIONS[name]


def _names() -> str:
    """The names, as in a sentence: a, b or c."""
    *others, last = CONSTRUCTIONS
    return f"{', '.join(others)} or {last}"
