"""Long runs of `verified-mlp run`: checkpoints between passes, and progress on a terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.run_streams import Input, Interrupts, Output
from verified_mlp.cli.shell import UserError
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.shape import Shape

# The runtime is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.checkpoint import Checkpoint

EVERY = 10.0
"""Seconds between checkpoints."""

QUIET, STILL = 2.0, 0.5
"""Seconds for which a run shows no progress, and for which a line of progress stays."""

CheckpointFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keep the run in this file as it goes, and at its end."),
]
Every = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Time between checkpoints.  [default: 10]"),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on from the checkpoint: input from its beginning again, output after >>.",
    ),
]


def earlier_run(
    path: Path | None,
    every: float | None,
    resume: bool,
    shape: Shape,
    program: Sequence[int],
    construction: str,
) -> Checkpoint | None:
    """The checkpoint to go on from, if the options ask for that.

    Raises UserError for options that do not fit together, for a file that would be lost, and for a
    checkpoint of another run.
    """
    for name, given in (("--checkpoint-every", every is not None), ("--resume", resume)):
        if given and path is None:
            raise UserError(f"{name} is about a checkpoint: name its file with --checkpoint.")
    if every is not None and not (every >= 0 and math.isfinite(every)):
        raise UserError(f"--checkpoint-every {every:g} is out of range: give 0 or more seconds.")
    if path is None:
        return None
    if resume:
        from numeric.checkpoint import CheckpointError, read

        try:
            return read(path, shape, program, construction)
        except CheckpointError as error:
            raise UserError(str(error)) from error
    if path.exists() or path.is_symlink():
        raise UserError(
            f"{path} exists already: give --resume to go on from it, or delete it to run from the "
            "start."
        )
    return None


class LongRun:
    """A run with what goes on beside it.  `made` is the number of steps that this command made.

    The streams find their places in `begin`; `run` is Host.run with checkpoints and progress.
    """

    def __init__(
        self,
        path: Path | None,
        every: float | None,
        earlier: Checkpoint | None,
        construction: str,
    ) -> None:
        self._path, self._earlier = path, earlier
        self._construction = construction
        self._every = EVERY if every is None else every
        self._interrupts = Interrupts()
        self.source = Input(self._interrupts)
        self.sink = Output(self._interrupts)
        self._first = earlier.steps if earlier else 0
        self._identity = (earlier.network, earlier.program) if earlier else ("", "")
        self._next = math.inf
        self._progress: Progress | None = None

    def begin(self, host: Host, program: Sequence[int]) -> None:
        """Set the host and the streams where the earlier run was, or write a first checkpoint.

        Raises UserError if the input is another, and if the checkpoint cannot be written.
        """
        self._host = host
        if self._earlier is not None:
            host.steps = self._first
            self.source.go_on(self._earlier.input)
            if not self.sink.go_on(self._earlier.output) and not self._is_over():
                _note(
                    f"goes on at step {self._first}; its output goes on from byte "
                    f"{self._earlier.output.count + 1}."
                )
            if self._is_over():
                _note(f"the run in {self._path} has ended at step {self._first}.")
        elif self._path is not None:
            from numeric.checkpoint import identity

            self._identity = identity(host.shape, program, self._construction)
            self._save()

    @property
    def made(self) -> int:
        """The number of steps since `begin`."""
        return self._host.steps - self._first

    def run(self, max_steps: int | None) -> Outcome | None:
        """Run, and return why it ended: None for Ctrl-C.  However it ends, it can go on."""
        if sys.stderr is not None and sys.stderr.isatty():
            self._progress = Progress(self._host, self.source, self.sink)
        self._next = self._progress.due if self._progress else math.inf
        if self._path is not None:
            self._save_at = monotonic() + self._every
            self._next = min(self._next, self._save_at)
        hook = self._between if self._progress or self._path else None
        try:
            if self._path is None:
                return _interrupted(lambda: self._host.run(max_steps, hook))
            with self._interrupts:
                outcome = _interrupted(lambda: self._host.run(max_steps, hook))
                if not self.sink.pending:
                    self._save()
            return outcome
        finally:
            if self._progress:
                self._progress.clear()

    def _between(self) -> None:
        if self._interrupts.asked:
            raise KeyboardInterrupt
        now = monotonic()
        if now < self._next:
            return
        self._next = math.inf
        if self._path is not None:
            if now >= self._save_at:
                self._save()
                self._save_at = monotonic() + self._every
            self._next = self._save_at
        if self._progress:
            if now >= self._progress.due:
                self._progress.show(now)
            self._next = min(self._next, self._progress.due)

    def _save(self) -> None:
        from numeric.checkpoint import Checkpoint, write

        assert self._path is not None
        host = self._host
        try:
            self.sink.keep()
            state, passed = host.processor.state(), (self.sink.passed(), self.source.passed())
            write(self._path, Checkpoint(host.shape, *self._identity, host.steps, state, *passed))
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(
                f"cannot write {self._path}: {reason}. The run stopped at step {host.steps}; an "
                "earlier checkpoint, if there is one, is as it was."
            ) from error

    def _is_over(self) -> bool:
        now = self._host.processor.signals()
        return bool(now.fault) or now.pc >= self._host.shape.modulus // 2


def _interrupted(run: Callable[[], Outcome]) -> Outcome | None:
    try:
        return run()
    except KeyboardInterrupt:
        return None


def _note(sentence: str) -> None:
    if sys.stderr is not None:  # print would take None for stdout
        print(f"verified-mlp: {sentence}", file=sys.stderr)


class Progress:
    """A line on the terminal of stderr, written anew in place; `due` is when the next one is.

    Where stdout is a terminal too, the line is only shown at the start of a line, and makes way for
    output and before input.
    """

    def __init__(self, host: Host, source: Input, sink: Output) -> None:
        self._host, self._source, self._sink = host, source, sink
        self._began, self._first = monotonic(), host.steps
        self.due = self._began + QUIET
        self._shown = False
        self._shared = sys.stdout is not None and sys.stdout.isatty()
        source.before = self.clear
        if self._shared:
            sink.before = self.clear

    def show(self, now: float) -> None:
        """Write the line."""
        self.due = now + STILL
        if self._shared and not self._sink.line_ended:
            return
        steps = self._host.steps
        seconds = now - self._began - self._source.waited
        rate = (steps - self._first) / seconds if seconds > 0 else 0
        print(f"\r\x1b[K{steps:,} steps, {rate:,.0f} steps/s", end="", file=sys.stderr, flush=True)
        self._shown = True

    def clear(self) -> None:
        """Take the line away, if it is there."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
