import os
import signal
import time
from pathlib import Path

import pytest
from test_cli_run import EXAMPLES, HALT, LOOP, ended, image, refusal, run, started

from verified_mlp.cli.shell import INTERRUPTED

MULTIPLY = str(EXAMPLES / "multiply.sq")
HALT_OR_FAULT = "-1 14 3  15 14 9  14 14 -1  99 0 0  0 0  0 48"
"""Halts if the input is a character above 0, else faults, with 16 words of memory."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inputs").mkdir()


def inputs(**texts: str) -> None:
    for name, text in texts.items():
        Path("inputs", f"{name}.in").write_text(text, encoding="utf-8")


def outputs() -> dict[str, str]:
    return {each.stem: each.read_text() for each in Path("inputs").glob("*.out")}


@pytest.mark.parametrize("engine", ["auto", "support-numpy", "sparse"])
def test_every_input_gives_its_output(engine: str) -> None:
    inputs(**{f"{a}by{b}": f"{a}*{b}" for a in range(1, 5) for b in range(5)})
    Path("inputs", "notes.txt").write_text("not an input")
    assert run(MULTIPLY, "--batch", "inputs", "--engine", engine) == (0, b"", "")
    assert outputs() == {f"{a}by{b}": f"{a * b}\n" for a in range(1, 5) for b in range(5)}


def test_the_outputs_are_those_of_single_runs() -> None:
    texts = {"empty": "", "one": "a", "more": "some words\n" * 9}
    inputs(**texts)
    assert run(str(EXAMPLES / "echo.sq"), "--batch", "inputs")[0] == 0
    for name, text in texts.items():
        _, out, _ = run(str(EXAMPLES / "echo.sq"), given=text.encode())
        assert Path("inputs", f"{name}.out").read_bytes() == out


def test_runs_that_do_not_halt_are_named() -> None:
    inputs(a="0", b="7", c="/", d="8")
    fault = "fault at pc = 9, A = 99, B = 0, C = 0: A is no address, for the addresses are 0 to 15."
    code, out, err = run(image(HALT_OR_FAULT), "--batch", "inputs", "--bits", "8", "--words", "16")
    assert (code, out) == (1, b"")
    assert err == "".join(f"verified-mlp: inputs/{name}.in: {fault}\n" for name in "ac")
    assert sorted(outputs()) == ["a", "b", "c", "d"]


def test_the_limit_and_the_figures() -> None:
    inputs(a="", b="")
    code, out, err = run(image(LOOP), "--batch", "inputs", "--max-steps", "5000", "--stats")
    assert (code, out) == (3, b"")
    sentence = "stopped at step 5000: the limit of --max-steps is reached."
    lines = err.splitlines()
    assert lines[:2] == [f"verified-mlp: inputs/{name}.in: {sentence}" for name in "ab"]
    names, figures = zip(*(line.split(":") for line in lines[2:]), strict=True)
    assert names == (
        "runs",
        "halted",
        "fault",
        "step limit reached",
        "steps",
        "seconds",
        "steps per second",
    )
    assert [each.strip() for each in figures[:5]] == ["2", "0", "0", "2", "10000"]


def test_wrong_use() -> None:
    program = image(HALT)
    assert refusal(program, "--batch", "inputs") == (
        "there is no file *.in in inputs: put each input in such a file."
    )
    assert refusal(program, "--batch", "nowhere") == (
        "nowhere is no folder: give --batch one that has files *.in."
    )
    Path("inputs", "a.in").mkdir()
    assert refusal(program, "--batch", "inputs") == "cannot read inputs/a.in: Is a directory."


@pytest.mark.parametrize(
    "options",
    [
        ("--self-check", "1"),
        ("--dump-memory", "memory"),
        ("--checkpoint", "file"),
        ("--resume",),
    ],
)
def test_options_of_a_single_run_are_refused(options: tuple[str, ...]) -> None:
    inputs(a="")
    assert refusal(image(HALT), "--batch", "inputs", *options) == (
        f"--batch makes many runs, and {options[0]} is for one: leave out one."
    )
    assert outputs() == {}


def test_ctrl_c_ends_a_batch() -> None:
    inputs(a="", b="")
    with started(image(LOOP), "--batch", "inputs") as process:
        time.sleep(4)
        os.kill(process.pid, signal.SIGINT)
        code, err = ended(process)
    assert (code, err) == (INTERRUPTED, "verified-mlp: interrupted.\n")
    assert outputs() == {}
