"""The streams of `verified-mlp run`: standard input and output, without buffers, and counted.

What passed through them is known by number and CRC-32, so that a run that goes on from a checkpoint
can find its place in them.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO
from zlib import crc32

from verified_mlp.cli.shell import UserError

if TYPE_CHECKING:
    from numeric.checkpoint import Passed

_CHUNK = 2**16


def _nothing() -> None:
    pass


class Interrupts:
    """Within it, Ctrl-C is noted in `asked` and breaks off nothing but waiting for a stream.

    So it cannot come between a byte's reading and its use, and the run can be kept in a checkpoint.
    Where the caller ignores Ctrl-C, it stays ignored.
    """

    def __init__(self) -> None:
        self.asked = False
        self._pipe: tuple[int, int] | None = None
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._pipe = os.pipe()
            for each in self._pipe:
                os.set_blocking(each, False)
            signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pipe:
            signal.signal(signal.SIGINT, self._before)
            signal.set_wakeup_fd(-1)
            for each in self._pipe:
                os.close(each)
            self._pipe = None

    def _note(self, number: int, frame: Any) -> None:
        self.asked = True

    def wait(self, *, to_read: int | None = None, to_write: int | None = None) -> None:
        """Wait for a descriptor; raises KeyboardInterrupt if it is not ready at a Ctrl-C."""
        if self._pipe is None:  # Ctrl-C raises by itself, or is ignored
            return
        reading = [] if to_read is None else [to_read]
        writing = [] if to_write is None else [to_write]
        awake, ready, _ = select.select([*reading, self._pipe[0]], writing, [])
        if not ready and (self.asked or awake != reading):
            raise KeyboardInterrupt


class Input:
    """Standard input, of which no byte is taken before the program asks for it.

    `waited` is the time that reading took, in seconds; `before` is called ahead of it.
    """

    def __init__(self, interrupts: Interrupts) -> None:
        self.waited = 0.0
        self.before: Callable[[], None] = _nothing
        self._interrupts = interrupts
        self._count = self._crc = 0
        self._at = _offset(0) if sys.stdin is not None and _is_file(0) else 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end of input."""
        self.before()
        began = perf_counter()
        try:
            found = self._read(size)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot read the program's input: {reason}.") from error
        finally:
            self.waited += perf_counter() - began
        self._count += len(found)
        self._crc = crc32(found, self._crc)
        return found

    def _read(self, size: int) -> bytes:
        if sys.stdin is None:  # closed by the caller; the descriptor may be another file by now
            return b""
        while True:
            self._interrupts.wait(to_read=0)
            try:
                return os.read(0, size)
            except BlockingIOError:  # the caller's terminal or pipe is set not to wait
                select.select([0], [], [])

    def passed(self) -> Passed:
        """What the program has read."""
        from numeric.checkpoint import Passed

        return Passed(self._count, 0, self._at, self._crc)

    def go_on(self, earlier: Passed) -> None:
        """Go on after what an earlier run has read.

        A file or pipe must give that again: it is compared, and not given to the program once more.
        From a terminal comes what follows it.  Raises UserError for another input.
        """
        if sys.stdin is not None and not _is_file(0) and not stat.S_ISFIFO(os.fstat(0).st_mode):
            self._count, self._crc, self._at = earlier.count, earlier.crc, earlier.at
            return
        if sys.stdin is not None and _is_file(0):
            self._at = max(self._at, earlier.at)
            os.lseek(0, self._at, os.SEEK_SET)
        while self._count < earlier.count:
            if not self.read(min(_CHUNK, earlier.count - self._count)):
                break
        if (self._count, self._crc) != (earlier.count, earlier.crc):
            raise UserError(
                "standard input does not begin with what the earlier run has read "
                f"({earlier.count} bytes): give the same input, from its beginning."
            )
        self.waited = 0.0


