"""The proof of the machine theorem for the construction `five`: 5 layers are one step, or 6.

What is written, and how, is proved as for `compact`.  Words are read as sums of columns, of which
the rows are known: bit j of the sum is that of the one row that was selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proofs.gadget_view import SymbolicView, Vector
from proofs.lemma import Lemma, Over, Part, Uses
from proofs.scripts.common import N
from proofs.scripts.compact import arithmetic_wires, places, written
from proofs.scripts.machine_steps import (
    KINDS,
    J,
    carried,
    fetching,
    kinds,
    layer_wires,
    operand_words,
    operands,
    spells,
)
from proofs.scripts.stages import Stages
from proofs.terms import conj, ite, unknown
from proofs.theory import Formula, Term

AHEAD = {"a": 0, "b": 1}
READ_AT = {"a": "y", "b": "x"}
"""The inputs of the comparison of the operands, by the operand's name."""
BITS = tuple(unknown(f"{name}!0") for name in ("x", "y"))
"""Any bit of the words that the gadgets of a layer read."""


def five(view: SymbolicView) -> Sequence[Part]:
    """Reading by sums of columns; then as for `compact`, a layer earlier."""
    operand = {f"from_{name}": column(f"from_{name}") for name in AHEAD}
    s = Stages(view, {**places(len(view.gadget.network.layers) - 1), **operand})
    code, addresses = s.shape.code, s.shape.addresses
    rows = [(f"columns of {name.upper()}", {"n": code, "j": BITS[0]}) for name in AHEAD]
    selected = [
        *((f"columns at {name.upper()}", {"n": addresses, "j": j}) for name in AHEAD for j in BITS),
        *((f"columns at {name.upper()}", {"n": addresses, "j": J}) for name in AHEAD),
        *operands(s),
        *KINDS,
    ]
    return [
        *fetching(
            s,
            [_matches(s), *(_columns_of(s, name) for name in AHEAD)],
            [("matches", {"n": code}), *rows],
        ),
        *(_spelled(s, name) for name in AHEAD),
        layer_wires(view, 3, [("fetch", {"j": 0})]),
        *(columns_at(s, name) for name in AHEAD),
        kinds(
            s,
            3,
            [
                *operands(s),
                ("matches", {"n": code}),
                ("fetch", {"j": J}),
                *((f"{name.upper()} in columns", {"n": s.bits}) for name in AHEAD),
                *((f"columns at {name.upper()}", {"n": addresses}) for name in AHEAD),
            ],
        ),
        *operand_words(s),
        carried(s, "input", 3, 0),
        *arithmetic_wires(s, 4, selected),
        *written(s, [("columns at A", {"n": addresses, "j": N}), *operands(s)]),
    ]


def _sum(s: Stages, name: str, high: Term, j: Term) -> Any:
    """Bit j of an operand, as the sum of the rows below `high` from which it was selected."""
    return s.view.sum_wired("zero", READ_AT[name[-1]], {}, high, j)


def column(name: str) -> Any:
    """Where the bits of the operand `from_a` or `from_b` are: each the sum of its rows."""
    return lambda s: Vector(lambda j: _sum(s, name, s.shape.addresses, j))


def _test(name: str) -> str:
    """The gadget that reads the columns of A or B in layer 2."""
    return f"{name}_valid"


def _matches(s: Stages) -> Lemma:
    """The gate of the tests of A and B."""

    def state() -> tuple[Sequence[Formula], Formula]:
        total = s.view.sum_wired(_test("a"), "on", {}, N)
        return [], total == ite(conj(s.fetched, s.pc < N), 1, 0)

    return Lemma(
        "matches",
        "the sum of the matches of the pc below row n: 1 if it is among them, else 0",
        state,
        over=_rows(s.shape.code),
        uses=[("pc below 2^n", {"n": s.bits})],
    )


def _columns_of(s: Stages, name: str) -> Lemma:
    """What layer 2 reads of A or B."""

    def state() -> tuple[Sequence[Formula], Formula]:
        total = s.view.sum_wired(_test(name), "x", {}, N, J)
        word = s.at(0, "mem")[s.pc + AHEAD[name], J]
        return _bit(s), total == ite(conj(s.fetched, s.pc < N), word, 0)

    return Lemma(
        f"columns of {name.upper()}",
        f"the sum of bit j of the rows for {name.upper()} below n: the bit in the row of the pc",
        state,
        over=_rows(s.shape.code),
        uses=[("pc below 2^n", {"n": s.bits})],
    )


def _spelled(s: Stages, name: str) -> Lemma:
    """The word that layer 2 tests is the one that it hands on."""
    word = Vector(lambda j: s.view.sum_wired(_test(name), "x", {}, s.shape.code, j))
    uses: Uses = [
        (f"columns of {name.upper()}", {"n": s.shape.code, "j": N}),
        ("fetch", {"j": N}),
        ("pc below 2^n", {"n": s.bits}),
    ]
    return spells(
        s,
        f"{name.upper()} in columns",
        f"the sums of columns spell the number that the bits of {name.upper()} spell",
        lambda n: s.number(word, n),
        lambda n: s.fetched_number(name, n),
        uses,
    )


def columns_at(s: Stages, name: str) -> Lemma:
    """What layer 4 reads of the operands; of A's also with the sign turned, where it is flipped."""

    def state() -> tuple[Sequence[Formula], Formula]:
        found = conj(s.fetched, s.operand(name) < N)
        word = ite(found, s.at(0, "mem")[s.operand(name), J], 0)
        goals = [_sum(s, name, N, J) == word]
        if name == "a":
            goals.append(s.view.sum_wired("difference", "y", {}, N, J) == -word)
        return _bit(s), conj(*goals)

    return Lemma(
        f"columns at {name.upper()}",
        f"the sum of bit j of the rows at {name.upper()} below n: the bit in the row addressed",
        state,
        over=_rows(s.shape.addresses),
        uses=[*operands(s), ("fetch", {"j": 0})],
    )


def _bit(s: Stages) -> list[Formula]:
    return [J >= 0, s.bits > J]


def _rows(high: Term) -> Over:
    return Over("n", 0, high, f"n in 0..{high}")
