import subprocess
import sys
from pathlib import Path

import pytest

from numeric import machine as front
from numeric.capacity import DoesNotFitError
from numeric.engines import EngineName
from numeric.machine import Machine, NotVerifiedError, check_verified
from numeric.support import SupportName
from proofs.results import Obligation, Report, Result, Verdict
from proofs.verify import Options
from verified_mlp.machine.host import Outcome
from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape

SHAPE = Shape(8, 64)
EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine(SHAPE)


def test_ten_lines(machine: Machine) -> None:
    words = read_image(EXAMPLES / "multiply.sq", SHAPE)
    result = machine.run(words, input=b"6*7")
    assert (result.outcome, result.output, result.fault) == (Outcome.HALTED, b"42\n", "")
    again = machine.run(words, input=b"3*3")
    assert again.output == b"9\n"


def test_a_result_tells_of_a_fault_and_a_limit(machine: Machine) -> None:
    fault = machine.run([64, 0, 0])
    assert (fault.outcome, fault.steps, fault.state.pc) == (Outcome.FAULT, 1, 0)
    assert fault.fault == (
        "fault at pc = 0, A = 64, B = 0, C = 0: A is no address, for the addresses are 0 to 63."
    )
    limit = machine.run([3, 3, 0], max_steps=7)
    assert (limit.outcome, limit.steps, limit.fault) == (Outcome.LIMIT, 7, "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([0] * 65, "mem holds 64 words, not 65."),
        ([0, 256], "mem[1] = 256 is out of range: it is 0 to 255."),
        ([-1], "mem[0] = -1 is out of range: it is 0 to 255."),
    ],
)
def test_words_that_do_not_fit(machine: Machine, words: list[int], sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        machine.run(words)
    assert str(error.value) == sentence


def test_engines_by_name() -> None:
    shape = Shape(4, 8)
    assert Machine(shape, "dense").engine.name is EngineName.DENSE
    assert Machine(shape, engine="sparse").engine.name is EngineName.SPARSE
    with pytest.raises(ValueError) as error:  # noqa: PT011
        Machine(shape, "fast")
    assert str(error.value) == (
        "there is no engine 'fast': choose one of auto, dense, sparse, support, support-numpy."
    )
    assert Machine(shape).engine.name is SupportName.SUPPORT
    assert Machine(shape, "support-numpy").engine.name is SupportName.NUMPY


def test_a_network_that_is_not_proved_is_refused() -> None:
    with pytest.raises(NotVerifiedError) as error:
        Machine(SHAPE, options=Options(budget=1, cache=False))
    text = str(error.value)
    assert text.startswith("the network is not verified: ")
    assert text.endswith(" is UNKNOWN. Run verify-all --bits 8 --words 64 to see why.")


def report(*verdicts: Verdict) -> Report:
    results = [
        Result(Obligation(f"gadget/{at}", "gadget", "", "", "", ""), verdict)
        for at, verdict in enumerate(verdicts)
    ]
    return Report(16, 256, results)


@pytest.mark.parametrize("verdict", [each for each in Verdict if each is not Verdict.PROVED])
def test_the_first_failure_is_named(verdict: Verdict) -> None:
    with pytest.raises(NotVerifiedError) as error:
        check_verified(report(Verdict.PROVED, verdict, Verdict.PROVED, Verdict.ERROR))
    assert str(error.value) == (
        f"the network is not verified: gadget/1 is {verdict}. Run verify-all --bits 16 --words 256 "
        f"to see why."
    )


def test_nothing_proved_is_not_verified() -> None:
    check_verified(report(Verdict.PROVED))
    with pytest.raises(NotVerifiedError) as error:
        check_verified(report())
    assert str(error.value) == (
        "the network is not verified: nothing was proved. Run verify-all --bits 16 --words 256 to "
        "see why."
    )


def test_a_shape_that_does_not_fit_is_refused_before_anything_is_proved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Report:
        raise AssertionError

    monkeypatch.setattr(front.gate, "ensure", fail)
    with pytest.raises(DoesNotFitError, match=r"^the sparse engine needs \d+\.\d GiB of memory"):
        Machine(Shape(64, 2**24), "sparse")
    monkeypatch.setattr(front, "available_bytes", lambda: 2**29 - 1)
    with pytest.raises(DoesNotFitError) as error:
        Machine(Shape(64, 2**24))
    assert str(error.value) == (
        "the support engine needs 0.5 GiB of memory for 64 bits x 16777216 words, but 0.5 GiB are "
        "available: choose fewer words."
    )


MEMORY_RUNS_OUT = """
import resource
from numeric import machine
from numeric.capacity import DoesNotFitError
from verified_mlp.machine.shape import Shape

machine.Machine(Shape(16, 64), "sparse")
used = next(int(line.split()[1]) for line in open("/proc/self/status") if line[:6] == "VmSize")
resource.setrlimit(resource.RLIMIT_AS, (1024 * used + 2**27, -1))
try:
    machine.Machine(Shape(16, 64), "dense")
except DoesNotFitError as error:
    print(error)
"""


def test_memory_that_runs_out_while_the_engine_is_built() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_RUNS_OUT], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("the dense engine needs 0.3 GiB of memory for 16 bits x 64 words")
    assert done.stdout.endswith(": choose the sparse engine or fewer words.\n")
