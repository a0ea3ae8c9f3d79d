"""A plan as machine code: the pass written out in LLVM's language, weights and all.

Everything is float64 arithmetic on integers that float64 holds exactly, so sums may be taken in
any order and equal sums once (`_Text` shares them); no number is rounded, whatever the order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from numeric.support_arrays import word_width
from numeric.support_forms import Atom, Bit, Product, Row, State, slots_in
from numeric.support_plan import Plan
from verified_mlp.statement.expr import Expr, Number

_EXACT = "reassoc nsz contract"
"""What LLVM may do with sums of integers that are held exactly: take them in any order."""

_LOW = 32
"""Bits of a number that are summed up in one float."""

Terms = tuple[tuple[int, Number], ...]


class PassText:
    """The text of one pass, of one state or of several side by side (`lanes`): then every value is
    a vector with an element for each.
    """

    def __init__(self, plan: Plan, stop: Sequence[int], lanes: int = 1) -> None:
        self.lanes = lanes
        self.real, self.int64, self.truth = map(self.kind, ("double", "i64", "i1"))
        self.plan = plan
        self.program = plan.program
        self.stop = stop
        self.lines: list[str] = []
        self._count = 0
        self._values: dict[int, str] = {}
        self._slots: dict[int, str] = {}
        self._loads: dict[int, str] = {}
        self._sums: dict[Terms, str] = {}
        self._merged: dict[int, tuple[int, Number]] = {}
        self._groups: dict[int, Terms] = {}
        self._merge()

    def _merge(self) -> None:
        """Registers that all sums weigh alike, but for one factor, are added up once."""
        users: dict[int, dict[Terms, Number]] = defaultdict(dict)
        for op in self.program.ops:
            if isinstance(op, Row):
                for register, weight in op.terms:
                    users[register][op.terms] = weight
        alike: dict[tuple[tuple[Terms, Fraction], ...], list[tuple[int, Fraction]]]
        alike = defaultdict(list)
        for register, uses in users.items():
            first = Fraction(next(iter(uses.values())))
            ratios = tuple((terms, weight / first) for terms, weight in uses.items())
            alike[ratios].append((register, first))
        for ratios, group in alike.items():
            scale = min(abs(first) for _, first in group)
            factors = [first / scale for _, first in group]
            whole = all(factor.denominator == 1 for factor in factors)
            if len(group) < 2 or len(ratios) < 2 or not whole:
                continue
            number = -1 - len(self._groups)
            self._groups[number] = tuple(
                (register, int(factor))
                for (register, _), factor in zip(group, factors, strict=True)
            )
            for register, factor in self._groups[number]:
                self._merged[register] = (number, factor)

    def kind(self, element: str) -> str:
        """The type of a value, given that of its elements."""
        return element if self.lanes == 1 else f"<{self.lanes} x {element}>"

    def whole(self, number: int | str) -> str:
        """A constant integer."""
        return self._constant("i64", str(number))

    def number(self, number: Number) -> str:
        """A constant that float64 holds, below 2^53, as LLVM reads it."""
        return self._constant("double", repr(float(number)))

    def _constant(self, kind: str, text: str) -> str:
        if self.lanes == 1:
            return text
        return f"<{', '.join([f'{kind} {text}'] * self.lanes)}>"

    def emit(self, text: str) -> str:
        """Add an instruction; returns the name of its value."""
        self._count += 1
        name = f"%t{self._count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def value(self, register: int) -> str:
        """The name of a register's value."""
        if register not in self._values:
            if register < 0:
                self._values[register] = self._sum(self._groups[register], 0)
            else:
                self._values[register] = self._operation(register)
        return self._values[register]

    def _operation(self, register: int) -> str:
        match self.program.ops[register]:
            case State(entry):
                at = self.emit(f"getelementptr {self.real}, ptr %state, i64 {entry}")
                return self.emit(f"load {self.real}, ptr {at}, align 8")
            case Bit(load, position):
                return self._bit(self.load(load), position)
            case Atom(expr):
                return self._float(expr)
            case Product(left, right):
                return self.emit(
                    f"fmul {_EXACT} {self.real} {self.value(left)}, {self.value(right)}"
                )
            case Row(terms, bias, relu, within):
                total = self._sum(terms, bias)
                if relu:
                    positive = self.emit(f"fcmp ogt {self.real} {total}, {self.number(0)}")
                    total = self.choice(positive, self.real, total, self.number(0))
                if within is not None:
                    total = self.choice(
                        self.below(self.slot(within[0]), within[1]),
                        self.real,
                        total,
                        self.number(0),
                    )
                return total
        raise AssertionError(register)

    def choice(self, truth: str, kind: str, left: str, right: str) -> str:
        """The left value where the truth holds, else the right one."""
        return self.emit(f"select {self.truth} {truth}, {kind} {left}, {kind} {right}")

    def below(self, number: str, extent: int) -> str:
        """Whether an unsigned integer is below a constant."""
        return self.emit(f"icmp ult {self.int64} {number}, {self.whole(extent)}")

    def _sum(self, terms: Terms, bias: Number) -> str:
        if terms not in self._sums:
            self._sums[terms] = self._added(self._gathered(terms))
        total = self._sums[terms]
        if bias == 0:
            return total
        return self.emit(f"fadd {_EXACT} {self.real} {total}, {self.number(bias)}")

    def _gathered(self, terms: Terms) -> Terms:
        """The terms with merged registers in place of those that they stand for."""
        found: dict[int, Number] = {}
        for register, weight in terms:
            group, factor = self._merged.get(register, (register, 1))
            if group < 0 and terms != self._groups[group]:
                found[group] = Fraction(weight) / factor
            else:
                found[register] = weight
        return tuple(found.items())

    def _added(self, terms: Terms) -> str:
        """The sum, halves first, so that no addition waits for all others."""
        if not terms:
            return self.number(0)
        if len(terms) == 1:
            ((register, weight),) = terms
            value = self.value(register)
            if weight == 1:
                return value
            return self.emit(f"fmul {_EXACT} {self.real} {value}, {self.number(weight)}")
        middle = (len(terms) + 1) // 2
        left, right = self._added(terms[:middle]), None
        if len(terms) - middle == 1 and terms[-1][1] == -1:
            right = self.value(terms[-1][0])
            return self.emit(f"fsub {_EXACT} {self.real} {left}, {right}")
        right = self._added(terms[middle:])
        return self.emit(f"fadd {_EXACT} {self.real} {left}, {right}")

    def slot(self, number: int) -> str:
        """The row number of a slot, an i64."""
        if number not in self._slots:
            self._slots[number] = self.spelled(self.program.slots[number])
        return self._slots[number]

    def spelled(self, bits: Sequence[int]) -> str:
        """The number of which these registers are the bits, an i64."""
        parts = []
        for start in range(0, len(bits), _LOW):
            part = bits[start : start + _LOW]
            terms = tuple((register, 2**at) for at, register in enumerate(part))
            # Signed: what is no word, for its bits are none, has a value too until it is refused.
            found = self.emit(f"fptosi {self.real} {self._added(terms)} to {self.int64}")
            parts.append(
                self.emit(f"shl {self.int64} {found}, {self.whole(start)}") if start else found
            )
        low, *high = parts
        return self.emit(f"or {self.int64} {low}, {high[0]}") if high else low

    def load(self, number: int) -> str:
        """A word of memory, an i64; that at 0 where the address is outside."""
        if number not in self._loads:
            address = self._integer(self.program.loads[number])
            inside = self.below(address, self.plan.memory.words)
            address = self.choice(inside, self.int64, address, self.whole(0))
            word = self.loaded(address)
            if self.word != "i64":
                word = self.emit(f"zext {self.kind(self.word)} {word} to {self.int64}")
            self._loads[number] = word
        return self._loads[number]

    @property
    def word(self) -> str:
        """The type of a word of memory."""
        return f"i{word_width(self.plan.memory.bits)}"

    def loaded(self, address: str) -> str:
        """The word at an address of memory."""
        at = self.emit(f"getelementptr {self.word}, ptr %mem, i64 {address}")
        return self.emit(f"load {self.word}, ptr {at}")

    def _bit(self, word: str, position: int) -> str:
        part = self.emit(f"and {self.int64} {word}, {self.whole(1 << position)}")
        there = self.emit(f"icmp ne {self.int64} {part}, {self.whole(0)}")
        return self.choice(there, self.real, self.number(1), self.number(0))

    def _float(self, expr: Expr) -> str:
        if expr.op == "bit" and expr.args[1].constant is not None:
            return self._bit(self._integer(expr.args[0]), int(expr.args[1].constant))
        return self.emit(f"sitofp {self.int64} {self._integer(expr)} to {self.real}")

    def _integer(self, expr: Expr) -> str:
        """An expression in slots, an i64."""
        if expr.constant is not None:
            return self.whole(int(expr.constant))
        if expr.op == "var":
            (number,) = slots_in(expr)
            return self.slot(number)
        left, *rest = map(self._integer, expr.args)
        match expr.op:
            case "add":
                return self.emit(f"add {self.int64} {left}, {rest[0]}")
            case "mul":
                return self.emit(f"mul {self.int64} {left}, {rest[0]}")
            case "floordiv":
                return self.emit(f"udiv {self.int64} {left}, {rest[0]}")
            case "mod":
                return self.emit(f"urem {self.int64} {left}, {rest[0]}")
            case "pow2":
                return self.emit(f"shl {self.int64} {self.whole(1)}, {left}")
            case "bit":
                shifted = self.emit(f"lshr {self.int64} {left}, {rest[0]}")
                return self.emit(f"and {self.int64} {shifted}, {self.whole(1)}")
        holds = {"eq": "eq", "le": "sle"}[expr.op]
        truth = self.emit(f"icmp {holds} {self.int64} {left}, {rest[0]}")
        return self.emit(f"zext {self.truth} {truth} to {self.int64}")

    def not_bits(self, registers: Sequence[int]) -> str:
        """Whether one of the registers holds no bit, an i1."""
        wrong = []
        for register in registers:
            value = self.value(register)
            square = self.emit(f"fmul {self.real} {value}, {value}")
            wrong.append(self.emit(f"fcmp une {self.real} {square}, {value}"))
        return self.either(wrong)

    def either(self, truths: Sequence[str]) -> str:
        """The disjunction, an i1."""
        if not truths:
            return self._constant("i1", "false")
        while len(truths) > 1:
            pairs = [truths[at : at + 2] for at in range(0, len(truths), 2)]
            truths = [
                self.emit(f"or {self.truth} {pair[0]}, {pair[1]}") if len(pair) == 2 else pair[0]
                for pair in pairs
            ]
        return truths[0]

    def computed(self) -> Computed:
        """Everything that a pass computes, before anything is stored."""
        plan = self.plan
        failed = self.not_bits([check.register for check in plan.checks])
        changed = {
            entry: register
            for entry, register in enumerate(plan.outputs)
            if self.program.ops[register] != State(entry)
        }
        values = {entry: self.value(register) for entry, register in changed.items()}
        halted = [self.not_bits(tuple(changed.values()))]
        halted += [
            self.emit(f"fcmp one {self.real} {self.value(plan.outputs[entry])}, {self.number(0)}")
            for entry in self.stop
        ]
        stopped = self.either(halted)
        if plan.memory.slot is None:
            return Computed(failed, stopped, values, None)
        word, row = self.spelled(plan.memory.registers), self.slot(plan.memory.slot)
        return Computed(failed, stopped, values, (row, word))

    def taken(self) -> str:
        """The lines emitted since the last call."""
        lines, self.lines = self.lines, []
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Computed:
    """Names of what a pass computes: whether a check failed, whether the host must look at the
    state after it, the entries of the state that it changes, and the memory's row and word to store
    (an i64, to be cut).
    """

    failed: str
    stopped: str
    values: dict[int, str]
    stored: tuple[str, str] | None


