"""Half-open stretches of the session clock, in exact seconds, and what several of them share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from operator import itemgetter
from typing import Any

Range = tuple[Fraction, Fraction]


def exact(seconds: Any) -> Fraction:
    """A number of a stage file, decimal or float, as it is written."""
    return Fraction(str(seconds))


def joined(ranges: Iterable[Sequence[Any]]) -> list[Range]:
    """Ranges, such as a stage file's, exact and in order, overlapping ones joined."""
    found: list[Range] = []
    for start, end in sorted((exact(start), exact(end)) for start, end in ranges):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


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
