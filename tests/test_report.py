"""The command `verified-mlp report` and what it writes; the page at work is test_report_browser."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import browser
import msgspec
import numpy as np
import pytest
import scipy.sparse as sp
from documents import ROOT, blocks, commands, matches, read
from hypothesis import given
from hypothesis import strategies as st
from typed import run_typed

from numeric.engines import EngineName, build
from numeric.machine import Machine, NotVerifiedError
from numeric.report import evidence
from numeric.report.content import (
    MOST_BITS,
    MOST_WORDS,
    Content,
    ReportError,
    check_construction,
    content,
)
from numeric.report.page import SCRIPTS, asset, page, script
from numeric.report.prose import to_html
from numeric.report.weights import decoded, encoded
from proofs import gate, verify
from proofs.certificate import _checksum, decode, encode
from proofs.description import describe
from proofs.results import Report
from proofs.verify import Options
from verified_mlp.cli import machines
from verified_mlp.cli import report as command
from verified_mlp.cli.shell import UserError
from verified_mlp.constructions.registry import CONSTRUCTIONS, construction
from verified_mlp.machine.image_formats import Format
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.evaluate import matrix

COMMAND = Path(sys.executable).parent / "verified-mlp"
SHAPE = Shape(4, 5)
SMALL = ("--bits", "4", "--words", "5")
HALT = "3 3 -1\n"
SUMS = [name for name, how in CONSTRUCTIONS.items() if not (how.forms or how.prefetched)]
# A network with neurons for every case takes long to prove.
HOWS = [
    pytest.param(name, marks=pytest.mark.slow if how.forms else ())
    for name, how in CONSTRUCTIONS.items()
    if not how.prefetched
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("halt.sq").write_text(HALT)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    return partial(run_typed, monkeypatch, capsys, "report")


@pytest.fixture
def refusal(typed: Any) -> Any:
    """The one sentence of a refusal, which writes nothing."""

    def refused(*arguments: str, code: int = 2) -> str:
        before = sorted(Path().rglob("*"))
        found, out, err = typed(*arguments)
        assert (found, out) == (code, ""), err
        assert sorted(Path().rglob("*")) == before
        name, sentence = err.split(": ", 1)
        assert name == "verified-mlp"
        return str(sentence[:-1])

    return refused


@cache
def report(how: str = "paper", shape: Shape = SHAPE) -> Content:
    options = Options(construction=how)
    certificate = evidence.certificate_of(shape, options)
    return content(Machine(shape, "sparse", options), certificate, [])


@cache
def text(how: str = "paper") -> str:
    return page(report(how))


def data(html: str) -> Any:
    (found,) = re.findall(r'id="data">(.*?)</script>', html, re.DOTALL)
    return json.loads(found)


class Tags(HTMLParser):
    """All tags with their attributes, and what a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.seen: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.seen.append(data)


def seen(html: str) -> str:
    return " ".join(" ".join(Tags(html).seen).split())


