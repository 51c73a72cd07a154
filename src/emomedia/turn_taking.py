"""The turns stage: from both sides' voice activity to turns and dialogues.

Pure, exact, and deliberately plain: pauses and overlaps alone decide, not words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import itemgetter
from typing import Any

from .descriptions import is_id, show, wrong
from .session import SIDES, Dialogue, Session, SideName
from .turns import Turn, TurnsFile

IPU_PAUSE = Fraction(1, 5)
"""Seconds; a longer pause ends an inter-pausal unit."""

BACKCHANNEL_LENGTH = Fraction(1)
"""Seconds; a longer unit is more than a sign of listening."""

FLOOR_PAUSE = Fraction(3, 5)
"""Seconds that a speaker may pause around the other's backchannel and still hold the floor."""

DIALOGUE_PAUSE = Fraction(4)
"""Seconds; where nobody speaks for longer, a dialogue ends, if session.toml names none."""

DIALOGUE_MARGIN = Fraction(1, 2)
"""Seconds before the first and after the last word that belong to a dialogue that was found."""

MIN_UNIT = Fraction(1, 10)
"""Seconds; what the edge of a dialogue or an excluded range leaves of a unit, if shorter, is dropped."""

Range = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Unit:
    """An inter-pausal unit: speech of one side with no pause over 200 ms, ``[start, end)``."""

    start: Fraction
    end: Fraction
    speaker: SideName


def find_turns(session: Session, speech: Mapping[str, Any], footage: Range) -> TurnsFile:
    """The turns of a session, and its dialogues if the description names none.

    Parameters
    ----------
    speech : mapping
        The content of speech.json; only the sides' ``activity`` counts.
    footage : (start, end)
        What both takes cover, in seconds on the session clock.

    Raises
    ------
    DescriptionError
        An id of the description is so long that no turn can be named after it.
    """
    shown = without([footage], session.excluded)
    activity = {side: _ranges(speech[side]["activity"]) for side in SIDES}
    dialogues = session.dialogues or found_dialogues(session.id, activity, shown)
    turns: list[Turn] = []
    for dialogue in dialogues:
        within = common([(dialogue.start, dialogue.end)], shown)
        spoken = (unit for side in SIDES for unit in units(activity[side], within, side))
        turns += turns_of(dialogue.id, spoken)
    turns.sort(key=lambda turn: (turn.start, turn.id))
    _check_ids(session, [*(dialogue.id for dialogue in dialogues), *(turn.id for turn in turns)])
    return TurnsFile(session.id, tuple(turns), tuple(dialogues))


def _check_ids(session: Session, ids: Iterable[str]) -> None:
    too_long = [made for made in ids if not is_id(made)]
    if too_long:
        raise wrong(
            session.path,
            "dialogue" if session.dialogues else "id",
            expected="ids short enough to name turns after",
            found=f"{show(too_long[0])}, {len(too_long[0])} characters",
            remedy="shorten the id: up to 8 characters are added to a session's, 4 to a dialogue's",
        )


def units(activity: Sequence[Range], within: Sequence[Range], speaker: SideName) -> list[Unit]:
    """One side's activity inside the ranges `within`, joined over pauses up to :data:`IPU_PAUSE`."""
    found: list[Unit] = []
    for place in within:
        joined: list[Range] = []
        for start, end in common(activity, [place]):
            if joined and start - joined[-1][1] <= IPU_PAUSE:
                joined[-1] = joined[-1][0], end
            else:
                joined.append((start, end))
        found += [Unit(start, end, speaker) for start, end in joined if end - start >= MIN_UNIT]
    return found


def found_dialogues(
    session_id: str, activity: Mapping[SideName, Sequence[Range]], shown: Sequence[Range]
) -> tuple[Dialogue, ...]:
    """Dialogues between long pauses; none reaches beyond a range that is shown."""
    found: list[Range] = []
    for first, end in shown:
        spoken = _in_order(unit for side in SIDES for unit in units(activity[side], [(first, end)], side))
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


