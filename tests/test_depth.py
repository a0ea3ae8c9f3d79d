"""What docs/depth.md and the help say of the constructions is so."""

import re

from documents import ROOT, blocks, commands, matches, read, run

from verified_mlp.cli.constructions import ConstructionName
from verified_mlp.constructions.registry import CONSTRUCTIONS
from verified_mlp.gadgets.word_sum import MOST_AT_ONCE
from verified_mlp.machine.shape import Shape

TEXT = read("docs/depth.md")
TINY = Shape(4, 4)


def depth(name: str) -> int:
    return len(CONSTRUCTIONS[name].network(TINY).layers)


def test_the_table_has_every_construction_with_its_layers() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+)(?: \(\d+ above 49 bits\))? \|", TEXT, re.MULTILINE)
    assert rows == [(name, str(depth(name))) for name in CONSTRUCTIONS]


def test_the_help_names_every_construction_with_its_layers() -> None:
    (option,) = ConstructionName.__metadata__
    found = re.findall(r"(\w+) \((\d+)[^)]*\)", option.help)
    assert found == [(name, str(depth(name))) for name in CONSTRUCTIONS]


def test_the_table_has_the_layers_for_wide_words() -> None:
    wide = Shape(MOST_AT_ONCE + 1, 4)
    rows = re.findall(r"^\| `(\w+)` \| \d+ \((\d+) above (\d+) bits\) \|", TEXT, re.MULTILINE)
    names = ("compact", "five", "prefetch")
    depths = {name: len(CONSTRUCTIONS[name].network(wide).layers) for name in names}
    assert rows == [(name, str(depths[name]), str(MOST_AT_ONCE)) for name in names]


def test_its_second_command_prints_what_it_shows() -> None:
    ((command, shown),) = commands(blocks(TEXT, "console")[1])
    code, printed = run(command, ROOT)
    assert code == 0
    assert matches(shown, printed), printed
