"""Discharging the obligations of a shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from proofs.results import Obligation, Report, Result
from verified_mlp.machine.shape import Shape


@dataclass(frozen=True, slots=True)
class Options:
    """How to prove: z3 `rlimit` per query (0: none), seconds per query as a backstop, worker
    processes, whether the cache is used, whether the first failure ends the run.
    """

    budget: int = 50_000_000
    timeout: float = 60
    jobs: int = 1
    cache: bool = True
    fail_fast: bool = False


def obligations(shape: Shape) -> list[Obligation]:
    """Every obligation of a shape, in order, without proving anything."""
    raise NotImplementedError


def select(found: list[Obligation], names: list[str]) -> list[Obligation]:
    """The obligations that the names pick: an obligation's full name, a gadget's title or a
    gadget's bare name. Raises LookupError (its text is a sentence) for a name that picks none.
    """
    raise NotImplementedError


def run(shape: Shape, chosen: list[Obligation], options: Options = Options()) -> Iterator[Result]:
    """Prove the obligations; yields results as they come."""
    raise NotImplementedError


def verify(shape: Shape, options: Options = Options()) -> Report:
    """Prove all obligations of a shape."""
    raise NotImplementedError


Progress = Callable[[Result], None]
