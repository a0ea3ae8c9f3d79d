"""Gates on bits: NOT, AND, OR, NOR, and the merge of bits of which at most one is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import Value, where
from verified_mlp.statement.affine import Affine, to_affine
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.network import Condition, Field, Gadget, Support

_NAMES = ("x", "y", "z", "u", "v", "w")


def _gate(
    name: str,
    inputs: int,
    row: Callable[[Affine], Any],
    spec: Callable[..., Value],
    conditions: tuple[Condition, ...] = (),
    *,
    formula: str,
    settings: dict[str, int],
    support: tuple[Support, ...] = (),
) -> Gadget:
    """A gate of one neuron ReLU(row(sum of the inputs))."""
    names = _NAMES[:inputs]
    build = Builder(name, [Field(each) for each in names])
    now = build.layer()
    total = to_affine(0)
    for each in names:
        total = total + getattr(now, each)
    build.neurons("out", (), row(total))
    done = build.close()
    return Gadget(
        name=name,
        network=build.build(build.output("out", (), done.out)),
        conditions=conditions,
        spec={"out": spec},
        source="a gate on bits; ours",
        formula=formula,
        settings=settings,
        support=support,
    )


@gadget()
def not_() -> Gadget:
    """1 if x is 0: ReLU(1 - x).

    | x | ReLU(1 - x) |
    |---|-------------|
    | 0 | 1           |
    | 1 | 0           |
    """
    return _gate(
        "not",
        1,
        lambda x: 1 - x,
        lambda x: where(x == 0, 1, 0),
        formula="out = ReLU(1 - x)",
        settings={},
    )


@gadget(lambda shape: [{"inputs": 2}, {"inputs": 3}])
def and_(inputs: int) -> Gadget:
    """1 if all inputs are 1: ReLU(sum - (inputs - 1)).

    | sum        | ReLU(sum - (inputs - 1)) |
    |------------|--------------------------|
    | inputs     | 1                        |
    | any lesser | 0                        |
    """
    return _gate(
        "and",
        inputs,
        lambda total: total - (inputs - 1),
        lambda **bits: _chain(bits, all_set=True),
        formula="out = ReLU(sum of inputs - (inputs - 1))",
        settings={"inputs": inputs},
        support=(Support("out", zero="x"),),
    )


@gadget(lambda shape: [{"inputs": 6}])
def nor(inputs: int) -> Gadget:
    """1 if no input is 1: ReLU(1 - sum).

    | sum     | ReLU(1 - sum) |
    |---------|---------------|
    | 0       | 1             |
    | 1..size | 0             |
    """
    return _gate(
        "nor",
        inputs,
        lambda total: 1 - total,
        lambda **bits: _chain(bits, all_set=False),
        formula="out = ReLU(1 - sum of inputs)",
        settings={"inputs": inputs},
    )


@gadget(lambda shape: [{"inputs": 2}, {"inputs": 3}])
def merge(inputs: int) -> Gadget:
    """The one bit that is set, of bits of which at most one is: ReLU(sum).

    | sum | ReLU(sum) |
    |-----|-----------|
    | 0   | 0         |
    | 1   | 1         |
    """
    at_most_one = Condition("at most one input is 1", (), lambda **bits: sum(bits.values()) <= 1)
    return _gate(
        "merge",
        inputs,
        lambda total: total,
        lambda **bits: where(_chain(bits, all_set=False) == 1, 0, 1),
        (at_most_one,),
        formula="out = ReLU(sum of inputs)",
        settings={"inputs": inputs},
    )


def _chain(bits: dict[str, Value], all_set: bool) -> Value:
    """1 if every bit is `all_set`, found one bit after the other."""
    result: Value = 1
    for each in bits.values():
        result = where(each == int(all_set), result, 0)
    return result


@gadget()
def or_() -> Gadget:
    """1 if x or y is 1: ReLU(x + y) - ReLU(x + y - 1).

    | x + y | ReLU(x + y) | ReLU(x + y - 1) | out |
    |-------|-------------|-----------------|-----|
    | 0     | 0           | 0               | 0   |
    | 1     | 1           | 0               | 1   |
    | 2     | 2           | 1               | 1   |
    """
    build = Builder("or", [Field("x"), Field("y")])
    now = build.layer()
    build.neurons("some", (), now.x + now.y, largest=2)
    build.neurons("twice", (), now.x + now.y - 1)
    done = build.close()
    return Gadget(
        name="or",
        network=build.build(build.output("out", (), done.some - done.twice)),
        spec={"out": lambda x, y: where(x == 1, 1, y)},
        source="a gate on bits; ours",
        formula="out = ReLU(x + y) - ReLU(x + y - 1)",
    )
