"""What is known of the neurons of a network over a box of inputs, in exact rationals.

A form over neurons has a linear bound in the inputs, found by substitution from the last neuron to
the first: over l <= z <= u with l < 0 < u, ReLU(z) lies below the line through (l, 0) and (u, u),
and above 0 and above z.  A neuron whose form keeps its sign is its form, or 0, and costs nothing;
where all do, the bound is the form itself.

Numeric bounds and slopes are rounded outward to few binary digits, so that numbers stay short; no
bound becomes narrower by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs.relu_property.network import ZERO, Form, ReluNetwork

Limit = Fraction | None
"""None: no limit."""

_DIGITS = 24
"""Binary digits after the point that bounds and slopes keep."""


@dataclass(frozen=True, slots=True)
class Interval:
    """low <= value <= high."""

    low: Limit = None
    high: Limit = None

    def meet(self, other: Interval) -> Interval:
        """What lies in both."""
        lows = [each for each in (self.low, other.low) if each is not None]
        highs = [each for each in (self.high, other.high) if each is not None]
        return Interval(max(lows, default=None), min(highs, default=None))

    @property
    def empty(self) -> bool:
        """Whether it has no value at all."""
        return self.low is not None and self.high is not None and self.low > self.high

    @property
    def active(self) -> bool:
        """No value is negative."""
        return self.low is not None and self.low >= 0

    @property
    def inactive(self) -> bool:
        """No value is positive."""
        return self.high is not None and self.high <= 0

    @property
    def unstable(self) -> bool:
        """Values of both signs are possible."""
        return not (self.active or self.inactive)


_SIGNS = {True: Interval(ZERO, None), False: Interval(None, ZERO)}


class Known:
    """Bounds on the inputs, and on the form of each neuron of a prefix of the network."""

    def __init__(
        self, network: ReluNetwork, box: Sequence[Interval], forms: Sequence[Interval] = ()
    ) -> None:
        self.network, self.box = network, tuple(box)
        self.forms: list[Interval] = list(forms)
        self.values: list[Interval] = [*self.box, *map(_rectified, self.forms)]

    def extend(self, before: Sequence[Interval] = ()) -> bool:
        """Find the bounds of all further neurons; `before` has bounds of all that hold already,
        without which linear bounds are sought too.

        False if no input agrees with what is known.
        """
        for at in range(len(self.forms), len(self.network.neurons)):
            form = self.network.neurons[at]
            found = self.interval(form)
            if before:
                found = found.meet(before[at])
            elif found.unstable:
                found = found.meet(
                    Interval(self._substituted(form), _minus(self._substituted(-form)))
                )
            if found.empty:
                return False
            self.forms.append(found)
            self.values.append(_rectified(found))
        return True

    def signed(self, at: int, active: bool) -> Known | None:
        """What is known if the form of a neuron is not negative, or else not positive; None if
        no input agrees with that.
        """
        here = self.forms[at].meet(_SIGNS[active])
        if here.empty:
            return None
        found = Known(self.network, self.box, [*self.forms[:at], here])
        return found if found.extend(self.forms) else None

    @property
    def unstable(self) -> list[int]:
        """The neurons whose form may have either sign."""
        return [at for at, each in enumerate(self.forms) if each.unstable]

    def interval(self, form: Form) -> Interval:
        """Bounds of a form, by interval arithmetic."""
        return Interval(self.least(form), _minus(self.least(-form)))

    def least(self, form: Form) -> Limit:
        """A number that the form is never below, by interval arithmetic."""
        total = form.constant
        for variable, coefficient in form.terms.items():
            interval = self.values[variable]
            end = interval.low if coefficient > 0 else interval.high
            if end is None:
                return None
            total += coefficient * end
        return _rounded(total, up=False)

    def below(self, form: Form) -> Form | None:
        """A form in the inputs that is nowhere above this one, and equals it if no neuron is
        unstable; None if none is found.
        """
        constant, terms = form.constant, dict(form.terms)
        inputs = self.network.inputs
        for variable in range(len(self.values) - 1, inputs - 1, -1):
            coefficient = terms.pop(variable, ZERO)
            place = self.forms[variable - inputs]
            if not coefficient or place.inactive:
                continue
            if place.unstable:
                low, high = place.low, place.high
                if coefficient > 0:
                    if low is None or high is None or high <= -low:
                        continue  # 0 is nearer to ReLU than the form is, or as good
                elif low is None or high is None:
                    return None
                else:
                    slope, start = line(low, high)
                    constant += coefficient * start
                    coefficient *= slope
            inner = self.network.neurons[variable - inputs]
            constant += coefficient * inner.constant
            for each, number in inner.terms.items():
                terms[each] = terms.get(each, ZERO) + coefficient * number
        return Form(constant, {each: number for each, number in terms.items() if number})

    def _substituted(self, form: Form) -> Limit:
        """A number that the form is never below, by linear bounds."""
        below = self.below(form)
        return None if below is None else self.least(below)


def line(low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """(slope, start) of a line that is nowhere below ReLU on low..high, where low < 0 < high.

    >>> line(Fraction(-1), Fraction(3))
    (Fraction(3, 4), Fraction(3, 4))
    """
    slope = _rounded(high / (high - low), up=True)
    return slope, max(-slope * low, high - slope * high)


def _rectified(form: Interval) -> Interval:
    high = None if form.high is None else max(form.high, ZERO)
    return Interval(max(form.low or ZERO, ZERO), high)


def _minus(limit: Limit) -> Limit:
    return None if limit is None else -limit


def _rounded(number: Fraction, up: bool) -> Fraction:
    """The nearest number of few binary digits that is not below (up) or not above."""
    scaled, divisor = number.numerator << _DIGITS, number.denominator
    whole = -(-scaled // divisor) if up else scaled // divisor
    return Fraction(whole, 1 << _DIGITS)
