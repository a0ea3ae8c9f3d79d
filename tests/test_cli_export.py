"""The command `verified-mlp export`, as typed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numeric import checkpoint
from numeric.engines import EngineName, build
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape

COMMAND = str(Path(sys.executable).parent / "verified-mlp")
ROOT = Path(__file__).parent.parent
PATIENCE = 60
"""Seconds after which a test gives up on a process that does nothing."""

SMALL = ("--bits", "4", "--words", "5")
DIGEST = checkpoint.identity(Shape(4, 5), [])[0]
NONZEROS = build(paper(Shape(4, 5)), EngineName.SPARSE).nonzeros


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def command(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [COMMAND, "export", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=os.environ | (env or {}),
    )
    return done.returncode, done.stdout, done.stderr


def refusal(*arguments: str, code: int = 2, env: dict[str, str] | None = None) -> str:
    """The one sentence of a refusal, which writes nothing."""
    before = sorted(Path().rglob("*"))
    found, out, err = command(*arguments, env=env)
    assert (found, out) == (code, ""), err
    assert sorted(Path().rglob("*")) == before
    name, sentence = err.split(": ", 1)
    assert name == "verified-mlp"
    return sentence[:-1]


def size(path: str) -> str:
    found = Path(path)
    files = found.iterdir() if found.is_dir() else [found]
    return f"{sum(each.stat().st_size for each in files):,} bytes"


def test_all_formats_at_once_and_back() -> None:
    code, out, err = command(
        *SMALL, "--onnx", "a.onnx", "--safetensors", "a.safetensors", "--npz", "a.npz",
        "--matrix-market", "a",
    )  # fmt: skip
    assert (code, err) == (0, "")
    whats = {
        "a.onnx": "ONNX, gather form, float64, one pass",
        "a.safetensors": "safetensors",
        "a.npz": "NPZ",
        "a": "MatrixMarket files",
    }
    lines = [f"{path}: {what}, {size(path)}" for path, what in whats.items()]
    assert out.splitlines() == [*lines, f"4 bits x 5 words, statement sha256 {DIGEST}"]
    for path, what in whats.items():
        assert command("--check", path) == (
            0,
            f"{path}: {what}\n"
            f"It holds the network of 4 bits x 5 words: 23 layers, {NONZEROS:,} non-zero weights, "
            f"each as stated.\nstatement sha256 {DIGEST}\n",
            "",
        )


def test_a_model_in_another_form() -> None:
    options = ("--form", "dense", "--precision", "float16", "--passes", "5")
    code, out, err = command(*SMALL, "--onnx", "a.onnx", *options)
    what = "a.onnx: ONNX, dense form, float16, a loop of 5 passes"
    assert (code, err) == (0, "")
    assert out.startswith(f"{what}, {size('a.onnx')}\n")
    assert command("--check", "a.onnx")[1].startswith(f"{what}\nIt holds")


def test_a_changed_weight() -> None:
    assert command(*SMALL, "--npz", "a.npz")[0] == 0
    with np.load("a.npz") as opened:
        arrays = dict(opened)
    arrays["layers.3.weights"][100] += 1
    np.savez("a.npz", **arrays)
    assert refusal("--check", "a.npz", code=1) == (
        "a.npz is not the network: layer 3, row 17 (from_a[3, 0]): the weight of a[2] (column 3) "
        "is -1 in the statement and 0 in the file."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "",
            "there is nothing to do: add --onnx, --safetensors, --npz, --matrix-market or --check.",
        ),
        ("--form dense --npz a.npz", "--form is about ONNX models: add --onnx FILE."),
        ("--precision float32", "--precision is about ONNX models: add --onnx FILE."),
        ("--check a.npz --passes 3", "--passes is about ONNX models: add --onnx FILE."),
        (
            "--check a.npz --npz b.npz",
            "--check reads a file and the others write one: leave one out.",
        ),
        ("--onnx a", "a does not end in .onnx, by which it is known: rename it."),
        ("--npz a.zip", "a.zip does not end in .npz, by which it is known: rename it."),
        (
            "--onnx a.onnx --matrix-market ./a.onnx",
            "two formats cannot be written to one file: choose two.",
        ),
        (
            "--onnx a.onnx --bits 3",
            "bits = 3 is out of range: choose 4 to 64 bits a word.",
        ),
        (
            "--onnx a.onnx --passes 0",
            "--passes 0 is out of range: give 1 to 2147483647 passes.",
        ),
        (
            "--onnx a.onnx --form dense",
            "the dense model of 16 bits x 256 words in float64 would have 5,105,327,848 bytes "
            "(5.1 GB), and an ONNX file holds at most 2,147,483,647: choose --form gather or fewer "
            "words.",
        ),
        (
            "--onnx a.onnx --bits 17 --words 8 --precision float16",
            "float16 is not known to compute the network of 17 bits x 8 words exactly: ",
        ),
        (
            "--bits 4 --words 5 --npz none/a.npz",
            "cannot write none/a.npz: No such file or directory. Choose another place.",
        ),
        ("--check a.npz", "there is no file a.npz: choose another, or export it."),
        ("--check a.onnx", "there is no file a.onnx: choose another, or export it."),
        ("--check a.safetensors", "there is no file a.safetensors: choose another, or export it."),
        ("--check .", "there is no file layout.json: choose another, or export it."),
    ],
)
def test_what_cannot_be_done(arguments: str, sentence: str) -> None:
    found = refusal(*arguments.split())
    assert found == sentence if sentence.endswith(".") else found.startswith(sentence)


@pytest.mark.parametrize("package", ["onnx", "safetensors"])
def test_a_package_that_is_not_installed(tmp_path: Path, package: str) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / f"{package}.py").write_text("raise ImportError\n")
    sentence = f"the package {package} is not installed: run pip install 'verified-mlp[export]'."
    env = {"PYTHONPATH": str(hidden), "PYTHONDONTWRITEBYTECODE": "1"}
    for arguments in ((*SMALL, f"--{package}", f"a.{package}"), ("--check", f"a.{package}")):
        assert refusal(*arguments, env=env) == sentence


def test_the_document_runs_a_program() -> None:
    """The console lines of docs/export.md, but for those with PyTorch, and what they print."""
    text = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    Path("examples").symlink_to(ROOT / "examples")
    out = ""
    for line in lines:
        if not line.startswith("pip ") and "run_torch" not in line:
            folder = Path(sys.executable).parent
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", line],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=PATIENCE,
                check=True,
                env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"},
            )
            out = done.stdout
    assert out == "1234628 steps\n"
    assert text.count(f"\n{out}") == 2


def test_the_help_says_in_which_precision_float16_is_computed() -> None:
    code, out, _ = command("--help")
    assert code == 0
    assert "In float16, ONNX Runtime's CPU provider multiplies and adds in float32" in " ".join(
        out.split()
    )


def test_another_construction() -> None:
    code, out, err = command(*SMALL, "--construction", "compact", "--npz", "a.npz")
    assert (code, err) == (0, "")
    code, out, err = command("--check", "a.npz")
    assert (code, err) == (0, "")
    assert "It holds the network of 4 bits x 5 words: 6 layers, " in out
    assert refusal(*SMALL, "--construction", "deep", "--npz", "b.npz").startswith(
        "there is no construction 'deep': choose paper, "
    )
    assert refusal(*SMALL, "--construction", "single", "--npz", "b.npz") == (
        "the vector of the construction single is more than the state's fields or their parts, "
        "and no format here says how it is made: choose another construction."
    )
    wide = ("--bits", "64", "--words", "8", "--construction", "compact")
    code, out, err = command(*wide, "--npz", "b.npz")
    assert (code, err) == (0, "")
    code, out, err = command("--check", "b.npz")
    assert (code, err) == (0, "")
    assert "It holds the network of 64 bits x 8 words: 7 layers, " in out
