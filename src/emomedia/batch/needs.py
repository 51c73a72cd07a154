"""The resources of this machine, and what each stage needs of them."""

from __future__ import annotations

from ..machine import free_memory, usable_cores
from ..options import Options
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
        return Need(_least_cores(room), room.cores, gpus, CUT_MEMORY, WORKER_MEMORY)
    if stage == "check":
        return Need(1, room.cores, memory=SOUND_MEMORY, core_memory=CLIP_MEMORY)
    if stage == "speech" and options.asr_model is not None:
        return Need(1, min(ASR_CORES, room.cores), gpus, ASR_MEMORY)
    return Need(memory=SOUND_MEMORY)


def _least_cores(room: Room) -> int:
    """Those of a cut: one, or half its share where GPUs allow for few cuts, which would leave cores idle."""
    if not room.gpus:
        return 1
    share = int(room.cores / (2 * CUTS_ON_A_GPU * room.gpus))
    return max(
        1, min(share, room.machine_cores // CUTS_ON_A_GPU, (room.memory - CUT_MEMORY) // WORKER_MEMORY)
    )


def grows(need: Need) -> bool:
    """Whether it can use more than one core."""
    return need.most_cores > 1


def machine_room(options: Options) -> Room:
    """What this machine has for a batch: ``--workers`` cores, or those that this process may use."""
    return Room(options.workers or usable_cores(), _gpus(options), free_memory())


def _gpus(options: Options) -> int:
    if options.device == "cpu":
        return 0
    from .. import _core

    return len(_core.find_gpus().gpus)
