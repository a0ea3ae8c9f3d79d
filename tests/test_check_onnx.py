"""Small ReLU networks from ONNX with VNN-LIB properties, decided exactly."""

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from numeric.verifiers.guessing import guess
from numeric.verifiers.onnx_network import NetworkError, read_network
from proofs.relu_property.bounds import Interval, Known
from proofs.relu_property.decide import (
    Atom,
    Budget,
    Condition,
    Counterexample,
    Guess,
    Proved,
    Unknown,
    decide,
    fulfils,
    refutes,
)
from proofs.relu_property.network import ZERO, Form, ReluNetwork
from proofs.relu_property.vnnlib import VnnLibError, read

COMMAND = str(Path(sys.executable).parent / "verified-mlp")
ONE = Fraction(1)
DECLARED = "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n"


def write(path: Path, nodes: Sequence[Any], constants: dict[str, Any], shape: Any = (1, 1)) -> Path:
    """A model from X to Y in float64."""
    held = [numpy_helper.from_array(np.array(each), name) for name, each in constants.items()]
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, shape)],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, ["rows", "columns"])],
        held,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def node(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
    return helper.make_node(operator, inputs, [output], name=f"{output}-node", **attributes)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def relu(shift: float = 0.0) -> Path:
    """Y = ReLU(X + shift)."""
    nodes = [node("Add", ["X", "b"], "s"), node("Relu", ["s"], "Y")]
    return write(Path("n.onnx"), nodes, {"b": [shift]})


def check(text: str, *options: str) -> tuple[int, str, str]:
    Path("p.vnnlib").write_text(text)
    done = subprocess.run(
        [COMMAND, "check-onnx", "n.onnx", "p.vnnlib", *options],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_proved_as_typed() -> None:
    relu()
    code, out, err = check(f"{DECLARED}(assert (<= -1 X_0))(assert (<= Y_0 -0.000000001))")
    assert (code, err) == (0, "")
    assert out == (
        "PROVED: no input of n.onnx fulfils p.vnnlib (unsat).\n  1 inputs, 1 ReLUs, 1 cases.\n"
    )


def test_a_counterexample_only_at_one_rational_point_as_typed() -> None:
    relu()
    code, out, err = check(f"{DECLARED}(assert (= (* 3 Y_0) 1))(assert (<= X_0 1))")
    assert (code, err) == (1, "")
    assert out == (
        "REFUTED: an input of n.onnx fulfils p.vnnlib (sat).\n"
        "  X_0 = 1/3 (about 0.333333)\n"
        "  Y_0 = 1/3 (about 0.333333)\n"
        "  Exact evaluation of the network confirms it.\n"
        "  1 inputs, 1 ReLUs, 2 cases.\n"
    )


def test_unknown_as_typed() -> None:
    nodes = [
        node("MatMul", ["X", "W"], "s"),
        node("Relu", ["s"], "r"),
        node("MatMul", ["r", "V"], "Y"),
    ]
    write(Path("n.onnx"), nodes, {"W": [[1.0, -1.0]], "V": [[1.0], [1.0]]})
    text = f"{DECLARED}(assert (or (>= X_0 0.5) (<= X_0 -0.5)))(assert (<= Y_0 0.3))"
    assert check(text)[0] == 0
    code, out, err = check(text, "--cases", "1")
    assert (code, err) == (3, "")
    assert out == (
        "UNKNOWN: the 1 cases of the budget are used up. This says nothing about n.onnx.\n"
        "  1 inputs, 2 ReLUs, 1 cases.\n"
    )


def test_equality_strictness_and_tolerance() -> None:
    """|X| over -1..1 reaches 1 and not more; 1e-9 makes the difference."""
    abs_x = ReluNetwork(
        1, (Form(ZERO, {0: ONE}), Form(ZERO, {0: -ONE})), (Form(ZERO, {1: ONE, 2: ONE}),)
    )
    box = "(assert (<= -1 X_0))(assert (<= X_0 1))"
    for claim, kind in (
        ("(>= Y_0 1)", Counterexample),
        ("(> Y_0 1)", Proved),
        ("(>= Y_0 1.000000001)", Proved),
        ("(> Y_0 0.999999999)", Counterexample),
        ("(<= Y_0 0)", Counterexample),
        ("(< Y_0 0)", Proved),
        ("(<= Y_0 -1e-9)", Proved),
        ("(and (= Y_0 0.1) (< X_0 0))", Counterexample),
    ):
        condition = read(f"{DECLARED}{box}(assert {claim})").condition
        for oracle in (None, guess):
            found = decide(abs_x, condition, oracle=oracle)
            assert type(found) is kind, claim
            if isinstance(found, Counterexample):
                assert fulfils(abs_x, condition, found.inputs)


def test_large_weights_where_a_tolerance_is_wrong() -> None:
    """2^40 (ReLU(X + 1) - ReLU(X) + ReLU(-X)) - 2^40 is 0 on -1..1."""
    big = Fraction(2**40)
    inner = Form(ZERO, {1: ONE, 2: -ONE, 3: ONE})
    network = ReluNetwork(
        1,
        (Form(ONE, {0: ONE}), Form(ZERO, {0: ONE}), Form(ZERO, {0: -ONE}), inner),
        (Form(-big, {4: big}),),
    )
    box = f"{DECLARED}(assert (<= -1 X_0))(assert (<= X_0 1))"
    for claim in ("(>= Y_0 0.5)", "(> Y_0 0)", "(< Y_0 0)"):
        assert isinstance(
            decide(network, read(f"{box}(assert {claim})").condition, oracle=guess), Proved
        )
    assert isinstance(decide(network, read(f"{box}(assert (>= Y_0 0))").condition), Counterexample)


def test_inputs_without_bounds() -> None:
    network = ReluNetwork(1, (Form(ZERO, {0: ONE}),), (Form(ZERO, {1: ONE, 0: -ONE}),))
    for oracle in (None, guess):
        negative = read(f"{DECLARED}(assert (< Y_0 0))").condition
        assert isinstance(decide(network, negative, oracle=oracle), Proved)
        far = read(f"{DECLARED}(assert (>= Y_0 1000000))").condition
        found = decide(network, far, oracle=oracle)
        assert isinstance(found, Counterexample)
        assert found.inputs[0] <= -1000000


SMALL = st.integers(-4, 4).map(lambda n: Fraction(n, 2))


@st.composite
def problems(draw: Any) -> tuple[ReluNetwork, Condition]:
    """A network of 1 or 2 inputs and two small layers, and an output's bound, over a box."""
    inputs, first, second = (draw(st.integers(1, 2)), *draw(st.tuples(*[st.integers(1, 3)] * 2)))
    neurons: list[Form] = []
    read_from = range(inputs)
    for size in (first, second):
        made = [
            Form.of(draw(SMALL), [(each, draw(SMALL)) for each in read_from]) for _ in range(size)
        ]
        read_from = range(inputs + len(neurons), inputs + len(neurons) + size)
        neurons += made
    output = Form.of(draw(SMALL), [(each, draw(SMALL)) for each in read_from])
    network = ReluNetwork(inputs, tuple(neurons), (output,))
    box = [
        Atom(Form(Fraction(-1), {at: Fraction(sign)})) for at in range(inputs) for sign in (1, -1)
    ]
    reached = max(
        network.evaluate([Fraction(each) for each in point])[0]
        for point in product((-1, 0, 1), repeat=inputs)
    )
    bound = reached + draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1, 10**9)]))
    atom = Atom(Form(bound, {inputs: -ONE}), strict=draw(st.booleans()))
    return network, ((*box, atom),)


