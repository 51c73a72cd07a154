"""Disk space: what sessions take, what is free, what a session has written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..options import DEFAULT_CRF, Options

PICTURE_BYTES = 1_100_000
"""Bytes that a second of one picture of grainy footage takes at the default quality; six steps of the rate
factor halve or double it."""

SOUND_BYTES = 400_000
"""Bytes that a second of two tracks takes, as FLAC and with the clips' AAC."""

_SHOWN = 2
"""A moment is in its dialogue's clip and, mostly, in a turn's."""

RESERVE = 32 << 20
"""Bytes that are left to others, and to the ledger."""


def session_bytes(seconds: float, options: Options) -> int:
    """Estimated bytes that a session of this length takes while it runs: clips, voices, chunks, scratch."""
    pictures = PICTURE_BYTES * len(options.layout) * 2 ** float((DEFAULT_CRF - options.crf) / 6)
    return int(seconds * ((_SHOWN + 1) * pictures + (_SHOWN + 1) * SOUND_BYTES))


def lasting_bytes(seconds: float, options: Options) -> int:
    """Estimated bytes of it that stay."""
    return session_bytes(seconds, options) * _SHOWN // (_SHOWN + 1)


def free_bytes(folder: Path) -> int:
    """Bytes that this user can still write there."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def present_bytes(folder: Path) -> int:
    """Bytes that a session has written; it may be running, so files may vanish while they are counted."""
    size = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += Path(where, name).lstat().st_size
    return size


def size_text(size: float) -> str:
    """``1.2 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
