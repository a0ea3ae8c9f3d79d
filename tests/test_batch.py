import random
from collections import Counter
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from sample_states import random_states, stepped
from test_support import program

from numeric.batch import Job, run_batch
from numeric.codec import Codec
from numeric.engines import EngineName
from numeric.engines import build as literal
from numeric.lower import Array
from numeric.machine import Machine, Result
from numeric.support import SupportEngine, SupportName
from numeric.support import build as support
from numeric.support_lanes import LANES
from numeric.support_reading import NoSupportError
from proofs.verify import Options
from verified_mlp.constructions.paper import paper
from verified_mlp.constructions.registry import DEFAULT
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.host import Host, Outcome, explain_fault
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.mutate_network import network_changes

SHAPES = [Shape(4, 4), Shape(8, 64), Shape(16, 300), Shape(33, 64), Shape(64, 40)]


@cache
def machine(shape: Shape, engine: str = "support", how: str = DEFAULT) -> Machine:
    return Machine(shape, engine, Options(construction=how), verified=False)


def jobs(shape: Shape, count: int, seed: int) -> list[Job]:
    rng = random.Random(seed)
    made = [Job(program(shape, rng), rng.randbytes(rng.randrange(6))) for _ in range(count)]
    return [*made, Job([]), Job([shape.modulus - 1, 0, 0])]


def alone(shape: Shape, job: Job, most: int | None) -> Result:
    """What the reference interpreter makes of a job."""
    memory = [*job.words, *[0] * (shape.words - len(job.words))]
    output = BytesIO()
    host = Host(shape, Interpreter(shape, State(memory)), BytesIO(job.input), output)
    outcome = host.run(most)
    state = host.processor.state()
    fault = explain_fault(shape, state) if outcome is Outcome.FAULT else ""
    return Result(outcome, host.steps, output.getvalue(), state, fault)


def compared(
    shape: Shape, engine: str, count: int, most: int, seed: int, how: str = DEFAULT
) -> Counter[Outcome]:
    given = jobs(shape, count, seed)
    results = run_batch(machine(shape, engine, how), given, most)
    assert len(results) == len(given)
    for job, result in zip(given, results, strict=True):
        expected = alone(shape, job, most)
        got = Result(result.outcome, result.steps, result.output, result.state(), result.fault)
        assert got == expected, job
    return Counter(result.outcome for result in results)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_job_ends_as_it_does_alone(shape: Shape) -> None:
    outcomes = sum((compared(shape, "support", 60, 400, seed) for seed in range(2)), Counter())
    assert set(outcomes) == set(Outcome), "the sample shows too little"


@pytest.mark.parametrize("how", ["compact", "five", "prefetch"])
def test_every_job_ends_as_it_does_alone_under_other_constructions(how: str) -> None:
    compared(Shape(8, 64), "support", 60, 400, 3, how)


@pytest.mark.slow
def test_many_random_batches() -> None:
    for seed in range(100):
        for shape in SHAPES:
            compared(shape, "support", 200, 1000, 100 + seed)


@pytest.mark.parametrize("engine", ["support-numpy", "sparse"])
def test_other_engines_give_the_same(engine: str) -> None:
    compared(Shape(8, 64), engine, 10, 60, 5)


@pytest.mark.parametrize("most", [0, 1, 7, 2048, 2049])
def test_the_limit_holds_for_every_job(most: int) -> None:
    """The second job prints and halts at its fifth step; the others never do."""
    shape = Shape(8, 64)
    loop = Job([3, 3, 0, 0])
    printing = Job([9, 255, 3, 9, 255, 6, 9, 9, 255, 65])
    results = run_batch(machine(shape), [loop, printing, loop], most)
    assert [result.steps for result in results] == [most, min(most, 3), most]
    assert results[1].output == b"A" * min(most, 2)


def test_no_jobs_and_more_threads_than_jobs() -> None:
    shape = Shape(8, 64)
    assert run_batch(machine(shape), []) == []
    (result,) = run_batch(machine(shape), [Job([9, 9, 255])], threads=7)
    assert (result.outcome, result.steps) == (Outcome.HALTED, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([0] * 65, "mem holds 64 words, not 65."),
        ([0, 256], "mem[1] = 256 is out of range: it is 0 to 255."),
        ([-1], "mem[0] = -1 is out of range: it is 0 to 255."),
    ],
)
def test_words_that_are_none_are_refused(words: list[int], sentence: str) -> None:
    with pytest.raises(ValueError, match="mem") as caught:
        run_batch(machine(Shape(8, 64)), [Job([9, 9, 255]), Job(words)])
    assert str(caught.value) == sentence


def test_a_changed_network_gives_the_same_wrong_answers() -> None:
    """The lanes run the network that is given, not the step: as `sparse` does, or they refuse."""
    shape, rng = Shape(6, 30), random.Random(3)
    codec = Codec(shape)
    states = random_states(shape, seed=3, count=LANES)
    columns = np.stack([codec.encode(state) for state in states], axis=1)
    right = np.stack([codec.encode(stepped(shape, state)) for state in states], axis=1)
    seen: Counter[str] = Counter()
    for change in rng.sample(list(network_changes(paper(shape))), 60):
        try:
            network = change.apply()
            sparse = literal(network, EngineName.SPARSE)
            engine = support(network, gadgets(shape), shape, SupportName.SUPPORT)
        except (ValueError, IndexError, NoSupportError):
            seen["not built"] += 1
            continue
        seen[judged(engine, states, sparse.forward(columns), right)] += 1
    assert seen["wrong alike"] >= 10, seen
    assert seen["refused"] >= 1, seen


def judged(engine: SupportEngine, states: list[State], expected: Array, right: Array) -> str:
    """One pass in every lane against the columns that are expected."""
    codec, small, plan = Codec(engine.shape), engine.codec, engine.plan
    memory = np.zeros((engine.shape.words + 1, LANES), np.uint8)
    memory[:-1] = np.array([state.mem for state in states]).T
    entries = np.zeros((len(plan.outputs), LANES))
    for lane, state in enumerate(states):
        for name in plan.small:
            entries[small.place(name), lane] = small.encode(state)[small.place(name)]
    made, live, failed = (np.full(LANES, each, kind) for each, kind in KINDS)
    engine.code_of_lanes.compile()
    before = memory.copy(), entries.copy()
    engine.code_of_lanes.run(entries, memory, 1, 1, made, live, failed)
    for lane, want in enumerate(expected.T):
        if failed[lane]:
            assert made[lane] == live[lane] == 0
            assert np.array_equal(memory[:-1, lane], before[0][:-1, lane])
            assert np.array_equal(entries[:, lane], before[1][:, lane])
            continue
        assert made[lane] == 1
        if np.all((want == 0) | (want == 1)):
            got = engine.decoded(memory[:-1, lane], entries[:, lane].copy())
            assert got == codec.decode(want)
        else:
            assert not live[lane]
            with pytest.raises(ValueError, match="in the state vector, where every entry must"):
                engine.decoded(memory[:-1, lane], entries[:, lane].copy())
    if failed.any():
        return "refused"
    return "right" if np.array_equal(expected, right) else "wrong alike"


KINDS = [(0, np.int64), (1, np.uint8), (0, np.uint8)]
