"""Turns out of tiers that somebody corrected by hand; :mod:`.tiers` has the tiers and the rule."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate, count
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..descriptions import description_error, file_name, show
from ..errors import DescriptionError
from ..flags import OF_TEXT
from ..schema.tables import DialogueTable, Table, TurnTable, UnmatchedTable
from ..schema.validation import validate
from ..schema.values import Id
from ..session import SIDES, Session, SideName
from ..stages import parse
from ..turn_taking import common
from ..turns import decimal
from .tiers import (
    ALL,
    DIALOGUES,
    EMOTIONS,
    NO_TEXT,
    TOPICS,
    Body,
    Interval,
    Tier,
    in_order,
    placed,
    seconds,
    shown,
    shown_words,
)

_place = attrgetter("place")


class WholeTable(Table):
    """What the tier ``data`` says: turns.json without the turns, but their ids by dialogue."""

    session: Id
    dialogues: list[DialogueTable]
    script: UnmatchedTable | None = None
    turns: dict[str, list[Id]]


@dataclass(frozen=True, slots=True)
class _Read:
    """The tiers of a file by their names, and what its clock's tick is."""

    source: Path
    tick: Fraction
    tiers: dict[str, tuple[Interval, ...]]
    indices: dict[str, _Near] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Interval, ...]:
        return self.tiers.get(name, ())

    def near(self, name: str) -> _Near:
        """The intervals of a tier by what they share time with."""
        if name not in self.indices:
            self.indices[name] = _Near(self.of(name))
        return self.indices[name]


def from_tiers(tiers: Sequence[Tier], tick: Fraction, source: Path, session: Session) -> Body:
    """A turns.json's object; :func:`emomedia.turns.parse_turns` checks what it says.

    Parameters
    ----------
    source : Path
        The file that the tiers were read from, for messages.
    session : Session
        Its id and its dialogues count where the file names none.

    Raises
    ------
    DescriptionError
        No tier is called ``left`` or ``right``, two have the same name, or a ``data`` tier holds what
        emomedia did not write.
    """
    read = _Read(source, tick, {tier.name: tier.intervals for tier in tiers})
    _check_names([tier.name for tier in tiers], source)
    whole = _data(read, read.of(ALL)[0], WholeTable) if read.of(ALL) else {}
    dialogues = _dialogues(read, whole.get("dialogues"))
    body: Body = {"session": whole.get("session", session.id)}
    if dialogues is not None:
        body["dialogues"] = dialogues
    if "script" in whole:
        body["script"] = whole["script"]
    places = dialogues
    if places is None:
        places = [
            {"id": one.id, "start": decimal(one.start), "end": decimal(one.end)} for one in session.dialogues
        ]
    turns = [turn for side in SIDES for turn in _turns(read, side)]
    body["turns"] = _settled(turns, places, str(body["session"]))
    _time_anew(turns, whole.get("turns", {}))
    return body


def _check_names(names: Sequence[str], source: Path) -> None:
    if not set(names) & set(SIDES):
        raise description_error(
            source,
            "",
            expected="tiers called 'left' and 'right'",
            found=", ".join(show(name) for name in names[:8]) or "no tier",
            remedy="give the tiers with the actors' turns these names",
        )
    known = (*SIDES, ALL, DIALOGUES, TOPICS, EMOTIONS)
    twice = [name for name, count in Counter(names).items() if count > 1 and name.startswith(known)]
    if twice:
        raise description_error(
            source,
            "",
            expected="each tier once",
            found=f"{show(twice[0])} twice",
            remedy="rename one of them",
        )


def _data(read: _Read, interval: Interval, table: type[Table]) -> Body:
    """What a ``data`` tier says at a place, a `table`."""
    try:
        value = parse(interval.label.encode())
        validate(table, value, read.source)
    except ValueError as error:
        found = error.found if isinstance(error, DescriptionError) else str(error)
        raise description_error(
            read.source,
            "data",
            expected="JSON as emomedia wrote it",
            found=f"{show(interval.label)} ({found})",
            remedy="export it again, or remove the data tiers",
        ) from None
    return dict(value)


