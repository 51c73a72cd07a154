"""How one recording of a conversation lies against another: offset, drift, and how sure that is.

Two steps.  The coarse one correlates the loudness of both recordings, 100 values a second over their
whole length, which neither rooms nor microphones nor drift change much.  The fine one looks at short
stretches of sound at 48 kHz around that place, by cross-correlation with whitened spectra (GCC-PHAT;
Knapp and Carter 1976, https://doi.org/10.1109/TASSP.1976.1162830).  Memory: the loudness curves and one
stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd

import numpy as np
import numpy.typing as npt

from ..probe.types import Track
from ..timeline import SAMPLE_RATE
from ._pcm import to_real
from .track import blocks, rebatched, stretch

THRESHOLD = 0.3
"""Confidence below which two recordings do not count as being of one event."""

MIN_DRIFT_SECONDS = 240
"""Drift is looked for when the stretches span at least this; shorter, 50 ppm stay under 12 ms."""

MIN_DRIFT_SHIFT = 0.002
"""Seconds by which drift must displace the recordings over their overlap to count as found."""

_RATE = 8000
_HOP = 80
_HOPS = _RATE // _HOP
_CANDIDATES = 3
_STRETCHES = 8
_STRETCH_SECONDS = 5.0
_REACH_SECONDS = 0.5
_PEAK_SECONDS = 0.02
_BAND = (150.0, 6000.0)

Curve = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Match:
    """Where a recording lies on another's clock.

    Its local time ``u`` is at ``offset + u · (1 + drift_ppm · 1e-6)`` seconds there.

    Attributes
    ----------
    confidence : float
        0 to 1: one less the height of the highest other peak, as a part of the peak's own; the median
        over the stretches.  Unrelated recordings stay under 0.25.
    residual_ms : float
        Median distance of the stretches from that line, in milliseconds.
    """

    offset: float
    drift_ppm: float
    confidence: float
    residual_ms: float


def loudness(track: Track) -> Curve:
    """Log power of the track, 100 values a second; the lowest octave of rumble is weakened."""
    import soxr

    stream = soxr.ResampleStream(track.sample_rate, _RATE, 1, dtype="float32", quality="MQ")
    curve: list[npt.NDArray[np.float32]] = []
    rest = np.zeros(0, np.float32)
    for block in rebatched(blocks(track)):
        rest = np.concatenate([rest, stream.resample_chunk(to_real(block))])
        whole = len(rest) // _HOP * _HOP
        hops = np.diff(rest[:whole].reshape(-1, _HOP), axis=1)
        curve.append(np.log10(np.mean(hops * hops, axis=1) + 1e-10))
        rest = rest[whole:]
    return np.concatenate(curve) if curve else np.zeros(0, np.float32)


def align(reference: Track, other: Track, curve: Callable[[Track], Curve] = loudness) -> Match | None:
    """Find where `other` lies on the clock of `reference`.

    Parameters
    ----------
    curve : callable
        :func:`loudness`, or what remembers its results where a track is aligned more than once.

    Returns
    -------
    Match or None
        The likeliest place, however low its confidence; None if one recording holds nothing to compare.
    """
    curves = curve(reference), curve(other)
    matches = (_refined(reference, other, curves, lag) for lag in _coarse(*map(_modulation, curves)))
    best: Match | None = None
    for match in matches:
        if match and (best is None or match.confidence > best.confidence):
            best = match
        if best and best.confidence >= THRESHOLD:
            break
    return best


def _modulation(curve: Curve) -> npt.NDArray[np.float64]:
    """The curve less its mean over the second around: what level and noise do not change."""
    width = _HOPS
    if len(curve) == 0:
        return np.zeros(0)
    padded = np.pad(curve.astype(np.float64), (width // 2, width - width // 2), mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    mean = (sums[width:] - sums[:-width])[: len(curve)] / width
    result: npt.NDArray[np.float64] = curve - mean
    return result


def _coarse(reference: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> Iterator[float]:
    """The likeliest offsets in seconds, best first."""
    if not reference.any() or not other.any():
        return
    size = 1 << (len(reference) + len(other)).bit_length()
    spectrum = np.fft.rfft(reference, size) * np.conj(np.fft.rfft(other, size))
    correlation = np.fft.irfft(spectrum, size)
    for _ in range(_CANDIDATES):
        peak = int(np.argmax(correlation))
        yield (peak if peak < len(reference) else peak - size) / _HOPS
        around = np.arange(peak - _HOPS // 2, peak + _HOPS // 2) % size
        correlation[around] = -np.inf


def _refined(
    reference: Track,
    other: Track,
    curves: tuple[Curve, Curve],
    lag: float,
) -> Match | None:
    """The exact place near `lag`, from stretches all over what both recordings cover."""
    starts = list(_stretches(*curves, round(lag * _HOPS)))
    if not starts:
        return None
    found = np.array([_fine(reference, other, start, lag) for start in starts])
    middles = np.array(starts) + _STRETCH_SECONDS / 2
    sure = found[:, 1] >= THRESHOLD
    confidence = float(np.median(found[:, 1]))
    if not sure.any():
        return Match(lag, 0.0, confidence, 0.0)
    return _line(middles[sure], found[sure, 0], confidence)


def _stretches(
    reference: npt.NDArray[np.float32], other: npt.NDArray[np.float32], lag: int
) -> Iterator[float]:
    """Local times of `other`, in seconds, of the liveliest stretches: one from each part of the overlap."""
    first, end = max(0, -lag), min(len(other), len(reference) - lag)
    length = round(_STRETCH_SECONDS * _HOPS)
    parts = min(_STRETCHES, (end - first) // length)
    if parts < 1:
        if end - first >= _HOPS:
            yield first / _HOPS
        return
    both = reference[first + lag : end + lag] + other[first:end]
    sums = np.concatenate([[0.0], np.cumsum(np.float64(both))])
    scores = sums[length:] - sums[:-length]
    for part in range(parts):
        begin, stop = (len(both) * part // parts, len(both) * (part + 1) // parts - length + 1)
        yield (first + begin + int(np.argmax(scores[begin:stop]))) / _HOPS


def _fine(reference: Track, other: Track, start: float, lag: float) -> tuple[float, float]:
    """Offset in seconds and confidence from the stretch of `other` that begins at `start` seconds."""
    reach = round(_REACH_SECONDS * SAMPLE_RATE)
    short = _sound(other, start, _STRETCH_SECONDS)
    long = _sound(reference, start + lag - _REACH_SECONDS, _STRETCH_SECONDS + 2 * _REACH_SECONDS)
    place, confidence = phat_peak(long, short, 2 * reach)
    return lag + (place - reach) / SAMPLE_RATE, confidence


def _sound(track: Track, start: float, seconds: float) -> npt.NDArray[np.float32]:
    """A stretch of a track at 48 kHz; its first sample is the one nearest to `start`."""
    import soxr

    first = round(start * SAMPLE_RATE)
    if track.sample_rate == SAMPLE_RATE:
        return stretch(track, first, round(seconds * SAMPLE_RATE))
    unit = track.sample_rate // gcd(track.sample_rate, SAMPLE_RATE)  # samples after which the rates meet
    local = (first * track.sample_rate // SAMPLE_RATE - track.sample_rate // 10) // unit * unit
    sound = stretch(track, local, round((seconds + 0.3) * track.sample_rate))
    begin = first - local * SAMPLE_RATE // track.sample_rate
    resampled: npt.NDArray[np.float32] = soxr.resample(sound, track.sample_rate, SAMPLE_RATE, quality="HQ")
    return resampled[begin : begin + round(seconds * SAMPLE_RATE)]


def phat_peak(
    long: npt.NDArray[np.float32], short: npt.NDArray[np.float32], last: int
) -> tuple[float, float]:
    """Where `short` lies in `long`, in samples from 0 to `last`, and how sure that is.

    Both spectra are whitened within the band of speech.  Either polarity counts.

    Parameters
    ----------
    long, short : float32[n], float32[m]
        At 48 kHz.

    Returns
    -------
    place : float
        To a fraction of a sample, by a parabola through the peak.
    confidence : float
        One less the highest peak more than 20 ms away, as a part of the peak.
    """
    size = 1 << (len(long) + len(short)).bit_length()
    cross = np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size))
    frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    magnitude = np.abs(cross)
    inside = (frequency >= _BAND[0]) & (frequency <= _BAND[1]) & (magnitude > 1e-12)
    white = np.where(inside, cross / np.maximum(magnitude, 1e-12), 0)
    height = np.abs(np.fft.irfft(white, size)[: last + 1])
    peak = int(np.argmax(height))
    aside = np.abs(np.arange(len(height)) - peak) > _PEAK_SECONDS * SAMPLE_RATE
    if height[peak] == 0 or not aside.any():
        return float(peak), 0.0
    return peak + _parabola(height, peak), float(1 - height[aside].max() / height[peak])


def _parabola(height: npt.NDArray[np.float64], peak: int) -> float:
    """Distance from sample `peak` of the top of the parabola through it and its neighbours."""
    if not 0 < peak < len(height) - 1:
        return 0.0
    before, top, after = height[peak - 1 : peak + 2]
    bend = before - 2 * top + after
    return float((before - after) / (2 * bend)) if bend < 0 else 0.0


def _line(places: npt.NDArray[np.float64], offsets: npt.NDArray[np.float64], confidence: float) -> Match:
    """The line through the stretches' offsets that outliers do not move (Theil 1950, Sen 1968)."""
    i, j = np.triu_indices(len(places), 1)
    slope = 0.0
    if np.ptp(places) >= MIN_DRIFT_SECONDS and len(places) >= 4:
        slope = float(np.median((offsets[j] - offsets[i]) / (places[j] - places[i])))
    if abs(slope) * (places.max() + _STRETCH_SECONDS) < MIN_DRIFT_SHIFT:
        slope = 0.0
    offset = float(np.median(offsets - slope * places))
    residual = np.median(np.abs(offsets - slope * places - offset))
    return Match(offset, slope * 1e6, confidence, float(residual) * 1000)
