"""The memory that an engine takes for a network, counted from the statement without building.

The counts are those of the arrays: every weight of the dense matrices, and for the sparse ones
every point of every term's index grid (an upper bound, close where it matters: no term of a
large family has zero coefficients).
"""

from __future__ import annotations

import os
from math import prod
from operator import mul
from pathlib import Path

from numeric.engines import EngineName
from numeric.support import SupportName
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import width
from verified_mlp.statement.network import Network

FLOAT = 8
"""Bytes of a float64."""

BUILDING = 48
"""Bytes per entry of the largest layer while its arrays are built (measured: 40 to 44)."""


WORD = 32
"""Bytes per word of a machine whose memory is held word by word: the memory, and a list of it."""


class DoesNotFitError(ValueError):
    """The engine would take more memory than there is; the text says how much."""


def entries_at_most(network: Network, depth: int) -> int:
    """No fewer than the weights of layer `depth` (from 0) that are not zero."""
    return sum(
        prod(family.shape) * prod(bound.size for bound in term.bounds)
        for family in network.layers[depth].neurons
        for term in family.row.terms
        if term.ref is not None
    )


def needed_bytes(network: Network, name: EngineName) -> int:
    """The bytes that building the engine takes at its peak; the engine itself takes less."""
    depths = range(len(network.layers))
    rows = [width(network.layers[depth].neurons) for depth in depths]
    columns = [width(network.sources(depth)) for depth in depths]
    counts = [entries_at_most(network, depth) for depth in depths]
    index = 4 if max(counts) < 2**31 else 8
    kept = (FLOAT + index) * (sum(counts) + sum(rows))
    if name is EngineName.DENSE:
        kept += FLOAT * sum(map(mul, rows, columns))
    return kept + BUILDING * max(counts)


def available_bytes() -> int | None:
    """The memory that can be had without swapping, or None where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def check_fits(network: Network, shape: Shape, name: EngineName, available: int | None) -> None:
    """Raise DoesNotFitError if the engine needs more than the available bytes (None: unknown)."""
    needed = needed_bytes(network, name)
    if available is not None and needed > available:
        raise too_large(shape, name, needed, f", but {in_gib(available)} are available")


def check_memory_fits(shape: Shape, name: SupportName, available: int | None) -> None:
    """Raise DoesNotFitError if a machine's memory, one number a word, needs more bytes than there
    are available (None: unknown).
    """
    needed = shape.words * WORD
    if available is not None and needed > available:
        raise too_large(shape, name, needed, f", but {in_gib(available)} are available")


def too_large(
    shape: Shape, name: EngineName | SupportName, needed: int, found: str = ""
) -> DoesNotFitError:
    """The error for an engine that does not fit; `found` says what there is, where it is known."""
    cure: dict[str, str] = {
        EngineName.DENSE: "choose the sparse engine or fewer words",
        EngineName.SPARSE: "choose the support engine or fewer words",
    }
    return DoesNotFitError(
        f"the {name} engine needs {in_gib(needed)} of memory for {shape}{found}: "
        f"{cure.get(name, 'choose fewer words')}."
    )


def in_gib(count: int) -> str:
    """A number of bytes as text, e.g. `31.2 GiB`.

    >>> in_gib(33_500_000_000)
    '31.2 GiB'
    """
    return f"{count / 2**30:.1f} GiB"
