"""The compiled loops of :mod:`emomedia.voice` in plain NumPy."""

from __future__ import annotations

import numpy as np

from emomedia.voice.noise import FLOOR, MEMORY


def accumulated(source, heard, weight, places, taps):
    """Normal equations, lower triangle, and right-hand sides, in double precision."""
    columns = np.stack([source[:, places + taps - 1 - k] for k in range(taps)], axis=1).astype(complex)
    weighted = columns.conj() * weight[:, None, places]
    within = np.tril(weighted @ columns.transpose(0, 2, 1))
    return within, np.einsum("fkn,fn->fk", weighted, heard[:, places])


def filtered(source, taps):
    count, length = taps.shape[1], source.shape[1] - taps.shape[1] + 1
    return sum(taps[:, k, None] * source[:, count - 1 - k :][:, :length] for k in range(count))


def suppressed(spectrum, noise):
    cleaned = np.empty_like(spectrum)
    before = np.ones(len(noise))
    for n in range(spectrum.shape[1]):
        heard = np.abs(spectrum[:, n]) ** 2 / noise
        ratio = MEMORY * before + (1 - MEMORY) * np.maximum(heard - 1, 0)
        gain = np.maximum(ratio / (1 + ratio), FLOOR)
        cleaned[:, n] = gain * spectrum[:, n]
        before = gain**2 * heard
    return cleaned
