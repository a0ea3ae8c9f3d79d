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

from numeric.capacity import available_bytes, check_fits, needed_bytes, too_large
from numeric.codec import Codec
from numeric.engines import Engine, EngineName, build
from proofs import gate, verify
from proofs.results import Report, Verdict
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.host import Host, Outcome, Signals, Sink, Source, explain_fault
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.evaluate import width
from verified_mlp.statement.network import Network

AUTO = "auto"

SMALL = 2 * 2**20
"""Dense matrices of fewer bytes beat sparse ones (measured: the two are even at 2.4 MB)."""


class UnknownEngineError(ValueError):
    """There is no engine of that name."""


class NotVerifiedError(Exception):
    """The network's gadgets are not all proved; the text names the first that is not."""


class NetworkProcessor:
    """A state vector and the engine that advances it (see `verified_mlp.machine.host`)."""

    def __init__(self, engine: Engine, codec: Codec, state: State) -> None:
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

    def advance(self) -> None:
        """Replace the state vector by what the network makes of it."""
        self._vector = self._engine.forward(self._vector)

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
    """The paper's network of a shape, proved and then built.

    The engine is `dense`, `sparse`, or `auto`: the faster of the two.  Raises UnknownEngineError
    for another name, DoesNotFitError (before anything is proved or built) if the engine would not
    fit in memory, and NotVerifiedError if a gadget is not proved under the options.
    """

    def __init__(
        self,
        shape: Shape,
        engine: str = AUTO,
        options: verify.Options = verify.DEFAULT,
    ) -> None:
        network = paper(shape)
        name = faster_engine(network) if engine == AUTO else _engine_name(engine)
        check_fits(network, shape, name, available_bytes())
        check_verified(gate.ensure(shape, options))
        self.shape = shape
        self.layers = len(network.layers)
        try:
            self.engine = build(network, name)
        except MemoryError:
            raise too_large(shape, name, needed_bytes(network, name)) from None
        self._codec = Codec(shape)

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

    def host(self, words: Sequence[int], source: Source, sink: Sink) -> Host:
        """The host loop of a program, for streams of input and output; see `Host.run`."""
        mem = [*words, *[0] * (self.shape.words - len(words))]
        processor = NetworkProcessor(self.engine, self._codec, State(mem=mem))
        return Host(self.shape, processor, source, sink)


def faster_engine(network: Network) -> EngineName:
    """The engine with the shorter step: dense for the smallest networks, else sparse."""
    size = sum(
        8 * width(layer.neurons) * width(network.sources(depth))
        for depth, layer in enumerate(network.layers)
    )
    return EngineName.DENSE if size < SMALL else EngineName.SPARSE


def _engine_name(name: str) -> EngineName:
    try:
        return EngineName(name)
    except ValueError:
        known = ", ".join((AUTO, *EngineName))
        raise UnknownEngineError(f"there is no engine {name!r}: choose one of {known}.") from None


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
