"""Inter-pausal units: what turns are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..session import SIDES, SideName
from ..stretches import SHORTEST
from ..turns import Word
from .ranges import Range, common

IPU_PAUSE = Fraction(1, 5)
"""Seconds; a longer pause ends an inter-pausal unit.  Koiso et al. (1998) took 100 ms, Heldner and Edlund
(2010) 180 ms, which is more than a stop's closure lasts."""

MIN_UNIT = Fraction(1, 10)
"""Seconds; what the edge of a dialogue or an excluded range leaves of a unit, if shorter, is dropped."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An inter-pausal unit: speech of one side with no pause over 200 ms, ``[start, end)``.

    Attributes
    ----------
    words : tuple of Word or None
        What a recogniser heard in it; None where there was none.
    flags : tuple of str
        Why its words are not to be trusted.
    """

    start: Fraction
    end: Fraction
    speaker: SideName
    words: tuple[Word, ...] | None = None
    flags: tuple[str, ...] = ()

    @property
    def length(self) -> Fraction:
        return self.end - self.start

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words or ()).strip()


def units(activity: Sequence[Range], within: Sequence[Range], speaker: SideName) -> list[Unit]:
    """One side's activity inside the ranges `within`, joined over pauses up to :data:`IPU_PAUSE`."""
    found: list[Unit] = []
    for place in within:
        joined: list[Range] = []
        for start, end in common(activity, [place]):
            if joined and start - joined[-1][1] <= IPU_PAUSE:
                joined[-1] = joined[-1][0], end
            else:
                joined.append((start, end))
        found += [Unit(*own, speaker) for own in joined if own[1] - own[0] >= _least(own, place)]
    return found


def _least(own: Range, place: Range) -> Fraction:
    """How long a range within `place` has to be: short ones are dropped where an edge may have cut them."""
    return SHORTEST if place[0] < own[0] and own[1] < place[1] else MIN_UNIT


def in_order(spoken: Iterable[Unit]) -> list[Unit]:
    """Both sides' units by start."""
    return sorted(spoken, key=lambda unit: (unit.start, unit.end, SIDES.index(unit.speaker)))
