"""When exactly a recording lost or gained time: the sound fits one offset before, and another after.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .chain import Reals
from .proxy import PROXY_RATE, Proxy

_HOP = 40
"""Samples, 5 ms, between the places that a step is looked for at."""

_BLOCK = 8192
"""Samples of which the middle half is looked at: drift moves little within it, and its edges reach nothing."""

_HALF = _BLOCK // 2 // _HOP * _HOP
_KNOWN_SECONDS = 6.0
_EARLY, _LATE = 80, 400
"""Samples before and after the direct sound that a room's response is learned for."""

_STANDS_OUT = 3.0
_BAND = (150.0, 3600.0)
_SMOOTH = 150 * _BLOCK // PROXY_RATE
"""Lines of a block's spectrum, 150 Hz, over which it is flattened."""

_OPEN = 2.0
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
    """

    time: float
    seconds: float
    within: float


def locate(reference: Proxy, other: Proxy, span: tuple[float, float], lines: tuple[Line, Line]) -> Step:
    """Find the step of `other` within `span`, seconds of its own.

    How sound gets from the recording's microphone to the reference's, echoes and all, is learned where the
    offset is known: once for the voice that is loud in it, once for what is across the room.  Then every
    5 ms are asked which of the two offsets they fit better.

    Parameters
    ----------
    lines : (Line, Line)
        The clock before and after the step.
    """
    voices = [_voice(reference, other, lines, loud) for loud in (True, False)]
    first, count = round(span[0] * PROXY_RATE), round((span[1] - span[0]) * PROXY_RATE)
    gains = [np.zeros(1)]
    for begin in range(first, first + max(count, _HOP), _HALF):
        for_before, for_after = (
            sum(voice.weight * _likeness(reference, other, begin, line, voice.response) for voice in voices)
            for line in lines
        )
        gains.append(for_before - for_after)
    total = np.cumsum(np.concatenate(gains))[: max(1, count // _HOP) + 1]
    best = int(np.argmax(total))
    low, high = _run(total >= total[best] - _OPEN, best)
    time = (first + best * _HOP) / PROXY_RATE
    size = lines[1].at(time) - lines[0].at(time)
    return Step(time, size, max(best - low, high - best, 1) * _HOP / PROXY_RATE)


@dataclass(frozen=True, slots=True, eq=False)
class _Voice:
    """A voice's way from the recording to the reference, as a spectrum, and what likeness by it weighs."""

    response: Spectrum
    weight: float


def _voice(reference: Proxy, other: Proxy, lines: tuple[Line, Line], loud: bool) -> _Voice:
    """What the known places tell of the voice that is loud in the recording, or of the one that is not."""
    known = [
        _whites(reference, other, round(begin * PROXY_RATE), line)
        for line in lines
        for time in (line.loud if loud else line.quiet)
        for begin in np.arange(time - _KNOWN_SECONDS / 2, time + _KNOWN_SECONDS / 2, _HALF / PROXY_RATE)
    ]
    if not known:
        return _Voice(np.zeros(_BLOCK // 2 + 1, complex), 0.0)
    total = np.fft.irfft(sum(theirs * np.conj(mine) for mine, theirs in known), _BLOCK)
    near = np.concatenate([total[-_EARLY:], total[:_LATE]])
    near[np.abs(near) < _STANDS_OUT * np.median(np.abs(near))] = 0
    response = np.zeros(_BLOCK)
    response[-_EARLY:], response[:_LATE] = near[:_EARLY], near[_EARLY:]
    spectrum = np.fft.rfft(response)
    likeness = np.concatenate([_fitting(mine, theirs, spectrum) for mine, theirs in known])
    return _Voice(spectrum, float(likeness.mean() / (likeness.var() + _NOTHING)))


def _likeness(reference: Proxy, other: Proxy, begin: int, line: Line, response: Spectrum) -> Reals:
    """How well each hop from sample `begin` on fits the reference on that line: float64[_HALF // _HOP]."""
    return _fitting(*_whites(reference, other, begin, line), response)


def _fitting(mine: Spectrum, theirs: Spectrum, response: Spectrum) -> Reals:
    product = np.fft.irfft(mine * response, _BLOCK) * np.fft.irfft(theirs, _BLOCK)
    margin = (_BLOCK - _HALF) // 2
    found: Reals = product[margin : margin + _HALF].reshape(-1, _HOP).sum(axis=1)
    return found


def _whites(reference: Proxy, other: Proxy, begin: int, line: Line) -> tuple[Spectrum, Spectrum]:
    """Flattened spectra of a block whose middle half begins at `begin`, and of the reference's where it belongs."""
    begin -= (_BLOCK - _HALF) // 2
    place = begin + line.at((begin + _BLOCK / 2) / PROXY_RATE) * PROXY_RATE
    whole = int(np.floor(place))
    mine = np.fft.rfft(other.read(begin, _BLOCK), _BLOCK)
    theirs = np.fft.rfft(reference.read(whole, _BLOCK), _BLOCK)
    theirs = theirs * np.exp(2j * np.pi * (place - whole) / _BLOCK * np.arange(len(theirs)))
    return _flattened(mine), _flattened(theirs)


def _flattened(spectrum: Spectrum) -> Spectrum:
    """The spectrum at one level over the band of speech: by a filter so short that it moves nothing in time."""
    first, end = (round(hertz * _BLOCK / PROXY_RATE) for hertz in _BAND)
    sums = np.concatenate([[0.0], np.cumsum(np.abs(spectrum) ** 2)])
    low, high = np.arange(first, end) - _SMOOTH // 2, np.arange(first, end) + _SMOOTH // 2
    power = (sums[np.minimum(high, len(spectrum))] - sums[np.maximum(low, 0)]) / _SMOOTH
    flat = np.zeros_like(spectrum)
    flat[first:end] = spectrum[first:end] / np.sqrt(power + _NOTHING)
    return flat


def _run(places: npt.NDArray[np.bool_], around: int) -> tuple[int, int]:
    """First and last of the run of true ones that `around` is in."""
    no = np.flatnonzero(~places)
    low = no[no < around]
    high = no[no > around]
    return (int(low[-1]) + 1 if len(low) else 0), (int(high[0]) - 1 if len(high) else len(places) - 1)
