"""The sessions of a batch (by a list, a pattern or a folder), and what they depend on."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..descriptions import description_error, file_name, show
from ..errors import DescriptionError, EmomediaError
from ..files import error_text, read_small
from ..options import Options
from ..scripts import script_files
from ..session import SIDES, Session, with_lut
from ..session_file import load_session
from ..stages import MAX_BYTES, digest

DESCRIPTION_NAME = "session.toml"

SHARED_FILES = ("lut", "asr_model", "profile", "face_model", "person_model")
"""Options that name a file or folder for all sessions."""

_PATTERN = "*?["


@dataclass(frozen=True, slots=True)
class Entry:
    """One session of a batch.

    Attributes
    ----------
    path : Path
        Its description, absolute.
    id : str
        Its own, or the description's path where it cannot be read.
    options : Options
        The batch's, with what is taken from the description's folder.
    inputs : str
        Digest of what a session's failure may depend on: the description; sizes and times of its media,
        scripts and tables; the options and the files that they name; the version.
    media_bytes : int
        What its media files hold together.
    dialogues : tuple of str
        Ids of the dialogues that are described.
    error : EmomediaError or None
        Why it cannot be begun.
    """

    path: Path
    id: str
    options: Options
    inputs: str
    media_bytes: int = 0
    error: EmomediaError | None = field(default=None, compare=False)
    dialogues: tuple[str, ...] = ()


def descriptions(what: Iterable[str], note: Callable[[str], None] = lambda _: None) -> list[Path]:
    """The descriptions that `what` names, each once, in their order.

    Each of `what` is a session.toml, a folder with such files below it, a text file with one of these a
    line, or a pattern: what the shell would have made of it.  Folders that cannot be read are noted.

    Raises
    ------
    DescriptionError
        Something names none.
    """
    found: dict[Path, None] = {}
    for text in what:
        named = _named(text, Path(), note)
        if not named:
            raise DescriptionError(
                text,
                expected=f"a {DESCRIPTION_NAME}, a list of them, a folder or a pattern",
                found="no session",
                remedy="correct the path, or draft descriptions with 'emomedia init FOLDER'",
            )
        found |= dict.fromkeys(path.absolute() for path in named)
    return list(found)


def _named(text: str, base: Path, note: Callable[[str], None], *, listed: bool = False) -> list[Path]:
    path = base / text
    if path.is_dir():
        return _below(path, note)
    if path.suffix == ".toml" and not any(letter in text for letter in _PATTERN):
        return [path]
    if path.is_file() and not listed:
        return _listed(path, note)
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
    return [one for match in matches for one in (_below(match, note) if match.is_dir() else [match])]


def _below(folder: Path, note: Callable[[str], None]) -> list[Path]:
    """The descriptions in `folder` and below it."""

    def unreadable(error: OSError) -> None:
        note(f"{error.filename}: {error_text(error)}; not searched for sessions")

    walked = os.walk(folder, onerror=unreadable)
    return sorted(Path(where, DESCRIPTION_NAME) for where, _, names in walked if DESCRIPTION_NAME in names)


def _listed(path: Path, note: Callable[[str], None]) -> list[Path]:
    """A list's paths are taken from its own folder; what follows a ``#`` is a comment."""
    try:
        text = read_small(path, MAX_BYTES).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise description_error(
            path,
            "",
            expected="a list of session.toml files in UTF-8",
            found=error_text(error),
            remedy="correct the file",
        ) from None
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    return [
        one for line in named for one in _named(line, path.parent, note, listed=True) or [path.parent / line]
    ]


def entries(paths: Iterable[Path], options: Options) -> list[Entry]:
    """Each session without opening its media; the later of two with the same id is refused."""
    found: list[Entry] = []
    first: dict[str, Path] = {}
    for path in paths:
        entry = _entry(path, _local(options, path))
        name = file_name(entry.id)
        if entry.error is None and name in first:
            error = description_error(
                path,
                "id",
                expected="an id that no other session of the batch has",
                found=f"{show(entry.id)}, as in {first[name]}",
                remedy="rename one of the two",
            )
            entry = _failed(path, entry.options, error)
        first.setdefault(name, path)
        found.append(entry)
    return found


