"""Exact counts and sums of a network's rows at any shape, without building its arrays.

Most of a large layer repeats itself: a row of `mem[i, j]` looks the same at every j, and depends
on i through the bits of i only.  So each index is cut into *cells*, ranges on which nothing
that counts changes; one row stands for each combination of cells, and an index used through its
bits is settled bit by bit.  A family that does not allow that is enumerated instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise, product
from math import prod

from verified_mlp.statement.affine import Bound, Ref, Term
from verified_mlp.statement.evaluate import width
from verified_mlp.statement.expr import Expr, Number, var
from verified_mlp.statement.measure_rows import Measure, by_rows
from verified_mlp.statement.network import Field, Network, Neurons
from verified_mlp.statement.normal import axis_name, collect

Cell = tuple[int, int]
"""A range low..high-1 of an index."""

_MOST_CELLS = 2**12
_BIT = "bit"


def measure(network: Network) -> list[Measure]:
    """The measure of every layer.

    Raises ValueError for a network whose sizes are not settled, KeyError for one with other
    parameters that are not, IndexError if a term reads outside its field.
    """
    return [measure_layer(network, depth) for depth in range(len(network.layers))]


def measure_layer(network: Network, depth: int) -> Measure:
    """The measure of layer `depth` (from 0)."""
    sources = network.sources(depth)
    families = network.layers[depth].neurons
    return reduce(Measure.__or__, (measure_family(sources, each) for each in families), Measure())


def measure_family(sources: Sequence[Field | Neurons], family: Neurons) -> Measure:
    """The measure of one family of a layer that reads the sources."""
    width((*sources, family))  # raises ValueError where a size is not a number
    try:
        return by_cells(sources, family)
    except Irregular:
        return by_rows(sources, family)


class Irregular(Exception):
    """The family's rows differ in a way that cells do not describe."""


