"""The step against an interpreter written here, plainly, from the machine's description."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.machine.shape import Shape
from verified_mlp.machine.step import (
    FAULT,
    INPUT,
    OUTPUT,
    STILL,
    SUBTRACT,
    WAIT,
    After,
    ArrayMemory,
    Before,
    ListMemory,
    step,
)

SHAPES = [
    Shape(4, 4),
    Shape(4, 11),
    Shape(4, 15),
    Shape(4, 16),
    Shape(5, 17),
    Shape(5, 32),
    Shape(8, 30),
    Shape(16, 9),
    Shape(32, 20),
    Shape(62, 12),
]
WIDE = [Shape(63, 5), Shape(64, 12)]


@dataclass(frozen=True)
class Machine:
    """A machine's state on plain ints, and what the last step did."""

    mem: tuple[int, ...]
    pc: int = 0
    fault: int = 0
    input: int = 0
    ready: int = 0
    wanted: int = 0
    output: int = 0
    valid: int = 0
    kind: int = -1


def plain_step(shape: Shape, state: Machine) -> Machine:
    """One step, written for reading; it shares nothing with the step under test."""
    bits, words = shape.bits, shape.words
    all_ones = 2**bits - 1

    def is_address(word: int) -> bool:
        return word < words and word != all_ones

    def signed(word: int) -> int:
        return word - 2**bits if word >= 2 ** (bits - 1) else word

    same = replace(state, wanted=0, output=0, valid=0, kind=STILL)
    if signed(state.pc) < 0 or state.fault:
        return same
    if state.pc + 2 > words - 1:
        return replace(same, fault=1, kind=FAULT)
    a, b, c = state.mem[state.pc : state.pc + 3]
    mem = list(state.mem)
    on = (state.pc + 3) % 2**bits
    if a == all_ones and is_address(b):
        if not state.ready:
            return replace(same, wanted=1, kind=WAIT)
        mem[b] = state.input
        return replace(same, mem=tuple(mem), ready=0, pc=on, kind=INPUT)
    if b == all_ones and is_address(a):
        return replace(same, output=mem[a], valid=1, pc=on, kind=OUTPUT)
    if is_address(a) and is_address(b):
        mem[b] = (mem[b] - mem[a]) % 2**bits
        pc = c if signed(mem[b]) <= 0 else on
        return replace(same, mem=tuple(mem), pc=pc, kind=SUBTRACT)
    return replace(same, fault=1, kind=FAULT)


def on_ints(shape: Shape, state: Machine) -> Machine:
    """The step under test, on Python ints."""
    memory = ListMemory(list(state.mem))
    after = step(shape, Before(memory, state.pc, state.fault, state.input, state.ready))
    return Machine(tuple(after.mem.words), *(getattr(after, name) for name in RESULTS))


RESULTS = [each.name for each in fields(Machine)][1:]


def on_arrays(shape: Shape, states: list[Machine]) -> list[Machine]:
    """The step under test, on all states at once."""
    after = array_step(shape, states)
    columns = [getattr(after, name).tolist() for name in RESULTS]
    memories = [tuple(mem) for mem in after.mem.words.tolist()]
    return [Machine(*row) for row in zip(memories, *columns, strict=True)]


def array_step(shape: Shape, states: list[Machine]) -> After:
    def column(name: str) -> Any:
        return np.array([getattr(state, name) for state in states], dtype=np.int64)

    memory = ArrayMemory(column("mem"))
    read = [column(name) for name in ("pc", "fault", "input", "ready")]
    return step(shape, Before(memory, *read))


