"""The table of folders in docs/architecture.md against the imports that the code has."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("verified_mlp", "proofs", "numeric")
CLI, LOGIC = "verified_mlp/cli", "verified_mlp/logic.py"


def rows() -> list[list[str]]:
    """The cells of the table of folders."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def folder_of(module: str) -> str | None:
    """The row to which a module belongs; None for a module of others and for empty packages."""
    parts = module.split(".")
    if parts[0] not in PACKAGES or module == "verified_mlp":
        return None
    if parts[0] != "verified_mlp":
        return parts[0]
    return LOGIC if parts[1] == "logic" else f"verified_mlp/{parts[1]}"


def imported(tree: ast.AST) -> set[str]:
    """The names of all modules that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            found.add(node.module)
            if node.module in PACKAGES:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules() -> dict[str, Path]:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = {}
    for path in paths:
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports() -> dict[str, set[str]]:
    """For each folder, the other folders from which it imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, path in modules().items():
        folder = folder_of(module)
        if folder is not None:
            names = imported(ast.parse(path.read_text(encoding="utf-8")))
            found[folder] |= {other for name in names if (other := folder_of(name))} - {folder}
    return found


def test_imports_are_those_of_the_table() -> None:
    table = {
        folder.strip("`"): set(re.findall("`(.*?)`", allowed)) for folder, _, allowed in rows()
    }
    found = imports()
    assert set(found) | {LOGIC} == set(table)
    for folder in set(table) - {CLI}:
        assert found[folder] <= table[folder], folder


def test_the_table_goes_one_way() -> None:
    """A folder may import from those above it only; the last is imported by none."""
    above: set[str] = set()
    for folder, _, allowed in rows():
        assert set(re.findall("`(.*?)`", allowed)) <= above
        above.add(folder.strip("`"))
    assert rows()[-1][0] == f"`{CLI}`"


def test_the_commands_import_late_what_takes_long() -> None:
    look = "import sys, verified_mlp.cli.main, verified_mlp.cli.verify; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "verified_mlp.cli.verify" in loaded
    assert not loaded & {"proofs", "numeric", "z3", "scipy", "sympy"}


def test_no_number_of_the_exact_part_is_a_float() -> None:
    for path in modules().values():
        folder = path.relative_to(ROOT).parts[:2]
        if folder[0] == "numeric" or folder == ("verified_mlp", "cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), path
