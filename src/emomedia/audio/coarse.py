"""Roughly where a recording lies on another's clock, all along it, from the two levels alone.  Pure.

Neither rooms nor microphones nor noise change much how a voice's level comes and goes.  The recording is
taken in sections that overlap by half, each of which is correlated with all of the other recording; of the
sections' likeliest places those count that go together.  So a recorder that paused has two places, and
each is found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .chain import Reals, Smoothness, best_chain
from .proxy import LEVEL_RATE

Level = npt.NDArray[np.float32]

SECTION_SECONDS = 60.0
"""Of a section; longer ones where there would be more than :data:`MOST_SECTIONS`."""

MOST_SECTIONS = 96

_PLACES = 5
"""Likeliest places of a section."""

_CHANCE = 3.5
"""Standard deviations above the mean that some place of a section reaches by chance."""

_AROUND = 3
_SAME = 0.2

_RIVAL = 0.7
"""Share of the score of a section's place from which on another place is its rival."""

_APART = 0.5
_SMOOTH = Smoothness(jitter=0.1, drift=5e-4, jump=3.0)
_LIMIT_DB = 15.0
"""By how much a level may stand out from the second around: a slammed door is no more than a voice."""


@dataclass(frozen=True, slots=True)
class Course:
    """A recording's rough offset over its own time.

    Attributes
    ----------
    times : float64[n]
        Middles of the sections that found a place, in seconds of the recording.
    offsets : float64[n]
        Seconds by which the other clock is ahead there.
    rivals : tuple of float
        Seconds by which all of it may be off, for all that the levels tell; the likeliest first.
    """

    times: Reals
    offsets: Reals
    rivals: tuple[float, ...] = ()

    def around(self, time: float) -> list[float]:
        """The offsets that may hold at `time`: those of the sections around, each once."""
        after = int(np.searchsorted(self.times, time))
        near = range(max(0, after - _AROUND), min(len(self.times), after + _AROUND))
        found: list[float] = []
        for number in sorted(near, key=lambda n: abs(self.times[n] - time)):
            offset = float(self.offsets[number])
            if all(abs(offset - other) > _SAME for other in found):
                found.append(offset)
        return found


def courses(reference: Level, other: Level) -> list[Course]:
    """The likeliest course of the offset of `other` on the clock of `reference`.

    Parameters
    ----------
    reference, other : float32[n], float32[m]
        Levels in dB, 50 values a second.

    Returns
    -------
    list of Course
        Several, likeliest first, of a recording that is one section alone; none if there is nothing in
        one of them that comes and goes.
    """
    searched, moving = _modulation(reference), _modulation(other)
    length = max(round(SECTION_SECONDS * LEVEL_RATE), -(-2 * len(moving) // MOST_SECTIONS))
    begins = range(0, max(1, len(moving) - length // 2), length // 2)
    size = 1 << (len(searched) + length).bit_length()
    spectrum = np.fft.rfft(searched, size)
    found: list[tuple[float, float, float]] = []
    for begin in begins:
        section = moving[begin : begin + length]
        for place, score in _likely(spectrum, size, section, len(searched)):
            found.append((begin + len(section) / 2, place - begin, score))
    if not found:
        return []
    times, offsets, scores = np.array(found).T
    times, offsets = times / LEVEL_RATE, offsets / LEVEL_RATE
    chains = [best_chain(times, offsets, np.maximum(0, scores - _CHANCE), _SMOOTH)]
    if len(begins) == 1:
        chains = [np.array([n]) for n in range(len(found))]
    return [Course(times[chain], offsets[chain], _rivals(times, offsets, scores, chain)) for chain in chains]


def _rivals(times: Reals, offsets: Reals, scores: Reals, chain: npt.NDArray[np.intp]) -> tuple[float, ...]:
    """How far from the chain other places lie that are nearly as likely: where a sound repeats itself."""
    heaps: dict[int, tuple[float, float]] = {}
    for number in chain:
        near = (times == times[number]) & (scores >= _RIVAL * scores[number])
        for rival in np.flatnonzero(near & (np.abs(offsets - offsets[number]) > _SAME)):
            apart = float(offsets[rival] - offsets[number])
            key = round(apart / _SAME)
            heaps[key] = heaps.get(key, (0.0, apart))[0] + float(scores[rival]), apart
    likely = sorted(heaps.values(), reverse=True)
    return tuple(apart for _, apart in likely[:_PLACES])


def _modulation(level: Level) -> Reals:
    """The level less its mean over the second around: what gain and noise do not change."""
    if len(level) == 0:
        return np.zeros(0)
    width = LEVEL_RATE
    padded = np.pad(level.astype(np.float64), (width // 2, width - width // 2), mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    mean = (sums[width:] - sums[:-width])[: len(level)] / width
    modulation: Reals = np.clip(level - mean, -_LIMIT_DB, _LIMIT_DB)
    return modulation


def _likely(
    spectrum: npt.NDArray[np.complex128], size: int, section: Reals, searched: int
) -> list[tuple[int, float]]:
    """The likeliest places of a section and how far each stands out from chance."""
    if not section.any():
        return []
    correlation = np.fft.irfft(spectrum * np.conj(np.fft.rfft(section, size)), size)
    spread = float(np.sqrt(np.mean(correlation * correlation)))
    apart = round(_APART * LEVEL_RATE)
    found = []
    for _ in range(_PLACES if spread > 0 else 0):
        peak = int(np.argmax(correlation))
        found.append((peak if peak < searched else peak - size, float(correlation[peak] / spread)))
        correlation[np.arange(peak - apart, peak + apart + 1) % size] = -np.inf
    return found