def by_phases(network: ReluNetwork, condition: Condition) -> bool:
    """Whether some input fulfils the condition, by trying every combination of signs."""

    def total(form: Form, variables: Sequence[Any]) -> Any:
        return z3.Sum(
            z3.RealVal(str(form.constant)),
            *(z3.RealVal(str(c)) * variables[v] for v, c in form.terms.items()),
        )

    for signs in product((True, False), repeat=len(network.neurons)):
        solver = z3.Solver()
        variables: list[Any] = [z3.Real(f"x{at}") for at in range(network.inputs)]
        for form, active in zip(network.neurons, signs, strict=True):
            before = total(form, variables)
            solver.add(before >= 0 if active else before <= 0)
            variables.append(before if active else z3.RealVal(0))
        ends = [*variables[: network.inputs], *(total(each, variables) for each in network.outputs)]
        for atom in condition[0]:
            value = total(atom.form, ends)
            solver.add(value < 0 if atom.strict else value <= 0)
        if solver.check() == z3.sat:
            return True
    return False


@settings(max_examples=40, deadline=None)
@given(problems())
def test_as_trying_all_phases(problem: tuple[ReluNetwork, Condition]) -> None:
    network, condition = problem
    wanted = Counterexample if by_phases(network, condition) else Proved
    assert type(decide(network, condition)) is wanted
    assert type(decide(network, condition, oracle=guess)) is wanted


