"""The command `verified-mlp check-onnx`: a property of a small ReLU network, decided exactly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from verified_mlp.cli.shell import UserError

PROVED, REFUTED, NOT_DECIDED = 0, 1, 3


def check_onnx(
    network: Annotated[
        Path, typer.Argument(metavar="NETWORK", help="A ReLU network in ONNX, of one tensor in.")
    ],
    negated: Annotated[
        Path, typer.Argument(metavar="PROPERTY", help="Its property, negated, in VNN-LIB.")
    ],
    cases: Annotated[
        int, typer.Option(metavar="N", help="Give up after so many cases of neurons.")
    ] = 10_000,
    resources: Annotated[
        int, typer.Option(metavar="R", help="z3's rlimit for each question.")
    ] = 20_000_000,
) -> int:
    """Decide whether some input of a ReLU network fulfils a VNN-LIB file, in exact arithmetic.

    The weights are the rationals that the floats of the file are, and the network is the function
    over the real numbers. docs/verifiers.md describes it and says how large a network may be.

    Exit code: 0 proved, no input fulfils it; 1 refuted, with an input; 2 wrong usage, or a file
    that is not understood; 3 unknown, the budget ended first; 5 internal error; 130 interrupted.
    """
    for name, number in (("cases", cases), ("resources", resources)):
        if number < 1:
            raise UserError(f"--{name} {number} is out of range: give 1 or more.")
    try:
        text = negated.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {negated}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{negated} is no text in UTF-8.") from error

    from numeric.verifiers.guessing import guess
    from numeric.verifiers.onnx_network import NetworkError, read_network
    from proofs.relu_property import decide as deciding
    from proofs.relu_property.vnnlib import VnnLibError, read

    try:
        wanted = read(text)
    except VnnLibError as error:
        raise UserError(f"{negated}, {error}") from error
    try:
        found = read_network(network)
    except NetworkError as error:
        raise UserError(f"{network}: {error}") from error
    sizes = (found.inputs, len(found.outputs))
    if (wanted.inputs, wanted.outputs) != sizes:
        raise UserError(
            f"{negated} is about {wanted.inputs} inputs and {wanted.outputs} outputs, and "
            f"{network} has {sizes[0]} and {sizes[1]}: these two do not belong together."
        )
    budget = deciding.Budget(cases, resources)
    answer = deciding.decide(found, wanted.condition, budget, guess)
    what = f"{found.inputs} inputs, {len(found.neurons)} ReLUs, {answer.cases:,} cases"
    match answer:
        case deciding.Proved():
            print(f"PROVED: no input of {network} fulfils {negated} (unsat).\n  {what}.")
            return PROVED
        case deciding.Unknown():
            print(f"UNKNOWN: {answer.why}. This says nothing about {network}.\n  {what}.")
            return NOT_DECIDED
    print(f"REFUTED: an input of {network} fulfils {negated} (sat).")
    for letter, numbers in (("X", answer.inputs), ("Y", answer.outputs)):
        for at, entry in enumerate(numbers):
            print(f"  {letter}_{at} = {_shown(entry)}")
    print(f"  Exact evaluation of the network confirms it.\n  {what}.")
    return REFUTED


def _shown(number: Fraction) -> str:
    """A rational, and roughly what it is as a decimal.

    >>> _shown(Fraction(1, 3)), _shown(Fraction(3))
    ('1/3 (about 0.333333)', '3')
    """
    if number.denominator == 1:
        return str(number)
    return f"{number} (about {float(number):.6g})"
