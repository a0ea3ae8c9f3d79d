"""The support engine: it gives what the literal network gives, also where that is wrong."""

import random
from collections import Counter
from dataclasses import replace
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from sample_states import adversarial_states, random_states, stepped

from numeric.codec import Codec
from numeric.engines import Engine, EngineName
from numeric.engines import build as literal
from numeric.support import RuleError, SupportEngine, SupportName, SupportProcessor, build
from numeric.support_plan import plan
from numeric.support_reading import NoSupportError
from proofs.machine import machine
from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.builder import rewired
from verified_mlp.statement.mutate import changes
from verified_mlp.statement.network import Gadget, Network, Support

COMPILED, NUMPY = SupportName
FORMS = [
    pytest.param(COMPILED, id="compiled"),
    pytest.param(NUMPY, id="numpy"),
]
SHAPES = [
    Shape(4, 4),
    Shape(4, 15),
    Shape(4, 16),
    Shape(5, 7),
    Shape(5, 32),
    Shape(8, 64),
    Shape(8, 256),
    Shape(16, 256),
    Shape(24, 100),
    Shape(33, 50),
    Shape(64, 37),
]


@cache
def engine(shape: Shape, name: SupportName) -> SupportEngine:
    if name is COMPILED:
        pytest.importorskip("llvmlite")
    return replace(build(paper(shape), gadgets(shape), shape, name), at_once=True)


def after(built: SupportEngine, state: State, passes: int = 1) -> State:
    processor = SupportProcessor(built, state)
    while passes:
        passes -= processor.advance(passes)
    return processor.state()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pass_is_the_step(shape: Shape, name: SupportName) -> None:
    for what, state in adversarial_states(shape).items():
        assert after(engine(shape, name), state) == stepped(shape, state), what
    for state in random_states(shape, seed=11, count=300):
        assert after(engine(shape, name), state) == stepped(shape, state), state


@pytest.mark.parametrize("name", FORMS)
def test_a_vector_is_what_the_sparse_engine_makes_of_it(name: SupportName) -> None:
    shape = Shape(5, 11)
    codec, sparse = Codec(shape), literal(paper(shape), EngineName.SPARSE)
    for state in random_states(shape, seed=12, count=60):
        vector = codec.encode(state)
        got, expected = engine(shape, name).forward(vector), sparse.forward(vector)
        assert np.array_equal(got.view(np.int64), expected.view(np.int64))


def program(shape: Shape, rng: random.Random) -> list[int]:
    """Words of which most are addresses, many of them near each other, and some -1."""
    top = shape.modulus - 1
    near = min(shape.words, 40)
    kinds = [
        lambda: rng.randrange(near),
        lambda: rng.randrange(shape.words),
        lambda: top,
        lambda: rng.randrange(shape.modulus),
    ]
    return [
        rng.choices(kinds, weights=(70, 20, 4, 6))[0]() % shape.modulus
        for _ in range(min(shape.words, 300))
    ]


def ran(shape: Shape, processor: object, steps: int) -> tuple[Outcome, int, bytes, State]:
    sink = BytesIO()
    host = Host(shape, processor, BytesIO(bytes(range(256))), sink)  # type: ignore[arg-type]
    outcome = host.run(steps)
    return outcome, host.steps, sink.getvalue(), host.processor.state()


def compare_runs(name: SupportName, steps: int, longest: int, seed: int) -> Counter[Outcome]:
    """Random programs at all shapes, until so many steps are made in all."""
    rng, found, made = random.Random(seed), Counter[Outcome](), 0
    while made < steps:
        shape = rng.choice(SHAPES)
        mem = program(shape, rng)
        state = State(mem=mem + [0] * (shape.words - len(mem)))
        expected = ran(shape, Interpreter(shape, state), longest)
        assert ran(shape, SupportProcessor(engine(shape, name), state), longest) == expected, mem
        found[expected[0]] += 1
        made += expected[1]
    return found


@pytest.mark.parametrize(("name", "steps"), [(COMPILED, 200_000), (NUMPY, 20_000)])
def test_random_programs(name: SupportName, steps: int) -> None:
    assert set(compare_runs(name, steps, longest=2_000, seed=5)) == set(Outcome)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), [(COMPILED, 10_000_000), (NUMPY, 500_000)])
def test_many_random_programs(name: SupportName, steps: int) -> None:
    compare_runs(name, steps, longest=20_000, seed=6)


