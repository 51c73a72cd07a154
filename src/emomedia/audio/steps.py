"""When a recording lost or gained time: its sound fits one offset before, and another after.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .chain import Reals
from .proxy import PROXY_RATE, Proxy

_HOP = 40
"""Samples, 5 ms, between the places that a step is looked for at."""

_BLOCK = 8192
"""Samples, of which the middle half counts: drift moves little within it, and the edges are far."""

_HALF = _BLOCK // 2 // _HOP * _HOP
_KNOWN_SECONDS = 6.0
_EARLY, _LATE = 80, 400
"""Samples before and after the direct sound that a room's response is learned for."""

_STANDS_OUT = 3.0
_BAND = (150.0, 3600.0)
_SMOOTH = 150 * _BLOCK // PROXY_RATE
"""Lines of a block's spectrum, 150 Hz, over which it is flattened."""

_OPEN = 10.0
"""Log likelihood that places may lack to count as no worse than the best one."""

_NOTHING = 1e-12

Spectrum = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a clock: its offset at time zero, its drift, times that are known to lie on it
    and whether the recording is loud there."""

    offset: float
    slope: float
    loud: tuple[float, ...]
    quiet: tuple[float, ...] = ()

    def at(self, time: float) -> float:
        return self.offset + self.slope * time


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

    How sound gets from the recording's microphone to the reference's, echoes and all, is learned where the
    offset is known; then every 5 ms are asked which of the two offsets they fit better.

    Parameters
    ----------
    hearings : sequence of Hearing
        One for each channel of the recording: together they hear both voices closely.
    """
    voices = [voice for hearing in hearings for loud in (True, False) if (voice := _voice(hearing, loud))]
    first, count = round(span[0] * PROXY_RATE), round((span[1] - span[0]) * PROXY_RATE)
    total = np.zeros(1 + -(-max(count, _HOP) // _HALF) * (_HALF // _HOP))
    for voice in voices:
        gains = [
            voice.likeness(begin, voice.hearing.lines[0]) - voice.likeness(begin, voice.hearing.lines[1])
            for begin in range(first, first + max(count, _HOP), _HALF)
        ]
        total[1:] += voice.weight * np.cumsum(np.concatenate(gains))
    total = total[: max(1, count // _HOP) + 1]
    best = int(np.argmax(total))
    low, high = _run(total >= total[best] - _OPEN, best)
    time = (first + best * _HOP) / PROXY_RATE
    lines = hearings[0].lines
    size = lines[1].at(time) - lines[0].at(time)
    return Step(time, size, max(best - low, high - best, 1) * _HOP / PROXY_RATE, span, lines)


@dataclass(frozen=True, slots=True, eq=False)
class _Voice:
    """A voice's way from the recording to the reference, as a spectrum; the mean power of a hop of its sound
    once it went that way, and of the reference's; what likeness weighs as evidence."""

    hearing: Hearing
    response: Spectrum
    powers: tuple[float, float]
    weight: float

    def likeness(self, begin: int, line: Line) -> Reals:
        """How well each hop from sample `begin` on fits the reference on a line: float64[_HALF // _HOP]."""
        mine, theirs = _spectra(self.hearing, begin, line)
        return _alike(_hops(mine * self.response), _hops(theirs), self.powers)


def _voice(hearing: Hearing, loud: bool) -> _Voice | None:
    """What the known places tell of the voice that is loud in the recording, or of the one that is not."""
    known = [
        _spectra(hearing, round(begin * PROXY_RATE), line)
        for line in hearing.lines
        for time in (line.loud if loud else line.quiet)
        for begin in np.arange(time - _KNOWN_SECONDS / 2, time + _KNOWN_SECONDS / 2, _HALF / PROXY_RATE)
    ]
    if not known:
        return None
    total = np.fft.irfft(np.sum([heard * np.conj(spoken) for spoken, heard in known], axis=0), _BLOCK)
    near = np.concatenate([total[-_EARLY:], total[:_LATE]])
    near[np.abs(near) < _STANDS_OUT * np.median(np.abs(near))] = 0
    response = np.zeros(_BLOCK)
    response[-_EARLY:], response[:_LATE] = near[:_EARLY], near[_EARLY:]
    way = np.fft.rfft(response)
    mine = np.concatenate([_hops(spoken * way) for spoken, _ in known])
    theirs = np.concatenate([_hops(heard) for _, heard in known])
    powers = float(np.sum(mine * mine) / len(mine)), float(np.sum(theirs * theirs) / len(theirs))
    likeness = _alike(mine, theirs, powers)
    return _Voice(hearing, way, powers, float(likeness.mean() / (likeness.var() + _NOTHING)))


def _hops(block: Spectrum) -> Reals:
    """The middle half of a block in hops: float64[_HALF // _HOP, _HOP]."""
    margin = (_BLOCK - _HALF) // 2
    return np.fft.irfft(block, _BLOCK)[margin : margin + _HALF].reshape(-1, _HOP)


def _alike(mine: Reals, theirs: Reals, powers: tuple[float, float]) -> Reals:
    """The correlation of each hop; near nothing where a hop is far quieter than those of the mean power."""
    scales = [np.sum(hops * hops, axis=1) + power for hops, power in zip((mine, theirs), powers, strict=True)]
    found: Reals = np.sum(mine * theirs, axis=1) / (np.sqrt(scales[0] * scales[1]) + _NOTHING)
    return found


def _spectra(hearing: Hearing, begin: int, line: Line) -> tuple[Spectrum, Spectrum]:
    """Flattened, of a block whose middle half begins at `begin`, and of the reference's where it belongs."""
    begin -= (_BLOCK - _HALF) // 2
    place = begin + line.at((begin + _BLOCK / 2) / PROXY_RATE) * PROXY_RATE
    whole = int(np.floor(place))
    mine = np.fft.rfft(hearing.other.read(begin, _BLOCK), _BLOCK)
    theirs = np.fft.rfft(hearing.reference.read(whole, _BLOCK), _BLOCK)
    theirs = theirs * np.exp(2j * np.pi * (place - whole) / _BLOCK * np.arange(len(theirs)))
    return _flattened(mine), _flattened(theirs)


def _flattened(spectrum: Spectrum) -> Spectrum:
    """The spectrum at its own level all over the band of speech, by a filter too short to move sound."""
    first, end = (round(hertz * _BLOCK / PROXY_RATE) for hertz in _BAND)
    sums = np.concatenate([[0.0], np.cumsum(np.abs(spectrum) ** 2)])
    low, high = np.arange(first, end) - _SMOOTH // 2, np.arange(first, end) + _SMOOTH // 2
    power = (sums[np.minimum(high, len(spectrum))] - sums[np.maximum(low, 0)]) / _SMOOTH
    flat = np.zeros_like(spectrum)
    flat[first:end] = spectrum[first:end] * np.sqrt(power.mean() / (power + _NOTHING))
    return flat


def _run(places: npt.NDArray[np.bool_], around: int) -> tuple[int, int]:
    """First and last of the run of true ones that `around` is in."""
    no = np.flatnonzero(~places)
    low = no[no < around]
    high = no[no > around]
    return (int(low[-1]) + 1 if len(low) else 0), (int(high[0]) - 1 if len(high) else len(places) - 1)
