"""Train, validation and test: which sessions go where, so that no actor and no dialogue is in two.  Pure.

Two sessions with an actor in common belong together, and so on through everyone they met: the components
of the graph whose vertices are actors and whose edges are sessions.  A component goes to one split as a
whole.  The largest go first, each to where the shares of time, emotions and topics come nearest to the
fractions (Pearson's chi-square); then components move or change places as long as that improves it.
No split asked for stays empty if there are enough groups.  The seed decides ties.

Where actors mix freely there is only one component.  Then, on request, the actors themselves are
divided and the sessions across the splits are left out (:mod:`emomedia.dataset.division`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import DescriptionError, StageError
from .division import divide

NAMES = ("train", "validation", "test")
FRACTIONS = (0.8, 0.1, 0.1)

_FAR = 1.5
"""A split that holds this many times its fraction, or one over it, gets a notice."""

_EMPTY = 1e6
"""What an empty split costs: more than any division that leaves none empty."""

_MAX_PASSES = 20

_MAX_SWAPPED = 300
"""With more groups than this none change places: the moves alone come near enough."""


@dataclass(frozen=True)
class Scene:
    """A session as the splits see it.

    Attributes
    ----------
    actors : tuple of str
        Both of them.
    seconds : mapping of (subject, value) to float
        Of its clips: under ``("all", "")`` all, under ``("emotion", e)`` and ``("topic", t)`` those of each.
    """

    session: str
    actors: tuple[str, ...]
    seconds: Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Splits:
    """Which session is in which split.

    Attributes
    ----------
    of_session, of_actor : dict
        Their splits by id; of the sessions that stay, and the actors in them.
    components : int
        Groups of actors that met, directly or through others.
    seconds : dict
        Of the clips in each split.
    left_out : dict
        Seconds of the sessions that are left out, since their actors are in different splits, by id.
    notices : tuple of str
        What could not be as it was asked for.
    """

    fractions: tuple[float, ...]
    seed: int
    of_session: dict[str, str]
    of_actor: dict[str, str]
    components: int
    seconds: dict[str, float]
    left_out: dict[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = field(default=())

    @property
    def lost_share(self) -> float:
        """Share of the time that is left out."""
        lost = sum(self.left_out.values())
        return lost / ((lost + sum(self.seconds.values())) or 1.0)

    def as_json(self) -> dict[str, Any]:
        """The content of splits.json."""
        return {
            "rule": "no actor and no dialogue is in two splits",
            "seed": self.seed,
            "fractions": dict(zip(NAMES, self.fractions, strict=True)),
            "components": self.components,
            "seconds": {name: round(seconds, 3) for name, seconds in self.seconds.items()},
            "left_out": sorted(self.left_out),
            "left_out_share": round(self.lost_share, 6),
            "notices": list(self.notices),
            "actors": self.of_actor,
            "sessions": self.of_session,
        }


def scenes(rows: Iterable[Mapping[str, Any]]) -> list[Scene]:
    """The sessions of `rows`, by id; a row needs `session`, `actors`, `start`, `end`, `emotion`, `topic`.

    Raises
    ------
    StageError
        An actor is not known: the session was cut by a version that did not write them down.
    """
    actors: dict[str, tuple[str, ...]] = {}
    seconds: dict[str, dict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        session, length = row["session"], row["end"] - row["start"]
        named = [actor for actor in (row["actors"] or {}).values() if actor]
        if len(named) < 2:
            raise StageError(
                f"{session}: actors",
                expected="the name of each side's actor in its audit",
                found="none",
                remedy="run the session again to record them",
            )
        actors[session] = tuple(named)
        seconds[session]["all", ""] += length
        for subject in ("emotion", "topic"):
            seconds[session][subject, row[subject] or ""] += length
    return [Scene(session, actors[session], dict(seconds[session])) for session in sorted(actors)]


def make_splits(
    sessions: Sequence[Scene],
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    *,
    leave_out: bool = False,
) -> Splits:
    """Assign `sessions` to the splits; the same for the same sessions, whatever their order.

    Parameters
    ----------
    leave_out : bool
        Whether sessions may be left out, so that splits come near the fractions where actors are connected.

    Raises
    ------
    DescriptionError
        The fractions are not three numbers from 0 on, train's above it, that add up to 1.
    """
    _check(fractions)
    sessions = sorted(sessions, key=lambda scene: scene.session)
    groups = components(sessions)
    random.Random(seed).shuffle(groups)
    place = _assign(_weights(groups), np.asarray(fractions, float))
    whole = {
        actor: split
        for group, split in zip(groups, place, strict=True) for scene in group for actor in scene.actors
    }  # fmt: skip
    found = _splits(sessions, whole, len(groups), fractions, seed)
    far = _far(found)
    if not far:
        return found
    nearer = _splits(sessions, _divided(sessions, whole, fractions, seed), len(groups), fractions, seed)
    if leave_out and nearer.left_out:
        notice = f"{len(nearer.left_out)} sessions with {nearer.lost_share:.1%} of the time are left out"
        return replace(nearer, notices=(f"{notice}: their actors are in different splits", *_far(nearer)))
    return replace(found, notices=(*far, _remedy(nearer)))


def _check(fractions: Sequence[float]) -> None:
    if (
        len(fractions) != len(NAMES)
        or min(fractions) < 0
        or not fractions[0]
        or abs(sum(fractions) - 1) > 1e-6
    ):
        raise DescriptionError(
            "splits",
            expected="fractions of train, validation and test that add up to 1",
            found=", ".join(f"{part:g}" for part in fractions),
            remedy="give three, such as 0.8,0.1,0.1",
        )


def _splits(
    sessions: Sequence[Scene], place: Mapping[str, int], groups: int, fractions: Sequence[float], seed: int
) -> Splits:
    """The sessions whose actors are in one split, and those that are left out."""
    of_session: dict[str, str] = {}
    of_actor: dict[str, str] = {}
    seconds, left_out = dict.fromkeys(NAMES, 0.0), {}
    for scene in sessions:
        (split, *others) = {NAMES[place[actor]] for actor in scene.actors}
        if others:
            left_out[scene.session] = scene.seconds["all", ""]
            continue
        of_session[scene.session] = split
        of_actor |= dict.fromkeys(scene.actors, split)
        seconds[split] += scene.seconds["all", ""]
    return Splits(
        tuple(fractions), seed, of_session, dict(sorted(of_actor.items())), groups, seconds, left_out
    )


def _divided(
    sessions: Sequence[Scene], whole: Mapping[str, int], fractions: Sequence[float], seed: int
) -> dict[str, int]:
    """The split of each actor where sessions may be left out; `whole` is that where none is."""
    actors = sorted(whole)
    number = {actor: place for place, actor in enumerate(actors)}
    pairs = [(number[scene.actors[0]], number[scene.actors[-1]]) for scene in sessions]
    used = np.flatnonzero(fractions)
    known = np.searchsorted(used, [whole[actor] for actor in actors])
    weights = _weights([[scene] for scene in sessions])
    place = divide(pairs, weights, np.asarray(fractions, float)[used], known, seed)
    return {actor: int(used[split]) for actor, split in zip(actors, place, strict=True)}


def components(sessions: Sequence[Scene]) -> list[list[Scene]]:
    """Sessions that share actors, directly or through others: by their first session's id."""
    parent: dict[str, str] = {}

    def root(actor: str) -> str:
        while parent.setdefault(actor, actor) != actor:
            parent[actor] = parent[parent[actor]]
            actor = parent[actor]
        return actor

    ordered = sorted(sessions, key=lambda scene: scene.session)
    for scene in ordered:
        for other in scene.actors[1:]:
            parent[root(other)] = root(scene.actors[0])
    groups: dict[str, list[Scene]] = {}
    for scene in ordered:
        groups.setdefault(root(scene.actors[0]), []).append(scene)
    return list(groups.values())


