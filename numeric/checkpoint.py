"""Checkpoints: a run as it stands between two passes, in a file from which it can go on.

The file is a line that names the format, the SHA-256 of the rest, and the rest as MessagePack.  It
names the network by the digest that certificates use, and the program by the digest of its words,
so that a run goes on only where it would have been the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np

from numeric.lower import Array
from numeric.support_arrays import word_width
from verified_mlp.constructions.registry import DEFAULT, construction
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.machine.state import State, state_fields
from verified_mlp.statement.digest import digest

NAME = b"verified-mlp checkpoint "
MAGIC = NAME + b"1\n"
"""The first line.  A change of what follows it changes the number."""

_DIGEST = 32


class CheckpointError(Exception):
    """A checkpoint cannot be read, or is one of another run; the text says what to do."""


class Passed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bytes that went through a stream: `count` in all.

    Those from number `since` on are in the present file, where they begin at the offset `at`, and
    `crc` is their CRC-32.  So what a file has can be compared with what it should have.
    """

    count: int = 0
    since: int = 0
    at: int = 0
    crc: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """A run between two passes.  `network` and `program` are digests (see `identity`)."""

    shape: Shape
    network: str
    program: str
    steps: int
    state: State
    output: Passed
    input: Passed


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bits: int
    words: int
    network: str
    program: str
    steps: int
    memory: bytes
    small: dict[str, int]
    output: Passed
    input: Passed


def identity(shape: Shape, program: Sequence[int], how: str = DEFAULT) -> tuple[str, str]:
    """The digests of the network, as in certificates with the number of words free, and of the
    program's words, 0..2**bits-1.  `how` names the construction.
    """
    words = np.array(program, dtype=np.uint64).astype("<u8")
    return digest(construction(how).network(memories(shape))), sha256(words.tobytes()).hexdigest()


def encode(checkpoint: Checkpoint) -> bytes:
    """The content of the file."""
    shape, state = checkpoint.shape, checkpoint.state
    small = {each.name: getattr(state, each.name) for each in fields(State) if each.name != "mem"}
    body = msgspec.msgpack.encode(
        _Body(
            bits=shape.bits,
            words=shape.words,
            network=checkpoint.network,
            program=checkpoint.program,
            steps=checkpoint.steps,
            memory=np.array(state.mem, dtype=_word(shape)).tobytes(),
            small=small,
            output=checkpoint.output,
            input=checkpoint.input,
        )
    )
    return MAGIC + sha256(body).digest() + body


def decode(content: bytes, name: str) -> Checkpoint:
    """The checkpoint in the content of a file, which messages call `name`.

    Raises CheckpointError for anything else than what `encode` gives.
    """
    if not content.startswith(MAGIC):
        if content.startswith(NAME):
            raise CheckpointError(
                f"{name} was written by another version of verified-mlp: go on with that one, or "
                "delete the file and run from the start."
            )
        raise CheckpointError(f"{name} is no checkpoint: give the file of an earlier run.")
    checksum = content[len(MAGIC) : len(MAGIC) + _DIGEST]
    body = memoryview(content)[len(MAGIC) + _DIGEST :]
    try:
        if sha256(body).digest() != checksum:
            raise ValueError("the checksum is wrong")
        return _checkpoint(msgspec.msgpack.decode(body, type=_Body))
    except (ValueError, msgspec.DecodeError) as error:
        raise CheckpointError(
            f"{name} is damaged: take a copy of it, or delete it and run from the start."
        ) from error


def _checkpoint(body: _Body) -> Checkpoint:
    """Raises ValueError for a body that states no run."""
    shape = Shape(body.bits, body.words)
    memory: Array = np.frombuffer(body.memory, dtype=_word(shape))
    names = {each.name: each for each in state_fields(shape) if each.name != "mem"}
    if len(memory) != shape.words or int(memory.max()) >= shape.modulus or body.steps < 0:
        raise ValueError("the memory or the number of steps is out of range")
    if set(names) != set(body.small):
        raise ValueError("there are other fields than those of a state")
    for name, number in body.small.items():
        if not 0 <= number < (shape.modulus if names[name].word else 2):
            raise ValueError(f"{name} is out of range")
    state = State(mem=memory.tolist(), **body.small)
    return Checkpoint(shape, body.network, body.program, body.steps, state, body.output, body.input)


def _word(shape: Shape) -> str:
    """How a word is written, as a NumPy type: little-endian."""
    return f"<u{word_width(shape.bits) // 8}"


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint so that at every moment the file has the whole old or the whole new one.

    Raises OSError, and leaves the old one, if it cannot be written.
    """
    content = encode(checkpoint)
    # One name for all times, so that a run that is killed here leaves no second file for good.
    temporary = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    handle = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path, shape: Shape, program: Sequence[int], how: str = DEFAULT) -> Checkpoint:
    """The checkpoint in a file, if it is one of a run of this program on this machine.

    Raises CheckpointError.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError(
            f"there is no checkpoint {path}: leave --resume out to run from the start."
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise CheckpointError(f"cannot read {path}: {reason}.") from error
    found = decode(content, str(path))
    network, words = identity(shape, program, how)
    if found.shape != shape:
        raise CheckpointError(
            f"{path} is of a run at {found.shape}, and this is one at {shape}: give --bits "
            f"{found.shape.bits} --words {found.shape.words}."
        )
    if found.network != network:
        raise CheckpointError(
            f"{path} is of a run on another network: go on with the construction and the version "
            "of verified-mlp that wrote it, or delete the file and run from the start."
        )
    if found.program != words:
        raise CheckpointError(
            f"{path} is of a run of another program: give the image that it was written for."
        )
    return found
