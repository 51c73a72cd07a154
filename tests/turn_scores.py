"""How near turns that were found come to the true ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from emomedia.session import SIDES
from emomedia.turns import Turn

from .conversations import Said, Talk

NEAR = 0.2
"""Seconds by which both edges of a turn may be off and it still counts as found."""


@dataclass
class Score:
    """Sums over conversations: right, found and true ones, and the edges' errors in milliseconds."""

    right: int = 0
    found: int = 0
    true: int = 0
    right_backchannels: int = 0
    found_backchannels: int = 0
    true_backchannels: int = 0
    edges_ms: list[float] = field(default_factory=list)

    def add(self, talk: Talk, turns: Iterable[Turn]) -> None:
        turns = list(turns)
        marked = [turn for turn in turns if turn.backchannel]
        signs = [said for said in talk.turns if said.backchannel]
        self.right += _matches(talk.turns, turns)
        self.right_backchannels += _matches(signs, marked)
        self.found, self.true = self.found + len(turns), self.true + len(talk.turns)
        self.found_backchannels += len(marked)
        self.true_backchannels += len(signs)
        for said in talk.turns:
            self.edges_ms += _edge_errors(said, turns)

    @property
    def f1(self) -> float:
        """Of the turns, backchannels among them, whether they are marked or not."""
        return 2 * self.right / (self.found + self.true)

    @property
    def backchannel_f1(self) -> float:
        """Of those that are marked."""
        return 2 * self.right_backchannels / (self.found_backchannels + self.true_backchannels)

    @property
    def edges(self) -> tuple[float, float]:
        """Median and 95th percentile of the errors of the edges, in ms."""
        median, most = np.percentile(self.edges_ms, (50, 95))
        return float(median), float(most)


def _matches(true: list[Said], turns: list[Turn]) -> int:
    """How many of the true ones are found, each found turn counting once."""
    left = list(turns)
    for said in true:
        near = next((turn for turn in left if _is_near(said, turn)), None)
        if near is not None:
            left.remove(near)
    return len(turns) - len(left)


def _is_near(said: Said, turn: Turn) -> bool:
    if turn.speaker != SIDES[said.speaker]:
        return False
    return abs(float(turn.start) - said.start) <= NEAR and abs(float(turn.end) - said.end) <= NEAR


def _edge_errors(said: Said, turns: list[Turn]) -> list[float]:
    """Of both edges of the turn that shares most with a true one; none if that is less than half of both."""

    def shared(turn: Turn) -> float:
        both = min(float(turn.end), said.end) - max(float(turn.start), said.start)
        return both / (max(float(turn.end), said.end) - min(float(turn.start), said.start))

    own = [turn for turn in turns if turn.speaker == SIDES[said.speaker]]
    best = max(own, key=shared, default=None)
    if best is None or shared(best) < 0.5:
        return []
    return [1000 * abs(float(best.start) - said.start), 1000 * abs(float(best.end) - said.end)]
