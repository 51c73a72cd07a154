"""Reading session.toml: gives a :class:`emomedia.session.Session`, or an error about the first mistake.

No media file is opened here, but each one named must exist.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .descriptions import description_error, seconds_text, show
from .errors import MediaNotFoundError
from .files import error_text, is_utf8, read_small
from .session import SIDES, Crop, Dialogue, Mic, Session, Side
from .stretches import check_dialogues, check_range, excluded_error, overlapping

if TYPE_CHECKING:
    from .schema.tables import CropTable, DialogueTable, MicTable, SessionTable, SideTable

MAX_BYTES = 1 << 20
"""Bytes that a session.toml may have: thousands of dialogues."""

RESERVED_IDS = ("clips.parquet", "report.html")
"""Names in an output folder that no session's folder can have."""


def load_session(path: Path) -> Session:
    """Read and check the description at `path`.

    Raises
    ------
    DescriptionError
        The description is not TOML, or says something impossible.
    MediaNotFoundError
        The description, or a file that it names, is not there.
    """
    from .schema.tables import SessionTable
    from .schema.validation import validate

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


def _check_name(path: Path) -> None:
    """libav accepts only names in UTF-8; a folder's name is part of the path of all media in it."""
    if not is_utf8(path.absolute()):
        raise description_error(
            path, "", expected="a path in UTF-8", found="another encoding", remedy="rename its folder"
        )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small(path, MAX_BYTES).decode("utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        raise MediaNotFoundError(
            path,
            expected="a session description",
            found=error_text(error),
            remedy="correct the path, or draft a description with 'emomedia init FOLDER'",
        ) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        found = str(error) if isinstance(error, ValueError) else "a number or nesting out of all bounds"
        raise description_error(
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


def _check_excluded(
    excluded: Sequence[tuple[Fraction, Fraction]], dialogues: Sequence[Dialogue], source: Path
) -> None:
    for number, dialogue in enumerate(dialogues):
        stretch = overlapping(dialogue.start, dialogue.end, excluded)
        if stretch is not None:
            raise excluded_error(dialogue.start, dialogue.end, stretch, source, ["dialogue", number])


def _check_session_id(session: Session, source: Path) -> None:
    if session.id in RESERVED_IDS:
        raise description_error(
            source,
            "id",
            expected="a name that is free for a folder in the output",
            found=f"{show(session.id)}, the name of a file there",
            remedy="choose another id",
        )


def _check_sides(session: Session, source: Path, declared_left_offset: Fraction | None) -> None:
    if declared_left_offset:
        raise description_error(
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
            raise description_error(
                source,
                [name, "video", twice],
                expected="each of the take's files once",
                found=f"{show(session.written(session.side(name).video[twice]))} again",
                remedy="remove it",
            )
    left, right = session.left.mic, session.right.mic
    if left and right and left.channel == right.channel and _same_path(left.file, right.file):
        raise description_error(
            source,
            "right.mic",
            expected="a different track from left.mic",
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
        found = "a folder" if stat.S_ISDIR(mode) else "something that is not a regular file"
    except FileNotFoundError:
        found = "nothing"
    except OSError as error:
        found = error_text(error)
    raise MediaNotFoundError(
        file,
        expected=f"the file of {key} in {session.path.name}",
        found=found,
        remedy="put it there, or correct the path, which is relative to the description's folder",
    )
