"""Every gadget: its network, its specification and a model written here give the same.

The models are plain Python on ints and lists of bits, and know nothing of the specifications,
so that a wrong specification is found as well as a wrong network.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from exact_batch import csr, standing, with_outputs
from hypothesis import given, settings
from hypothesis import strategies as st

from verified_mlp.gadgets.adder import increment
from verified_mlp.gadgets.logic_gates import merge, or_
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import evaluate, offsets, points, size
from verified_mlp.statement.network import Gadget, Layer, Network, Neurons

Inputs = Mapping[str, Any]
Model = Callable[..., Any]

SMALL = [Shape(4, 4), Shape(5, 9), Shape(6, 5), Shape(9, 8)]
LARGE = [Shape(16, 200), Shape(24, 130), Shape(64, 66)]
MOST_POINTS = 2**17
MOST_PARAMETER = 8


def number(bits: list[int]) -> int:
    return int("".join(map(str, reversed(bits))), 2)


def bits_of(word: int, bits: int) -> list[int]:
    return [int(digit) for digit in reversed(f"{word:0{bits}b}")]


def block_of(bits: int) -> int:
    beta = 1
    while beta * beta < bits:
        beta += 1
    return beta


def blocks(word: list[int]) -> list[list[int]]:
    beta = block_of(len(word))
    return [word[start : start + beta] for start in range(0, len(word), beta)]


def naive_block_sums(x: list[int], y: list[int]) -> dict[str, list[int]]:
    pairs = list(zip(blocks(x), blocks(y), strict=True))
    whole = 2 ** block_of(len(x))
    sums = [number(left) + number(right) for left, right in pairs[:-1]]
    prefixes = [
        number(left[: k + 1]) + number(right[: k + 1])
        for left, right in pairs
        for k in range(len(left))
    ]
    return {
        "generate": [int(total >= whole) for total in sums],
        "propagate": [int(total + 1 >= whole) for total in sums],
        "prefix": prefixes,
    }


def naive_block_carries(g: list[int], p: list[int]) -> list[int]:
    carries = [0]
    for generates, propagates in zip(g, p, strict=True):
        carries.append(1 if generates or (propagates and carries[-1]) else 0)
    return carries


def naive_block_bits(s: list[int], c: list[int]) -> list[int]:
    beta = block_of(len(s))
    return [((s[j] + c[j]) // 2 ** (j % beta)) % 2 for j in range(len(s))]


def naive_subtract(a: list[int], b: list[int], c: list[int], use_b: int, use_c: int) -> list[int]:
    minuend = number(b) if use_b else number(c) if use_c else 0
    return bits_of((minuend - number(a)) % 2 ** len(a), len(a))


def naive_at_most_zero(r: list[int], on: int) -> int:
    signed = number(r) - (2 ** len(r) if r[-1] else 0)
    return int(on == 1 and signed <= 0)


def all_of(**bits: int) -> int:
    return min(bits.values())


def any_of(**bits: int) -> int:
    return max(bits.values())


NAIVE: dict[str, Model] = {
    "adder": lambda x, y: bits_of((number(x) + number(y)) % 2 ** len(x), len(x)),
    "all_ones": lambda x: int(x == [1] * len(x)),
    "and": all_of,
    "at_most_zero": naive_at_most_zero,
    "block_bits": naive_block_bits,
    "block_carries": naive_block_carries,
    "block_sums": naive_block_sums,
    "carry": lambda x, top: x,
    "choose": lambda a, b, c, first, second: a if first else b if second else c,
    "increment": lambda x, constant: bits_of((number(x) + constant) % 2 ** len(x), len(x)),
    "is_zero": lambda r, on: int(on == 1 and not any(r)),
    "match": lambda p, on, i: int(on == 1 and number(p) == i),
    "merge": any_of,
    "nor": lambda **bits: 1 - any_of(**bits),
    "not": lambda x: 1 - x,
    "one_hot_sum": lambda x, a: [*x, 0][a],
    "or": any_of,
    "select": lambda p, on, m, i: m if on == 1 and number(p) == i else 0,
    "subtract": naive_subtract,
    "threshold": lambda s, t, top: int(s >= t),
    "write_or_keep": lambda m, r, h: r if h else m,
}


def disagreements(
    gadget: Gadget,
    parameters: Inputs,
    inputs: Inputs,
    given: Inputs,
    outputs: Inputs,
    trace: list[dict[str, Any]],
    model: Model,
) -> Iterator[str]:
    """Where the network's values differ from the specification, the model or the ranges.

    The last axis of every array runs over the points; `given` are the inputs as the
    specification takes them: the same arrays or, for one point, ints.
    """
    for layer, values in zip(gadget.network.layers, trace, strict=True):
        for family, neurons in zip(layer.neurons, values.values(), strict=True):
            for point in points(family.shape):
                names = [index.name for index in family.indices]
                at = {**parameters, **dict(zip(names, point, strict=True))}
                largest = family.largest.evaluate(at)
                if np.any(neurons[point] < 0) or np.any(neurons[point] > largest):
                    yield f"{family.name}{list(point)} leaves 0..{largest}"
    for output in gadget.network.outputs:
        got = outputs[output.name]
        if output.word:
            worth = [2**k for k in range(len(got))]
            got = sum(np.multiply(bit, each) for bit, each in zip(got, worth, strict=True))
        for point in [()] if output.word else points(got.shape[:-1]):
            specified = gadget.spec[output.name](*point, **given, **parameters)
            if not np.array_equal(got[point], np.broadcast_to(specified, got[point].shape)):
                yield f"{output.name}{list(point)} is not as specified"
    constants = {name: number for name, number in gadget.settings.items() if name == "constant"}
    count = next(iter(inputs.values())).shape[-1]
    for at in range(count):
        point = {name: array[..., at].tolist() for name, array in inputs.items()}
        expected = model(**point, **parameters, **constants)
        if not isinstance(expected, dict):
            expected = {gadget.network.outputs[0].name: expected}
        got = {name: array[..., at].tolist() for name, array in outputs.items()}
        if got != expected:
            yield f"{point}, {dict(parameters)}: {got}, expected {expected}"
            return


def allowed(gadget: Gadget, parameters: Inputs, inputs: Inputs) -> Any:
    """Which of the points are in the domain."""
    kept = np.ones(next(iter(inputs.values())).shape[-1], dtype=bool)
    for condition in gadget.conditions:
        for point in points([index.size for index in condition.indices]):
            kept &= np.asarray(condition.holds(*point, **inputs, **parameters), dtype=bool)
    return kept


def highs(gadget: Gadget, parameters: Inputs) -> list[int]:
    """The largest value of every input entry."""
    return [
        source.largest.evaluate(parameters)
        for source in gadget.network.inputs
        for _ in range(size(source.shape))
    ]


def all_parameters(gadget: Gadget) -> Iterator[dict[str, int]]:
    """Every value of every parameter; of those that may be any number, the first few."""
    ranges = [
        range(each.low, 1 + (min(each.high, MOST_PARAMETER) if not each.bits else each.high))
        for each in gadget.parameters
    ]
    for numbers in product(*ranges):
        yield dict(zip([each.name for each in gadget.parameters], numbers, strict=True))


def all_inputs(gadget: Gadget, parameters: Inputs) -> dict[str, Any]:
    """Every point of the domain."""
    grid = np.indices([high + 1 for high in highs(gadget, parameters)]).reshape(
        len(highs(gadget, parameters)), -1
    )
    inputs, start = {}, 0
    for source in gadget.network.inputs:
        entries = grid[start : start + size(source.shape)]
        inputs[source.name] = entries.reshape(*source.shape, -1)
        start += size(source.shape)
    kept = allowed(gadget, parameters, inputs)
    return {name: array[..., kept] for name, array in inputs.items()}


def run_batch(network: Network, inputs: Inputs) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Outputs and trace at many points, by products of the exact arrays."""
    whole = with_outputs(network)
    count = next(iter(inputs.values())).shape[-1]
    values = np.concatenate([inputs[each.name].reshape(-1, count) for each in network.inputs])
    trace = []
    for depth, layer in enumerate(whole.layers):
        matrix, bias = csr(whole, depth)
        values = matrix @ values + bias
        if depth < len(network.layers):
            values = np.maximum(values, 0)
        starts = offsets(layer.neurons)
        trace.append(
            {
                family.name: values[
                    starts[family.name] : starts[family.name] + size(family.shape)
                ].reshape(*family.shape, count)
                for family in layer.neurons
            }
        )
    return trace[-1], trace[:-1]


