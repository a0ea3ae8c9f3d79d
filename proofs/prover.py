"""Proving one gadget: its lemmas in order, and a counterexample where one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial

from msgspec import UNSET

from proofs.counterexample import find
from proofs.exhaustive import domain_size
from proofs.expanded import WRITABLE_ENTRIES, Expanded, entry_count
from proofs.gadget_view import SymbolicView
from proofs.kernel import Contract, NotProved, Theorem, contract
from proofs.lemma import Case, Entries, Part
from proofs.results import Answer, Counterexample, Obligation, Query, Result, Verdict
from proofs.scripts import script_of, support
from proofs.scripts.common import needed
from proofs.second_solver import NAME
from proofs.smtlib import text_of
from proofs.terms import formula
from proofs.theory import Formula
from verified_mlp.statement.network import Gadget
from verified_mlp.statement.settle import settle

Solve = Callable[[str], tuple[Answer, bool]]
"""Answers an SMT-LIB text; says whether the answer was remembered."""


Cases = Callable[[Expanded], Iterator[Case]]

ENUMERABLE = 2**12
"""Up to so many inputs and parameter values are tried out beside the solver."""


def parts(gadget: Gadget) -> tuple[SymbolicView | None, list[Part]]:
    """The lemmas of a gadget, the specification last, and the view that they speak of, if they
    do not speak of every entry.
    """
    script = script_of(gadget.name)
    if script is not None:
        view = SymbolicView(gadget)
        lemmas = list(script(view))
        lemmas += support.lemmas(view)
        _check_complete(gadget, {lemma.name for lemma in lemmas})
        return view, lemmas

    @cache
    def written_out() -> Expanded:
        if (entries := entry_count(gadget)) > WRITABLE_ENTRIES:
            raise NotProved(
                Verdict.UNKNOWN,
                f"its {entries} input entries and neurons are too many to write out one by one "
                f"(at most {WRITABLE_ENTRIES}); write a proof script for it, as CONTRIBUTING.md "
                "says, or choose a smaller shape",
                {},
            )
        return Expanded(gadget)

    claims: dict[str, tuple[str, Cases]] = {
        "specification": (
            "every output is what the specification says, on the whole domain",
            Expanded.specification,
        ),
        "ranges": ("every neuron is at most its declared largest value", Expanded.ranges),
    }
    for rule in gadget.support:
        support.check(gadget, rule)
        claims[support.name_of(rule)] = support.claim_of(rule), partial(support.cases, rule)

    def state(cases: Cases) -> tuple[list[Formula], list[Case]]:
        return written_out().domain, list(cases(written_out()))

    limits = (lambda: written_out().limits) if domain_size(gadget) <= ENUMERABLE else None
    return None, [
        Entries(name, claim, partial(state, cases), limits)
        for name, (claim, cases) in claims.items()
    ]


def _check_complete(gadget: Gadget, names: set[str]) -> None:
    """A script must lead to the specification of every output and to the ranges of the neurons
    that the gadget states itself; those of placed gadgets are proved with them.

    Raises ValueError if it does not.
    """
    outputs = [output.name for output in gadget.network.outputs]
    needed = {f"specification of {each}" for each in outputs}
    if len(outputs) == 1:
        needed = {"specification"}
    layers = gadget.network.layers
    if any(placed.gadget is None for layer in layers for placed in layer.placed):
        needed.add("ranges")
    if missing := sorted(needed - names):
        raise ValueError(f"the proof script of {gadget.title} has no lemma {missing[0]!r}")


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
    """Answers the queries of an obligation; counts what the first solver spends, and the queries
    on which the second agrees.
    """

    name: str
    solve: Solve
    second: Solve | None
    queries: list[tuple[str, str]] = field(default_factory=list)
    resources: int = 0
    asked: int = 0
    remembered: int = 0
    cross_checked: int = 0

    def __call__(self, text: str) -> Answer:
        answer = self.search(text)
        self.queries.append((text, answer.status))
        if self.second is not None and answer.status in ("sat", "unsat"):
            self._cross_check(self.second, text, answer.status)
        return answer

    def search(self, text: str) -> Answer:
        """The answer to what is no query of the proof."""
        answer, remembered = self.solve(text)
        self.resources += answer.resources
        self.asked += 1
        self.remembered += remembered
        return answer

    def _cross_check(self, second: Solve, text: str, status: str) -> None:
        """Raises NotProved unless the second solver gives the same answer."""
        answer, remembered = second(text)
        self.asked += 1
        self.remembered += remembered
        query = f"query {len(self.queries)} of {self.name}"
        match answer.status:
            case "timeout":
                raise NotProved(
                    Verdict.TIMEOUT,
                    f"{NAME} ran out of time on {query}, which z3 finds {status}",
                    {},
                )
            case "unknown":
                raise NotProved(
                    Verdict.UNKNOWN,
                    f"{NAME} gave up within its budget on {query}, which z3 finds {status}",
                    {},
                )
            case other if other != status:
                raise NotProved(
                    Verdict.ERROR,
                    f"z3 says {status} and {NAME} says {other} to {query}: one of them is wrong. "
                    "Export the query with --export-smt, and report it",
                    {},
                )
        self.cross_checked += 1

    def kept(self, verdict: Verdict) -> list[Query]:
        """The queries, when the kernel has come to a verdict.

        What it goes on from was answered as the proof needs it; only the last query can differ.
        """
        queries = [Query(text, status, status) for text, status in self.queries]
        needed = {Verdict.REFUTED: "unsat", Verdict.VACUOUS: "sat"}
        if queries and verdict is not Verdict.PROVED:
            queries[-1] = replace(queries[-1], expected=needed.get(verdict, "unknown"))
        return queries


def prove(
    gadget: Gadget,
    solve: Solve,
    second: Solve | None = None,
    *,
    keep: bool = False,
    instance: Gadget | None = None,
) -> Generator[Result, None, Contract | None]:
    """Prove a gadget's lemmas in order; yields what became of each, with its queries if `keep`.

    `instance` is the gadget with settled sizes, in which counterexamples are looked for; by
    default the gadget itself.  A lemma whose goal does not follow is REFUTED only with a
    counterexample of the gadget itself, else UNKNOWN.  Where `second` contradicts `solve` the
    verdict is ERROR; where it does not decide, UNKNOWN or TIMEOUT.  Where all are PROVED the
    generator's value is the gadget's contract, else None.  Raises ValueError if the lemmas do
    not state what is needed.
    """
    view, lemmas = parts(gadget)
    theory = view.theory if view else None
    known: dict[str, Theorem] = {}
    for part in lemmas:
        obligation = _obligation(gadget, part)
        start, meter = time.perf_counter(), _Meter(obligation.name, solve, second)
        missing = [name for name, _ in part.uses if name not in known]
        verdict, detail, found = Verdict.PROVED, "", None
        leaf = verdict
        if missing:
            verdict, detail = Verdict.UNKNOWN, f"it rests on {missing[0]!r}, which is not proved"
        else:
            try:
                if part is lemmas[0]:
                    _has_a_member(gadget, meter)
                known[part.name] = part.prove(theory, known, meter)
            except NotProved as failure:
                verdict, detail = failure.verdict, failure.reason
                leaf = verdict
                if verdict is Verdict.REFUTED:
                    found, _ = find(instance or gadget, meter.search, failure.model)
                    verdict, detail = _judged(failure, found)
        yield Result(
            obligation,
            verdict,
            time.perf_counter() - start,
            meter.resources,
            meter.asked > 0 and meter.remembered == meter.asked,
            detail,
            found,
            meter.cross_checked,
            known[part.name].rule if part.name in known else "",
            [name for name, _ in part.uses],
            sorted(view.rests_on) if view else [],
            meter.kept(leaf) if keep else UNSET,
        )
    if len(known) < len(lemmas):
        return None
    theorems = list(known.values())
    wanted = needed(view) if view else [(each.given, each.goal) for each in theorems]
    return contract(gadget.title, wanted, theorems, view.rests_on if view else ())


def _has_a_member(gadget: Gadget, ask: Callable[[str], Answer]) -> None:
    """Raises NotProved unless the whole domain, every condition at every index, has a member.

    A lemma takes a condition only at the indices of which it speaks.  Without conditions the
    domain is made of ranges, which are not empty.
    """
    if not gadget.conditions:
        return
    free = {name for _, extent in gadget.sizes() for name in extent.variables()}
    least = {each.name: each.low for each in gadget.parameters if each.name in free}
    small = settle(gadget, least) if least else gadget
    if entry_count(small) > WRITABLE_ENTRIES:
        return
    answer = ask(text_of([formula(each) for each in Expanded(small).domain]))
    if answer.status == "unsat":
        raise NotProved(Verdict.VACUOUS, "the domain is empty", {})
    if answer.status != "sat":
        raise NotProved(Verdict.UNKNOWN, "no member of the domain was found", {})


def _judged(failure: NotProved, found: Counterexample | None) -> tuple[Verdict, str]:
    """REFUTED needs an input on which the gadget itself fails, not only a lemma's countermodel."""
    if found is not None:
        return Verdict.REFUTED, failure.reason
    model = ", ".join(f"{name} = {number}" for name, number in sorted(failure.model.items()))
    where = f" (countermodel: {model})" if model else ""
    return Verdict.UNKNOWN, f"{failure.reason}{where}; no counterexample of the gadget was found"
