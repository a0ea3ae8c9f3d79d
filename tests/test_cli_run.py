import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from verified_mlp.machine.image import read_image
from verified_mlp.machine.shape import Shape

COMMAND = str(Path(sys.executable).parent / "verified-mlp")
EXAMPLES = Path(__file__).parent.parent / "examples"
HELLO = str(EXAMPLES / "hello.sq")
TINY = ("--bits", "8", "--words", "16")
PATIENCE = 60
"""Seconds after which a test gives up on a process that does nothing."""

HALT = "3 3 -1 0"
LOOP = "3 3 0 0"
FAULT = "3 3 3  0 99 0"
CHATTER = "6 -1 3  7 7 0  33 0"
PROMPT = "12 -1 3  -1 13 6  13 -1 9  14 14 -1  63 0 0"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def image(text: str) -> str:
    Path("image").write_text(text, encoding="utf-8")
    return "image"


def run(*arguments: str, given: bytes = b"", **options: Any) -> tuple[int, bytes, str]:
    done = subprocess.run(
        [COMMAND, "run", *arguments],
        input=None if "stdin" in options else given,
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
        **options,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def refusal(*arguments: str) -> str:
    """The sentence of a usage error; nothing else may be said, and nothing be run."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, b""), err
    name, sentence = err.split(": ", 1)
    assert name == "verified-mlp"
    assert sentence.endswith("\n")
    return sentence[:-1]


@contextmanager
def started(*arguments: str, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **streams}
    with subprocess.Popen(
        [COMMAND, "run", *arguments], stderr=subprocess.PIPE, **streams
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err.decode()


def taken(stream: IO[bytes] | None, count: int) -> bytes:
    """The next bytes of a running process."""
    assert stream is not None
    found = b""
    while len(found) < count:
        ready, _, _ = select.select([stream], [], [], PATIENCE)
        assert ready, f"only {found!r} came"
        found += os.read(stream.fileno(), count - len(found))
    return found


# Programs


@pytest.mark.parametrize("engine", ["auto", "sparse", "dense", "support", "support-numpy"])
def test_hello_world_and_nothing_else(engine: str) -> None:
    answer = run(HELLO, "--bits", "8", "--words", "64", "--engine", engine)
    assert answer == (0, b"Hello, world!\n", "")


def test_the_default_shape() -> None:
    assert run(HELLO) == (0, b"Hello, world!\n", "")


def test_bytes_pass_unchanged() -> None:
    given = bytes(range(256)) + b"\r\n\0"
    code, out, err = run(str(EXAMPLES / "echo.sq"), "--words", "64", given=given)
    assert (code, out, err) == (0, given, "")


def test_input_that_ends_early_is_minus_one() -> None:
    program = image("-1 13 3  -1 14 6  13 -1 9  14 -1 12  15 0 0 0")
    code, out, _ = run(program, *TINY, "--max-steps", "4", given=b"a")
    assert (code, out) == (3, b"a\xff")


def test_input_that_is_not_asked_for_stays() -> None:
    Path("input").write_bytes(b"abc")
    with Path("input").open("rb") as stream:
        code, out, _ = run(image(PROMPT), *TINY, stdin=stream)
        assert (code, out) == (0, b"?a")
        assert os.lseek(stream.fileno(), 0, os.SEEK_CUR) == 1


# Ends of a run


def test_a_fault() -> None:
    assert run(image(FAULT), *TINY) == (
        1,
        b"",
        "verified-mlp: fault at pc = 3, A = 0, B = 99, C = 0: B is no address, for the addresses "
        "are 0 to 15.\n",
    )


def test_the_step_limit() -> None:
    assert run(image(LOOP), *TINY, "--max-steps", "20") == (
        3,
        b"",
        "verified-mlp: stopped at step 20, pc = 0: the limit of --max-steps is reached.\n",
    )


def test_a_limit_that_is_just_enough() -> None:
    assert run(image(HALT), *TINY, "--max-steps", "1") == (0, b"", "")


def test_a_limit_of_no_steps() -> None:
    assert run(image(HALT), *TINY, "--max-steps", "0")[0] == 3


@pytest.mark.parametrize(
    ("text", "code", "outcome", "steps", "end"),
    [
        (HALT, 0, "halted", 1, ""),
        (FAULT, 1, "fault", 2, r"verified-mlp: fault at pc = 3, .*\.\n"),
        (LOOP, 3, "step limit reached", 9, r"verified-mlp: stopped at step 9, .*\.\n"),
    ],
)
def test_statistics(text: str, code: int, outcome: str, steps: int, end: str) -> None:
    literal, few = r"13\d\d\d", r"\d{3,4}"
    engines = {"sparse": literal, "dense": literal, "support": few, "support-numpy": few}
    for engine, weights in engines.items():
        found = run(image(text), *TINY, "--max-steps", "9", "--stats", "--engine", engine)
        assert found[:2] == (code, b"")
        assert re.fullmatch(
            rf"outcome:          {outcome}\n"
            rf"steps:            {steps}\n"
            r"seconds:          \d+\.\d{3}\n"
            r"steps per second: \d+\n"
            rf"engine:           {engine}\n"
            r"layers:           23\n"
            rf"nonzeros:         {weights}\n" + end,
            found[2],
        ), found[2]


def test_a_checked_run() -> None:
    for engine in ("support", "support-numpy"):
        answer = run(HELLO, "--bits", "8", "--words", "64", "--engine", engine, "--self-check", "5")
        assert answer == (0, b"Hello, world!\n", "")


def test_waiting_for_input_takes_no_time_of_the_run() -> None:
    with started(image(PROMPT), *TINY, "--stats") as process:
        assert taken(process.stdout, 1) == b"?"
        select.select([process.stdout], [], [], 0.5)
        out, err = process.communicate(b"x", timeout=PATIENCE)
    assert (process.returncode, out) == (0, b"x")
    found = re.search(rb"^seconds: +(\S+)$", err, re.MULTILINE)
    assert found
    assert float(found[1]) < 0.5


# The memory


@pytest.mark.parametrize(("text", "code"), [(HALT, 0), (FAULT, 1), (LOOP, 3)])
def test_the_memory_is_an_image(text: str, code: int) -> None:
    program = image(text + " -5 130 7")
    Path("memory").write_text("old", encoding="utf-8")
    assert run(program, *TINY, "--max-steps", "5", "--dump-memory", "memory")[0] == code
    shape = Shape(8, 16)
    words = read_image(Path("memory"), shape)
    before = read_image(Path(program), shape)
    assert words == before + [0] * (16 - len(before))
    assert Path("memory").read_text(encoding="utf-8").split()[-16:][:3] == text.split()[:3]
    assert sorted(os.listdir()) == ["image", "memory"]  # noqa: PTH208
    assert run("memory", *TINY, "--max-steps", "5")[0] == code


def test_the_memory_shows_what_the_program_did() -> None:
    run(image("6 7 3  8 8 -1  5 4 9"), *TINY, "--dump-memory", "memory")
    words = Path("memory").read_text(encoding="utf-8").splitlines()
    assert words == ["6", "7", "3", "8", "8", "-1", "5", "-1", "0", *["0"] * 7]


def test_a_file_that_cannot_be_written_is_refused_before_the_run() -> None:
    program = image(PROMPT)
    assert refusal(program, *TINY, "--dump-memory", "no/where") == (
        "cannot write no/where: No such file or directory. Choose another file."
    )
    Path("folder").mkdir()
    assert refusal(program, *TINY, "--dump-memory", "folder") == (
        "cannot write folder: Is a directory. Choose another file."
    )


@pytest.mark.parametrize(
    ("text", "what"), [(PROMPT, ""), (PROMPT.replace("14 14 -1", "99 14 -1"), "fault at pc = 9, ")]
)
def test_a_file_that_cannot_be_written_after_the_run(text: str, what: str) -> None:
    Path("folder").mkdir()
    with started(image(text), *TINY, "--dump-memory", "folder/memory") as process:
        assert taken(process.stdout, 1) == b"?"
        Path("folder").rmdir()
        out, err = process.communicate(b"x", timeout=PATIENCE)
    assert (process.returncode, out) == (2, b"x")
    assert err.startswith(b"verified-mlp: " + what.encode())
    assert err.endswith(
        b"cannot write folder/memory: No such file or directory. Choose another file.\n"
    )


# What is refused


def test_images_that_cannot_be_read() -> None:
    assert refusal("nowhere") == "cannot read the image nowhere: No such file or directory."
    assert refusal(".") == "cannot read the image .: Is a directory."
    Path("binary").write_bytes(b"\x7fELF\x02\xff")
    assert refusal("binary") == (
        "binary is not a text file (see byte 5): an image is decimal words in plain text."
    )
    assert refusal("-") == (
        "the image cannot come from standard input, which belongs to the program: give the name "
        "of a file."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "image is empty: an image is decimal words, and it has none."),
        ("# 1 2 3\n", "image is empty: an image is decimal words, and it has none."),
        (
            "1 2\n3 four\n",
            "image, line 2, word 2: 'four' is no integer. An image is decimal words; comments "
            "begin with '#', ';' or '//'.",
        ),
        (
            "1 256\n",
            "image, line 1, word 2: 256 is out of range: a word of 8 bits is -128 to 255.",
        ),
        (
            "1\n-129\n",
            "image, line 2, word 1: -129 is out of range: a word of 8 bits is -128 to 255.",
        ),
        (
            "0 " * 17,
            "image, line 1, word 17: the image has more words than the memory, which holds 16. "
            "Choose more words of memory or a shorter image.",
        ),
    ],
)
def test_images_that_are_none(text: str, sentence: str) -> None:
    assert refusal(image(text), *TINY) == sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--bits", "3"], "bits = 3 is out of range: choose 4 to 64 bits a word."),
        (["--bits", "65"], "bits = 65 is out of range: choose 4 to 64 bits a word."),
        (
            ["--words", "3"],
            "words = 3 is out of range: with 16-bit words, choose 4 to 65536 words of memory.",
        ),
        (
            ["--bits", "4", "--words", "17"],
            "words = 17 is out of range: with 4-bit words, choose 4 to 16 words of memory.",
        ),
        (["--max-steps", "-1"], "--max-steps -1 is out of range: give 0 or more steps."),
        (
            ["--engine", "fast"],
            "there is no engine 'fast': choose one of auto, dense, sparse, support, support-numpy.",
        ),
        (["--self-check", "-1"], "--self-check -1 is out of range: give 0 or more passes."),
        (
            ["--bits", "8", "--words", "64", "--engine", "sparse", "--self-check", "1"],
            "a self-check compares the support engine with the network, and the sparse engine is "
            "the network: choose the support engine, or no self-check.",
        ),
        (["--speed", "3"], "No such option: --speed"),
    ],
)
def test_options_out_of_range(options: list[str], sentence: str) -> None:
    assert refusal(HELLO, *options) == sentence


def test_options_that_are_no_numbers() -> None:
    for option in ("--bits", "--words", "--max-steps"):
        assert refusal(HELLO, option, "many").startswith(f"Invalid value for '{option}': ")


def test_no_image() -> None:
    assert refusal() == "Missing argument 'IMAGE'."


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (
            ["--bits", "64", "--words", "16777216", "--engine", "sparse"],
            r"the sparse engine needs \d{5}\.\d GiB of memory for 64 bits x 16777216 words, but "
            r"\d+\.\d GiB are available: choose the support engine or fewer words\.",
        ),
        (
            ["--words", "65536", "--engine", "dense"],
            r"the dense engine needs \d{6}\.\d GiB of memory for 16 bits x 65536 words, but "
            r"\d+\.\d GiB are available: choose the sparse engine or fewer words\.",
        ),
    ],
)
def test_a_shape_that_does_not_fit(options: list[str], pattern: str) -> None:
    assert re.fullmatch(pattern, refusal(HELLO, *options))


def in_process(code: str, *arguments: str) -> tuple[int, bytes, str]:
    """The command run by Python after `code`."""
    script = f"import sys\n{code}\nfrom verified_mlp.cli.main import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", script, "run", *arguments],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_a_network_that_is_not_verified_does_not_run() -> None:
    no_budget = (
        "from proofs import gate, verify\n"
        "ensure = gate.ensure\n"
        "options = verify.Options(budget=1, cache=False)\n"
        "gate.ensure = lambda shape, given, network: ensure(shape, options, network)"
    )
    code, out, err = in_process(no_budget, HELLO, "--bits", "8", "--words", "64")
    assert (code, out) == (4, b"")
    assert re.fullmatch(
        r"verified-mlp: the network is not verified: \S+/\S.* is UNKNOWN\. Run verify-all --bits 8 "
        r"--words 64 to see why\.\n",
        err,
    )


def test_a_fault_of_ours_says_so() -> None:
    broken = "import numeric.machine\nnumeric.machine.build_support = None"
    assert in_process(broken, HELLO, "--bits", "8", "--words", "64") == (
        5,
        b"",
        "verified-mlp: internal error, please report it: TypeError: 'NoneType' object is not "
        "callable\n",
    )


# Streams


def test_a_reader_that_goes_away() -> None:
    with started(image(CHATTER), *TINY) as process:
        assert taken(process.stdout, 3) == b"!!!"
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        assert ended(process) == (128 + signal.SIGPIPE, "")


def test_head_of_hello_world() -> None:
    line = f"'{COMMAND}' run '{HELLO}' | head -c 3"
    done = subprocess.run(line, shell=True, capture_output=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hel", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_output_that_cannot_be_written() -> None:
    with Path("/dev/full").open("wb") as full:
        code, _, err = run(HELLO, stdout=full)
    assert (code, err) == (
        2,
        "verified-mlp: cannot write the program's output: No space left on device.\n",
    )


def test_input_that_cannot_be_read() -> None:
    with Path("written").open("wb") as stream:
        code, out, err = run(image(PROMPT), *TINY, stdin=stream)
    assert (code, out) == (2, b"?")
    assert err == "verified-mlp: cannot read the program's input: Bad file descriptor.\n"


def shell(line: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(line, shell=True, capture_output=True, check=False, timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr


def test_streams_that_are_closed() -> None:
    options = " ".join(TINY)
    answer = shell(f"'{COMMAND}' run {image(PROMPT)} {options} <&-")
    assert answer == (0, b"?\xff", b"")
    answer = shell(f"'{COMMAND}' run {image(HALT)} {options} >&-")
    assert answer == (0, b"", b"")
    answer = shell(f"'{COMMAND}' run {image(FAULT)} {options} --stats 2>&-")
    assert answer == (1, b"", b"")
    answer = shell(f"'{COMMAND}' run {image(PROMPT)} {options} >&-")
    assert answer == (
        2,
        b"",
        b"verified-mlp: cannot write the program's output: standard output is closed.\n",
    )


def test_input_that_does_not_wait() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with started(image(PROMPT), *TINY, stdin=reader) as process:
        assert taken(process.stdout, 1) == b"?"
        assert not select.select([process.stdout], [], [], 0.3)[0]
        os.write(writer, b"x")
        assert taken(process.stdout, 1) == b"x"
        assert ended(process) == (0, "")
    os.close(reader)
    os.close(writer)


# Interruption


@pytest.mark.parametrize("options", [(), ("--dump-memory", "memory")])
def test_ctrl_c_in_a_run(options: tuple[str, ...]) -> None:
    program = image("9 -1 3  10 10 3  0 0 0  33 0")
    with started(program, *TINY, *options) as process:
        assert taken(process.stdout, 1) == b"!"
        process.send_signal(signal.SIGINT)
        code, err = ended(process)
    assert code == 130
    assert re.fullmatch(r"verified-mlp: interrupted at step [1-9]\d*, pc = 3\.\n", err)
    assert Path("memory").exists() == bool(options)


def test_ctrl_c_while_the_program_waits_for_input() -> None:
    with started(image(PROMPT), *TINY) as process:
        assert taken(process.stdout, 1) == b"?"
        assert not select.select([process.stdout], [], [], 0.3)[0]
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, "verified-mlp: interrupted at step 1, pc = 3.\n")


def test_ctrl_c_while_the_network_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # In a call of the solver through ctypes, where Ctrl-C turns into an ArgumentError.
    interrupted = (
        "import ctypes, proofs.prover\n"
        "class Argument:\n"
        "    def from_param(self):\n"
        "        raise KeyboardInterrupt\n"
        "call = ctypes.CDLL(None).abs\n"
        "call.argtypes = [Argument]\n"
        "proofs.prover.prove = lambda *_, **__: call(1)"
    )
    answer = in_process(interrupted, HELLO, "--bits", "8", "--words", "64")
    assert answer == (130, b"", "verified-mlp: interrupted.\n")


# At a terminal


@contextmanager
def terminal(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The command at a terminal, and our side of it; the terminal does not echo."""
    ours, theirs = pty.openpty()
    mode = termios.tcgetattr(theirs)
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    with (
        os.fdopen(ours, "r+b", buffering=0) as screen,
        started(*arguments, stdin=theirs, stdout=theirs, start_new_session=True) as process,
    ):
        os.close(theirs)
        yield process, screen


def test_hello_world_does_not_wait_at_a_terminal() -> None:
    with terminal(HELLO) as (process, screen):
        assert taken(screen, 15) == b"Hello, world!\r\n"
        assert ended(process) == (0, "")


def test_a_prompt_appears_before_the_program_waits() -> None:
    with terminal(str(EXAMPLES / "count_down.sq")) as (process, screen):
        assert taken(screen, 2) == b"? "
        assert not select.select([screen], [], [], 0.3)[0]
        assert process.poll() is None
        screen.write(b"2\n")
        assert taken(screen, 9) == b"2\r\n1\r\n0\r\n"
        assert ended(process) == (0, "")


def test_the_end_of_input_at_a_terminal() -> None:
    with terminal(str(EXAMPLES / "echo.sq")) as (process, screen):
        screen.write(b"ab\n")
        assert taken(screen, 4) == b"ab\r\n"
        screen.write(b"\x04")
        assert ended(process) == (0, "")


# Help


def test_help_and_its_speed() -> None:
    done = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert re.search(r"^ +run +\S", done.stdout, re.MULTILINE)
    assert re.search(r"^ +show +\S", done.stdout, re.MULTILINE)
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for option in ("bits", "words", "engine", "max-steps", "self-check", "stats", "dump-memory"):
        assert f"--{option} ".encode() in out
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, verified_mlp.cli.main; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"z3", "scipy", "sympy", "numeric", "proofs"} & set(loaded.stdout.split())
