"""Sabotage of the placed statement: what is changed, and that the proof alone decides rightly."""

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import answer

from proofs import bounded_values, sabotage_machine
from proofs.machine_passes import _random_states, _stepped, _vectors, failing_state
from proofs.matrices import Matrix, matrices
from proofs.results import Answer, Fate
from proofs.sabotage_machine import Judge, Memory, chosen
from proofs.unchanged import unchanged
from proofs.verify import Options
from verified_mlp.constructions.paper import paper
from verified_mlp.constructions.registry import construction
from verified_mlp.gadgets.adder import increment
from verified_mlp.machine.shape import Shape
from verified_mlp.machine.step import ArrayMemory, Before, step
from verified_mlp.statement.evaluate import evaluate
from verified_mlp.statement.mutate_network import READ_OUT, Kind, network_changes

SCRIPT = Path(sys.executable).with_name("verify-all")
SHAPE = Shape(4, 4)
NETWORK = paper(SHAPE)


@cache
def changes():
    return {str(each): each for each in network_changes(NETWORK)}


@cache
def judge():
    return Judge(SHAPE, answer)


@cache
def unchanged_matrices():
    return matrices(NETWORK)


def changed_entries(change):
    """(layer, row, column or None for the bias, by how much) of all entries that are changed."""
    found = []
    after = matrices(change.apply())
    for layer, (was, now) in enumerate(zip(unchanged_matrices(), after, strict=True), 1):
        delta = scipy.sparse.coo_array(now.weights - was.weights)
        columns = column_names(layer)
        for row, column, number in zip(*delta.coords, delta.data, strict=True):
            if number:
                found.append((layer, was.names[row], columns[column], int(number)))
        for row in np.flatnonzero(now.bias != was.bias):
            found.append((layer, was.names[row], None, int(now.bias[row] - was.bias[row])))
    return sorted(found, key=str)


def column_names(layer):
    if layer > 1:
        return unchanged_matrices()[layer - 2].names
    fields = NETWORK.inputs
    return [
        f"{field.name}{list(point) if point else ''}"
        for field in fields
        for point in np.ndindex(field.shape)
    ]


NO_ROW = "a parameter changed by one: proved: no row is another and no range is narrower"
VALUES = "proved by trying all values on which the rows depend"
WITHOUT = "a row dropped: proved by trying every input of the gadget without it"
PLUS_ONE = "next: its neurons are not those of increment(bits=4, constant=1)"


@pytest.mark.parametrize(
    ("change", "fate", "reason"),
    [
        (
            "layer 3, match(bits=4) at_a[i], input p[k0], coefficient of a[k0], -1 at every index",
            Fate.REFUTED,
            "a has one row, step: the goal does not follow",
        ),
        (
            "layer 12, write_or_keep mem[i, j], input m, coefficient of mem[i, j], "
            "-1 at i = 0, j = 0",
            Fate.REFUTED,
            "memory bit: the goal does not follow",
        ),
        (
            "layer 1, match(bits=4) here[i], input p[k0], coefficient of pc[k0], "
            "+1 at i = 0, k0 = 0",
            Fate.HARMLESS,
            f"a coefficient changed by one: {VALUES}",
        ),
        (
            "layer 1, match(bits=4) here[i], input on, bias, +1 at i = 0",
            Fate.REFUTED,
            "wires of layer 1: the goal does not follow",
        ),
        (
            "layer 3, match(bits=4) at_a[i], input p[k0], c[k0] read in place of a[k0]",
            Fate.REFUTED,
            "a has one row, step: the goal does not follow",
        ),
        (
            "layer 20, carry next[j], input x, next.plus.bits.two.reached[j] read in place of "
            "next.plus.bits.three.passed[j]",
            Fate.HARMLESS,
            f"a wire moved to another field: {VALUES}",
        ),
        (
            "layer 23, carry mem[mem0, mem1], row mem[0, 0] dropped",
            Fate.REFUTED,
            "memory after, step: the goal does not follow",
        ),
        (
            "layer 14, increment(bits=4, constant=1) next, row next.plus.blocks.prefix[0] dropped",
            Fate.REFUTED,
            f"the statement is refused: {PLUS_ONE}",
        ),
        (
            "layer 14, increment(bits=4, constant=1) next, row next.plus.blocks.propagate.passed[0]"
            " dropped",
            Fate.HARMLESS,
            WITHOUT,
        ),
        (
            "layer 1, match(bits=4) here[i], parameter i = i, +1 at i = 0",
            Fate.REFUTED,
            "wires of layer 2: the goal does not follow",
        ),
        (
            "layer 23, carry fault, parameter top = 1, -1",
            Fate.REFUTED,
            "wires of layer 23: the goal does not follow",
        ),
        ("layer 23, carry fault, parameter top = 1, +1", Fate.HARMLESS, NO_ROW),
        (
            "layer 23, read-out of pc[axis0], bias, -1 at axis0 = 0",
            Fate.REFUTED,
            "pc bit: the goal does not follow",
        ),
    ],
)
def test_what_becomes_of_a_change(change, fate, reason):
    mutant = judge().of(changes()[change])
    assert (str(mutant), mutant.fate, mutant.reason) == (change, fate, reason)
    assert (mutant.failure is not None) == (fate is Fate.REFUTED)


