"""What a session is made from: fingerprints of its media files, and what its description says about them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from .errors import MediaError
from .session import SIDES, Session
from .stages import media_fingerprint


class Sources:
    """A session's media as they are when they are first read."""

    def __init__(self, session: Session) -> None:
        self._session = session
        sides = [session.side(side) for side in SIDES]
        takes = [path for side in sides for path in side.video]
        tracks = [side.mic.file for side in sides if side.mic is not None]
        self._recordings = takes + tracks
        self._files: list[Path] = self._recordings + [side.lut for side in sides if side.lut is not None]

    @cached_property
    def _fingerprints(self) -> list[list[Any]]:
        return [media_fingerprint(path) for path in self._files]

    @cached_property
    def read(self) -> list[Any]:
        """Fingerprints of all media files, and how the description says they are to be read."""
        description = self._session.canonical()
        return [description["id"], [description[side] for side in SIDES], self._fingerprints]

    @cached_property
    def heard(self) -> list[Any]:
        """What is heard, and where the description puts it; session.json has neither."""
        places = ("offset", "mic_offset", "camera_distance")
        description = self._session.canonical()
        fingerprints = self._fingerprints[: len(self._recordings)]
        return [fingerprints, [[description[side][key] for key in places] for side in SIDES]]

    def refuse_changes(self) -> None:
        """Refuse a result if somebody wrote to its source files meanwhile.

        Raises
        ------
        MediaError
            A file is another than it was.
        """
        for path, before in zip(self._files, self._fingerprints, strict=True):
            if media_fingerprint(path) != before:
                raise MediaError(
                    path,
                    expected="a file that stays the same during a run",
                    found="one that changed during the run",
                    remedy="wait until it is fully copied, then run again",
                )
