"""Exact time: rates, frames, samples and clocks.

Pure functions on integers and :class:`fractions.Fraction`: no file is touched, and no binary float takes
part.  Times are seconds on the session clock unless noted otherwise.  NumPy, which takes a while to import,
is imported only where frames are looked up, because the command line needs only rates.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE_RATE = 48_000
"""Samples per second of every sound that emomedia writes."""

MAX_RATE_TERM = (1 << 31) - 1
"""Of a rate's numerator and denominator: libav and MP4 files count time in such ticks."""

STANDARD_RATES: tuple[Fraction, ...] = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
    Fraction(100),
    Fraction(120000, 1001),
    Fraction(120),
)
"""Frame rates that cameras are set to (SMPTE ST 2036-1 and its 1000/1001 relatives)."""


def frames_covering(start: Fraction, end: Fraction, rate: Fraction) -> tuple[int, int]:
    """First frame and one past the last frame that the half-open time ``[start, end)`` touches.

    ``floor(start * rate)`` to ``ceil(end * rate) - 1``, as the time rule says.
    """
    return floor(start * rate), ceil(end * rate)


def sample_at(frame: int, rate: Fraction, sample_rate: int = SAMPLE_RATE) -> int:
    """The sample at which composite frame `frame` begins: ``round(frame / rate * sample_rate)``."""
    return round(Fraction(frame) / rate * sample_rate)


def rate_text(rate: Fraction) -> str:
    """`rate` as the audit writes it: ``25/1``."""
    return f"{rate.numerator}/{rate.denominator}"


def nearest_standard_rate(interval: Fraction) -> Fraction:
    """The standard rate whose frame interval is nearest to `interval` seconds."""
    return min(STANDARD_RATES, key=lambda rate: abs(1 / rate - interval))


@dataclass(frozen=True, slots=True)
class Clock:
    """Maps a file's local time onto the session clock: ``offset + u * (1 + drift_ppm * 1e-6)``.

    Attributes
    ----------
    later : tuple of (Fraction, Clock)
        Tracks only: local times in order, from each of which on another line holds, because the recorder
        lost time there or its pace changed.  Those clocks have no `later` of their own.
    """

    offset: Fraction = Fraction(0)
    drift_ppm: Fraction = Fraction(0)
    later: tuple[tuple[Fraction, Clock], ...] = ()

    @property
    def speed(self) -> Fraction:
        """Session seconds per local second, at the beginning."""
        return 1 + self.drift_ppm / 1_000_000

    @property
    def pieces(self) -> tuple[tuple[Fraction | None, Clock], ...]:
        """Every line with the local time from which on it holds; the first one has held always."""
        return (None, Clock(self.offset, self.drift_ppm)), *self.later

    def to_session(self, local: Fraction) -> Fraction:
        line = self._line([start for start, _ in self.later], local)
        return line.offset + local * line.speed

    def to_local(self, session: Fraction) -> Fraction:
        """The local time of a session time; within what a step left out, the step's own."""
        if not self.later:
            return (session - self.offset) / self.speed
        begins = [line.to_session(start) for start, line in self.later]
        line = self._line(begins, session)
        local = (session - line.offset) / line.speed
        following = bisect_right(begins, session)
        return min(local, self.later[following][0]) if following < len(begins) else local

    def _line(self, begins: Sequence[Fraction], time: Fraction) -> Clock:
        """The last line that begins at or before `time`."""
        number = bisect_right(begins, time)
        return self.later[number - 1][1] if number else self


@dataclass(frozen=True, slots=True)
class FileFrames:
    """The frames of one file of a take, in order of presentation.

    Attributes
    ----------
    time_base : Fraction
        Seconds per tick of the video stream.
    base : Fraction
        Local time of the file's first frame within its take, in seconds: zero for a take's first
        file, for the next one the previous file's last frame plus one frame interval.
    pts : int64[n]
        Strictly increasing presentation times in ticks, as the demuxer gives them.
    """

    time_base: Fraction
    base: Fraction
    pts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TakeFrames:
    """The frames of a whole take: its files one after another, and the length of its last frame."""

    files: tuple[FileFrames, ...]
    interval: Fraction
    """Seconds from one frame to the next (the median), which is also how long the last one shows."""

    @property
    def count(self) -> int:
        return sum(len(file.pts) for file in self.files)

    @property
    def end(self) -> Fraction:
        """Local time at which the last frame is no longer on display."""
        last = self.files[-1]
        return last.base + int(last.pts[-1] - last.pts[0]) * last.time_base + self.interval


