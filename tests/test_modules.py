"""verify-all --module: the gadgets of a user's own modules, what can be wrong with them, the
example project, the GitHub action and the pre-commit hook.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from documents import ROOT, blocks, commands, matches, run

PROJECT = ROOT / "examples" / "own_gadgets"
SHAPE = "--plain --bits 4 --words 8"
HEAD = """\
from proofs.lemma import Lemma
from proofs.scripts import register
from proofs.scripts.common import ranges, specification
from proofs.terms import formula
from verified_mlp.gadgets.registry import gadget
from verified_mlp.logic import where
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.network import Condition, Field, Gadget
"""
GADGET = """
@gadget()
def same():
    build = Builder("same", [Field("x", high=3)])
    now = build.layer()
    build.neurons("y", (), 1 * now.x, largest=3)
    done = build.close()
    return Gadget(
        name="same",
        network=build.build(build.output("out", (), done.y)),
        spec={"out": lambda x: x},
        source="ours",
        formula="out = ReLU(x)",
    )
"""
MANY = GADGET.replace('"x", high=3', '"x", (4000,)').replace("now.x", "now.x[0]")
MANY = MANY.replace("lambda x: x", "lambda x: x[0]").replace("largest=3", "largest=1")
SCRIPT = """
register("same", lambda view: [ranges(view, ()), specification(view, "out", ())])
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def prove(folder: Path, text: str, options: str = "--jobs 1") -> tuple[int, str]:
    """The exit code and output for a module own.py of that text."""
    (folder / "own.py").write_text(HEAD + text, encoding="utf-8")
    return run(f"verify-all {SHAPE} {options} --module own", folder)


def line_of(text: str, part: str) -> int:
    return (HEAD + text).partition(part)[0].count("\n") + 1


def test_the_gadgets_of_a_module_alone_are_proved(tmp_path):
    code, printed = prove(tmp_path, GADGET)
    assert code == 0, printed
    assert [line.split()[1] for line in printed.splitlines()[1:3]] == [
        "same/specification",
        "same/ranges",
    ]
    assert "2 of 2 obligations" in printed
    assert printed.splitlines()[-1] == (
        "PROVED: every gadget of own at 4 bits x 8 words, on its whole domain."
    )


def changed(*pairs: tuple[str, str]) -> str:
    text = GADGET
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def spec(text: str) -> str:
    return changed(("lambda x: x", text))


