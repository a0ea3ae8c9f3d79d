"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

Line = tuple[str, ...]


def plain_table(lines: Sequence[Line], words: Collection[int] = ()) -> Iterator[str]:
    """The lines of a table whose columns are aligned: those in `words` on the left, others, which
    are numbers, on the right.

    >>> list(plain_table([("layer", "nonzeros"), ("1", "12")]))
    ['layer  nonzeros', '    1        12']
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.ljust(width) if at in words else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
