"""`verify-all --sabotage --machine`: what it is asked, what has come of it, and its two scores.

The placed statement of the network is changed, and the proof alone decides; then its arrays are,
and the tie-check alone decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from numeric.array_sabotage import ArrayMutant, sabotage_arrays
from numeric.array_sabotage import Kind as ArrayKind
from proofs import sabotage_machine
from proofs.machine_passes import MOST_BITS, Failure
from proofs.results import Fate
from proofs.sabotage_machine import NetworkMutant
from proofs.verify import Options
from verified_mlp.cli.shell import UserError
from verified_mlp.cli.verify_files import Outcome, Schema, encoded, tools
from verified_mlp.cli.verify_output import command, indented, printable
from verified_mlp.cli.verify_runs import INCONCLUSIVE, some
from verified_mlp.constructions.registry import construction
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import width
from verified_mlp.statement.mutate_network import READ_OUT, Kind
from verified_mlp.statement.network import Network

MOST_BITS_OF_MEMORY = 1024
"""A larger network has so many rows that changing each would take days."""

_BAD = (Fate.MISSED, Fate.UNKNOWN)


@dataclass(slots=True)
class MachineRun:
    """A run of sabotage of the machine.

    `total` is the number of changes of the statement, `gadgets` the titles of those whose rows are
    changed in the arrays (None: all); `complete` says that no change of the arrays is left.  The
    rest is as in `SabotageRun`.
    """

    shape: Shape
    options: Options
    only: list[str]
    total: int
    gadgets: list[str] | None
    mutants: list[NetworkMutant | ArrayMutant] = field(default_factory=list)
    complete: bool = False
    seconds: float = 0
    stopped: int = 0

    @property
    def statement(self) -> list[NetworkMutant]:
        """The changes of the statement that have been judged."""
        return [each for each in self.mutants if isinstance(each, NetworkMutant)]

    @property
    def arrays(self) -> list[ArrayMutant]:
        """The changes of the arrays that have been judged."""
        return [each for each in self.mutants if isinstance(each, ArrayMutant)]

    @property
    def failures(self) -> list[NetworkMutant | ArrayMutant]:
        """The changes that were not caught, or of which it is not known."""
        return [each for each in self.mutants if not _caught(each)]

    @property
    def counts(self) -> dict[str, int]:
        """How many changes of the statement there are, and of the arrays; what became of them."""
        fates = Counter(each.fate for each in self.statement)
        caught = sum(each.caught for each in self.arrays)
        return {
            "statement": self.total,
            **{fate.value: fates[fate] for fate in Fate},
            "not_attempted": self.total - len(self.statement),
            "arrays": len(self.arrays),
            "caught": caught,
            "not_caught": len(self.arrays) - caught,
        }

    @property
    def code(self) -> int:
        """1 if a change was missed; 3 if one is unknown or was not attempted; else 0."""
        counts = self.counts
        if self.stopped:
            return self.stopped
        if counts[Fate.MISSED] or counts["not_caught"]:
            return 1
        left = counts[Fate.UNKNOWN] or counts["not_attempted"] or not self.complete
        return INCONCLUSIVE if left else 0

    @property
    def progress(self) -> str:
        """How far the run got."""
        return (
            f"{len(self.statement):,} of {self.total:,} changes of the statement tried, and "
            f"{len(self.arrays):,} of the arrays, {len(self.failures)} of them missed or unknown"
        )

    @property
    def verdict(self) -> str:
        """What the run has shown, in one line."""
        counts = self.counts
        if self.stopped:
            return f"INTERRUPTED at {self.shape}: {self.progress}."
        if self.code:
            which = some(counts, [*_BAD, "not_attempted", "not_caught"])
            return (
                f"NOT ALL CAUGHT at {self.shape}: {which or 'not all attempted'}, of "
                f"{self.total:,} changes of the statement and {counts['arrays']:,} of the arrays."
            )
        where = "where the selected gadgets stand in" if self.only else "in"
        return (
            f"CAUGHT: each of {self.total:,} changes {where} the placed statement at {self.shape} "
            f"is refuted with a state or proved harmless, and the tie-check finds each of "
            f"{counts['arrays']:,} changes of the arrays."
        )


def prepared(shape: Shape, options: Options, only: list[str]) -> MachineRun:
    """The run; raises UserError for a shape that is too large, LookupError (its text is a sentence)
    for a name that picks nothing.
    """
    memory = shape.bits * shape.words
    if shape.bits > MOST_BITS or memory > MOST_BITS_OF_MEMORY:
        raise UserError(
            f"--sabotage --machine changes every row of the network, and tries states of each: "
            f"{shape} is too large. Choose at most {MOST_BITS} bits a word and "
            f"{MOST_BITS_OF_MEMORY} bits of memory; all is decided with --bits 4 --words 4."
        )
    changes = sabotage_machine.chosen(shape, only, options.construction)
    titles = sorted({each.gadget for each in changes} - {READ_OUT})
    return MachineRun(shape, options, only, len(changes), titles if only else None)


def changed(run: MachineRun) -> Iterator[NetworkMutant | ArrayMutant]:
    """What becomes of every change, those of the statement first."""
    yield from sabotage_machine.run(run.shape, run.only, run.options)
    yield from sabotage_arrays(_network(run), gadgets=run.gadgets)
    run.complete = True


def _network(run: MachineRun) -> Network:
    return construction(run.options.construction).network(run.shape)


def most(run: MachineRun) -> int:
    """The number of changes; of the arrays, that of those which each row allows at most."""
    rows = sum(
        width(placed.neurons)
        for layer in _network(run).layers
        for placed in layer.placed
        if placed.gadget and (run.gadgets is None or placed.gadget.title in run.gadgets)
    )
    return run.total + rows * len(ArrayKind)


def mutant_lines(mutant: NetworkMutant | ArrayMutant) -> list[str]:
    """A change that was missed or is unknown in one line, below it the state that shows it.
    Nothing for any other.
    """
    if _caught(mutant):
        return []
    if isinstance(mutant, ArrayMutant):
        found = "; ".join(map(str, mutant.differences)) or "the tie-check finds no difference"
        return [printable(f"MISSED   {mutant}  {found}")]
    line = f"{mutant.fate:<8} {mutant}  {mutant.reason}"
    return [printable(line), *(_failure_lines(mutant.failure) if mutant.failure else [])]


def _failure_lines(failure: Failure) -> list[str]:
    lines = []
    for label in ("state", "expected", "got"):
        values = getattr(failure, label)
        lines += indented(label, ", ".join(f"{name}={text}" for name, text in values.items()))
    return lines


def score_lines(run: MachineRun) -> list[str]:
    """The two scores by kind of change, and the harmless changes by gadget and reason."""
    fates = {kind: Counter[Fate]() for kind in Kind}
    harmless: dict[str, Counter[str]] = {}
    for mutant in run.statement:
        fates[mutant.kind][mutant.fate] += 1
        if mutant.fate is Fate.HARMLESS:
            harmless.setdefault(mutant.gadget, Counter())[mutant.reason] += 1
    caught = {kind: [each.caught for each in run.arrays if each.kind is kind] for kind in ArrayKind}
    size = max(map(len, [*Kind, *ArrayKind]))

    def row(title: str, cells: Iterable[str | int]) -> str:
        return f"{title:<{size}}" + "".join(f"{cell:>9}" for cell in cells)

    counts = run.counts
    lines = ["", row("the statement, by the proof", ["changes", *(fate.lower() for fate in Fate)])]
    lines += [
        row(kind, [found.total(), *(found[f] for f in Fate)]) for kind, found in fates.items()
    ]
    lines.append(row("all", [len(run.statement), *(counts[fate] for fate in Fate)]))
    lines += ["", row("the arrays, by the tie-check", ["changes", "caught", "missed"])]
    lines += [row(kind, _score(found)) for kind, found in caught.items()]
    lines.append(row("all", _score([each.caught for each in run.arrays])))
    if harmless:
        lines += ["", "harmless, by gadget and reason:"]
    for title, reasons in sorted(harmless.items()):
        lines.append(printable(title))
        lines += [f"{count:>7}  {printable(reason)}" for reason, count in reasons.most_common()]
    failed = dict.fromkeys(each.gadget for each in run.failures if each.gadget)
    if failed:
        lines += ["", "repeat what was missed or is unknown:"]
        lines += [
            f"  {printable(command(run.shape, run.options, title, '--sabotage', '--machine'))}"
            for title in failed
        ]
    return [
        *lines,
        "",
        f"statement: {run.total:,} changes: {counts[Fate.REFUTED]:,} refuted, "
        f"{counts[Fate.HARMLESS]:,} proved harmless, {counts[Fate.UNKNOWN]:,} unknown, "
        f"{counts[Fate.MISSED]:,} missed, {counts['not_attempted']:,} not attempted",
        f"arrays: {counts['arrays']:,} changes: {counts['caught']:,} caught, "
        f"{counts['not_caught']:,} missed{'' if run.complete else ', others not attempted'}",
        f"{run.seconds:.1f} s",
    ]


def _score(caught: Sequence[bool]) -> list[int]:
    return [len(caught), sum(caught), len(caught) - sum(caught)]


def _caught(mutant: NetworkMutant | ArrayMutant) -> bool:
    return mutant.caught if isinstance(mutant, ArrayMutant) else mutant.fate not in _BAD


class ArrayChange(msgspec.Struct, frozen=True):
    """A change of the arrays; `differences` is what the tie-check says, if it is not caught."""

    kind: str
    layer: int
    gadget: str
    place: str
    caught: bool
    differences: list[str]


class MachineSabotage(Outcome, frozen=True):
    """What became of every change; `complete` says that none of the arrays was left out."""

    complete: bool
    statement: list[NetworkMutant]
    arrays: list[ArrayChange]


def machine_json(run: MachineRun) -> bytes:
    """The document `verify-all/machine-mutants`."""
    return encoded(
        MachineSabotage(
            Schema("verify-all/machine-mutants"),
            tools(),
            run.shape,
            run.only,
            run.options,
            run.counts,
            run.seconds,
            bool(run.stopped),
            run.verdict,
            run.code,
            run.complete,
            run.statement,
            [
                ArrayChange(
                    each.kind,
                    each.layer,
                    each.gadget,
                    each.place,
                    each.caught,
                    [] if each.caught else list(map(str, each.differences)),
                )
                for each in run.arrays
            ],
        )
    )
