"""Turns by pauses and overlaps alone: what emomedia made before it looked at words, for comparison."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from emomedia.turn_taking.units import Unit, in_order
from emomedia.turns import Turn

BACKCHANNEL_LENGTH = Fraction(1)
FLOOR_PAUSE = Fraction(3, 5)


def plain_turns(spoken: Iterable[Unit]) -> list[Turn]:
    """The turns of one dialogue; what the other outlasts, or is short in a short pause, is one of its own."""
    ordered = in_order(spoken)
    turns: list[list[Unit]] = []
    asides: set[Unit] = set()
    floor: list[Unit] = []
    for unit, after in zip(ordered, [*ordered[1:], None], strict=False):
        if floor and unit.speaker == floor[0].speaker:
            floor.append(unit)
            continue
        turns.append([unit])
        if floor and _leaves_the_floor(unit, floor[-1].end, after):
            asides.add(unit)
        else:
            floor = turns[-1]
    return [_turn(own, own[0] in asides) for own in turns]


def _leaves_the_floor(unit: Unit, floor_end: Fraction, after: Unit | None) -> bool:
    if unit.end <= floor_end:
        return True
    resumed = after is not None and after.speaker != unit.speaker and after.start - floor_end <= FLOOR_PAUSE
    return resumed and unit.end - unit.start <= BACKCHANNEL_LENGTH


def _turn(own: list[Unit], aside: bool) -> Turn:
    start, end = own[0].start, own[-1].end
    return Turn("", None, own[0].speaker, start, end, backchannel=aside and end - start <= BACKCHANNEL_LENGTH)
