"""How a run tells what it is doing, without knowing who listens."""

from __future__ import annotations

from typing import Literal, Protocol

Outcome = Literal["made", "fresh", "own"]
"""How a stage ended: its file was made, was fresh already, or is the user's own and was kept."""


class Observer(Protocol):
    """Listens to a run; called from the thread that runs it."""

    def stage_begins(self, stage: str) -> None: ...

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None: ...

    def advances(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` frames of a stage that takes long."""

    def says(self, text: str) -> None:
        """Something a person should know."""


class Silent:
    """Listens to nothing."""

    def stage_begins(self, stage: str) -> None: ...

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None: ...

    def advances(self, stage: str, done: int, total: int) -> None: ...

    def says(self, text: str) -> None: ...
