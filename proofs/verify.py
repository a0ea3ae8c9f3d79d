"""Discharging the obligations of a shape."""

from __future__ import annotations

import difflib
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from proofs import modules, prover, second_solver
from proofs.cache import Cache, folder
from proofs.machine import machine
from proofs.prover import Solve
from proofs.results import Answer, Obligation, Report, Result, Verdict
from proofs.solver import solve, version
from proofs.workers import spread
from verified_mlp.constructions.registry import DEFAULT as PAPER
from verified_mlp.constructions.registry import construction
from verified_mlp.gadgets.registry import gadgets as registered
from verified_mlp.machine.shape import Dimensions, Shape, memories
from verified_mlp.statement.digest import canonical_text
from verified_mlp.statement.network import Gadget, Network
from verified_mlp.statement.settle import settle


@dataclass(frozen=True, slots=True)
class Options:
    """How to prove: z3 `rlimit` per query (0: none), seconds per query as a backstop, worker
    processes, whether the cache is used, whether the first failure ends the run, the name of the
    second solver that decides every query again ("": none), whether results keep their queries,
    the modules whose gadgets are proved (none: those of this project), the construction of which
    the network is.
    """

    budget: int = 20_000_000
    timeout: float = 60
    jobs: int = 1
    cache: bool = True
    fail_fast: bool = False
    cross_check: str = ""
    queries: bool = False
    modules: tuple[str, ...] = ()
    construction: str = PAPER


DEFAULT = Options()


def subjects(shape: Shape, names: tuple[str, ...] = (), how: str = PAPER) -> list[Gadget]:
    """All that is proved for a shape: the gadgets of its family of shapes, so that the proof holds
    for every number of words; or those of the modules that are named (see `modules.gadgets`).
    `how` names the construction.
    """
    return modules.gadgets(shape, names) if names else gadgets(memories(shape), how)


def stated(shape: Shape, names: tuple[str, ...] = (), how: str = PAPER) -> list[Gadget]:
    """The same gadgets as they stand at the shape itself."""
    return modules.gadgets(shape, names) if names else gadgets(shape, how)


def gadgets(shape: Dimensions, how: str = PAPER) -> list[Gadget]:
    """The gadgets of the table, those that the network places, and the machine itself, last.

    `how` names the construction; raises ValueError for the name of none.
    """
    found: dict[str, Gadget] = {}
    for gadget in (*registered(shape, how), *_placed(construction(how).network(shape))):
        if found.setdefault(gadget.title, gadget) is not gadget:
            # A proof is known by its gadget's title; that of one says nothing of the other.
            raise ValueError(f"two gadgets are called {gadget.title}; give them different names.")
    return [*(found[title] for title in sorted(found)), machine(shape, how)]


def _placed(network: Network) -> Iterator[Gadget]:
    for layer in network.layers:
        for placed in layer.placed:
            if placed.gadget is not None:
                yield placed.gadget
                yield from _placed(placed.gadget.network)


def obligations(shape: Shape, names: tuple[str, ...] = (), how: str = PAPER) -> list[Obligation]:
    """Every obligation of a shape, or of the modules named, in order, without proving anything."""
    whole = subjects(shape, names, how)
    found = _listed(whole, names)
    if any(gadget.name == "machine" for gadget in whole):
        found.append(_instance(shape, how))
    return found


def _listed(found: list[Gadget], names: tuple[str, ...]) -> list[Obligation]:
    listed = []
    for gadget in found:
        with modules.faults_of(names, f"{gadget.title} cannot be stated"):
            listed += prover.obligations(gadget)
    return listed


def select(
    found: list[Obligation], names: list[str], own: tuple[str, ...] = (), how: str = PAPER
) -> list[Obligation]:
    """The obligations that the names pick: an obligation's full name, a gadget's title or a
    gadget's bare name. Raises LookupError (its text is a sentence) for a name that picks none.
    """
    chosen: set[str] = set()
    for name in names:
        picked = {each.name for each in found if name in _handles(each)}
        if not picked:
            raise LookupError(_unknown(name, found, listing_command(own, how)))
        chosen |= picked
    return [each for each in found if each.name in chosen]


def select_gadgets(
    shape: Shape, names: list[str], own: tuple[str, ...] = (), how: str = PAPER
) -> list[Gadget]:
    """The gadgets, as they stand at the shape, of which the names pick an obligation; all, if
    there are no names.  `own`: the modules whose gadgets these are; `how`: the construction.
    """
    known = stated(shape, own, how)
    found = _listed(known, own)
    titles = {each.gadget for each in (select(found, names, own, how) if names else found)}
    return [gadget for gadget in known if gadget.title in titles]


