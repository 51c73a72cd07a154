"""emomedia: raw footage of two people talking, turned into a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _core as _core

__version__ = "0.1.0"
