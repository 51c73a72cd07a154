"""A watcher of a batch that keeps what it is told."""

from __future__ import annotations

from typing import Any


class Quiet:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.passed: list[tuple[str, str, str]] = []

    def stage_ends(self, id: str, done: Any) -> None:
        self.passed.append((id, done.stage, done.outcome))

    def session_ends(self, id: str, failed: Any) -> None: ...

    def note(self, text: str) -> None:
        self.said.append(text)

    def progress(self, figures: Any) -> None: ...
