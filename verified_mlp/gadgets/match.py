"""Match an address; select the word at it."""

from __future__ import annotations

from types import SimpleNamespace

from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import both, value, where
from verified_mlp.statement.affine import Affine, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, bit, var
from verified_mlp.statement.network import Field, Gadget, Parameter, Support

_SOURCE = "ours; takes the place of the paper's address lookup, with 0/1 in place of +1/-1 bits"


def _disagreement(now: SimpleNamespace, bits: int) -> Affine:
    """Minus the number of bits in which p differs from the address i.

    (2 i_k - 1) p_k - i_k is 0 where the bits agree and -1 where they differ:

    | i_k | p_k | (2 i_k - 1) p_k - i_k |
    |-----|-----|-----------------------|
    | 0   | 0   | 0                     |
    | 0   | 1   | -1                    |
    | 1   | 0   | -1                    |
    | 1   | 1   | 0                     |
    """
    k = Index("k", bits)
    address_bit = bit(var("i"), k)
    return total(k, (2 * address_bit - 1) * now.p[k] - address_bit)


@gadget(lambda shape: [{"bits": shape.bits}])
def match(bits: int) -> Gadget:
    """1 if the word p is the address i and the gate is on, else 0.

    h = ReLU(on - d), where d is the number of bits in which p and i differ.

    | d    | on | h |
    |------|----|---|
    | 0    | 1  | 1 |
    | 0    | 0  | 0 |
    | >= 1 | any| 0 |
    """
    build = Builder("match", [Field("p", (bits,), word=True), Field("on")])
    now = build.layer()
    build.neurons("h", (), _disagreement(now, bits) + now.on)
    done = build.close()
    return Gadget(
        name="match",
        network=build.build(build.output("h", (), done.h)),
        parameters=(Parameter("i", 0, 2**bits - 1, bits=bits),),
        spec={
            "h": lambda p, on, i: where(both(value(p, 0, bits) == i, on == 1), 1, 0),
        },
        source=_SOURCE,
        formula="h = ReLU(sum_k ((2 i_k - 1) p_k - i_k) + on)",
        settings={"bits": bits},
        support=(Support("h", spells=("i", "p")),),
    )


@gadget(lambda shape: [{"bits": shape.bits}])
def select(bits: int) -> Gadget:
    """The bit m if the word p is the address i and the gate is on, else 0.

    s = ReLU(m + on - 1 - d), where d is the number of bits in which p and i differ.

    | d    | on | s |
    |------|----|---|
    | 0    | 1  | m |
    | 0    | 0  | 0 |
    | >= 1 | any| 0 |
    """
    build = Builder("select", [Field("p", (bits,), word=True), Field("on"), Field("m")])
    now = build.layer()
    build.neurons("s", (), _disagreement(now, bits) + now.on + now.m - 1)
    done = build.close()
    return Gadget(
        name="select",
        network=build.build(build.output("s", (), done.s)),
        parameters=(Parameter("i", 0, 2**bits - 1, bits=bits),),
        spec={
            "s": lambda p, on, m, i: where(both(value(p, 0, bits) == i, on == 1), m, 0),
        },
        source=_SOURCE,
        formula="s = ReLU(sum_k ((2 i_k - 1) p_k - i_k) + on + m - 1)",
        settings={"bits": bits},
        support=(Support("s", spells=("i", "p")),),
    )