def _weights(groups: Sequence[Sequence[Scene]]) -> np.ndarray:
    """What each group holds of each subject's values: float64[groups, values], a subject's sum being 1."""
    keys = sorted({key for group in groups for scene in group for key in scene.seconds})
    column = {key: number for number, key in enumerate(keys)}
    table = np.zeros((len(groups), len(keys)))
    for number, group in enumerate(groups):
        for scene in group:
            for key, seconds in scene.seconds.items():
                table[number, column[key]] += seconds
    for subject in {key[0] for key in keys}:
        mine = [column[key] for key in keys if key[0] == subject]
        table[:, mine] /= max(table[:, mine].sum(), 1e-9)
    return table


def _assign(weights: np.ndarray, fractions: np.ndarray) -> list[int]:
    """The split of each group: greedy, the heaviest first, then improved by moves and swaps."""
    used = np.flatnonzero(fractions)
    target = fractions[used, None] * weights.sum(0)
    held = np.zeros_like(target)

    def cost(held: np.ndarray) -> float:
        empty = int((held.sum(1) < 1e-9).sum())
        return float((((held - target) ** 2) / np.maximum(target, 1e-12)).sum()) + _EMPTY * empty

    order = sorted(range(len(weights)), key=lambda number: -weights[number].sum())
    place = [0] * len(weights)
    for number in order:
        costs = []
        for split in range(len(used)):
            held[split] += weights[number]
            costs.append(cost(held))
            held[split] -= weights[number]
        place[number] = int(np.argmin(costs))
        held[place[number]] += weights[number]
    _better(weights, place, held, cost)
    return [int(used[split]) for split in place]


