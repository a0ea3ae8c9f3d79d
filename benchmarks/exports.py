"""Sizes and times of exported files, as in docs/export.md: `python benchmarks/exports.py`.

A script, not a test; it needs the extras `export` and `torch`.  Shapes may be named, such as
`16x256 16x4096`; these two are the default.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime
import torch

from numeric.codec import Codec
from numeric.export.files import bytes_of, write_matrix_market, write_npz, write_safetensors
from numeric.export.layout import ExportError
from numeric.export.onnx_models import Form, Kind, Precision, write_onnx
from numeric.export.reading import check_file, describe
from numeric.export.torch_module import VerifiedNetwork
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

PASSES = 5
"""A pass is timed so often; the least time counts."""
SMALL = Shape(8, 16)
"""Where it is looked up in which format ONNX Runtime computes."""


def main() -> None:
    """Print the tables in Markdown."""
    shapes = [Shape(*map(int, name.split("x"))) for name in sys.argv[1:] or ("16x256", "16x4096")]
    with tempfile.TemporaryDirectory() as folder:
        print("| shape | file | MB | write, s | check, s | one pass, ms |")
        print("|---|---|--:|--:|--:|--:|")
        for shape in shapes:
            for line in lines(shape, Path(folder)):
                print(line, flush=True)
        print("\n| form | precision | operators with the formats that they read |")
        print("|---|---|---|")
        for form in Form:
            for precision in Precision:
                found = formats(Path(folder), Kind(form, precision))
                text = ", ".join(f"{name} {'/'.join(kinds)}" for name, kinds in found)
                print(f"| {form} | {precision} | {text} |")


def lines(shape: Shape, folder: Path) -> Iterator[str]:
    """A row for each file of a shape."""
    kinds = [Kind(form, precision) for form in Form for precision in Precision]
    for kind in (*kinds, Kind(passes=10)):

        def write(path: Path, kind: Kind = kind) -> None:
            write_onnx(path, shape, kind)

        yield _line(shape, describe(kind), folder / "a.onnx", write, _onnx_pass)
    for name, file, other, run in (
        ("safetensors; PyTorch", "a.safetensors", write_safetensors, _torch_pass),
        ("NPZ", "a.npz", write_npz, None),
        ("MatrixMarket", "a", write_matrix_market, None),
    ):

        def write_other(path: Path, other: Callable[[Path, Shape], None] = other) -> None:
            other(path, shape)

        yield _line(shape, name, folder / file, write_other, run)


def _line(
    shape: Shape,
    name: str,
    path: Path,
    write: Callable[[Path], None],
    run: Callable[[Path, Shape], float] | None,
) -> str:
    start = perf_counter()
    try:
        write(path)
    except ExportError as error:
        found = re.search(r"would have ([0-9,]+) bytes", str(error))
        if found is None:
            raise
        size = int(found[1].replace(",", "")) / 1e6
        return f"| {shape} | {name} | {size:,.1f} | refused | | |"
    written = perf_counter()
    check_file(path)
    checked = perf_counter()
    took = f"{1000 * run(path, shape):.1f}" if run else ""
    size = f"{bytes_of(path) / 1e6:,.1f}"
    if path.is_dir():
        for each in path.iterdir():
            each.unlink()
    return (
        f"| {shape} | {name} | {size} | {written - start:.1f} | {checked - written:.1f} | {took} |"
    )


def _least(call: Callable[[], object]) -> float:
    """The least of some times, in seconds."""
    times = []
    for _ in range(PASSES):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def _onnx_pass(path: Path, shape: Shape) -> float:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    state = Codec(shape).encode(State([0] * shape.words))[np.newaxis].astype(meta["precision"])
    return _least(lambda: session.run(None, {"state": state})) / int(meta.get("passes", 1))


def _torch_pass(path: Path, shape: Shape) -> float:
    network = VerifiedNetwork.load(path)
    state = torch.from_numpy(Codec(shape).encode(State([0] * shape.words)))
    return _least(lambda: network(state))


def formats(folder: Path, kind: Kind) -> list[tuple[str, list[str]]]:
    """The operators that ONNX Runtime's CPU provider really executes in a pass, as its profile
    has them, each with the float formats of what it reads.
    """
    path = folder / "formats.onnx"
    write_onnx(path, SMALL, kind)
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "profile")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    state = Codec(SMALL).encode(State([0] * SMALL.words))[np.newaxis].astype(kind.precision)
    session.run(None, {"state": state})
    found: dict[str, set[str]] = {}
    for event in json.loads(Path(session.end_profiling()).read_text(encoding="utf-8")):
        arguments = event.get("args", {})
        if event["cat"] == "Node" and "input_type_shape" in arguments:
            kinds = {each for shapes in arguments["input_type_shape"] for each in shapes}
            found.setdefault(arguments["op_name"], set()).update(
                each for each in kinds if not each.startswith("int")
            )
    return [(name, sorted(kinds)) for name, kinds in sorted(found.items())]


if __name__ == "__main__":
    main()
