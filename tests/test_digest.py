import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from verified_mlp.constructions.paper import paper
from verified_mlp.gadgets.registry import gadgets
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.affine import Affine, Bound, Ref, Term, total
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.digest import canonical_text, digest
from verified_mlp.statement.expr import Index, const, var
from verified_mlp.statement.network import Field, Layer, Network, Neurons, Placed

SHAPES = [Shape(4, 4), Shape(4, 15), Shape(4, 16), Shape(16, 256), Shape(64, 256), Shape(16, 257)]
MACHINE = paper(Shape(5, 7))


def with_families(network: Network, change: Callable[[Neurons], Neurons]) -> Network:
    layers = tuple(
        Layer(
            tuple(
                replace(placed, neurons=tuple(map(change, placed.neurons)))
                for placed in layer.placed
            ),
            layer.stage,
            layer.note,
        )
        for layer in network.layers
    )
    return replace(network, layers=layers)


def one_family(family: Neurons) -> Network:
    return Network("one", (), (Layer((Placed("one", None, 0, (), {}, {}, (family,)),)),), ())


def families() -> list[Neurons]:
    return [family for layer in MACHINE.layers for family in layer.neurons]


def test_terms_in_any_order() -> None:
    rng = random.Random(1)

    def shuffled(family: Neurons) -> Neurons:
        return replace(
            family, row=Affine(tuple(rng.sample(family.row.terms, len(family.row.terms))))
        )

    assert canonical_text(with_families(MACHINE, shuffled)) == canonical_text(MACHINE)


def test_indices_of_any_name() -> None:
    def renamed(family: Neurons) -> Neurons:
        names = {index.name: var(f"other.{index.name}") for index in family.indices}
        return replace(
            family,
            indices=tuple(Index(f"other.{index.name}", index.size) for index in family.indices),
            row=family.row.rename("inner").substitute(names),
            largest=family.largest.substitute(names),
        )

    assert canonical_text(with_families(MACHINE, renamed)) == canonical_text(MACHINE)


def test_constants_split_in_any_way() -> None:
    def split(family: Neurons) -> Neurons:
        row = Affine(
            tuple(
                Term(part, term.ref, term.bounds)
                for term in family.row.terms
                for part in (3 * term.coefficient, -2 * term.coefficient)
            )
        )
        return replace(family, row=row, largest=family.largest * 2 - family.largest)

    assert canonical_text(with_families(MACHINE, split)) == canonical_text(MACHINE)


def test_why_is_not_part_of_what() -> None:
    layers = tuple(replace(layer, stage="other", note="other") for layer in MACHINE.layers)
    assert digest(replace(MACHINE, name="other", layers=layers)) == digest(MACHINE)


def changed_terms(term: Term) -> Iterator[Term]:
    """The term with one thing changed."""
    yield replace(term, coefficient=term.coefficient + 1)
    yield replace(term, coefficient=-term.coefficient)
    yield replace(term, coefficient=2 * term.coefficient)
    if term.ref is not None:
        positions = term.ref.positions
        yield replace(term, ref=Ref(f"{term.ref.field}.other", positions))
        for axis in range(len(positions)):
            moved = (*positions[:axis], positions[axis] + 1, *positions[axis + 1 :])
            yield replace(term, ref=Ref(term.ref.field, moved))
    for at, bound in enumerate(term.bounds):
        for other in (
            Bound(bound.name, bound.size, bound.low + 1, bound.high),
            Bound(bound.name, bound.size, bound.low, bound.high - 1),
            Bound(bound.name, bound.size + 1, bound.low, bound.high),
        ):
            yield replace(term, bounds=(*term.bounds[:at], other, *term.bounds[at + 1 :]))


def changed_families(family: Neurons) -> Iterator[Neurons]:
    """The family with one thing changed."""
    terms = family.row.terms
    for at, term in enumerate(terms):
        yield replace(family, row=Affine(terms[:at] + terms[at + 1 :]))
        for other in changed_terms(term):
            yield replace(family, row=Affine((*terms[:at], other, *terms[at + 1 :])))
    yield replace(family, row=family.row + 1)
    yield replace(family, name=f"{family.name}.other")
    yield replace(family, largest=family.largest + 1)
    yield replace(family, one_hot=not family.one_hot)
    for at, index in enumerate(family.indices):
        longer = Index(index.name, index.size + 1)
        yield replace(family, indices=(*family.indices[:at], longer, *family.indices[at + 1 :]))


