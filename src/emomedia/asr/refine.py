"""Whisper's word times, moved to where the actor's own track has the words' edges.

Whisper's times come from the attention that each token pays to the sound, in steps of 20 ms, and are off by
a step or two; at pauses and at the beginning of a window by hundreds of milliseconds.  The sound knows better
where a word ends, but not which.  So all edges of a segment are placed together: near Whisper's times, where
the spectrum changes, with what is loud inside words and what is quiet between them, and every word
within one stretch of its actor's own activity.  The best placement is found by dynamic programming, as in
forced alignment with explicit durations (Ferguson 1980).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..voice.compiled import compiled
from .edges import HOP, SAMPLE_RATE, Edges, Floats, heard_edges
from .types import Word

STEP = HOP / SAMPLE_RATE
"""Seconds between places where an edge can be."""

SHORTEST = 8
"""Hops; no syllable is shorter than 40 ms (unstressed ones of Mandarin last 80 to 100 ms)."""

LONGEST = 600
"""Hops; 3 s are a long cry."""

BAND = 120
"""Hops, 0.6 s, around Whisper's time in which an edge is looked for, and where activity begins or ends."""

SCALE, FARTHEST = 8.0, 3.0
"""Hops, 40 ms, off Whisper's time for a cost of one; the cost at which it is plainly wrong."""

CHANGE = 0.7
"""Cost that an edge saves for one root mean square of spectral change."""

SPOKEN = 0.1
"""Cost of a loud hop between words, or of a quiet one in a word: 4 for a syllable of 200 ms passed over."""

PAUSE = 2.0
"""Cost of either end of a pause that lies within the activity; without it a plosive's closure would be one,
and a weak consonant no part of the first word."""

LASTING = 4.0
"""Cost of a word that lasts e times as long as usual, or as short; it grows by the logarithm's square."""

_LEAST_USUAL = 20.0
"""Hops, 100 ms: Whisper's words are shorter where it has lost its place, not where people speak fast."""


def refined(
    words: Sequence[Word], sound: Floats, sound_start: float, activity: Sequence[tuple[float, float]]
) -> tuple[Word, ...]:
    """`words` of one segment with the times that the track gives them.

    Parameters
    ----------
    words : sequence of Word
        In the order in which they were said, with Whisper's times on the session clock.
    sound : float32[n]
        The actor's own track at 16 kHz, the segment and what lies around it.
    sound_start : float
        Session time of its first sample in seconds.
    activity : sequence of (start, end)
        When the actor speaks, seconds on the session clock, in order, disjoint.

    Returns
    -------
    tuple of Word
        As many, with the same texts and probabilities, in order and disjoint, each within one stretch of
        `activity`; none shorter than 40 ms unless they do not fit, and then they share what speech there is.
        Where the sound holds no activity at all, the words are as they were given.
    """
    if not words:
        return ()
    edges = heard_edges(sound, sound_start, activity)
    if not edges.active.any():
        return tuple(words)
    placed = _placed(words, edges, sound_start)
    return tuple(
        replace(word, start=_time(first, sound_start), end=_time(end, sound_start))
        for word, (first, end) in zip(words, placed.tolist(), strict=True)
    )


def _time(edge: float, start: float) -> float:
    return round(start + edge * STEP, 4)


def _placed(words: Sequence[Word], edges: Edges, start: float) -> npt.NDArray[np.float64]:
    """First and end edge of each word, float64[words, 2]."""
    meant = (np.array([(word.start, word.end) for word in words]) - start) / STEP
    meant = np.clip(meant, 0, len(edges.active))
    shortest = _fitting(len(words), edges.active)
    if shortest == 0:
        return _shared(len(words), edges.active)
    lasting = _lasting(words, meant, shortest, len(edges.active))
    edge, within = -CHANGE * edges.change.astype(np.float64), -SPOKEN * edges.spoken.astype(np.float64)
    reach = _reach(edges.active)
    places, cost = np.zeros(meant.shape, np.int64), np.full(1, np.inf)
    for band in (BAND, len(edge)):  # anywhere, if there are too many words for that
        if np.isinf(cost[0]):
            place_words(meant, lasting, edge, within, reach, SCALE, FARTHEST, PAUSE, band, places, cost)
    return places.astype(np.float64)


def _lasting(
    words: Sequence[Word], meant: npt.NDArray[np.float64], shortest: int, count: int
) -> npt.NDArray[np.float64]:
    """What it costs that a word lasts 0, 1, ... hops, float64[words, longest + 1].

    Usual is what the words of this segment last by Whisper's times, for their number of letters.
    """
    letters = np.array([max(1, sum(map(str.isalnum, word.text))) for word in words])
    usual = max(float(np.median((meant[:, 1] - meant[:, 0]) / letters)), _LEAST_USUAL)
    hops = np.arange(max(LONGEST, shortest) + 1)[: count + 1]
    cost = LASTING * np.log(np.maximum(hops, 1) / (usual * letters)[:, None]) ** 2
    cost[:, :shortest] = np.inf
    return cost


