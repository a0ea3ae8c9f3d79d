"""A public verifier's verdicts on our queries, beside ours; and how large a network we decide.

Three tables.

1. Every VNN-LIB query of `verified-mlp queries`, to Marabou and to `check-onnx`.
2. Queries made to be hard for floats (`PLANTED`), whose truth is known, to both.
3. Random networks of growing size, to `check-onnx` alone.

Marabou is on PyPI as `maraboupy`, which wants NumPy 1; so it runs in an environment of its own:

    python -m venv marabou && marabou/bin/pip install maraboupy 'numpy<2' 'onnx<1.17' onnxruntime
    python benchmarks/verifiers.py --marabou marabou/bin/python

A verifier that crashes or hangs is stopped and reported as such.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np

from numeric.verifiers.cells import LinearLayer
from numeric.verifiers.guessing import guess
from numeric.verifiers.onnx_network import read_network
from numeric.verifiers.writing import onnx_bytes, write_queries
from proofs.relu_property.bounds import Interval, Known
from proofs.relu_property.decide import Budget, Counterexample, Proved, decide
from proofs.relu_property.vnnlib import read
from verified_mlp.machine.shape import Shape

SHAPE = Shape(4, 4)
CASES = 500
"""The budget for a random network."""
ADAPTER = """
import sys, time, warnings
warnings.simplefilter("ignore")
from maraboupy import Marabou
start = time.perf_counter()
network = Marabou.read_onnx(sys.argv[1])
options = Marabou.createOptions(verbosity=0, timeoutInSeconds=int(sys.argv[3]))
query = network.getInputQuery() if hasattr(network, "getInputQuery") else network.getMarabouQuery()
answer = Marabou.solve_query(query, "", False, options, sys.argv[2])
print("ANSWER", answer[0].lower(), time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Planted:
    """A network of one input that is made of given rows, and a query whose answer is known."""

    name: str
    layers: Sequence[tuple[Sequence[Sequence[int | float]], Sequence[int | float]]]
    low: str
    high: str
    wanted: str
    answer: str


_TINY = 2.0**-30  # about 1e-9
_BIG = 2**40
PLANTED = (
    Planted("Y = X, is Y >= 1 + 1e-9 on 0..1", [([[1]], [0]), ([[1]], [0])],
            "0.0", "1.0", "(>= Y_0 1.000000001)", "unsat"),
    Planted("Y = X + 2^-30, is Y >= 1 + 2^-31 on 0..1", [([[1]], [_TINY]), ([[1]], [0])],
            "0.0", "1.0", "(>= Y_0 1.0000000004656612873077392578125)", "sat"),
    Planted("Y = ReLU(X - 1 + 2^-30), is Y >= 2^-31 on 0..1", [([[1]], [0]), ([[1]], [_TINY - 1]),
            ([[1]], [0])], "0.0", "1.0", "(>= Y_0 0.0000000004656612873077392578125)", "sat"),
    Planted("Y = ReLU(X), is Y <= -1e-9 on -1..1", [([[1]], [0]), ([[1]], [0])],
            "-1.0", "1.0", "(<= Y_0 -0.000000001)", "unsat"),
    Planted("Y = ReLU(X), is Y <= -1e-7 on -1..1", [([[1]], [0]), ([[1]], [0])],
            "-1.0", "1.0", "(<= Y_0 -0.0000001)", "unsat"),
    Planted("Y = 2^40 ReLU(X), is Y <= -1 on -1..1", [([[1]], [0]), ([[_BIG]], [0])],
            "-1.0", "1.0", "(<= Y_0 -1.0)", "unsat"),
    Planted("[2^40 X >= 2^39 + 1] by two ReLUs, is Y >= 1 for X = 1/2",
            [([[_BIG], [_BIG]], [-(2**39), -(2**39) - 1]), ([[1, -1]], [0])],
            "0.5", "0.5", "(>= Y_0 1.0)", "unsat"),
    Planted("[2^40 X >= 2^39 + 1] by two ReLUs, is Y >= 1 on 0..1",
            [([[_BIG], [_BIG]], [-(2**39), -(2**39) - 1]), ([[1, -1]], [0])],
            "0.0", "1.0", "(>= Y_0 1.0)", "sat"),
    Planted("the same, is Y >= 1 + 1e-7 on 0..1",
            [([[_BIG], [_BIG]], [-(2**39), -(2**39) - 1]), ([[1, -1]], [0])],
            "0.0", "1.0", "(>= Y_0 1.0000001)", "unsat"),
    Planted("the distance of X to the nearer of 0 and 1, is it <= 0 and X in 1e-7..1/2",
            [([[1], [2]], [0, -1]), ([[1, -1]], [0])],
            "0.0000001", "0.5", "(<= Y_0 0.0)", "unsat"),
    Planted("the same for X in 1e-10..1/2",
            [([[1], [2]], [0, -1]), ([[1, -1]], [0])],
            "0.0000000001", "0.5", "(<= Y_0 0.0)", "unsat"),
    Planted("2^40 (ReLU(X + 1) - ReLU(X) - 1), is it >= 1/2 on 0..1",
            [([[1], [1]], [1, 0]), ([[_BIG, -_BIG]], [-_BIG])],
            "0.0", "1.0", "(>= Y_0 0.5)", "unsat"),
    Planted("the same through another layer, is it >= 1/2 on -1..1",
            [([[1], [1], [-1]], [1, 0, 0]), ([[1, -1, 1]], [0]), ([[_BIG]], [-_BIG])],
            "-1.0", "1.0", "(>= Y_0 0.5)", "unsat"),
)  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--marabou", metavar="PYTHON", help="a Python that has maraboupy")
    parser.add_argument("--seconds", type=int, default=20, help="for a query of Marabou")
    parser.add_argument("--only", choices=["queries", "planted", "sizes"])
    parser.add_argument("--match", default="", help="only queries whose name has this text")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if chosen.only in (None, "queries"):
            queries(folder / "queries", chosen.match, chosen.marabou, chosen.seconds)
        if chosen.only in (None, "planted"):
            planted(folder, chosen.marabou, chosen.seconds)
    if chosen.only in (None, "sizes"):
        sizes()


def ours(network: Path, query: Path, budget: Budget | None = None) -> tuple[str, float]:
    """Our verdict as verifiers call it, and the seconds, reading included."""
    start = perf_counter()
    found = decide(read_network(network), read(query.read_text()).condition, budget, guess)
    verdict = {Proved: "unsat", Counterexample: "sat"}.get(type(found), "unknown")
    return verdict, perf_counter() - start


def marabou(python: str | None, network: Path, query: Path, seconds: int) -> tuple[str, float]:
    """Marabou's verdict and seconds, reading included."""
    if python is None:
        return "not run", 0
    command = [python, "-c", ADAPTER, str(network), str(query), str(seconds)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 20
        )
    except subprocess.TimeoutExpired:
        return "hangs", seconds + 20
    for line in done.stdout.splitlines():
        if line.startswith("ANSWER"):
            _, verdict, taken = line.split()
            return verdict, float(taken)
    if done.returncode < 0:
        return f"crashes (signal {-done.returncode})", 0
    return "refuses: " + (done.stderr.strip() or done.stdout.strip()).splitlines()[-1][:60], 0


def queries(folder: Path, match: str, python: str | None, seconds: int) -> None:
    """The first table; at its end, the verdicts and times of each gadget together."""
    write_queries(folder, SHAPE)
    print(f"queries at {SHAPE}\n")
    print("| query | ours | s | Marabou | s |\n|---|---|--:|---|--:|")
    groups: dict[str, list[tuple[tuple[str, float], tuple[str, float]]]] = {}
    with (folder / "instances.csv").open() as lines:
        for network, query, _ in csv.reader(lines):
            if match not in Path(query).stem:
                continue
            mine = ours(folder / network, folder / query)
            other = marabou(python, folder / network, folder / query, seconds)
            groups.setdefault(_group(Path(query).stem), []).append((mine, other))
            print(f"| {Path(query).stem} | {_cells(mine)} | {_cells(other)} |", flush=True)
    print("\n| of | queries | unsat, ours | s | unsat, Marabou | s |\n|---|--:|--:|--:|--:|--:|")
    for name, pairs in groups.items():
        cells = []
        for side in (0, 1):
            cells.append(str(sum(pair[side][0] == "unsat" for pair in pairs)))
            cells.append(f"{sum(pair[side][1] for pair in pairs):.2f}")
        print(f"| {name} | {len(pairs)} | {' | '.join(cells)} |")


def _group(query: str) -> str:
    """What a query is about, by its name."""
    name, _, rest = query.partition("-")
    if name != "machine":
        return name
    end = rest.rsplit("-", 1)[1]
    return f"machine, {end if end in ('halted', 'faulted') else 'single states'}"


def planted(folder: Path, python: str | None, seconds: int) -> None:
    """The second table."""
    print("\nqueries made to be hard for floats\n")
    print("| query | truth | ours | Marabou |\n|---|---|---|---|")
    for each in PLANTED:
        network, query = write_planted(folder, each)
        mine = ours(network, query)[0]
        other = marabou(python, network, query, seconds)[0]
        shown = other if other in (each.answer, "not run") else f"**{other}**"
        print(f"| {each.name} | {each.answer} | {mine} | {shown} |", flush=True)


def write_planted(folder: Path, each: Planted) -> tuple[Path, Path]:
    """The files of a planted query."""
    network, query = folder / "planted.onnx", folder / "planted.vnnlib"
    last = len(each.layers) - 1
    layers = [
        LinearLayer(np.array(w, dtype=object), np.array(b, dtype=object), at < last)
        for at, (w, b) in enumerate(each.layers)
    ]
    network.write_bytes(onnx_bytes("planted", layers))
    query.write_text(
        "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n"
        f"(assert (>= X_0 {each.low}))\n(assert (<= X_0 {each.high}))\n"
        f"(assert {each.wanted})\n"
    )
    return network, query


def sizes() -> None:
    """The third table."""
    print(f"\nrandom networks, is the output at least a bound on -1..1 ({CASES} cases at most)\n")
    print("| inputs | hidden layers | not settled by bounds | bound | verdict | cases | s |")
    print("|--:|---|--:|---|---|--:|--:|")
    for inputs, widths in (
        (2, (10,)),
        (2, (10, 10)),
        (4, (10, 10)),
        (2, (20, 20)),
        (3, (12, 12, 12)),
        (5, (16, 16)),
        (5, (30, 30)),
    ):
        for times in (Fraction(1, 2), Fraction(3, 2), Fraction(2)):
            row = random_network(inputs, widths, times)
            print(f"| {inputs} | {' x '.join(map(str, widths))} | {row} |", flush=True)


def random_network(inputs: int, widths: Sequence[int], times: Fraction) -> str:
    """Decide whether a random network reaches so many times what it reaches at random points."""
    generator = np.random.default_rng(inputs + sum(widths))
    layers = []
    before = inputs
    for at, rows in enumerate((*widths, 1)):
        weights = generator.normal(size=(rows, before)) / np.sqrt(before)
        bias = generator.normal(size=rows) * 0.3 if at < len(widths) else np.full(rows, 1.0)
        exact = (each.astype(np.float32).astype(object) for each in (weights, bias))
        layers.append(LinearLayer(*exact, at < len(widths)))
        before = rows
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "network.onnx"
        path.write_bytes(onnx_bytes("random", layers))
        network = read_network(path)
    tried = [
        network.evaluate([Fraction(int(n), 4) for n in generator.integers(-4, 5, inputs)])[0]
        for _ in range(200)
    ]
    bound = max(Fraction(1, 4), round(max(tried), 3)) * times
    known = Known(network, [Interval(Fraction(-1), Fraction(1))] * inputs)
    known.extend()
    names = [*(f"X_{at}" for at in range(inputs)), "Y_0"]
    text = "".join(f"(declare-const {each} Real)" for each in names)
    text += "".join(f"(assert (<= -1 X_{at}))(assert (<= X_{at} 1))" for at in range(inputs))
    text += f"(assert (>= Y_0 (/ {bound.numerator} {bound.denominator})))"
    start = perf_counter()
    found = decide(network, read(text).condition, Budget(cases=CASES), guess)
    taken = perf_counter() - start
    verdict = {Proved: "PROVED", Counterexample: "REFUTED"}.get(type(found), "UNKNOWN")
    return (
        f"{len(known.unstable)} of {len(network.neurons)} | {float(times)} x best of 200 | "
        f"{verdict} | {found.cases:,} | {taken:.2f}"
    )


def _cells(verdict: tuple[str, float]) -> str:
    return f"{verdict[0]} | {verdict[1]:.2f}"


if __name__ == "__main__":
    main()
