"""Runs of the support engine that are checked against the literal network on the way."""

import re
from dataclasses import replace
from functools import cache
from io import BytesIO

import pytest
from sample_states import adversarial_states, random_states

from numeric.machine import Machine
from numeric.self_check import CheckedProcessor, DifferenceError, checked
from numeric.support import SupportEngine, SupportName, SupportProcessor, build
from proofs.machine import machine
from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.mutate import changes

WALK = [9, 10, 3, 11, 1, 6, 12, 12, 0, 5, 3, 1]
WHOLE = pytest.mark.parametrize("whole", [True, False], ids=["whole", "sample"])


@cache
def engine(shape: Shape) -> SupportEngine:
    return build(paper(shape), gadgets(shape), shape, SupportName.NUMPY)


@WHOLE
@pytest.mark.parametrize("shape", [Shape(4, 5), Shape(4, 16), Shape(16, 64)], ids=str)
def test_no_difference(shape: Shape, whole: bool) -> None:
    for state in [*adversarial_states(shape).values(), *random_states(shape, 9, 4)]:
        processor = SupportProcessor(engine(shape), state)
        check = CheckedProcessor(processor, engine(shape), paper(shape), 1, whole)
        host = Host(shape, check, BytesIO(b"abc"), BytesIO())
        reference = Host(shape, Interpreter(shape, state), BytesIO(b"abc"), BytesIO())
        assert host.run(2) == reference.run(2)
        assert check.state() == reference.processor.state()
        assert check.checked >= host.steps


def test_a_sample_at_a_size_that_is_not_built() -> None:
    shape = Shape(16, 65_536)
    state = State(mem=WALK + [0] * (shape.words - len(WALK)))
    processor = SupportProcessor(engine(shape), state)
    check = checked(processor, engine(shape), paper(shape), 2)
    assert Host(shape, check, BytesIO(), BytesIO()).run(6) is Outcome.LIMIT
    assert check.checked == 3


def test_every_so_many_passes() -> None:
    shape = Shape(16, 64)
    processor = SupportProcessor(engine(shape), State(mem=[3, 3, 0] + [0] * 61))
    check = CheckedProcessor(processor, engine(shape), paper(shape), 7, True)
    Host(shape, check, BytesIO(), BytesIO()).run(50)
    assert check.checked == 7


@WHOLE
def test_an_engine_of_another_network_is_noticed(whole: bool) -> None:
    """A wire's bias makes the wrong engine move on where it should stand still, and so on."""
    shape = Shape(4, 5)
    subject = machine(shape)
    place = "layer 6, moves, input x, bias"
    (change,) = (each for each in changes(subject) if each.place == place)
    network = change.apply(subject, 1).network
    wrong = build(network, gadgets(shape), shape, SupportName.NUMPY)
    processor = SupportProcessor(wrong, State(mem=[4, 4, 0, 0, 0], pc=15))
    check = CheckedProcessor(processor, wrong, paper(shape), 1, whole)
    with pytest.raises(DifferenceError) as error:
        check.advance(1)
    name, value = (r"pc\[\d\]", "[01]") if whole else ("layer 6, moves", "1")
    assert re.fullmatch(
        rf"self-check: {name} is {value} by the support engine and [01] by the network, in the "
        rf"pass at pc = 15\. Please report it\.",
        str(error.value),
    ), str(error.value)


@WHOLE
def test_a_word_that_changes_by_itself_is_noticed(whole: bool) -> None:
    shape = Shape(16, 64)

    class Faulty(SupportProcessor):
        def advance(self, passes: int = 1) -> int:
            made = super().advance(passes)
            self.memory[60] ^= 1
            return made

    processor = Faulty(engine(shape), State(mem=WALK + [0] * 52))
    check = CheckedProcessor(processor, engine(shape), paper(shape), 1, whole)
    with pytest.raises(DifferenceError) as error:
        check.advance(1)
    name = "mem[60, 0]" if whole else "mem[60]"
    assert str(error.value) == (
        f"self-check: {name} is 1 by the support engine and 0 by the network, in the pass at "
        f"pc = 0. Please report it."
    )


def test_only_the_support_engine_has_something_to_check() -> None:
    literal = Machine(Shape(4, 8), "dense")
    with pytest.raises(ValueError) as error:  # noqa: PT011
        literal.host([0], BytesIO(), BytesIO(), self_check=1)
    assert str(error.value) == (
        "a self-check compares the support engine with the network, and the dense engine is the "
        "network: choose the support engine, or no self-check."
    )


@pytest.mark.slow
def test_many_checked_passes() -> None:
    """Of many short runs; the literal network is built once for all of them."""
    shape = Shape(8, 64)
    first, *states = random_states(shape, 10, 60_000)
    check = CheckedProcessor(
        SupportProcessor(engine(shape), first), engine(shape), paper(shape), 1, True
    )
    for state in states:
        if check.checked >= 100_000:
            return
        check._processor = SupportProcessor(engine(shape), replace(state, fault=0))
        Host(shape, check, BytesIO(bytes(range(256))), BytesIO()).run(1_000)
    raise AssertionError(check.checked)
