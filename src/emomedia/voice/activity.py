"""When a track's actor speaks, to 10 ms, from the evidence in the track."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .evidence import Evidence
from .spectrum import FRAME_SECONDS

Mask = npt.NDArray[np.bool_]

SPEECH = 0.5
"""Probability of speech that a stretch must reach somewhere in the track: Silero's own threshold."""

POSSIBLE_DB, CERTAIN_DB = 2.0, 6.0
"""Margin over bleed and noise that every column of a voice has, and that it reaches somewhere."""

RANGE_DB = 29.0
"""How far below the loud parts of an actor's voice what is spoken can lie."""

EDGE_DB = 29.0
"""How far below the loud parts of a stretch it begins and ends."""

TAIL_DB, TAIL_SLOPE_DB = 8.0, 1.5
"""What lies so far below what was heard before, and more by the slope for every column since, is the room:
a close microphone hears that much less of it than of its actor, and it falls by 60 dB in 0.4 s."""

PAUSE = 20
"""Columns; a pause of 200 ms or less is part of an inter-pausal unit."""

SHORTEST = 8
"""Columns; what is shorter than 80 ms is a click."""

_LOUD = 90
"""Percentile of levels that counts as loud."""

_TAIL = range(3, 20)
"""Columns after which the room is heard alone."""


def own_activity(evidence: Evidence, speech: npt.NDArray[np.float32], guess: Mask) -> Mask:
    """When the actor speaks: inter-pausal units, bool[n].

    Parameters
    ----------
    evidence : Evidence
        Of n columns.
    speech : float32[n]
        Probability that the track holds speech, the actor's or not.
    guess : bool[n]
        Who seemed to speak; shows how loud the actor is.
    """
    active = np.zeros(len(guess), np.bool_)
    known = guess & (evidence.margin > CERTAIN_DB)
    if not known.any():
        return active
    floor = np.percentile(evidence.level[known], _LOUD) - RANGE_DB
    possible = (evidence.level > floor) & (evidence.margin > POSSIBLE_DB)
    is_tail = evidence.level <= _room_tail(evidence.level)
    for first, end in runs(bridged(possible, PAUSE)):
        here = slice(first, end)
        if speech[here].max() < SPEECH or not (evidence.margin[here] > CERTAIN_DB)[possible[here]].any():
            continue
        level = evidence.level[here]
        loud = np.percentile(level[possible[here]], _LOUD)
        active[here] = possible[here] & (level > loud - EDGE_DB) & ~is_tail[here]
    return without_short(bridged(active, PAUSE), SHORTEST)


def _room_tail(level: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The level that the room alone gives the voice after it has ended, float32[n]."""
    tail = np.full_like(level, -np.inf)
    for later in _TAIL:
        heard = level[:-later] - np.float32(TAIL_DB + TAIL_SLOPE_DB * later)
        tail[later:] = np.maximum(tail[later:], heard)
    return tail


def bridged(active: Mask, pause: int) -> Mask:
    """With the pauses of at most `pause` columns between two active ones."""
    whole = active.copy()
    for first, end in runs(~active):
        if first > 0 and end < len(active) and end - first <= pause:
            whole[first:end] = True
    return whole


def without_short(active: Mask, shortest: int) -> Mask:
    """Without the stretches of fewer than `shortest` columns."""
    rest = active.copy()
    for first, end in runs(active):
        if end - first < shortest:
            rest[first:end] = False
    return rest


def runs(active: Mask) -> list[tuple[int, int]]:
    """``[first, end)`` of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def seconds(active: Mask, length: float) -> list[tuple[float, float]]:
    """Stretches as half-open ranges of seconds, none beyond `length`."""
    ranges = ((first * FRAME_SECONDS, min(end * FRAME_SECONDS, length)) for first, end in runs(active))
    return [(round(start, 4), round(end, 4)) for start, end in ranges if start < end]
