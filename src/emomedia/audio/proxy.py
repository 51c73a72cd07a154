"""A recording's proxy: the little of it that sync needs, made in one pass and kept on disk.

Speech is recognised and timed below 4 kHz, so 8000 samples a second are enough: cross-correlation places
them to a hundredth of a sample.  In memory stays the level alone, 50 values a second.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ..files import writing
from ..probe.types import Track
from ._pcm import to_real
from .track import blocks, rebatched

PROXY_RATE = 8000
"""Samples per second."""

LEVEL_RATE = 50
"""Values per second of the level: syllables come and go four to eight times a second."""

SILENT_DB = -100.0
"""Decibels of full scale under which there is nothing but digital silence."""

_HOP = PROXY_RATE // LEVEL_RATE
_KIND = np.dtype("<f2")
_FLOOR = 1e-10


@dataclass(frozen=True, slots=True)
class Proxy:
    """One recording at 8 kHz, in a file that has no name any more, and its level.

    Attributes
    ----------
    file : int
        Descriptor of the file: float16[samples], full scale 1.0.
    samples : int
    level : float32[samples // 160]
        Mean power in dB of full scale of the differences of neighbouring samples, in which voices stand
        out from rumble; 50 values a second.
    """

    file: int
    samples: int
    level: npt.NDArray[np.float32]

    @property
    def seconds(self) -> float:
        return self.samples / PROXY_RATE

    @property
    def silent(self) -> bool:
        return len(self.level) == 0 or float(self.level.max()) < SILENT_DB

    def read(self, first: int, count: int) -> npt.NDArray[np.float32]:
        """Samples ``first … first + count - 1``; zeros beyond both ends.  float32[count]"""
        target = np.zeros(count, np.float32)
        begin, end = max(0, first), min(self.samples, first + count)
        if begin < end:
            size = _KIND.itemsize
            data = os.pread(self.file, (end - begin) * size, begin * size)
            target[begin - first : end - first] = np.frombuffer(data, _KIND)
        return target


@contextmanager
def track_proxy(track: Track, folder: Path | None = None) -> Iterator[Proxy]:
    """The proxy of a track, which is decoded once from end to end.

    Parameters
    ----------
    folder : Path, optional
        Where the proxy's file may lie, 58 MB an hour; default: the system's place for such files.

    Raises
    ------
    MediaError, MediaNotFoundError, UnsupportedMediaError
        If the track cannot be read.
    OutputError
        If there is no room for it.
    """
    sound = (to_real(block) for block in rebatched(blocks(track)))
    with make_proxy(sound, track.sample_rate, folder) as proxy:
        yield proxy


@contextmanager
def make_proxy(
    sound: Iterable[npt.NDArray[np.float32]], rate: int, folder: Path | None = None
) -> Iterator[Proxy]:
    """The proxy of sound that comes in blocks of float32[n], full scale 1.0, `rate` samples a second."""
    place = Path(tempfile.gettempdir()) if folder is None else folder
    with ExitStack() as open_files:
        with writing(place):
            place.mkdir(parents=True, exist_ok=True)
            file = open_files.enter_context(tempfile.TemporaryFile(dir=place, buffering=0))
        levels, last, samples = [], np.zeros(1, np.float32), 0
        rest = np.zeros(0, np.float32)
        for block in _at_proxy_rate(sound, rate):
            with writing(place):
                _write(file, block.astype(_KIND).tobytes())
            rest = np.concatenate([rest, np.diff(block, prepend=last)])
            whole = len(rest) // _HOP * _HOP
            levels.append(_decibels(rest[:whole].reshape(-1, _HOP)))
            last, rest, samples = block[-1:], rest[whole:], samples + len(block)
        yield Proxy(file.fileno(), samples, np.concatenate([np.zeros(0, np.float32), *levels]))


def _write(file: BinaryIO, data: bytes) -> None:
    """Write all of `data`: without a buffer a disk that is nearly full takes a part of it, and says so."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _at_proxy_rate(sound: Iterable[npt.NDArray[np.float32]], rate: int) -> Iterator[npt.NDArray[np.float32]]:
    """The sound at 8 kHz, in blocks that are not empty; its first sample stays the first."""
    import soxr

    stream = soxr.ResampleStream(rate, PROXY_RATE, 1, dtype="float32", quality="HQ")
    for block in sound:
        if len(found := stream.resample_chunk(block)):
            yield found
    if len(found := stream.resample_chunk(np.zeros(0, np.float32), last=True)):
        yield found


def _decibels(hops: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    power = np.mean(hops * hops, axis=1)
    decibels: npt.NDArray[np.float32] = (10 * np.log10(power + np.float32(_FLOOR))).astype(np.float32)
    return decibels
