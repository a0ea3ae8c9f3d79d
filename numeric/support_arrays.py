"""A plan computed with NumPy: rows in blocks, as small dense matrices.

A block holds the rows that depend on earlier blocks only.  Before a block come the row numbers,
words of memory, atoms and products that it needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numeric.lower import Array
from numeric.support_forms import Atom, Bit, Product, Row, State, slot_name, slots_in
from numeric.support_plan import Plan
from verified_mlp.statement.expr import Expr, Number

Act = Callable[[], None]

HALF = 32
"""Bits of a number that are summed up in one float64, which holds all numbers of so many."""

WRAP = 2**64
"""Row numbers are held modulo this."""


class Blocks:
    """The registers of a plan, and what computes them from a state and a memory.

    `values` holds the registers in the order of their blocks, after a 1 for biases; `at[register]`
    is a register's place.  The state's entries come first: `state` is a view of them.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._ops = plan.program.ops
        self._bytes: Array = np.zeros((0, 0), dtype=np.uint8)
        self.slots = np.zeros(len(plan.program.slots), dtype=np.uint64)
        """The row numbers that were found."""
        self._order()
        self.values = np.zeros(len(self._ops) + 1)
        self.values[0] = 1
        self.state = self.values[1 : 1 + len(plan.outputs)]
        self._acts: list[Act] = []
        groups: dict[tuple[int, type], list[int]] = defaultdict(list)
        for register in self._ordered:
            groups[self._depth[register], type(self._ops[register])].append(register)
        for depth in range(max(self._depth) + 1):
            groups[depth, State] = [n for n, at in enumerate(self._slot_depth) if at == depth]
            for kind, act in _ACTS.items():
                if groups[depth, kind]:
                    self._acts += act(self, groups[depth, kind])

    def start(self, memory: Array, state: Array) -> None:
        """From now on, words are those of this memory; the state's entries are copied."""
        self._bytes = memory.view(np.uint8).reshape(len(memory), -1)
        self.state[:] = state

    def compute(self) -> None:
        """Compute every register from the state's entries and the memory."""
        for act in self._acts:
            act()

    def _order(self) -> None:
        """Say for each register in which block it is, and where it stands."""
        program = self.plan.program
        self._depth = depth = list[int]()
        self._slot_depth = list[int]()

        def after(register: int) -> int:
            return depth[register] + isinstance(self._ops[register], Row | State)

        def of_slot(number: int) -> int:
            for bits in program.slots[len(self._slot_depth) : number + 1]:
                self._slot_depth.append(max(map(after, bits)))
            return self._slot_depth[number]

        def of_expr(expr: Expr) -> int:
            return max(map(of_slot, slots_in(expr)), default=0)

        self._linear: dict[int, tuple[dict[int, Number], Number]] = {}
        for register, op in enumerate(self._ops):
            match op:
                case State():
                    depth.append(-1)
                case Bit(load, _):
                    depth.append(of_expr(program.loads[load]))
                case Atom(expr):
                    depth.append(of_expr(expr))
                case Product(left, right):
                    depth.append(max(after(left), after(right)))
                case Row():
                    self._linear[register] = self._unfolded(op)
                    used = [after(each) for each in self._linear[register][0]]
                    used += [of_slot(op.within[0])] if op.within else []
                    depth.append(max(used, default=0))
        for number in range(len(program.slots)):
            of_slot(number)

        def key(register: int) -> tuple[Any, ...]:
            op = self._ops[register]
            rank = list(_ACTS).index(type(op))
            if isinstance(op, Row):
                return depth[register], rank, not op.relu, op.within or (-1, -1), register
            return depth[register], rank, register

        self._ordered = sorted(range(len(self._ops)), key=key)
        self.at = np.empty(len(self._ops), dtype=np.int64)
        self.at[self._ordered] = np.arange(1, 1 + len(self._ordered))

    def _unfolded(self, row: Row) -> tuple[dict[int, Number], Number]:
        """The terms and the bias of a row, with those of a plain sum in place of that sum."""
        terms: dict[int, Number] = {}
        bias = row.bias
        for register, weight in row.terms:
            inner = self._ops[register]
            if isinstance(inner, Row) and not inner.relu and inner.within is None:
                more, constant = self._linear[register]
                bias += weight * constant
                for each, factor in more.items():
                    terms[each] = terms.get(each, 0) + weight * factor
            else:
                terms[register] = terms.get(register, 0) + weight
        return terms, bias

    def _places(self, registers: Sequence[int]) -> Array:
        """The places of registers."""
        return self.at[list(registers)]

    def _view(self, registers: Sequence[int]) -> Array:
        """A view of registers that stand one after the other."""
        places = self._places(registers)
        return self.values[places[0] : places[-1] + 1]

    def _find_slots(self, numbers: Sequence[int]) -> list[Act]:
        return [self._find_slot(number) for number in numbers]

    def _find_slot(self, number: int) -> Act:
        values, slots = self.values, self.slots
        places = self._places(self.plan.program.slots[number])
        powers = np.ldexp(1.0, np.arange(len(places)) % HALF)
        low, high = places[:HALF], places[HALF:]

        def find() -> None:
            found = int(values.take(low) @ powers[:HALF])
            if len(high):
                found |= int(values.take(high) @ powers[: len(high)]) << HALF
            # What is no word, for its bits are none, is refused later, as all that is checked.
            slots[number] = found % WRAP

        return find

    def _load(self, registers: Sequence[int]) -> list[Act]:
        out = self._view(registers)
        ops = [op for each in registers if isinstance(op := self._ops[each], Bit)]
        loads = sorted({op.load for op in ops})
        addresses = [self._address(self.plan.program.loads[each]) for each in loads]
        width = word_width(self.plan.memory.bits)
        places = np.array([width * loads.index(op.load) + op.position for op in ops])
        at = np.zeros(len(loads), dtype=np.int64)

        def fetch() -> None:
            for number, address in enumerate(addresses):
                at[number] = address()
            out[:] = np.unpackbits(self._bytes.take(at, axis=0), bitorder="little").take(places)

        return [fetch]

    def _address(self, expr: Expr) -> Callable[[], int]:
        """The address that an expression gives; 0 where that is outside the memory."""
        slots, words = self.slots, self.plan.memory.words
        if expr.op == "add" and expr.args[0].op == "var" and expr.args[1].constant is not None:
            base, offset = expr.args[0], int(expr.args[1].constant)
        else:
            base, offset = expr, 0
        number = min(slots_in(expr), default=0)
        plain = base.op == "var"
        evaluate = self._evaluated(expr)

        def address() -> int:
            found = int(slots[number]) + offset if plain else evaluate()
            return found if 0 <= found < words else 0

        return address

    def _evaluated(self, expr: Expr) -> Callable[[], int]:
        slots, names = self.slots, {slot_name(n).args[0]: n for n in slots_in(expr)}
        return lambda: int(expr.evaluate({name: int(slots[n]) for name, n in names.items()}))

    def _atoms(self, registers: Sequence[int]) -> list[Act]:
        values, slots = self.values, self.slots.view(np.uint8)
        acts: list[Act] = []
        places, bits = [], []
        for register in registers:
            op = self._ops[register]
            assert isinstance(op, Atom)
            found = _bit_of_slot(op.expr)
            if found is None:
                acts.append(self._atom(int(self.at[register]), op.expr))
            else:
                places.append(int(self.at[register]))
                bits.append(64 * found[0] + found[1])
        if places:
            which, where = np.array(bits), np.array(places)

            def spell() -> None:
                values[where] = np.unpackbits(slots, bitorder="little").take(which)

            acts.append(spell)
        return acts

    def _atom(self, place: int, expr: Expr) -> Act:
        values, evaluate = self.values, self._evaluated(expr)

        def find() -> None:
            values[place] = evaluate()

        return find

    def _products(self, registers: Sequence[int]) -> list[Act]:
        # A product of a product must come after it; such are rare, and none then goes with others.
        ops = [op for each in registers if isinstance(op := self._ops[each], Product)]
        inside = set(registers)
        plain = [op.left not in inside and op.right not in inside for op in ops]
        if not all(plain):
            return [self._product([each]) for each in registers]
        return [self._product(registers)]

    def _product(self, registers: Sequence[int]) -> Act:
        ops = [op for each in registers if isinstance(op := self._ops[each], Product)]
        left = self._places([op.left for op in ops])
        right = self._places([op.right for op in ops])
        values, out = self.values, self._view(registers)

        def multiply() -> None:
            np.multiply(values.take(left), values.take(right), out=out)

        return multiply

    def _rows(self, registers: Sequence[int]) -> list[Act]:
        ops = [op for each in registers if isinstance(op := self._ops[each], Row)]
        linear = [self._linear[register] for register in registers]
        read = sorted({0, *(int(self.at[each]) for terms, _ in linear for each in terms)})
        column = {place: number for number, place in enumerate(read)}
        weights = np.zeros((len(ops), len(read)))
        for number, (terms, bias) in enumerate(linear):
            weights[number, 0] = float(bias)
            for each, weight in terms.items():
                weights[number, column[int(self.at[each])]] = float(weight)
        values, slots, out = self.values, self.slots, self._view(registers)
        gather, x = np.array(read), np.empty(len(read))
        positive = out[: sum(op.relu for op in ops)]
        guarded: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, op in enumerate(ops):
            if op.within is not None:
                guarded[op.within].append(number)
        parts = [(*within, out[each[0] : each[-1] + 1]) for within, each in guarded.items()]

        def compute() -> None:
            values.take(gather, out=x, mode="clip")
            np.dot(weights, x, out=out)
            np.maximum(positive, 0.0, out=positive)
            for slot, extent, part in parts:
                if slots[slot] >= extent:
                    part[:] = 0

        return [compute]


_ACTS: dict[type, Callable[[Blocks, Sequence[int]], list[Act]]] = {
    State: Blocks._find_slots,
    Bit: Blocks._load,
    Atom: Blocks._atoms,
    Product: Blocks._products,
    Row: Blocks._rows,
}
"""What is done before and in a block, in this order; slots stand in the place of `State`."""


def word_width(bits: int) -> int:
    """The bits of the unsigned numbers in which words of so many bits are held."""
    return next(width for width in (8, 16, 32, 64) if bits <= width)


def _bit_of_slot(expr: Expr) -> tuple[int, int] | None:
    """(slot, position) of an atom that is a bit of a slot's row number."""
    if expr.op == "bit" and expr.args[0].op == "var" and expr.args[1].constant is not None:
        (number,) = slots_in(expr.args[0])
        return number, int(expr.args[1].constant)
    return None
