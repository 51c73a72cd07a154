"""The loops of ``emomedia.audio._pcm`` once more, in plain NumPy: the readable one of the two."""

from __future__ import annotations

import numpy as np


def clamp(values: np.ndarray, bits: int) -> np.ndarray:
    top = 1 << (bits - 1)
    return np.clip(np.nan_to_num(values, nan=0.0, posinf=2.0**40, neginf=-(2.0**40)), -top, top - 1)


def pick(block: np.ndarray, channel: int, bits: int) -> np.ndarray:
    column = block[:, channel]
    if bits == 16:
        return ((column.astype(np.int32) - 128) << 8).astype(np.int16) if column.dtype == np.uint8 else column
    if column.dtype == np.uint8:
        return (column.astype(np.int32) - 128) << 16
    if column.dtype == np.int16:
        return column.astype(np.int32) << 8
    steps = column.astype(np.float64) * (1 / 256 if column.dtype == np.int32 else 1 << 23)
    return np.rint(clamp(steps, 24)).astype(np.int32)


def to_real(pcm: np.ndarray, dtype: type) -> np.ndarray:
    return (pcm / (32768 if pcm.dtype == np.int16 else 1 << 23)).astype(dtype)


def hashed(counter: np.ndarray) -> np.ndarray:
    """splitmix64 (Steele, Lea and Flood 2014), output number `counter` of seed 0."""
    with np.errstate(over="ignore"):
        z = counter.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def quantise(real: np.ndarray, bits: int, first: int) -> np.ndarray:
    if bits == 24:
        return np.rint(clamp(real * (1 << 23), 24)).astype(np.int32)
    z = hashed(np.arange(first, first + len(real), dtype=np.uint64))
    dither = (z >> np.uint64(32)).astype(np.float64) + (z & np.uint64(0xFFFFFFFF)).astype(np.float64)
    return np.rint(clamp(real * 32768 + (dither / 2**32 - 1), 16)).astype(np.int16)


def cut(pcm: np.ndarray, first: int, end: int) -> np.ndarray:
    target = np.zeros(max(0, end - first), pcm.dtype)
    for i in range(len(target)):
        if 0 <= first + i < len(pcm):
            target[i] = pcm[first + i]
    return target
