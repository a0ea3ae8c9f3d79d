"""cvc5, a second solver that decides z3's queries again; the only module that knows it.

It comes with the extra `check`; without it, all but this module works.
"""

from __future__ import annotations

import time
from importlib.metadata import version as version_of
from importlib.util import find_spec
from typing import Any

from proofs.results import Answer

NAME = "cvc5"
_UNITS_OF_Z3 = 10
"""A unit of cvc5's resources stands for so many of z3's: on the queries of a shape, cvc5 spends
about a hundred thousand units a second, z3 about a million.
"""


def installed() -> bool:
    """Whether cvc5 can be imported."""
    return find_spec("cvc5") is not None


def version() -> str:
    """The solver and its version."""
    return f"{NAME} {version_of('cvc5')}"


def solve(text: str, budget: int, timeout: float) -> Answer:
    """Ask cvc5; `budget` is in z3's units (0: none), `timeout` a wall-clock backstop in seconds.

    As with z3, the answer depends on the text, the budget and cvc5's version alone, unless the
    backstop ends the search.  There is no model.  Raises ValueError for a text that cvc5 does not
    accept.
    """
    import cvc5

    start = time.perf_counter()
    solver = cvc5.Solver(cvc5.TermManager())
    if budget:
        solver.setOption("rlimit-per", str(max(1, budget // _UNITS_OF_Z3)))
    solver.setOption("tlimit-per", str(max(1, round(timeout * 1000))))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "query")
    status = ""
    try:
        while not (command := parser.nextCommand()).isNull():
            if command.getCommandName() == "check-sat":
                status = _status(cvc5, solver.checkSat())
            elif complaint := command.invoke(solver, parser.getSymbolManager()):
                raise ValueError(f"cvc5 does not accept the query: {complaint.strip()}")
    except RuntimeError as error:
        raise ValueError(f"cvc5 does not accept the query: {error}") from error
    if not status:
        raise ValueError("the query does not ask anything; it needs a (check-sat).")
    return Answer(status, time.perf_counter() - start, _resources(solver), {})


def _status(cvc5: Any, result: Any) -> str:
    if result.isUnsat():
        return "unsat"
    if result.isSat():
        return "sat"
    timed_out = result.getUnknownExplanation() == cvc5.UnknownExplanation.TIMEOUT
    return "timeout" if timed_out else "unknown"


def _resources(solver: Any) -> int:
    name = "resource::resourceUnitsUsed"
    return int(dict(solver.getStatistics())[name]["value"])
