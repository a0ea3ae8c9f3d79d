"""The command `check-certificate`: a certificate is checked without believing anything in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from verified_mlp.cli.shell import UserError, new_app, run_app

# The prover is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from proofs.certificate import Checked
    from proofs.results import Answer

REFUSED, INTERNAL_ERROR = 1, 4

app = new_app("Check a certificate that verify-all wrote.")


@app.command()
def check_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The certificate.")],
    solver_free: Annotated[
        bool,
        typer.Option(
            "--solver-free", help="Refuse a query without evidence; otherwise z3 decides it again."
        ),
    ] = False,
) -> int:
    """State the network anew, derive every obligation anew, check the evidence for every query.

    Exit code: 0 accepted; 1 refused; 2 wrong usage or no such file; 4 internal error; 130
    interrupted.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot read {file}: {reason}. Write one with verify-all.") from error

    from proofs.certificate import CertificateError, check, decode

    start = perf_counter()
    try:
        checked = check(decode(content), None if solver_free else _ask)
    except CertificateError as error:
        raise UserError(f"{file} is refused: {error}", REFUSED) from error
    print(*_lines(checked, perf_counter() - start), sep="\n")
    return 0


def _ask(text: str) -> Answer:
    """z3's answer, within the usual budget."""
    from proofs.solver import solve
    from proofs.verify import DEFAULT

    return solve(text, DEFAULT.budget, DEFAULT.timeout)


def _lines(checked: Checked, seconds: float) -> list[str]:
    from verified_mlp.constructions.registry import construction

    lines = [
        f"{checked.obligations} obligations, {checked.queries} queries: {checked.by_evidence} by "
        f"evidence, {len(checked.by_solver)} by a solver, {seconds:.1f} s"
    ]
    for name, count in Counter(name for name, _ in checked.by_solver).items():
        lines.append(f"  taken on a solver's word: {count} of {name}")
    trust = "no solver" if not checked.by_solver else "z3 alone, where it says so above,"
    network = construction(checked.construction).network(checked.family)
    lines.append(
        f"ACCEPTED: one pass of the {len(network.layers)}-layer network at {checked.family} is one "
        f"step of the machine, for every state; {trust} had to be trusted for it."
    )
    return lines


def main() -> NoReturn:
    """The console script."""
    run_app(app, "check-certificate", INTERNAL_ERROR)