FAULTS = {
    "an error on import": (
        "\n1 / 0\n",
        "own cannot be imported: own.py, line {1 / 0}: ZeroDivisionError: division by zero.",
    ),
    "no Python": (
        "\ndef (:\n",
        "own cannot be imported: own.py, line {def (}: SyntaxError: invalid syntax.",
    ),
    "the end of the process": (
        "\nraise SystemExit(3)\n",
        "own cannot be imported: own.py, line {raise}: SystemExit: 3.",
    ),
    "a missing dependency": (
        "\nimport nothing_there\n",
        "own cannot be imported: own.py, line {import nothing}: ModuleNotFoundError: "
        "No module named 'nothing_there'.",
    ),
    "no gadget": (
        "",
        "own (own.py) enters no gadget: put @gadget(), from verified_mlp.gadgets.registry, before "
        "each function that makes one.",
    ),
    "no settings": (
        changed(("@gadget()", "@gadget(lambda shape: [])")),
        "own (own.py) has no gadget at 4 bits x 8 words: its settings name none.",
    ),
    "wrong settings": (
        changed(("@gadget()", "@gadget(lambda shape: shape.size)")),
        "the settings of same cannot be listed: own.py, line {@gadget}: AttributeError: "
        "'Shape' object has no attribute 'size'.",
    ),
    "a name twice": (
        GADGET + "\n" + GADGET.replace("def same", "def other"),
        "two gadgets are called same (own.py, line {@gadget}; own.py, line 25): give them "
        "different names, or make it once, by a function with @gadget().",
    ),
    "a name of this project": (
        changed(('name="same"', 'name="match"')),
        "a gadget is called match (own.py, line {@gadget}), as is one of this project, whose proof "
        "script would not fit it: give it another name.",
    ),
    "other outputs": (
        changed(('spec={"out"', 'spec={"z"')),
        "gadget same cannot be made: own.py, line {return}: ValueError: gadget same: the "
        "specification gives ['z'], the network ['out']; name each output once in both.",
    ),
    "a float": (
        changed(("1 * now.x", "0.5 * now.x")),
        "gadget same cannot be made: own.py, line {0.5}: TypeError: an exact int or Fraction is "
        "needed here, not 0.5.",
    ),
    "no Gadget": (
        "\n@gadget()\ndef same():\n    return 1\n",
        "gadget same cannot be made: own.py, line {@gadget}: it gives a value of type int, not a "
        "Gadget.",
    ),
    "a specification that raises": (
        spec("lambda x: 1 // 0"),
        "same cannot be proved: own.py, line {1 // 0}: ZeroDivisionError: integer division or "
        "modulo by zero.",
    ),
    "a specification that branches": (
        spec("lambda x: 0 if x == 1 else x"),
        "same cannot be proved: own.py, line {0 if}: TypeError: a condition on unknowns is neither "
        "true nor false; instead of if, and, or, not and in, use where, both, either and negate of "
        "verified_mlp.logic.",
    ),
    "a specification that looks up": (
        spec("lambda x: 2 if x in (1, 2) else x"),
        "same cannot be proved: own.py, line {2 if}: TypeError: a condition on unknowns is neither "
        "true nor false; instead of if, and, or, not and in, use where, both, either and negate of "
        "verified_mlp.logic.",
    ),
    "None": (
        spec("lambda x: None"),
        "same cannot be proved: own.py, line {lambda}: the specification of out gives None, where "
        "an integer is needed.",
    ),
    "a text": (
        spec("lambda x: 'x'"),
        "same cannot be proved: own.py, line {lambda}: the specification of out gives a value of "
        "type str, where an integer is needed.",
    ),
    "a truth value": (
        spec("lambda x: x == 1"),
        "same cannot be proved: own.py, line {lambda}: the specification of out gives a truth "
        "value, where an integer is needed.",
    ),
    "a division that is exact for terms only": (
        spec("lambda x: 2 * x / 2"),
        "same cannot be proved: own.py, line {lambda}: TypeError: 2 * x / 2 is no integer; divide "
        "with //.",
    ),
    "a condition that is a number": (
        changed(("source=", 'conditions=(Condition("x", (), lambda x: x + 1),),\n        source=')),
        "same cannot be proved: own.py, line {lambda x: x + 1}: the condition 'x' gives an "
        "integer, where a truth value is needed.",
    ),
    "a script for a gadget of this project": (
        '\nregister("adder", lambda view: [])\n',
        "own cannot be imported: own.py, line {register(}: ValueError: gadgets called adder have "
        "a proof script; choose another name.",
    ),
    "a script without the specification": (
        GADGET + '\nregister("same", lambda view: [ranges(view, ())])\n',
        "same cannot be stated: ValueError: the proof script of same lacks the lemma "
        "'specification'.",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_a_module_is_one_sentence(tmp_path, name):
    text, sentence = FAULTS[name]
    sentence = re.sub(r"\{(.*?)\}", lambda found: str(line_of(text, found[1])), sentence)
    code, printed = prove(tmp_path, text)
    assert (code, printed.splitlines()[-1]) == (2, f"verify-all: {sentence}")
    assert "PROVED" not in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "nope",
            "there is no module nope in the current directory or among the installed packages: "
            "give a dotted name, or the path of a .py file.",
        ),
        (
            "own.nope",
            "there is no module own.nope in the current directory or among the installed packages: "
            "give a dotted name, or the path of a .py file.",
        ),
        ("nope.py", "there is no Python file nope.py: give the path of a .py file."),
        ("./", "there is no Python file ./: give the path of a .py file."),
        (
            "a-b",
            "'a-b' is not the name of a module: give a dotted name, such as package.gadgets, or "
            "the path of a .py file.",
        ),
    ],
)
def test_a_module_that_is_not_there(tmp_path, name, sentence):
    (tmp_path / "own.py").write_text(HEAD + GADGET, encoding="utf-8")
    assert run(f"verify-all --module {name}", tmp_path) == (2, f"verify-all: {sentence}\n")