def _better(weights: np.ndarray, place: list[int], held: np.ndarray, cost: Any) -> None:
    """Move one group, or let two change places, while that lowers the cost."""
    for _ in range(_MAX_PASSES):
        before = cost(held)
        for number, split in [(n, s) for n in range(len(place)) for s in range(len(held))]:
            _try(weights, place, held, cost, {number: split})
        swapped = range(len(place) if len(place) <= _MAX_SWAPPED else 0)
        for one, other in combinations(swapped, 2):
            if place[one] != place[other]:
                _try(weights, place, held, cost, {one: place[other], other: place[one]})
        if cost(held) >= before - 1e-12:
            break


def _try(
    weights: np.ndarray, place: list[int], held: np.ndarray, cost: Any, moved: Mapping[int, int]
) -> None:
    changed = held.copy()
    for number, split in moved.items():
        changed[place[number]] -= weights[number]
        changed[split] += weights[number]
    if cost(changed) < cost(held) - 1e-12:
        held[:] = changed
        for number, split in moved.items():
            place[number] = split


def _far(found: Splits) -> tuple[str, ...]:
    """Notices of splits that are empty, or far from the fractions requested."""
    total = sum(found.seconds.values()) or 1.0
    wanted = {name: fraction for name, fraction in zip(NAMES, found.fractions, strict=True) if fraction}
    holding = [name for name in NAMES if found.seconds[name]]
    if found.components == 1 and len(wanted) > 1 and len(holding) == 1:
        return (
            "all actors are connected through the sessions that they share, so that every clip is in "
            f"{holding[0]}: any other split would share an actor with it",
        )
    which = f"of the {found.components} groups of actors who met" if not found.left_out else "of the actors"
    return tuple(
        f"{name} holds {found.seconds[name] / total:.1%} of the time, not {fraction:.1%}: "
        f"{which} no division is nearer that leaves no split empty"
        for name, fraction in wanted.items()
        if not fraction / _FAR <= found.seconds[name] / total <= fraction * _FAR
    )


def _remedy(nearer: Splits) -> str:
    """A notice of what leaving out would cost."""
    if not nearer.left_out:
        return "leaving out sessions would bring the splits no nearer"
    total = sum(nearer.seconds.values()) or 1.0
    shares = ", ".join(f"{name} {seconds / total:.1%}" for name, seconds in nearer.seconds.items())
    return (
        f"--leave-out would come to {shares} of what stays, without {len(nearer.left_out)} sessions "
        f"with {nearer.lost_share:.1%} of the time, whose actors would be in different splits"
    )
