"""The command `verified-mlp run`: a program on the verified network, on stdin and stdout."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.shell import INTERRUPTED, UserError, write_whole
from verified_mlp.machine.host import Host, Outcome, explain_fault
from verified_mlp.machine.image import format_image, read_image
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

# The runtime and the prover are imported where they are used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.machine import Machine

FAULT, LIMIT, NOT_VERIFIED = 1, 3, 4


def run(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The program: decimal words.")],
    bits: Annotated[int, typer.Option(help="Bits a word, 4 to 64.")] = 16,
    words: Annotated[int, typer.Option(help="Words of memory, 4 to 2^24.")] = 256,
    engine: Annotated[
        str,
        typer.Option(
            metavar="auto|dense|sparse",
            help="Literal matrices, their non-zero entries, or the faster of the two.",
        ),
    ] = "auto",
    max_steps: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after so many steps.")
    ] = None,
    stats: Annotated[bool, typer.Option("--stats", help="Say on stderr how the run went.")] = False,
    dump_memory: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the memory at the end here, as an image."),
    ] = None,
) -> int:
    """Run a program on the network, once the network is verified.

    Standard input and output are the program's.

    Exit code: 0 halted; 1 fault; 2 wrong usage or bad image; 3 step limit reached; 4 network not
    verified; 5 internal error; 130 interrupted.
    """
    if max_steps is not None and max_steps < 0:
        raise UserError(f"--max-steps {max_steps} is out of range: give 0 or more steps.")
    try:
        shape = Shape(bits, words)
        program = read_image(image, shape)
    except ValueError as error:
        raise UserError(str(error)) from error
    if dump_memory:
        from verified_mlp.cli.verify_files import check_writable

        check_writable([dump_memory])

    machine = _machine(shape, engine)
    source = _Input()
    host = machine.host(program, source, _Output())
    began = perf_counter()
    try:
        outcome: Outcome | None = host.run(max_steps)
    except KeyboardInterrupt:
        outcome = None
    seconds = perf_counter() - began - source.waited

    state = host.processor.state()
    if stats:
        _print_stats(machine, host, outcome, seconds)
    sentence, code = _ending(host, state, outcome)
    if dump_memory:
        try:
            write_whole(dump_memory, format_image(state.mem, shape).encode())
        except UserError as error:
            raise UserError(f"{sentence} {error}".strip(), error.code) from error
    if code:
        raise UserError(sentence, code)
    return 0


def _machine(shape: Shape, engine: str) -> Machine:
    from numeric.capacity import DoesNotFitError
    from numeric.machine import Machine, NotVerifiedError, UnknownEngineError

    try:
        return Machine(shape, engine)
    except (DoesNotFitError, UnknownEngineError) as error:
        raise UserError(str(error)) from error
    except NotVerifiedError as error:
        raise UserError(str(error), NOT_VERIFIED) from error


def _ending(host: Host, state: State, outcome: Outcome | None) -> tuple[str, int]:
    """What to say about the end of a run (None: interrupted), and its exit code."""
    place = f"at step {host.steps}, pc = {state.pc}"
    match outcome:
        case Outcome.HALTED:
            return "", 0
        case Outcome.FAULT:
            return explain_fault(host.shape, state), FAULT
        case Outcome.LIMIT:
            return f"stopped {place}: the limit of --max-steps is reached.", LIMIT
    return f"interrupted {place}.", INTERRUPTED


def _print_stats(machine: Machine, host: Host, outcome: Outcome | None, seconds: float) -> None:
    if sys.stderr is None:  # print would take None for stdout
        return
    rate = host.steps / seconds if seconds > 0 else 0
    lines = {
        "outcome": outcome or "interrupted",
        "steps": host.steps,
        "seconds": f"{seconds:.3f}",
        "steps per second": f"{rate:.0f}",
        "engine": machine.engine.name,
        "layers": machine.layers,
        "nonzeros": machine.engine.nonzeros,
    }
    for name, figure in lines.items():
        print(f"{name + ':':<18}{figure}", file=sys.stderr)


class _Input:
    """Standard input without a buffer, so that no byte is taken before the program asks for it.

    `waited` is the time that reading took, in seconds.
    """

    def __init__(self) -> None:
        self.waited = 0.0

    def read(self, size: int) -> bytes:
        began = perf_counter()
        try:
            return self._read(size)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot read the program's input: {reason}.") from error
        finally:
            self.waited += perf_counter() - began

    def _read(self, size: int) -> bytes:
        if sys.stdin is None:  # closed by the caller; the descriptor may be another file by now
            return b""
        while True:
            try:
                return os.read(0, size)
            except BlockingIOError:  # the caller's terminal or pipe is set not to wait
                select.select([0], [], [])


class _Output:
    """Standard output without a buffer, so that a byte is seen as soon as it is written."""

    def write(self, data: bytes) -> None:
        try:
            self._write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot write the program's output: {reason}.") from error

    def _write(self, data: bytes) -> None:
        if sys.stdout is None:
            raise UserError("cannot write the program's output: standard output is closed.")
        while data:
            try:
                data = data[os.write(1, data) :]
            except BlockingIOError:
                select.select([], [1], [])

    def flush(self) -> None:
        """Nothing is kept back."""