def _reach(active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each edge the first edge of the stretch of activity that ends there or continues, else itself."""
    reach = np.arange(len(active) + 1)
    for edge in range(1, len(reach)):
        if active[edge - 1]:
            reach[edge] = reach[edge - 1]
    return reach


def _fitting(count: int, active: npt.NDArray[np.bool_]) -> int:
    """The least length of a word, in hops, with which `count` words fit into the activity; 0 if none does."""
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    lengths = np.diff(bounds.reshape(-1, 2), axis=1)[:, 0]
    return next((least for least in range(SHORTEST, 0, -1) if (lengths // least).sum() >= count), 0)


def _shared(count: int, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Where more words than hops share the activity: each within one hop, those of one hop in equal parts."""
    hops = np.flatnonzero(active)
    which = np.arange(count) * len(hops) // count
    in_each = np.bincount(which)
    earlier = np.arange(count) - np.searchsorted(which, which)
    start = hops[which] + earlier / in_each[which]
    return np.stack([start, hops[which] + (earlier + 1) / in_each[which]], axis=1)


@compiled
def place_words(
    meant: npt.NDArray[np.float64],
    lasting: npt.NDArray[np.float64],
    edge: npt.NDArray[np.float64],
    within: npt.NDArray[np.float64],
    reach: npt.NDArray[np.int64],
    scale: float,
    farthest: float,
    pause: float,
    band: int,
    places: npt.NDArray[np.int64],
    cost: npt.NDArray[np.float64],
) -> None:
    """The cheapest placement of all words.

    Parameters
    ----------
    meant : float64[words, 2]
        Whisper's start and end of each word, in hops.
    lasting : float64[words, longest + 1]
        What it costs that a word lasts so many hops; infinite where it cannot.
    edge : float64[n + 1]
        What it costs that a word begins or ends there.
    within : float64[n]
        What it costs that a hop is in a word, and gains that it is not.
    reach : int64[n + 1]
        The first edge at which a word that ends here can start.
    scale, farthest : float
        Hops off the meant time for a cost of one; its highest cost.
    pause : float
        What it costs that there is a pause between two words, before them or after them, at each of its ends
        that lies within a stretch of activity.
    band : int
        Hops around the meant time in which an edge is looked for, besides where activity begins or ends.
    places : int64[words, 2]
        Result: first and end edge of each word.
    cost : float64[1]
        Result: what that costs; infinite where no placement is possible.
    """
    words, count, longest = meant.shape[0], len(edge), lasting.shape[1] - 1
    total = np.zeros(count)
    for n in range(1, count):
        total[n] = total[n - 1] + within[n - 1]
    ended = np.zeros((words + 1, count), np.int32)
    started = np.zeros((words, count), np.int32)
    best = np.full(count, np.inf)
    best[0] = 0  # no word yet
    for word in range(words):
        earliest = int(max(0, min(meant[word, 0] - band, count)))
        last = int(max(0, min(meant[word, 0] + band + 1, count)))
        begun = np.full(count, np.inf)
        silent, since = np.inf, 0
        for n in range(count):  # the word begins here, where the one before ended or after a pause
            here = best[n]
            ended[word, n] = n
            if n > 0:
                silent -= within[n - 1]
                closed = silent + (pause if reach[n] < n else 0.0)
                if closed < here:
                    here, ended[word, n] = closed, since
            opened = best[n] + (pause if n + 1 < count and reach[n + 1] <= n else 0.0)
            if opened < silent:
                silent, since = opened, n
            if earliest <= n < last or reach[n] == n:
                begun[n] = here + min(abs(n - meant[word, 0]) / scale, farthest) + edge[n]
        first = int(max(0, min(meant[word, 1] - band, count)))
        last = int(max(0, min(meant[word, 1] + band + 1, count)))
        for n in range(count):  # and ends here
            best[n] = np.inf
            if not first <= n < last and n + 1 < count and reach[n + 1] <= n:
                continue
            cheapest, lowest = np.inf, max(reach[n], n - longest)
            for place in range(max(lowest, earliest - 1), n):
                begin = place if place >= earliest else lowest
                value = begun[begin] - total[begin] + lasting[word, n - begin]
                if value < cheapest:
                    cheapest = value
                    started[word, n] = begin
            best[n] = cheapest + total[n] + min(abs(n - meant[word, 1]) / scale, farthest) + edge[n]
    end, cost[0] = 0, np.inf
    for n in range(count):
        value = best[n] - (total[count - 1] - total[n])
        if n + 1 < count and reach[n + 1] <= n:
            value += pause
        if value < cost[0]:
            cost[0], end = value, n
    for word in range(words - 1, -1, -1):
        places[word, 1] = end
        places[word, 0] = started[word, end]
        end = ended[word, places[word, 0]]
