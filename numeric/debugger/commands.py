"""The debugger's commands: a table of their names, arguments and what they do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from numeric.debugger.render import (
    ROWS,
    Names,
    breakpoint_text,
    layer_lines,
    memory_lines,
    output_lines,
    state_lines,
    where_lines,
    why_lines,
)
from numeric.debugger.session import Access, Reason, Session, Stop

ZEROS = 64
"""Inputs of one array that are listed although they are 0, at most."""


class CommandError(ValueError):
    """A command that cannot be done; the text is a sentence that says why."""


class Debugger:
    """Does commands on a session, and gives the lines to show.

    `stopped` says why the program does not run on, after a command that let it run.  `ended` is
    set by the command `quit`.
    """

    def __init__(self, session: Session, names: Names) -> None:
        self.session, self.names = session, names
        self.ended = False
        self.stopped: Reason | None = None

    def execute(self, line: str) -> Iterator[str]:
        """Do what a line says.  Raises CommandError for a wrong command, before it does anything.

        A blank line and one that begins with `#` say nothing.
        """
        self.stopped = None
        if not line.strip() or line.lstrip().startswith("#"):
            return
        name, *arguments = line.split()
        command = _BY_NAME.get(name)
        if command is None:
            raise CommandError(f"there is no command {name!r}{_like(name, _BY_NAME)}: try help.")
        if not command.least <= len(arguments) <= command.most:
            raise CommandError(f"write: {command.usage}.")
        yield from command.act(self, arguments)

    def completions(self, line: str) -> list[str]:
        """What the last word of a line could become."""
        words = line.split() or [""]
        if line.endswith(" "):
            words.append("")
        if len(words) == 1:
            known: Iterable[str] = (each.name for each in COMMANDS)
        else:
            command = _BY_NAME.get(words[0])
            known = self._choices(command.name, words) if command else ()
        return sorted({each for each in known if each.startswith(words[-1])})

    def _choices(self, command: str, words: Sequence[str]) -> Iterable[str]:
        if command == "break":
            first = list(Access) if len(words) == 2 else []
            return [*first, *self.names.symbols]
        if command == "until":
            return ["step", *self.names.symbols]
        if command == "memory":
            return self.names.symbols
        if command == "help":
            return [each.name for each in COMMANDS]
        if command == "layer" and len(words) == 3 and words[1].isdecimal():
            return self.shapes(int(words[1])) if int(words[1]) <= self.layers else ()
        return ()

    @property
    def layers(self) -> int:
        """The number of layers of the network."""
        return len(self.session.network.layers)

    def shapes(self, depth: int) -> dict[str, tuple[int, ...]]:
        """The arrays of a layer (0: of the state before it) and their shapes."""
        return {each.name: each.shape for each in self.session.network.sources(depth)}

    def address(self, text: str) -> int:
        """The address that a text means: a number, a symbol, or a symbol and a distance."""
        found = re.fullmatch(r"(?:(\d+)|([A-Za-z_]\w*))([+-]\d+)?", text, re.ASCII)
        if not found:
            raise CommandError(f"{text!r} is no address: write a number or a symbol.")
        number, name, distance = found[1], found[2] or "", found[3]
        if name and name not in self.names.symbols:
            like = _like(name, self.names.symbols)
            cure = "write a number." if not self.names.symbols else "write a number or a symbol."
            raise CommandError(f"there is no symbol {name!r}{like}: {cure}")
        address = int(number or self.names.symbols[name]) + int(distance or 0)
        if not 0 <= address < self.session.shape.words:
            raise CommandError(
                f"{text} is outside of the memory: the words are 0 to "
                f"{self.session.shape.words - 1}."
            )
        return address

    def depth(self, text: str, least: int) -> int:
        """The number of a layer."""
        depth = _number(text, "the number of a layer")
        if not least <= depth <= self.layers:
            raise CommandError(f"there is no layer {depth}: choose {least} to {self.layers}.")
        return depth

    def after(self, stop: Stop) -> Iterator[str]:
        """Why the program stopped, and where."""
        self.stopped = stop.reason
        if stop.breakpoint:
            yield breakpoint_text(self.names, stop.breakpoint)
        if stop.reason is Reason.INTERRUPTED:
            yield "interrupted"
        yield from where_lines(self.session, self.names)


Act = Callable[[Debugger, Sequence[str]], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its names, how its arguments are written and how many there are, what it does."""

    name: str
    short: str
    arguments: str
    least: int
    most: int
    help: str
    act: Act

    @property
    def usage(self) -> str:
        """How the command is written."""
        return f"{self.name} {self.arguments}".strip()


