"""Finds evidence for a solver's answers, once; `checker` then checks it without a solver.

For `sat` it is z3's model.  For `unsat`, z3 says which assertions suffice, and with which
congruences; `refute` searches for the case splits; and what they use is written down with the
numbers that the checker will give it.  Evidence is handed out only if the checker accepts it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import z3

from proofs.checker import Refused, check
from proofs.evidence import Evidence, Function, Model, Refutation
from proofs.normal_form import All, Apply, Bound, Choice, Formulas, Key, Quotient, Term, key
from proofs.refute import OutOfBudget, Search, Tree
from proofs.smt_reader import Script, UnreadableText, read

CASES = 12_000
"""How many cases the search for one refutation looks at."""

RESOURCES = 20_000_000
"""z3's budget for each of its answers, in rlimit units."""

SHRINKING = 200_000
"""Its budget for each attempt to do without an assertion."""


def find(text: str, status: str, cases: int = CASES, resources: int = RESOURCES) -> Evidence | None:
    """Evidence that an SMT-LIB text has a status, `sat` or `unsat`; None if none is found within
    the budgets, as when the status is wrong.

    The result depends on the arguments and the version of z3 alone.
    """
    try:
        script = read(text)
        evidence: Evidence | None = None
        if status == "sat":
            evidence = _model(script, text, resources)
        elif status == "unsat":
            evidence = _refutation(script, text, cases, resources)
        if evidence is not None:
            check(text, evidence)
    except (UnreadableText, Refused, OutOfBudget, z3.Z3Exception):
        return None
    return evidence


def _model(script: Script, text: str, resources: int) -> Model | None:
    solver = z3.Solver(ctx=z3.Context())
    solver.from_string(text)
    solver.set("rlimit", resources)
    if solver.check() != z3.sat:
        return None
    found = solver.model()
    values = {declaration.name(): found[declaration] for declaration in found.decls()}
    constants: dict[str, int] = {}
    functions: dict[str, Function] = {}
    for name, arity in script.arities.items():
        value = values.get(name)
        if arity == 0:
            constants[name] = 0 if value is None else value.as_long()
        elif value is None:
            functions[name] = Function([], 0)
        else:
            *rows, other = value.as_list()
            if not z3.is_int_value(other):
                return None
            functions[name] = Function(
                [[each.as_long() for each in row] for row in rows], other.as_long()
            )
    return Model(constants, functions)


@dataclass(frozen=True, slots=True)
class _Premises:
    """What a refutation starts from: literals, each with the assertion it is, or the congruence of
    two terms, or None for a definition.
    """

    formulas: Formulas
    literals: dict[int, int | tuple[int, int] | None] = field(default_factory=dict)


def _refutation(script: Script, text: str, cases: int, resources: int) -> Refutation | None:
    assertions = _sufficient(text, resources)
    premises = None if assertions is None else _premises(script, assertions, resources)
    if premises is None:
        return None
    search = Search(premises.formulas, cases)
    closed = search.close_from(premises.literals)
    used = [origin for literal, origin in premises.literals.items() if literal in closed.uses]
    needed = sorted(each for each in used if isinstance(each, int))
    pairs = [each for each in used if isinstance(each, tuple)]
    everything = sorted(each for each in premises.literals.values() if isinstance(each, int))
    for positions in (needed, everything):
        written = _Writer(script, search, positions).refutation(pairs, closed.tree)
        if written is not None:
            return written
    return None


def _sufficient(text: str, resources: int) -> list[int] | None:
    """Positions of assertions that z3 finds contradictory; None if it finds none."""
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", resources)
    for position, assertion in enumerate(z3.parse_smt2_string(text, ctx=context)):
        solver.assert_and_track(assertion, z3.Bool(str(position), context))
    if solver.check() != z3.unsat:
        return None
    return sorted(int(str(each)) for each in solver.unsat_core())


def _premises(script: Script, assertions: list[int], resources: int) -> _Premises | None:
    """Assertions and congruences, as few as z3 finds enough, and the definitions of their terms."""
    formulas = Formulas(script.arities)
    origins: dict[int, int | tuple[int, int] | None] = {}
    for position in assertions:
        origins.setdefault(formulas.literal(script.assertions[position]), position)
    for literal in formulas.definitions():
        origins.setdefault(literal, None)
    integers = _Integers(formulas, resources)
    while True:
        for literal in origins:
            integers.assume(literal)
        core = integers.contradiction()
        if core is not None:
            break
        pairs = integers.unequal()
        if not pairs:
            return None
        for left, right in pairs:
            congruence = formulas.congruence(left, right)
            if congruence is not None:
                origins.setdefault(congruence, (left, right))
    terms = formulas.terms_of(core)
    return _Premises(
        formulas,
        {
            each: origin
            for each, origin in origins.items()
            if each in core or (origin is None and formulas.terms_of([each]) <= terms)
        },
    )


