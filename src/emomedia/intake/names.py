"""Which camera a file is from, and whose microphone a track is of, as far as names show it.

Several habits are known (`left.mp4`, `camA/C0003.MP4`, `A001C003.MP4`, …); the first that separates two
kinds for all files of a folder is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Literal

Side = Literal["left", "right"]

_SIDE_WORDS = {"left": "left", "l": "left", "左": "left", "right": "right", "r": "right", "右": "right"}
_SIDE = re.compile(r"(?<![a-z])(left|right|l|r)(?![a-z])|([左右])", re.IGNORECASE)
_SIDE_IN_FULL = re.compile(r"(?<![a-z])(left|right)(?![a-z])|([左右])", re.IGNORECASE)
_CAMERA = re.compile(
    r"(?<![a-z])(?:cam|camera|mic|lav|tr|track|actor|机位)[ _-]*([a-h]|\d{1,2})(?![a-z0-9])"
    r"|(?<![a-z0-9])([a-h]|\d{1,2})号?机",
    re.IGNORECASE,
)
_REEL = re.compile(r"([A-Z])\d{3}(?=[C_])")
_PREFIX = re.compile(r"[^0-9]*")


def _in_any_part(pattern: re.Pattern[str]) -> Callable[[PurePosixPath], str | None]:
    """Look for `pattern` in the file's name, then in its folders from the inside out."""

    def find(path: PurePosixPath) -> str | None:
        for part in (path.stem, *reversed(path.parent.parts)):
            found = pattern.search(part)
            if found is not None:
                return next(group for group in found.groups() if group).lower()
        return None

    return find


def _side_in(pattern: re.Pattern[str]) -> Callable[[PurePosixPath], str | None]:
    find = _in_any_part(pattern)
    return lambda path: _SIDE_WORDS.get(find(path) or "")


def _reel(path: PurePosixPath) -> str | None:
    found = _REEL.match(path.name)
    return None if found is None else found[1]


def _folder_at(depth: int) -> Callable[[PurePosixPath], str | None]:
    """The name of the folder `depth` levels above the file's own."""

    def find(path: PurePosixPath) -> str | None:
        names = path.parent.parts[::-1]
        return names[depth] if depth < len(names) else None

    return find


def _prefix(path: PurePosixPath) -> str:
    found = _PREFIX.match(path.stem)
    return found[0].lower() if found else ""


_IN_FULL = _side_in(_SIDE_IN_FULL)
_SAID = "the words left and right in the names"
_HABITS: tuple[tuple[str, Callable[[PurePosixPath], str | None]], ...] = (
    (_SAID, _side_in(_SIDE)),
    (_SAID, _IN_FULL),
    ("the cameras' numbers or letters in the names", _in_any_part(_CAMERA)),
    ("the reels' letters", _reel),
    ("the folders", _folder_at(0)),
    ("the folders", _folder_at(1)),
    ("the folders", _folder_at(2)),
    ("the beginnings of the names", _prefix),
    ("the order of the names", lambda path: path.as_posix()),
)


def distinguish_sides(paths: Sequence[PurePosixPath]) -> tuple[dict[PurePosixPath, Side], str] | None:
    """The side of each of `paths`, and what it was recognised by; None if no habit separates two kinds.

    What comes first in order (A, 1, left) is the left one.  Where some names say left and right in full,
    files that say neither have no side.
    """
    for reason, habit in _HABITS:
        keys = {path: habit(path) for path in paths}
        kinds = sorted({key for key in keys.values() if key is not None}, key=natural)
        if len(kinds) == 2 and (None not in keys.values() or habit is _IN_FULL):
            sides: dict[PurePosixPath, Side] = {
                path: "left" if key == kinds[0] else "right" for path, key in keys.items() if key is not None
            }
            return sides, reason
    return None


def natural(text: str) -> list[tuple[int, str]]:
    """A key to sort names as people do: `C9` before `C10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", text)]
