"""From the times that a container gives to the samples that they mean.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import MediaError

JITTER = Fraction(1, 200)
"""Seconds by which a packet's time may be off without a gap: containers round to milliseconds."""

MAX_STEP_BACK = 1
"""Seconds by which times may go back and count as sound that comes twice; by more they are nonsense."""

MAX_SECONDS = 48 * 3600
"""No recording is longer; a time beyond it is nonsense, and a gap up to it would never end."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A packet that does not decode: its ``[begin, end)`` in ticks, as far as the container says."""

    begin: int | None
    end: int | None
    complaint: str


class Places:
    """Where each frame of a stream belongs, in samples from its first.

    Parameters
    ----------
    origin : int
        Tick of sample 0.
    per_tick : Fraction
        Samples per tick.
    first : int
        The sample from which on sound is wanted.
    lengths : (int, int)
        Samples of the stream's first frame and of its second (0: it has none).  Where ticks are longer
        than samples, they give exact places where times give only near ones: after a seek, after a hole.
    gapless : bool
        Whether a gap can only mean that the file is damaged, and then times near it are not to be trusted.
    misdated : bool
        Whether a single frame's time may be wrong for all that: the next one's shows that nothing is missing.

    Attributes
    ----------
    place : int
        Where the last frame ended.
    end_of_holes : int
        Where the holes after it end: `place`, or later.
    """

    def __init__(
        self,
        path: Path,
        rate: int,
        origin: int,
        per_tick: Fraction,
        first: int,
        lengths: tuple[int, int] = (0, 0),
        gapless: bool = False,
        misdated: bool = False,
    ) -> None:
        self.place = self.end_of_holes = first
        self._path, self._rate, self._origin, self._per_tick = path, rate, origin, per_tick
        self._jitter = int(JITTER * rate)
        self._lengths, self._gapless = lengths, gapless
        self._misdated, self._doubted = misdated, False
        self._holes = 0
        self._came: int | None = None

    def skip(self, hole: Hole) -> None:
        """A packet that gives no frame."""
        self._holes += 1
        if hole.end is not None:
            end = min(self._sample(hole.end), MAX_SECONDS * self._rate)
            self.end_of_holes = max(self.end_of_holes, end)

    def next(self, pts: int | None, length: int) -> int:
        """The place of a frame of `length` samples that the container puts at `pts`."""
        found = self.end_of_holes if self._holes else self.place
        if pts is not None:
            found = self._sample(pts)
            if self._came is not None and self._doubts(found):
                found = self._came
            self._check(found)
            if self._came is None or self._holes:
                found = self._exact(found)
            elif abs(found - self._came) <= self._jitter:
                found = self._came
        self._came, self._holes = found + length, 0
        self.place = self.end_of_holes = max(self.place, found + length)
        return found

    def _sample(self, tick: int) -> int:
        """``round(ticks · per_tick)``, half up, in integers: it is asked once a packet."""
        per = self._per_tick
        return (2 * (tick - self._origin) * per.numerator + per.denominator) // (2 * per.denominator)

    def _doubts(self, found: int) -> bool:
        """Whether a frame's place is off where that may be its time's fault; of two in a row it is not."""
        off = self._came is not None and not self._holes and abs(found - self._came) > self._jitter
        self._doubted = self._misdated and off and not self._doubted
        return self._doubted

    def _exact(self, found: int) -> int:
        """`found`, or the place of a whole number of frames that is nearest, if less than a tick away."""
        head, size = self._lengths
        if self._per_tick <= 1 or size == 0 or found <= 0:
            return found
        counted = head % size + round(Fraction(found - head % size, size)) * size
        return counted if abs(found - counted) < self._per_tick else found

    def _check(self, found: int) -> None:
        """Refuse a time that leaps back, or beyond all recordings, or at all where none may."""
        before = self._came
        step = 0 if before is None else found - before
        back = step < -MAX_STEP_BACK * self._rate
        loss = self._gapless and (abs(step) > self._jitter or self._holes)
        if back or loss or found > MAX_SECONDS * self._rate:
            raise MediaError(
                self._path,
                expected="times that continue from packet to packet",
                found=f"{found / self._rate:.3f} s after {(before or 0) / self._rate:.3f} s",
                remedy="copy the file from the recorder again, or convert it to WAV",
            )
