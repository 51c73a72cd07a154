"""What is no speech of an actor's own: a room's noise, music, singing, and the other actor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soxr

from emomedia.session import SIDES
from emomedia.simulate.room import Recording, Room, record

from ..rooms import FRAME, RATE
from . import heard

KNOWN = 12
"""Seconds at the beginning in which first one actor speaks and then the other, so that both are known."""

_LEVEL = 10 ** (-26 / 20)

_SCALE = np.array([0, 2, 4, 7, 9, 12, 14, 16])
_VOWELS = ((300, 870), (700, 1200), (500, 1800), (350, 2200))


def room_noise(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Pink noise, hum, and knocks, steps and rustle as loud as speech; float32[n] at 48 kHz."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)
    time = np.arange(count) / RATE
    noise *= 10 ** (-50 / 20) / noise.std()
    noise += 10 ** (-55 / 20) * np.sin(2 * np.pi * 50 * time)
    for begin in rng.integers(0, max(1, count - RATE // 2), int(seconds / 3)):
        length = int(rng.uniform(0.01, 0.4) * RATE)
        knock = np.convolve(rng.standard_normal(length), np.ones(int(rng.integers(1, 60))), "same")
        knock *= np.exp(-np.linspace(0, rng.uniform(3, 8), length)) / knock.std()
        noise[begin : begin + length] += 10 ** (-rng.uniform(20, 45) / 20) * knock
    return noise.astype(np.float32)


def music(seconds: float, rng: np.random.Generator, *, sung: bool = False) -> np.ndarray:
    """Chords, drums and a melody, which has a voice's vowels where it is `sung`; float32[n] at 48 kHz."""
    sound = np.zeros(round(seconds * RATE))
    beat = rng.uniform(0.35, 0.6)
    bars = np.arange(0, seconds, 4 * beat)
    for bar in bars:
        root = 220 * 2 ** (rng.choice([0, 5, 7, -3]) / 12)
        for tone in rng.choice(_SCALE, 3, replace=False):
            _add(sound, bar, 0.3 * _note(root / 2 * 2 ** (tone / 12), 4 * beat, None))
        for eighth in np.flatnonzero(rng.random(8) > 0.25):
            vowel = _VOWELS[rng.integers(len(_VOWELS))] if sung else None
            hertz = root * 2 ** (rng.choice(_SCALE) / 12)
            _add(sound, bar + eighth * beat / 2, _note(hertz, beat / 2 * rng.integers(1, 3), vowel))
        for quarter in range(4):
            decay = np.exp(-np.arange(RATE // 10) / (0.02 * RATE))
            _add(sound, bar + quarter * beat, rng.standard_normal(len(decay)) * decay)
    return (sound * 10 ** (-30 / 20) / sound.std()).astype(np.float32)


def _note(hertz: float, seconds: float, vowel: tuple[int, int] | None) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    vibrato = 1 + 0.012 * np.sin(2 * np.pi * 5.5 * time) if vowel else np.ones(len(time))
    phase = 2 * np.pi * np.cumsum(hertz * vibrato) / RATE
    sound = np.zeros(len(time))
    for harmonic in range(1, 18):
        if harmonic * hertz < 8000:
            gain = (
                sum(1 / (1 + ((harmonic * hertz - f) / 120) ** 2) for f in vowel) if vowel else 1 / harmonic
            )
            sound += gain * np.sin(harmonic * phase)
    edge = np.minimum(np.arange(len(time)), np.arange(len(time))[::-1]) / (0.02 * RATE)
    return sound * np.minimum(1, edge) * (1 if vowel else np.exp(-1.2 * time))


def _add(sound: np.ndarray, start: float, part: np.ndarray) -> None:
    begin = round(start * RATE)
    sound[begin : begin + len(part)] += part[: max(0, len(sound) - begin)]


def speech(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Mandarin with pauses of up to a second, silent but where it is spoken; float32[n] at 48 kHz."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    place = FRAME
    for piece in _pieces(rng):
        if place + len(piece) > len(sound) - FRAME:
            return sound
        sound[place : place + len(piece)] = piece
        place = (place + len(piece) + int(rng.uniform(0, 0.6) * RATE)) // FRAME * FRAME
    return sound


def _pieces(rng: np.random.Generator) -> Iterator[np.ndarray]:
    said = heard.held_out()
    while True:
        for n in rng.permutation(len(said)):
            piece = soxr.resample(said[n].sound, heard.RATE, RATE)
            yield (piece * _LEVEL / np.sqrt(np.mean(piece**2))).astype(np.float32)


def recorded(kinds: set[str], seconds: float, seed: int) -> Recording:
    """Both actors speak, one after the other; then there is, of `kinds`, noise, music, singing or bleed.

    Bleed is the right actor alone, at −18 dB in the left one's microphone.
    """
    rng = np.random.default_rng(seed)
    half, known, rest = KNOWN // 2 * RATE, KNOWN * RATE, round(seconds * RATE)
    voices = {side: np.zeros(known + rest, np.float32) for side in SIDES}
    voices["left"][:half] = speech(KNOWN // 2, rng)
    voices["right"][half:known] = speech(KNOWN // 2, rng)
    if "bleed" in kinds:
        voices["right"][known:] = speech(seconds, rng)
    recording = record(voices, RATE, Room(seed=seed))
    for sound in _around(kinds, seconds, rng):
        for gain, side in zip((1.0, 0.8), SIDES, strict=True):
            recording.noise[side][known:] += np.float32(gain) * sound
    return recording


def _around(kinds: set[str], seconds: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    if "noise" in kinds:
        yield room_noise(seconds, rng)
    if kinds & {"music", "singing"}:
        yield music(seconds, rng, sung="singing" in kinds)
