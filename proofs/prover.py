"""Proving one gadget: its lemmas in order, and a counterexample where one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from proofs.counterexample import find
from proofs.expanded import Expanded
from proofs.gadget_view import SymbolicView
from proofs.kernel import NotProved, Theorem
from proofs.lemma import Entries, Part
from proofs.results import Counterexample, Obligation, Result, Verdict
from proofs.scripts import SCRIPTS
from proofs.solver import Answer
from proofs.theory import Theory
from verified_mlp.statement.network import Gadget

Solve = Callable[[str], tuple[Answer, bool]]
"""Answers an SMT-LIB text; says whether the answer was remembered."""


def parts(gadget: Gadget) -> tuple[Theory | None, list[Part]]:
    """The lemmas of a gadget, the specification last, and the theory that they speak of."""
    if gadget.name in SCRIPTS:
        view = SymbolicView(gadget)
        return view.theory, list(SCRIPTS[gadget.name](view))

    @cache
    def written_out() -> Expanded:
        return Expanded(gadget)

    return None, [
        Entries(
            "specification",
            "every output is what the specification says, on the whole domain",
            lambda: (written_out().domain, list(written_out().specification())),
        ),
        Entries(
            "ranges",
            "every neuron is at most its declared largest value",
            lambda: (written_out().domain, list(written_out().ranges())),
        ),
    ]


def obligations(gadget: Gadget) -> list[Obligation]:
    """What has to be proved of a gadget."""
    return [_obligation(gadget, part) for part in parts(gadget)[1]]


def _obligation(gadget: Gadget, part: Part) -> Obligation:
    return Obligation(
        name=f"{gadget.title}/{part.name}",
        gadget=gadget.title,
        claim=part.claim,
        domain=gadget.domain_text(),
        method=part.method,
        source=gadget.source,
    )


@dataclass
class _Meter:
    """Counts what the solver spends."""

    solve: Solve
    resources: int = 0
    asked: int = 0
    remembered: int = 0

    def __call__(self, text: str) -> Answer:
        answer, remembered = self.solve(text)
        self.resources += answer.resources
        self.asked += 1
        self.remembered += remembered
        return answer


def prove(gadget: Gadget, solve: Solve) -> Iterator[Result]:
    """Prove a gadget's lemmas in order; yields what became of each.

    A lemma whose goal does not follow is REFUTED only with a counterexample of the gadget itself,
    else UNKNOWN.
    """
    theory, lemmas = parts(gadget)
    known: dict[str, Theorem] = {}
    for part in lemmas:
        obligation = _obligation(gadget, part)
        start, meter = time.perf_counter(), _Meter(solve)
        missing = [name for name, _ in part.uses if name not in known]
        verdict, detail, found = Verdict.PROVED, "", None
        if missing:
            verdict, detail = Verdict.UNKNOWN, f"it rests on {missing[0]!r}, which is not proved"
        else:
            try:
                known[part.name] = part.prove(theory, known, meter)
            except NotProved as failure:
                verdict, detail = failure.verdict, failure.reason
                if verdict is Verdict.REFUTED:
                    found, _ = find(gadget, meter, failure.model)
                    verdict, detail = _judged(failure, found)
        yield Result(
            obligation,
            verdict,
            time.perf_counter() - start,
            meter.resources,
            meter.asked > 0 and meter.remembered == meter.asked,
            detail,
            found,
        )


def _judged(failure: NotProved, found: Counterexample | None) -> tuple[Verdict, str]:
    """REFUTED needs an input on which the gadget itself fails, not only a lemma's countermodel."""
    if found is not None:
        return Verdict.REFUTED, failure.reason
    model = ", ".join(f"{name} = {number}" for name, number in sorted(failure.model.items()))
    where = f" (countermodel: {model})" if model else ""
    return Verdict.UNKNOWN, f"{failure.reason}{where}; no counterexample of the gadget was found"
