"""The support rules of gadgets: each is a lemma, and a wrong one is not proved."""

from dataclasses import replace

import pytest

from proofs import prover
from proofs.results import Verdict
from proofs.solver import solve
from verified_mlp.gadgets.carry import carry
from verified_mlp.gadgets.choose import write_or_keep
from verified_mlp.gadgets.logic_gates import and_
from verified_mlp.gadgets.match import match, select
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.mutate import changes
from verified_mlp.statement.network import Gadget, Support

BITS = 16
RULES = [
    *((match(bits=bits), "h = 0 unless p spells i") for bits in (4, 16, 64)),
    *((select(bits=bits), "s = 0 unless p spells i") for bits in (4, 16, 64)),
    *((and_(inputs=inputs), "out = 0 where x = 0") for inputs in (2, 3)),
    (carry(), "y = x"),
    (write_or_keep(), "keep = m where h = 0"),
    (write_or_keep(), "set = 0 where h = 0"),
    (write_or_keep(), "after = keep + set"),
]
WRONG = [
    (match(bits=BITS), Support("h", same=("on",), spells=("i", "p"))),
    (select(bits=BITS), Support("s", same=("m",), spells=("i", "p"))),
    (and_(inputs=2), Support("out", same=("x",))),
    (and_(inputs=2), Support("out", zero="x", same=("y",))),
    (carry(), Support("y")),
    (write_or_keep(), Support("keep", same=("m",))),
    (write_or_keep(), Support("keep", zero="h")),
    (write_or_keep(), Support("keep", zero="m", same=("h",))),
    (write_or_keep(), Support("set", zero="m")),
    (write_or_keep(), Support("after", same=("keep",))),
]


def shown(each: object) -> str:
    return each.title if isinstance(each, Gadget) else str(each)


def verdicts(gadget: Gadget) -> dict[str, Verdict]:
    """What becomes of each lemma about support, by its claim."""
    attempt = prover.prove(gadget, lambda text: (solve(text, 20_000_000, 60), False))
    return {
        result.obligation.claim.removesuffix(", on the whole domain"): result.verdict
        for result in attempt
        if "/support of " in result.obligation.name
    }


@pytest.mark.parametrize(("gadget", "rule"), RULES, ids=shown)
def test_a_rule_is_proved(gadget: Gadget, rule: str) -> None:
    assert verdicts(gadget)[rule] is Verdict.PROVED


def test_these_are_all_rules() -> None:
    shape = memories(Shape(BITS, 256))
    found = {(gadget.name, str(rule)) for gadget in gadgets(shape) for rule in gadget.support}
    assert found == {(gadget.name, rule) for gadget, rule in RULES}


@pytest.mark.parametrize(("gadget", "rule"), WRONG, ids=shown)
def test_a_wrong_rule_is_not_proved(gadget: Gadget, rule: Support) -> None:
    found = verdicts(replace(gadget, support=(rule,)))
    assert list(found) == [str(rule)]
    assert Verdict.PROVED not in found.values()


@pytest.mark.parametrize(
    ("gadget", "place", "delta", "broken"),
    [
        (match(bits=4), "layer 1, h, bias", 1, "h = 0 unless p spells i"),
        (write_or_keep(), "layer 1, keep, weight of m", 1, "keep = m where h = 0"),
        (write_or_keep(), "layer 1, keep, bias", 1, "keep = m where h = 0"),
        (write_or_keep(), "layer 1, set, weight of r", 1, "set = 0 where h = 0"),
        (write_or_keep(), "layer 1, set, bias", 1, "set = 0 where h = 0"),
        (and_(inputs=2), "layer 1, out, bias", 1, "out = 0 where x = 0"),
        (and_(inputs=3), "layer 1, out, weight of y", 2, "out = 0 where x = 0"),
        (carry(), "layer 1, y, weight of x", -1, "y = x"),
        (carry(), "layer 1, y, bias", -1, "y = x"),
    ],
    ids=shown,
)
def test_a_changed_gadget_breaks_its_rule(
    gadget: Gadget, place: str, delta: int, broken: str
) -> None:
    (change,) = (each for each in changes(gadget) if each.place == place)
    assert verdicts(gadget)[broken] is Verdict.PROVED
    assert verdicts(change.apply(gadget, delta))[broken] is not Verdict.PROVED


@pytest.mark.parametrize(
    ("gadget", "rule", "sentence"),
    [
        (
            carry(),
            Support("z", same=("x",)),
            "carry: the support rule 'z = x' names z, which is not there",
        ),
        (
            carry(),
            Support("y", same=("m",)),
            "carry: the support rule 'y = m' names m, which is not there",
        ),
        (
            write_or_keep(),
            Support("after", same=("m",)),
            "write_or_keep: the support rule 'after = m' names m, which is not there",
        ),
        (
            and_(inputs=2),
            Support("out", spells=("i", "x")),
            "and(inputs=2): the support rule 'out = 0 unless x spells i' names i, which is not "
            "there",
        ),
    ],
    ids=shown,
)
def test_a_rule_about_what_is_not_there(gadget: Gadget, rule: Support, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        prover.obligations(replace(gadget, support=(rule,)))
    assert str(error.value) == sentence
