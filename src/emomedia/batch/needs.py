"""The resources of this machine, and what each stage needs of them."""

from __future__ import annotations

from pathlib import Path

from ..options import Options, usable_cores
from .schedule import Need, Room

_MIB = 1 << 20

SOUND_MEMORY = 900 * _MIB
"""Bytes that a stage before the cut takes with its libraries, for an hour of sound."""

CUT_MEMORY = 500 * _MIB
WORKER_MEMORY = 450 * _MIB
"""Bytes that the cut takes, and each of its workers: two 4K decoders, compose and an encoder."""

CLIP_MEMORY = 250 * _MIB
"""What the check takes for each clip that it measures at a time."""

ASR_MEMORY = 4096 * _MIB
ASR_CORES = 4
"""A recogniser of 1.5 billion parameters in 8 bits with its batch; more cores gain it little."""

CUTS_ON_A_GPU = 2
"""Two sessions share a GPU, so that one's beginning and end don't leave it idle."""


def need_of(stage: str, options: Options, room: Room) -> Need:
    """What `stage` takes if there is `room` in all."""
    gpus = 1 / CUTS_ON_A_GPU if room.gpus else 0
    if stage == "cut":
        return Need(1, room.cores, gpus, CUT_MEMORY, WORKER_MEMORY)
    if stage == "check":
        return Need(1, room.cores, memory=SOUND_MEMORY, core_memory=CLIP_MEMORY)
    if stage == "speech" and options.asr_model is not None:
        return Need(1, min(ASR_CORES, room.cores), gpus, ASR_MEMORY)
    return Need(memory=SOUND_MEMORY)


def grows(need: Need) -> bool:
    """Whether it can use more than one core."""
    return need.most_cores > 1


def machine_room(options: Options) -> Room:
    """What this machine has for a batch: ``--workers`` cores, or those that this process may use."""
    return Room(options.workers or usable_cores(), _gpus(options), _free_memory())


def _gpus(options: Options) -> int:
    if options.device == "cpu":
        return 0
    from .. import _core

    return len(_core.find_gpus().gpus)


def _free_memory() -> int:
    """Bytes that can be had now, within the control group's limit where there is one."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    amounts = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines}
    return min([amounts["MemAvailable"], *_group_limit()])


def _group_limit() -> list[int]:
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return []
    return [] if limit == "max" else [int(limit) - used]
