"""Functions as machine code: taken out of numba's hands, and put to work in another process without it.

numba takes a fifth of a second to import and twice that for its rules of typing. What it makes needs none of that: an
object file, which LLVM's linker (llvmlite) puts into memory, and three small C modules of numba's that the code calls
for arrays and memory. Those are imported alone, without the package around them.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numpy as np
from llvmlite import binding as llvm

_HARMLESS = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS"}
# ^ settings of numba that no machine code depends on


@dataclass(frozen=True)
class MachineCode:
    """A function for one list of argument types, with all that it calls."""

    object_file: bytes
    # ^ relocatable code for one kind of processor
    entry: str
    # ^ symbol of the function that takes and returns Python objects
    environment: str
    # ^ symbol of its own constants
    constants: tuple[tuple[str, tuple[object, ...]], ...]
    # ^ by symbol, the Python objects that the code refers to: types of arrays that it returns, classes of tuples
    needs: tuple[str, ...]
    # ^ symbols that it calls or reads and does not hold


# --- numba: compiling ------------------------------------------------------------------------------------------------


def compiler_for(function: Callable[..., object]) -> Any:
    """Return numba's dispatcher for a function; the function itself where numba is told not to compile."""
    from numba import njit

    return njit(nogil=True)(function)


def machine_code_of(dispatcher: Any, arguments: tuple[Any, ...]) -> tuple[MachineCode | None, Callable[..., Any]]:
    """Return what numba makes of a function for arguments of these types: as code to be kept, and to be called.

    There is none to be kept where numba does not compile, or has it in another form than is known here.
    """
    if not hasattr(dispatcher, "compile"):
        return None, dispatcher
    import numba

    types = tuple(map(numba.typeof, arguments))
    dispatcher.compile(types)
    result = dispatcher.overloads[types]
    try:
        _, kind, (object_file, *_) = result.library.serialize_using_object_code()
        referred = result._find_referenced_environments()
        constants = tuple((one.env_name, tuple(one.consts)) for one in referred)
        entry, own = result.fndesc.llvm_cpython_wrapper_name, result.environment.env_name
        code = MachineCode(object_file, entry, own, constants, _needed(result.library._final_module))
    except (AttributeError, ValueError):
        return None, result.entry_point
    return (code if kind == "object" else None), result.entry_point


def _needed(module: Any) -> tuple[str, ...]:
    named = (*module.functions, *module.global_variables)
    return tuple(one.name for one in named if one.is_declaration and not one.name.startswith("llvm."))


# --- without numba: loading ------------------------------------------------------------------------------------------


def load_machine_code(code: MachineCode) -> Callable[..., Any]:
    """Return the function that the code is; it stays in memory for good.

    Raises LookupError for code that needs what is not there: LLVM would end the process. And whatever LLVM does raise.
    """
    _prepare()
    engine = _new_engine()
    # ^ with the first one LLVM comes to know the functions of this process
    missing = [symbol for symbol in code.needs if not llvm.address_of_symbol(symbol)]
    if missing:
        raise LookupError(", ".join(missing))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.object_file))
    engine.finalize_object()
    function_maker = _bare("numba._dynfunc")
    environments = {symbol: function_maker.Environment({}) for symbol, _ in code.constants}
    for symbol, constants in code.constants:
        environments[symbol].consts[:] = constants
        ctypes.c_void_p.from_address(engine.get_global_value_address(symbol)).value = id(environments[symbol])
    made: Callable[..., Any] = function_maker.make_function(
        sys.modules[__name__],
        code.entry,
        "A compiled kernel.",
        engine.get_function_address(code.entry),
        environments[code.environment],
        (engine, environments),
    )
    return made


def processor() -> str:
    """Return what machine code depends on beside its source: the processor, and settings of numba."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("NUMBA_")}
    chosen = sorted(item for item in settings.items() if item[0] not in _HARMLESS)
    return f"{_host()} {chosen}"


@cache
def _host() -> str:
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


@cache
def compiler_versions() -> str:
    """Return the versions of what compiles and of what the code calls, without importing numba for it."""
    numba = (_numba_folder() / "_version.py").read_text(encoding="utf-8")
    return f"{numba} {llvmlite.__version__} {np.__version__}"


@cache
def _numba_folder() -> Path:
    spec = importlib.util.find_spec("numba")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("numba is not installed", name="numba")
    return Path(spec.submodule_search_locations[0])


def _bare(name: str) -> ModuleType:
    """Return a C module of numba's, imported alone; the package, when it is imported later, finds it there."""
    if name not in sys.modules:
        folder = _numba_folder().joinpath(*name.split(".")[1:-1])
        spec = PathFinder.find_spec(name, [str(folder)])
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(name, name=name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


@cache
def _prepare() -> None:
    """Tell LLVM's linker where the functions are that machine code calls."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for module in ("numba._helperlib", "numba._dynfunc"):
        for name, address in _bare(module).c_helpers.items():
            llvm.add_symbol(f"numba_{name}", address)
    for name, address in _bare("numba.core.runtime._nrt_python").c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
    if "numba" not in sys.modules:
        llvm.add_symbol("numba_unpickle", ctypes.cast(_unpickle, ctypes.c_void_p).value)


def _new_engine() -> Any:
    """Return a linker's memory for one function with all that it calls: names of one never meet those of another."""
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


_unpickled: dict[int, object] = {}


@ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
def _unpickle(address: int, size: int, _digest: int) -> object:
    """Return what machine code holds pickled: the class of an array, or of an error.

    numba's own function of this name imports numba.
    """
    if address not in _unpickled:
        _unpickled[address] = pickle.loads(ctypes.string_at(address, size))  # noqa: S301 - part of the machine code
    return _unpickled[address]
    # ^ what is loaded stays, so an address always means the same
