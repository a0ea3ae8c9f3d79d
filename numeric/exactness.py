"""In which number formats a network is computed exactly.

**Theorem.**  Let every weight, bias and input of a network be an integer, and let a format hold
exactly every weight, every bias, every neuron's value, and every integer of size at most
`sum |W| * largest(x) + |b|`, for every row (W, b).  Then in that format every layer is computed
exactly, on every input within its range, in whatever order its products and bias are added.

**Argument.**  By induction over the layers, the values that a layer reads are the exact integers.
Each product of a weight and a value, and each sum of some of a row's products with or without its
bias, is then an integer, and of size at most the row's bound.  The format holds it, so no
multiplication and no addition rounds (a float) or wraps around (an integer).  After the last
addition stands the exact sum; ReLU of it is exact too, and is the neuron's value, which the format
holds for the next layer.

The largest values are those that the gadgets declare and the proofs cover, not ranges guessed from
the weights.  At most one position along the first axis of a `one_hot` field is non-zero; products
with the others are 0 and add nothing, so only the position that counts most is counted
(`verified_mlp.statement.measure`).  So the theorem rests on the network's proofs, and is about
inputs in their ranges: states whose entries are bits.

"Exact" is proved.  "Not exact" says that a premise does not hold: some number may be one that the
format does not hold, though not for every input and not in every order of adding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import MAX_BITS, MAX_WORDS, MIN_BITS, Shape
from verified_mlp.statement.evaluate import points
from verified_mlp.statement.expr import Expr, Number
from verified_mlp.statement.measure import measure_family
from verified_mlp.statement.network import Field, Network, Neurons

QUANTITIES = ("partial sum", "bias", "value", "weight")
FRACTION = "fraction"


@dataclass(frozen=True, slots=True)
class Format:
    """A number format: up to which size it holds every integer, in the place of each quantity."""

    name: str
    note: str
    limits: Mapping[str, int]


def _one_limit(name: str, digits: int, note: str) -> Format:
    return Format(name, note, dict.fromkeys(QUANTITIES, 2**digits))


FORMATS = (
    _one_limit("float64", 53, "integers up to 2^53"),
    _one_limit("float32", 24, "integers up to 2^24"),
    _one_limit("float16", 11, "integers up to 2^11"),
    _one_limit("bfloat16", 8, "integers up to 2^8"),
    Format(
        "int8",
        "weights and values up to 127, accumulated with biases in int32",
        {"partial sum": 2**31 - 1, "bias": 2**31 - 1, "value": 127, "weight": 127},
    ),
)
"""A binary float with p digits of precision holds every integer up to 2^p.  Of int8 the range
that is the same on both sides of 0 is used, as is usual: without -128."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A largest size: of which quantity, and in which family of neurons or input field."""

    quantity: str
    number: Number
    family: str

    def __str__(self) -> str:
        """The figure in words.

        >>> print(Figure("partial sum", 1006, "sum.one"))
        partial sum 1,006 of sum.one
        """
        number = f"{self.number:,}" if isinstance(self.number, int) else str(self.number)
        return f"{self.quantity} {number} of {self.family}"


@dataclass(frozen=True, slots=True)
class LayerExactness:
    """Whether a format computes a layer (from 1) exactly from exact values, and the figure that
    decides it: the one that is largest in proportion to the format's limit for it.

    A number that is not an integer decides before all others, and has no limit.
    """

    layer: int
    exact: bool
    figure: Figure
    limit: int | None

    def __str__(self) -> str:
        """The decision in words.

        >>> figure = Figure("partial sum", 1006, "sum.one")
        >>> print(LayerExactness(9, True, figure, 2048))
        layer 9: partial sum 1,006 of sum.one, at most 2,048 is held
        """
        held = "only integers are" if self.limit is None else f"at most {self.limit:,} is"
        return f"layer {self.layer}: {self.figure}, {held} held"


@dataclass(frozen=True, slots=True)
class Exactness:
    """Whether a format computes a network exactly, layer by layer."""

    format: Format
    layers: tuple[LayerExactness, ...]

    @property
    def exact(self) -> bool:
        """Whether it computes every layer exactly."""
        return all(layer.exact for layer in self.layers)

    @property
    def decisive(self) -> LayerExactness:
        """The layer whose figure is largest in proportion to its limit; the first of several."""
        return max(self.layers, key=_proportion)


