"""What only the campaign does; the other slow tests stand beside their quick parts."""

import numpy as np
import pytest
from sample_states import random_states, stepped
from test_whole_network import SHAPES

from numeric.codec import Codec
from numeric.engines import EngineName, build
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape

STATES, AT_ONCE = 6_000, 250
FIRST_SEED = 1_000_000
"""Beyond the seeds of the quick tests."""


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_states_at_many_shapes(shape: Shape) -> None:
    engine, codec = build(paper(shape), EngineName.SPARSE), Codec(shape)
    for seed in range(FIRST_SEED, FIRST_SEED + STATES // AT_ONCE):
        states = random_states(shape, seed, AT_ONCE)
        before = np.stack([codec.encode(state) for state in states], axis=1)
        after = np.stack([codec.encode(stepped(shape, state)) for state in states], axis=1)
        wrong = np.any(engine.forward(before) != after, axis=0)
        assert np.flatnonzero(wrong).tolist() == [], f"seed {seed}"
