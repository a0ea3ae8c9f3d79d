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

LIMIT = 2**17
"""The largest domain, counted before its conditions, that is tried out whole."""

_SAMPLE = 2048
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
    """Random inputs.  In every fourth one the low bits of each word are equal, up to a random one,
    so that carries run far.  In every second one words are near each other, most scalars are at
    their largest, and of an array that is no word one entry alone is set, at a place that a
    parameter may name.  Entries at a point where a condition fails are set to 0.
    """
    generator = np.random.default_rng(0)
    columns = []
    for high, low in _entry_ranges(gadget):
        # Large ranges are sampled near their ends, where int64 holds every intermediate sum.
        last = min(high, low + 1024) if high > _INT64 else high
        column = generator.integers(low, last + 1, _SAMPLE)
        column[0], column[1] = low, last
        columns.append(column)
    batch = _named(gadget, columns)
    _level(gadget, batch, generator)
    _relate(gadget, batch)
    for condition in gadget.conditions:
        for point in points([index.size for index in condition.indices]):
            if point:
                _clear(gadget, batch, point, ~np.asarray(condition.holds(*point, **batch)))
    return batch


def _level(gadget: Gadget, batch: Batch, generator: np.random.Generator) -> None:
    places = np.arange(4, _SAMPLE, 4)
    for source in gadget.network.inputs:
        if not source.word or len(source.shape) != 1:
            continue
        (width,) = source.shape
        ends = generator.integers(0, width + 1, len(places))
        digits = generator.integers(0, 2, len(places))
        for k, column in enumerate(batch[source.name]):
            column[places] = np.where(k < ends, digits, column[places])


def _relate(gadget: Gadget, batch: Batch) -> None:
    places = np.arange(3, _SAMPLE, 2)
    words = [each for each in gadget.network.inputs if each.word and len(each.shape) == 1]
    addresses = [batch[each.name] for each in gadget.parameters if each.bits]
    for source in words:
        (width,) = source.shape
        # One bit differs in half of them, and each bit in as many.
        differs = (places // 2) % (2 * width)
        for k, column in enumerate(batch[source.name]):
            near = (addresses[0] >> k) & 1 if addresses else batch[words[0].name][k]
            column[places] = near[places] ^ (differs == k)
    for source in gadget.network.inputs:
        if not source.shape:
            column = batch[source.name]
            some = places[places % 5 != 0]
            column[some] = np.broadcast_to(source.largest.evaluate(batch), column.shape)[some]
        if source.word or len(source.shape) != 1:
            continue
        only = (places // 2) % source.shape[0]
        for k, column in enumerate(batch[source.name]):
            column[places] = np.where(only == k, 1, 0)
        for each in gadget.parameters:
            if each.ghost:
                batch[each.name][places] = np.clip(only, each.low, each.high)


def _clear(gadget: Gadget, batch: Batch, point: tuple[int, ...], where: Any) -> None:
    for source in gadget.network.inputs:
        if len(source.shape) == len(point):
            batch[source.name][point][where] = 0


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
