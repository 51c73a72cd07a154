"""What key pictures of clips show.  Clips share them, so each is decoded and analysed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from .people import Finder, Picture, Seen
from .pixels import LEVELS

_MOST = 64
"""Views that are kept, 25 MB: clips come in order, a dialogue before its turns."""


class View:
    """Both halves of a picture, ``limited`` or ``full``, and what was found in them; for several threads."""

    def __init__(self, halves: tuple[Picture, Picture], colour_range: str) -> None:
        self.halves, self.colour_range = halves, colour_range
        self._seen: dict[int, Seen] = {}
        self._looking = Lock()

    @property
    def levels(self) -> tuple[float, float]:
        """Code values of black and white."""
        black, white, _ = LEVELS[self.colour_range]
        return float(black), float(white)

    def seen(self, half: int, finder: Finder, *, person: bool) -> Seen:
        """What a half shows: the face, and the person if asked; by the same finder whoever asks."""
        with self._looking:
            known = self._seen.get(half)
            if known is None or (person and known.person is None):
                known = finder(self.halves[half], *self.levels, person=person, known=known)
                self._seen[half] = known
            return known if person else replace(known, person=None)


class Views:
    """The latest views by what they were decoded from."""

    def __init__(self) -> None:
        self._kept: dict[bytes, View] = {}
        self._changing = Lock()

    def of(self, key: bytes, decoded: Callable[[], View]) -> View:
        """The view that is kept under `key`, or else the one that `decoded` gives."""
        with self._changing:
            kept = self._kept.get(key)
        if kept is not None:
            return kept
        made = decoded()
        with self._changing:
            kept = self._kept.setdefault(key, made)
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return kept
