"""The command `verified-mlp prove`, as typed."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from proofs import gate, results
from verified_mlp.cli import prove as command
from verified_mlp.cli.shell import UserError
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.image_formats import Format
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.digest import digest

COMMAND = str(Path(sys.executable).parent / "verified-mlp")
ROOT = Path(__file__).parent.parent
PROVED = ROOT / "examples" / "proved"
SPECS = str(PROVED / "specs.py")
GCD = (str(PROVED / "gcd.asm"), "--spec", f"{SPECS}:gcd", "--inputs", "x:0..15,y:0..15")
HALT = "3 3 -1 0"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(
        "number = 5\ndef nothing(in0):\n    return b''\ndef wrong(in0):\n    return b'no'\n"
    )
    Path("halt.sq").write_text(HALT)


def prove(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [COMMAND, "prove", *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout, done.stderr


def refusal(*arguments: str) -> str:
    """The sentence of a usage error; nothing else may be said."""
    code, out, err = prove(*arguments)
    assert (code, out) == (2, ""), err
    assert err.startswith("verified-mlp: ")
    return err.removeprefix("verified-mlp: ").rstrip("\n")


def test_a_theorem_and_its_certificate() -> None:
    code, out, err = prove(*GCD, "--max-steps", "200", "--certificate", "gcd.json")
    assert (code, err) == (0, "")
    assert out == (
        f"PROVED: for all 256 inputs x:0..15, y:0..15, {GCD[0]} at 16 bits x 256 words halts "
        "within 200 steps and prints gcd(x, y).\n"
        "  145 paths, at most 123 steps; queries to the solver: 0.\n"
        "  tabulated: gcd was evaluated at every point, and each is on exactly one path.\n"
        "  One pass of the network of 16 bits x 256 words is proved to be one step, so this holds "
        "of the looped network.\n"
    )
    record = json.loads(Path("gcd.json").read_bytes())
    assert record["inputs"][0] == {"name": "x", "low": 0, "high": 15, "address": 39}
    for name, value in {
        "bits": 16,
        "words": 256,
        "points": 256,
        "max_steps": 200,
        "paths": 145,
        "most_steps": 123,
        "method": "tabulated",
        "spec": "gcd",
        "spec_source": hashlib.sha256(Path(SPECS).read_bytes()).hexdigest(),
        "network": digest(paper(Shape(16, 256))),
    }.items():
        assert record[name] == value


def test_the_digest_of_an_image_is_that_of_its_words() -> None:
    code, _, err = prove(
        "halt.sq", "--spec", "own:nothing", "--inputs", "in0:0..9", "--max-steps", "1",
        "--certificate", "halt.json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    image = json.loads(Path("halt.json").read_bytes())["image"]
    assert image == hashlib.sha256(b"3\n3\n65535\n").hexdigest()


def test_a_wrong_program_gets_an_input_and_no_certificate() -> None:
    code, out, err = prove(
        "halt.sq", "--spec", "own:wrong", "--inputs", "in0:3..9", "--max-steps", "1",
        "--certificate", "halt.json",
    )  # fmt: skip
    assert (code, err) == (1, "")
    assert out == (
        "REFUTED: halt.sq at 16 bits x 256 words is wrong for in0 = 3.\n"
        "  After 1 steps it halted.\n"
        "  printed:  nothing (b'')\n"
        "  expected: 110 111 (b'no'), which is wrong of this input\n"
        "  The reference interpreter confirms it.\n"
    )
    assert not Path("halt.json").exists()


def test_a_fault_and_the_limit_of_steps_are_said() -> None:
    Path("fault.sq").write_text("999 0 0")
    code, out, _ = prove(
        "fault.sq", "--spec", "own:nothing", "--inputs", "in0:3..9", "--max-steps", "5"
    )
    assert code == 1
    assert "it did not halt (fault at pc = 0, A = 999, B = 0, C = 0: A is no address" in out
    code, out, _ = prove(
        "halt.sq", "--spec", "own:nothing", "--inputs", "in0:3..9", "--max-steps", "0"
    )
    assert code == 1
    assert "\n  After 0 steps it did not halt within 0 steps.\n" in out


def test_running_out_is_no_proof() -> None:
    code, out, err = prove(*GCD, "--max-steps", "200", "--forks", "10", "--certificate", "c.json")
    assert (code, err) == (3, "")
    assert out == (
        "NOT PROVED: budget: the 10 forks of --forks are used up. This says nothing about "
        f"{GCD[0]}.\n"
    )
    assert not Path("c.json").exists()


def test_without_the_machine_theorem_nothing_is_proved(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gate, "ensure", lambda *_, **__: results.Report(16, 256))
    with pytest.raises(UserError) as error:
        command.prove(
            Path("halt.sq"), "own:nothing", "in0:0..9", 1, None, None, Format.DECIMAL, 9, 9, None
        )
    assert error.value.code == 4
    assert str(error.value).startswith(
        "halt.sq is proved to be right on the machine, but the network is not verified: "
    )
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (("--spec", "own"), "--spec own names no function: write it like package.module:function, "
         "or path/to/file.py:function."),
        (("--spec", "own:number"), "own has no function number: define it, or name another."),
        (("--spec", "none:f"), "there is no module none in the current directory or among the "
         "installed packages: give a dotted name, or the path of a .py file."),
        (("--inputs", "x:0..9"), "there is no label x, for an image has none: name words that are "
         "read, in0, in1, ..., or give the source."),
        (("--max-steps", "-1"), "--max-steps -1 is out of range: give 0 or more."),
        (("--forks", "-1"), "--forks -1 is out of range: give 0 or more."),
        (("--seconds", "0"), "--seconds 0 is out of range: give 1 or more."),
    ],
)  # fmt: skip
def test_wrong_usage(changed: tuple[str, str], sentence: str) -> None:
    options = {"--spec": "own:nothing", "--inputs": "in0:0..9", "--max-steps": "1"}
    options |= {changed[0]: changed[1]}
    assert refusal("halt.sq", *(each for pair in options.items() for each in pair)) == sentence


def test_the_page_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "prove.md").read_text(encoding="utf-8")
    monkeypatch.chdir(ROOT)
    code, out, _ = prove(
        "examples/proved/multiply.asm", "--spec", "examples/proved/specs.py:multiply",
        "--inputs", "x:0..15,y:0..15", "--max-steps", "100",
    )  # fmt: skip
    assert code == 0
    assert out in text
