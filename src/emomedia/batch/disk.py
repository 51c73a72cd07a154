"""Whether the output folder's disk has room for what a batch is still to write."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..layout import SessionFolder
from . import space
from .progress import Share, lengths
from .sessions import Entry

_DOUBTS_SECONDS = 600.0
"""After which a disk that was full is tried again though no room was made: quotas and inodes do not show."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A session that needs room; its footage's seconds, None if not known yet."""

    entry: Entry
    seconds: float | None

    @property
    def size(self) -> int:
        """Estimated bytes that it takes while it runs."""
        return space.session_bytes(self.seconds or 0, self.entry.options)


class Disk:
    """The disk of the output folder `out`; `free_bytes` returns how much of it is free."""

    def __init__(self, out: Path, free_bytes: Callable[[Path], int]) -> None:
        self._out, self._free_bytes = out, free_bytes
        self._full_at: int | None = None
        self._full_since = 0.0

    def was_full(self) -> None:
        """A task found the disk full, whatever seemed free: for a while, require more free space than now."""
        self._full_at, self._full_since = self._free_bytes(self._out), time.monotonic()

    def room(self, demands: Sequence[Demand]) -> tuple[int, int]:
        """Bytes that are free, and bytes that all of `demands` need at the same time."""
        free = self._free_bytes(self._out)
        needed = space.RESERVE + sum(demand.size for demand in demands)
        if free < needed:
            needed = space.RESERVE + sum(self._missing(demand.entry, demand.size) for demand in demands)
        if self._full_at is not None and time.monotonic() - self._full_since < _DOUBTS_SECONDS:
            needed = max(needed, self._full_at + space.RESERVE // 4)
        if free >= needed:
            self._full_at = None
        return free, needed

    def forecast(self, demands: Sequence[Demand]) -> str | None:
        """A line for people if the disk will not hold what all remaining sessions leave."""
        seconds = lengths([Share(d.entry.media_bytes, d.seconds, 0) for d in demands])
        lasting = [
            (demand.entry, space.lasting_bytes(length, demand.entry.options))
            for demand, length in zip(demands, seconds, strict=True)
        ]
        needed, free = sum(size for _, size in lasting), self._free_bytes(self._out)
        if needed > free:
            needed = sum(self._missing(entry, size) for entry, size in lasting)
        if needed <= free:
            return None
        return (
            f"{self._out}: {space.size_text(free)} free, and about {space.size_text(needed)} needed for "
            f"{sum(seconds) / 3600:.2f} hours of footage; the batch pauses when it is full"
        )

    def _missing(self, entry: Entry, whole: int) -> int:
        """What of `whole` bytes a session has not written yet; takes a look at every file that is there."""
        return max(0, whole - space.present_bytes(SessionFolder(self._out, entry.id).path))
