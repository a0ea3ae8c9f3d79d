"""What is to be found where one instruction stands, with one A and one B, in one layer.

All of a step is done at once for every place of an instruction and all that its words A and B can
be.  A neuron for one of these cases is closed by the number d of bits in which the program counter,
the word at it and the next word differ from the case's; only in the case that is there is d 0.
"""

from __future__ import annotations

from types import SimpleNamespace

from verified_mlp.gadgets.gated_threshold import MOST
from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import Truth, Value, both, either, value, where
from verified_mlp.statement.affine import Affine, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, bit, pow2, var
from verified_mlp.statement.network import Condition, Field, Gadget, Parameter

_OURS = "ours; the paper's stages at once, for every case by itself"
CASE = (("p", "i"), ("a", "u"), ("b", "v"))
"""The words that are compared (program counter, A, B), each with the parameter that it is to be."""


def words(bits: int) -> list[Field]:
    """The inputs that are compared with a case."""
    return [Field(name, (bits,), word=True) for name, _ in CASE]


def case(bits: int) -> tuple[Parameter, ...]:
    """The parameters that say which case it is."""
    return tuple(Parameter(number, 0, 2**bits - 1, bits=bits) for _, number in CASE)


def apart(now: SimpleNamespace, bits: int) -> Affine:
    """The number of bits in which the words differ from the case's.

    i_k + (1 - 2 i_k) p_k is 0 where the bits agree and 1 where they differ.
    """
    k = Index("k", bits)
    form: Affine = 0 * getattr(now, CASE[0][0])[k]
    for name, number in CASE:
        own = bit(var(number), k)
        form = form + own + (1 - 2 * own) * getattr(now, name)[k]
    return total(k, form)


def is_case(bits: int, given: dict[str, Value]) -> Truth:
    """The words are the case's."""
    holds: Truth = True
    for name, number in CASE:
        holds = both(holds, value(given[name], 0, bits) == given[number])
    return holds


@gadget(lambda shape: [{"bits": shape.bits}], construction="single")
def instruction_bit(bits: int) -> Gadget:
    """The bit m in one case of an instruction, else 0: ReLU(m - d - off).

    | d + off | out |
    |---------|-----|
    | 0       | m   |
    | >= 1    | 0   |
    """
    build = Builder("instruction_bit", [*words(bits), Field("m"), Field("off", high=2)])
    now = build.layer()
    build.neurons("y", (), now.m - now.off - apart(now, bits))
    done = build.close()

    def spec(m: Value, off: Value, **given: Value) -> Value:
        return where(both(is_case(bits, given), off == 0), m, 0)

    return Gadget(
        name="instruction_bit",
        network=build.build(build.output("out", (), done.y)),
        parameters=case(bits),
        spec={"out": spec},
        source=_OURS,
        formula="out = ReLU(m - d - off), d = bits in which (p, a, b) and (i, u, v) differ",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"gate": 4 * shape.modulus}], construction="single")
def closed_threshold(gate: int) -> Gadget:
    """[s >= t] for an integer s in 0..top if d is 0, else 0, in one layer.

    | d    | s      | ReLU(s - t + 1 - gate d) | ReLU(s - t - gate d) | out |
    |------|--------|--------------------------|----------------------|-----|
    | 0    | s < t  | 0                        | 0                    | 0   |
    | 0    | s >= t | s - t + 1                | s - t                | 1   |
    | >= 1 | any    | 0                        | 0                    | 0   |

    `gate` is at least top - t + 1.
    """
    t, top = var("t"), var("top")
    build = Builder("closed_threshold", [Field("s", high=top), Field("d", high=var("most"))])
    now = build.layer()
    build.neurons("reached", (), now.s - t + 1 - gate * now.d, largest=top - t + 1)
    build.neurons("passed", (), now.s - t - gate * now.d, largest=top - t)
    done = build.close()
    return Gadget(
        name="closed_threshold",
        network=build.build(build.output("out", (), done.reached - done.passed)),
        parameters=(Parameter("t", 1, MOST), Parameter("top", 0, MOST), Parameter("most", 1, MOST)),
        conditions=(
            Condition("t <= top", (), lambda t, top, **_: t <= top),
            Condition(f"top - t < {gate}", (), lambda t, top, **_: top - t < gate),
        ),
        spec={"out": lambda s, d, t, top, most: where(both(d == 0, s >= t), 1, 0)},
        source="step function from two ReLUs, closed by any of several bits; ours",
        formula="out = ReLU(s - t + 1 - gate d) - ReLU(s - t - gate d)",
        settings={"gate": gate},
    )


