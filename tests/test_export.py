"""Exported files: round trips, files that are refused, and the network in other engines."""

import ast
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import scipy.sparse as sp
from onnx import helper, numpy_helper
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from sample_states import adversarial_states, random_states

from numeric import checkpoint
from numeric.codec import Codec
from numeric.engines import Engine, EngineName, build
from numeric.export import compare, files
from numeric.export.files import (
    LAYOUT_FILE,
    layer_arrays,
    write_matrix_market,
    write_npz,
    write_safetensors,
)
from numeric.export.layout import ExportError, NotTheNetworkError, layout_of
from numeric.export.onnx_check import check_model
from numeric.export.onnx_models import (
    Form,
    Kind,
    Precision,
    check_kind,
    groups,
    onnx_model,
    write_onnx,
)
from numeric.export.reading import check_file
from numeric.lower import Lowered
from numeric.machine import Machine
from verified_mlp.assembler.assemble import assemble_file
from verified_mlp.constructions.paper import paper
from verified_mlp.constructions.registry import CONSTRUCTIONS, DEFAULT, construction
from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SHAPES = [Shape(4, 4), Shape(4, 16), Shape(8, 16), Shape(13, 21), Shape(16, 64)]
TINY = Shape(4, 5)
EIGHT = Shape(8, 16)

WRITERS: dict[str, Callable[[Path, Shape], None]] = {
    "gather.onnx": lambda path, shape: write_onnx(path, shape, Kind()),
    "loop.onnx": lambda path, shape: write_onnx(path, shape, Kind(passes=2)),
    "dense.onnx": lambda path, shape: write_onnx(path, shape, Kind(Form.DENSE)),
    "half.onnx": lambda path, shape: write_onnx(path, shape, Kind(precision=Precision.FLOAT16)),
    "network.safetensors": write_safetensors,
    "network.npz": write_npz,
    "network": write_matrix_market,
}
OTHERS = [
    each.name
    for each in CONSTRUCTIONS.values()
    if each.name != DEFAULT and not each.forms and not each.prefetched
]
"""Constructions whose vector is sums."""
KINDS = [Kind(form, precision) for form in Form for precision in Precision]


@cache
def engine(shape: Shape) -> Engine:
    return build(paper(shape), EngineName.SPARSE)


def vectors(shape: Shape) -> np.ndarray:
    states = [*random_states(shape, 7, 24), *adversarial_states(shape).values()]
    return np.array([Codec(shape).encode(state) for state in states])


def passed(shape: Shape, states: np.ndarray, passes: int = 1) -> np.ndarray:
    for _ in range(passes):
        states = engine(shape).forward(states.T).T
    return states


def pytorch() -> Any:
    """PyTorch; without it the test is skipped, or fails where it is required, as in CI."""
    if os.environ.get("VERIFIED_MLP_TORCH") == "required":
        return importlib.import_module("torch")
    return pytest.importorskip("torch", reason="PyTorch is an extra of its own")


def session(model: Any) -> onnxruntime.InferenceSession:
    content = model.SerializeToString()
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def refused(path: Path, kind: type[ExportError] = NotTheNetworkError) -> str:
    with pytest.raises(ExportError) as error:
        check_file(path)
    assert type(error.value) is kind
    return str(error.value).replace(str(path), "FILE")


# Round trips


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        # A dense model of 16 bits x 64 words has hundreds of megabytes.
        (name, Shape(16, 8) if name == "dense.onnx" and shape.words == 64 else shape)
        for name in WRITERS
        for shape in SHAPES[: 2 if name in ("loop.onnx", "half.onnx") else None]
    ],
    ids=str,
)
def test_what_was_written_is_read(tmp_path: Path, name: str, shape: Shape) -> None:
    path = tmp_path / name
    WRITERS[name](path, shape)
    _, held = check_file(path)
    assert held.layout == layout_of(shape)
    assert held.layout.digest == checkpoint.identity(shape, [])[0]
    assert held.nonzeros == engine(shape).nonzeros
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("how", OTHERS)
@pytest.mark.parametrize("writer", [write_safetensors, write_npz, write_matrix_market])
def test_another_construction_is_written_and_read(
    tmp_path: Path, writer: Callable[..., None], how: str
) -> None:
    endings = {write_safetensors: "a.safetensors", write_npz: "a.npz"}
    path = tmp_path / endings.get(writer, "a")
    writer(path, EIGHT, how)
    _, held = check_file(path)
    assert held.layout == layout_of(EIGHT, how)
    assert held.layout.digest == checkpoint.identity(EIGHT, [], how)[0]
    assert held.layout.sums == dict(construction(how).sums)
    assert held.nonzeros == build(construction(how).network(EIGHT), EngineName.SPARSE).nonzeros


