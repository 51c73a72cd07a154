"""Faults of a track that can be found without listening to it: zeros, clipping, an early end, a copy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..audio._pcm import to_real
from ..audio.conform import Pcm
from ..timeline import SAMPLE_RATE

ZERO_SECONDS = 1.0
"""A run of zeros that no microphone gives."""

CLIPPED_RUN, CLIPPED_RUNS = 3, 10
"""So many neighbouring samples at full scale are a clipped peak; so many such peaks are a fault."""

UNCOVERED_SECONDS = 1.0
"""What a track may lack of the session at either end without a word."""

SAME = 0.98
"""Squared correlation of two tracks from which on they are one recording; two microphones stay below 0.5."""

_LAG = SAMPLE_RATE // 1000
"""Samples by which a recording may be off against its copy; a voice's way to another actor is longer."""

_BLOCK = 16 * SAMPLE_RATE
_Sound = npt.NDArray[np.float32]
_FULL_SCALE = {16: (1 << 15) - 1, 24: (1 << 23) - (1 << 8)}
"""Of 24 bits less a step of 16: what was clipped at 16 bits is full scale too."""


@dataclass(slots=True)
class Condition:
    """One track's.

    Attributes
    ----------
    samples : int
        That are not zero.
    zero_seconds : float
        In runs of zeros of at least :data:`ZERO_SECONDS` within what the track covers.
    clipped_peaks : int
        Runs of :data:`CLIPPED_RUN` samples or more at full scale.
    lead_seconds, tail_seconds : float
        What the track lacks at the beginning and at the end of the session.
    """

    samples: int = 0
    zero_seconds: float = 0.0
    clipped_peaks: int = 0
    lead_seconds: float = 0.0
    tail_seconds: float = 0.0

    def flags(self) -> list[str]:
        """Names of what is wrong, as in speech.json."""
        found = {
            "digital_zero": self.samples == 0 or self.zero_seconds > 0,
            "clipping": self.clipped_peaks >= CLIPPED_RUNS,
            "starts_late": self.lead_seconds >= UNCOVERED_SECONDS,
            "ends_early": self.tail_seconds >= UNCOVERED_SECONDS,
        }
        return [name for name, is_so in found.items() if is_so]


def condition(pcm: Pcm) -> Condition:
    """Look at every sample of a track, block by block."""
    first, end = pcm.covered
    found = Condition(lead_seconds=first / SAMPLE_RATE, tail_seconds=(pcm.samples - end) / SAMPLE_RATE)
    zeros = _Runs(round(ZERO_SECONDS * SAMPLE_RATE))
    peaks = _Runs(CLIPPED_RUN)
    top = _FULL_SCALE[pcm.bits]
    for begin in range(first, end, _BLOCK):
        block = pcm.cut(begin, min(end, begin + _BLOCK))
        found.samples += int(np.count_nonzero(block))
        zeros.see(block == 0)
        peaks.see((block >= top) | (block <= -top))
    zeros.see(np.zeros(1, np.bool_))
    peaks.see(np.zeros(1, np.bool_))
    found.zero_seconds = zeros.total / SAMPLE_RATE
    found.clipped_peaks = peaks.count
    return found


class _Runs:
    """Runs of at least `shortest` true values in an array that comes in blocks."""

    def __init__(self, shortest: int) -> None:
        self._shortest = shortest
        self._open = 0
        self.count = 0
        self.total = 0

    def see(self, block: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        if block.all():
            self._open += len(block)
            return
        edges = np.flatnonzero(np.diff(np.concatenate([[False], block, [False]]).astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        if block[0]:
            lengths[0] += self._open
        elif self._open:
            lengths = np.concatenate([[self._open], lengths])
        self._open = 0
        if block[-1]:
            self._open, lengths = int(lengths[-1]), lengths[:-1]
        long = lengths[lengths >= self._shortest]
        self.count += len(long)
        self.total += int(long.sum())


def same_recording(left: Pcm, right: Pcm) -> bool:
    """Whether both tracks are one recording, at whatever gains, and within a millisecond."""
    samples = min(left.samples, right.samples)
    begins = range(0, samples, _BLOCK)
    blocks = ((_real(pcm, begin, samples) for pcm in (left, right)) for begin in begins)
    loudness = [min(float(a @ a), float(b @ b)) for a, b in blocks]
    if not any(loudness):
        return False
    loudest = begins[int(np.argmax(loudness))]
    heard = _real(left, loudest, samples), _real(right, loudest, samples)
    lag = max(range(-_LAG, _LAG + 1), key=lambda lag: abs(_shared(*heard, lag)[2]))
    if not _is_same(_shared(*heard, lag)):
        return False
    parts = [_shared(_real(left, begin, samples), _real(right, begin, samples), lag) for begin in begins]
    return _is_same(np.sum(parts, axis=0))


def _real(pcm: Pcm, begin: int, samples: int) -> _Sound:
    return to_real(pcm.cut(begin, min(samples, begin + _BLOCK)))


def _shared(left: _Sound, right: _Sound, lag: int) -> _Sound:
    """Powers of both and what they have in common, if the left one is `lag` samples later."""
    left, right = left[max(0, lag) :], right[max(0, -lag) :]
    left, right = left[: len(right)], right[: len(left)]
    return np.array([left @ left, right @ right, left @ right])


def _is_same(shared: _Sound) -> bool:
    left, right, both = (float(value) for value in shared)
    return both * both > SAME * left * right > 0
