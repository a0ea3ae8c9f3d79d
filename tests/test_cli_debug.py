"""The command `verified-mlp debug` as it is typed, in scripts and on a terminal."""

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documents import BIN, ROOT, blocks, read

from numeric.debugger.commands import COMMANDS

COMMAND = str(BIN / "verified-mlp")
PATIENCE = 60
"""Seconds after which a test gives up on a process that says nothing."""
TINY = ("--bits", "8", "--words", "16")
LOOP = "3 3 0 0"
CHATTER = "13 -1 3  13 -1 6  14 14 0  0 0 0 0 72 0"
ECHO = "-1 13 3  -1 14 6  13 -1 9  15 15 0  0 0 0 0"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "plain").mkdir()
    # As if prompt_toolkit were not installed, with this folder on the path.
    (tmp_path / "plain" / "prompt_toolkit.py").write_text("raise ImportError\n", encoding="utf-8")


def image(text: str) -> str:
    Path("image").write_text(text, encoding="utf-8")
    return "image"


def run(*arguments: str, given: bytes = b"") -> tuple[int, bytes, str]:
    done = subprocess.run(
        [COMMAND, "debug", *arguments],
        input=given,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def script(text: str) -> tuple[str, str]:
    Path("commands").write_text(text, encoding="utf-8")
    return "--commands", "commands"


# Scripts


def test_a_script_shows_nothing_but_results() -> None:
    commands = "# look\n\nstep\nbreak 3\nbreaks\nstep 2\nback\ndelete 1\nbreaks\noutput\nquit\nx\n"
    assert run(image(CHATTER), *TINY, *script(commands)) == (
        0,
        b"H\nstep 1, pc = 3: 13 (-1) 6\n  prints mem[13] = 72\n"
        b"breakpoint 1: execute 3\nbreakpoint 1: execute 3\n"
        b"H\nstep 3, pc = 0: 13 (-1) 3\n  prints mem[13] = 72\n"
        b"step 2, pc = 6: 14 14 0\n"
        b"  subtracts mem[14] = 0 from mem[14] = 0; to 0 if the result is <= 0\n"
        b"no breakpoints\n2 bytes in 2 steps: 'HH'\n",
        "",
    )


def test_the_state_and_the_ends_of_a_program() -> None:
    commands = "state\ncontinue\nback 1\nstep\nstep\n"
    fault = "3 3 3  0 99 0"
    assert run(image(fault), *TINY, *script(commands)) == (
        0,
        b"mem: 4 of 16 words are not 0\npc: 0\nfault: 0\ninput: 0\nready: 0\nwanted: 0\n"
        b"output: 0\nvalid: 0\n"
        + b"step 2, pc = 3: 0 99 0\n  fault at pc = 3, A = 0, B = 99, C = 0: B is no address, "
        b"for the addresses are 0 to 15.\n"
        b"step 1, pc = 3: 0 99 0\n  is no instruction: the next step is a fault\n"
        + 2
        * (
            b"step 2, pc = 3: 0 99 0\n  fault at pc = 3, A = 0, B = 99, C = 0: B is no address, "
            b"for the addresses are 0 to 15.\n"
        ),
        "",
    )
    assert run(image("3 3 -1"), *TINY, *script("where\nrun\n")) == (
        0,
        b"step 0, pc = 0: 3 3 (-1)\n"
        b"  subtracts mem[3] = 0 from mem[3] = 0; to -1 (halt) if the result is <= 0\n"
        b"step 1, pc = -1: halted\n",
        "",
    )


def test_the_program_s_input() -> None:
    commands = script("step 4\nmemory 13 2\n")
    Path("given").write_bytes(b"a")
    code, out, err = run(image(ECHO), *TINY, *commands, "--input", "given")
    assert (code, err) == (0, "")
    assert out.startswith(b"a\nstep 4, pc = 0")
    assert out.endswith(b"13: 97\n14: -1\n")
    # A script without --input is at the end of its input, and leaves stdin alone.
    code, out, err = run(image(ECHO), *TINY, *commands, given=b"b")
    assert (code, err) == (0, "")
    assert out.endswith(b"13: -1\n14: -1\n")


def test_a_wrong_command_ends_a_script() -> None:
    message = (
        "verified-mlp: {}, line 2: there is no command 'stpe' (do you mean step?): try help.\n"
    )
    commands = "step\nstpe\nstep\n"
    first = b"step 1, pc = 0: 3 3 0\n  subtracts mem[3] = 0 from mem[3] = 0; to 0 if the result "
    first += b"is <= 0\n"
    assert run(image(LOOP), *TINY, *script(commands)) == (2, first, message.format("commands"))
    answer = run(image(LOOP), *TINY, given=commands.encode())
    assert answer == (2, first, message.format("standard input"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--commands", "none"),
            "cannot read none: No such file or directory. Choose another file.",
        ),
        (("--input", "."), "cannot read .: Is a directory. Choose another file."),
        (("--commands", "bytes"), "bytes is not UTF-8 text: write commands, one a line."),
        (("--bits", "3"), None),
    ],
)
def test_a_refusal(arguments: tuple[str, ...], sentence: str | None) -> None:
    Path("bytes").write_bytes(b"step\n\xff\n")
    code, out, err = run(image(LOOP), *arguments)
    assert (code, out) == (2, b"")
    assert err.count("\n") == 1
    assert sentence is None or err == f"verified-mlp: {sentence}\n"


