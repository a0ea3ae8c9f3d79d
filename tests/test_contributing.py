"""The examples of CONTRIBUTING.md: a gadget in one file is proved, a broken one refuted."""

import shutil
from pathlib import Path

import pytest
from documents import ROOT, blocks, commands, matches, read, run

TEXT = read("CONTRIBUTING.md")
GADGET, SCRIPT = blocks(TEXT, "python")
PROVED, REFUTED = blocks(TEXT, "console")
RIGHT, WRONG = "now.z - 2)", "now.z - 3)"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages, in which the gadget's file can be put."""
    for package in ("verified_mlp", "proofs", "numeric"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


@pytest.mark.parametrize(
    ("text", "block", "code"),
    [(GADGET, PROVED, 0), (GADGET.replace(RIGHT, WRONG), REFUTED, 1)],
    ids=["right", "wrong"],
)
def test_a_gadget_in_one_file(copy: Path, text: str, block: str, code: int) -> None:
    assert GADGET.count(RIGHT) == 1
    file = copy / "verified_mlp" / "gadgets" / "majority.py"
    file.write_text(text, encoding="utf-8")
    ((command, shown),) = commands(block)
    got, printed = run(command, copy, PYTHONPATH=str(copy))
    assert matches(shown, printed), printed
    assert got == code


def test_every_change_of_the_gadget_is_noticed(copy: Path) -> None:
    command = "verify-all --only majority --sabotage"
    assert f"`{command}`" in TEXT
    file = copy / "verified_mlp" / "gadgets" / "majority.py"
    file.write_text(GADGET, encoding="utf-8")
    code, printed = run(command, copy, PYTHONPATH=str(copy))
    assert code == 0, printed
    assert ", 0 proved harmless, 0 unknown, 0 missed, " in printed


def test_the_script_is_that_of_the_code() -> None:
    assert SCRIPT in read("proofs/scripts/words.py")


def test_the_first_steps_are_those_of_the_makefile() -> None:
    (block,) = blocks(TEXT, "sh")
    assert block.splitlines() == ["make test", ". .venv/bin/activate"]
    assert "\ntest: $(VENV)/installed-dev\n" in read("Makefile")
