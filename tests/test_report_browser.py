"""The report's page in headless Chromium: its own execution of the network, and all that it offers.

The page is compared with `Machine.host`, which is what `run` runs.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browser, need_browser, ready
from documents import ROOT

from numeric.codec import Codec
from numeric.engines import EngineName, build
from numeric.machine import Machine, NetworkProcessor
from numeric.report.content import Program, content
from numeric.report.evidence import certificate_of
from numeric.report.page import page as written
from numeric.report.weights import decoded, encoded
from proofs.verify import Options
from verified_mlp.assembler.assemble import assemble_file
from verified_mlp.constructions.registry import CONSTRUCTIONS
from verified_mlp.machine.host import Host
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

LARGE, SMALL, TINY = Shape(16, 256), Shape(8, 64), Shape(4, 5)
SUMS = [name for name, how in CONSTRUCTIONS.items() if not (how.forms or how.prefetched)]
# A network with neurons for every case takes long to prove.
HOWS = [
    pytest.param(name, marks=pytest.mark.slow if how.forms else ())
    for name, how in CONSTRUCTIONS.items()
    if not how.prefetched
]
PROGRAMS = {"hello.asm": b"", "echo.asm": b"To be?\n\xe4", "sort.asm": b"\x3c\x19\x5a\x07"}
TINY_PROGRAMS = [
    Program("halt", [3, 3, 15], [], []),
    Program("subtract", [4, 3, 0, 1, 2], [], []),
    Program("read and print", [15, 0, 3, 15, 15], [], [5]),
    Program("end of input", [15, 1, 2, 0, 0], [], []),
    Program("print", [0, 15, 9, 4, 4], [], []),
]
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}


@cache
def assembled(name: str, shape: Shape) -> Program:
    program = assemble_file(ROOT / "examples" / name, shape.bits, shape.words)
    words = [number % shape.modulus for number in program.numbers]
    return Program(name, words, sorted(program.symbols.items()), list(PROGRAMS[name]))


@cache
def html(shape: Shape, how: str) -> str:
    """The page of a network with the three programs (as far as they fit)."""
    options = Options(construction=how)
    machine = Machine(shape, "sparse", options)
    names = PROGRAMS if shape != TINY else ()
    loaded = [assembled(name, shape) for name in names] or TINY_PROGRAMS
    return written(content(machine, certificate_of(shape, options), loaded))


def of_program(host: Host) -> Iterator[dict[str, Any]]:
    """The state after every step, until the program ends."""
    while True:
        before = host.steps
        host.run(1)
        if host.steps == before:
            return
        yield asdict(host.processor.state())


@cache
def reference(name: str, shape: Shape) -> tuple[list[dict[str, Any]], bytes]:
    """All states of a run, the first one too, and the output."""
    program, sink = assembled(name, shape), BytesIO()
    host = machine(shape).host(program.words, BytesIO(bytes(program.input)), sink)
    states = [asdict(host.processor.state()), *of_program(host)]
    whole = machine(shape).run(program.words, bytes(program.input))
    assert (whole.steps, whole.output) == (len(states) - 1, sink.getvalue())
    assert asdict(whole.state) == states[-1]
    return states, sink.getvalue()


@cache
def machine(shape: Shape) -> Machine:
    return Machine(shape)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    need_browser()
    with browser() as opened:
        yield opened


class Open:
    """A page that is open, and all that it asked the outside for."""

    def __init__(self, page: Any, path: Path) -> None:
        self.asked: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text))
        self.page, self.path = ready(page, path), path

    def viewer(self, code: str) -> Any:
        """What an expression gives, of `viewer` and `session`."""
        return self.page.evaluate(
            f"() => {{ const {{viewer}} = report, {{session}} = viewer; return {code}; }}"
        )

    def state(self) -> Any:
        return self.viewer("session.state()")

    @property
    def steps(self) -> int:
        return int(self.page.inner_text("#steps").replace(",", ""))

    @property
    def said(self) -> str:
        return self.page.inner_text("#said")

    def idle(self) -> None:
        self.page.wait_for_function("() => !report.viewer.running")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pages")

    def path(shape: Shape, how: str = "paper", text: str | None = None) -> Path:
        found = folder / f"{shape.bits}-{shape.words}-{how}{'-other' if text else ''}.html"
        found.write_text(text or html(shape, how), encoding="utf-8")
        return found

    return path


@pytest.fixture
def opened(chromium: Any, files: Any) -> Iterator[Any]:
    contexts = []

    def open_page(path: Path | None = None, **options: Any) -> Open:
        context = chromium.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        return Open(context.new_page(), path or files(SMALL))

    yield open_page
    for context in contexts:
        context.close()


STEP_BY_STEP = """(at) => {
  const {viewer} = report;
  viewer.choose(at);
  const {session} = viewer;
  const states = [session.state()];
  while (states.length < 5000 && session.step()) states.push(session.state());
  return {states, output: session.output, ended: session.ended};
}"""


@pytest.mark.parametrize(
    ("shape", "how"),
    [(LARGE, "paper"), (SMALL, "paper"), (SMALL, "compact")],
    ids=lambda each: str(each).replace(" ", ""),
)
def test_the_page_runs_programs_as_run_does(
    opened: Any, files: Any, shape: Shape, how: str
) -> None:
    """Every state after every step, the output and the number of steps, of three programs."""
    found = opened(files(shape, how))
    assert [each["name"] for each in found.viewer("viewer.programs")] == list(PROGRAMS)
    for at, name in enumerate(PROGRAMS):
        states, output = reference(name, shape)
        run = found.page.evaluate(STEP_BY_STEP, at)
        assert run["states"] == states
        assert bytes(run["output"]) == output
        assert run["ended"] == "halted"
    assert found.asked == [f"file://{found.path}"]
    assert found.errors == []


@pytest.mark.parametrize("how", HOWS)
def test_tiny_programs_under_every_construction(opened: Any, files: Any, how: str) -> None:
    """Whatever the vector is made of: its states are those of the machine."""
    found = opened(files(TINY, how))
    tiny = Machine(TINY, "sparse", Options(construction=how))
    ends = []
    for at, program in enumerate(TINY_PROGRAMS):
        host = tiny.host(program.words, BytesIO(bytes(program.input)), BytesIO())
        states = [asdict(host.processor.state())]
        for state in of_program(host):
            states.append(state)
            if len(states) == 40:
                break
        run = found.page.evaluate(STEP_BY_STEP, at)
        assert run["states"][:40] == states
        ends.append(run["ended"])
    assert {"halted", "fault"} <= set(ends)


@pytest.mark.parametrize("how", HOWS)
def test_a_pass_from_any_vector_is_that_of_the_engine(opened: Any, files: Any, how: str) -> None:
    """All layers, bit for bit, from random vectors of zeros and ones."""
    found = opened(files(TINY, how))
    engine = build(CONSTRUCTIONS[how].network(TINY), EngineName.SPARSE)
    random = np.random.default_rng(7)
    vectors = random.integers(0, 2, (100, engine.layers[0][0].shape[1])).astype(float)
    layers = found.page.evaluate(
        """(vectors) => vectors.map((vector) => {
          const {session} = report.viewer;
          session.vector.set(vector);
          session.seen = false;
          return session.look().map((values) => [...values]);
        })""",
        vectors.tolist(),
    )
    for vector, values in zip(vectors, layers, strict=True):
        expected = [vector]
        for weights, bias in engine.layers:
            expected.append(np.maximum(weights @ expected[-1] + bias, 0))
        assert [each.tolist() for each in expected] == values


def changed(text: str, depth: int, row: int) -> tuple[str, Any]:
    """The page with the first weight of a row of layer `depth` (from 0) set to 0; its matrix."""
    (found,) = re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)
    data = json.loads(found)
    layer = data["network"]["layers"][depth]
    matrix, bias = decoded(layer["weights"], layer["rows"], layer["columns"], layer["nonzeros"])
    other = matrix.tolil()
    other[row, matrix.indices[matrix.indptr[row]]] = 0
    other = other.tocsr()
    other.eliminate_zeros()
    layer["weights"], layer["nonzeros"] = encoded(other, bias), int(other.nnz)
    return text.replace(found, json.dumps(data).replace("<", "\\u003c")), other


def test_a_page_with_another_weight_runs_otherwise(opened: Any, files: Any) -> None:
    """It goes wrong as the engine does with that weight: the page executes what is in it."""
    depth, row = 12, 3  # the bit that spells 8 in the word at address 0, where hello counts
    text, matrix = changed(html(SMALL, "paper"), depth, row)
    found = opened(files(SMALL, text=text))
    run = found.page.evaluate(STEP_BY_STEP, 0)
    states, output = reference("hello.asm", SMALL)
    assert run["states"] != states
    assert bytes(run["output"]) != output

    engine = build(CONSTRUCTIONS["paper"].network(SMALL), EngineName.SPARSE)
    layers = list(engine.layers)
    layers[depth] = (matrix, layers[depth][1])
    program, sink = assembled("hello.asm", SMALL), BytesIO()
    start = State(mem=[*program.words, *[0] * (SMALL.words - len(program.words))])
    processor = NetworkProcessor(replace(engine, layers=tuple(layers)), Codec(SMALL), start)
    host = Host(SMALL, processor, BytesIO(), sink)
    wrong = [asdict(start)]
    for state in of_program(host):
        wrong.append(state)
        if len(wrong) == len(run["states"]):
            break
    assert run["states"] == wrong
    assert bytes(run["output"]) == sink.getvalue()


def test_steps_by_buttons_and_keys(opened: Any) -> None:
    found = opened()
    page, (states, _) = found.page, reference("hello.asm", SMALL)
    for _ in range(3):
        page.click("#step")
    assert (found.steps, found.state()) == (3, states[3])
    page.keyboard.press("n")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("N")
    assert (found.steps, found.state()) == (15, states[15])
    assert page.inner_text("#output") == "Hell"
    signed = [str(word - 256 if word >= 128 else word) for word in states[15]["mem"]]
    assert page.locator("#memory button").all_inner_texts() == signed
    page.keyboard.press("p")
    page.keyboard.press("ArrowLeft")
    page.click("#back")
    assert (found.steps, found.state()) == (12, states[12])
    page.keyboard.press("P")
    page.keyboard.press("P")
    assert (found.steps, found.state()) == (0, states[0])
    assert page.is_disabled("#back")
    page.keyboard.press("p")
    assert found.said == "This is the start."
    page.uncheck("#keys-on")
    page.keyboard.press("n")
    assert found.steps == 0
    page.check("#keys-on")
    page.keyboard.press("r")
    found.idle()
    last = len(states) - 1
    assert (found.steps, found.state()) == (last, states[last])
    assert found.said == f"The program has ended: halted after {last} steps, pc = 255."
    assert page.inner_text("#output") == "Hello, world!\n"
    assert page.is_disabled("#step")
    page.keyboard.press("n")
    assert found.steps == last
    page.keyboard.press("0")
    assert (found.steps, page.inner_text("#output")) == (0, "")
    page.fill("#search-value", "n")
    assert found.steps == 0  # what is typed into a field is no command


def test_back_from_anywhere(opened: Any) -> None:
    """Over snapshots, also when they have been thinned out."""
    found = opened()
    states, output = reference("sort.asm", SMALL)
    last = len(states) - 1
    assert last > 256
    found.page.select_option("#program", "2")
    for distance in (32, 1):
        found.viewer(f"(session.distance = {distance}, viewer.goTo({last}))")
        assert found.viewer("session.snapshots.size") <= 257
        for step in (last - 1, last // 2, 33, 32, 31, 1, 0, last):
            found.viewer(f"viewer.goTo({step})")
            assert (found.steps, found.state()) == (step, states[step])
        assert bytes(found.viewer("session.output")) == output
        found.viewer("viewer.goTo(0)")


def test_breakpoints(opened: Any) -> None:
    found = opened()
    page, (states, _) = found.page, reference("hello.asm", SMALL)
    labels = dict(assembled("hello.asm", SMALL).labels)
    page.fill("#break-address", "print")
    page.click("#break-add")
    assert page.locator("#breakpoints li").all_inner_texts() == [f"{labels['print']} (print) ×"]
    for expected in [at for at, state in enumerate(states) if at and state["pc"] == 0][:3]:
        page.click("#run-pause")
        found.idle()
        assert (found.steps, found.state()) == (expected, states[expected])
        assert found.said == "Stopped at the breakpoint on 0 (print)."
    page.click("#breakpoints button")
    cell = page.locator("#memory button").nth(labels["end"])
    cell.click()
    assert cell.get_attribute("aria-label").endswith("breakpoint")
    assert page.locator("#breakpoints li").all_inner_texts() == [f"{labels['end']} (end) ×"]
    page.click("#run-pause")
    found.idle()
    assert found.steps == next(at for at, each in enumerate(states) if each["pc"] == labels["end"])
    page.keyboard.press("b")
    assert page.locator("#breakpoints li").count() == 0
    page.keyboard.press("b")
    assert page.locator("#breakpoints li").count() == 1
    for typed, shown in (("64", "“64”"), ("-1", "“-1”"), ("", "Nothing"), ("ends", "“ends”")):
        page.fill("#break-address", typed)
        page.click("#break-add")
        assert found.said == f"{shown} is no address: give 0 to 63, or a label."
    assert page.locator("#breakpoints li").count() == 1


def test_the_memory_by_keyboard(opened: Any) -> None:
    page = opened().page
    page.focus("#memory button")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#breakpoints li").all_inner_texts() == ["9 ×"]
    assert page.inner_text("#steps") == "0"
    assert page.locator("#memory button[tabindex='0']").count() == 1


def found_by(opened: Open, kind: str, value: str, button: str) -> int:
    page = opened.page
    page.select_option("#search-kind", kind)
    if page.is_enabled("#search-value"):
        page.fill("#search-value", value)
    page.click(button)
    opened.idle()
    return opened.steps


def test_search(opened: Any) -> None:
    found = opened()
    states, _ = reference("sort.asm", SMALL)
    labels = dict(assembled("sort.asm", SMALL).labels)
    found.page.select_option("#program", "2")
    last, rounds, new = len(states) - 1, labels["round"], labels["new"]
    expected = {
        ("output", ""): [at for at, state in enumerate(states) if state["valid"]],
        ("pc", "round"): [at for at, each in enumerate(states) if at and each["pc"] == rounds],
        ("write", str(new)): [
            at for at in range(1, last + 1)
            if states[at]["mem"][new] != states[at - 1]["mem"][new]
        ],
        ("input", ""): [1, 2, 3, 4],
    }  # fmt: skip
    for (kind, value), steps in expected.items():
        found.viewer("viewer.goTo(0)")
        some = steps[:4]
        for step in some:
            assert found_by(found, kind, value, "#search-next") == step
            assert found.state() == states[step]
        for step in reversed(some[:-1]):
            assert found_by(found, kind, value, "#search-back") == step
            assert found.state() == states[step]
        found.viewer(f"viewer.goTo({last})")
        assert found_by(found, kind, value, "#search-next") == last
        assert found.said == "There is none later."
        assert found_by(found, kind, value, "#search-back") == [at for at in steps if at < last][-1]
    found.viewer("viewer.goTo(0)")
    assert found_by(found, "output", "", "#search-back") == 0
    assert found.said == "There is none earlier."
    assert found_by(found, "step", "100", "#search-next") == 100
    assert found.state() == states[100]
    assert found_by(found, "step", "7", "#search-next") == 7
    assert found_by(found, "step", "x", "#search-next") == 7
    assert found.said == "Give the number of a step, 0 or more."
    assert found_by(found, "step", "100000", "#search-next") == last
    assert found_by(found, "pc", "0", "#search-back") == 0  # the start


def test_search_back_over_snapshots(opened: Any) -> None:
    """No state is left out where one snapshot ends and the next begins."""
    found = opened()
    # A loop of 16 instructions that subtract 0 from 0: pc is 0 at every 16th step.
    loop = [word for at in range(16) for word in (48, 48, 3 * (at + 1) % 48)]
    found.viewer(f"(viewer.program = {{words: {loop}, labels: []}}, viewer.begin([]))")
    found.viewer("viewer.goTo(79)")
    assert found.viewer("[...session.snapshots.keys()]") == [0, 32, 64]
    for step in (64, 48, 32, 16, 0):
        assert found_by(found, "pc", "0", "#search-back") == step
    found.viewer("viewer.goTo(47)")
    assert found_by(found, "pc", "0", "#search-back") == 32


def test_input(opened: Any) -> None:
    """A byte is taken when it is wanted, and typed input starts the program anew."""
    found = opened()
    page = found.page
    page.select_option("#program", "1")
    given = len(PROGRAMS["echo.asm"])
    assert page.inner_text("#taken") == f"0 of {given} bytes read"
    assert page.inner_text("#instruction").startswith("input: ")
    page.click("#step")
    assert page.inner_text("#taken") == f"1 of {given} bytes read"
    page.fill("#input", "Abc")
    page.dispatch_event("#input", "change")
    assert (found.steps, page.inner_text("#taken")) == (0, "0 of 3 bytes read")
    page.click("#run-pause")
    found.idle()
    assert page.inner_text("#output") == "Abc"
    assert page.inner_text("#taken") == "3 of 3 bytes read"


def test_a_run_is_paused_and_goes_on(opened: Any) -> None:
    found = opened()
    found.viewer("(viewer.program = {words: [3, 3, 0, 0], labels: []}, viewer.begin([]))")
    found.page.click("#run-pause")
    found.page.wait_for_function("() => report.viewer.session.steps > 200")
    assert found.page.inner_text("#run-pause") == "Pause"
    found.page.keyboard.press("n")  # nothing else moves it
    found.page.click("#run-pause")
    found.idle()
    assert found.said == f"Paused after {found.steps} steps."
    before = found.steps
    found.page.click("#step")
    assert found.steps == before + 1


WRONG_PIXELS = """() => {
  const {viewer} = report, {session} = viewer;
  const off = getComputedStyle(document.documentElement).getPropertyValue("--cell-off");
  const zero = [1, 3, 5].map((at) => parseInt(off.trim().slice(at, at + 2), 16));
  const wrong = [];
  viewer.activations.cards.forEach(({views}, depth) => views.forEach(({field, canvas, chip}) => {
    const values = session.look()[depth].subarray(field.start, field.start + field.size);
    if (chip) {
      if (chip.textContent !== `${field.name} ${values[0]}`) wrong.push(field.name);
      return;
    }
    const across = field.shape[0];
      const down = field.size / across;
    const {data} = canvas.getContext("2d").getImageData(0, 0, across, down);
    values.forEach((value, at) => {
      const pixel = (at % down) * across + Math.floor(at / down);
      const isZero = zero.every((part, which) => data[4 * pixel + which] === part);
      if (isZero !== (value === 0)) wrong.push(`${field.name} ${at}`);
    });
    const on = values.filter((value) => value !== 0).length;
    const said = `${field.name}: ${on} of ${field.size} are not zero`;
    if (canvas.getAttribute("aria-label") !== said) wrong.push(said);
  }));
  return wrong;
}"""
"""What is not drawn, or said, as the activations are."""


def wrong_pixels(found: Open, step: int) -> list[str]:
    found.viewer(f"(viewer.goTo({step}), viewer.activations.openAll(true))")
    found.page.wait_for_timeout(100)
    wrong: list[str] = found.page.evaluate(WRONG_PIXELS)
    return wrong


@pytest.mark.slow
def test_arrays_of_many_axes_are_drawn(opened: Any, files: Any) -> None:
    for how in set(CONSTRUCTIONS) - set(SUMS):
        found = opened(files(TINY, how))
        assert wrong_pixels(found, 0) == []
        shape = found.viewer("viewer.network.fields.find(({shape}) => shape.length > 2).shape")
        found.page.click("#layer-0 > details > summary")
        names = re.findall(r"\w+\[([\d, ]+)\] = 1", found.page.inner_text("#layer-0 .named"))
        assert any(len(each.split(", ")) == 2 for each in names)
        assert len(shape) > 2


def test_the_heat_maps_are_the_activations(opened: Any) -> None:
    """The colour of every pixel, and the words for those who do not see it."""
    found = opened()
    assert wrong_pixels(found, 9) == []
    titles = found.page.locator("details.layer > summary b").all_inner_texts()
    assert len(titles) == 24
    assert titles[1] == "layer 1: read addresses"
    said = found.page.get_attribute("#overview", "aria-label")
    on = found.viewer("session.look().map((each) => each.filter((value) => value !== 0).length)")
    counts = [f"{at or 'before'}: {count}" for at, count in enumerate(on)]
    assert said == f"All layers. Values other than zero: {', '.join(counts)}"
    found.viewer("viewer.activations.openAll(false)")
    assert found.page.locator("details.layer[open]").count() == 0
    found.page.hover("#overview", position={"x": 40, "y": 2 * 17 + 5})
    assert found.page.inner_text("#overview-where") == "layer 2: run = 1"
    found.page.click("#overview", position={"x": 40, "y": 17 + 5})
    assert found.page.locator("details.layer[open]").count() == 1
    found.page.hover("#layer-1 .maps canvas", position={"x": 2, "y": 3})
    text = found.page.inner_text("#layer-1 .where")
    assert re.fullmatch(r"\w+\[0\] = [01], at most 1", text)


def test_matrices(opened: Any) -> None:
    """The table of blocks counts all weights, and a gadget's matrix is the exact one."""
    found = opened()
    page = found.page
    engine = build(CONSTRUCTIONS["paper"].network(SMALL), EngineName.SPARSE)
    for depth, (weights, _) in enumerate(engine.layers):
        page.select_option("#matrix-layer", str(depth))
        cells = page.locator("#matrix-blocks tr td:nth-child(3)").all_text_contents()
        assert sum(int(each.replace(",", "")) for each in cells) == weights.nnz
    page.click("#matrix-before")
    assert page.input_value("#matrix-layer") == "21"
    page.locator("#matrix").hover(position={"x": 200, "y": 200})
    assert re.match(r"rows [\w.]+, columns [\w.]+: ", page.inner_text("#matrix-where"))
    gadget = page.locator("details.gadget").filter(
        has=page.locator("summary b", has_text=re.compile(r"^is_zero"))
    )
    gadget.locator("summary").first.click()
    cells = gadget.locator(".matrix tbody tr").first.locator("th, td")
    cells.first.wait_for()
    assert cells.all_inner_texts() == ["z", *["-1"] * 8, "1", "0"]
    page.fill("#proof-filter", "is_zero(bits=8)/spec")
    assert page.inner_text("#proof-count").startswith("1 of ")
    assert page.locator("#proof-rows tr:visible").count() == 1