class _Integers:
    """Literals as z3's formulas, their terms as unknown integers."""

    def __init__(self, formulas: Formulas, resources: int) -> None:
        self._formulas = formulas
        self._context = z3.Context()
        self.solver = z3.Solver(ctx=self._context)
        self._resources = resources
        self._names: dict[int, z3.BoolRef] = {}
        self._known: dict[int, z3.BoolRef] = {1: z3.BoolVal(True, self._context)}

    def assume(self, literal: int) -> None:
        """Let a literal be among those that hold."""
        if literal not in self._names:
            name = z3.Bool(f"literal {literal}", self._context)
            self.solver.add(z3.Implies(name, self._formula(literal)))
            self._names[literal] = name

    def contradiction(self) -> list[int] | None:
        """Literals that contradict each other, most of which cannot be left out; None if z3 does
        not find that they do.
        """
        core = self._core(list(self._names), self._resources)
        position = 0
        while core is not None and position < len(core):
            smaller = self._core(core[:position] + core[position + 1 :], SHRINKING)
            if smaller is None:
                position += 1
            else:
                core = smaller
        return core

    def _core(self, literals: list[int], resources: int) -> list[int] | None:
        self.solver.set("rlimit", resources)
        if self.solver.check([self._names[each] for each in literals]) != z3.unsat:
            return None
        found = {each.get_id() for each in self.solver.unsat_core()}
        return [each for each in literals if self._names[each].get_id() in found]

    def unequal(self) -> list[tuple[int, int]]:
        """Applications of one function that differ in the solution though their arguments do
        not.
        """
        try:
            model = self.solver.model()
        except z3.Z3Exception:
            return []
        found: dict[tuple[str, tuple[int, ...]], list[int]] = {}
        values: dict[int, int] = {}
        for number, term in enumerate(self._formulas.terms):
            if isinstance(term, Apply):
                arguments = tuple(self._value(model, each) for each in term.arguments)
                values[number] = self._value(model, ((number, 1),))
                found.setdefault((term.name, arguments), []).append(number)
        return [
            (left, right)
            for same in found.values()
            for left, right in combinations(same, 2)
            if values[left] != values[right]
        ]

    def _value(self, model: z3.ModelRef, total: Key) -> int:
        return int(model.eval(self._total(total), model_completion=True).as_long())

    def _total(self, total: Key) -> z3.ArithRef:
        parts = [
            coefficient * z3.Int(f"term {term}", self._context)
            if term
            else z3.IntVal(coefficient, self._context)
            for term, coefficient in total
        ]
        return z3.Sum([z3.IntVal(0, self._context), *parts])

    def _formula(self, literal: int) -> z3.BoolRef:
        number = abs(literal)
        if number not in self._known:
            node = self._formulas.nodes[number]
            if isinstance(node, Bound):
                self._known[number] = self._total(node.total) >= node.least
            else:
                assert node is not None
                self._known[number] = z3.And([self._formula(each) for each in node.literals])
        return self._known[number] if literal > 0 else z3.Not(self._known[number])


class _Writer:
    """Writes a tree with the numbers that the checker will give to terms and nodes."""

    def __init__(self, script: Script, search: Search, positions: list[int]) -> None:
        self._old = search.formulas
        self._farkas = search.farkas
        self._positions = positions
        self._literals: dict[int, int] = {}
        self._new = Formulas(script.arities)
        for position in positions:
            self._new.literal(script.assertions[position])
        for _ in self._new.definitions():
            pass

    def refutation(self, pairs: list[tuple[int, int]], tree: Tree) -> Refutation | None:
        """The refutation; None if the tree has nodes that the assertions do not."""
        new = self._new
        terms = len(new.terms)
        congruences = [(self._term(left), self._term(right)) for left, right in pairs]
        for left, right in congruences:
            new.congruence(left, right)
        numbers = set(_numbers(tree))
        sets = [self._farkas[each] for each in sorted(numbers & self._farkas.keys())]
        before = len(new.nodes)
        for number in sorted(numbers - self._farkas.keys()):
            if isinstance(self._old.nodes[number], All):
                self._literal(number)
        if len(new.nodes) > before:
            return None
        for number in sorted(numbers | {abs(each) for literals, _ in sets for each in literals}):
            if isinstance(self._old.nodes[number], Bound):
                self._literal(number)
        cuts = [
            [node.least, *(number for item in node.total for number in item)]
            for node in new.nodes[before:]
            if isinstance(node, Bound)
        ]
        farkas: list[list[int | str]] = []
        for literals, multipliers in sets:
            farkas.append([])
            for literal, multiplier in zip(literals, multipliers, strict=True):
                farkas[-1] += [self._literal(literal), multiplier]
            new.all_of(self._literal(each) for each in literals)
        if len(new.terms) > terms:
            return None
        return Refutation(self._positions, congruences, cuts, farkas, self._moves(tree))

    def _moves(self, tree: Tree) -> list[int]:
        moves: list[int] = []
        waiting = [tree]
        while waiting:
            tree = waiting.pop()
            moves += [self._literal(each) for each in tree.steps]
            if tree.split is not None:
                literal, first, second = tree.split
                number = self._literal(literal)
                moves.append(-abs(number))
                waiting += (second, first) if number > 0 else (first, second)
        return moves

    def _literal(self, literal: int) -> int:
        number = abs(literal)
        if number not in self._literals:
            node = self._old.nodes[number]
            if isinstance(node, All):
                new = self._new.all_of(self._literal(each) for each in node.literals)
            else:
                bound = self._old.bound_of(number) or {}
                new = self._new.at_least_0(dict(self._key(key(bound))))
            self._literals[number] = new
        return self._literals[number] if literal > 0 else -self._literals[number]

    def _key(self, total: Key) -> Key:
        return key({term and self._term(term): coefficient for term, coefficient in total})

    def _term(self, number: int) -> int:
        match self._old.terms[number]:
            case Apply(name, arguments):
                term: Term = Apply(name, tuple(self._key(each) for each in arguments))
            case Choice(condition, then, otherwise):
                term = Choice(self._literal(condition), self._key(then), self._key(otherwise))
            case Quotient(dividend, divisor):
                term = Quotient(self._key(dividend), divisor)
            case None:
                raise AssertionError("0 is the number of no term")
        return self._new.term(term)


def _numbers(tree: Tree) -> list[int]:
    """The nodes of which a tree speaks."""
    found: list[int] = []
    waiting = [tree]
    while waiting:
        tree = waiting.pop()
        found += tree.steps
        if tree.split is not None:
            found.append(abs(tree.split[0]))
            waiting += tree.split[1:]
    return found
