"""The sound that is sent: an actor's own speech at 16 kHz, nothing where the other actor speaks instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..audio._pcm import to_real
from ..audio.track import PcmBlock
from ..session import SIDES, SideName
from ..timeline import SAMPLE_RATE
from .passages import COLUMNS, Mask, Passage, Window

RATE = 16_000
"""Samples per second that Whisper hears."""

BEFORE, AFTER = 5, 20
"""Columns around the other actor's speech that count as it: its first breath, and the room that it leaves."""

EDGE = 3
"""Columns around the own speech that are kept whatever the other actor does."""

_COLUMN = SAMPLE_RATE // COLUMNS
_LEAD = 10
"""Columns before and after what is resampled, for the resampler's filter."""

Sound = npt.NDArray[np.float32]


class Cut(Protocol):
    """A track of which samples can be had: untouched, or cleaned."""

    def cut(self, first: int, end: int) -> PcmBlock: ...


@dataclass(frozen=True, eq=False)
class Tracks:
    """Both actors' tracks on the session clock, and when each of them speaks, bool[columns].

    `hidden`, bool[columns], is what must never be heard, not even around a passage.
    """

    tracks: Mapping[SideName, Cut]
    spoken: Mapping[SideName, Mask]
    hidden: Mask | None = None

    @cached_property
    def active(self) -> Mapping[SideName, Mask]:
        """When each of them speaks and may be heard."""
        if self.hidden is None:
            return self.spoken
        return {side: mask & ~self.hidden[: len(mask)] for side, mask in self.spoken.items()}

    def sound(self, passage: Passage) -> Sound:
        """What the recogniser hears of a passage: float32[samples at 16 kHz], full scale 1."""
        import soxr

        begin, stop = passage.begin - _LEAD, passage.stop + _LEAD
        track = to_real(self.tracks[passage.side].cut(begin * _COLUMN, stop * _COLUMN))
        gain = own_gain(self.spoken, passage.side, begin, stop)
        if self.hidden is not None:
            gain &= ~_within(self.hidden, begin, stop)
        heard = soxr.resample(track * _per_sample(gain), SAMPLE_RATE, RATE, quality="HQ")
        lead = _LEAD * RATE // COLUMNS
        wanted = passage.columns * RATE // COLUMNS
        return np.ascontiguousarray(heard[lead : lead + wanted], np.float32)

    def window(self, window: Window) -> Sound:
        """The sounds of a window's passages at their places."""
        heard = np.zeros(window.columns * RATE // COLUMNS, np.float32)
        for passage, place in zip(window.passages, window.places, strict=True):
            sound = self.sound(passage)
            first = place * RATE // COLUMNS
            heard[first : first + len(sound)] = sound
        return heard


def own_gain(active: Mapping[SideName, Mask], side: SideName, begin: int, stop: int) -> Mask:
    """Which of the columns ``[begin, stop)`` are heard: all but those of the other actor alone."""
    other = SIDES[1 - SIDES.index(side)]
    first, last = begin - AFTER, stop + AFTER
    spoken = {name: _within(active[name], first, last) for name in SIDES}
    foreign = _spread(spoken[other], BEFORE, AFTER)
    own = _spread(spoken[side], EDGE, EDGE)
    return (own | ~foreign)[AFTER : AFTER + stop - begin]


def _within(mask: Mask, first: int, last: int) -> Mask:
    """The columns ``[first, last)``, silent where there are none."""
    inside = mask[max(0, first) : max(0, last)]
    before = max(0, min(0, last) - first) if first < 0 else 0
    return np.pad(inside, (before, last - first - before - len(inside)))


def _spread(mask: Mask, before: int, after: int) -> Mask:
    """True also `before` columns earlier and `after` columns later."""
    counts = np.concatenate([[0], np.cumsum(mask)])
    place = np.arange(len(mask))
    return counts[np.minimum(place + before + 1, len(mask))] > counts[np.maximum(place - after, 0)]


def _per_sample(gain: Mask) -> Sound:
    """Gains of columns for samples; from one to another they go over within a column."""
    value = gain.astype(np.float32)
    edges = np.minimum(value[:-1], value[1:])  # whatever is next to silence fades on its own side
    starts, ends = np.concatenate([value[:1], edges]), np.concatenate([edges, value[-1:]])
    ramp = ((np.arange(_COLUMN) + 0.5) / _COLUMN).astype(np.float32)
    faded: Sound = starts[:, None] + (ends - starts)[:, None] * ramp
    return faded.reshape(-1)