LUMINANCE = """() => {
  const light = (name) => {
    const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = parseInt(text.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const pairs = [["--text", "--card"], ["--text", "--back"], ["--soft", "--card"],
    ["--soft", "--back"], ["--accent", "--card"], ["--accent-text", "--accent"],
    ["--accent-text", "--cell-on"], ["--good", "--good-back"], ["--good", "--card"],
    ["--text", "--mark-pc"], ["--text", "--mark-read"], ["--text", "--mark-changed"]];
  return pairs.map(([one, other]) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return [`${one} on ${other}`, (high + 0.05) / (low + 0.05)];
  });
}"""


def background(found: Open) -> str:
    return found.page.evaluate("() => getComputedStyle(document.body).backgroundColor")


def test_light_and_dark(opened: Any) -> None:
    """As the system is, or as the switch says; always with enough contrast to read."""
    dark, light = "rgb(20, 22, 26)", "rgb(251, 250, 247)"
    for system, usual in (("dark", dark), ("light", light)):
        found = opened(color_scheme=system)
        assert background(found) == usual
        for label, colour in (("light", light), ("dark", dark), ("auto", usual)):
            found.page.click("#theme")
            assert found.page.inner_text("#theme") == f"Theme: {label}"
            assert background(found) == colour
            for pair, ratio in found.page.evaluate(LUMINANCE):
                assert ratio >= 4.5, (label, pair)
        found.page.keyboard.press("t")
        assert background(found) == light


