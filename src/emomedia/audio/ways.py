"""The ways that sound takes from a recorder's channels to another microphone, learned where clocks are known.

Each way is a room's response, echoes and all: the least squares of what the other recording holds, channel by
channel and frequency by frequency, over stretches that are known to lie on a clock.  What remains once that
is taken off shows whether a piece of the recorder's sound lies where a clock puts it.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .chain import Reals
from .proxy import PROXY_RATE, Proxy

HOP = 40
"""Samples, 5 ms, that are judged at once."""

REACH = 1600
"""Samples, 200 ms, that a response reaches back; a room's sound has fallen by 30 dB by then."""

_AHEAD = 80
"""Samples before the direct sound, which other voices' ways may be shorter by."""

BLOCK = 4096
"""Samples that are looked at to judge :data:`REACH` of them, from the middle on."""

HALF = BLOCK // 2
_KNOWN = 8192
"""Samples that are learned from at once: drift moves little within them, and responses are far shorter."""

_KNOWN_SECONDS = 6.0
_BAND = (150.0, 3600.0)
_RIDGE, _RIDGE_ALL = 1e-3, 1e-4
"""Of the power at a frequency, and of that in all of the band, that regularise the least squares."""

_SMOOTH = 75
"""Lines of a spectrum, 74 Hz, over which what remains is averaged."""