def test_every_change_of_every_family_changes_the_digest() -> None:
    # Most families stand in many layers; one of each is enough.
    different = {canonical_text(one_family(family)): family for family in families()}
    count = 0
    for text, family in different.items():
        others = [canonical_text(one_family(other)) for other in changed_families(family)]
        assert text not in others
        count += len(others)
    assert count > 1000


def test_each_family_is_part_of_the_text() -> None:
    lines = canonical_text(MACHINE).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("layer "))
    inputs = canonical_text(Network("inputs", MACHINE.inputs, (), ()))
    outputs = canonical_text(Network("outputs", (), (), MACHINE.outputs))
    stated = [canonical_text(one_family(family)).removeprefix("layer 1\n") for family in families()]
    assert text == inputs + "".join(stated) + outputs


@pytest.mark.parametrize("change", [{"high": 2}, {"word": False}, {"one_hot": True}, {"name": "m"}])
def test_every_change_of_an_input_changes_the_digest(change: dict[str, Any]) -> None:
    first, *rest = MACHINE.inputs
    assert digest(replace(MACHINE, inputs=(replace(first, **change), *rest))) != digest(MACHINE)


def test_every_change_of_an_output_changes_the_digest() -> None:
    first, *rest = MACHINE.outputs
    for other in (
        replace(first, form=first.form + 1),
        replace(first, largest=const(2)),
        replace(first, word=False),
        replace(first, name="m"),
    ):
        assert digest(replace(MACHINE, outputs=(other, *rest))) != digest(MACHINE)
    assert digest(replace(MACHINE, outputs=tuple(rest))) != digest(MACHINE)


def test_the_order_of_inputs_layers_families_and_outputs_counts() -> None:
    layers = MACHINE.layers
    first = layers[0]
    swapped = replace(first, placed=(first.placed[1], first.placed[0], *first.placed[2:]))
    for other in (
        replace(MACHINE, inputs=MACHINE.inputs[::-1]),
        replace(MACHINE, layers=layers[::-1]),
        replace(MACHINE, layers=layers[:-1]),
        replace(MACHINE, layers=(swapped, *layers[1:])),
        replace(MACHINE, outputs=MACHINE.outputs[::-1]),
    ):
        assert digest(other) != digest(MACHINE)


def test_every_shape_has_its_own_digest() -> None:
    assert len({digest(paper(shape)) for shape in SHAPES}) == len(SHAPES)


def test_gadgets_have_digests_of_their_own() -> None:
    found = gadgets(Shape(16, 256))
    assert len({digest(gadget.network) for gadget in found}) == len(found)


def test_the_text_does_not_grow_with_the_memory() -> None:
    def without_numbers(shape: Shape) -> str:
        return re.sub(r"\d+", "0", canonical_text(paper(shape)))

    assert without_numbers(Shape(64, 2**24)) == without_numbers(Shape(64, 256))


def test_the_digest_is_the_same_in_every_process() -> None:
    program = (
        "from verified_mlp.constructions.paper import paper\n"
        "from verified_mlp.machine.shape import Shape\n"
        "from verified_mlp.statement.digest import digest\n"
        "print(digest(paper(Shape(5, 7))))\n"
    )
    for seed in ("0", "1"):
        answer = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip() == digest(MACHINE)


def test_the_text_of_a_small_network() -> None:
    build = Builder("demo", [Field("x", (3,), high=5, one_hot=True), Field("on")])
    now = build.layer("a stage", "a note")
    i, k = Index("i", 3), Index("k", 3)
    build.neurons("y", (i,), 2 - total(k, (k + 1) * now.x[k], i, 3) - now.on + 1, largest=3 + i)
    done = build.close()
    network = build.build(build.output("z", (i,), done.y[i] - done.y[0], largest=i, word=True))
    assert canonical_text(network) == (
        "input x[3] in 0..5, one-hot\n"
        "input on in 0..1\n"
        "layer 1\n"
        "neurons y[3] in 0..@0 + 3\n"
        "  3\n"
        "  (-1) on\n"
        "  sum(@0 <= #0 < 3) (-#0 - 1) x[#0]; #0 of 3\n"
        "output z[3] in 0..@0, word\n"
        "  (-1) y[0]\n"
        "  y[@0]\n"
    )


def test_a_name_that_could_be_read_in_two_ways() -> None:
    network = Network("odd", (Field("x[1]"),), (), ())
    text = (
        "the field name 'x[1]' cannot be written down without doubt: use letters, digits, "
        "underscores and dots only."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        canonical_text(network)
