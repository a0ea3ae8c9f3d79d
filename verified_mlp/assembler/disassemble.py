"""From numbers back to a source that assembles to the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verified_mlp.machine.image_formats import Image

SHORTEST = 4
"""The fewest characters in a row that are written as a string."""
PER_LINE = 8
"""The most numbers on a line of data."""
_ESCAPES = {ord("\n"): "\\n", ord('"'): '\\"', ord("\\"): "\\\\"}


def disassemble(image: Image) -> str:
    """A source of the image.

    What execution can reach from address 0, as the image stands, is written as instructions, the
    rest as data.  Cells that instructions name have labels: the letter L and the address.

    >>> from verified_mlp.machine.image_formats import decode_image
    >>> print(disassemble(decode_image(b"6 -1 3 7 7 -1 33 0")), end="")
    # shape: --bits 16 --words 256
    L6 (-1)
    L7 L7 (-1)
    . L6: 33
    . L7: 0
    """
    lines = [f"# shape: --bits {image.shape.bits} --words {image.shape.words}"]
    numbers = image.numbers
    starts = _instructions(image)
    labels = _labels(numbers, starts)
    address = 0
    while address < len(numbers):
        if starts[address]:
            lines.append(_instruction(numbers, labels, address))
            address += 3
        else:
            end = address + 1
            while end < len(numbers) and not (starts[end] or labels[end]):
                end += 1
            lines += _data(numbers, labels, address, end)
            address = end
    return "".join(f"{line}\n" for line in lines)


def _instructions(image: Image) -> bytearray:
    """1 at the addresses where an instruction begins."""
    numbers, shape = image.numbers, image.shape
    words = image.words
    starts, taken = bytearray(len(numbers)), bytearray(len(numbers))
    waiting = [0]
    while waiting:
        pc = waiting.pop()
        if pc >= min(len(numbers) - 2, shape.modulus // 2) or any(taken[pc : pc + 3]):
            continue
        starts[pc] = 1
        taken[pc : pc + 3] = b"\1\1\1"
        a, b, c = words[pc : pc + 3]
        port = shape.modulus - 1
        subtracts = port not in (a, b)
        if subtracts:
            waiting.append(c)
        if not subtracts or a != b:  # a word minus itself is 0, so that one always jumps
            waiting.append(pc + 3)
    return starts


def _labels(numbers: Sequence[int], starts: bytearray) -> bytearray:
    """1 at the addresses that instructions name, but for the next one's."""
    labels = bytearray(len(numbers))
    for pc, starting in enumerate(starts):
        if starting:
            for offset in range(3):
                number = numbers[pc + offset]
                if 0 <= number < len(numbers) and not (offset == 2 and number == pc + 3):
                    labels[number] = 1
    return labels


def _instruction(numbers: Sequence[int], labels: bytearray, pc: int) -> str:
    a, b, c = numbers[pc : pc + 3]
    count = 3
    if c == pc + 3 and not labels[pc + 2]:
        count = 1 if a == b and not labels[pc + 1] else 2
    operands = []
    for at in range(pc, pc + count):
        number = numbers[at]
        if at == pc + 2 and number == pc + 3:
            text = "?"
        elif 0 <= number < len(numbers):
            text = f"L{number}"
        else:
            text = str(number) if number >= 0 else f"({number})"
        operands.append(f"L{at}: {text}" if labels[at] else text)
    return " ".join(operands)


def _data(numbers: Sequence[int], labels: bytearray, start: int, end: int) -> Iterator[str]:
    """Lines of data for the cells from `start` to before `end`, of which the first may be named."""
    head = f"L{start}: " if labels[start] else ""
    for items in _groups(numbers, start, end):
        yield f". {head}{' '.join(items)}"
        head = ""


def _groups(numbers: Sequence[int], start: int, end: int) -> Iterator[list[str]]:
    """What stands on each line of data: a string, or numbers."""
    plain: list[str] = []
    at = start
    while at < end:
        stop = at
        while stop < end and (32 <= numbers[stop] < 127 or numbers[stop] == 10):
            stop += 1
        if stop - at >= SHORTEST:
            if plain:
                yield plain
                plain = []
            text = "".join(_ESCAPES.get(each, chr(each)) for each in numbers[at:stop])
            yield [f'"{text}"']
            at = stop
            continue
        for number in numbers[at : max(stop, at + 1)]:
            plain.append(str(number) if number >= 0 else f"({number})")
            if len(plain) == PER_LINE:
                yield plain
                plain = []
        at = max(stop, at + 1)
    if plain:
        yield plain
