"""Stands for numba on a GPU machine that lacks it; numba itself is as large as all that is carried there.

Loops run as plain Python, and the function that would look at the engine's pictures does nothing: clips are
what they are, what the audit says of their pictures is not.
"""

import ctypes
import sys
from types import ModuleType, SimpleNamespace
from typing import Any


def njit(**_: Any) -> Any:
    return lambda loop: loop


class FunctionCache:
    """Nothing is compiled, and nothing kept."""

    def __init__(self, _: Any) -> None:
        pass


for _name in ("numba.core", "numba.core.caching"):
    sys.modules[_name] = ModuleType(_name)
sys.modules["numba.core.caching"].FunctionCache = FunctionCache  # type: ignore[attr-defined]

_nothing = ctypes.CFUNCTYPE(None)(lambda: None)


def cfunc(*_: Any, **__: Any) -> Any:
    address = ctypes.cast(_nothing, ctypes.c_void_p).value
    return lambda _: SimpleNamespace(address=address)


carray = None


class _Types:
    void = CPointer = staticmethod(lambda *_: None)

    def __getattr__(self, name: str) -> None:
        return None


types = _Types()
