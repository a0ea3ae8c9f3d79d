"""The step in 5 layers: as `compact`, but the arithmetic reads the selected rows themselves.

In `compact` a layer of its own adds the rows from which the operands were selected.  Here every
threshold of the arithmetic reads, in place of an operand's bit, the sum of that bit over all rows;
so the weights of that layer are O(words * bits**2) in number, not O(words * bits).  The gates of
the arithmetic then have to be known a layer earlier: whether A and B are addresses is decided by
comparing their numbers with the number of addresses, as sums over the rows of the instruction,
while these rows are added up; not by adding up matches.

The state vector is that of `compact`.
"""

from __future__ import annotations

from functools import lru_cache

from verified_mlp.constructions.compact import (
    compute,
    finish,
    flags,
    select_instruction,
    select_operand,
    sum_instruction,
    vector_fields,
    write,
)
from verified_mlp.gadgets.carry import carry_fields
from verified_mlp.gadgets.match import match
from verified_mlp.gadgets.word_below import word_below
from verified_mlp.gadgets.word_tests import all_ones
from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.affine import Signal, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Network


@lru_cache(maxsize=8)
def five(shape: Dimensions) -> Network:
    """The network of a shape: the state vector in, the state vector after one step out.

    That of a family of shapes has their parameters free; `settle` gives that of a shape.
    """
    bits = shape.bits
    build = Builder("five", vector_fields(shape))
    code, address = Index("i", shape.code), Index("i", shape.addresses)
    select_instruction(build, shape)

    now = build.layer(
        "read addresses", "sum over the rows: A, B, C; which of A and B are addresses"
    )
    sum_instruction(build, now, shape)
    running = total(code, now.here[code])
    limit = {"limit": shape.addresses}
    for name in ("a", "b"):
        word = _columns(getattr(now, name), code, bits)
        build.place(word_below(bits=bits), f"{name}_valid", (), limit, x=word, on=running)
        build.place(all_ones(bits=bits), f"{name}_is_port", x=word)

    now = build.layer(
        "read data", "match B; select the words at A and B; which kind of instruction"
    )
    at = {"i": address}
    build.place(match(bits=bits), "at_b", (address,), at, True, p=now.b, on=now.run)
    for name in ("a", "b"):
        select_operand(build, now, shape, name)
    flags(build, now.a_valid, now.b_valid, now.a_is_port, now.b_is_port, now.ready)
    carry_fields(build, now, "mem", "pc", "fault", "input", "ready", "c")

    now = build.layer(
        "compute",
        "subtract, compare, add 3 to the pc, of sums over rows; the place to write; faults",
    )
    from_a, from_b = (_columns(rows, address, bits) for rows in (now.from_a, now.from_b))
    compute(build, now, shape, from_a, from_b)
    write(build, shape)
    return finish(build, shape)


def _columns(rows: Signal, index: Index, bits: int) -> Signal:
    """The word whose bits are the sums of the columns of rows of which one at most is not 0."""
    return Signal(lambda j: total(index, rows[index, j]), (bits,))
