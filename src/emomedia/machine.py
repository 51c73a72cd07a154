"""What this process may use of its machine: cores and memory, within the limits of its control groups.

Containers and schedulers give a part of a machine by affinity, or by a group's quota of time and memory,
which neither the affinity nor /proc/meminfo shows.  Groups of both versions are asked, and those above a
process's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """Cores that this process may run on, or as many as it is given the time of."""
    return min([len(os.sched_getaffinity(0)), *_cores_given()])


def free_memory() -> int:
    """Bytes that are available now."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    amounts = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines}
    return min([amounts["MemAvailable"], *_memory_left()])


def _cores_given() -> Iterator[int]:
    for group in _groups():
        v1 = [*_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us")]
        share = _words(group / "cpu.max") or v1
        if len(share) == 2 and all(map(str.isdigit, share)):  # not where there is no limit
            quota, period = map(int, share)
            yield max(1, -(-quota // max(1, period)))


def _memory_left() -> Iterator[int]:
    """What the groups' limits leave; cached files count as used there, but give way."""
    for group in _groups():
        limit = _words(group / "memory.max") or _words(group / "memory.limit_in_bytes")
        used = _words(group / "memory.current") or _words(group / "memory.usage_in_bytes")
        if len(limit) == len(used) == 1 and limit[0].isdigit():
            words = _words(group / "memory.stat")
            counts = dict(zip(words[::2], map(int, words[1::2]), strict=False))
            cached = (
                counts.get(f"total_{name}", counts.get(name, 0)) for name in ("inactive_file", "active_file")
            )
            yield int(limit[0]) - int(used[0]) + sum(cached)


def _groups() -> Iterator[Path]:
    """The folders of this process's groups and of those above, as far as there are any to be seen."""
    try:
        lines = _OWN.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        own = PurePosixPath(path.lstrip("/"))
        for name in {controllers, *controllers.split(",")}:  # the folder of cpuacct,cpu may be cpu,cpuacct
            yield from (_GROUPS / name / part for part in (own, *own.parents))


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []
