from collections.abc import Callable
from io import BytesIO

import pytest

from numeric.codec import Codec
from numeric.engines import EngineName, build
from numeric.machine import NetworkProcessor
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.host import Host, Outcome, Processor, explain_fault
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

SHAPE = Shape(8, 24)
IN = OUT = HALT = -1


def interpreter(shape: Shape, state: State) -> Processor:
    return Interpreter(shape, state)


def network(shape: Shape, state: State) -> Processor:
    return NetworkProcessor(build(paper(shape), EngineName.SPARSE), Codec(shape), state)


Make = Callable[[Shape, State], Processor]
both = pytest.mark.parametrize("make", [interpreter, network])


class Recorder:
    """Input and output that note what happens, in order."""

    def __init__(self, given: bytes = b"") -> None:
        self.events: list[str] = []
        self._given = BytesIO(given)

    def read(self, size: int) -> bytes:
        found = self._given.read(size)
        self.events.append(f"read {size}: {found!r}")
        return found

    def write(self, data: bytes) -> None:
        self.events.append(f"write {data!r}")

    def flush(self) -> None:
        self.events.append("flush")


def host(make: Make, words: list[int], tape: Recorder, shape: Shape = SHAPE) -> Host:
    mem = [word % shape.modulus for word in words]
    mem += [0] * (shape.words - len(mem))
    return Host(shape, make(shape, State(mem=mem)), tape, tape)


@both
def test_input_is_read_when_the_program_waits_and_output_is_visible_before(make: Make) -> None:
    tape = Recorder(b"xyz")
    program = [20, OUT, 3, IN, 21, 6, 21, OUT, 9, IN, 22, 12, 20, 20, HALT, 0, 0, 0, 0, 0, 63]
    running = host(make, program, tape)
    assert running.run() is Outcome.HALTED
    assert running.steps == 5
    assert tape.events == [
        "write b'?'",
        "flush",
        "read 1: b'x'",
        "write b'x'",
        "flush",
        "read 1: b'y'",
    ]
    assert running.processor.state().mem[21:23] == [ord("x"), ord("y")]


@both
def test_a_program_that_reads_nothing_takes_no_input(make: Make) -> None:
    tape = Recorder(b"xyz")
    assert host(make, [3, 3, HALT, 1], tape).run() is Outcome.HALTED
    assert tape.events == []


@both
@pytest.mark.parametrize(
    ("bits", "given", "word"),
    [
        (16, b"\xff", 255),
        (16, b"", 65535),
        (8, b"\xff", 255),
        (8, b"", 255),
        (4, b"\xf7", 7),
        (4, b"", 15),
        (64, b"\x00", 0),
        (64, b"", 2**64 - 1),
    ],
)
def test_a_byte_enters_mod_the_word_and_the_end_of_input_as_minus_one(
    make: Make, bits: int, given: bytes, word: int
) -> None:
    shape = Shape(bits, 8)
    running = host(make, [IN, 7, 3, 6, 6, HALT], Recorder(given), shape)
    assert running.run() is Outcome.HALTED
    assert running.processor.state().mem[7] == word


@both
@pytest.mark.parametrize(
    ("bits", "word", "byte"), [(4, 15, 15), (8, 255, 255), (16, 321, 65), (64, 2**64 - 2, 254)]
)
def test_an_output_is_the_word_mod_256(make: Make, bits: int, word: int, byte: int) -> None:
    tape = Recorder()
    host(make, [7, OUT, 3, 6, 6, HALT, 0, word], tape, Shape(bits, 8)).run()
    assert tape.events == [f"write {bytes([byte])!r}", "flush"]


@both
def test_the_end_of_input_is_asked_for_again(make: Make) -> None:
    tape = Recorder(b"a")
    host(make, [IN, 21, 3, IN, 22, 6, IN, 23, 9, 20, 20, HALT], tape).run()
    assert tape.events == ["read 1: b'a'", "read 1: b''", "read 1: b''"]


@both
def test_a_run_goes_on_after_its_limit(make: Make) -> None:
    tape = Recorder(b"a")
    running = host(make, [20, 21, 3, IN, 22, 6, 20, 23, 9, 20, 20, HALT, 0, 0, 0], tape)
    assert running.run(max_steps=0) is Outcome.LIMIT
    assert (running.steps, running.processor.state().pc) == (0, 0)
    assert running.run(max_steps=1) is Outcome.LIMIT
    assert (running.steps, running.processor.state().pc, tape.events) == (1, 3, [])
    assert running.run(max_steps=2) is Outcome.LIMIT
    assert (running.steps, running.processor.state().pc) == (3, 9)
    assert running.run(max_steps=1) is Outcome.HALTED
    assert running.steps == 4
    assert running.run() is Outcome.HALTED
    assert running.steps == 4


