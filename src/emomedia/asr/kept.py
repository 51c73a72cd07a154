"""Keeps what was recognised of a session, batch by batch, so that nothing is decoded twice.

There is a file for each batch, named by the digest of all that its result depends on, and one that lists
which of them make up the present transcript.  The others are removed once that is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..files import canonical_json, write_bytes, writing
from ..stages import parse
from .types import Segment, Word

_WHOLE = "transcript.json"


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognised of a session, as the model wrote it.

    Attributes
    ----------
    language : str or None
        Whisper's code; None where nobody speaks and none was given.
    settings : dict
        What speech.json says of how it was recognised.
    """

    language: str | None
    settings: dict[str, Any]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder of a session's results, and the digest of what the whole transcript depends on."""

    folder: Path
    key: str
    _used: set[str] = field(default_factory=set, init=False)

    def batch(self, key: str) -> list[Segment] | None:
        """A batch's result; None where it is not there."""
        try:
            found = [_segment(row) for row in parse(self._path(key).read_bytes(), float)]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        self._used.add(key)
        return found

    def keep(self, key: str, segments: Sequence[Segment]) -> None:
        """Keep a batch's result."""
        write_bytes(self._path(key), canonical_json([asdict(segment) for segment in segments]).encode())
        self._used.add(key)

    def finish(self, heard: Heard) -> None:
        """Record the batches that make up the transcript: those read or kept."""
        body = {"key": self.key, "language": heard.language, "settings": heard.settings}
        write_bytes(self.folder / _WHOLE, canonical_json(body | {"batches": sorted(self._used)}).encode())

    def whole(self) -> Heard | None:
        """The transcript, if it is there and was made from the same."""
        noted = self._noted()
        if noted is None:
            return None
        language, settings, batches = noted
        segments: list[Segment] = []
        for key in batches:
            found = self.batch(key)
            if found is None:
                return None
            segments += found
        return Heard(language, settings, in_order(segments))

    def prune(self) -> None:
        """Remove batches that are not part of the transcript: all, if it is another one."""
        noted = self._noted()
        if noted is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        needed = {_WHOLE, *(self._path(key).name for key in noted[-1])}
        with writing(self.folder):
            for file in self.folder.iterdir():
                if file.name not in needed:
                    file.unlink()

    def _noted(self) -> tuple[str | None, dict[str, Any], list[str]] | None:
        try:
            body = parse((self.folder / _WHOLE).read_bytes(), float)
            if body["key"] != self.key:
                return None
            return body["language"], dict(body["settings"]), [str(key) for key in body["batches"]]
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def in_order(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Segments of both sides in order of start, whatever batches they come from."""
    return tuple(sorted(segments, key=lambda segment: (segment.start, segment.side)))


def _segment(row: dict[str, Any]) -> Segment:
    words = tuple(Word(**word) for word in row["words"])
    return Segment(**row | {"words": words, "flags": tuple(row["flags"])})
