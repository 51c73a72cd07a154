"""Actors divided among splits where all are connected: sessions across the splits are left out.  Pure.

The graph has actors as vertices and sessions as edges; a session stays if both its actors are in one split.
What is sought is a division of the actors that leaves out little time and whose splits hold shares of what
stays, of all time and of every emotion and topic, near the fractions.  That is graph partitioning, so it
is done as is usual there: several beginnings, each split grown from an actor along the heaviest edges,
then bettered by moves of actors, of pairs who met, and by swaps (Kernighan and Lin 1970).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

Pair = tuple[int, int]

BEGINNINGS = 8

_TIME = 10.0
"""How much more the splits' shares of time count than what is left out, and than each subject."""

_EMPTY = 1e3
"""What an empty split costs: more than leaving out all the rest."""

_MAX_PASSES = 12

_FEW = 12
"""Two who met move together where one of them met no more than this many: others move by themselves."""

_MAX_SWAPPED = 300
"""With more actors than this none change places."""


class Division:
    """Which split each actor is in, and what the splits hold of it.

    Parameters
    ----------
    pairs : list of (int, int)
        The actors of each session, by number.
    weights : float64[sessions, values]
        What each holds of every subject's values, a subject's sum being 1; time as a whole is column 0.
    fractions : float64[splits]
        All above zero.
    place : int[actors]
        The split of each actor to begin with.
    """

    def __init__(
        self, pairs: Sequence[Pair], weights: np.ndarray, fractions: np.ndarray, place: np.ndarray
    ) -> None:
        self.fractions, self.place = fractions, place.copy()
        ends = np.asarray(pairs, np.int64).reshape(-1, 2)
        mine = [np.flatnonzero((ends == actor).any(axis=1)) for actor in range(len(place))]
        self._met = [ends[rows].sum(axis=1) - actor for actor, rows in enumerate(mine)]
        self._weights = [weights[rows] for rows in mine]
        self.held = np.zeros((len(fractions), weights.shape[1]))
        for split in range(len(fractions)):
            self.held[split] = weights[(place[ends] == split).all(axis=1)].sum(axis=0)

    def move(self, actor: int, split: int) -> None:
        """Put an actor into a split: sessions that stay by it come, those that no longer do go."""
        met, weights, old = self._met[actor], self._weights[actor], self.place[actor]
        there = self.place[met]
        self.held[old] -= weights[there == old].sum(axis=0)
        self.held[split] += weights[(there == split) | (met == actor)].sum(axis=0)
        self.place[actor] = split

    def cost(self) -> float:
        """What is left out, and how far the rest is from the fractions: Pearson's chi-square of shares."""
        kept = self.held.sum(axis=0)
        target = self.fractions[:, None] * kept
        far = ((self.held - target) ** 2 / np.maximum(target, 1e-9)).sum(axis=0) / max(kept[0], 1e-9)
        empty = int((self.held[:, 0] < 1e-9).sum())
        return float(1 - kept[0] + _TIME * far[0] + far[1:].sum() + _EMPTY * empty)

    def better(self, moves: Iterable[Sequence[Pair]]) -> bool:
        """Make those of some moves, each of one actor or two, that lower the cost; whether there was one."""
        now, found = self.cost(), False
        for several in moves:
            back = [(actor, int(self.place[actor])) for actor, _ in several]
            if all(split == old for (_, split), (_, old) in zip(several, back, strict=True)):
                continue
            held = self.held.copy()
            for actor, split in several:
                self.move(actor, split)
            after = self.cost()
            if after < now - 1e-9:
                now, found = after, True
                continue
            self.held = held
            for actor, split in back:
                self.place[actor] = split
        return found


def divide(
    pairs: Sequence[Pair], weights: np.ndarray, fractions: np.ndarray, known: np.ndarray, seed: int
) -> np.ndarray:
    """The split of each actor, int[actors].

    Parameters
    ----------
    known : int[actors]
        A division to begin with, besides those that are grown; others as in :class:`Division`.
    """
    rng = random.Random(seed)
    several = [Division(pairs, weights, fractions, known)]
    several += [_grown(pairs, weights, fractions, len(known), rng) for _ in range(BEGINNINGS)]
    splits = range(len(fractions))
    moves = [[(actor, split)] for actor in range(len(known)) for split in splits]
    moves += [[(one, split), (other, split)] for one, other in _close(pairs, len(known)) for split in splits]
    for each in several:
        _repeat(each, moves)
    best = min(several, key=Division.cost)
    place, swaps = best.place, list(combinations(range(len(known) if len(known) <= _MAX_SWAPPED else 0), 2))
    for _ in range(_MAX_PASSES):
        # A generator: where two are is asked when their turn comes.
        both = ([(a, int(place[b])), (b, int(place[a]))] for a, b in swaps if place[a] != place[b])
        if not best.better(both):
            break
        _repeat(best, moves)
    return best.place


def _close(pairs: Sequence[Pair], actors: int) -> list[Pair]:
    """Pairs who met, each once, of whom one met few."""
    met = sorted({(min(pair), max(pair)) for pair in pairs})
    others = np.bincount(np.asarray(met).ravel(), minlength=actors)
    return [(one, other) for one, other in met if min(others[one], others[other]) <= _FEW]


def _repeat(division: Division, moves: Sequence[Sequence[Pair]]) -> None:
    for _ in range(_MAX_PASSES):
        if not division.better(moves):
            break


def _grown(
    pairs: Sequence[Pair],
    weights: np.ndarray,
    fractions: np.ndarray,
    actors: int,
    rng: random.Random,
) -> Division:
    """All actors in the largest split; then each other split grows from one of them, the smallest first."""
    rest = int(np.argmax(fractions))
    division = Division(pairs, weights, fractions, np.full(actors, rest))
    shared = np.zeros((actors, actors))
    for (one, other), time in zip(pairs, weights[:, 0], strict=True):
        shared[one, other] += time
        shared[other, one] += time
    for split in sorted(set(range(len(fractions))) - {rest}, key=lambda split: fractions[split]):
        while division.held[split, 0] < fractions[split] * division.held[:, 0].sum():
            left = np.flatnonzero(division.place == rest)
            if len(left) < 2:
                break
            bound = shared[left][:, division.place == split].sum(axis=1)
            lost = shared[left][:, left].sum(axis=1)
            drawn = np.array([rng.random() for _ in left])
            pull = bound / np.maximum(bound + lost, 1e-12) + 1e-6 * drawn
            division.move(int(left[np.argmax(pull if bound.any() else drawn)]), split)
    return division
