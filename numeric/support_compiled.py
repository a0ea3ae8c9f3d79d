"""Machine code: compiled with LLVM where `llvmlite` is installed, and kept.

The code is kept in the cache folder by everything on which it depends, so that it is compiled once
on a machine; a file that is damaged is not there.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numeric.lower import Array
from proofs.cache import folder

_DIGEST = 32


def available() -> bool:
    """Whether plans can be compiled here."""
    return find_spec("llvmlite") is not None


class Code:
    """The machine code of a function `run`, whose parameters are arrays ("a") and integers ("i")
    and which returns an integer.

    >>> code = Code("define i64 @run(i64 %x, i64 %y) { %z = add i64 %x, %y ret i64 %z }", "ii")
    >>> code.compile()
    >>> code.run(3, 4)
    7
    """

    def __init__(self, written: str, parameters: str, kept: bool = True) -> None:
        self._written = written
        self._parameters = parameters
        self._kept = kept
        self._engine: Any = None
        self._run: Callable[..., int] | None = None

    def load(self) -> bool:
        """Load the code that was kept; says whether there was any."""
        if self._run is None and self._kept and (found := _kept(self._path)) is not None:
            self._link(found)
        return self._run is not None

    def compile(self) -> None:
        """Load the code that was kept, or compile and keep it."""
        if not self.load():
            code = _compiled(self._written)
            if self._kept:
                _keep(self._path, code)
            self._link(code)

    def run(self, *arguments: Array | int) -> int:
        """Call the function, compiled before; arrays are contiguous, and written in place."""
        assert self._run is not None
        numbers = (each if isinstance(each, int) else _at(each) for each in arguments)
        return int(self._run(*numbers))

    @property
    def _path(self) -> Path:
        binding = _binding()
        version, triple = binding.llvm_version_info, binding.get_process_triple()
        parts = (version, triple, *_processor(), self._written)
        name = hashlib.sha256(repr(parts).encode()).hexdigest()
        return folder() / "code" / name

    def _link(self, code: bytes) -> None:
        binding = _binding()
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
        engine.add_object_file(binding.object_file.ObjectFileRef.from_data(code))
        engine.finalize_object()
        kinds = {"a": ctypes.c_void_p, "i": ctypes.c_int64}
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *(kinds[each] for each in self._parameters))
        self._engine = engine  # the code is there as long as this is
        self._run = kind(engine.get_function_address("run"))


def _at(array: Array) -> int:
    assert array.flags.c_contiguous
    return int(array.ctypes.data)


@cache
def _binding() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


@cache
def _processor() -> tuple[str, str]:
    """The name and the features of this processor."""
    binding = _binding()
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def _machine() -> Any:
    """A target machine; whatever uses one owns it."""
    name, features = _processor()
    target = _binding().Target.from_default_triple()
    return target.create_target_machine(cpu=name, features=features, opt=2, jit=True)


def _compiled(written: str) -> bytes:
    binding, machine = _binding(), _machine()
    module = binding.parse_assembly(written)
    module.verify()
    tuning = binding.create_pipeline_tuning_options(speed_level=1)
    tuning.slp_vectorization = True
    passes = binding.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


def _kept(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    checksum, code = content[:_DIGEST], content[_DIGEST:]
    return code if hashlib.sha256(code).digest() == checksum else None


def _keep(path: Path, code: bytes) -> None:
    """Keep the code, whole or not at all; where there is no place, it is compiled anew."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.sha256(code).digest() + code)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError:
        return
