"""Sessions of the debugger against a naive model that keeps every state."""

import random
import re
from dataclasses import replace
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_states import adversarial_states, random_states

from numeric.activations import Activations, WrongValueError, points_on
from numeric.codec import Codec
from numeric.debugger import session as sessions
from numeric.debugger.commands import COMMANDS, CommandError, Debugger
from numeric.debugger.render import Names
from numeric.debugger.session import Access, Reason, Session, Stop
from numeric.engines import EngineName
from numeric.engines import build as build_literal
from numeric.machine import Machine
from numeric.support import SupportEngine, SupportProcessor
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.machine.step import INPUT, OUTPUT, SUBTRACT, Before, ListMemory, step
from verified_mlp.statement.evaluate import column_names, entry_name, size

SHAPES = [Shape(4, 8), Shape(8, 24), Shape(16, 40)]
GIVEN = b"hello, \xff\0"
MOST = 60


@cache
def machine(shape: Shape, engine: str = "support-numpy") -> Machine:
    return Machine(shape, engine, verified=False)


@st.composite
def programs(draw: st.DrawFn) -> tuple[Shape, list[int]]:
    """Instructions that go to each other and change each other, with input and output among them;
    or words that are anything.
    """
    shape = draw(st.sampled_from(SHAPES))
    top = shape.modulus - 1
    if draw(st.integers(0, 4)) == 0:
        return shape, draw(st.lists(st.integers(0, top), min_size=3, max_size=shape.words))
    count = draw(st.integers(2, shape.words // 4))
    cell = st.integers(0, shape.words - 1)
    data = st.integers(3 * count, shape.words - 1)
    target = st.integers(0, count - 1).map(lambda at: 3 * at)
    kinds = [
        st.tuples(data, data, target),
        st.tuples(data, cell, target),
        st.tuples(st.just(top), data, target),
        st.tuples(data, st.just(top), target),
    ]
    code = draw(st.lists(st.one_of(kinds), min_size=count, max_size=count))
    rest = shape.words - 3 * count
    values = st.one_of(st.integers(0, 3), st.integers(0, top))
    words = draw(st.lists(values, min_size=rest, max_size=rest))
    return shape, [word for each in code for word in each] + words


def session(shape: Shape, words: list[int], sink: BytesIO | None = None) -> Session:
    return Session(machine(shape), words, BytesIO(GIVEN), sink or BytesIO())


class Model:
    """All states of a run by the interpreter, with what was printed before each."""

    def __init__(self, shape: Shape, words: list[int], most: int = MOST) -> None:
        mem = words + [0] * (shape.words - len(words))
        sink = BytesIO()
        host = Host(shape, Interpreter(shape, State(mem=mem)), BytesIO(GIVEN), sink)
        self.shape = shape
        self.states, self.printed = [host.processor.state()], [b""]
        outcome = Outcome.LIMIT
        while outcome is Outcome.LIMIT and len(self.states) <= most:
            before = host.steps
            outcome = host.run(1)
            if host.steps > before:
                self.states.append(host.processor.state())
                self.printed.append(sink.getvalue())

    def addresses(self) -> list[int]:
        """Those of the instructions that are executed, and of their operands."""
        found = {0}
        for now in self.states[1:]:
            found |= {now.pc, *now.mem[now.pc : now.pc + 2]}
        return sorted(each for each in found if each < self.shape.addresses)

    def touches(self, at: int, access: Access, address: int) -> bool:
        """Whether the step from a state does this to an address, by the definition of the step."""
        now = self.states[at]
        memory = ListMemory(list(now.mem))
        after = step(self.shape, Before(memory, now.pc, now.fault, 0, 1))
        if access is Access.EXECUTE:
            return now.pc == address
        if after.kind not in (INPUT, OUTPUT, SUBTRACT):
            return False
        a, b = now.mem[now.pc], now.mem[now.pc + 1]
        found = {
            (Access.READ, SUBTRACT): {a, b},
            (Access.READ, OUTPUT): {a},
            (Access.WRITE, SUBTRACT): {b},
            (Access.WRITE, INPUT): {b},
        }
        return address in found.get((access, after.kind), ())


@pytest.fixture(autouse=True)
def _few_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that short runs thin out their copies as well."""
    monkeypatch.setattr(sessions, "SPACING", 3)
    monkeypatch.setattr(sessions, "COPIES", 5)


# Steps


@given(programs(), st.data())
@settings(max_examples=60)
def test_there_and_back(program: tuple[Shape, list[int]], data: st.DataObject) -> None:
    model, subject = Model(*program), session(*program)
    last = len(model.states) - 1
    for target in data.draw(st.lists(st.integers(0, last), min_size=1, max_size=6)):
        if target < subject.steps:
            subject.back(subject.steps - target)
        else:
            subject.step(target - subject.steps)
        assert subject.steps == target
        assert subject.state() == model.states[target]
        assert subject.output == model.printed[target]


def test_input_is_kept_for_going_on_after_going_back() -> None:
    """Were it asked for anew, the program would print something else."""
    words = [8, 8, 3, 255, 9, 6, 9, 255, 0, 0]
    shape = SHAPES[1]
    states = []
    for forgetful in (False, True):
        subject = session(shape, words)
        subject.step(3)
        subject.back(2)
        if forgetful:
            subject._input._all.clear()
            subject._input.given = 0
        subject.step(2)
        states.append(subject.output)
    assert states == [b"h", b"e"]


def test_output_is_printed_again_but_not_on_the_way_back() -> None:
    sink = BytesIO()
    subject = session(SHAPES[1], [9, 255, 3, 9, 255, 6, 9, 255, 9, 65], sink)
    subject.step(3)
    subject.back(1)
    assert (sink.getvalue(), subject.output) == (b"AAA", b"AA")
    subject.step(1)
    assert (sink.getvalue(), subject.output) == (b"AAAA", b"AAA")


def test_a_step_after_the_end_is_none() -> None:
    subject = session(SHAPES[1], [3, 3, 255, 0])
    assert subject.step(5) == Stop(Reason.HALTED)
    assert subject.steps == 1
    assert subject.step() == subject.run() == Stop(Reason.HALTED)
    assert subject.steps == 1
    subject.back()
    assert subject.state().pc == 0
    with pytest.raises(ValueError, match=r"^1 steps back are before the first: 0 were made\.$"):
        subject.back()


def test_copies_grow_with_the_logarithm_of_the_run() -> None:
    subject = session(SHAPES[1], [3, 3, 0, 0])
    subject.step(1000)
    assert len(subject._copies) <= 5
    assert subject._copies[0].steps == 0
    subject.back(999)
    assert subject.steps == 1


def test_an_interrupt_while_waiting_leaves_the_last_step() -> None:
    class Impatient(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise KeyboardInterrupt

    words = [7, 7, 3, 255, 9, 6]
    subject = Session(machine(SHAPES[1]), words, Impatient(), BytesIO())
    assert subject.step(2) == Stop(Reason.INTERRUPTED)
    assert subject.steps == 1
    assert subject.state() == Model(SHAPES[1], words).states[1]


@pytest.mark.parametrize("after", [1, 2, 5, 8])
def test_an_interrupt_anywhere_leaves_a_state_of_the_run(
    after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the middle of bookkeeping, and once more on the way back."""
    words = [9, 255, 3, 10, 9, 0, 0, 0, 0, 65, 1]
    subject = session(SHAPES[1], words)
    advance, calls = subject._processor.advance, []

    def interrupted(passes: int = 1) -> int:
        made = advance(passes)
        calls.append(made)
        if len(calls) in (after, after + 1):
            raise KeyboardInterrupt  # after the state was changed, before it is counted
        return made

    monkeypatch.setattr(subject._processor, "advance", interrupted)
    assert subject.run(last=20) == Stop(Reason.INTERRUPTED)
    model = Model(SHAPES[1], words)
    assert subject.state() == model.states[subject.steps]
    assert subject.output == model.printed[subject.steps]
    while subject.run(last=30).reason is Reason.INTERRUPTED:
        assert subject.state() == model.states[subject.steps]
    assert (subject.state(), subject.output) == (model.states[30], model.printed[30])


def test_only_the_support_engine_is_debugged() -> None:
    with pytest.raises(TypeError, match="support engine"):
        Session(machine(Shape(4, 8), "sparse"), [0], BytesIO(), BytesIO())


# Breakpoints


def check_breakpoint(model: Model, subject: Session, access: Access, address: int) -> int:
    """Compare all stops of a run; returns how many there are."""
    subject.add_breakpoint(access, address)
    last = len(model.states) - 1
    expected = [at for at in range(1, last) if model.touches(at, access, address)]
    found = []
    while subject.run(last=last).reason is Reason.BREAKPOINT:
        if subject.steps < last:
            found.append(subject.steps)
    assert found == expected
    return len(found)


@given(programs(), st.sampled_from(Access), st.data())
@settings(max_examples=60)
def test_breakpoints_stop_where_the_model_says(
    program: tuple[Shape, list[int]], access: Access, data: st.DataObject
) -> None:
    model = Model(*program)
    address = data.draw(st.sampled_from(model.addresses()))
    check_breakpoint(model, session(*program), access, address)


@pytest.mark.parametrize("access", Access)
def test_breakpoints_at_every_address(access: Access) -> None:
    """A program with all kinds of instructions, one of which writes into another."""
    words = [18, 19, 3, 255, 20, 6, 20, 255, 9, 21, 4, 12, 22, 22, 0, 0, 0, 0, 1, 9, 0, 255, 0, 0]
    model = Model(SHAPES[1], words, 25)
    stops = {at: check_breakpoint(model, session(SHAPES[1], words), access, at) for at in range(24)}
    counts = {
        Access.EXECUTE: {0, 3, 6, 9, 12},
        Access.READ: {4, 18, 19, 20, 21, 22},
        Access.WRITE: {4, 19, 20, 21, 22},
    }
    assert {at for at, count in stops.items() if count} == counts[access]


def test_the_first_of_several_breakpoints_is_named() -> None:
    subject = session(SHAPES[1], [10, 11, 3, 10, 10, 6, 12, 255, 0, 0, 1, 5, 66])
    one = subject.add_breakpoint(Access.READ, 12)
    two = subject.add_breakpoint(Access.WRITE, 10)
    assert subject.run() == Stop(Reason.BREAKPOINT, two)
    assert (subject.steps, subject.signals().pc) == (1, 3)
    assert subject.run() == Stop(Reason.BREAKPOINT, one)
    assert (subject.steps, subject.signals().pc) == (2, 6)
    with pytest.raises(ValueError) as error:  # noqa: PT011
        subject.add_breakpoint(Access.READ, 24)
    assert str(error.value) == "24 is no address: the addresses are 0 to 23."


@given(programs(), st.data())
@settings(max_examples=50)
def test_until(program: tuple[Shape, list[int]], data: st.DataObject) -> None:
    model = Model(*program)
    last = len(model.states) - 1
    address = data.draw(st.integers(0, program[0].words - 1))
    met = [at for at in range(1, last + 1) if model.states[at].pc == address]
    ended = model.states[last].fault or model.states[last].pc >= program[0].modulus // 2
    subject = session(*program)
    stop = subject.run(address=address, last=last)
    assert subject.steps == (met[0] if met and not (ended and met[0] == last) else last)
    assert stop.reason in (Reason.REACHED, Reason.HALTED, Reason.FAULT)
    subject = session(*program)
    number = data.draw(st.integers(0, last))
    subject.run(last=number)
    assert subject.state() == model.states[number]


# Layers


def passes(shape: Shape, count: int) -> list[State]:
    return [*adversarial_states(shape).values(), *random_states(shape, 3, count)]


def literal_layers(shape: Shape, state: State) -> list[np.ndarray]:
    """The state vector and the output of each layer, by the sparse engine."""
    found = [Codec(shape).encode(state)]
    for weights, bias in build_sparse(shape).layers:
        found.append(np.maximum(weights @ found[-1] + bias, 0.0))
    return found


@cache
def build_sparse(shape: Shape):
    return build_literal(machine(shape).network, EngineName.SPARSE)


def activations(shape: Shape, state: State) -> Activations:
    subject = machine(shape)
    assert isinstance(subject.engine, SupportEngine)
    processor = SupportProcessor(subject.engine, state)
    return Activations(subject.engine, subject.network, processor)


@pytest.mark.parametrize("shape", [Shape(4, 5), Shape(4, 16), Shape(8, 24)], ids=str)
def test_all_layers_are_those_of_the_sparse_engine(shape: Shape) -> None:
    """What is shown of a layer is what is not zero in it, no more and no less."""
    network = machine(shape).network
    for state in passes(shape, 6):
        found = activations(shape, state)
        for depth, expected in enumerate(literal_layers(shape, state)):
            sources = network.sources(depth)
            names = column_names(sources)
            on = {names[at]: float(expected[at]) for at in np.flatnonzero(expected)}
            shown = {}
            for source in sources:
                view = found.layers[depth][source.name]
                if not source.shape:
                    shown |= {source.name: float(view.at())} if view.at() else {}
                    continue
                rows = view.rows_on()
                assert rows == sorted(set(rows))
                for row in rows:
                    shown |= {
                        entry_name(source.name, point): value
                        for point, value in points_on(view, source.shape, row)
                    }
            assert shown == on


def test_why_gives_the_sum_of_every_neuron_that_is_on() -> None:
    shape = Shape(4, 6)
    network, rng = machine(shape).network, random.Random(1)
    for state in rng.sample(passes(shape, 6), 4):
        found, layers = activations(shape, state), literal_layers(shape, state)
        for depth in range(1, len(layers)):
            weights, bias = build_sparse(shape).layers[depth - 1]
            before = dict(
                zip(column_names(network.sources(depth - 1)), layers[depth - 1], strict=True)
            )
            start = 0
            for family in network.layers[depth - 1].neurons:
                count = size(family.shape)
                for at in range(start, start + count):
                    if not layers[depth][at]:
                        continue
                    point = np.unravel_index(at - start, family.shape) if family.shape else ()
                    why = found.explain(depth, family.name, [int(each) for each in point], 99)
                    assert why.value == why.sum == layers[depth][at]
                    assert why.sum == why.bias + sum(i.weight * i.value for i in why.inputs)
                    assert why.bias == bias[at]
                    assert all(before[each.name] == each.value for each in why.inputs)
                    row = weights[[at], :].toarray()[0]
                    named = dict(zip(before, row, strict=True))
                    assert {i.name: i.weight for i in why.inputs} == {
                        name: weight for name, weight in named.items() if weight
                    }
                start += count


def test_inputs_that_are_zero_are_counted_if_there_are_many() -> None:
    state = State(mem=[3, 4, 0, 7, 9, 0], pc=0)
    found = activations(Shape(4, 6), state)
    whole, brief = (found.explain(2, "a", [0], most) for most in (99, 2))
    assert whole.off == 0
    assert list(brief.inputs) == [each for each in whole.inputs if each.value]
    assert brief.off + len(brief.inputs) == len(whole.inputs)
    assert brief.sum == whole.sum == 1


def test_a_broken_view_is_caught() -> None:
    """A view that is wrong in one entry contradicts its own row, and the rows that read it."""
    shape = Shape(4, 6)
    state = State(mem=[3, 4, 0, 7, 9, 0])
    found = activations(shape, state)
    found.explain(2, "a", [0], 9)
    view = found.layers[1]["a"]
    view._values = view._values.copy()
    view._values[0] += 1
    for depth, point, text in (
        (1, [0, 0], "layer 1, a[0, 0] is 2 by the plan and 1 by its row."),
        (2, [0], "layer 2, a[0] is 1 by the plan and 2 by its row."),
    ):
        with pytest.raises(WrongValueError) as error:
            found.explain(depth, "a", point, 9)
        assert str(error.value) == text
    with pytest.raises(IndexError):
        found.explain(1, "a", [9, 0], 9)


def test_layers_at_a_size_that_is_not_built() -> None:
    shape = Shape(16, 65_536)
    subject = Session(machine(shape), [9, 60_000, 3, 0, 0, 0, 0, 0, 0, 5], BytesIO(), BytesIO())
    found = subject.activations()
    why = found.explain(2, "a", [3], 64)
    assert why.value == 1
    assert [each.name for each in why.inputs] == ["a[0, 3]"]
    assert why.off > 30_000


# Commands


def debugger(words: list[int], symbols: dict[str, int]) -> Debugger:
    return Debugger(session(SHAPES[1], words), Names(symbols, len(words)))


PROGRAM = [9, 10, 3, 9, 255, 6, 11, 11, 255, 1, 5, 0]
SYMBOLS = {"start": 0, "one": 9, "five": 10, "also_five": 10, "zero": 11, "later": 20}


def refused(line: str) -> str:
    subject = debugger(PROGRAM, SYMBOLS)
    before = replace(subject.session.state())
    with pytest.raises(CommandError) as error:
        list(subject.execute(line))
    assert subject.session.state() == before
    return str(error.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("stpe", "there is no command 'stpe' (do you mean step?): try help."),
        ("step x", "'x' is not a number of steps: write a number, 0 or more."),
        ("step 1 2", "write: step [N]."),
        ("back 1", "there are 0 steps to go back, not 1: write fewer, or all."),
        ("until", "write: until ADDRESS | step N."),
        ("until 1 2", "write: until ADDRESS | step N."),
        ("break read", "there is no symbol 'read': write a number or a symbol."),
        ("break touch one", "write: break [execute|read|write] ADDRESS."),
        ("break 24", "24 is outside of the memory: the words are 0 to 23."),
        ("break start-1", "start-1 is outside of the memory: the words are 0 to 23."),
        ("memory fiv", "there is no symbol 'fiv' (do you mean five?): write a number or a symbol."),
        ("memory 1x", "'1x' is no address: write a number or a symbol."),
        ("delete 1", "there is no breakpoint 1: breaks lists them."),
        ("layer 24", "there is no layer 24: choose 0 to 23."),
        (
            "layer 2 x",
            "layer 2 has no field 'x': it has run, a, b, c, mem, pc, fault, input, ready.",
        ),
        ("why a[0] 0", "there is no layer 0: choose 1 to 23."),
        ("why a[0, 0] 2", "a of layer 2 has 1 indices, not 2."),
        ("why a[8] 2", "8 is outside of a in layer 2: there its index is 0 to 7."),
        ("why a 2 3", "write: why FIELD[INDEX...] N, as in why here[0] 1."),
        ("help stpe", "there is no command 'stpe' (do you mean step?): try help."),
    ],
)
def test_a_wrong_command(line: str, sentence: str) -> None:
    assert refused(line) == sentence


def test_a_step_that_is_behind() -> None:
    subject = debugger(PROGRAM, SYMBOLS)
    list(subject.execute("step 2"))
    with pytest.raises(CommandError) as error:
        list(subject.execute("until step 1"))
    assert str(error.value) == "step 1 is behind, for 2 were made: write back 1."


def test_blank_lines_and_remarks_say_nothing() -> None:
    subject = debugger(PROGRAM, SYMBOLS)
    assert [list(subject.execute(line)) for line in ("", "  ", "# step", " #")] == [[]] * 4
    assert subject.session.steps == 0


def test_symbols_stand_for_addresses_and_are_shown() -> None:
    subject = debugger(PROGRAM, SYMBOLS)
    assert [subject.address(text) for text in ("one", "five+1", "later-9", "7")] == [9, 11, 11, 7]
    assert list(subject.execute("memory five 3")) == [
        "10 (also_five): 5",
        "11 (zero): 0",
        "12: 0",
    ]
    assert list(subject.execute("where")) == [
        "step 0, pc = 0 (start): one also_five start+3",
        "  subtracts mem[9 (one)] = 1 from mem[10 (also_five)] = 5; to 3 (start+3) if the result "
        "is <= 0",
    ]


def test_help_names_every_command() -> None:
    subject = debugger(PROGRAM, SYMBOLS)
    lines = list(subject.execute("help"))
    assert len(lines) == len(COMMANDS)
    assert all(each.usage in line for each, line in zip(COMMANDS, lines, strict=True))
    assert list(subject.execute("help b")) == list(subject.execute("help back")) == [lines[1]]
    assert re.fullmatch(r"b  back \[N\|all\] +take back the last N steps \(1\)", lines[1])


def test_rows_of_a_layer_are_shown_together() -> None:
    subject = debugger(PROGRAM, SYMBOLS)
    assert list(subject.execute("layer 1 a")) == ["a[0, 0 3] = 1"]
    assert list(subject.execute("layer 0 mem"))[:2] == ["mem[0, 0 3] = 1", "mem[1, 1 3] = 1"]
    assert list(subject.execute("layer 2"))[:4] == [
        "run = 1",
        "a[0 3] = 1",
        "b[1 3] = 1",
        "c[0 1] = 1",
    ]
    assert list(subject.execute("layer 2"))[-1] == "all 0: pc, fault, input, ready"
    full = debugger([1] * 24, {})
    assert list(full.execute("layer 0"))[15:17] == [
        "mem[15, 0] = 1",
        "mem: 8 rows more; name the field to see them all",
    ]
    assert len(list(full.execute("layer 0 mem"))) == 24


def test_compiled_code_makes_the_same_session() -> None:
    pytest.importorskip("llvmlite")
    words = [18, 19, 3, 255, 20, 6, 20, 255, 9, 21, 4, 12, 22, 22, 0, 0, 0, 0, 1, 9, 0, 255, 0, 0]
    model = Model(SHAPES[1], words, 25)
    last = len(model.states) - 1
    assert last > 10
    compiled = machine(SHAPES[1], "support")
    subject = Session(compiled, words, BytesIO(GIVEN), BytesIO())
    for target in (last, 3, last - 1, last - 2, 2, last, 0, 4):
        if target < subject.steps:
            subject.back(subject.steps - target)
        subject.step(target - subject.steps)
        assert subject.state() == model.states[target]
        assert subject.output == model.printed[target]


def test_completions() -> None:
    subject = debugger(PROGRAM, SYMBOLS)
    assert subject.completions("b") == ["back", "break", "breaks"]
    assert subject.completions("break ") == sorted([*Access, *SYMBOLS])
    assert subject.completions("break read o") == ["one"]
    assert subject.completions("until s") == ["start", "step"]
    assert subject.completions("layer 2 r") == ["ready", "run"]
    assert subject.completions("layer 99 r") == subject.completions("quit ") == []
