"""The command `verified-mlp run`: a program on the verified network, on stdin and stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.asm import Bits, Kind, load_program
from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.machines import load_machine, options_of
from verified_mlp.cli.run_batch import Batch, read_inputs, run_all
from verified_mlp.cli.run_long import CheckpointFile, Every, LongRun, Resume, earlier_run
from verified_mlp.cli.shell import INTERRUPTED, UserError, write_whole
from verified_mlp.machine.host import Host, Outcome, explain_fault
from verified_mlp.machine.image import format_image
from verified_mlp.machine.image_formats import Format
from verified_mlp.machine.state import State

# The runtime and the prover are imported where they are used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.checkpoint import Checkpoint
    from numeric.machine import Machine

FAULT, LIMIT, INTERNAL = 1, 3, 5


def run(
    image: Annotated[
        Path,
        typer.Argument(metavar="IMAGE", help="The program: an image, or a source named *.asm."),
    ],
    bits: Bits = None,
    words: Annotated[
        int | None,
        typer.Option(help="Words of memory, 4 to 2^24.  [default: 256, more if needed]"),
    ] = None,
    kind: Kind = Format.DECIMAL,
    engine: Annotated[
        str,
        typer.Option(
            metavar="auto|support|support-numpy|sparse|dense",
            help="The rows that can matter (auto: the same), these without a compiler, all "
            "non-zero weights, or literal matrices.",
        ),
    ] = "auto",
    construction: ConstructionName = PAPER,
    lockstep: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Run this construction's network beside it, and compare states."
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Run only if this certificate covers the network."),
    ] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Run although nothing says that it is proved.")
    ] = False,
    max_steps: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after so many (more) steps.")
    ] = None,
    self_check: Annotated[
        int,
        typer.Option(
            metavar="K", help="Compare every K-th pass with the literal network's (0: none)."
        ),
    ] = 0,
    stats: Annotated[bool, typer.Option("--stats", help="Say on stderr how the run went.")] = False,
    dump_memory: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the memory at the end here, as an image."),
    ] = None,
    checkpoint: CheckpointFile = None,
    checkpoint_every: Every = None,
    resume: Resume = False,
    batch: Batch = None,
) -> int:
    """Run a program on the network, once the network is verified.

    Standard input and output are the program's.

    Exit code: 0 halted; 1 fault; 2 wrong usage or bad image; 3 step limit reached; 4 network not
    verified; 5 internal error; 130 interrupted.
    """
    if max_steps is not None and max_steps < 0:
        raise UserError(f"--max-steps {max_steps} is out of range: give 0 or more steps.")
    if self_check < 0:
        raise UserError(f"--self-check {self_check} is out of range: give 0 or more passes.")
    if lockstep == construction:
        raise UserError(f"--lockstep {lockstep} is the network itself: name another construction.")
    loaded = load_program(image, kind, bits, words)
    shape, program = loaded.shape, loaded.words
    if dump_memory:
        from verified_mlp.cli.verify_files import check_writable

        check_writable([dump_memory])

    if checkpoint and dump_memory and checkpoint.resolve() == dump_memory.resolve():
        raise UserError("--checkpoint and --dump-memory name the same file: give two files.")
    if batch:
        inputs = read_inputs(
            batch,
            lockstep=lockstep,
            self_check=self_check,
            dump_memory=dump_memory,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            resume=resume,
        )
        machine = load_machine(shape, engine, certificate, unverified, construction)
        return run_all(machine, program, inputs, max_steps, stats)
    options_of(construction)
    earlier = earlier_run(checkpoint, checkpoint_every, resume, shape, program, construction)

    machine = load_machine(shape, engine, certificate, unverified, construction)
    beside = None
    if lockstep is not None:
        beside = load_machine(shape, engine, None, unverified, lockstep)
    long_run = LongRun(checkpoint, checkpoint_every, earlier, construction)
    host = _host(machine, program, long_run, self_check, earlier, beside)
    long_run.begin(host, program)
    began = perf_counter()
    outcome = _run(long_run, max_steps)
    seconds = perf_counter() - began - long_run.source.waited

    state = host.processor.state()
    if stats:
        _print_stats(machine, long_run, host.steps, outcome, seconds)
    sentence, code = _ending(host, state, outcome)
    if dump_memory:
        try:
            write_whole(dump_memory, format_image(state.mem, shape).encode())
        except UserError as error:
            raise UserError(f"{sentence} {error}".strip(), error.code) from error
    if code:
        raise UserError(sentence, code)
    return 0


def _host(
    machine: Machine,
    program: list[int],
    long_run: LongRun,
    self_check: int,
    earlier: Checkpoint | None,
    beside: Machine | None,
) -> Host:
    state = earlier.state if earlier else None
    streams = long_run.source, long_run.sink
    try:
        return machine.host(program, *streams, self_check, state=state, beside=beside)
    except ValueError as error:
        raise UserError(str(error)) from error


def _run(long_run: LongRun, max_steps: int | None) -> Outcome | None:
    from numeric.lockstep import ApartError
    from numeric.self_check import DifferenceError

    try:
        return long_run.run(max_steps)
    except (ApartError, DifferenceError) as error:
        raise UserError(str(error), INTERNAL) from error


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


def _print_stats(
    machine: Machine, long_run: LongRun, steps: int, outcome: Outcome | None, seconds: float
) -> None:
    if sys.stderr is None:  # print would take None for stdout
        return
    rate = long_run.made / seconds if seconds > 0 else 0
    lines = {
        "outcome": outcome or "interrupted",
        "steps": steps,
        "seconds": f"{seconds:.3f}",
        "steps per second": f"{rate:.0f}",
        "engine": machine.engine.name,
        "layers": machine.layers,
        "nonzeros": machine.engine.nonzeros,
    }
    for name, figure in lines.items():
        print(f"{name + ':':<18}{figure}", file=sys.stderr)
