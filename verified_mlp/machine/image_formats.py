"""Image formats beside decimal text, and the machine that an image needs.

An image is a list of *numbers*: words as they are written, signed or unsigned.  A number n stands
for the word n mod 2**bits, of whatever width the machine has that runs it.

A binary image has a fixed number of bits for every word, most significant byte first, two's
complement.  On a machine of wider words its numbers are signed, so -1 stays -1.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from verified_mlp.machine.image import (
    ImageError,
    decode_text,
    parse_numbers,
    read_content,
)
from verified_mlp.machine.shape import MAX_BITS, MAX_WORDS, Shape

BITS, WORDS = 16, 256
"""A machine has so many unless its image needs more."""


class Format(StrEnum):
    """How the numbers of an image are written down."""

    DECIMAL = "decimal"
    BE16 = "be16"
    BE32 = "be32"
    BE64 = "be64"

    @property
    def bits(self) -> int | None:
        """Bits for a word; None for decimal text, which has no fixed number of them."""
        return None if self is Format.DECIMAL else int(self[2:])


class Image(NamedTuple):
    """The numbers of an image and the machine they are for."""

    numbers: list[int]
    shape: Shape

    @property
    def words(self) -> list[int]:
        """The words, 0..2**bits-1."""
        return [number % self.shape.modulus for number in self.numbers]


def load_image(
    path: Path,
    kind: Format = Format.DECIMAL,
    bits: int | None = None,
    words: int | None = None,
) -> Image:
    """The image in a file, and a machine with `bits` and `words`, or what it needs.

    Raises ImageError for a file that cannot be read or is no image that fits, and ValueError for
    `bits` and `words` that no machine has.
    """
    return decode_image(read_content(path), kind, bits, words, str(path))


def decode_image(
    content: bytes,
    kind: Format = Format.DECIMAL,
    bits: int | None = None,
    words: int | None = None,
    name: str = "image",
) -> Image:
    r"""The image in the content of a file, as `load_image`.

    >>> image = decode_image(b"\0\x03\xff\xff", Format.BE16)
    >>> image.numbers, image.words, str(image.shape)
    ([3, -1], [3, 65535], '16 bits x 256 words')
    """
    fit_shape([], kind, bits, words)  # refuses what no machine has
    width = MAX_BITS if bits is None else bits
    most = min(MAX_WORDS, 1 << width) if words is None else words
    if kind.bits is None:
        numbers = parse_numbers(decode_text(content, name), width, most, name)
    else:
        numbers = _unpack(content, kind.bits, most, name)
        check_numbers(numbers, width, name)
    return Image(numbers, fit_shape(numbers, kind, bits, words))


def encode_image(numbers: Sequence[int], kind: Format, bits: int, name: str = "image") -> bytes:
    r"""The content of the file that `decode_image` reads back as the same words of `bits` bits.

    Raises ImageError for a number that the format cannot hold.

    >>> encode_image([3, -1], Format.DECIMAL, 16), encode_image([3, -1], Format.BE16, 16)
    (b'3\n-1\n', b'\x00\x03\xff\xff')
    """
    if kind.bits is None:
        return "".join(f"{number}\n" for number in numbers).encode()
    # A narrower machine reads an unsigned number as well as a signed one, a wider one does not.
    low, end = -(1 << kind.bits - 1), 1 << (kind.bits if bits <= kind.bits else kind.bits - 1)
    for index, number in enumerate(numbers):
        if not low <= number < end:
            raise ImageError(
                f"{name}, word {index}: {number} does not fit: a word of {bits} bits in the format "
                f"{kind} is {low} to {end - 1}. Choose a wider format."
            )
    modulus = 1 << kind.bits
    packed = array(_code(kind.bits), [number % modulus for number in numbers])
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


def fit_shape(
    numbers: Sequence[int], kind: Format, bits: int | None = None, words: int | None = None
) -> Shape:
    """The machine with `bits` and `words`, or for None with what the numbers need.

    That is as many bits as the format has, 16 for decimal text, unless a number or the length
    takes more; and 256 words, or as many as there are numbers.

    >>> str(fit_shape([3, 3, -1, 70000], Format.DECIMAL))
    '17 bits x 256 words'
    """
    if bits is None:
        length = max(len(numbers), words or 0)
        bits = max(kind.bits or BITS, (length - 1).bit_length(), *map(_width, numbers))
    if words is None:
        words = max(min(WORDS, 1 << bits), len(numbers))
    return Shape(bits, words)


def check_numbers(numbers: Sequence[int], bits: int, name: str) -> None:
    """Raise ImageError for a number that is no word of `bits` bits."""
    low, high = -(1 << bits - 1), (1 << bits) - 1
    for index, number in enumerate(numbers):
        if not low <= number <= high:
            raise ImageError(
                f"{name}, word {index}: {number} is out of range: a word of {bits} bits is {low} "
                f"to {high}."
            )


def _unpack(content: bytes, bits: int, most: int, name: str) -> list[int]:
    size = bits // 8
    count, rest = divmod(len(content), size)
    if not content:
        raise ImageError(f"{name} is empty: an image is words of {size} bytes, and it has none.")
    if rest:
        raise ImageError(
            f"{name}, word {count}: only {rest} of its {size} bytes are there. Choose the format "
            f"that the image has, or a whole image."
        )
    packed = array(_code(bits), content[: size * (most + 1)])
    if sys.byteorder == "little":
        packed.byteswap()
    numbers = packed.tolist()
    if count > most:
        raise ImageError(
            f"{name}, word {most} ({_signed(numbers[most], bits)}): the image has {count} words, "
            f"more than the memory, which holds {most}. Choose more words of memory or a shorter "
            f"image."
        )
    return [_signed(number, bits) for number in numbers]


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> bits - 1 else number


def _code(bits: int) -> str:
    """The name that Python's arrays have for unsigned words of so many bits."""
    return next(code for code in "HILQ" if array(code).itemsize * 8 == bits)


def _width(number: int) -> int:
    """The fewest bits of which a number is a signed or unsigned word."""
    return number.bit_length() if number >= 0 else (-number - 1).bit_length() + 1