@both
def test_a_fault_is_a_step_and_leaves_the_pc_at_the_instruction(make: Make) -> None:
    running = host(make, [20, 20, 3, 24, 0, 0], Recorder())
    assert running.run(max_steps=2) is Outcome.FAULT
    assert (running.steps, running.processor.state().pc) == (2, 3)
    assert running.run() is Outcome.FAULT
    assert running.steps == 2


@both
def test_between_advances_a_run_can_be_taken_over_by_another_processor(make: Make) -> None:
    """The state, the steps and the streams are all that a run is, whenever `between` is called."""
    program = [IN, 21, 3, 21, OUT, 6, IN, 22, 9, 22, OUT, 12, 20, 20, HALT]

    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    tape = Recorder(b"ab")
    running = host(make, program, tape)
    outcome, calls = None, 0
    while outcome is None:
        try:
            outcome = running.run(between=stop)
        except Stop:
            calls += 1
            other = Host(SHAPE, make(SHAPE, running.processor.state()), tape, tape)
            other.steps = running.steps
            running = other
    assert (outcome, running.steps, calls) == (Outcome.HALTED, 5, 7)
    assert tape.events == [
        "read 1: b'a'",
        "write b'a'",
        "flush",
        "read 1: b'b'",
        "write b'b'",
        "flush",
    ]


@both
def test_an_interrupted_wait_can_go_on(make: Make) -> None:
    class Interrupted(Recorder):
        def read(self, size: int) -> bytes:
            if not self.events:
                self.events.append("interrupt")
                raise KeyboardInterrupt
            return super().read(size)

    tape = Interrupted(b"a")
    running = host(make, [IN, 21, 3, 20, 20, HALT], tape)
    with pytest.raises(KeyboardInterrupt):
        running.run()
    assert (running.steps, running.processor.state().pc) == (0, 0)
    assert running.run() is Outcome.HALTED
    assert running.processor.state().mem[21] == ord("a")


def test_both_processors_leave_the_same_state() -> None:
    program = [IN, 21, 3, 22, 21, 6, 21, OUT, 9, 21, 21, HALT, *[0] * 10, 1]
    states = []
    for make in (interpreter, network):
        running = host(make, program, Recorder(b"B"))
        running.run()
        states.append(running.processor.state())
    assert states[0] == states[1]


@pytest.mark.parametrize(
    ("shape", "pc", "operands", "sentence"),
    [
        (
            SHAPE,
            3,
            [24, 5, 0],
            "fault at pc = 3, A = 24, B = 5, C = 0: A is no address, for the addresses are 0 to "
            "23.",
        ),
        (
            SHAPE,
            0,
            [5, 200, -1],
            "fault at pc = 0, A = 5, B = 200 (-56), C = -1: B is no address, for the addresses are "
            "0 to 23.",
        ),
        (
            SHAPE,
            0,
            [24, 25, 1],
            "fault at pc = 0, A = 24, B = 25, C = 1: A and B are no addresses, for the addresses "
            "are 0 to 23.",
        ),
        (
            SHAPE,
            0,
            [-1, 24, 1],
            "fault at pc = 0, A = -1, B = 24, C = 1: B is no address, for the addresses are 0 to "
            "23.",
        ),
        (
            SHAPE,
            0,
            [24, -1, 1],
            "fault at pc = 0, A = 24, B = -1, C = 1: A is no address, for the addresses are 0 to "
            "23.",
        ),
        (
            SHAPE,
            0,
            [-1, -1, 1],
            "fault at pc = 0, A = -1, B = -1, C = 1: A and B are both -1, so there is neither a "
            "place to read nor one to write.",
        ),
        (
            SHAPE,
            22,
            [7, 8],
            "fault at pc = 22, A = 7, B = 8, C is outside the memory: an instruction is three "
            "words, and the memory ends at 23.",
        ),
        (
            SHAPE,
            24,
            [],
            "fault at pc = 24, A is outside the memory, B is outside the memory, C is outside the "
            "memory: an instruction is three words, and the memory ends at 23.",
        ),
    ],
)
def test_a_fault_is_explained(shape: Shape, pc: int, operands: list[int], sentence: str) -> None:
    state = State(mem=[0] * shape.words, pc=pc)
    for at, word in enumerate(operands):
        state.mem[pc + at] = word % shape.modulus
    machine = Interpreter(shape, state)
    machine.give(1)
    machine.advance()
    assert machine.signals().fault == 1
    assert explain_fault(shape, machine.state()) == sentence