_MODULE = """
define i64 @run(ptr noalias %state, ptr noalias %mem, i64 %passes, ptr noalias %made) {{
entry:
  br label %pass
pass:
  %done = phi i64 [ 0, %entry ], [ %next, %stored ]
{body}
  br i1 {failed}, label %finished, label %commit
commit:
{commit}
  %next = add i64 %done, 1
  %last = icmp eq i64 %next, %passes
  %end = or i1 %last, {stopped}
  br i1 %end, label %finished, label %pass
finished:
  %going = phi i64 [ 1, %stored ], [ 0, %pass ]
  %passed = phi i64 [ %next, %stored ], [ %done, %pass ]
  %before = load i64, ptr %made
  %after = add i64 %before, %passed
  store i64 %after, ptr %made
  ret i64 %going
}}
"""


PARAMETERS = "aaia"
"""Of `run(state, mem, passes, made)`: arrays and an integer."""


def text(plan: Plan, stop: Sequence[int]) -> str:
    """The LLVM text of `run(state, mem, passes, made)`: up to so many passes, at least one, until
    an entry of `stop` is not 0 after one or an entry of the state is no bit.  It adds to `made` how
    many and returns 1; or 0 if a check fails in the next pass, which is then not made.
    """
    writer = PassText(plan, stop)
    found = writer.computed()
    body = writer.taken()
    if found.stored is None:
        writer.lines.append("  br label %stored")
    else:
        row, word = found.stored
        inside = writer.below(row, plan.memory.words)
        writer.lines.append(f"  br i1 {inside}, label %store, label %stored\nstore:")
        if writer.word != "i64":
            word = writer.emit(f"trunc i64 {word} to {writer.word}")
        at = writer.emit(f"getelementptr {writer.word}, ptr %mem, i64 {row}")
        writer.lines.append(f"  store {writer.word} {word}, ptr {at}\n  br label %stored")
    writer.lines.append("stored:")
    for entry, value in found.values.items():
        at = writer.emit(f"getelementptr double, ptr %state, i64 {entry}")
        writer.lines.append(f"  store double {value}, ptr {at}")
    return _MODULE.format(
        body=body, commit=writer.taken(), failed=found.failed, stopped=found.stopped
    )
