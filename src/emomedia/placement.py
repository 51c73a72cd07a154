"""Where a session's video is decoded and composed: on GPUs, on the cores, or one take here and one there.

Decisions only, on plain values: a GPU says before the work what it decodes, and what it
does not is decoded on the cores, with the reason.  A half of the composite is composed where its take is
decoded, so that no frame of a take crosses the bus.  The pictures are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import TYPE_CHECKING

from .errors import DeviceError
from .options import Device
from .session import SIDES, SideName

if TYPE_CHECKING:
    from . import _core
    from .probe import Take

SURFACES = 42
"""Frames in a GPU's memory for one take of one worker: a decoder's references, those on their way out and
what the driver keeps for itself.  From what was measured: 34 to 38 with four references and two frames
reordered, 42 for H.264 with eight of both together."""

MEMORY_SHARE = 0.8
"""Of a GPU's free memory that decoders may take."""

ENGINE_PIXELS = 12 * 3840 * 2160
"""Of the takes whose decoders share one NVDEC engine.  Measured: an engine gives 157 frames of 4K H.264 a
second, and a worker that encodes on one core asks each of its decoders for 12: so many keep it busy, and
more would have to wait for it."""

_MACROBLOCK = 16

OLDEST = (7, 5)
"""Compute capability of the oldest GPUs that the kernel is compiled for: Turing's."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What decodes and composes one session's takes.

    Attributes
    ----------
    workers : int
        Chunks made at a time.
    gpu_of : tuple of (int or None)
        For each worker CUDA's number of the GPU that it uses, or None for one that uses the cores alone.
    cores : mapping of side to str
        The sides whose takes are decoded on the cores, and why.
    shut : mapping of int to str
        The GPUs that could not be opened and are not used, and why.
    """

    workers: int
    gpu_of: tuple[int | None, ...] = ()
    cores: Mapping[SideName, str] = field(default_factory=dict)
    shut: Mapping[int, str] = field(default_factory=dict)

    @property
    def gpus(self) -> tuple[int, ...]:
        """The GPUs that are used, each once."""
        return tuple(sorted({gpu for gpu in self.gpu_of if gpu is not None}))

    @property
    def on_gpu(self) -> tuple[bool, bool]:
        """By side, left before right: whether workers that have a GPU decode its take there."""
        left, right = (bool(self.gpus) and side not in self.cores for side in SIDES)
        return left, right

    @property
    def number_of(self) -> tuple[int, ...]:
        """`gpu_of` as the core takes it: places in `gpus`, -1 for the cores."""
        return tuple(-1 if gpu is None else self.gpus.index(gpu) for gpu in self.gpu_of)


def place(
    device: Device, takes: Mapping[str, Take], workers: int, shut: Mapping[int, str] = MappingProxyType({})
) -> Placement:
    """Where to process a session with these takes, on the GPUs of this machine; see :func:`placed`."""
    if device == "cpu":
        return Placement(workers)
    from . import _core

    return placed(device, takes, workers, _core.find_gpus(), shut)


def placed(
    device: Device,
    takes: Mapping[str, Take],
    workers: int,
    found: _core.FoundGpus,
    shut: Mapping[int, str] = MappingProxyType({}),
) -> Placement:
    """Where to process the video, given the GPUs that exist.

    Of several GPUs those are used that decode the most of the takes.  As many workers have one as have
    decoders that fit its memory and its engines; the others use the cores.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        ``auto`` takes GPUs that are there and decode at least one of the takes.
    workers : int
        Chunks made at a time.
    shut : mapping of int to str
        GPUs to do without besides those that were refused already, by CUDA's numbers, and why.

    Raises
    ------
    DeviceError
        ``cuda`` was asked for, and there is no usable GPU, or none that decodes either take.
    """
    if device == "cpu":
        return Placement(workers)
    open_gpus = [gpu for gpu in found.gpus if gpu.index not in shut]
    shut = {**found.refused, **shut}
    if device == "auto" and not open_gpus:
        why = "; ".join(shut.values())
        return Placement(workers, (), dict.fromkeys(SIDES, why) if why else {}, shut)
    _require_some(open_gpus, shut, found)
    choices = [(gpu, _cores(takes, gpu)) for gpu in open_gpus]
    cores = min((cores for _, cores in choices), key=len)
    if len(cores) < len(SIDES):
        rooms = [_room(takes, cores, gpu) for gpu, theirs in choices if theirs.keys() == cores.keys()]
        return Placement(workers, _dealt(rooms, workers), cores, shut)
    if device == "auto":
        return Placement(workers, (), cores, shut)
    raise DeviceError(
        "--device cuda",
        expected="a take that a GPU decodes",
        found="; ".join(f"{side}: {why}" for side, why in cores.items()),
        remedy="choose --device cpu or auto",
    )


def placed_for_frames(takes: Mapping[str, Take], found: _core.FoundGpus) -> Placement:
    """The GPU in whose memory composites are to come, whatever decodes: the one that decodes the most.

    Raises DeviceError where there is none.
    """
    _require_some(found.gpus, found.refused, found)
    usable = [gpu for gpu in found.gpus if _is_new_enough(gpu)]
    if not usable:
        raise DeviceError(
            "frames",
            expected="a GPU that composes",
            found=_too_old(found.gpus[0]),
            remedy="choose device='cpu'",
        )
    gpu = min(usable, key=lambda gpu: (len(_cores(takes, gpu)), -gpu.free_memory))
    return Placement(1, (gpu.index,), _cores(takes, gpu))