def _handles(obligation: Obligation) -> tuple[str, str, str]:
    return obligation.name, obligation.gadget, obligation.gadget.partition("(")[0]


def _unknown(name: str, found: list[Obligation], command: str) -> str:
    known = sorted({handle for each in found for handle in _handles(each)})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"no obligation is called {name!r}{hint} List them with {command}."


def listing_command(own: tuple[str, ...], how: str = PAPER) -> str:
    """The command that lists all obligations, of the modules if there are some."""
    named = [] if how == PAPER else ["--construction", how]
    chosen = [word for name in own for word in ("--module", name)]
    return shlex.join(["verify-all", *named, *chosen, "--list"])


def run(shape: Shape, chosen: list[Obligation], options: Options = DEFAULT) -> Iterator[Result]:
    """Prove the obligations; yields results as they come, those of a gadget together.

    Closing the iterator ends the worker processes.
    """
    titles = list(dict.fromkeys(each.gadget for each in chosen))
    wanted = {each.name for each in chosen}
    tasks = [(shape, title, options) for title in titles]
    for result in spread(_prove_gadget, tasks, options.jobs):
        if result.obligation.name not in wanted:
            continue
        yield result
        if options.fail_fast and result.verdict is not Verdict.PROVED:
            return


def verify(shape: Shape, options: Options = DEFAULT) -> Report:
    """Prove all obligations of a shape."""
    return Report(
        shape.bits,
        shape.words,
        list(run(shape, obligations(shape, how=options.construction), options)),
    )


def _instance(shape: Shape, how: str) -> Obligation:
    title = machine(memories(shape), how).title
    return Obligation(
        name=f"{title}/instance",
        gadget=title,
        claim=f"the network of {shape} is this one at words = {shape.words}",
        domain=f"words = {shape.words}",
        method="comparison of the exact statements",
        source="ours",
    )


def check_instance(shape: Shape, network: Network | None = None, how: str = PAPER) -> Result:
    """Whether the shape's network is that of its family, of which the proof is, at its words; or
    whether another network is.  `how` names the construction.
    """
    start = time.perf_counter()
    stated = construction(how).network
    stated_here = canonical_text(network or stated(shape)).splitlines()
    instance = canonical_text(settle(stated(memories(shape)), {"words": shape.words})).splitlines()
    detail, verdict = "", Verdict.PROVED
    if stated_here != instance:
        lines = zip(stated_here, instance, strict=False)
        here, there = next(((a, b) for a, b in lines if a != b), ("more or fewer lines", ""))
        detail = f"the network states {here.strip()!r}, the instance {there.strip()!r}"
        verdict = Verdict.REFUTED
    return Result(_instance(shape, how), verdict, time.perf_counter() - start, detail=detail)


def solver(options: Options) -> tuple[Solve, Callable[[], None]]:
    """The function that answers queries under the options, and one that closes its cache."""
    return _remembering(options, solve, version())


def _remembering(
    options: Options, solve_afresh: Callable[[str, int, float], Answer], name: str
) -> tuple[Solve, Callable[[], None]]:
    cache = Cache(folder() / "answers.sqlite", name) if options.cache else None

    def answer(text: str) -> tuple[Answer, bool]:
        known = cache.get(text) if cache else None
        if known is not None:
            return known, True
        fresh = solve_afresh(text, options.budget, options.timeout)
        if cache:
            cache.put(text, fresh)
        return fresh, False

    return answer, cache.close if cache else lambda: None


def _settled(gadget: Gadget, shape: Shape, how: str) -> Gadget:
    """The gadget at the shape's number of words, where it depends on that."""
    if gadget.name == "machine":
        return machine(shape, how)
    depends = any(each.name == "words" for each in gadget.parameters)
    return settle(gadget, {"words": shape.words}) if depends else gadget


def _prove_gadget(shape: Shape, title: str, options: Options) -> list[Result]:
    how = options.construction
    gadget = next(each for each in subjects(shape, options.modules, how) if each.title == title)
    answer, close = solver(options)
    second, close_second = None, close
    if options.cross_check:
        second, close_second = _remembering(options, second_solver.solve, second_solver.version())
    try:
        with modules.faults_of(options.modules, f"{title} cannot be proved"):
            at_shape = gadget if options.modules else _settled(gadget, shape, how)
            attempt = prover.prove(gadget, answer, second, keep=options.queries, instance=at_shape)
            results = list(attempt)
            if options.modules:
                return modules.confirmed(gadget, results)
            if gadget.name == "machine":
                results.append(check_instance(shape, how=how))
            return results
    finally:
        close()
        close_second()
