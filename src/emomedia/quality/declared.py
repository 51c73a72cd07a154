"""Whether recordings are where the user declared them to be, judged by their sound.

sync uses a declared place as it is.  Here the alignment that finds places measures the distance, so
that a picture two frames ahead of its sound does not pass because it was declared so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EmomediaError, OutputError
from ..session import SIDES
from ..sync import SPEED_OF_SOUND
from ..sync.recordings import Recordings
from ..timeline import Clock

if TYPE_CHECKING:
    from ..audio.align import Match
    from ..probe.types import Probe, Track

SURE, NEAR_MS = 0.8, 10.0
"""Confidence and distance up to which what is found near the declared place is the place: a recorder that
lost time in the middle of it leaves no more than half of the windows there."""


def declared_ms(
    probe: Probe, clocks: Mapping[str, Mapping[str, Clock]], sync: Mapping[str, Any], folder: Path | None
) -> dict[str, float]:
    """By side how far, in milliseconds, what is declared of it lies from what the sound says.

    Parameters
    ----------
    clocks, sync : mapping
        The clocks in use, and sync.json, which says which of them are declared.
    folder : Path or None
        Where scratch files may lie.

    Sides without a declaration, or whose sound does not show it, are left out.
    """
    found: dict[str, list[float]] = {side: [] for side in SIDES}
    with Recordings(folder) as recordings:
        for side in SIDES:
            sound, track = probe.takes[side].sound, probe.tracks[side]
            if _is_declared(sync, side, "track") and sound is not None and not track.own_audio:
                late = float(probe.session.side(side).camera_distance) / SPEED_OF_SOUND
                camera = _sound_clock(clocks[side]["take"], sound)
                found[side] += _apart(recordings, sound, track, camera, clocks[side]["track"], late)
        left, right = (probe.takes[side].sound for side in SIDES)
        if _is_declared(sync, "right", "take") and left is not None and right is not None:
            mine = _sound_clock(clocks["right"]["take"], right)
            camera = _sound_clock(Clock(), left)
            found["right"] += _apart(recordings, left, right, camera, mine, 0.0, between=True)
    return {side: round(max(values), 3) for side, values in found.items() if values}


def _is_declared(sync: Mapping[str, Any], side: str, kind: str) -> bool:
    entry = sync.get(side, {}).get(kind, {})
    return isinstance(entry, dict) and entry.get("method") == "declared"


def _sound_clock(take: Clock, sound: Track) -> Clock:
    """The session clock of a take's sound, whose time counts from its first sample."""
    return Clock(take.to_session(sound.start), take.drift_ppm)


def _apart(
    recordings: Recordings,
    reference: Track,
    other: Track,
    known: Clock,
    declared: Clock,
    late: float,
    *,
    between: bool = False,
) -> list[float]:
    """The distance, or nothing if the sound is silent, of something else, or does not decode.

    It is looked for near the declared place first, and everywhere if that leaves a doubt.
    """
    from ..audio.align import THRESHOLD

    pace = float(known.speed)
    offset = (float(declared.offset) + late - float(known.offset)) / pace
    drift = float(declared.speed) / pace - 1
    try:
        match = recordings.aligned_near(reference, other, offset, drift, between=between)
        found = None if match is None else _distance_ms(match, known, declared, late)
        if match is None or found is None or match.confidence < SURE or found > NEAR_MS:
            (match,) = recordings.aligned([(reference, other)], between=between)
            found = None if match is None else _distance_ms(match, known, declared, late)
    except OutputError:  # no room for scratch files says nothing of the sound
        raise
    except EmomediaError:
        return []
    return [] if match is None or found is None or match.confidence < THRESHOLD else [found]


def _distance_ms(match: Match, known: Clock, declared: Clock, late: float) -> float | None:
    """From the declared place to the one that the sound has, in the middle of what was compared."""
    if not match.windows:
        return None
    local = float(np.median([window.time for window in match.windows]))
    begun = [piece for piece in match.pieces if piece.start <= local]
    line = begun[-1] if begun else match
    heard = _session(known, line.offset + local * (1 + line.drift_ppm * 1e-6))
    return 1000 * abs(heard - late - _session(declared, local))


def _session(clock: Clock, local: float) -> float:
    return float(clock.offset) + local * float(clock.speed)
