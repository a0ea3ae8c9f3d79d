"""The command `verified-mlp debug`: a program step by step on the verified network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verified_mlp.cli.asm import Bits, Kind, load_symbols
from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.machines import load_machine
from verified_mlp.cli.shell import UserError
from verified_mlp.machine.image_formats import Format

# The runtime and the prover are imported where they are used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.debugger.commands import Debugger
    from verified_mlp.machine.host import Source

INTERNAL = 5
PROMPT, ASKING = "(debug) ", "input: "

Words = Annotated[
    int | None, typer.Option(help="Words of memory, 4 to 2^24.  [default: 256, more if needed]")
]

Ask = Callable[[str], str]
"""Reads a line after a prompt; raises EOFError at the end and KeyboardInterrupt for Ctrl-C."""


def debug(
    program: Annotated[
        Path,
        typer.Argument(metavar="PROGRAM", help="The program: an image, or a source named *.asm."),
    ],
    bits: Bits = None,
    words: Words = None,
    kind: Kind = Format.DECIMAL,
    construction: ConstructionName = PAPER,
    given: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="The program's input.  [default: asked for]"),
    ] = None,
    commands: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Do the commands in this file, one a line, and leave."),
    ] = None,
) -> int:
    """Run a program step by step, forwards and backwards, and look into the network.

    Type help for the commands. Commands that do not come from a terminal end at the first one that
    is wrong; then the program has no input but that of --input.

    Exit code: 0 done; 2 wrong usage, bad program or wrong command; 4 network not verified;
    5 internal error; 130 interrupted.
    """
    loaded, symbols = load_symbols(program, kind, bits, words)
    script = None
    if commands is not None:
        script = _script(str(commands), read_file(commands))
    elif sys.stdin is None or not sys.stdin.isatty():
        script = _script("standard input", b"" if sys.stdin is None else sys.stdin.buffer.read())
    content = None if given is None else read_file(given)

    from numeric.debugger.commands import Debugger
    from numeric.debugger.render import Names
    from numeric.debugger.session import Session

    machine = load_machine(loaded.shape, construction=construction)
    screen = _Screen()
    typed: _Typed | None = None
    source: Source = BytesIO(content or b"")
    if script is None:
        typed = _Typed()
        if given is None:
            source = _Asked(typed, screen)
    session = Session(machine, loaded.words, source, screen)
    debugger = Debugger(session, Names(symbols, len(loaded.words)))
    if typed is None:
        _do_all(debugger, screen, script or iter(()))
    else:
        typed.complete(debugger)
        _converse(debugger, screen, typed.line)
    return 0


def read_file(path: Path) -> bytes:
    """The content of a file; raises UserError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot read {path}: {reason}. Choose another file.") from error


def _script(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """The lines of a script, each with where it stands."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text: write commands, one a line.") from error
    return ((f"{name}, line {at}", line) for at, line in enumerate(text.splitlines(), 1))


def _do_all(debugger: Debugger, screen: _Screen, script: Iterator[tuple[str, str]]) -> None:
    """Do the commands of a script; raises UserError for the first that is wrong."""
    from numeric.debugger.commands import CommandError
    from numeric.debugger.session import Reason

    for place, line in script:
        try:
            _do(debugger, screen, line)
        except CommandError as error:
            raise UserError(f"{place}: {error}") from error
        if debugger.stopped is Reason.INTERRUPTED:
            raise KeyboardInterrupt
        if debugger.ended:
            return


def _converse(debugger: Debugger, screen: _Screen, ask: Ask) -> None:
    """Do what is typed until the user leaves."""
    from numeric.debugger.commands import CommandError

    _do(debugger, screen, "where")
    while not debugger.ended:
        typed = False
        try:
            screen.begin_line()
            line = ask(PROMPT)
            typed = True
            _do(debugger, screen, line)
        except CommandError as error:
            screen.line(str(error))
        except KeyboardInterrupt:  # at the prompt it only gives a new one
            screen.line("interrupted" if typed else "")
        except EOFError:
            screen.line("")
            return


def _do(debugger: Debugger, screen: _Screen, line: str) -> None:
    from numeric.activations import WrongValueError

    try:
        for text in debugger.execute(line):
            screen.line(text)
    except WrongValueError as error:
        raise UserError(f"{error} Please report it.", INTERNAL) from error


class _Screen:
    """Standard output, for the program's bytes and for lines of the debugger."""

    def __init__(self) -> None:
        self._at_start = True

    def write(self, data: bytes) -> None:
        """Write bytes of the program."""
        self._write(data)
        self._at_start = data.endswith(b"\n")

    def flush(self) -> None:
        """Make them visible."""
        if sys.stdout is not None:
            sys.stdout.flush()

    def begin_line(self) -> None:
        """End the line if the program left one open."""
        if not self._at_start:
            self.write(b"\n")
            self.flush()

    def line(self, text: str) -> None:
        """Write a line of the debugger."""
        self.begin_line()
        self._write(text.encode() + b"\n")
        self.flush()

    def _write(self, data: bytes) -> None:
        if sys.stdout is None:
            raise UserError("cannot write: standard output is closed.")
        try:
            sys.stdout.buffer.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot write to standard output: {reason}.") from error


class _Typed:
    """Lines typed on a terminal: with prompt_toolkit if it is installed, else plainly."""

    def __init__(self) -> None:
        self.line: Ask = input
        self.plain: Ask = input
        self._session: Any = None
        try:
            from prompt_toolkit import PromptSession
            from prompt_toolkit.shortcuts import CompleteStyle
        except ImportError:
            return
        self._session = PromptSession[str](
            complete_style=CompleteStyle.READLINE_LIKE, reserve_space_for_menu=0
        )
        self.line = self._session.prompt
        self.plain = PromptSession[str]().prompt

    def complete(self, debugger: Debugger) -> None:
        """Offer the words that a command can go on with."""
        if self._session is not None:
            self._session.completer = _completer(debugger)


def _completer(debugger: Debugger) -> Any:
    from prompt_toolkit.completion import Completer, Completion

    class Words(Completer):
        def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
            begun = document.get_word_before_cursor(WORD=True)
            for each in debugger.completions(document.text_before_cursor):
                yield Completion(each, start_position=-len(begun))

    return Words()


class _Asked:
    """The program's input, asked for a line at a time when the program waits for it."""

    def __init__(self, typed: _Typed, screen: _Screen) -> None:
        self._typed, self._screen = typed, screen
        self._left = b""

    def read(self, size: int) -> bytes:
        """The next byte; none if Ctrl-D is typed."""
        if not self._left:
            self._screen.begin_line()
            try:
                line = self._typed.plain(ASKING)
            except EOFError:
                self._screen.line("")
                return b""
            self._left = line.encode("utf-8", "surrogateescape") + b"\n"
        data, self._left = self._left[:size], self._left[size:]
        return data
