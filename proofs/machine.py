"""The machine theorem's statement: the construction as a gadget whose specification is the step.

Its inputs are the fields of the state vector, its outputs the fields of the state after one pass.
`decode` is: a word is the number that its bits spell.  Where a construction's vector holds a field
of the state as several fields, the bits are their sums, and that each sum is a bit is part of the
domain; where it gives them as linear forms, likewise.  Where a vector holds more than the state,
that this is what it should be is part of the domain, and of what is proved of a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from proofs.forms import form_value
from proofs.terms import substitute, term, unknown
from verified_mlp.constructions.registry import DEFAULT, Construction, construction
from verified_mlp.logic import Truth, Value, bit, both, entry, fold, symbolic, value, where
from verified_mlp.machine.shape import Dimensions
from verified_mlp.machine.state import state_fields
from verified_mlp.machine.step import After, Before, step
from verified_mlp.statement.affine import Signal
from verified_mlp.statement.expr import Index, const, to_expr, var
from verified_mlp.statement.network import Condition, Gadget, Network, Output


@dataclass(frozen=True, slots=True)
class Sizes:
    """The numbers of a shape; terms where the parameters are (see `machine.step.Limits`)."""

    bits: int
    modulus: int
    words: Value
    addresses: Value
    code: Value


def sizes(dimensions: Dimensions, parameters: Mapping[str, Value]) -> Sizes:
    """The numbers of a shape, or of a family of shapes at values of its parameters."""
    words, addresses, code = (
        to_expr(extent).evaluate(parameters)
        for extent in (dimensions.words, dimensions.addresses, dimensions.code)
    )
    return Sizes(dimensions.bits, dimensions.modulus, words, addresses, code)


class BitMemory:
    """A memory of bits mem[i, j], read as words."""

    def __init__(self, mem: Any, shape: Sizes) -> None:
        self._mem, self._bits, self._words = mem, shape.bits, shape.words

    def load(self, address: Value) -> Value:
        """The word at an address."""
        return row_value(self._mem, address, self._bits, self._words)

    def store(self, condition: Truth, address: Value, word: Value) -> Written:
        """The memory with one word written where the condition holds."""
        return Written(self, condition, address, word)


class Written:
    """A memory after one conditional write."""

    def __init__(self, before: BitMemory, condition: Truth, address: Value, word: Value) -> None:
        self._before, self._condition = before, condition
        self._address, self._word = address, word

    def load(self, address: Value) -> Value:
        """The word at an address."""
        written = both(self._condition, address == self._address)
        return where(written, self._word, self._before.load(address))


_ADDRESS = unknown("address!")


class _Row:
    def __init__(self, mem: Any, address: Any, words: Value) -> None:
        self._mem, self._address, self._words = mem, address, words

    def __getitem__(self, position: Any) -> Any:
        if symbolic():
            return self._mem[self._address, position]
        return entry(self._mem[:, position], self._address, self._words)


def row_value(mem: Any, address: Value, length: Value, words: Value) -> Value:
    """The number that the first `length` bits of a row spell.

    For a term, the row is a parameter of the fold, so that the folds of all rows are one function.
    """
    if not symbolic():
        return value(_Row(mem, address, words), 0, length)
    row = value(_Row(mem, _ADDRESS, words), 0, length)
    return substitute(row, (_ADDRESS, term(address)))


def encoded_bit(word: Value, position: Value) -> Value:
    """Encode: the bit of a word at a position.  A state's words are encoded so, its flags are
    themselves.
    """
    return bit(word, position)


class Decoded:
    """A field of the state as an array of bits, each decoded from the fields of the vector."""

    def __init__(self, how: Construction, name: str, fields: Mapping[str, Any]) -> None:
        self._how, self._name, self._fields = how, name, fields

    def __getitem__(self, position: Any) -> Any:
        parts = {part: self._fields[part][position] for part in self._how.parts(self._name)}
        return self._how.decode(self._name, parts)


READ = ("mem", "pc", "fault", "input", "ready")
"""The fields of the state that a step reads."""


class Formed:
    """A field of the state as an array of bits, each a linear form of the fields of the vector."""

    def __init__(self, signal: Signal, fields: Mapping[str, Any]) -> None:
        self._signal, self._fields = signal, fields

    def __getitem__(self, position: Any) -> Any:
        at = position if isinstance(position, tuple) else (position,)
        names = [f"position!{axis}" for axis in range(len(at))]
        form = self._signal[tuple(map(var, names))]
        environment = {**self._fields, **dict(zip(names, at, strict=True))}
        return form_value(form, environment, self._read, fold)

    def _read(self, name: str, *at: Any) -> Any:
        array = self._fields[name]
        return (array[at] if len(at) > 1 else array[at[0]]) if at else array


Forms = Mapping[str, Signal]
"""Fields of the state as linear forms of the fields of the vector."""

NO_FORMS: Forms = {}


def forms_of(how: Construction, dimensions: Dimensions) -> Forms:
    """The fields of the state that a construction gives as linear forms."""
    return how.forms(dimensions) if how.forms else NO_FORMS


def state_bits(
    how: Construction, name: str, fields: Mapping[str, Any], forms: Forms = NO_FORMS
) -> Any:
    """The bits of a field of the state: those of a field of the vector, or decoded from several."""
    if name in forms:
        formed = Formed(forms[name], fields)
        return formed if forms[name].extent else formed[()]
    if name not in how.sums:
        return fields[name]
    if how.prefetched and name in how.prefetched.flags:
        return how.decode(name, fields)
    return Decoded(how, name, fields)


def decode(
    shape: Sizes, how: Construction, fields: Mapping[str, Any], forms: Forms = NO_FORMS
) -> Before:
    """The state that fields of bits stand for: a word is the number that its bits spell."""
    bits = {name: state_bits(how, name, fields, forms) for name in READ}
    return Before(
        mem=BitMemory(bits["mem"], shape),
        pc=value(bits["pc"], 0, shape.bits),
        fault=bits["fault"],
        input=value(bits["input"], 0, shape.bits),
        ready=bits["ready"],
    )


def machine(dimensions: Dimensions, name: str = DEFAULT) -> Gadget:
    """The network of a shape, or of a family of shapes, with the step as its specification.

    Raises ValueError for the name of no construction.
    """
    how = construction(name)
    network = how.network(dimensions)
    forms = forms_of(how, dimensions)

    def after(fields: Mapping[str, Any]) -> After:
        shape = sizes(dimensions, fields)
        return step(shape, decode(shape, how, fields, forms))

    def result(name: str) -> Callable[..., Value]:
        return lambda **fields: getattr(after(fields), name)

    def held(name: str) -> Callable[..., Value]:
        more = how.prefetched
        assert more is not None
        return lambda **fields: more.of(sizes(dimensions, fields), left(after(fields)))[name]

    names = ("pc", "fault", "input", "ready", "wanted", "output", "valid")
    count = len(network.layers)
    own = {} if name == DEFAULT else {"construction": name}
    return Gadget(
        name="machine",
        network=read_out(network, how, dimensions),
        spec={
            "mem": lambda i, **fields: after(fields).mem.load(i),
            **{name: result(name) for name in names},
            **{name: held(name) for name in more_fields(how)},
        },
        source="arXiv 2410.09375: one pass of the looped network is one SUBLEQ step",
        formula=f"{count} layer{'s' * (count > 1)} = one step",
        parameters=dimensions.parameters,
        conditions=tuple(invariants(how, dimensions)),
        settings={"bits": dimensions.bits, "words": _words_text(dimensions), **own},
    )


def left(after: After) -> Before:
    """The state that the next step finds."""
    return Before(after.mem, after.pc, after.fault, after.input, after.ready)


def more_fields(how: Construction) -> tuple[str, ...]:
    """What a construction's vector holds besides the fields of the state."""
    return (*how.prefetched.flags, *how.prefetched.words) if how.prefetched else ()


