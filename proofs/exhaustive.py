"""Trying many inputs of a gadget at once, in exact integers: every one where the domain is small,
otherwise corners and a fixed pseudo-random sample.

The same evaluation and the same specification as everywhere, on integer arrays with one place for
each input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs.expanded import claims, conditions, overflows
from verified_mlp.statement.evaluate import evaluate, points, size
from verified_mlp.statement.network import Gadget

LIMIT = 2**16
"""The largest domain, counted before its conditions, that is tried out whole."""

_SAMPLE = 512
_INT64 = 2**62

Batch = dict[str, Any]
"""Inputs and parameters by name; every entry is an integer array over the tries."""


def domain_size(gadget: Gadget) -> int:
    """The number of inputs and parameter values, conditions not counted; a range that depends on
    a parameter counts at the parameter's upper end.
    """
    count = 1
    for high, low in _entry_ranges(gadget):
        count *= high - low + 1
    return count


def first_failure(gadget: Gadget) -> tuple[bool, dict[str, Any] | None]:
    """(whether every input was tried, an input on which the gadget breaks its specification or
    its ranges, or None).
    """
    complete = domain_size(gadget) <= LIMIT
    batch = _everything(gadget) if complete else _sample(gadget)
    batch, count = _in_domain(gadget, batch)
    if count == 0:
        return complete, None
    parameters = {each.name: batch[each.name] for each in gadget.parameters}
    outputs, trace = evaluate(gadget.network, batch, parameters)
    wrong = np.zeros(count, dtype=bool)
    for _, got, expected in claims(gadget, outputs, batch):
        wrong |= np.asarray(got != expected)
    for _, neuron, largest in overflows(gadget, trace, parameters):
        wrong |= np.asarray(neuron > largest)
    if not wrong.any():
        return complete, None
    return complete, _pick(gadget, batch, int(np.argmax(wrong)))


def _entry_ranges(gadget: Gadget) -> list[tuple[int, int]]:
    """(high, low) of every parameter and of every entry of every input."""
    found = [(each.high, each.low) for each in gadget.parameters]
    highs: dict[str, Any] = {each.name: each.high for each in gadget.parameters}
    for source in gadget.network.inputs:
        found += [(source.largest.evaluate(highs), 0)] * size(source.shape)
    return found


def _everything(gadget: Gadget) -> Batch:
    ranges = _entry_ranges(gadget)
    grid = np.indices([high - low + 1 for high, low in ranges], dtype=np.int64)
    columns = grid.reshape(len(ranges), -1)
    return _named(gadget, [column + low for column, (_, low) in zip(columns, ranges, strict=True)])


def _sample(gadget: Gadget) -> Batch:
    generator = np.random.default_rng(0)
    columns = []
    for high, low in _entry_ranges(gadget):
        # Large ranges are sampled near their ends, where int64 holds every intermediate sum.
        last = min(high, low + 1024) if high > _INT64 else high
        column = generator.integers(low, last + 1, _SAMPLE)
        column[0], column[1] = low, last
        columns.append(column)
    return _named(gadget, columns)


def _named(gadget: Gadget, columns: list[Any]) -> Batch:
    left = iter(columns)
    batch: Batch = {each.name: next(left) for each in gadget.parameters}
    for source in gadget.network.inputs:
        array = np.empty(source.shape, dtype=object)
        for point in points(source.shape):
            array[point] = next(left)
        batch[source.name] = array if source.shape else array[()]
    return batch


def _in_domain(gadget: Gadget, batch: Batch) -> tuple[Batch, int]:
    inside: Any = True
    for source in gadget.network.inputs:
        high = source.largest.evaluate(batch)
        for point in points(source.shape):
            inside = inside & (_entry(batch[source.name], point) <= high)
    for condition in conditions(gadget, batch):
        inside = inside & condition
    some = next(iter(batch.values()))
    length = len(_entry(some, (0,) * (some.ndim if some.dtype == object else 0)))
    kept = np.flatnonzero(np.broadcast_to(inside, length))
    return _map(batch, lambda column: column[kept]), len(kept)


def _pick(gadget: Gadget, batch: Batch, place: int) -> dict[str, Any]:
    return _map(batch, lambda column: int(column[place]))


def _map(batch: Batch, change: Any) -> Batch:
    found: Batch = {}
    for name, values in batch.items():
        if values.dtype != object:
            found[name] = change(values)
            continue
        array = np.empty(values.shape, dtype=object)
        for point in points(values.shape):
            array[point] = change(values[point])
        found[name] = array
    return found


def _entry(values: Any, point: tuple[int, ...]) -> Any:
    return values[point] if values.dtype == object else values
