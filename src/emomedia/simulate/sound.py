"""The sound of the scenes at the microphones: the recorder's, and the cameras' own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import soxr

from ..session import SIDES, SideName
from ..timeline import SAMPLE_RATE
from .options import SimulateOptions
from .scene import Scene
from .voices import MILLISECOND

Sound = npt.NDArray[np.float32]

SPEED_OF_SOUND = 343
"""Metres per second."""

_MARGIN = SAMPLE_RATE
"""Samples of silence on either side of what is recorded, for delays and the resampler's filter."""

_TAIL_SECONDS = 1
"""The recorder is stopped this much after the cameras."""

_ACROSS = round(Fraction(3, 2) / SPEED_OF_SOUND * SAMPLE_RATE)
"""Samples that a voice takes to the other actor's microphone, 1.5 m away."""

_CAMERA_NOISE_DB = -52.0
_ECHOES = {  # the room as each camera's two microphones hear it: (milliseconds, gain)
    "left": (((0, 1.0), (7, 0.3), (19, 0.2)), ((0, 0.9), (11, 0.3), (23, 0.15))),
    "right": (((0, 0.9), (9, 0.3), (17, 0.2)), ((0, 1.0), (13, 0.25), (29, 0.15))),
}
_CAMERA_OWN, _CAMERA_OTHER = 0.5, 0.35

_NOISE_STREAMS = {"tracks": 1, "left": 2, "right": 3}


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """Both actors' dry voices on the session clock.

    Attributes
    ----------
    first : int
        Sample of the session clock, at 48 kHz, at which the arrays begin.
    samples : mapping by side of float32[n]
    """

    first: int
    samples: dict[SideName, Sound]


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where the recorder's samples lie: `first` is the session sample of the first, `count` how many."""

    first: int
    count: int
    speed: Fraction
    """Session seconds per second of the recorder's own."""
    rate: int = SAMPLE_RATE
    """Samples per second of its own."""

    def position(self, sample: int) -> int:
        """The recorder's sample that is nearest to a sample of the session clock."""
        return round(Fraction(sample - self.first, SAMPLE_RATE) / self.speed * self.rate)


def recorder_of(options: SimulateOptions) -> Recorder:
    """The recorder that `options` ask for."""
    first = round(options.recorder_offset * SAMPLE_RATE)
    speed = 1 + options.drift_ppm / 1_000_000
    heard = round((options.seconds + _TAIL_SECONDS) * SAMPLE_RATE) - first
    rate = options.recorder.sample_rate
    return Recorder(first, max(0, int(Fraction(heard, SAMPLE_RATE) / speed * rate)), speed, rate)


def own_position(sample: int, side: SideName, options: SimulateOptions) -> int:
    """The sample of a camera's own sound at which it hears what is said at a sample of the session clock."""
    began = options.offset(side) - options.camera_of(side).late
    return sample - round(began * SAMPLE_RATE) + _distance(options)


def _distance(options: SimulateOptions) -> int:
    """Samples that sound takes from the mouths to the cameras."""
    return round(options.camera_distance / SPEED_OF_SOUND * SAMPLE_RATE)


def speak(scenes: Sequence[Scene], options: SimulateOptions, recorder: Recorder) -> Voices:
    """Put the scenes' utterances on the session clock."""
    first = min(0, recorder.first, round(options.right_offset * SAMPLE_RATE)) - _MARGIN
    end = round((options.seconds + _TAIL_SECONDS) * SAMPLE_RATE) + _MARGIN
    samples = {side: np.zeros(end - first, np.float32) for side in SIDES}
    for utterance in (utterance for scene in scenes for utterance in scene.utterances):
        begin = utterance.start * MILLISECOND - first
        sound = utterance.spoken.samples
        samples[utterance.speaker][begin : begin + len(sound)] += sound
    return Voices(first, samples)


def track(voices: Voices, side: SideName, recorder: Recorder, options: SimulateOptions) -> Sound:
    """One side's track as the recorder hears it: float32[recorder.count], full scale 1.0."""
    seconds = Fraction(recorder.count, recorder.rate) * recorder.speed
    first, count = recorder.first - _MARGIN, round(seconds * SAMPLE_RATE) + 2 * _MARGIN
    heard = _padded(voices, side, first, count).copy()
    if options.bleed_db is not None:
        other = SIDES[1 - SIDES.index(side)]
        heard += _padded(voices, other, first - _ACROSS, count) * _gain(options.bleed_db)
    heard = _on_its_clock(heard[_MARGIN:], recorder)[: recorder.count]
    if options.noise_db is not None:
        rng = np.random.default_rng([options.seed, _NOISE_STREAMS["tracks"], SIDES.index(side)])
        heard = heard + rng.standard_normal(len(heard), np.float32) * _gain(options.noise_db)
    return heard


def _padded(voices: Voices, side: SideName, first: int, count: int) -> Sound:
    """`count` samples from sample `first` of the session clock, with silence where nothing was made."""
    own = voices.samples[side]
    begin = first - voices.first
    inside = own[max(0, begin) : max(0, begin + count)]
    return np.pad(inside, (max(0, -begin), count - max(0, -begin) - len(inside)))


def _gain(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))


def _on_its_clock(heard: Sound, recorder: Recorder) -> Sound:
    """`heard`, which begins with the recorder's first sample, at its rate and on its clock."""
    rate = SAMPLE_RATE * recorder.speed
    if rate == recorder.rate:
        return heard
    return np.asarray(soxr.resample(heard, float(rate), recorder.rate, quality="VHQ"), np.float32)


def camera_sound(voices: Voices, side: SideName, options: SimulateOptions) -> Sound:
    """What a camera hears from when its sound begins to its last frame: float32[2, n] at 48 kHz, stereo.

    Its sound begins with its first frame, or earlier by what its picture is late.
    """
    first = -own_position(0, side, options)
    count = round((options.camera_of(side).late + options.times(side).end) * SAMPLE_RATE)
    other = SIDES[1 - SIDES.index(side)]
    rng = np.random.default_rng([options.seed, _NOISE_STREAMS[side]])
    channels = []
    for echoes in _ECHOES[side]:
        heard = np.zeros(count, np.float32)
        for milliseconds, gain in echoes:
            at = first - milliseconds * MILLISECOND
            heard += np.float32(gain * _CAMERA_OWN) * _padded(voices, side, at, count)
            heard += np.float32(gain * _CAMERA_OTHER) * _padded(voices, other, at, count)
        channels.append(heard + _room(count, rng))
    return np.stack(channels)


def _room(count: int, rng: np.random.Generator) -> Sound:
    """Noise of a room, duller than white."""
    white = rng.standard_normal(count + 7, np.float32)
    dull = np.convolve(white, np.full(8, 8**-0.5, np.float32), mode="valid")
    return dull.astype(np.float32) * _gain(_CAMERA_NOISE_DB)