def test_on_a_phone(opened: Any, files: Any) -> None:
    """Nothing is wider than the screen, whatever is open."""
    for shape in (SMALL, LARGE):
        found = opened(files(shape), viewport=PHONE, has_touch=True)
        found.page.tap("#step")
        found.viewer(
            "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
        )
        found.page.wait_for_timeout(300)
        for depth in (0, 2, 5):
            found.page.select_option("#matrix-layer", str(depth))
            wide = found.page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= PHONE["width"]


def test_everything_has_a_name(opened: Any) -> None:
    """Buttons, fields, pictures and regions, for those who cannot see them."""
    found = opened()
    found.viewer("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found.page.wait_for_timeout(300)
    nameless = found.page.evaluate(
        """() => [...document.querySelectorAll(
            "button, input, select, textarea, output, canvas, [role=region], [role=group]")]
          .filter((each) => !(each.getAttribute("aria-label")
            || each.getAttribute("aria-labelledby")
            || each.labels?.[0]?.textContent.trim()
            || (each.tagName === "BUTTON" && each.textContent.trim())))
          .map((each) => each.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert found.page.get_attribute("html", "lang") == "en"
    levels = found.page.evaluate(
        "() => [...document.querySelectorAll('h1,h2,h3')].map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_page_lists_every_key(opened: Any) -> None:
    found = opened()
    listed = set(found.page.locator("#keys kbd").all_inner_texts())
    code = (ROOT / "numeric" / "report" / "assets" / "main.js").read_text(encoding="utf-8")
    (table,) = re.findall(r"const table = \{(.*?)\n  \};", code, re.DOTALL)
    keys = {each.strip('"') for each in re.findall(r'^    ("?[\w/?]+"?): ', table, re.MULTILINE)}
    arrows = {"ArrowRight": "→", "ArrowLeft": "←"}
    assert listed == {arrows.get(key, key) for key in keys} | {"Enter"}


def test_weights_that_are_damaged_are_not_run(opened: Any, files: Any, chromium: Any) -> None:
    """The page says so, instead of running something else."""
    text = html(SMALL, "paper")
    (found,) = re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)
    data = json.loads(found)
    data["network"]["layers"][4]["rows"] += 1
    path = files(SMALL, text=text.replace(found, json.dumps(data).replace("<", "\\u003c")))
    page = chromium.new_page()
    page.goto(f"file://{path}")
    page.wait_for_selector("html[data-ready=failed]", state="attached")
    assert page.inner_text("#said").startswith("The network in this page cannot be read: a layer")
    page.close()
