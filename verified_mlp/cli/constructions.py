"""The option --construction, which all commands that name a network have."""

from __future__ import annotations

from typing import Annotated

import typer

# The registry is not imported here, so that --help is quick; a test holds the two together.
PAPER = "paper"

ConstructionName = Annotated[
    str,
    typer.Option(
        "--construction",
        metavar="NAME",
        help="How the network is made: paper (23 layers), compact (6), five (5), "
        "prefetch (3) or single (1); of words of more than 49 bits the middle three take one more.",
    ),
]
