"""What an assembler tells about a program: its listing, and its symbols."""

from __future__ import annotations

from collections.abc import Iterator

from verified_mlp.assembler.assemble import Program

PER_ROW = 6
"""The most words in a row of a listing."""
_WIDTH = 30


def format_listing(program: Program) -> str:
    """Every line that was read, with its number, its address and the words that it makes.

    >>> from verified_mlp.assembler.assemble import assemble
    >>> print(format_listing(assemble("x: 3 (-1)  # say it")), end="")
    # source
           0  3 -1 3                             1  x: 3 (-1)  # say it
    """
    return "".join(f"{row}".rstrip() + "\n" for row in _rows(program))


def _rows(program: Program) -> Iterator[str]:
    source = None
    ends = [address for _, address in program.lines[1:]] + [len(program.numbers)]
    for (place, start), end in zip(program.lines, ends, strict=True):
        if place.source != source:
            source = place.source
            yield f"# {source}"
        tail = f"{place.line:>6}  {place.text}"
        for at in range(start, max(end, start + 1), PER_ROW):
            words = " ".join(map(str, program.numbers[at : min(end, at + PER_ROW)]))
            yield f"{at:>8}  {words:<{_WIDTH}}{tail}"
            tail = ""


def format_symbols(program: Program) -> str:
    r"""Every label with its address before it, in the order of addresses.

    >>> from verified_mlp.assembler.assemble import assemble
    >>> format_symbols(assemble("top: x; x: 5"))
    '0 top\n3 x\n'
    """
    found = sorted((address, name) for name, address in program.symbols.items())
    return "".join(f"{address} {name}\n" for address, name in found)