def test_as_typed() -> None:
    done = subprocess.run(
        [COMMAND, "report", *SMALL, "--html", "a.html", "halt.sq"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    html = Path("a.html").read_bytes()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"a.html: {len(html):,} bytes\n"
    found = data(html.decode())
    assert found["programs"] == [
        {"name": "halt.sq", "words": [3, 3, 15], "labels": [], "input": []}
    ]
    assert [found["network"][name] for name in ("construction", "bits", "words")] == ["paper", 4, 5]


def test_a_source_with_its_labels_and_input(typed: Any) -> None:
    Path("given").write_bytes(b"a\xff")
    shutil.copy(ROOT / "examples" / "echo.asm", ".")
    arguments = ("--bits", "8", "--words", "64", "--input", "given", "--html", "a.html")
    code, _, err = typed("echo.asm", "halt.sq", *arguments, "--construction", "compact")
    assert (code, err) == (0, "")
    found = data(Path("a.html").read_text(encoding="utf-8"))
    echo, halt = found["programs"]
    assert echo["labels"] == [["byte", 15], ["minus", 17], ["next", 0], ["one", 16], ["zero", 18]]
    assert echo["input"] == halt["input"] == [97, 255]
    assert found["network"]["construction"] == "compact"
    state = found["network"]["state"]
    assert state["encoded"]["mem"] == "keep"
    weights, bias = decoded(state["weights"], state["rows"], state["columns"], state["nonzeros"])
    mem = weights[: 64 * 8].toarray()
    assert np.array_equal(mem[:, : 2 * 64 * 8], np.hstack([np.eye(64 * 8)] * 2))
    assert not mem[:, 2 * 64 * 8 :].any()
    assert not bias.any()


def test_without_a_program_it_is_hello(typed: Any) -> None:
    inside = ROOT / "numeric" / "report" / "assets" / "hello.asm"
    assert inside.read_text() == (ROOT / "examples" / "hello.asm").read_text()
    code, _, err = typed("--bits", "8", "--words", "64", "--html", "a.html")
    assert (code, err) == (0, "")
    (program,) = data(Path("a.html").read_text(encoding="utf-8"))["programs"]
    assert program["name"] == "hello.asm"
    assert bytes(program["words"]).count(b"Hello, world!\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("halt.sq", "there is nothing to write: add --html FILE."),
        (
            "--html a --bits 3",
            "bits = 3 is out of range: choose 4 to 64 bits a word.",
        ),
        (
            "--html a --words 257",
            "a page executes networks up to 16 bits x 256 words, and this one has 16 bits x 257 "
            "words: choose fewer with --bits and --words, or use verified-mlp debug.",
        ),
        (
            "--html a --bits 17",
            "a page executes networks up to 16 bits x 256 words, and this one has 17 bits x 256 "
            "words: choose fewer with --bits and --words, or use verified-mlp debug.",
        ),
        (
            "--html a --construction deep",
            "there is no construction 'deep': choose paper, ",
        ),
        ("--html a none.sq", "cannot read the image none.sq: No such file or directory."),
        (
            "--html a --input none halt.sq",
            "cannot read none: No such file or directory. Choose another file.",
        ),
        ("--html halt.sq halt.sq", "halt.sq is a program: choose another file for the page."),
        (
            "--html no/a halt.sq",
            "cannot write no/a: No such file or directory. Choose another file.",
        ),
        (
            "--html a --certificate none halt.sq",
            "cannot read none: No such file or directory. Write it with verify-all.",
        ),
        (
            "--html a --bits 4 --words 4 long.sq",
            "long.sq, line 1, word 5: the image has more words than the memory, which holds 4. "
            "Choose more words of memory or a shorter image.",
        ),
    ],
    ids=[
        "no file", "bits", "too many words", "too many bits", "construction", "no program",
        "no input", "over the program", "no folder", "no certificate", "too long a program",
    ],
)  # fmt: skip
def test_what_cannot_be_done(refusal: Any, arguments: str, sentence: str) -> None:
    Path("long.sq").write_text("1 2 3 4 5")
    found = refusal(*arguments.split())
    assert found == sentence if sentence.endswith(".") else found.startswith(sentence)


def test_a_network_that_is_not_proved_has_no_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The solver gives up at once; nothing was proved before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    hopeless = Options(budget=1)
    with pytest.raises(NotVerifiedError):
        evidence.certificate_of(SHAPE, hopeless)
    for module in (machines, command):
        monkeypatch.setattr(module, "options_of", lambda _: hopeless)
    with pytest.raises(UserError) as error:
        command.report([Path("halt.sq")], Path("a.html"), 4, 5, Format.DECIMAL, "paper", None, None)
    assert error.value.code == 4
    assert re.fullmatch(
        r"the network is not verified: \S.* is UNKNOWN\. Run verify-all --bits 4 --words 5 to see "
        r"why\.",
        str(error.value),
    )
    assert not Path("a.html").exists()
    assert capsys.readouterr().out == ""


def test_a_network_that_is_no_instance_of_what_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = evidence.certificate_of(SHAPE, Options())
    paper = CONSTRUCTIONS["paper"]
    other = paper.network(Shape(4, 6))
    made = replace(paper, network=lambda shape: other if shape == SHAPE else paper.network(shape))
    monkeypatch.setattr(verify, "construction", lambda _: made)
    with pytest.raises(NotVerifiedError, match=r"machine\(bits=4, words=4..10\)/instance"):
        evidence.proof(certificate, SHAPE)


def test_a_certificate_that_was_changed_is_refused(refusal: Any) -> None:
    whole = evidence.certificate_of(SHAPE, Options())
    edited = msgspec.structs.replace(whole, statement="0" * 64)
    edited = msgspec.structs.replace(edited, checksum=_checksum(edited))
    Path("edited").write_bytes(encode(edited))
    found = refusal(*SMALL, "--html", "a", "--certificate", "edited", "halt.sq", code=4)
    assert found.startswith("edited is refused: the network's statement is not what this version")
    Path("right").write_bytes(encode(whole))
    found = refusal("--bits", "5", "--words", "5", "--html", "a", "--certificate", "right",
                    "halt.sq", code=4)  # fmt: skip
    assert found == (
        "right is refused: it is about 4 bits x 4..10 words, which 5 bits x 5 words is none of."
    )


def test_a_certificate_with_evidence(tmp_path: Path) -> None:
    """What it says of evidence is counted in the certificate that is given."""
    whole = evidence.certificate_of(SHAPE, Options())
    bare = evidence.proof(whole, SHAPE)
    key = next(a.text for found in whole.proofs.values() for each in found for a in each.asked)
    # A page is made of checked certificates only; here the count alone is looked at.
    some = msgspec.structs.replace(whole, evidence={key: None})  # type: ignore[dict-item]
    asked = [a.text for found in whole.proofs.values() for each in found for a in each.asked]
    assert evidence.proof(some, SHAPE).by_evidence == asked.count(key)
    assert bare.by_evidence == 0
    assert bare.queries == len(asked)


def test_where_no_certificate_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what is proved for this report is certified."""
    usual = evidence.certificate_of(SHAPE, Options())
    monkeypatch.setattr(gate, "kept", lambda *_: b"")
    monkeypatch.setattr(gate, "ensure", lambda *_: Report(4, 5, [], known=True))
    tried: list[Options] = []
    real = verify.verify

    def counted(shape: Shape, options: Options) -> Report:
        tried.append(options)
        return real(shape, options)

    monkeypatch.setattr(verify, "verify", counted)
    found = evidence.certificate_of(SHAPE, Options())
    assert (found.statement, list(found.proofs)) == (usual.statement, list(usual.proofs))
    assert tried == [Options(queries=True)]


# What is in the page


def test_a_construction_that_prefetches_is_refused() -> None:
    with pytest.raises(ReportError) as error:
        check_construction(construction("prefetch"))
    assert str(error.value) == (
        "a page cannot make the vector of a state for the construction prefetch, which holds words "
        "besides the state: choose another construction."
    )


@pytest.mark.parametrize("how", HOWS)
def test_the_page_says_what_the_certificate_says(how: str) -> None:
    shown = seen(text(how))
    certificate = decode(gate.kept(memories(SHAPE), how))
    assert gate.covered(encode(certificate), SHAPE, Options(construction=how)) == certificate
    layers = len(CONSTRUCTIONS[how].network(SHAPE).layers)
    assert (
        f"PROVED: one pass of the {layers}-layer network at 4 bits x 5 words is one SUBLEQ step, "
        "for every state, and every gadget meets its specification on its whole domain."
    ) in shown
    for fact in (certificate.statement, certificate.definitions, certificate.checksum):
        assert fact in shown
    assert certificate.theorem in shown
    assert f"proved for {certificate.bits} bits x 4 to 10 words" in shown
    for name, number in certificate.tools.items():
        assert f"{name} {number}" in shown
    solver = certificate.proofs["carry"][0].asked[0].solvers
    assert f"solvers {', '.join(solver)}" in shown
    for sentence in certificate.assumed:
        assert " ".join(sentence.split()).replace("`", "") in shown.replace("`", "")


@pytest.mark.parametrize("how", HOWS)
def test_every_obligation_is_in_the_table(how: str) -> None:
    html = text(how)
    certificate = decode(gate.kept(memories(SHAPE), how))
    stated = {each.name: each for each in verify.obligations(SHAPE, how=how)}
    table = html.partition('id="proof-rows">')[2].partition("</tbody>")[0]
    rows = re.findall(
        r"<tr><td><code>(.*?)</code><small>(.*?)</small></td>\s*<td class=\"badge\">(.*?)</td>"
        r"<td>(.*?)</td>.*?data-label=\"queries:\">(.*?)</td>.*?>([\d.]+) s</td></tr>",
        table,
        re.DOTALL,
    )
    found = [tuple(map(unescape, row)) for row in rows]
    expected = [
        (each.name, each.claim, "PROVED", stated[each.name].method, f"{len(each.asked)}",
         f"{each.milliseconds / 1000:.3f}")
        for lemmas in certificate.proofs.values()
        for each in lemmas
    ]  # fmt: skip
    assert found[:-1] == expected
    assert {row[0] for row in found} == set(stated)
    assert found[-1][1] == "the network of 4 bits x 5 words is this one at words = 5"


@pytest.mark.parametrize("how", HOWS)
def test_every_gadget_is_shown(how: str) -> None:
    """With formula, source, domain, documentation, lemmas, and its exact matrices."""
    html, shown = text(how), seen(text(how))
    gadgets = describe(SHAPE, how)
    known = {gadget.title: gadget for gadget in verify.gadgets(SHAPE, how)}
    assert [each.title for each in gadgets] == list(decode(gate.kept(memories(SHAPE), how)).proofs)
    given_data = data(html)["gadgets"]
    for each, carried in zip(gadgets, given_data, strict=True):
        assert f"<b>{each.title}</b>" in html
        for part in (each.formula, each.domain, each.source):
            assert " ".join(part.split()) in shown
        assert to_html(each.prose) in html
        assert each.prose
        assert carried["example"] == each.example
        gadget = known[each.here]
        expected = 0 if gadget.name == "machine" else len(gadget.network.layers)
        assert len(carried["layers"]) == expected
        for depth, layer in enumerate(carried["layers"]):
            weights, bias = matrix(gadget.network, depth, each.example)
            entries = {(row, column): Fraction(x) for row, column, x in layer["matrix"]["entries"]}
            exact = {at: Fraction(str(entry)) for at, entry in weights.todok().items()}
            assert entries == exact
            assert [Fraction(x) for x in layer["matrix"]["bias"]] == [
                Fraction(str(entry)) for entry in bias
            ]
            assert (layer["matrix"]["height"], layer["matrix"]["width"]) == weights.shape


def test_case_tables_are_tables() -> None:
    tables = text().count("<table>")
    assert tables >= sum("|--" in each.prose for each in describe(SHAPE)) > 10
    assert to_html("A `b` < c\nd.\n\n- x\n- y\n\n| a | b |\n| 1 | 2 |\n\nP\n    q") == (
        "<p>A <code>b</code> &lt; c d.</p><ul><li>x</li><li>y</li></ul>"
        "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table><p>P q</p>"
    )


@pytest.mark.parametrize(
    ("how", "shape"),
    [(how, SHAPE) for how in SUMS] + [("paper", Shape(8, 64))],
    ids=lambda each: str(each).replace(" ", ""),
)
def test_the_weights_are_those_of_the_engine(how: str, shape: Shape) -> None:
    found = msgspec.to_builtins(report(how, shape).network)
    network = CONSTRUCTIONS[how].network(shape)
    engine = build(network, EngineName.SPARSE)
    assert len(found["layers"]) == len(engine.layers)
    for layer, (weights, bias), stated in zip(
        found["layers"], engine.layers, network.layers, strict=True
    ):
        assert (layer["rows"], layer["columns"]) == weights.shape
        read, read_bias = decoded(
            layer["weights"], layer["rows"], layer["columns"], layer["nonzeros"]
        )
        assert abs(read - weights).nnz == 0
        assert read.nnz == weights.nnz == layer["nonzeros"]
        assert np.array_equal(read_bias, bias)
        assert [each["name"] for each in layer["families"]] == [
            family.name for family in stated.neurons
        ]
    assert [each["name"] for each in found["inputs"]] == [each.name for each in network.inputs]


@given(st.integers(1, 6), st.integers(1, 300), st.randoms(use_true_random=False))
def test_any_layer_comes_back(rows: int, columns: int, random: Any) -> None:
    dense = np.array(
        [[random.choice([0, 0, 0, 1, -0.5, 2**40]) for _ in range(columns)] for _ in range(rows)]
    )
    bias = np.array([random.randint(-(2**50), 2**50) / 4 for _ in range(rows)])
    weights = sp.csr_array(dense)
    read, read_bias = decoded(encoded(weights, bias), rows, columns, weights.nnz)
    assert np.array_equal(read.toarray(), dense)
    assert np.array_equal(read_bias, bias)


def test_an_engine_or_a_shape_for_which_there_is_no_page() -> None:
    certificate = evidence.certificate_of(SHAPE, Options())
    with pytest.raises(ReportError, match=r"^a page needs the engine sparse, not support\.$"):
        content(Machine(SHAPE), certificate, [])
    assert (MOST_BITS, MOST_WORDS) == (16, 256)


# That it is one file


@pytest.mark.parametrize("how", HOWS)
def test_it_needs_nothing_else(how: str) -> None:
    """No address of anything outside, in the text or in the code."""
    html = text(how)
    assert not re.search(r"(https?|ftp|wss?)://|//[a-z]+\.[a-z]", html)
    for tag, attributes in Tags(html).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form") or (
            tag == "form" and "action" not in attributes
        )
        assert not set(attributes) & {
            "src",
            "srcset",
            "action",
            "formaction",
            "style",
            "background",
        }
        assert all(not name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    ids = [attributes["id"] for _, attributes in Tags(html).tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for _, attributes in Tags(html).tags:
        assert (attributes.get("href") or "#")[1:] in ("", *ids)
    style, code = asset("page.css"), script()
    assert "url(" not in style
    assert "@import" not in style
    for way in ("fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "import "):
        assert way not in code


def test_the_policy_forbids_all_but_the_style_and_the_program_in_it() -> None:
    html = text()
    (policy,) = [
        attributes["content"]
        for tag, attributes in Tags(html).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    (code,) = re.findall('<script type="module">(.*?)</script>', html, re.DOTALL)
    hashes = [
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (code, style)
    ]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert "</script" not in code
    assert not re.search(r"\{\{[\w-]+\}\}", html.replace(code, ""))


def test_a_name_is_no_markup(typed: Any) -> None:
    program = "<script><b>&.sq"
    Path(program).write_text(HALT)
    code, _, err = typed(program, *SMALL, "--html", "a.html")
    assert (code, err) == (0, "")
    html = Path("a.html").read_text(encoding="utf-8")
    assert data(html)["programs"][0]["name"] == program
    assert "<b>&.sq" not in html
    assert {tag for tag, _ in Tags(html).tags} == {tag for tag, _ in Tags(text()).tags}


def test_the_program_is_made_of_its_modules() -> None:
    """All of them, without what joins them, and no name twice."""
    folder = ROOT / "numeric" / "report" / "assets"
    assert sorted(SCRIPTS) == sorted(path.name for path in folder.glob("*.js"))
    whole = script()
    assert not re.search(r"^(import|export) ", whole, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:function|class|const) (\w+)", whole, re.MULTILINE)
    assert len(set(names)) == len(names) > 20


NODE = """
import {readFileSync} from "node:fs";
const {network: data, vectors} = JSON.parse(readFileSync(process.argv[2], "utf8"));
const network = await decodedNetwork(data);
const values = buffers(network);
console.log(JSON.stringify(vectors.map((vector) => {
  values[0].set(vector);
  pass(network, values);
  return values.map((each) => [...each]);
})));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
@pytest.mark.parametrize("how", HOWS)
def test_the_network_in_node(how: str, tmp_path: Path) -> None:
    """The module that executes the network needs no page."""
    network = msgspec.to_builtins(report(how).network)
    engine = build(CONSTRUCTIONS[how].network(SHAPE), EngineName.SPARSE)
    random = np.random.default_rng(3)
    vectors = random.integers(0, 2, (50, engine.layers[0][0].shape[1])).astype(float)
    given_file = tmp_path / "given.json"
    given_file.write_text(json.dumps({"network": network, "vectors": vectors.tolist()}))
    module = tmp_path / "test.mjs"
    module.write_text(script(("network.js",)) + NODE, encoding="utf-8")
    done = subprocess.run(
        ["node", module, given_file], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "NODE_OPTIONS": ""},
    )  # fmt: skip
    for vector, layers in zip(vectors, json.loads(done.stdout), strict=True):
        expected = [vector]
        for weights, bias in engine.layers:
            expected.append(np.maximum(weights @ expected[-1] + bias, 0))
        assert layers == [each.tolist() for each in expected]


