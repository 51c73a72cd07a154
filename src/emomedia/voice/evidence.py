"""How much of each track is its actor's own voice: what neither bleed nor noise explains, every 10 ms.

From a first, rough guess of who speaks when, the way of each voice into the other microphone is learned
where its speaker is alone, again and again along the session.  What it predicts is subtracted, and what is
left is compared with what is usually left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from ..session import SIDES, SideName
from .path import AHEAD, Equations, Taps, bled, equations
from .spectrum import Spectrum, in_bands, power, smoothed

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float32]

COLUMNS = 2000
"""Columns of 10 ms that share one path: 20 s."""

TAPS = 10
"""Of the path: 100 ms, in which a room's sound falls by 20 to 30 dB."""

FADE = 0.5
"""How much the path counts of the stretch before, and of what came before that, and of the one after."""

MIN_COLUMNS = 100
"""One second of one speaker alone from which something can be learned."""

OVERSUBTRACTION = 2.0
"""Times the mean of bleed and noise that is taken off the power of a band: both vary about their means."""

_SPREAD = 3
_BLEED_SPREAD = 5
_USUAL = 85
"""Percentile up to which columns show what is usually left; others hold voice that the guess missed."""

_FLOOR = 1e-12
_NOTHING_DB = -120.0
_MEDIAN = float(np.log(2))
"""Median of a power whose mean is one, as noise has it in each bin."""

