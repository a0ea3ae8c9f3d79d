"""What `verify-all` prints: lines of text from results, and a screen that shows them.

The lines are the same on a terminal and in a pipe; a terminal adds colour and a progress bar.
"""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from heapq import nlargest
from importlib.metadata import version
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from proofs import second_solver, solver
from proofs.results import Counterexample, Fate, Mutant, Obligation, Result, Verdict
from proofs.verify import Options
from verified_mlp.cli.verify_runs import ProofRun, SabotageRun
from verified_mlp.machine.shape import Shape

if TYPE_CHECKING:
    from verified_mlp.cli.verify_machine_sabotage import MachineRun

WIDTH = 100
STYLES = {
    r"(?m)^(PROVED|CAUGHT)\b": "green",
    r"(?m)^ {0,2}(REFUTED|VACUOUS|MISSED|NOT PROVED|NOT ALL CAUGHT)\b": "bold red",
    r"(?m)^ {0,2}(UNKNOWN|TIMEOUT)\b": "bold yellow",
    r"(?m)^ {0,2}ERROR\b": "bold magenta",
}
"""On a terminal, what is set in which style."""


def printable(text: str) -> str:
    r"""The text with every character that would move the cursor or colour the line escaped.

    >>> printable("one line\x1b[31m")
    'one line\\x1b[31m'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def indented(label: str, text: str) -> list[str]:
    """Lines `    label: text`, wrapped under each other."""
    start = f"    {label + ':':<10} "
    lines = []
    for line in text.splitlines() or [""]:
        lines += textwrap.wrap(
            printable(line),
            WIDTH - len(start),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return [(start if not k else " " * len(start)) + line for k, line in enumerate(lines)]


def _cost(result: Result) -> str:
    cost = "cached" if result.cached else f"{result.seconds:.2f} s; {result.resources:,} rlimit"
    if result.cross_checked:
        cost += f"; cross-checked {result.cross_checked}"
    return cost


def proof_header(run: ProofRun) -> str:
    """The first line of a run of proofs."""
    return _header(run, f"{len(run.chosen)} of {run.total} obligations")


def sabotage_header(run: SabotageRun | MachineRun) -> str:
    """The first line of a run of sabotage."""
    return _header(run, f"{run.total} changes")


def _header(run: ProofRun | SabotageRun | MachineRun, what: str) -> str:
    own = f"verify-all {version('verified-mlp')}"
    solvers = solver.version()
    if run.options.cross_check:
        solvers += f", {second_solver.version()}"
    return f"{own}: {run.shape}, {what}, {run.options.jobs} jobs, {solvers}"


def result_line(result: Result) -> str:
    """Verdict, name, claim, method, time and solver resources, in one line."""
    this = result.obligation
    line = f"{result.verdict:<8} {this.name}  {this.claim}  [{this.method}; {_cost(result)}]"
    return printable(line)


def counterexample_lines(counterexample: Counterexample) -> list[str]:
    """The named inputs, what every layer gives, what was expected and what came out."""

    def row(label: str, values: Mapping[str, str]) -> list[str]:
        return indented(label, ", ".join(f"{name}={values[name]}" for name in values) or "none")

    lines = indented("gadget", counterexample.gadget)
    lines += row("inputs", counterexample.inputs)
    for number, neurons in enumerate(counterexample.layers, start=1):
        lines += row(f"layer {number}", neurons)
    return lines + row("expected", counterexample.expected) + row("got", counterexample.got)


def command(shape: Shape, options: Options, name: str, *flags: str) -> str:
    """The command that repeats one proof; limits are named where they are not the usual ones."""
    words = ["verify-all", "--bits", str(shape.bits), "--words", str(shape.words)]
    usual = Options()
    if options.construction != usual.construction:
        words += ["--construction", options.construction]
    for limit in ("budget", "timeout"):
        if getattr(options, limit) != getattr(usual, limit):
            words += [f"--{limit}", f"{getattr(options, limit)}"]
    if options.cross_check:
        words += ["--cross-check", options.cross_check]
    for module in options.modules:
        words += ["--module", module]
    return shlex.join([*words, "--only", name, *flags])


def result_lines(result: Result, shape: Shape, options: Options) -> list[str]:
    """The line of a result; below it, if it is not PROVED, why, and how to see it again."""
    if result.verdict is Verdict.PROVED:
        return [result_line(result)]
    lines = [result_line(result)]
    lines += indented("reason", result.detail or _REASONS[result.verdict])
    if result.counterexample:
        lines += counterexample_lines(result.counterexample)
    repeat = command(shape, options, result.obligation.name, "--no-cache")
    return [*lines, f"    {'repeat:':<10} {printable(repeat)}"]


_REASONS = {
    Verdict.REFUTED: "a point of the domain contradicts the claim",
    Verdict.VACUOUS: "no point satisfies the hypotheses, so the claim says nothing",
    Verdict.UNKNOWN: "neither proved nor refuted within the budget; --budget raises it",
    Verdict.TIMEOUT: "no answer within the time limit; --timeout raises it",
    Verdict.ERROR: "the attempt itself failed",
}


def listing_lines(obligation: Obligation) -> list[str]:
    """An obligation without its proof: the name, and indented below what it says."""
    labels = [each.name for each in fields(obligation) if each.name not in ("name", "gadget")]
    lines = [printable(obligation.name)]
    for label in labels:
        lines += indented(label, getattr(obligation, label))
    return lines


def summary_lines(run: ProofRun) -> list[str]:
    """The failures by name, the slowest three and the counts."""
    counts = run.counts
    lines = [""]
    if run.failures:
        lines.append("failures:")
        lines += [f"  {each.verdict:<8} {printable(each.obligation.name)}" for each in run.failures]
    if run.not_attempted:
        lines.append(f"not attempted: {len(run.not_attempted)} of {len(run.chosen)}")
    proved_now = [result for result in run.results if not result.cached]
    slowest = nlargest(3, proved_now, key=lambda result: result.seconds)
    if slowest:
        named = [f"{each.obligation.name} {each.seconds:.2f} s" for each in slowest]
        lines.append(printable(f"slowest: {'; '.join(named)}"))
    lines.append(
        f"{counts[Verdict.PROVED]} of {len(run.chosen)} proved, {counts['cached']} from the "
        f"cache, {run.seconds:.1f} s, {run.resources:,} rlimit"
    )
    return lines


def mutant_lines(mutant: Mutant) -> list[str]:
    """A mutant that was missed or is unknown in one line, below it the counterexample of one that
    was missed.  Nothing for any other.
    """
    if mutant.fate in (Fate.REFUTED, Fate.HARMLESS):
        return []
    line = f"{mutant.fate:<8} {mutant.gadget}  {mutant.place}, {mutant.change:+d}  {mutant.reason}"
    found = counterexample_lines(mutant.counterexample) if mutant.counterexample else []
    return [printable(line), *found]


def score_lines(run: SabotageRun) -> list[str]:
    """A table of fates by gadget, the harmless changes by gadget and reason, how to see the
    failures again, the score.
    """
    by_gadget: dict[str, Counter[Fate]] = {}
    harmless: dict[str, Counter[str]] = {}
    for mutant in run.mutants:
        by_gadget.setdefault(mutant.gadget, Counter())[mutant.fate] += 1
        if mutant.fate is Fate.HARMLESS:
            harmless.setdefault(mutant.gadget, Counter())[mutant.reason] += 1
    width = max(map(len, [*by_gadget, "gadget"]))

    def row(title: str, cells: Iterable[str | int]) -> str:
        return f"{printable(title):<{width}}" + "".join(f"{cell:>9}" for cell in cells)

    lines = ["", row("gadget", ["changes", *(fate.lower() for fate in Fate)])]
    for title, fates in sorted(by_gadget.items()):
        lines.append(row(title, [fates.total(), *(fates[fate] for fate in Fate)]))
    counts = run.counts
    lines.append(row("all", [len(run.mutants), *(counts[fate] for fate in Fate)]))
    if harmless:
        lines += ["", "harmless, by gadget and reason:"]
    for title, reasons in sorted(harmless.items()):
        lines.append(printable(title))
        lines += [f"{count:>7}  {printable(reason)}" for reason, count in reasons.most_common()]
    failed = dict.fromkeys(mutant.gadget for mutant in run.failures)
    if failed:
        lines += ["", "repeat what was missed or is unknown:"]
        lines += [
            printable(f"  {command(run.shape, run.options, title, '--sabotage')}")
            for title in failed
        ]
    lines += [
        "",
        f"{run.total:,} changes: {counts[Fate.REFUTED]:,} refuted, {counts[Fate.HARMLESS]:,} "
        f"proved harmless, {counts[Fate.UNKNOWN]:,} unknown, {counts[Fate.MISSED]:,} missed, "
        f"{counts['not_attempted']:,} not attempted, {run.seconds:.1f} s",
    ]
    return lines


@dataclass(frozen=True, slots=True)
class Screen:
    """Where lines go: `say` prints some, `advance` counts one more item as done."""

    say: Callable[[list[str]], None]
    advance: Callable[[], None]


@contextmanager
def screen(terminal: bool, total: int, doing: str) -> Iterator[Screen]:
    """A screen for a run of `total` items: a terminal with a progress bar, or plain lines."""
    if not terminal:
        # A line that waits in a buffer is no use to whoever watches a log.
        yield Screen(lambda lines: print(*lines, sep="\n", flush=True), lambda: None)
        return
    console = Console(soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(doing, total=total)

        def say(lines: list[str]) -> None:
            text = Text("\n".join(lines))
            for pattern, style in STYLES.items():
                text.highlight_regex(pattern, style)
            console.print(text)

        yield Screen(say, lambda: progress.advance(task))
