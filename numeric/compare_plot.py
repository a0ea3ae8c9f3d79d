"""Depth against size, as a picture (needs Matplotlib)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numeric.compare import Row
from numeric.published import PUBLISHED
from verified_mlp.machine.shape import Shape


def draw(rows: Sequence[Row], shape: Shape, path: Path) -> None:
    """Layers against nonzeros of the constructions at a shape; against the parameters of published
    machines, at the sizes of their sources, for those that give them.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    built = [row for row in rows if not row.why]
    figure, axis = pyplot.subplots(figsize=(8, 5))
    axis.plot(
        [row.layers for row in built],
        [row.nonzeros for row in built],
        "o",
        label=f"proved here, {shape}: nonzeros",
    )
    known = [each for each in PUBLISHED if each.parameters]
    axis.plot(
        [each.layers for each in known],
        [each.parameters or 0 for each in known],
        "s",
        fillstyle="none",
        label="published, not machine-checked, at their sizes: parameters",
    )
    marks = [(row.name, row.layers, row.nonzeros) for row in built]
    marks += [(each.name, each.layers, each.parameters or 0) for each in known]
    for name, layers, size in marks:
        axis.annotate(name, (layers, size), xytext=(6, 5), textcoords="offset points", fontsize=8)
    axis.set(xlabel="layers", ylabel="nonzero weights, or parameters", yscale="log")
    axis.set_xlim(0, max(layers for _, layers, _ in marks) * 1.25)
    axis.margins(y=0.2)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
