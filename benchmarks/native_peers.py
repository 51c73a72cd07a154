"""What is measured natively, by ctypes: kernels and their peers, decode and encode alone."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emomedia.reference.compose import Plane, Planes

BUILD = Path(__file__).parent.parent / "build" / f"core-{sys.implementation.cache_tag}"
LIBRARY = BUILD / "bench/libemomedia_bench.so"

_pointer, _int, _text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
_SIGNATURES = {
    "bench_error": (_text, []),
    "bench_pool": (_pointer, [_int, _int, _int, _int]),
    "bench_pool_fill": (None, [_pointer, _int, _pointer]),
    "bench_pool_close": (None, [_pointer]),
    "bench_open": (_pointer, [_pointer, _text, _int, ctypes.POINTER(_int), _int, _int]),
    "bench_name": (_text, [_pointer]),
    "bench_run": (ctypes.c_double, [_pointer, _int]),
    "bench_read": (None, [_pointer, _int, _pointer]),
    "bench_close": (None, [_pointer]),
    "bench_decode": (ctypes.c_double, [_text, _int, _pointer]),
    "bench_encode": (
        ctypes.c_double,
        [_pointer, _int, _int, _int, _int, _text, _text, ctypes.POINTER(_int), _int, _text],
    ),
}


class PeerError(RuntimeError):
    """A peer cannot do what it was asked."""


@dataclass(frozen=True)
class Task:
    """What is composed: `crop` (x, y, width, height) of the picture as turned upright, even numbers."""

    width: int = 2160
    height: int = 3840
    depth: int = 8
    rotate: int = 0
    crop: tuple[int, int, int, int] = (0, 704, 2160, 2430)
    out: tuple[int, int] = (960, 1080)

    @property
    def coded_size(self) -> tuple[int, int]:
        """Width and height as coded."""
        return (self.width, self.height) if self.rotate == 0 else (self.height, self.width)

    @property
    def bytes_read(self) -> int:
        """Bytes of the crop: what passes through the caches for every frame."""
        return self.crop[2] * self.crop[3] * 3 // 2 * (2 if self.depth > 8 else 1)


class Library:
    """One copy of the library, whose kernels are those that EMOMEDIA_CPU names while it is made.

    The core chooses its kernels once; a copy under another name chooses anew.
    """

    def __init__(self, cpu: str | None = None) -> None:
        if not LIBRARY.exists():
            raise PeerError(
                f"{LIBRARY}: expected the native benchmarks, found nothing; run make bench-native"
            )
        self.cpu = cpu
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(LIBRARY, folder)
            self._functions = ctypes.CDLL(path)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._functions, name)
            function.restype, function.argtypes = result, arguments

    def call(self, name: str, *arguments: object) -> Any:
        return getattr(self._functions, name)(*arguments)

    def error(self) -> PeerError:
        return PeerError(self._functions.bench_error().decode())

    def decode(self, path: Path, frames: int, luma: np.ndarray) -> float:
        """Decode a take's first frames, the last one's luma into uint8[height, bytes a row]; CPU seconds."""
        return self.seconds("bench_decode", str(path).encode(), frames, luma.ctypes.data)

    def encode(
        self,
        composites: np.ndarray,
        size: tuple[int, int],
        frames: int,
        preset: str,
        crf: str,
        keys: Sequence[int],
        output: Path,
    ) -> float:
        """Encode composites, uint8[period, samples], over and over into an H.264 stream; CPU seconds."""
        period = composites.shape[0]
        where = (_int * len(keys))(*keys)
        text = (preset.encode(), crf.encode())
        return self.seconds(
            "bench_encode",
            composites.ctypes.data,
            *size,
            period,
            frames,
            *text,
            where,
            len(keys),
            str(output).encode(),
        )

    def seconds(self, name: str, *arguments: object) -> float:
        """Of a function that returns them, or NaN where it failed."""
        seconds: float = self.call(name, *arguments)
        if np.isnan(seconds):
            raise self.error()
        return seconds


class Pool:
    """Copies of one picture, read in turn, in memory of the library's."""

    def __init__(self, library: Library, task: Task, planes: Planes, count: int) -> None:
        self.library, self.task, self.count = library, task, count
        self.handle = library.call("bench_pool", *task.coded_size, task.depth, count)
        if not self.handle:
            raise library.error()
        for number, plane in enumerate(planes):
            tight = np.ascontiguousarray(plane)
            library.call("bench_pool_fill", self.handle, number, tight.ctypes.data)

    def close(self) -> None:
        self.library.call("bench_pool_close", self.handle)


class Contender:
    """One way to compose the pictures of a pool, by name: "emomedia", "zimg", "zimg-32", "swscale", …"""

    def __init__(self, pool: Pool, kind: str, library: Library | None = None) -> None:
        self._library, self._task = library or pool.library, pool.task
        crop = (_int * 4)(*pool.task.crop)
        with _environment("EMOMEDIA_CPU", self._library.cpu):
            self._handle = self._library.call(
                "bench_open", pool.handle, kind.encode(), pool.task.rotate, crop, *pool.task.out
            )
        if not self._handle:
            raise self._library.error()
        self.name: str = self._library.call("bench_name", self._handle).decode()

    def run(self, frames: int) -> float:
        """Compose so many pictures; seconds of this thread on a processor."""
        return self._library.seconds("bench_run", self._handle, frames)

    def planes(self) -> list[Plane]:
        """What was made last: uint8 Y, Cb, Cr."""
        width, height = self._task.out
        planes = [np.empty((height, width), np.uint8)]
        planes += [np.empty((height // 2, width // 2), np.uint8) for _ in range(2)]
        for number, plane in enumerate(planes):
            self._library.call("bench_read", self._handle, number, plane.ctypes.data)
        return list(planes)

    def close(self) -> None:
        self._library.call("bench_close", self._handle)


class _environment:
    """A variable of the environment set for a while, as C sees it; None leaves it as it is."""

    def __init__(self, name: str, value: str | None) -> None:
        self._name, self._value = name, value

    def __enter__(self) -> None:
        self._before = os.environ.get(self._name)
        if self._value is not None:
            os.environ[self._name] = self._value

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            os.environ.pop(self._name, None)
        else:
            os.environ[self._name] = self._before


def outermost_cache() -> int:
    """Bytes of the largest cache of the first processor; 32 MiB where the system does not say."""
    sizes = [
        path.read_text().strip() for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    ]
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return max((int(size[:-1]) * units[size[-1]] for size in sizes), default=32 << 20)


def available_memory() -> int:
    """Bytes that can be had without swapping."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) << 10


def buffers_beyond_cache(task: Task) -> int:
    """How many pictures to read in turn so that none is in a cache when it is read again.

    A quarter more than the outermost cache, at least 600 MB, at most a third of the memory that is free.
    """
    wanted = -(-max(outermost_cache() * 5 // 4, 600_000_000) // task.bytes_read)
    whole = task.width * task.height * 3 // 2 * (2 if task.depth > 8 else 1)
    return max(2, min(wanted, available_memory() // 3 // whole))


def peers_of(rotate: int) -> Sequence[str]:
    """The other ways to compose; each is the faster of two settings, found by measuring both."""
    return ("zimg", "zimg-32", "swscale", "swscale-fast") if rotate in (0, 90) else ()