def test_several_weights_at_one_place_are_refused(tmp_path: Path) -> None:
    """Their sum is right, but an engine might add them to others first, and round."""
    write_npz(tmp_path / "a.npz", TINY)
    with np.load(tmp_path / "a.npz") as opened:
        arrays = dict(opened)
    for part, more in (("rows", [0, 0]), ("columns", [3, 3]), ("weights", [2.0**60, -(2.0**60)])):
        kind = arrays[f"layers.2.{part}"].dtype
        arrays[f"layers.2.{part}"] = np.append(arrays[f"layers.2.{part}"], more).astype(kind)
    np.savez(tmp_path / "a.npz", **arrays)
    assert refused(tmp_path / "a.npz", ExportError) == (
        "FILE, layer 2: it has several weights at one place. Export it again."
    )
    write_matrix_market(tmp_path / "a", TINY)
    file = tmp_path / "a" / "layer-02.mtx"
    lines = file.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if not line.startswith("%"))
    rows, columns, count = map(int, lines[at].split())
    lines[at] = f"{rows} {columns} {count + 2}"
    file.write_text("\n".join([*lines, "1 4 1e18", "1 4 -1e18"]) + "\n")
    assert refused(tmp_path / "a", ExportError) == (
        "FILE, layer 2: it has several weights at one place. Export it again."
    )


def test_weights_that_are_wider_than_float64_are_refused(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", TINY)
    with np.load(tmp_path / "a.npz") as opened:
        arrays = dict(opened)
    arrays["layers.2.weights"] = arrays["layers.2.weights"].astype(np.longdouble)
    np.savez(tmp_path / "a.npz", **arrays)
    assert refused(tmp_path / "a.npz", ExportError) == (
        "FILE, layer 2: its weights are wider than float64. Export it again."
    )


def test_a_construction_without_sums_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError) as error:
        write_npz(tmp_path / "a.npz", TINY, "single")
    assert str(error.value) == (
        "the vector of the construction single is more than the state's fields or their parts, "
        "and no format here says how it is made: choose another construction."
    )
    assert not list(tmp_path.iterdir())


def test_a_file_says_where_the_fields_stand() -> None:
    codec = Codec(TINY)
    found = layout_of(TINY)
    assert {each.name: slice(each.start, each.stop) for each in found.fields} == {
        each.name: codec.place(each.name) for each in found.fields
    }
    assert found.width == codec.width
    assert found.fields[0].shape == (5, 4)


def test_all_formats_have_the_same_metadata(tmp_path: Path) -> None:
    for name in ("gather.onnx", "network.safetensors", "network.npz", "network"):
        WRITERS[name](tmp_path / name, TINY)
    model = {each.key: each.value for each in onnx.load(tmp_path / "gather.onnx").metadata_props}
    assert (model.pop("form"), model.pop("precision")) == ("gather", "float64")
    with safe_open(tmp_path / "network.safetensors", "numpy") as opened:
        assert opened.metadata() == model
    document = json.loads((tmp_path / "network" / LAYOUT_FILE).read_bytes())
    assert model == {
        key: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for key, value in document.items()
    }
    with np.load(tmp_path / "network.npz") as arrays:
        assert json.loads(str(arrays["layout"])) == document


# Files that are refused


def change_safetensors(path: Path, name: str, change: Callable[[np.ndarray], object]) -> None:
    with safe_open(path, "numpy") as opened:
        metadata = opened.metadata()
    arrays = load_file(path)
    change(arrays[name])
    save_file(arrays, path, metadata)


def change_npz(path: Path, name: str, change: Callable[[np.ndarray], object]) -> None:
    with np.load(path) as opened:
        arrays = dict(opened)
    change(arrays[name])
    np.savez(path, **arrays)


