"""Brings a stage up to date: reads its file if fresh, otherwise makes it again; times and reports it.

Which stages there are, and what each is made from, is defined in :mod:`emomedia.pipeline`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from . import stages
from .descriptions import description_error, show
from .layout import SessionFolder
from .observer import Observer, Silent
from .options import Options
from .session import Session

Body = dict[str, Any]


@dataclass
class StageRunner:
    """What the stages of one session have in common; each stage is a property of a subclass.

    Attributes
    ----------
    seconds : dict
        How long each stage took.
    writes : bool
        If false, only stages before the cut may be asked for, and what is missing or stale is made in
        memory.
    before_making : callable
        Called with the name of a stage that is not fresh, before it is made; what it raises is passed on.
    hashes : dict
        For each stage asked for, the hash of what it was made from.
    made : set of str
        The stages that were made.
    files : mapping of str
        The stage file of each stage that has one.
    """

    session: Session
    folder: SessionFolder
    options: Options = field(default_factory=Options)
    observer: Observer = field(default_factory=Silent)
    seconds: dict[str, float] = field(default_factory=dict)
    writes: bool = True
    before_making: Callable[[str], None] = lambda _stage: None
    hashes: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    _contents: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    files: ClassVar[Mapping[str, str]]

    def _content(self, stage: str) -> str:
        """Digest of what a stage's file says; brings that stage up to date first."""
        getattr(self, stage)
        return self._contents[stage]

    def _stage(
        self, stage: str, inputs: Any, options: Any, make: Callable[[], Body], *, given: bool = False
    ) -> Body:
        """The body of a stage's file, made if it is missing or stale.

        A file of the user's own is kept, unless another one is `given` for this run.
        """
        path = self.folder.stage(self.files[stage])
        self.hashes[stage] = made_from = stages.made_from(stage, inputs, options)
        with self._timed(stage) as outcome:
            state, body = stages.found(path, made_from)
            if state is stages.State.FRESH or (state is stages.State.OWN and not given):
                outcome.append("fresh" if state is stages.State.FRESH else "own")
            else:
                self.before_making(stage)
                outcome.append("made")
                body = self._written(path, make(), made_from, given)
        if body.get("session") != self.session.id:
            raise description_error(
                path,
                "session",
                expected=show(self.session.id),
                found=show(body.get("session")),
                remedy="correct the file, or delete it so that it is made again",
            )
        self._contents[stage] = stages.content_digest(body)
        return body

    def _written(self, path: Path, body: Body, made_from: str, given: bool) -> Body:
        """`body` as its file says it, or would if it were written."""
        if not self.writes:
            return stages.as_read(body)
        stages.write(path, body, made_from, given=given)
        return stages.read(path)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[list[Any]]:
        outcome: list[Any] = []
        begin = time.monotonic()
        self.observer.stage_begins(stage)
        yield outcome
        self.seconds[stage] = time.monotonic() - begin
        if outcome[0] == "made":
            self.made.add(stage)
        self.observer.stage_ends(stage, outcome[0], self.seconds[stage])
