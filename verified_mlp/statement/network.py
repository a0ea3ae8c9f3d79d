"""Networks, their layers, and gadgets: one statement from which every view is derived.

A *network* has input fields, layers and outputs.  A layer is a list of *placed gadgets*; what
it computes is the list of their neurons, y = ReLU(row).  A *gadget* is a small network with
its domain and its specification; gadgets may be built from gadgets.  The machine is a network
like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from verified_mlp.logic import Truth, Value
from verified_mlp.statement.affine import Affine, Signal
from verified_mlp.statement.expr import Expr, Extent, Index, to_expr, to_extent, to_number, to_sizes


@dataclass(frozen=True, slots=True)
class Field:
    """An input array of integers 0..high, with so many positions along each axis; scalar where
    `extents` is empty.

    A `word` field holds the bits of numbers along its last axis, least significant first.
    `one_hot` says that at most one position along the first axis is non-zero.
    """

    name: str
    extents: tuple[Extent, ...] = ()
    high: int | Expr = 1
    word: bool = False
    one_hot: bool = False

    def __post_init__(self) -> None:
        extents = tuple(to_extent(self.name, each) for each in self.extents)
        object.__setattr__(self, "extents", extents)

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents; raises ValueError where one is not a number."""
        return to_sizes(self.name, self.extents)

    @property
    def indices(self) -> tuple[Index, ...]:
        """One index for each axis."""
        return tuple(Index(f"axis{axis}", extent) for axis, extent in enumerate(self.extents))

    @property
    def largest(self) -> Expr:
        """The largest value, as an expression like that of `Neurons`."""
        return to_expr(self.high)


@dataclass(frozen=True, slots=True)
class Neurons:
    """A family of neurons `name[indices] = ReLU(row)`, one for every point of the index grid.

    `largest` is the largest value that a neuron can take on the gadget's domain, an expression
    in the indices; it is part of the contract and proved with it.  `one_hot` says that at most
    one position along the first axis is non-zero.
    """

    name: str
    indices: tuple[Index, ...]
    row: Affine
    largest: Expr
    one_hot: bool = False

    @property
    def extents(self) -> tuple[Extent, ...]:
        """The number of positions along each axis."""
        return tuple(index.extent for index in self.indices)

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents; raises ValueError where one is not a number."""
        return to_sizes(self.name, self.extents)


@dataclass(frozen=True, slots=True)
class Output:
    """A result of a network: an affine form over its last layer, 0..largest, at each index."""

    name: str
    indices: tuple[Index, ...]
    form: Affine
    largest: Expr
    word: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of positions along each axis; raises ValueError where one is no number."""
        return to_sizes(self.name, tuple(index.extent for index in self.indices))


@dataclass(frozen=True, slots=True)
class Placed:
    """A gadget in a layer: over which index space, wired to which signals, with which values
    for its parameters; `part` says which of the gadget's layers stands here.

    With a gadget's last layer come its `outputs`, as signals over that layer's neurons.
    `gadget` is None for neurons that are stated directly, inside a gadget's own network.
    """

    name: str
    gadget: Gadget | None
    part: int
    over: tuple[Index, ...]
    wires: Mapping[str, Signal]
    parameters: Mapping[str, Expr]
    neurons: tuple[Neurons, ...]
    outputs: Mapping[str, Signal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, y = ReLU(W x + b): the placed gadgets, their stage in the paper, a sentence."""

    placed: tuple[Placed, ...]
    stage: str = ""
    note: str = ""

    @property
    def neurons(self) -> tuple[Neurons, ...]:
        """All families of the layer, in the order of their rows."""
        return tuple(family for placed in self.placed for family in placed.neurons)


@dataclass(frozen=True, slots=True)
class Network:
    """Input fields, layers and outputs."""

    name: str
    inputs: tuple[Field, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[Output, ...]

    def sources(self, depth: int) -> tuple[Field | Neurons, ...]:
        """The arrays that layer `depth` (from 0) reads, in the order of its columns."""
        return self.inputs if depth == 0 else self.layers[depth - 1].neurons

    def sizes(self) -> Iterator[tuple[str, Expr]]:
        """Every size that the network states, with the name of what has it."""
        families = [family for layer in self.layers for family in layer.neurons]
        for source in self.inputs:
            yield from ((source.name, to_expr(extent)) for extent in source.extents)
        forms = [(each.name, each.indices, each.row) for each in families]
        forms += [(each.name, each.indices, each.form) for each in self.outputs]
        for each in forms:
            yield from sizes(*each)


def sizes(name: str, indices: Sequence[Index], form: Affine) -> Iterator[tuple[str, Expr]]:
    """The sizes of an array's axes and of the sums in its form, each with the array's name."""
    yield from ((name, to_expr(index.extent)) for index in indices)
    for term in form.terms:
        yield from ((name, to_expr(bound.extent)) for bound in term.bounds)


@dataclass(frozen=True, slots=True)
class Parameter:
    """An integer low..high that a gadget's weights depend on, e.g. the address it matches.

    A parameter with `bits` is used through its bits and stands for low..high < 2**bits.  A
    `ghost` appears in the domain and the specification only.  Its upper end
    may depend on the parameters that the gadget names before.
    """

    name: str
    low: int
    upper: int | Expr
    bits: int = 0
    ghost: bool = False

    def __post_init__(self) -> None:
        high = self.largest.constant
        if high is None:
            fits = not self.bits
        else:
            fits = self.low <= high and (not self.bits or 0 <= self.low <= high < 2**self.bits)
            object.__setattr__(self, "upper", high)
        if not fits:
            raise ValueError(
                f"parameter {self.name}: {self.low}..{self.upper} is no range"
                + (f" of numbers of {self.bits} bits" if self.bits else "")
            )

    @property
    def high(self) -> int:
        """The upper end; raises ValueError where it is not a number."""
        return to_number(f"the range of {self.name}", self.upper)

    @property
    def largest(self) -> Expr:
        """The upper end, as an expression."""
        return to_expr(self.upper)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the inputs beyond their ranges, required at every point of `indices`."""

    text: str
    indices: tuple[Index, ...]
    holds: Callable[..., Truth]


@dataclass(frozen=True, slots=True)
class Support:
    """Where a family of a gadget's neurons need not be computed, and what it is there.

    A neuron of the family `neurons` is the sum of what its layer reads under the names `same` (0 if
    there are none), on the gadget's whole domain, under one of these conditions: the input `zero`
    is 0; or the number that the word `spells[1]` spells is not the parameter `spells[0]`; or none.
    Proved with the gadget.

    >>> print(Support("keep", zero="h", same=("m",)))
    keep = m where h = 0
    >>> print(Support("h", spells=("i", "p")))
    h = 0 unless p spells i
    """

    neurons: str
    zero: str = ""
    spells: tuple[str, str] | None = None
    same: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.neurons} = {' + '.join(self.same) or '0'}"
        if self.spells:
            text += f" unless {self.spells[1]} spells {self.spells[0]}"
        return f"{text} where {self.zero} = 0" if self.zero else text


