"""A ReLU network as exact rational forms, whatever the graph was that it came from.

The variables are numbered: first the inputs, then one for every neuron, y = ReLU(form), whose form
reads variables before it.  Outputs are forms.  Sums, products with constants, skip connections and
reshaping are all in the forms, so nothing but ReLU is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Form:
    """constant + the sum of coefficient * variable; no coefficient is 0."""

    constant: Fraction = ZERO
    terms: Mapping[int, Fraction] = field(default_factory=dict)

    @classmethod
    def of(cls, constant: Fraction, terms: Iterable[tuple[int, Fraction]]) -> Form:
        """The form of these terms; those of one variable are added up.

        >>> Form.of(Fraction(1), [(0, Fraction(2)), (1, Fraction(3)), (0, Fraction(-2))])
        Form(constant=Fraction(1, 1), terms={1: Fraction(3, 1)})
        """
        found: dict[int, Fraction] = {}
        for variable, coefficient in terms:
            found[variable] = found.get(variable, ZERO) + coefficient
        return cls(constant, {each: number for each, number in found.items() if number})

    def __add__(self, other: Form) -> Form:
        terms = [*self.terms.items(), *other.terms.items()]
        return Form.of(self.constant + other.constant, terms)

    def __mul__(self, factor: Fraction) -> Form:
        if not factor:
            return Form()
        scaled = {each: factor * number for each, number in self.terms.items()}
        return Form(factor * self.constant, scaled)

    def __neg__(self) -> Form:
        return self * Fraction(-1)

    def __sub__(self, other: Form) -> Form:
        return self + -other

    def value(self, values: Sequence[Fraction]) -> Fraction:
        """The value, where each variable has the value at its place."""
        return sum((c * values[v] for v, c in self.terms.items()), self.constant)


def weighted(pairs: Iterable[tuple[Fraction, Form]], constant: Fraction = ZERO) -> Form:
    """The sum of factor * form, plus a constant."""
    terms: list[tuple[int, Fraction]] = []
    for factor, form in pairs:
        if factor:
            constant += factor * form.constant
            terms += [(each, factor * number) for each, number in form.terms.items()]
    return Form.of(constant, terms)


@dataclass(frozen=True, slots=True)
class ReluNetwork:
    """So many inputs, the forms of the neurons in order, the forms of the outputs."""

    inputs: int
    neurons: tuple[Form, ...]
    outputs: tuple[Form, ...]

    def values(self, point: Sequence[Fraction]) -> list[Fraction]:
        """The values of all variables at a point, exactly."""
        found = list(point)
        for form in self.neurons:
            found.append(max(form.value(found), ZERO))
        return found

    def evaluate(self, point: Sequence[Fraction]) -> list[Fraction]:
        """The outputs at a point, exactly.

        >>> x = Form.of(Fraction(-1), [(0, Fraction(2))])
        >>> ReluNetwork(1, (x,), (Form.of(ZERO, [(1, Fraction(5))]),)).evaluate([Fraction(1, 3)])
        [Fraction(0, 1)]
        """
        found = self.values(point)
        return [form.value(found) for form in self.outputs]
