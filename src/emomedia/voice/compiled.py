"""Loops over arrays, compiled by numba when first called, and kept on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable

import numba


def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """`loop`, compiled; it runs without the GIL and adds in the order in which it is written.

    Where neither the package's folder nor a cache of the user's can be written, it is compiled anew in every
    process, which takes a second or two.
    """
    try:
        made: Callable[..., None] = numba.njit(nogil=True, cache=True)(loop)
    except RuntimeError:  # numba's word for having no place to keep it
        made = numba.njit(nogil=True)(loop)
    return made
