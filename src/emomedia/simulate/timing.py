"""When a simulated take's frames are: on a grid, on one with gaps, or at irregular intervals.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from math import floor

import numpy as np

from .camera import Camera

_DROPPED = 0.1
"""The part of a grid's places that has no frame."""

_JITTER, _MOST_JITTER = 0.1, 0.3
"""How irregular a variable rate's intervals are: the deviation, and the most, as parts of the mean one."""

_PAUSES = 0.04
"""The part of a variable rate's intervals that is twice as long: a phone in dim light."""

_STREAM = 5


@dataclass(frozen=True, slots=True)
class FileTimes:
    """The shown frames of one file of a take.

    Attributes
    ----------
    first_frame : int
        Index in the take of the file's first frame.
    base : Fraction
        Seconds from the take's first frame to the file's: one interval after the previous file's last.
    pts : tuple of int
        Ticks from the file's first frame, ascending.
    """

    first_frame: int
    base: Fraction
    pts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TakeTimes:
    """All of a take's shown frames.

    Attributes
    ----------
    time_base : Fraction
        Seconds per tick.
    interval : Fraction
        Seconds that the last frame is shown: one over the rate, or the median of a variable rate.
    """

    time_base: Fraction
    files: tuple[FileTimes, ...]
    interval: Fraction

    @property
    def count(self) -> int:
        return sum(len(file.pts) for file in self.files)

    @property
    def seconds(self) -> tuple[Fraction, ...]:
        """Each frame's time from the take's first."""
        return tuple(file.base + tick * self.time_base for file in self.files for tick in file.pts)

    @property
    def end(self) -> Fraction:
        """Seconds from the first frame to the end of the last."""
        last = self.files[-1]
        return last.base + last.pts[-1] * self.time_base + self.interval

    def file_end(self, number: int) -> Fraction:
        """Seconds from the take's first frame to the end of file `number`."""
        file = self.files[number]
        return file.base + file.pts[-1] * self.time_base + self.interval


@lru_cache(maxsize=64)
def take_times(camera: Camera, length: Fraction, seed: tuple[int, ...]) -> TakeTimes:
    """The times of the frames that `camera` makes in `length` seconds.

    Parameters
    ----------
    seed : tuple of int
        For the frames that are missing, or the intervals that vary.
    """
    rng = np.random.default_rng([*seed, _STREAM])
    if camera.timing == "variable":
        return _variable(camera, length, rng)
    places = floor(length * camera.fps)
    per_place = 1 / (camera.fps * camera.time_base)
    files, first_frame = [], 0
    for first, end in pairwise(_edges(places, camera.parts)):
        kept = _kept(end - first, rng) if camera.timing == "dropped" else range(end - first)
        pts = tuple(round(place * per_place) for place in kept)
        files.append(FileTimes(first_frame, Fraction(0), pts))
        first_frame += len(pts)
    return _placed(camera, files, 1 / camera.fps)


def _edges(count: int, parts: int) -> list[int]:
    return [count * number // parts for number in range(parts + 1)]


def _kept(places: int, rng: np.random.Generator) -> Sequence[int]:
    """Places of a file's grid with a frame: always the first, the last and not the second last."""
    has_frame = rng.random(places) >= _DROPPED
    has_frame[-2:] = False, True
    has_frame[0] = True
    return [int(place) for place in np.flatnonzero(has_frame)]


def _variable(camera: Camera, length: Fraction, rng: np.random.Generator) -> TakeTimes:
    mean = float(1 / (camera.fps * camera.time_base)) / (1 + _PAUSES)
    most = floor(length * camera.fps) * 2
    jitter = np.clip(rng.standard_normal(most) * _JITTER, -_MOST_JITTER, _MOST_JITTER)
    factor = np.where(rng.random(most) < _PAUSES, 2.0, 1.0) + jitter
    ticks = [max(1, int(step)) for step in np.rint(mean * factor)]
    times = [time for time in accumulate(ticks, initial=0) if time * camera.time_base < length]
    files = [
        FileTimes(first, Fraction(0), tuple(time - times[first] for time in times[first:end]))
        for first, end in pairwise(_edges(len(times), camera.parts))
    ]
    steps = sorted(later - earlier for file in files for earlier, later in pairwise(file.pts))
    return _placed(camera, files, steps[(len(steps) - 1) // 2] * camera.time_base)


def _placed(camera: Camera, files: Sequence[FileTimes], interval: Fraction) -> TakeTimes:
    """Each file begins one interval after the last frame of the one before."""
    placed, base = [], Fraction(0)
    for file in files:
        placed.append(FileTimes(file.first_frame, base, file.pts))
        base += file.pts[-1] * camera.time_base + interval
    return TakeTimes(camera.time_base, tuple(placed), interval)
