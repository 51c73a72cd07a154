"""A session as described: one recording of two actors, with their takes, tracks and dialogues.

:mod:`emomedia.session_file` reads the description; :mod:`emomedia.probe` finds out what the media are.
Times are exact (:class:`fractions.Fraction`), in seconds on the session clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

SideName = Literal["left", "right"]

SIDES: tuple[SideName, SideName] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of a take's upright picture, in luma pixels; `x`, `y` is its top left."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Mic:
    """Where a track is recorded: a file and the number of its channel, counted from zero."""

    file: Path
    channel: int


@dataclass(frozen=True, slots=True)
class Side:
    """One actor: the take, the track, and what the user fixed instead of leaving it to be found.

    Attributes
    ----------
    video : tuple of Path
        The take's files in order.
    mic : Mic or None
        None: the track is the take's own sound.
    rotate : int or None
        Degrees clockwise to upright, 0, 90, 180 or 270; None: as the file's display matrix says.
    crop : Crop or None
        None: the largest 8:9, centred.
    mic_offset : Fraction or None
        Seconds on the session clock of the track's first sample, if declared.
    camera_distance : Fraction
        Metres from mouth to camera.
    offset : Fraction or None
        Seconds on the session clock of the take's first frame, if declared; zero for the left one.
    lut : Path or None
        A .cube file that brings the take's colours (camera log, HLG, PQ) to Rec. 709.
    """

    actor: str
    video: tuple[Path, ...]
    mic: Mic | None = None
    rotate: int | None = None
    crop: Crop | None = None
    mic_offset: Fraction | None = None
    camera_distance: Fraction = Fraction(0)
    offset: Fraction | None = None
    lut: Path | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One improvised scene, ``[start, end)`` in seconds on the session clock."""

    id: str
    start: Fraction
    end: Fraction
    topic: str | None = None
    emotion: str | None = None
    script: Path | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session as described.

    Attributes
    ----------
    path : Path
        The description's own path, absolute; relative media paths are taken from its folder.
    dialogues : tuple of Dialogue
        In order of start; empty when they are to be found from the sound.
    excluded : tuple of (start, end)
        Stretches that are never cut and never shown, in order of start; they may overlap.
    script : tuple of Path
        Files with the lines of the whole session, in the order in which its scenes are played.
    """

    id: str
    path: Path
    left: Side
    right: Side
    dialogues: tuple[Dialogue, ...] = ()
    excluded: tuple[tuple[Fraction, Fraction], ...] = ()
    script: tuple[Path, ...] = ()

    def side(self, name: str) -> Side:
        """The side called `name`, ``left`` or ``right``."""
        return {"left": self.left, "right": self.right}[name]

    def written(self, path: Path) -> str:
        """`path` as in the description: relative to its folder, unless it was given as absolute."""
        folder = self.path.parent
        return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()

    def canonical(self) -> dict[str, Any]:
        """The description's content, however it is written: values for JSON, by session.toml's keys."""
        return {
            "id": self.id,
            "left": self._canonical_side(self.left),
            "right": self._canonical_side(self.right),
            "dialogue": [self._canonical_dialogue(dialogue) for dialogue in self.dialogues],
            "exclude": [[str(start), str(end)] for start, end in self.excluded],
            "script": [self.written(file) for file in self.script],
        }

    def _canonical_side(self, side: Side) -> dict[str, Any]:
        crop = side.crop
        return {
            "actor": side.actor,
            "video": [self.written(file) for file in side.video],
            "mic": None if side.mic is None else [self.written(side.mic.file), side.mic.channel],
            "rotate": side.rotate,
            "crop": None if crop is None else [crop.x, crop.y, crop.width, crop.height],
            "mic_offset": _exact(side.mic_offset),
            "camera_distance": _exact(side.camera_distance),
            "offset": _exact(side.offset),
            "lut": None if side.lut is None else self.written(side.lut),
        }

    def _canonical_dialogue(self, dialogue: Dialogue) -> dict[str, Any]:
        return {
            "id": dialogue.id,
            "start": _exact(dialogue.start),
            "end": _exact(dialogue.end),
            "topic": dialogue.topic,
            "emotion": dialogue.emotion,
            "script": None if dialogue.script is None else self.written(dialogue.script),
        }


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def with_lut(session: Session, lut: Path | None) -> Session:
    """`session` with the table `lut` for the sides that name none."""
    if lut is None:
        return session
    left, right = (
        replace(session.side(name), lut=session.side(name).lut or lut.absolute()) for name in SIDES
    )
    return replace(session, left=left, right=right)
