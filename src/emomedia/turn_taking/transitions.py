"""How the floor passes from turn to turn, computed from turns of any origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from fractions import Fraction
from statistics import median

from ..turns import Turn, TurnsFile

TERMINAL_OVERLAP = Fraction(2, 5)
"""Seconds; an overlap up to this is one with the last two syllables of a turn, whose end can be heard coming
(Jefferson 1984; Schegloff 2000); in a longer one two compete for the floor (French and Local 1983)."""


class Transition(Enum):
    """What a turn does to the turn that had the floor before it; the value is shown to people."""

    FIRST = "first turns"
    GAP = "after a gap"
    TERMINAL_OVERLAP = "in a terminal overlap"
    COMPETITIVE_OVERLAP = "in a competitive overlap"
    REMARK = "remarks within the other's turn"
    BACKCHANNEL = "backchannels"


def transitions(turns: Sequence[Turn]) -> Iterator[tuple[Transition, Fraction]]:
    """For each turn of a dialogue, in order of start, what it does, and its distance in seconds from the end
    of the turn that has the floor: negative in an overlap, 0 for the first."""
    floor: Turn | None = None
    for turn in turns:
        if turn.backchannel:
            yield Transition.BACKCHANNEL, Fraction(0) if floor is None else turn.start - floor.end
            continue
        if floor is None:
            yield Transition.FIRST, Fraction(0)
        else:
            yield _transition(turn, floor), turn.start - floor.end
        if floor is None or turn.end > floor.end:
            floor = turn


def _transition(turn: Turn, floor: Turn) -> Transition:
    if turn.end <= floor.end:
        return Transition.REMARK
    if turn.start >= floor.end:
        return Transition.GAP
    if floor.end - turn.start <= TERMINAL_OVERLAP:
        return Transition.TERMINAL_OVERLAP
    return Transition.COMPETITIVE_OVERLAP


def turns_summary(turns_file: TurnsFile) -> list[str]:
    """Lines for people on how many turns there are, and how the floor passes."""
    counts: Counter[Transition] = Counter()
    gaps: list[Fraction] = []
    for turns in turns_file.turns_of.values():
        for kind, distance in transitions(turns):
            counts[kind] += 1
            gaps += [distance] if kind is Transition.GAP else []
    aside = ", ".join(f"{counts[kind]} {kind.value}" for kind in (Transition.BACKCHANNEL, Transition.REMARK))
    lines = [f"  {len(turns_file.dialogues)} dialogues, {len(turns_file.turns)} turns, among them {aside}"]
    passing = (Transition.GAP, Transition.TERMINAL_OVERLAP, Transition.COMPETITIVE_OVERLAP)
    if any(counts[kind] for kind in passing):
        how = ", ".join(f"{counts[kind]} {kind.value}" for kind in passing)
        usual = f" ({float(median(gaps)):.2f} s in the median)" if gaps else ""
        lines.append(f"  the floor passes: {how.replace('a gap', f'a gap{usual}')}")
    return lines
