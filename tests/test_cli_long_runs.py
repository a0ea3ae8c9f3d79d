import os
import pty
import random
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from test_cli_run import (
    CHATTER,
    COMMAND,
    EXAMPLES,
    FAULT,
    HALT,
    HELLO,
    LOOP,
    PATIENCE,
    PROMPT,
    TINY,
    ended,
    image,
    refusal,
    run,
    started,
    taken,
)

SLOW_ECHO = (
    "-1 24 3  25 24 21  24 -1 9  26 26 12  27 26 15  28 26 15  25 25 0  25 25 -1  0 0 0 20 -1"
)
"""Prints its input, and counts to 21 after every byte."""
NUMPY = ("--engine", "support-numpy")
KEPT = ("--checkpoint", "kept")
RESUMED = (*KEPT, "--resume")
MULTIPLY = str(EXAMPLES / "multiply.sq")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def text(count: int) -> bytes:
    return bytes(33 + at * at % 90 for at in range(count))


# Killed and resumed


def killed_and_resumed(count: int, kills: int, furthest: int) -> None:
    """A run is killed after a few more bytes, again and again; its file ends as if it were not."""
    rng = random.Random(kills)
    program = image(SLOW_ECHO)
    Path("given").write_bytes(text(count))
    done = 0
    while True:
        every = rng.choice(["0", "0.02", "0.5"])
        options = [*KEPT, "--checkpoint-every", every, *NUMPY]
        options += ["--resume"] * Path("kept").exists()
        command = " ".join([COMMAND, "run", program, *options])
        source = rng.choice(["{} < given", "cat given | {}"])
        line = f"{source.format(command)} >> out"
        size = Path("out").stat().st_size if done else 0
        with subprocess.Popen(
            ["bash", "-c", line], stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            if done == kills:
                _, err = process.communicate(timeout=PATIENCE)
                assert (process.returncode, err) == (0, b"")
                break
            enough = size + rng.randint(1, furthest)
            end = time.monotonic() + PATIENCE
            while not Path("out").exists() or Path("out").stat().st_size < enough:
                assert process.poll() is None, "it ended before it was killed"
                assert time.monotonic() < end
            os.killpg(process.pid, signal.SIGKILL)
        done += 1
        assert text(count).startswith(Path("out").read_bytes())
    assert Path("out").read_bytes() == text(count)
    assert {each.name for each in Path().iterdir()} <= {
        "image",
        "given",
        "out",
        "kept",
        ".kept.new",
    }


def test_a_run_that_is_killed_goes_on() -> None:
    killed_and_resumed(400, 4, 80)


@pytest.mark.slow
def test_a_run_that_is_killed_often_goes_on() -> None:
    killed_and_resumed(5_000, 50, 90)


@pytest.mark.parametrize("engine", ["support", pytest.param("dense", marks=pytest.mark.slow)])
def test_a_run_in_small_pieces(engine: str) -> None:
    options = ("--bits", "8", "--words", "64", "--engine", engine, "--stats")
    whole = run(MULTIPLY, *options, given=b"6*7")
    steps = int(re.findall(r"^steps: +(\d+)$", whole[2], re.MULTILINE)[0])
    pieces = 0
    found = b""
    resume: list[str] = []
    while True:
        limit = ("--max-steps", "13")
        code, out, err = run(MULTIPLY, *options, *limit, *KEPT, *resume, given=b"6*7")
        resume = ["--resume"]
        found += out
        pieces += 1
        made = int(re.findall(r"^steps: +(\d+)$", err, re.MULTILINE)[0])
        assert made == min(13 * pieces, steps)
        if code == 0:
            break
        assert code == 3
    assert (found, pieces) == (b"42\n", -(-steps // 13))


def test_another_engine_goes_on() -> None:
    tiny = ("--bits", "8", "--words", "64")
    first = run(HELLO, *tiny, *KEPT, "--max-steps", "7", "--engine", "sparse")
    code, out, err = run(HELLO, *tiny, *RESUMED, "--engine", "support", "--self-check", "3")
    assert (first[0], code, first[1] + out) == (3, 0, b"Hello, world!\n"), err


def cut_off(steps: int = 7) -> bytes:
    """What hello.sq prints before it is stopped; `kept` has the rest."""
    code, out, _ = run(HELLO, *KEPT, "--max-steps", str(steps))
    assert code == 3
    assert 0 < len(out) < 14
    return out


# Where the output goes on


def test_a_pipe_gets_the_rest_and_is_told_so() -> None:
    out = cut_off()
    code, rest, err = run(HELLO, *RESUMED)
    assert (code, out + rest) == (0, b"Hello, world!\n")
    assert err == (
        f"verified-mlp: goes on at step 7; its output goes on from byte {len(out) + 1}.\n"
    )


def appended(*arguments: str, given: bytes = b"", mode: str = "ab") -> tuple[int, bytes, str]:
    """The command with its output in the file `out`, and all that is there afterwards."""
    with Path("out").open(mode) as stream:
        code, _, err = run(*arguments, given=given, stdout=stream)
    return code, Path("out").read_bytes(), err


def test_what_came_after_the_checkpoint_is_not_written_twice() -> None:
    Path("out").write_bytes(b"before\n")
    assert appended(HELLO, *KEPT, "--max-steps", "7")[0] == 3
    left = Path("out").read_bytes()
    longer = b"before\nHello, world!\n"[: len(left) + 3]
    Path("out").write_bytes(longer)
    code, found, err = appended(HELLO, *RESUMED, "--max-steps", "1")
    assert (code, found) == (3, longer)
    assert err.startswith("verified-mlp: stopped at step 8, ")
    assert appended(HELLO, *RESUMED) == (0, b"before\nHello, world!\n", "")
    # Once more: it has ended, and prints nothing.
    assert appended(HELLO, *RESUMED) == (
        0,
        b"before\nHello, world!\n",
        f"verified-mlp: the run in kept has ended at step {hello_steps()}.\n",
    )


def hello_steps() -> int:
    return int(re.findall(r"^steps: +(\d+)$", run(HELLO, "--stats")[2], re.MULTILINE)[0])


def test_a_file_that_is_written_at_a_place() -> None:
    assert appended(HELLO, *KEPT, "--max-steps", "7", mode="wb")[0] == 3
    left = Path("out").read_bytes()
    Path("out").write_bytes(left + b"Hello, world!\n"[len(left) :][:2])
    assert appended(HELLO, *RESUMED, mode="r+b") == (0, b"Hello, world!\n", "")


def test_a_file_that_was_emptied_gets_the_rest() -> None:
    assert appended(HELLO, *KEPT, "--max-steps", "7")[0] == 3
    left = Path("out").read_bytes()
    code, out, err = appended(HELLO, *RESUMED, "--max-steps", "7", mode="wb")
    assert code == 3
    note = f"verified-mlp: goes on at step 7; its output goes on from byte {len(left) + 1}.\n"
    assert err.startswith(note)
    # That file is then the one that goes on.
    code, rest, err = appended(HELLO, *RESUMED)
    assert (code, left + rest, err) == (0, b"Hello, world!\n", "")
    assert rest.startswith(out)


def test_a_file_of_something_else_is_added_to() -> None:
    out = cut_off()
    Path("out").write_bytes(b"something else that is longer\n")
    code, found, err = appended(HELLO, *RESUMED)
    rest = b"Hello, world!\n"[len(out) :]
    assert (code, found) == (0, b"something else that is longer\n" + rest)
    assert err.endswith(f"its output goes on from byte {len(out) + 1}.\n")


def test_nothing_that_others_wrote_is_lost() -> None:
    assert appended(HELLO, *KEPT, "--max-steps", "7")[0] == 3
    left = Path("out").read_bytes()
    Path("out").write_bytes(left + b"# mine\n")
    assert appended(HELLO, *RESUMED) == (
        2,
        left + b"# mine\n",
        f"verified-mlp: byte {len(left) + 1} of the output is not what the earlier run wrote "
        "there, perhaps because the input is another. Nothing is lost: to go on, cut the file of "
        f"the output to {len(left)} bytes, or write to another one.\n",
    )
    Path("out").write_bytes(left)
    assert appended(HELLO, *RESUMED) == (0, b"Hello, world!\n", "")


# Where the input goes on


@pytest.mark.parametrize("given", [b"", b"abxd"])
def test_another_input_is_refused(given: bytes) -> None:
    answer = run(image(SLOW_ECHO), *KEPT, "--max-steps", "90", given=b"abcdef")
    assert answer[:2] == (3, b"abcd")
    before = Path("kept").read_bytes()
    assert refused_input(given) == (
        "verified-mlp: standard input does not begin with what the earlier run has read (4 bytes): "
        "give the same input, from its beginning.\n"
    )
    assert Path("kept").read_bytes() == before


def refused_input(given: bytes) -> str:
    code, out, err = run("image", *RESUMED, given=given)
    assert (code, out) == (2, b"")
    return err


def test_an_input_that_began_inside_a_file() -> None:
    Path("given").write_bytes(b"# abcdef")
    program = image(SLOW_ECHO)
    with Path("given").open("rb") as stream:
        os.lseek(stream.fileno(), 2, os.SEEK_SET)
        first = run(program, *KEPT, "--max-steps", "90", stdin=stream)
    with Path("given").open("rb") as stream:
        second = run(program, *RESUMED, stdin=stream)
    assert (first[1] + second[1], second[0]) == (b"abcdef", 0)


def test_a_terminal_gives_what_follows() -> None:
    answer = run(image(SLOW_ECHO), *KEPT, "--max-steps", "90", given=b"abcdef")
    assert answer[1] == b"abcd"
    ours, theirs = pty.openpty()
    with started("image", *RESUMED, stdin=theirs) as process:
        os.write(ours, b"xy\n")
        assert taken(process.stdout, 3) == b"xy\n"
        os.write(ours, b"\x04")
        assert ended(process)[0] == 0
    os.close(ours)
    os.close(theirs)


# Ends of a run


def test_ctrl_c_is_kept_and_goes_on() -> None:
    Path("given").write_bytes(text(600))
    program = image(SLOW_ECHO)
    with (
        Path("out").open("ab") as stream,
        Path("given").open("rb") as given,
        started(
            program, *NUMPY, *KEPT, "--checkpoint-every", "3600", stdin=given, stdout=stream
        ) as process,
    ):
        while Path("out").stat().st_size < 50:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        code, err = ended(process)
    assert code == 130
    found = re.fullmatch(r"verified-mlp: interrupted at step (\d+), pc = \d+\.\n", err)
    assert found
    out = Path("out").read_bytes()
    # Nothing is done again: the checkpoint is of the moment of Ctrl-C.
    code, rest, err = run(program, *NUMPY, *RESUMED, given=text(600))
    assert out + rest == text(600)
    assert f"goes on at step {found[1]}; its output goes on from byte {len(out) + 1}." in err


def test_ctrl_c_while_the_program_waits_is_kept() -> None:
    with started(image(PROMPT), *TINY, *KEPT) as process:
        assert taken(process.stdout, 1) == b"?"
        assert not select.select([process.stdout], [], [], 0.3)[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert ended(process)[1] == "verified-mlp: interrupted at step 1, pc = 3.\n"
    assert run("image", *TINY, *RESUMED, given=b"x")[:2] == (0, b"x")


def test_ctrl_c_while_nobody_takes_the_output() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"?" * 512)
    os.set_blocking(writer, True)
    with started(image(CHATTER), *TINY, *KEPT, "--checkpoint-every", "0", stdout=writer) as process:
        while not Path("kept").exists():
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert ended(process)[1].startswith("verified-mlp: interrupted at step 1, ")
    os.close(reader)
    os.close(writer)
    # The byte that was not written is not lost: the checkpoint from before it stays.
    err = run("image", *TINY, *RESUMED, "--max-steps", "0")[2]
    assert err.startswith("verified-mlp: goes on at step 0; its output goes on from byte 1.\n")


@pytest.mark.parametrize(("words", "code"), [(HALT, 0), (FAULT, 1)])
def test_a_run_that_has_ended_says_so(words: str, code: int) -> None:
    first = run(image(words), *TINY, *KEPT)
    steps = 1 if code == 0 else 2
    assert first[0] == code
    again = run("image", *TINY, *RESUMED)
    assert again == (
        code,
        b"",
        f"verified-mlp: the run in kept has ended at step {steps}.\n" + first[2],
    )


def test_the_rate_is_that_of_the_steps_that_were_made_now() -> None:
    run(image(LOOP), *TINY, *KEPT, "--max-steps", "100000")
    err = run("image", *TINY, *RESUMED, "--max-steps", "0", "--stats")[2]
    assert "steps:            100000\n" in err
    assert "steps per second: 0\n" in err


# What is refused


def test_options_that_do_not_fit_together() -> None:
    assert refusal(HELLO, "--resume") == (
        "--resume is about a checkpoint: name its file with --checkpoint."
    )
    assert refusal(HELLO, "--checkpoint-every", "5") == (
        "--checkpoint-every is about a checkpoint: name its file with --checkpoint."
    )
    for wrong in ("-1", "nan", "inf"):
        assert refusal(HELLO, *KEPT, "--checkpoint-every", wrong) == (
            f"--checkpoint-every {wrong} is out of range: give 0 or more seconds."
        )
    assert refusal(HELLO, *KEPT, "--dump-memory", "./kept") == (
        "--checkpoint and --dump-memory name the same file: give two files."
    )
    assert list(Path().iterdir()) == []


def test_no_checkpoint_is_lost_and_none_made_up() -> None:
    assert refusal(HELLO, *RESUMED) == (
        "there is no checkpoint kept: leave --resume out to run from the start."
    )
    Path("kept").write_bytes(b"precious")
    assert refusal(HELLO, *KEPT) == (
        "kept exists already: give --resume to go on from it, or delete it to run from the start."
    )
    assert refusal(HELLO, *RESUMED) == ("kept is no checkpoint: give the file of an earlier run.")
    assert Path("kept").read_bytes() == b"precious"


def test_another_program_or_machine_is_refused() -> None:
    cut_off()
    assert refusal(MULTIPLY, *RESUMED) == (
        "kept is of a run of another program: give the image that it was written for."
    )
    assert refusal(HELLO, *RESUMED, "--words", "255") == (
        "kept is of a run at 16 bits x 256 words, and this is one at 16 bits x 255 words: give "
        "--bits 16 --words 256."
    )


def test_a_folder_that_cannot_be_written_is_refused_before_the_run() -> None:
    assert refusal(image(PROMPT), *TINY, "--checkpoint", "no/where") == (
        "cannot write no/where: No such file or directory. The run stopped at step 0; an earlier "
        "checkpoint, if there is one, is as it was."
    )


# Progress


LINE = rb"\r\x1b\[K[\d,]+ steps, [\d,]+ steps/s"


@contextmanager
def screen(*arguments: str, both: bool = False) -> Iterator[Callable[[float], bytes]]:
    """A terminal on stderr (and stdout): what it gets in so many seconds, or (0) after Ctrl-C."""
    ours, theirs = pty.openpty()
    streams = {"stdin": subprocess.DEVNULL, "stdout": theirs if both else subprocess.DEVNULL}
    with subprocess.Popen([COMMAND, "run", *arguments], stderr=theirs, **streams) as process:
        os.close(theirs)

        def shown(seconds: float) -> bytes:
            if not seconds:
                process.send_signal(signal.SIGINT)
                seconds = PATIENCE
            end, found = time.monotonic() + seconds, b""
            # OSError is how a terminal says that nobody has it open any more.
            with suppress(OSError):
                while (left := end - time.monotonic()) > 0:
                    if select.select([ours], [], [], left)[0]:
                        found += os.read(ours, 4096)
            return found

        try:
            yield shown
        finally:
            process.kill()
            os.close(ours)


def until_progress(shown: Callable[[float], bytes]) -> bytes:
    found, end = b"", time.monotonic() + PATIENCE
    while not re.search(LINE, found):
        assert time.monotonic() < end, found
        found += shown(1)
    return found


def test_progress() -> None:
    prompt, line = "9 -1 3  10 10 3  0 0 0  33 0", "9 -1 3  10 10 3  0 0 0  10 0"
    for name, words in (("loop", LOOP), ("prompt", prompt), ("line", line)):
        Path(name).write_text(words, encoding="ascii")
    with (
        screen("loop", *TINY) as plain,
        screen("loop", *TINY, *KEPT) as kept,
        screen("prompt", *TINY, both=True) as prompted,
        screen("line", *TINY, both=True) as lined,
        started("loop", *TINY) as unseen,
    ):
        began = time.monotonic()
        shown = [until_progress(each) for each in (plain, kept, lined)] + [prompted(1)]
        seconds = time.monotonic() - began
        after = [each(0) for each in (plain, kept, lined, prompted)]
        unseen.send_signal(signal.SIGINT)
        code, err = ended(unseen)
    for found in shown[:2]:
        lines = re.findall(LINE, found)
        assert b"".join(lines) == found
        assert len(lines) <= 2 * (seconds + 1)
    end = rb"verified-mlp: interrupted at .*\r\n"
    for found in after[:3]:
        assert re.fullmatch(rb"(%b)*\r\x1b\[K%b" % (LINE, end), found)
    assert re.fullmatch(rb"\r\n(%b)+" % LINE, shown[2])
    # A line that the program began is not written over.
    assert shown[3] == b"!"
    assert re.fullmatch(end, after[3])
    # Nobody sees the last.
    assert code == 130
    assert re.fullmatch(r"verified-mlp: interrupted .*\n", err)