def changed_model(model: Any, name: str, change: Callable[[np.ndarray], object]) -> Any:
    (tensor,) = (each for each in model.graph.initializer if each.name == name)
    array = numpy_helper.to_array(tensor).copy()
    change(array)
    tensor.CopyFrom(numpy_helper.from_array(array, name))
    return model


def setter(place: Any, number: float) -> Callable[[np.ndarray], object]:
    return lambda array: array.__setitem__(place, number)


def a_weight() -> tuple[int, int, int, float, str]:
    """An entry of layer 3: its place in the list, row, column, weight, and the words for it."""
    layer = dict(layer_arrays(TINY))
    at = 100
    rows, columns, weights = (layer[f"layers.3.{each}"] for each in ("rows", "columns", "weights"))
    row, column, weight = int(rows[at]), int(columns[at]), float(weights[at])
    return at, row, column, weight, SENTENCE.format(weight + 1)


SENTENCE = (
    "FILE is not the network: layer 3, row 17 (from_a[3, 0]): the weight of a[2] (column 3) is -1 "
    "in the statement and {:g} in the file."
)


@pytest.mark.parametrize("name", ["network.safetensors", "network.npz"])
def test_a_changed_weight_is_refused(tmp_path: Path, name: str) -> None:
    at, _, _, weight, sentence = a_weight()
    path = tmp_path / name
    WRITERS[name](path, TINY)
    change = change_npz if name.endswith("npz") else change_safetensors
    change(path, "layers.3.weights", setter(at, weight + 1))
    assert refused(path) == sentence
    change(path, "layers.3.weights", setter(at, float("nan")))
    assert refused(path) == SENTENCE.format(float("nan"))
    change(path, "layers.3.weights", setter(at, weight))
    check_file(path)
    change(path, "layers.3.bias", setter(17, 7))
    assert refused(path) == (
        "FILE is not the network: layer 3, row 17 (from_a[3, 0]): the bias is -3 in the statement "
        "and 7 in the file."
    )


def test_a_changed_weight_of_matrix_market_is_refused(tmp_path: Path) -> None:
    _, row, column, weight, sentence = a_weight()
    path = tmp_path / "network"
    write_matrix_market(path, TINY)
    file = path / "layer-03.mtx"
    old = f"\n{row + 1} {column + 1} {weight:g}\n"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, f"\n{row + 1} {column + 1} {weight + 1:g}\n"))
    assert refused(path) == sentence
    file.write_text(text)
    check_file(path)
    bias = path / "layer-03-bias.mtx"
    bias.write_text(bias.read_text().replace("array real", "array complex"))
    assert "cannot be read as MatrixMarket" in refused(path, ExportError)
    for header in ("100000000000 1", "17 100000000"):
        bias.write_text(f"%%MatrixMarket matrix array real general\n{header}\n0\n")
        assert "says that it has 1" in refused(path)
    bias.unlink()
    assert refused(path, ExportError) == (
        "there is no file FILE/layer-03-bias.mtx: choose another, or export it."
    )


@pytest.mark.parametrize("passes", [None, 3])
def test_a_changed_weight_of_onnx_is_refused(tmp_path: Path, passes: int | None) -> None:
    _, row, column, weight, sentence = a_weight()
    path = tmp_path / "a.onnx"
    model = onnx_model(TINY, Kind(Form.DENSE, passes=passes))
    path.write_bytes(
        changed_model(
            model, "layers.3.weights", setter((column, row), weight + 1)
        ).SerializeToString()
    )
    assert refused(path) == sentence
    model = onnx_model(TINY, Kind(passes=passes))
    changed_model(model, "layers.3.2.weights", lambda array: array.__imul__(2))
    path.write_bytes(model.SerializeToString())
    assert refused(path).startswith("FILE is not the network: layer 3, row ")


OTHER_GRAPH = (
    "a file has the weights of the network, but its graph is not the one that is written for them. "
    "Export it again."
)


def swap_relu(model: Any) -> None:
    node = next(each for each in model.graph.node if each.op_type == "Relu")
    node.op_type = "Identity"


def add_function(model: Any) -> None:
    identity = helper.make_node("Identity", ["x"], ["y"])
    opsets = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("d", "Relu", ["x"], ["y"], [identity], opsets))


def lower_opset(model: Any) -> None:
    model.opset_import[0].version = 17


