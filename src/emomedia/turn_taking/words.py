"""The transcript's words, and which unit carries each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import attrgetter
from typing import Any

from ..session import SIDES, SideName
from ..turns import Word
from .ranges import Range, exact
from .units import Unit


@dataclass(frozen=True, slots=True)
class Heard:
    """A word, or all of a segment in which no word was left, with the segment's flags."""

    word: Word
    flags: tuple[str, ...]

    @property
    def middle(self) -> Fraction:
        return (self.word.start + self.word.end) / 2


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard of one side: words in order of their middles, and in order segments that have none."""

    words: tuple[Heard, ...]
    wordless: tuple[Heard, ...]


def transcripts(speech: Mapping[str, Any]) -> dict[SideName, Transcript] | None:
    """The transcript of speech.json by side; None where nothing was recognised for want of a model."""
    transcript = speech.get("transcript")
    return None if transcript is None else {side: _transcript(transcript[side]) for side in SIDES}


def _transcript(segments: Iterable[Mapping[str, Any]]) -> Transcript:
    words: list[Heard] = []
    wordless: list[Heard] = []
    for segment in segments:
        flags = tuple(segment["flags"])
        if not segment["words"]:
            wordless.append(Heard(Word("", exact(segment["start"]), exact(segment["end"])), flags))
        for word in segment["words"]:
            times = exact(word["start"]), exact(word["end"])
            words.append(Heard(Word(word["text"], *times, _probability(word)), flags))
    return Transcript(
        tuple(sorted(words, key=attrgetter("middle", "word.start"))),
        tuple(sorted(wordless, key=attrgetter("word.start"))),
    )


def _probability(word: Mapping[str, Any]) -> Fraction | None:
    """Of a recogniser's word; None for one that somebody wrote by hand."""
    value = word.get("probability")
    return None if value is None else exact(value)


def with_words(spoken: Sequence[Unit], within: Sequence[Range], transcript: Transcript) -> list[Unit]:
    """One side's units inside the ranges `within`, with the words that they carry.

    A word belongs to the unit in which its middle lies, else to the nearest one (of two equally near, the
    earlier), and its times are cut to that unit.  So each word whose middle lies in a range that has a unit
    is in one unit.  A segment without words gives its flags to every unit that it touches.
    """
    carried: list[list[Heard]] = [[] for _ in spoken]
    for place in within:
        here = range(*_between(spoken, place, "start"))
        if here:
            for heard in transcript.words[slice(*_between(transcript.words, place, "middle"))]:
                carried[_nearest(spoken, heard.middle, here)].append(heard)
    flags = [union(heard.flags for heard in words) for words in carried]
    for segment in _near(transcript.wordless, spoken):
        last = bisect_left(spoken, segment.word.end, key=attrgetter("start"))
        for number in range(bisect_right(spoken, segment.word.start, key=attrgetter("end")), last):
            flags[number] = union([flags[number], segment.flags])
    return [
        replace(unit, words=tuple(_inside(heard.word, unit) for heard in words), flags=why)
        for unit, words, why in zip(spoken, carried, flags, strict=True)
    ]


def _near(segments: Sequence[Heard], spoken: Sequence[Unit]) -> Sequence[Heard]:
    """Those of the segments, which do not overlap, that may touch a unit."""
    if not spoken:
        return ()
    first = bisect_right(segments, spoken[0].start, key=attrgetter("word.end"))
    return segments[first : bisect_left(segments, spoken[-1].end, first, key=attrgetter("word.start"))]


def _between(items: Sequence[Any], place: Range, key: str) -> tuple[int, int]:
    """First and end of the items, which are in order of `key`, that lie in `place`."""
    first, end = (bisect_left(items, moment, key=attrgetter(key)) for moment in place)
    return first, end


def _nearest(spoken: Sequence[Unit], moment: Fraction, here: range) -> int:
    """Which of the units numbered `here` is nearest to `moment`."""
    after = bisect_right(spoken, moment, here.start, here.stop, key=attrgetter("start"))
    near = (number for number in (after - 1, after) if number in here)
    return min(near, key=lambda number: max(0, spoken[number].start - moment, moment - spoken[number].end))


def _inside(word: Word, unit: Unit) -> Word:
    start, end = (min(max(moment, unit.start), unit.end) for moment in (word.start, word.end))
    return replace(word, start=start, end=end)


def union(flags: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Each flag once, in the order in which they come."""
    return tuple(dict.fromkeys(flag for some in flags for flag in some))
