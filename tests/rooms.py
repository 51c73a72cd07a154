"""Conversations of real voices in simulated rooms, with known activity; skipped where there are none."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from emomedia.audio.conform import Pcm
from emomedia.session import SIDES
from emomedia.simulate.room import Recording, Room, record

from .audio.sounds import shared

RATE = 48_000
FRAME = RATE // 100
"""Samples of 10 ms, for which activity is known."""

_VOICE_RATE = 16_000
_LOWEST_HZ = 90
"""Some recordings rumble louder than they speak."""

_FLOOR_DB = -25.0
"""Below a recording's loud parts, where its voice counts as ended: just above its own noise."""

_PAUSE, _SHORTEST = 20, 15
"""Frames: pauses up to 200 ms belong to an utterance, and what is shorter than 150 ms is none."""

_LEAST_LOUD = 0.6
"""Share of loud frames in an utterance; clicks with their pauses have less."""

_BREATH = 40
"""Frames between two utterances of one speaker: a pause of 200 to 300 ms is none or one by a hair."""

_LEVEL = 10 ** (-26 / 20)


@dataclass(frozen=True, eq=False)
class Conversation:
    """Dry voices at 48 kHz by side, float32[n], silent but where they are active: bool[n // 480]."""

    voices: dict[str, np.ndarray]
    active: dict[str, np.ndarray]

    def in_room(self, **choices) -> Recording:
        return record(self.voices, RATE, Room(**choices))


