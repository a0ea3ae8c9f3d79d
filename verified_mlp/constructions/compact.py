"""The step in 6 layers: sums are read by the layer after, and arithmetic is one layer deep.

Three things make it shallower than the paper's construction: a sum of neurons of which one at
most is not zero needs no layer of its own, for the layer after reads the sum, and the last
layer's sums are read by the next pass; the words of an instruction and of memory are selected
while they are matched; and all bits of a difference, whether it is 0, and pc + 3 are thresholds
of sums of whole words, with weights of up to 3 * 2**(bits - 1).  Words of more than 49 bits are
added in halves, and take a seventh layer (see `gadgets.wide_words`).

So the state vector holds the memory as two arrays, `keep` and `set`, and the program counter as
three words, `jump_to`, `go_on` and `stay`, of which the sums are meant.
"""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

from verified_mlp.constructions.common import closed, passed_on, within
from verified_mlp.gadgets.carry import carry, carry_fields
from verified_mlp.gadgets.logic_gates import and_, merge, nor
from verified_mlp.gadgets.match import match, select
from verified_mlp.gadgets.one_hot_sum import one_hot_sum, sized
from verified_mlp.gadgets.unless import unless
from verified_mlp.gadgets.wide_words import adding, comparing, is_wide
from verified_mlp.gadgets.word_tests import all_ones
from verified_mlp.machine.shape import Dimensions
from verified_mlp.machine.state import state_fields
from verified_mlp.statement.affine import Affine, Signal, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, bit
from verified_mlp.statement.network import Field, Network

SUMS = {"mem": ("keep", "set"), "pc": ("jump_to", "go_on", "stay")}
"""The fields of the state that are sums of fields of the vector; each entry of a sum is a bit."""


def vector_fields(shape: Dimensions) -> tuple[Field, ...]:
    """The fields of the state vector, in order: those of the state, or those that they are the sum
    of.
    """
    return tuple(
        Field(part, source.extents, word=source.word)
        for source in state_fields(shape)
        for part in SUMS.get(source.name, (source.name,))
    )


@lru_cache(maxsize=8)
def compact(shape: Dimensions) -> Network:
    """The network of a shape: the state vector in, the state vector after one step out.

    That of a family of shapes has their parameters free; `settle` gives that of a shape.
    """
    bits = shape.bits
    build = Builder("compact", vector_fields(shape))
    address = Index("i", shape.addresses)
    j = Index("j", bits)
    select_instruction(build, shape)

    now = build.layer("read addresses", "sum over the rows: the words A, B, C")
    sum_instruction(build, now, shape)

    now = build.layer("read data", "match A and B; select the words at them; test them for -1")
    for name in ("a", "b"):
        word = getattr(now, name)
        at = {"i": address}
        build.place(match(bits=bits), f"at_{name}", (address,), at, True, p=word, on=now.run)
        select_operand(build, now, shape, name)
        build.place(all_ones(bits=bits), f"{name}_is_port", x=word)
    carry_fields(build, now, "mem", "pc", "fault", "input", "ready", "c")

    now = build.layer("read data", "sum over the rows: the operands; which kind of instruction")
    lookup = one_hot_sum(**sized(shape, shape.addresses))
    length = passed_on(lookup)
    for name in ("from_a", "from_b"):
        word = getattr(now, name)
        build.place(lookup, name, (j,), length, x=Signal(lambda i, word=word: word[i, j]))
    a_valid = total(address, now.at_a[address])
    b_valid = total(address, now.at_b[address])
    flags(build, a_valid, b_valid, now.a_is_port, now.b_is_port, now.ready)
    carry_fields(build, now, "at_b!", "mem", "pc", "fault", "input", "ready", "c")

    now = build.layer("compute", "subtract, compare, add 3 to the pc; the place to write; faults")
    compute(build, now, shape, now.from_a, now.from_b)
    write(build, shape)
    return finish(build, shape)


def select_instruction(build: Builder, shape: Dimensions) -> None:
    """A layer: match the program counter; select the instruction's three words."""
    bits = shape.bits
    code, place, j = Index("i", shape.code), Index("i", shape.words), Index("j", bits)
    now = build.layer("read addresses", "match the pc; select the instruction's three words")
    given = now
    mem = Signal(lambda i, j: given.keep[i, j] + given.set[i, j], (shape.words, bits))
    pc = Signal(lambda j: given.jump_to[j] + given.go_on[j] + given.stay[j], (bits,))
    running = 1 - now.fault
    build.place(match(bits=bits), "here", (code,), {"i": code}, True, p=pc, on=running)
    for name, ahead in (("a", 0), ("b", 1), ("c", 2)):
        build.place(
            select(bits=bits),
            name,
            (code, j),
            {"i": code},
            True,
            p=pc,
            on=running,
            m=mem[code + ahead, j],
        )
    build.place(carry(), "mem", (place, j), {"top": 1}, x=mem[place, j])
    build.place(carry(), "pc", (j,), {"top": 1}, x=pc[j])
    carry_fields(build, now, "fault", "input", "ready")


def sum_instruction(build: Builder, now: SimpleNamespace, shape: Dimensions) -> None:
    """In a layer: the words A, B, C, and whether there is an instruction."""
    j = Index("j", shape.bits)
    fetch = one_hot_sum(**sized(shape, shape.code))
    length = passed_on(fetch)
    build.place(fetch, "run", (), length, x=now.here)
    for name in ("a", "b", "c"):
        word = getattr(now, name)
        build.place(fetch, name, (j,), length, x=Signal(lambda i, word=word: word[i, j]))
    carry_fields(build, now, "mem", "pc", "fault", "input", "ready")


def select_operand(build: Builder, now: SimpleNamespace, shape: Dimensions, name: str) -> None:
    """In a layer: the word at the address A or B, in its row."""
    address, j = Index("i", shape.addresses), Index("j", shape.bits)
    build.place(
        select(bits=shape.bits),
        f"from_{name}",
        (address, j),
        {"i": address},
        True,
        p=getattr(now, name),
        on=now.run,
        m=now.mem[address, j],
    )


def flags(
    build: Builder,
    a_valid: Affine,
    b_valid: Affine,
    a_is_port: Affine,
    b_is_port: Affine,
    ready: Affine,
) -> None:
    """In a layer: which kind of instruction it is, from what A and B are."""
    build.place(and_(inputs=2), "subtracts", x=a_valid, y=b_valid)
    build.place(and_(inputs=2), "valid", x=a_valid, y=b_is_port)
    build.place(and_(inputs=3), "takes", x=a_is_port, y=b_valid, z=ready)
    build.place(and_(inputs=3), "wanted", x=a_is_port, y=b_valid, z=1 - ready)


def compute(
    build: Builder, now: SimpleNamespace, shape: Dimensions, from_a: Signal, from_b: Signal
) -> None:
    """In a layer: all that is written, from the operands and the kind of instruction.  Words that
    are too wide to be added in one layer take one more.
    """
    bits = shape.bits
    address, j = Index("i", shape.addresses), Index("j", bits)
    flipped = Signal(lambda j: 1 - from_a[j], (bits,))
    three = Signal(lambda j: bit(3, j), (bits,))
    add = adding(bits)
    build.place(add, "difference", x=from_b, y=flipped, carry=1, on=now.subtracts)
    build.place(comparing(bits), "zero", x=from_b, y=from_a, on=now.subtracts)
    build.place(add, "next", x=now.pc, y=three, carry=0, on=1)
    build.place(and_(inputs=2), "received", (j,), x=now.input[j], y=now.takes)
    writes = now.subtracts + now.takes
    build.place(and_(inputs=2), "target", (address,), None, True, x=now.at_b[address], y=writes)
    build.place(and_(inputs=2), "output", (j,), x=from_a[j], y=now.valid)
    build.place(and_(inputs=2), "ready", x=now.ready, y=1 - now.takes)
    build.place(merge(inputs=3), "moves", x=now.subtracts, y=now.takes, z=now.valid)
    build.place(
        nor(inputs=6),
        "stuck",
        x=now.pc[bits - 1],
        y=now.fault,
        z=now.subtracts,
        u=now.valid,
        v=now.takes,
        w=now.wanted,
    )
    kept = ("mem", "pc", "fault", "input", "c", "wanted", "valid")
    carry_fields(build, now, *kept)
    if is_wide(bits):
        now = build.layer("compute", "choose the high half by the carry of the low half")
        carry_fields(build, now, "target!", "received", "output", "ready", "moves", "stuck", *kept)


def write(build: Builder, shape: Dimensions) -> None:
    """The last layer: write the memory; choose the next program counter."""
    bits = shape.bits
    place, j = Index("i", shape.words), Index("j", bits)
    now = build.layer("write", "keep every word but one, set that one; jump, go on or stay")
    jumps = now.difference[bits - 1] + now.zero
    written = within(now.target, shape, place)
    result = now.difference[j] + now.received[j]
    build.place(unless(), "keep", (place, j), m=now.mem[place, j], h=written)
    build.place(and_(inputs=2), "set", (place, j), x=written, y=result)
    build.place(and_(inputs=2), "jump_to", (j,), x=now.c[j], y=jumps)
    build.place(and_(inputs=2), "go_on", (j,), x=now.next[j], y=now.moves - jumps)
    build.place(unless(), "stay", (j,), m=now.pc[j], h=now.moves)
    build.place(merge(inputs=2), "fault", x=now.fault, y=now.stuck)
    carry_fields(build, now, "input", "ready", "wanted", "output", "valid")


def finish(build: Builder, shape: Dimensions) -> Network:
    """The network whose last layer is the vector."""
    return closed(build, vector_fields(shape))
