"""Published neural computers, as their papers or repositories describe them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """A machine: `layers` of which kind, what a pass does, its number of parameters at the size
    that its source gives (None: none is given), and the source.
    """

    name: str
    layers: int
    kind: str
    does: str
    parameters: int | None
    source: str


PUBLISHED = (
    Published(
        "looped ReLU MLP (2024)",
        23,
        "ReLU MLP",
        "SUBLEQ; on paper",
        None,
        "Liang, Sha, Shi, Song, Zhou, arXiv 2410.09375",
    ),
    Published(
        "looped transformer (2023)",
        13,
        "transformer",
        "a small instruction set; its code has 10 layers for SUBLEQ",
        None,
        "Giannou et al., arXiv 2301.13196, abstract; the 10 layers: arXiv 2604.08816, section 1",
    ),
    Published(
        "Loom (2026)",
        8,
        "transformer",
        "22 opcodes; 155 x 1024 state",
        4_700_000,
        "Turkcan, arXiv 2604.08816, abstract",
    ),
    Published(
        "subleq-transformer, constructed (2026)",
        4,
        "transformer",
        "SUBLEQ; 416 cells of 16 bits",
        2_143_712,
        "github.com/anadim/subleq-transformer, README",
    ),
)
"""None of them has a machine-checked proof.  A transformer's layer is attention and a perceptron,
so layers of different kinds are not the same amount of depth."""
