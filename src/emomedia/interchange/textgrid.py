"""Praat's TextGrid: written in its long text form, read in the long and in the short one.

The format: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html.  Praat saves UTF-16 where a
label is not plain ASCII; it reads only the free-standing numbers, texts in double quotes and flags in
angle brackets, in their order, and ignores everything between them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from ..descriptions import description_error, show
from ..errors import DescriptionError
from ..schema.values import MAX_SECONDS
from .tiers import Interval, Tier, seconds, ticks

TICK = Fraction(1, 10**9)
"""Seconds to which turns.json is written; Praat's doubles hold them."""

MAX_TIERS = 1000

_TOKEN = re.compile(
    r"""
    "(?P<text>[^"]*(?:""[^"]*)*)"
    | (?P<flag><\w{1,20}>)
    | (?<!\S)(?P<number>[-+]?[0-9]{1,20}(?:\.[0-9]{0,40})?(?:[eE][-+]?[0-9]{1,2})?)(?!\S)
    | ![^\n]*
    """,
    re.VERBOSE,
)


def write(tiers: Sequence[Tier]) -> str:
    """A TextGrid of `tiers`, whose ticks are :data:`TICK`; what no interval covers is empty."""
    end = max((interval.end for tier in tiers for interval in tier.intervals), default=1)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 "]
    lines += [f"xmax = {_time(end)} ", "tiers? <exists> ", f"size = {len(tiers)} ", "item []: "]
    for number, tier in enumerate(tiers, start=1):
        intervals = list(_whole(tier, end))
        lines += [f"    item [{number}]:", '        class = "IntervalTier" ']
        lines += [
            f"        name = {_quoted(tier.name)} ",
            "        xmin = 0 ",
            f"        xmax = {_time(end)} ",
        ]
        lines.append(f"        intervals: size = {len(intervals)} ")
        for place, interval in enumerate(intervals, start=1):
            lines += [
                f"        intervals [{place}]:",
                f"            xmin = {_time(interval.first)} ",
                f"            xmax = {_time(interval.end)} ",
                f"            text = {_quoted(interval.label)} ",
            ]
    return "\n".join(lines) + "\n"


def _whole(tier: Tier, end: int) -> Iterator[Interval]:
    """The intervals of a tier and empty ones between them, from zero to `end`."""
    last = 0
    for interval in tier.intervals:
        if last < interval.first:
            yield Interval(last, interval.first, "")
        yield interval
        last = interval.end
    if last < end:
        yield Interval(last, end, "")


def _time(count: int) -> str:
    return f"{seconds(count, TICK):f}"


def _quoted(label: str) -> str:
    return '"' + label.replace('"', '""') + '"'


def read(data: bytes, source: Path) -> list[Tier]:
    """The interval tiers of a TextGrid; intervals without a label are none.

    Raises
    ------
    DescriptionError
        It is no TextGrid.
    """
    return _Reader(_decoded(data, source), source).tiers()


def _decoded(data: bytes, source: Path) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _broken(source, "text in UTF-8 or UTF-16", str(error)) from None


def _broken(source: Path, expected: str, found: str) -> DescriptionError:
    remedy = "save it as a text file in Praat, or export it again"
    return description_error(source, "", expected=expected, found=found, remedy=remedy)


class _Reader:
    """What Praat reads of a text, one after the other."""

    def __init__(self, text: str, source: Path) -> None:
        self._tokens = (match for match in _TOKEN.finditer(text) if match.lastgroup is not None)
        self._source = source

    def tiers(self) -> list[Tier]:
        for expected in ("ooTextFile", "TextGrid"):
            found = self._next("text", f"a TextGrid, which has {show(expected)} at its head")
            if found != expected:
                raise _broken(self._source, "a TextGrid", show(found))
        self._time(), self._time()
        if self._next("flag", "whether there are tiers") != "<exists>":
            return []
        count = self._count()
        if count > MAX_TIERS:
            raise _broken(self._source, f"at most {MAX_TIERS} tiers", str(count))
        tiers = (self._tier() for _ in range(count))
        return [tier for tier in tiers if tier is not None]

    def _tier(self) -> Tier | None:
        kind, name = self._next("text", "the class of a tier"), self._next("text", "the name of a tier")
        if kind not in ("IntervalTier", "TextTier"):
            raise _broken(self._source, "a tier of intervals or of points", show(kind))
        self._time(), self._time()
        with_end = kind == "IntervalTier"
        intervals = []
        for _ in range(self._count()):
            first = self._time()
            end = self._time() if with_end else first
            label = self._next("text", "a label").replace('""', '"')
            if label.strip():
                intervals.append(Interval(first, end, label))
        return Tier(name, tuple(intervals)) if with_end else None

    def _next(self, kind: str, expected: str) -> str:
        match = next(self._tokens, None)
        if match is None or match.lastgroup != kind:
            raise _broken(self._source, expected, "its end" if match is None else show(match[0]))
        return match[kind]

    def _count(self) -> int:
        text = self._next("number", "a number of tiers or intervals")
        if not text.isdecimal():
            raise _broken(self._source, "a number of tiers or intervals", show(text))
        return int(text)

    def _time(self) -> int:
        text = self._next("number", "a time")
        value = Decimal(text)
        if not 0 <= value <= MAX_SECONDS:
            raise _broken(self._source, f"a time in seconds, 0 to {MAX_SECONDS}", show(text))
        return ticks(value, TICK)