def _dialogues(read: _Read, known: list[Body] | None) -> list[Body] | None:
    """The dialogues of the file; None where it has no word on them."""
    if DIALOGUES not in read.tiers:
        return known
    written = sorted(known or [], key=lambda body: body["start"])
    places = placed(written, read.tick)
    before = {body["id"]: (place, body) for place, body in zip(places, written, strict=True)}
    found = []
    for interval in read.of(DIALOGUES):
        place, body = before.get(interval.label, (None, {}))
        dialogue = {"id": interval.label} | _times(interval, read.tick, place, body)
        for key, name in (("topic", TOPICS), ("emotion", EMOTIONS)):
            dialogue[key] = _label_at(read, name, interval, body.get(key))
        found.append(dialogue)
    return found


def _label_at(read: _Read, name: str, interval: Interval, known: Any) -> Any:
    """What the tier `name` says about an interval; what is `known`, if it says just that or isn't there."""
    if name not in read.tiers:
        return known
    near = (read.of(name)[number] for number in read.near(name)(interval))
    there = [one for one in near if one.label.strip() and _mostly(one, interval)]
    if not there:
        return None
    label = max(there, key=lambda one: one.shared(interval)).label
    return known if isinstance(known, str) and shown(known) == label else label


def _mostly(one: Interval, other: Interval) -> bool:
    """Whether two share at least half of the shorter one."""
    return 2 * one.shared(other) >= min(one.end - one.first, other.end - other.first)


def _times(
    interval: Interval, tick: Fraction, place: tuple[int, int] | None = None, before: Body | None = None
) -> Body:
    """Start and end of an interval; each as it was `before`, if it is where it was written."""
    times = {"start": seconds(interval.first, tick), "end": seconds(interval.end, tick)}
    for key, now, then in zip(times, interval.place, place or (), strict=False):
        if before is not None and now == then:
            times[key] = before[key]
    return times


@dataclass(slots=True)
class _Found:
    """A turn as it stands in the tiers; `before` is what was written of it, if it was there."""

    body: Body
    before: Body | None
    moved: bool


def _turns(read: _Read, side: SideName) -> list[_Found]:
    """One side's turns: what is unchanged as the data have it, what was changed as it stands."""
    written = [_data(read, interval, TurnTable) for interval in read.of(f"{side} {ALL}")]
    linked = _linked(read.of(side), read.of(f"{side} {ALL}"))
    order = in_order({body["id"]: body for body in written}.values())  # a copied turn has its data twice
    places = {body["id"]: place for body, place in zip(order, placed(order, read.tick), strict=True)}
    words = {body["id"]: own for body, own in zip(order, shown_words(order, read.tick), strict=True)}
    same_words = [word for own in words.values() for word, _ in own] == list(read.of(f"{side} words"))
    asides = _linked(read.of(side), read.of(f"{side} backchannels"))
    found = []
    for number, interval in enumerate(read.of(side)):
        before = written[linked[number]] if number in linked else None
        body: Body = {"id": None, "dialogue": None} | dict(before or {}) | {"speaker": side}
        place = places[before["id"]] if before is not None else None
        body |= _times(interval, read.tick, place, before)
        if before is None or shown(before.get("text")) != interval.label:
            body["text"] = None if interval.label == NO_TEXT else interval.label
            body["flags"] = [flag for flag in body.get("flags", ()) if flag not in OF_TEXT]
        moved = place != interval.place
        if f"{side} words" in read.tiers and (moved or not same_words):
            _take_words(read, body, interval, words[before["id"]] if before else [])
        if f"{side} backchannels" in read.tiers:
            body["backchannel"] = number in asides
        emotion = _label_at(read, f"{side} emotions", interval, body.get("emotion"))
        body.pop("emotion", None)
        body |= {} if emotion is None else {"emotion": emotion}
        found.append(_Found(body, before, moved))
    return found


def _linked(turns: Sequence[Interval], others: Sequence[Interval]) -> dict[int, int]:
    """For turns by number the interval of another tier that belongs to it: at its place, or sharing most."""
    at = {interval.place: number for number, interval in enumerate(others)}
    found = {number: at[turn.place] for number, turn in enumerate(turns) if turn.place in at}
    taken = set(found.values())
    near = _Near(others)
    shares = [
        (-turn.shared(others[other]), number, other)
        for number, turn in enumerate(turns)
        if number not in found
        for other in near(turn)
        if other not in taken
    ]
    for _, number, other in sorted(shares):
        if number not in found and other not in taken:
            found[number] = other
            taken.add(other)
    return found


