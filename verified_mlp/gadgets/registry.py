"""The table of gadgets.  Every module of this package is imported; every gadget decorated with
`gadget` is in the table, and `verify-all` proves it at the settings that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, wraps
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import verified_mlp.gadgets
from verified_mlp.machine.shape import MAX_BITS, Shape
from verified_mlp.statement.network import Gadget

LARGEST = 2**MAX_BITS
"""No number in a gadget of this project exceeds it; the upper end of unsettled ranges."""

Settings = Mapping[str, int]
_table: dict[str, tuple[Callable[..., Gadget], Callable[[Shape], Iterable[Settings]]]] = {}


def gadget(
    settings: Callable[[Shape], Iterable[Settings]] = lambda shape: [{}],
) -> Callable[[Callable[..., Gadget]], Callable[..., Gadget]]:
    """Enter a gadget into the table; `settings(shape)` lists the arguments at which it is
    proved for a machine of that shape.
    """

    def enter(make: Callable[..., Gadget]) -> Callable[..., Gadget]:
        cached: Any = lru_cache(maxsize=None)(make)

        @wraps(make)
        def build(**arguments: int) -> Gadget:
            return cached(**arguments)  # type: ignore[no-any-return]  # lru_cache hides it

        _table[make.__name__] = (build, settings)
        return build

    return enter


def gadgets(shape: Shape) -> list[Gadget]:
    """Every gadget of the table at the settings of a shape, sorted by title."""
    for module in iter_modules(verified_mlp.gadgets.__path__):
        import_module(f"verified_mlp.gadgets.{module.name}")
    found = [
        build(**arguments) for build, settings in _table.values() for arguments in settings(shape)
    ]
    return sorted(found, key=lambda item: item.title)
