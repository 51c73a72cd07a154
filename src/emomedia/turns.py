"""turns.json: who speaks when, in which dialogue; as the turns stage or the user wrote it.

Times are exact, in seconds on the session clock, half-open ``[start, end)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .descriptions import description_error, file_name, show, stretch_text
from .errors import DescriptionError
from .session import Dialogue, Session, SideName
from .session_file import dialogue_from
from .stretches import check_dialogues, check_range, excluded_error, overlapping

if TYPE_CHECKING:
    from .schema.tables import ScriptedTable, TurnTable, WordTable

DIGITS = 9
"""Digits behind the point of the times that are written: nanoseconds, which a JSON number holds exactly."""

_ROUNDING = Fraction(1, 2 * 10**DIGITS)
"""Seconds by which a written time may be off, so that a turn up to the footage's last frame stays in it."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a transcript; `end` may be `start`; `probability` is 0 to 1."""

    text: str
    start: Fraction
    end: Fraction
    probability: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Scripted:
    """Which line of the script a turn says; `further` are the lines said in the same breath."""

    utterance_id: str
    confidence: Fraction
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's words until the other takes the floor.

    Attributes
    ----------
    dialogue : str or None
        Id of the dialogue that it belongs to.
    overlap_s : Fraction
        Seconds of it during which the other side speaks too.
    gap_s : Fraction or None
        Seconds from the end of the turn before; negative where they overlap, None for the first.
    flags : tuple of str
        What a stage found odd about it.
    script : Scripted or None
        The line of the script that it says.
    emotion, topic : str or None
        Of that line; where there is none, the dialogue's count.
    """

    id: str
    dialogue: str | None
    speaker: SideName
    start: Fraction
    end: Fraction
    text: str | None = None
    words: tuple[Word, ...] = ()
    overlap_s: Fraction = Fraction(0)
    gap_s: Fraction | None = None
    backchannel: bool = False
    flags: tuple[str, ...] = ()
    script: Scripted | None = None
    emotion: str | None = None
    topic: str | None = None


@dataclass(frozen=True)
class TurnsFile:
    """What turns.json holds: the turns in its order, and the dialogues in order of start.

    `unmatched` are the ids of the script's lines that nobody said; None where there was no script.
    """

    session: str
    turns: tuple[Turn, ...]
    dialogues: tuple[Dialogue, ...] = ()
    unmatched: tuple[str, ...] | None = None

    @cached_property
    def dialogue_of(self) -> dict[str, Dialogue]:
        """The dialogues by id."""
        return {dialogue.id: dialogue for dialogue in self.dialogues}

    @cached_property
    def turn_of(self) -> dict[str, Turn]:
        """The turns by id."""
        return {turn.id: turn for turn in self.turns}

    @cached_property
    def turns_of(self) -> dict[str | None, list[Turn]]:
        """The turns by the id of their dialogue, in order of start, then id."""
        found: dict[str | None, list[Turn]] = {}
        for turn in sorted(self.turns, key=lambda turn: (turn.start, turn.id)):
            found.setdefault(turn.dialogue, []).append(turn)
        return found


def parse_turns(body: dict[str, Any], source: Path, session: Session | None = None) -> TurnsFile:
    """The turns in `body`, a JSON object whose decimals were read exactly (:func:`emomedia.stages.read`).

    Parameters
    ----------
    source : Path
        Where `body` was read, for messages.
    session : Session or None
        Its dialogues count where `body` has none of its own.

    Raises
    ------
    DescriptionError
        A key is unknown or missing, a value is not what belongs there, a stretch has no length, or
        an id is there twice.
    """
    from .schema.tables import TurnsTable
    from .schema.validation import validate

    table = validate(TurnsTable, body, source)
    if table.dialogues is None:
        dialogues = () if session is None else session.dialogues
    else:
        for number, entry in enumerate(table.dialogues):
            if entry.script is not None:
                raise description_error(
                    source,
                    ["dialogues", number, "script"],
                    expected="no script, because only session.toml names scripts",
                    found=show(entry.script),
                    remedy="name it in session.toml, by [[dialogue]] or for the session",
                )
        given = [dialogue_from(entry, source.parent) for entry in table.dialogues]
        check_dialogues(given, source, "dialogues")
        dialogues = tuple(sorted(given, key=lambda dialogue: dialogue.start))
    turns = tuple(_turn(entry) for entry in table.turns)
    _check_turns_alone(turns, dialogues, source)
    unmatched = None if table.script is None else tuple(table.script.unmatched)
    return TurnsFile(table.session, turns, dialogues, unmatched)


def _turn(table: TurnTable) -> Turn:
    return Turn(
        id=table.id,
        dialogue=table.dialogue,
        speaker=table.speaker,
        start=table.start,
        end=table.end,
        text=table.text,
        words=tuple(_word(word) for word in table.words or ()),
        overlap_s=table.overlap_s,
        gap_s=table.gap_s,
        backchannel=table.backchannel,
        flags=tuple(table.flags),
        script=None if table.script is None else _scripted(table.script),
        emotion=table.emotion,
        topic=table.topic,
    )


def _scripted(table: ScriptedTable) -> Scripted:
    return Scripted(table.utterance_id, table.confidence, tuple(table.further))


def _word(table: WordTable) -> Word:
    return Word(table.text, table.start, table.end, table.probability)


def _check_turns_alone(turns: Sequence[Turn], dialogues: Sequence[Dialogue], source: Path) -> None:
    owners = {file_name(dialogue.id): f"a dialogue {show(dialogue.id)}" for dialogue in dialogues}
    for number, turn in enumerate(turns):
        check_range(turn.start, turn.end, source, ["turns", number])
        name = file_name(turn.id)
        if name in owners:
            raise description_error(
                source,
                ["turns", number, "id"],
                expected="an id that no dialogue and no other turn has",
                found=f"{show(turn.id)}, the id of {owners[name]}",
                remedy="rename one of the two",
            )
        owners[name] = f"turns[{number}]"
        for place, word in enumerate(turn.words):
            if word.end < word.start:
                check_range(word.start, word.end, source, ["turns", number, "words", place])


def check_turns(
    turns_file: TurnsFile, session: Session, footage: tuple[Fraction, Fraction], source: Path
) -> None:
    """Refuse turns and dialogues that do not fit `session`.

    Parameters
    ----------
    footage : (start, end)
        The stretch that both takes cover, in seconds on the session clock.
    source : Path
        Where the turns were read, for messages.

    Raises
    ------
    DescriptionError
        The file is of another session; a dialogue lies wholly outside the footage; a turn is not
        wholly within it; either overlaps an excluded stretch; a turn's dialogue is not there, or
        shares no time with it.
    """
    if turns_file.session != session.id:
        raise description_error(
            source,
            "session",
            expected=f"the session {show(session.id)}",
            found=show(turns_file.session),
            remedy="give the turns of this session",
        )
    _check_dialogues(turns_file.dialogues, session, footage, source)
    for number, turn in enumerate(turns_file.turns):
        location: list[str | int] = ["turns", number]
        if turn.start + _ROUNDING < footage[0] or footage[1] < turn.end - _ROUNDING:
            raise _outside(turn, footage, source, location)
        stretch = overlapping(turn.start + _ROUNDING, turn.end - _ROUNDING, session.excluded)
        if stretch is not None:
            raise excluded_error(turn.start, turn.end, stretch, source, location)
        if turn.dialogue is not None:
            _check_belongs(turn, turns_file.dialogue_of.get(turn.dialogue), source, [*location, "dialogue"])


def _check_dialogues(
    dialogues: Sequence[Dialogue], session: Session, footage: tuple[Fraction, Fraction], source: Path
) -> None:
    known = {dialogue.id for dialogue in session.dialogues}
    for dialogue in dialogues:
        described = dialogue.id in known
        where = session.path if described else source
        location: list[str | int] = ["dialogue" if described else "dialogues", dialogue.id]
        if dialogue.end <= footage[0] or footage[1] <= dialogue.start:
            raise _outside(dialogue, footage, where, location)
        stretch = overlapping(dialogue.start + _ROUNDING, dialogue.end - _ROUNDING, session.excluded)
        if stretch is not None:
            raise excluded_error(dialogue.start, dialogue.end, stretch, where, location)


def _outside(
    what: Turn | Dialogue, footage: tuple[Fraction, Fraction], source: Path, location: list[str | int]
) -> DescriptionError:
    return description_error(
        source,
        location,
        expected=f"a time within the footage, {stretch_text(*footage)}",
        found=stretch_text(what.start, what.end),
        remedy="correct the times, or remove it",
    )


def _check_belongs(turn: Turn, dialogue: Dialogue | None, source: Path, location: list[str | int]) -> None:
    if dialogue is None:
        raise description_error(
            source,
            location,
            expected="null or the id of a dialogue of this session",
            found=show(turn.dialogue),
            remedy="add the dialogue to session.toml, or correct the id",
        )
    if turn.end <= dialogue.start or dialogue.end <= turn.start:
        raise description_error(
            source,
            location,
            expected=f"a dialogue at the turn's time, {stretch_text(turn.start, turn.end)}",
            found=f"{show(dialogue.id)}, {stretch_text(dialogue.start, dialogue.end)}",
            remedy="correct the id or the times",
        )


def to_body(turns_file: TurnsFile) -> dict[str, Any]:
    """The file's JSON object, times rounded to nanoseconds; :func:`parse_turns` reads it back."""
    body: dict[str, Any] = {
        "session": turns_file.session,
        "dialogues": [_dialogue_body(dialogue) for dialogue in turns_file.dialogues],
        "turns": [_turn_body(turn) for turn in turns_file.turns],
    }
    unmatched = turns_file.unmatched
    return body if unmatched is None else body | {"script": {"unmatched": list(unmatched)}}