def test_the_state_that_refutes_a_change_at_one_address():
    mutant = judge().of(changes()["layer 23, carry mem[mem0, mem1], row mem[0, 0] dropped"])
    failure = mutant.failure
    assert (failure.expected, failure.got) == ({"mem[0, 0]": "1"}, {"mem[0, 0]": "0"})
    # The step on Python's integers says so, too.
    numbers = {name: int(text) for name, text in failure.state.items() if name != "mem"}
    memory = np.array([json.loads(failure.state["mem"])])
    given = [np.array([numbers[name]]) for name in ("pc", "fault", "input", "ready")]
    after = step(SHAPE, Before(ArrayMemory(memory), *given))
    assert after.mem.words[0, 0] % 2 == 1


def test_a_range_that_is_too_narrow_is_shown_by_a_neuron():
    mutant = judge().of(changes()["layer 23, carry fault, parameter top = 1, -1"])
    failure = mutant.failure
    assert failure.expected == {"layer 23, fault": "at most 0"}
    assert failure.got == {"layer 23, fault": "1"}


@pytest.mark.parametrize(
    ("change", "entries"),
    [
        (
            "layer 12, write_or_keep mem[i, j], input m, coefficient of mem[i, j], "
            "-1 at i = 0, j = 0",
            [(12, "mem.keep[0, 0]", "mem[0, 0]", -1)],
        ),
        (
            "layer 12, write_or_keep mem[i, j], input h, bias, +1 at i = 0, j = 0",
            [(12, "mem.keep[0, 0]", None, -1), (12, "mem.set[0, 0]", None, 1)],
        ),
        (
            "layer 4, and(inputs=2) valid, input x, coefficient of at_a[i], +1 at i = 0",
            [(4, "valid", "at_a[0]", 1)],
        ),
        (
            "layer 4, and(inputs=2) valid, input x, coefficient of at_a[i], -1 at every index",
            [(4, "valid", f"at_a[{i}]", -1) for i in range(4)],
        ),
        (
            "layer 5, nor(inputs=6) stuck, input z, valid read in place of subtracts",
            [(5, "stuck", "subtracts", 1), (5, "stuck", "valid", -1)],
        ),
        (
            "layer 1, match(bits=4) here[i], parameter i = i, +1 at i = 0",
            [(1, "here[0]", None, -1), (1, "here[0]", "pc[0]", 2)],
        ),
        (
            "layer 22, carry wanted, row wanted dropped",
            [(23, "wanted", "wanted", -1)],
        ),
    ],
)
def test_which_entries_are_changed(change, entries):
    assert changed_entries(changes()[change]) == sorted(entries, key=str)


