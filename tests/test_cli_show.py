import json
import os
import pty
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.digest import digest
from verified_mlp.statement.evaluate import column_names, matrix, rows

COMMAND = str(Path(sys.executable).parent / "verified-mlp")
PATIENCE = 60
"""Seconds after which a test gives up."""
STAGES = [2, 2, 7, 2, 6, 4]


WHOLE = "--formats is about the whole network: leave --layer out."


def show(*arguments: str) -> str:
    """What the command prints where nothing is wrong."""
    done = subprocess.run(
        [COMMAND, "show", *arguments],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refusal(*arguments: str) -> str:
    """The sentence of a usage error."""
    done = subprocess.run(
        [COMMAND, "show", *arguments],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    name, sentence = done.stderr.removesuffix("\n").split(": ", 1)
    assert name == "verified-mlp"
    return sentence


def figures(*arguments: str) -> Any:
    return json.loads(show("--json", *arguments))


def test_figures_of_a_small_shape() -> None:
    found = figures("--bits", "5", "--words", "9")
    network = paper(Shape(5, 9))
    assert list(found) == ["bits", "words", "digest", "layers"]
    assert (found["bits"], found["words"], found["digest"]) == (5, 9, digest(network))
    for depth, (layer, stated) in enumerate(zip(found["layers"], network.layers, strict=True)):
        every_row = list(rows(network, depth))
        weights = [abs(weight) for row in every_row for weight in row.weights.values()]
        assert layer.pop("largest_partial_sum") >= max(weights)
        assert layer == {
            "index": depth + 1,
            "stage": stated.stage,
            "note": stated.note,
            "rows": len(every_row),
            "columns": len(column_names(network.sources(depth))),
            "nonzeros": len(weights),
            "largest_weight": max(weights),
        }


def test_figures_of_the_usual_shape() -> None:
    found = figures()
    assert found == figures("--bits", "16", "--words", "256")
    stages = [len(list(run)) for _, run in groupby(each["stage"] for each in found["layers"])]
    assert stages == STAGES
    assert max(each["largest_weight"] for each in found["layers"]) == 8
    assert all(
        type(number) is int
        for each in found["layers"]
        for key, number in each.items()
        if key not in ("stage", "note")
    )


def test_figures_of_one_layer() -> None:
    whole = figures("--bits", "4", "--words", "4")
    one = figures("--bits", "4", "--words", "4", "--layer", "6")
    assert one == {**whole, "layers": [whole["layers"][5]]}


def test_figures_of_the_largest_shape() -> None:
    found = figures("--bits", "64", "--words", str(2**24))
    assert found["layers"][-1]["rows"] == 2**24 * 64 + 64 + 1 + 64 + 1 + 1 + 64 + 1


def test_table() -> None:
    heading, *lines, total, last = show("--bits", "8", "--words", "64").splitlines()
    found = figures("--bits", "8", "--words", "64")
    assert heading.split("  ")[0] == "layer"
    assert heading.split("nonzeros")[1].split() == [
        "largest",
        "weight",
        "largest",
        "partial",
        "sum",
    ]
    assert len({len(line) for line in (heading, *lines, total)}) == 1
    for line, layer in zip(lines, found["layers"], strict=True):
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        assert cells == [
            str(layer["index"]),
            layer["stage"],
            layer["note"],
            *(f"{layer[key]:,}" for key in list(layer)[3:]),
        ]
    sums = [sum(layer[key] for layer in found["layers"]) for key in ("rows", "nonzeros")]
    most = [
        max(layer[key] for layer in found["layers"])
        for key in ("largest_weight", "largest_partial_sum")
    ]
    assert total.split() == ["total", *(f"{number:,}" for number in (*sums, *most))]
    assert last == f"8 bits x 64 words, statement sha256 {found['digest']}"


def on_a_terminal(*arguments: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "show", *arguments],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "160", "TERM": "xterm"},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break  # on a terminal, the end is an error
        if not part:
            break
        seen += part
    os.close(ours)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, b"")
    return seen.decode()


def test_table_on_a_terminal() -> None:
    text = on_a_terminal("--bits", "4", "--words", "4")
    assert "The network at 4 bits x 4 words" in text
    assert text.count("│ branch ") == STAGES[-1]
    assert "sum of the three" in text
    assert digest(paper(Shape(4, 4))) in text


