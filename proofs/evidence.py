"""Evidence for a solver's answers, which `checker` checks without a solver; as JSON, compactly.

What the numbers in a refutation mean is said in `checker`.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Refutation(msgspec.Struct, frozen=True, tag="unsat", tag_field="answer", omit_defaults=True):
    """Why the assertions of a text cannot hold together.

    `assertions` are the positions of those that are used, from 0; `congruences` pairs of terms;
    `cuts` bounds that the text does not mention, each `[least, term, coefficient, ...]`; `farkas`
    sets of literals that contradict each other, each `[literal, multiplier, ...]`, a multiplier
    being a whole number or `"p/q"`; `moves` the tree of case splits, in order.
    """

    assertions: list[int]
    congruences: list[tuple[int, int]] = []
    cuts: list[list[int]] = []
    farkas: list[list[int | str]] = []
    moves: list[int] = []


class Function(msgspec.Struct, frozen=True, array_like=True):
    """Rows of arguments and the value there, and the value anywhere else."""

    rows: list[list[int]]
    other: int


class Model(msgspec.Struct, frozen=True, tag="sat", tag_field="answer", omit_defaults=True):
    """Values of constants and functions under which all assertions of a text hold."""

    constants: dict[str, int] = {}
    functions: dict[str, Function] = {}


Evidence: TypeAlias = Refutation | Model


class UnreadableEvidence(Exception):
    """A JSON document is no evidence; the message says why."""


def to_json(evidence: Evidence) -> bytes:
    """The evidence as JSON.

    >>> to_json(Refutation([0, 2], farkas=[[3, 1, -4, "1/2"]]))
    b'{"answer":"unsat","assertions":[0,2],"farkas":[[3,1,-4,"1/2"]]}'
    """
    return msgspec.json.encode(evidence)


def from_json(document: bytes | str) -> Evidence:
    """The evidence in a JSON document.

    Raises UnreadableEvidence.
    """
    try:
        evidence: Evidence = msgspec.json.decode(document, type=Evidence)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableEvidence(f"This is no evidence: {error}.") from error
    return evidence
