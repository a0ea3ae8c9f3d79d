"""Proof scripts that others bring for gadgets of their own, and what such a script must prove."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from proofs.gadget_view import SymbolicView
from proofs.lemma import Lemma, Part, Script
from proofs.scripts.common import ranges, specification, wires


def complete(script: Script) -> Script:
    """The script, with those lemmas stated from the gadget in which all must end: its
    specification, its ranges, and that it uses the gadgets that it places within their domains.

    The script chooses from which other lemmas they follow.  It raises ValueError if it lacks one of
    them.
    """

    def completed(view: SymbolicView) -> Sequence[Part]:
        parts = list(script(view))
        names = [part.name for part in parts]
        required = {lemma.name: lemma for lemma in _required(view)}
        lacking = [name for name in required if name not in names]
        if lacking or len(set(names)) < len(names):
            what = f"lacks the lemma {lacking[0]!r}" if lacking else "has two lemmas of one name"
            raise ValueError(f"the proof script of {view.gadget.name} {what}")
        return [
            _stated(part, required[part.name]) if part.name in required else part for part in parts
        ]

    return completed


def _stated(part: Part, required: Lemma) -> Part:
    if not isinstance(part, Lemma):
        raise ValueError(f"{part.name!r} must be a Lemma")
    return replace(
        part, claim=required.claim, state=required.state, over=None, accept=required.accept
    )


def _required(view: SymbolicView) -> Iterator[Lemma]:
    for output in view.gadget.network.outputs:
        yield specification(view, output.name, ())
    layers = view.gadget.network.layers
    if any(placed.gadget is None for layer in layers for placed in layer.placed):
        yield ranges(view, ())
    for depth, layer in enumerate(layers):
        for placed in layer.placed:
            if placed.gadget is not None and placed.outputs:
                yield wires(view, placed.name, depth=depth)