def refuse_taken(found: Iterable[Entry], out: Path, paths: Mapping[str, str | None]) -> list[Entry]:
    """`found`, with those refused whose id belongs to another session in `out`.

    `paths` has for the ids that a batch has had in `out` the description's path.
    """
    return [_refused(entry, out, paths.get(entry.id)) for entry in found]


def _refused(entry: Entry, out: Path, path: str | None) -> Entry:
    """Two descriptions are of one session if one was moved, or both name the same media file or a copy."""
    if path in (None, str(entry.path)) or not (out / entry.id).exists():
        return entry
    try:
        mine, other = load_session(entry.path), load_session(Path(path))
    except EmomediaError:
        return entry
    if other.id != entry.id or _states(mine) & _states(other):
        return entry
    error = description_error(
        entry.path,
        "id",
        expected=f"an id that no other session in {out} has",
        found=f"{show(entry.id)}, as in {path}",
        remedy=f"rename one of the two, choose another --out, or delete {out / entry.id}",
    )
    return _failed(entry.path, entry.options, error)


def shared_ids(found: Iterable[Entry]) -> list[str]:
    """Notes on dialogues with the same id in several sessions: an export names its files by these ids."""
    sessions: dict[str, list[str]] = {}
    for entry in found:
        for dialogue in entry.dialogues:
            sessions.setdefault(dialogue, []).append(entry.id)
    shared = {dialogue: ids for dialogue, ids in sessions.items() if len(ids) > 1}
    if not shared:
        return []
    dialogue, ids = min(shared.items())
    return [
        f"{len(shared)} dialogues have an id that another session uses too, such as {dialogue} in "
        f"{' and '.join(ids[:2])}; they cannot be exported together"
    ]


def _local(options: Options, path: Path) -> Options:
    """A relative ``--turns`` is each session's own file."""
    return options if options.turns is None else replace(options, turns=path.parent / options.turns)


def _entry(path: Path, options: Options) -> Entry:
    try:
        session = with_lut(load_session(path), options.lut)
    except EmomediaError as error:
        return _failed(path, options, error)
    media, others = (
        [file_state(file) for file in files] for files in (_media(session), _others(session, options))
    )
    inputs = digest(session.canonical(), media, others, _shown(options), __version__)
    size, dialogues = sum(size for size, _ in media), tuple(dialogue.id for dialogue in session.dialogues)
    return Entry(path, session.id, options, inputs, size, dialogues=dialogues)


def _failed(path: Path, options: Options, error: EmomediaError) -> Entry:
    return Entry(path, str(path), options, digest(str(error), _shown(options), __version__), error=error)


def _shown(options: Options) -> list[Any]:
    """The options that can show in the output."""
    hidden = ("workers", "device")
    names = [name for name in type(options).__slots__ if name not in hidden]
    shown = {name: str(getattr(options, name)) for name in names} | {"layout": sorted(options.layout)}
    return [[name, shown[name]] for name in names]


def _media(session: Session) -> list[Path]:
    sides = [session.side(name) for name in SIDES]
    mics = [side.mic.file for side in sides if side.mic is not None]
    return [file for side in sides for file in side.video] + mics


def _others(session: Session, options: Options) -> list[Path]:
    """Other files that a session may fail for: its scripts and tables, and those that the options name."""
    luts = [session.side(name).lut for name in SIDES]
    named = [options.turns, options.profile, options.face_model, options.person_model, *luts]
    model = [] if options.asr_model is None else sorted(options.asr_model.glob("*"))
    return [file for file in (*named, *model) if file is not None] + list(script_files(session))


def _states(session: Session) -> set[tuple[int, int]]:
    return {file_state(file) for file in _media(session)} - {(0, 0)}


def file_state(file: Path) -> tuple[int, int]:
    """Size and time of a file, which show whether it was changed; zeros if there is none."""
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