def read_out(network: Network, how: Construction, dimensions: Dimensions) -> Network:
    """The network with the fields of the state as outputs, and what is held besides."""
    given = {output.name: output for output in network.outputs}
    left = {name: _signal(output) for name, output in given.items()}
    outputs: list[Output] = []
    forms = forms_of(how, dimensions)
    for source in state_fields(dimensions):
        if source.name in forms:
            form = forms[source.name][source.indices].rewire(left)
            outputs.append(Output(source.name, source.indices, form, const(1), source.word))
            continue
        first = given[how.parts(source.name)[0]]
        form = how.decode(source.name, {name: output.form for name, output in given.items()})
        outputs.append(replace(first, name=source.name, form=form))
    for name in more_fields(how):
        form = how.decode(name, {part: given[part].form for part in how.parts(name)})
        outputs.append(replace(given[how.parts(name)[0]], name=name, form=form))
    return replace(network, outputs=tuple(outputs))


def _signal(output: Output) -> Signal:
    """An output, to be read at any position."""
    names = [index.name for index in output.indices]
    extents = tuple(index.extent for index in output.indices)
    return Signal(
        lambda *at: output.form.substitute(dict(zip(names, map(to_expr, at), strict=True))), extents
    )


def invariants(how: Construction, dimensions: Dimensions) -> Iterator[Condition]:
    """What the domain has beyond ranges: what is decoded from several fields is a bit."""
    for source in state_fields(dimensions):
        if source.name in how.sums:
            text = f"{' + '.join(how.parts(source.name))} <= 1"
            yield Condition(text, source.indices, is_bit(how, source.name))
    forms = forms_of(how, dimensions)
    for source in state_fields(dimensions):
        # What is only a result is never read.
        if source.name in forms and source.name in READ:
            text = f"the sum that is {source.name} in 0..1"
            yield Condition(text, source.indices, is_formed(forms[source.name]))
    if how.prefetched:
        names = ", ".join(more_fields(how))
        position = (Index("j", dimensions.bits),)
        text = f"{names} are those of the instruction at pc"
        yield Condition(text, position, is_prefetched(how, dimensions))


