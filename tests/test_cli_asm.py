import re
import shlex
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from verified_mlp.assembler.assemble import assemble_file
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.image_formats import Format, Image, fit_shape, load_image
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

COMMAND = str(Path(sys.executable).parent / "verified-mlp")
EXAMPLES = Path(__file__).parent.parent / "examples"
PATIENCE = 60
"""Seconds after which a test gives up on a process that does nothing."""

HI = "top: x (-1); y (-1); x x (-1)\n. x: 'H' y: 'i'\n"
HI_WORDS = [9, -1, 3, 10, -1, 6, 9, 9, -1, 72, 105]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def command(*arguments: str, **options: Any) -> tuple[int, str, str]:
    done = subprocess.run(
        [COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )
    return done.returncode, done.stdout, done.stderr


def refusal(*arguments: str) -> str:
    """The sentence of a usage error; nothing else may be said, and nothing be written."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    code, out, err = command(*arguments)
    assert (code, out) == (2, ""), err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    name, sentence = err.split(": ", 1)
    assert name == "verified-mlp"
    return sentence[:-1]


def source(text: str, name: str = "hi.asm") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


# Assembling


def test_an_image_and_nothing_else() -> None:
    assert command("asm", source(HI), "-o", "hi.sq") == (0, "", "")
    assert Path("hi.sq").read_text() == "".join(f"{number}\n" for number in HI_WORDS)
    assert sorted(path.name for path in Path().iterdir()) == ["hi.asm", "hi.sq"]
    assert command("run", "hi.sq", "--bits", "8", "--words", "16") == (0, "Hi", "")


@pytest.mark.parametrize("kind", ["be16", "be32", "be64"])
def test_binary_images(kind: str) -> None:
    assert command("asm", source(HI), "-o", "hi.bin", "--format", kind) == (0, "", "")
    assert load_image(Path("hi.bin"), Format(kind)).numbers == HI_WORDS
    bits = int(kind[2:])
    assert Path("hi.bin").stat().st_size == len(HI_WORDS) * bits // 8
    code, text, err = command("disasm", "hi.bin", "--format", kind)
    assert (code, err) == (0, "")
    assert text.startswith(f"# shape: --bits {bits} --words 256\n")


def test_a_binary_image_runs() -> None:
    command("asm", source(HI), "-o", "hi.bin", "--format", "be16")
    answer = command("run", "hi.bin", "--format", "be16", "--bits", "8", "--words", "16")
    assert answer == (0, "Hi", "")


def test_a_source_runs() -> None:
    assert command("run", source(HI, "hi.ASM"), "--bits", "8", "--words", "16") == (0, "Hi", "")


def test_a_machine_as_large_as_the_program() -> None:
    source(f"Z Z end\n. Z:0 {'1 ' * 300}\nend: m (-1); Z Z (-1); . m:'!'", "long.asm")
    code, out, err = command("run", "long.asm", "--stats", "--bits", "10")
    assert (code, out) == (0, "!"), err
    assert "steps:            3\n" in err


def test_a_listing_and_symbols() -> None:
    command("asm", source(HI), "-o", "hi.sq", "--listing", "hi.lst", "--symbols", "hi.sym")
    assert Path("hi.sym").read_text() == "0 top\n9 x\n10 y\n"
    assert Path("hi.lst").read_text() == (
        "# hi.asm\n"
        "       0  9 -1 3 10 -1 6                     1  top: x (-1); y (-1); x x (-1)\n"
        "       6  9 9 -1\n"
        "       9  72 105                             2  . x: 'H' y: 'i'\n"
    )


def test_stdout_is_a_file_as_well() -> None:
    assert command("asm", source(". 5"), "-o", "/dev/stdout") == (0, "5\n", "")


# Disassembling


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.sq")), ids=lambda path: path.name)
def test_the_way_there_and_back(path: Path) -> None:
    assert command("disasm", str(path), "-o", "again.asm") == (0, "", "")
    assert command("asm", "again.asm", "-o", "again.sq") == (0, "", "")
    assert load_image(Path("again.sq")).numbers == load_image(path).numbers
    code, out, err = command("disasm", "again.sq")
    assert (code, out, err) == (0, Path("again.asm").read_text(), "")


# What is refused


def test_a_fault_in_a_source() -> None:
    expected = (
        "hi.asm, line 1, column 9: there is no label 'xx:'. Perhaps 'x' is meant?\n"
        "    x: 5 6; xx\n"
        "            ^"
    )
    name = source("x: 5 6; xx\n")
    assert refusal("asm", name, "-o", "hi.sq") == expected
    assert refusal("run", name) == expected


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["asm", "hi.asm"], "Missing option '--output' / '-o'."),
        (
            ["asm", "no.asm", "-o", "a"],
            "cannot read the source no.asm: No such file or directory.",
        ),
        (["asm", ".", "-o", "a"], "cannot read the source .: Is a directory."),
        (["asm", "bytes", "-o", "a"],
         "the source bytes is not a text file (see byte 2): save it as UTF-8."),
        (["asm", "hi.asm", "-o", "hi.asm"],
         "hi.asm is read or written already by this command. Choose another file."),
        (["asm", "hi.asm", "-o", "a", "--listing", "./a"],
         "a is read or written already by this command. Choose another file."),
        (["asm", "hi.asm", "-o", "a", "--symbols", "hi.asm"],
         "hi.asm is read or written already by this command. Choose another file."),
        (["asm", "hi.asm", "-o", "none/a"],
         "cannot write none/a: No such file or directory. Choose another file."),
        (["asm", "hi.asm", "-o", "a", "--bits", "3"],
         "bits = 3 is out of range: choose 4 to 64 bits a word."),
        (["asm", "hi.asm", "-o", "a", "--words", "2"],
         "words = 2 is out of range: with 16-bit words, choose 4 to 65536 words of memory."),
        (["asm", "hi.asm", "-o", "a", "--words", "10"],
         "hi.asm, line 2, column 13: word 10 of the program is one more than fits: the memory has "
         "10 words. Choose more words of memory or a shorter program.\n"
         "    . x: 'H' y: 'i'\n                ^"),
        (["asm", "hi.asm", "-o", "a", "--bits", "6"],
         "hi.asm, line 2, column 6: 72 is out of range: a word of 6 bits is -32 to 63.\n"
         "    . x: 'H' y: 'i'\n         ^"),
        (["asm", "wide.asm", "-o", "a", "--format", "be16"],
         "wide.asm, word 1: 70000 does not fit: a word of 17 bits in the format be16 is -32768 to "
         "32767. Choose a wider format."),
        (["disasm", "odd", "--format", "be16"],
         "odd, word 1: only 1 of its 2 bytes are there. Choose the format that the image has, or a "
         "whole image."),
        (["disasm", "odd"],
         "odd is not a text file (see byte 0): an image is decimal words in plain text."),
        (["disasm", "no"], "cannot read the image no: No such file or directory."),
        (["disasm", "hi.sq", "-o", "hi.sq"],
         "hi.sq is read or written already by this command. Choose another file."),
        (["run", "odd", "--format", "be16"],
         "odd, word 1: only 1 of its 2 bytes are there. Choose the format that the image has, or a "
         "whole image."),
        (["run", "hi.asm", "--format", "be16"],
         "hi.asm is a source, for its name ends in .asm: leave --format be16 out."),
        (["run", "hi.asm", "--words", "5"],
         "hi.asm, line 1, column 16: word 5 of the program is one more than fits: the memory has "
         "5 words. Choose more words of memory or a shorter program.\n"
         "    top: x (-1); y (-1); x x (-1)\n                   ^"),
    ],
)  # fmt: skip
def test_refusals(arguments: list[str], sentence: str) -> None:
    source(HI)
    source(". 1 70000", "wide.asm")
    Path("hi.sq").write_text("1 2 3")
    Path("bytes").write_bytes(b". \xff")
    Path("odd").write_bytes(b"\0\1\2")
    assert refusal(*arguments) == sentence


# The examples

SOURCES = sorted(EXAMPLES.glob("*.asm"))
CASES = [
    ("hello", b"", b"Hello, world!\n"),
    ("echo", b"", b""),
    ("echo", bytes(range(256)), bytes(range(256))),
    ("sort", b"3142", b"1234"),
    *[
        ("multiply", b"%dx%d\n" % (first, second), b"%d\n" % (first * second))
        for first in range(10)
        for second in range(10)
    ],
]


def head_shape(path: Path) -> Shape:
    """The shape that the head of an example states."""
    found = re.search(r"^# shape:(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, path
    options = shlex.split(found[1])
    assert options[::2] == ["--bits", "--words"]
    return Shape(int(options[1]), int(options[3]))


def interpreted(image: Image, given: bytes) -> tuple[Outcome, bytes]:
    shape = image.shape
    sink = BytesIO()
    state = State(mem=image.words + [0] * (shape.words - len(image.words)))
    host = Host(shape, Interpreter(shape, state), BytesIO(given), sink)
    return host.run(max_steps=10_000), sink.getvalue()


def test_every_example_has_a_case() -> None:
    assert {path.stem for path in SOURCES} == {name for name, _, _ in CASES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_head_says_what_it_does(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    text = "\n".join(head)
    assert re.search(r"^# Input:  \S", text, re.MULTILINE)
    assert re.search(r"^# Output: \S", text, re.MULTILINE)
    shape = head_shape(path)
    assert len(assemble_file(path, shape.bits, shape.words).numbers) <= 64


@pytest.mark.parametrize(("name", "given", "expected"), CASES)
def test_an_example_on_the_interpreter(name: str, given: bytes, expected: bytes) -> None:
    path = EXAMPLES / f"{name}.asm"
    numbers = assemble_file(path).numbers
    for shape in (head_shape(path), fit_shape(numbers, Format.DECIMAL)):
        assert interpreted(Image(numbers, shape), given) == (Outcome.HALTED, expected)


@pytest.mark.parametrize(("name", "given", "expected"), [*CASES[:2], CASES[-1]])
def test_an_example_on_the_network(name: str, given: bytes, expected: bytes) -> None:
    path = EXAMPLES / f"{name}.asm"
    shape = head_shape(path)
    code, out, err = command(
        "run", str(path), "--bits", str(shape.bits), "--words", str(shape.words),
        input=given.decode(),
    )  # fmt: skip
    assert (code, out, err) == (0, expected.decode(), "")