def test_every_wire_row_parameter_and_read_out_is_changed():
    found = changes().values()
    assert len(changes()) == len(list(network_changes(NETWORK)))
    counts = Counter(each.kind for each in found)
    assert set(counts) == set(Kind)
    for depth, layer in enumerate(NETWORK.layers, 1):
        here = [each for each in found if each.layer == depth and each.gadget != READ_OUT]
        for placed in layer.placed:
            heading = f"{placed.gadget.title} {placed.name}"
            mine = [each.place for each in here if each.place.startswith(heading)]
            for family in placed.neurons:
                assert any(f", row {family.name}" in each for each in mine), family.name
            if placed.part:
                continue
            for name in placed.wires:
                wanted = f", input {name}"
                assert sum(wanted in each and ", bias, " in each for each in mine) >= 2
            for name in placed.parameters:
                assert sum(f", parameter {name} = " in each for each in mine) >= 2
    for output in NETWORK.outputs:
        mine = [each.kind for each in found if each.place.startswith(f"read-out of {output.name}")]
        assert {Kind.COEFFICIENT, Kind.BIAS} <= set(mine)


def test_a_wire_moves_to_every_other_field_of_its_shape():
    heads = "layer 5, nor(inputs=6) stuck, input v, "
    moved = {each.removeprefix(heads) for each in changes() if each.startswith(heads)}
    scalars = {each.name for each in NETWORK.sources(4) if each.shape == ()} - {"takes"}
    assert {f"{name} read in place of takes" for name in scalars} <= moved
    assert len([each for each in moved if "in place of" in each]) == len(scalars)


def test_no_change_reads_outside_a_field():
    """With a word for every address, the last row of memory has no place among the addresses."""
    found = [each for each in network_changes(paper(Shape(4, 16))) if "input h" in each.place]
    assert len(found) == 8 + sum(each.kind is Kind.WIRE for each in found)
    for each in found:
        assert matrices(each.apply())


def test_dropping_an_inner_row_drops_it_in_the_gadget_too():
    name = "next.plus.blocks.propagate.passed[0] dropped"
    change = changes()[f"layer 14, increment(bits=4, constant=1) next, row {name}"]
    gadget = change.inside()
    assert gadget.title == "increment(bits=4, constant=1)"
    assert gadget.spec == increment(bits=4, constant=1).spec
    dropped, others = set(), set()
    for number in range(16):
        _, trace = evaluate(gadget.network, {"x": [number >> k & 1 for k in range(4)]})
        dropped.add(trace[0]["plus.blocks.propagate.passed"][0])
        others.add(trace[0]["plus.blocks.propagate.reached"][0])
    assert (dropped, max(others)) == ({0}, 2)


# A prover and a solver at fault.


def test_a_prover_that_proves_anything_is_found_out(monkeypatch):
    monkeypatch.setattr(sabotage_machine, "unproved", lambda *_: "")
    change = changes()["layer 23, read-out of pc[axis0], bias, -1 at axis0 = 0"]
    mutant = judge().of(change)
    assert (mutant.fate, mutant.reason) == (Fate.MISSED, "it was proved")
    assert mutant.failure.expected == {"pc[0]": "1"}


def test_a_solver_that_gives_up_proves_nothing_harmless():
    poor = Judge(SHAPE, lambda text: (Answer("unknown", 0, 0, {}), False), Memory())
    for change in ("carry fault, parameter top = 1, +1", "read-out of fault, bias, +1"):
        mutant = poor.of(changes()[f"layer 23, {change}"])
        expected = Fate.UNKNOWN if "top" in change else Fate.REFUTED
        assert mutant.fate is expected
        assert mutant.reason.endswith("the solver gave up within its budget")


def test_the_network_itself_fails_on_none_of_the_states():
    kinds = Counter()
    for states in _random_states(SHAPE):
        memory, *others = (states[name] for name in ("mem", "pc", "fault", "input", "ready"))
        kinds.update(step(SHAPE, Before(ArrayMemory(memory), *others)).kind.tolist())
        assert set(np.unique(_vectors(SHAPE, states))) == {0, 1}
        assert _stepped(SHAPE, construction("paper"), states).shape == _vectors(SHAPE, states).shape
    assert min(kinds[kind] for kind in range(6)) > 1000
    assert failing_state(SHAPE, unchanged_matrices()) is None