@settings(max_examples=60, deadline=None)
@given(problems(), st.lists(st.integers(-8, 8), min_size=2, max_size=2))
def test_bounds_hold_at_points(problem: tuple[ReluNetwork, Condition], chosen: list[int]) -> None:
    network, _ = problem
    known = Known(network, [Interval(Fraction(-1), ONE)] * network.inputs)
    assert known.extend()
    point = [Fraction(each, 8) for each in chosen[: network.inputs]]
    values = network.values(point)
    for form, bound in zip(network.neurons, known.forms, strict=True):
        assert bound.low is not None
        assert bound.high is not None
        assert bound.low <= form.value(values) <= bound.high
    below = known.below(network.outputs[0])
    assert below is not None
    assert below.value(point) <= network.outputs[0].value(values)


def test_a_wrong_oracle_does_no_harm() -> None:
    """Multipliers that show nothing, negative ones, and points that are none are not believed."""
    network = ReluNetwork(1, (Form(ZERO, {0: ONE}),), (Form(ZERO, {1: ONE}),))
    condition = read(
        f"{DECLARED}(assert (<= -1 X_0))(assert (<= X_0 1))(assert (>= Y_0 1))"
    ).condition

    def liar(values: Sequence[Interval], inequalities: Sequence[Atom], _: int) -> Guess:
        wrong = {at: Fraction(-1) if at % 2 else Fraction(7) for at in range(len(inequalities))}
        return Guess(wrong, [Fraction(-5)] * len(values), close=False)

    found = decide(network, condition, oracle=liar)
    assert isinstance(found, Counterexample)
    assert found.inputs == (ONE,)
    known = Known(network, [Interval(ZERO, ONE)])
    assert known.extend()
    more = [Atom(Form(Fraction(3, 2), {0: -ONE}))]
    assert refutes(known, more, {0: ONE})
    always = [Atom(Form(Fraction(-5), {0: ONE}))]
    assert not refutes(known, always, {0: -ONE})
    assert not refutes(known, more, {})
    touching = Form(ONE, {0: -ONE})
    assert not refutes(known, [Atom(touching)], {0: ONE})
    assert refutes(known, [Atom(touching, strict=True)], {0: ONE})


def test_a_point_on_the_edge_does_not_fulfil_a_strict_condition() -> None:
    """Neither by itself nor when an oracle proposes it."""
    network = ReluNetwork(1, (Form(ZERO, {0: ONE}),), (Form(ZERO, {1: ONE}),))
    text = f"{DECLARED}(assert (<= -1 X_0))(assert (<= X_0 1))(assert (>= X_0 Y_0))"
    strict, lax = (read(f"{text}(assert ({sign} X_0 0))").condition for sign in ("<", "<="))
    assert (fulfils(network, strict, [ZERO]), fulfils(network, lax, [ZERO])) == (False, True)

    def edge(values: Sequence[Interval], _: Sequence[Atom], __: int) -> Guess:
        return Guess({}, [ZERO] * len(values), close=False)

    assert isinstance(decide(network, strict, oracle=edge), Proved)
    found = decide(network, lax, oracle=edge)
    assert isinstance(found, Counterexample)
    assert found.inputs == (ZERO,)


