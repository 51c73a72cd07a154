"""When a recording lost or gained time: its sound fits one offset before, and another after.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from .chain import Reals
from .proxy import PROXY_RATE, Proxy
from .ways import BLOCK, HALF, HOP, REACH, Line, learned

__all__ = ["Hearing", "Line", "Step", "locate"]

_OPEN = 60.0
"""Log likelihood that a place may lack and still be possible: rooms are not as simple as their responses."""

_CLOSER = 80.0
"""Log likelihood that a place may lack, by what each clock explains alone, to be looked at more closely."""

_AROUND = 40
"""Hops, 200 ms, around such places: sound that has ended still reverberates."""

_MOST_PLACES = 1000
_ONE_VOICE = 20
"""Hops, 100 ms, that count as one voice's."""

_UNEXPLAINED = 0.3
"""How much a louder remainder than usual counts against a clock: what is there may be the other clock's.
Only where the recording hears all voices closely."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a recording's clock.

    Attributes
    ----------
    time : float
        Second of the recording at which it is.
    seconds : float
        By how much the other clock is farther ahead from there on: time that is missing in the recording,
        or, negative, time that is in it twice or that the other one lacks.
    within : float
        Seconds on either side that the sound leaves open: a step in silence cannot be heard.
    span : (float, float)
        Between what seconds of the recording it was looked for.
    lines : (Line, Line)
        The clock before and after it.
    """

    time: float
    seconds: float
    within: float
    span: tuple[float, float] = field(repr=False)
    lines: tuple[Line, Line] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hearing:
    """A recording with a step, one that heard the same without it, and the clock before and after."""

    reference: Proxy
    other: Proxy
    lines: tuple[Line, Line]


def locate(hearings: Sequence[Hearing], span: tuple[float, float]) -> Step:
    """Find a step within `span`, seconds of the recording.

    How sound gets from the recording's microphones to the reference's, echoes and all, is learned where the
    offset is known.  Then, for every 5 ms at which the step may be, it is asked how well the recording
    explains the reference: what comes before the step on the one clock, what comes after on the other.

    Parameters
    ----------
    hearings : sequence of Hearing
        One for each channel of the recording: together they hear both voices closely.  One alone hears the
        other voice only as bleed, and shows less.
    """
    first = round(span[0] * PROXY_RATE)
    count = max(1, round((span[1] - span[0]) * PROXY_RATE) // HOP)
    channels = [hearing.other for hearing in hearings]
    ears = [_Ear(hearing, channels, first, count) for hearing in hearings]
    places = _likely(np.sum([ear.roughly() for ear in ears], axis=0))
    total = np.sum([[ear.closely(place) for place in places] for ear in ears], axis=0)
    best = places[int(np.argmax(total))]
    possible = places[total >= total.max() - _OPEN]
    time = (first + best * HOP) / PROXY_RATE
    lines = hearings[0].lines
    size = lines[1].at(time) - lines[0].at(time)
    hops = max(best - possible[0], possible[-1] - best, 1)
    return Step(time, size, float(hops * HOP / PROXY_RATE), span, lines)


def _likely(total: Reals) -> npt.NDArray[np.intp]:
    """Places that deserve a closer look; fewer where much is silent."""
    likely = np.flatnonzero(total >= total.max() - _CLOSER)
    near = np.unique(np.clip(likely[:, None] + np.arange(-_AROUND, _AROUND + 1), 0, len(total) - 1))
    return near[:: -(-len(near) // _MOST_PLACES)]


class _Ear:
    """What one reference shows about where in a span of hops the recording's step is."""

    def __init__(self, hearing: Hearing, channels: Sequence[Proxy], first: int, count: int) -> None:
        self._ways = [learned(hearing.reference, channels, lines) for lines in _known(hearing, len(channels))]
        self._against = _UNEXPLAINED if len(channels) > 1 else 0.0
        self._lines = hearing.lines
        self._first = first
        gains = (self._gains(first, count, side) for side in (0, 1))
        self._before, self._after = (np.concatenate([[0.0], np.cumsum(gain)]) for gain in gains)

    def roughly(self) -> Reals:
        """How well each clock explains its side of each place: float64[count + 1]."""
        total: Reals = self._before + self._after[-1] - self._after
        return total

    def closely(self, place: int) -> float:
        """The same, of one place, with what reverberates across it from the one side into the other."""
        at = self._first + place * HOP
        step = round((self._lines[1].at(at / PROXY_RATE) - self._lines[0].at(at / PROXY_RATE)) * PROXY_RATE)
        sound, number = self._sound(at), np.arange(BLOCK) - HALF
        earlier = np.where(number < -max(step, 0), self._sound(at + step), 0)
        dying = self._gain(at, 0, np.where(number < 0, sound, 0), 0.0)
        beginning = self._gain(at, 1, np.where(number >= 0, sound, earlier), self._against)
        lost = min(max(step, 0), REACH) // HOP
        known = min(place + REACH // HOP, len(self._after) - 1)
        return float(
            self._before[place]
            + dying[:lost].sum()
            + beginning[: known - place].sum()
            + self._after[-1]
            - self._after[known]
        )

    def _gains(self, first: int, count: int, side: int) -> Reals:
        """Log likelihood of `count` hops from sample `first` on with all that the channels hold there."""
        begins = range(first, first + count * HOP, REACH)
        found = [self._gain(begin, side, self._sound(begin), self._against) for begin in begins]
        return np.concatenate([np.zeros(0), *found])[:count]

    def _gain(self, begin: int, side: int, sound: Reals, against: float) -> Reals:
        """The same of the hops from `begin` on with what is explained by `sound`, whosever voice it is."""
        gains = np.array([ways.gain(begin, self._lines[side], sound, against) for ways in self._ways])
        clear = [np.convolve(gain, np.ones(_ONE_VOICE), "same") for gain in gains]
        found: Reals = np.take_along_axis(gains, np.argmax(clear, axis=0)[None], axis=0)[0]
        return found

    def _sound(self, begin: int) -> Reals:
        return self._ways[0].sound(begin)


def _known(hearing: Hearing, channels: int) -> list[tuple[Line, ...]]:
    """What the ways are learned from; of one channel alone, each voice's by themselves."""
    if channels > 1:
        return [hearing.lines]
    own = tuple(replace(line, quiet=()) for line in hearing.lines)
    other = tuple(replace(line, loud=()) for line in hearing.lines)
    return [own, other] if any(line.quiet for line in other) else [own]
