"""The option --inputs: names, ranges, and where the inputs go."""

from __future__ import annotations

import re
from collections.abc import Mapping

from proofs.programs.execution import Domain
from verified_mlp.machine.shape import Shape

_INPUT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*:\s*([+-]?\d+)\s*\.\.\s*([+-]?\d+)\s*")
_READ = re.compile(r"in(\d+)")


class DomainError(ValueError):
    """What is wrong with a domain; its text is a sentence."""


def read_domain(text: str, symbols: Mapping[str, int], shape: Shape) -> Domain:
    """The domain that a text like "x:0..15,in0:0..255" describes.

    `in0`, `in1`, ... are the words that the program reads, in order; other names are labels of the
    program, given by `symbols`.  Raises DomainError.
    """
    memory: list[tuple[str, tuple[int, int], int | None]] = []
    read: dict[int, tuple[str, tuple[int, int], int | None]] = {}
    places: dict[int, str] = {}
    names: set[str] = set()
    for part in text.split(","):
        name, bounds = _part(part)
        if name in names:
            raise DomainError(f"{name} is given twice in --inputs: give each name once.")
        names.add(name)
        number = _READ.fullmatch(name)
        if number and name in symbols:
            raise DomainError(
                f"{name} could be a word that is read or the label {name}: rename the label."
            )
        if number:
            _check_range(name, bounds, 0, 255, "a word that is read is a byte")
            read[int(number[1])] = name, bounds, None
            continue
        if name not in symbols:
            raise DomainError(_unknown(name, symbols))
        address = symbols[name]
        _check_range(
            name, bounds, -shape.modulus // 2, shape.modulus - 1, f"a word has {shape.bits} bits"
        )
        if not 0 <= address < shape.words:
            raise DomainError(f"{name} is at {address}, outside the memory of {shape}.")
        if address in places:
            raise DomainError(
                f"{places[address]} and {name} are the same word, at {address}: give one of them."
            )
        places[address] = name
        memory.append((name, bounds, address))
    if sorted(read) != list(range(len(read))):
        missing = next(number for number in range(len(read)) if number not in read)
        raise DomainError(
            f"in{missing} is missing in --inputs: words are read in order, so give it a range, too."
        )
    inputs = [*memory, *(read[number] for number in sorted(read))]
    columns = zip(*inputs, strict=True)
    return Domain(*(tuple(column) for column in columns))


def _part(text: str) -> tuple[str, tuple[int, int]]:
    found = _INPUT.fullmatch(text)
    if not found:
        raise DomainError(
            f"--inputs has {text.strip()!r}, which is no name and range: write it like x:0..15, "
            f"with commas in between."
        )
    name, low, high = found[1], int(found[2]), int(found[3])
    if low > high:
        raise DomainError(f"{name}:{low}..{high} has no number: give the lower bound first.")
    return name, (low, high)


def _check_range(name: str, bounds: tuple[int, int], low: int, high: int, why: str) -> None:
    if bounds[0] < low or bounds[1] > high:
        raise DomainError(
            f"{name}:{bounds[0]}..{bounds[1]} is out of range: {why}, so choose {low}..{high} or "
            f"a part of it."
        )


def _unknown(name: str, symbols: Mapping[str, int]) -> str:
    if not symbols:
        return (
            f"there is no label {name}, for an image has none: name words that are read, in0, "
            f"in1, ..., or give the source."
        )
    return (
        f"the program has no label {name}: name one of its labels, or words that are read, in0, "
        f"in1, ..."
    )