@dataclass(frozen=True, slots=True)
class SourceFrames:
    """For consecutive composite frames, the source frame of one take that each of them shows.

    Attributes
    ----------
    file : int32[n]
        Index of the take's file.
    pts : int64[n]
        Presentation time in ticks of that file's video stream.
    index : int64[n]
        Index of the frame in the whole take, counted in order of presentation from zero.
        All three are −1 in `index` where the take shows nothing yet (before its first frame).
    """

    file: npt.NDArray[np.int32]
    pts: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]


def _last_tick_shown(file: FileFrames, clock: Clock, rate: Fraction, frames: range) -> npt.NDArray[np.int64]:
    """For each composite frame, the largest tick (from the file's first frame) on display by then.

    Within the file: −1 before its first frame, and its last frame's tick from then on.
    A frame is on display when its time is ≤ the composite frame's time plus half a tick:
    ``k·tb ≤ (n/r − offset)/speed − base + tb/2``.  Solved for the integer ``k`` this is a floor
    division of integers, so nothing is rounded on the way.
    """
    import numpy as np

    per_frame = 1 / (rate * clock.speed * file.time_base)
    constant = (-clock.offset / clock.speed - file.base) / file.time_base + Fraction(1, 2)
    divisor = per_frame.denominator * constant.denominator
    slope = per_frame.numerator * constant.denominator
    intercept = constant.numerator * per_frame.denominator
    last = int(file.pts[-1]) - int(file.pts[0])
    ticks = [max(-1, min(last, (slope * n + intercept) // divisor)) for n in frames]
    return np.array(ticks, dtype=np.int64)


def _files_shown(take: TakeFrames, clock: Clock, rate: Fraction, frames: range) -> range:
    """Numbers of the files that may be on display: a long take has many, a clip shows one or two."""

    def begin(file: FileFrames) -> Fraction:
        return file.base - file.time_base / 2

    if not frames:
        return range(0)
    first, last = (clock.to_local(n / rate) for n in (frames[0], frames[-1]))
    return range(
        max(0, bisect_right(take.files, first, key=begin) - 1), bisect_right(take.files, last, key=begin)
    )


def source_frames(take: TakeFrames, clock: Clock, rate: Fraction, first: int, count: int) -> SourceFrames:
    """Which source frame each of the composite frames ``first … first + count − 1`` shows.

    The last frame of the take whose presentation time on the session clock is ≤ ``n / rate`` plus
    half a tick of its stream's time base.  After the take's end its last frame stays; callers keep
    to the footage.
    """
    import numpy as np

    frames = range(first, first + count)
    file_of = np.zeros(count, dtype=np.int32)
    pts_of = np.zeros(count, dtype=np.int64)
    index_of = np.full(count, -1, dtype=np.int64)
    numbers = _files_shown(take, clock, rate, frames)
    frames_before = sum(len(file.pts) for file in take.files[: numbers.start])
    for number in numbers:
        file = take.files[number]
        ticks = _last_tick_shown(file, clock, rate, frames)
        position = np.searchsorted(file.pts, ticks + file.pts[0], side="right") - 1
        shown = position >= 0
        file_of[shown] = number
        pts_of[shown] = file.pts[position[shown]]
        index_of[shown] = frames_before + position[shown]
        frames_before += len(file.pts)
    return SourceFrames(file_of, pts_of, index_of)


def footage(takes: Sequence[tuple[TakeFrames, Clock]], rate: Fraction) -> tuple[int, int]:
    """The composite frames for which every take has a frame on display: ``[first, end)``.

    A take covers the session clock from its first frame until its last frame has been shown for one
    interval.  Frame ``n`` belongs to the footage when ``n / rate`` lies in that stretch for each
    take, with half a tick's grace at the beginning, as in :func:`source_frames`.
    """
    first, end = 0, None
    for take, clock in takes:
        first_grace, end_grace = (take.files[k].time_base / 2 * clock.speed for k in (0, -1))
        first = max(first, ceil((clock.to_session(Fraction(0)) - first_grace) * rate))
        take_end = ceil((clock.to_session(take.end) - end_grace) * rate)
        end = take_end if end is None else min(end, take_end)
    return first, max(first, end or 0)