def _require_some(
    open_gpus: Sequence[_core.GpuInfo], shut: Mapping[int, str], found: _core.FoundGpus
) -> None:
    if open_gpus:
        return
    if shut:
        raise _no_gpu("; ".join(shut.values()), "end other programs on it")
    raise _no_gpu(why_none(found), _driver_remedy(found))


def _no_gpu(found: str, remedy: str) -> DeviceError:
    return DeviceError(
        "--device cuda",
        expected="an NVIDIA GPU with a driver that this build can use",
        found=found,
        remedy=f"{remedy}, or choose --device cpu",
    )


def _cores(takes: Mapping[str, Take], gpu: _core.GpuInfo) -> dict[SideName, str]:
    """The takes that the GPU does not decode, and why."""
    cores: dict[SideName, str] = {side: why for side in SIDES if (why := why_on_cores(takes[side], gpu))}
    if len(cores) < len(SIDES) and _room(takes, cores, gpu).workers == 0:
        return {
            side: cores.get(side, f"its decoder does not fit the free memory of {gpu.name}") for side in SIDES
        }
    return cores


@dataclass(frozen=True, slots=True)
class _Room:
    """Of one GPU: the workers whose decoders fit it, and what part of its engines one of them keeps busy."""

    gpu: _core.GpuInfo
    workers: int
    load: Fraction


def _room(takes: Mapping[str, Take], cores: Mapping[SideName, str], gpu: _core.GpuInfo) -> _Room:
    there = [takes[side] for side in SIDES if side not in cores]
    load = sum(Fraction(take.width * take.height, ENGINE_PIXELS * _engines(take, gpu)) for take in there)
    by_memory = int(MEMORY_SHARE * gpu.free_memory // sum(decoder_bytes(take) for take in there))
    return _Room(gpu, min(by_memory, max(1, floor(1 / load))), Fraction(load))


def _engines(take: Take, gpu: _core.GpuInfo) -> int:
    """Engines for what the take needs; one if the driver does not say."""
    return max(1, min(limit.engines for file in take.files if (limit := _limit(take, file.codec, gpu))))


def _dealt(rooms: Sequence[_Room], workers: int) -> tuple[int | None, ...]:
    """A GPU for each worker, as far as their rooms go: the one that has least to do, of those the emptiest.

    So sessions that run beside each other begin with different GPUs.
    """
    order = sorted(rooms, key=lambda room: -room.gpu.free_memory)
    given = dict.fromkeys((room.gpu.index for room in order), 0)
    dealt: list[int | None] = []
    while len(dealt) < workers:
        free = [room for room in order if given[room.gpu.index] < room.workers]
        if not free:
            break
        index = min(free, key=lambda room: (given[room.gpu.index] + 1) * room.load).gpu.index
        given[index] += 1
        dealt.append(index)
    return (*dealt, *[None] * (workers - len(dealt)))


def decoder_bytes(take: Take) -> int:
    """Bytes of a GPU's memory that one decoder of the take needs."""
    samples = take.width * take.height * 3 // 2
    return SURFACES * samples * (2 if take.bit_depth > 8 else 1)


def why_on_cores(take: Take, gpu: _core.GpuInfo) -> str | None:
    """Why the GPU does not decode the take; None if it does."""
    if take.fields != "progressive":
        return "interlaced: whole frames are made on the cores"
    if take.chroma != "4:2:0":
        return f"{take.chroma}: emomedia has GPUs decode 4:2:0 alone"
    if take.width % 2 or take.height % 2:
        return f"{take.width}x{take.height}: NVDEC gives pictures of even width and height alone"
    if not _is_new_enough(gpu):
        return _too_old(gpu)
    if not gpu.decodes:
        return (
            f"no decoder on {gpu.name}: libnvcuvid is missing (in a container NVIDIA_DRIVER_CAPABILITIES "
            "has to name video), or its MIG instance has no engine"
        )
    codecs = sorted({file.codec for file in take.files})
    return next((why for codec in codecs if (why := _why_not(take, codec, gpu))), None)


def _is_new_enough(gpu: _core.GpuInfo) -> bool:
    return (gpu.compute_major, gpu.compute_minor) >= OLDEST


def _too_old(gpu: _core.GpuInfo) -> str:
    oldest = ".".join(map(str, OLDEST))
    return f"{gpu.name} has compute capability {gpu.compute_major}.{gpu.compute_minor}, below {oldest}"


def _why_not(take: Take, codec: str, gpu: _core.GpuInfo) -> str | None:
    kind = f"{codec} {take.chroma} with {take.bit_depth} bits"
    limit = _limit(take, codec, gpu)
    if limit is None:
        return f"{gpu.name} does not decode {kind}"
    blocks = -(-take.width // _MACROBLOCK) * -(-take.height // _MACROBLOCK)
    if take.width <= limit.max_width and take.height <= limit.max_height and blocks <= limit.max_macroblocks:
        return None
    most = f"{limit.max_width}x{limit.max_height}"
    return f"{gpu.name} decodes {kind} up to {most}, not {take.width}x{take.height}"


def _limit(take: Take, codec: str, gpu: _core.GpuInfo) -> _core.DecodeLimits | None:
    wanted = codec, 420, take.bit_depth
    return next((limit for limit in gpu.decodes if (limit.codec, limit.chroma, limit.depth) == wanted), None)


def why_none(found: _core.FoundGpus) -> str:
    """Why no GPU can be used."""
    if found.runtime and not found.driver:
        return "no driver of NVIDIA's"
    if found.driver // 1000 < found.runtime // 1000:
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
