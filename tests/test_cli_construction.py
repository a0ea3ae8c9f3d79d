"""`--construction` of `verify-all` and of `verified-mlp show`, as typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from verified_mlp.constructions.compact import compact
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.digest import digest

FOLDER = Path(sys.executable).parent
PATIENCE = 120
"""Seconds after which a test gives up."""
SMALL = ("--bits", "4", "--words", "5")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def typed(home: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(FOLDER / words[0]), *words[1:]],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
    )
    return done.returncode, done.stdout, done.stderr


def test_verify_all_proves_it_and_its_certificate_is_checked(home: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "c.json")
    words = ("verify-all", "--construction", "compact", *SMALL, "--certificate", file)
    code, out, err = typed(home, *words)
    assert (code, err) == (0, "")
    assert out.splitlines()[-2 if "evidence" in out.splitlines()[-1] else -1] == (
        "PROVED: one pass of the 6-layer network at 4 bits x 5 words is one SUBLEQ step, for every "
        "state and at every number of words from 4 to 10, and every gadget meets its specification "
        "on its whole domain."
    )
    assert "PROVED   machine(bits=4, words=4..10, construction=compact)/instance" in out
    assert json.loads(Path(file).read_text())["construction"] == "compact"
    code, out, err = typed(home, "check-certificate", file)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith(
        "ACCEPTED: one pass of the 6-layer network at 4 bits x 4..10 words is one step of "
    )
    text = Path(file).read_text().replace('"compact"', '"paper"')
    Path(file).write_text(text)
    code, _, err = typed(home, "check-certificate", file)
    assert code == 1
    assert "damaged" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "verify-all --construction deep",
            "verify-all: there is no construction 'deep': choose paper, compact, five, prefetch or "
            "single.",
        ),
        (
            "verify-all --construction compact --audit",
            "verify-all: --construction compact does not go with --audit, which is about the "
            "construction paper or about none: give one of the two.",
        ),
        (
            "verify-all --construction compact --module mine.py",
            "verify-all: --construction compact does not go with --module, which is about the "
            "construction paper or about none: give one of the two.",
        ),
        (
            "verify-all --construction compact --bits 4 --words 5 --only word_sums",
            "verify-all: no obligation is called 'word_sums'; did you mean 'word_sum'? List them "
            "with verify-all --construction compact --list.",
        ),
        (
            "verified-mlp show --construction deep",
            "verified-mlp: there is no construction 'deep': choose paper, compact, five, prefetch "
            "or single.",
        ),
        (
            "verified-mlp show --construction compact --layer 7",
            "verified-mlp: layer 7 does not exist: choose 1 to 6.",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(home: Path, words: str, sentence: str) -> None:
    assert typed(home, *words.split()) == (2, "", f"{sentence}\n")


def test_the_list_is_that_of_the_construction(home: Path) -> None:
    lists = {}
    for name in ("paper", "compact"):
        code, out, _ = typed(home, "verify-all", "--construction", name, *SMALL, "--list")
        assert code == 0
        lists[name] = out
    assert lists["paper"] == typed(home, "verify-all", *SMALL, "--list")[1]
    assert "word_sum(bits=4)/specification" in lists["compact"]
    assert "word_sum" not in lists["paper"]


def test_show_has_the_layers_of_the_construction(home: Path) -> None:
    shape = Shape(4, 5)
    for name, network in (("paper", paper(shape)), ("compact", compact(shape))):
        code, out, err = typed(
            home, "verified-mlp", "show", "--construction", name, *SMALL, "--json"
        )
        assert (code, err) == (0, "")
        figures = json.loads(out)
        assert len(figures["layers"]) == len(network.layers)
        assert figures["digest"] == digest(network)
    words = ("verified-mlp", "show", "--construction", "compact", *SMALL, "--layer", "6")
    assert "keep every word but one, set that one" in typed(home, *words)[1].splitlines()[0]


@pytest.mark.parametrize("command", ["verify-all", "verified-mlp run echo.sq", "verified-mlp show"])
def test_a_construction_that_is_not_built_at_a_shape_is_refused(home: Path, command: str) -> None:
    (home / "echo.sq").write_text("0 0 -1\n")
    words = (*command.replace("echo.sq", str(home / "echo.sq")).split(), "--construction", "single")
    code, out, err = typed(home, *words, "--bits", "16", "--words", "256")
    assert (code, out) == (2, "")
    assert err == (
        f"{words[0]}: the construction single is for at most 5 words of 5 bits, not 16 bits x 256 "
        "words: every neuron of one case of an instruction reads those of all cases, so the number "
        "of weights grows with the sixth power of the number of words; choose a smaller shape or "
        "another construction.\n"
    )


def test_a_program_runs_on_a_single_layer(home: Path) -> None:
    """mem[3] becomes 1 - 2, and the program halts at 8."""
    (home / "tiny.sq").write_text("4 3 8 1 2\n")
    size = ("--bits", "4", "--words", "5")
    for how in ("paper", "single"):
        words = ("verified-mlp", "run", str(home / "tiny.sq"), "--construction", how, *size)
        assert typed(home, *words, "--unverified") == (
            0,
            "",
            "verified-mlp: nothing says that this network is proved.\n",
        )
