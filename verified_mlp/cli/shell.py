"""What the two commands share: sentences for errors, exit codes, files written whole."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import typer
from typer.exceptions import TyperException

USAGE, INTERRUPTED = 2, 130


class UserError(Exception):
    """Something the user can mend: a sentence, and the exit code that goes with it."""

    def __init__(self, sentence: str, code: int = USAGE) -> None:
        super().__init__(sentence)
        self.code = code


def new_app(summary: str) -> typer.Typer:
    """A Typer application with plain help and no completion options."""
    return typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help=summary
    )


def run_app(app: typer.Typer, name: str, internal_error: int) -> NoReturn:
    """Run a command and leave with its exit code; errors are one sentence on stderr.

    A reader of our output that goes away ends the command quietly, as the shell expects
    (128 + SIGPIPE); a fault of ours is reported with `internal_error`.
    """
    try:
        code = app(standalone_mode=False, prog_name=name) or 0
        if code == INTERRUPTED:  # Typer's own answer to Ctrl-C, which says nothing
            raise KeyboardInterrupt
        _flush()
    except UserError as error:
        code = _say(name, str(error), error.code)
    except TyperException as error:
        code = _say(name, error.format_message(), USAGE)
    except KeyboardInterrupt:
        code = _say(name, "interrupted.", INTERRUPTED)
    except (BrokenPipeError, SystemExit):  # the latter is Typer's own answer to the former
        code = 128 + signal.SIGPIPE
    except Exception as error:  # the last resort: whatever it is, it is our fault
        text = f"{type(error).__name__}: {error}"
        code = _say(name, f"internal error, please report it: {text}", internal_error)
    try:
        _flush()
    except OSError:
        # Python would complain once more when it closes a stdout that nobody reads.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(code)


def _flush() -> None:
    if sys.stdout is not None:  # the caller may have closed it
        sys.stdout.flush()


def _say(name: str, sentence: str, code: int) -> int:
    if sys.stderr is not None:  # print would take None for stdout
        print(f"{name}: {sentence}", file=sys.stderr)
    return code


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    A device or pipe is written to as it is.  Raises UserError if the file cannot be written; what
    was there before stays.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            # mkstemp makes a private file; the user's umask decides for this one.
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {path}: {reason}. Choose another file.") from error
