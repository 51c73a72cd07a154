"""The speech stage: when each actor speaks, kept apart from the other actor's voice in the same track.

Silero finds where a track holds any speech.  A first guess of whose it is comes from the levels of the
two tracks, in the network's windows of 32 ms: a voice is louder in its own microphone than in the other's.
From that guess the voices' paths into the other microphone are learned; what they do not explain is an
actor's own voice, to 10 ms (:mod:`emomedia.voice`).  Memory: some blocks of sound, and a few numbers per
window.  docs/sound-voice.md has the method, its sources and its measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .audio._pcm import to_real
from .audio.conform import Pcm
from .errors import MissingToolError
from .session import SIDES, SideName
from .timeline import SAMPLE_RATE
from .voice.activity import own_activity, seconds
from .voice.cameras import SWAPPED_DB, CameraSound, facing_db
from .voice.condition import condition, same_recording
from .voice.evidence import COLUMNS, evidence
from .voice.spectrum import FRAME_SECONDS, Spectrum, spectra

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
"""Level difference that makes one track's speech bleed if the recording shows no other."""

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


def speech_session(
    session_id: str, pcm: Mapping[str, Pcm], cameras: Mapping[SideName, CameraSound] | None = None
) -> dict[str, Any]:
    """Find the voice activity of both sides.

    Parameters
    ----------
    pcm : mapping
        Side → its conformed track.
    cameras : mapping or None
        Side → what its camera hears, to find out whether the tracks are exchanged; None if there is no
        such sound besides the tracks.

    Returns
    -------
    dict
        The content of speech.json; times in seconds on the session clock, multiples of 10 ms.

    Raises
    ------
    MissingToolError
        If faster-whisper or onnxruntime is not installed.
    """
    with ThreadPoolExecutor(len(SIDES)) as threads:
        heard = dict(zip(SIDES, threads.map(lambda side: listen(pcm[side]), SIDES), strict=True))
        states = dict(zip(SIDES, threads.map(lambda side: condition(pcm[side]), SIDES), strict=True))
    is_copy = same_recording(*(pcm[side] for side in SIDES))
    active = _in_both(heard) if is_copy else attributed(pcm, heard)
    length = min(pcm[side].samples for side in SIDES) / SAMPLE_RATE
    body: dict[str, Any] = {"session": session_id}
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        own, others = (_in_windows(active[name], len(heard[side].speech)) for name in (side, other))
        body[side] = {"activity": seconds(active[side], length)} | measures(heard[side], own, others)
        body[side]["flags"] = states[side].flags()
        body[side]["flags"] += [] if active[side].any() else ["silent"]
        body[side]["flags"] += ["duplicate"] if is_copy else []
    body["overlaps"] = seconds(active["left"] & active["right"], length)
    body["seconds"] = _totals(active, length)
    if cameras is not None and not is_copy:
        _note_exchanged(body, active, length, cameras)
    return body


Activity = dict[SideName, npt.NDArray[np.bool_]]
"""Per side when its actor speaks, bool[columns of 10 ms]."""


def attributed(pcm: Mapping[str, Pcm], heard: Mapping[SideName, Heard] | None = None) -> Activity:
    """Who speaks when, by comparing the tracks; `heard` is what :func:`listen` gives of them."""
    heard = heard or {side: listen(pcm[side]) for side in SIDES}
    guess = dict(zip(SIDES, own_voice(heard["left"], heard["right"]), strict=True))
    columns = min(-(-pcm[side].samples * 100 // SAMPLE_RATE) for side in SIDES)
    fine = {side: _in_columns(guess[side], columns) for side in SIDES}
    found = evidence(
        _both_spectra(pcm), {side: _in_columns(guess[side], columns + COLUMNS) for side in SIDES}
    )
    return {
        side: own_activity(found[side].first(columns), _in_columns(heard[side].speech, columns), fine[side])
        for side in SIDES
    }


def _in_both(heard: Mapping[SideName, Heard]) -> Activity:
    """Whatever is said, by both actors: for one recording that both tracks hold."""
    said = lasting(held(heard["left"].speech) | held(heard["right"].speech))
    columns = round(len(said) * WINDOW / VAD_RATE / FRAME_SECONDS)
    return {side: _in_columns(said, columns) for side in SIDES}


def _both_spectra(pcm: Mapping[str, Pcm]) -> Iterator[tuple[Spectrum, Spectrum]]:
    """The spectra of both tracks, side by side; two threads work them out."""
    parts = [spectra((block.reshape(-1) for block in _windows(pcm[side])), COLUMNS) for side in SIDES]
    with ThreadPoolExecutor(len(SIDES)) as threads:
        while True:
            left, right = threads.map(lambda part: next(part, None), parts)
            if left is None or right is None:
                return
            yield left, right


def _in_columns(windows: npt.NDArray[Any], columns: int) -> npt.NDArray[Any]:
    """Values of windows of 32 ms for columns of 10 ms: of the window in which a column's middle lies."""
    middles = ((np.arange(columns) + 0.5) * (FRAME_SECONDS * VAD_RATE) // WINDOW).astype(np.int64)
    return (
        windows[np.minimum(middles, len(windows) - 1)] if len(windows) else np.zeros(columns, windows.dtype)
    )


def _in_windows(active: npt.NDArray[np.bool_], windows: int) -> npt.NDArray[np.bool_]:
    """Activity of columns of 10 ms for windows of 32 ms, by the windows' middles."""
    middles = ((np.arange(windows) + 0.5) * WINDOW / VAD_RATE / FRAME_SECONDS).astype(np.int64)
    return active[np.minimum(middles, len(active) - 1)] if len(active) else np.zeros(windows, np.bool_)


def _totals(active: Activity, length: float) -> dict[str, float]:
    """Seconds in which the left actor speaks alone, the right one, both, and nobody."""
    left, right = active["left"], active["right"]
    masks = {"left": left & ~right, "right": right & ~left, "both": left & right}
    totals = {name: float(mask.sum()) * FRAME_SECONDS for name, mask in masks.items()}
    totals["none"] = max(0.0, length - sum(totals.values()))
    return {name: round(value, 2) for name, value in totals.items()}


def _note_exchanged(
    body: dict[str, Any], active: Activity, length: float, cameras: Mapping[SideName, CameraSound]
) -> None:
    """Add to `body` how the cameras hear the voices, and a flag where they face the wrong ones."""
    left, right = active["left"], active["right"]
    alone: dict[SideName, Ranges] = {
        "left": seconds(left & ~right, length), "right": seconds(right & ~left, length),
    }  # fmt: skip
    facing = facing_db(alone, cameras)
    body["facing_db"] = _rounded(facing)
    if facing is not None and facing <= -SWAPPED_DB:
        for side in SIDES:
            body[side]["flags"].append("swapped")


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
