"""Times of the prover and speeds of the engines: `python benchmarks/bench.py`.

A script, not a test.  Times are medians; a speed counts whole steps of the host loop.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from io import BytesIO
from statistics import median
from time import perf_counter

import numpy as np
import scipy

from numeric.codec import Codec
from numeric.engines import EngineName, build
from numeric.machine import NetworkProcessor
from numeric.support import SupportEngine, SupportName, SupportProcessor
from numeric.support_plan import plan
from proofs.verify import stated
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.host import Host, Processor
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

VERIFIED = [
    Shape(8, 64),
    Shape(16, 256),
    Shape(16, 65536),
    Shape(32, 4096),
    Shape(32, 2**20),
    Shape(64, 1024),
]
BUILT = Shape(16, 1024)
STEPPED = {
    EngineName.SPARSE: [
        Shape(4, 4),
        Shape(8, 64),
        Shape(16, 64),
        Shape(16, 256),
        Shape(16, 1024),
        Shape(16, 4096),
    ],
    EngineName.DENSE: [Shape(4, 4), Shape(8, 64), Shape(16, 64)],
    SupportName.SUPPORT: [Shape(16, 256), Shape(16, 65536), Shape(32, 256), Shape(32, 2**20)],
    SupportName.NUMPY: [Shape(16, 256), Shape(16, 65536), Shape(32, 256), Shape(32, 2**20)],
}
LOOP = [3, 3, 0, 0]
"""A word minus itself, for ever."""


def main() -> None:
    """Measure and print, a line at a time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="measurements per median")
    parser.add_argument("--seconds", type=float, default=2, help="length of a speed measurement")
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}")
    print(f"{os.cpu_count()} cores")
    print("\nverify, nothing cached, all cores (seconds)")
    for shape in VERIFIED:
        show(f"{shape}", timed(lambda shape=shape: prove(shape), chosen.repeat), "s")
    print("\nbuild the network's arrays (seconds)")
    show(
        f"sparse {BUILT}", timed(lambda: build(paper(BUILT), EngineName.SPARSE), chosen.repeat), "s"
    )
    print("\nrun (steps per second)")
    for name, shapes in STEPPED.items():
        for shape in shapes:
            processor = processor_of(shape, name)
            show(f"{name} {shape}", speed(shape, processor, chosen.seconds), "/s")
    shape = Shape(16, 256)
    processor = Interpreter(shape, start(shape))
    show(f"integer interpreter {shape}", speed(shape, processor, chosen.seconds), "/s")


def processor_of(shape: Shape, name: EngineName | SupportName) -> Processor:
    """A processor that runs the loop on an engine; machine code is compiled before."""
    if isinstance(name, EngineName):
        return NetworkProcessor(build(paper(shape), name), Codec(shape), start(shape))
    engine = SupportEngine(plan(paper(shape), stated(shape)), shape, name, at_once=True)
    return SupportProcessor(engine, start(shape))


def prove(shape: Shape) -> None:
    """Prove all of a shape; stops the script if that fails."""
    from proofs.verify import Options, verify

    if not verify(shape, Options(cache=False, jobs=os.cpu_count() or 1)).passed:
        raise SystemExit(f"{shape}: not proved")


def timed(work: Callable[[], object], repeat: int) -> float:
    """The median time of some work, in seconds."""
    times = []
    for _ in range(repeat):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return median(times)


def start(shape: Shape) -> State:
    """The state from which the loop runs."""
    return State(mem=LOOP + [0] * (shape.words - len(LOOP)))


def speed(shape: Shape, processor: Processor, seconds: float) -> float:
    """Steps per second of the host loop, measured over about so many seconds."""
    host = Host(shape, processor, BytesIO(), BytesIO())
    host.run(max_steps=10)
    before, began, steps = host.steps, perf_counter(), 10
    while perf_counter() - began < seconds:
        took = perf_counter()
        host.run(max_steps=steps)
        if perf_counter() - took < seconds / 20:
            steps *= 2
    return (host.steps - before) / (perf_counter() - began)


def show(what: str, figure: float, unit: str) -> None:
    """A line of the table."""
    print(f"  {what:<40}{figure:>12,.{2 if unit == 's' else 1}f} {unit}", flush=True)


if __name__ == "__main__":
    main()