def exactness(network: Network, formats: Iterable[Format] = FORMATS) -> tuple[Exactness, ...]:
    """For each format, whether it computes the network exactly, by the theorem of this module.

    Raises KeyError for a network whose parameters are not settled, IndexError if a term reads
    outside its field.
    """
    figures = list(_figures(network))
    return tuple(
        Exactness(
            form,
            tuple(_decide(form, depth + 1, each) for depth, each in enumerate(figures)),
        )
        for form in formats
    )


def exact_formats_by_width(
    widths: Iterable[int] = range(MIN_BITS, MAX_BITS + 1), words: int = MAX_WORDS
) -> dict[int, tuple[str, ...]]:
    """For each width in bits, the formats that compute the machine exactly.

    At that many words, or at the most that a width can address; a machine with fewer words has no
    larger figures.
    """
    found = {}
    for bits in widths:
        network = paper(Shape(bits, min(words, 2**bits)))
        found[bits] = tuple(each.format.name for each in exactness(network) if each.exact)
    return found


def _decide(form: Format, layer: int, figures: Sequence[Figure]) -> LayerExactness:
    settled = []
    for figure in figures:
        limit = form.limits.get(figure.quantity)
        exact = limit is not None and figure.number <= limit
        settled.append(LayerExactness(layer, exact, figure, limit))
    return max(settled, key=_proportion)


def _proportion(decided: LayerExactness) -> tuple[bool, Fraction]:
    """What has no limit comes first; then the figures by their part of the limit."""
    if decided.limit is None:
        return True, Fraction(0)
    return False, Fraction(decided.figure.number) / decided.limit


def _figures(network: Network) -> Iterator[list[Figure]]:
    """The largest figure of each quantity in every layer, in the order of QUANTITIES; the values
    are those that the layer reads and those that it gives.

    The first number that is not an integer is a figure of its layer and of all after it: the
    values that they read may not be integers.
    """
    fraction: list[Figure] = []
    for depth, layer in enumerate(network.layers):
        sources = network.sources(depth)
        found = [_value(source) for source in sources]
        for family in layer.neurons:
            found += _family_figures(sources, family)
        fraction = fraction or [each for each in found if each.quantity == FRACTION][:1]
        largest = [
            max(alike, key=lambda each: each.number)
            for quantity in QUANTITIES
            if (alike := [each for each in found if each.quantity == quantity])
        ]
        yield largest + fraction


def _family_figures(sources: Sequence[Field | Neurons], family: Neurons) -> Iterator[Figure]:
    found = measure_family(sources, family)
    yield Figure("partial sum", found.largest_partial_sum, family.name)
    yield Figure("bias", found.largest_bias, family.name)
    yield Figure("weight", found.largest_weight, family.name)
    yield _value(family)
    for term in family.row.terms:
        for fraction in _fractions(term.coefficient):
            yield Figure(FRACTION, fraction, family.name)


def _value(source: Field | Neurons) -> Figure:
    """The largest value that the field or family can take, over all its index points."""
    used = source.largest.variables()
    axes = [index for index in source.indices if index.name in used]
    numbers = (
        source.largest.evaluate(dict(zip([axis.name for axis in axes], point, strict=True)))
        for point in points([axis.size for axis in axes])
    )
    # A family without neurons takes no value.
    largest = max(numbers, default=0) if prod(source.shape) else 0
    return Figure("value", largest, source.name)


def _fractions(coefficient: Expr) -> Iterator[Fraction]:
    """The constants in a coefficient that are not integers.

    Where there are none, its values are integers: sums, products, floors, remainders, bits and
    powers of two of integers are.  (Thirds that add up to 1 are taken for fractions.)
    """
    if coefficient.op == "const":
        if Fraction(coefficient.args[0]).denominator != 1:
            yield Fraction(coefficient.args[0])
    elif coefficient.op != "var":
        for arg in coefficient.args:
            yield from _fractions(arg)
