"""Actors divided among splits where all are connected: sessions across the splits are left out.  Pure.

The graph has actors as vertices and sessions as edges; a session stays if both its actors are in one split.
The goal is a division of the actors that leaves out little time and whose splits hold shares of what
stays, of all time and of every emotion and topic, near the fractions.  This is graph partitioning, so it
is done in the usual way: several starts, each split grown from an actor along the heaviest edges,
then improved by moves of actors, of pairs who met, and by swaps (Kernighan and Lin 1970).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

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

_AT_A_TIME, _MOST_AT_A_TIME = 16, 512
"""Moves that are tried together, fewer after one was made."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves to be tried in their order, each of one actor or two: int[moves] each.

    Attributes
    ----------
    one, other : array
        Who moves; `other` is the number behind the last actor's where nobody else does.
    to_one, to_other : array or None
        To which split; without it the two change places.
    between : float64[moves, values]
        What the two have with each other.
    """

    one: np.ndarray
    other: np.ndarray
    to_one: np.ndarray | None
    to_other: np.ndarray | None
    between: np.ndarray

    def __len__(self) -> int:
        return len(self.one)


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
        self.fractions, self._place = fractions, np.append(place, 0)
        ends = np.asarray(pairs, np.int64).reshape(-1, 2)
        alone = ends[:, 0] == ends[:, 1]
        both = np.concatenate([ends[~alone], ends[~alone, ::-1]])
        twice = np.concatenate([weights[~alone], weights[~alone]])
        order = np.argsort(both[:, 0], kind="stable")
        edges = np.searchsorted(both[order, 0], np.arange(1, len(place)))
        self._met = np.split(both[order, 1], edges)
        self._weights = np.split(twice[order], edges)
        shape = (len(place) + 1, len(fractions), weights.shape[1])
        self._with = np.zeros(shape)  # what each actor has with all others of a split
        np.add.at(self._with, (both[:, 0], place[both[:, 1]]), twice)
        self._alone = np.zeros((shape[0], shape[2]))
        np.add.at(self._alone, ends[alone, 0], weights[alone])
        self.held = np.zeros(shape[1:])
        for split in range(len(fractions)):
            self.held[split] = weights[(place[ends] == split).all(axis=1)].sum(axis=0)

    @property
    def place(self) -> np.ndarray:
        """The split of each actor."""
        return self._place[:-1]

    def move(self, actor: int, split: int) -> None:
        """Put an actor into a split: sessions that stay by it come, those that no longer do go."""
        old, mine, alone = self._place[actor], self._with[actor], self._alone[actor]
        self.held[old] -= mine[old] + alone
        self.held[split] += mine[split] + alone
        if actor < len(self._met):
            np.subtract.at(self._with[:, old], self._met[actor], self._weights[actor])
            np.add.at(self._with[:, split], self._met[actor], self._weights[actor])
        self._place[actor] = split

    def cost(self) -> float:
        """What is left out, and how far the rest is from the fractions: Pearson's chi-square of shares."""
        return float(self._costs(self.held[None])[0])

    def _costs(self, held: np.ndarray) -> np.ndarray:
        """The cost of each of several divisions by what their splits hold: float64[divisions]."""
        kept = held.sum(axis=1)
        target = self.fractions[:, None] * kept[:, None]
        far = ((held - target) ** 2 / np.maximum(target, 1e-9)).sum(axis=1)
        far /= np.maximum(kept[:, :1], 1e-9)
        empty = (held[..., 0] < 1e-9).sum(axis=1)
        return np.asarray(1 - kept[:, 0] + _TIME * far[:, 0] + far[:, 1:].sum(axis=1) + _EMPTY * empty)

    def better(self, moves: Moves) -> bool:
        """Make those moves that lower the cost, in turn; whether there was one.

        Many at a time are tried until one does: those before it would have changed nothing.
        """
        now, found, first, count = self.cost(), False, 0, _AT_A_TIME
        while first < len(moves):
            tried = slice(first, first + count)
            one, other, to_one, to_other = self._targets(moves, tried)
            costs = self._costs(self._held_after(one, other, to_one, to_other, moves.between[tried]))
            (lower,) = np.nonzero(costs < now - 1e-9)
            if not len(lower):
                first, count = first + len(costs), min(2 * count, _MOST_AT_A_TIME)
                continue
            taken = int(lower[0])
            self.move(int(one[taken]), int(to_one[taken]))
            self.move(int(other[taken]), int(to_other[taken]))
            now, found, first, count = float(costs[taken]), True, first + taken + 1, _AT_A_TIME
        return found

    def _targets(self, moves: Moves, tried: slice) -> tuple[np.ndarray, ...]:
        one, other = moves.one[tried], moves.other[tried]
        if moves.to_one is None or moves.to_other is None:
            return one, other, self._place[other], self._place[one]
        return one, other, moves.to_one[tried], moves.to_other[tried]

    def _held_after(
        self, one: np.ndarray, other: np.ndarray, to_one: np.ndarray, to_other: np.ndarray,
        between: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """What the splits hold after each of some moves: float64[moves, splits, values]."""
        number, held = np.arange(len(one)), np.repeat(self.held[None], len(one), axis=0)
        old = self._place[one]
        held[number, old] -= self._with[one, old] + self._alone[one]
        held[number, to_one] += self._with[one, to_one] + self._alone[one]
        mine = self._with[other]
        mine[number, old] -= between
        mine[number, to_one] += between
        old = self._place[other]
        held[number, old] -= mine[number, old] + self._alone[other]
        held[number, to_other] += mine[number, to_other] + self._alone[other]
        return held


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
    moves = _moves(pairs, weights, len(known), len(fractions))
    for each in several:
        _repeat(each, moves)
    best = min(several, key=Division.cost)
    swaps = _swaps(pairs, weights, len(known))
    for _ in range(_MAX_PASSES):
        if not best.better(swaps):
            break
        _repeat(best, moves)
    return best.place


def _moves(pairs: Sequence[Pair], weights: np.ndarray, actors: int, splits: int) -> Moves:
    """Each actor into each split; then any two who met, of whom one met few, together into each."""
    met = np.unique(np.sort(np.asarray(pairs, np.int64).reshape(-1, 2)), axis=0)
    others = np.bincount(met.ravel(), minlength=actors)
    close = met[others[met].min(axis=1) <= _FEW]
    close[close[:, 0] == close[:, 1], 1] = actors  # who sat on both sides moves alone once more
    both = np.concatenate([np.stack([np.arange(actors), np.full(actors, actors)], axis=1), close])
    one, other = np.repeat(both, splits, axis=0).T
    to_one = np.tile(np.arange(splits), len(both))
    to_other = np.where(other == actors, 0, to_one)
    return Moves(one, other, to_one, to_other, _between(pairs, weights, both).repeat(splits, axis=0))


def _swaps(pairs: Sequence[Pair], weights: np.ndarray, actors: int) -> Moves:
    """Any two actors, where they are not too many."""
    both = np.stack(np.triu_indices(actors if actors <= _MAX_SWAPPED else 0, 1), axis=1)
    return Moves(both[:, 0], both[:, 1], None, None, _between(pairs, weights, both))


def _between(pairs: Sequence[Pair], weights: np.ndarray, both: np.ndarray) -> np.ndarray:
    """What each two of `both` have with each other: float64[…, values]."""
    shared: dict[Pair, np.ndarray] = {}
    for (one, other), weight in zip(pairs, weights, strict=True):
        pair = (min(one, other), max(one, other))
        shared[pair] = shared[pair] + weight if pair in shared else weight
    nothing = np.zeros(weights.shape[1])
    return np.array([shared.get((one, other), nothing) for one, other in both.tolist()]).reshape(
        len(both), len(nothing)
    )


def _repeat(division: Division, moves: Moves) -> None:
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
        bound, lost = np.zeros(actors), shared[:, division.place == rest].sum(axis=1)
        while division.held[split, 0] < fractions[split] * division.held[:, 0].sum():
            left = np.flatnonzero(division.place == rest)
            if len(left) < 2:
                break
            drawn = np.array([rng.random() for _ in left])
            pull = bound[left] / np.maximum(bound[left] + lost[left], 1e-12) + 1e-6 * drawn
            actor = int(left[np.argmax(pull if bound[left].any() else drawn)])
            division.move(actor, split)
            bound += shared[actor]
            lost -= shared[actor]
    return division
