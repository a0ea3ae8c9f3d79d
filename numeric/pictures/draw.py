"""What all pictures share: Matplotlib without a screen, colours, and files by their endings."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg")

ZERO, PLUS, MINUS = (0.925, 0.918, 0.894), (0.043, 0.341, 0.643), (0.761, 0.255, 0.047)
"""Colours: of nothing, of weights and values above 0, of weights below 0."""
LINE = "#8a8f98"
DOTS = 110
"""Dots an inch in a PNG."""
COLOURS = 64
"""So many colours a PNG has at most."""


class PictureError(ValueError):
    """There is no such picture; the text says why and what to do."""


def check_ending(path: Path) -> None:
    """Raises PictureError unless the file's name says how it is to be written."""
    if path.suffix.lower() not in ENDINGS:
        raise PictureError(
            f"{path} ends neither in .png nor in .svg, which say what is written: rename it."
        )


def check_installed() -> None:
    """Raises PictureError without Matplotlib."""
    if find_spec("matplotlib") is None:
        raise PictureError(
            "the package matplotlib is not installed: run pip install 'verified-mlp[plot]'."
        )


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, which needs no screen and is in no global list."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="white")


def content(figure: Figure, ending: str) -> bytes:
    """The content of the file; the same figure gives the same bytes."""
    from matplotlib import rc_context
    from PIL import Image

    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": "verified-mlp", "svg.fonttype": "none"}):
        if ending.lower() == ".svg":
            figure.savefig(stream, format="svg", metadata={"Date": None})
            return stream.getvalue()
        figure.savefig(stream, format="png", dpi=DOTS)
    # Few colours make a small file.
    stream.seek(0)
    few = Image.open(stream).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    smaller = io.BytesIO()
    few.save(smaller, format="png", optimize=True)
    return smaller.getvalue()