_NEAR_TAPS = 40
_QUIET, _ABOVE_QUIET = 30, 2.0
"""Percentile of the remainders that noise alone has, and how far above it none counts yet."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """From the channels of a recorder to the microphone of the reference.

    Attributes
    ----------
    responses : complex128[channels, BLOCK // 2 + 1]
    whitening : float64[BLOCK // 2 + 1]
        By which what usually remains has a flat spectrum.
    usual : float
        The power of a hop of that, and a little more, where nobody speaks.
    """

    reference: Proxy
    channels: tuple[Proxy, ...]
    responses: Spectrum
    whitening: Reals
    usual: float

    def sound(self, begin: int) -> Reals:
        """The channels' samples with the one at `begin` in the middle: float32[channels, BLOCK]."""
        return np.array([channel.read(begin - HALF, BLOCK) for channel in self.channels])

    def powers(self, begin: int, line: Line, sound: Reals) -> Reals:
        """Of the hops from `begin` on for :data:`REACH` what is heard, left unexplained, and explained.

        Parameters
        ----------
        line : Line
            Where the reference is looked at.
        sound : float[channels, BLOCK]
            What explains it.
        """
        place = begin + line.at((begin + REACH / 2) / PROXY_RATE) * PROXY_RATE
        heard = _heard(self.reference, place - HALF, BLOCK)
        explained = (self.responses * np.fft.rfft(sound)).sum(axis=0)
        parts = np.fft.irfft(np.array([heard, heard - explained, explained]) * self.whitening)
        inside = parts[:, HALF : HALF + REACH].reshape(3, -1, HOP)
        powers: Reals = np.sum(inside * inside, axis=2) + _NOTHING
        return powers

    def gain(self, begin: int, line: Line, sound: Reals, against: float) -> Reals:
        """Log likelihood of these hops with what `sound` explains, less that with nothing explained.

        How loud the noise is, is left open for each hop; but what remains and is louder than noise usually
        is, and than what is explained, counts `against` it.
        """
        whole, rest, explained = self.powers(begin, line, sound)
        gain: Reals = np.log(whole / rest) - against * np.maximum(0, np.log(rest / (self.usual + explained)))
        return HOP / 2 * gain


def learned(reference: Proxy, channels: Sequence[Proxy], lines: Sequence[Line]) -> Ways:
    """The ways from `channels`, which have one clock, to `reference`, by what is known to lie on lines."""
    known = [(begin, line) for line in lines for begin in _begins((*line.loud, *line.quiet))]
    size, count = _KNOWN // 2 + 1, len(channels)
    within, across = np.zeros((size, count, count), complex), np.zeros((size, count), complex)
    power = np.zeros(size)
    for begin, line in known:
        heard, spoken = _spectra(reference, channels, begin, line)
        within += np.einsum("if,jf->fij", spoken.conj(), spoken)
        across += (spoken.conj() * heard).T
        power += np.abs(heard) ** 2
    taps = _responses(within, across)
    way = np.fft.rfft(taps).T
    explained = 2 * (way.conj() * across).sum(axis=1) - np.einsum("fi,fij,fj->f", way.conj(), within, way)
    rest = np.convolve(np.maximum(power - explained.real, 0), np.full(_SMOOTH, 1 / _SMOOTH), "same")
    band, whitening = _band(), np.zeros(size)
    whitening[band] = np.sqrt(max(1, len(known)) / (rest[band] + _NOTHING))
    filters = np.fft.rfft(_shortened(taps)), np.fft.rfft(_shortened(np.fft.irfft(whitening))).real
    ways = Ways(reference, tuple(channels), *filters, usual=1.0)
    rests = [ways.powers(begin, line, ways.sound(begin))[1] for begin, line in known]
    usual = _ABOVE_QUIET * float(np.percentile(np.concatenate(rests), _QUIET)) if rests else 1.0
    return replace(ways, usual=usual)


def _shortened(taps: Reals) -> Reals:
    """Filters of :data:`BLOCK` taps, those before zero at the end, by longer ones."""
    return np.concatenate([taps[..., :HALF], taps[..., -HALF:]], axis=-1)


def _begins(times: Iterable[float]) -> list[int]:
    """Blocks that overlap by half and make up what lies around known times."""
    step, around = _KNOWN // 2, _KNOWN_SECONDS / 2
    firsts = (round((time - around) * PROXY_RATE) // step for time in times)
    count = round(2 * around * PROXY_RATE) // step
    return sorted({step * (first + number) for first in firsts for number in range(count)})


def _band() -> slice:
    return slice(*(round(hertz * _KNOWN / PROXY_RATE) for hertz in _BAND))


def _responses(within: Spectrum, across: Spectrum) -> Reals:
    """The channels' responses, without the taps that are too faint to matter."""
    count, band = across.shape[1], _band()
    trace = np.einsum("fii->f", within).real / count
    ridge = _RIDGE * trace + _RIDGE_ALL * trace[band].mean() + _NOTHING
    solved = np.linalg.solve(within + ridge[:, None, None] * np.eye(count), across[:, :, None])[:, :, 0]
    spectrum = np.zeros_like(across.T)
    spectrum[:, band] = solved[band].T
    taps = np.fft.irfft(spectrum, _KNOWN)
    nothing = np.mean(taps[:, REACH : _KNOWN - _AHEAD] ** 2, axis=1, keepdims=True)
    mean = np.full(_NEAR_TAPS, 1 / _NEAR_TAPS)
    rolled = np.roll(taps, _KNOWN // 2, axis=1)
    strength = np.roll([np.convolve(row**2, mean, "same") for row in rolled], -_KNOWN // 2, axis=1)
    kept = np.zeros(_KNOWN)
    kept[:REACH] = np.sqrt(np.cos(np.pi / 2 * np.arange(REACH) / REACH))
    kept[-_AHEAD:] = np.linspace(0, 1, _AHEAD)
    found: Reals = taps * kept * np.maximum(0, 1 - nothing / (strength + _NOTHING**2))
    return found


def _heard(reference: Proxy, place: float, count: int, window: Reals | float = 1.0) -> Spectrum:
    """The spectrum of `count` samples from `place` on, which may lie between samples."""
    whole = int(np.floor(place))
    spectrum = np.fft.rfft(reference.read(whole, count) * window)
    turned: Spectrum = spectrum * np.exp(2j * np.pi * (place - whole) / count * np.arange(len(spectrum)))
    return turned


def _spectra(
    reference: Proxy, channels: Sequence[Proxy], begin: int, line: Line
) -> tuple[Spectrum, Spectrum]:
    """Of a known block of the reference where the recorder's from `begin` on belongs, and of the channels."""
    place = begin + line.at((begin + _KNOWN / 2) / PROXY_RATE) * PROXY_RATE
    window = np.hanning(_KNOWN)
    spoken = np.fft.rfft([channel.read(begin, _KNOWN) * window for channel in channels])
    return _heard(reference, place, _KNOWN, window), spoken
