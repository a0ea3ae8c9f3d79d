"""What verify-all --audit says, against the code that is in force."""

import ast
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import proofs.audit
from proofs import kernel, machine, solver, theory
from proofs.verify import gadgets, obligations
from verified_mlp import logic
from verified_mlp.constructions.paper import paper
from verified_mlp.machine import step
from verified_mlp.machine.shape import Shape, memories
from verified_mlp.statement.digest import digest

SCRIPT = Path(sys.executable).with_name("verify-all")
SHAPE = Shape(4, 5)
FAMILY = memories(SHAPE)
SMALL = ("--bits", "4", "--words", "5")


@pytest.fixture
def type_(tmp_path):
    def run(*arguments):
        return subprocess.run(
            [SCRIPT, *SMALL, *arguments],
            check=False,
            cwd=tmp_path,
            env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
            text=True,
            capture_output=True,
            timeout=120,
        )

    return run


@pytest.fixture(scope="module")
def audit():
    return proofs.audit.audit(SHAPE)


def makers():
    """The functions of the kernel that make a theorem or a contract, or put one to use."""
    tree = ast.parse(Path(kernel.__file__).read_text())
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            calls = [each.func for each in ast.walk(function) if isinstance(each, ast.Call)]
            names = {ast.unparse(each) for each in calls}
            if names & {"Theorem", "Contract", "theory.admit"}:
                yield function.name


def test_every_rule_that_makes_a_theorem_is_there_with_its_docstring(audit):
    assert [rule.name for rule in audit.rules] == [*makers(), "Theorem.instance"]
    source = textwrap.dedent(Path(kernel.__file__).read_text())
    for rule in audit.rules:
        for line in rule.text.splitlines():
            assert line in source


def test_every_axiom_of_the_theory_is_there(audit):
    listed = [line for line in theory.__doc__.splitlines() if line.startswith("- ")]
    assert len(audit.axioms) == len(listed) > 0
    for axiom, line in zip(audit.axioms, listed, strict=True):
        assert axiom.startswith(line.removeprefix("- "))
    assert " ".join(audit.axioms) in " ".join(theory.__doc__.replace("\n- ", "\n").split())


def test_the_definitions_are_the_text_of_the_modules(audit):
    named = {each.name: each.text for each in audit.definitions}
    for module in (step, machine, logic):
        own = [name for name in named if name.rpartition(".")[0] == module.__name__]
        assert own
        assert all(named[name] in Path(module.__file__).read_text() for name in own)
    assert named["verified_mlp.machine.step.step"].startswith("def step(")
    assert "verified_mlp.logic.value" in named
    assert "proofs.machine.machine" in named


def test_the_contracts_are_those_of_the_network(audit):
    found = {each.gadget: each for each in audit.contracts}
    for number, layer in enumerate(paper(FAMILY).layers, start=1):
        for placed in layer.placed:
            if placed.gadget is not None:
                assert number in found[placed.gadget.title].layers
    assert all(use in found for each in audit.contracts for use in each.uses)
    listed = {}
    for each in obligations(SHAPE):
        listed.setdefault(each.gadget, []).append(each.name)
    assert all(each.obligations == listed[each.gadget] for each in audit.contracts)
    assert [*audit.machine, f"{gadgets(FAMILY)[-1].title}/instance"] == listed[
        gadgets(FAMILY)[-1].title
    ]
    # What no layer reaches is not part of what the theorem rests on.
    used = {use for each in audit.contracts for use in each.uses}
    assert all(each.layers or each.gadget in used for each in audit.contracts)


def test_versions_and_statement(audit):
    assert audit.statement == digest(paper(FAMILY))
    assert audit.solvers[0] == solver.version()
    assert audit.versions["python"] == sys.version.split()[0]


def test_what_is_not_installed_is_said_so(monkeypatch):
    monkeypatch.setattr(proofs.audit, "PACKAGES", ("no-such-package",))
    assert proofs.audit.versions()["no-such-package"] == "not installed"
    monkeypatch.setitem(sys.modules, "cvc5", None)
    assert proofs.audit.audit(SHAPE).solvers[1] == "cvc5, only with --cross-check cvc5"


def test_the_command_prints_the_audit_and_proves_nothing(type_, tmp_path, audit):
    done, again = type_("--audit", "--json", "out.json"), type_("--audit")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == again.stdout
    lines = done.stdout.splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings == [
        "What the proof at 4 bits x 5 words assumes. Nothing was proved for this list.",
        "CLAIMS",
        "VERSIONS",
        "STATEMENT: the digest of the network's canonical text, sha256",
        "SOLVERS",
        "WHAT A THEOREM IS",
        "RULES: nothing else makes a theorem or a contract",
        "AXIOMS: taken as true of the integers",
        "DEFINITIONS: the statement of the machine theorem",
        "CONTRACTS: the gadgets of the network, and what each rests on",
        "MACHINE: the theorem rests on these contracts and on",
        "OUTSIDE THE PROOF",
    ]
    squeezed = " ".join(done.stdout.split())
    texts = [*audit.axioms, *audit.outside, *audit.machine, *audit.solvers]
    texts += [each.text for each in (*audit.rules, *audit.definitions)]
    texts += [name for each in audit.contracts for name in (each.gadget, *each.obligations)]
    for text in texts:
        assert " ".join(text.split()) in squeezed
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["schema"] == {"name": "verify-all/audit", "version": 1}
    assert [each["name"] for each in document["audit"]["rules"]] == [
        each.name for each in audit.rules
    ]
    assert document["audit"]["contracts"][0]["obligations"] == audit.contracts[0].obligations
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--list",), "--audit does not go with --list: give one of the two."),
        (("--sabotage",), "--audit does not go with --sabotage: give one of the two."),
        (("--only", "not"), "--audit is about the whole proof: give it without --only."),
        (
            ("--module", "x"),
            "--audit is about the proof of the network: give it without --module.",
        ),
        (("--junit", "x.xml"), "--junit does not go with --audit: use --json."),
    ],
)
def test_wrong_use_is_one_sentence(type_, arguments, sentence):
    done = type_("--audit", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"verify-all: {sentence}\n"
