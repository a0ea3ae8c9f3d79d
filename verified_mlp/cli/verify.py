"""The command `verify-all`: prove every gadget of a shape, or find which change would go unseen."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar, cast

import typer

from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.shell import INTERRUPTED, UserError, new_app, run_app, write_whole
from verified_mlp.cli.verify_arguments import (
    check_built,
    check_limits,
    check_modes,
    check_second_solver,
)
from verified_mlp.machine.shape import Shape

# The prover and its solver are imported where they are used, so that --help is quick.
if TYPE_CHECKING:
    from proofs.verify import Options
    from verified_mlp.cli.verify_machine_sabotage import MachineRun
    from verified_mlp.cli.verify_output import Screen
    from verified_mlp.cli.verify_runs import ProofRun, SabotageRun

Item = TypeVar("Item")

NAME = "verify-all"
READER_GONE = 128 + signal.SIGPIPE

app = new_app("Prove that the network computes what it is said to compute.")


def main() -> NoReturn:
    """The console script."""
    run_app(app, NAME, internal_error=4)


@app.command()
def verify_all(
    *,
    bits: Annotated[int, typer.Option(help="Bits a word, 4 to 64.")] = 16,
    words: Annotated[int, typer.Option(help="Words of memory, 4 to 2^24.")] = 256,
    construction: ConstructionName = PAPER,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Prove only this obligation, or those of this gadget; repeat it for more.",
        ),
    ] = None,
    module: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Prove the gadgets of this module, a dotted name or a .py file, in place of "
            "the network; repeat it for more.",
        ),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List the obligations and prove nothing.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Worker processes; as many as there are usable cores unless given."
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(metavar="RLIMIT", help="Most solver resources of a query; 0 for no limit."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Longest time of a query.")
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failure.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Prove again what was proved before.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all results here as JSON.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all results here as JUnit XML.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Plain lines, also on a terminal.")
    ] = False,
    sabotage: Annotated[
        bool,
        typer.Option(
            "--sabotage",
            help="Change every number of every gadget by one, and see that the proof fails.",
        ),
    ] = False,
    whole: Annotated[
        bool,
        typer.Option(
            "--machine",
            help="With --sabotage: change how the whole network is put together, and its arrays, "
            "instead; for a small shape, such as --bits 4 --words 4.",
        ),
    ] = False,
    export_smt: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write every query as an SMT-LIB file into a new folder."),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a certificate here, with evidence that needs no solver to check.",
        ),
    ] = None,
    cross_check: Annotated[
        str | None, typer.Option(metavar="cvc5", help="Decide every query by cvc5, too.")
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Print what the proof assumes, and prove nothing.")
    ] = False,
) -> int:
    """Prove that every gadget of the network computes what it is said to compute.

    Exit code: 0 all proved; 1 something refuted or vacuous; 2 wrong usage; 3 something not
    decided; 4 internal error; 130 interrupted.
    """
    check_modes(
        audit=audit,
        listing=listing,
        sabotage=sabotage,
        machine=whole,
        only=only,
        junit=junit,
        export_smt=export_smt,
        certificate=certificate,
        cross_check=cross_check,
        module=module,
        construction=construction,
    )
    try:
        shape = Shape(bits, words)
    except ValueError as error:
        raise UserError(str(error)) from error
    check_built(construction, shape)
    check_limits(jobs, budget, timeout)

    from verified_mlp.cli.verify_files import check_writable

    files = [path for path in (json, junit, certificate) if path]
    check_writable(files)
    check_second_solver(cross_check)
    if export_smt:
        from verified_mlp.cli.verify_export import check_folder

        check_folder(export_smt, files)
    # Some character of a claim may be missing in the encoding of an old terminal.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    from proofs.verify import Options

    usual = Options()
    options = Options(
        budget=usual.budget if budget is None else budget,
        timeout=usual.timeout if timeout is None else timeout,
        jobs=_usable_cores() if jobs is None else jobs,
        cache=not no_cache,
        fail_fast=fail_fast,
        cross_check=cross_check or "",
        queries=True,
        modules=tuple(dict.fromkeys(module or [])),
        construction=construction,
    )
    names = list(only or [])
    with _noting_interrupts() as interrupted, _faults_as_sentences():
        if audit:
            return _audit(shape, json)
        if whole:
            terminal = _on_terminal(plain)
            return _sabotage_machine(shape, options, names, terminal, json, interrupted)
        if sabotage:
            return _sabotage(shape, options, names, _on_terminal(plain), json, interrupted)
        run = _choose(shape, options, names)
        if listing:
            return _list(run, json)
        written = Written(json, junit, export_smt, certificate)
        return _prove(run, _on_terminal(plain), written, interrupted)


@contextmanager
def _noting_interrupts() -> Iterator[Event]:
    """Within the block, Ctrl-C sets an event besides raising KeyboardInterrupt; so does a request
    to terminate, which would otherwise leave the worker processes behind.

    The exception alone may be lost: raised inside a callback of the solver it is reported and
    dropped, or comes back as another one.
    """
    interrupted = Event()

    def note(_signal: int, _frame: FrameType | None) -> None:
        interrupted.set()
        sys.unraisablehook = lambda _: None
        raise KeyboardInterrupt

    hook = sys.unraisablehook
    handlers = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    except UserError:
        raise
    except Exception as error:
        if interrupted.is_set():
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _on_terminal(plain: bool) -> bool:
    """Whether to draw a progress bar: only for a person at a terminal that can show it."""
    dumb = os.environ.get("TERM", "dumb") in ("", "dumb", "unknown")
    return sys.stdout.isatty() and not (plain or dumb or os.environ.get("CI"))


def _choose(shape: Shape, options: Options, names: list[str]) -> ProofRun:
    """The obligations to prove; raises UserError if there are none."""
    from proofs.verify import listing_command, obligations, select
    from verified_mlp.cli.verify_runs import ProofRun

    how = options.construction
    found = obligations(shape, options.modules, how)
    with _unknown_names_as_sentences():
        chosen = select(found, names, options.modules, how) if names else found
    if not chosen:
        command = listing_command(options.modules, how)
        raise UserError(f"nothing is selected, so nothing is proved. List with {command}.")
    return ProofRun(shape, options, names, len(found), chosen)


@contextmanager
def _faults_as_sentences() -> Iterator[None]:
    """What is wrong with the modules of a user is theirs to mend."""
    from proofs.modules import ModuleFault

    try:
        yield
    except ModuleFault as fault:
        raise UserError(str(fault)) from fault


@contextmanager
def _unknown_names_as_sentences() -> Iterator[None]:
    try:
        yield
    except (KeyError, IndexError):  # LookupErrors too, but these are faults of ours
        raise
    except LookupError as error:
        raise UserError(str(error)) from error


def _list(run: ProofRun, json: Path | None) -> int:
    from verified_mlp.cli.verify_files import listing_json
    from verified_mlp.cli.verify_output import listing_lines

    for obligation in run.chosen:
        print(*listing_lines(obligation), sep="\n")
    if json:
        write_whole(json, listing_json(run.shape, run.only, run.chosen))
    return 0


def _audit(shape: Shape, json: Path | None) -> int:
    from proofs.audit import audit
    from verified_mlp.cli.verify_audit import audit_json, audit_lines

    found = audit(shape)
    print(*audit_lines(found), sep="\n")
    if json:
        write_whole(json, audit_json(found))
    return 0


@dataclass(frozen=True, slots=True)
class Written:
    """What is written at the end of a run of proofs, if anything."""

    json: Path | None
    junit: Path | None
    export_smt: Path | None
    certificate: Path | None


def _prove(
    run: ProofRun,
    terminal: bool,
    written: Written,
    interrupted: Event,
) -> int:
    import proofs.verify
    from verified_mlp.cli import verify_output
    from verified_mlp.cli.verify_files import junit_xml, proofs_json

    _follow(
        run,
        run.results,
        proofs.verify.run(run.shape, run.chosen, run.options),
        where=verify_output.screen(terminal, len(run.chosen), "proving"),
        header=verify_output.proof_header(run),
        lines=lambda result: verify_output.result_lines(result, run.shape, run.options),
        summary=lambda: verify_output.summary_lines(run),
        interrupted=interrupted,
    )
    if written.json:
        write_whole(written.json, proofs_json(run))
    if written.junit:
        write_whole(written.junit, junit_xml(run))
    if written.export_smt:
        from verified_mlp.cli.verify_export import write_folder

        write_folder(written.export_smt, run)
    if not run.stopped:
        from verified_mlp.cli.verify_certificate import certify

        certify(run, written.certificate, terminal)
    return _leave(run)


def _sabotage(
    shape: Shape,
    options: Options,
    names: list[str],
    terminal: bool,
    json: Path | None,
    interrupted: Event,
) -> int:
    import proofs.sabotage
    import proofs.verify
    from verified_mlp.cli import verify_output
    from verified_mlp.cli.verify_files import sabotage_json
    from verified_mlp.cli.verify_runs import SabotageRun

    with _unknown_names_as_sentences():
        total = proofs.sabotage.count(shape, names, options)
    if not total:
        command = proofs.verify.listing_command(options.modules, options.construction)
        raise UserError(f"nothing is selected, so nothing is changed. List with {command}.")
    run = SabotageRun(shape, options, names, total)
    _follow(
        run,
        run.mutants,
        proofs.sabotage.run(shape, names, options),
        where=verify_output.screen(terminal, total, "changing"),
        header=verify_output.sabotage_header(run),
        lines=verify_output.mutant_lines,
        summary=lambda: verify_output.score_lines(run),
        interrupted=interrupted,
    )
    if json:
        write_whole(json, sabotage_json(run))
    return _leave(run)


def _sabotage_machine(
    shape: Shape,
    options: Options,
    names: list[str],
    terminal: bool,
    json: Path | None,
    interrupted: Event,
) -> int:
    from verified_mlp.cli import verify_machine_sabotage as machine
    from verified_mlp.cli import verify_output

    with _unknown_names_as_sentences():
        run = machine.prepared(shape, options, names)
    _follow(
        run,
        run.mutants,
        machine.changed(run),
        where=verify_output.screen(terminal, machine.most(run), "changing"),
        header=verify_output.sabotage_header(run),
        lines=machine.mutant_lines,
        summary=lambda: machine.score_lines(run),
        interrupted=interrupted,
    )
    if json:
        write_whole(json, machine.machine_json(run))
    return _leave(run)


def _follow(
    run: ProofRun | SabotageRun | MachineRun,
    seen: list[Item],
    coming: Iterator[Item],
    *,
    where: AbstractContextManager[Screen],
    header: str,
    lines: Callable[[Item], list[str]],
    summary: Callable[[], list[str]],
    interrupted: Event,
) -> None:
    """Show what comes, keep it in `seen`, sum it up.

    A run that is interrupted, or whose reader goes away, is marked as stopped; what it has found
    out stays.
    """
    started = perf_counter()
    try:
        with where as screen, closing(cast("Generator[Item]", coming)) as items:
            screen.say([header])
            for item in items:
                if interrupted.is_set():
                    break
                seen.append(item)
                if found := lines(item):
                    screen.say(found)
                screen.advance()
                if run.options.fail_fast and run.failures:
                    break
            run.seconds = perf_counter() - started
            if not interrupted.is_set():
                screen.say([*summary(), run.verdict])
    except KeyboardInterrupt:
        interrupted.set()
    except BrokenPipeError:
        run.stopped = READER_GONE
    except Exception:
        if not interrupted.is_set():
            raise
    run.seconds = perf_counter() - started
    if interrupted.is_set():
        run.stopped = INTERRUPTED


def _leave(run: ProofRun | SabotageRun | MachineRun) -> int:
    if run.stopped == INTERRUPTED:
        raise UserError(f"interrupted: {run.progress}.", INTERRUPTED)
    return run.code
