"""Stationary noise, taken out of a spectrum by Wiener's gain with a decision-directed signal-to-noise ratio.

Ephraim and Malah 1984, https://doi.org/10.1109/TASSP.1984.1164453, with the gain of Scalart and Filho 1996,
https://doi.org/10.1109/ICASSP.1996.543199.  The loop is compiled by numba; ``tests/voice/twins.py`` spells
it out in plain NumPy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .compiled import compiled
from .path import Spectrum

MEMORY = np.float32(0.98)
"""How much of the ratio comes from what was heard a column before."""

FLOOR = np.float32(10 ** (-12 / 20))
"""Least gain: noise that is gone altogether sounds worse than noise that is low."""

_LANES = 8
"""Bins that are worked on side by side: each column waits for the one before."""


def without_noise(spectrum: Spectrum, noise: npt.NDArray[np.float32]) -> Spectrum:
    """The spectrum, less noise of mean power `noise`, float32[bins]."""
    cleaned = np.empty_like(spectrum)
    _suppress(spectrum, np.maximum(noise, np.float32(1e-20)), cleaned)
    return cleaned


@compiled
def _suppress(spectrum: Spectrum, noise: npt.NDArray[np.float32], cleaned: Spectrum) -> None:
    one, nothing = np.float32(1), np.float32(0)
    before, share = np.ones(_LANES, np.float32), np.ones(_LANES, np.float32)
    for first in range(0, spectrum.shape[0], _LANES):
        bins = min(_LANES, spectrum.shape[0] - first)
        for k in range(bins):
            before[k], share[k] = one, one / noise[first + k]
        for n in range(spectrum.shape[1]):
            for k in range(bins):
                value = spectrum[first + k, n]
                heard = (value.real * value.real + value.imag * value.imag) * share[k]
                ratio = MEMORY * before[k] + (one - MEMORY) * max(heard - one, nothing)
                gain = max(ratio / (one + ratio), FLOOR)
                cleaned[first + k, n] = gain * value
                before[k] = gain * gain * heard