def by_cells(sources: Sequence[Field | Neurons], family: Neurons) -> Measure:
    """The measure of a family from one row for each combination of cells.

    Raises Irregular where that is not possible.
    """
    plan = _plan(sources, family)
    found = Measure()
    for cells in product(*plan.axes):
        names = [axis_name(axis) for axis in range(len(cells))]
        rows = prod(high - low for low, high in cells)
        found |= _measure_rows(plan, dict(zip(names, cells, strict=True)), rows)
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a family is measured: its terms in normal form, the cells of each axis, which index
    is settled bit by bit, and how many values that index has.
    """

    sources: Mapping[str, Field | Neurons]
    terms: tuple[Term, ...]
    shared: frozenset[str]
    axes: tuple[tuple[Cell, ...], ...]
    by_bits: str | None
    values: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A number that is `off` or `on` as the bit at position `bit` of the index is 0 or 1; where
    bit is None it is both.
    """

    bit: int | None
    off: Number
    on: Number

    def times(self, factor: Number) -> _Part:
        return _Part(self.bit, self.off * factor, self.on * factor)

    def absolute(self) -> _Part:
        return _Part(self.bit, max(self.off, -self.off), max(self.on, -self.on))

    def plus(self, other: _Part) -> _Part:
        if None not in (self.bit, other.bit) and self.bit != other.bit:
            raise Irregular
        bit = other.bit if self.bit is None else self.bit
        return _Part(bit, self.off + other.off, self.on + other.on)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Equal weights in `columns` columns, of which `counted` can be non-zero at the same time;
    `first` is their position along the first axis, None where it is not settled.
    """

    source: Field | Neurons
    first: int | None
    weight: _Part
    columns: int
    counted: int
    largest: Number


def _plan(sources: Sequence[Field | Neurons], family: Neurons) -> _Plan:
    by_name = {source.name: source for source in sources}
    terms = collect(family.row, family.indices)
    read = [term.ref.field for term in terms if term.ref is not None]
    shared = frozenset(name for name in read if read.count(name) > 1)
    values, by_bits = 1, None
    axes: list[tuple[Cell, ...]] = []
    for axis, extent in enumerate(family.shape):
        name = axis_name(axis)
        inside = [use for term in terms for use in _uses(term.coefficient, name)]
        outside = [
            use
            for term in terms
            for expr in _fixed_parts(term, by_name, shared)
            for use in _uses(expr, name)
        ]
        if by_bits is None and not outside and inside and all(use.op == "bit" for use in inside):
            by_bits, values = name, extent
            axes.append(((0, extent),))
        else:
            axes.append(_cells(inside + outside, extent))
    if prod(map(len, axes)) > _MOST_CELLS:
        raise Irregular
    return _Plan(by_name, terms, shared, tuple(axes), by_bits, values)


def _uses(expr: Expr, name: str) -> Iterator[Expr]:
    """The least sub-expressions whose value the index decides: itself, a bit of it, or how it
    compares with a constant.
    """
    if expr.op == "const" or name not in expr.variables():
        return
    if expr.op in ("le", "eq") and var(name) in expr.args:
        other = expr.args[1] if expr.args[0] == var(name) else expr.args[0]
        if other.constant is not None:
            yield expr
            return
    if expr.op == "var" or (expr.op == "bit" and expr.args[0] == var(name)):
        yield expr
        yield from _uses(expr.args[1], name) if expr.op == "bit" else ()
        return
    for arg in expr.args:
        yield from _uses(arg, name)


def _fixed_parts(
    term: Term, sources: Mapping[str, Field | Neurons], shared: frozenset[str]
) -> Iterator[Expr]:
    """The expressions besides the coefficient whose value must be known: ends of sums, and
    positions, except those that only shift an index.
    """
    for bound in term.bounds:
        yield from (bound.low, bound.high)
    if term.ref is not None:
        source = sources[term.ref.field]
        for index, expr in zip(source.indices, term.ref.positions, strict=True):
            if (
                not _is_shift(expr)
                or term.ref.field in shared
                or index.name in source.largest.variables()
            ):
                yield expr


def _is_shift(expr: Expr) -> bool:
    return expr.op == "var" or (
        expr.op == "add" and expr.args[0].op == "var" and expr.args[1].op == "const"
    )


def _cells(uses: Sequence[Expr], extent: int) -> tuple[Cell, ...]:
    """The cells of an index of that extent, used so."""
    if all(use.op in ("le", "eq") for use in uses):
        cuts = {0, extent}
        for use in uses:
            for number in use.args:
                if number.op == "const":
                    cuts |= {int(number.args[0] // 1), int(number.args[0] // 1) + 1}
        ends = sorted(cut for cut in cuts if 0 <= cut <= extent)
        return tuple(pairwise(ends))
    if extent > _MOST_CELLS:
        raise Irregular
    return tuple((value, value + 1) for value in range(extent))


def _measure_rows(plan: _Plan, cells: dict[str, Cell], rows: int) -> Measure:
    """The measure of the rows in a combination of cells."""
    entries: dict[tuple[object, ...], _Entry] = {}
    constants: list[_Part] = []
    for term in plan.terms:
        coefficient, position = _split(term.coefficient, plan.by_bits)
        for inner in _summands(plan, term, term.bounds, cells):
            at = {name: low for name, (low, _) in inner.items()}
            bit = None if position is None else position.evaluate(at)
            off = coefficient.evaluate({**at, _BIT: 0})
            on = coefficient.evaluate({**at, _BIT: 1})
            if bit is not None and (plan.values - 1) >> bit == 0:
                on = off  # no value of the index has that bit
            weight = _Part(None if off == on else bit, off, on)
            if term.ref is None:
                constants.append(weight.times(prod(_extent(inner, b.name) for b in term.bounds)))
            elif off != 0 or on != 0:
                key, entry = _entry(plan, term.ref, term.bounds, inner, weight)
                if key in entries:
                    entry = replace(entry, weight=entries[key].weight.plus(weight))
                entries[key] = entry
    return _conclude(plan, list(entries.values()), constants, rows)


def _split(coefficient: Expr, by_bits: str | None) -> tuple[Expr, Expr | None]:
    """The coefficient as a function of one bit of the index, and the position of that bit."""
    bits = set(_uses(coefficient, by_bits)) if by_bits is not None else set()
    if not bits:
        return coefficient, None
    if len(bits) > 1:
        raise Irregular
    (bit,) = bits

    def replaced(expr: Expr) -> Expr:
        if expr == bit:
            return var(_BIT)
        if expr.op in ("const", "var"):
            return expr
        return Expr(expr.op, tuple(map(replaced, expr.args)))

    return replaced(coefficient), bit.args[1]


def _summands(
    plan: _Plan, term: Term, bounds: Sequence[Bound], cells: dict[str, Cell]
) -> Iterator[dict[str, Cell]]:
    """The cells of the term's summation indices, beside those of the family's own."""
    if not bounds:
        yield cells
        return
    first, *rest = bounds
    lows = {name: low for name, (low, _) in cells.items()}
    low, high = first.low.evaluate(lows), first.high.evaluate(lows)
    fixed = [term.coefficient, *_fixed_parts(term, plan.sources, plan.shared)]
    free = not any(first.name in expr.variables() for expr in fixed)
    if free and term.ref is not None:
        # Without a position of its own, every value of the index would read the same entry.
        free = any(first.name in expr.variables() for expr in term.ref.positions)
    if not free and high - low > _MOST_CELLS:
        raise Irregular
    split = [(low, high)] if free else [(value, value + 1) for value in range(low, high)]
    for cell in split if low < high else []:
        yield from _summands(plan, term, rest, {**cells, first.name: cell})


def _extent(cells: Mapping[str, Cell], name: str) -> int:
    low, high = cells[name]
    return high - low


def _entry(
    plan: _Plan, ref: Ref, bounds: Sequence[Bound], cells: Mapping[str, Cell], weight: _Part
) -> tuple[tuple[object, ...], _Entry]:
    """What tells an entry from the others of its row, and the entry that a summand reads."""
    source = plan.sources[ref.field]
    lows = {name: low for name, (low, _) in cells.items()}
    key: list[int | None] = []
    position: dict[str, int] = {}
    for index, expr in zip(source.indices, ref.positions, strict=True):
        low = expr.evaluate(lows)
        wide = prod(_extent(cells, name) for name in expr.variables())
        if low < 0 or low + wide > index.size:
            raise Irregular  # it may be that those weights are 0; enumeration tells
        position[index.name] = low
        key.append(low if wide == 1 else None)
    first = ref.positions[0].variables() if ref.positions and source.one_hot else ()
    entry = _Entry(
        source,
        key[0] if key else None,
        weight,
        columns=prod(_extent(cells, bound.name) for bound in bounds),
        counted=prod(_extent(cells, bound.name) for bound in bounds if bound.name not in first),
        largest=source.largest.evaluate(position),
    )
    return (ref.field, *key), entry


def _conclude(
    plan: _Plan, entries: Sequence[_Entry], constants: Sequence[_Part], rows: int
) -> Measure:
    """The measure of rows with these entries, over all values of the index used by its bits."""
    repeat = rows // plan.values
    nonzeros = 0
    free: list[_Part] = []
    one_hot: dict[str, dict[int | None, Number]] = {}
    for entry in entries:
        weight = entry.weight
        ones = 0 if weight.bit is None else _with_bit(plan.values, weight.bit)
        nonzero_rows = ones * (weight.on != 0) + (plan.values - ones) * (weight.off != 0)
        nonzeros += repeat * entry.columns * nonzero_rows
        part = weight.absolute().times(entry.counted * entry.largest)
        if not entry.source.one_hot:
            free.append(part)
        elif part.bit is None:
            sums = one_hot.setdefault(entry.source.name, {})
            sums[entry.first] = sums.get(entry.first, 0) + part.off
        else:
            raise Irregular
    free += [_Part(None, max(sums.values()), max(sums.values())) for sums in one_hot.values()]
    # |b| is the larger of b and -b, and each is a sum over the bits, which |b| is not.
    signs = (constants, [constant.times(-1) for constant in constants])
    sizes = [entry.weight.absolute() for entry in entries]
    return Measure(
        rows,
        nonzeros,
        max((max(size.off, size.on) for size in sizes), default=0),
        max(_highest(plan.values, sign) for sign in signs),
        max(_highest(plan.values, [*free, *sign]) for sign in signs),
    )


def _with_bit(values: int, bit: int) -> int:
    """How many of the numbers 0..values-1 have the bit.

    >>> [_with_bit(6, bit) for bit in range(3)]
    [3, 2, 2]
    """
    whole, rest = divmod(values, 2 << bit)
    return (whole << bit) + max(0, rest - (1 << bit))


def _highest(values: int, parts: Sequence[_Part]) -> Number:
    """The largest sum of the parts over all values 0..values-1 of the index.

    Apart from the last value itself, a value agrees with the last one down to some 1 that it
    lacks and is free below, so each bit below can be what gives more.
    """
    last = values - 1
    off: list[Number] = [0] * last.bit_length()
    on: list[Number] = [0] * last.bit_length()
    agreed: Number = 0
    for part in parts:
        if part.bit is None:
            agreed += part.off
        else:
            off[part.bit] += part.off
            on[part.bit] += part.on
    best = []
    for bit in reversed(range(last.bit_length())):
        if last >> bit & 1:
            best.append(agreed + off[bit] + sum(map(max, off[:bit], on[:bit])))
            agreed += on[bit]
        else:
            agreed += off[bit]
    return max([agreed, *best])
