"""Evidence in a track's sound of where words begin and end, every 5 ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ..voice.activity import TAIL_DB, TAIL_SLOPE_DB
from ..voice.spectrum import FRAME_SECONDS

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000

HOP = 80
"""Samples from one edge to the next, 5 ms: a quarter of the step of Whisper's times."""

_WINDOW = 320
"""Samples: 20 ms, short beside a syllable, long beside a period of the deepest voice."""

_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 24, 80.0, 7600.0

_NEAR, _FAR = 1, 3
"""Hops from an edge to the nearest and farthest spectra that are compared across it."""

_RISE = 0.3
"""What power that rises counts for beside power that falls: a vowel rises over its consonant, within a word,
and falls where the next word begins."""

_RANGE = 9.0
"""Natural logarithm of power, 39 dB: what is farther below the loudest is not heard."""

_FLOOR, _ABOVE_FLOOR = 10, 1.5
"""Percentile of a band's power that is its noise, and how far above it, as a logarithm, noise reaches."""

_LARGEST = 4.0
"""Change, in its own root mean squares, beyond which more says no more."""

_LOUD, _QUIET = 90, 10
"""Percentiles of level that count as loud and as quiet."""

_SPOKEN_DB, _SLOPE_DB = 25.0, 6.0
"""Below the loud parts, where a sound is as likely within a word as not, and how soon it is certain."""

_TAIL = range(6, 40)
"""Hops, 30 to 200 ms, after which a voice that has ended is heard only by way of the room."""

_ABOVE_NOISE = 0.3
"""Share of the way from quiet to loud below which nothing counts as spoken."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Evidence about n hops of sound and the n + 1 edges between them.

    Attributes
    ----------
    change : float32[n + 1]
        How much the spectrum changes across each edge, in its own root mean squares.
    spoken : float32[n]
        1 for a hop that is loud enough to be within a word, −1 for one that is not.
    active : bool[n]
        Whether the hop lies within the actor's own speech.
    """

    change: Floats
    spoken: Floats
    active: npt.NDArray[np.bool_]


def heard_edges(sound: Floats, start: float, activity: Sequence[tuple[float, float]]) -> Edges:
    """What `sound`, float32[n] at 16 kHz that begins at `start` seconds, says.

    `activity` is when its actor speaks, in seconds on the same clock.
    """
    hops = len(sound) // HOP
    active = _marked(activity, start, hops)
    level, bands = _spectra(sound, hops)
    return Edges(_change(bands, active), _spoken(level, active), active)


def _marked(activity: Sequence[tuple[float, float]], start: float, hops: int) -> npt.NDArray[np.bool_]:
    """The hops that lie wholly within the activity; to a tenth of a hop, since decimals do not hit them."""
    rate = SAMPLE_RATE / HOP
    active = np.zeros(hops, np.bool_)
    for first, end in activity:
        active[max(0, _up((first - start) * rate)) : max(0, _down((end - start) * rate))] = True
    return active


def _up(place: float) -> int:
    return int(np.ceil(place - 0.1))


def _down(place: float) -> int:
    return int(np.floor(place + 0.1))


def _spectra(sound: Floats, hops: int) -> tuple[Floats, Floats]:
    """Level of each hop in dB, float32[n]; logarithms of power in bands at each edge, float32[n + 1, b]."""
    blocks = sound[: hops * HOP].reshape(hops, HOP)
    level = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-10)
    padded = np.pad(sound, (_WINDOW // 2, _WINDOW // 2 + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][: hops + 1]
    spectra = np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32))
    power = spectra.real**2 + spectra.imag**2
    return level.astype(np.float32), np.log(power @ _filters() + 1e-10).astype(np.float32)


@cache
def _filters() -> Floats:
    """Triangles on the mel scale, float32[bins, bands]."""
    ends = 1127 * np.log1p(np.array([_LOWEST_HZ, _HIGHEST_HZ]) / 700)
    mel = np.linspace(ends[0], ends[1], _BANDS + 2)
    low, middle, high = (700 * np.expm1(mel[n : n + _BANDS] / 1127) for n in range(3))
    hz = np.arange(_WINDOW // 2 + 1)[:, None] * SAMPLE_RATE / _WINDOW
    sides = np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle))
    return np.asarray(np.maximum(sides, 0), np.float32)


def _change(bands: Floats, active: npt.NDArray[np.bool_]) -> Floats:
    """Distance between the mean spectra before and after each edge, float32[n + 1]."""
    edges = len(bands)
    noise = np.percentile(bands, _FLOOR, axis=0) + _ABOVE_FLOOR
    clipped = np.maximum(bands, np.maximum(noise, bands.max() - _RANGE))
    total = np.concatenate([np.zeros((1, clipped.shape[1])), np.cumsum(clipped, axis=0, dtype=np.float64)])

    def mean(first: npt.NDArray[np.int_], end: npt.NDArray[np.int_]) -> npt.NDArray[np.float64]:
        first, end = np.clip(first, 0, edges - 1), np.clip(end, 1, edges)
        return np.asarray((total[end] - total[first]) / np.maximum(end - first, 1)[:, None])

    here = np.arange(edges)
    before = mean(here - _FAR, here - _NEAR + 1)
    after = mean(here + _NEAR, here + _FAR + 1)
    rise = after - before
    distance = np.sqrt(np.mean(np.where(rise > 0, _RISE, 1) * rise**2, axis=1))
    within = distance[:-1][active] if active.any() else distance
    usual = np.sqrt(np.mean(within**2)) or 1.0
    return np.asarray(np.minimum(distance / usual, _LARGEST), np.float32)


def _spoken(level: Floats, active: npt.NDArray[np.bool_]) -> Floats:
    if not active.any():
        return np.full(len(level), -1, np.float32)
    loud = np.percentile(level[active], _LOUD)
    quiet = min(np.percentile(level, _QUIET), loud)
    least = np.maximum(_room_tail(level), max(loud - _SPOKEN_DB, quiet + _ABOVE_NOISE * (loud - quiet)))
    return np.asarray(np.clip((level - least) / _SLOPE_DB, -1, 1), np.float32)


def _room_tail(level: Floats) -> Floats:
    """The level that the room alone gives a voice after it has ended, as for activity; float32[n]."""
    tail = np.full_like(level, -np.inf)
    slope = TAIL_SLOPE_DB * HOP / SAMPLE_RATE / FRAME_SECONDS
    for later in _TAIL:
        tail[later:] = np.maximum(tail[later:], level[:-later] - np.float32(TAIL_DB + slope * later))
    return tail
