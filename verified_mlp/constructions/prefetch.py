"""The step in 3 layers: the vector holds the instruction that is executed next.

A pass has to look up an instruction, then its operands, then to compute.  Here the vector holds the
three words A, B, C at the program counter as well, so the first layer looks up the operands at
once.  The price is that a pass leaves the words of the next instruction, before it is known which
that is, and before the result is written.  So the words at both places where the next instruction
may be, C and pc + 3, are looked up beside the operands; those that the write replaces are dropped,
for whether B is their address is known already; and the result stands in for them.

| the step goes on | word k, if it is not at B | word k, if B is its address         |
|------------------|---------------------------|-------------------------------------|
| at C             | mem[C + k]                | the difference                      |
| at pc + 3        | mem[pc + 3 + k]           | the difference, or the input word   |
| at pc (it waits) | as it was                 | as it was, for nothing is written   |

As in `compact` the layer after reads sums, and the next pass those of the last layer: the vector
holds the memory, the program counter, the three words and whether there is an instruction (`run`)
as several fields each, of which the sum is meant.  Words of more than 49 bits are added in halves,
and take a fourth layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, reduce
from operator import add
from types import SimpleNamespace

from verified_mlp.constructions.common import closed, passed_on, within
from verified_mlp.gadgets.carry import carry, carry_fields
from verified_mlp.gadgets.logic_gates import and_, nor
from verified_mlp.gadgets.match import match, select
from verified_mlp.gadgets.one_hot_sum import one_hot_sum, sized
from verified_mlp.gadgets.unless import unless
from verified_mlp.gadgets.wide_words import adding, comparing, is_wide
from verified_mlp.gadgets.word_below import word_below
from verified_mlp.gadgets.word_tests import all_ones
from verified_mlp.logic import Value, both, where
from verified_mlp.machine.shape import Dimensions
from verified_mlp.machine.state import state_fields
from verified_mlp.machine.step import Before, Limits
from verified_mlp.statement.affine import Affine, Signal, to_affine, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Expr, Index, at_most, bit, const
from verified_mlp.statement.network import Field, Network

WORDS = ("a", "b", "c")
"""The words of the instruction at the program counter, in order."""
FLAGS = ("run",)
"""Whether there is an instruction to execute."""

PASSING = ("mem", "pc", "input", "ready", "a", "b", "c", "run")
"""What the second layer hands on."""
FOUND = ("subtracts", "valid", "takes", "wanted", "halted", "from_a", "in_code_c", "in_code_n")
ROWS = (
    "target",
    *(
        f"{which}_{at}{ahead}"
        for at in "cn"
        for ahead, _ in enumerate(WORDS)
        for which in ("old", "new")
    ),
)
"""What it finds besides the result: bits and a word; arrays of which at most one row is not 0."""


def word_parts(word: str) -> tuple[str, ...]:
    """The fields of the vector whose sum is a word of the instruction: looked up at C, or the
    difference instead; looked up at pc + 3 after a subtraction, or the difference; after input or
    output, or the input word; the word as it was, while the machine waits.
    """
    ends = ("at_c", "set_at_c", "ahead", "set_ahead", "passed", "got", "again")
    return tuple(f"{word}_{end}" for end in ends)


SUMS = {
    "mem": ("keep", "set", "got"),
    "pc": ("jump_to", "go_on", "passed_on", "stay"),
    "run": ("run_at_c", "run_ahead", "run_passed", "run_again"),
    **{word: word_parts(word) for word in WORDS},
}
"""The fields that are sums of fields of the vector: of the state, and those that are prefetched."""


def prefetched(shape: Limits, state: Before) -> dict[str, Value]:
    """What the vector holds of a state besides its own fields: the words of the instruction that
    the step executes, and 1; or zeros, if there is none.

    It only chooses words, so it serves for the words of memory and for one bit of each alike.
    """
    running = both(state.pc < shape.modulus // 2, state.fault == 0)
    fetched = both(running, state.pc < shape.words - 2)
    at = where(fetched, state.pc, 0)
    words = {
        word: where(fetched, state.mem.load(at + ahead), 0) for ahead, word in enumerate(WORDS)
    }
    return {"run": where(fetched, 1, 0), **words}


def vector_fields(shape: Dimensions) -> tuple[Field, ...]:
    """The fields of the state vector, in order: those of the state, or those that they are the sum
    of; then those of the prefetched flag and words.
    """
    word = (shape.bits,)
    own = (*map(Field, FLAGS), *(Field(name, word, word=True) for name in WORDS))
    return tuple(
        Field(part, source.extents, word=source.word)
        for source in (*state_fields(shape), *own)
        for part in SUMS.get(source.name, (source.name,))
    )


@lru_cache(maxsize=8)
def prefetch(shape: Dimensions) -> Network:
    """The network of a shape: the state vector in, the state vector after one step out.

    That of a family of shapes has their parameters free; `settle` gives that of a shape.
    """
    build = Builder("prefetch", vector_fields(shape))
    _look_up(build, shape)
    _compute(build, shape)
    if is_wide(shape.bits):
        _choose(build)
    _write(build, shape)
    return closed(build, vector_fields(shape))


def _look_up(build: Builder, shape: Dimensions) -> None:
    """The first layer."""
    bits = shape.bits
    address, code = Index("i", shape.addresses), Index("i", shape.code)
    place, j = Index("i", shape.words), Index("j", bits)
    given = build.layer(
        "read data", "select the operands, and the words at C and at pc + 3; test A and B; pc + 3"
    )
    sums = _sums(given, shape)
    mem, pc, run, a, b, c = (sums[name] for name in ("mem", "pc", "run", *WORDS))
    on = run[()]
    row = {"i": address}
    build.place(match(bits=bits), "at_b", (address,), row, True, p=b, on=on)
    for name, word in (("a", a), ("b", b)):
        build.place(
            select(bits=bits),
            f"from_{name}",
            (address, j),
            row,
            True,
            p=word,
            on=on,
            m=mem[address, j],
        )
        limit = {"limit": shape.addresses}
        build.place(word_below(bits=bits), f"{name}_valid", (), limit, x=word, on=on)
    build.place(all_ones(bits=bits), "b_is_port", x=b)
    port = {"i": 2**bits - 1}
    build.place(match(bits=bits), "a_takes", (), port, p=a, on=given.ready)
    build.place(match(bits=bits), "a_waits", (), port, p=a, on=1 - given.ready)

    three = Signal(lambda j: bit(3, j), (bits,))
    build.place(adding(bits), "next", x=pc, y=three, carry=0, on=1)
    row = {"i": code}
    for at, word, first in (("c", c, 0), ("n", pc, 3)):
        inside = _inside(shape, code, first)
        build.place(match(bits=bits), f"here_{at}", (code,), row, True, p=word, on=on * inside)
        for ahead, _ in enumerate(WORDS):
            build.place(
                select(bits=bits),
                f"{at}{ahead}",
                (code, j),
                row,
                True,
                p=word,
                on=on,
                m=mem[code + (first + ahead), j] * inside,
            )
    build.place(carry(), "mem", (place, j), {"top": 1}, x=mem[place, j])
    for name, word in (("pc", pc), ("a", a), ("b", b), ("c", c)):
        build.place(carry(), name, (j,), {"top": 1}, x=word[j])
    build.place(carry(), "run", (), {"top": 1}, x=on)
    carry_fields(build, given, "fault", "input", "ready")


def _compute(build: Builder, shape: Dimensions) -> None:
    """The second layer."""
    bits = shape.bits
    address, code, j = Index("i", shape.addresses), Index("i", shape.code), Index("j", bits)
    now = build.layer(
        "compute", "subtract, compare; what is done; drop the words that the write replaces"
    )
    from_a, from_b = (
        Signal(lambda j, rows=rows: total(address, rows[address, j]), (bits,))
        for rows in (now.from_a, now.from_b)
    )
    flipped = Signal(lambda j: 1 - from_a[j], (bits,))
    build.place(adding(bits), "difference", x=from_b, y=flipped, carry=1, on=1)
    build.place(comparing(bits), "zero", x=from_b, y=from_a, on=1)
    lookup = one_hot_sum(**sized(shape, shape.addresses))
    column = Signal(lambda i: now.from_a[i, j])
    build.place(lookup, "from_a", (j,), passed_on(lookup), x=column)

    build.place(and_(inputs=2), "subtracts", x=now.a_valid, y=now.b_valid)
    build.place(and_(inputs=2), "valid", x=now.a_valid, y=now.b_is_port)
    build.place(and_(inputs=2), "takes", x=now.a_takes, y=now.b_valid)
    build.place(and_(inputs=2), "wanted", x=now.a_waits, y=now.b_valid)
    build.place(and_(inputs=2), "halted", x=now.pc[bits - 1], y=1 - now.fault)
    writes = now.a_valid + now.a_takes
    build.place(and_(inputs=2), "target", (address,), None, True, x=now.at_b[address], y=writes)

    found = one_hot_sum(**sized(shape, shape.code))
    for at, first in (("c", 0), ("n", 3)):
        here, inside = getattr(now, f"here_{at}"), _inside(shape, code, first)
        build.place(found, f"in_code_{at}", (), passed_on(found), x=here)
        for ahead, _ in enumerate(WORDS):
            rows = getattr(now, f"{at}{ahead}")
            replaced = now.at_b[code + (first + ahead)] * inside
            old, new = f"old_{at}{ahead}", f"new_{at}{ahead}"
            kept = {"x": rows[code, j], "y": 1 - replaced}
            build.place(and_(inputs=2), old, (code, j), None, True, **kept)
            build.place(and_(inputs=2), new, (code,), None, True, x=here[code], y=replaced)
    carry_fields(build, now, *PASSING, *([] if is_wide(bits) else ["next"]))


def _choose(build: Builder) -> None:
    """The layer that words take which are too wide to be added in one."""
    now = build.layer("compute", "choose the high half by the carry of the low half")
    carry_fields(build, now, *PASSING, "next", *FOUND, *(f"{each}!" for each in ROWS))


def _write(build: Builder, shape: Dimensions) -> None:
    """The last layer."""
    bits = shape.bits
    code, place, j = Index("i", shape.code), Index("i", shape.words), Index("j", bits)
    now = build.layer("write", "keep every word but one, set that one; the next instruction")
    jumps = now.difference[bits - 1] + now.zero
    written = within(now.target, shape, place)
    passes = now.takes + now.valid
    moves = now.subtracts + passes
    build.place(unless(), "keep", (place, j), m=now.mem[place, j], h=written)
    build.place(and_(inputs=3), "set", (place, j), x=written, y=now.difference[j], z=now.subtracts)
    build.place(and_(inputs=3), "got", (place, j), x=written, y=now.input[j], z=now.takes)

    build.place(and_(inputs=3), "jump_to", (j,), x=now.c[j], y=jumps, z=now.subtracts)
    build.place(and_(inputs=3), "go_on", (j,), x=now.next[j], y=1 - jumps, z=now.subtracts)
    build.place(and_(inputs=2), "passed_on", (j,), x=now.next[j], y=passes)
    build.place(unless(), "stay", (j,), m=now.pc[j], h=moves)

    for ahead, word in enumerate(WORDS):
        old_c, old_n = (total(code, getattr(now, f"old_{at}{ahead}")[code, j]) for at in "cn")
        new_c, new_n = (total(code, getattr(now, f"new_{at}{ahead}")[code]) for at in "cn")
        result, own = now.difference[j], getattr(now, word)[j]
        at_c, set_at_c, next_, set_next, passed, got, again = word_parts(word)
        for name, old, on in ((at_c, old_c, jumps), (next_, old_n, 1 - jumps)):
            build.place(and_(inputs=3), name, (j,), x=old, y=on, z=now.subtracts)
        for name, new, on in ((set_at_c, new_c, jumps), (set_next, new_n, 1 - jumps)):
            build.place(and_(inputs=4), name, (j,), x=new, y=result, z=now.subtracts, u=on)
        build.place(and_(inputs=2), passed, (j,), x=old_n, y=passes)
        build.place(and_(inputs=3), got, (j,), x=new_n, y=now.input[j], z=now.takes)
        build.place(and_(inputs=2), again, (j,), x=own, y=now.wanted)
    build.place(and_(inputs=3), "run_at_c", x=now.in_code_c, y=jumps, z=now.subtracts)
    build.place(and_(inputs=3), "run_ahead", x=now.in_code_n, y=1 - jumps, z=now.subtracts)
    build.place(and_(inputs=2), "run_passed", x=now.in_code_n, y=passes)
    build.place(and_(inputs=2), "run_again", x=now.run, y=now.wanted)

    # Where the fault flag is set nothing else happens, so it is set again.
    build.place(
        nor(inputs=5),
        "fault",
        x=now.halted,
        y=now.subtracts,
        z=now.takes,
        u=now.valid,
        v=now.wanted,
    )
    build.place(and_(inputs=2), "ready", x=now.ready, y=1 - now.takes)
    build.place(and_(inputs=2), "output", (j,), x=now.from_a[j], y=now.valid)
    carry_fields(build, now, "input", "wanted", "valid")


def _sums(given: SimpleNamespace, shape: Dimensions) -> Mapping[str, Signal]:
    """What the sums of fields of the vector stand for; those of flags are read at ()."""
    extents = {"mem": (shape.words, shape.bits), "run": ()}

    def read(part: str, at: tuple[Index, ...]) -> Affine:
        signal = getattr(given, part)
        return to_affine(signal[at] if at else signal)

    def added(parts: tuple[str, ...], at: tuple[Index, ...]) -> Affine:
        return reduce(add, (read(part, at) for part in parts))

    return {
        name: Signal(lambda *at, parts=parts: added(parts, at), extents.get(name, (shape.bits,)))
        for name, parts in SUMS.items()
    }


def _inside(shape: Dimensions, row: Index, ahead: int) -> Expr:
    """1 if an instruction can stand so many words after a row, else 0: the last rows have none."""
    return at_most(row, shape.code - 1 - ahead) if ahead else const(1)