def test_formats_on_a_terminal() -> None:
    text = on_a_terminal("--formats", "--bits", "4", "--words", "4")
    assert "Exact at 4 bits x 4 words" in text
    assert text.count("│ branch ") == STAGES[-1]
    assert text.count(" yes ") == 24 * 5
    assert "int8, weights and values up to 127" in text


def test_rows_as_stated() -> None:
    assert show("--layer", "21", "--bits", "4", "--words", "5") == (
        "layer 21 at 4 bits x 5 words (branch): does it jump\n"
        "47 rows, 47 columns, 49 nonzeros, largest weight 1, largest partial sum 3\n"
        "\n"
        "jumps: at_most_zero(bits=4), its layer 2 of 2: "
        "out = [r = 0 and on] or [r_top and on]\n"
        "  jumps.either.some in 0..2\n"
        "    = ReLU(jumps.zero + jumps.sign)\n"
        "  jumps.either.twice in 0..1\n"
        "    = ReLU(jumps.zero + jumps.sign + -1)\n"
        "\n"
        "next: carry: y = ReLU(x)\n"
        "  next[next0] in 0..1 for next0 < 4\n"
        "    = ReLU(next[next0])\n"
        "\n"
        "c: carry: y = ReLU(x)\n"
        "  c[c0] in 0..1 for c0 < 4\n"
        "    = ReLU(c[c0])\n"
        "\n"
        "moves: carry: y = ReLU(x)\n"
        "  moves in 0..1\n"
        "    = ReLU(moves)\n"
        "\n"
        "mem: carry: y = ReLU(x)\n"
        "  mem[mem0, mem1] in 0..1 for mem0 < 5, mem1 < 4\n"
        "    = ReLU(mem[mem0, mem1])\n"
        "\n"
        "pc: carry: y = ReLU(x)\n"
        "  pc[pc0] in 0..1 for pc0 < 4\n"
        "    = ReLU(pc[pc0])\n"
        "\n"
        "fault: carry: y = ReLU(x)\n"
        "  fault in 0..1\n"
        "    = ReLU(fault)\n"
        "\n"
        "input: carry: y = ReLU(x)\n"
        "  input[input0] in 0..1 for input0 < 4\n"
        "    = ReLU(input[input0])\n"
        "\n"
        "ready: carry: y = ReLU(x)\n"
        "  ready in 0..1\n"
        "    = ReLU(ready)\n"
        "\n"
        "wanted: carry: y = ReLU(x)\n"
        "  wanted in 0..1\n"
        "    = ReLU(wanted)\n"
        "\n"
        "valid: carry: y = ReLU(x)\n"
        "  valid in 0..1\n"
        "    = ReLU(valid)\n"
        "\n"
        "output: carry: y = ReLU(x)\n"
        "  output[output0] in 0..1 for output0 < 4\n"
        "    = ReLU(output[output0])\n"
    )


def test_a_one_hot_family_says_so() -> None:
    lines = show("--layer", "1").splitlines()
    assert "  here[i] in 0..1 for i < 254; non-zero at one i at most" in lines


@pytest.mark.parametrize("layer", [1, 6, 12, 17, 23])
def test_matrix(layer: int) -> None:
    """Every number printed, against the matrix of the statement."""
    network = paper(Shape(4, 4))
    weights, bias = matrix(network, layer - 1)
    columns, names = (
        column_names(network.sources(layer - 1)),
        column_names(network.layers[layer - 1].neurons),
    )
    heading, _, before, *rest = show("--layer", str(layer), "--matrix").splitlines()
    assert heading == (
        f"layer {layer} at 4 bits x 4 words: y = ReLU(W x + b), "
        f"W has {len(names)} rows, {len(columns)} columns"
    )
    assert before == "the columns of W:"
    count = len(columns)
    assert [line.split(maxsplit=1) for line in rest[:count]] == [
        [str(number), name] for number, name in enumerate(columns)
    ]
    blank, title, numbers, *printed = rest[count:]
    assert (blank, title) == ("", "W | b, where . is 0:")
    assert numbers.split() == [*map(str, range(count)), "|", "b"]
    for row, (line, name) in enumerate(zip(printed, names, strict=True)):
        assert line.startswith(f"{name} ")
        *entries, bar, constant = line.removeprefix(name).split()
        assert bar == "|"
        assert [0 if each == "." else int(each) for each in entries] == list(weights.row(row))
        assert int(constant) == bias[row]


