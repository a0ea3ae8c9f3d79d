"""The command `verified-mlp trace` against the interpreter, and the records that it writes."""

import csv
import json
import subprocess
from dataclasses import asdict, fields
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from documents import BIN, ROOT, blocks, commands, read, run
from hypothesis import given, settings
from test_debugger import GIVEN, machine, programs
from test_examples import CASES, EXAMPLES, shape_of

from numeric.debugger.trace import Record, trace
from numeric.machine import Machine
from proofs.machine import machine as theorem
from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.step import FAULT, INPUT, OUTPUT, SUBTRACT, Before, ListMemory, step
from verified_mlp.statement.mutate import changes

NAMES = [each.name for each in fields(Record)]
KINDS = {SUBTRACT: "subtract", INPUT: "input", OUTPUT: "output", FAULT: "fault"}
LOOP = "3 3 0 0"


def reference(shape: Shape, words: list[int], given: bytes, most: int) -> list[dict[str, Any]]:
    """The records of a run, by the definition of the step."""
    mem = words + [0] * (shape.words - len(words))
    pc, source, found = 0, BytesIO(given), list[dict[str, Any]]()
    while len(found) < most:
        record: dict[str, Any] = dict.fromkeys(NAMES) | {"step": len(found), "pc": pc}
        if pc >= shape.modulus // 2:
            return [*found, record | {"kind": "halt"}]
        abc = [mem[at] if at < shape.words else None for at in range(pc, pc + 3)]
        before = list(mem)
        # Whether the step takes input is known from what it would do with some.
        if step(shape, Before(ListMemory(list(mem)), pc, 0, 0, 1)).kind == INPUT:
            byte = source.read(1)
            word = byte[0] % shape.modulus if byte else shape.modulus - 1
        else:
            word = 0
        after = step(shape, Before(ListMemory(mem), pc, 0, word, 1))
        record |= dict(zip("abc", abc, strict=True))
        record |= {"kind": KINDS[after.kind], "next_pc": after.pc}
        if after.kind in (SUBTRACT, INPUT):
            at = abc[1]
            assert at is not None
            record |= {"address": at, "old": before[at], "new": mem[at]}
        if after.kind == OUTPUT:
            record["output"] = after.output % 256
        found.append(record)
        if after.kind == FAULT:
            return found
        pc = after.pc
    return found


@given(programs())
@settings(max_examples=80)
def test_random_programs(program: tuple[Shape, list[int]]) -> None:
    shape, words = program
    sink = BytesIO()
    found = [asdict(r) for r in trace(machine(shape), words, BytesIO(GIVEN), sink, 40)]
    expected = reference(shape, words, GIVEN, 40)
    assert found == expected
    printed = [record["output"] for record in expected if record["kind"] == "output"]
    assert sink.getvalue() == bytes(printed)


def test_every_kind_of_step_is_traced() -> None:
    shape = Shape(8, 24)
    words = [18, 19, 3, 255, 20, 6, 20, 255, 9, 99, 0, 0]
    kinds = [r.kind for r in trace(machine(shape), words, BytesIO(b"x"), BytesIO())]
    assert kinds == ["subtract", "input", "output", "fault"]
    kinds = [r.kind for r in trace(machine(shape), [3, 3, 255], BytesIO(), BytesIO())]
    assert kinds == ["subtract", "halt"]


def test_no_step_is_no_record() -> None:
    assert list(trace(machine(Shape(8, 24)), [0], BytesIO(), BytesIO(), 0)) == []


def test_only_the_support_engine_is_traced() -> None:
    with pytest.raises(TypeError, match="support engine"):
        next(trace(machine(Shape(4, 8), "sparse"), [0], BytesIO(), BytesIO()))


def test_a_wrong_network_makes_a_wrong_trace() -> None:
    """So no interpreter beside the network computes what is written."""
    shape, words = Shape(4, 8), [6, 7, 3, 6, 6, 0, 1, 5]
    right = reference(shape, words, b"", 6)
    subject = theorem(shape)
    place = "layer 6, target[6], input x, weight of target[6]"
    (change,) = (each for each in changes(subject) if each.place == place)
    wrong = Machine(
        shape, "support-numpy", network=change.apply(subject, 1).network, verified=False
    )
    found = [asdict(r) for r in trace(wrong, words, BytesIO(), BytesIO(), 2)]
    assert found == [right[0], right[1] | {"new": 15}]
    assert right[1]["new"] == 0


# As typed


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "image").write_text(LOOP, encoding="utf-8")


def typed(*arguments: str, given: bytes = b"") -> tuple[int, bytes, str]:
    done = subprocess.run(
        [str(BIN / "verified-mlp"), "trace", *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def from_csv(text: str) -> list[dict[str, Any]]:
    rows = list(csv.DictReader(StringIO(text)))
    return [
        {n: v if n == "kind" else int(v) if v else None for n, v in row.items()} for row in rows
    ]


def from_jsonl(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("to", "parse"), [("csv", from_csv), ("jsonl", from_jsonl)])
def test_a_trace_can_be_read_back(to: str, parse: Any) -> None:
    shape = shape_of("multiply")
    size = ("--bits", str(shape.bits), "--words", str(shape.words))
    words = read_image(EXAMPLES / "multiply.sq", shape)
    image = "examples/multiply.sq"
    code, out, err = typed(image, *size, "--to", to, given=b"6*7")
    assert (code, err) == (0, "")
    assert parse(out.decode()) == reference(shape, words, b"6*7", 10_000)
    Path("given").write_bytes(b"6*7")
    answer = typed(image, *size, "--to", to, "-o", "file", "--input", "given")
    assert answer == (0, b"42\n", "")
    assert Path("file").read_bytes() == out


@pytest.mark.parametrize(("name", "content", "printed"), CASES)
def test_the_examples(name: str, content: bytes, printed: bytes) -> None:
    shape, sink = shape_of(name), BytesIO()
    words = read_image(EXAMPLES / f"{name}.sq", shape)
    found = [asdict(r) for r in trace(machine(shape), words, BytesIO(content), sink)]
    assert found == reference(shape, words, content, 10_000)
    assert sink.getvalue() == printed


def test_the_number_of_steps() -> None:
    size = ("--bits", "8", "--words", "16")
    head = ",".join(NAMES) + "\n"
    lines = "0,0,3,3,0,subtract,3,0,0,,0\n1,0,3,3,0,subtract,3,0,0,,0\n"
    assert typed("image", *size, "--steps", "2") == (0, (head + lines).encode(), "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--steps", "-1"), "--steps -1 is out of range: give 0 or more steps."),
        (("--input", "none"), "cannot read none: No such file or directory. Choose another file."),
        (("-o", "."), "cannot write .: Is a directory. Choose another file."),
        (("-o", "image"), "image is the program: choose another file for the trace."),
    ],
)
def test_a_refusal(arguments: tuple[str, ...], sentence: str) -> None:
    assert typed("image", *arguments) == (2, b"", f"verified-mlp: {sentence}\n")
    assert Path("image").read_text(encoding="utf-8") == LOOP


def test_the_document_s_commands(tmp_path: Path) -> None:
    (block,) = blocks(read("docs/debugger.md"), "console")
    for command, shown in commands(block):
        assert run(command, tmp_path) == (0, shown), command
