"""The speech stage: when each actor speaks, told apart from the other actor's voice in the same track.

Deliberately plain.  Silero finds where a track holds speech at all; whose it is, the levels of the two
tracks tell: a voice is louder in its own microphone than in the other's.  Both are judged in windows of
32 ms, the network's own.  Memory: one block of sound, and a few numbers per window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .audio._pcm import to_real
from .audio.conform import Pcm
from .errors import MissingToolError
from .session import SIDES
from .timeline import SAMPLE_RATE

VAD_RATE = 16_000
"""Samples per second that Silero listens at."""

WINDOW = 512
"""Samples at that rate, 32 ms, that it judges at once."""

ONSET, RELEASE = 0.5, 0.35
"""Probability that speech must reach, and at which it begins and ends: Silero's own two thresholds."""

MIN_PAUSE = 0.1
"""Seconds; a shorter pause does not end a stretch of speech."""

MIN_SPEECH = 0.1
"""Seconds; a shorter stretch of speech is a click or a breath."""

BLEED_SPREAD_DB = 5.0
"""By how much the level difference of one voice between the two tracks varies from window to window."""

ONE_HEAP_DB = 3.0
"""Level difference that makes one track's speech bleed where the recording does not tell more."""

MIN_SHARE = 0.02
"""Share of the windows with speech that a heap of level differences needs in order to count."""

_BLOCK = 32 * SAMPLE_RATE
_CONTEXT = 64
_STATE = 128
_FLOOR = 1e-12
_DIGITAL_SILENCE_DB = -115
_SMOOTHING = 5

Ranges = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one track holds, per window of 32 ms.

    Attributes
    ----------
    speech : float32[n]
        Silero's probability of speech.
    level : float32[n]
        Mean power in dB of full scale.
    presence : float32[n]
        The same of the differences of neighbouring samples, in which voices stand out from rumble.
    """

    speech: npt.NDArray[np.float32]
    level: npt.NDArray[np.float32]
    presence: npt.NDArray[np.float32]


def speech_session(session_id: str, pcm: Mapping[str, Pcm]) -> dict[str, Any]:
    """Find the voice activity of both sides.

    Parameters
    ----------
    pcm : mapping
        Side → its conformed track.

    Returns
    -------
    dict
        The content of speech.json; times in seconds on the session clock, multiples of 32 ms.

    Raises
    ------
    MissingToolError
        If faster-whisper or onnxruntime is not installed.
    """
    left, right = (listen(pcm[side]) for side in SIDES)
    own_left, own_right = own_voice(left, right)
    return {
        "session": session_id,
        "left": {"activity": ranges(own_left)} | measures(left, own_left, own_right),
        "right": {"activity": ranges(own_right)} | measures(right, own_right, own_left),
        "overlaps": ranges(own_left & own_right),
    }


def listen(pcm: Pcm) -> Heard:
    """Speech probability and level of a track, block by block.

    Raises
    ------
    MissingToolError
        If faster-whisper or onnxruntime is not installed.
    """
    network = _Network()
    nothing = np.zeros(0, np.float32)
    heard = [(nothing, nothing, nothing)]
    for windows in _windows(pcm):
        heard.append((network(windows), _level(windows), _level(np.diff(windows, axis=1))))
    return Heard(*(np.concatenate(parts) for parts in zip(*heard, strict=True)))


def _level(windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    power = np.mean(windows * windows, axis=1) + np.float32(_FLOOR)
    decibels: npt.NDArray[np.float32] = (10 * np.log10(power)).astype(np.float32)
    return decibels


def _windows(pcm: Pcm) -> Iterator[npt.NDArray[np.float32]]:
    """The track at 16 kHz as float32[n, 512], in blocks; the last window is filled with zeros."""
    import soxr

    stream = soxr.ResampleStream(SAMPLE_RATE, VAD_RATE, 1, dtype="float32", quality="HQ")
    rest = np.zeros(0, np.float32)
    for begin in range(0, pcm.samples, _BLOCK):
        end = min(begin + _BLOCK, pcm.samples)
        block, last = pcm.cut(begin, end), end == pcm.samples
        rest = np.concatenate([rest, stream.resample_chunk(to_real(block), last=last)])
        if last:
            rest = np.pad(rest, (0, -len(rest) % WINDOW))
        whole = len(rest) // WINDOW * WINDOW
        if whole:
            yield rest[:whole].reshape(-1, WINDOW)
        rest = rest[whole:]


class _Network:
    """Silero v6 as faster-whisper ships it, fed block after block: it keeps its state between calls."""

    def __init__(self) -> None:
        try:
            from faster_whisper.vad import get_vad_model

            self._session = get_vad_model().session
        except (ImportError, RuntimeError) as error:
            raise MissingToolError(
                "faster-whisper",
                expected="its voice activity network and onnxruntime",
                found=str(error),
                remedy="run 'pip install faster-whisper onnxruntime', or give the turns with --turns",
            ) from error
        self._h = np.zeros((1, 1, _STATE), np.float32)
        self._c = np.zeros((1, 1, _STATE), np.float32)
        self._before = np.zeros(_CONTEXT, np.float32)

    def __call__(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probability of speech, float32[n], in each of the windows float32[n, 512]."""
        tails = windows[:, -_CONTEXT:]
        context = np.concatenate([self._before[None], tails[:-1]])
        self._before = tails[-1]
        given = {"input": np.concatenate([context, windows], axis=1), "h": self._h, "c": self._c}
        output, self._h, self._c = self._session.run(None, given)
        return np.asarray(output, np.float32).reshape(-1)