@pytest.mark.parametrize("change", [swap_relu, add_function, lower_opset])
@pytest.mark.parametrize("form", Form)
def test_another_graph_is_refused(form: Form, change: Callable[[Any], None]) -> None:
    model = onnx_model(TINY, Kind(form))
    check_model(model, "a file")
    change(model)
    with pytest.raises(NotTheNetworkError) as error:
        check_model(model, "a file")
    assert str(error.value) == OTHER_GRAPH


def test_weights_that_stand_in_another_file_are_refused() -> None:
    model = onnx_model(TINY, Kind())
    for tensor in model.graph.initializer:
        if tensor.name == "layers.1.bias":
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="weights")
    with pytest.raises(ExportError) as error:
        check_model(model, "a file")
    assert str(error.value) == (
        "a file does not hold the array 'layers.1.bias' itself, but names another file. Export it "
        "again."
    )


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (
            "layers.1.bias",
            lambda tensor: tensor.__setattr__("raw_data", tensor.raw_data[:-1]),
            "a file: the array 'layers.1.bias' is damaged. Export it again.",
        ),
        (
            "layers.1.bias",
            lambda tensor: tensor.__setattr__("data_type", 99),
            "a file: the array 'layers.1.bias' is damaged. Export it again.",
        ),
        (
            "layers.1.bias",
            lambda tensor: tensor.__setattr__("name", "other"),
            "a file lacks the array 'layers.1.bias'. Export it again.",
        ),
        (
            "layers.1.places",
            lambda tensor: tensor.__setattr__("raw_data", bytes(len(tensor.raw_data))),
            "a file: layers.1.places is no order of its rows. Export it again.",
        ),
        (
            "layers.1.2.columns",
            lambda tensor: tensor.dims.append(1),
            "a file: layers.1.2.weights is no group of rows. Export it again.",
        ),
    ],
)
def test_a_damaged_array_is_refused(
    name: str, change: Callable[[Any], None], sentence: str
) -> None:
    model = onnx_model(TINY, Kind())
    for tensor in model.graph.initializer:
        if tensor.name == name:
            change(tensor)
    with pytest.raises(ExportError) as error:
        check_model(model, "a file")
    assert str(error.value) == sentence


def test_another_number_of_passes_is_refused() -> None:
    model = onnx_model(TINY, Kind(passes=3))
    for each in model.metadata_props:
        if each.key == "passes":
            each.value = "4"
    with pytest.raises(NotTheNetworkError) as error:
        check_model(model, "a file")
    assert str(error.value) == OTHER_GRAPH


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "format",
            "verified-mlp network 0",
            "FILE is no exported network, or one of another version: it does not say that it is a "
            "'verified-mlp network 1'. Export it again.",
        ),
        (
            "digest",
            "00",
            f"FILE is not the network of 4 bits x 5 words: its digest is 00 and must be "
            f"{layout_of(TINY).digest}. Export it again.",
        ),
        (
            "fields",
            "[]",
            "FILE is not the network of 4 bits x 5 words: its fields are others. Export it again.",
        ),
        (
            "bits",
            "1",
            "FILE does not say what it holds: its layout is damaged (bits = 1 is out of range: "
            "choose 4 to 64 bits a word.). Export it again.",
        ),
        (
            "words",
            "?",
            "FILE does not say what it holds: its layout is damaged (Expected `int`, got `null` - "
            "at `$.words`). Export it again.",
        ),
    ],
)
def test_what_a_file_says_is_checked(tmp_path: Path, key: str, value: str, sentence: str) -> None:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, TINY)
    with safe_open(path, "numpy") as opened:
        metadata = opened.metadata()
    save_file(load_file(path), path, metadata | {key: value})
    kind = NotTheNetworkError if key in ("digest", "fields") else ExportError
    assert refused(path, kind) == sentence


def test_the_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, Shape(4, 6))
    arrays = load_file(path)
    write_safetensors(path, TINY)
    with safe_open(path, "numpy") as opened:
        metadata = opened.metadata()
    save_file(arrays, path, metadata)
    assert refused(path, ExportError) == (
        "FILE, layer 1: its rows, columns and weights are no list of the entries of a matrix of "
        "69 x 36. Export it again."
    )


