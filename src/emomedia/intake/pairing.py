"""From a folder's camera and recorder files to sessions: pure decisions, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Literal

from ..errors import MediaNotFoundError
from ..session import SIDES, SideName
from .names import distinguish_sides, natural

JOIN_GAP = 2.5
"""Seconds between the end of a camera's file and the start of its next one that make them one take.

File systems and containers keep times to a second or two; nobody stops and starts a camera so fast.
"""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file as far as pairing goes.

    Attributes
    ----------
    path : PurePosixPath
        Relative to the folder that is looked through.
    start : float
        When it was begun, in seconds since 1970 (UTC), by its metadata or else its date.
    seconds : float
        How long it is.
    channels : int
        Of its sound; 0 without.
    """

    path: PurePosixPath
    kind: Literal["camera", "recorder"]
    start: float
    seconds: float
    channels: int

    @property
    def end(self) -> float:
        return self.start + self.seconds


Recording = tuple[MediaFile, ...]
"""One camera's files of one take, in order."""


@dataclass(slots=True)
class Draft:
    """A session as it was guessed."""

    id: str
    takes: dict[SideName, Recording]
    mics: dict[SideName, tuple[MediaFile, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Paired:
    """The sessions of a folder, and notes on files that none of them uses."""

    drafts: tuple[Draft, ...]
    left_over: tuple[str, ...]


def pair(files: Sequence[MediaFile], folder: str) -> Paired:
    """Guess the sessions in `files`.

    Raises
    ------
    MediaNotFoundError
        If there are not two cameras' files.
    """
    cameras = [file for file in files if file.kind == "camera"]
    sides = distinguish_sides([file.path for file in cameras])
    if sides is None:
        raise MediaNotFoundError(
            folder,
            expected="files of two cameras, distinguished by their names or folders",
            found=_names(cameras) or "none",
            remedy="put 'left' and 'right' into the files' or folders' names, or write session.toml by hand",
        )
    side_of, reason = sides
    takes = {side: recordings(file for file in cameras if side_of.get(file.path) == side) for side in SIDES}
    pairs, matched_by, unpaired = match(takes["left"], takes["right"])
    if not pairs:
        raise MediaNotFoundError(
            folder,
            expected="takes of two cameras at the same time",
            found=f"{len(takes['left'])} of one and {len(takes['right'])} of the other that share none",
            remedy="correct the files' dates, or put each session's files into a folder and draft each alone",
        )
    drafts = _drafts(pairs, [f"left and right were told apart by {reason}", matched_by])
    unused = _assign_recorders(drafts, [file for file in files if file.kind == "recorder"])
    left_over = [f"{_names(recording)}: no take of the other camera at that time" for recording in unpaired]
    left_over += [
        f"{file.path}: neither 'left' nor 'right' in its name" for file in cameras if file.path not in side_of
    ]
    left_over += [f"{file.path}: no session at that time, or none that needs it" for file in unused]
    return Paired(tuple(drafts), tuple(left_over))


def recordings(files: Iterable[MediaFile]) -> list[Recording]:
    """One camera's files as takes: those that follow each other without a pause belong together."""
    ordered = sorted(files, key=lambda file: (file.start, natural(file.path.as_posix())))
    found: list[Recording] = []
    for file in ordered:
        if found and file.start - found[-1][-1].end <= JOIN_GAP:
            found[-1] = (*found[-1], file)
        else:
            found.append((file,))
    return [in_order(take) for take in found]


def in_order(recording: Recording) -> Recording:
    """In order of time; by name if files claim the same time, so that their dates mean little."""
    if any(later.start < earlier.end - JOIN_GAP for earlier, later in pairwise(recording)):
        return tuple(sorted(recording, key=lambda file: natural(file.path.as_posix())))
    return recording


def match(
    left: Sequence[Recording], right: Sequence[Recording]
) -> tuple[list[tuple[Recording, Recording]], str, list[Recording]]:
    """Pair the takes of two cameras; also by what, and the takes without a partner.

    By the time that they share, the longest first.  Where none share any although there are as many on both
    sides, the cameras' clocks disagree, and their order counts.
    """
    shared = sorted(
        (-_common(one, other), i, j) for i, one in enumerate(left) for j, other in enumerate(right)
    )
    partner: dict[int, int] = {}
    for missing, i, j in shared:
        if missing < 0 and i not in partner and j not in partner.values():
            partner[i] = j
    if len(left) == len(right) and not partner:
        return list(zip(left, right, strict=True)), "takes are paired in order, for the clocks disagree", []
    pairs = [(left[i], right[j]) for i, j in sorted(partner.items())]
    unpaired = [take for i, take in enumerate(left) if i not in partner]
    unpaired += [take for j, take in enumerate(right) if j not in partner.values()]
    return pairs, "takes are paired by the time that they share", unpaired


def _common(one: Recording, other: Recording) -> float:
    """Seconds that two recordings share."""
    return min(max(f.end for f in one), max(f.end for f in other)) - max(one[0].start, other[0].start)


def _drafts(pairs: Sequence[tuple[Recording, Recording]], notes: Sequence[str]) -> list[Draft]:
    drafts: list[Draft] = []
    for left, right in sorted(pairs, key=lambda takes: takes[0][0].start):
        day = day_of(left[0].start)
        number = sum(draft.id.startswith(day) for draft in drafts) + 1
        draft = Draft(f"{day}_s{number:02d}", {"left": left, "right": right}, notes=list(notes))
        later = right[0].start - left[0].start
        draft.notes.append(
            f"by the files' dates the right camera began {abs(later):.0f} s "
            f"{'after' if later >= 0 else 'before'} the left one; sync finds the exact offset from the sound"
        )
        drafts.append(draft)
    return drafts


def day_of(seconds: float) -> str:
    """The day of a time since 1970 as ids have it: ``250418``; zeros for a date beyond the calendar."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%y%m%d}"
    except (ValueError, OverflowError, OSError):
        return "000000"


def _assign_recorders(drafts: Sequence[Draft], recorders: Sequence[MediaFile]) -> list[MediaFile]:
    """Give each session its tracks; returns the files that no session took."""
    taken: set[PurePosixPath] = set()
    for draft in drafts:
        present = recorders
        if len(drafts) > 1:
            present = [file for file in recorders if _common(draft.takes["left"], (file,)) > 0]
        draft.mics, why = _mics(present, draft)
        draft.notes.append(why)
        taken |= {file.path for file, _ in draft.mics.values()}
    return [file for file in recorders if file.path not in taken]


def _mics(files: Sequence[MediaFile], draft: Draft) -> tuple[dict[SideName, tuple[MediaFile, int]], str]:
    """The tracks among the recorder's `files`: two mono files, or two channels of one."""
    mono = [file for file in files if file.channels == 1]
    sides = distinguish_sides([file.path for file in mono])
    if sides is not None:
        side_of, reason = sides
        mics: dict[SideName, tuple[MediaFile, int]] = {}
        for file in sorted(mono, key=lambda file: (-_common(draft.takes["left"], (file,)), file.path)):
            if file.path in side_of:
                mics.setdefault(side_of[file.path], (file, 0))
        return mics, f"the microphones were told apart by {reason}"
    several = [file for file in files if file.channels > 1]
    if several:
        longest = max(several, key=lambda file: _common(draft.takes["left"], (file,)))
        return {"left": (longest, 0), "right": (longest, 1)}, "channel 0 is taken for the left microphone"
    return {}, "no recorder was found: the cameras' own sound is used"


def _names(files: Sequence[MediaFile]) -> str:
    shown = [file.path.as_posix() for file in files]
    return ", ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
