"""The command `verified-mlp picture`, and that the pictures show what is there."""

import subprocess
import sys
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from typed import run_typed

from numeric.codec import Codec
from numeric.engines import EngineName, build
from numeric.linear_codec import codec_of
from numeric.machine import Machine
from numeric.pictures import draw
from numeric.pictures.draw import MINUS, PLUS, ZERO, PictureError, check_installed, content
from numeric.pictures.matrices import all_layers, one_layer, pattern
from numeric.pictures.passes import _image, activations, one_pass
from numeric.pictures.scales import Block, blocks, named, places
from proofs.verify import Options
from verified_mlp.constructions.registry import CONSTRUCTIONS
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State
from verified_mlp.statement.network import Field

COMMAND = Path(sys.executable).parent / "verified-mlp"
SHAPE = Shape(4, 5)
SMALL = ("--bits", "4", "--words", "5")
# Twenty-three layers take long to draw, and neurons for every case to prove.
QUICK = [
    pytest.param(name, marks=pytest.mark.slow if name == "paper" or how.forms else ())
    for name, how in CONSTRUCTIONS.items()
]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("halt.sq").write_text("3 3 -1")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    return partial(run_typed, monkeypatch, capsys, "picture")


def texts(figure: Any) -> list[str]:
    """What is written in a figure, in its SVG."""
    root = ElementTree.fromstring(content(figure, ".svg"))
    return [
        "".join(each.itertext()).strip() for each in root.iter("{http://www.w3.org/2000/svg}text")
    ]


@pytest.mark.parametrize("how", QUICK)
def test_all_layers_with_stage_size_and_names(how: str) -> None:
    network = CONSTRUCTIONS[how].network(SHAPE)
    written = texts(all_layers(network, SHAPE))
    engine = build(network, EngineName.SPARSE)
    assert (
        f"The {len(network.layers)} layers at 4 bits x 5 words: {engine.nonzeros:,} weights that "
        "are not zero"
    ) in written
    for depth, (layer, (weights, _)) in enumerate(
        zip(network.layers, engine.layers, strict=True), 1
    ):
        assert f"{depth}: {layer.stage}: {layer.note}" in written
        rows, columns = weights.shape
        assert f"{rows:,} rows x {columns:,} columns, {weights.nnz:,} weights" in written
    assert network.inputs[0].name in written


def test_one_layer_names_its_fields() -> None:
    network = CONSTRUCTIONS["paper"].network(SHAPE)
    written = texts(one_layer(network, SHAPE, 3))
    names = [each.name for each in (*network.layers[2].neurons, *network.layers[1].neurons)]
    assert [each for each in names if each not in written] == []
    with pytest.raises(PictureError, match=r"^layer 24 does not exist: choose 1 to 23\.$"):
        one_layer(network, SHAPE, 24)


sizes = st.lists(st.integers(1, 400), min_size=1, max_size=20)


@given(sizes)
def test_blocks_fill_the_axis_in_order(found: list[int]) -> None:
    """Every entry lies within its own block, and no name touches another."""
    laid = blocks([Field(f"f{at}", (count,)) for at, count in enumerate(found)])
    assert [each.size for each in laid] == found
    ends = [0.0, *np.cumsum([each.length for each in laid])]
    assert np.allclose([each.start for each in laid], ends[:-1])
    assert np.isclose(ends[-1], 1)
    spots = places(laid)
    assert np.all(np.diff(spots) > 0)
    for each in laid:
        part = spots[each.first : each.first + each.size]
        assert each.start < part[0]
        assert part[-1] < each.start + each.length
    middles = [each.middle for each in named(laid, 0.07)]
    assert middles
    assert np.all(np.diff(middles) >= 0.07 - 1e-12)
    assert named(laid, 0) == laid


@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_pattern_is_that_of_the_matrix(rows: int, columns: int, random: Any) -> None:
    """With room for each entry, its dot has its colour, and where there is none it is empty."""
    dense = np.array(
        [[random.choice([0, 0, 0, 1, -2]) for _ in range(columns)] for _ in range(rows)]
    )
    down, across = (blocks([Field("f", (count,))]) for count in (rows, columns))
    image = pattern(sp.csr_array(dense), down, across, 240)
    for row in range(rows):
        for column in range(columns):
            y, x = int((row + 0.5) / rows * 240), int((column + 0.5) / columns * 240)
            colour = np.array([ZERO, PLUS, MINUS][int(np.sign(dense[row, column]))])
            near = np.array(ZERO) + (colour - np.array(ZERO)) * (0.7 if dense[row, column] else 0)
            assert np.allclose(image[y, x], near)
    coloured = np.any(~np.isclose(image, ZERO), axis=2).sum()
    assert coloured <= 4 * np.count_nonzero(dense)


