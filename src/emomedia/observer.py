"""The interface by which a run reports what it is doing, whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

_NAMED = 5
"""Sessions that are named where many have the same."""

Outcome = Literal["made", "fresh", "own"]
"""How a stage ended: its file was made, was fresh already, or is the user's own and was kept."""


class Observer(Protocol):
    """Listens to a run; called from the thread that runs it."""

    def stage_begins(self, stage: str) -> None:
        """A stage is looked at: ``probe``, ``sync``, …; whether it is fresh is told when it ends."""

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None:
        """The stage is up to date, `seconds` later."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` frames, windows of speech or clips of a stage that takes long."""

    def note(self, text: str) -> None:
        """Something a person should know."""


class Silent:
    """Listens to nothing; a base for whoever listens to little."""

    def stage_begins(self, stage: str) -> None: ...

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None: ...

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None: ...


class Notes:
    """What is said of many sessions: told when it first comes, and at the end how many have it in common."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._sessions: dict[str, list[str]] = {}

    def add(self, session: str, text: str) -> None:
        """Something is said of a session."""
        sessions = self._sessions.setdefault(text, [])
        if not sessions:
            self._note(f"{session}: {text}")
        if session not in sessions:
            sessions.append(session)

    def finish(self) -> None:
        """No more is said."""
        for text, sessions in self._sessions.items():
            if len(sessions) > 1:
                more = ", …" if len(sessions) > _NAMED else ""
                self._note(f"{len(sessions)} sessions ({', '.join(sessions[:_NAMED])}{more}): {text}")
        self._sessions.clear()
