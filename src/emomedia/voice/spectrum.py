"""Short-time spectra of sound that comes in blocks: one column for every 10 ms.

Hann windows of 30 ms at 16 kHz; column ``n`` is centred on the n-th 10 ms, so that columns are frames of
activity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from .compiled import compiled

Sound = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]
"""complex64[bins, columns]"""

RATE = 16_000
HOP = 160
FRAME_SECONDS = HOP / RATE

BAND_EDGES_HZ = (
    100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400,
    5300, 6400, 7200,
)  # fmt: skip
"""Critical bands (Zwicker 1961, https://doi.org/10.1121/1.1908630) within which voices are compared."""

_WINDOW = 3 * HOP
_SIZE = 512
_BIN_EDGES = np.round(np.array(BAND_EDGES_HZ) * _SIZE / RATE).astype(np.int64)
BINS = slice(int(_BIN_EDGES[0]), int(_BIN_EDGES[-1]))
"""Of the transform's bins those that are kept."""

_STARTS = _BIN_EDGES[:-1] - _BIN_EDGES[0]
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)).astype(np.float32)


def spectra(blocks: Iterable[Sound], columns: int) -> Iterator[Spectrum]:
    """Spectra of sound at 16 kHz in parts of `columns` columns; the last part may be shorter.

    What is missing of the last 10 ms, and of the windows beyond the ends, is silence.
    """
    rest = np.zeros(HOP, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        while len(rest) >= columns * HOP + 2 * HOP:
            yield _transformed(rest, columns)
            rest = rest[columns * HOP :]
    left = -(-(len(rest) - HOP) // HOP)
    rest = np.pad(rest, (0, left * HOP + 2 * HOP - len(rest)))
    for first in range(0, left, columns):
        yield _transformed(rest[first * HOP :], min(columns, left - first))


def _transformed(sound: Sound, columns: int) -> Spectrum:
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::HOP][:columns]
    spectrum = np.fft.rfft(windows * _HANN, _SIZE)
    return np.ascontiguousarray(spectrum[:, BINS].T, np.complex64)


def power(spectrum: Spectrum) -> npt.NDArray[np.float32]:
    """Squared magnitudes, float32[bins, columns]."""
    squared = np.empty(spectrum.shape, np.float32)
    _square(spectrum, squared)
    return squared


@compiled
def _square(spectrum: Spectrum, squared: npt.NDArray[np.float32]) -> None:
    for f in range(spectrum.shape[0]):
        for n in range(spectrum.shape[1]):
            value = spectrum[f, n]
            squared[f, n] = value.real * value.real + value.imag * value.imag


def in_bands(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Sums over the bins of each band, float32[bands, columns]."""
    return np.add.reduceat(values, _STARTS, axis=0)


def smoothed(values: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float32]:
    """Means over `width` neighbouring columns (an odd number), fewer at the ends."""
    half = width // 2
    sums = np.cumsum(values, axis=-1, dtype=np.float64)
    padded = np.concatenate([np.zeros((*values.shape[:-1], 1)), sums], axis=-1)
    places = np.arange(values.shape[-1])
    first, end = np.maximum(places - half, 0), np.minimum(places + half + 1, values.shape[-1])
    means: npt.NDArray[np.float32] = ((padded[..., end] - padded[..., first]) / (end - first)).astype(
        np.float32
    )
    return means
