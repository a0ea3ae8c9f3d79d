"""The machine's state, and the vector that encodes it.

The vector is the construction's input and output; the fields below are its entries in order.
Everything in it is 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from verified_mlp.machine.shape import Dimensions
from verified_mlp.statement.network import Field


@dataclass(slots=True)
class State:
    """Memory, program counter, fault flag, input word and its ready flag; and the results of the
    last pass: whether it wants input, the output word and whether there is one.

    Words are 0..2**bits-1 (two's complement).  Flags are 0 or 1.
    """

    mem: list[int]
    pc: int = 0
    fault: int = 0
    input: int = 0
    ready: int = 0
    wanted: int = field(default=0)
    output: int = field(default=0)
    valid: int = field(default=0)


def state_fields(shape: Dimensions) -> tuple[Field, ...]:
    """The fields of the state vector, in order."""
    word = (shape.bits,)
    return (
        Field("mem", (shape.words, shape.bits), word=True),
        Field("pc", word, word=True),
        Field("fault"),
        Field("input", word, word=True),
        Field("ready"),
        Field("wanted"),
        Field("output", word, word=True),
        Field("valid"),
    )
