"""The document of the benchmark has the rows and the ratios that the script prints."""

import importlib
import re
import sys
from types import ModuleType

import pytest
from documents import ROOT, blocks, read

from numeric.workload import workload

TEXT = read("docs/benchmarks.md")
TABLE, RATIOS = blocks(TEXT, "text")
ROW = re.compile(r"(.*?) +(\d+) +([\d,]+) +[\d,.]+ (?: *[\d,]+)? +[\d,]+")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    return importlib.import_module("engines")


def test_the_rows_are_those_of_the_script(engines: ModuleType) -> None:
    rows = [ROW.fullmatch(line) for line in TABLE.splitlines()[2:]]
    assert [(row[1], int(row[2]), int(row[3].replace(",", ""))) for row in rows if row] == [
        (way, shape.bits, shape.words) for way, shape in dict.fromkeys(engines.TABLE)
    ]


def test_the_ratios_are_those_of_the_script(engines: ModuleType) -> None:
    assert [line.rsplit(":", 1)[0] for line in RATIOS.splitlines()] == [
        f"{one} at {at} / {other} at {where}" for (one, at), (other, where) in engines.COMPARED
    ]


def test_the_program_touches_the_whole_memory(engines: ModuleType) -> None:
    shape = engines.LARGE
    words = workload(shape)
    assert len(words) == shape.words
    operands = {words[at] for at in range(0, 12_000, 3)} | {
        words[at + 1] for at in range(0, 12_000, 3)
    }
    assert len({operand // 1024 for operand in operands}) >= 50


def test_every_row_can_be_measured(engines: ModuleType) -> None:
    """The ways that need nothing else to be installed, briefly."""
    shape = engines.Shape(8, 16)
    for way in dict.fromkeys(way for way, _ in engines.TABLE if way not in engines.NEEDED):
        if way == engines.BATCHED:
            continue
        row = engines.measure(way, shape, 0.01, 1)
        assert row.way == way
        assert row.slowest == row.steps_per_s == row.fastest > 0
