"""Paths point by point: which points follow a path, and what is printed at each."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs.programs.execution import Path
from proofs.programs.region import Form, Range, Region, Terms

Array = np.ndarray[Any, Any]


def points(region: Region) -> Array:
    """The points of a region, a row for each, in lexicographic order."""
    axes = [_numbers(low, high) for low, high in region.box]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    for terms, (low, high) in region.limits.items():
        sums = _sums(grid, terms, region)
        grid = grid[(sums >= low) & (sums <= high)]
    return grid


def positions(grid: Array, ranges: tuple[Range, ...]) -> Array:
    """The place of each point in the lexicographic order of a domain of at most 2**62 points."""
    place = np.zeros(len(grid), dtype=np.int64)
    for column, (low, high) in enumerate(ranges):
        place = place * (high - low + 1) + (grid[:, column] - low).astype(np.int64)
    return place


def printed(path: Path, grid: Array, bits: int) -> Array:
    """What a path prints at each of its points: a row of bytes for each."""
    shown = min(2**bits, 256)
    rows = np.empty((len(grid), len(path.output)), dtype=np.uint8)
    for column, each in enumerate(path.output):
        rows[:, column] = each if isinstance(each, int) else _remainders(grid, each, shown)
    return rows


def _remainders(grid: Array, form: Form, modulus: int) -> Array:
    value = np.full(len(grid), form.constant % modulus, dtype=np.int64)
    for name, weight in form.terms:
        # Factors below 256 each, so that no product leaves int64.
        column = (grid[:, name] % modulus).astype(np.int64)
        value = (value + weight % modulus * column) % modulus
    return value


def _sums(grid: Array, terms: Terms, region: Region) -> Array:
    largest = sum(
        abs(weight) * max(abs(low), abs(high))
        for weight, (low, high) in ((weight, region.box[name]) for name, weight in terms)
    )
    kind = np.int64 if largest < 2**62 else object
    value: Array = np.zeros(len(grid), dtype=kind)
    for name, weight in terms:
        value = value + weight * grid[:, name].astype(kind)
    return value


def _numbers(low: int, high: int) -> Array:
    small = max(abs(low), abs(high)) < 2**62
    return np.array(range(low, high + 1), dtype=np.int64 if small else object)
