"""A gadget as formulas: its inputs, neurons, placed gadgets, domain and specification.

Arrays are functions of an index, so that one formula speaks of every index.  `expanded` has the
other view, with a constant for every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from proofs.forms import form_value, summed
from proofs.kernel import Theorem, placement
from proofs.terms import BoolTerm, IntTerm, conj, formula, implies, ite, term, unknowns
from proofs.theory import Formula, Term, Theory
from verified_mlp.logic import folding_with, value
from verified_mlp.statement.affine import Affine, Signal
from verified_mlp.statement.builder import check_placed
from verified_mlp.statement.expr import Expr, Index, to_expr, var
from verified_mlp.statement.network import Gadget, Neurons, Output, Parameter, Placed

Environment = dict[str, Any]


class Vector:
    """An array of terms, read with `vector[index]`."""

    def __init__(self, at: Callable[..., Term]) -> None:
        self._at = at

    def __getitem__(self, position: Any) -> Term:
        return self._at(*position) if isinstance(position, tuple) else self._at(position)


class SymbolicView:
    """The gadget over a theory: inputs and neurons are function symbols.

    `ghosts` gives the ghost parameters of placed gadgets, by layer (of the last part) and name:
    what a specification may speak of and no wire carries.
    """

    def __init__(self, gadget: Gadget) -> None:
        self.gadget = gadget
        self.theory = Theory()
        self.parameters: Environment = {}
        for parameter in gadget.parameters:
            self._declare_parameter(parameter)
        self.inputs: Environment = {}
        self.ghosts: dict[tuple[int, str], Environment] = {}
        self._symbols: dict[tuple[int, str], Callable[..., IntTerm]] = {}
        for source in gadget.network.inputs:
            high = source.largest.evaluate(self.parameters)
            symbol = self.theory.declare(source.name, len(source.extents), lambda *_, h=high: h)
            self._symbols[-1, source.name] = symbol
            self.inputs[source.name] = Vector(symbol) if source.extents else symbol()
        for condition in gadget.conditions:
            self._promise_condition(condition)
        check_placed(gadget.network)
        for depth, layer in enumerate(gadget.network.layers):
            for placed in layer.placed:
                for family in placed.neurons:
                    self._declare_neurons(depth, family, placed)
        self.theory.close()
        self.rests_on: set[str] = set()
        """The titles of the gadgets whose contracts are in use."""

    @property
    def values(self) -> Environment:
        """Inputs and parameters by name, as the specification takes them."""
        return {**self.inputs, **self.parameters}

    def domain(self) -> list[BoolTerm]:
        """The part of the domain that no range and no pointwise condition states."""
        return [
            formula(self.run(partial(condition.holds, **self.values)))
            for condition in self.gadget.conditions
            if not condition.indices
        ]

    def run(self, compute: Callable[[], Any]) -> Any:
        """Evaluate something written with `verified_mlp.logic` over this view's theory."""
        with folding_with(self.theory.fold):
            return compute()

    def form(self, affine: Affine, at: Environment, depth: int) -> Term:
        """The value of an affine form over the neurons of layer `depth` (-1: the inputs)."""
        return form_value(affine, at, self._reader(depth), self.theory.fold)

    def _reader(self, depth: int) -> Callable[..., Term]:
        def read(name: str, *positions: Any) -> Term:
            return self._symbols[depth, name](*map(term, positions))

        return read

    def sum_in(self, depth: int, name: str, length: Term) -> Term:
        """The only sum in the row of a scalar neuron, its index below `length`."""
        family = self._family(depth, name)
        return self._partial(family.row, self.parameters, depth - 1, length)

    def sum_wired(self, name: str, source: str, over: Environment, high: Term, *at: Term) -> Term:
        """The only sum in the wire of a placed gadget's input, `at` a position if it has any; the
        sum's index below `high`.
        """
        placed = self.placed(name)
        assert placed.gadget is not None
        depth = self.depth(placed) - len(placed.gadget.network.layers)
        names = [f"position!{axis}" for axis in range(len(at))]
        environment = {**self.parameters, **over, **dict(zip(names, at, strict=True))}
        form = placed.wires[source][tuple(map(var, names))]
        return self._partial(form, environment, depth, high)

    def _partial(self, form: Affine, at: Environment, depth: int, high: Term) -> Term:
        terms = [each for each in form.terms if each.bounds]
        if not terms:
            # A changed network may have none; what is said of it then does not follow.
            return term(0)
        ((bound,),) = {each.bounds for each in terms}
        return summed([bound], terms, at, self._reader(depth), self.theory.fold, high)

    def sum_of(
        self, form: Affine, names: Sequence[str], depth: int, at: Environment, high: Term
    ) -> Term:
        """In a form, the sum over the bounds of these names, or over the last ones of these, of
        which `at` has the others: the first that it has not below `high`.
        """
        terms = [each for each in form.terms if [own.name for own in each.bounds] == [*names]]
        (bounds,) = {each.bounds for each in terms}
        left = [bound for bound in bounds if bound.name not in at]
        environment = {**self.parameters, **at}
        return summed(left, terms, environment, self._reader(depth), self.theory.fold, high)

    def signal(self, signal: Signal, rank: int, depth: int, over: Environment) -> Any:
        """What a wire or output of `rank` axes gives: a Vector, or a term for a scalar."""
        if rank == 0:
            return self._entry(signal, depth, over, ())
        return Vector(lambda *at: self._entry(signal, depth, over, at))

    def _entry(self, signal: Signal, depth: int, over: Environment, at: Sequence[Term]) -> Term:
        names = [f"position!{axis}" for axis in range(len(at))]
        form = signal[tuple(map(var, names))]
        environment = {**self.parameters, **over, **dict(zip(names, at, strict=True))}
        return self.form(form, environment, depth)

    def neuron(self, depth: int, name: str, *at: Term) -> IntTerm:
        """A neuron of layer `depth` (from 0)."""
        return self._symbols[depth, name](*at)

    def row(self, depth: int, name: str, *at: Term) -> Term:
        """What stands inside a neuron's ReLU."""
        family = self._family(depth, name)
        return self.form(family.row, self._at(family, at), depth - 1)

    def output(self, name: str) -> Any:
        """An output: a Vector, or a term for a scalar."""
        depth = len(self.gadget.network.layers) - 1
        output = self._output(name)
        names = [index.name for index in output.indices]
        if not names:
            return self.form(output.form, self.parameters, depth)
        return Vector(
            lambda *at: self.form(
                output.form, {**self.parameters, **dict(zip(names, at, strict=True))}, depth
            )
        )

    def meets_specification(self, name: str) -> tuple[list[BoolTerm], BoolTerm]:
        """What must hold of an output, at a generic index: (index ranges, formula)."""
        output = self._output(name)
        indices = [self._constant(f"at!{index.name}") for index in output.indices]
        ranges = self._within(indices, output.indices)
        got = self.output(name)
        spec = self.gadget.spec[name]
        if output.word:
            # The bits of a word lie along the last axis.
            own, size = indices[:-1], _evaluated(output.indices[-1].extent, self.parameters)
            expected = self.run(lambda: spec(*own, **self.values))
            spelled = self.run(lambda: value(Vector(lambda k: got[(*own, k)]), 0, size))
            entry = got[tuple(indices)]
            return ranges, conj(spelled == expected, entry >= 0, entry <= 1)
        entry = got[tuple(indices)] if indices else got
        return ranges, entry == self.run(lambda: spec(*indices, **self.values))

    def in_range(self, depth: int, family: Neurons) -> tuple[list[BoolTerm], BoolTerm]:
        """That a family's neurons are at most their largest value: (index ranges, formula)."""
        at = [self._constant(f"at!{index.name}") for index in family.indices]
        largest = term(family.largest.evaluate(self._at(family, at)))
        return self._within(at, family.indices), self.neuron(depth, family.name, *at) <= largest

    def placed(self, name: str, depth: int | None = None) -> Placed:
        """The placed gadget of that name (in the layer of its last part)."""
        for at, layer in enumerate(self.gadget.network.layers):
            for placed in layer.placed:
                if placed.name == name and placed.outputs and depth in (None, at):
                    return placed
        raise LookupError(f"{self.gadget.title} places nothing called {name}")

    def depth(self, placed: Placed) -> int:
        """The layer (from 0) of a placed gadget's last part."""
        layers = self.gadget.network.layers
        return next(at for at, layer in enumerate(layers) if any(placed is e for e in layer.placed))

    def result(self, name: str, output: str = "", depth: int | None = None) -> Any:
        """An output of a placed gadget, as a Vector or a term; its only one unless named."""
        placed = self.placed(name, depth)
        signal = placed.outputs[output] if output else next(iter(placed.outputs.values()))
        return self.signal(signal, len(signal.extent or ()), self.depth(placed), {})

    def wires_in_domain(self, placed: Placed) -> tuple[list[BoolTerm], BoolTerm]:
        """That a placed gadget's wires stay in its domain, at generic indices."""
        gadget = placed.gadget
        assert gadget is not None
        over = {index.name: self._constant(index.name) for index in placed.over}
        ranges = self._within(list(over.values()), placed.over)
        wires, given = self._wired(placed, over)
        needed: list[Any] = []
        for parameter in gadget.parameters:
            needed += [
                given[parameter.name] >= parameter.low,
                given[parameter.name] <= parameter.largest.evaluate(given),
            ]
        for source in gadget.network.inputs:
            at = [self._constant(f"{source.name}!{axis}") for axis in range(len(source.extents))]
            ranges += self._within(at, source.indices, given)
            wire = wires[source.name][tuple(at)] if at else wires[source.name]
            needed += [wire >= 0, wire <= source.largest.evaluate(given)]
        for condition in gadget.conditions:
            at = [self._constant(f"condition!{index.name}") for index in condition.indices]
            ranges += self._within(at, condition.indices, given)
            needed.append(self.run(partial(condition.holds, *at, **wires, **given)))
        return ranges, conj(*map(formula, needed))

    def accept(self, placed: Placed, domain: Theorem) -> None:
        """From now on a placed gadget's outputs are known to meet its specification.

        `domain` is the theorem that what it is handed is in its domain (`wires_in_domain`); raises
        ValueError if it is not.
        """
        assert placed.gadget is not None
        depth = self.depth(placed)
        own = {index.name for index in placed.over}
        for ghost in self.ghosts.get((depth, placed.name), {}).values():
            if own & {each.label for each in unknowns(term(ghost))}:
                raise ValueError(f"{placed.name}: a ghost is the same at every index")
        ranges, goal = self.wires_in_domain(placed)
        promises: dict[str, Callable[..., Iterator[Formula]]] = {
            _symbol_name(depth, family.name): (
                lambda *at, family=family: self._contract(placed, family, at)
            )
            for family in placed.neurons
        }
        placement(self.theory, placed.name, domain, ranges, goal, promises)
        self.rests_on.add(placed.gadget.title)

    def _contract(self, placed: Placed, family: Neurons, at: Sequence[Term]) -> Iterator[Formula]:
        """What a placed gadget promises of a neuron of its last layer, and of the outputs that
        read this neuron first.
        """
        gadget = placed.gadget
        assert gadget is not None
        inside = conj(*self._within(at, family.indices))
        largest = family.largest.evaluate(self._at(family, at))
        yield implies(inside, self.neuron(self.depth(placed), family.name, *at) <= largest)
        for output in gadget.network.outputs:
            if _first_read(placed, output) == family.name:
                yield from self._promised(placed, output, inside, at)

    def _promised(
        self, placed: Placed, output: Output, inside: BoolTerm, at: Sequence[Term]
    ) -> Iterator[Formula]:
        """That an output entry of a placed gadget is what the specification says, where the
        indices are `inside` those of the neurons.
        """
        gadget, depth = placed.gadget, self.depth(placed)
        assert gadget is not None
        count = len(placed.over)
        own = at[count:]
        if len(own) != len(output.indices):
            raise NotImplementedError(f"{placed.name}: neurons and outputs differ in shape")
        over = {index.name: k for index, k in zip(placed.over, at, strict=False)}
        wires, given = self._wired(placed, over)
        signal, spec = placed.outputs[output.name], gadget.spec[output.name]
        got = self._entry(signal, depth, over, at)
        # An output may have fewer entries than the family has neurons.
        ranges = self._within(at[:count], placed.over)
        entries = conj(inside, *ranges, *self._within(own, output.indices, given))
        if not output.word:
            yield implies(entries, got == self.run(lambda: spec(*own, **wires, **given)))
            return
        word = Vector(lambda k: self._entry(signal, depth, over, (*at[:count], k)))
        size = _evaluated(output.indices[0].extent, given)
        spelled = self.run(lambda: value(word, 0, size))
        yield implies(entries, conj(got >= 0, got <= 1))
        yield implies(entries, spelled == self.run(lambda: spec(**wires, **given)))

    def _wired(self, placed: Placed, over: Environment) -> tuple[Environment, Environment]:
        assert placed.gadget is not None
        first = self.depth(placed) - len(placed.gadget.network.layers)
        ranks = {source.name: len(source.extents) for source in placed.gadget.network.inputs}
        wires = {
            name: self.signal(wire, ranks[name], first, over) for name, wire in placed.wires.items()
        }
        given = {
            name: _evaluated(number, {**self.parameters, **over})
            for name, number in placed.parameters.items()
        }
        return wires, {**given, **self.ghosts.get((self.depth(placed), placed.name), {})}

    def _within(
        self, at: Sequence[Term], indices: Sequence[Index], given: Environment | None = None
    ) -> list[BoolTerm]:
        """That indices are in their ranges, which depend on the parameters `given`."""
        known = self.parameters if given is None else given
        return [
            conj(term(k) >= 0, term(k) < _evaluated(i.extent, known))
            for k, i in zip(at, indices, strict=True)
        ]

    def _declare_parameter(self, parameter: Parameter) -> None:
        number = self._constant(parameter.name)
        high = term(parameter.largest.evaluate(self.parameters))
        self.theory.promise(parameter.name, lambda: [number >= parameter.low, number <= high])
        self.parameters[parameter.name] = number

    def _declare_neurons(self, depth: int, family: Neurons, placed: Placed) -> None:
        name = _symbol_name(depth, family.name)
        symbol = self.theory.declare(name, len(family.indices))
        self._symbols[depth, family.name] = symbol
        self.theory.promise(name, lambda *at: [symbol(*at) >= 0])
        if placed.gadget is None:
            self.theory.promise(name, lambda *at: self._definition(depth, family, at))

    def _definition(self, depth: int, family: Neurons, at: Sequence[Term]) -> list[Formula]:
        row = self.form(family.row, self._at(family, at), depth - 1)
        return [self._symbols[depth, family.name](*at) == ite(row > 0, row, 0)]

    def _promise_condition(self, condition: Any) -> None:
        for source in self.gadget.network.inputs:
            if len(source.extents) == len(condition.indices) > 0:
                self.theory.promise(
                    source.name,
                    lambda *at: [
                        implies(
                            conj(*self._within(at, condition.indices)),
                            formula(self.run(lambda: condition.holds(*at, **self.values))),
                        )
                    ],
                )

    def _family(self, depth: int, name: str) -> Neurons:
        families = self.gadget.network.layers[depth].neurons
        return next(family for family in families if family.name == name)

    def _at(self, family: Neurons, at: Sequence[Term]) -> Environment:
        names = [index.name for index in family.indices]
        return {**self.parameters, **dict(zip(names, at, strict=True))}

    def _output(self, name: str) -> Output:
        return next(each for each in self.gadget.network.outputs if each.name == name)

    def _constant(self, name: str) -> IntTerm:
        return self.theory.declare(name, 0)()


def _symbol_name(depth: int, family: str) -> str:
    return f"layer{depth + 1}.{family}"


def _evaluated(expr: Expr | int, at: Environment) -> Term:
    return term(to_expr(expr).evaluate(at))


def _first_read(placed: Placed, output: Output) -> str:
    """The family that a placed gadget's output reads first; its facts come with that one."""
    signal = placed.outputs[output.name]
    form = signal[tuple(var(f"position!{axis}") for axis in range(len(signal.extent or ())))]
    return next(each.ref.field for each in form.terms if each.ref is not None)