def turns_of(dialogue: str, spoken: Iterable[Unit]) -> list[Turn]:
    """The turns of one dialogue in order of start.

    A speaker has the floor until the other begins a unit that outlasts it.  A unit that leaves the floor
    to its holder, because it is a backchannel or lies within the other's speech, is a turn of its own.
    """
    ordered = _in_order(spoken)
    turns: list[list[Unit]] = []
    asides: set[Unit] = set()
    floor: list[Unit] = []
    for unit, after in zip(ordered, [*ordered[1:], None], strict=False):
        if floor and unit.speaker == floor[0].speaker:
            floor.append(unit)
            continue
        turns.append([unit])
        if floor and _leaves_the_floor(unit, floor[-1].end, after):
            asides.add(unit)
        else:
            floor = turns[-1]
    speech = {side: [(unit.start, unit.end) for unit in ordered if unit.speaker == side] for side in SIDES}
    return _numbered(dialogue, [_turn(dialogue, turn, speech, turn[0] in asides) for turn in turns])


def _leaves_the_floor(unit: Unit, floor_end: Fraction, after: Unit | None) -> bool:
    """Whether the holder, whose speech ends at `floor_end` so far, speaks on beyond or soon after `unit`."""
    if unit.end <= floor_end:
        return True
    resumed = after is not None and after.speaker != unit.speaker and after.start - floor_end <= FLOOR_PAUSE
    return resumed and unit.end - unit.start <= BACKCHANNEL_LENGTH


def _in_order(spoken: Iterable[Unit]) -> list[Unit]:
    return sorted(spoken, key=lambda unit: (unit.start, unit.end, SIDES.index(unit.speaker)))


def _turn(
    dialogue: str, own: Sequence[Unit], speech: Mapping[SideName, Sequence[Range]], aside: bool
) -> Turn:
    """The turn of the units `own`; `speech` is all of the dialogue's, `aside` if it left the floor."""
    speaker = own[0].speaker
    other = next(side for side in SIDES if side != speaker)
    both = common([(unit.start, unit.end) for unit in own], speech[other])
    return Turn(
        id="",
        dialogue=dialogue,
        speaker=speaker,
        start=own[0].start,
        end=own[-1].end,
        overlap_s=sum((end - start for start, end in both), Fraction(0)),
        backchannel=aside and own[-1].end - own[0].start <= BACKCHANNEL_LENGTH,
    )


def _numbered(dialogue: str, turns: Sequence[Turn]) -> list[Turn]:
    """Turns in order with their ids, and the gap from the last end before each one's start."""
    numbered: list[Turn] = []
    last: Fraction | None = None
    for number, turn in enumerate(turns):
        gap = None if last is None else turn.start - last
        numbered.append(replace(turn, id=f"{dialogue}_{number:03d}", gap_s=gap))
        last = turn.end if last is None else max(last, turn.end)
    return numbered


def _ranges(activity: Iterable[Sequence[Any]]) -> list[Range]:
    """Ranges of a stage file, in order, overlapping ones joined; decimals and floats as they are written."""
    joined: list[Range] = []
    for start, end in sorted((Fraction(str(start)), Fraction(str(end))) for start, end in activity):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def common(first: Sequence[Range], second: Sequence[Range]) -> list[Range]:
    """Where ranges of two ordered lists of disjoint ranges overlap."""
    if not first or not second:
        return []
    found: list[Range] = []
    i = bisect_right(first, second[0][0], key=itemgetter(1))
    j = bisect_right(second, first[0][0], key=itemgetter(1))
    while i < len(first) and j < len(second):
        start, end = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if start < end:
            found.append((start, end))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return found


def without(ranges: Sequence[Range], removed: Iterable[Range]) -> list[Range]:
    """The parts of `ranges` that no range of `removed` touches."""
    left = list(ranges)
    for hole_start, hole_end in removed:
        parts = [((start, min(end, hole_start)), (max(start, hole_end), end)) for start, end in left]
        left = [part for pair in parts for part in pair if part[0] < part[1]]
    return left
