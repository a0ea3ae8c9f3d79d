"""What the proof of a shape rests on, gathered from the code that proves; proves nothing.

Rules, axioms and definitions are quoted from where they are in force.
"""

from __future__ import annotations

import inspect
import platform
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

from proofs import forms, kernel, machine, prover, second_solver, solver, theory
from proofs.claims import CLAIMS, Claim
from proofs.verify import gadgets
from verified_mlp import logic
from verified_mlp.machine import step
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.digest import digest
from verified_mlp.statement.network import Gadget

PACKAGES = ("verified-mlp", "z3-solver", "cvc5", "numpy", "scipy", "sympy", "msgspec")

OUTSIDE = (
    "That the step function, in the definitions, is the machine that was meant: read it.",
    "That the definitions say what a state vector stands for (a word is the number that its bits "
    "spell): read them.",
    "The solver: z3's answers are taken on its word, unless --cross-check decides each again with "
    "cvc5, or --certificate finds evidence for them, which check-certificate checks without a "
    "solver (proofs.checker, proofs.normal_form, proofs.smt_reader: then these are trusted).",
    "The Python code that turns the statement into formulas (proofs.gadget_view, proofs.forms, "
    "proofs.expanded, verified_mlp.statement), quantifier-free instances of the axioms "
    "(proofs.theory) and SMT-LIB (proofs.smtlib), and the kernel that applies the rules.",
    "The cache of answers: each has a checksum against accidents, not against malice; --no-cache "
    "does without.",
    "The lowering of the statement to arrays (verified_mlp.statement.arrays, numeric.lower): "
    "compared with the statement row by row (numeric.tie_check), not proved.",
    "float64: when a network is lowered, numeric.lower checks by arithmetic, for every neuron, "
    "that sum |W| |x|max + |b| stays below 2^53, and refuses the network otherwise.  The largest "
    "values |x|max are those that the gadgets' contracts prove; that they and 2^53 make every "
    "sum exact is an argument in numeric.exactness, not a proof by machine.",
    "The loop around the network, which moves input and output words and decides when to stop "
    "(numeric.machine): tested, not proved.",
    "Python, NumPy, SciPy, the operating system and the hardware.",
)


@dataclass(frozen=True, slots=True)
class Named:
    """Something with a name, and what it says."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Contract:
    """A gadget whose specification the machine theorem uses, and what that specification rests on.

    `layers` are those (from 1) of the network where it stands; `uses` are the gadgets of which it
    is made, whose contracts its own proof uses.
    """

    gadget: str
    formula: str
    source: str
    domain: str
    layers: list[int]
    uses: list[str]
    obligations: list[str]


@dataclass(frozen=True, slots=True)
class Audit:
    """All that is assumed, for one shape.

    `statement` is the digest of the network's canonical statement; `versions` gives, by name, what
    is installed ("not installed" for what is not).
    """

    shape: Shape
    claims: list[Claim]
    statement: str
    versions: dict[str, str]
    solvers: list[str]
    theorem: str
    rules: list[Named]
    axioms: list[str]
    definitions: list[Named]
    contracts: list[Contract]
    machine: list[str]
    outside: list[str]


def audit(shape: Shape) -> Audit:
    """What the machine theorem of a shape assumes."""
    found = gadgets(memories(shape))
    whole = found[-1]
    return Audit(
        shape=shape,
        claims=list(CLAIMS),
        statement=digest(whole.network),
        versions=versions(),
        solvers=[solver.version(), _second()],
        theorem=_documentation(kernel),
        rules=list(rules()),
        axioms=axioms(),
        definitions=list(definitions()),
        contracts=[_contract(gadget, whole) for gadget in _used(whole)],
        machine=_obligations(whole),
        outside=list(OUTSIDE),
    )


def versions() -> dict[str, str]:
    """Python's version and those of the packages on which the proof or its speed rests."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _second() -> str:
    name = second_solver.version() if second_solver.installed() else second_solver.NAME
    return f"{name}, only with --cross-check {second_solver.NAME}"


def rules() -> Iterator[Named]:
    """The kernel's functions, which make theorems and contracts, and how a theorem is used."""
    for rule in _public(kernel):
        if inspect.isfunction(rule):
            yield Named(rule.__name__, _documentation(rule))
    yield Named("Theorem.instance", _documentation(kernel.Theorem.instance))


def axioms() -> list[str]:
    """The axioms, from the list in the theory's docstring."""
    found = re.findall(r"^- (.+(?:\n  .+)*)", _documentation(theory), re.MULTILINE)
    return [" ".join(axiom.split()) for axiom in found]


def definitions() -> Iterator[Named]:
    """The text of all that the theorem's statement is made of: the step, decode and encode."""
    for definition in (
        step.Before,
        step.After,
        step.step,
        logic.value,
        *_public(machine),
        *_public(forms),
    ):
        name = f"{definition.__module__}.{definition.__name__}"
        yield Named(name, textwrap.dedent(inspect.getsource(definition)).rstrip())


def _public(module: ModuleType) -> list[Any]:
    """The module's own public functions and classes, in the order of its text."""
    found = [
        each
        for name, each in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(each) or inspect.isclass(each))
        and each.__module__ == module.__name__
    ]
    return sorted(found, key=lambda each: inspect.getsourcelines(each)[1])


def _documentation(thing: Any) -> str:
    return inspect.getdoc(thing) or "not documented"


def _parts(gadget: Gadget) -> Iterator[tuple[int, Gadget]]:
    for number, layer in enumerate(gadget.network.layers, start=1):
        for placed in layer.placed:
            if placed.gadget is not None:
                yield number, placed.gadget


def _used(whole: Gadget) -> list[Gadget]:
    """The gadgets that the network places, and those that these place, by title."""
    found: dict[str, Gadget] = {}
    waiting = [gadget for _, gadget in _parts(whole)]
    while waiting:
        gadget = waiting.pop()
        if gadget.title not in found:
            found[gadget.title] = gadget
            waiting += [part for _, part in _parts(gadget)]
    return [found[title] for title in sorted(found)]


def _contract(gadget: Gadget, whole: Gadget) -> Contract:
    return Contract(
        gadget=gadget.title,
        formula=gadget.formula,
        source=gadget.source,
        domain=gadget.domain_text(),
        layers=sorted({at for at, part in _parts(whole) if part.title == gadget.title}),
        uses=_sorted(part.title for _, part in _parts(gadget)),
        obligations=_obligations(gadget),
    )


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _obligations(gadget: Gadget) -> list[str]:
    return [each.name for each in prover.obligations(gadget)]
