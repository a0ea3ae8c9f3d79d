"""What the options of `verify-all` may be, which go together, and what they need."""

from __future__ import annotations

from pathlib import Path

from verified_mlp.cli.shell import UserError
from verified_mlp.machine.shape import NotBuiltError, Shape

MOST_JOBS = 1024
MOST_BUDGET = 2**32 - 1
"""z3 counts resources in 32 bits."""
LONGEST = 10**6
"""z3 counts milliseconds in 32 bits."""


def check_modes(
    *,
    audit: bool,
    listing: bool,
    sabotage: bool,
    machine: bool,
    only: list[str] | None,
    junit: Path | None,
    export_smt: Path | None,
    certificate: Path | None,
    cross_check: str | None,
    module: list[str] | None,
    construction: str,
) -> None:
    """Raises UserError for options of which one leaves another nothing to do."""
    check_construction(construction, audit=audit, module=module)
    if listing and sabotage:
        raise UserError("--list lists obligations, --sabotage has none: give one of the two.")
    if machine and not sabotage:
        raise UserError("--machine is about what is changed: give it with --sabotage.")
    if machine and module:
        raise UserError("--machine is about the network: give it without --module.")
    if audit and (listing or sabotage):
        other = "--list" if listing else "--sabotage"
        raise UserError(f"--audit does not go with {other}: give one of the two.")
    if audit and only:
        raise UserError("--audit is about the whole proof: give it without --only.")
    if audit and module:
        raise UserError("--audit is about the proof of the network: give it without --module.")
    mode = "--audit" if audit else "--list" if listing else "--sabotage" if sabotage else ""
    if junit and mode:
        raise UserError(f"--junit does not go with {mode}: use --json.")
    if certificate and (only or module):
        other = "--only" if only else "--module"
        raise UserError(
            f"--certificate is about the proof of the network: give it without {other}."
        )
    flags = {
        "--export-smt": export_smt,
        "--cross-check": cross_check,
        "--certificate": certificate,
    }
    for flag, value in flags.items():
        if mode and value is not None:
            raise UserError(
                f"{flag} is about the queries of the proofs, {mode} is not: give one of the two."
            )


def check_construction(name: str, *, audit: bool, module: list[str] | None) -> None:
    """Raises UserError for the name of no construction, and for one that has no part in what is
    asked.
    """
    from verified_mlp.constructions.registry import DEFAULT, construction

    try:
        construction(name)
    except ValueError as error:
        raise UserError(str(error)) from error
    if name == DEFAULT:
        return
    flags = {"--audit": audit, "--module": bool(module)}
    for flag, given in flags.items():
        if given:
            raise UserError(
                f"--construction {name} does not go with {flag}, which is about the construction "
                f"{DEFAULT} or about none: give one of the two."
            )


def check_built(name: str, shape: Shape) -> None:
    """Raises UserError for a construction that is not built at the shape."""
    from verified_mlp.constructions.registry import DEFAULT, construction

    if name == DEFAULT:
        return
    try:
        construction(name).network(shape)
    except NotBuiltError as error:
        raise UserError(str(error)) from error


def check_second_solver(name: str | None) -> None:
    """Raises UserError for a second solver that is unknown or not there."""
    if name is None:
        return
    from proofs import second_solver

    if name != second_solver.NAME:
        raise UserError(
            f"--cross-check {name}: there is no such second solver; give {second_solver.NAME}."
        )
    if not second_solver.installed():
        raise UserError(
            f"--cross-check {name} needs the Python package {name}, which is not installed. "
            f"Install it with: pip install '{name}>=1.2'"
        )


def check_limits(jobs: int | None, budget: int | None, timeout: float | None) -> None:
    """Raises UserError for a limit that makes no sense."""
    if jobs is not None and not 1 <= jobs <= MOST_JOBS:
        raise UserError(f"--jobs {jobs} is out of range: give 1 to {MOST_JOBS} worker processes.")
    if budget is not None and not 0 <= budget <= MOST_BUDGET:
        raise UserError(
            f"--budget {budget} is out of range: give 1 to {MOST_BUDGET}, or 0 for no limit."
        )
    # Written so that it is false for what is not a number, too.
    if timeout is not None and not 0 < timeout <= LONGEST:
        raise UserError(
            f"--timeout {timeout:g} is out of range: give more than 0 seconds, at most {LONGEST}."
        )
