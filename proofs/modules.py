"""Gadgets of a user's own modules: importing them, and sentences for what is wrong with them."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from ctypes import ArgumentError
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import numpy as np

import proofs
import verified_mlp
from proofs.definite import NotAValue, definite
from proofs.exhaustive import first_failure
from proofs.expanded import WRITABLE_ENTRIES, confirm, entry_count
from proofs.results import Result, Verdict
from proofs.scripts import SCRIPTS
from verified_mlp.gadgets.registry import Entry, entries
from verified_mlp.machine.shape import Shape
from verified_mlp.statement.network import Gadget, Network


class ModuleFault(Exception):
    """What is wrong with a user's module or gadget; its text is a sentence."""


def gadgets(shape: Shape, names: tuple[str, ...]) -> list[Gadget]:
    """The gadgets that the modules enter at a shape, and those that these place, by title.

    A name is a module's dotted name or the path of its file; a package stands for all modules in
    it.  Raises ModuleFault.
    """
    found: dict[str, tuple[Gadget, str]] = {}
    for name in names:
        modules = load(name)
        entered = [entry for module in modules for entry in entries(module.__name__)]
        if not entered:
            raise ModuleFault(
                f"{name} ({_shown(modules[0])}) enters no gadget: put @gadget(), from "
                "verified_mlp.gadgets.registry, before each function that makes one."
            )
        made = [pair for entry in entered for pair in _made(entry, shape)]
        if not made:
            raise ModuleFault(
                f"{name} ({_shown(modules[0])}) has no gadget at {shape}: its settings name none."
            )
        for gadget, origin in made:
            for each, place in ((gadget, origin), *_placed(gadget.network, gadget.title)):
                _add(found, each, place)
    return [definite(found[title][0]) for title in sorted(found)]


def _add(found: dict[str, tuple[Gadget, str]], gadget: Gadget, origin: str) -> None:
    known, before = found.setdefault(gadget.title, (gadget, origin))
    if known is not gadget:
        raise ModuleFault(
            f"two gadgets are called {gadget.title} ({before}; {origin}): give them different "
            "names, or make it once, by a function with @gadget()."
        )


def _made(entry: Entry, shape: Shape) -> Iterator[tuple[Gadget, str]]:
    """The gadgets of an entry, each with where it is entered."""
    code = entry.build.__wrapped__.__code__  # type: ignore[attr-defined]  # see `gadget`
    origin = _line(code.co_filename, code.co_firstlineno)
    with faults(f"the settings of {entry.name} cannot be listed"):
        settings = list(entry.settings(shape))
    for arguments in settings:
        with faults(f"gadget {entry.name} cannot be made"):
            made = entry.build(**arguments)
            if not isinstance(made, Gadget):
                what = f"it gives a value of type {type(made).__name__}, not a Gadget"
                raise NotAValue(what, (code.co_filename, code.co_firstlineno))
        if made.name in SCRIPTS and not entry.module.startswith("verified_mlp."):
            raise ModuleFault(
                f"a gadget is called {made.name} ({origin}), as is one of this project, whose "
                "proof script would not fit it: give it another name."
            )
        yield made, origin


def _placed(network: Network, title: str) -> Iterator[tuple[Gadget, str]]:
    for layer in network.layers:
        for placed in layer.placed:
            if placed.gadget is not None:
                yield placed.gadget, f"placed in {title}"
                yield from _placed(placed.gadget.network, placed.gadget.title)


@cache
def load(name: str) -> list[ModuleType]:
    """The module of that name or path; for a package, also the modules in it, at any depth.

    The current directory, or that of the file, is searched after what is installed.  Raises
    ModuleFault.
    """
    module = _from_path(name) if _is_path(name) else _from_name(name)
    found = [module]
    for below in walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
        if not below.name.endswith(".__main__"):
            found.append(_imported(below.name))
    return found


def _is_path(name: str) -> bool:
    return name.endswith(".py") or "/" in name