def test_words_that_are_too_wide_are_refused():
    with pytest.raises(ValueError, match=r"^bits = 33 is too many to try states of a changed net"):
        failing_state(Shape(33, 4), [])


# Whether a change is proved to change nothing.


@st.composite
def small_networks(draw):
    """Three layers of two or three rows over three bits, at times with two equal ones, and the same
    with one entry changed.
    """
    widths = [3, *draw(st.lists(st.integers(2, 3), min_size=3, max_size=3))]
    numbers = st.integers(-2, 2)
    layers = []
    for before, width in pairwise(widths):
        rows = draw(st.lists(st.lists(numbers, min_size=before + 1, max_size=before + 1),
                             min_size=width, max_size=width))  # fmt: skip
        if draw(st.booleans()):
            rows[1] = rows[0]
        layers.append(np.array(rows))
    depth = draw(st.integers(0, 2))
    row = draw(st.integers(0, widths[depth + 1] - 1))
    column = draw(st.integers(0, widths[depth]))
    changed = [each.copy() for each in layers]
    changed[depth][row, column] += draw(st.sampled_from([-1, 1]))
    return layers, changed


def passes(layers):
    """The values of all layers on every input; the last has no ReLU."""
    values = np.array(list(np.ndindex(2, 2, 2))).T
    found = []
    for order, layer in enumerate(layers):
        values = layer[:, :-1] @ values + layer[:, -1:]
        if order + 1 < len(layers):
            values = np.maximum(values, 0)
        found.append(values)
    return found


def stated(networks):
    """(the matrices before, those after the change, whether no output is another and no range is
    left); a layer that is the same is the same object.
    """
    layers, changed = networks
    values, others = passes(layers), passes(changed)
    largest = [each.max(axis=1) for each in values]

    def matrix(depth, layer):
        names = [f"{depth} {row}" for row in range(len(layer))]
        return Matrix(scipy.sparse.csr_array(layer[:, :-1]), layer[:, -1], largest[depth], names)

    before = [matrix(depth, layer) for depth, layer in enumerate(layers)]
    after = [
        matrix(depth, layer) if np.any(layer != layers[depth]) else before[depth]
        for depth, layer in enumerate(changed)
    ]
    within = all(
        (each.max(axis=1) <= high).all() for each, high in zip(others[:-1], largest, strict=False)
    )
    return before, after, bool(np.array_equal(values[-1], others[-1]) and within)


ONES = np.ones(3, dtype=np.int64)


@given(small_networks())
def test_what_is_proved_to_change_nothing_changes_nothing(networks):
    before, after, same = stated(networks)
    # From the first layer on every input is tried, so what holds is found out, too.
    assert unchanged(before, after, ONES) == same


def test_of_equal_rows_it_does_not_matter_which_is_read():
    """No value is tried, and a weight is moved from a row to its twin, or to a row that is none."""
    layers = [np.array(rows) for rows in (
        [[1, 0, 1, 0], [1, 0, 1, 0], [1, 0, 1, 1]], [[2, 0, 0, 0]], [[1, 0]]
    )]  # fmt: skip
    for column, same in ((1, True), (2, False)):
        moved = np.zeros((1, 4), dtype=np.int64)
        moved[0, column] = 2
        before, after, really = stated((layers, [layers[0], moved, layers[2]]))
        assert really == same
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("proofs.unchanged.MOST_VALUES", 0)
            patch.setattr("proofs.unchanged.FEW_VALUES", 0)
            patch.setattr(bounded_values, "MOST_VALUES", 0)
            assert unchanged(before, after, ONES) == same


@given(small_networks())
def test_judging_changes_no_matrix(networks):
    before, after, _ = stated(networks)
    kept = [(each.weights.toarray(), each.bias.copy()) for each in (*before, *after)]
    unchanged(before, after, ONES)
    for each, (weights, bias) in zip((*before, *after), kept, strict=True):
        assert np.array_equal(each.weights.toarray(), weights)
        assert np.array_equal(each.bias, bias)


@given(small_networks(), st.sampled_from([1, 2, 4]))
def test_bounds_prove_only_what_is_so(networks, most):
    before, after, same = stated(networks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded_values, "MOST_VALUES", most)
        proved = bounded_values.unchanged_within_bounds(before, after, ONES)
    assert same or not proved