@st.composite
def machines(draw: Any, shape: Shape) -> Machine:
    """States whose words are often addresses, often -1, and else anything."""
    top = shape.modulus - 1
    anything = st.integers(0, top)
    near = st.integers(0, min(shape.words + 2, top))
    extreme = st.sampled_from([0, 1, top // 2, top // 2 + 1, top - 1, top])
    word = st.one_of(near, st.just(top), extreme, anything)
    instruction = draw(st.lists(word, min_size=3, max_size=3))
    mem = draw(st.lists(word, min_size=shape.words, max_size=shape.words))
    pc = draw(st.one_of(st.integers(0, shape.words - 3), near, extreme))
    if pc <= shape.words - 3:
        mem[pc : pc + 3] = instruction
    return Machine(
        tuple(mem),
        pc,
        draw(st.sampled_from([0, 0, 0, 1])),
        draw(st.one_of(anything, extreme)),
        draw(st.integers(0, 1)),
        wanted=draw(st.integers(0, 1)),
        output=draw(anything),
        valid=draw(st.integers(0, 1)),
    )


@pytest.mark.parametrize("shape", [*SHAPES, *WIDE], ids=str)
@given(data=st.data())
def test_on_ints(shape: Shape, data: st.DataObject) -> None:
    state = data.draw(machines(shape))
    assert on_ints(shape, state) == plain_step(shape, state)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@given(data=st.data())
def test_on_arrays(shape: Shape, data: st.DataObject) -> None:
    states = data.draw(st.lists(machines(shape), min_size=1, max_size=4))
    assert on_arrays(shape, states) == [plain_step(shape, state) for state in states]


@pytest.mark.parametrize("shape", SHAPES[:6], ids=str)
def test_every_kind_of_step_happens(shape: Shape) -> None:
    """Whether the states above try everything does not depend on luck."""
    top = shape.modulus - 1
    rest = (0,) * (shape.words - 3)
    first, last = 0, shape.addresses - 1
    for instruction, flags, kind in [
        ((first, last, 0), {}, SUBTRACT),
        ((top, last, 0), {}, WAIT),
        ((top, last, 0), {"ready": 1, "input": top}, INPUT),
        ((last, top, 0), {}, OUTPUT),
        ((top, top, 0), {"ready": 1}, FAULT),
        ((first, last, 0), {"fault": 1}, STILL),
    ]:
        state = Machine((*instruction, *rest), **flags)
        assert on_ints(shape, state).kind == kind
        assert on_arrays(shape, [state])[0].kind == kind
        assert plain_step(shape, state).kind == kind


SHAPE = Shape(8, 32)
TOP = 255


def machine(
    *instruction: int, pc: int = 0, place: dict[int, int] | None = None, **given: int
) -> Machine:
    mem = [0] * SHAPE.words
    mem[pc : pc + 3] = instruction
    for at, word in (place or {}).items():
        mem[at] = word
    return Machine(tuple(mem), pc, **given)


def after(state: Machine, shape: Shape = SHAPE) -> Machine:
    assert on_arrays(shape, [state]) == [on_ints(shape, state)]
    return on_ints(shape, state)


def changed(before: Machine, later: Machine) -> dict[int, int]:
    return {
        at: word
        for at, (was, word) in enumerate(zip(before.mem, later.mem, strict=True))
        if was != word
    }


@pytest.mark.parametrize(
    ("minuend", "subtrahend", "difference", "jumps"),
    [
        (5, 3, 2, False),
        (3, 3, 0, True),
        (3, 5, 254, True),
        (0, 0, 0, True),
        (128, 1, 127, False),  # -128 - 1 is 127 in 8 bits
        (127, 255, 128, True),  # 127 + 1 is -128
        (0, 128, 128, True),  # -(-128) is -128
        (255, 255, 0, True),
        (1, 255, 2, False),
    ],
)
def test_subtract_and_branch(minuend: int, subtrahend: int, difference: int, jumps: bool) -> None:
    before = machine(10, 11, 20, place={10: subtrahend, 11: minuend})
    later = after(before)
    assert later.mem[11] == difference
    assert later.pc == (20 if jumps else 3)
    assert set(changed(before, later)) <= {11}


def test_pc_plus_3_may_halt() -> None:
    """Code ends below 2**(bits - 1); past it the program counter is negative, so it halts."""
    shape = Shape(8, 256)
    mem = [0] * 256
    mem[125:128] = [10, 11, 0]
    mem[11] = 5
    later = after(Machine(tuple(mem), 125), shape)
    assert (later.pc, later.kind) == (128, SUBTRACT)
    assert after(later, shape) == replace(later, kind=STILL)


@pytest.mark.parametrize("pc", [125, 126, 127])
def test_an_instruction_may_reach_past_the_last_place_for_code(pc: int) -> None:
    shape = Shape(8, 256)
    mem = [0] * 256
    mem[pc : pc + 3] = [10, 11, 77]
    later = after(Machine(tuple(mem), pc), shape)
    assert (later.pc, later.kind) == (77, SUBTRACT)


@pytest.mark.parametrize(
    ("why", "state"),
    [
        ("the second word is outside the memory", machine(1, pc=31)),
        ("the third word is outside the memory", machine(1, 1, pc=30)),
        ("pc is outside the memory", replace(machine(1, 1, 1), pc=32)),
        ("pc is far outside the memory", replace(machine(1, 1, 1), pc=127)),
        ("A is outside", machine(32, 1, 0)),
        ("B is outside", machine(1, 32, 0)),
        ("A is negative, not -1", machine(254, 1, 0)),
        ("B is negative, not -1", machine(1, 254, 0)),
        ("both are -1", machine(TOP, TOP, 0, ready=1)),
        ("input to an address outside", machine(TOP, 32, 0, ready=1)),
        ("input to an address outside, not ready", machine(TOP, 32, 0)),
        ("output of an address outside", machine(32, TOP, 0)),
    ],
)
def test_a_fault_sets_its_flag_and_nothing_else(why: str, state: Machine) -> None:
    later = after(state)
    assert later == replace(state, fault=1, kind=FAULT), why
    assert after(later) == replace(later, kind=STILL)


def test_c_is_checked_only_when_it_becomes_pc() -> None:
    goes_on = machine(10, 11, 200, place={11: 1})
    assert after(goes_on).pc == 3
    jumps = after(machine(10, 11, 99))
    assert (jumps.pc, jumps.kind) == (99, SUBTRACT)
    assert after(jumps) == replace(jumps, fault=1, kind=FAULT)
    halts = after(machine(10, 11, 200))
    assert halts.pc == 200
    assert after(halts).kind == STILL


def test_waiting_changes_nothing_until_input_is_ready() -> None:
    before = machine(TOP, 12, 7, input=99)
    waits = after(before)
    assert waits == replace(before, wanted=1, kind=WAIT)
    assert after(waits) == waits
    takes = after(replace(waits, input=42, ready=1))
    assert changed(before, takes) == {12: 42}
    assert (takes.pc, takes.ready, takes.input, takes.wanted) == (3, 0, 42, 0)


def test_results_of_the_pass_before_do_not_matter() -> None:
    before = machine(10, 11, 20, place={10: 1})
    later = after(replace(before, wanted=1, output=77, valid=1))
    assert later == after(before)
    assert (later.wanted, later.output, later.valid) == (0, 0, 0)


def test_output_reads_and_goes_on() -> None:
    before = machine(12, TOP, 7, place={12: 200}, ready=1, input=5)
    later = after(before)
    assert later == replace(before, pc=3, output=200, valid=1, kind=OUTPUT)


def test_an_instruction_that_overwrites_its_own_third_word() -> None:
    """All three words are read first: it branches to what C was, not to what it becomes."""
    before = machine(10, 2, 20, place={10: 25})
    later = after(before)
    assert changed(before, later) == {2: 251}
    assert later.pc == 20
    goes_on = machine(10, 2, 20, place={10: 4})
    assert (after(goes_on).pc, changed(goes_on, after(goes_on))) == (3, {2: 16})
    by_input = machine(TOP, 2, 20, ready=1, input=9)
    assert (after(by_input).pc, changed(by_input, after(by_input))) == (3, {2: 9})


def test_an_instruction_that_overwrites_its_own_operands() -> None:
    before = machine(10, 0, 20, place={10: 3})
    assert changed(before, after(before)) == {0: 7}
    before = machine(1, 1, 20)
    assert changed(before, after(before)) == {1: 0}
    assert after(before).pc == 20


def test_self_modifying_code_runs_as_modified() -> None:
    """The first instruction changes the second, which then reads another operand."""
    before = machine(20, 3, 3, place={3: 30, 4: 22, 5: 9, 20: 7, 22: 100, 23: 1, 30: 5})
    first = after(before)
    assert changed(before, first) == {3: 23}
    second = after(first)
    assert changed(first, second) == {22: 99}


def test_all_ones_is_no_address_even_where_memory_has_it() -> None:
    shape = Shape(4, 16)
    mem = [15, 15, 0] + [0] * 12 + [9]
    assert after(Machine(tuple(mem)), shape).kind == FAULT
    mem[0], mem[1] = 3, 15
    later = after(Machine(tuple(mem)), shape)
    assert (later.kind, later.output) == (OUTPUT, 0)
    mem[0], mem[1] = 14, 14
    assert after(Machine(tuple(mem)), shape).kind == SUBTRACT


def test_a_list_is_written_in_place_and_an_array_is_not() -> None:
    words = [4, 5, 0, 0, 2, 7]
    shape = Shape(8, 6)
    array, zero = np.array([words, words]), np.zeros(2, dtype=np.int64)
    later = step(shape, Before(ArrayMemory(array), zero, zero, zero, zero))
    assert array.tolist() == [words, words]
    assert later.mem.words.tolist() == [[4, 5, 0, 0, 2, 5]] * 2
    step(shape, Before(ListMemory(words), 0, 0, 0, 0))
    assert words == [4, 5, 0, 0, 2, 5]


def test_a_wrong_step_is_found() -> None:
    """The comparison of this file tells the step from one that reads C after the write."""
    before = machine(10, 2, 20, place={10: 25})
    late = replace(plain_step(SHAPE, before), pc=plain_step(SHAPE, before).mem[2])
    assert on_ints(SHAPE, before) == plain_step(SHAPE, before) != late