def own_voice(left: Heard, right: Heard) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """In which windows each side speaks itself.

    The difference of the two levels, left less right, has two heaps: high where the left voice is
    heard, in its own track and as bleed in the other, low where the right one is.  Speech in the right
    track that lies near the high heap is explained by bleed; further down the right actor speaks too.
    """
    count = min(len(left.speech), len(right.speech))
    speech = [held(heard.speech[:count]) for heard in (left, right)]
    difference = smoothed(left.presence[:count]) - smoothed(right.presence[:count])
    low, high = _heaps(difference[speech[0] | speech[1]])
    is_left = speech[0] & (difference > low + BLEED_SPREAD_DB)
    is_right = speech[1] & (difference < high - BLEED_SPREAD_DB)
    return lasting(is_left), lasting(is_right)


def _heaps(difference: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The means of the low and the high heap of level differences, in dB.

    Two-means from the extremes.  Where there is but one heap, because one actor speaks or both tracks
    hold the same, a difference of :data:`ONE_HEAP_DB` counts as bleed.
    """
    alone = -ONE_HEAP_DB - BLEED_SPREAD_DB, ONE_HEAP_DB + BLEED_SPREAD_DB
    if len(difference) == 0:
        return alone
    low, high = (float(value) for value in np.percentile(difference, (2, 98)))
    for _ in range(20):
        upper = difference > (low + high) / 2
        if not MIN_SHARE <= upper.mean() <= 1 - MIN_SHARE:
            return alone
        low, high = float(difference[~upper].mean()), float(difference[upper].mean())
    return (low, high) if high - low >= 2 * BLEED_SPREAD_DB else alone


def smoothed(level: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Levels in dB of the mean power over five windows, which a room's echo does not turn over."""
    power = 10 ** (level.astype(np.float64) / 10)
    means = np.convolve(power, np.full(_SMOOTHING, 1 / _SMOOTHING))[_SMOOTHING // 2 :][: len(level)]
    decibels: npt.NDArray[np.float64] = 10 * np.log10(means)
    return decibels


def held(probability: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Speech by window: where the probability stays at :data:`RELEASE` and reaches :data:`ONSET`."""
    speech = probability >= RELEASE
    for start, end in _runs(speech):
        speech[start:end] = probability[start:end].max() >= ONSET
    return speech


def lasting(active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Fill pauses shorter than :data:`MIN_PAUSE`, then drop stretches shorter than :data:`MIN_SPEECH`."""
    result = active.copy()
    runs = _runs(active)
    for (_, end), (start, _) in pairwise(runs):
        if (start - end) * WINDOW < MIN_PAUSE * VAD_RATE:
            result[end:start] = True
    for start, end in _runs(result):
        if (end - start) * WINDOW < MIN_SPEECH * VAD_RATE:
            result[start:end] = False
    return result


def ranges(active: npt.NDArray[np.bool_]) -> Ranges:
    """Runs of active windows as half-open ranges of seconds."""
    return [(_seconds(start), _seconds(end)) for start, end in _runs(active)]


def _runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """``[start, end)`` of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _seconds(window: int) -> float:
    return window * WINDOW / VAD_RATE


def measures(
    heard: Heard, own: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]
) -> dict[str, float | None]:
    """Noise, bleed and signal-to-noise ratio of a track in dB; None where there is nothing to measure.

    ``noise_db`` is the median level while nobody speaks, ``bleed_db`` the other voice's level in this
    track less the own voice's, ``snr_db`` the own voice's level less the noise.
    """
    level = heard.level[: len(own)].astype(np.float64)
    voice, bleed = _mean_level(level[own & ~other]), _mean_level(level[other & ~own])
    silence = level[~own & ~other & (level > _DIGITAL_SILENCE_DB)]
    noise = float(np.median(silence)) if len(silence) else None
    return {
        "noise_db": _rounded(noise),
        "bleed_db": _rounded(None if voice is None or bleed is None else bleed - voice),
        "snr_db": _rounded(None if voice is None or noise is None else voice - noise),
    }


def _mean_level(level: npt.NDArray[np.float64]) -> float | None:
    """Level in dB of the mean power of windows with these levels."""
    return float(10 * np.log10(np.mean(10 ** (level / 10)))) if len(level) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
