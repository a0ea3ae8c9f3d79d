"""The paper's construction: 23 layers in six stages of 2, 2, 7, 2, 6 and 4.

Source: Liang, Sha, Shi, Song, Zhou, *Looped ReLU MLPs May Be All You Need as Practical
Programmable Computers* (arXiv 2410.09375), for the stages and their numbers of layers; the
gadgets inside are ours, as are input, output, halting and faults.
"""

from __future__ import annotations

from functools import lru_cache

from verified_mlp.constructions.common import closed, passed_on, within
from verified_mlp.gadgets.adder import increment, subtract
from verified_mlp.gadgets.carry import carry, carry_fields
from verified_mlp.gadgets.choose import choose, write_or_keep
from verified_mlp.gadgets.logic_gates import and_, merge, nor
from verified_mlp.gadgets.match import match, select
from verified_mlp.gadgets.one_hot_sum import one_hot_sum, sized
from verified_mlp.gadgets.word_tests import all_ones, at_most_zero
from verified_mlp.machine.shape import Dimensions
from verified_mlp.machine.state import state_fields
from verified_mlp.statement.affine import Signal, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Network

STAGES = (
    ("read addresses", 2),
    ("read data", 2),
    ("subtract", 7),
    ("write back", 2),
    ("next pc", 6),
    ("branch", 4),
)


@lru_cache(maxsize=8)
def paper(shape: Dimensions) -> Network:
    """The network of a shape: the state vector in, the state vector after one step out.

    That of a family of shapes has their parameters free; `settle` gives that of a shape.
    """
    bits = shape.bits
    build = Builder("paper", state_fields(shape))
    code = Index("i", shape.code)
    address = Index("i", shape.addresses)
    place = Index("i", shape.words)
    j = Index("j", bits)

    now = build.layer("read addresses", "match the pc; select the instruction's three words")
    running = 1 - now.fault
    build.place(match(bits=bits), "here", (code,), {"i": code}, True, p=now.pc, on=running)
    for name, ahead in (("a", 0), ("b", 1), ("c", 2)):
        build.place(
            select(bits=bits),
            name,
            (code, j),
            {"i": code},
            True,
            p=now.pc,
            on=running,
            m=now.mem[code + ahead, j],
        )
    carry_fields(build, now, "mem", "pc", "fault", "input", "ready")

    now = build.layer("read addresses", "sum over the rows: the words A, B, C")
    fetch = one_hot_sum(**sized(shape, shape.code))
    length = passed_on(fetch)
    build.place(fetch, "run", (), length, x=now.here)
    for name in ("a", "b", "c"):
        word = getattr(now, name)
        build.place(fetch, name, (j,), length, x=Signal(lambda i, word=word: word[i, j]))
    carry_fields(build, now, "mem", "pc", "fault", "input", "ready")

    now = build.layer("read data", "match A and B; select the words at them; test them for -1")
    for name in ("a", "b"):
        word = getattr(now, name)
        at = {"i": address}
        build.place(match(bits=bits), f"at_{name}", (address,), at, True, p=word, on=now.run)
        build.place(
            select(bits=bits),
            f"from_{name}",
            (address, j),
            at,
            True,
            p=word,
            on=now.run,
            m=now.mem[address, j],
        )
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
    build.place(and_(inputs=2), "subtracts", x=a_valid, y=b_valid)
    build.place(and_(inputs=2), "valid", x=a_valid, y=now.b_is_port)
    build.place(and_(inputs=3), "takes", x=now.a_is_port, y=b_valid, z=now.ready)
    build.place(and_(inputs=3), "wanted", x=now.a_is_port, y=b_valid, z=1 - now.ready)
    carry_fields(build, now, "at_b!", "mem", "pc", "fault", "input", "ready", "c")

    now = build.layer("subtract", "flip A's operand; gate B's; the place to write; faults")
    build.place(
        subtract(bits=bits),
        "result",
        a=now.from_a,
        b=now.from_b,
        c=now.input,
        use_b=now.subtracts,
        use_c=now.takes,
    )
    writes = now.subtracts + now.takes
    build.place(and_(inputs=2), "target", (address,), None, True, x=now.at_b[address], y=writes)
    build.place(and_(inputs=2), "output", (j,), x=now.from_a[j], y=now.valid)
    build.place(and_(inputs=2), "ready", x=now.ready, y=1 - now.takes)
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
    carry_fields(build, now, "mem", "pc", "fault", "input", "c")
    carry_fields(build, now, "subtracts", "takes", "wanted", "valid")

    now = build.layer("subtract", "add one: block sums; join the flags")
    build.place(merge(inputs=2), "fault", x=now.fault, y=now.stuck)
    build.place(merge(inputs=3), "moves", x=now.subtracts, y=now.takes, z=now.valid)
    carry_fields(build, now, "target!", "mem", "pc", "input", "ready", "c")
    carry_fields(build, now, "subtracts", "wanted", "valid", "output")

    rest = ("mem", "pc", "fault", "input", "ready", "wanted", "valid", "output")
    branch = ("c", "subtracts", "moves")
    for note in (
        "add one: carries into blocks",
        "add one: bits",
        "add the operands: block sums",
        "add the operands: carries into blocks",
        "add the operands: bits",
    ):
        now = build.layer("subtract", note)
        carry_fields(build, now, "target!", *branch, *rest)

    flags = rest[1:]
    now = build.layer("write back", "keep every word but one; set that one")
    result = now.result
    build.place(
        write_or_keep(),
        "mem",
        (place, j),
        m=now.mem[place, j],
        r=result[j],
        h=within(now.target, shape, place),
    )
    build.place(carry(), "result", (j,), {"top": 1}, x=result[j])
    carry_fields(build, now, *branch, *flags)

    now = build.layer("write back", "sum of kept and set")
    carry_fields(build, now, "result", *branch, *flags)

    now = build.layer("next pc", "pc + 1: block sums")
    build.place(increment(bits=bits, constant=1), "next", x=now.pc)
    carry_fields(build, now, "result", *branch, *rest)
    for note in ("pc + 1: carries into blocks", "pc + 1: bits"):
        now = build.layer("next pc", note)
        carry_fields(build, now, "result", *branch, *rest)
    now = build.layer("next pc", "pc + 3: block sums")
    build.place(increment(bits=bits, constant=2), "next", x=now.next)
    carry_fields(build, now, "result", *branch, *rest)
    for note in ("pc + 3: carries into blocks", "pc + 3: bits"):
        now = build.layer("next pc", note)
        carry_fields(build, now, "result", *branch, *rest)

    now = build.layer("branch", "is the result zero, is it negative")
    build.place(at_most_zero(bits=bits), "jumps", r=now.result, on=now.subtracts)
    build.place(carry(), "next", (j,), {"top": 1}, x=now.next[j])
    carry_fields(build, now, "c", "moves", *rest)

    now = build.layer("branch", "does it jump")
    carry_fields(build, now, "next", "c", "moves", *rest)

    now = build.layer("branch", "C if it jumps, pc + 3 if it moves on, pc if it stands still")
    build.place(
        choose(),
        "pc",
        (j,),
        a=now.c[j],
        b=now.next[j],
        c=now.pc[j],
        first=now.jumps,
        second=now.moves - now.jumps,
    )
    carry_fields(build, now, *(name for name in rest if name != "pc"))

    now = build.layer("branch", "sum of the three")
    carry_fields(build, now, *(name for name in rest if name != "pc"))
    return closed(build, state_fields(shape))
