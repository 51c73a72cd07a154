"""A small disk of its own: a tmpfs that fills up, and can be enlarged."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PRIVATE = "EMOMEDIA_PRIVATE_MOUNTS"


def mounting_refused() -> str | None:
    """Why this process may not mount a disk, if so."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "small", "/mnt"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"mounting is not allowed here: {tried.stderr.strip()}"


def enter_private_mounts(module: str) -> None:
    """Start `module` again, with its arguments, where its mounts are seen by nobody else."""
    if _PRIVATE not in os.environ:
        os.environ[_PRIVATE] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-m", module, *sys.argv[1:]])


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """An empty disk of `size` bytes at `place`."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def enlarge(place: Path, size: int) -> None:
    """Give the disk at `place` more room."""
    subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)


def used(place: Path) -> int:
    """Bytes that are taken on the disk at `place`."""
    status = os.statvfs(place)
    return (status.f_blocks - status.f_bfree) * status.f_frsize