def _from_name(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ModuleFault(
            f"{name!r} is not the name of a module: give a dotted name, such as package.gadgets, "
            "or the path of a .py file."
        )
    _search(Path.cwd())
    try:
        return _imported(name)
    except _Missing as error:
        raise ModuleFault(
            f"there is no module {error} in the current directory or among the installed "
            "packages: give a dotted name, or the path of a .py file."
        ) from None


def _from_path(name: str) -> ModuleType:
    path = Path(name).absolute()
    if path.suffix != ".py" or not path.is_file():
        raise ModuleFault(f"there is no Python file {name}: give the path of a .py file.")
    root, parts = path.parent, [] if path.stem == "__init__" else [path.stem]
    while (root / "__init__.py").is_file():
        root, parts = root.parent, [root.name, *parts]
    dotted = ".".join(parts)
    _search(root)
    if all(part.isidentifier() for part in parts):
        with faults(f"{name} cannot be imported"):
            known = importlib.util.find_spec(dotted)
        if known and known.origin and Path(known.origin).resolve() == path.resolve():
            return _imported(dotted)
    # Another module has this name: the file's path is a name that no other has.
    unique = str(path.resolve())
    if unique not in sys.modules:
        spec = importlib.util.spec_from_file_location(unique, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[unique] = module
        with faults(f"{name} cannot be imported"):
            spec.loader.exec_module(module)
    return sys.modules[unique]


def _search(folder: Path) -> None:
    # Behind all others, so that no file of the user's takes the place of one of ours.
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


class _Missing(Exception):
    """The name of a module that is not there."""


def _imported(name: str) -> ModuleType:
    with faults(f"{name} cannot be imported"):
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name and f"{name}.".startswith(f"{error.name}.") and _place(error) is None:
                raise _Missing(error.name) from None
            raise


@contextmanager
def faults(what: str) -> Iterator[None]:
    """Within the block, what goes wrong in a user's code is raised as a ModuleFault that begins
    with `what` and gives the file and line.
    """
    try:
        yield
    except (ModuleFault, _Missing, ArgumentError):  # the last may be Ctrl-C: see `workers`
        raise
    except (Exception, SystemExit) as error:
        raise ModuleFault(f"{what}: {described(error)}") from None


def faults_of(names: tuple[str, ...], what: str) -> AbstractContextManager[None]:
    """`faults`, where modules are named; else nothing of a user's is at work."""
    return faults(what) if names else nullcontext()


def described(error: BaseException) -> str:
    """The file and line of the user's code where an error was raised, its type and message."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    text = " ".join(message.split()).rstrip(".")
    if not isinstance(error, NotAValue):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    place = _place(error)
    return f"{place}: {text}." if place else f"{text}."


def _place(error: BaseException) -> str | None:
    if isinstance(error, SyntaxError) and error.filename:
        return _line(error.filename, error.lineno)
    if isinstance(error, NotAValue) and error.place:
        return _line(*error.place)
    place, at = None, error.__traceback__
    while at is not None:
        if _is_users(at.tb_frame.f_code.co_filename):
            place = _line(at.tb_frame.f_code.co_filename, at.tb_lineno)
        at = at.tb_next
    return place


_OURS = [Path(next(iter(each.__path__))) for each in (verified_mlp, proofs, np)]
_STANDARD = Path(sysconfig.get_path("stdlib"))


def _is_users(filename: str) -> bool:
    path = Path(filename)
    if filename.startswith("<") or any(path.is_relative_to(folder) for folder in _OURS):
        return False
    return not path.is_relative_to(_STANDARD) or "site-packages" in path.parts


def _line(filename: str, line: int | None) -> str:
    return f"{_relative(filename)}, line {line}"


def _relative(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _shown(module: ModuleType) -> str:
    return _relative(module.__file__) if module.__file__ else "without a file"


def confirmed(gadget: Gadget, results: list[Result]) -> list[Result]:
    """The results of a gadget; if all are PROVED and a number refutes them all the same, ERROR.

    A specification could mean one thing for terms and another for numbers (`x % -3`, say).
    """
    if any(each.verdict is not Verdict.PROVED for each in results):
        return results
    if entry_count(gadget) > WRITABLE_ENTRIES:
        return results
    _, failing = first_failure(gadget)
    found = confirm(gadget, failing) if failing is not None else None
    if found is None:
        return results
    detail = "it was proved, but fails on numbers: the specification means something else for terms"
    return [
        replace(each, verdict=Verdict.ERROR, detail=detail, counterexample=found)
        for each in results
    ]
