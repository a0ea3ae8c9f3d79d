"""z3, behind one function: an SMT-LIB text in, an answer out.

Every query is solved from its text in a fresh context, so the answer and the resources depend on
the text, the budget and z3's version alone, not on what the process did before.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version as version_of
from typing import Any

from proofs.results import Answer


def solve(text: str, budget: int, timeout: float) -> Answer:
    """Ask z3; `budget` is its rlimit (0: none), `timeout` a wall-clock backstop in seconds."""
    import z3

    start = time.perf_counter()
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.from_string(text)
    if budget:
        solver.set("rlimit", budget)
    solver.set("timeout", max(1, round(timeout * 1000)))
    status = _status(solver)
    seconds = time.perf_counter() - start
    model: dict[str, str] = {}
    if status == "sat":
        found = solver.model()
        model = {str(name): str(found[name]) for name in found.decls() if name.arity() == 0}
    elif status == "unknown" and "timeout" in solver.reason_unknown():
        status = "timeout"
    return Answer(status, seconds, _resources(solver), model)


def _status(solver: Any) -> str:
    """The answer of `check`; Ctrl-C ends it.

    While z3 searches in the main thread, Ctrl-C goes to z3 alone or waits for the answer.
    """
    solver.set("ctrl_c", False)
    with ThreadPoolExecutor(1) as thread:
        search = thread.submit(solver.check)
        try:
            return str(search.result())
        except KeyboardInterrupt:
            solver.ctx.interrupt()
            raise


def version() -> str:
    """The solver and its version."""
    # The package counts its releases of one version of z3 in a fourth number.
    return f"z3 {'.'.join(version_of('z3-solver').split('.')[:3])}"


def _resources(solver: Any) -> int:
    statistics = solver.statistics()
    counts = {name: statistics.get_key_value(name) for name in statistics.keys()}  # noqa: SIM118
    return int(counts.get("rlimit count", 0))
