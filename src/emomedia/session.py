"""session.toml: what the user says about one recording of two actors.

Nothing here opens a media file; :mod:`emomedia.probe` finds out what the files are.  Times are exact
(:class:`fractions.Fraction`), in seconds on the session clock.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .descriptions import file_name, seconds_text, show, stretch_text, wrong
from .errors import DescriptionError, MediaNotFoundError
from .files import complaint, is_utf8, read_small

if TYPE_CHECKING:
    from .schema import CropTable, DialogueTable, MicTable, SessionTable, SideTable

SideName = Literal["left", "right"]

MAX_BYTES = 1 << 20
"""Bytes that a session.toml may have: thousands of dialogues."""

SHORTEST = Fraction(1, 1_000_000)
"""Seconds that a dialogue, a turn or an excluded stretch lasts at the least."""

SIDES: tuple[SideName, SideName] = ("left", "right")

RESERVED_IDS = ("clips.parquet", "report.html")
"""Names in an output folder that no session's folder can have."""


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
        """`path` as the description has it: relative to its folder, unless it was given as absolute."""
        folder = self.path.parent
        return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()

    def meaning(self) -> dict[str, Any]:
        """What the description says, however it is written: values for JSON, by session.toml's keys."""
        return {
            "id": self.id,
            "left": self._side_meaning(self.left),
            "right": self._side_meaning(self.right),
            "dialogue": [self._dialogue_meaning(dialogue) for dialogue in self.dialogues],
            "exclude": [[str(start), str(end)] for start, end in self.excluded],
            "script": [self.written(file) for file in self.script],
        }

    def _side_meaning(self, side: Side) -> dict[str, Any]:
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

    def _dialogue_meaning(self, dialogue: Dialogue) -> dict[str, Any]:
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


def load_session(path: Path) -> Session:
    """Read and check the description at `path`.

    Raises
    ------
    DescriptionError
        The description is not TOML, or says something impossible.
    MediaNotFoundError
        The description, or a file that it names, is not there.
    """
    from .schema import SessionTable, validate

    path = Path(path)
    _check_name(path)
    table = validate(SessionTable, _toml(path), path)
    session = _session(table, path.absolute())
    _check_session_id(session, path)
    _check_sides(session, path, table.left.offset)
    dialogues = [dialogue_from(entry, session.path.parent) for entry in table.dialogue]
    check_dialogues(dialogues, path, "dialogue")
    for number, entry in enumerate(table.exclude):
        check_range(entry.start, entry.end, path, ["exclude", number])
    _check_excluded(session.excluded, dialogues, path)
    _check_files(session)
    return session


def with_lut(session: Session, lut: Path | None) -> Session:
    """`session` with the table `lut` for the sides that name none."""
    if lut is None:
        return session
    left, right = (
        replace(session.side(name), lut=session.side(name).lut or lut.absolute()) for name in SIDES
    )
    return replace(session, left=left, right=right)


def _check_name(path: Path) -> None:
    """libav takes names in UTF-8 alone; a folder's name is in the path of all media in it."""
    if not is_utf8(path.absolute()):
        raise wrong(
            path, "", expected="a path in UTF-8", found="another encoding", remedy="rename its folder"
        )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small(path, MAX_BYTES).decode("utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        raise MediaNotFoundError(
            path,
            expected="a session description",
            found=complaint(error),
            remedy="correct the path, or draft a description with 'emomedia init FOLDER'",
        ) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        found = str(error) if isinstance(error, ValueError) else "a number or nesting out of all bounds"
        raise wrong(
            path,
            "",
            expected="a session description, TOML in UTF-8",
            found=found,
            remedy="correct the file, or draft one with 'emomedia init FOLDER'",
        ) from None


def _session(table: SessionTable, path: Path) -> Session:
    folder = path.parent
    dialogues = (dialogue_from(entry, folder) for entry in table.dialogue)
    return Session(
        id=table.id,
        path=path,
        left=replace(_side(table.left, folder), offset=Fraction(0)),
        right=_side(table.right, folder),
        dialogues=tuple(sorted(dialogues, key=lambda dialogue: dialogue.start)),
        excluded=tuple(sorted((entry.start, entry.end) for entry in table.exclude)),
        script=tuple(folder / file for file in table.script),
    )


def _side(table: SideTable, folder: Path) -> Side:
    return Side(
        actor=table.actor,
        video=tuple(folder / file for file in table.video),
        mic=None if table.mic is None else _mic(table.mic, folder),
        rotate=table.rotate,
        crop=None if table.crop is None else _crop(table.crop),
        mic_offset=table.mic_offset,
        camera_distance=table.camera_distance,
        offset=table.offset,
        lut=None if table.lut is None else folder / table.lut,
    )


def _mic(table: MicTable, folder: Path) -> Mic:
    return Mic(folder / table.file, table.channel)


def _crop(table: CropTable) -> Crop:
    return Crop(table.x, table.y, table.width, table.height)


def dialogue_from(table: DialogueTable, folder: Path) -> Dialogue:
    """A dialogue of a description that lies in `folder`."""
    script = None if table.script is None else folder / table.script
    return Dialogue(table.id, table.start, table.end, table.topic, table.emotion, script)


