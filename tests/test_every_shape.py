"""The machine theorem at every width and for every number of words: a few families, or all."""

import pytest

from proofs import kernel, prover
from proofs.verify import Options, gadgets, solver
from verified_mlp.machine.shape import MAX_BITS, MAX_WORDS, MIN_BITS, MIN_WORDS, Memories, Region


def families():
    """All families of shapes."""
    for bits in range(MIN_BITS, MAX_BITS + 1):
        for region in Region:
            try:
                yield Memories(bits, region)
            except ValueError:
                continue


def test_every_shape_is_in_one_family():
    for bits in range(MIN_BITS, MAX_BITS + 1):
        ranges = sorted((each.low, each.high) for each in families() if each.bits == bits)
        lows, highs = zip(*ranges, strict=True)
        assert lows[0] == MIN_WORDS
        assert highs[-1] == min(MAX_WORDS, 2**bits)
        assert [high + 1 for high in highs[:-1]] == list(lows[1:])


def contract_of(gadget, answer):
    """What `prove` concludes."""
    attempt = prover.prove(gadget, answer)
    while True:
        try:
            next(attempt)
        except StopIteration as end:
            return end.value


SOME = [Memories(4, Region.FULL), Memories(5, Region.LARGE), Memories(63, Region.SMALL)]


@pytest.mark.parametrize(
    "family",
    [
        *SOME,
        *(pytest.param(each, marks=pytest.mark.slow) for each in families() if each not in SOME),
    ],
    ids=str,
)
def test_the_theorem_holds(family):
    """By contracts of all gadgets, of which none rests on what is not proved."""
    answer, close = solver(Options(cache=False))
    contracts = [contract_of(gadget, answer) for gadget in gadgets(family)]
    close()
    assert None not in contracts
    assert kernel.composition(contracts[-1].gadget, contracts).rests_on == frozenset()
