"""The construction `prefetch`: its network beside the step, its proof, and what is not proved."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from constructed import ask, breaks, columns, decoded, placed_otherwise, split, unseen, verdicts
from exact_batch import forward, layers
from sample_states import adversarial_states, random_states, stepped

from proofs.machine import machine
from proofs.results import Verdict
from proofs.sabotage_machine import unproved
from proofs.verify import check_instance, gadgets, obligations
from verified_mlp.constructions.prefetch import prefetch, vector_fields, word_parts
from verified_mlp.constructions.registry import construction
from verified_mlp.logic import digits
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.machine.state import State, state_fields
from verified_mlp.machine.step import Before, ListMemory
from verified_mlp.statement.network import Gadget, Network

HOW = construction("prefetch")
TINY = Shape(4, 4)
SHAPES = [
    Shape(4, 4),
    Shape(4, 5),
    Shape(4, 9),
    Shape(4, 16),
    Shape(5, 7),
    Shape(8, 40),
    Shape(8, 256),
    Shape(16, 40),
]


def held(shape: Shape, states: Sequence[State]) -> dict[str, Any]:
    """The bits of what the vector holds of states besides their fields, [bits, states] by name."""
    assert HOW.prefetched is not None
    found = [
        HOW.prefetched.of(
            shape, Before(ListMemory(list(each.mem)), each.pc, each.fault, each.input, each.ready)
        )
        for each in states
    ]
    flags = {name: [[one[name]] for one in found] for name in HOW.prefetched.flags}
    words = {
        name: [digits(one[name], shape.bits) for one in found] for name in HOW.prefetched.words
    }
    return {name: np.array(bits).T for name, bits in {**flags, **words}.items()}


def vectors_of(shape: Shape, states: Sequence[State], seed: int | None = None) -> Any:
    """The vectors of states; with a seed, each set bit of a sum is in a part chosen at random."""
    rng = np.random.default_rng(seed)
    bits = split(state_fields(shape), columns(shape, states).astype(np.int64))
    found = []
    for name, each in {**bits, **held(shape, states)}.items():
        parts = HOW.encode(name, each)
        if seed is not None:
            chosen = rng.integers(0, len(parts), each.shape)
            parts = {part: each * (chosen == k) for k, part in enumerate(parts)}
        found += list(parts.values())
    return np.concatenate(found)


def holds(shape: Shape, vectors: Any, states: Sequence[State]) -> bool:
    """Whether vectors stand for states, and what they hold besides is what it should be."""
    parts = split(vector_fields(shape), vectors)
    more = all(
        np.array_equal(HOW.decode(name, parts), bits) for name, bits in held(shape, states).items()
    )
    return more and np.array_equal(decoded(HOW, shape, vectors), columns(shape, states))


def pass_is_step(network: Network, shape: Shape, states: Sequence[State]) -> bool:
    """Whether a pass on the vectors of states gives vectors of the states after a step."""
    after = forward(layers(network), vectors_of(shape, states, seed=1))
    expected = [stepped(shape, state) for state in states]
    return set(np.unique(after)) <= {0, 1} and holds(shape, after, expected)


def modifying(shape: Shape, seed: int, count: int) -> list[State]:
    """States whose step writes into the instruction that comes next, at C or at pc + 3, or into
    its own; by a subtraction or by an input.
    """
    rng = np.random.default_rng(seed)
    states = random_states(shape, seed, count)
    top = shape.modulus - 1
    for state in states:
        pc = int(rng.integers(0, shape.code))
        c = int(rng.integers(0, shape.code))
        aim = int(rng.choice([pc, pc + 3, c])) + int(rng.integers(0, 3))
        a = top if rng.random() < 0.4 else int(rng.integers(0, shape.words))
        if rng.random() < 0.2:
            a = aim % shape.addresses
        state.mem[pc : pc + 3] = [a, aim % shape.addresses, c]
        state.pc, state.fault = pc, 0
    return states


# What the network is.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_three_layers_whose_last_is_the_vector(shape: Shape) -> None:
    network = prefetch(shape)
    assert len(network.layers) == 3
    assert all(layer.stage and layer.note for layer in network.layers)
    assert network.inputs == vector_fields(shape)
    rows = [family.shape for family in network.layers[-1].neurons]
    assert rows == [source.shape for source in network.inputs]


def test_its_size_grows_in_proportion_to_the_memory() -> None:
    sizes = [layers(prefetch(Shape(16, words))) for words in (100, 200, 400)]
    counts = [sum(matrix.nnz for matrix, _ in each) for each in sizes]
    assert 1.8 * (counts[1] - counts[0]) < counts[2] - counts[1] < 2.2 * (counts[1] - counts[0])


def test_results_are_never_read() -> None:
    first, _ = layers(prefetch(TINY))[0]
    read = split(vector_fields(TINY), first.T.tocsr())
    assert [name for name, rows in read.items() if not rows.nnz] == ["wanted", "output", "valid"]


def test_what_is_held_besides_the_state() -> None:
    assert HOW.prefetched is not None
    shape = Shape(4, 11)
    mem = ListMemory([(5 * i + 1) % 16 for i in range(11)])
    for pc in range(16):
        for fault in (0, 1):
            found = HOW.prefetched.of(shape, Before(mem, pc, fault, 3, 1))
            inside = pc < shape.code and not fault
            words = mem.words[pc : pc + 3] if inside else [0, 0, 0]
            assert found == dict(zip(("run", "a", "b", "c"), (int(inside), *words), strict=True))


# The network beside the step.


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pass_is_a_step(shape: Shape) -> None:
    """In whatever parts a sum's bits are; and what is held besides is that of the state after."""
    states = [*random_states(shape, 11, 400), *adversarial_states(shape).values()]
    assert pass_is_step(prefetch(shape), shape, states)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pass_that_writes_into_the_next_instruction_is_a_step(shape: Shape) -> None:
    assert pass_is_step(prefetch(shape), shape, modifying(shape, 5, 600))


