"""The path of a voice from its own microphone into the other one, learned bin by bin of short-time spectra.

Each bin of the one microphone is a filtered copy of the same bin of the other: a few complex taps over
neighbouring columns (convolutive transfer function; Talmon, Cohen and Gannot 2009,
https://doi.org/10.1109/TASL.2008.2009576).  The taps are those of least squares, where each column counts
by the inverse of what else is in the microphone there, as in weighted prediction error (Nakatani et al.
2010, https://doi.org/10.1109/TASL.2010.2052251): gaps within speech show more than its loud parts.

The loops are compiled by numba; ``tests/voice/twins.py`` spells out in plain NumPy what they compute.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .compiled import compiled

Spectrum = npt.NDArray[np.complex64]
"""complex64[bins, columns]"""

Taps = npt.NDArray[np.complex64]
"""complex64[bins, taps]; tap ``k`` is for what came ``k - AHEAD`` columns earlier."""

AHEAD = 1
"""Columns that the taps look ahead, for tracks that are not aligned to the last millisecond."""

_REGULAR = 1e-3
"""Share of the mean power that is added to the diagonal of the normal equations."""


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """Normal equations of the least squares, which add up over stretches of sound.

    Attributes
    ----------
    within : complex64[bins, taps, taps]
        Of the source with itself; the lower triangle.
    across : complex64[bins, taps]
        Of the source with what is heard.
    columns : float
        How many columns they were made from.
    """

    within: npt.NDArray[np.complex64]
    across: npt.NDArray[np.complex64]
    columns: float

    @classmethod
    def none(cls, bins: int, taps: int) -> Equations:
        """What is known before anything was heard."""
        across = np.zeros((bins, taps), np.complex64)
        return cls(np.zeros((bins, taps, taps), np.complex64), across, 0.0)

    def __add__(self, other: Equations) -> Equations:
        columns = self.columns + other.columns
        return Equations(self.within + other.within, self.across + other.across, columns)

    def faded(self, share: float) -> Equations:
        """What counts by that share alone."""
        weight = np.float32(share)
        return Equations(self.within * weight, self.across * weight, self.columns * share)

    def solved(self) -> Taps:
        """The taps; zeros where nothing was heard."""
        taps = self.within.shape[1]
        lower = self.within.astype(np.complex128)
        whole = lower + np.tril(lower, -1).conj().transpose(0, 2, 1)
        mean = np.einsum("fkk->f", whole).real / taps
        whole += (_REGULAR * mean + 1e-20)[:, None, None] * np.eye(taps)
        return np.linalg.solve(whole, self.across[:, :, None])[:, :, 0].astype(np.complex64)


def equations(
    source: Spectrum,
    heard: Spectrum,
    weight: npt.NDArray[np.float32],
    chosen: npt.NDArray[np.bool_],
    taps: int,
) -> Equations:
    """The equations of some columns.

    Parameters
    ----------
    source : complex64[bins, columns + taps - 1]
        The voice in its own microphone, from ``taps - 1 - AHEAD`` columns before to :data:`AHEAD` after.
    heard : complex64[bins, columns]
        The other microphone.
    weight : float32[bins, columns]
        By which each bin of each column counts.
    chosen : bool[columns]
        The columns that count at all.
    """
    made = Equations.none(heard.shape[0], taps)
    places = np.flatnonzero(chosen)
    _accumulate(source, heard, weight, places, made.within, made.across)
    return Equations(made.within, made.across, float(len(places)))


def bled(source: Spectrum, taps: Taps) -> Spectrum:
    """What a voice is in the other microphone, complex64[bins, columns].

    Parameters
    ----------
    source : complex64[bins, columns + taps - 1]
        As in :func:`equations`.
    """
    heard = np.zeros((source.shape[0], source.shape[1] - taps.shape[1] + 1), np.complex64)
    _filter(source, taps, heard)
    return heard


@compiled
def _accumulate(
    source: Spectrum,
    heard: Spectrum,
    weight: npt.NDArray[np.float32],
    places: npt.NDArray[np.int64],
    within: npt.NDArray[np.complex64],
    across: npt.NDArray[np.complex64],
) -> None:
    bins, taps = across.shape
    for f in range(bins):
        for n in places:
            last = n + taps - 1
            for j in range(taps):
                weighted = weight[f, n] * np.conj(source[f, last - j])
                across[f, j] += weighted * heard[f, n]
                for k in range(j + 1):
                    within[f, j, k] += weighted * source[f, last - k]


@compiled
def _filter(source: Spectrum, taps: Taps, heard: Spectrum) -> None:
    for f in range(taps.shape[0]):
        for k in range(taps.shape[1]):
            first = taps.shape[1] - 1 - k
            for n in range(heard.shape[1]):
                heard[f, n] += taps[f, k] * source[f, n + first]