def _number(text: str, what: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise CommandError(f"{text!r} is not {what}: write a number, 0 or more.")
    return int(text)


def _like(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f" (do you mean {close[0]}?)" if close else ""


def _step(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    count = _number(arguments[0], "a number of steps") if arguments else 1
    yield from debugger.after(debugger.session.step(count))


def _back(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    session = debugger.session
    if arguments == ["all"]:
        count = session.steps
    else:
        count = _number(arguments[0], "a number of steps") if arguments else 1
    if count > session.steps:
        raise CommandError(
            f"there are {session.steps} steps to go back, not {count}: write fewer, or all."
        )
    session.back(count)
    yield from where_lines(session, debugger.names)


def _continue(debugger: Debugger, _: Sequence[str]) -> Iterator[str]:
    yield from debugger.after(debugger.session.run())


def _until(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    session = debugger.session
    if len(arguments) == 1:
        stop = session.run(address=debugger.address(arguments[0]))
    elif arguments[0] == "step":
        last = _number(arguments[1], "the number of a step")
        if last < session.steps:
            raise CommandError(
                f"step {last} is behind, for {session.steps} were made: write back "
                f"{session.steps - last}."
            )
        stop = session.run(last=last)
    else:
        raise CommandError(f"write: {_BY_NAME['until'].usage}.")
    yield from debugger.after(stop)


def _break(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    access = Access.EXECUTE
    if len(arguments) == 2:
        if arguments[0] not in list(Access):
            raise CommandError(f"write: {_BY_NAME['break'].usage}.")
        access = Access(arguments[0])
    address = debugger.address(arguments[-1])
    try:
        found = debugger.session.add_breakpoint(access, address)
    except ValueError as error:
        raise CommandError(str(error)) from error
    yield breakpoint_text(debugger.names, found)


def _breaks(debugger: Debugger, _: Sequence[str]) -> Iterator[str]:
    for each in debugger.session.breakpoints.values():
        yield breakpoint_text(debugger.names, each)
    if not debugger.session.breakpoints:
        yield "no breakpoints"


def _delete(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    number = _number(arguments[0], "the number of a breakpoint")
    if number not in debugger.session.breakpoints:
        raise CommandError(f"there is no breakpoint {number}: breaks lists them.")
    del debugger.session.breakpoints[number]
    return iter(())


def _memory(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    count = _number(arguments[1], "a number of words") if len(arguments) == 2 else 1
    return memory_lines(debugger.session, debugger.names, debugger.address(arguments[0]), count)


def _state(debugger: Debugger, _: Sequence[str]) -> Iterator[str]:
    return state_lines(debugger.session)


def _where(debugger: Debugger, _: Sequence[str]) -> Iterator[str]:
    return where_lines(debugger.session, debugger.names)


def _output(debugger: Debugger, _: Sequence[str]) -> Iterator[str]:
    return output_lines(debugger.session.output, debugger.session.steps)


def _layer(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    depth = debugger.depth(arguments[0], 0)
    shapes = debugger.shapes(depth)
    most: int | None = ROWS
    if len(arguments) == 2:
        name = _array(debugger, depth, arguments[1])
        shapes, most = {name: shapes[name]}, None
    return layer_lines(debugger.session.activations(), depth, shapes, most)


def _why(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    text = " ".join(arguments)
    found = re.fullmatch(r"([\w.]+)(?: ?\[([\d, ]*)\])? (\d+)", text, re.ASCII)
    if not found:
        raise CommandError(f"write: {_BY_NAME['why'].usage}, as in why {_example(debugger)}.")
    depth = debugger.depth(found[3], 1)
    name = _array(debugger, depth, found[1])
    point = tuple(int(at) for at in re.findall(r"\d+", found[2] or ""))
    shape = debugger.shapes(depth)[name]
    if len(point) != len(shape):
        raise CommandError(f"{name} of layer {depth} has {len(shape)} indices, not {len(point)}.")
    for at, extent in zip(point, shape, strict=True):
        if at >= extent:
            raise CommandError(
                f"{at} is outside of {name} in layer {depth}: there its index is 0 to {extent - 1}."
            )
    return why_lines(depth, debugger.session.activations().explain(depth, name, point, ZEROS))


def _example(debugger: Debugger) -> str:
    name, shape = next(iter(debugger.shapes(1).items()))
    return f"{name}[{', '.join('0' for _ in shape)}] 1" if shape else f"{name} 1"


def _array(debugger: Debugger, depth: int, name: str) -> str:
    known = debugger.shapes(depth)
    if name not in known:
        raise CommandError(f"layer {depth} has no field {name!r}: it has {', '.join(known)}.")
    return name


def _help(debugger: Debugger, arguments: Sequence[str]) -> Iterator[str]:
    if arguments:
        command = _BY_NAME.get(arguments[0])
        if command is None:
            like = _like(arguments[0], _BY_NAME)
            raise CommandError(f"there is no command {arguments[0]!r}{like}: try help.")
        chosen: Sequence[Command] = (command,)
    else:
        chosen = COMMANDS
    width = max(len(each.usage) for each in COMMANDS)
    for each in chosen:
        yield f"{each.short:<2} {each.usage:<{width}}  {each.help}"


def _quit(debugger: Debugger, _: Sequence[str]) -> Iterator[str]:
    debugger.ended = True
    return iter(())


COMMANDS = (
    Command("step", "s", "[N]", 0, 1, "make N steps (1), past breakpoints", _step),
    Command("back", "b", "[N|all]", 0, 1, "take back the last N steps (1)", _back),
    Command("continue", "c", "", 0, 0, "run to a breakpoint or the end", _continue),
    Command("run", "r", "", 0, 0, "the same as continue", _continue),
    Command("until", "u", "ADDRESS | step N", 1, 2, "run to pc = ADDRESS, or to step N", _until),
    Command(
        "break",
        "",
        "[execute|read|write] ADDRESS",
        1,
        2,
        "stop before a step that does this to the word (execute)",
        _break,
    ),
    Command("breaks", "", "", 0, 0, "list the breakpoints", _breaks),
    Command("delete", "d", "N", 1, 1, "take breakpoint N away", _delete),
    Command("where", "w", "", 0, 0, "the instruction at pc", _where),
    Command("memory", "m", "ADDRESS [COUNT]", 1, 2, "words of the memory", _memory),
    Command("state", "", "", 0, 0, "all fields of the state", _state),
    Command("output", "o", "", 0, 0, "all that was printed", _output),
    Command(
        "layer",
        "l",
        "N [FIELD]",
        1,
        2,
        "what is not 0 in layer N of the next pass (0: before)",
        _layer,
    ),
    Command("why", "", "FIELD[INDEX...] N", 2, 9, "the row of a neuron of layer N", _why),
    Command("help", "h", "[COMMAND]", 0, 1, "this list", _help),
    Command("quit", "q", "", 0, 0, "leave", _quit),
)
"""All commands; a symbol of the program stands wherever an ADDRESS does."""

_BY_NAME = {name: each for each in COMMANDS for name in (each.name, each.short) if name}