@dataclass(frozen=True, slots=True)
class Gadget:
    """A small exact network with its bounded integer domain and its specification.

    The domain is: every input field within its range, every parameter within its range, every
    `condition` true.  `spec[output]` computes what the output must be, from the inputs and
    parameters by name and, for an array, from the position; it is written with
    `verified_mlp.logic` and never calls the network.  The spec of a `word` output gives the
    number that its bits spell.  `source` is the paper's lemma, or "ours"; `formula` is the
    network in one line.  `support` says which neurons need not be computed.
    """

    name: str
    network: Network
    spec: Mapping[str, Callable[..., Value]]
    source: str
    formula: str
    parameters: tuple[Parameter, ...] = ()
    conditions: tuple[Condition, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    support: tuple[Support, ...] = ()

    def __post_init__(self) -> None:
        outputs = {output.name for output in self.network.outputs}
        if set(self.spec) != outputs:
            raise ValueError(
                f"gadget {self.name}: the specification gives {sorted(self.spec)}, "
                f"the network {sorted(outputs)}; name each output once in both"
            )
        names = [source.name for source in self.network.inputs]
        names += [parameter.name for parameter in self.parameters]
        if len(set(names)) < len(names):
            raise ValueError(
                f"gadget {self.name}: two of its inputs and parameters have one name; "
                f"the names are {sorted(names)}"
            )
        self._check_variables()

    def _check_variables(self) -> None:
        """Sizes depend on parameters alone, and a range on those before it."""
        known: set[str] = set()
        for parameter in self.parameters:
            for name in sorted(parameter.largest.variables() - known):
                raise ValueError(
                    f"gadget {self.name}: the range of {parameter.name} depends on {name}, which "
                    f"is no parameter before it"
                )
            known.add(parameter.name)
        for owner, extent in self.sizes():
            for name in sorted(extent.variables() - known):
                raise ValueError(
                    f"gadget {self.name}: the size of {owner} depends on {name}, which is none of "
                    f"its parameters"
                )

    def sizes(self) -> Iterator[tuple[str, Expr]]:
        """Every size that the gadget states, with the name of what has it."""
        yield from self.network.sizes()
        for condition in self.conditions:
            yield from ((condition.text, to_expr(index.extent)) for index in condition.indices)

    @property
    def title(self) -> str:
        """The name with its settings, e.g. `match(bits=16)`."""
        settings = ", ".join(f"{name}={number}" for name, number in self.settings.items())
        return f"{self.name}({settings})" if settings else self.name

    def domain_text(self) -> str:
        """The domain in one line."""
        parts = [
            f"{parameter.name} in {parameter.low}..{parameter.upper}"
            for parameter in self.parameters
        ]
        for source in self.network.inputs:
            # 4x16, but `words x 16`.
            between = "x" if all(isinstance(each, int) for each in source.extents) else " x "
            shape = between.join(map(str, source.extents))
            parts.append(f"{source.name}{f'[{shape}]' if shape else ''} in 0..{source.high}")
        parts += [condition.text for condition in self.conditions]
        return "; ".join(parts)