def test_bounds_prove_a_change_behind_a_closed_gate():
    """Of pc + 1 only what is chosen matters; where an instruction can stand nothing is carried."""
    name = "next.plus.blocks.generate.reached[0] dropped"
    change = changes()[f"layer 14, increment(bits=4, constant=1) next, row {name}"]
    before = unchanged_matrices()
    after = matrices(change.apply(), (NETWORK, before))
    inputs = np.ones(before[0].weights.shape[1], dtype=np.int64)
    assert bounded_values.unchanged_within_bounds(before, after, inputs)
    assert failing_state(SHAPE, after) is None


# The run and the command.


@pytest.mark.parametrize("jobs", [1, 2])
def test_as_many_are_judged_as_are_chosen_whatever_the_jobs(jobs):
    found = list(sabotage_machine.run(SHAPE, ["all_ones"], Options(cache=False, jobs=jobs)))
    assert sorted(map(str, found)) == sorted(map(str, chosen(SHAPE, ["all_ones"])))
    assert {each.fate for each in found} == {Fate.REFUTED}
    assert {each.gadget for each in found} == {"all_ones(bits=4)"}


def test_a_name_that_is_none_is_an_error():
    with pytest.raises(LookupError) as failure:
        chosen(SHAPE, ["all_one"])
    assert failure.value.args[0].startswith(
        "no gadget of the network is called 'all_one'; did you mean 'all_ones'? They are: "
        "all_ones(bits=4), and(inputs=2), "
    )


def typed(tmp_path, *arguments):
    return subprocess.run(
        [SCRIPT, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=600,
        env={"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin"},
    )


def test_the_command_prints_two_scores(tmp_path):
    shape = ("--bits", "4", "--words", "4", "--jobs", "1")
    done = typed(
        tmp_path, "--sabotage", "--machine", *shape, "--only", "all_ones", "--json", "out.json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[2] == (
        "the statement, by the proof       changes  refuted harmless  unknown   missed"
    )
    assert lines[8] == (
        "all                                    26       26        0        0        0"
    )
    assert lines[10] == "the arrays, by the tie-check      changes   caught   missed"
    assert lines[20] == "all                                    18       18        0"
    assert lines[22:24] == [
        "statement: 26 changes: 26 refuted, 0 proved harmless, 0 unknown, 0 missed, "
        "0 not attempted",
        "arrays: 18 changes: 18 caught, 0 missed",
    ]
    assert lines[-1] == (
        "CAUGHT: each of 26 changes where the selected gadgets stand in the placed statement at "
        "4 bits x 4 words is refuted with a state or proved harmless, and the tie-check finds each "
        "of 18 changes of the arrays."
    )
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["schema"] == {"name": "verify-all/machine-mutants", "version": 1}
    assert document["complete"] is True
    assert len(document["statement"]) == document["counts"]["statement"] == 26
    assert len(document["arrays"]) == document["counts"]["arrays"] == 18
    assert all(each["failure"]["expected"] for each in document["statement"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--machine", "--machine is about what is changed: give it with --sabotage."),
        (
            "--sabotage --machine --module mine",
            "--machine is about the network: give it without --module.",
        ),
        (
            "--sabotage --machine",
            "--sabotage --machine changes every row of the network, and tries states of each: "
            "16 bits x 256 words is too large. Choose at most 32 bits a word and 1024 bits of "
            "memory; all is decided with --bits 4 --words 4.",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path, arguments, sentence):
    done = typed(tmp_path, *arguments.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"verify-all: {sentence}\n")


@pytest.mark.slow
def test_every_change_of_the_statement_is_decided():
    found = list(sabotage_machine.run(SHAPE, [], Options(jobs=2)))
    assert sorted(map(str, found)) == sorted(changes())
    open_ones = [str(each) for each in found if each.fate in (Fate.UNKNOWN, Fate.MISSED)]
    assert open_ones == []
    fates = Counter(each.fate for each in found)
    assert fates[Fate.REFUTED] > 10 * fates[Fate.HARMLESS]