def check_dialogues(dialogues: Sequence[Dialogue], source: Path, key: str) -> None:
    """Refuse dialogues that end before they start, share an id, or overlap.

    `dialogues` stand in the order of the list `key` of the description `source`.
    """
    seen: dict[str, int] = {}
    for number, dialogue in enumerate(dialogues):
        check_range(dialogue.start, dialogue.end, source, [key, number])
        name = file_name(dialogue.id)
        if name in seen:
            raise wrong(
                source,
                [key, number, "id"],
                expected="an id that nothing else has",
                found=f"{show(dialogue.id)}, as in {key}[{seen[name]}]",
                remedy="rename one of the two",
            )
        seen[name] = number
    in_time = sorted(range(len(dialogues)), key=lambda number: dialogues[number].start)
    for earlier, later in pairwise(in_time):
        if dialogues[later].start < dialogues[earlier].end:
            raise wrong(
                source,
                [key, later, "start"],
                expected=f"{seconds_text(dialogues[earlier].end)} or later, because dialogues do not overlap",
                found=f"{seconds_text(dialogues[later].start)}, within {show(dialogues[earlier].id)}",
                remedy="correct the times of the two",
            )


def check_range(start: Fraction, end: Fraction, source: Path, location: list[str | int]) -> None:
    """Refuse a stretch of time without length, or of less than outlives the rounding of stage files."""
    if end - start < SHORTEST:
        raise wrong(
            source,
            [*location, "end"],
            expected=f"a time after the start, {seconds_text(start)}",
            found=seconds_text(end),
            remedy="correct the times",
        )


def overlapping(
    start: Fraction, end: Fraction, excluded: Sequence[tuple[Fraction, Fraction]]
) -> tuple[Fraction, Fraction] | None:
    """The first of the `excluded` stretches that shares some time with ``[start, end)``."""
    return next((stretch for stretch in excluded if stretch[0] < end and start < stretch[1]), None)


def _check_excluded(
    excluded: Sequence[tuple[Fraction, Fraction]], dialogues: Sequence[Dialogue], source: Path
) -> None:
    for number, dialogue in enumerate(dialogues):
        stretch = overlapping(dialogue.start, dialogue.end, excluded)
        if stretch is not None:
            raise excluded_error(dialogue.start, dialogue.end, stretch, source, ["dialogue", number])


def excluded_error(
    start: Fraction,
    end: Fraction,
    stretch: tuple[Fraction, Fraction],
    source: Path,
    location: list[str | int],
) -> DescriptionError:
    """The error about ``[start, end)`` at `location`, of which the excluded `stretch` takes a part."""
    return wrong(
        source,
        location,
        expected="a time of which nothing is excluded",
        found=f"{stretch_text(start, end)}, while {stretch_text(*stretch)} is excluded",
        remedy="shorten it, or the [[exclude]] in session.toml",
    )


def _check_session_id(session: Session, source: Path) -> None:
    if session.id in RESERVED_IDS:
        raise wrong(
            source,
            "id",
            expected="a name that a folder of the output can have",
            found=f"{show(session.id)}, the name of a file there",
            remedy="choose another id",
        )


def _check_sides(session: Session, source: Path, declared_left_offset: Fraction | None) -> None:
    if declared_left_offset:
        raise wrong(
            source,
            "left.offset",
            expected="nothing, because the left take's first frame is time 0",
            found=seconds_text(declared_left_offset),
            remedy="remove it, and give right.offset against the left take",
        )
    for name in SIDES:
        files = [os.path.realpath(file) for file in session.side(name).video]
        twice = next((number for number, file in enumerate(files) if file in files[:number]), None)
        if twice is not None:
            raise wrong(
                source,
                [name, "video", twice],
                expected="each of the take's files once",
                found=f"{show(session.written(session.side(name).video[twice]))} again",
                remedy="remove it",
            )
    left, right = session.left.mic, session.right.mic
    if left and right and left.channel == right.channel and _same_path(left.file, right.file):
        raise wrong(
            source,
            "right.mic",
            expected="another track than left.mic",
            found=f"the same channel {right.channel} of {show(session.written(right.file))}",
            remedy="name each actor's own file or channel",
        )


def _same_path(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _check_files(session: Session) -> None:
    for name in SIDES:
        side = session.side(name)
        for file in side.video:
            _check_file(file, f"{name}.video", session)
        if side.mic is not None:
            _check_file(side.mic.file, f"{name}.mic.file", session)
        if side.lut is not None:
            _check_file(side.lut, f"{name}.lut", session)
    for file in session.script:
        _check_file(file, "script", session)
    for dialogue in session.dialogues:
        if dialogue.script is not None:
            _check_file(dialogue.script, f"the script of dialogue {dialogue.id}", session)


def _check_file(file: Path, key: str, session: Session) -> None:
    try:
        mode = file.stat().st_mode
        if stat.S_ISREG(mode):
            return
        found = "a folder" if stat.S_ISDIR(mode) else "something that is no plain file"
    except FileNotFoundError:
        found = "nothing"
    except OSError as error:
        found = complaint(error)
    raise MediaNotFoundError(
        file,
        expected=f"the file of {key} in {session.path.name}",
        found=found,
        remedy="put it there, or correct the path, which is taken from the description's folder",
    )
