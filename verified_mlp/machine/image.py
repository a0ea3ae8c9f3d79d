"""Images: the text files that hold a program, and how they are read and written.

An image is decimal words, signed or unsigned, separated by blanks, commas or new lines.  A
comment goes from `#`, `;` or `//` to the end of its line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from verified_mlp.machine.shape import Shape

_COMMENT = re.compile(r"#|;|//")
_SEPARATOR = re.compile(r"[\s,]+")
_WORD = re.compile(r"[+-]?[0-9]+", re.ASCII)


class ImageError(ValueError):
    """What is wrong with an image, where it is and what to do, in one sentence or two."""


def read_image(path: Path, shape: Shape) -> list[int]:
    """The words of an image file, 0..2**bits-1; no more than the memory holds.

    Raises ImageError for a file that cannot be read or is no image of that shape.
    """
    return parse_image(decode_text(read_content(path), str(path)), shape, str(path))


def read_content(path: Path) -> bytes:
    """What is in an image file.  Raises ImageError for one that cannot be read."""
    if str(path) == "-":
        raise ImageError(
            "the image cannot come from standard input, which belongs to the program: "
            "give the name of a file."
        )
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageError(f"cannot read the image {path}: {reason}.") from error


def decode_text(content: bytes, name: str) -> str:
    """The text of a decimal image.  Raises ImageError for what is no text."""
    try:
        text = content.decode("utf-8-sig")
        at = text.find("\0")
    except UnicodeDecodeError as error:
        text, at = "", error.start
    if at >= 0:
        raise ImageError(
            f"{name} is not a text file (see byte {at}): an image is decimal words in plain text."
        )
    return text


def parse_image(text: str, shape: Shape, name: str = "image") -> list[int]:
    r"""The words of an image's text, 0..2**bits-1; no more than the memory holds.

    Raises ImageError for text without words, a word that is no integer or out of range, and more
    words than memory; `name` is the file's name in the message.

    >>> parse_image("3 3 -1  # halt\n65535, 7", Shape(16, 8))
    [3, 3, 65535, 65535, 7]
    """
    numbers = parse_numbers(text, shape.bits, shape.words, name)
    return [number % shape.modulus for number in numbers]


def parse_numbers(text: str, bits: int, words: int, name: str = "image") -> list[int]:
    """The numbers of an image's text as they are written, signed or unsigned.

    Raises ImageError as `parse_image`, for words of `bits` bits and a memory of `words` words.

    >>> parse_numbers("65535 -1", 16, 8)
    [65535, -1]
    """
    modulus = 1 << bits
    numbers: list[int] = []
    for line, place, word in _split(text):
        where = f"{name}, line {line}, word {place}"
        shown = word if len(word) <= 30 else f"{word[:27]}..."
        if not _WORD.fullmatch(word):
            raise ImageError(
                f"{where}: {shown!r} is no integer. An image is decimal words; comments begin with "
                f"'#', ';' or '//'."
            )
        # No shape has words of more than 20 digits, and int() refuses very long ones.
        digits = word.lstrip("+-").lstrip("0") or "0"
        number = int(digits) if len(digits) <= 20 else modulus
        if word.startswith("-"):
            number = -number
        if not -modulus // 2 <= number < modulus:
            raise ImageError(
                f"{where}: {shown} is out of range: a word of {bits} bits is {-modulus // 2} to "
                f"{modulus - 1}."
            )
        if len(numbers) == words:
            raise ImageError(
                f"{where}: the image has more words than the memory, which holds {words}. "
                f"Choose more words of memory or a shorter image."
            )
        numbers.append(number)
    if not numbers:
        raise ImageError(f"{name} is empty: an image is decimal words, and it has none.")
    return numbers


def format_image(words: Sequence[int], shape: Shape) -> str:
    r"""The text of an image that `parse_image` reads back: one signed word a line.

    >>> format_image([1, 255], Shape(8, 4))
    '1\n-1\n'
    """
    half = shape.modulus // 2
    return "".join(f"{word - shape.modulus if word >= half else word}\n" for word in words)


def _split(text: str) -> Iterator[tuple[int, int, str]]:
    """Every word with its line and its place in the line, both counted from 1."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        code = _COMMENT.split(line, maxsplit=1)[0]
        words = filter(None, _SEPARATOR.split(code))
        for place, word in enumerate(words, 1):
            yield number, place, word
