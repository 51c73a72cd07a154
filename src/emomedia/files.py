"""Writing files so that they appear whole or not at all, hashing them, and locking a folder.

A file is written under a temporary name (``.<name>.part``) in its own folder, synced, renamed, and
its folder synced; only then does it count.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import EmomediaError, OutputBusyError, OutputError

_PART_SUFFIX = ".part"


def part_path(path: Path) -> Path:
    """The temporary name under which `path` is written."""
    return path.with_name(f".{path.name}{_PART_SUFFIX}")


def sync_folder(folder: Path) -> None:
    """Make renames within `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(part: Path, path: Path) -> None:
    """Sync `part`, give it its final name `path`, sync the folder."""
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)
    sync_folder(path.parent)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; on success it becomes `path`, on failure it is removed."""
    part = part_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        publish(part, path)
    except EmomediaError:
        raise
    except OSError as error:
        raise OutputError(
            path,
            expected="a writable folder with room",
            found=str(error),
            remedy="free space or choose another --out",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic(path) as part:
        part.write_bytes(data)


def canonical_json(value: Any) -> str:
    """`value` as JSON with one spelling: keys in the order given, no space, Unicode as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files that an interrupted run left below `folder`."""
    for part in folder.rglob(f".*{_PART_SUFFIX}"):
        if part.is_file() or part.is_symlink():
            part.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold `folder` for this process; the lock lies on the folder itself and leaves no file behind.

    Raises
    ------
    OutputBusyError
        If another process holds it and `wait` is false.
    OutputError
        If there is no such folder and none can be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise OutputError(
            folder,
            expected="a folder that can be written to",
            found=str(error),
            remedy="choose another --out",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise OutputBusyError(
                folder,
                expected="a folder that no other run works in",
                found="another emomedia process holding it",
                remedy="wait for it to end, or choose another --out",
            ) from error
        yield
    finally:
        os.close(descriptor)
