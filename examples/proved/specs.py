"""What the programs in this folder print: specifications for `verified-mlp prove`."""

import math

from verified_mlp.logic import where


def multiply(x: int, y: int) -> bytes:
    """The product as two bytes, the less significant first."""
    return (x * y).to_bytes(2, "little")


def maximum(x: int, y: int) -> list[int]:
    """The larger one, as a byte; written so that it works on a solver's terms, too."""
    return [where(x > y, x, y) % 256]


def absolute(x: int) -> list[int]:
    """The absolute value, as a byte; written so that it works on a solver's terms, too."""
    return [where(x < 0, -x, x) % 256]


def gcd(x: int, y: int) -> bytes:
    """The greatest common divisor, as a byte."""
    return bytes([math.gcd(x, y)])


def sort(a: int, b: int, c: int, d: int) -> bytes:
    """The four numbers in ascending order, each as a byte."""
    return bytes(sorted([a, b, c, d]))


def add(first: int, second: int) -> bytes:
    """The sum of two bytes, modulo 256."""
    return bytes([(first + second) % 256])
