"""The figures of a dataset: the numbers of the data card and of the report's first table.  Pure.

The rows of the table are those of EmoDialogCN's own description; each number is taken from the
clips that it counts, so that a reader can list them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..session import SIDES
from .actors import Actor

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = (
    "id",
    "kind",
    "session",
    "dialogue",
    "actors",
    "start",
    "end",
    "topic",
    "emotion",
    "keep",
    "reasons",
)
"""Columns of the index that the figures are made from."""


@dataclass(frozen=True)
class Figures:
    """Of the clips that are kept, except `rejected` and `reasons`.

    Attributes
    ----------
    dialogue_hours, turn_hours : float
        Of the clips of each kind.  A turn is also in its dialogue: the two are not to be added up.
    actors, emotions, topics : Counter
        Clips of each; an actor is counted on either side.
    dialogues, turns : int
        Clips of each kind.
    rejected : Counter
        Rejected clips by kind.
    reasons : Counter
        Rejected clips by reason, without the figures in brackets; a clip may have several.
    """

    sessions: int
    dialogues: int
    turns: int
    dialogue_hours: float
    turn_hours: float
    actors: Counter[str]
    emotions: Counter[str]
    topics: Counter[str]
    rejected: Counter[str]
    reasons: Counter[str]
    turns_in_dialogues: int

    @property
    def turns_per_dialogue(self) -> float | None:
        """Kept turns of kept dialogues, for each such dialogue."""
        return self.turns_in_dialogues / self.dialogues if self.dialogues else None


def plain_reason(reason: str) -> str:
    """A verdict's reason without its figures: ``left: blurred (sharpness 12 < 40)`` is ``left: blurred``."""
    return reason.partition(" (")[0].strip() or reason


def plain_reasons(reasons: list[str] | None) -> list[str]:
    """The different reasons of one clip, without their figures, in order."""
    return list(dict.fromkeys(map(plain_reason, reasons or [])))


def figures(table: pa.Table) -> Figures:
    """The figures of an index with :data:`COLUMNS`."""
    columns = {name: table[name].to_pylist() for name in COLUMNS}
    kept = [number for number, keep in enumerate(columns["keep"]) if keep]
    rejected = [number for number, keep in enumerate(columns["keep"]) if not keep]
    of_kind = {
        kind: [number for number in kept if columns["kind"][number] == kind] for kind in ("dialogue", "turn")
    }
    hours = {
        kind: sum(columns["end"][number] - columns["start"][number] for number in numbers) / 3600
        for kind, numbers in of_kind.items()
    }
    dialogue = list(zip(columns["session"], columns["dialogue"], strict=True))
    whole = {dialogue[number] for number in of_kind["dialogue"]}
    actors = Counter(
        actor for number in kept for actor in {(columns["actors"][number] or {}).get(side) for side in SIDES}
        if actor
    )  # fmt: skip
    return Figures(
        sessions=len({columns["session"][number] for number in kept}),
        dialogues=len(of_kind["dialogue"]),
        turns=len(of_kind["turn"]),
        dialogue_hours=hours["dialogue"],
        turn_hours=hours["turn"],
        actors=actors,
        emotions=_counted(columns["emotion"], kept),
        topics=_counted(columns["topic"], kept),
        rejected=Counter(columns["kind"][number] for number in rejected),
        reasons=Counter(chain.from_iterable(plain_reasons(columns["reasons"][n]) for n in rejected)),
        turns_in_dialogues=sum(dialogue[number] in whole for number in of_kind["turn"]),
    )  # fmt: skip


def _counted(values: list[Any], numbers: list[int]) -> Counter[str]:
    return Counter(values[number] for number in numbers if values[number] is not None)


@dataclass(frozen=True)
class People:
    """What a table of actors says of those who are in the kept clips.

    Attributes
    ----------
    unknown : tuple of str
        Actors that are not in the table.
    """

    genders: Counter[str]
    regions: Counter[str]
    ages: tuple[int, ...]
    unknown: tuple[str, ...]

    @property
    def mean_age(self) -> float | None:
        return sum(self.ages) / len(self.ages) if self.ages else None


def people(found: Figures, actors: Mapping[str, Actor]) -> People:
    """`actors`, as far as they are in the clips."""
    there = [actors[name] for name in found.actors if name in actors]
    return People(
        Counter(actor.gender for actor in there if actor.gender),
        Counter(actor.region for actor in there if actor.region),
        tuple(actor.age for actor in there if actor.age is not None),
        tuple(sorted(name for name in found.actors if name not in actors)),
    )
