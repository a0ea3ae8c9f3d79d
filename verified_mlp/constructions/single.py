"""The step in one layer: every instruction that could be executed has neurons of its own.

For every place p of an instruction and all numbers that its words A and B can be, there are neurons
that compute what it does: the difference, whether it jumps, the bits that it replaces.  All of them
are 0 but in the case that is there, so the sum over the cases is what is done.  That sum needs no
layer: the next pass reads it.

So the state vector holds, for every field of the state, the neurons whose sum with signs is meant
(see `forms`).  Every neuron reads the whole of the sums that it needs.  The number of neurons is
O(words**3 * bits), that of weights the square of it: for a few words of a few bits only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.instruction import (
    instruction_bit,
    instruction_difference,
    instruction_jump,
)
from verified_mlp.gadgets.logic_gates import nor
from verified_mlp.machine.shape import Dimensions, NotBuiltError
from verified_mlp.statement.affine import Affine, Signal, field, to_affine, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Expr, ExprLike, Extent, Index, at_most, bit
from verified_mlp.statement.network import Field, Network

THRESHOLDS = tuple(
    (f"{step}.{neuron}", sign * sense)
    for step, sign in (("one", 1), ("two", -1), ("three", 1))
    for neuron, sense in (("reached", 1), ("passed", -1))
)
"""The neurons of a difference or of a comparison, with the signs by which they are added up."""

_NEURONS = {"difference": THRESHOLDS, "leap": THRESHOLDS}
_AXES = {
    "keep": "ij",
    "old": "puvj",
    "difference": "puvj",
    "got": "pvj",
    "lost": "pvj",
    "stay": "j",
    "moved": "puv",
    "leap": "puvj",
    "taken": "pv",
    "printed": "pu",
    "faulty": "",
    "running": "",
    "waits": "pv",
    "input": "j",
    "primed": "",
    "shown": "puj",
}
"""What is computed, in the order of the vector, and over which indices: the place p of an
instruction, its words A = u and B = v, an address i, a bit j.
"""


def vector_fields(shape: Dimensions) -> tuple[Field, ...]:
    """The fields of the state vector, in order: the neurons."""
    sizes = _sizes(shape)
    return tuple(
        Field(name, tuple(sizes[axis] for axis in axes), high=high, word=part == "input")
        for part, axes in _AXES.items()
        for name, high in _names(part, 2 * shape.modulus)
    )


def _names(part: str, most: int) -> list[tuple[str, int]]:
    """The fields of which a part consists, and their largest values."""
    return [(f"{part}.{each}", most) for each, _ in _NEURONS.get(part, ())] or [(part, 1)]


MOST_BITS, MOST_WORDS = 5, 5


def _check_tiny(shape: Dimensions) -> None:
    """Raise NotBuiltError for a shape whose network would be too large to build."""
    tiny = shape.bits <= MOST_BITS and isinstance(shape.words, int) and shape.words <= MOST_WORDS
    if isinstance(shape.words, int) and not tiny:
        raise NotBuiltError(
            f"the construction single is for at most {MOST_WORDS} words of {MOST_BITS} bits, not "
            f"{shape}: every neuron of one case of an instruction reads those of all cases, so the "
            "number of weights grows with the sixth power of the number of words; choose a smaller "
            "shape or another construction."
        )


def _sizes(shape: Dimensions) -> dict[str, Extent]:
    return {
        "p": shape.code,
        "u": shape.addresses,
        "v": shape.addresses,
        "i": shape.words,
        "j": shape.bits,
    }


def forms(shape: Dimensions) -> Mapping[str, Signal]:
    """How the vector is decoded: the fields of the state as linear forms of it, but for `input`,
    which is a field of the vector.
    """
    bits = shape.bits
    # Names of their own, for the positions that are read have indices p, u, v too.
    p, u, v = (Index(f"each.{name}", _sizes(shape)[name]) for name in "puv")
    read = {part: _entries(part) for part in _AXES}

    def mem(i: Expr, j: Expr) -> Affine:
        written = total(p, total(u, read["difference"][p, u, i, j] - read["old"][p, u, i, j]))
        written = written + total(p, read["got"][p, i, j] - read["lost"][p, i, j])
        if shape.words != shape.addresses:
            # The word with the address of all ones is never written.
            written = written * at_most(i, shape.addresses - 1)
        return read["keep"][i, j] + written

    def pc(j: Expr) -> Affine:
        after = bit(p + 3, j)
        change = after - bit(p, j)
        leap = (1 - 2 * after) * read["leap"][p, u, v, j]
        return (
            read["stay"][j]
            + total(p, total(u, total(v, change * read["moved"][p, u, v] + leap)))
            + total(p, total(v, change * read["taken"][p, v]))
            + total(p, total(u, change * read["printed"][p, u]))
        )

    moved = total(p, total(u, total(v, read["moved"][p, u, v])))
    taken, waits = (total(p, total(v, read[name][p, v])) for name in ("taken", "waits"))
    printed = total(p, total(u, read["printed"][p, u]))
    fault = read["faulty"][()] + read["running"][()] - moved - taken - printed - waits
    ready = read["primed"][()] - taken
    return {
        "mem": Signal(mem, (shape.words, bits)),
        "pc": Signal(pc, (bits,)),
        "fault": Signal(lambda: fault, ()),
        "ready": Signal(lambda: ready, ()),
        "wanted": Signal(lambda: waits, ()),
        "output": Signal(lambda j: total(p, total(u, read["shown"][p, u, j])), (bits,)),
        "valid": Signal(lambda: printed, ()),
    }


def _entries(part: str) -> Signal:
    """What is computed, as a form of its neurons."""
    rank = len(_AXES[part])
    neurons = [(field(f"{part}.{name}", rank), sign) for name, sign in _NEURONS.get(part, ())] or [
        (field(part, rank), 1)
    ]

    def at(*positions: Expr) -> Affine:
        form = to_affine(0)
        for signal, sign in neurons:
            form = form + signal[positions] * sign
        return form

    return Signal(at)


ENCODED = {
    "mem": "keep",
    "pc": "stay",
    "fault": "faulty",
    "input": "input",
    "ready": "primed",
}
"""The fields of the vector as which a state is encoded; all others are 0."""


@lru_cache(maxsize=4)
def single(shape: Dimensions) -> Network:
    """The network of a shape: the state vector in, the state vector after one step out.

    That of a family of shapes has their parameters free; `settle` gives that of a shape.

    Raises NotBuiltError for a shape of more words or bits than `MOST_WORDS` and `MOST_BITS`.
    """
    _check_tiny(shape)
    bits, port = shape.bits, shape.modulus - 1
    p, u, v, i, j = (Index(name, size) for name, size in _sizes(shape).items())
    build = Builder("single", vector_fields(shape))
    now = build.layer("all", "every instruction that there could be; sums are read as the state")
    state = forms(shape)
    mem, pc = state["mem"], state["pc"]
    fault, ready = state["fault"][()], state["ready"][()]
    words: dict[str, Any] = {
        "p": pc,
        "a": Signal(lambda k: mem[p, k], (bits,)),
        "b": Signal(lambda k: mem[p + 1, k], (bits,)),
    }
    operands: dict[str, Any] = {
        "x": Signal(lambda k: mem[v, k], (bits,)),
        "y": Signal(lambda k: mem[u, k], (bits,)),
    }
    subtracts: dict[str, ExprLike] = {"i": p, "u": u, "v": v}
    takes, prints = {**subtracts, "u": port}, {**subtracts, "v": port}
    pick, difference = instruction_bit(bits=bits), instruction_difference(bits=bits)
    goes = {**subtracts, "q": bit(p + 3, j)}
    top = {"top": 1}

    build.place(carry(), "keep", (i, j), top, x=mem[i, j])
    build.place(pick, "old", (p, u, v, j), subtracts, **words, m=mem[v, j], off=fault)
    build.place(difference, "difference", (p, u, v), subtracts, **words, **operands, off=fault)
    not_there = fault + 1 - ready
    build.place(pick, "got", (p, v, j), takes, **words, m=now.input[j], off=not_there)
    build.place(pick, "lost", (p, v, j), takes, **words, m=mem[v, j], off=not_there)
    build.place(carry(), "stay", (j,), top, x=pc[j])
    build.place(pick, "moved", (p, u, v), subtracts, **words, m=1, off=fault)
    build.place(
        instruction_jump(bits=bits),
        "leap",
        (p, u, v, j),
        goes,
        **words,
        **operands,
        c=mem[p + 2, j],
        off=fault,
    )
    build.place(pick, "taken", (p, v), takes, **words, m=ready, off=fault)
    build.place(pick, "printed", (p, u), prints, **words, m=1, off=fault)
    build.place(carry(), "faulty", (), top, x=fault)
    build.place(nor(inputs=2), "running", (), x=pc[bits - 1], y=fault)
    build.place(pick, "waits", (p, v), takes, **words, m=1 - ready, off=fault)
    build.place(carry(), "input", (j,), top, x=now.input[j])
    build.place(carry(), "primed", (), top, x=ready)
    build.place(pick, "shown", (p, u, j), prints, **words, m=mem[u, j], off=fault)
    build.arrange(*_AXES)
    build.close()
    return build.build(
        *(
            build.output(
                source.name,
                source.indices,
                field(source.name, len(source.extents))[source.indices],
                largest=source.largest,
                word=source.word,
            )
            for source in vector_fields(shape)
        )
    )
