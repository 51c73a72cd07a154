"""Decides what is sent to the recogniser, and in which batches, from when each actor speaks.  Pure.

An actor's speech is cut at pauses into passages.  Passages are put into windows, which the network hears at
once; windows with the same prompt and of similar length make a batch.  All this follows from the session
alone, so the number of workers does not matter, and a batch can be the unit of resuming.

Times are counted in columns of 10 ms, as voice activity is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..session import SIDES, SideName
from ..voice.activity import runs

Mask = npt.NDArray[np.bool_]

COLUMNS = 100
"""Per second."""

PAUSE = 50
"""Columns; a pause that ends a passage."""

MARGIN = 40
"""Columns heard before and after a passage, where there is no other one: as many as faster-whisper's."""

LONGEST = 30 * COLUMNS
"""Columns of a window: what Whisper hears at once."""

SHORTEST = 2 * COLUMNS
"""Columns of a short window at least: a model trained on 4 s and more does as well with so few."""

STEP = COLUMNS // 2
"""Columns by which short windows grow, so that few lengths occur."""

GAP = 50
"""Columns of silence between two passages in one window."""

BATCH_COLUMNS = {"cpu": 4 * LONGEST, "cuda": 16 * LONGEST}
"""How much a batch may hold by device: a core, which has it to itself, gains little by more; a GPU does."""

BATCH_WINDOWS = 32
"""How many windows it may hold."""

FILLED = 1.25
"""How much longer than a batch's shortest window its longest may be: the others are filled up to it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One side's speech without a long pause: ``[start, end)``, heard from `begin` to `stop`.

    `prompt` is the number of the text that prompts the recogniser.
    """

    side: SideName
    start: int
    end: int
    begin: int
    stop: int
    prompt: int = 0

    @property
    def columns(self) -> int:
        return self.stop - self.begin


@dataclass(frozen=True, slots=True)
class Window:
    """Passages of one side that are heard at once, and the columns at which each begins."""

    passages: tuple[Passage, ...]
    places: tuple[int, ...]

    @property
    def columns(self) -> int:
        return self.places[-1] + self.passages[-1].columns


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows that the network works on together, each filled up to `columns`."""

    windows: tuple[Window, ...]
    columns: int


def passages(own: Mask, side: SideName, prompts: Mapping[int, range] | None = None) -> list[Passage]:
    """The passages of one side, in order.

    Parameters
    ----------
    own : bool[columns]
        When its actor speaks.
    prompts : mapping
        Number of a prompt → the columns in which it applies to a passage that starts there; 0 elsewhere.
    """
    spoken: list[tuple[int, int]] = []
    for run in _joined(runs(own), PAUSE):
        spoken += _cut(run, own)
    found = []
    for start, end, begin, stop in _with_margins(spoken, 0, len(own)):
        prompt = next((key for key, place in (prompts or {}).items() if start in place), 0)
        found.append(Passage(side, start, end, begin, stop, prompt))
    return found


def _with_margins(
    spoken: Sequence[tuple[int, int]], first: int, last: int
) -> Iterator[tuple[int, int, int, int]]:
    """Each stretch of ``[first, last)``, and the columns from and to which it is heard."""
    edges = [first - MARGIN, *(edge for run in spoken for edge in run), last + 2 * MARGIN]
    for number, (start, end) in enumerate(spoken):
        before, after = edges[2 * number], edges[2 * number + 3]
        begin = max(first, start - min(MARGIN, (start - before) // 2))
        yield start, end, begin, min(last, end + min(MARGIN, (after - end) // 2))


def _joined(found: Sequence[tuple[int, int]], pause: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start - joined[-1][1] < pause:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _cut(run: tuple[int, int], own: Mask) -> list[tuple[int, int]]:
    """A run in pieces that fit a window: at its longest pause, in the middle where there is none."""
    start, end = run
    if end - start <= LONGEST - 2 * MARGIN:
        return [run]
    parts = [(start + first, start + last) for first, last in runs(own[start:end])]
    pauses = [(left, right) for (_, left), (right, _) in pairwise(parts)]
    middle = (start + end) // 2

    def goodness(pause: tuple[int, int]) -> tuple[int, int]:
        return pause[1] - pause[0], -abs(sum(pause) - start - end)

    left, right = max(pauses, key=goodness, default=(middle, middle))
    return _cut((start, left), own) + _cut((right, end), own)


def windows(found: Sequence[Passage], *, short: bool) -> list[Window]:
    """Passages of one side in windows: each in its own, or as many together as fit."""
    groups: list[list[Passage]] = []
    places: list[list[int]] = []
    for passage in found:
        if not short and groups and groups[-1][-1].prompt == passage.prompt:
            place = places[-1][-1] + groups[-1][-1].columns + GAP
            if place + passage.columns <= LONGEST:
                groups[-1].append(passage)
                places[-1].append(place)
                continue
        groups.append([passage])
        places.append([0])
    return [Window(tuple(group), tuple(place)) for group, place in zip(groups, places, strict=True)]


def batches(found: Sequence[Window], *, short: bool, most: int) -> list[Batch]:
    """Windows in batches of up to `most` columns: by prompt, by length, so that little is filled up, by time.

    Short windows' lengths go from :data:`SHORTEST` on by :data:`STEP`; the others' are :data:`LONGEST`.
    """
    ordered = sorted(
        ((_length(window) if short else LONGEST, window) for window in found),
        key=lambda pair: (pair[1].passages[0].prompt, pair[0], _order(pair[1])),
    )
    made: list[list[Window]] = []
    lengths: list[int] = []  # of each batch's shortest window
    for length, window in ordered:
        if not made or not _fits(made[-1], lengths[-1], window, length, most):
            made.append([])
            lengths.append(length)
        made[-1].append(window)
    return [Batch(tuple(group), _length(group[-1]) if short else LONGEST) for group in made]


def shown(batch: Batch, active: Mapping[SideName, Mask], *, short: bool) -> list[Batch]:
    """What is left of a batch where its actors are no longer `active`, because that is excluded.

    Batches are made of all speech, so that those without any that is excluded stay as they were.  None has
    more windows than before.
    """
    found: list[Window] = []
    for window in batch.windows:
        parts = [part for passage in window.passages for part in _shown(passage, active[passage.side])]
        found += windows(parts, short=short)
    most = len(batch.windows)
    return [Batch(tuple(found[n : n + most]), batch.columns) for n in range(0, len(found), most)]


def _shown(passage: Passage, active: Mask) -> list[Passage]:
    """The parts of a passage in which its actor is active: the passage itself where that is all of it."""
    inside = runs(active[passage.start : passage.end])
    spoken = _joined([(passage.start + first, passage.start + end) for first, end in inside], PAUSE)
    return [
        replace(passage, start=start, end=end, begin=begin, stop=stop)
        for start, end, begin, stop in _with_margins(spoken, passage.begin, passage.stop)
    ]


def _fits(group: Sequence[Window], shortest: int, window: Window, length: int, most: int) -> bool:
    """Whether a window, the longest so far, can join a batch."""
    alike = length <= shortest * FILLED and window.passages[0].prompt == group[0].passages[0].prompt
    return alike and len(group) < BATCH_WINDOWS and (len(group) + 1) * length <= most


def _length(window: Window) -> int:
    return min(LONGEST, max(SHORTEST, -(-window.columns // STEP) * STEP))


def _order(window: Window) -> tuple[int, int]:
    first = window.passages[0]
    return first.start, SIDES.index(first.side)
