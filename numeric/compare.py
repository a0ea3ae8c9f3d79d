"""The constructions side by side at a shape: depth, size, formats, time to verify, speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from time import perf_counter

from numeric.capacity import DoesNotFitError
from numeric.exactness import exactness
from numeric.lower import NotExactError
from numeric.machine import Machine
from numeric.support import SupportEngine
from numeric.support_compiled import available
from numeric.support_reading import NoSupportError
from numeric.workload import workload
from proofs.results import Report
from proofs.verify import Options, verify
from verified_mlp.constructions.registry import CONSTRUCTIONS, Construction
from verified_mlp.machine.host import Host
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.measure import measure
from verified_mlp.statement.network import Network

ENGINES = ("support", "support-numpy", "sparse", "dense")

_MEASURED_S = 0.4
"""So long are the passes that give a speed, in seconds."""

_DENSE_MOST = 2**24
"""With more weights in a layer than this, the dense engine is not timed: it would take minutes."""


@dataclass(slots=True)
class Row:
    """What is known of a construction at a shape.

    `why` is the sentence for a construction that is not built there; then there are no figures.
    `formats` are the number formats in which it is exact; `obligations` the number that is proved,
    `seconds` how long that took, with nothing cached; `speeds` in steps a second by engine, None
    where it does not fit or is not exact in float64.
    """

    name: str
    why: str = ""
    layers: int = 0
    neurons: int = 0
    nonzeros: int = 0
    largest_weight: int = 0
    formats: tuple[str, ...] = ()
    verdict: str = ""
    obligations: int = 0
    seconds: float | None = None
    speeds: dict[str, float | None] = field(default_factory=dict)


def compare(
    shape: Shape, verified: bool = True, timed: bool = True, jobs: int = 1
) -> Iterator[Row]:
    """A row for every construction: its network is verified and its engines are timed, if that is
    wanted.
    """
    for how in CONSTRUCTIONS.values():
        try:
            network = how.network(shape)
        except ValueError as error:
            yield Row(how.name, why=str(error))
            continue
        row = _figures(how, network)
        if verified:
            options = Options(construction=how.name, cache=False, jobs=jobs)
            began = perf_counter()
            _judged(row, verify(shape, options))
            row.seconds = perf_counter() - began
        if timed:
            row.speeds = {name: speed(how, shape, name) for name in ENGINES}
        yield row


def _figures(how: Construction, network: Network) -> Row:
    layers = measure(network)
    return Row(
        how.name,
        layers=len(layers),
        neurons=sum(each.rows for each in layers),
        nonzeros=sum(each.nonzeros for each in layers),
        largest_weight=max(int(each.largest_weight) for each in layers),
        formats=tuple(each.format.name for each in exactness(network) if each.exact),
    )


def _judged(row: Row, report: Report) -> None:
    row.verdict = "PROVED" if report.passed else "NOT PROVED"
    row.obligations = len(report.results)


def speed(how: Construction, shape: Shape, engine: str) -> float | None:
    """Steps a second of an engine, on a program that reads and writes all of the memory; None if
    the engine is not for this network.
    """
    if engine == "dense" and _largest_layer(how.network(shape)) > _DENSE_MOST:
        return None
    try:
        machine = Machine(shape, engine, Options(construction=how.name), verified=False)
    except (DoesNotFitError, NoSupportError, NotExactError):
        return None
    if isinstance(machine.engine, SupportEngine) and available():
        machine.engine.code.compile()
    host = machine.host(workload(shape), BytesIO(), BytesIO())
    return _rate(host)


def _largest_layer(network: Network) -> int:
    layers = measure(network)
    rows = [each.rows for each in layers]
    return max(now * before for now, before in zip(rows, [rows[-1], *rows], strict=False))


def _rate(host: Host, clock: Callable[[], float] = perf_counter) -> float:
    passes = 1
    host.run(passes)
    while True:
        began = clock()
        host.run(passes)
        seconds = clock() - began
        if seconds >= _MEASURED_S:
            return passes / seconds
        passes *= 2 if seconds > _MEASURED_S / 16 else 8
