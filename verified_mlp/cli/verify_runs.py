"""A run of `verify-all`: what was asked, what has come of it so far, what that amounts to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from proofs.results import Fate, Mutant, Obligation, Result, Verdict, exit_code
from proofs.verify import Options
from verified_mlp.constructions.registry import construction
from verified_mlp.machine.shape import Shape, memories

INCONCLUSIVE = 3


@dataclass(slots=True)
class ProofRun:
    """A run of proofs.

    `total` counts the obligations of the shape, `chosen` are those selected by the names `only`
    (all, if there are none); `seconds` is wall-clock time; `stopped` is the exit code of what
    ended the run before its end, or 0.
    """

    shape: Shape
    options: Options
    only: list[str]
    total: int
    chosen: list[Obligation]
    results: list[Result] = field(default_factory=list)
    seconds: float = 0
    stopped: int = 0

    @property
    def not_attempted(self) -> list[Obligation]:
        """The chosen obligations without a result."""
        done = {result.obligation.name for result in self.results}
        return [each for each in self.chosen if each.name not in done]

    @property
    def failures(self) -> list[Result]:
        """The results that are not PROVED."""
        return [result for result in self.results if result.verdict is not Verdict.PROVED]

    @property
    def counts(self) -> dict[str, int]:
        """How many results there are of each verdict, and how many obligations beside them."""
        found = Counter(result.verdict for result in self.results)
        return {
            "obligations": self.total,
            "selected": len(self.chosen),
            **{verdict.value: found[verdict] for verdict in Verdict},
            "not_attempted": len(self.not_attempted),
            "cached": sum(result.cached for result in self.results),
            "cross_checked": sum(result.cross_checked for result in self.results),
        }

    @property
    def resources(self) -> int:
        """The solver resources spent by this run, in z3's rlimit units."""
        return sum(result.resources for result in self.results if not result.cached)

    @property
    def code(self) -> int:
        """The exit code: that of the results, but not 0 if something was not attempted."""
        unfinished = INCONCLUSIVE if self.not_attempted else 0
        return self.stopped or exit_code(self.results) or unfinished

    @property
    def progress(self) -> str:
        """How far the run got."""
        proved = self.counts[Verdict.PROVED]
        return (
            f"{len(self.results)} of {len(self.chosen)} obligations done, {proved} of them proved"
        )

    @property
    def verdict(self) -> str:
        """What the run has shown, in one line."""
        if self.stopped:
            return f"INTERRUPTED at {self.shape}: {self.progress}."
        if self.code:
            bad = [verdict for verdict in Verdict if verdict is not Verdict.PROVED]
            which = some(self.counts, [*bad, "not_attempted"])
            return f"NOT PROVED at {self.shape}: {which}, of {len(self.chosen)} obligations."
        if len(self.chosen) < self.total:
            return (
                f"PROVED: the {len(self.chosen)} selected of {self.total} obligations at "
                f"{self.shape}; this says nothing about the others.{self._resting}{self._agreement}"
            )
        if self.options.modules:
            return (
                f"PROVED: every gadget of {', '.join(self.options.modules)} at {self.shape}, on "
                f"its whole domain.{self._agreement}"
            )
        return (
            f"PROVED: one pass of the {self._layers}-layer network at {self.shape} is one SUBLEQ "
            f"step, for every state{self._elsewhere}, and every gadget meets its specification on "
            f"its whole domain.{self._agreement}"
        )

    @property
    def _layers(self) -> int:
        made = construction(self.options.construction)
        return len(made.network(memories(self.shape)).layers)

    @property
    def _resting(self) -> str:
        """Which contracts were used of gadgets that were not selected."""
        used = {title for each in self.results for title in each.rests_on}
        others = sorted(used - {each.gadget for each in self.chosen})
        return f" It rests on the contracts of {', '.join(others)}." if others else ""

    @property
    def _elsewhere(self) -> str:
        family = memories(self.shape)
        if family.low == family.high:
            return ""
        return f" and at every number of words from {family.low} to {family.high}"

    @property
    def _agreement(self) -> str:
        if not self.options.cross_check:
            return ""
        count = self.counts["cross_checked"]
        return f" z3 and {self.options.cross_check} agree on all {count} queries."


@dataclass(slots=True)
class SabotageRun:
    """A run of sabotage; `total` is the number of mutants, the rest is as in `ProofRun`."""

    shape: Shape
    options: Options
    only: list[str]
    total: int
    mutants: list[Mutant] = field(default_factory=list)
    seconds: float = 0
    stopped: int = 0

    @property
    def failures(self) -> list[Mutant]:
        """The mutants that were neither refuted nor proved harmless."""
        return [each for each in self.mutants if each.fate in (Fate.MISSED, Fate.UNKNOWN)]

    @property
    def counts(self) -> dict[str, int]:
        """How many mutants there are, and how many met each fate."""
        found = Counter(mutant.fate for mutant in self.mutants)
        return {
            "mutants": self.total,
            **{fate.value: found[fate] for fate in Fate},
            "not_attempted": self.total - len(self.mutants),
        }

    @property
    def code(self) -> int:
        """1 if a mutant was missed; 3 if one is unknown or was not attempted; else 0."""
        counts = self.counts
        if self.stopped:
            return self.stopped
        if counts[Fate.MISSED]:
            return 1
        return INCONCLUSIVE if counts[Fate.UNKNOWN] or counts["not_attempted"] else 0

    @property
    def progress(self) -> str:
        """How far the run got."""
        tried, bad = len(self.mutants), len(self.failures)
        return f"{tried} of {self.total} changes tried, {bad} of them missed or unknown"

    @property
    def verdict(self) -> str:
        """What the run has shown, in one line."""
        if self.stopped:
            return f"INTERRUPTED at {self.shape}: {self.progress}."
        if self.code:
            which = some(self.counts, [Fate.MISSED, Fate.UNKNOWN, "not_attempted"])
            return f"NOT ALL CAUGHT at {self.shape}: {which}, of {self.total} changes."
        modules = f" of {', '.join(self.options.modules)}" if self.options.modules else ""
        which = f"the selected gadgets{modules}" if self.only else f"all gadgets{modules}"
        where = f"{which} at {self.shape}"
        return (
            f"CAUGHT: each of {self.total} changes of one number in {where} is refuted with a "
            "counterexample or proved harmless."
        )


def some(counts: dict[str, int], names: list[str]) -> str:
    """The counts of these names that are not 0, in words."""
    return ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in names if counts[name])
