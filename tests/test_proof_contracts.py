"""The kernel's rules about gadgets: enumeration, placement, contract, composition.

Each is used rightly once, and wrongly in every way that must be refused.
"""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from proof_samples import answer, ask, primitive

from proofs import kernel, prover
from proofs.expanded import Expanded
from proofs.gadget_view import SymbolicView
from proofs.kernel import (
    Contract,
    Hints,
    NotProved,
    composition,
    contract,
    enumeration,
    follow,
    placement,
)
from proofs.results import Verdict
from proofs.scripts.common import needed, wires
from proofs.terms import apply, conj, implies, unknown
from proofs.theory import Theory
from proofs.verify import gadgets
from verified_mlp.gadgets.adder import increment
from verified_mlp.gadgets.logic_gates import or_
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.expr import Index
from verified_mlp.statement.network import Condition, Field

X, Y = unknown("x"), unknown("y")
TRUE = 2 * X + X == 3 * X
DIGITS = {X: (0, 3), Y: (0, 1)}


def enumerated(domain, *goals, limits=DIGITS):
    named = [(f"goal {number}", goal) for number, goal in enumerate(goals)]
    return enumeration(Theory(), "claim", limits, domain, named)


def refused(attempt, kind=ValueError):
    with pytest.raises(kind) as failure:
        attempt()
    return str(failure.value)


# Enumeration.


def test_every_value_is_tried():
    theorem = enumerated([X != 2], X + Y <= 4, X * Y != 2)
    assert theorem.rule == "enumeration"
    assert theorem.goal is conj(X + Y <= 4, X * Y != 2)
    assert theorem.given == (conj(X >= 0, X <= 3), conj(Y >= 0, Y <= 1), X != 2)


@pytest.mark.parametrize(
    ("domain", "goals", "verdict", "reason"),
    [
        ([], [X < 3], Verdict.REFUTED, "claim, goal 0: the goal does not hold"),
        ([X != 2], [X != 2, X * Y != 3], Verdict.REFUTED, "claim, goal 1: the goal does not hold"),
        ([X > 3], [Y == 7], Verdict.VACUOUS, "claim: the domain is empty"),
        ([X > 2], [], Verdict.VACUOUS, "claim: there is nothing to prove"),
    ],
)
def test_what_enumeration_refuses(domain, goals, verdict, reason):
    with pytest.raises(NotProved) as failure:
        enumerated(domain, *goals)
    assert (failure.value.verdict, str(failure.value)) == (verdict, reason)


def test_an_unknown_that_is_not_enumerated():
    with pytest.raises(KeyError):
        enumerated([], unknown("z") >= X)
    with pytest.raises(KeyError):
        enumerated([], apply("f", [X]) == apply("f", [X]))


def test_a_small_gadget_is_enumerated_too():
    """A solver that calls every query as it is needed does not prove a broken gadget."""
    written = Expanded(or_())
    assert {each.label: limits for each, limits in written.limits.items()} == {
        "x": (0, 1),
        "y": (0, 1),
    }
    broken = replace(or_(), spec={"out": lambda x, y: x})

    def lying(text):
        return prover.Answer("sat" if "(not" not in text else "unsat", 0, 0, {}), False

    first, _ = prover.prove(broken, lying)
    assert first.verdict is Verdict.REFUTED
    assert first.counterexample is not None


# Placement.


def placed_adder():
    """An increment's view, and the theorem that its adder is handed words of bits."""
    view = SymbolicView(increment(bits=4, constant=1))
    lemma = wires(view, "plus")
    given, goal = lemma.state()
    domain = follow(view.theory, "wires", given, goal, [], Hints(), ask)
    return view, view.placed("plus"), domain


def test_a_contract_is_known_once_the_wires_are_proved():
    view, placed, domain = placed_adder()
    given, goal = needed(view)[0]
    hints = Hints(spells=[(1, 4)])
    with pytest.raises(NotProved):
        follow(view.theory, "specification", given, goal, [], hints, ask)
    assert view.rests_on == set()
    view.accept(placed, domain)
    assert view.rests_on == {"adder(bits=4)"}
    assert follow(view.theory, "specification", given, goal, [], hints, ask)


def test_a_contract_needs_the_theorem_about_its_wires():
    view, placed, domain = placed_adder()
    trivial = follow(view.theory, "trivial", [Y > 1], Y > 0, [], Hints(), ask)
    sentence = "trivial does not say that what plus is handed is in its domain"
    assert refused(lambda: view.accept(placed, trivial)) == sentence
    other_view, other_placed, _ = placed_adder()
    sentence = "wires does not say that what plus is handed is in its domain"
    assert refused(lambda: other_view.accept(other_placed, domain)) == sentence
    half = follow(view.theory, "half", domain.given, domain.goal.args[0], [], Hints(), ask)
    sentence = "half does not say that what plus is handed is in its domain"
    assert refused(lambda: view.accept(placed, half)) == sentence
    assert view.rests_on == set()


def test_a_promise_under_further_hypotheses_holds_under_them_only():
    theory = Theory()
    f = theory.declare("f", 0)
    theory.close()
    domain = follow(theory, "domain", [X > 3, Y > 0], X > 2, [], Hints(), ask)
    placement(theory, "part", domain, [Y > 0], X > 2, {"f": lambda: [f() == 7]})
    assert follow(theory, "inside", [X > 3], f() == 7, [], Hints(), ask)
    with pytest.raises(NotProved):
        follow(theory, "outside", [], f() == 7, [], Hints(), ask)


