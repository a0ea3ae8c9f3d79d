import pytest

from verified_mlp.machine.host import Signals
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

FULL = Shape(4, 16)  # -1 is 15, negative words are 8 to 15, addresses are 0 to 14
PART = Shape(8, 9)  # -1 is 255, negative words are 128 to 255, addresses are 0 to 8


def after(shape: Shape, mem: dict[int, int], **rest: int) -> State:
    """The state after one step from a memory of zeros but for `mem`."""
    words = [mem.get(at, 0) for at in range(shape.words)]
    machine = Interpreter(shape, State(mem=words, **rest))
    machine.advance()
    return machine.state()


def memory(shape: Shape, mem: dict[int, int]) -> list[int]:
    return [mem.get(at, 0) for at in range(shape.words)]


@pytest.mark.parametrize(
    ("shape", "mem", "rest", "changed", "expected"),
    [
        # subtraction: no jump, jump on zero, jump on negative
        (PART, {0: 6, 1: 7, 2: 3, 6: 2, 7: 9}, {}, {7: 7}, {"pc": 3}),
        (PART, {0: 6, 1: 7, 2: 5, 6: 9, 7: 9}, {}, {7: 0}, {"pc": 5}),
        (PART, {0: 6, 1: 7, 2: 5, 6: 9, 7: 8}, {}, {7: 255}, {"pc": 5}),
        # the difference wraps: 0 - 128 is -128, -128 - 1 is 127
        (PART, {0: 6, 1: 7, 2: 5, 6: 128}, {}, {7: 128}, {"pc": 5}),
        (PART, {0: 6, 1: 7, 2: 5, 6: 1, 7: 128}, {}, {7: 127}, {"pc": 3}),
        # C is not checked when it becomes pc
        (PART, {0: 6, 1: 6, 2: 9}, {}, {}, {"pc": 9}),
        (PART, {0: 6, 1: 6, 2: 255}, {}, {}, {"pc": 255}),
        # all three words are read before anything is written
        (PART, {0: 2, 1: 2, 2: 5}, {}, {2: 0}, {"pc": 5}),
        (PART, {0: 8, 1: 2, 2: 5, 8: 7}, {}, {2: 254}, {"pc": 5}),
        (PART, {0: 8, 1: 0, 2: 5, 8: 3}, {}, {0: 5}, {"pc": 3}),
        # input: waits, takes
        (PART, {0: 255, 1: 7, 2: 5}, {"input": 3}, {}, {"pc": 0, "input": 3, "wanted": 1}),
        (
            PART,
            {0: 255, 1: 7, 2: 5},
            {"input": 3, "ready": 1},
            {7: 3},
            {"pc": 3, "input": 3},
        ),
        (PART, {0: 255, 1: 2}, {"input": 255, "ready": 1}, {2: 255}, {"pc": 3, "input": 255}),
        # output
        (PART, {0: 8, 1: 255, 8: 200}, {}, {}, {"pc": 3, "output": 200, "valid": 1}),
        (PART, {0: 8, 1: 255}, {"ready": 1}, {}, {"pc": 3, "ready": 1, "valid": 1}),
        # faults
        (PART, {0: 255, 1: 255}, {"ready": 1}, {}, {"fault": 1, "ready": 1}),
        (PART, {0: 9, 1: 8}, {}, {}, {"fault": 1}),
        (PART, {0: 8, 1: 9}, {}, {}, {"fault": 1}),
        (PART, {0: 255, 1: 9}, {"ready": 1}, {}, {"fault": 1, "ready": 1}),
        (PART, {0: 9, 1: 255}, {}, {}, {"fault": 1}),
        (PART, {}, {"pc": 7}, {}, {"pc": 7, "fault": 1}),
        (PART, {}, {"pc": 100}, {}, {"pc": 100, "fault": 1}),
        # the last place of an instruction
        (PART, {6: 8, 7: 0, 8: 1, 0: 1}, {"pc": 6}, {0: 0}, {"pc": 1}),
        # halted and faulted states rest, and raise no flag
        (PART, {0: 255, 1: 7}, {"pc": 128}, {}, {"pc": 128}),
        (PART, {0: 255, 1: 7}, {"fault": 1}, {}, {"fault": 1}),
        # all ones is no address, though the memory has such a place
        (FULL, {0: 3, 1: 3, 2: 1}, {}, {}, {"pc": 1}),
        (FULL, {0: 14, 1: 3, 3: 5, 14: 1, 15: 9}, {}, {3: 4}, {"pc": 3}),
        (FULL, {0: 15, 1: 3, 15: 9}, {"input": 6, "ready": 1}, {3: 6}, {"pc": 3, "input": 6}),
        # pc + 3 becomes negative: halted
        (FULL, {5: 1, 6: 15, 1: 4}, {"pc": 5}, {}, {"pc": 8, "output": 4, "valid": 1}),
    ],
)
def test_a_step(
    shape: Shape,
    mem: dict[int, int],
    rest: dict[str, int],
    changed: dict[int, int],
    expected: dict[str, int],
) -> None:
    fields = {"pc": 0, "fault": 0, "input": 0, "ready": 0, "wanted": 0, "output": 0, "valid": 0}
    assert after(shape, mem, **rest) == State(mem=memory(shape, mem | changed), **fields | expected)


def test_signals_are_those_of_the_state() -> None:
    state = State(mem=[0] * 4, pc=3, fault=1, wanted=1, output=9, valid=1)
    assert Interpreter(Shape(4, 4), state).signals() == Signals(3, 1, 1, 9, 1)


def test_giving_input_ends_the_wait() -> None:
    machine = Interpreter(PART, State(mem=memory(PART, {0: 255, 1: 7})))
    machine.advance()
    assert machine.signals().wanted == 1
    machine.give(5)
    assert (machine.state().input, machine.state().ready) == (5, 1)
    machine.advance()
    assert machine.state() == State(mem=memory(PART, {0: 255, 1: 7, 7: 5}), pc=3, input=5)


def test_neither_the_given_state_nor_a_copy_is_shared() -> None:
    given = State(mem=memory(PART, {0: 6, 1: 6, 6: 4}))
    machine = Interpreter(PART, given)
    copy = machine.state()
    machine.advance()
    assert given.mem[6] == copy.mem[6] == 4
    assert machine.state().mem[6] == 0