# A terminal


PLAIN = pytest.mark.parametrize(
    "plain",
    [
        pytest.param(False, id="prompt_toolkit"),
        pytest.param(True, id="plain", marks=pytest.mark.slow),
    ],
)


class Terminal:
    """A debugger on a pseudo-terminal.  `seen` is what it wrote, colours and moves left out."""

    def __init__(self, main: int, process: subprocess.Popen[bytes]) -> None:
        self._main, self.process = main, process
        self.seen, self._at = "", 0

    def wait(self, text: str) -> str:
        """What is written from the end of the last such text to the end of this one."""
        began = time.monotonic()
        while (found := self.seen.find(text, self._at)) < 0:
            left = began + PATIENCE - time.monotonic()
            ready, _, _ = select.select([self._main], [], [], max(left, 0))
            assert ready, f"only {self.seen[self._at :]!r} came"
            data = os.read(self._main, 4096).decode()
            if "\x1b[6n" in data:  # where is the cursor?
                os.write(self._main, b"\x1b[1;1R")
            self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", data)
        before, self._at = self._at, found + len(text)
        return self.seen[before : self._at]

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())


@contextmanager
def terminal(*arguments: str, plain: bool = False) -> Iterator[Terminal]:
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (24, 200))
    variables = {**os.environ, "TERM": "xterm"}
    if plain:
        variables |= {"PYTHONPATH": "plain", "TERM": "dumb"}
    with subprocess.Popen(
        [COMMAND, "debug", *arguments],
        stdin=side,
        stdout=side,
        stderr=side,
        env=variables,
        start_new_session=True,
        preexec_fn=_own_terminal,  # noqa: PLW1509
    ) as process:
        os.close(side)
        try:
            yield Terminal(main, process)
        finally:
            process.kill()
            os.close(main)


def _own_terminal() -> None:
    """Make standard input the process's terminal, so that Ctrl-C is a signal to it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@PLAIN
def test_ctrl_c_returns_to_the_prompt(plain: bool) -> None:
    with terminal(image(LOOP), *TINY, plain=plain) as screen:
        screen.wait("(debug)")
        screen.type("continue\r")
        screen.wait("continue")
        time.sleep(0.5)
        screen.type("\x03")
        screen.wait("interrupted\nstep ")
        steps = int(screen.wait(", pc = 0").split(",")[0])
        assert steps > 0
        screen.type("back\r")
        screen.wait(f"step {steps - 1}, pc = 0")
        screen.wait("(debug)")
        screen.type("ba")
        time.sleep(0.3)
        screen.type("\x03")  # at the prompt it gives up the line
        screen.wait("(debug)")
        screen.type("stpe\r")
        screen.wait("there is no command 'stpe' (do you mean step?): try help.\n")
        screen.wait("(debug)")
        screen.type("\x04")
        assert screen.process.wait(PATIENCE) == 0


@PLAIN
def test_input_is_asked_for(plain: bool) -> None:
    with terminal(image(ECHO), *TINY, plain=plain) as screen:
        screen.type("step 2\r")
        screen.wait("input:")
        time.sleep(0.3)  # an interrupt before the reading begins is seen only after it
        screen.type("\x03")
        screen.wait("interrupted\nstep 0, pc = 0")
        screen.type("step 2\r")
        screen.wait("input:")
        screen.type("z\r")
        screen.wait("step 2, pc = 6")  # the line end was the second byte
        screen.type("step 3\r")
        screen.wait("input:")
        screen.type("\x04")
        screen.wait("step 5, pc = 3")
        screen.wait("(debug)")
        screen.type("memory 13 2\r")
        screen.wait("13: -1\n14: 10\n")
        screen.wait("(debug)")
        screen.type("quit\r")
        assert screen.process.wait(PATIENCE) == 0


def test_tab_completes() -> None:
    with terminal("examples/multiply.asm") as screen:
        screen.wait("(debug)")
        screen.type("unt\t mor\t\r")
        screen.wait("input:")
        screen.type("6*7\r")
        screen.wait("pc = 45 (more): one ten tens")


# The document


def test_the_document_s_session() -> None:
    """What is typed in the document gives what the document shows."""
    (shown,) = blocks(read("docs/debugger.md"), "text")
    first, _, rest = shown.partition("\n")
    assert first.startswith("$ verified-mlp debug ")
    typed = re.findall(r"^(\(debug\)|input:) (.*)$", rest, re.MULTILINE)
    assert len(typed) > 10
    with terminal(*first.split()[3:], plain=True) as screen:
        for prompt, line in typed:
            screen.wait(f"{prompt} ")
            screen.type(f"{line}\n")
            screen.wait(f"{line}\n")
        assert screen.process.wait(PATIENCE) == 0
    assert screen.seen == rest


def test_the_document_lists_the_commands() -> None:
    table = re.findall(r"^\| `(.*?)` *\|.*$", read("docs/debugger.md"), re.MULTILINE)
    usages = [each.split("`")[0].replace("\\|", "|") for each in table]
    expected = [each.usage.replace(" | step N", "") for each in COMMANDS]
    assert usages == expected