@pytest.mark.parametrize("part", ["rows", "columns"])
@pytest.mark.parametrize("number", [-1, 10**6])
def test_an_entry_outside_is_refused(tmp_path: Path, part: str, number: int) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, TINY)
    change_npz(path, f"layers.2.{part}", setter(0, number))
    assert refused(path, ExportError).startswith("FILE, layer 2: its rows, columns and weights")


def test_a_missing_array_and_one_too_many(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, TINY)
    with np.load(path) as opened:
        arrays = dict(opened)
    np.savez(path, **arrays, more=np.zeros(1))
    assert refused(path, ExportError) == (
        "FILE has, as no network does, the array 'more'. Export it again."
    )
    del arrays["layers.9.bias"]
    np.savez(path, **arrays)
    assert refused(path, ExportError) == "FILE lacks the array 'layers.9.bias'. Export it again."


@pytest.mark.parametrize("name", ["gather.onnx", "network.safetensors", "network.npz"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, TINY)
    content = path.read_bytes()
    kind = {"onnx": "ONNX", "safetensors": "safetensors", "npz": "NPZ"}[name.split(".")[1]]
    for damaged in (content[: len(content) // 2], b"\xff" * 100, b"text"):
        path.write_bytes(damaged)
        assert refused(path, ExportError) == (
            f"FILE cannot be read as {kind}: take a copy of it, or export it again."
        )


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, layout=np.array([{"a": 1}], dtype=object))
    assert refused(path, ExportError).startswith("FILE cannot be read as NPZ")


def test_a_name_must_say_what_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    assert refused(path, ExportError) == (
        "the name of FILE does not say what it is: give a file named *.onnx, *.safetensors or "
        "*.npz, or a folder of MatrixMarket files."
    )


# Writing


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(files.np, "savez_compressed", fail)
    with pytest.raises(ExportError) as error:
        write_npz(path, TINY)
    assert str(error.value) == f"cannot write {path}: no space left. Choose another place."
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_a_folder_with_something_in_it_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError) as error:
        write_matrix_market(tmp_path, TINY)
    assert str(error.value) == f"{tmp_path} is there already: choose a new folder."
    (tmp_path / "file").unlink()
    write_matrix_market(tmp_path, TINY)
    check_file(tmp_path)


@pytest.mark.parametrize("writer", [write_safetensors, write_npz])
def test_a_file_of_a_network_that_does_not_fit_is_refused_at_once(
    writer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"network.{writer.__name__.removeprefix('write_')}"
    writer(path, TINY)
    monkeypatch.setattr(compare, "available_bytes", lambda: 2**10)
    assert refused(path, ExportError).endswith("GiB are available: choose fewer words.")


def test_a_shape_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "available_bytes", lambda: 2**28)
    compare.check_room(Shape(16, 256))
    with pytest.raises(ExportError) as error:
        compare.check_room(Shape(16, 4096))
    assert str(error.value) == (
        "the arrays of the network of 16 bits x 4096 words need 0.3 GiB of memory, but 0.2 GiB are "
        "available: choose fewer words."
    )


@pytest.mark.parametrize(
    ("shape", "kind", "sentence"),
    [
        (
            Shape(16, 256),
            Kind(Form.DENSE),
            "the dense model of 16 bits x 256 words in float64 would have 5,105,327,848 bytes (5.1 "
            "GB), and an ONNX file holds at most 2,147,483,647: choose --form gather or fewer "
            "words.",
        ),
        (
            Shape(17, 2**17),
            Kind(),
            "the gather model of 17 bits x 131072 words in float64 would have 3,574,492,224 bytes "
            "(3.6 GB), and an ONNX file holds at most 2,147,483,647: choose fewer words.",
        ),
        (
            Shape(32, 64),
            Kind(precision=Precision.FLOAT16),
            "float16 is not known to compute the network of 32 bits x 64 words exactly: layer 9: "
            "partial sum 16,318 of result.difference.blocks.generate.passed, at most 2,048 is "
            "held. Choose what verified-mlp show --formats calls exact, fewer bits, or the "
            "construction paper, which is exact in float64 at every width.",
        ),
    ],
    ids=["dense", "gather", "float16"],
)
def test_a_model_that_cannot_be(shape: Shape, kind: Kind, sentence: str) -> None:
    with pytest.raises(ExportError) as error:
        check_kind(shape, kind)
    assert str(error.value) == sentence


# The network in ONNX Runtime


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.form}-{kind.precision}")
@pytest.mark.parametrize("shape", [TINY, EIGHT], ids=str)
def test_a_pass_is_bit_equal(shape: Shape, kind: Kind) -> None:
    states = vectors(shape)
    given = states.astype(kind.precision)
    run = session(onnx_model(shape, kind)).run
    (found,) = run(None, {"state": given})
    assert found.dtype == kind.precision
    assert np.array_equal(found, passed(shape, states))
    (alone,) = run(["next"], {"state": given[3:4]})
    assert np.array_equal(alone, found[3:4])


