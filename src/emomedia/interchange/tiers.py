"""Turns as tiers of labelled intervals, as Praat and ELAN show them, and back after somebody corrected them.

What a tier cannot hold (ids, exact times, probabilities, flags) is in ``data`` tiers, as JSON, beside what
people read and correct.  Reading back follows one rule: *what is unchanged counts as the data have
it; what was changed by hand counts as it is*.  So nothing is lost, and a time that a format can only
write to the millisecond comes back to the nanosecond, unless somebody moved it.

=======================  ==============================================================
tier                     its intervals
=======================  ==============================================================
``left``                 the left actor's turns: their text
``left words``           the words
``left backchannels``    the turns that are backchannels
``left emotions``        the turns whose line has an emotion: that emotion
``left data``            the turns: all that is known of them
``right`` …              the same of the right actor
``dialogues``            the dialogues: their ids
``dialogue topics``      their topics, where they have one
``dialogue emotions``    their emotions, where they have one
``data``                 all of it: session, dialogues, lines of the script that nobody said
=======================  ==============================================================

Times are whole ticks of a format's own clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ..descriptions import description_error, show, stretch_text
from ..session import SIDES
from ..turns import Turn, TurnsFile, to_body

NO_TEXT = "[no text]"
"""What stands for a turn whose words are not known: tiers have intervals with labels only."""

BACKCHANNEL = "backchannel"
ALL = "data"
DIALOGUES, TOPICS, EMOTIONS = "dialogues", "dialogue topics", "dialogue emotions"

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]+")
"""What some format cannot hold, or nobody sees."""

Body = dict[str, Any]
"""A turns.json's object, or a part of it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """``[first, end)`` in ticks, and what stands there."""

    first: int
    end: int
    label: str

    @property
    def place(self) -> tuple[int, int]:
        return self.first, self.end

    def shared(self, other: Interval) -> int:
        """Ticks that both cover."""
        return min(self.end, other.end) - max(self.first, other.first)


@dataclass(frozen=True, slots=True)
class Tier:
    """Intervals in order, none of which overlaps another."""

    name: str
    intervals: tuple[Interval, ...]


def to_tiers(turns_file: TurnsFile, tick: Fraction) -> list[Tier]:
    """All tiers of a session; those of one side stand together.

    Parameters
    ----------
    tick : Fraction
        Seconds of the format's clock.

    Raises
    ------
    DescriptionError
        Two turns of one side overlap, which no tier can show.
    """
    body = to_body(turns_file)
    tiers: list[Tier] = []
    for side in SIDES:
        _refuse_overlaps([turn for turn in turns_file.turns if turn.speaker == side])
        turns = in_order(turn for turn in body["turns"] if turn["speaker"] == side)
        places = placed(turns, tick)
        tiers += [
            _tier(side, places, [shown(turn.get("text")) for turn in turns]),
            Tier(f"{side} words", tuple(word for own in shown_words(turns, tick) for word, _ in own)),
            _tier(f"{side} backchannels", places, [turn["backchannel"] and BACKCHANNEL for turn in turns]),
            _tier(f"{side} emotions", places, [_named(turn.get("emotion")) for turn in turns]),
            _tier(f"{side} {ALL}", places, [as_json(turn) for turn in turns]),
        ]
    dialogues = body["dialogues"]
    places = placed(dialogues, tick)
    tiers += [
        _tier(DIALOGUES, places, [dialogue["id"] for dialogue in dialogues]),
        _tier(TOPICS, places, [_named(dialogue["topic"]) for dialogue in dialogues]),
        _tier(EMOTIONS, places, [_named(dialogue["emotion"]) for dialogue in dialogues]),
    ]
    ids = {dialogue or "": [turn.id for turn in own] for dialogue, own in turns_file.turns_of.items()}
    whole = body | {"turns": ids}
    last = max((interval.end for tier in tiers for interval in tier.intervals), default=1)
    return [*tiers, Tier(ALL, (Interval(0, last, as_json(whole)),))]


def _tier(name: str, places: Sequence[tuple[int, int]], labels: Sequence[str | bool | None]) -> Tier:
    """A tier of the labels at their places, where there is one."""
    found = zip(places, labels, strict=True)
    return Tier(name, tuple(Interval(*place, str(label)) for place, label in found if label))


def _refuse_overlaps(turns: Iterable[Turn]) -> None:
    last: Turn | None = None
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.id)):
        if last is not None and turn.start < last.end:
            raise description_error(
                "turns.json",
                turn.id,
                expected=f"turns of the {turn.speaker} side that do not overlap, as a tier requires",
                found=f"{stretch_text(turn.start, turn.end)}, before {show(last.id)} has ended",
                remedy="correct the times, or export another format",
            )
        last = turn


def in_order(bodies: Iterable[Body]) -> list[Body]:
    """Turns by start, then id."""
    return sorted(bodies, key=lambda body: (body["start"], body["id"]))


def placed(bodies: Sequence[Body], tick: Fraction) -> list[tuple[int, int]]:
    """Where turns or dialogues, in order, stand in a tier: each has a tick, none reaches into the next."""
    places: list[tuple[int, int]] = []
    free = 0
    for body in bodies:
        first = max(free, ticks(body["start"], tick))
        free = max(first + 1, ticks(body["end"], tick))
        places.append((first, free))
    return places


def shown_words(turns: Sequence[Body], tick: Fraction) -> list[list[tuple[Interval, Body]]]:
    """For each turn those of its words that a tier can show, each beside what is known of it."""
    found: list[list[tuple[Interval, Body]]] = []
    free = 0
    for turn in turns:
        own: list[tuple[Interval, Body]] = []
        for word in turn.get("words") or ():
            place = Interval(ticks(word["start"], tick), ticks(word["end"], tick), _visible(word["text"]))
            if place.label and free <= place.first < place.end:
                own.append((place, word))
                free = place.end
        found.append(own)
    return found


def ticks(seconds: Any, tick: Fraction) -> int:
    """The tick next to a time."""
    return round(Fraction(seconds) / tick)


def seconds(count: int, tick: Fraction) -> Decimal:
    """A time of so many ticks, exactly; a tick is a power of ten seconds."""
    time = count * tick
    return Decimal(time.numerator) / Decimal(time.denominator)


def shown(text: str | None) -> str:
    """A turn's text on one line."""
    return _visible(text or "") or NO_TEXT


def _visible(text: str) -> str:
    return " ".join(_UNSEEN.sub(" ", text).split())


def _named(name: str | None) -> str | None:
    return None if name is None else _visible(name)


def as_json(value: Mapping[str, Any]) -> str:
    """One line of JSON that every format can hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float)
    return _UNSEEN.sub(lambda found: "".join(f"\\u{ord(letter):04x}" for letter in found[0]), text)
