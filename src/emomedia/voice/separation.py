"""Each actor's voice without the other's, where both speak.

Each voice's way into the other microphone is learned from a section of sound around the overlap: first where
its speaker is alone, then, better, by the overlap too.  What it predicts is taken off; and as each track
then is a purer copy of its actor's voice, the other track's bleed is predicted from that, so that no actor
is cancelled by his own bleed (a feedback structure; Gerven and Compernolle 1995,
https://doi.org/10.1109/78.403349).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..session import SIDES, SideName
from ..timeline import SAMPLE_RATE
from .noise import without_noise
from .path import AHEAD, Equations, Spectrum, bled, equations
from .spectrum import power
from .stft import HOP, WINDOW, column_middles, restored, transformed

Sound = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float32]
_Made = TypeVar("_Made")

TAPS = 8
"""Of a path: 170 ms."""

ROUNDS = 2
"""How often the paths are learned, each time from purer voices."""

STRIDE = 2
"""Every second column is learned from: neighbours share three quarters of their windows."""

TOP_HZ = 12_000
"""Above it voices are too weak for their bleed to matter."""

ALONE_SECONDS = 1.0
"""Of one actor alone, from which that voice's path can be learned."""

LEAST_GAIN_DB = 3.0
"""By which bleed must be weakened, or a track is left as it is."""

MOST_CHANGE_DB = -15.0
"""What may be taken off a track where its own actor speaks alone and nothing should be: more is harm."""

NOISE_SECONDS = 0.25
"""In which nobody speaks, from which noise is learned."""

NOISY_DB = 45.0
"""Signal-to-noise ratio above which noise is left alone."""

_BINS = TOP_HZ * WINDOW // SAMPLE_RATE
_KEPT = np.float32(1e-3)
"""Share of what is heard that counts as being there, however little is left of it."""

_SMEAR = WINDOW // HOP // 2
"""Columns to either side of a voice that hold some of it."""

_MEDIAN = float(np.log(2))
_FLOOR = np.float32(1e-12)


@dataclass(frozen=True, slots=True, eq=False)
class Separated:
    """One side's track of a section.

    Attributes
    ----------
    spectrum : complex64[bins, columns]
        The track without the other voice, as far as it goes.
    gain_db : float or None
        By how much bleed was weakened where the other actor speaks alone; None if that was too short.
    change_db : float or None
        What was taken off where the own actor speaks alone, relative to the voice there.
    noise_db : float or None
        By how much noise was weakened where nobody speaks; None where it was left alone.
    """

    spectrum: Spectrum
    gain_db: float | None
    change_db: float | None
    noise_db: float | None = None

    def sound(self, first: int, end: int) -> Sound:
        """Samples ``first … end - 1`` of the section, float32[end - first]."""
        return restored(self.spectrum, first, end)

    @property
    def helps(self) -> bool:
        """Whether the sound is better than the track, by what was measured."""
        if self.gain_db is None or self.gain_db < LEAST_GAIN_DB:
            return False
        return self.change_db is None or self.change_db <= MOST_CHANGE_DB


def separate(sound: Mapping[SideName, Sound], active: Mapping[SideName, Mask]) -> dict[SideName, Separated]:
    """Take each voice out of the other actor's track.

    Parameters
    ----------
    sound : mapping by side of float32[n]
        A section of both tracks at 48 kHz, with some seconds of each actor alone.
    active : mapping by side of bool[n // 480]
        Who speaks when, every 10 ms.
    """
    samples = len(sound["left"])
    columns = {side: _in_columns(active[side], samples) for side in SIDES}
    with ThreadPoolExecutor(len(SIDES)) as threads:

        def by_side(make: Callable[[SideName], _Made]) -> dict[SideName, _Made]:
            return dict(zip(SIDES, threads.map(make, SIDES), strict=True))

        spectra = by_side(lambda side: transformed(sound[side]))
        low = {side: spectra[side][:_BINS] for side in SIDES}
        noise = by_side(lambda side: _noise(low[side], columns))
        pure = dict(low)
        for number in range(ROUNDS):
            pure = by_side(
                partial(_purer, heard=low, noise=noise, pure=pure, active=columns, everywhere=number > 0)
            )
        return by_side(lambda side: _finished(side, spectra[side], pure[side], columns))


