"""The notation's document against the assembler."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from verified_mlp.assembler.assemble import assemble
from verified_mlp.assembler.parse import GRAMMAR
from verified_mlp.machine.image_formats import Format

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "assembly.md").read_text(encoding="utf-8")


def test_the_commands_run(tmp_path: Path) -> None:
    block = re.search(r"```console\n(.*?)```", TEXT, re.DOTALL)
    assert block
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for line, output in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block[1], re.MULTILINE):
        name, *arguments = line.split()
        done = subprocess.run(
            [str(Path(sys.executable).parent / name), *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        assert done.stdout == output or "disasm" in line
    assert {path.name for path in tmp_path.iterdir()} == {
        "examples", "hello.sq", "hello.lst", "hello.sym",
    }  # fmt: skip


def test_the_program_with_a_macro_assembles() -> None:
    block = re.search(r"```text\n(.*?)```", TEXT, re.DOTALL)
    assert block
    program = assemble(block[1])
    assert program.symbols == {"start": 0, "a": 15, "b": 16, "Z": 17}


@pytest.mark.parametrize("kind", list(Format))
def test_every_format_is_there(kind: Format) -> None:
    assert f"| `{kind}`" in TEXT


def test_every_statement_with_a_dot_is_there() -> None:
    names = re.findall(r"/\\\.(\w+)\(\?!", GRAMMAR)
    assert sorted(names) == ["end", "include", "macro"]
    assert all(f".{name}" in TEXT for name in names)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("a b; a: b: 0", "a b 3; a: b: 0"),
        ("a; a: 0", "a a 3; a: 0"),
        ("name:; . name", "name: . name"),
        ("a: 1 2 b: a-1", "1 2 0-1"),
        (". -1; x: -1; . y:(y -1)", ". (-1); (-1) (-1) 4; . 3"),
    ],
)
def test_what_it_says_is_the_same(short: str, full: str) -> None:
    assert assemble(short).numbers == assemble(full).numbers