@pytest.mark.parametrize("name", FORMS)
def test_a_run_in_pieces_is_the_run(name: SupportName) -> None:
    """The host stops anywhere, and the program's own changes are seen by it."""
    shape = Shape(16, 256)
    state = State(mem=[9, 10, 3, 11, 1, 6, 12, 12, 0, 5, 3, 1] + [0] * 244)
    whole = after(engine(shape, name), state, 500)
    part = after(engine(shape, name), after(engine(shape, name), state, 123), 377)
    machine = Interpreter(shape, state)
    for _ in range(500):
        machine.advance()
    assert whole == part == machine.state()


def test_the_plan_does_not_depend_on_the_number_of_words() -> None:
    small, large = Shape(32, 256), Shape(32, 2**20)
    few, many = (engine(shape, NUMPY) for shape in (small, large))
    assert few.nonzeros == many.nonzeros
    assert [str(each) for each in few.plan.program.loads] == [
        str(each) for each in many.plan.program.loads
    ]


def test_compiled_code_is_kept_and_damage_is_noticed(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("llvmlite")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shape = Shape(4, 4)
    state = State(mem=[3, 3, 0, 7])

    def fresh() -> SupportEngine:
        return build(paper(shape), gadgets(shape), shape, COMPILED)

    first = fresh()
    assert not first.code.load()
    first.code.compile()
    second = fresh()
    assert second.code.load()
    assert after(second, state, 3) == after(first, state, 3)
    (kept,) = (tmp_path / "verified-mlp" / "code").iterdir()  # type: ignore[operator]
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + bytes((content[-1] ^ 1,)))
    assert not fresh().code.load()
    kept.write_bytes(content[:100])
    assert not fresh().code.load()


def test_a_long_run_is_compiled_on_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    pytest.importorskip("llvmlite")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("numeric.support.PATIENCE", 10)
    shape = Shape(4, 4)
    built = build(paper(shape), gadgets(shape), shape, COMPILED)
    processor = SupportProcessor(built, State(mem=[3, 3, 0, 0]))
    assert [processor.advance(25) for _ in range(3)] == [10, 25, 25]
    assert built.code.load()


# Sabotage

TINY = Shape(4, 5)
FULL = Shape(4, 16)
DELTAS = (-2, -1, 1, 2)


def replaced(network: Network, layer: int, name: str, mutant: Gadget) -> Network:
    """The network with another gadget in the place of one that is placed in a layer (from 0)."""
    depths = range(layer, layer + len(mutant.network.layers))
    return replace(
        network,
        layers=tuple(
            replace(
                each,
                placed=tuple(
                    rewired(replace(placed, gadget=mutant), placed.wires)
                    if placed.name == name
                    else placed
                    for placed in each.placed
                ),
            )
            if depth in depths
            else each
            for depth, each in enumerate(network.layers)
        ),
    )


def wire_changes(shape: Shape, count: int, rng: random.Random) -> list[tuple[str, Network]]:
    """The network with one number of a wire changed at one index."""
    whole = machine(shape)
    chosen = rng.sample(list(changes(whole)), count)
    return [(each.place, each.apply(whole, rng.choice(DELTAS)).network) for each in chosen]


def gadget_changes(shape: Shape, count: int, rng: random.Random) -> list[tuple[str, Network]]:
    """The network with one number inside a placed gadget changed, at every index of its placing."""
    network, found = paper(shape), []
    placings = [
        (depth, placed)
        for depth, layer in enumerate(network.layers)
        for placed in layer.placed
        if placed.part == 0
    ]
    for depth, placed in rng.sample(placings, count):
        assert placed.gadget is not None
        choices = [each for each in changes(placed.gadget) if each.site.kind != "output"]
        change = rng.choice(choices)
        mutant = change.apply(placed.gadget, rng.choice(DELTAS))
        place = f"layer {depth + 1}, {placed.name}: {change.place}"
        found.append((place, replaced(network, depth, placed.name, mutant)))
    return found


@cache
def samples(shape: Shape) -> tuple[list[State], np.ndarray, np.ndarray]:
    """States, these as columns, and the columns after a step."""
    codec = Codec(shape)
    states = [*adversarial_states(shape).values(), *random_states(shape, seed=3, count=40)]
    columns = np.stack([codec.encode(state) for state in states], axis=1)
    right = np.stack([codec.encode(stepped(shape, state)) for state in states], axis=1)
    return states, columns, right


def judged(shape: Shape, network: Network, sparse: Engine, name: SupportName, place: str) -> str:
    """Whether the support engine refuses, or gives what the sparse one gives, right or wrong."""
    codec = Codec(shape)
    states, columns, right = samples(shape)
    expected = sparse.forward(columns)
    try:
        built = replace(build(network, gadgets(shape), shape, name), at_once=True)
    except NoSupportError:
        return "refused"
    refused = False
    for state, want in zip(states, expected.T, strict=True):
        processor = SupportProcessor(built, state)
        try:
            assert processor.advance(1) == 1
        except RuleError:
            assert processor.state() == state
            refused = True
            continue
        if np.all((want == 0) | (want == 1)):
            assert processor.state() == codec.decode(want), (place, state)
        else:
            with pytest.raises(ValueError, match="in the state vector, where every entry must"):
                processor.state()
    if refused:
        return "refused in some states"
    return "right" if np.array_equal(right, expected) else "wrong"


