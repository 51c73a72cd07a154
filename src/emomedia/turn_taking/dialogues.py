"""Undeclared dialogues: between long pauses and the director's cues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from ..session import SIDES, Dialogue, SideName
from .ranges import Range
from .units import Unit, in_order, units

DIALOGUE_PAUSE = Fraction(4)
"""Seconds; where nobody speaks for longer, a dialogue ends, if session.toml names none."""

DIALOGUE_MARGIN = Fraction(1, 2)
"""Seconds before the first and after the last word that belong to a dialogue that was found."""


def found_dialogues(
    session_id: str, activity: Mapping[SideName, Sequence[Range]], shown: Sequence[Range]
) -> tuple[Dialogue, ...]:
    """Dialogues between long pauses.

    Parameters
    ----------
    shown : sequence of (start, end)
        Where a dialogue may be (:func:`emomedia.turn_taking.cues.scenes`); none reaches beyond one of these.
    """
    found: list[Range] = []
    for first, end in shown:
        spoken = in_order(unit for side in SIDES for unit in units(activity[side], [(first, end)], side))
        for start, stop in _runs(spoken):
            found.append((max(first, start - DIALOGUE_MARGIN), min(end, stop + DIALOGUE_MARGIN)))
    return tuple(Dialogue(f"{session_id}_{n:03d}", start, end) for n, (start, end) in enumerate(found))


def _runs(spoken: Sequence[Unit]) -> list[Range]:
    """First start and last end of each run of units without a pause over :data:`DIALOGUE_PAUSE`."""
    runs: list[Range] = []
    for unit in spoken:
        if runs and unit.start - runs[-1][1] <= DIALOGUE_PAUSE:
            runs[-1] = runs[-1][0], max(runs[-1][1], unit.end)
        else:
            runs.append((unit.start, unit.end))
    return runs