@pytest.mark.parametrize("how", QUICK)
def test_a_pass_is_that_of_the_machine(how: str) -> None:
    """What is drawn last is the state after the step."""
    machine = Machine(SHAPE, "sparse", Options(construction=how))
    codec = codec_of(SHAPE, machine.construction)
    host = machine.host([4, 3, 0, 1, 2], BytesIO(), BytesIO())
    before = host.processor.state()
    values = activations(machine.engine, codec.encode(before))
    assert len(values) == machine.layers + 1
    host.run(1)
    assert codec.decode(values[-1]) == host.processor.state()
    written = texts(one_pass(machine.network, machine.engine, codec.encode(before), "A title"))
    assert "A title" in written
    for at, layer in enumerate(machine.network.layers, 1):
        assert f"{at}: {layer.stage}" in written
        on = np.count_nonzero(values[at])
        assert f"{on:,} of {len(values[at]):,} not zero" in written


def test_the_colours_of_a_pass() -> None:
    block = Block("x", (3, 2), 0, 6, 0.0, 1.0)
    image = _image(np.array([0.0, 1, 2, 4, 5, 0]), block, 4)
    assert image.shape == (2, 3, 3)
    expected = [[0, 2, 5], [1, 4, 0]]  # the first index to the right
    for row, values in zip(image, expected, strict=True):
        for colour, value in zip(row, values, strict=True):
            if value == 0:
                assert tuple(colour) == ZERO
            elif value > 4:
                assert tuple(colour) == MINUS
            else:
                part = max(value / 4, 0.3)
                assert np.allclose(colour, np.array(ZERO) + (np.array(PLUS) - ZERO) * part)


def test_an_array_of_three_axes() -> None:
    block = Block("x", (2, 2, 2), 0, 8, 0.0, 1.0)
    image = _image(np.array([1.0, 0, 0, 0, 0, 0, 1, 0]), block, 1)
    assert image.shape == (4, 2, 3)
    on = np.argwhere(~np.isclose(image, ZERO).all(axis=2)).tolist()
    assert on == [[0, 0], [2, 1]]


def test_a_dense_engine_has_no_picture() -> None:
    engine = build(CONSTRUCTIONS["paper"].network(SHAPE), EngineName.DENSE)
    vector = Codec(SHAPE).encode(State(mem=[0] * 5))
    with pytest.raises(
        PictureError, match=r"^a picture of a pass needs the engine sparse, not dense"
    ):
        activations(engine, vector)


def test_as_typed(typed: Any) -> None:
    """PNG and SVG, the same bytes each time; only the file is written."""
    done = subprocess.run(
        [COMMAND, "picture", "a.png", *SMALL, "--layer", "2"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert Path("a.png").read_bytes().startswith(PNG)
    for name in ("b.svg", "again.svg"):
        assert typed(name, *SMALL, "--layer", "2") == (0, "", "")
    assert ElementTree.parse("b.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert Path("b.svg").read_bytes() == Path("again.svg").read_bytes()
    compact = ("--step", "1", "--construction", "compact")
    assert typed("c.svg", "halt.sq", *SMALL, *compact) == (0, "", "")
    text = Path("c.svg").read_text(encoding="utf-8")
    assert "The pass of halt.sq after 1 steps, at pc = 15, at 4 bits x 5 words" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "a.pdf",
            "a.pdf ends neither in .png nor in .svg, which say what is written: rename it.",
        ),
        ("a.png --layer 24 --bits 4 --words 5", "layer 24 does not exist: choose 1 to 23."),
        ("a.png --step 3", "--step is about a pass of a program: give a PROGRAM after the file."),
        ("a.png --input x", "--input is about a pass of a program: give a PROGRAM after the file."),
        (
            "a.png halt.sq --layer 3",
            "--layer draws a matrix and PROGRAM a pass: leave one of the two out.",
        ),
        ("a.png halt.sq --step -1", "--step -1 is out of range: give 0 or more steps."),
        (
            "a.png halt.sq --bits 4 --words 5 --step 2",
            "halt.sq is halted after 1 steps: choose --step 0 to 1.",
        ),
        ("a.png none.sq", "cannot read the image none.sq: No such file or directory."),
        ("a.png --bits 70", "bits = 70 is out of range: choose 4 to 64 bits a word."),
        ("no/a.png --bits 4 --words 5 --layer 1",
         "cannot write no/a.png: No such file or directory. Choose another file."),
        ("a.png --words 16000000 --bits 24", "the sparse engine needs "),
    ],
    ids=["ending", "layer", "step", "input", "both", "negative", "ended", "program", "bits",
         "folder", "too large"],
)  # fmt: skip
def test_what_cannot_be_done(typed: Any, arguments: str, sentence: str) -> None:
    before = sorted(Path().rglob("*"))
    code, out, err = typed(*arguments.split())
    assert (code, out) == (2, "")
    assert sorted(Path().rglob("*")) == before
    found = err.removeprefix("verified-mlp: ").removesuffix("\n")
    assert found == sentence if sentence.endswith(".") else found.startswith(sentence)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "find_spec", lambda _: None)
    with pytest.raises(PictureError) as error:
        check_installed()
    assert str(error.value) == (
        "the package matplotlib is not installed: run pip install 'verified-mlp[plot]'."
    )