def faults_on_domain(gadget: Gadget, model: Model) -> tuple[list[str], int]:
    """What is wrong with a gadget on its whole domain, and how many points that has."""
    found: list[str] = []
    count = 0
    for parameters in all_parameters(gadget):
        inputs = all_inputs(gadget, parameters)
        here = next(iter(inputs.values())).shape[-1]
        if here:
            outputs, trace = run_batch(standing(gadget, parameters), inputs)
            found += disagreements(gadget, parameters, inputs, inputs, outputs, trace, model)
            count += here
    return found, count


def domain_size(gadget: Gadget) -> int:
    """How many points of the grid must be looked at."""
    return sum(
        int(np.prod([high + 1.0 for high in highs(gadget, each)]))
        for each in all_parameters(gadget)
    )


def small_gadgets() -> list[Gadget]:
    found = {gadget.title: gadget for shape in SMALL for gadget in gadgets(shape)}
    return [gadget for gadget in found.values() if domain_size(gadget) <= MOST_POINTS]


def test_every_gadget_has_a_model() -> None:
    names = {gadget.name for shape in SMALL for gadget in gadgets(shape)}
    assert set(NAIVE) == names, "NAIVE holds a model of every gadget, and of nothing else"


def test_every_gadget_has_a_small_domain() -> None:
    assert {gadget.name for gadget in small_gadgets()} == set(NAIVE)


