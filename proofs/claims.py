"""What is claimed of the network: for which sizes, by what, and where; the README's table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, the sizes for which it holds, how it is shown, and the files that show it."""

    claim: str
    sizes: str
    by: str
    where: str


_EVERY = "each width from 4 to 64 bits, and there every number of words at once"
_PROOF = "lemmas; each query decided by z3, or by evidence that needs no solver"
_BUILT = "each shape, when it is built"

CLAIMS = (
    Claim(
        "One pass of the 23 layers is one step of the machine, for every state.",
        _EVERY,
        _PROOF,
        "`proofs/scripts/machine.py`",
    ),
    Claim(
        "Halted, faulted and waiting states are fixed points: a pass changes no bit of them.",
        _EVERY,
        _PROOF,
        "`proofs/scripts/machine.py`",
    ),
    Claim(
        "Decoding what was encoded gives it back.",
        _EVERY,
        _PROOF,
        "`proofs/machine.py`, `proofs/scripts/machine.py`",
    ),
    Claim(
        "Every gadget gives what its specification says, on its whole domain of integers, and no "
        "neuron of it exceeds its declared largest value.",
        "the settings at which the network uses it",
        _PROOF,
        "`proofs/scripts/`, `proofs/expanded.py`",
    ),
    Claim(
        "No hypothesis of these proofs contradicts another, so none is proved from nothing.",
        "every query of every proof",
        "a model, found by z3, or checked without it",
        "`proofs/kernel.py`",
    ),
    Claim(
        "The network of a shape is that of the theorem at its number of words.",
        "each shape, when it is proved or run",
        "comparison of the exact statements",
        "`proofs/verify.py`",
    ),
    Claim(
        "The arrays that run hold the statement's numbers.",
        "a fresh sample of rows whenever arrays are built; every row in the tests and the campaign",
        "reading the statement row by row",
        "`numeric/tie_check.py`",
    ),
    Claim(
        "float64 computes every layer exactly, in any order of adding.",
        _BUILT,
        "arithmetic on the weights and the proved largest values",
        "`numeric/lower.py`, `numeric/exactness.py`",
    ),
)