def test_the_audit_is_of_the_network(tmp_path):
    assert run("verify-all --audit --module own", tmp_path) == (
        2,
        "verify-all: --audit is about the proof of the network: give it without --module.\n",
    )


def test_the_hint_of_a_wrong_name_lists_the_module(tmp_path):
    code, printed = prove(tmp_path, GADGET, "--only sane")
    assert (code, printed) == (
        2,
        "verify-all: no obligation is called 'sane'; did you mean 'same'? List them with "
        "verify-all --module own --list.\n",
    )


def test_a_specification_that_means_two_things(tmp_path):
    code, printed = prove(tmp_path, spec("lambda x: x if hasattr(x, 'op') else 0"))
    assert code == 4
    assert "it was proved, but fails on numbers" in printed
    assert "NOT PROVED at 4 bits x 8 words: 2 ERROR, of 2 obligations." in printed


def test_a_division_by_a_negative_number(tmp_path):
    """Python rounds it down, SMT-LIB does not."""
    code, printed = prove(tmp_path, spec("lambda x: where(x % -3 >= 0, x, 0)"))
    assert code == 2
    assert "a term is divided by positive numbers only, not by -3." in " ".join(printed.split())


def test_a_gadget_too_large_to_write_out(tmp_path):
    code, printed = prove(tmp_path, MANY)
    assert code == 3
    assert (
        " ".join(printed.split()).count(
            "reason: its 4001 input entries and neurons are too many to write out one by one (at "
            "most 3000); write a proof script for it, as CONTRIBUTING.md says, or choose a smaller "
            "shape"
        )
        == 2
    )


def test_a_script_of_the_users_proves_it(tmp_path):
    code, printed = prove(tmp_path, MANY + SCRIPT)
    assert code == 0, printed
    assert "PROVED: every gadget of own" in printed


def test_a_script_does_not_state_what_is_to_be_proved(tmp_path):
    wrong = MANY.replace("lambda x: x[0]", "lambda x: x[1]")
    trivial = 'Lemma("specification", "nothing", lambda: ([], formula(True)))'
    text = f'{wrong}\nregister("same", lambda view: [ranges(view, ()), {trivial}])\n'
    code, printed = prove(tmp_path, text)
    assert code == 3
    assert "UNKNOWN  same/specification  out is what the specification says" in printed


def test_placed_gadgets_packages_settings_and_worker_processes(tmp_path):
    package = tmp_path / "mine"
    (package / "deep").mkdir(parents=True)
    for folder in (package, package / "deep"):
        (folder / "__init__.py").touch()
    (package / "outer.py").write_text(
        HEAD
        + "from verified_mlp.gadgets.threshold import threshold\n"
        + GADGET.replace('build.neurons("y", (), 1 * now.x, largest=3)', "PLACE")
        .replace("PLACE", 'build.place(threshold(), "y", (), {"t": 2, "top": 3}, s=now.x)')
        .replace("lambda x: x", "lambda x: where(x >= 2, 1, 0)"),
        encoding="utf-8",
    )
    (package / "deep" / "sized.py").write_text(
        HEAD
        + GADGET.replace("@gadget()", '@gadget(lambda shape: [{"n": shape.bits}])')
        .replace("same", "sized")
        .replace("def sized()", "def sized(n)")
        .replace("3", "n")
        .replace("source=", 'settings={"n": n}, source='),
        encoding="utf-8",
    )
    command = f"verify-all {SHAPE} --jobs 2 --json out.json --junit out.xml --module mine"
    code, printed = run(command, tmp_path)
    assert code == 0, printed
    results = json.loads((tmp_path / "out.json").read_text())
    assert {each["obligation"]["gadget"] for each in results["results"]} == {
        "same",
        "sized(n=4)",
        "threshold",
    }
    assert results["options"]["modules"] == ["mine"]
    assert (tmp_path / "out.xml").exists()
    code, printed = run(f"verify-all {SHAPE} --list --module mine/deep/sized.py", tmp_path)
    assert code == 0
    assert printed.splitlines()[0] == "sized(n=4)/specification"


