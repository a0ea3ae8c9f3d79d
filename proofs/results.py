"""What a proof attempt says: verdicts, results, counterexamples, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import UNSET, UnsetType


class Verdict(StrEnum):
    """The outcome of one obligation; only PROVED passes."""

    PROVED = "PROVED"
    REFUTED = "REFUTED"
    """A counterexample was found and confirmed by exact evaluation."""
    VACUOUS = "VACUOUS"
    """The hypotheses contradict each other, so the proof says nothing."""
    UNKNOWN = "UNKNOWN"
    """Neither proved nor refuted within the budget."""
    TIMEOUT = "TIMEOUT"
    """The wall-clock backstop ended the attempt."""
    ERROR = "ERROR"
    """The attempt itself failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is `sat`, `unsat`, `unknown` (budget spent) or `timeout` (the backstop).

    `model` gives the constants of a satisfying assignment as text.
    """

    status: str
    seconds: float
    resources: int
    model: dict[str, str]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input on which a gadget's network and its specification differ.

    `inputs`, `expected` and `got` give each named value as text; `layers` gives, for each layer of
    the gadget, the neurons by name.
    """

    gadget: str
    inputs: dict[str, str]
    layers: list[dict[str, str]]
    expected: dict[str, str]
    got: dict[str, str]


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something to be proved: `name` is `gadget-title/lemma`, unique within a shape."""

    name: str
    gadget: str
    claim: str
    domain: str
    method: str
    source: str


@dataclass(frozen=True, slots=True)
class Query:
    """What a solver was asked for an obligation: an SMT-LIB text, the answer, and the answer that
    the proof needs (`unknown` where the attempt ended before that mattered).
    """

    text: str
    answer: str
    expected: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an obligation: time in seconds, solver resources in z3's rlimit units.

    `rule` is the kernel's rule that made the theorem, `uses` the lemmas that it used; `rests_on`
    are the gadgets whose contracts were in use.  `cross_checked` counts the queries on which a
    second solver agrees.  The queries are there only if they were to be kept, and in no JSON
    document, where they would be most of it.
    """

    obligation: Obligation
    verdict: Verdict
    seconds: float = 0
    resources: int = 0
    cached: bool = False
    detail: str = ""
    counterexample: Counterexample | None = None
    cross_checked: int = 0
    rule: str = ""
    uses: list[str] = field(default_factory=list)
    rests_on: list[str] = field(default_factory=list)
    queries: list[Query] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one run of `verify`, for one shape; `known` if all was proved before."""

    bits: int
    words: int
    results: list[Result] = field(default_factory=list)
    known: bool = False

    @property
    def passed(self) -> bool:
        """Whether there was something to prove and all of it is proved."""
        return (self.known or bool(self.results)) and all(
            result.verdict is Verdict.PROVED for result in self.results
        )


def exit_code(results: Sequence[Result]) -> int:
    """0 all proved; 4 error; 1 refuted or vacuous; 3 inconclusive or nothing at all."""
    verdicts = {result.verdict for result in results}
    if Verdict.ERROR in verdicts:
        return 4
    if verdicts & {Verdict.REFUTED, Verdict.VACUOUS}:
        return 1
    if verdicts == {Verdict.PROVED}:
        return 0
    return 3


class Fate(StrEnum):
    """What became of a mutant, a gadget with one number changed."""

    REFUTED = "REFUTED"
    """The proof failed and a counterexample was found: the change was caught."""
    HARMLESS = "HARMLESS"
    """The changed gadget was proved to meet its specification all the same."""
    UNKNOWN = "UNKNOWN"
    """Neither: the proof failed, and no counterexample was found within the budget."""
    MISSED = "MISSED"
    """The proof went through although a counterexample exists: a fault of the prover."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one number in a gadget's statement, and what became of it.

    `place` names the layer, the neuron and the weight or bias; `change` is +1 or -1; `reason`
    says why a harmless change is harmless or which lemma failed.
    """

    gadget: str
    place: str
    change: int
    fate: Fate
    reason: str
    seconds: float = 0
    counterexample: Counterexample | None = None
