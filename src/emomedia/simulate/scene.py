"""Who says what when: scripts laid out on the session clock, to the millisecond.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import ceil, floor

import numpy as np

from ..session import SIDES, SideName
from .scripts import Line, Script
from .voices import Speaker, Spoken

_BEFORE_MS = 300
"""Silence before the first dialogue."""

_LEAD_MS = 300
"""Silence at a dialogue's beginning and end."""

_BETWEEN_MS = 1200
"""Silence between two dialogues, besides theirs at their ends."""

_PAUSE_MS = (150, 600)
_OVERLAP_MS = (200, 450)
_BREATH_MS = 100
"""The least between two utterances of one actor."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn or backchannel; `start` in milliseconds on the session clock."""

    id: str
    dialogue: str
    speaker: SideName
    start: int
    spoken: Spoken
    backchannel: bool

    @property
    def end(self) -> int:
        return self.start + self.spoken.milliseconds


@dataclass(frozen=True, slots=True)
class Scene:
    """One dialogue, ``[start, end)`` in milliseconds; its utterances in order of start."""

    id: str
    start: int
    end: int
    topic: str
    emotion: str
    utterances: tuple[Utterance, ...]


def arrange(
    session: str,
    scripts: Sequence[Script],
    stretch: tuple[Fraction, Fraction],
    wanted: int,
    say: Speaker,
    rng: np.random.Generator,
) -> tuple[Scene, ...]:
    """Lay `wanted` dialogues out over `stretch`, in seconds on the session clock.

    The stretch is shared out evenly; a dialogue has as many lines as its share holds, and is left out
    when that is none.  The actors take turns in opening a dialogue.
    """
    first, last = ceil(stretch[0] * 1000) + _BEFORE_MS, floor(stretch[1] * 1000)
    edges = [first + (last + _BETWEEN_MS - first) * number // wanted for number in range(wanted + 1)]
    scenes: list[Scene] = []
    for number in range(wanted):
        start, end = edges[number], edges[number + 1] - _BETWEEN_MS
        opener = number % 2
        placed = _lay_out(scripts[number % len(scripts)], opener, start + _LEAD_MS, end - _LEAD_MS, say, rng)
        if placed:
            scenes.append(
                _scene(f"{session}_{len(scenes):03}", start, scripts[number % len(scripts)], placed)
            )
    return tuple(scenes)


@dataclass(frozen=True, slots=True)
class _Placed:
    side: SideName
    start: int
    spoken: Spoken
    backchannel: bool

    @property
    def end(self) -> int:
        return self.start + self.spoken.milliseconds


def _lay_out(
    script: Script, opener: int, start: int, end: int, say: Speaker, rng: np.random.Generator
) -> list[_Placed]:
    """The script's lines from `start` on, until the next would not be over by `end`."""
    placed: list[_Placed] = []
    floor_taken: _Placed | None = None
    for line, flipped in _endless(script):
        side = SIDES[(line.speaker + opener + flipped) % 2]
        spoken = say(side, line.text)
        if line.manner == "assents":
            if floor_taken and spoken.milliseconds + 2 * _BREATH_MS < floor_taken.spoken.milliseconds:
                middle = floor_taken.start + (floor_taken.spoken.milliseconds - spoken.milliseconds) // 2
                if middle >= _free_from(placed, side):
                    placed.append(_Placed(side, middle, spoken, True))
            continue
        at = start if floor_taken is None else _after(floor_taken, line, rng)
        at = max(at, _free_from(placed, side))
        if at + spoken.milliseconds > end:
            return placed
        floor_taken = _Placed(side, at, spoken, False)
        placed.append(floor_taken)
    raise AssertionError("a script has lines")


def _endless(script: Script) -> Iterator[tuple[Line, int]]:
    """The lines over and over; the number says whether the speakers have changed places since."""
    odd = sum(line.manner != "assents" for line in script.lines) % 2
    for round_number in count():
        for line in script.lines:
            yield line, round_number * odd % 2


def _after(floor_taken: _Placed, line: Line, rng: np.random.Generator) -> int:
    if line.manner == "interrupts":
        overlap = int(rng.integers(*_OVERLAP_MS))
        return floor_taken.end - min(overlap, floor_taken.spoken.milliseconds // 2)
    return floor_taken.end + int(rng.integers(*_PAUSE_MS))


def _free_from(placed: Sequence[_Placed], side: SideName) -> int:
    return max((item.end + _BREATH_MS for item in placed if item.side == side), default=0)


def _scene(scene_id: str, start: int, script: Script, placed: Sequence[_Placed]) -> Scene:
    in_time = sorted(placed, key=lambda item: (item.start, item.side))
    utterances = tuple(
        Utterance(f"{scene_id}_{number:03}", scene_id, item.side, item.start, item.spoken, item.backchannel)
        for number, item in enumerate(in_time)
    )
    end = max(item.end for item in placed) + _LEAD_MS
    return Scene(scene_id, start, end, script.topic, script.emotion, utterances)
