"""Where one stretch of sound lies in another, by cross-correlation with whitened spectra (GCC-PHAT).

Knapp and Carter 1976, https://doi.org/10.1109/TASSP.1976.1162830.  Whitening makes every frequency count
alike, so that a room's echoes and a voice's own periods do not blur the peak.  Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

BAND = (150.0, 6000.0)
"""Hertz between which speech stands out in any recording; as far as the sample rate reaches."""

ASIDE = 0.02
"""Seconds from a peak within which others may be its echoes."""

_TOP = 0.9
"""Of the highest frequency there is: resamplers weaken what is above."""

_SILENCE = 1e-12
_REACH, _STEPS = 16, 32
"""Samples to either side that a place between samples is made of, and places looked at per sample."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest place of a correlation.

    Attributes
    ----------
    place : float
        In samples; to a hundredth of one where the recordings are clean.
    clarity : float
        0 to 1: one less the height of the highest other peak more than 20 ms away, as a part of this
        one's.  Stretches that have nothing in common seldom reach 0.4.
    height : float
        Of the whitened correlation; comparable between stretches of one length.
    """

    place: float
    clarity: float
    height: float


def phat_peak(long: npt.NDArray[np.float32], short: npt.NDArray[np.float32], last: int, rate: int) -> Peak:
    """Where `short` lies in `long`, of the places from 0 to `last` samples.  Either polarity counts.

    Parameters
    ----------
    long, short : float32[n], float32[m]
        `n` at least `m` + `last`, so that every place lies within.
    rate : int
        Samples per second.
    """
    size = _fast_size(len(long))
    cross = np.fft.rfft(_faded(long, last // 2), size) * np.conj(np.fft.rfft(short * _bell(len(short)), size))
    correlation = np.fft.irfft(whitened(cross, rate / size), size)
    height = np.abs(correlation[: last + 1])
    peak = int(np.argmax(height))
    aside = np.ones(len(height), bool)
    reach = round(ASIDE * rate)
    aside[max(0, peak - reach) : peak + reach + 1] = False
    if height[peak] == 0 or not aside.any():
        return Peak(float(peak), 0.0, float(height[peak]))
    around = np.take(correlation, np.arange(peak - _REACH - 1, peak + _REACH + 2), mode="wrap")
    clarity = float(1 - height[aside].max() / height[peak])
    return Peak(peak + _between_samples(around), clarity, float(height[peak]))


def _faded(long: npt.NDArray[np.float32], reach: int) -> npt.NDArray[np.float32]:
    """`long` with soft edges: hard ones would lie on those of `short` at the first and the last place."""
    edge = _bell(2 * reach)[:reach] if reach else np.ones(0, np.float32)
    middle = np.ones(len(long) - 2 * len(edge), np.float32)
    faded: npt.NDArray[np.float32] = long * np.concatenate([edge, middle, edge[::-1]])
    return faded


@cache
def _bell(count: int) -> npt.NDArray[np.float32]:
    return np.hanning(count).astype(np.float32)


def whitened(cross: npt.NDArray[np.complex128], step: float) -> npt.NDArray[np.complex128]:
    """`cross`, a spectrum with a value every `step` hertz, at magnitude 1 within the band, else 0."""
    first = int(np.ceil(BAND[0] / step))
    end = int(min(BAND[1] / step, _TOP * len(cross)))
    white = np.zeros_like(cross)
    magnitude = np.abs(cross[first:end])
    np.divide(cross[first:end], magnitude, out=white[first:end], where=magnitude > _SILENCE)
    return white


def _between_samples(around: npt.NDArray[np.float64]) -> float:
    """Where the top is, in samples from the middle one of `around`, which is higher than its neighbours.

    The correlation is band-limited, so its values between samples are known.  A parabola through three
    samples would be off by up to a twentieth of a sample.
    """
    height = np.abs(_kernel() @ around)
    top = int(np.argmax(height))
    return float((top + _parabola(height, top)) / _STEPS - 1)


@cache
def _kernel() -> npt.NDArray[np.float64]:
    """A tapered sinc: from 2·_REACH + 3 samples to places from one before the middle to one after."""
    places = np.linspace(-1, 1, 2 * _STEPS + 1)
    distance = places[:, None] - np.arange(-_REACH - 1, _REACH + 2)
    kernel: npt.NDArray[np.float64] = np.sinc(distance) * np.cos(np.pi / 2 * distance / (_REACH + 2.5)) ** 2
    return kernel


def _parabola(height: npt.NDArray[np.float64], peak: int) -> float:
    """Distance from sample `peak` of the top of the parabola through it and its neighbours."""
    if not 0 < peak < len(height) - 1:
        return 0.0
    before, top, after = height[peak - 1 : peak + 2]
    bend = before - 2 * top + after
    return float((before - after) / (2 * bend)) if bend < 0 else 0.0


def _fast_size(least: int) -> int:
    """The next size from `least` on whose only other factor than 2 is one 3 or 5."""
    power = 1 << (least - 1).bit_length()
    return min(size for size in (power, power * 5 // 8, power * 3 // 4) if size >= least)