_QUIET = 0.1
"""Share of the columns that count as noise where somebody always speaks."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One side's own voice, per 10 ms.

    Attributes
    ----------
    level : float32[n]
        Its power in dB, bleed and noise taken off; relative to nothing in particular.
    margin : float32[n]
        What is in the track above what bleed and noise explain: the mean over critical bands, in dB.
    """

    level: Values
    margin: Values

    def first(self, columns: int) -> Evidence:
        """The first `columns` columns, filled up with nothing where there are fewer."""
        lacking = max(0, columns - len(self.level))
        level = np.pad(self.level[:columns], (0, lacking), constant_values=_NOTHING_DB)
        return Evidence(level, np.pad(self.margin[:columns], (0, lacking), constant_values=_NOTHING_DB))


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Spectra of one stretch by side, and the guess."""

    spectrum: dict[SideName, Spectrum]
    guess: dict[SideName, Mask]


def evidence(
    spectra: Iterable[tuple[Spectrum, Spectrum]], guess: Mapping[SideName, Mask]
) -> dict[SideName, Evidence]:
    """Judge both tracks against each other.

    Parameters
    ----------
    spectra : iterable of (complex64[bins, columns], the same)
        Left and right, in parts of :data:`COLUMNS`.
    guess : mapping by side of bool[n]
        Who seems to speak, for at least as many columns as there are.
    """
    ears = [_Ear(side) for side in SIDES]
    found: dict[SideName, list[tuple[Values, Values]]] = {side: [] for side in SIDES}
    with ThreadPoolExecutor(len(SIDES)) as threads:
        for near in _neighbours(_stretches(spectra, guess)):
            judged = threads.map(lambda ear, near=near: ear.judge(*near), ears)
            for side, values in zip(SIDES, judged, strict=True):
                found[side].append(values)
    return {side: _joined(found[side]) for side in SIDES}


def _joined(parts: list[tuple[Values, Values]]) -> Evidence:
    nothing = np.zeros(0, np.float32)
    levels, margins = zip(*parts, strict=True) if parts else ((nothing,), (nothing,))
    return Evidence(np.concatenate(levels), np.concatenate(margins))


def _stretches(
    spectra: Iterable[tuple[Spectrum, Spectrum]], guess: Mapping[SideName, Mask]
) -> Iterator[_Stretch]:
    first = 0
    for pair in spectra:
        columns = min(spectrum.shape[1] for spectrum in pair)
        end = first + columns
        own = {side: spectrum[:, :columns] for side, spectrum in zip(SIDES, pair, strict=True)}
        yield _Stretch(own, {side: guess[side][first:end] for side in SIDES})
        first = end


def _neighbours(stretches: Iterable[_Stretch]) -> Iterator[tuple[_Stretch | None, _Stretch, _Stretch | None]]:
    before: _Stretch | None = None
    now: _Stretch | None = None
    for after in chain(stretches, [None]):
        if now is not None:
            yield before, now, after
        before, now = now, after


class _Ear:
    """One side's microphone: what it has learned of the other's bleed and of the noise so far."""

    def __init__(self, side: SideName) -> None:
        self._own: SideName = side
        self._other: SideName = SIDES[1 - SIDES.index(side)]
        self._past: Equations | None = None
        self._next: Equations | None = None
        self._noise: Values | None = None
        self._left: Values | None = None

    def judge(self, before: _Stretch | None, now: _Stretch, after: _Stretch | None) -> tuple[Values, Values]:
        """Level and margin of the own voice in the stretch `now`."""
        heard = now.spectrum[self._own]
        self._noise = noise = self._noise_of(now)
        bleed = bled(self._source(before, now, after), self._path(now, after))
        rest, expected = in_bands(power(heard - bleed)), in_bands(power(bleed))
        floor = in_bands(noise[:, None]) + np.float32(_FLOOR)
        left = self._usually_left(rest - floor, expected, self._alone(now))
        expected = np.maximum(expected, smoothed(expected, _BLEED_SPREAD))
        explained = left * expected + floor
        own = np.maximum(rest - np.float32(OVERSUBTRACTION) * explained, 0).sum(axis=0)
        level = 10 * np.log10(smoothed(own, _SPREAD) + np.float32(_FLOOR))
        margin = 10 * np.log10(np.maximum(rest / explained, np.float32(1e-3))).mean(axis=0)
        return level.astype(np.float32), margin.astype(np.float32)

    def _alone(self, stretch: _Stretch) -> Mask:
        """Columns in which only the other actor seems to speak."""
        return stretch.guess[self._other] & ~stretch.guess[self._own]

    def _source(self, before: _Stretch | None, now: _Stretch, after: _Stretch | None) -> Spectrum:
        """The other track with the columns around the stretch that the taps reach to."""
        spectrum = now.spectrum[self._other]
        lead, trail = TAPS - 1 - AHEAD, AHEAD
        nothing = np.zeros((spectrum.shape[0], max(lead, trail)), np.complex64)
        earlier = nothing if before is None else before.spectrum[self._other]
        later = nothing if after is None else np.concatenate([after.spectrum[self._other], nothing], axis=1)
        return np.concatenate([earlier[:, -lead:], spectrum, later[:, :trail]], axis=1)

    def _path(self, now: _Stretch, after: _Stretch | None) -> Taps:
        """The path for `now`; remembers what was learned."""
        own = self._next if self._next is not None else self._learned(now)
        bins = now.spectrum[self._own].shape[0]
        self._next = Equations.none(bins, TAPS) if after is None else self._learned(after)
        past = Equations.none(bins, TAPS) if self._past is None else self._past
        self._past = (past + own).faded(FADE)
        return (past + own + self._next.faded(FADE)).solved()

    def _learned(self, stretch: _Stretch) -> Equations:
        heard = stretch.spectrum[self._own]
        inside = slice(TAPS - 1 - AHEAD, heard.shape[1] - AHEAD)
        alone = self._alone(stretch)[inside]
        if alone.sum() < MIN_COLUMNS:
            return Equations.none(heard.shape[0], TAPS)
        strength = smoothed(power(heard), _SPREAD) + self._noise_of(stretch)[:, None]
        weight = np.float32(1) / (strength + np.float32(_FLOOR))
        source = stretch.spectrum[self._other]
        return equations(source, heard[:, inside], weight[:, inside], alone, TAPS)

    def _noise_of(self, stretch: _Stretch) -> Values:
        """Mean power of the noise in each bin, float32[bins]."""
        silent = ~stretch.guess[self._own] & ~stretch.guess[self._other]
        strength = power(stretch.spectrum[self._own])
        if silent.sum() >= MIN_COLUMNS:
            return (np.median(strength[:, silent], axis=1) / _MEDIAN).astype(np.float32)
        if self._noise is not None:
            return self._noise
        return np.asarray(np.quantile(strength, _QUIET, axis=1) / -np.log(1 - _QUIET), np.float32)

    def _usually_left(self, rest: Values, expected: Values, alone: Mask) -> Values:
        """What share of the predicted bleed is left after subtraction, float32[bands, 1]."""
        if alone.sum() >= MIN_COLUMNS:
            rest, expected = np.maximum(rest[:, alone], 0), expected[:, alone] + np.float32(_FLOOR)
            share = rest.sum(axis=0) / expected.sum(axis=0)
            usual = share <= np.percentile(share, _USUAL)
            self._left = rest[:, usual].sum(axis=1, keepdims=True) / expected[:, usual].sum(
                axis=1, keepdims=True
            )
        return np.ones((rest.shape[0], 1), np.float32) if self._left is None else self._left
