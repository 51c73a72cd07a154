"""The director's cues: a voice between the scenes that is neither actor's.

A voice of neither actor reaches both microphones alike: neither track explains the other, so both sides are
active from the same moment to the same moment.  Two actors hardly ever are.  What a recogniser hears of a cue
says whether the scene begins or ends: 开始, "action"; 卡, "cut".  Such words alone, in a silence, are a cue
even where one track explains the other, because the director stands nearer to one actor.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from operator import attrgetter

from ..session import SIDES, SideName
from .backchannels import alternatives, letters
from .ranges import Range, common, joined
from .units import Unit

TWIN_EDGES = Fraction(3, 50)
"""Seconds by which the edges of one sound may differ in both tracks: as those of activity do, 20 to 30 ms."""

CUE_PAUSE = Fraction(1, 2)
"""Seconds before and after a cue in which no actor speaks; actors who happen to speak at once leave none."""

LONE_CUE_PAUSE = Fraction(1)
"""Seconds of silence around a cue in one track, which only its words distinguish from an actor's speech."""

MOST_TWINS = Fraction(4, 5)
"""Share of the units above which likeness in both tracks means one recording, not a third voice."""

_BEGIN = "预备 預備 准备 準備 开始 開始 开机 開機 action rolling camera ready start"
_LONE = "预备 預備 开始 開始 开机 開機 action rolling cut 卡 咔"
_END = "卡 咔 cut 停 收 过了 過了 过 過 再来一遍 再來一遍 再来一条 再來一條 保一条 保一條"


class Kind(Enum):
    """What a cue asks for."""

    BEGIN = auto()
    END = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Cue:
    """A stretch that belongs to neither actor."""

    start: Fraction
    end: Fraction
    kind: Kind


def cues(spoken: Mapping[SideName, Sequence[Unit]]) -> list[Cue]:
    """The cues among both sides' units, in order of start."""
    left, right = (spoken[side] for side in SIDES)
    twins = _twins(left, right)
    if 2 * len(twins) > MOST_TWINS * (len(left) + len(right)):
        return []
    alike = {unit for pair in twins for unit in pair}
    others = [unit for side in SIDES for unit in spoken[side] if unit not in alike]
    talk = joined((unit.start, unit.end) for unit in others)
    found: list[Cue] = []
    for one, other in twins:
        start, end = min(one.start, other.start), max(one.end, other.end)
        if not common(talk, [(start - CUE_PAUSE, end + CUE_PAUSE)]):
            found.append(Cue(start, end, _kind(one.text, other.text)))
    for unit in others:
        around = unit.start - LONE_CUE_PAUSE, unit.end + LONE_CUE_PAUSE
        if _ONLY.fullmatch(letters(unit.text)) and common(talk, [around]) == [(unit.start, unit.end)]:
            found.append(Cue(unit.start, unit.end, _kind(unit.text)))
    return sorted(found, key=attrgetter("start"))


def _twins(left: Sequence[Unit], right: Sequence[Unit]) -> list[tuple[Unit, Unit]]:
    """Units of both sides that begin and end together and, where both have words, share some of them."""
    found: list[tuple[Unit, Unit]] = []
    for unit in left:
        number = bisect_left(right, unit.start - TWIN_EDGES, key=attrgetter("start"))
        if number < len(right) and _alike(unit, right[number]):
            found.append((unit, right[number]))
    return found


def _alike(one: Unit, other: Unit) -> bool:
    if max(abs(other.start - one.start), abs(other.end - one.end)) > TWIN_EDGES:
        return False
    said, also = set(letters(one.text)), set(letters(other.text))
    return not said or not also or bool(said & also)


_BEGINS = re.compile(rf".*(?:{alternatives(_BEGIN)})")
_ENDS = re.compile(rf"(?:好|ok|okay)*(?:{alternatives(_END)})")
_ONLY = re.compile(rf"(?:好|ok|okay)*(?:{alternatives(_LONE)})+")


def _kind(*texts: str) -> Kind:
    """What a cue asks for, by what either track's recogniser heard."""
    heard = [letters(text) for text in texts]
    if any(_ENDS.match(text) for text in heard):
        return Kind.END
    return Kind.BEGIN if any(_BEGINS.match(text) for text in heard) else Kind.UNKNOWN


def scenes(shown: Sequence[Range], found: Sequence[Cue]) -> list[Range]:
    """The parts of `shown` in which the actors may play.

    The cues themselves are left out, and so is what lies between an end and the next beginning.
    """
    removed: list[Range] = []
    ended: Fraction | None = None
    for cue in found:
        begins = cue.kind is Kind.BEGIN
        removed.append((ended if begins and ended is not None else cue.start, cue.end))
        if cue.kind is not Kind.UNKNOWN:
            ended = None if begins else cue.end
    if not shown:
        return []
    edges = [shown[0][0], *(edge for hole in joined(removed) for edge in hole), shown[-1][1]]
    left = [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]
    return common(shown, left)
