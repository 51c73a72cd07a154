"""Loops over arrays, compiled by numba when first called, and kept on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba.core.caching import FunctionCache

_Cache: Any = FunctionCache  # untyped


class _Kept(_Cache):  # type: ignore[misc]
    """What numba keeps on disk: where that is broken or full, loops are compiled as if nothing were kept."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever unpickling raises
            with suppress(Exception):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(Exception):
            super().save_overload(sig, data)


def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """`loop`, compiled; it runs without the GIL and adds in the order in which it is written.

    Where neither the package's folder nor a cache of the user's can be written, it is compiled again in every
    process, which takes a second or two.
    """
    made: Any = numba.njit(nogil=True)(loop)
    with suppress(RuntimeError):  # numba's word for having no place to keep it
        made._cache = _Kept(loop)  # as its enable_caching() does
    found: Callable[..., None] = made
    return found
