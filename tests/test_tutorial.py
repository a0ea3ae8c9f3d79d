"""A new user's path: the tutorial's program, written and run as its text says."""

from functools import cache
from pathlib import Path

import pytest
from documents import blocks, commands, matches, read, run

TEXT = read("docs/tutorial.md")
(PROGRAM,) = blocks(TEXT, "text")
FIRST, *LATER = blocks(TEXT, "console")
STEPS = [pair for block in LATER for pair in commands(block)]
WRONG = {"verified-mlp run wrong.asm"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tutorial")
    (made / "product.asm").write_text(PROGRAM, encoding="utf-8")
    return made


@cache
def done(folder: Path) -> dict[str, tuple[int, str]]:
    """Every command, in the order of the text."""
    return {command: run(command, folder) for command, _ in STEPS}


@pytest.mark.parametrize(("command", "shown"), STEPS, ids=[command for command, _ in STEPS])
def test_every_step_is_as_shown(command: str, shown: str, folder: Path) -> None:
    code, printed = done(folder)[command]
    assert matches(shown, printed), printed
    assert code == (2 if command in WRONG else 0)


def test_it_begins_as_the_readme_does() -> None:
    """Those commands install the project; CI runs them on a fresh clone."""
    first, activate = commands(FIRST)
    readme, by_hand, *_ = blocks(read("README.md"), "console")
    assert first in commands(readme)
    assert activate in commands(by_hand)