@pytest.mark.parametrize("shape", [Shape(4, 16), Shape(5, 12), Shape(8, 40)], ids=str)
def test_passes_in_a_loop_are_steps(shape: Shape) -> None:
    """The vector that a pass leaves is what the next one reads, with no encoding between."""
    weights = layers(prefetch(shape))
    states = [*random_states(shape, 5, 150), *modifying(shape, 6, 150)]
    vectors = vectors_of(shape, states)
    for _ in range(15):
        states = [stepped(shape, state) for state in states]
        vectors = forward(weights, vectors)
        assert holds(shape, vectors, states)


# The proof.

PROVED_AT = [Shape(4, 4), Shape(16, 256), Shape(16, 65536)]
AND_AT = [Shape(4, 12), Shape(4, 16), Shape(5, 7), Shape(32, 2**20), Shape(64, 1024)]


@pytest.mark.parametrize(
    "shape",
    [*PROVED_AT, *(pytest.param(shape, marks=pytest.mark.slow) for shape in AND_AT)],
    ids=str,
)
def test_the_machine_theorem(shape: Shape) -> None:
    found = verdicts(machine(memories(shape), "prefetch"))
    assert set(found.values()) == {Verdict.PROVED}
    assert {
        *(f"specification of {each.name}" for each in state_fields(shape)),
        *(f"specification of {name}" for name in ("run", "a", "b", "c")),
        "halted and faulted states stay",
        "waiting states stay",
        "the vector stays in the domain",
        "decode(encode(w)) = w",
        "decode(encode(b)) = b",
    } <= set(found)


def test_the_statement_of_the_theorem() -> None:
    """That of every construction; and that what is held besides is that of the state after."""
    whole, other = (machine(memories(Shape(16, 256)), how) for how in ("prefetch", "paper"))
    assert whole.title == "machine(bits=16, words=4..32770, construction=prefetch)"
    assert whole.formula == "3 layers = one step"
    assert [each.text for each in whole.conditions] == [
        "keep + set + got <= 1",
        "jump_to + go_on + passed_on + stay <= 1",
        "run, a, b, c are those of the instruction at pc",
    ]
    names = [each.name for each in other.network.outputs]
    assert [each.name for each in whole.network.outputs] == [*names, "run", "a", "b", "c"]
    outputs = {each.name: str(each.form) for each in whole.network.outputs}
    assert outputs["run"] == "run_at_c + run_ahead + run_passed + run_again"
    assert outputs["b"] == " + ".join(f"{part}[axis0]" for part in word_parts("b"))


def test_the_domain_and_the_specification_say_what_is_meant() -> None:
    """On numbers: against the states, of which some are broken in one bit."""
    whole = machine(CHANGED_AT, "prefetch")
    states = modifying(CHANGED_AT, 9, 20)
    vectors = vectors_of(CHANGED_AT, states, seed=3)
    after = [stepped(CHANGED_AT, state) for state in states]
    told = held(CHANGED_AT, after)
    for k, state in enumerate(after):
        fields = fields_of(vectors[:, k])
        assert in_domain(whole, fields)
        for name, bits in told.items():
            number = sum(int(bit) << place for place, bit in enumerate(bits[:, k]))
            assert whole.spec[name](**fields) == number
        assert whole.spec["pc"](**fields) == state.pc
        part = f"{'abc'[k % 3]}_at_c"
        fields[part][k % CHANGED_AT.bits] ^= 1
        assert not in_domain(whole, fields)
        fields[part][k % CHANGED_AT.bits] ^= 1
        fields["run_at_c"] ^= 1
        assert not in_domain(whole, fields)


def fields_of(vector: Any) -> dict[str, Any]:
    """The fields of a vector, as arrays of their shapes and numbers."""
    parts = split(vector_fields(CHANGED_AT), vector)
    shapes = {each.name: each.shape for each in vector_fields(CHANGED_AT)}
    return {
        name: bits.reshape(shapes[name]).copy() if shapes[name] else int(bits[0])
        for name, bits in parts.items()
    }


