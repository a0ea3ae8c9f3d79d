"""The table of gadgets.  Every module of this package is imported; every gadget decorated with
`gadget` is in the table, and `verify-all` proves it at the settings that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import verified_mlp.gadgets
from verified_mlp.machine.shape import MAX_BITS, Dimensions
from verified_mlp.statement.network import Gadget

LARGEST = 2**MAX_BITS
"""No number in a gadget of this project exceeds it; the upper end of unsettled ranges."""

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A function of a module that makes gadgets, and the settings at which it is proved.

    `construction` is the construction that needs it; what the paper's needs is proved with all.
    """

    module: str
    name: str
    build: Callable[..., Gadget]
    settings: Callable[[Dimensions], Iterable[Settings]]
    construction: str


_table: list[Entry] = []


def gadget(
    settings: Callable[[Dimensions], Iterable[Settings]] = lambda shape: [{}],
    construction: str = "paper",
) -> Callable[[Callable[..., Gadget]], Callable[..., Gadget]]:
    """Enter a gadget into the table; `settings(shape)` lists the arguments at which it is
    proved for a machine of that shape or family of shapes, of this construction.
    """

    def enter(make: Callable[..., Gadget]) -> Callable[..., Gadget]:
        cached: Any = lru_cache(maxsize=None)(make)

        @wraps(make)
        def build(**arguments: Any) -> Gadget:
            return cached(**arguments)  # type: ignore[no-any-return]  # lru_cache hides it

        _table.append(Entry(make.__module__, make.__name__, build, settings, construction))
        return build

    return enter


def gadgets(shape: Dimensions, construction: str = "paper") -> list[Gadget]:
    """Every gadget of the table at the settings of a shape, sorted by title: those of the paper's
    construction and those that another one needs besides.
    """
    for module in iter_modules(verified_mlp.gadgets.__path__):
        import_module(f"verified_mlp.gadgets.{module.name}")
    found = [
        entry.build(**arguments)
        for entry in _table
        if entry.construction in ("paper", construction)
        for arguments in entry.settings(shape)
    ]
    return sorted(found, key=lambda item: item.title)


def entries(module: str) -> list[Entry]:
    """What a module has entered into the table, in the order of its file."""
    return [entry for entry in _table if entry.module == module]