def _dialogue_body(dialogue: Dialogue) -> dict[str, Any]:
    return {
        "id": dialogue.id,
        "start": decimal(dialogue.start),
        "end": decimal(dialogue.end),
        "topic": dialogue.topic,
        "emotion": dialogue.emotion,
    }


def _turn_body(turn: Turn) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": turn.id,
        "dialogue": turn.dialogue,
        "speaker": turn.speaker,
        "start": decimal(turn.start),
        "end": decimal(turn.end),
    }
    if turn.text is not None or turn.words:
        body |= {"text": turn.text, "words": [_word_body(word) for word in turn.words]}
    return (
        body
        | {
            "overlap_s": decimal(turn.overlap_s),
            "gap_s": None if turn.gap_s is None else decimal(turn.gap_s),
            "backchannel": turn.backchannel,
            "flags": list(turn.flags),
        }
        | _scripted_body(turn)
    )


def _scripted_body(turn: Turn) -> dict[str, Any]:
    """The script's part of the turn; empty without one."""
    body: dict[str, Any] = {}
    if turn.script is not None:
        line = turn.script
        body["script"] = {"utterance_id": line.utterance_id, "confidence": decimal(line.confidence)}
        body["script"] |= {"further": list(line.further)} if line.further else {}
    named = {"emotion": turn.emotion, "topic": turn.topic}
    return body | {key: value for key, value in named.items() if value is not None}


def _word_body(word: Word) -> dict[str, Any]:
    body: dict[str, Any] = {"text": word.text, "start": decimal(word.start), "end": decimal(word.end)}
    return body if word.probability is None else body | {"probability": decimal(word.probability)}


def decimal(value: Fraction) -> Decimal:
    """`value` rounded to :data:`DIGITS` digits behind the point, half to even."""
    return Decimal(round(value * 10**DIGITS)).scaleb(-DIGITS)
