"""Writing files so that they appear whole or not at all, reading small ones, and locking a folder.

A file is written under a temporary name (``.<name>.part``) in its own folder, synced, renamed, and
its folder synced; only then does it count.  A new folder is synced into the one above it first.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import EmomediaError, OutputBusyError, OutputError

_PART_SUFFIX = ".part"

_NO_FOLDER_LOCKS = (errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EISDIR)
"""What network file systems say to a lock on a folder; on a file in it they grant one."""

_LOOK_SECONDS = 0.05
"""More than :func:`is_held` takes."""

_BLOCK = 1 << 20

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What they say that grant none at all."""

_FOUND = {errno.EISDIR: "a folder", errno.ENOTDIR: "a file where a folder belongs"}
_FULL = "free space or choose another --out, then run again to continue"
_REFUSED = "make it writable, or choose another --out"
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _REFUSED,
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.EMFILE: "raise the limit of open files (ulimit -n), or use fewer --workers",
    errno.ENOMEM: "use fewer --workers, and run again",
    errno.ENFILE: "close other programs: the whole system has too many files open",
}


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


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, each synced into the folder that it lies in."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        with suppress(PermissionError):  # one may write in a folder that one may not read
            sync_folder(new.parent)


def publish(part: Path, path: Path) -> None:
    """Sync `part`, give it its final name `path`, sync the folder."""
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)
    sync_folder(path.parent)


def error_text(error: Exception) -> str:
    """An error in words: the system's (``no space left on device``), or a parser's."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _FOUND:
        return _FOUND[number]
    return os.strerror(number).lower() if number else str(error)


def output_error(path: Path, error: OSError) -> OutputError:
    """The error about `path`, which could not be written because of `error`."""
    return OutputError(
        path,
        expected="a writable folder with room",
        found=error_text(error),
        remedy=_REMEDIES.get(error.errno or 0, "free space or choose another --out"),
    )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn system errors in the ``with`` block into an :class:`OutputError` about `path`."""
    try:
        yield
    except EmomediaError:
        raise
    except OSError as error:
        raise output_error(path, error) from error


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; on success it becomes `path`, on failure it is removed.

    A plain file that holds just what was written stays, and keeps its date.
    """
    part = part_path(path)
    try:
        with writing(path):
            make_folder(path.parent)
            part.unlink(missing_ok=True)  # an old one might be a link to another place
            yield part
            if not _alike(part, path):
                publish(part, path)
    finally:
        with suppress(OSError):
            part.unlink()


def _alike(part: Path, path: Path) -> bool:
    """Whether `path` is a plain file with the bytes of `part`."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != part.stat().st_size:
            return False
        with part.open("rb") as new, path.open("rb") as old:
            return all(block == old.read(_BLOCK) for block in iter(lambda: new.read(_BLOCK), b""))
    except OSError:
        return False


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic(path) as part:
        part.write_bytes(data)


def is_utf8(path: Path) -> bool:
    """Whether a path's bytes are UTF-8; names on disk need not be."""
    return not any("\udc80" <= letter <= "\udcff" for letter in str(path))


def read_small(path: Path, most: int) -> bytes:
    """The bytes of a plain file, of which no more than `most` are ever in memory.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is longer, or not a regular file: a pipe or a device might never end.
    """
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise ValueError("something that is not a regular file")
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"more than {most >> 20} MiB, the most that is read")
    return data


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

    On file systems that lock files alone it lies on a file ``.lock`` in it, which stays.

    Raises
    ------
    OutputBusyError
        If another process holds it and `wait` is false.
    OutputError
        If there is no such folder and none can be made.
    """
    try:
        make_folder(folder)
        descriptor = _lock(folder, fcntl.LOCK_EX) if wait else _lock_soon(folder)
    except BlockingIOError as error:
        raise OutputBusyError(
            folder,
            expected="a folder that no other run works in",
            found="another emomedia process holding it",
            remedy="wait for it to end, or choose another --out",
        ) from error
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise OutputError(
                folder,
                expected="a file system with locks",
                found=error_text(error),
                remedy="mount it with locks (NFS 4, Lustre with flock), or choose another --out",
            ) from error
        raise output_error(folder, error) from error
    try:
        yield
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether a process holds `folder` now."""
    try:
        os.close(_lock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB))
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock_soon(folder: Path) -> int:
    """The lock, with a second try: another process may only be checking whether it is held."""
    how = fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        return _lock(folder, how)
    except BlockingIOError:
        time.sleep(_LOOK_SECONDS)
        return _lock(folder, how)


def _lock(folder: Path, how: int) -> int:
    """An open descriptor that holds the lock."""
    try:
        return _flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), how)
    except OSError as error:
        if error.errno not in _NO_FOLDER_LOCKS:
            raise
    return _flock(os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666), how)


def _flock(descriptor: int, how: int) -> int:
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