class _Near:
    """Which intervals of a tier share something with another one."""

    def __init__(self, intervals: Sequence[Interval]) -> None:
        self._intervals = intervals
        self._order = sorted(range(len(intervals)), key=lambda number: intervals[number].place)
        self._firsts = [intervals[number].first for number in self._order]
        self._ends = list(accumulate((intervals[number].end for number in self._order), max))

    def __call__(self, interval: Interval) -> list[int]:
        begin = bisect_right(self._ends, interval.first)
        end = bisect_left(self._firsts, interval.end)
        return [n for n in self._order[begin:end] if interval.shared(self._intervals[n]) > 0]


def _take_words(read: _Read, body: Body, interval: Interval, before: Sequence[tuple[Interval, Body]]) -> None:
    """Give a turn the words whose middle lies in it; those that were its own are as they were."""
    tier = read.of(f"{body['speaker']} words")
    near = sorted((tier[number] for number in read.near(f"{body['speaker']} words")(interval)), key=_place)
    own = [word for word in near if interval.first <= (word.first + word.end) / 2 < interval.end]
    if own != [word for word, _ in before]:
        known = dict(before)
        body["words"] = [known.get(word) or {"text": word.label} | _times(word, read.tick) for word in own]


def _settled(found: Sequence[_Found], dialogues: Sequence[Body], session: str) -> list[Body]:
    """The turns of both sides in order, each in its dialogue, new ones named."""
    known = {dialogue["id"] for dialogue in dialogues}
    used = {file_name(name) for name in known}
    for turn in sorted(found, key=lambda turn: turn.moved):
        if turn.before is not None:
            if file_name(turn.body["id"]) in used:  # a copy
                turn.before, turn.moved = None, True
            else:
                used.add(file_name(turn.body["id"]))
    for turn in found:
        if turn.moved or turn.body["dialogue"] not in {None, *known}:
            turn.body["dialogue"] = _dialogue_at(turn.body, dialogues)
    numbers: defaultdict[str, Iterator[int]] = defaultdict(count)
    for turn in sorted(found, key=lambda turn: turn.body["start"]):
        if turn.before is None:
            prefix = turn.body["dialogue"] or session
            names = (f"{prefix}_{number:03d}" for number in numbers[prefix])
            turn.body["id"] = next(name for name in names if file_name(name) not in used)
            used.add(file_name(turn.body["id"]))
    return in_order(turn.body for turn in found)


def _dialogue_at(turn: Body, dialogues: Sequence[Body]) -> str | None:
    """The dialogue that has most of a turn: its own one if it still shares some time."""
    shares = {
        dialogue["id"]: min(turn["end"], dialogue["end"]) - max(turn["start"], dialogue["start"])
        for dialogue in dialogues
        if dialogue["start"] < turn["end"] and turn["start"] < dialogue["end"]
    }
    if not shares:
        return None
    if turn["dialogue"] in shares:
        return str(turn["dialogue"])
    return str(max(shares, key=lambda name: shares[name]))


def _time_anew(found: Sequence[_Found], written: Mapping[str, Sequence[str]]) -> None:
    """Gaps and overlaps of the dialogues in which some turn came, went or moved since they were `written`."""
    now: dict[Any, list[_Found]] = {}
    for turn in found:
        now.setdefault(turn.body["dialogue"], []).append(turn)
    for dialogue, turns in now.items():
        ids = {turn.body["id"] for turn in turns}
        if ids == set(written.get(dialogue or "", ())) and not any(turn.moved for turn in turns):
            continue
        spoken = {
            side: sorted(_range(turn) for turn in turns if turn.body["speaker"] == side) for side in SIDES
        }
        last: Fraction | None = None
        for turn in sorted(turns, key=lambda turn: (turn.body["start"], turn.body["id"])):
            start, end = _range(turn)
            both = common([(start, end)], spoken[SIDES[1 - SIDES.index(turn.body["speaker"])]])
            turn.body["overlap_s"] = decimal(sum((stop - begin for begin, stop in both), Fraction(0)))
            turn.body["gap_s"] = None if last is None else decimal(start - last)
            last = end if last is None else max(last, end)


def _range(turn: _Found) -> tuple[Fraction, Fraction]:
    return Fraction(turn.body["start"]), Fraction(turn.body["end"])
