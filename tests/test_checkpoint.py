from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from numeric import checkpoint
from numeric.checkpoint import MAGIC, Checkpoint, CheckpointError, Passed, decode, encode, identity
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.state import State

SHAPE = Shape(8, 6)
PROGRAM = [3, 3, 255]
STATE = State([3, 3, 255, 7, 0, 128], 3, 0, 65, 1, 1, 66, 1)
OUTPUT = Passed(9, 2, 40, crc32(b"output!"))
SOME = Checkpoint(
    SHAPE, *identity(SHAPE, PROGRAM), 2**40, STATE, OUTPUT, Passed(5, 0, 3, crc32(b"input"))
)


def sentence(content: bytes) -> str:
    with pytest.raises(CheckpointError) as error:
        decode(content, "file")
    return str(error.value)


DAMAGED = "file is damaged: take a copy of it, or delete it and run from the start."


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    checkpoint.write(path, SOME)
    assert checkpoint.read(path, SHAPE, PROGRAM) == SOME
    later = replace(SOME, steps=2**41)
    checkpoint.write(path, later)
    assert checkpoint.read(path, SHAPE, PROGRAM) == later
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("bits", [4, 8, 9, 16, 17, 32, 33, 64])
def test_words_of_every_width(bits: int) -> None:
    shape = Shape(bits, 8)
    words = [0, 1, 2 ** (bits - 1), 2**bits - 1, 7, 0, 3, 2**bits - 2]
    some = replace(SOME, shape=shape, state=State(words, pc=2**bits - 1))
    assert decode(encode(some), "file") == some


def test_a_large_memory() -> None:
    shape = Shape(32, 2**20)
    words = np.random.default_rng(1).integers(0, 2**32, shape.words).tolist()
    some = replace(SOME, shape=shape, state=State(words))
    content = encode(some)
    assert len(content) < 4 * shape.words + 1000
    assert decode(content, "file") == some


def test_every_changed_bit_is_noticed() -> None:
    content = bytearray(encode(SOME))
    for at in range(len(content)):
        for bit in range(8):
            content[at] ^= 1 << bit
            assert sentence(bytes(content)).startswith("file ")
            content[at] ^= 1 << bit
    assert decode(bytes(content), "file") == SOME


def test_every_file_that_is_cut_off_or_goes_on_is_noticed() -> None:
    content = encode(SOME)
    for length in range(len(content)):
        assert sentence(content[:length]).startswith("file ")
    assert sentence(content + b"\0") == DAMAGED
    assert sentence(content[:-1]) == DAMAGED


def test_files_of_others() -> None:
    assert sentence(b"") == "file is no checkpoint: give the file of an earlier run."
    assert sentence(b"1 2 3\n") == "file is no checkpoint: give the file of an earlier run."
    assert sentence(encode(SOME).replace(b"checkpoint 1\n", b"checkpoint 2\n")) == (
        "file was written by another version of verified-mlp: go on with that one, or delete the "
        "file and run from the start."
    )


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SOME, state=replace(STATE, mem=STATE.mem[:-1])),
        replace(SOME, state=replace(STATE, pc=256)),
        replace(SOME, state=replace(STATE, ready=2)),
        replace(SOME, shape=Shape(4, 6), state=replace(STATE, input=1, output=1)),
        replace(SOME, steps=-1),
    ],
)
def test_states_that_are_none(wrong: Checkpoint) -> None:
    assert sentence(encode(wrong)) == DAMAGED


def test_the_digests_tell_networks_and_programs_apart() -> None:
    shapes = [Shape(8, 6), Shape(9, 6), Shape(8, 200)]
    assert len({identity(shape, PROGRAM)[0] for shape in shapes}) == 3
    # As in certificates, a family of numbers of words has one; the shape stands beside it.
    assert identity(Shape(8, 6), PROGRAM) == identity(Shape(8, 7), PROGRAM)
    programs = [PROGRAM, [3, 3, 254], [3, 255, 3], [*PROGRAM, 0], [2**64 - 1]]
    assert len({identity(SHAPE, program)[1] for program in programs}) == 5


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (
            replace(SOME, shape=Shape(8, 7), state=State([0] * 7)),
            "is of a run at 8 bits x 7 words, and this is one at 8 bits x 6 words: give --bits 8 "
            "--words 7.",
        ),
        (
            replace(SOME, network="0" * 64),
            "is of a run on another network: go on with the construction and the version of "
            "verified-mlp that wrote it, or delete the file and run from the start.",
        ),
        (
            replace(SOME, program=identity(SHAPE, [3, 3, 254])[1]),
            "is of a run of another program: give the image that it was written for.",
        ),
    ],
)
def test_checkpoints_of_other_runs(tmp_path: Path, other: Checkpoint, sentence: str) -> None:
    path = tmp_path / "file"
    checkpoint.write(path, other)
    with pytest.raises(CheckpointError) as error:
        checkpoint.read(path, SHAPE, PROGRAM)
    assert str(error.value) == f"{path} {sentence}"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, text in (
        (tmp_path / "none", "there is no checkpoint {}: leave --resume out to run from the start."),
        (tmp_path, "cannot read {}: Is a directory."),
    ):
        with pytest.raises(CheckpointError) as error:
            checkpoint.read(path, SHAPE, PROGRAM)
        assert str(error.value) == text.format(path)


@pytest.mark.parametrize("call", ["fsync", "fdopen"])
def test_the_old_file_stays_if_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "file"
    checkpoint.write(path, SOME)
    with monkeypatch.context() as patch:

        def full(handle: int, *_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(f"numeric.checkpoint.os.{call}", full)
        with pytest.raises(OSError, match="No space left"):
            checkpoint.write(path, replace(SOME, steps=1))
    assert checkpoint.read(path, SHAPE, PROGRAM) == SOME
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_is_whole_before_it_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    checkpoint.write(path, SOME)
    later, seen, replace_file = replace(SOME, steps=1), [], Path.replace

    def look(new: Path, old: Path) -> Path:
        for each in (new, old):
            seen.append(checkpoint.read(each, SHAPE, PROGRAM))
        return replace_file(new, old)

    monkeypatch.setattr(Path, "replace", look)
    checkpoint.write(path, later)
    assert seen == [later, SOME]


def test_a_file_that_a_killed_run_left_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / ".file.new").write_bytes(MAGIC * 1000)
    checkpoint.write(path, SOME)
    assert checkpoint.read(path, SHAPE, PROGRAM) == SOME
    assert list(tmp_path.iterdir()) == [path]
