"""How commands get the machine on which they run programs: only a verified one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from verified_mlp.cli.constructions import PAPER
from verified_mlp.cli.shell import UserError
from verified_mlp.machine.shape import NotBuiltError, Shape

# The runtime and the prover are imported where they are used, so that --help is quick.
if TYPE_CHECKING:
    from numeric.machine import Machine
    from proofs.verify import Options

NOT_VERIFIED = 4
"""The exit code of every command that would run a network whose proof does not hold."""


def load_machine(
    shape: Shape,
    engine: str = "auto",
    certificate: Path | None = None,
    unverified: bool = False,
    construction: str = PAPER,
) -> Machine:
    """The machine of a shape, verified: proved, or covered by the certificate, if there is one.

    Raises UserError if it is not, or if it does not fit in memory.
    """
    from numeric.capacity import DoesNotFitError
    from numeric.lower import NotExactError
    from numeric.machine import Machine, NotVerifiedError, UnknownEngineError
    from numeric.support_reading import NoSupportError

    options = options_of(construction)
    if certificate and unverified:
        raise UserError("--unverified asks for no certificate: leave out one of the two.")
    if certificate:
        _check_covered(certificate, shape, options)
    if unverified and sys.stderr is not None:
        print("verified-mlp: nothing says that this network is proved.", file=sys.stderr)
    try:
        return Machine(shape, engine, options, verified=not (certificate or unverified))
    except (DoesNotFitError, UnknownEngineError) as error:
        raise UserError(str(error)) from error
    except (NoSupportError, NotBuiltError) as error:
        raise UserError(str(error)) from error
    except NotVerifiedError as error:
        raise UserError(str(error), NOT_VERIFIED) from error
    except NotExactError as error:
        raise UserError(
            f"the construction {construction} has numbers at {shape} that float64 does not hold, "
            f"so it is proved there but cannot be run: choose fewer bits, or --construction "
            f"{PAPER}, which is exact at every width."
        ) from error


def options_of(construction: str) -> Options:
    """The usual options of proofs, for the construction of a name.

    Raises UserError for the name of none.
    """
    from proofs.verify import Options
    from verified_mlp.constructions.registry import construction as named

    try:
        return Options(construction=named(construction).name)
    except ValueError as error:
        raise UserError(str(error)) from error


def _check_covered(certificate: Path, shape: Shape, options: Options) -> None:
    """Raises UserError unless the certificate is right and covers the shape's network."""
    from numeric.machine import NotVerifiedError, check_verified
    from proofs.certificate import CertificateError
    from proofs.gate import covered
    from proofs.results import Report
    from proofs.verify import check_instance

    try:
        covered(certificate.read_bytes(), shape, options)
        check_verified(
            Report(shape.bits, shape.words, [check_instance(shape, how=options.construction)])
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot read {certificate}: {reason}. Write it with verify-all."
        ) from error
    except CertificateError as error:
        raise UserError(f"{certificate} is refused: {error}", NOT_VERIFIED) from error
    except NotVerifiedError as error:
        raise UserError(str(error), NOT_VERIFIED) from error
