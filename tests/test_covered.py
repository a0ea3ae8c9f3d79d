"""What runs: only a network that is proved, or one that is said not to be."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import numeric.machine as front
from numeric.engines import Engine
from numeric.machine import Machine, NotTiedError, NotVerifiedError
from proofs.verify import Options
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.affine import Affine, Term
from verified_mlp.statement.expr import const

SHAPE = Shape(4, 5)
ROOT = Path(__file__).parent.parent
RUN = [Path(sys.executable).parent / "verified-mlp", "run", ROOT / "examples" / "hello.sq"]
SMALL = ["--bits", "8", "--words", "64"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def typed(home, *arguments):
    done = subprocess.run(
        [*RUN, *SMALL, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
    )
    return done.returncode, done.stdout, done.stderr


def with_a_bias(network):
    """The network with the bias of one neuron of its last layer raised by one."""
    *before, last = network.layers
    *others, part = last.placed
    (family,) = part.neurons
    row = Affine((*family.row.terms, Term(const(1), None)))
    part = replace(part, neurons=(replace(family, row=row),))
    return replace(network, layers=(*before, replace(last, placed=(*others, part))))


@pytest.mark.parametrize("engine", ["dense", "sparse", "support"])
def test_a_network_with_one_changed_number_does_not_run(engine, monkeypatch):
    other = with_a_bias(paper(SHAPE))
    with pytest.raises(NotVerifiedError) as failure:
        Machine(SHAPE, engine, network=other)
    assert str(failure.value) == (
        "the network is not verified: machine(bits=4, words=4..10)/instance is REFUTED. Run "
        "verify-all --bits 4 --words 5 to see why."
    )
    if engine != "support":
        machine = Machine(SHAPE, engine, network=other, verified=False)
        assert machine.network is other
        right = Machine(SHAPE, engine, network=paper(SHAPE)).run([0], max_steps=1)
        wrong = machine.run([0], max_steps=1)
        assert right.state != wrong.state


def test_arrays_that_hold_another_number_do_not_run(monkeypatch):
    real = front.build

    def wrong(network, name):
        engine = real(network, name)
        (weights, bias), *layers = engine.layers
        return Engine(engine.name, ((weights, bias + 1), *layers))

    monkeypatch.setattr(front, "build", wrong)
    with pytest.raises(NotTiedError) as failure:
        Machine(SHAPE, "sparse", Options(jobs=1))
    assert str(failure.value) == (
        "the arrays are not what the statement says: layer 1, neuron here[0]: the bias is 1 in "
        "the statement and 2 in the arrays. Report this."
    )


def test_unverified(home):
    code, out, err = typed(home, "--unverified")
    assert (code, out) == (0, "Hello, world!\n")
    assert err == "verified-mlp: nothing says that this network is proved.\n"
    assert list(home.iterdir()) == []


def test_by_a_certificate(home, tmp_path):
    path = tmp_path / "certificate.json"
    proved = subprocess.run(
        [RUN[0].parent / "verify-all", *SMALL, "--plain", "--certificate", path],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
    )
    assert (proved.returncode, proved.stderr) == (0, "")
    assert typed(home, "--certificate", path) == (0, "Hello, world!\n", "")
    path.write_bytes(path.read_bytes().replace(b'"follow"', b'"cases"', 1))
    assert typed(home, "--certificate", path) == (
        4,
        "",
        f"verified-mlp: {path} is refused: it is damaged: its checksum is not that of its "
        "content.\n",
    )
    missing = tmp_path / "missing"
    assert typed(home, "--certificate", missing) == (
        2,
        "",
        f"verified-mlp: cannot read {missing}: No such file or directory. Write it with "
        "verify-all.\n",
    )
    assert typed(home, "--certificate", path, "--unverified") == (
        2,
        "",
        "verified-mlp: --unverified asks for no certificate: leave out one of the two.\n",
    )
