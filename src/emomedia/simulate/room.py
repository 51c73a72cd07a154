"""Two actors in a room, each before a microphone of its own, and every part of what the microphones hear.

The room is a shoe box by image sources (Allen and Berkley 1979, https://doi.org/10.1121/1.382599), made by
pyroomacoustics.  Each actor's head moves slowly along a line: a voice is shared out over a few places on
it, each with responses of its own, so that the paths change as they do between people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from ..errors import MissingToolError
from ..session import SIDES, SideName

Sound = npt.NDArray[np.float32]

_Point = npt.NDArray[np.float64]

_MOUTH_HEIGHT = 1.2
_STEP = 0.01
"""Metres between neighbouring places of a head: less than a wavelength up to 16 kHz, by half."""

_SWAY_HZ = (0.07, 0.19)
_SWAY_TIME = 0.02
"""Seconds between the places that are worked out; between them a head moves evenly."""

_PLACES, _SWAY, _NOISE = 0, 1, 2
"""Streams of random numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The room, the microphones and how loud what is heard by them.

    Attributes
    ----------
    size : (float, float, float)
        Length, width and height in metres.
    reverberation : float
        Seconds in which sound in it falls by 60 dB (Sabine).
    distance, microphone_distance : float
        Metres between the actors' mouths, and from each mouth to its own microphone.
    bleed_db : float or None
        Energy of a voice in the other actor's microphone against that in its own, in dB; microphones are
        turned to their actors, so this is not left to the distances.  None: nothing is heard there.
    movement : float
        Metres by which a head moves to either side of its place.
    noise_db : float or None
        Level of each microphone's noise in dB of full scale; None for none.
    seed : int
        For the places, the movement and the noise.
    """

    size: tuple[float, float, float] = (5.2, 4.1, 2.7)
    reverberation: float = 0.3
    distance: float = 1.4
    microphone_distance: float = 0.25
    bleed_db: float | None = -18.0
    movement: float = 0.02
    noise_db: float | None = -62.0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What the microphones hear, by the side whose microphone it is; float32[n], full scale 1.0.

    Attributes
    ----------
    own, bleed, noise : mapping by side
        The actor's own voice, the other actor's voice, and the noise, in that microphone.
    """

    own: dict[SideName, Sound]
    bleed: dict[SideName, Sound]
    noise: dict[SideName, Sound]

    def track(self, side: SideName) -> Sound:
        """All that one microphone hears."""
        return self.own[side] + self.bleed[side] + self.noise[side]


def record(voices: Mapping[SideName, Sound], rate: int, room: Room) -> Recording:
    """Let both microphones hear both voices.

    Parameters
    ----------
    voices : mapping by side of float32[n]
        Dry voices of one length; each reaches its own microphone with its level, and with no delay but
        the less than a millisecond of ``microphone_distance``.
    rate : int
        Samples per second.

    Raises
    ------
    MissingToolError
        If pyroomacoustics is not installed.
    """
    responses = _responses(rate, room)
    count = len(voices["left"])
    own, bleed, noise = {}, {}, {}
    for number, side in enumerate(SIDES):
        other = SIDES[1 - number]
        parts = _shared_out(voices[side], responses[side][side].shape[0], rate, room, number)
        heard = {mic: _convolved(parts, responses[side][mic]) for mic in SIDES}
        loudness = np.float32(_rms(voices[side]) / max(_rms(heard[side]), 1e-9))
        own[side] = heard[side] * loudness
        bleed[other] = heard[other] * loudness * _bleed_gain(heard[side], heard[other], room)
        rng = np.random.default_rng([room.seed, _NOISE, number])
        level = 0.0 if room.noise_db is None else 10 ** (room.noise_db / 20)
        noise[side] = rng.standard_normal(count, np.float32) * np.float32(level)
    return Recording(own, bleed, noise)


def _rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0