def test_the_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What docs/report.md shows can be typed, prints what is shown, and its pictures are there."""
    shown = read("docs/report.md")
    Path("examples").symlink_to(ROOT / "examples")
    lines = [pair for block in blocks(shown, "console") for pair in commands(block)]
    assert len(lines) == 3
    for line, printed in lines:
        name, *arguments = line.split()
        assert name == "verified-mlp"
        code, out, err = run_typed(monkeypatch, capsys, *arguments)
        assert (code, err) == (0, ""), line
        assert matches(printed, out)
    pictures = re.findall(r"\]\((\S+\.png)\)", shown)
    script = read("docs/screenshots.py")
    assert len(pictures) == 4
    for picture in pictures:
        assert f'"{picture}"' in script
        assert 0 < (ROOT / "docs" / picture).stat().st_size < 300_000
    for path in re.findall(r"`([\w/]+/[\w.]+)`", shown):
        assert (ROOT / path).exists(), path
    assert "\nscreenshots: " in read("Makefile")


def test_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the page are skipped, with the reason; in CI they fail."""
    why = "there is no chromium: apt-get install chromium"
    monkeypatch.setattr(browser, "CHROMIUM", None)
    monkeypatch.setattr(browser, "REQUIRED", False)
    with pytest.raises(pytest.skip.Exception, match=f"^{why}$"):
        browser.need_browser()
    monkeypatch.setattr(browser, "REQUIRED", True)
    with pytest.raises(pytest.fail.Exception, match=f"^VERIFIED_MLP_BROWSER=required, but {why}$"):
        browser.need_browser()
    monkeypatch.setattr(browser, "CHROMIUM", "chromium")
    monkeypatch.setattr(browser, "find_spec", lambda _: None)
    assert browser.missing() == "there is no playwright: pip install playwright"
    assert "\nexport VERIFIED_MLP_BROWSER=required\n" in read(".ci/run")
