"""Two networks in lockstep: the same states, and what is said when they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from sample_states import random_states

from numeric.lockstep import AT_ONCE, ApartError, LockstepProcessor
from numeric.machine import Machine
from proofs.verify import Options
from verified_mlp.machine.host import Signals
from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

ROOT = Path(__file__).parent.parent
SHAPE = Shape(16, 64)


def machine(name: str, engine: str = "support") -> Machine:
    return Machine(SHAPE, engine, Options(construction=name), verified=False)


@pytest.mark.parametrize("engine", ["support", "sparse"])
def test_a_program_runs_in_lockstep(engine: str) -> None:
    words = read_image(ROOT / "examples" / "multiply.sq", SHAPE)
    sink = BytesIO()
    beside = machine("compact", engine)
    host = machine("paper").host(words, BytesIO(b"6*7"), sink, beside=beside)
    host.run()
    alone = machine("paper").run(words, b"6*7")
    assert (sink.getvalue(), host.steps) == (alone.output, alone.steps)
    assert host.processor.state() == alone.state


class Counter:
    """A processor whose pc counts its passes; from pass `wrong` on, it writes to its memory."""

    def __init__(self, wrong: int = 2**62) -> None:
        self.passes, self.wrong, self.words = 0, wrong, []

    words: list[int]

    def signals(self) -> Signals:
        return Signals(self.passes, 0, 0, 0, 0)

    def advance(self, passes: int = 1) -> int:
        self.passes += passes
        return passes

    def give(self, word: int) -> None:
        self.words.append(word)

    def state(self) -> State:
        return State([0, 0, int(self.passes >= self.wrong), 0], pc=self.passes)


def test_a_difference_is_named_after_the_comparison_that_sees_it() -> None:
    pair = LockstepProcessor(Counter(), Counter(wrong=AT_ONCE + 5), ("paper", "compact"))
    assert pair.advance(10**6) == AT_ONCE
    assert pair.advance(4) == 4
    with pytest.raises(ApartError) as failure:
        pair.advance(1)
    assert str(failure.value) == (
        f"lockstep: after {AT_ONCE + 5} passes mem[2] is 0 by paper and 1 by compact. "
        "Please report it."
    )


def test_both_take_the_input() -> None:
    first, second = Counter(), Counter()
    LockstepProcessor(first, second, ("paper", "compact")).give(7)
    assert first.words == second.words == [7]


def test_random_states_stay_together() -> None:
    words = State(mem=[0] * SHAPE.words)
    for state in [words, *random_states(SHAPE, 3, 30)]:
        pair = machine("paper").host(
            [], BytesIO(), BytesIO(), state=state, beside=machine("compact")
        )
        pair.processor.advance(1)


def typed(home: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "verified-mlp"), *words],
        capture_output=True,
        timeout=300,
        check=False,
        text=True,
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
        input="6*7",
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command(tmp_path: Path) -> None:
    program = "examples/multiply.sq"
    both = ("--construction", "compact", "--lockstep", "paper")
    assert typed(tmp_path, "run", program, "--words", "64", *both) == (0, "42\n", "")
    assert typed(tmp_path, "run", program, "--lockstep", "paper") == (
        2,
        "",
        "verified-mlp: --lockstep paper is the network itself: name another construction.\n",
    )
    code, out, err = typed(tmp_path, "run", program, "--lockstep", "deep")
    assert (code, out) == (2, "")
    assert err.startswith("verified-mlp: there is no construction 'deep': choose paper")
    assert typed(tmp_path, "run", program, "--lockstep", "compact", "--batch", ".") == (
        2,
        "",
        "verified-mlp: --batch makes many runs, and --lockstep is for one: leave out one.\n",
    )