def test_the_gather_form_at_a_larger_shape() -> None:
    shape = Shape(16, 64)
    states = vectors(shape)
    (found,) = session(onnx_model(shape, Kind())).run(None, {"state": states})
    assert np.array_equal(found, passed(shape, states))


@pytest.mark.slow
def test_the_gather_form_at_4096_words(tmp_path: Path) -> None:
    shape = Shape(16, 4096)
    states = vectors(shape)[:3]
    path = tmp_path / "a.onnx"
    write_onnx(path, shape, Kind())
    check_file(path)
    (found,) = onnxruntime.InferenceSession(path).run(None, {"state": states})
    assert np.array_equal(found, passed(shape, states))


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("precision", Precision)
def test_a_loop_is_so_many_passes(form: Form, precision: Precision) -> None:
    states = vectors(EIGHT)
    model = onnx_model(EIGHT, Kind(form, precision, 4))
    found, results = session(model).run(None, {"state": states.astype(precision)})
    assert np.array_equal(found, passed(EIGHT, states, 4))
    memory = layout_of(EIGHT).fields[0].stop
    assert results.shape == (4, len(states), states.shape[1] - memory)
    for count, result in enumerate(results, 1):
        assert np.array_equal(result, passed(EIGHT, states, count)[:, memory:])


def test_groups_hold_every_row_once() -> None:
    matrix = np.array([[0, 0, 0], [0, 3, -1], [0, 0, 0], [2, 0, 0], [1, 0, 5]], dtype=float)
    for weights in (matrix, matrix[:1], matrix[1:2]):
        rebuilt = np.full(weights.shape, np.nan)
        for group in groups(Lowered(sp.csr_array(weights), np.zeros(len(weights)))):
            for row, columns, numbers in zip(*group, strict=True):
                rebuilt[row] = 0
                rebuilt[row, columns] += numbers
        assert np.array_equal(rebuilt, weights)


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"),
    reason="docs/export.md speaks of x86-64; other processors have kernels of their own",
)
def test_float16_is_computed_in_float32(tmp_path: Path) -> None:
    """As the help and docs/export.md say; multiplying and adding, and not only now and then."""
    pytorch()
    sys.path.append(str(ROOT / "benchmarks"))
    from exports import formats

    for form, arithmetic in ((Form.DENSE, {"Gemm"}), (Form.GATHER, {"Mul", "ReduceSum", "Add"})):
        found = dict(formats(tmp_path, Kind(form, Precision.FLOAT16)))
        assert {name: found[name] for name in arithmetic} == {
            name: ["float"] for name in arithmetic
        }
        assert set(found) == arithmetic | {"Cast", "Max"} | (
            {"Gather", "Concat"} if form is Form.GATHER else set()
        )


# The network in PyTorch


@pytest.mark.parametrize("shape", [TINY, EIGHT, Shape(16, 64)], ids=str)
def test_a_pass_in_pytorch_is_bit_equal(tmp_path: Path, shape: Shape) -> None:
    torch = pytorch()
    from numeric.export.torch_module import VerifiedNetwork

    path = tmp_path / "a.safetensors"
    write_safetensors(path, shape)
    states = vectors(shape)
    for network in (VerifiedNetwork.build(shape), VerifiedNetwork.load(path)):
        assert network.layout == layout_of(shape)
        found = network(torch.from_numpy(states))
        assert np.array_equal(found.numpy(), passed(shape, states))
        assert np.array_equal(network(torch.from_numpy(states[2])).numpy(), found[2].numpy())
        assert set(network.state_dict()) == set(load_file(path))