def _bleed_gain(near: Sound, far: Sound, room: Room) -> np.float32:
    """What brings a voice that is `far` in the other microphone to the level asked for."""
    if room.bleed_db is None or not far.any():
        return np.float32(0)
    return np.float32(10 ** (room.bleed_db / 20) * _rms(near) / _rms(far))


def _responses(rate: int, room: Room) -> dict[SideName, dict[SideName, Sound]]:
    """For each voice and each microphone the responses from the places of the head, float32[places, taps]."""
    try:
        import pyroomacoustics as pra
    except ImportError as error:
        raise MissingToolError(
            "pyroomacoustics",
            expected="the package that simulates a room's acoustics",
            found=str(error),
            remedy="run 'pip install pyroomacoustics', or simulate without a room",
        ) from error
    early = pra.constants.get("frac_delay_length") // 2  # by which all its responses are late
    absorption, order = pra.inverse_sabine(room.reverberation, room.size)
    box = pra.ShoeBox(room.size, fs=rate, materials=pra.Material(absorption), max_order=order)
    mouths, microphones, ways = _places(room)
    steps = np.linspace(-1, 1, 1 + 2 * ceil(room.movement / _STEP)) if room.movement else np.zeros(1)
    for mouth, way in zip(mouths, ways, strict=True):
        for step in steps:
            box.add_source(mouth + step * room.movement * way)
    box.add_microphone_array(np.array(microphones).T)
    box.compute_rir()
    found: dict[SideName, dict[SideName, Sound]] = {}
    for number, side in enumerate(SIDES):
        sources = range(number * len(steps), (number + 1) * len(steps))
        found[side] = {
            mic: _stacked([box.rir[place][source][early:] for source in sources])
            for place, mic in enumerate(SIDES)
        }
    return found


def _stacked(responses: list[npt.NDArray[np.float64]]) -> Sound:
    length = max(map(len, responses))
    return np.stack([np.pad(one, (0, length - len(one))) for one in responses]).astype(np.float32)


def _places(room: Room) -> tuple[list[_Point], list[_Point], list[_Point]]:
    """Mouths, microphones and the directions in which the heads move, left and right, in metres."""
    rng = np.random.default_rng([room.seed, _PLACES])
    middle = np.array([room.size[0] / 2, room.size[1] / 2, _MOUTH_HEIGHT]) + rng.uniform(-0.3, 0.3, 3)
    mouths: list[_Point] = []
    microphones: list[_Point] = []
    ways: list[_Point] = []
    for sign in (-1, 1):
        mouth = middle + np.array([sign * room.distance / 2, 0, 0]) + rng.uniform(-0.05, 0.05, 3)
        towards = np.array([-sign * 0.7, 0, -0.7]) + rng.uniform(-0.2, 0.2, 3)
        mouths.append(mouth)
        microphones.append(mouth + room.microphone_distance * towards / np.linalg.norm(towards))
        way = rng.standard_normal(3)
        ways.append(way / np.linalg.norm(way))
    return mouths, microphones, ways


def _shared_out(voice: Sound, places: int, rate: int, room: Room, number: int) -> list[Sound]:
    """The voice as it is spoken from each of the places, which add up to it, by where the head is."""
    if places == 1:
        return [voice]
    rng = np.random.default_rng([room.seed, _SWAY, number])
    times = np.arange(0, len(voice) / rate + 2 * _SWAY_TIME, _SWAY_TIME)
    slow, slower = (np.sin(2 * np.pi * (hz * times + rng.uniform())) for hz in _SWAY_HZ)
    coarse = (0.5 + 0.3 * slow + 0.2 * slower) * (places - 1)
    place = np.interp(np.arange(len(voice)) / rate, times, coarse)
    weights = (np.maximum(0, 1 - np.abs(place - step)).astype(np.float32) for step in range(places))
    return [voice * weight for weight in weights]


def _convolved(parts: list[Sound], responses: Sound) -> Sound:
    from scipy.signal import oaconvolve

    heard = sum(oaconvolve(part, one)[: len(part)] for part, one in zip(parts, responses, strict=True))
    return np.asarray(heard, np.float32)