def test_a_placement_may_be_part_of_a_theorem():
    theory = Theory()
    f = theory.declare("f", 1)
    theory.close()
    both = conj(implies(conj(X > 3), X > 2), implies(conj(Y > 3), Y > 2))
    domain = follow(theory, "both", [], both, [], Hints(), ask)
    promise = {"f": lambda at: [f(at) == 7]}
    placement(theory, "part", domain, [Y > 3], Y > 2, promise)
    assert follow(theory, "known", [], f(X) == 7, [], Hints(), ask)
    for within, goal in (([Y > 2], Y > 2), ([Y > 3], Y > 1), ([], Y > 2)):
        sentence = "both does not say that what part is handed is in its domain"
        assert refused(lambda: placement(theory, "part", domain, within, goal, {})) == sentence  # noqa: B023


def test_a_closed_theory_takes_no_promise():
    view, _, _ = placed_adder()
    sentence = "the axioms about layer1.x are stated; more come by kernel.placement"
    assert refused(lambda: view.theory.promise("layer1.x", lambda: [X < 0])) == sentence


def test_only_the_kernel_admits_axioms():
    """`Theory.admit` and `Theory.promise` are called where they may be."""
    allowed = {"admit": {"kernel.py", "theory.py"}, "promise": {"gadget_view.py"}}
    folder = Path(kernel.__file__).parent
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in allowed:
                assert path.name in allowed[node.attr], f"{path}: {ast.unparse(node)}"


def test_a_ghost_is_the_same_at_every_index():
    whole = gadgets(Shape(4, 4))[-1]
    view = SymbolicView(whole)
    placed = view.placed("a", 1)
    view.ghosts[1, "a"] = {"a": unknown("j")}
    trivial = follow(view.theory, "trivial", [Y > 1], Y > 0, [], Hints(), ask)
    assert refused(lambda: view.accept(placed, trivial)) == (
        "a: a ghost is the same at every index"
    )


# Contracts.


def test_a_contract_states_what_is_needed():
    theory = Theory()
    first = follow(theory, "first", [X > 0], X >= 1, [], Hints(), ask)
    second = follow(theory, "second", [X > 0, Y > 0], X + Y >= 2, [], Hints(), ask)
    wanted = [([X > 0, Y > 0], X + Y >= 2), ([X > 0], X >= 1)]
    made = contract("sum", wanted, [first, second], ["part"])
    assert (made.gadget, made.rests_on) == ("sum", {"part"})
    assert refused(lambda: contract("sum", wanted, [second], [])) == (
        "sum: no theorem states x >= 1"
    )
    # Under fewer hypotheses than the theorem has, it does not hold.
    assert refused(lambda: contract("sum", [([X > 0], X + Y >= 2)], [first, second], [])) == (
        "sum: no theorem states (x + y) >= 2"
    )
    assert refused(lambda: contract("sum", [], [first], [])) == (
        "sum: nothing is needed, so nothing is known"
    )


def test_a_contract_is_not_made_by_hand():
    assert refused(lambda: Contract(None, "adder", ()), TypeError) == (
        "a Contract is made by a rule of the kernel, not by hand"
    )
    theorem = follow(Theory(), "first", [], TRUE, [], Hints(), ask)
    made = contract("sum", [([], TRUE)], [theorem], ["part"])
    for slot in ("gadget", "rests_on", "other"):
        assert refused(lambda: setattr(made, slot, frozenset()), AttributeError) == (  # noqa: B023
            f"the {slot} of a Contract cannot be changed"
        )


def contracts(**rests_on):
    theorem = follow(Theory(), "first", [], TRUE, [], Hints(), ask)
    return [
        contract(gadget, [([], TRUE)], [theorem], others.split())
        for gadget, others in rests_on.items()
    ]


def test_a_whole_is_proved_when_all_its_parts_are():
    parts = contracts(whole="left right", left="leaf", right="leaf left", leaf="")
    assert composition("whole", parts).rests_on == frozenset()
    assert composition("leaf", parts).gadget == "leaf"


@pytest.mark.parametrize(
    ("rests_on", "missing"),
    [
        ({"whole": "left right", "left": ""}, "right"),
        ({"whole": "left", "left": "leaf"}, "left"),
        ({"whole": "whole"}, "whole"),
        ({"whole": "left", "left": "right", "right": "left"}, "left"),
        ({"other": ""}, "whole"),
    ],
)
def test_a_part_that_is_missing_or_rests_on_itself(rests_on, missing):
    assert refused(lambda: composition("whole", contracts(**rests_on))) == (
        f"whole is not proved: it rests on {missing}"
    )


# The domain has a member.


def test_a_domain_without_a_member_proves_nothing():
    """The conditions contradict each other only where two of their indices are taken together."""
    j = Index("j", 2)
    gadget = replace(
        primitive("empty", [Field("x", (2,))], lambda now: now.x[j], lambda j, x: x[j], over=(j,)),
        conditions=(
            Condition("x_j = j", (j,), lambda j, x: x[j] == j),
            Condition("x_j = 0", (j,), lambda j, x: x[j] == 0),
        ),
    )
    first, *_ = prover.prove(gadget, answer)
    assert (first.verdict, first.detail) == (Verdict.VACUOUS, "the domain is empty")
    fine = replace(gadget, conditions=gadget.conditions[:1])
    assert {each.verdict for each in prover.prove(fine, answer)} == {Verdict.PROVED}