def test_other_precisions_in_pytorch() -> None:
    torch = pytorch()
    from numeric.export.torch_module import VerifiedNetwork

    states = vectors(EIGHT)
    for dtype in (torch.float32, torch.float16):
        network = VerifiedNetwork.build(EIGHT).to(dtype)
        found = network(torch.from_numpy(states).to(dtype))
        assert found.dtype == dtype
        assert np.array_equal(found.numpy(), passed(EIGHT, states))


def test_pytorch_takes_no_changed_file(tmp_path: Path) -> None:
    pytorch()
    from numeric.export.torch_module import VerifiedNetwork

    at, _, _, weight, sentence = a_weight()
    path = tmp_path / "a.safetensors"
    write_safetensors(path, TINY)
    change_safetensors(path, "layers.3.weights", setter(at, weight + 1))
    with pytest.raises(NotTheNetworkError) as error:
        VerifiedNetwork.load(path)
    assert str(error.value) == sentence.replace("FILE", str(path))


# The scripts


WIDE = "6 -1 3  7 7 -1  -2 0"
"""Prints the word -2: more bits than float16, or float64, holds in one number."""
PROGRAMS = [
    ("hello.sq", Shape(8, 64), b""),
    ("echo.sq", Shape(16, 64), b"a\xff"),
    ("sort.asm", Shape(16, 64), b"\x09\x03\x0e\x07"),
    (WIDE, Shape(16, 8), b""),
]
SCRIPTS = {
    "run_onnx.py": {"json", "numpy", "onnxruntime", "pathlib", "re", "sys"},
    "run_torch.py": {"json", "pathlib", "re", "safetensors", "sys", "torch"},
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_imports_nothing_of_ours(script: str) -> None:
    found = set()
    for node in ast.walk(ast.parse((EXAMPLES / script).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).split(".", maxsplit=1)[0])
    assert found == SCRIPTS[script]


def run_script(script: str, *arguments: Path, given: bytes) -> tuple[bytes, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", EXAMPLES / script, *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, done.stderr.decode()


@pytest.mark.parametrize(
    ("script", "name", "shape", "given", "how"),
    [
        *((script, *program, DEFAULT) for script in SCRIPTS for program in PROGRAMS),
        *((script, *PROGRAMS[-1], how) for script in SCRIPTS for how in OTHERS),
        *(("half", *program, DEFAULT) for program in (PROGRAMS[0], PROGRAMS[-1])),
        ("run_onnx.py", WIDE, Shape(64, 8), b"", DEFAULT),
    ],
)
def test_a_script_runs_a_program_to_its_end(
    tmp_path: Path, script: str, name: str, shape: Shape, given: bytes, how: str
) -> None:
    image = EXAMPLES / name
    if name == WIDE:
        image = tmp_path / "image.sq"
        image.write_text(WIDE)
    elif image.suffix == ".asm":
        words = assemble_file(image, shape.bits, shape.words).numbers
        image = tmp_path / "image.sq"
        image.write_text(" ".join(map(str, words)))
    result = Machine(shape, "sparse", verified=False).run(read_image(image, shape), given, 5000)
    sums = construction(how).sums
    if script == "run_torch.py":
        pytorch()
        write_safetensors(tmp_path / "a.safetensors", shape, how)
        files = [tmp_path / "a.safetensors", image, tmp_path / "state"]
        out, err = run_script(script, *files, given=given)
        state = load_file(tmp_path / "state")["state"]
    else:
        half = Precision.FLOAT16 if script == "half" else Precision.FLOAT64
        write_onnx(tmp_path / "a.onnx", shape, Kind(precision=half), how)
        files = [tmp_path / "a.onnx", image, tmp_path / "state.npy"]
        out, err = run_script("run_onnx.py", *files, given=given)
        state = np.load(tmp_path / "state.npy")
    assert (out, err) == (result.output, f"{result.steps} steps\n")
    codec = Codec(shape, sums=sums)
    assert np.array_equal(codec.summed(state), Codec(shape).encode(result.state))
    if not sums:
        assert np.array_equal(state, codec.encode(result.state))
    expected = {"sort.asm": bytes(sorted(given)), "echo.sq": given, WIDE: b"\xfe"}
    assert out == expected.get(name, b"Hello, world!\n")
