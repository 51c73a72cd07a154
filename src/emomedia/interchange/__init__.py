"""Turns for people and other tools: Praat, ELAN, players, scoring; and back from Praat and ELAN."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from .. import stages
from ..descriptions import description_error, file_name, show
from ..errors import MediaNotFoundError, OutputError, StageError
from ..files import error_text, read_small, write_bytes
from ..layout import SessionFolder
from ..session import SIDES, Session
from ..turns import TurnsFile, parse_turns
from . import eaf, emodialog, rttm, subtitles, textgrid
from .corrected import from_tiers
from .tiers import to_tiers

MAX_BYTES = 64 << 20
"""Bytes that a file corrected by hand may have."""


@dataclass(frozen=True)
class Exported:
    """What of a session is exported.

    Attributes
    ----------
    clip_starts : mapping
        Seconds on the session clock at which the clips that were cut begin, by id.
    media : tuple of Media
        The takes.
    """

    turns: TurnsFile
    clip_starts: Mapping[str, Fraction] = field(default_factory=dict)
    media: tuple[eaf.Media, ...] = ()


Writer = Callable[[Exported], Iterator[tuple[str, str]]]
"""Gives names and texts of the files of one session; names are relative, of ids alone."""


def _textgrid(what: Exported) -> Iterator[tuple[str, str]]:
    yield f"{what.turns.session}.TextGrid", textgrid.write(to_tiers(what.turns, textgrid.TICK))


def _eaf(what: Exported) -> Iterator[tuple[str, str]]:
    yield f"{what.turns.session}.eaf", eaf.write(to_tiers(what.turns, eaf.TICK), what.media)


def _rttm(what: Exported) -> Iterator[tuple[str, str]]:
    yield f"{what.turns.session}.rttm", rttm.write(what.turns)


def _subtitles(name: str, write: Callable[..., str]) -> Writer:
    """One file on the session clock, and one for each dialogue's clip, beginning with it."""

    def files(what: Exported) -> Iterator[tuple[str, str]]:
        yield f"{what.turns.session}.{name}", write(what.turns.turns)
        for dialogue in what.turns.dialogues:
            zero = what.clip_starts.get(dialogue.id)
            if zero is not None:
                yield f"clips/{dialogue.id}.{name}", write(what.turns.turns_of.get(dialogue.id, []), zero)

    return files


def _emodialog(what: Exported) -> Iterator[tuple[str, str]]:
    for dialogue in what.turns.dialogues:
        body = emodialog.dialogue_body(what.turns, dialogue)
        yield f"{dialogue.id}.json", json.dumps(body, ensure_ascii=False, indent=1) + "\n"


WRITERS: dict[str, Writer] = {
    "textgrid": _textgrid,
    "eaf": _eaf,
    "rttm": _rttm,
    "srt": _subtitles("srt", subtitles.srt),
    "vtt": _subtitles("vtt", subtitles.vtt),
    "emodialog-json": _emodialog,
}
"""By format; each writes the files of one session."""


def export(sessions: Iterable[SessionFolder], form: str, to: Path) -> list[Path]:
    """Write sessions' turns in a format of :data:`WRITERS` below the folder `to`; which files it wrote.

    Raises
    ------
    MediaNotFoundError
        A session has no turns yet.
    OutputError
        Two sessions have dialogues of the same name, so that one's file would replace the other's.
    """
    written: dict[str, Path] = {}
    for folder in sessions:
        for name, text in WRITERS[form](exported(folder)):
            if file_name(name) in written:
                raise OutputError(
                    to / name,
                    expected="a name that no file of another session has",
                    found=f"it again in session {show(folder.session)}",
                    remedy="export one session at a time, OUT/<session>, each into a folder of its own",
                )
            write_bytes(to / name, text.encode())
            written[file_name(name)] = to / name
    return list(written.values())


def exported(folder: SessionFolder) -> Exported:
    """What a session's folder holds for an export; clips and takes as far as they are known yet."""
    from ..dataset.audit import read_rows

    path = folder.stage("turns")
    turns = parse_turns(stages.read(path), path)
    starts = {
        row["id"]: Fraction(row["first_frame"]) / Fraction(row["fps"]) for row in read_rows(folder.audit)
    }
    return Exported(turns, starts, tuple(_takes(folder)))


def _takes(folder: SessionFolder) -> Iterator[eaf.Media]:
    """The first file of each take that runs already when the session begins, with the time it shows then."""
    try:
        probe, sync = (stages.read(folder.stage(name)) for name in ("session", "sync"))
    except (MediaNotFoundError, StageError):
        return
    for side in SIDES:
        try:
            path, offset = probe[side]["take"]["files"][0]["path"], sync[side]["take"]["offset"]
            origin = -round(float(offset) * 1000)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            continue
        if isinstance(path, str) and origin >= 0:
            yield eaf.Media(path, origin)


_READERS: dict[str, tuple[Callable[[bytes, Path], list[Any]], Fraction]] = {
    ".eaf": (eaf.read, eaf.TICK),
    ".textgrid": (textgrid.read, textgrid.TICK),
}


def read_body(path: Path, session: Session) -> dict[str, Any]:
    """The turns.json that a file given by the user is, or stands for: .json, .eaf or .TextGrid.

    Raises
    ------
    MediaNotFoundError, StageError, DescriptionError
        It isn't there, is too large, or not what its name says.
    """
    if path.suffix.lower() not in _READERS:
        try:
            return stages.read(path)
        except StageError as error:  # the file is the user's: nothing makes it again
            raise StageError(
                path,
                expected=error.expected,
                found=error.found,
                remedy="correct the file, or its path",
            ) from None
    read, tick = _READERS[path.suffix.lower()]
    try:
        data = read_small(path, MAX_BYTES)
    except FileNotFoundError as error:
        raise MediaNotFoundError(
            path, expected="a file with turns", found="nothing", remedy="correct the path"
        ) from error
    except (OSError, ValueError) as error:
        raise description_error(
            path, "", expected="a file of Praat or ELAN", found=error_text(error), remedy="correct the path"
        ) from None
    return stages.as_read(from_tiers(read(data, path), tick, path, session))
