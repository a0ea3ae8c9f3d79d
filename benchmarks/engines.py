"""All ways to run a program, side by side: `python benchmarks/engines.py [--csv F] [--plot F]`.

A script, not a test.  Every row is measured in a process of its own, several times; speeds are
medians, and count whole steps of the host loop.  The program touches the memory widely.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from bench import speed

from numeric.batch import Job, run_batch
from numeric.codec import Codec
from numeric.engines import EngineName, build
from numeric.machine import Machine, NetworkProcessor
from numeric.support import SupportEngine, SupportName, SupportProcessor
from numeric.support_plan import plan
from numeric.workload import workload
from proofs.verify import stated
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

SMALL, MIDDLE, LARGE = Shape(16, 64), Shape(16, 4096), Shape(16, 65536)
SIZES = [Shape(32, 2**exponent) for exponent in (8, 12, 16, 20)]
WIDTHS = [Shape(bits, 256) for bits in (8, 16, 24, 32, 48, 64)]
BATCH, JOB_STEPS = 1024, 20_000


@dataclass(frozen=True)
class Row:
    """A figure of the table: steps per second, peak memory, and the weights that a step evaluates
    (None: it is not a network's).
    """

    way: str
    bits: int
    words: int
    steps_per_s: float
    slowest: float
    fastest: float
    peak_mb: float
    multiplications: int | None


def literal(name: EngineName) -> Callable[[Shape], tuple[Any, int]]:
    """The literal matrices, all of them or their non-zero entries."""

    def make(shape: Shape) -> tuple[Any, int]:
        engine = build(paper(shape), name)
        entries = sum(weights.size for weights, _ in engine.layers)
        count = engine.nonzeros if name is EngineName.SPARSE else entries
        return NetworkProcessor(engine, Codec(shape), State(workload(shape))), count

    return make


def support(name: SupportName) -> Callable[[Shape], tuple[Any, int]]:
    """The rows that can matter, with or without a compiler."""

    def make(shape: Shape) -> tuple[Any, int]:
        engine = SupportEngine(plan(paper(shape), stated(shape)), shape, name, at_once=True)
        return SupportProcessor(engine, State(workload(shape))), engine.nonzeros

    return make


class Forward:
    """An engine that other software computes."""

    def __init__(self, forward: Callable[[Any], Any]) -> None:
        self.forward = forward


def onnx_runtime(shape: Shape) -> tuple[Any, int]:
    """The dense layers in ONNX Runtime, float64."""
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper

    layers = build(paper(shape), EngineName.DENSE).layers
    nodes, constants, value = [], [], "x0"
    for number, (matrix, bias) in enumerate(layers, 1):
        constants += [numpy_helper.from_array(np.ascontiguousarray(matrix.T), f"w{number}")]
        constants += [numpy_helper.from_array(bias, f"b{number}")]
        nodes += [
            helper.make_node("MatMul", [value, f"w{number}"], [f"m{number}"]),
            helper.make_node("Add", [f"m{number}", f"b{number}"], [f"s{number}"]),
            helper.make_node("Relu", [f"s{number}"], [f"x{number}"]),
        ]
        value = f"x{number}"
    width = Codec(shape).width
    kind = onnx.TensorProto.DOUBLE
    graph = helper.make_graph(
        nodes,
        "pass",
        [helper.make_tensor_value_info("x0", kind, [1, width])],
        [helper.make_tensor_value_info(value, kind, [1, width])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    engine: Any = Forward(lambda vector: session.run(None, {"x0": vector[None]})[0][0])
    return NetworkProcessor(engine, Codec(shape), State(workload(shape))), sum(
        weights.size for weights, _ in layers
    )


def pytorch(shape: Shape) -> tuple[Any, int]:
    """The dense layers in PyTorch, float64."""
    import torch

    torch.set_num_threads(1)
    layers = [
        (torch.from_numpy(weights), torch.from_numpy(bias))
        for weights, bias in build(paper(shape), EngineName.DENSE).layers
    ]

    def forward(vector: Any) -> Any:
        x = torch.from_numpy(vector)
        for matrix, bias in layers:
            x = torch.relu(torch.addmv(bias, matrix, x))
        return x.numpy()

    engine: Any = Forward(forward)
    return NetworkProcessor(engine, Codec(shape), State(workload(shape))), sum(
        matrix.numel() for matrix, _ in layers
    )


class Loop:
    """A plain SUBLEQ loop in Python, with no input, output or faults."""

    def __init__(self, shape: Shape) -> None:
        self.mem, self.pc = workload(shape), 0
        self.mask, self.half, self.words = shape.modulus - 1, shape.modulus // 2, shape.words

    def rate(self, seconds: float) -> float:
        """Steps per second."""
        mem, pc, mask, half, port = self.mem, self.pc, self.mask, self.half, self.mask
        done, began = 0, perf_counter()
        while perf_counter() - began < seconds:
            for _ in range(100_000):
                a, b, c = mem[pc], mem[pc + 1], mem[pc + 2]
                if a == port or b == port:  # noqa: PLR1714 - as quick as Python allows
                    raise SystemExit("the program of the benchmark does no input or output")
                r = mem[b] = (mem[b] - mem[a]) & mask
                pc = c if r == 0 or r >= half else pc + 3
            done += 100_000
        self.pc = pc
        return done / (perf_counter() - began)


def batched(shape: Shape) -> float:
    """Steps per second of all jobs together, on all cores, loading their memories included."""
    machine = Machine(shape, verified=False)
    jobs = [Job(workload(shape))] * BATCH
    run_batch(machine, jobs[:8], 10)
    began = perf_counter()
    results = run_batch(machine, jobs, JOB_STEPS)
    return sum(result.steps for result in results) / (perf_counter() - began)


def interpreter(shape: Shape) -> tuple[Any, None]:
    """The reference: the step function on Python integers."""
    return Interpreter(shape, State(workload(shape))), None


WAYS: dict[str, Callable[[Shape], tuple[Any, int | None]]] = {
    "dense": literal(EngineName.DENSE),
    "sparse (SciPy CSR)": literal(EngineName.SPARSE),
    "support, NumPy": support(SupportName.NUMPY),
    "support, compiled": support(SupportName.SUPPORT),
    "step function in Python": interpreter,
    "ONNX Runtime": onnx_runtime,
    "PyTorch": pytorch,
}
BATCHED, PLAIN = f"support, batch of {BATCH:,}", "plain CPython loop"
NEEDED = {"ONNX Runtime": ("onnx", "onnxruntime"), "PyTorch": ("torch",)}

TABLE = [
    ("dense", SMALL),
    ("ONNX Runtime", SMALL),
    ("PyTorch", SMALL),
    *(("sparse (SciPy CSR)", shape) for shape in (SMALL, Shape(16, 256), MIDDLE)),
    *(
        (way, shape)
        for way in ("support, NumPy", "support, compiled")
        for shape in (MIDDLE, LARGE, *SIZES, *WIDTHS)
    ),
    *((way, shape) for way in (BATCHED, PLAIN) for shape in (Shape(16, 256), MIDDLE, LARGE)),
    ("step function in Python", LARGE),
    ("support, compiled", Shape(32, 2**24)),
]


def measure(way: str, shape: Shape, seconds: float, repeat: int) -> Row:
    """A row; to be called in a process of its own, whose peak memory it takes."""
    count: int | None = None
    if way == PLAIN:
        loop = Loop(shape)
        rates = [loop.rate(seconds) for _ in range(repeat)]
    elif way == BATCHED:
        rates = [batched(shape) for _ in range(repeat)]
    else:
        processor, count = WAYS[way](shape)
        rates = [speed(shape, processor, seconds) for _ in range(repeat)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Row(way, shape.bits, shape.words, median(rates), min(rates), max(rates), peak, count)


def main() -> None:
    """Measure and print, a line at a time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="measurements per median")
    parser.add_argument("--seconds", type=float, default=1, help="length of a measurement")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--csv", type=Path, help="write the rows here")
    parser.add_argument("--plot", type=Path, help="draw the rows here, as PNG (extra `plot`)")
    chosen = parser.parse_args()
    if chosen.plot and not find_spec("matplotlib"):
        sys.exit("--plot needs Matplotlib: install the extra `plot`.")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores")
    print(
        f"{'':<26}{'bits':>4} {'words':>10} {'steps/s':>14} {'multiplications':>16} {'peak MB':>8}"
    )
    rows = []
    for way, shape in dict.fromkeys(TABLE):
        if chosen.only not in way:
            continue
        if missing := [name for name in NEEDED.get(way, ()) if not find_spec(name)]:
            print(f"{way:<26}not measured: {' and '.join(missing)} not installed")
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            row = pool.submit(measure, way, shape, chosen.seconds, chosen.repeat).result()
        rows.append(row)
        count = "" if row.multiplications is None else f"{row.multiplications:,}"
        print(
            f"{way:<26}{row.bits:>4} {row.words:>10,} {row.steps_per_s:>14,.1f} {count:>16} "
            f"{row.peak_mb:>8,.0f}",
            flush=True,
        )
    compare(rows)
    if chosen.csv:
        with chosen.csv.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(asdict(rows[0])) if rows else [])
            writer.writeheader()
            writer.writerows(map(asdict, rows))
    if chosen.plot:
        draw(rows, chosen.plot)


