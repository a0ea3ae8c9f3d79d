"""The command `verified-mlp compare` as it is typed, and the figures behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from numeric.compare import ENGINES, Row, compare, speed
from numeric.engines import EngineName, build
from numeric.exactness import FORMATS
from numeric.published import PUBLISHED
from numeric.workload import workload
from verified_mlp.constructions.registry import CONSTRUCTIONS, construction
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

SMALL = ("--bits", "4", "--words", "6")
SHAPE = Shape(4, 6)


def typed(home: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "verified-mlp"), "compare", *words],
        capture_output=True,
        timeout=300,
        check=False,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
    )
    return done.returncode, done.stdout, done.stderr


def test_the_figures_are_those_of_the_arrays() -> None:
    for row in compare(SHAPE, verified=False, timed=False):
        if row.why:
            continue
        built = build(construction(row.name).network(SHAPE), EngineName.SPARSE)
        assert row.layers == len(built.layers)
        assert row.neurons == sum(len(bias) for _, bias in built.layers)
        assert row.nonzeros == sum(weights.nnz for weights, _ in built.layers)
        assert row.largest_weight == max(abs(weights).max() for weights, _ in built.layers)
        assert row.formats[0] == "float64"
        assert set(row.formats) <= {each.name for each in FORMATS}
        assert (row.verdict, row.seconds, row.speeds) == ("", None, {})


def test_every_construction_has_a_row_and_fewer_layers_than_the_one_before() -> None:
    rows = [row for row in compare(SHAPE, verified=False, timed=False) if not row.why]
    assert [row.name for row in rows] == [
        name for name in CONSTRUCTIONS if name in {row.name for row in rows}
    ]
    layers = [row.layers for row in rows]
    assert layers == sorted(layers, reverse=True)
    assert layers[0] == 23


def test_a_speed_is_that_of_an_engine_that_applies() -> None:
    how = construction("compact")
    for name in ENGINES:
        found = speed(how, SHAPE, name)
        assert found is not None
        assert found > 0
    assert speed(construction("single"), Shape(4, 4), "support") is None
    assert speed(construction("paper"), Shape(16, 1024), "dense") is None


def test_the_workload_never_ends_and_writes_everywhere() -> None:
    shape = Shape(16, 256)
    words = workload(shape)
    machine = Interpreter(shape, State(list(words)))
    before = machine.state()
    made = 0
    while made < 2000:
        made += machine.advance(2000 - made)
    after = machine.state()
    assert not after.fault
    assert after.pc < shape.words
    changed = [at for at, word in enumerate(after.mem) if word != before.mem[at]]
    assert len(changed) > 30


def test_the_table(tmp_path: Path) -> None:
    picture = tmp_path / "depth.png"
    code, out, err = typed(tmp_path, *SMALL, "--no-speed", "--plot", str(picture))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Constructions at 4 bits x 6 words; speeds in steps a second:"
    paper = next(line for line in lines if line.startswith("paper"))
    assert "PROVED, " in paper
    assert "obligations" in paper
    assert next(line for line in lines if line.startswith("compact")).split()[1] == "6"
    for each in PUBLISHED:
        line = next(line for line in lines if line.startswith(each.name))
        assert line.endswith(each.source)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_json(tmp_path: Path) -> None:
    code, out, err = typed(tmp_path, *SMALL, "--no-speed", "--no-verify", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["bits"], found["words"]) == (4, 6)
    assert [each["name"] for each in found["own"]] == list(CONSTRUCTIONS)
    assert found["own"][0]["seconds"] is None
    assert [each["layers"] for each in found["published"]] == [23, 13, 8, 4]


def test_what_is_not_proved_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import numeric.compare
    from verified_mlp.cli.compare import compare as command

    rows = [Row("paper", verdict="NOT PROVED", seconds=1.0), Row("single", why="too large.")]
    monkeypatch.setattr(numeric.compare, "compare", lambda *_: iter(rows))
    assert command(bits=4, words=6) == 1
    out = capsys.readouterr().out
    assert "NOT PROVED, 0 obligations, 1.0 s" in out
    assert "single: too large." in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--plot a.gif", "--plot a.gif is no picture: give a name that ends in .png or .svg."),
        (
            "--plot nowhere/a.png",
            "cannot write nowhere/a.png: No such file or directory. Choose another file.",
        ),
        (
            "--words 3",
            "words = 3 is out of range: with 16-bit words, choose 4 to 65536 words of memory.",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, words: str, sentence: str) -> None:
    code, out, err = typed(tmp_path, *words.split())
    assert (code, out) == (2, "")
    assert err == f"verified-mlp: {sentence}\n"
