"""Where a session's video is decoded and composed: on GPUs, on the cores, or one take here and one there.

Decisions only, on plain values: what a GPU decodes is found before the work, from its own word, and what it
does not is decoded on the cores, with the reason.  A half of the composite is composed where its take is
decoded, so that no frame of a take crosses the bus.  The pictures are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import DeviceError
from .options import Device
from .session import SIDES, SideName

if TYPE_CHECKING:
    from . import _core
    from .probe import Take

SURFACES = 60
"""Frames in a GPU's memory for one take of one worker: a decoder's references, those on their way out and
what the driver keeps for itself.  Measured: 58 with H.264 in 8 bits, 42 with HEVC in 10."""

MEMORY_SHARE = 0.8
"""Of a GPU's free memory that decoders may take."""

_MACROBLOCK = 16


@dataclass(frozen=True, slots=True)
class Placement:
    """Who does what for one session.

    Attributes
    ----------
    gpus : tuple of int
        CUDA's numbers of those that are used, which the workers take turns at; none if all is done on the
        cores.
    cores : mapping of side to str
        The sides whose takes are decoded on the cores, and why.
    workers : int
        Chunks made at a time.
    """

    gpus: tuple[int, ...]
    cores: Mapping[SideName, str]
    workers: int

    @property
    def on_gpu(self) -> tuple[bool, bool]:
        """By side, left before right: whether its take is decoded on a GPU."""
        return tuple(bool(self.gpus) and side not in self.cores for side in SIDES)  # type: ignore[return-value]


def place(device: Device, takes: Mapping[str, Take], workers: int) -> Placement:
    """Where to do the video of a session with these takes, on the GPUs that there are; see :func:`placed`."""
    if device == "cpu":
        return Placement((), {}, workers)
    from . import _core

    return placed(device, takes, workers, _core.find_gpus())


def placed(device: Device, takes: Mapping[str, Take], workers: int, found: _core.FoundGpus) -> Placement:
    """Where to do the video, given what GPUs there are.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        ``auto`` takes GPUs that are there and decode at least one of the takes.
    workers : int
        Chunks that may be made at a time; fewer are where decoders for so many do not fit the GPUs' memory.

    Raises
    ------
    DeviceError
        ``cuda`` was asked for, and there is no GPU, or none that decodes either take.
    """
    if device == "cpu" or (device == "auto" and not found.gpus):
        return Placement((), {}, workers)
    if not found.gpus:
        raise DeviceError(
            "--device cuda",
            expected="a GPU of NVIDIA's with a driver that this build can use",
            found=why_none(found),
            remedy=f"{_driver_remedy(found)}, or choose --device cpu",
        )
    cores: dict[SideName, str] = {
        side: why for side in SIDES if (why := why_on_cores(takes[side], found.gpus))
    }
    fitting = _fitting_workers(takes, cores, found.gpus)
    if fitting == 0 and len(cores) < len(SIDES):
        cores = {side: cores.get(side, "its decoder does not fit the GPU's free memory") for side in SIDES}
    if len(cores) < len(SIDES):
        return Placement(tuple(gpu.index for gpu in found.gpus), cores, min(workers, fitting))
    if device == "auto":
        return Placement((), cores, workers)
    raise DeviceError(
        "--device cuda",
        expected=f"a take that {found.gpus[0].name} decodes",
        found="; ".join(f"{side}: {why}" for side, why in cores.items()),
        remedy="choose --device cpu or auto",
    )


def _fitting_workers(
    takes: Mapping[str, Take], cores: Mapping[SideName, str], gpus: list[_core.GpuInfo]
) -> int:
    """Workers whose decoders fit the GPUs' free memory."""
    needed = sum(decoder_bytes(takes[side]) for side in SIDES if side not in cores)
    return sum(int(MEMORY_SHARE * gpu.free_memory // needed) for gpu in gpus) if needed else 0


def decoder_bytes(take: Take) -> int:
    """What one decoder of the take takes of a GPU's memory."""
    samples = take.width * take.height * 3 // 2
    return SURFACES * samples * (2 if take.bit_depth > 8 else 1)


def why_on_cores(take: Take, gpus: list[_core.GpuInfo]) -> str | None:
    """Why not all of the GPUs decode the take; None if they do."""
    if take.fields != "progressive":
        return "interlaced: whole frames are made on the cores"
    for gpu in gpus:
        for codec in sorted({file.codec for file in take.files}):
            if why := _why_not(take, codec, gpu):
                return why
    return None


def _why_not(take: Take, codec: str, gpu: _core.GpuInfo) -> str | None:
    kind = f"{codec} {take.chroma} with {take.bit_depth} bits"
    chroma = int(take.chroma.replace(":", ""))
    limits = [
        limit
        for limit in gpu.decodes
        if (limit.codec, limit.chroma, limit.depth) == (codec, chroma, take.bit_depth)
    ]
    if not limits or chroma != 420:
        return f"{gpu.name} does not decode {kind}"
    limit = limits[0]
    blocks = -(-take.width // _MACROBLOCK) * -(-take.height // _MACROBLOCK)
    fits = (
        take.width <= limit.max_width and take.height <= limit.max_height and blocks <= limit.max_macroblocks
    )
    if not fits:
        most = f"{limit.max_width}x{limit.max_height}"
        return f"{gpu.name} decodes {kind} up to {most}, not {take.width}x{take.height}"
    return None


def why_none(found: _core.FoundGpus) -> str:
    """Why no GPU can be used."""
    if found.runtime and not found.driver:
        return "no driver of NVIDIA's"
    if found.driver < found.runtime:
        return f"a driver for CUDA {_version(found.driver)}, where this build has {_version(found.runtime)}"
    return found.reason


def _driver_remedy(found: _core.FoundGpus) -> str:
    if not found.runtime:
        return "install the CUDA toolkit and build again (docs/gpu.md)"
    return (
        f"install NVIDIA's driver {_DRIVER_OF_CUDA.get(found.runtime // 1000, 'of the same CUDA')} or newer"
    )


_DRIVER_OF_CUDA = {12: "525", 13: "580"}
"""The oldest driver for a CUDA release (NVIDIA, CUDA Compatibility)."""


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
