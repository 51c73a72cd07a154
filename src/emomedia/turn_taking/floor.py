"""Who has the floor: from units to turns.

A turn is one speaker's units until the other takes the floor (Sacks, Schegloff and Jefferson 1974).  Silence
within a turn is a *pause*, between turns a *gap*; speech at once is an *overlap* within a turn or between two
(Heldner and Edlund 2010).  docs/turns.md has the sources and what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction

from ..session import SideName
from .backchannels import asks, is_listening_sign
from .units import Unit, in_order

BACKCHANNEL_LENGTH = Fraction(4, 5)
"""Seconds; a longer unit is more than a sign of listening, where its words are not known.  "Very short
utterances", most of which are backchannels, are bounded by one second (Edlund, Heldner and Pelcé 2009); among
simulated ones 0.8 s told backchannels from short remarks best."""

FLOOR_PAUSE = Fraction(1)
"""Seconds that a speaker may be silent around the other's sign of listening and still hold the floor, where
its words are not known: the longest usual silence within talk (Jefferson 1989)."""

BID_PAUSE = Fraction(2, 5)
"""Seconds; a longer pause ends a bid for the floor."""


class Role(Enum):
    """What a unit does to the floor."""

    FLOOR = auto()
    """Holds it or takes it."""
    BID = auto()
    """Fails to get the floor, or does not want it: a remark under the other's speech."""
    BACKCHANNEL = auto()
    """Leaves it to who has it: a sign of listening."""


def roles(spoken: Iterable[Unit]) -> Iterator[tuple[Unit, Role]]:
    """Both sides' units of one dialogue, in order of start, with what each does.

    The first to speak has the floor.  Of what the other says then

    - a unit under which the holder speaks on from its beginning to its end leaves the floor;
    - a sign of listening leaves it too, if the holder is the next to say more than that, and had not asked;
    - anything else takes it.
    """
    ordered = in_order(spoken)
    holding: Unit | None = None
    for unit, coming in zip(ordered, _coming(ordered), strict=True):
        role = Role.FLOOR
        if holding is not None and unit.speaker != holding.speaker:
            role = _role(unit, holding, coming)
        if role is Role.FLOOR:
            holding = unit
        yield unit, role


_Coming = dict[SideName, Unit]
"""By side what it says next, signs of listening left out."""


def _coming(ordered: Sequence[Unit]) -> list[_Coming]:
    """For each unit what comes after it."""
    coming: _Coming = {}
    found: list[_Coming] = []
    for unit in reversed(ordered):
        found.append(dict(coming))
        if not _listens(unit):
            coming[unit.speaker] = unit
    return found[::-1]


def _listens(unit: Unit) -> bool:
    """Whether the unit is a sign of listening, by its words, or without any by its length."""
    return is_listening_sign(unit.text) if unit.words else unit.length <= BACKCHANNEL_LENGTH


def _role(unit: Unit, holding: Unit, coming: _Coming) -> Role:
    """What `unit` does to the floor of the other, whose last unit before it is `holding`."""
    listens = _listens(unit)
    if unit.end <= holding.end:
        return Role.BACKCHANNEL if listens else Role.BID
    if listens and not asks(holding.text) and _resumes(unit, holding, coming):
        return Role.BACKCHANNEL
    return Role.FLOOR


def _resumes(unit: Unit, holding: Unit, coming: _Coming) -> bool:
    """Whether the holder speaks on, and before the other does; where a recogniser heard, neither needs to."""
    on, more = coming.get(holding.speaker), coming.get(unit.speaker)
    if more is not None and (on is None or more.start < on.start):
        return False
    if unit.words is not None:
        return True
    return on is not None and on.start - holding.end <= FLOOR_PAUSE


@dataclass(slots=True)
class Talk:
    """A turn as it grows: its units, all of one role."""

    role: Role
    units: list[Unit]

    @property
    def end(self) -> Fraction:
        return self.units[-1].end


def talk(spoken: Iterable[Unit]) -> list[Talk]:
    """The turns of one dialogue in order of start.

    What takes the floor goes on until the other takes it.  A backchannel is a turn of its own.  A bid goes on
    in the speaker's next bid, or in the turn that takes the floor, if the pause between is no longer than
    :data:`BID_PAUSE`.
    """
    found: list[Talk] = []
    floor: Talk | None = None
    bids: dict[SideName, Talk] = {}
    for unit, role in roles(spoken):
        bid = bids.pop(unit.speaker, None)
        if role is Role.FLOOR and floor is not None and floor.units[0].speaker == unit.speaker:
            floor.units.append(unit)
            continue
        if role is Role.BACKCHANNEL or bid is None or unit.start - bid.end > BID_PAUSE:
            found.append(bid := Talk(role, []))
        bid.units.append(unit)
        bid.role = role
        if role is Role.FLOOR:
            floor = bid
        elif role is Role.BID:
            bids[unit.speaker] = bid
    return found
