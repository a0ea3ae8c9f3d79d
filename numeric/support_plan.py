"""What one pass must compute, derived from a placed statement and the support rules of its gadgets.

Arrays over an index that a memory's size can make long are never held.  Each is zero, or the memory
itself, but for one row: that of a *slot*, a row number found at run time as the number that a word
spells.  A rule of the placed gadget says so (`Support`, proved with the gadget).  The neurons of
that row, and those of all other families, are the plan's rows, each with the weights and the bias
that the statement gives it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numeric.lower import LIMIT, NotExactError
from numeric.support_forms import (
    ZERO,
    Atom,
    Bit,
    Form,
    Product,
    Program,
    Row,
    State,
    added,
    monomials,
    slot_name,
)
from numeric.support_reading import MOST_ROWS, Held, Outside, Place, Reader
from verified_mlp.statement.affine import Affine, Signal, Term
from verified_mlp.statement.builder import readable, rewired
from verified_mlp.statement.evaluate import entry_name, points, size
from verified_mlp.statement.expr import Expr, Index, to_expr, var
from verified_mlp.statement.network import Field, Gadget, Network, Neurons, Placed, Support
from verified_mlp.statement.polynomial import normal

Array = np.ndarray[Any, Any]

Sums = Mapping[str, tuple[str, ...]]
"""Fields of the state, and the fields of the vector whose sum they are."""

NO_SUMS: Sums = {}


@dataclass(frozen=True, slots=True)
class Check:
    """A register that must hold a bit, for a rule to hold or for the memory to stay packed."""

    register: int
    text: str


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory field, held as one number a word, and the row that a pass changes."""

    name: str
    words: int
    bits: int
    slot: int | None
    registers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A pass: its program, what is checked, the memory, and the registers of the small fields
    afterwards, in the order of the state vector; `arrays` say where each array of the inputs and of
    every layer is found.
    """

    program: Program
    checks: tuple[Check, ...]
    memory: Memory
    small: tuple[str, ...]
    outputs: tuple[int, ...]
    arrays: tuple[Mapping[str, Held | Outside], ...]
    sums: Sums


def plan(network: Network, proved: Sequence[Gadget], sums: Sums = NO_SUMS) -> Plan:
    """The plan of a network whose output is its input's successor.

    `proved` are the gadgets whose rules are proved.  `sums` are the fields of the state that the
    vector holds as the sum of several of its fields: the plan is about the sums, for a pass depends
    on nothing else of them.  Raises NoSupportError for a network of which this is not so, or with
    an array that is too large to hold and to which no rule applies.
    """
    return _Planner(network, proved, sums).plan()


class _Planner:
    def __init__(self, network: Network, proved: Sequence[Gadget], sums: Sums) -> None:
        self.network = network
        self.sums = sums
        part_of = {part: name for name, parts in sums.items() for part in parts}
        self.fields: dict[str, list[Field]] = defaultdict(list)
        for source in network.inputs:
            self.fields[part_of.get(source.name, source.name)].append(source)
        self.proved = {gadget.title: gadget for gadget in proved}
        self.program = Program()
        self.shapes: Mapping[str, tuple[int, ...]] = {}
        self.largest: dict[int, int] = {}
        self.checks: dict[int, Check] = {}
        self.reader = Reader(network.name, self.program)
        self._entitled: dict[int, bool] = {}

    def plan(self) -> Plan:
        memories = [name for name, parts in self.fields.items() if len(parts[0].shape) == 2]
        if len(memories) != 1 or self.fields[memories[0]][0].shape[1] > 64:
            self.reader.refuse("it must have one field of words, of at most 64 bits")
        (memory,) = memories
        small = [name for name in self.fields if name != memory]
        inputs = self._inputs(memory)
        self._check_sums()
        self.reader.arrays = inputs
        self.reader.zero = frozenset(
            part.name for parts in self.fields.values() for part in parts[1:]
        )
        found: list[Mapping[str, Held | Outside]] = [inputs]
        for number, layer in enumerate(self.network.layers, 1):
            self.shapes = {each.name: each.shape for each in self.network.sources(number - 1)}
            after: dict[str, Held | Outside] = {}
            for placed in layer.placed:
                for at, family in enumerate(placed.neurons):
                    self.reader.where = f"layer {number}, {family.name}"
                    after[family.name] = self._family(placed, at, family)
            self.reader.arrays, self.reader.zero = after, frozenset()
            found.append(after)
        last = self.network.layers[-1].neurons
        after_pass = {
            source.name: family.name
            for source, family in zip(self.network.inputs, last, strict=True)
        }
        self.reader.where = "the output"
        families = {
            name: [after_pass[part.name] for part in parts] for name, parts in self.fields.items()
        }
        held = self._memory(memory, families[memory])
        outputs = tuple(register for name in small for register in self._registers(families[name]))
        self._check_exact()
        return Plan(
            self.program,
            tuple(self.checks.values()),
            held,
            tuple(small),
            outputs,
            tuple(found),
            self.sums,
        )

    def _inputs(self, memory: str) -> dict[str, Held | Outside]:
        """The arrays before a pass: the first part of a sum is the sum, the others are 0."""
        inputs: dict[str, Held | Outside] = {}
        entry, nothing = 0, self.program.row(ZERO, relu=False) if self.sums else 0
        for name, (first, *others) in self.fields.items():
            if name == memory:
                inputs[first.name] = Outside(name, first.shape[0])
                inputs |= {each.name: Outside("", first.shape[0]) for each in others}
                continue
            entries = range(entry, entry + size(first.shape))
            entry += len(entries)
            registers = [self.program.register(State(each)) for each in entries]
            inputs[first.name] = Held(np.array(registers).reshape(first.shape))
            inputs |= {each.name: Held(np.full(first.shape, nothing)) for each in others}
        return inputs

    def _check_sums(self) -> None:
        """That the first layer reads, with every entry of a part of a sum, those of all its parts,
        with the same weight.
        """
        for family in self.network.layers[0].neurons:
            for name, parts in self.fields.items():
                own = {part.name for part in parts}
                read = [
                    (term.ref.field, (term.coefficient, term.ref.positions, term.bounds))
                    for term in family.row.terms
                    if term.ref and term.ref.field in own
                ]
                how = {
                    part: sorted(repr(way) for field, way in read if field == part) for part in own
                }
                if len({tuple(ways) for ways in how.values()}) > 1:
                    self.reader.where = f"layer 1, {family.name}"
                    self.reader.refuse(f"it reads more than the sum {name} of {', '.join(how)}")

    def _memory(self, name: str, families: Sequence[str]) -> Memory:
        """What a pass makes of the memory: the sum of some families."""
        bases, slots, form = [], set[int](), defaultdict[int, Form](dict)
        for result in families:
            after = self.reader.arrays[result]
            if not isinstance(after, Outside):
                self.reader.refuse(f"{result} is not the memory but for one row")
            bases += [after.base] if after.base else []
            slots |= {after.slot} if after.slot is not None else set()
            if after.registers is not None:
                for at, register in enumerate(after.registers.ravel().tolist()):
                    form[at] = added(form[at], {(register,): 1})
        if bases != [name]:
            self.reader.refuse(f"{' + '.join(families)} is not the memory but for one row")
        if len(slots) > 1:
            self.reader.refuse(f"{' + '.join(families)} differs from the memory in several rows")
        registers = tuple(self.program.row(each, relu=False) for _, each in sorted(form.items()))
        for at, register in enumerate(registers):
            self._check(register, f"what is written to bit {at} of a word of {name}")
        words, bits = self.fields[name][0].shape
        return Memory(name, words, bits, next(iter(slots), None), registers)

    def _registers(self, families: Sequence[str]) -> list[int]:
        """The registers of a small field after a pass: the sum of some families."""
        forms: list[Form] = []
        for name in families:
            after = self.reader.arrays[name]
            if not isinstance(after, Held):
                self.reader.refuse(f"{name} has more rows than one")
            own: list[Form] = [{(int(each),): 1} for each in after.registers.ravel()]
            forms = list(map(added, forms, own)) if forms else own
        return [self.program.row(form, relu=False) for form in forms]

    def _check(self, register: int, what: str) -> None:
        # The state and the memory hold bits only, whatever the network.
        if not isinstance(self.program.ops[register], State | Bit):
            self.checks.setdefault(register, Check(register, f"{self.reader.where}: {what}"))

    # Families

    def _family(self, placed: Placed, at: int, family: Neurons) -> Held | Outside:
        rule = self._rule(placed, at)
        if rule is not None:
            found = self._by_rule(rule, placed, family)
            if found is not None:
                return found
        if size(family.shape) > MOST_ROWS:
            self.reader.refuse(
                f"no proved rule says which of its {size(family.shape)} neurons are zero"
            )
        same = rule is not None and not rule.zero and rule.spells is None
        registers = np.empty(family.shape, dtype=np.int64)
        for point in points(family.shape):
            form = self.reader.form(family.row, _place(family.indices, point))
            # A sum of what is not negative needs no ReLU; the rule says that it is none.
            plain = same and all(weight >= 0 for weight in form.values())
            registers[point] = self.program.row(form, relu=not plain)
            self._declare(registers[point], family, _place(family.indices, point))
        return Held(registers)

    def _rule(self, placed: Placed, at: int) -> Support | None:
        """The rule for a placed family, if what is placed is the gadget of which it is proved."""
        if placed.gadget is None or not self._as_proved(placed.gadget):
            return None
        own = placed.gadget.network.layers[placed.part].neurons[at].name
        rule = next((each for each in placed.gadget.support if each.neurons == own), None)
        if rule is None or rewired(placed, placed.wires).neurons != placed.neurons:
            return None
        return rule

    def _as_proved(self, gadget: Gadget) -> bool:
        known = self._entitled.get(id(gadget))
        if known is None:
            known = gadget.title in self.proved and same_statement(
                gadget, self.proved[gadget.title]
            )
            self._entitled[id(gadget)] = known
        return known

    def _by_rule(self, rule: Support, placed: Placed, family: Neurons) -> Held | Outside | None:
        """The array of a family by its rule, or None if the rule says nothing about its rows."""
        read = readable(placed)
        if not family.indices:
            return None
        axis = family.indices[0]
        slots: set[int] = set()
        if rule.spells is not None:
            parameter, word = rule.spells
            if placed.parameters[parameter] != var(axis.name):
                return None
            slots.add(self._spelled(placed, read[word], word, rule))
        elif rule.zero:
            found = self._zero_outside(rule.zero, read[rule.zero][()], axis)
            if found is None:
                return None
            slots.add(found)
        base = ""
        for name in rule.same:
            form = read[name][()]
            if not rule.zero and rule.spells is None and len(rule.same) == 1:
                alias = self._alias(form, family)
                if alias is not None:
                    return alias
            under, more = self._base(name, form, family)
            if under is None:
                return None
            if base and under:
                self.reader.refuse("it is the sum of two memories")
            base, slots = base or under, slots | more
        if len(slots) != 1:
            self.reader.refuse(f"{len(slots)} of its rows would have to be computed")
        (slot,) = slots
        self._check_domain(rule, placed, family, slot)
        return Outside(base, axis.size, slot, self._rows(family, slot))

    def _rows(self, family: Neurons, slot: int) -> Array:
        """The registers of a family's neurons in the row of a slot."""
        first, *rest = family.indices
        names = {index.name for index in rest}
        own = [term for term in family.row.terms if term.variables() & names]
        common = [term for term in family.row.terms if not term.variables() & names]
        within = (slot, first.size)
        place = {first.name: slot_name(slot)}
        shared = self.reader.form(Affine(tuple(common)), place)
        shape = tuple(index.size for index in rest)
        if size(shape) > 1 and len(shared) > 1:
            shared = {(self.program.row(shared, relu=False),): 1}
        registers = np.empty(shape, dtype=np.int64)
        for point in points(shape):
            form = self.reader.form(Affine(tuple(own)), {**place, **_place(rest, point)})
            registers[point] = self.program.row(added(shared, form), True, within)
            self._declare(registers[point], family, {first.name: to_expr(0), **_place(rest, point)})
        return registers

    def _declare(self, register: int, family: Neurons, place: Place) -> None:
        """Remember the largest value that the statement declares, by which sums are exact."""
        largest = family.largest.substitute(place).constant
        assert largest is not None
        self.largest.setdefault(int(register), int(largest))

    def _check_exact(self) -> None:
        """That float64 holds every partial sum: of whole numbers, all below 2^53."""
        self.reader.where = "its numbers"
        for register, op in enumerate(self.program.ops):
            sum_at_most = 1
            if isinstance(op, Product):
                sum_at_most = self.largest[op.left] * self.largest[op.right]
            elif isinstance(op, Atom) and op.expr.op not in ("bit", "eq", "le"):
                self.reader.refuse(f"a weight depends on an address by {op.expr}")
            elif isinstance(op, Row):
                numbers = [op.bias, *(weight for _, weight in op.terms)]
                if not all(isinstance(each, int) for each in numbers):
                    self.reader.refuse("some are no whole numbers")
                sum_at_most = abs(int(op.bias)) + sum(
                    abs(int(weight)) * self.largest[each] for each, weight in op.terms
                )
            if sum_at_most >= LIMIT:
                raise NotExactError(
                    f"the rows of {self.network.name} that can matter: a partial sum may reach "
                    "2^53, from where on float64 has gaps. State the network with smaller weights."
                )
            self.largest.setdefault(register, sum_at_most)

    # Rules

    def _spelled(self, placed: Placed, wire: Signal, word: str, rule: Support) -> int:
        assert placed.gadget is not None
        (source,) = (each for each in placed.gadget.network.inputs if each.name == word)
        bits = []
        for at in range(size(source.shape)):
            form = wire[at]
            if form.variables():
                self.reader.refuse(f"its input {word} differs from neuron to neuron")
            register = self.program.row(self.reader.form(form, {}), relu=False)
            self._check(register, f"bit {at} of {word}, on which the rule '{rule}' rests,")
            bits.append(register)
        return self.program.slot(tuple(bits))

    def _zero_outside(self, name: str, wire: Affine, axis: Index) -> int | None:
        """The slot outside of whose row an input is 0; None if it depends on no such row."""
        slots = set()
        others = False
        for term in self.reader.present(wire).terms:
            array = self.reader.arrays[term.ref.field] if term.ref else None
            if (
                isinstance(array, Outside)
                and not array.base
                and term.ref is not None
                and term.ref.positions[0] == var(axis.name)
            ):
                slots.add(array.slot)
            else:
                others = True
        if not slots:
            return None
        if others or len(slots) > 1:
            self.reader.refuse(f"its input {name} is not zero in all rows but one")
        return slots.pop()

    def _alias(self, form: Affine, family: Neurons) -> Held | Outside | None:
        """The array that a family repeats entry by entry."""
        indices = tuple(var(index.name) for index in family.indices)
        form = self.reader.present(form)
        if len(form.terms) != 1:
            return None
        (term,) = form.terms
        if term.ref is None or term.bounds or term.coefficient.constant != 1:
            return None
        array = self.reader.arrays[term.ref.field]
        if term.ref.positions != indices or self.shapes[term.ref.field] != family.shape:
            return None
        return array

    def _base(self, name: str, form: Affine, family: Neurons) -> tuple[str | None, set[int]]:
        """What a sum is outside of the rows of slots: "" for zero, or a memory field; None if it
        depends on nothing that is zero or a memory outside of them.
        """
        indices = tuple(var(index.name) for index in family.indices)
        base, slots, others = "", set[int](), False
        for term in self.reader.present(form).terms:
            array = self.reader.arrays[term.ref.field] if term.ref else None
            if not isinstance(array, Outside) or term.ref is None or term.bounds:
                others = True
                continue
            if term.ref.positions[0] != indices[0]:
                self.reader.refuse(f"its input {name} reads {term.ref}, another row")
            if array.base:
                if base or term.coefficient.constant != 1 or term.ref.positions != indices:
                    self.reader.refuse(f"its input {name} is not the memory, word by word")
                base = array.base
            if array.slot is not None:
                slots.add(array.slot)
        if others and (base or slots):
            self.reader.refuse(
                f"its input {name} is neither zero nor the memory in all rows but one"
            )
        return (None if others else base), slots

    def _check_domain(self, rule: Support, placed: Placed, family: Neurons, slot: int) -> None:
        """A rule holds for inputs that are bits: those that it speaks of are, in every row, and
        all others must be.
        """
        gadget = placed.gadget
        assert gadget is not None
        if placed.part > 0:
            return
        if gadget.conditions or any(source.high != 1 for source in gadget.network.inputs):
            if rule.zero or rule.spells:
                self.reader.refuse("the rules of gadgets on other inputs than bits are not used")
            return
        known = {rule.zero, rule.spells[1] if rule.spells else "", *rule.same}
        for source in gadget.network.inputs:
            wire = placed.wires[source.name]
            if source.name not in known and not self._reads_bits(wire, len(source.shape), family):
                for point in points(source.shape):
                    for own in points([index.size for index in family.indices[1:]]):
                        place = {
                            family.indices[0].name: slot_name(slot),
                            **_place(family.indices[1:], own),
                        }
                        form = self.reader.form(wire[tuple(map(to_expr, point))], place)
                        what = entry_name(source.name, point)
                        register = self.program.row(form, relu=False)
                        self._check(register, f"{what}, on which the rule '{rule}' rests,")

    def _reads_bits(self, wire: Signal, rank: int, family: Neurons) -> bool:
        """Whether an input differs from row to row.  Refused unless it is a bit in every row, or 1
        less a bit: an entry of an array of bits where a condition on the row holds, 0 elsewhere.
        """
        form = self.reader.present(wire[tuple(var(f"@position{axis}") for axis in range(rank))])
        axis = family.indices[0].name
        if axis not in form.variables():
            return False
        (term, *more) = sorted(form.terms, key=lambda each: axis not in each.variables())
        ((number, factors), *others) = monomials(normal(term.coefficient))
        one_less = [Term(to_expr(1), None)] if number == -1 else []
        plain = abs(number) == 1 and all(factor.op in ("eq", "le", "bit") for factor in factors)
        if not plain or others or term.bounds or more != one_less:
            self.reader.refuse("an input on which its rule rests differs from row to row")
        array = self.reader.arrays[term.ref.field] if term.ref else None
        if array is not None and array.registers is not None:
            for register in array.registers.ravel().tolist():
                self._check(register, f"{term.ref}, on which a rule rests,")
        return True


def same_statement(gadget: Gadget, other: Gadget) -> bool:
    """Whether two gadgets have the same neurons, inputs, parameters and support rules."""
    return gadget is other or all(
        [
            gadget.network.inputs == other.network.inputs,
            [each.neurons for each in gadget.network.layers]
            == [each.neurons for each in other.network.layers],
            gadget.parameters == other.parameters,
            gadget.support == other.support,
            [each.text for each in gadget.conditions] == [each.text for each in other.conditions],
        ]
    )


def _place(indices: Sequence[Index], point: Sequence[int]) -> dict[str, Expr]:
    return {index.name: to_expr(at) for index, at in zip(indices, point, strict=True)}