@pytest.mark.parametrize("gadget", small_gadgets(), ids=lambda gadget: gadget.title)
def test_on_the_whole_domain(gadget: Gadget) -> None:
    faults, count = faults_on_domain(gadget, NAIVE[gadget.name])
    assert faults == []
    assert count > 0


@cache
def edges(bits: int) -> list[int]:
    top = 2**bits
    ends = [0, 1, 2, top // 2 - 1, top // 2, top - 3, top - 2, top - 1]
    return ends + [2**k for k in range(bits)] + [top - 1 - 2**k for k in range(bits)]


def words(bits: int, near: list[int]) -> st.SearchStrategy[int]:
    """Words of every kind, and those one bit away from the given ones."""
    flips = [0, *(2**k for k in range(bits))]
    away = st.tuples(st.sampled_from(near or [0]), st.sampled_from(flips))
    return st.one_of(
        st.integers(0, 2**bits - 1),
        st.sampled_from(edges(bits)),
        away.map(lambda both: (both[0] ^ both[1]) % 2**bits),
        st.sampled_from(near or [0]),
    )


def only(place: int, bits: list[int]) -> list[int]:
    return [bit if at == place else 0 for at, bit in enumerate(bits)]


Point = dict[str, Any]
INTO_DOMAIN: dict[str, Callable[[Point, Point], Point]] = {
    "block_carries": lambda inputs, _: {"p": list(map(max, inputs["g"], inputs["p"]))},
    "block_bits": lambda inputs, _: {
        "s": [
            s % (4 * 2 ** (j % block_of(len(inputs["s"]))) - 1) for j, s in enumerate(inputs["s"])
        ]
    },
    "merge": lambda inputs, _: dict.fromkeys(list(inputs)[1:], 0) if inputs["x"] else {"z": 0},
    "choose": lambda inputs, _: {"second": inputs["second"] * (1 - inputs["first"])},
    "subtract": lambda inputs, _: {"use_c": inputs["use_c"] * (1 - inputs["use_b"])},
    "one_hot_sum": lambda inputs, parameters: {"x": only(parameters["a"], inputs["x"])},
}
"""What brings a point into the domain of a gadget that has conditions."""


@st.composite
def domain_points(draw: Any, gadget: Gadget) -> tuple[Point, Point]:
    """Parameters and inputs in a gadget's domain."""
    parameters = {each.name: draw(st.integers(each.low, each.high)) for each in gadget.parameters}
    if gadget.name == "threshold":
        parameters["top"] = max(1, parameters["top"])
        parameters["t"] = 1 + (parameters["t"] - 1) % parameters["top"]
    inputs: Point = {}
    for source in gadget.network.inputs:
        high = source.largest.evaluate(parameters)
        near = [parameters[name] for name in ("i", "t") if name in parameters]
        if not source.shape:
            close = [each for known in near for each in (known - 1, known) if 0 <= each <= high]
            inputs[source.name] = draw(
                st.one_of(st.integers(0, high), st.sampled_from([0, high, *close]))
            )
        elif high == 1:
            word = draw(words(source.shape[0], near))
            inputs[source.name] = bits_of(word, source.shape[0])
        else:
            each = st.integers(0, high)
            inputs[source.name] = draw(
                st.lists(each, min_size=source.shape[0], max_size=source.shape[0])
            )
    if gadget.name in INTO_DOMAIN:
        inputs.update(INTO_DOMAIN[gadget.name](inputs, parameters))
    return parameters, inputs


@pytest.mark.parametrize(
    "gadget",
    {each.title: each for shape in LARGE for each in gadgets(shape)}.values(),
    ids=lambda gadget: gadget.title,
)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_on_points_of_large_domains(gadget: Gadget, data: st.DataObject) -> None:
    parameters, inputs = data.draw(domain_points(gadget))
    outputs, trace = evaluate(gadget.network, inputs, parameters)
    batch = {name: np.array(given, dtype=object)[..., None] for name, given in inputs.items()}
    assert allowed(gadget, parameters, batch).all()
    found = disagreements(
        gadget,
        parameters,
        batch,
        inputs,
        {name: np.asarray(value, dtype=object)[..., None] for name, value in outputs.items()},
        [{name: array[..., None] for name, array in layer.items()} for layer in trace],
        NAIVE[gadget.name],
    )
    assert list(found) == []


SMALLEST = gadgets(SMALL[0])


def with_first_family(gadget: Gadget, change: Callable[[Neurons], Neurons]) -> Gadget:
    first, *rest = gadget.network.layers
    start, *others = first.placed
    neurons = (change(start.neurons[0]), *start.neurons[1:])
    layer = Layer((replace(start, neurons=neurons), *others), first.stage, first.note)
    return replace(gadget, network=replace(gadget.network, layers=(layer, *rest)))


@pytest.mark.parametrize("gadget", SMALLEST, ids=lambda gadget: gadget.title)
def test_a_wrong_bias_is_found(gadget: Gadget) -> None:
    for change in (1, -1):
        broken = with_first_family(
            gadget, lambda family, change=change: replace(family, row=family.row + change)
        )
        faults, _ = faults_on_domain(broken, NAIVE[gadget.name])
        assert faults, change


@pytest.mark.parametrize("gadget", SMALLEST, ids=lambda gadget: gadget.title)
def test_a_wrong_range_is_found(gadget: Gadget) -> None:
    broken = with_first_family(gadget, lambda family: replace(family, largest=family.largest * 0))
    faults, _ = faults_on_domain(broken, NAIVE[gadget.name])
    assert all("leaves 0..0" in fault for fault in faults)
    assert faults


@pytest.mark.parametrize("gadget", SMALLEST, ids=lambda gadget: gadget.title)
def test_a_wrong_specification_is_found(gadget: Gadget) -> None:
    for output in gadget.network.outputs:
        right = gadget.spec[output.name]

        def wrong(*point: int, right: Any = right, **inputs: Any) -> Any:
            return right(*point, **inputs) + 1

        faults, _ = faults_on_domain(
            replace(gadget, spec={**gadget.spec, output.name: wrong}), NAIVE[gadget.name]
        )
        assert faults
        assert all(fault.endswith("is not as specified") for fault in faults)


def test_network_and_specification_wrong_alike_are_found() -> None:
    """Only the model can tell: gadgets that pass for others."""
    for passed_off, model in (
        (replace(increment(bits=4, constant=2), settings={"constant": 1}), "increment"),
        (replace(or_(), name="and"), "and"),
        (replace(merge(inputs=2), name="nor"), "nor"),
    ):
        faults, _ = faults_on_domain(passed_off, NAIVE[model])
        assert faults
        assert all(", expected " in fault for fault in faults)
