"""Tests on a word: zero, at most zero, all ones."""

from __future__ import annotations

from verified_mlp.gadgets.logic_gates import and_, or_
from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import Value, both, either, value, where
from verified_mlp.statement.affine import total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Field, Gadget


@gadget(lambda shape: [{"bits": shape.bits}])
def is_zero(bits: int) -> Gadget:
    """1 if the word r is 0 and the gate is on: ReLU(on - sum of the bits).

    | bits set in r | on | z |
    |---------------|----|---|
    | 0             | 1  | 1 |
    | 0             | 0  | 0 |
    | >= 1          | any| 0 |
    """
    k = Index("k", bits)
    build = Builder("is_zero", [Field("r", (bits,), word=True), Field("on")])
    now = build.layer()
    build.neurons("z", (), now.on - total(k, now.r[k]))
    done = build.close()
    return Gadget(
        name="is_zero",
        network=build.build(build.output("z", (), done.z)),
        spec={"z": lambda r, on: where(both(value(r, 0, bits) == 0, on == 1), 1, 0)},
        source="ours; part of the paper's conditional branch",
        formula="z = ReLU(on - sum_k r_k)",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"bits": shape.bits}])
def all_ones(bits: int) -> Gadget:
    """1 if every bit of the word x is 1: ReLU(sum of the bits - (bits - 1)).

    | bits set in x | y |
    |---------------|---|
    | all           | 1 |
    | fewer         | 0 |
    """
    k = Index("k", bits)
    build = Builder("all_ones", [Field("x", (bits,), word=True)])
    now = build.layer()
    build.neurons("y", (), total(k, now.x[k]) - (bits - 1))
    done = build.close()
    return Gadget(
        name="all_ones",
        network=build.build(build.output("y", (), done.y)),
        spec={"y": lambda x: where(value(x, 0, bits) == 2**bits - 1, 1, 0)},
        source="ours; recognises -1, the address of input and output",
        formula="y = ReLU(sum_k x_k - (bits - 1))",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"bits": shape.bits}])
def at_most_zero(bits: int) -> Gadget:
    """1 if the two's complement word r is <= 0 and the gate is on, in two layers.

    Layer 1: z = [r = 0 and on], s = [sign bit of r and on].  Layer 2: z or s.

    | r              | on | z | s | out |
    |----------------|----|---|---|-----|
    | 0              | 1  | 1 | 0 | 1   |
    | sign bit set   | 1  | 0 | 1 | 1   |
    | positive       | 1  | 0 | 0 | 0   |
    | any            | 0  | 0 | 0 | 0   |
    """
    build = Builder("at_most_zero", [Field("r", (bits,), word=True), Field("on")])
    now = build.layer()
    build.place(is_zero(bits=bits), "zero", r=now.r, on=now.on)
    build.place(and_(inputs=2), "sign", x=now.r[bits - 1], y=now.on)
    now = build.layer()
    build.place(or_(), "either", x=now.zero, y=now.sign)
    done = build.close()

    def spec(r: Value, on: Value) -> Value:
        number = value(r, 0, bits)
        return where(both(either(number == 0, number >= 2 ** (bits - 1)), on == 1), 1, 0)

    return Gadget(
        name="at_most_zero",
        network=build.build(build.output("out", (), done.either)),
        spec={"out": spec},
        source="ours; the paper's conditional branch",
        formula="out = [r = 0 and on] or [r_top and on]",
        settings={"bits": bits},
    )
