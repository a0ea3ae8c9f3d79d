"""What README.md says is so: its commands, its program, its figures and its files."""

import importlib.util
import json
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT, blocks, commands, matches, read, run
from hypothesis import settings
from test_campaign import STATES
from test_engines import EVERY_STEP, STEPS
from test_whole_network import EVERY_STATE, SHAPES, SOME_STATES, TINY

from proofs.claims import CLAIMS
from proofs.sabotage import count
from proofs.verify import Options
from verified_mlp.machine.shape import Shape

TEXT = read("README.md")
FLAT = " ".join(TEXT.split())
FIRST, *BY_HAND = blocks(TEXT, "console")
PICTURE, PRINTED, SPEED = blocks(TEXT, "text")
(PROGRAM,) = blocks(TEXT, "python")
COMMANDS = [pair for block in BY_HAND for pair in commands(block) if not pair[0].startswith(". ")]
MENTIONED = re.findall(r"`((?:verify-all|verified-mlp) [^`]*)`", TEXT)
IN_CI = "verify-all --sabotage"
"""Takes minutes, so it is not run here."""
EXAMPLE = "verified_mlp/gadgets/majority.py"
"""A file for the reader to write."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which commands find the examples, and can write without harm."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[each for each, _ in COMMANDS])
def test_commands_by_hand(command: str, shown: str, folder: Path) -> None:
    code, printed = run(command, folder)
    assert matches(shown, printed), printed
    assert code == 0


@pytest.mark.parametrize("command", sorted(set(MENTIONED) - {IN_CI}))
def test_commands_that_the_text_mentions(command: str, folder: Path) -> None:
    code, printed = run(command, folder)
    assert (code, printed != "") == (0, True), printed


def test_the_first_commands_are_those_that_ci_runs() -> None:
    """They install the project, so CI runs them, from a fresh clone."""
    ci = read(".ci/run")
    for command, _ in commands(FIRST):
        assert re.search(rf"^{command}\b", ci, re.MULTILINE), command
    assert IN_CI in MENTIONED
    assert "verify-all --plain --sabotage --bits 4 --words 8" in ci
    assert ci.splitlines()[-1] == "make test"


def test_the_demo_is_what_the_makefile_does() -> None:
    """Its last commands, and so its last line, without running them."""
    code, planned = run("make --dry-run demo", ROOT)
    assert code == 0
    proof, program = planned.splitlines()[-2:]
    ((_, shown), _) = commands(FIRST)
    assert proof == ".venv/bin/verify-all"
    assert shown.splitlines()[-2] == program
    code, printed = run(program.removeprefix(".venv/bin/"), ROOT)
    assert (code, printed) == (0, "Hello, world!\n")
    assert shown.endswith(printed)


@pytest.mark.parametrize("target", ["test", "campaign"])
def test_targets_of_the_makefile(target: str) -> None:
    code, planned = run(f"make --dry-run {target}", ROOT)
    assert code == 0, planned
    assert f"`make {target}`" in TEXT


def test_the_library_in_ten_lines(folder: Path) -> None:
    lines = [line for line in PROGRAM.splitlines() if line]
    assert len(lines) <= 10
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == PRINTED


@cache
def figures() -> Any:
    """What `verified-mlp show --json` prints."""
    code, printed = run("verified-mlp show --json", ROOT)
    assert code == 0, printed
    return json.loads(printed)


def test_the_picture_is_what_show_prints() -> None:
    layers = figures()["layers"]
    drawn = [" ".join(re.sub(r"^[|+>-]*", "", line).split()) for line in PICTURE.splitlines()]
    expected = ["stage layer what it does rows nonzeros"]
    for before, this in pairwise([{"stage": ""}, *layers]):
        stage = [this["stage"]] if this["stage"] != before["stage"] else []
        expected.append(
            " ".join(
                [
                    *stage,
                    str(this["index"]),
                    this["note"],
                    f"{this['rows']:,}",
                    f"{this['nonzeros']:,}",
                ]
            )
        )
    assert drawn == expected
    assert len(layers) == 23


def test_the_figures_below_the_picture() -> None:
    found, layers = figures(), figures()["layers"]
    assert (
        f"At {found['bits']} bits x {found['words']} words, the state is a vector of "
        f"{layers[0]['columns']:,} zeros and ones"
    ) in FLAT
    assert layers[-1]["rows"] == layers[0]["columns"]
    assert (
        f"In all {sum(each['nonzeros'] for each in layers):,} non-zero weights, the largest of "
        f"them {max(each['largest_weight'] for each in layers)}; no partial sum of a row, in any "
        f"order and on any state, exceeds {max(each['largest_partial_sum'] for each in layers):,}."
    ) in FLAT


def test_the_examples_are_those_in_the_folder() -> None:
    listed = re.findall(r"^\| `(\w+\.sq)` ", TEXT, re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "examples").glob("*.sq"))


def states(parts: Any) -> int:
    """How many states some parts of the tiny machine have."""
    memories = TINY.modulus**TINY.words
    return sum(
        memories * len(pc) * len(fault) * len(word) * len(ready) for pc, fault, word, ready in parts
    )


def test_the_table_of_claims_is_that_of_the_audit() -> None:
    rows = [f"| {each.claim} | {each.sizes} | {each.by} | {each.where} |" for each in CLAIMS]
    assert "\n".join(["|---|---|---|---|", *rows, ""]) in TEXT
    code, printed = run("verify-all --audit", ROOT)
    assert code == 0
    listed = " ".join(printed.split("VERSIONS")[0].split())
    for each in CLAIMS:
        where = each.where.replace("`", "")
        assert f"- {each.claim} sizes: {each.sizes} by: {each.by} where: {where}" in listed


def test_the_campaign_and_the_part_of_it_in_ci() -> None:
    some, every = states(SOME_STATES), states(EVERY_STATE)
    (random,) = {
        int(each) for each in re.findall(r"count=(\d+)\)", read("tests/test_whole_network.py"))
    }
    small, large = Shape(4, 8), Shape(16, 256)
    few, many = (count(shape, [], Options()) for shape in (small, large))
    usual, long = (settings.get_profile(name).max_examples for name in ("usual", "campaign"))
    rows = [
        f"| states of {TINY} against the step | {some:,}, one in {every // some} | all {every:,} |",
        f"| random steps at 16 bits x 256 words, in float64 "
        f"| {STEPS:,}, one in {EVERY_STEP // STEPS} | {EVERY_STEP:,} |",
        f"| random states at each of {len(SHAPES)} shapes | {random:,}, one in {STATES // random} "
        f"| {STATES:,} |",
        f"| examples of a property-based test that sets no number of its own "
        f"| {usual:,}, one in {long // usual} | {long:,} |",
        f"| changes of one number, by sabotage | {few:,} at {small}, one in {round(many / few)} "
        f"| {many:,} at {large} |",
    ]
    for row in rows:
        assert row in TEXT
    assert f"random and adversarial states at {len(SHAPES)} shapes" in TEXT


def test_the_shapes_that_ci_proves() -> None:
    lists = re.findall(r"^ *for shape in (.*); do$", read(".ci/run"), re.MULTILINE)
    found, some = (re.findall(r'"(\d+) (\d+)"', each) for each in lists)
    assert len(some) == 4
    assert set(some) < set(found)
    assert "and four of these for the constructions `compact`, `five` and `prefetch`" in FLAT
    (first, *rest) = found
    others = ", ".join(" x ".join(each) for each in rest[:-1])
    text = f"at {first[0]} bits x {first[1]} words, {others} and {' x '.join(rest[-1])}"
    assert text in FLAT
    assert [Shape(int(bits), int(words)) for bits, words in found] == bench().VERIFIED


def bench() -> Any:
    """The benchmark script as a module."""
    place = importlib.util.spec_from_file_location("bench", ROOT / "benchmarks" / "bench.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


def test_the_lines_of_the_speed_table_are_those_of_the_benchmark() -> None:
    script = bench()
    labels = [str(shape) for shape in script.VERIFIED]
    labels.append(f"sparse {script.BUILT}")
    labels += [f"{name} {shape}" for name, shapes in script.STEPPED.items() for shape in shapes]
    labels.append("integer interpreter 16 bits x 256 words")
    lines = [line for line in SPEED.splitlines() if line.startswith("  ")]
    assert [re.sub(r" +[\d,.]+ (s|/s)$", "", line).strip() for line in lines] == labels


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_files_that_are_named_exist(name: str) -> None:
    text = read(name)
    named = re.findall(r"`([\w./-]+(?:\.py|\.sq|/))`", text) + re.findall(r"\]\(([\w./-]+)\)", text)
    places = (ROOT, ROOT / "verified_mlp", ROOT / "examples")
    missing = [each for each in named if not any((place / each).exists() for place in places)]
    assert named
    assert set(missing) <= {EXAMPLE}
