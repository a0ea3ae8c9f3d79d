"""A verified machine to run programs on: the library's front door.

shape = Shape(bits=16, words=64)
machine = Machine(shape)                        # proves its gadgets, builds its 23 layers
words = read_image(Path("examples/multiply.sq"), shape)
result = machine.run(words, input=b"6*7")
print(result.outcome, result.steps, result.output)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from numeric.capacity import (
    available_bytes,
    check_fits,
    check_memory_fits,
    needed_bytes,
    too_large,
)
from numeric.codec import Codec
from numeric.engines import Engine, EngineName, build
from numeric.linear_codec import LinearCodec, codec_of
from numeric.lockstep import LockstepProcessor
from numeric.self_check import checked
from numeric.support import SupportEngine, SupportName, SupportProcessor
from numeric.support import build as build_support
from numeric.support_reading import NoSupportError
from numeric.tie_check import Tie, tie_check
from proofs import gate, verify
from proofs.results import Report, Verdict
from verified_mlp.constructions.registry import Construction, construction
from verified_mlp.machine.host import (
    Host,
    Outcome,
    Processor,
    Signals,
    Sink,
    Source,
    explain_fault,
)
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.network import Network

AUTO = "auto"

TIED_ROWS = 20
"""Rows of every family that are compared with the statement whenever arrays are built."""


class UnknownEngineError(ValueError):
    """There is no engine of that name."""


class NotVerifiedError(Exception):
    """The network's gadgets are not all proved; the text names the first that is not."""


class NotTiedError(Exception):
    """Arrays do not hold the statement's numbers; the text names the first that differs."""


