"""`verified-mlp run IMAGE --batch DIR`: one program on every input of a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from verified_mlp.cli.shell import UserError, write_whole
from verified_mlp.machine.host import Outcome

# The runtime is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.batch import BatchResult
    from numeric.machine import Machine

CODES = {Outcome.HALTED: 0, Outcome.FAULT: 1, Outcome.LIMIT: 3}

Batch = Annotated[
    Path | None,
    typer.Option(
        "--batch", metavar="DIR", help="Run on every file *.in in DIR; its output goes to *.out."
    ),
]


def read_inputs(folder: Path, **others: object) -> dict[Path, bytes]:
    """The inputs of a folder, in the order of their names; `others` are options of one run alone.

    Raises UserError if one of these is given, or there is no input that can be read.
    """
    for name, value in others.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"--batch makes many runs, and {option} is for one: leave out one.")
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: give --batch one that has files *.in.")
    names = sorted(folder.glob("*.in"))
    if not names:
        raise UserError(f"there is no file *.in in {folder}: put each input in such a file.")
    try:
        return {name: name.read_bytes() for name in names}
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot read {error.filename}: {reason}.") from error


def run_all(
    machine: Machine,
    program: list[int],
    inputs: dict[Path, bytes],
    max_steps: int | None,
    stats: bool,
) -> int:
    """Run and write the outputs.  Runs that did not halt are named on stderr; the exit code is
    that of the first of them, or 0.
    """
    from numeric.batch import Job, run_batch

    began = perf_counter()
    results = run_batch(machine, [Job(program, each) for each in inputs.values()], max_steps)
    seconds = perf_counter() - began
    for name, result in zip(inputs, results, strict=True):
        write_whole(name.with_suffix(".out"), result.output)
        if sentence := _sentence(result):
            _say(f"verified-mlp: {name}: {sentence}")
    if stats:
        _say(_summary(results, seconds))
    return next((code for result in results if (code := CODES[result.outcome])), 0)


def _sentence(result: BatchResult) -> str:
    match result.outcome:
        case Outcome.FAULT:
            return result.fault
        case Outcome.LIMIT:
            return f"stopped at step {result.steps}: the limit of --max-steps is reached."
    return ""


def _summary(results: list[BatchResult], seconds: float) -> str:
    steps = sum(result.steps for result in results)
    rate = steps / seconds if seconds > 0 else 0
    lines = {"runs": len(results)}
    lines |= {
        str(outcome): sum(result.outcome is outcome for result in results) for outcome in CODES
    }
    lines |= {"steps": steps}
    text = [f"{name + ':':<20}{figure}" for name, figure in lines.items()]
    text += [f"{'seconds:':<20}{seconds:.3f}", f"{'steps per second:':<20}{rate:.0f}"]
    return "\n".join(text)


def _say(text: str) -> None:
    if sys.stderr is not None:  # print would take None for stdout
        print(text, file=sys.stderr)
