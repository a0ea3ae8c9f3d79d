"""The command `verified-mlp prove`: a theorem about a program, for all inputs of a domain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verified_mlp.cli.asm import Bits, Kind, load_symbols
from verified_mlp.cli.constructions import PAPER, ConstructionName
from verified_mlp.cli.machines import NOT_VERIFIED, options_of
from verified_mlp.cli.shell import UserError, write_whole
from verified_mlp.machine.host import Outcome
from verified_mlp.machine.image_formats import Format
from verified_mlp.machine.shape import Shape

# The prover is imported where it is used, so that --help is quick.
if TYPE_CHECKING:
    from proofs.programs.execution import Subject
    from proofs.programs.theorem import Proved, Refuted, Spec

PROVED, REFUTED, NOT_PROVED = 0, 1, 3


def prove(
    program: Annotated[
        Path,
        typer.Argument(metavar="PROGRAM", help="The program: a source named *.asm, or an image."),
    ],
    spec: Annotated[
        str,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="What it must print: a Python function of the inputs, in a module or .py file.",
        ),
    ],
    inputs: Annotated[
        str,
        typer.Option(
            metavar="RANGES",
            help='As in "x:0..15,in0:0..255": labels, or the words that are read.',
        ),
    ],
    max_steps: Annotated[
        int, typer.Option(metavar="N", help="The steps within which it must halt.")
    ],
    bits: Bits = None,
    words: Annotated[
        int | None,
        typer.Option(help="Words of memory, 4 to 2^24.  [default: 256, more if needed]"),
    ] = None,
    kind: Kind = Format.DECIMAL,
    seconds: Annotated[int, typer.Option(metavar="T", help="Give up after so many seconds.")] = 300,
    forks: Annotated[int, typer.Option(metavar="N", help="Give up after so many forks.")] = 100_000,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write here what was proved, as JSON.")
    ] = None,
    construction: ConstructionName = PAPER,
) -> int:
    """Prove that a program halts and prints what a function says, for all inputs of a domain.

    docs/prove.md describes it.

    Exit code: 0 proved; 1 refuted, with an input; 2 wrong usage; 3 not proved, as when the budget
    is used up; 4 network not verified; 5 internal error; 130 interrupted.
    """
    for name, number in (("max-steps", max_steps), ("forks", forks)):
        if number < 0:
            raise UserError(f"--{name} {number} is out of range: give 0 or more.")
    if seconds < 1:
        raise UserError(f"--seconds {seconds} is out of range: give 1 or more.")
    options_of(construction)
    image, symbols = load_symbols(program, kind, bits, words)
    if certificate:
        from verified_mlp.cli.verify_files import check_writable

        check_writable([certificate])

    from proofs.modules import ModuleFault
    from proofs.programs.budget import Budget, NotProvedError
    from proofs.programs.domain import DomainError, read_domain
    from proofs.programs.execution import Subject
    from proofs.programs.theorem import Refuted, Spec
    from proofs.programs.theorem import prove as prove_program

    try:
        domain = read_domain(inputs, symbols, image.shape)
        function = _function(spec)
        wanted = Spec(function.__name__, function)
        subject = Subject(image.words, image.shape, domain, max_steps)
        found = prove_program(subject, wanted, Budget(seconds, forks, domain.names))
    except (DomainError, ModuleFault) as error:
        raise UserError(str(error)) from error
    except NotProvedError as error:
        print(f"NOT PROVED: {error}. This says nothing about {program}.")
        return NOT_PROVED
    if isinstance(found, Refuted):
        _print_refuted(program, subject, wanted, found)
        return REFUTED
    _check_network(program, image.shape, construction)
    _print_proved(program, subject, wanted, found)
    if certificate:
        from proofs.programs.record import record

        write_whole(certificate, record(str(program), subject, wanted, found))
    return PROVED


def _function(text: str) -> Callable[..., Any]:
    """The function that --spec names; raises ModuleFault if its module cannot be imported."""
    from proofs.modules import load

    module, colon, name = text.rpartition(":")
    if not colon or not module or not name.isidentifier():
        raise UserError(
            f"--spec {text} names no function: write it like package.module:function, or "
            f"path/to/file.py:function."
        )
    found = getattr(load(module)[0], name, None)
    if not callable(found) or not hasattr(found, "__name__"):
        raise UserError(f"{module} has no function {name}: define it, or name another.")
    return found  # type: ignore[no-any-return]


def _check_network(program: Path, shape: Shape, construction: str) -> None:
    """Raises UserError unless the machine theorem holds for the network of the shape."""
    from numeric.machine import NotVerifiedError, check_verified
    from proofs.gate import ensure

    try:
        check_verified(ensure(shape, options_of(construction)))
    except NotVerifiedError as error:
        raise UserError(
            f"{program} is proved to be right on the machine, but {error}", NOT_VERIFIED
        ) from error


def _print_proved(program: Path, subject: Subject, spec: Spec, proved: Proved) -> None:
    from proofs.programs.theorem import Method

    domain = subject.domain
    paths = f"{proved.paths:,} path{'s' if proved.paths != 1 else ''}"
    how = {
        Method.TABULATED: f"tabulated: {spec.name} was evaluated at every point, and each is on "
        "exactly one path",
        Method.SYMBOLIC: f"symbolic: {spec.name} was evaluated on terms on each path, and the "
        "solver compared; it also found that no fork loses a point",
    }[proved.method]
    print(
        f"PROVED: for all {domain.size:,} inputs {domain}, {program} at {subject.shape} halts "
        f"within {subject.max_steps:,} steps and prints {spec.name}({', '.join(domain.names)}).\n"
        f"  {paths}, at most {proved.steps:,} steps; queries to the solver: {proved.queries:,}.\n"
        f"  {how}.\n"
        f"  One pass of the network of {subject.shape} is proved to be one step, so this holds of "
        "the looped network."
    )


def _print_refuted(program: Path, subject: Subject, spec: Spec, found: Refuted) -> None:
    from proofs.programs.theorem import shown

    said = {
        Outcome.HALTED: "it halted",
        Outcome.FAULT: f"it did not halt ({found.fault.rstrip('.')})",
        Outcome.LIMIT: f"it did not halt within {subject.max_steps:,} steps",
    }[found.outcome]
    print(
        f"REFUTED: {program} at {subject.shape} is wrong for "
        f"{shown(subject.domain, found.point)}.\n"
        f"  After {found.steps:,} steps {said}.\n"
        f"  printed:  {_bytes(found.printed)}\n"
        f"  expected: {_bytes(found.expected)}, which is {spec.name} of this input\n"
        "  The reference interpreter confirms it."
    )


def _bytes(output: bytes) -> str:
    """Bytes as numbers, and as Python writes them."""
    return f"{' '.join(map(str, output)) or 'nothing'} ({output!r})"