def test_resources_of_z3_are_a_budget_too() -> None:
    network = ReluNetwork(1, (Form(ZERO, {0: ONE}),), (Form(ZERO, {1: ONE}),))
    condition = read(f"{DECLARED}(assert (>= Y_0 X_0))(assert (>= X_0 0.5))").condition
    found = decide(network, condition, Budget(resources=1))
    assert found == Unknown("z3 used up the 1 resources of a question", 1)


def test_every_operator_as_onnx_runtime_computes_it() -> None:
    import onnxruntime

    generator = np.random.default_rng(0)
    constants = {
        "A": generator.normal(size=(4, 3)), "c": generator.normal(size=3),
        "B": generator.normal(size=(2, 3)), "d": generator.normal(size=(1, 2)),
        "shape": np.array([0, -1]), "e": generator.normal(size=(1, 4)),
    }  # fmt: skip
    nodes = [
        node("Flatten", ["X"], "f"),
        node("Sub", ["f", "e"], "g"),
        node("Gemm", ["g", "A", "c"], "h", alpha=0.5, beta=2.0),
        node("Relu", ["h"], "i"),
        node("Gemm", ["i", "B"], "j", transB=1),
        node("Constant", [], "k", value=numpy_helper.from_array(np.array([0.25, -0.5]))),
        node("Add", ["j", "k"], "l"),
        node("Relu", ["l"], "m"),
        node("Sub", ["d", "m"], "n"),
        node("Add", ["n", "m"], "o"),
        node("Add", ["o", "m"], "p"),
        node("Reshape", ["p", "shape"], "q"),
        node("Identity", ["q"], "Y"),
    ]
    path = write(Path("n.onnx"), nodes, constants, (1, 2, 2))
    network = read_network(path)
    assert (network.inputs, len(network.neurons), len(network.outputs)) == (4, 5, 2)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for _ in range(20):
        point = generator.normal(size=4)
        (wanted,) = session.run(None, {"X": point.reshape(1, 2, 2)})
        exact = network.evaluate([Fraction(each) for each in point.tolist()])
        np.testing.assert_allclose([float(each) for each in exact], wanted.ravel(), atol=1e-12)


def test_weights_are_the_rationals_that_the_floats_are() -> None:
    relu(0.1)
    (form,) = read_network(Path("n.onnx")).neurons
    assert form.constant == Fraction(3602879701896397, 36028797018963968)


def refused(nodes: Sequence[Any], constants: dict[str, Any]) -> str:
    with pytest.raises(NetworkError) as error:
        read_network(write(Path("n.onnx"), nodes, constants))
    return str(error.value)


def test_networks_that_are_not_read() -> None:
    known = "Add, Constant, Flatten, Gemm, Identity, MatMul, Relu, Reshape, Sub"
    assert refused([node("Sigmoid", ["X"], "Y")], {}) == (
        f"the node 'Y-node' (Sigmoid): the operator Sigmoid is not known here; known are {known}."
    )
    assert refused([node("MatMul", ["X", "X"], "Y")], {}) == (
        "the node 'Y-node' (MatMul): both factors depend on the input, so the product is "
        "not linear."
    )
    assert refused([node("MatMul", ["X", "W"], "Y")], {"W": [[1.0], [2.0]]}) == (
        "the node 'Y-node' (MatMul): (1, 1) and (2, 1) are no shapes of factors."
    )
    assert refused([node("Add", ["X", "b"], "Y")], {"b": [float("nan")]}) == (
        "the weights 'b' have an entry that is no finite number."
    )
    Path("n.onnx").write_bytes(b"no model")
    with pytest.raises(NetworkError, match=r"^it is no valid ONNX model: "):
        read_network(Path("n.onnx"))
    with pytest.raises(NetworkError, match=r"^it cannot be read: No such file or directory\.$"):
        read_network(Path("m.onnx"))