@gadget(lambda shape: [{"bits": shape.bits}], construction="single")
def instruction_difference(bits: int) -> Gadget:
    """The word x - y mod 2**bits in one case of an instruction, else 0, in one layer.

    Bit j is that of T, the number that bits 0..j of x and of the flipped y spell, plus 1: see
    `word_sum`.
    """
    j, k = Index("j", bits), Index("k", bits)
    inputs = [*words(bits), *(Field(name, (bits,), word=True) for name in ("x", "y")), Field("off")]
    build = Builder("instruction_difference", inputs)
    now = build.layer()
    upto = total(k, pow2(k) * (now.x[k] + 1 - now.y[k]), 0, j + 1) + 1
    d = apart(now, bits) + now.off
    for name, times in (("one", 1), ("two", 2), ("three", 3)):
        build.place(
            closed_threshold(gate=4 * 2**bits),
            name,
            (j,),
            {"t": times * pow2(j), "top": 4 * pow2(j) - 1, "most": 3 * bits + 1},
            s=upto,
            d=d,
        )
    done = build.close()

    def spec(x: Value, y: Value, off: Value, **given: Value) -> Value:
        difference = (value(x, 0, bits) - value(y, 0, bits)) % 2**bits
        return where(both(is_case(bits, given), off == 0), difference, 0)

    return Gadget(
        name="instruction_difference",
        network=build.build(
            build.output("sum", (j,), done.one[j] - done.two[j] + done.three[j], word=True)
        ),
        parameters=case(bits),
        spec={"sum": spec},
        source=_OURS,
        formula="sum[j] = [T >= 2^j] - [T >= 2*2^j] + [T >= 3*2^j], "
        "T = sum_(k<=j) 2^k (x_k + 1 - y_k) + 1, if d + off = 0",
        settings={"bits": bits},
    )


@gadget(lambda shape: [{"bits": shape.bits}], construction="single")
def instruction_jump(bits: int) -> Gadget:
    """1 in one case of an instruction if x - y <= 0, as a word of two's complement, and the bit c
    is not q; else 0.

    With S = x - y + 2**bits, in 1..2 * 2**bits - 1: [S >= 2^(bits-1)] - [S > 2^bits] +
    [S >= 3 * 2^(bits-1)].

    | S                         | x - y mod 2**bits | is <= 0 |
    |---------------------------|-------------------|---------|
    | < 2^(bits-1)              | positive          | 0       |
    | 2^(bits-1) .. 2^bits - 1  | negative          | 1       |
    | 2^bits                    | 0                 | 1       |
    | up to 3 * 2^(bits-1) - 1  | positive          | 0       |
    | 3 * 2^(bits-1) and more   | negative          | 1       |
    """
    k, half, q = Index("k", bits), 2 ** (bits - 1), var("q")
    inputs = [*words(bits), *(Field(name, (bits,), word=True) for name in ("x", "y"))]
    build = Builder("instruction_jump", [*inputs, Field("c"), Field("off")])
    now = build.layer()
    s = total(k, pow2(k) * (now.x[k] - now.y[k])) + 2**bits
    same = (2 * q - 1) * now.c + 1 - q
    d = apart(now, bits) + now.off + same
    for name, t in (("one", half), ("two", 2 * half + 1), ("three", 3 * half)):
        parameters = {"t": t, "top": 4 * half - 1, "most": 3 * bits + 2}
        build.place(closed_threshold(gate=4 * 2**bits), name, (), parameters, s=s, d=d)
    done = build.close()

    def spec(x: Value, y: Value, c: Value, off: Value, q: Value, **given: Value) -> Value:
        difference = (value(x, 0, bits) - value(y, 0, bits)) % 2**bits
        at_most_zero = either(difference == 0, difference >= half)
        there = both(both(is_case(bits, given), off == 0), at_most_zero)
        return where(there, where(c == q, 0, 1), 0)

    return Gadget(
        name="instruction_jump",
        network=build.build(build.output("out", (), done.one - done.two + done.three)),
        parameters=(*case(bits), Parameter("q", 0, 1)),
        spec={"out": spec},
        source=_OURS,
        formula="out = [S >= 2^(bits-1)] - [S > 2^bits] + [S >= 3*2^(bits-1)], "
        "S = sum_k 2^k (x_k - y_k) + 2^bits, if d + off = 0 and c != q",
        settings={"bits": bits},
    )
