"""Loudness as Rec. ITU-R BS.1770-5 defines it, for one channel at 48 kHz, gated as in EBU R 128."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..timeline import SAMPLE_RATE
from ..voice.compiled import compiled

STEP = SAMPLE_RATE // 10
"""Samples from one gating block to the next; a block is four steps, 400 ms, three quarters of it shared."""

ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0
"""LUFS below which a block is silence, and LU below the mean of the others at which it does not count."""

_BLOCK_STEPS = 4
_OFFSET = -0.691
_SHELF = np.array(
    [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585]
)
_HIGH_PASS = np.array([1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621])
"""BS.1770's two stages of K-weighting at 48 kHz: b0, b1, b2, a1, a2."""


def block_powers(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean K-weighted power of each gating block, float64[blocks]; none in less than 400 ms."""
    steps = np.zeros(len(sound) // STEP)
    _weigh(sound, _SHELF, _HIGH_PASS, steps)
    if len(steps) < _BLOCK_STEPS:
        return np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(steps)])
    powers: npt.NDArray[np.float64] = (sums[_BLOCK_STEPS:] - sums[:-_BLOCK_STEPS]) / (_BLOCK_STEPS * STEP)
    return np.maximum(powers, 0.0)


def lufs(power: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    """Loudness of a mean power of one channel."""
    return np.asarray(_OFFSET + 10 * np.log10(np.maximum(power, 1e-20)))


def integrated(powers: npt.NDArray[np.float64]) -> float | None:
    """Integrated loudness in LUFS; None where all blocks are silence."""
    heard = powers[lufs(powers) > ABSOLUTE_GATE]
    if len(heard) == 0:
        return None
    counted = heard[lufs(heard) > lufs(float(heard.mean())) + RELATIVE_GATE]
    return float(lufs(float(counted.mean())))


@compiled
def _weigh(
    sound: npt.NDArray[np.float32],
    shelf: npt.NDArray[np.float64],
    high_pass: npt.NDArray[np.float64],
    steps: npt.NDArray[np.float64],
) -> None:
    """Adds the squares of the K-weighted samples up, step by step."""
    a1 = a2 = b1 = b2 = 0.0
    for step in range(len(steps)):
        total = 0.0
        for sample in sound[step * STEP : (step + 1) * STEP]:
            first = sample - shelf[3] * a1 - shelf[4] * a2
            middle = shelf[0] * first + shelf[1] * a1 + shelf[2] * a2
            a1, a2 = first, a1
            second = middle - high_pass[3] * b1 - high_pass[4] * b2
            heard = high_pass[0] * second + high_pass[1] * b1 + high_pass[2] * b2
            b1, b2 = second, b1
            total += heard * heard
        steps[step] = total
