"""Native functions that see each composite inside the core, before it is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import _core


@dataclass(frozen=True, slots=True)
class NativeObserver:
    """A function of the type that csrc/include/emomedia/observer.h describes.

    Attributes
    ----------
    name, version : str
        What it measures; part of the key of every chunk and clip, so that those seen by another one, or by
        another version of this one, are made again.
    measures : tuple of str
        Names of the values that it writes for each frame.
    address : int
        Where it is, such as ``numba.cfunc``'s; it and what is at `context` must outlive the run.
    context : int
        Its first argument.
    """

    name: str
    version: str
    measures: tuple[str, ...]
    address: int
    context: int = 0

    def cache_key(self) -> list[Any]:
        """What its values depend on besides the pictures."""
        return [self.name, self.version, list(self.measures)]

    def core(self) -> _core.Observer:
        """The observer as the core takes it."""
        from . import _core

        return _core.Observer(address=self.address, measures=len(self.measures), context=self.context)
