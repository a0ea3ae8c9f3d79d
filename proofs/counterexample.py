"""Looking for an input on which a gadget breaks its specification or its ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proofs.exhaustive import first_failure
from proofs.expanded import WRITABLE_ENTRIES, Expanded, confirm, entry_count
from proofs.results import Answer, Counterexample
from verified_mlp.statement.network import Gadget


def find(
    gadget: Gadget, ask: Callable[[str], Answer], hints: Mapping[str, str]
) -> tuple[Counterexample | None, bool]:
    """(a counterexample, confirmed by exact evaluation, or None; whether every input was tried).

    Tries inputs first, all of them where the domain is small; then asks the solver, first with the
    parameters as in `hints`, a lemma's countermodel.
    """
    if entry_count(gadget) > WRITABLE_ENTRIES:
        return None, False
    complete, failing = first_failure(gadget)
    found = confirm(gadget, failing) if failing is not None else None
    if found is None and not complete:
        found = _solved(gadget, ask, hints)
    return found, complete


def _solved(
    gadget: Gadget, ask: Callable[[str], Answer], hints: Mapping[str, str]
) -> Counterexample | None:
    written = Expanded(gadget)
    fixed = {
        each.name: int(hints[each.name])
        for each in gadget.parameters
        # In a lemma the bits of an address are unknowns of their own; its number says nothing.
        if each.name in hints and not each.bits
    }
    attempts: list[dict[str, Any]] = [fixed, {}] if fixed else [{}]
    for values in attempts:
        failing = written.search(ask, values)
        found = confirm(gadget, failing) if failing is not None else None
        if found is not None:
            return found
    return None
