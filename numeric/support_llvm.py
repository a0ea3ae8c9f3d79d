"""A plan as machine code: the pass written out in LLVM's language, weights and all.

Everything is float64 arithmetic on integers that float64 holds exactly, so sums may be taken in
any order and equal sums once (`_Text` shares them); no number is rounded, whatever the order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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


class _Text:
    """The text of one pass.  Names: `%rN` registers, `%sN` slots, `%tN` everything between."""

    def __init__(self, plan: Plan, stop: Sequence[int]) -> None:
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

    def emit(self, text: str, kind: str = "t") -> str:
        self._count += 1
        name = f"%{kind}{self._count}"
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
                at = self.emit(f"getelementptr double, ptr %state, i64 {entry}")
                return self.emit(f"load double, ptr {at}")
            case Bit(load, position):
                return self._bit(self.load(load), position)
            case Atom(expr):
                return self._float(expr)
            case Product(left, right):
                return self.emit(f"fmul {_EXACT} double {self.value(left)}, {self.value(right)}")
            case Row(terms, bias, relu, within):
                total = self._sum(terms, bias)
                if relu:
                    positive = self.emit(f"fcmp ogt double {total}, 0.0")
                    total = self.emit(f"select i1 {positive}, double {total}, double 0.0")
                if within is not None:
                    slot, extent = within
                    inside = self.emit(f"icmp ult i64 {self.slot(slot)}, {extent}")
                    total = self.emit(f"select i1 {inside}, double {total}, double 0.0")
                return total
        raise AssertionError(register)

    def _sum(self, terms: Terms, bias: Number) -> str:
        if terms not in self._sums:
            self._sums[terms] = self._added(self._gathered(terms))
        total = self._sums[terms]
        if bias == 0:
            return total
        return self.emit(f"fadd {_EXACT} double {total}, {_double(bias)}")

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
            return "0.0"
        if len(terms) == 1:
            ((register, weight),) = terms
            value = self.value(register)
            if weight == 1:
                return value
            return self.emit(f"fmul {_EXACT} double {value}, {_double(weight)}")
        middle = (len(terms) + 1) // 2
        left, right = self._added(terms[:middle]), None
        if len(terms) - middle == 1 and terms[-1][1] == -1:
            right = self.value(terms[-1][0])
            return self.emit(f"fsub {_EXACT} double {left}, {right}")
        right = self._added(terms[middle:])
        return self.emit(f"fadd {_EXACT} double {left}, {right}")

    def slot(self, number: int) -> str:
        """The row number of a slot, an i64."""
        if number not in self._slots:
            bits = self.program.slots[number]
            low = self._spelled(bits[:_LOW])
            if bits[_LOW:]:
                high = self.emit(f"shl i64 {self._spelled(bits[_LOW:])}, {_LOW}")
                low = self.emit(f"or i64 {low}, {high}")
            self._slots[number] = low
        return self._slots[number]

    def _spelled(self, bits: Sequence[int]) -> str:
        terms = tuple((register, 2**at) for at, register in enumerate(bits))
        return self.emit(f"fptoui double {self._added(terms)} to i64")

    def load(self, number: int) -> str:
        """A word of memory, an i64; that at 0 where the address is outside."""
        if number not in self._loads:
            kind, words = _word(self.plan.memory.bits), self.plan.memory.words
            address = self._integer(self.program.loads[number])
            inside = self.emit(f"icmp ult i64 {address}, {words}")
            address = self.emit(f"select i1 {inside}, i64 {address}, i64 0")
            at = self.emit(f"getelementptr {kind}, ptr %mem, i64 {address}")
            word = self.emit(f"load {kind}, ptr {at}")
            if kind != "i64":
                word = self.emit(f"zext {kind} {word} to i64")
            self._loads[number] = word
        return self._loads[number]

    def _bit(self, word: str, position: int) -> str:
        part = self.emit(f"and i64 {word}, {1 << position}")
        there = self.emit(f"icmp ne i64 {part}, 0")
        return self.emit(f"select i1 {there}, double 1.0, double 0.0")

    def _float(self, expr: Expr) -> str:
        if expr.op == "bit" and expr.args[1].constant is not None:
            return self._bit(self._integer(expr.args[0]), int(expr.args[1].constant))
        return self.emit(f"sitofp i64 {self._integer(expr)} to double")

    def _integer(self, expr: Expr) -> str:
        """An expression in slots, an i64."""
        if expr.constant is not None:
            return str(int(expr.constant))
        if expr.op == "var":
            (number,) = slots_in(expr)
            return self.slot(number)
        left, *rest = map(self._integer, expr.args)
        match expr.op:
            case "add":
                return self.emit(f"add i64 {left}, {rest[0]}")
            case "mul":
                return self.emit(f"mul i64 {left}, {rest[0]}")
            case "floordiv":
                return self.emit(f"udiv i64 {left}, {rest[0]}")
            case "mod":
                return self.emit(f"urem i64 {left}, {rest[0]}")
            case "pow2":
                return self.emit(f"shl i64 1, {left}")
            case "bit":
                shifted = self.emit(f"lshr i64 {left}, {rest[0]}")
                return self.emit(f"and i64 {shifted}, 1")
        holds = {"eq": "eq", "le": "sle"}[expr.op]
        truth = self.emit(f"icmp {holds} i64 {left}, {rest[0]}")
        return self.emit(f"zext i1 {truth} to i64")

    def not_bits(self, registers: Sequence[int]) -> str:
        """Whether one of the registers holds no bit, an i1."""
        wrong = []
        for register in registers:
            value = self.value(register)
            square = self.emit(f"fmul double {value}, {value}")
            wrong.append(self.emit(f"fcmp une double {square}, {value}"))
        return self.either(wrong)

    def either(self, truths: Sequence[str]) -> str:
        """The disjunction, an i1."""
        if not truths:
            return "false"
        while len(truths) > 1:
            pairs = [truths[at : at + 2] for at in range(0, len(truths), 2)]
            truths = [
                self.emit(f"or i1 {pair[0]}, {pair[1]}") if len(pair) == 2 else pair[0]
                for pair in pairs
            ]
        return truths[0]

    def whole(self) -> str:
        """The text of the module."""
        plan, memory = self.plan, self.plan.memory
        failed = self.not_bits([check.register for check in plan.checks])
        changed = [
            (entry, register)
            for entry, register in enumerate(plan.outputs)
            if self.program.ops[register] != State(entry)
        ]
        values = [(entry, self.value(register)) for entry, register in changed]
        halted = [self.not_bits([register for _, register in changed])]
        halted += [
            self.emit(f"fcmp one double {self.value(plan.outputs[entry])}, 0.0")
            for entry in self.stop
        ]
        stopped = self.either(halted)
        if memory.slot is not None:
            word = self._spelled(memory.registers[:_LOW])
            if memory.registers[_LOW:]:
                high = self.emit(f"shl i64 {self._spelled(memory.registers[_LOW:])}, {_LOW}")
                word = self.emit(f"or i64 {word}, {high}")
            row = self.slot(memory.slot)
        body, self.lines = self.lines, []
        kind = _word(memory.bits)
        if memory.slot is not None:
            inside = self.emit(f"icmp ult i64 {row}, {memory.words}")
            self.lines.append(f"  br i1 {inside}, label %store, label %stored\nstore:")
            if kind != "i64":
                word = self.emit(f"trunc i64 {word} to {kind}")
            at = self.emit(f"getelementptr {kind}, ptr %mem, i64 {row}")
            self.lines.append(f"  store {kind} {word}, ptr {at}\n  br label %stored")
        else:
            self.lines.append("  br label %stored")
        self.lines.append("stored:")
        for entry, value in values:
            at = self.emit(f"getelementptr double, ptr %state, i64 {entry}")
            self.lines.append(f"  store double {value}, ptr {at}")
        return _MODULE.format(
            body="\n".join(body), commit="\n".join(self.lines), failed=failed, stopped=stopped
        )


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


def text(plan: Plan, stop: Sequence[int]) -> str:
    """The LLVM text of `run(state, mem, passes, made)`: up to so many passes, at least one, until
    an entry of `stop` is not 0 after one or an entry of the state is no bit.  It adds to `made` how
    many and returns 1; or 0 if a check fails in the next pass, which is then not made.
    """
    return _Text(plan, stop).whole()


def _word(bits: int) -> str:
    return f"i{word_width(bits)}"


def _double(number: Number) -> str:
    """A number that float64 holds, below 2^53, as LLVM reads it."""
    return repr(float(number))