class Output:
    """Standard output, on which a byte is seen as soon as it is written.

    `before` is called ahead of writing.  `pending` says that a byte was not written, because of an
    error or a Ctrl-C.  `line_ended` says that the last byte, if there is one, ended a line.
    """

    def __init__(self, interrupts: Interrupts) -> None:
        self.pending = False
        self.line_ended = True
        self.before: Callable[[], None] = _nothing
        self._interrupts = interrupts
        self._count = self._since = self._crc = 0
        self._at = 0
        if sys.stdout is not None and _is_file(1):
            self._at = os.fstat(1).st_size if _appends() else _offset(1)
        self._there: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Take the bytes."""
        self.before()
        self.pending = True
        try:
            self._write(data if self._there is None else self._not_there(data))
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot write the program's output: {reason}.") from error
        self._count += len(data)
        self._crc = crc32(data, self._crc)
        self.line_ended = data.endswith(b"\n")
        self.pending = False

    def _write(self, data: bytes) -> None:
        if sys.stdout is None:
            raise UserError("cannot write the program's output: standard output is closed.")
        while data:
            self._interrupts.wait(to_write=1)
            try:
                data = data[os.write(1, data) :]
            except BlockingIOError:
                select.select([], [1], [])

    def flush(self) -> None:
        """Nothing is kept back."""

    def _not_there(self, data: bytes) -> bytes:
        """What the file does not have yet; raises UserError if it has something else there."""
        assert self._there is not None
        found = self._there.read(len(data))
        if not data.startswith(found):
            place = self._at + self._count - self._since
            raise UserError(
                f"byte {self._count + 1} of the output is not what the earlier run wrote there, "
                "perhaps because the input is another. Nothing is lost: to go on, cut the file of "
                f"the output to {place} bytes, or write to another one."
            )
        if len(found) < len(data):
            self._there.close()
            self._there = None
        elif not _appends():
            os.lseek(1, len(found), os.SEEK_CUR)
        return data[len(found) :]

    def passed(self) -> Passed:
        """What was written, and where the file begins in which it is."""
        from numeric.checkpoint import Passed

        return Passed(self._count, self._since, self._at, self._crc)

    def keep(self) -> None:
        """Have a file's bytes on the disk, before a checkpoint says that they are there."""
        if sys.stdout is not None and _is_file(1):
            os.fsync(1)

    def go_on(self, earlier: Passed) -> bool:
        """Go on after what an earlier run has written; says whether stdout is a file that has it.

        If so, what that run wrote after its checkpoint is compared with what is printed now, and
        not written again.  If not, the output goes on from the checkpoint.
        """
        self._count = earlier.count
        there = _opened_again() if sys.stdout is not None and _is_file(1) else None
        if there is None or not _has(there, earlier):
            self._since = earlier.count
            return False
        self._since, self._at, self._crc = earlier.since, earlier.at, earlier.crc
        self._there = there
        if not _appends():
            os.lseek(1, there.tell(), os.SEEK_SET)
        return True


def _is_file(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _offset(descriptor: int) -> int:
    return os.lseek(descriptor, 0, os.SEEK_CUR)


def _appends() -> bool:
    """Whether stdout writes at the end of its file wherever that is, as after >> in a shell."""
    return bool(fcntl.fcntl(1, fcntl.F_GETFL) & os.O_APPEND)


def _opened_again() -> BinaryIO | None:
    """The file of stdout for reading; None where that is not possible."""
    try:
        there = Path("/dev/fd/1").open("rb")  # noqa: SIM115
    except OSError:
        return None
    if os.path.samestat(os.fstat(1), os.fstat(there.fileno())):
        return there
    there.close()
    return None


def _has(there: BinaryIO, earlier: Passed) -> bool:
    """Whether a file has what was written to it; if so, it then stands behind that."""
    try:
        there.seek(earlier.at)
        left, crc = earlier.count - earlier.since, 0
        while left and (found := there.read(min(_CHUNK, left))):
            left, crc = left - len(found), crc32(found, crc)
    except OSError:
        return False
    return not left and crc == earlier.crc and there.tell() <= os.fstat(there.fileno()).st_size
