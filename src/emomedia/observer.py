"""The interface by which a run reports what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

_NAMED = 5
"""Sessions that are named if many share a note."""

Outcome = Literal["made", "fresh", "own"]
"""How a stage ended: its file was made, was fresh already, or is the user's own and was kept."""


class Observer(Protocol):
    """Receives a run's events, on the thread that runs it."""

    def stage_begins(self, stage: str) -> None:
        """A stage starts: ``probe``, ``sync``, …; whether it was fresh is known when it ends."""

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None:
        """The stage is up to date, `seconds` later."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` frames, batches of speech or clips of a long stage are finished."""

    def note(self, text: str) -> None:
        """A message for people."""


class Silent:
    """Ignores everything; a base class for observers of a few events."""

    def stage_begins(self, stage: str) -> None: ...

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None: ...

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None: ...


class Notes:
    """Notes on many sessions: each text is shown once, and at the end with the sessions that share it."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._sessions: dict[str, list[str]] = {}

    def add(self, session: str, text: str) -> None:
        """Add a note on a session."""
        sessions = self._sessions.setdefault(text, [])
        if not sessions:
            self._note(f"{session}: {text}")
        if session not in sessions:
            sessions.append(session)

    def finish(self) -> None:
        """Show how many sessions share each text."""
        for text, sessions in self._sessions.items():
            if len(sessions) > 1:
                more = ", …" if len(sessions) > _NAMED else ""
                self._note(f"{len(sessions)} sessions ({', '.join(sessions[:_NAMED])}{more}): {text}")
        self._sessions.clear()
