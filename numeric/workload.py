"""A program to measure speeds with."""

from __future__ import annotations

import random

from verified_mlp.machine.shape import Shape


def workload(shape: Shape) -> list[int]:
    """The words of a program that fills the memory: subtractions of words at random places of all
    of it from one another, for ever.

    >>> len(workload(Shape(16, 256)))
    256
    """
    rng = random.Random(1)
    count = min((shape.words - 4) // 6, (shape.modulus // 2 - 4) // 3, 4000)
    first = 3 * count + 4
    words = []
    for at in range(count):
        words += [rng.randrange(first, shape.addresses), rng.randrange(first, shape.addresses)]
        words += [3 * at + 3]
    words += [3 * count + 3, 3 * count + 3, 0, 0]
    return words + [rng.randrange(shape.modulus) for _ in range(shape.words - len(words))]