def test_modules_of_one_name_by_path(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        text = HEAD + GADGET.replace("same", f"same_{folder}")
        (tmp_path / folder / "json.py").write_text(text, encoding="utf-8")
    command = f"verify-all {SHAPE} --list --module a/json.py --module b/json.py --json out.json"
    code, printed = run(command, tmp_path)
    assert code == 0, printed
    listed = json.loads((tmp_path / "out.json").read_text())["obligations"]
    assert {each["gadget"] for each in listed} == {"same_a", "same_b"}


def test_sabotage_is_of_the_module(tmp_path):
    code, printed = prove(tmp_path, GADGET, "--sabotage")
    assert code == 0, printed
    assert printed.splitlines()[-1] == (
        "CAUGHT: each of 8 changes of one number in all gadgets of own at 4 bits x 8 words is "
        "refuted with a counterexample or proved harmless."
    )


@pytest.fixture
def project(tmp_path):
    """A copy of the example project."""
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def test_the_example_project_does_what_its_readme_shows(project):
    (block,) = blocks((project / "README.md").read_text(encoding="utf-8"), "console")
    codes = []
    for command, shown in commands(block):
        code, printed = run(command, project)
        assert matches(shown, printed), printed
        codes.append(code)
    assert codes == [0, 1]


def action(inputs: dict[str, str], folder: Path) -> tuple[int, str]:
    """What the action's steps do, without those that install."""
    parsed = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert parsed["runs"]["using"] == "composite"
    assert set(inputs) <= set(parsed["inputs"])
    given = {name: each.get("default", "") for name, each in parsed["inputs"].items()} | inputs
    setup, install, proof = parsed["runs"]["steps"]
    assert setup["uses"].startswith("actions/setup-python@")
    assert setup["with"] == {"python-version": "${{ inputs.version }}"}
    assert install["run"] == 'python -m pip install --quiet "$ACTION"'
    assert install["env"] == {"ACTION": "${{ github.action_path }}"}
    assert proof["shell"] == "bash"
    environment = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], text)
        for name, text in proof["env"].items()
    }
    # As GitHub runs `shell: bash`.
    return run(f"bash -eo pipefail -c {shlex.quote(proof['run'])}", folder, **environment)


@pytest.mark.parametrize(
    ("module", "code", "end"),
    [
        ("good_gadget", 0, "PROVED: every gadget of good_gadget at 4 bits x 8 words, on its"),
        ("good_gadget broken_gadget.py", 1, "NOT PROVED at 4 bits x 8 words: 1 REFUTED, of 4"),
        ("", 2, "verify-all: the input 'module' is empty: name a module with gadgets."),
        ("nope", 2, "verify-all: there is no module nope in the current directory"),
        ("$(touch x)", 2, "verify-all: '$(touch' is not the name of a module"),
    ],
)
def test_the_action(project, module, code, end):
    got, printed = action({"module": module, "bits": "4", "words": "8"}, project)
    assert (got, printed.splitlines()[-1][: len(end)]) == (code, end)
    assert not (project / "x").exists()


def test_the_workflow_of_the_example_uses_the_action(project):
    path = project / ".github" / "workflows" / "gadgets.yml"
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    _, step = workflow["jobs"]["prove"]["steps"]
    assert step["uses"] == "OWNER/verified-mlp@main"
    code, printed = action(step["with"], project)
    assert code == 0, printed


def hook(arguments: list[str], folder: Path) -> tuple[int, str]:
    """What pre-commit runs for the hook: its entry and the arguments."""
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (found["id"], found["language"]) == ("verify-all", "python")
    assert found["pass_filenames"] is False
    return run(shlex.join([*shlex.split(found["entry"]), *arguments]), folder)


def test_the_hook(project):
    path = project / ".pre-commit-config.yaml"
    ((configured,),) = (
        each["hooks"] for each in yaml.safe_load(path.read_text(encoding="utf-8"))["repos"]
    )
    assert configured["id"] == "verify-all"
    assert all(re.search(configured["files"], each.name) for each in project.glob("*.py"))
    assert hook(configured["args"], project)[0] == 0
    code, printed = hook(["broken_gadget"], project)
    assert code == 1
    assert "inputs:    x=1, y=1" in printed
    assert hook([], project) == (2, "verify-all: Option '--module' requires an argument.\n")


def test_no_input_is_pasted_into_a_script_of_the_action():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for step in yaml.safe_load(text)["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
