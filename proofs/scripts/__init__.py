"""How each gadget is proved, where writing it out entry by entry would not scale.

A script lists the lemmas that lead to a gadget's specification.  It states no weight: rows, wires
and specifications come from the gadget.  A gadget without a script is proved entry by entry.
"""

from __future__ import annotations

from proofs.lemma import Script
from proofs.scripts.addition import (
    adder,
    block_bits,
    block_carries,
    block_sums,
    increment,
    subtract,
)
from proofs.scripts.instruction import (
    instruction_bit,
    instruction_difference,
    instruction_jump,
)
from proofs.scripts.machine import machine
from proofs.scripts.own import complete
from proofs.scripts.sums import same_word, word_below, word_sum
from proofs.scripts.wide_words import same_wide_word, wide_sum
from proofs.scripts.words import (
    all_ones,
    at_most_zero,
    is_zero,
    match,
    one_hot_sum,
    select,
)

SCRIPTS: dict[str, Script] = {
    "adder": adder,
    "all_ones": all_ones,
    "at_most_zero": at_most_zero,
    "block_bits": block_bits,
    "block_carries": block_carries,
    "block_sums": block_sums,
    "increment": increment,
    "instruction_bit": instruction_bit,
    "instruction_difference": instruction_difference,
    "instruction_jump": instruction_jump,
    "is_zero": is_zero,
    "machine": machine,
    "match": match,
    "one_hot_sum": one_hot_sum,
    "same_wide_word": same_wide_word,
    "same_word": same_word,
    "select": select,
    "subtract": subtract,
    "wide_sum": wide_sum,
    "word_below": word_below,
    "word_sum": word_sum,
}

_own: dict[str, Script] = {}


def register(name: str, script: Script) -> None:
    """Enter a proof script for the gadgets of a name, in a module given to `verify-all --module`.

    What it must prove in the end is stated from the gadget (see `own.complete`).  Raises
    ValueError if gadgets of that name have a script.
    """
    if name in SCRIPTS or name in _own:
        raise ValueError(f"gadgets called {name} have a proof script; choose another name")
    _own[name] = complete(script)


def script_of(name: str) -> Script | None:
    """The proof script for the gadgets of a name."""
    return SCRIPTS.get(name) or _own.get(name)
