"""The canonical text of a network's placed statement, and its digest.

The text states every number, wire, range and size of the network: input fields, then for each
layer its families of neurons with their rows, then the outputs.  It does not depend on the
order of terms or on the names of indices, and its length does not depend on the sizes of the
fields, so the digest of a machine with millions of words is found as fast as that of four.
Stages, notes and the gadgets that the rows come from are not part of it: they say why the
network is what it is, not what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

from verified_mlp.statement.affine import Affine
from verified_mlp.statement.expr import Expr, Index, to_expr, var
from verified_mlp.statement.network import Network
from verified_mlp.statement.normal import axis_name, collect
from verified_mlp.statement.polynomial import normal

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def canonical_text(network: Network) -> str:
    """The canonical text, a line for each array and for each term of its rows.

    Raises ValueError for a field whose name could be mistaken for something else.

    >>> from verified_mlp.gadgets.threshold import threshold
    >>> print(canonical_text(threshold().network), end="")
    input s in 0..top
    layer 1
    neurons reached in 0..-t + top + 1
      -t + 1
      s
    neurons passed in 0..-t + top
      -t
      s
    output out in 0..1
      (-1) passed
      reached
    """
    return "".join(f"{line}\n" for line in _lines(network))


def digest(network: Network) -> str:
    """The SHA-256 of the canonical text, in hexadecimal."""
    return sha256(canonical_text(network).encode()).hexdigest()


def _lines(network: Network) -> Iterator[str]:
    for source in network.inputs:
        marks = {"word": source.word, "one-hot": source.one_hot}
        yield f"input {_heading(source.name, source.indices, source.largest, marks)}"
    for number, layer in enumerate(network.layers, 1):
        yield f"layer {number}"
        for family in layer.neurons:
            marks = {"one-hot": family.one_hot}
            yield f"neurons {_heading(family.name, family.indices, family.largest, marks)}"
            yield from _terms(family.row, family.indices)
    for output in network.outputs:
        marks = {"word": output.word}
        yield f"output {_heading(output.name, output.indices, output.largest, marks)}"
        yield from _terms(output.form, output.indices)


def _heading(name: str, indices: Sequence[Index], largest: Expr, marks: dict[str, bool]) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"the field name {name!r} cannot be written down without doubt: use letters, digits, "
            "underscores and dots only."
        )
    extents = ", ".join(str(normal(to_expr(index.extent))) for index in indices)
    sizes = f"[{extents}]" if indices else ""
    axes = {index.name: var(axis_name(axis)) for axis, index in enumerate(indices)}
    marked = "".join(f", {mark}" for mark, holds in marks.items() if holds)
    return f"{name}{sizes} in 0..{normal(largest.substitute(axes))}{marked}"


def _terms(row: Affine, indices: Sequence[Index]) -> Iterator[str]:
    for term in collect(row, indices):
        sizes = [
            f"{bound.name} of {bound.extent}"
            for bound in term.bounds
            if bound.low.constant != 0 or bound.high != to_expr(bound.extent)
        ]
        yield f"  {term}; {', '.join(sizes)}" if sizes else f"  {term}"