COMPARED = [
    (("support, compiled", MIDDLE), ("sparse (SciPy CSR)", MIDDLE)),
    ((BATCHED, Shape(16, 256)), ("support, compiled", Shape(16, 256))),
    ((BATCHED, LARGE), ("support, compiled", LARGE)),
    (("support, compiled", LARGE), (PLAIN, LARGE)),
    (("support, compiled", SIZES[0]), ("support, compiled", SIZES[-1])),
    (("support, NumPy", SIZES[0]), ("support, NumPy", SIZES[-1])),
]


def compare(rows: list[Row]) -> None:
    """Ratios of what was measured in this run."""
    found = {(row.way, Shape(row.bits, row.words)): row.steps_per_s for row in rows}
    for one, other in COMPARED:
        if one in found and other in found:
            print(
                f"{one[0]} at {one[1]} / {other[0]} at {other[1]}: {found[one] / found[other]:,.2f}"
            )


def draw(rows: list[Row], path: Path) -> None:
    """Steps per second against the number of words, and against the width."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.5), sharey=True)
    for way in dict.fromkeys(row.way for row in rows):
        own = [row for row in rows if row.way == way]
        for axis, chosen, at in [
            (left, [row for row in own if row.bits in (16, 32)], "words"),
            (right, [row for row in own if row.words == 256], "bits"),
        ]:
            for bits in sorted({row.bits for row in chosen}) if at == "words" else [0]:
                some = sorted(
                    (getattr(row, at), row.steps_per_s)
                    for row in chosen
                    if row.bits == bits or not bits
                )
                label = f"{way}, {bits} bits" if bits else way
                axis.plot(*zip(*some, strict=True), marker="o", label=label)
    left.set(xscale="log", yscale="log", xlabel="words of memory", ylabel="steps per second")
    right.set(xlabel="bits of a word (256 words)")
    for axis in (left, right):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