class NetworkProcessor:
    """A state vector and the engine that advances it (see `verified_mlp.machine.host`)."""

    def __init__(self, engine: Engine, codec: Codec | LinearCodec, state: State) -> None:
        self._engine = engine
        self._codec = codec
        self._vector = codec.encode(state)

    def signals(self) -> Signals:
        """What the host needs to know of the current state."""
        read, vector = self._codec.read, self._vector
        return Signals(
            pc=read(vector, "pc"),
            fault=read(vector, "fault"),
            wanted=read(vector, "wanted"),
            output=read(vector, "output"),
            valid=read(vector, "valid"),
        )

    def advance(self, passes: int = 1) -> int:
        """Replace the state vector by what the network makes of it; once, whatever is asked."""
        self._vector = self._engine.forward(self._vector)
        return 1

    def give(self, word: int) -> None:
        """Fill the input word and set its ready flag."""
        vector = self._vector.copy()
        self._codec.write(vector, "input", word)
        self._codec.write(vector, "ready", 1)
        self._vector = vector

    def state(self) -> State:
        """The whole state, decoded; raises ValueError if the vector is none."""
        return self._codec.decode(self._vector)


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left behind; `fault` is a sentence if the program faulted, else empty."""

    outcome: Outcome
    steps: int
    output: bytes
    state: State
    fault: str


class Machine:
    """The network of a shape, by the construction of the options, proved and then built.

    The engine is `support` (or `auto`, the same where it applies), `support-numpy`, `dense`
    or `sparse`.  Raises UnknownEngineError for another name, NoSupportError for one that does not
    apply to the construction, DoesNotFitError (before anything is proved or built)
    if the engine would not fit in memory, NotVerifiedError if a gadget is not proved under the
    options, and NotTiedError if an array that was built does not hold the statement's numbers (a
    fresh sample of rows is compared).

    Another `network` than the construction's is refused, for the proof is not about it, unless
    nothing is to be `verified`.
    """

    engine: Engine | SupportEngine

    def __init__(
        self,
        shape: Shape,
        engine: str = AUTO,
        options: verify.Options = verify.DEFAULT,
        *,
        network: Network | None = None,
        verified: bool = True,
    ) -> None:
        how = construction(options.construction)
        other, network = network, network or how.network(shape)
        name = _engine_name(engine, how)
        if isinstance(name, SupportName):
            if how.forms:
                raise NoSupportError(
                    f"the {name} engine is not for the construction {how.name}, whose rows it does "
                    "not know to be zero: choose the sparse or dense engine."
                )
            check_memory_fits(shape, name, available_bytes())
        else:
            check_fits(network, shape, name, available_bytes())
        if verified:
            check_verified(gate.ensure(shape, options, other))
        self.shape, self.network, self.construction = shape, network, how
        self.layers = len(network.layers)
        if isinstance(name, SupportName):
            proved = verify.stated(shape, how=how.name)
            self.engine = build_support(network, proved, shape, name, how)
            return
        try:
            self.engine = build(network, name)
        except MemoryError:
            raise too_large(shape, name, needed_bytes(network, name)) from None
        check_tied(tie_check(network, self.engine.layers, sample=TIED_ROWS))

    def run(self, words: Sequence[int], input: bytes = b"", max_steps: int | None = None) -> Result:
        """Run a program from address 0, with all its input at hand.

        `words` are at most as many as the memory holds, each 0..2**bits-1; the rest is zeros.
        Raises ValueError for other words.
        """
        sink = BytesIO()
        host = self.host(words, BytesIO(input), sink)
        outcome = host.run(max_steps)
        state = host.processor.state()
        fault = explain_fault(self.shape, state) if outcome is Outcome.FAULT else ""
        return Result(outcome, host.steps, sink.getvalue(), state, fault)

    def host(
        self,
        words: Sequence[int],
        source: Source,
        sink: Sink,
        self_check: int = 0,
        *,
        state: State | None = None,
        beside: Machine | None = None,
    ) -> Host:
        """The host loop of a program, for streams of input and output; see `Host.run`.

        It begins in `state`, if one is given, in place of that of a program that starts.
        With the support engine, every `self_check`-th pass can be compared with the network's (see
        `numeric.self_check`).  Raises ValueError for another engine.  With a machine `beside` it,
        that one makes the same passes, and its states are compared (see `numeric.lockstep`).
        """
        if state is None:
            state = State(mem=[*words, *[0] * (self.shape.words - len(words))])
        engine = self.engine
        processor: Processor
        if isinstance(engine, SupportEngine):
            processor = SupportProcessor(engine, state)
            if self_check:
                processor = checked(processor, engine, self.network, self_check)
        elif self_check:
            raise ValueError(
                f"a self-check compares the support engine with the network, and the {engine.name} "
                f"engine is the network: choose the support engine, or no self-check."
            )
        else:
            codec = codec_of(self.shape, self.construction)
            processor = NetworkProcessor(engine, codec, state)
        if beside is not None:
            names = self.construction.name, beside.construction.name
            second = beside.host([], source, sink, state=state).processor
            processor = LockstepProcessor(processor, second, names)
        return Host(self.shape, processor, source, sink)


def _engine_name(name: str, how: Construction) -> EngineName | SupportName:
    if name == AUTO:
        return EngineName.SPARSE if how.forms else SupportName.SUPPORT
    for kind in (EngineName, SupportName):
        if name in list(kind):
            return kind(name)
    known = ", ".join((AUTO, *EngineName, *SupportName))
    raise UnknownEngineError(f"there is no engine {name!r}: choose one of {known}.")


def check_tied(tie: Tie) -> None:
    """Raise NotTiedError, with the first difference, if there is one."""
    if tie.differences:
        raise NotTiedError(
            f"the arrays are not what the statement says: {tie.differences[0]} Report this."
        )


def check_verified(report: Report) -> None:
    """Raise NotVerifiedError, naming the first failure, unless all of the report is proved."""
    if report.passed:
        return
    cure = f"Run verify-all --bits {report.bits} --words {report.words} to see why."
    failed = [result for result in report.results if result.verdict is not Verdict.PROVED]
    if not failed:
        raise NotVerifiedError(f"the network is not verified: nothing was proved. {cure}")
    raise NotVerifiedError(
        f"the network is not verified: {failed[0].obligation.name} is {failed[0].verdict}. {cure}"
    )