def runs(active: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def filled(active: np.ndarray) -> np.ndarray:
    """With pauses up to 200 ms."""
    whole = active.copy()
    for start, end in runs(~active):
        if start > 0 and end < len(active) and end - start <= _PAUSE:
            whole[start:end] = True
    return whole


def marked(ranges, frames: int) -> np.ndarray:
    """Ranges of seconds as one truth value for every 10 ms."""
    mask = np.zeros(frames, bool)
    for start, end in ranges:
        mask[round(float(start) * 100) : round(float(end) * 100)] = True
    return mask


def f1(found: np.ndarray, known: np.ndarray) -> float:
    """Of frames; one where there is nothing and nothing was found."""
    wrong = int((found ^ known).sum())
    right = int((found & known).sum())
    return 1.0 if right + wrong == 0 else 2 * right / (2 * right + wrong)


def si_sdr(heard: np.ndarray, image: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019)."""
    heard, image = heard.astype(np.float64), image.astype(np.float64)
    target = (heard @ image) / (image @ image) * image
    return float(10 * np.log10((target @ target) / ((heard - target) @ (heard - target))))


@cache
def utterances(name: str) -> tuple[np.ndarray, ...]:
    """The utterances of a real recording at 48 kHz, each of one level and faded at its ends."""
    import soxr
    from scipy.signal import butter, sosfilt

    with wave.open(str(shared(name))) as file:
        raw = file.readframes(file.getnframes())
    sound = np.frombuffer(raw, "<i2").astype(np.float32) / 32768
    sound = soxr.resample(sound, _VOICE_RATE, RATE, quality="HQ")
    rumble_free = butter(4, _LOWEST_HZ, "highpass", fs=RATE, output="sos")
    sound = sosfilt(rumble_free, sound).astype(np.float32)
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    loud = level > np.percentile(level, 95) + _FLOOR_DB
    whole = filled(loud)
    ramp = np.linspace(0, 1, FRAME // 4, dtype=np.float32)
    found = []
    for start, end in runs(whole):
        if end - start >= _SHORTEST and loud[start:end].mean() > _LEAST_LOUD:
            piece = sound[start * FRAME : end * FRAME].copy()
            piece *= _LEVEL / np.sqrt((piece**2).mean())
            piece[: len(ramp)] *= ramp
            piece[-len(ramp) :] *= ramp[::-1]
            found.append(piece)
    return tuple(found)


def speakers(held_out: bool) -> list[list[str]]:
    """Recordings by speaker, of one half of them: thresholds were set by the half that is not held out."""
    folder = shared("speech/aishell1")
    by_name: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.wav")):
        by_name.setdefault(path.name[:11], []).append(f"speech/aishell1/{path.name}")
    several = [names for names in by_name.values() if len(names) > 1]
    several += [
        ["speech/ms_zhcn_continuous.wav"],
        ["conversation/ms_enroll_katie.wav"],
        ["speech/funasr_vad_70s.wav"],
        ["conversation/ms_enroll_steve.wav"],
        ["speech/ms_customspeech_zh_audio1.wav"],
    ]
    return several[1::2] if held_out else several[0::2]


def converse(seconds: float, seed: int, *, held_out: bool = True, overlap: float = 0.35) -> Conversation:
    """Two speakers taking turns, with overlaps and quiet backchannels.

    Parameters
    ----------
    overlap : float
        How often a turn begins before the last one has ended.
    """
    rng = np.random.default_rng([seed, int(held_out)])
    pools = speakers(held_out)
    chosen = rng.permutation(len(pools))[:2]
    says = [_speech(pools[number], rng) for number in chosen]
    frames = round(seconds * 100)
    voices = {side: np.zeros(frames * FRAME, np.float32) for side in SIDES}
    free = [60, 60]  # the first frame at which each may speak again
    place, turn = 60, int(rng.integers(2))
    while True:
        piece = next(says[turn]) * np.float32(10 ** (rng.uniform(-3, 3) / 20))
        begin = max(place, free[turn])
        end = begin + len(piece) // FRAME
        if end > frames - 60:
            break
        voices[SIDES[turn]][begin * FRAME : end * FRAME] += piece
        free[turn] = end + _BREATH
        if end - begin > 150 and rng.random() < 0.3:
            free[1 - turn] = _backchannel(
                voices[SIDES[1 - turn]], says[1 - turn], begin, end, free, turn, rng
            )
        if rng.random() < overlap:
            place = max(begin + 30, end - int(rng.integers(20, 150)))
        else:
            place = end + int(rng.integers(10, 120))
        turn = 1 - turn if rng.random() < 0.75 else turn
    return Conversation(voices, {side: _active(voices[side]) for side in SIDES})


def _speech(names: list[str], rng: np.random.Generator) -> Iterator[np.ndarray]:
    pieces = [piece for name in names for piece in utterances(name)]
    while True:
        for number in rng.permutation(len(pieces)):
            yield pieces[number][: 5 * RATE]


def _backchannel(voice, says, begin: int, end: int, free: list[int], turn: int, rng) -> int:
    """A quiet piece of 300 to 700 ms within the other's turn; returns when its speaker is free again."""
    length = int(rng.integers(30, 70))
    first = max(begin + int(rng.integers(20, end - begin - 70)), free[1 - turn])
    if first + length > end:
        return free[1 - turn]
    piece = next(says)[: length * FRAME] * np.float32(10 ** (rng.uniform(-14, -6) / 20))
    piece[-FRAME:] *= np.linspace(1, 0, FRAME, dtype=np.float32)[-min(FRAME, len(piece)) :]
    voice[first * FRAME : first * FRAME + len(piece)] += piece
    return first + length + _BREATH


def _active(voice: np.ndarray) -> np.ndarray:
    """Frames that hold some of a voice that is zero elsewhere, pauses up to 200 ms among them."""
    return filled(voice.reshape(-1, FRAME).any(axis=1))


def conformed(path: Path, real: np.ndarray, bits: int = 24) -> Pcm:
    """A track on disk as the stages get it."""
    top = 1 << (bits - 1)
    samples = np.clip(np.rint(real.astype(np.float64) * top), -top, top - 1)
    samples.astype("<i4" if bits == 24 else "<i2").tofile(path)
    return Pcm(path, bits, len(real), 0, (0, len(real)))


def tracks(folder: Path, recording: Recording) -> dict[str, Pcm]:
    return {side: conformed(folder / f"{side}.pcm", recording.track(side)) for side in SIDES}


@pytest.fixture(scope="session")
def real_voices() -> None:
    shared("speech/aishell1")