def in_domain(whole: Gadget, fields: dict[str, Any]) -> bool:
    """Whether all conditions hold."""
    return all(
        condition.holds(*at, **fields)
        for condition in whole.conditions
        for at in np.ndindex(*(index.size for index in condition.indices))
    )


CHANGED_AT = Shape(4, 9)
"""A shape whose programs can go on at pc + 3."""


@pytest.fixture(scope="module")
def tried() -> tuple[Any, Any]:
    """Vectors, and the fields of the state and what is held besides after a step."""
    states = [*random_states(CHANGED_AT, 21, 1500), *modifying(CHANGED_AT, 22, 3000)]
    after = [stepped(CHANGED_AT, state) for state in states]
    expected = [columns(CHANGED_AT, after), *held(CHANGED_AT, after).values()]
    return vectors_of(CHANGED_AT, states, seed=2), np.concatenate(expected)


def test_the_network_itself_breaks_nothing(tried: tuple[Any, Any]) -> None:
    assert not breaks(machine(CHANGED_AT, "prefetch").network, tried)


def other_rows(name: str) -> Callable[[Network], dict[str, Any]]:
    """What another placed gadget of the first layer reads of memory."""

    def wires(network: Network) -> dict[str, Any]:
        (placed,) = (each for each in network.layers[0].placed if each.name == name)
        return {"m": placed.wires["m"]}

    return wires


def fixed(**wires: Any) -> Callable[[Network], dict[str, Any]]:
    """Wires that do not depend on the network."""
    return lambda network: wires


WRONG: dict[str, tuple[int, str, Callable[[Network], dict[str, Any]]]] = {
    "the difference lacks the one": (2, "difference", fixed(carry=0)),
    "the pc goes on by 4": (1, "next", fixed(carry=1)),
    "the word after the next one is looked up at pc + 3": (1, "n0", other_rows("n1")),
    "the word after the next one is looked up at C": (1, "c1", other_rows("c2")),
    "a word at C that is written stays as well": (2, "old_c1", fixed(y=1)),
    "a word at pc + 3 that is written stays as well": (2, "old_n2", fixed(y=1)),
    "the difference is not forwarded to C": (3, "a_set_at_c", fixed(x=0)),
    "the difference is not forwarded to pc + 3": (3, "c_set_ahead", fixed(x=0)),
    "an input is not forwarded to pc + 3": (3, "b_got", fixed(x=0)),
    "the words are not kept while it waits": (3, "b_again", fixed(y=0)),
    "it runs on when C is no place of an instruction": (3, "run_at_c", fixed(x=1)),
    "it runs on at the end of memory": (3, "run_passed", fixed(x=1)),
    "it stops waiting": (3, "run_again", fixed(y=0)),
    "without an instruction it faults when it has halted": (3, "fault", fixed(x=0)),
    "the input is taken when it is not there": (1, "a_takes", fixed(on=1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_network_with_a_part_changed_is_not_proved(name: str, tried: tuple[Any, Any]) -> None:
    depth, part, wires = WRONG[name]

    def changed(whole: Gadget) -> Gadget:
        network = whole.network
        return replace(whole, network=placed_otherwise(network, depth, part, **wires(network)))

    assert breaks(changed(machine(CHANGED_AT, "prefetch")).network, tried)
    wrong = changed(machine(memories(CHANGED_AT), "prefetch"))
    assert unproved(wrong, lambda text: ask(text)[0])


@pytest.mark.parametrize("left_out", range(3))
def test_without_its_invariants_it_is_not_proved(left_out: int) -> None:
    whole = machine(memories(TINY), "prefetch")
    kept = whole.conditions[:left_out] + whole.conditions[left_out + 1 :]
    assert unproved(replace(whole, conditions=kept), lambda text: ask(text)[0])


def test_some_changes_that_break_a_pass_are_not_proved(tried: tuple[Any, Any]) -> None:
    broken, missed = unseen(machine(CHANGED_AT, "prefetch"), tried, 1100)
    assert broken >= 3
    assert missed == []


@pytest.mark.slow
def test_more_changes_that_break_a_pass_are_not_proved(tried: tuple[Any, Any]) -> None:
    broken, missed = unseen(machine(CHANGED_AT, "prefetch"), tried, 40)
    assert broken > 150
    assert missed == []


# Which gadgets, which instance.


def test_its_gadgets_are_those_that_it_places_and_the_table() -> None:
    titles = [gadget.title for gadget in gadgets(memories(TINY), "prefetch")]
    assert titles[-1] == machine(memories(TINY), "prefetch").title
    assert {"and(inputs=4)", "nor(inputs=5)", "word_below(bits=4)", "unless"} <= set(titles)
    assert {each.gadget for each in obligations(TINY, how="prefetch")} == set(titles)


def test_the_network_of_a_shape_is_an_instance() -> None:
    for shape in (Shape(4, 5), Shape(4, 16)):
        assert check_instance(shape, how="prefetch").verdict is Verdict.PROVED
    wrong = placed_otherwise(prefetch(Shape(4, 5)), 2, "difference", carry=0)
    assert check_instance(Shape(4, 5), wrong, "prefetch").verdict is Verdict.REFUTED
