"""What the debugger shows, as lines of text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from numeric.activations import Activations, Explanation, View, points_on
from numeric.debugger.session import Access, Breakpoint, Session, accesses, operands
from verified_mlp.machine.host import explain_fault
from verified_mlp.machine.shape import Shape

ROWS = 16
"""Rows of an array that are shown unless it was asked for by name."""


class Names:
    """The symbols of a program of `end` cells: addresses for names, and names for addresses.

    >>> names = Names({"loop": 3, "x": 9}, 12)
    >>> [names.text(at) for at in (0, 3, 6, 9, 40)]
    ['0', '3 (loop)', '6 (loop+3)', '9 (x)', '40']
    """

    def __init__(self, symbols: Mapping[str, int], end: int) -> None:
        self.symbols = dict(symbols)
        self._end = end
        self._sorted = sorted((address, name) for name, address in symbols.items())
        self._addresses = [address for address, _ in self._sorted]

    def name(self, address: int) -> str | None:
        """The symbol at an address, or the last one before it and how far it is, in the program."""
        at = bisect_right(self._addresses, address)
        if at == 0 or address >= max(self._end, self._addresses[at - 1] + 1):
            return None
        found = self._addresses[at - 1]
        # The first of several names for one address.
        name = self._sorted[self._addresses.index(found)][1]
        return name if found == address else f"{name}+{address - found}"

    def text(self, address: int) -> str:
        """The address, with what it is called."""
        name = self.name(address)
        return str(address) if name is None else f"{address} ({name})"


def word_text(shape: Shape, word: int) -> str:
    """A word, and as a signed number if that differs; -1 as that alone.

    >>> [word_text(Shape(8, 16), word) for word in (5, 200, 255)]
    ['5', '200 (-56)', '-1']
    """
    signed = word - shape.modulus
    if signed == -1:
        return "-1"
    return f"{word} ({signed})" if word >= shape.modulus // 2 else str(word)


def breakpoint_text(names: Names, found: Breakpoint) -> str:
    """A breakpoint with its number."""
    return f"breakpoint {found.number}: {found.access} {names.text(found.address)}"


def where_lines(session: Session, names: Names) -> Iterator[str]:
    """Where the program stands: the instruction at pc, and what it is about to do."""
    shape, now = session.shape, session.signals()
    head = f"step {session.steps}, pc = "
    if now.pc >= shape.modulus // 2:
        yield f"{head}{word_text(shape, now.pc)}: halted"
        return
    words = operands(session.memory, now.pc)
    shown = " ".join("outside" if word is None else _operand(shape, names, word) for word in words)
    yield f"{head}{names.text(now.pc)}: {shown}"
    fault = explain_fault(shape, session.state()) if now.fault else ""
    yield f"  {fault or _doing(session, names, now.pc)}"


def _operand(shape: Shape, names: Names, word: int) -> str:
    """A word as an operand in assembly."""
    if word == shape.modulus - 1:
        return "(-1)"
    return names.name(word) or str(word)


def _doing(session: Session, names: Names, pc: int) -> str:
    shape, memory = session.shape, session.memory
    found = accesses(shape, memory, pc)
    a, b, c = operands(memory, pc)

    def cell(address: int | None) -> str:
        assert address is not None
        return f"mem[{names.text(address)}] = {word_text(shape, int(memory[address]))}"

    if not found:
        return "is no instruction: the next step is a fault"
    if Access.READ not in found:
        return f"reads a byte of input into {cell(b)}"
    if Access.WRITE not in found:
        return f"prints {cell(a)}"
    assert c is not None
    target = word_text(shape, c) if c >= shape.modulus // 2 else names.text(c)
    goal = f"{target} (halt)" if c >= shape.modulus // 2 else target
    return f"subtracts {cell(a)} from {cell(b)}; to {goal} if the result is <= 0"


def memory_lines(session: Session, names: Names, address: int, count: int) -> Iterator[str]:
    """Words of the memory, one a line."""
    for at in range(address, min(address + count, session.shape.words)):
        yield f"{names.text(at)}: {word_text(session.shape, int(session.memory[at]))}"


def state_lines(session: Session) -> Iterator[str]:
    """Every field of the state by its name; of the memory, how much of it is in use."""
    state, shape = session.state(), session.shape
    used = sum(1 for word in state.mem if word)
    yield f"mem: {used} of {shape.words} words are not 0"
    for name in ("pc", "fault", "input", "ready", "wanted", "output", "valid"):
        yield f"{name}: {word_text(shape, getattr(state, name))}"


def layer_lines(
    found: Activations, depth: int, shapes: Mapping[str, tuple[int, ...]], most: int | None
) -> Iterator[str]:
    """The entries of some arrays of a layer that are not zero, one row of an array a line; at most
    so many rows of an array.  Positions with the same value are written together.
    """
    silent = []
    for name, shape in shapes.items():
        lines = _array_lines(found.layers[depth][name], name, shape, most)
        first = next(lines, None)
        if first is None:
            silent.append(name)
            continue
        yield first
        yield from lines
    if silent:
        yield f"all 0: {', '.join(silent)}"


def _array_lines(view: View, name: str, shape: Sequence[int], most: int | None) -> Iterator[str]:
    if not shape:
        value = float(view.at())
        if value:
            yield f"{name} = {value:g}"
        return
    rows = view.rows_on()
    entries = (entry for row in rows[:most] for entry in points_on(view, shape, row))
    # Entries of a row differ in their last position; those of a list make one row.
    for head, row in groupby(entries, key=lambda entry: entry[0][:-1]):
        by_value: dict[float, list[int]] = {}
        for point, value in row:
            by_value.setdefault(value, []).append(point[-1])
        for value, last in sorted(by_value.items()):
            start = "".join(f"{at}, " for at in head)
            yield f"{name}[{start}{' '.join(map(str, last))}] = {value:g}"
    if most is not None and len(rows) > most:
        yield f"{name}: {len(rows) - most} rows more; name the field to see them all"


def why_lines(depth: int, found: Explanation) -> Iterator[str]:
    """A neuron's row over the layer before it, and what comes out."""
    yield f"layer {depth}, {found.name} = ReLU(sum) = {found.value:g}"
    width = max((len(each.name) for each in found.inputs), default=0)
    if found.inputs:
        yield f"  {'weight':>8}  {'input':<{width}}  value"
    for each in found.inputs:
        yield f"  {each.weight:>8g}  {each.name:<{width}}  {each.value:g}"
    if found.off:
        yield f"  and {found.off} inputs more, all of them 0"
    yield f"  bias {found.bias:g}, sum {found.sum:g}"


def output_lines(printed: bytes, steps: int) -> Iterator[str]:
    """What the program printed."""
    count = "1 byte" if len(printed) == 1 else f"{len(printed)} bytes"
    yield f"{count} in {steps} steps: {repr(printed)[1:]}"