def is_formed(signal: Signal) -> Callable[..., Truth]:
    """The condition that an entry of a field of the state is 0 or 1."""

    def holds(*at: Value, **fields: Any) -> Truth:
        entry = Formed(signal, fields)[at]
        return both(entry >= 0, entry <= 1)

    return holds


class Plane:
    """One bit of each word of memory."""

    def __init__(self, mem: Any, position: Value, words: Value) -> None:
        self._mem, self._position, self._words = mem, position, words

    def load(self, address: Value) -> Value:
        """The bit of the word at an address."""
        return _Row(self._mem, address, self._words)[self._position]


def is_prefetched(how: Construction, dimensions: Dimensions) -> Callable[..., Truth]:
    """The condition that what a vector holds besides the state is what it should be: the flags, and
    bit j of the words, which is what the bits j of memory give.
    """
    more = how.prefetched
    assert more is not None

    def holds(j: Value, **fields: Any) -> Truth:
        shape = sizes(dimensions, fields)
        before = decode(shape, how, fields)
        plane = Plane(state_bits(how, "mem", fields), j, shape.words)
        expected = more.of(shape, replace(before, mem=plane))
        alike = [state_bits(how, name, fields) == expected[name] for name in more.flags]
        alike += [state_bits(how, name, fields)[j] == expected[name] for name in more.words]
        return reduce(both, alike)

    return holds


def is_bit(how: Construction, name: str) -> Callable[..., Truth]:
    """The condition that an entry of a field of the state is at most 1."""
    return lambda *at, **fields: Decoded(how, name, fields)[at] <= 1


def _words_text(dimensions: Dimensions) -> str:
    """The number of words, or its range."""
    for each in dimensions.parameters:
        return f"{each.low}..{each.high}" if each.low < each.high else f"{each.low}"
    return str(dimensions.words)
