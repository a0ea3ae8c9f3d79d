"""The gate: what runs is covered by a certificate that was checked."""

import json
import sqlite3
from dataclasses import replace

import msgspec
import pytest

from proofs import certificate, gate, verify
from proofs.cache import folder
from proofs.certificate import CertificateError, decode, encode
from proofs.results import Report, Verdict
from proofs.verify import Options
from verified_mlp.constructions.paper import paper
from verified_mlp.constructions.registry import Construction
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.affine import Affine

SHAPE = Shape(4, 5)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A cache folder in which 4 bits x 4..10 words are proved."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        report = gate.ensure(SHAPE, Options(jobs=2))
    assert report.passed
    assert not report.known
    return home


@pytest.fixture(autouse=True)
def _at_home(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))


def fail(*_):
    raise AssertionError


def refused(attempt):
    with pytest.raises(CertificateError) as failure:
        attempt()
    return str(failure.value)


def kept():
    return gate.kept(memories(SHAPE))


def test_another_number_of_words_needs_no_proof(monkeypatch):
    for name in ("verify", "check"):
        monkeypatch.setattr(gate, name, fail)
    for words in (4, 5, 10):
        report = gate.ensure(Shape(4, words))
        assert report.known
        assert report.passed
        (instance,) = report.results
        assert instance.obligation.claim == (
            f"the network of 4 bits x {words} words is this one at words = {words}"
        )
    with pytest.raises(AssertionError):
        gate.ensure(Shape(4, 11))


def test_a_network_that_is_no_instance_does_not_pass(monkeypatch):
    other = paper(Shape(4, 6))
    made = Construction("paper", lambda shape: other if shape == SHAPE else paper(shape))
    monkeypatch.setattr(verify, "construction", lambda name: made)
    report = gate.ensure(SHAPE)
    assert not report.passed
    assert report.results[0].verdict is Verdict.REFUTED


def test_a_network_with_one_changed_weight_does_not_pass(tmp_path, monkeypatch):
    changed = next(iter(changed_weights(paper(SHAPE))))
    for options in (Options(), Options(cache=False, jobs=1)):
        report = gate.ensure(SHAPE, options, changed)
        assert not report.passed
        (failed,) = [each for each in report.results if each.verdict is not Verdict.PROVED]
        assert failed.obligation.name == "machine(bits=4, words=4..10)/instance"
        assert failed.detail == (
            "the network states 'sum(0 <= #0 < 4) (4*bit(@0, #0) - 2) pc[#0]', the instance "
            "'sum(0 <= #0 < 4) (2*bit(@0, #0) - 1) pc[#0]'"
        )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not gate.ensure(SHAPE, Options(jobs=1), changed).passed
    assert gate.ensure(SHAPE, Options(jobs=1)).known


def changed_weights(network):
    """The network with the weight of one neuron's term doubled, for every term."""
    for depth, layer in enumerate(network.layers):
        for part in layer.placed:
            for family in part.neurons:
                for term in family.row.terms:
                    twice = replace(term, coefficient=term.coefficient * 2)
                    row = Affine(
                        tuple(twice if each is term else each for each in family.row.terms)
                    )
                    neurons = tuple(
                        replace(each, row=row) if each is family else each for each in part.neurons
                    )
                    placed = tuple(
                        replace(each, neurons=neurons) if each is part else each
                        for each in layer.placed
                    )
                    layers = list(network.layers)
                    layers[depth] = replace(layer, placed=placed)
                    yield replace(network, layers=tuple(layers))


def test_what_was_not_checked_is_checked(monkeypatch):
    """The certificate that is kept has no evidence; the answers are remembered."""
    calls = []
    real = gate.check
    monkeypatch.setattr(gate, "check", lambda *given: calls.append(1) or real(*given))
    assert gate.covered(kept(), SHAPE) == decode(kept())
    assert calls == []
    slower = msgspec.structs.replace(decode(kept()), tools={})
    slower = msgspec.structs.replace(slower, checksum=certificate._checksum(slower))
    assert gate.covered(encode(slower), SHAPE) == slower
    assert calls == [1]
    gate.covered(encode(slower), SHAPE)
    assert calls == [1]


def test_a_change_of_the_source_has_it_checked_again(monkeypatch):
    before = gate._checking(kept())
    monkeypatch.setattr(gate, "version", lambda: "z3 0.0.0")
    assert gate._checking(kept()) != before


def test_a_certificate_about_other_shapes():
    for shape, about in ((Shape(4, 11), "4 bits x 11 words"), (Shape(5, 5), "5 bits x 5 words")):
        assert refused(lambda: gate.covered(kept(), shape)) == (  # noqa: B023
            f"it is about 4 bits x 4..10 words, which {about} is none of."
        )


def test_an_edited_certificate_does_not_pass():
    document = json.loads(kept())
    document["statement"] = "0" * 64
    edited = msgspec.convert(document, certificate.Certificate)
    edited = msgspec.structs.replace(edited, checksum=certificate._checksum(edited))
    assert refused(lambda: gate.covered(encode(edited), SHAPE)).startswith(
        "the network's statement is not what this version of verified-mlp derives"
    )


def test_a_damaged_one_that_is_kept_is_made_anew(monkeypatch):
    whole = kept()
    database = sqlite3.connect(folder() / "answers.sqlite")
    with database:
        changed = database.execute(
            "UPDATE answers SET answer = replace(answer, 'PROVED', 'proved') "
            "WHERE answer LIKE '%certificate%'"
        )
    assert changed.rowcount == 1
    assert kept() == b""
    assert refused(lambda: gate.covered(kept(), SHAPE)).startswith("it is no certificate: ")
    report = gate.ensure(SHAPE, Options(jobs=1))
    assert report.passed
    assert not report.known
    assert decode(kept()).statement == decode(whole).statement


def test_without_the_cache_all_is_proved(monkeypatch):
    seen = []
    monkeypatch.setattr(gate, "covered", fail)
    monkeypatch.setattr(gate, "verify", lambda shape, options: seen.append(options) or Report(4, 5))
    options = Options(cache=False)
    assert gate.ensure(SHAPE, options) == Report(4, 5)
    assert seen == [options]


def test_what_is_not_proved_is_not_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    report = gate.ensure(SHAPE, Options(budget=1, jobs=1))
    assert not report.passed
    assert kept() == b""
    assert replace(report, results=[]).known is False
