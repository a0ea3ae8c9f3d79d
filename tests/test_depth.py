"""What docs/depth.md and the help say of the constructions is so."""

import re

import pytest
from documents import ROOT, blocks, commands, matches, read, run

from numeric.exactness import FORMATS, exactness
from verified_mlp.cli.constructions import ConstructionName
from verified_mlp.constructions.registry import CONSTRUCTIONS
from verified_mlp.machine.shape import Shape

TEXT = read("docs/depth.md")
FLAT = " ".join(TEXT.split())
TINY = Shape(4, 4)
WIDEST = 49
"""The most bits at which float64 holds the numbers of the constructions of few layers."""


def depth(name: str) -> int:
    return len(CONSTRUCTIONS[name].network(TINY).layers)


def test_the_table_has_every_construction_with_its_layers() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", TEXT, re.MULTILINE)
    assert rows == [(name, str(depth(name))) for name in CONSTRUCTIONS]


def test_the_help_names_every_construction_with_its_layers() -> None:
    (option,) = ConstructionName.__metadata__
    found = re.findall(r"(\w+) \((\d+)[^)]*\)", option.help)
    assert found == [(name, str(depth(name))) for name in CONSTRUCTIONS]


@pytest.mark.parametrize("name", ["compact", "five", "prefetch"])
def test_the_widest_words_in_float64(name: str) -> None:
    assert f"up to {WIDEST} bits a word" in FLAT
    float64 = [each for each in FORMATS if each.name == "float64"]
    for bits, exact in ((WIDEST, True), (WIDEST + 1, False)):
        (found,) = exactness(CONSTRUCTIONS[name].network(Shape(bits, 16)), float64)
        assert found.exact is exact


def test_its_second_command_prints_what_it_shows() -> None:
    ((command, shown),) = commands(blocks(TEXT, "console")[1])
    code, printed = run(command, ROOT)
    assert code == 0
    assert matches(shown, printed), printed