def test_matrix_of_a_given_shape() -> None:
    heading = show("--layer", "2", "--matrix", "--bits", "5", "--words", "8").splitlines()[0]
    assert heading.startswith("layer 2 at 5 bits x 8 words: y = ReLU(W x + b), W has ")


def test_formats() -> None:
    table, notes = show("--formats", "--bits", "16").split("\n\n")
    heading, *lines, every = table.splitlines()
    assert heading.split() == [
        *("layer", "stage", "what", "it", "does"),
        *("float64", "float32", "float16", "bfloat16", "int8"),
    ]
    layers = paper(Shape(16, 256)).layers
    for number, (line, layer) in enumerate(zip(lines, layers, strict=True), 1):
        bfloat16 = "no" if number in (7, 9, 10, 15, 17, 18) else "yes"
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        assert cells == [str(number), layer.stage, layer.note, *["yes"] * 3, bfloat16, "yes"]
    assert every.split() == ["all", *["yes"] * 3, "no", "yes"]
    most = "layer 9: partial sum 1,006 of result.difference.blocks.generate.passed, at most"
    assert notes.splitlines() == [
        f"float64, integers up to 2^53: exact; {most} 9,007,199,254,740,992 is held",
        f"float32, integers up to 2^24: exact; {most} 16,777,216 is held",
        f"float16, integers up to 2^11: exact; {most} 2,048 is held",
        f"bfloat16, integers up to 2^8: not exact; {most} 256 is held",
        "int8, weights and values up to 127, accumulated with biases in int32: exact; "
        "layer 6: value 30 of result.negative.plus.blocks.prefix, at most 127 is held",
    ]


def test_formats_as_json() -> None:
    plain = figures("--bits", "64", "--words", "5")
    found = figures("--bits", "64", "--words", "5", "--formats")
    formats = found.pop("formats")
    assert found == plain
    assert {each["name"]: each["exact"] for each in formats} == {
        "float64": True,
        "float32": True,
        "float16": False,
        "bfloat16": False,
        "int8": False,
    }
    for each in formats:
        assert list(each) == ["name", "note", "exact", "decisive_layer", "layers"]
        assert [layer["index"] for layer in each["layers"]] == list(range(1, 24))
        assert each["exact"] is all(layer["exact"] for layer in each["layers"])
    assert formats[4]["decisive_layer"] == 6
    assert formats[4]["layers"][5] == {
        "index": 6,
        "exact": False,
        "quantity": "value",
        "figure": 510,
        "limit": 127,
        "neurons": "result.negative.plus.blocks.prefix",
    }
    # Where one limit is for all quantities, the partial sum decides, and the other figures agree.
    for layer, shown in zip(formats[1]["layers"], plain["layers"], strict=True):
        assert layer["figure"] >= shown["largest_partial_sum"]
        assert layer["limit"] == 2**24


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--formats", "--layer", "2"], WHOLE),
        (["--formats", "--layer", "2", "--matrix"], WHOLE),
        (["--formats", "--matrix"], "--matrix prints the matrix of one layer: add --layer K."),
        (["--matrix"], "--matrix prints the matrix of one layer: add --layer K."),
        (
            ["--matrix", "--layer", "2", "--json"],
            "--matrix prints text and --json prints figures: leave one of them out.",
        ),
        (["--layer", "0"], "layer 0 does not exist: choose 1 to 23."),
        (["--layer", "24"], "layer 24 does not exist: choose 1 to 23."),
        (["--layer", "-1", "--json"], "layer -1 does not exist: choose 1 to 23."),
        (
            ["--layer", "1", "--matrix", "--bits", "16", "--words", "256"],
            "layer 1 at 16 bits x 256 words is a matrix of 16,576 x 4,148 = 68,757,248 entries, "
            "and at most 250,000 are printed: choose fewer bits and words, such as "
            "--bits 4 --words 4.",
        ),
        (["--bits", "3"], "bits = 3 is out of range: choose 4 to 64 bits a word."),
        (
            ["--bits", "4"],
            "words = 256 is out of range: with 4-bit words, choose 4 to 16 words of memory.",
        ),
        (
            ["--words", str(2**24 + 1), "--bits", "64"],
            "words = 16777217 is out of range: with 64-bit words, choose 4 to 16777216 words of "
            "memory.",
        ),
    ],
)
def test_usage_errors(arguments: list[str], sentence: str) -> None:
    assert refusal(*arguments) == sentence
