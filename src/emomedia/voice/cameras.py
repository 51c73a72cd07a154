"""Whether the tracks are on the right sides, by what the cameras hear.

A camera faces its own actor and hears that voice louder, against the other camera, than the other voice.
Gains do not matter: the difference between the cameras while one actor speaks is compared with their
difference while the other one does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ..audio.track import stretch
from ..probe.types import Track
from ..session import SIDES, SideName
from ..timeline import Clock

CameraSound = Callable[[float, float], npt.NDArray[np.float32]]
"""What a camera hears: from a time on the session clock, for some seconds."""

SWAPPED_DB = 1.5
"""By how much each camera must hear the wrong voice louder."""

_STRETCHES = 12
_FEWEST = 3
_LONGEST, _SHORTEST = 3.0, 0.5
_FLOOR = 1e-12

Ranges = Sequence[tuple[float, float]]


def camera_sound(sound: Track, take_clock: Clock) -> CameraSound:
    """What a take's own sound holds, by the clock of its pictures."""

    def heard(start: float, seconds: float) -> npt.NDArray[np.float32]:
        place = (take_clock.to_local(Fraction(start)) - sound.start) * sound.sample_rate
        return stretch(sound, max(0, round(place)), round(seconds * sound.sample_rate))

    return heard


def facing_db(alone: Mapping[SideName, Ranges], cameras: Mapping[SideName, CameraSound]) -> float | None:
    """How much louder each camera hears its own actor, in dB; negative where the tracks are exchanged.

    Parameters
    ----------
    alone : mapping by side of ranges
        When only that side's actor speaks, in seconds on the session clock.

    Returns
    -------
    float or None
        None where an actor is hardly ever alone.
    """
    differences = []
    for side in SIDES:
        long = sorted((r for r in alone[side] if r[1] - r[0] >= _SHORTEST), key=lambda r: r[0] - r[1])
        if len(long) < _FEWEST:
            return None
        heard = [_difference(start, min(end - start, _LONGEST), cameras) for start, end in long[:_STRETCHES]]
        differences.append(float(np.median(heard)))
    return (differences[0] - differences[1]) / 2


def _difference(start: float, length: float, cameras: Mapping[SideName, CameraSound]) -> float:
    """Level in the left camera less that in the right one, in dB."""
    left, right = (_level(cameras[side](start, length)) for side in SIDES)
    return left - right


def _level(sound: npt.NDArray[np.float32]) -> float:
    """In dB, of the differences of neighbouring samples, in which voices stand out from rumble."""
    steps = np.diff(sound, prepend=np.float32(0))
    return float(10 * np.log10(np.mean(steps * steps) + _FLOOR)) if len(steps) else 0.0
