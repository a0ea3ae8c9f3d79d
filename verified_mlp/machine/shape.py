"""The shape of a machine: word width and memory size."""

from __future__ import annotations

from dataclasses import dataclass

MIN_BITS, MAX_BITS = 4, 64
MIN_WORDS, MAX_WORDS = 4, 2**24


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
        if not MIN_BITS <= self.bits <= MAX_BITS:
            raise ValueError(
                f"bits = {self.bits} is out of range: choose {MIN_BITS} to {MAX_BITS} bits a word."
            )
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

    def __str__(self) -> str:
        return f"{self.bits} bits x {self.words} words"
