"""Rows followed back to the vector: what the solver proves of them is so, and the facts are."""

import numpy as np
import pytest
from hypothesis import given
from proof_samples import answer
from sample_states import random_states
from test_sabotage_machine import ONES, small_networks, stated

from numeric.linear_codec import codec_of
from proofs.domain_cone import facts_of, same_in_the_domain
from proofs.domain_search import same_layer
from proofs.smtlib import text_of
from verified_mlp.constructions.registry import construction
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.evaluate import column_names


def ask(text):
    return answer(text)[0]


@given(small_networks())
def test_what_the_solver_says_of_all_layers_is_so(networks):
    before, after, same = stated(networks)
    assert same or not same_in_the_domain(before, after, ONES, lambda entries: [], ask)


@given(small_networks())
def test_what_the_solver_says_of_two_layers_is_so(networks):
    before, after, same = stated(networks)
    assert same or not same_layer(before, after, ONES, ask)


def test_what_is_known_of_the_domain_decides():
    """That two inputs are not both 1: then their AND is 0, and with what weight it is read is all
    the same.
    """
    layers = [np.array([[1, 1, 0, -1], [0, 0, 1, 0]]), np.array([[1, 1, 0]]), np.array([[1, 0]])]
    other = [layers[0], np.array([[2, 1, 0]]), layers[2]]
    before, after, same = stated((layers, other))
    assert not same

    def at_most_one(entries):
        return [entries[0] + entries[1] <= 1]

    assert same_in_the_domain(before, after, ONES, at_most_one, ask)
    assert not same_in_the_domain(before, after, ONES, lambda entries: [], ask)


@pytest.mark.parametrize("name", ["paper", "compact", "prefetch"])
def test_the_facts_hold_of_the_vectors_of_states(name):
    shape, how = Shape(4, 9), construction(name)
    network, codec = how.network(shape), codec_of(shape, how)
    facts = facts_of(shape, how, network)
    assert bool(facts(dict(enumerate(map(int, codec.encode(random_states(shape, 3, 1)[0])))))) == (
        name != "paper"
    )
    for state in random_states(shape, 3, 40):
        entries = dict(enumerate(map(int, codec.encode(state))))
        assert ask(text_of(facts(entries))).status == "sat"
        for entry in ("run_passed", "jump_to[0]", "set[0, 0]") if how.sums else ():
            if entry in (names := column_names(network.inputs)):
                wrong = {**entries, names.index(entry): 2}
                assert ask(text_of(facts(wrong))).status == "unsat"