TEXTS = {
    "open": ("(assert", "line 1, column 1: there is no ) for this (."),
    "closed": ("\n )", "line 2, column 2: there is no ( for this )."),
    "bare": ("x", "line 1, column 1: 'x' stands outside parentheses."),
    "command": ("(push 1)", "line 1, column 1: 'push' is no command that is known here; known are "
                "declare-const, declare-fun and assert."),
    "empty": ("", "the file declares no inputs X_0, ... or no outputs Y_0, ...: add them."),
    "name": ("(declare-const Z_0 Real)", "line 1, column 16: 'Z_0' is no name of a variable: "
             "inputs are X_0, ..., outputs Y_0, ..."),
    "sort": ("(declare-const X_0 Int)", "line 1, column 20: X_0 has the sort 'Int'; only Real is "
             "known here."),
    "twice": (DECLARED + "(declare-const X_0 Real)", "line 3, column 16: X_0 is declared twice."),
    "gap": (DECLARED + "(declare-const X_2 Real)", "line 3, column 16: X_2 is declared, but 2 "
            "variables X in all: number them from X_0 without a gap."),
    "undeclared": (DECLARED + "(assert (<= X_1 0))", "line 3, column 13: X_1 is not declared."),
    "not": (DECLARED + "(assert\n  (not (<= X_0 0)))", "line 4, column 3: 'not' is no formula that "
            "is known here; known are and, or, <=, >=, <, > and =."),
    "square": (DECLARED + "(assert (<= (* X_0 X_0) 0))", "line 3, column 13: this product is not "
               "linear: one factor may have variables."),
    "quotient": (DECLARED + "(assert (<= (/ 1 X_0) 0))", "line 3, column 13: / takes a term and a "
                 "number that is not 0."),
    "function": (DECLARED + "(assert (<= (exp X_0) 0))", "line 3, column 13: 'exp' is no term that "
                 "is known here; known are +, -, * and /."),
    "number": (DECLARED + "(assert (<= X_0 0x1))", "line 3, column 17: '0x1' is neither a number "
               "nor a variable."),
    "three": (DECLARED + "(assert (<= 0 X_0 1))", "line 3, column 9: <= takes two terms, not 3."),
    "deep": ("(" * 300, "line 1, column 201: parentheses are nested more than 200 deep."),
    "many": (DECLARED + "(assert (or (<= X_0 0) (<= X_0 1)))\n" * 15, "line 17, column 9: written "
             "out as a disjunction, the assertions have more than 20,000 cases."),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_are_no_property(name: str) -> None:
    text, sentence = TEXTS[name]
    with pytest.raises(VnnLibError) as error:
        read(text)
    assert str(error.value) == sentence


def test_what_the_text_means() -> None:
    text = """; a comment
    (set-logic QF_LRA) (declare-fun X_0 () Real) (declare-const Y_0 Real)
    (assert (or (and (<= X_0 1e-1) (>= Y_0 (- 2))) (< (+ X_0 (* 2 3 Y_0)) (/ 1 3))))
    (check-sat)"""
    found = read(text)
    assert (found.inputs, found.outputs) == (1, 1)
    assert found.condition == (
        (Atom(Form(Fraction(-1, 10), {0: ONE})), Atom(Form(Fraction(-2), {1: -ONE}))),
        (Atom(Form(Fraction(-1, 3), {0: ONE, 1: Fraction(6)}), strict=True),),
    )


def test_refusals_as_typed() -> None:
    relu()
    sentence = "p.vnnlib, line 1, column 1: 'push' is no command that is known here; known are "
    sentence += "declare-const, declare-fun and assert."
    assert check("(push 1)") == (2, "", f"verified-mlp: {sentence}\n")
    sentence = "p.vnnlib is about 2 inputs and 1 outputs, and n.onnx has 1 and 1: these two do not "
    sentence += "belong together."
    text = f"{DECLARED}(declare-const X_1 Real)"
    assert check(text) == (2, "", f"verified-mlp: {sentence}\n")
    sentence = "--cases 0 is out of range: give 1 or more."
    assert check(text, "--cases", "0") == (2, "", f"verified-mlp: {sentence}\n")
    Path("n.onnx").unlink()
    sentence = "n.onnx: it cannot be read: No such file or directory."
    assert check(DECLARED) == (2, "", f"verified-mlp: {sentence}\n")


def test_the_checker_of_onnx_knows_our_test_models() -> None:
    relu()
    onnx.checker.check_model(onnx.load("n.onnx"))
