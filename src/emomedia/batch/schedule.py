"""Which tasks may start now, given what they need and what is free.  Pure.

Tasks wait in the order of their importance.  Cores that are left over go to tasks that can use more than
one, in equal shares: while sessions are many each has one core, so that no core waits for another at a
session's end; when few are left, the last ones have several.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Room:
    """Resources in all, or those that are free: cores, GPUs, bytes of memory.

    `machine_cores` are those of the largest machine, where there are several: no task has more.
    """

    cores: int
    gpus: float = 0
    memory: int = 1 << 62
    machine_cores: int = 1 << 16


@dataclass(frozen=True, slots=True)
class Need:
    """What a task takes while it runs.

    Attributes
    ----------
    cores, most_cores : int
        The least that it runs with, and the most that it can use.
    gpus : float
        A part of one, where it shares it.
    memory, core_memory : int
        Bytes that it takes, and how many more for each of its cores.
    """

    cores: int = 1
    most_cores: int = 1
    gpus: float = 0
    memory: int = 0
    core_memory: int = 0

    def granted(self, cores: int) -> Need:
        """What the task takes with this many cores."""
        return replace(self, cores=cores, most_cores=cores)

    @property
    def bytes(self) -> int:
        return self.memory + self.cores * self.core_memory


def starts(
    waiting: Sequence[Key],
    need_of: Callable[[Key], Need],
    room: Room,
    taken: Collection[Need],
    coming: int = 0,
) -> list[tuple[Key, Need]]:
    """The tasks that start now, each with what it is granted.

    A task that has to wait for cores or memory keeps those behind it waiting too, or it might wait for ever;
    one that waits for a GPU lets them pass.  A task that is too large for the whole room runs alone.

    Parameters
    ----------
    waiting : sequence
        Keys of tasks by importance.
    need_of : callable
        What a task needs; asked of those alone for which there may be room.
    taken : collection of Need
        What running tasks were granted.
    coming : int
        Running tasks that can use one core only, but have a successor that can use many.
    """
    free = room
    for need in taken:
        free = _less(free, need)
    started: list[tuple[Key, Need]] = []
    for place, key in enumerate(waiting):
        if free.cores < 1:
            break
        need, claimants = need_of(key), len(waiting) - place + coming
        if need.gpus:  # no more of them can run at a time, however many wait
            claimants = min(claimants, max(1, int(free.gpus / need.gpus)))
        grant = _grant(need, free, claimants)
        if taken or started:
            if grant.gpus > free.gpus:
                continue
            if grant.cores > free.cores or grant.bytes > free.memory:
                break
        started.append((key, grant))
        free = _less(free, grant)
    return started


def _grant(need: Need, free: Room, claimants: int) -> Need:
    cores = min(need.most_cores, free.machine_cores, free.cores // claimants)
    if need.core_memory:
        cores = min(cores, (free.memory - need.memory) // need.core_memory)
    return need.granted(max(need.cores, cores))


def _less(room: Room, need: Need) -> Room:
    free = room.cores - need.cores, room.gpus - need.gpus, room.memory - need.bytes
    return Room(*free, room.machine_cores)
