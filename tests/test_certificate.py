"""Certificates: what is recorded is derived anew, and anything else is refused."""

import copy
import json
import random
from dataclasses import replace
from functools import cache

import msgspec
import pytest

from proofs import certificate as module
from proofs.certificate import Certificate, CertificateError, check, decode, encode, make
from proofs.collect_evidence import collect
from proofs.evidence import Model, Refutation
from proofs.results import Answer, Verdict
from proofs.solver import version
from proofs.verify import Options, gadgets, obligations, run
from verified_mlp.machine.shape import Shape, memories

SHAPE = Shape(4, 5)
FEW = ["block_carries(bits=4)", "is_zero(bits=4)", "not", "or", "threshold"]
"""Gadgets that need no others, the whole being the last of them."""

OPTIONS = Options(jobs=2, queries=True)


@pytest.fixture(scope="module")
def results():
    return list(run(SHAPE, obligations(SHAPE), OPTIONS))


@pytest.fixture(scope="module")
def evidence(results):
    queries = [query for each in results for query in each.queries or ()]
    found = dict(collect(queries, OPTIONS))
    assert None not in found.values()
    return found


@pytest.fixture(scope="module")
def whole(results, evidence):
    return make(SHAPE, results, [version()], evidence)


@pytest.fixture
def few(monkeypatch, results, evidence):
    """A certificate about a few gadgets, which takes no time to check."""
    chosen = [each for each in gadgets(memories(SHAPE)) if each.title in FEW]
    monkeypatch.setattr(module, "gadgets", lambda family, how: chosen)
    monkeypatch.setattr(module, "definitions_digest", cache(module.definitions_digest))
    stated = module.digest(module.CONSTRUCTIONS["paper"].network(memories(SHAPE)))
    monkeypatch.setattr(module, "digest", lambda network: stated)
    return make(SHAPE, results, [version()], evidence)


def signed(certificate):
    """The certificate with a checksum that fits."""
    return msgspec.structs.replace(certificate, checksum=module._checksum(certificate))


def refused(attempt):
    with pytest.raises(CertificateError) as failure:
        attempt()
    return str(failure.value)


# A certificate that is right.


def test_it_is_accepted_without_a_solver(whole):
    seen = []
    checked = check(decode(encode(whole)), None, seen.append)
    assert seen == [each.title for each in gadgets(memories(SHAPE))]
    assert str(checked.family) == "4 bits x 4..10 words"
    assert checked.by_evidence == checked.queries > 350
    assert checked.by_solver == []
    assert (
        checked.obligations == len(obligations(SHAPE)) - 1 == sum(map(len, whole.proofs.values()))
    )


def test_it_is_the_same_for_every_number_of_words(results, evidence, whole):
    assert make(Shape(4, 9), results, [version()], evidence) == whole
    with pytest.raises(ValueError, match="is not proved, so there is nothing to certify"):
        make(Shape(4, 11), results, [version()], evidence)


def test_what_is_not_proved_is_not_certified(results):
    for worse in (
        results[:-2],
        [replace(results[0], verdict=Verdict.UNKNOWN), *results[1:]],
    ):
        with pytest.raises(ValueError, match="is not proved, so there is nothing to certify"):
            make(SHAPE, worse, [version()], {})


def test_a_query_without_evidence_is_asked_again(few):
    bare = signed(msgspec.structs.replace(few, evidence={}))
    assert refused(lambda: check(bare, None)) == (
        "a query of block_carries(bits=4)/reach has no evidence, and no solver is to be trusted."
    )
    from proofs.solver import solve

    checked = check(bare, lambda text: solve(text, 10**6, 60))
    assert (checked.by_evidence, len(checked.by_solver)) == (0, checked.queries)
    liar = Answer("sat", 0, 0, {})
    assert refused(lambda: check(bare, lambda text: liar)).startswith(
        "block_carries(bits=4)/reach is UNKNOWN: reach, base: the goal does not follow"
    )


# What is recorded must be what comes out.


def changed(certificate, path, value):
    """The certificate with the value at a path of its JSON document changed, and signed."""
    document = json.loads(msgspec.json.encode(certificate))
    *outer, last = path
    at = document
    for key in outer:
        at = at[key]
    at[last] = value
    return signed(msgspec.convert(document, Certificate))


WRONG = {
    ("theorem",): ("2 + 2 = 4", "its theorem is not what"),
    ("construction",): ("other", "its construction is not what"),
    ("statement",): ("0" * 64, "the network's statement is not what"),
    ("definitions",): ("0" * 64, "the definitions is not what"),
    ("bits",): (5, "no theorem is about 5 bits and 4 to 10 words: no family of shapes has this"),
    ("words",): ([4, 11], "no theorem is about 4 bits and 4 to 11 words: no family of shapes has"),
    ("proofs", "not", 0, "verdict"): ("REFUTED", "the verdict of not/specification is not what"),
    ("proofs", "not", 0, "claim"): ("all is well", "the claim of not/specification is not what"),
    ("proofs", "not", 0, "rule"): ("follow", "the derivation of not/specification is not what"),
    ("proofs", "or", 1, "name"): ("or/more", "the list of obligations of or is not what"),
    ("proofs", "or", 0, "rests_on"): (["not"], "the derivation of or/specification is not what"),
    ("proofs", "or", 0, "asked", 0, 0): ("0", "the list of queries of or/specification is not"),
    ("proofs", "or", 0, "asked", 0, 1): ("unsat", "the list of queries of or/specification is"),
}


@pytest.mark.parametrize("path", WRONG, ids=lambda path: ".".join(map(str, path)))
def test_a_record_that_is_not_what_comes_out(few, path):
    value, beginning = WRONG[path]
    sentence = refused(lambda: check(changed(few, path, value), None))
    assert sentence.startswith(beginning)
    if "is not what" in beginning:
        assert sentence.endswith(
            "is right. The certificate is of another version, or it was changed."
        )


def test_a_gadget_left_out_or_added(few):
    lacking = dict(few.proofs)
    del lacking["or"]
    for proofs in (lacking, {**few.proofs, "more": few.proofs["or"]}):
        other = signed(msgspec.structs.replace(few, proofs=proofs))
        assert refused(lambda: check(other, None)).startswith(  # noqa: B023
            "the list of gadgets is not what this version of verified-mlp derives"
        )


def test_evidence_for_something_else(few):
    extra = signed(msgspec.structs.replace(few, evidence={**few.evidence, "0": Model()}))
    assert refused(lambda: check(extra, None)) == (
        "it has evidence for a query that is not asked: 0."
    )


def test_a_thousand_corruptions(few):
    """Changes at random places; those of times, resources and tools change no meaning."""
    document = json.loads(msgspec.json.encode(few))
    leaves = [path for path in paths(document) if meaningful(path)]
    generator = random.Random(0)
    kinds = set()
    for _ in range(1000):
        path = generator.choice(leaves)
        value = at(document, path)
        other = copy.deepcopy(document)
        at(other, path[:-1])[path[-1]] = corrupted(value, generator)
        kinds.add(path[0])
        try:
            certificate = signed(msgspec.convert(other, Certificate))
        except msgspec.ValidationError:
            continue
        assert refused(lambda: check(certificate, None)), path  # noqa: B023
    assert kinds >= {"proofs", "statement", "bits", "words", "theorem", "definitions"}


def paths(document, path=()):
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from paths(value, (*path, key))
    else:
        yield path


def meaningful(path):
    """Evidence has corruptions of its own, see test_find_evidence; a schema is seen to earlier."""
    informal = {"milliseconds", "resources", "tools", "checksum", "schema", "evidence"}
    return not informal & set(path) and path[-4:-3] != ("asked",)


def at(document, path):
    for key in path:
        document = document[key]
    return document


def corrupted(value, generator):
    if isinstance(value, int):
        return value + generator.choice([-1, 1, 7])
    place = generator.randrange(len(value) + 1)
    other = value[:place] + generator.choice("0aZ ") + value[place + generator.randrange(2) :]
    return other if other != value else value + "0"


# The file.


def test_one_flipped_bit_anywhere_is_noticed(whole):
    content = encode(whole)
    assert decode(content) == whole
    generator = random.Random(1)
    for _ in range(400):
        place, bit = generator.randrange(len(content)), generator.randrange(8)
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        refused(lambda: decode(bytes(flipped)))  # noqa: B023


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is no certificate: Input data was truncated."),
        (b"[]", "it is no certificate: Expected `object`, got `array`."),
        (b"{}", "it is no certificate: Expected `int`, got `null`."),
        (
            b'{"schema":2}',
            "it is a certificate of schema 2, and this version reads schema 1: make it anew with "
            "verify-all.",
        ),
        (
            b'{"schema":1}',
            "it is no certificate: Object missing required field `theorem`.",
        ),
    ],
)
def test_what_is_no_certificate(content, sentence):
    assert refused(lambda: decode(content)) == sentence


def test_a_changed_file_is_damaged(few):
    damaged = "it is damaged: its checksum is not that of its content."
    content = encode(few)
    assert refused(lambda: decode(content + b" ")) == damaged
    other = msgspec.structs.replace(few, bits=5)
    assert refused(lambda: decode(encode(other))) == damaged


def test_a_certificate_of_a_changed_network_is_refused(monkeypatch, results, evidence):
    """Made with care: its statement is that of the changed network, its verdicts say PROVED."""
    from verified_mlp.constructions.paper import paper
    from verified_mlp.constructions.registry import Construction
    from verified_mlp.statement.digest import digest

    family = memories(SHAPE)
    other = paper(Shape(4, 6))
    changed = Construction("paper", lambda dimensions: other)
    monkeypatch.setattr(module, "CONSTRUCTIONS", {"paper": changed})
    made = make(SHAPE, results, [version()], evidence)
    assert made.statement == digest(other) != digest(paper(family))
    monkeypatch.undo()
    assert refused(lambda: check(decode(encode(made)), None)).startswith(
        f"the network's statement is not what this version of verified-mlp derives: {digest(other)}"
    )


def test_every_kind_of_evidence_is_there(whole):
    kinds = {type(each) for each in whole.evidence.values()}
    assert kinds == {Model, Refutation}
