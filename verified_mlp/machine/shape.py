"""The shape of a machine: word width and memory size; and families of shapes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from verified_mlp.statement.expr import Expr, Extent, const, var
from verified_mlp.statement.network import Parameter

MIN_BITS, MAX_BITS = 4, 64
MIN_WORDS, MAX_WORDS = 4, 2**24


class NotBuiltError(ValueError):
    """A construction is not built at a shape; the text says why, and what to do."""


class Dimensions(Protocol):
    """What a construction builds for: a shape, or all shapes of a family at once."""

    def __hash__(self) -> int:
        """Equal dimensions have one network, built once."""

    @property
    def bits(self) -> int:
        """The width of a word."""

    @property
    def modulus(self) -> int:
        """2**bits: words are numbers below it."""

    @property
    def words(self) -> Extent:
        """The number of words of memory."""

    @property
    def addresses(self) -> Extent:
        """The number of valid addresses."""

    @property
    def code(self) -> Extent:
        """The number of places where an instruction can stand."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the three numbers depend on, with its range."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`bits` per word (4 to 64) and `words` of memory (4 to 2**24, at most 2**bits).

    Raises ValueError, with a sentence, for a shape outside these ranges.

    >>> Shape(16, 256).addresses
    256
    >>> Shape(4, 16).addresses
    15
    """

    bits: int
    words: int

    def __post_init__(self) -> None:
        _check_bits(self.bits)
        largest = min(MAX_WORDS, 2**self.bits)
        if not MIN_WORDS <= self.words <= largest:
            raise ValueError(
                f"words = {self.words} is out of range: with {self.bits}-bit words, choose "
                f"{MIN_WORDS} to {largest} words of memory."
            )

    @property
    def modulus(self) -> int:
        """2**bits: words are numbers below it."""
        return int(2**self.bits)

    @property
    def addresses(self) -> int:
        """The number of valid addresses: every word's, but all ones is never an address."""
        return min(self.words, self.modulus - 1)

    @property
    def code(self) -> int:
        """The number of places where an instruction can stand: its three words are in memory
        and its address is not negative.
        """
        return min(self.words - 2, self.modulus // 2)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """None: the numbers of a shape depend on nothing."""
        return ()

    def __str__(self) -> str:
        return f"{self.bits} bits x {self.words} words"


class Region(StrEnum):
    """A range of numbers of words on which `addresses` and `code` are linear."""

    SMALL = "small"
    """An instruction can stand at every word but the last two."""
    LARGE = "large"
    """Code ends where addresses become negative."""
    FULL = "full"
    """A word for every number: the last has the address of all ones, which is none."""


@dataclass(frozen=True, slots=True)
class Memories:
    """All shapes of `bits` per word whose number of words lies in a region.

    `words`, `addresses` and `code` are expressions in the parameter `words`, low..high.  Every
    shape is in one family: that of `memories(shape)`.

    Raises ValueError, with a sentence, for a width out of range and for a region without shapes.

    >>> str(Memories(16, Region.SMALL)), str(Memories(16, Region.SMALL).code)
    ('16 bits x 4..32770 words', 'words - 2')
    """

    bits: int
    region: Region

    def __post_init__(self) -> None:
        _check_bits(self.bits)
        if self.low > self.high:
            raise ValueError(
                f"no memory of {self.bits}-bit words is {self.region}: it would have {self.low} "
                f"words or more, and the most is {MAX_WORDS}."
            )

    @property
    def modulus(self) -> int:
        """2**bits: words are numbers below it."""
        return int(2**self.bits)

    @property
    def low(self) -> int:
        """The least number of words."""
        lows = {Region.SMALL: MIN_WORDS, Region.LARGE: self.modulus // 2 + 3}
        return lows.get(self.region, self.modulus)

    @property
    def high(self) -> int:
        """The largest number of words."""
        highs = {Region.SMALL: self.modulus // 2 + 2, Region.LARGE: self.modulus - 1}
        return min(highs.get(self.region, self.modulus), MAX_WORDS)

    @property
    def words(self) -> Expr:
        """The number of words of memory."""
        return var("words")

    @property
    def addresses(self) -> Expr:
        """The number of valid addresses."""
        return self.words - 1 if self.region == Region.FULL else self.words

    @property
    def code(self) -> Expr:
        """The number of places where an instruction can stand."""
        return self.words - 2 if self.region == Region.SMALL else const(self.modulus // 2)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The number of words, with its range."""
        return (Parameter("words", self.low, self.high),)

    def __str__(self) -> str:
        words = f"{self.low}..{self.high}" if self.low < self.high else f"{self.low}"
        return f"{self.bits} bits x {words} words"


def memories(shape: Shape) -> Memories:
    """The family that contains a shape.

    >>> str(memories(Shape(4, 11)))
    '4 bits x 11..15 words'
    """
    if shape.words == shape.modulus:
        return Memories(shape.bits, Region.FULL)
    small = shape.words <= shape.modulus // 2 + 2
    return Memories(shape.bits, Region.SMALL if small else Region.LARGE)


def _check_bits(bits: int) -> None:
    if not MIN_BITS <= bits <= MAX_BITS:
        raise ValueError(
            f"bits = {bits} is out of range: choose {MIN_BITS} to {MAX_BITS} bits a word."
        )