def judge(cases: list[tuple[str, Network]], shape: Shape, name: SupportName) -> Counter[str]:
    found = Counter[str]()
    for place, network in cases:
        try:
            sparse = literal(network, EngineName.SPARSE)
        except (ValueError, IndexError):
            continue
        found[judged(shape, network, sparse, name, place)] += 1
    return found


def test_a_sabotaged_network_gives_the_same_wrong_answers_or_is_refused() -> None:
    rng = random.Random(8)
    found = judge(wire_changes(TINY, 220, rng), TINY, NUMPY)
    found += judge(gadget_changes(TINY, 80, rng), TINY, NUMPY)
    found += judge(wire_changes(FULL, 40, rng), FULL, NUMPY)
    assert found.total() >= 300
    assert found["wrong"] >= 100
    assert found["refused"] >= 50
    assert found["refused in some states"] >= 3


def test_sabotage_compiled() -> None:
    pytest.importorskip("llvmlite")
    found = judge(wire_changes(TINY, 40, random.Random(9)), TINY, COMPILED)
    assert found["wrong"] >= 10


@pytest.mark.slow
def test_more_sabotage() -> None:
    for seed in range(20):
        judge(wire_changes(TINY, 100, random.Random(100 + seed)), TINY, NUMPY)
        judge(gadget_changes(TINY, 100, random.Random(300 + seed)), TINY, NUMPY)
        judge(wire_changes(Shape(5, 7), 50, random.Random(200 + seed)), Shape(5, 7), COMPILED)


def refusal(network: Network, proved: list[Gadget]) -> str:
    with pytest.raises(NoSupportError) as error:
        plan(network, proved)
    return str(error.value)


def test_without_a_proved_rule_a_large_family_is_refused() -> None:
    shape = Shape(16, 65_536)
    known = gadgets(shape)
    front = "the support engine does not apply to the network paper: "
    back = ". Choose the sparse engine."
    for name, where in {
        "match": "layer 1, here: no proved rule says which of its 32768 neurons are zero",
        "select": "layer 1, a: no proved rule says which of its 524288 neurons are zero",
        "carry": "layer 1, mem: no proved rule says which of its 1048576 neurons are zero",
        "and": "layer 5, target: no proved rule says which of its 65535 neurons are zero",
        "write_or_keep": "layer 12, mem.keep: no proved rule says which of its 1048576 neurons are "
        "zero",
    }.items():
        left = [gadget for gadget in known if gadget.name != name]
        assert refusal(paper(shape), left) == front + where + back
        without = [replace(g, support=()) if g.name == name else g for g in known]
        assert refusal(paper(shape), without) == front + where + back


def test_a_gadget_that_is_not_the_proved_one_is_refused() -> None:
    shape = Shape(16, 65_536)
    (match,) = (gadget for gadget in gadgets(shape) if gadget.name == "match")
    claimed = replace(match, support=(Support("h", same=("on",), spells=("i", "p")),))
    changed = replaced(paper(shape), 0, "here", claimed)
    assert "layer 1, here: no proved rule" in refusal(changed, gadgets(shape))


@pytest.mark.parametrize("name", FORMS)
def test_a_state_for_which_a_rule_is_not_proved_is_refused(name: SupportName) -> None:
    """A flag is 2 where A is 0: then a rule for bits says nothing about the rows at large."""
    engine(TINY, name)
    whole = machine(TINY)
    place = "layer 4, subtracts, input x, weight of at_a[0]"
    (change,) = (each for each in changes(whole) if each.place == place)
    built = replace(build(change.apply(whole, 1).network, gadgets(TINY), TINY, name), at_once=True)
    processor = SupportProcessor(built, State(mem=[1, 3, 0, 0, 3]))
    assert processor.advance(1) == 1
    processor = SupportProcessor(built, State(mem=[0, 3, 0, 5, 5]))
    with pytest.raises(RuleError) as error:
        processor.advance(7)
    assert str(error.value) == (
        "layer 5, target: y, on which the rule 'out = 0 where x = 0' rests, is 2 at pc = 0, where "
        "it must be 0 or 1. Run this network with the sparse engine."
    )
    assert processor.state() == State(mem=[0, 3, 0, 5, 5])
