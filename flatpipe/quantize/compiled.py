"""How kernels are compiled, kept and called."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

import numpy as np

from flatpipe.quantize.kernel_cache import KernelFiles
from flatpipe.quantize.machine_code import compiler_for, load_machine_code, machine_code_of

_Function = TypeVar("_Function", bound=Callable[..., object])
Variant = Callable[..., Any]
_NUMBERS = {int, float, bool}
_making = threading.Lock()
# ^ of dispatchers: numba must know each kernel as one, also when two threads compile what calls it


def kernel(function: _Function) -> _Function:
    """Return `function` compiled on its first call: free of the interpreter's lock, kept in a cache on disk.

    The cache lies beside the module, or in the user's cache folder where that is read-only. Where no folder can be
    written to, every process compiles for itself. No fast-math: results must not depend on the machine.
    """
    return cast(_Function, Kernel(function))


class Kernel:
    """A function as machine code: one variant for each list of argument types, found on disk or else compiled.

    Arguments are given by position: arrays, numbers, and tuples of them. A process that finds all its variants does
    without numba.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function
        self.variants: dict[str, Variant] = {}
        # ^ by the types of their arguments
        self.compiled = 0
        # ^ variants that this process has compiled
        self._variant_of: dict[tuple[object, ...], Variant] = {}
        # ^ the same by their `_kinds`, which are faster to tell
        self._dispatcher: Any = None
        self._lock = threading.Lock()
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """Call the variant for these arguments."""
        kinds = _kinds(arguments)
        variant = self._variant_of.get(kinds)
        if variant is None:
            variant = self._variant_of[kinds] = self._variant(arguments)
        return variant(*arguments)

    @property
    def dispatcher(self) -> Any:
        """The function in the hands of numba, which is imported for it."""
        with _making:
            if self._dispatcher is None:
                self._dispatcher = compiler_for(self.function)
            return self._dispatcher

    @property
    def _numba_type_(self) -> Any:
        """What numba takes a kernel for that another one calls."""
        return self.dispatcher._numba_type_

    def _variant(self, arguments: tuple[Any, ...]) -> Variant:
        """Return the variant for these arguments, found on disk or else compiled and kept there."""
        types = ", ".join(map(_described, arguments))
        with self._lock:
            if types not in self.variants:
                files = KernelFiles.of(self.function)
                self.variants[types] = self._loaded(files, types) or self._compiled(files, types, arguments)
            return self.variants[types]

    def _loaded(self, files: KernelFiles, types: str) -> Variant | None:
        code = files.load(types)
        try:
            return None if code is None else load_machine_code(code)
        except Exception:  # noqa: BLE001 - another LLVM, say; whatever it is, the kernel is compiled instead
            return None

    def _compiled(self, files: KernelFiles, types: str, arguments: tuple[Any, ...]) -> Variant:
        self.compiled += 1
        code, variant = machine_code_of(self.dispatcher, arguments)
        if code is not None:
            files.save(types, code)
        return variant


def _kinds(values: tuple[Any, ...]) -> tuple[object, ...]:
    """Return what is equal for values of equal types and, where they are arrays, of one memory layout.

    One expression for all values of a tuple: with as little as this, calls are as fast as numba's own.
    """
    return tuple([
        (value.dtype, value.ndim, value.flags.num) if (own := type(value)) is np.ndarray
        else own if own in _NUMBERS
        else (own, *_kinds(value)) if isinstance(value, tuple)
        else (own, value.dtype, value.ndim, value.flags.num)
        # ^ a number or an array of another class
        for value in values
    ])  # fmt: skip


def _described(argument: Any) -> str:
    """Return the argument's type in words: one for all kinds that are compiled alike, the same in every process."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        access = ("w" if flags.writeable else "r") + ("" if flags.aligned else "u")
        return f"{argument.dtype.str}[{argument.ndim}{order}{access}]"
    if isinstance(argument, tuple):
        own = type(argument)
        return f"{own.__module__}.{own.__qualname__}({', '.join(map(_described, argument))})"
    return np.dtype(type(argument)).str
