"""Turns and dialogues by the scripts that session.toml names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from ..session import Dialogue, Session, SideName
from ..turn_taking import DIALOGUE_MARGIN, DIALOGUE_PAUSE, Range, common, without
from ..turns import Turn, TurnsFile
from .matching import Matched, apply, match
from .prompts import Script, read_script, read_scripts

MIN_SHARE = Fraction(1, 4)
"""Of a scene's lines that must be said if it is to be a dialogue."""


_SHOWN = 10
"""Ids that a line for people names."""


def script_files(session: Session) -> tuple[Path, ...]:
    """The files that the description names, each once."""
    own = [dialogue.script for dialogue in session.dialogues if dialogue.script is not None]
    return tuple(dict.fromkeys([*session.script, *own]))


def by_script(session: Session, find: Callable[[Session], TurnsFile], footage: Range) -> TurnsFile:
    """The turns that `find` finds of a session, with what the scripts say of them.

    Where there is a script for the session and no dialogue is described, the script's scenes are the
    dialogues, and the turns are found once more in them.
    """
    found = find(session)
    if session.script and not session.dialogues:
        script = read_script(session.script)
        spoken = _in_order(found.turns)
        matched = match(spoken, script, _actors(session))
        scenes = dialogues_of(session.id, spoken, script, matched, without([footage], session.excluded))
        found = find(replace(session, dialogues=scenes)) if scenes else found
    return with_script(session, found)


def with_script(session: Session, turns_file: TurnsFile) -> TurnsFile:
    """`turns_file` with what the scripts say of it; as it is where it says something of a script itself."""
    known = turns_file.unmatched is not None or any(turn.script for turn in turns_file.turns)
    if known or not script_files(session):
        return turns_file
    scripts = read_scripts(script_files(session))
    own = {dialogue.id: dialogue.script for dialogue in session.dialogues if dialogue.script is not None}
    said = turns_file.turns_of
    for dialogue, path in own.items():
        turns_file = _matched(turns_file, said.get(dialogue, []), scripts[path].only(dialogue), session)
    if session.script:
        rest = [turn for turn in turns_file.turns if turn.dialogue not in own]
        whole = Script(tuple(scene for path in session.script for scene in scripts[path].scenes))
        turns_file = _matched(turns_file, rest, whole, session)
    return turns_file


def match_summary(turns_file: TurnsFile) -> str:
    """One line for people on how much of the script was said, and how much of what was said is in it."""
    own = [turn.script for turn in turns_file.turns if turn.script is not None]
    said = {line for script in own for line in (script.utterance_id, *script.further)}
    unsaid = turns_file.unmatched or ()
    if not any(turn.text for turn in turns_file.turns):
        return f"script: no turn has words to compare with its {len(said) + len(unsaid)} lines"
    text = f"script: {len(own)} of {len(turns_file.turns)} turns say a line, "
    text += f"{len(said)} of {len(said) + len(unsaid)} lines are said"
    return f"{text}; not {', '.join(unsaid[:_SHOWN])}{' …' if unsaid[_SHOWN:] else ''}" if unsaid else text


def _matched(turns_file: TurnsFile, turns: Sequence[Turn], script: Script, session: Session) -> TurnsFile:
    turns = _in_order(turns)
    return apply(turns_file, script, match(turns, script, _actors(session)), turns)


def _in_order(turns: Sequence[Turn]) -> list[Turn]:
    return sorted(turns, key=lambda turn: (turn.start, turn.id))


def _actors(session: Session) -> dict[str, SideName]:
    """Where a script's speakers sit that are called like the actors."""
    return {session.left.actor: "left", session.right.actor: "right"}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The turns ``first … last`` of one scene."""

    first: int
    last: int


def dialogues_of(
    session_id: str, turns: Sequence[Turn], script: Script, matched: Matched, shown: Sequence[Range]
) -> tuple[Dialogue, ...]:
    """Each played scene as a dialogue, within what is shown.

    It reaches from its first line to its last; turns before and after that say no line are part of it up to
    the longest pause between two scenes, or to one over :data:`.turn_taking.DIALOGUE_PAUSE`.
    """
    stretches = _played(script, matched)
    ends = [-1, *(stretch.last for stretch in stretches)]
    starts = [*(stretch.first for stretch in stretches), len(turns)]
    cuts = [_longest_pause(turns, last, first) for last, first in zip(ends, starts, strict=True)]
    ranges = [
        _around(turns, stretch, after, before)
        for stretch, (after, before) in zip(stretches, pairwise(cuts), strict=True)
    ]
    ranges = _apart(ranges)
    said = [turn for turn, own in zip(turns, matched.lines, strict=True) if own]
    pieces = [piece for place in ranges for piece in common([place], shown) if _any_within(said, piece)]
    return tuple(Dialogue(f"{session_id}_{n:03d}", start, end) for n, (start, end) in enumerate(pieces))


def _played(script: Script, matched: Matched) -> list[_Stretch]:
    """Where each scene is played of which enough is said, in order."""
    scene_of = [number for number, scene in enumerate(script.scenes) for _ in scene.lines]
    places: dict[int, list[int]] = {}
    for turn, own in enumerate(matched.lines):
        if own:
            places.setdefault(scene_of[own[0]], []).append(turn)
    found: list[_Stretch] = []
    for scene, own_turns in sorted(places.items(), key=lambda place: min(place[1])):
        said = {line for turn in own_turns for line in matched.lines[turn]}
        first, last = min(own_turns), max(own_turns)
        if len(said) >= MIN_SHARE * len(script.scenes[scene].lines) and (not found or first > found[-1].last):
            found.append(_Stretch(first, last))
    return found


def _longest_pause(turns: Sequence[Turn], last: int, first: int) -> int:
    """The turn after the longest pause between the turns `last` and `first`, where both are there."""
    if last < 0:
        return 0
    if first >= len(turns):
        return len(turns)
    return max(range(last + 1, first + 1), key=lambda turn: turns[turn].start - turns[turn - 1].end)


def _around(turns: Sequence[Turn], stretch: _Stretch, after: int, before: int) -> Range:
    """When a scene's turns and those near it are said, of the turns ``after … before - 1``."""
    first, last = stretch.first, stretch.last
    while first > after and turns[first].start - turns[first - 1].end <= DIALOGUE_PAUSE:
        first -= 1
    while last + 1 < before and turns[last + 1].start - turns[last].end <= DIALOGUE_PAUSE:
        last += 1
    return turns[first].start, max(turn.end for turn in turns[first : last + 1])


def _apart(ranges: Sequence[Range]) -> list[Range]:
    """The ranges with a margin, which ends in the middle between two of them; none runs into the next."""
    edges = [(ranges[n][1], ranges[n + 1][0]) for n in range(len(ranges) - 1)]
    middles = [start if end > start else (end + start) / 2 for end, start in edges]
    found = []
    for n, (start, end) in enumerate(ranges):
        earliest = middles[n - 1] if n else Fraction(0)
        latest = middles[n] if n < len(middles) else end + DIALOGUE_MARGIN
        found.append((max(earliest, start - DIALOGUE_MARGIN), min(latest, end + DIALOGUE_MARGIN)))
    return found


def _any_within(turns: Sequence[Turn], place: Range) -> bool:
    return any(place[0] <= turn.start and turn.end <= place[1] for turn in turns)
