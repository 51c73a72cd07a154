"""Sound at 48 kHz to short-time spectra and back, without a change if nothing is changed between.

Windows of 85 ms, square roots of Hann's, a quarter of a window apart: long enough for a room's bins to be
filters of few taps, and the windows of both ways together add up to a constant.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .path import Spectrum

Sound = npt.NDArray[np.float32]

WINDOW = 4096
HOP = 1024
_TOGETHER = 128
"""Columns that are transformed at once: 2 MB, which stay in the processor's cache."""

_LEAD = WINDOW - HOP
_SHARE = WINDOW // HOP
_ROOT = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)).astype(np.float32)


def transformed(sound: Sound) -> Spectrum:
    """complex64[WINDOW // 2 + 1, columns]; silence is taken to lie beyond both ends."""
    columns = -(-len(sound) // HOP) + _SHARE - 1
    padded = np.pad(sound, (_LEAD, columns * HOP + WINDOW - len(sound)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:columns]
    spectrum = np.empty((WINDOW // 2 + 1, columns), np.complex64)
    for first in range(0, columns, _TOGETHER):
        spectrum[:, first : first + _TOGETHER] = np.fft.rfft(windows[first : first + _TOGETHER] * _ROOT).T
    return spectrum


def restored(spectrum: Spectrum, first: int, end: int) -> Sound:
    """Samples ``first … end - 1`` of what :func:`transformed` would be given for `spectrum`."""
    begin = first // HOP  # of the columns that reach into these samples
    pieces = np.fft.irfft(spectrum[:, begin : -(-end // HOP) + _SHARE].T, WINDOW).astype(np.float32) * _ROOT
    sound = np.zeros((len(pieces) + _SHARE) * HOP, np.float32)
    for share in range(_SHARE):
        part = pieces[:, share * HOP : (share + 1) * HOP].reshape(-1)
        sound[share * HOP : share * HOP + len(part)] += part
    lead = _LEAD - begin * HOP
    return sound[lead + first : lead + end] * np.float32(2 / _SHARE)


def column_middles(samples: int) -> npt.NDArray[np.int64]:
    """The sample in the middle of each column's window; some lie beyond the ends of the sound."""
    columns = -(-samples // HOP) + _SHARE - 1
    return np.arange(columns) * HOP - _LEAD + WINDOW // 2
