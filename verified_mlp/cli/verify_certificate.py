"""What `verify-all` does with a proof that is complete: it keeps a certificate of it."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from verified_mlp.cli.shell import write_whole
from verified_mlp.cli.verify_output import screen
from verified_mlp.cli.verify_runs import ProofRun

if TYPE_CHECKING:
    from proofs.evidence import Evidence
    from proofs.results import Query


def certify(run: ProofRun, path: Path | None, terminal: bool) -> None:
    """Keep the certificate of a complete proof of the network where the runtime finds it; write
    it to `path`, if there is one, with evidence for every query for which some is found.
    """
    complete = run.code == 0 and len(run.chosen) == run.total and not run.options.modules
    if not complete:
        if path:
            print(f"no certificate is written to {path}: not everything is proved.")
        return
    if not (path or run.options.cache):
        return
    from proofs import gate, second_solver, solver
    from proofs.certificate import encode, make
    from verified_mlp.machine.shape import memories

    solvers = [solver.version()]
    if run.options.cross_check:
        solvers.append(second_solver.version())
    how = run.options.construction
    evidence = gate.kept_evidence(memories(run.shape), how) if run.options.cache else {}
    if path:
        evidence |= _found(run, terminal)
    certificate = make(run.shape, run.results, solvers, evidence, how)
    if run.options.cache:
        gate.keep(certificate)
    if path:
        write_whole(path, encode(certificate))


def _found(run: ProofRun, terminal: bool) -> dict[str, Evidence]:
    """Evidence for the queries of a run, with a line that says how much there is."""
    from proofs.collect_evidence import collect

    queries: list[Query] = [query for each in run.results for query in each.queries or ()]
    texts = {query.text for query in queries}
    found: dict[str, Evidence] = {}
    start = perf_counter()
    with screen(terminal, len(texts), "finding evidence") as shown:
        for key, evidence in collect(queries, run.options):
            shown.advance()
            if evidence is not None:
                found[key] = evidence
        seconds = perf_counter() - start
        shown.say(
            [
                f"evidence for {len(found)} of {len(texts)} queries, {seconds:.1f} s; the "
                "certificate leaves the others to a solver's word."
            ]
            if len(found) < len(texts)
            else [f"evidence for all {len(texts)} queries, {seconds:.1f} s."]
        )
    return found
