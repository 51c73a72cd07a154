"""The turns stage: from both sides' voice activity, and what was recognised of it, to turns and dialogues.

Pure and exact.  In order: :mod:`.cues` finds voices of neither actor, :mod:`.dialogues`
the scenes, :mod:`.units` and :mod:`.words` what each side says in them, :mod:`.floor` with
:mod:`.backchannels` whose turn it is.  docs/turns.md has the terms, their sources and what was measured.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from operator import itemgetter
from typing import Any

from ..descriptions import description_error, is_id, show
from ..flags import CUT, NO_TEXT
from ..session import SIDES, Session, SideName
from ..turns import Turn, TurnsFile
from .cues import cues, scenes
from .dialogues import DIALOGUE_MARGIN, DIALOGUE_PAUSE, found_dialogues
from .floor import Role, Talk, talk
from .ranges import Range, common, joined, without
from .units import Unit, units
from .words import transcripts, union, with_words

__all__ = [
    "DIALOGUE_MARGIN",
    "DIALOGUE_PAUSE",
    "Range",
    "common",
    "find_turns",
    "turns_of",
    "units",
    "without",
]


def find_turns(
    session: Session, speech: Mapping[str, Any], footage: Range, *, directed: bool = False
) -> TurnsFile:
    """The turns of a session, and its dialogues if it has none.

    Whoever knows the dialogues, as from a script, gives them to the session; if a director may be heard in
    them, they are `directed`, and cues are in no turn, as where dialogues are found.

    Parameters
    ----------
    speech : mapping
        The content of speech.json: the sides' ``activity``, and the ``transcript`` if there is one.
    footage : (start, end)
        What both takes cover, in seconds on the session clock.

    Raises
    ------
    DescriptionError
        An id of the description is so long that no turn can be named after it.
    """
    shown = without([footage], session.excluded)
    activity = {side: joined(speech[side]["activity"]) for side in SIDES}
    heard = transcripts(speech)

    def spoken(within: Sequence[Range]) -> dict[SideName, list[Unit]]:
        own = {side: units(activity[side], within, side) for side in SIDES}
        return own if heard is None else {s: with_words(own[s], within, heard[s]) for s in SIDES}

    dialogues = session.dialogues
    if directed or not dialogues:
        shown = scenes(shown, cues(spoken(shown)))
    if not dialogues:
        dialogues = found_dialogues(session.id, activity, shown)
    turns: list[Turn] = []
    for dialogue in dialogues:
        said = spoken(common([(dialogue.start, dialogue.end)], shown))
        own = turns_of(dialogue.id, (unit for side in SIDES for unit in said[side]))
        turns += [_with_cut(turn, activity[turn.speaker]) for turn in own]
    turns.sort(key=lambda turn: (turn.start, turn.id))
    _check_ids(session, [*(dialogue.id for dialogue in dialogues), *(turn.id for turn in turns)])
    return TurnsFile(session.id, tuple(turns), tuple(dialogues))


def turns_of(dialogue: str, spoken: Iterable[Unit]) -> list[Turn]:
    """The turns of one dialogue in order of start."""
    spoken = list(spoken)
    speech = {side: [(unit.start, unit.end) for unit in spoken if unit.speaker == side] for side in SIDES}
    return _numbered(dialogue, [_turn(dialogue, own, speech) for own in talk(spoken)])


def _with_cut(turn: Turn, activity: Sequence[Range]) -> Turn:
    """`turn` with the flag if an edge of it lies within a range of its side's activity."""
    for edge in (turn.start, turn.end):
        number = bisect_right(activity, edge, key=itemgetter(1))
        if number < len(activity) and activity[number][0] < edge:
            return replace(turn, flags=(*turn.flags, CUT))
    return turn


def _turn(dialogue: str, own: Talk, speech: Mapping[SideName, Sequence[Range]]) -> Turn:
    """The turn of the units `own`; `speech` is all of the dialogue's."""
    speaker = own.units[0].speaker
    other = next(side for side in SIDES if side != speaker)
    both = common([(unit.start, unit.end) for unit in own.units], speech[other])
    words = tuple(word for unit in own.units for word in unit.words or ())
    recognised = own.units[0].words is not None
    text = "".join(word.text for word in words).strip()
    return Turn(
        id="",
        dialogue=dialogue,
        speaker=speaker,
        start=own.units[0].start,
        end=own.end,
        text=text if recognised else None,
        words=words,
        overlap_s=sum((end - start for start, end in both), Fraction(0)),
        backchannel=own.role is Role.BACKCHANNEL,
        flags=union([*(unit.flags for unit in own.units), [NO_TEXT] if recognised and not text else []]),
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


def _check_ids(session: Session, ids: Iterable[str]) -> None:
    too_long = [made for made in ids if not is_id(made)]
    if too_long:
        raise description_error(
            session.path,
            "dialogue" if session.dialogues else "id",
            expected="ids short enough to derive turn ids from",
            found=f"{show(too_long[0])}, {len(too_long[0])} characters",
            remedy="shorten the id: up to 8 characters are added to a session's, 4 to a dialogue's",
        )