def _other(side: SideName) -> SideName:
    return SIDES[1 - SIDES.index(side)]


def _in_columns(active: Mask, samples: int) -> Mask:
    middles = np.clip(column_middles(samples) // (SAMPLE_RATE // 100), 0, len(active) - 1)
    return active[middles]


def _purer(
    side: SideName,
    *,
    heard: Mapping[SideName, Spectrum],
    noise: Mapping[SideName, Values],
    pure: Mapping[SideName, Spectrum],
    active: Mapping[SideName, Mask],
    everywhere: bool,
) -> Spectrum:
    """One side's spectrum less what the other voice, as pure as it is by now, gives in it.

    What it is learned from: where the other actor speaks, alone or, with `everywhere`, not.
    """
    other = active[_other(side)]
    chosen = other if everywhere else other & ~active[side]
    chosen = chosen & (np.arange(len(chosen)) % STRIDE == 0)
    strength = _nearby(power(pure[side])) + noise[side][:, None]
    if everywhere:
        strength += _KEPT * power(heard[side])
    source = np.pad(pure[_other(side)], ((0, 0), (TAPS - 1 - AHEAD, AHEAD)))
    learned: Equations = equations(source, heard[side], np.float32(1) / (strength + _FLOOR), chosen, TAPS)
    return heard[side] - bled(source, learned.solved())


def _nearby(values: Values) -> Values:
    """Means of each column and its two neighbours."""
    wide = np.pad(values, ((0, 0), (1, 1)), mode="edge")
    return (wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]) * np.float32(1 / 3)


def _nobody(active: Mapping[SideName, Mask]) -> Mask:
    """Columns in whose windows nobody speaks."""
    spoken = np.pad(active["left"] | active["right"], _SMEAR)
    near = np.lib.stride_tricks.sliding_window_view(spoken, 2 * _SMEAR + 1)
    return np.asarray(~near.any(axis=1))


def _noise(spectrum: Spectrum, active: Mapping[SideName, Mask]) -> Values:
    """Mean power of the noise, float32[bins]; next to nothing where somebody always speaks."""
    silent = _nobody(active)
    if silent.sum() * HOP < NOISE_SECONDS * SAMPLE_RATE:
        return np.full(spectrum.shape[0], _FLOOR, np.float32)
    return (np.median(power(spectrum[:, silent]), axis=1) / _MEDIAN).astype(np.float32)


def _finished(
    side: SideName,
    heard: Spectrum,
    pure: Spectrum,
    active: Mapping[SideName, Mask],
) -> Separated:
    """The track of one side: the measures, the noise, and back to sound."""
    own, other = active[side], active[_other(side)]
    low = heard[:_BINS]
    gain = _ratio_db(low, pure, other & ~own)
    change = _ratio_db(low - pure, low, own & ~other)
    whole = np.concatenate([pure, heard[_BINS:]])
    quieter = _quieter(whole, own, active)
    weakened = None if quieter is None else _ratio_db(whole, quieter, _nobody(active), NOISE_SECONDS)
    final = whole if quieter is None else quieter
    return Separated(final, gain, change, weakened)


def _quieter(spectrum: Spectrum, own: Mask, active: Mapping[SideName, Mask]) -> Spectrum | None:
    """The spectrum without its noise, or None where that is low or unknown."""
    if not own.any() or _nobody(active).sum() * HOP < NOISE_SECONDS * SAMPLE_RATE:
        return None
    noise = _noise(spectrum, active)
    voice = float(power(spectrum[:, own]).sum(axis=0).mean())
    if voice > 10 ** (NOISY_DB / 10) * float(noise.sum()):
        return None
    return without_noise(spectrum, noise)


def _ratio_db(first: Spectrum, second: Spectrum, chosen: Mask, least: float = ALONE_SECONDS) -> float | None:
    """Power of the first in dB of the second's in the columns chosen, if these last `least` seconds."""
    if chosen.sum() * HOP < least * SAMPLE_RATE:
        return None
    powers = [
        float(power(spectrum).sum(axis=0, dtype=np.float64)[chosen].sum()) for spectrum in (first, second)
    ]
    return float(10 * np.log10((powers[0] + 1e-20) / (powers[1] + 1e-20)))
