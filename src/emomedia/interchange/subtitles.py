"""Subtitles of both actors: SubRip (.srt) and WebVTT (.vtt, https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from ..turns import Turn
from .tiers import shown


def srt(turns: Iterable[Turn], zero: Fraction = Fraction(0)) -> str:
    """A numbered cue for each turn that lasts beyond the time `zero`, from which times count."""
    cues = [
        f"{number}\n{_time(first, ',')} --> {_time(end, ',')}\n{turn.speaker}: {shown(turn.text)}\n"
        for number, (turn, first, end) in enumerate(_cues(turns, zero), start=1)
    ]
    return "\n".join(cues)


def vtt(turns: Iterable[Turn], zero: Fraction = Fraction(0)) -> str:
    """The same as WebVTT: the left actor's cues to the left, the right one's to the right."""
    cues = [
        f"{turn.id}\n{_time(first, '.')} --> {_time(end, '.')} {_PLACE[turn.speaker]}\n"
        f"<v {turn.speaker}>{_escaped(shown(turn.text))}\n"
        for turn, first, end in _cues(turns, zero)
    ]
    return "\n".join(["WEBVTT\n", *cues])


_PLACE = {"left": "position:25% size:48%", "right": "position:75% size:48%"}


def _cues(turns: Iterable[Turn], zero: Fraction) -> Iterator[tuple[Turn, int, int]]:
    """Turns in order with their milliseconds; none is shorter than one."""
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.id)):
        first, end = max(0, round((turn.start - zero) * 1000)), round((turn.end - zero) * 1000)
        if turn.end > zero:
            yield turn, first, max(first + 1, end)


def _time(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
