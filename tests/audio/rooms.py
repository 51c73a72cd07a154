"""Two actors, their microphones and a camera in a room, of real speech: what the bars of sync are held to."""

from __future__ import annotations

import wave
from dataclasses import dataclass

import numpy as np
import soxr

from .sounds import shared

RATE = 16_000
SPEED_OF_SOUND = 343.0


def utterances(names: str) -> list[np.ndarray]:
    """Real utterances, as loud as each other; skips the test where they are not."""
    found = []
    for path in sorted(shared("speech/aishell1").glob(names)):
        with wave.open(str(path)) as file:
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        found.append(sound * 0.05 / sound.std())
    assert found
    return found


def conversation(seconds: float, said: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Two actors taking turns, each utterance at a pace and a level of its own: float64[2, n]."""
    dry = np.zeros((2, round(seconds * RATE)))
    place, who = round(rng.uniform(0.2, 1.5) * RATE), 0
    while place < dry.shape[1] - RATE:
        sound = said[rng.integers(len(said))]
        sound = np.interp(np.arange(0, len(sound) - 1, rng.uniform(0.9, 1.1)), np.arange(len(sound)), sound)
        sound = sound[: dry.shape[1] - place] * 10 ** (rng.uniform(-8, 4) / 20)
        dry[who, place : place + len(sound)] += sound
        place = max(0, place + len(sound) + round(rng.uniform(-0.3, 1.0) * RATE))
        who = 1 - who if rng.random() < 0.75 else who
    return dry


def response(metres: float, rng: np.random.Generator) -> np.ndarray:
    """From a mouth so far away: direct sound, and echoes louder than it from one metre on (RT60 0.4 s)."""
    count = round(0.5 * RATE)
    direct = metres / SPEED_OF_SOUND * RATE
    found = np.zeros(count)
    near = np.arange(max(0, round(direct) - 32), round(direct) + 33)
    found[near] = np.sinc(near - direct) * np.cos(np.pi / 2 * (near - direct) / 33) ** 2 / metres
    begin = round(direct + 0.003 * RATE)
    tail = rng.standard_normal(count - begin) * 10 ** (-3 * np.arange(count - begin) / (0.4 * RATE))
    found[begin:] += tail / np.sqrt(np.sum(tail * tail))
    return found


def heard(dry: np.ndarray, metres: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Both voices as a microphone hears them that is so far from either mouth."""
    total = np.zeros(dry.shape[1])
    for voice, distance in zip(dry, metres, strict=True):
        way = response(distance, rng)
        size = len(voice) + len(way)
        total += np.fft.irfft(np.fft.rfft(voice, size) * np.fft.rfft(way, size), size)[: len(voice)]
    return total


def recorded(sound: np.ndarray, begin: float, ppm: float) -> np.ndarray:
    """`sound` by a recorder whose local time ``u`` is at ``begin + u·(1 + ppm·1e-6)``: float32[n]."""
    fine = soxr.resample(sound, RATE, 4 * RATE, quality="HQ")
    places = (begin * RATE + np.arange(int((len(sound) - begin * RATE) * 0.999)) * (1 + ppm * 1e-6)) * 4
    return np.interp(places, np.arange(len(fine)), fine).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Session:
    """What both actors' microphones, float64[n], and both cameras, float32[n], hear, and how much later each
    camera hears its own actor than the microphone does; `voices` are the cameras' without their noise."""

    microphones: tuple[np.ndarray, np.ndarray]
    cameras: tuple[np.ndarray, np.ndarray]
    voices: tuple[np.ndarray, np.ndarray]
    late: float

    def audible(self, decibels: float) -> np.ndarray:
        """Where the voices at a camera are at most so far below its noise, over 10 ms: bool[n]."""
        mean = np.full(RATE // 100, 100 / RATE)
        levels = [
            10 * np.log10(np.convolve(voice**2, mean, "same") / np.mean((camera - voice) ** 2) + 1e-9)
            for voice, camera in zip(self.voices, self.cameras, strict=True)
        ]
        return np.max(levels, axis=0) >= -decibels


def session(seconds: float, said: list[np.ndarray], seed: int, snr: float = 0.0) -> Session:
    """Each actor's camera two metres away, with noise `snr` dB below the voices, and 2.8 m from the other
    actor, who is 1.5 m from the microphone."""
    rng = np.random.default_rng(seed)
    dry = conversation(seconds, said, rng)
    near, far = (0.15, 1.5), (2.0, 2.8)
    noise = [3e-4 * rng.standard_normal(dry.shape[1]) for _ in range(2)]
    microphones = heard(dry, near, rng) + noise[0], heard(dry, near[::-1], rng) + noise[1]
    voices, cameras = [], []
    for metres in (far, far[::-1]):
        voices.append(heard(dry, metres, rng))
        cameras.append(_noisy(voices[-1], snr, rng))
    late = (far[0] - near[0]) / SPEED_OF_SOUND
    return Session(microphones, (cameras[0], cameras[1]), (voices[0], voices[1]), late)


def _noisy(camera: np.ndarray, snr: float, rng: np.random.Generator) -> np.ndarray:
    """With noise so far below what it hears of the voices: float32[n]."""
    active = np.sqrt(np.mean(camera[np.abs(camera) > 0.1 * camera.std()] ** 2))
    noisy = camera + active * 10 ** (-snr / 20) * rng.standard_normal(len(camera))
    return noisy.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Scene:
    """What the left actor's microphone and the left camera hear, and how much later the camera does."""

    microphone: np.ndarray
    camera: np.ndarray
    late: float


def scene(seconds: float, said: list[np.ndarray], seed: int, snr: float = 0.0) -> Scene:
    """The camera two metres away, with noise `snr` dB below the voices; the other actor at 2.8 m, and 1.5 m
    from the microphone."""
    rng = np.random.default_rng(seed)
    dry = conversation(seconds, said, rng)
    microphone = heard(dry, (0.15, 1.5), rng) + 3e-4 * rng.standard_normal(dry.shape[1])
    camera = _noisy(heard(dry, (2.0, 2.8), rng), snr, rng)
    return Scene(microphone, camera, (2.0 - 0.15) / SPEED_OF_SOUND)
