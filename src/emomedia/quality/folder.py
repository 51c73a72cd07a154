"""`emomedia check`: the check stage for sessions whose clips are there, one after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .. import stages
from ..dataset.audit import Row
from ..dataset.index import audits, write_index
from ..errors import BatchError, DescriptionError, EmomediaError, MediaNotFoundError, StageError
from ..files import locked
from ..layout import SessionFolder
from ..observer import Notes, Observer
from ..options import Options
from ..probe import from_body as probe_from_body
from ..session import Session
from ..session_file import load_session
from ..sync import clocks
from .declared import declared_ms
from .measure import Tools
from .profile import Rule, read_profile
from .stage import CheckResult, check_session


def check_folder(what: Path, out: Path | None, options: Options, observer: Observer) -> list[Row]:
    """Check the clips of an output folder, or those in `out` of the session that `what` describes.

    Returns
    -------
    list of dict
        `id`, `keep` and `reasons` of every clip, as the audits have them now: all of a large folder's rows
        would not fit into memory.  The index is rebuilt.

    Raises
    ------
    DescriptionError
        The profile or the session's description is wrong, or it is not said where the clips are.
    MediaNotFoundError
        There are no clips.
    MissingToolError, UnsupportedMediaError
        A model cannot be run, or is none.
    OutputBusyError, MediaError, StageError, OutputError
        Another process works on the session, or its clips or files cannot be read or written.
    BatchError
        So it is for some of several sessions; the others are checked.
    """
    rules = read_profile(options.profile)
    tools = replace(Tools.found(options.face_model, options.person_model), keeps=True)
    session = None if out is None or what.is_dir() else load_session(what)
    folders = _folders(what, out, session)
    rows: list[Row] = []
    failed: list[EmomediaError] = []
    notes = Notes(observer.note)
    try:
        for folder in folders:
            observer.stage_begins("check")
            try:
                result = _checked(folder, session, rules, tools, options, observer)
            except EmomediaError as error:
                failed.append(error)
                continue
            for note in result.notes:
                notes.add(folder.session, note)
            rows += [{key: row[key] for key in ("id", "keep", "reasons")} for row in result.rows]
        notes.finish()
    finally:  # also of a check that was interrupted: the audits have changed
        with suppress(*[StageError for _ in failed[:1]]):  # of a broken audit, which is reported below
            write_index(folders[0].out)
    _refuse_failed(failed, folders, observer)
    return rows


def _checked(
    folder: SessionFolder,
    session: Session | None,
    rules: tuple[Rule, ...],
    tools: Tools,
    options: Options,
    observer: Observer,
) -> CheckResult:
    folder.refuse_foreign()
    with locked(folder.path):
        try:
            return check_session(
                folder,
                rules,
                tools,
                options.worker_count,
                lambda done, total: observer.progress("check", done, total),
                None if session is None else _find_declared(folder, session),
            )
        finally:
            shutil.rmtree(folder.sound, ignore_errors=True)


def _find_declared(folder: SessionFolder, session: Session) -> Callable[[], Mapping[str, float]]:
    """As in a run: how far what is declared lies from what the sound of the session's media says."""

    def find() -> dict[str, float]:
        probe, sync = folder.stage("session"), folder.stage("sync")
        body = stages.read(sync)
        found = probe_from_body(stages.read(probe), session, probe)
        return declared_ms(found, clocks(body, sync), body, folder.sound)

    return find


def _refuse_failed(
    failed: Sequence[EmomediaError], folders: Sequence[SessionFolder], observer: Observer
) -> None:
    if len(folders) == 1 and failed:
        raise failed[0]
    for error in failed:
        observer.note(str(error))
    if failed:
        raise BatchError(
            folders[0].out,
            expected="every session's clips to be checked",
            found=f"{len(failed)} of {len(folders)} sessions failed, first {failed[0]}",
            remedy="fix them; the others are checked",
        )


def has_clips(description: Path, out: Path) -> bool:
    """Whether the session that `description` describes has an audit of clips in `out`; true of a folder."""
    if not description.is_file():
        return True
    return SessionFolder(out.resolve(), load_session(description).id).audit.is_file()


def _folders(what: Path, out: Path | None, session: Session | None) -> list[SessionFolder]:
    if what.is_dir():
        place = what.resolve()
        folders = [SessionFolder(place, audit.parent.name) for audit in audits(place)]
    elif out is None or session is None:
        raise DescriptionError(
            what,
            expected="an output folder, or a session.toml with --out",
            found="no folder",
            remedy="name the clips' folder with --out",
        )
    else:
        folder = SessionFolder(out.resolve(), session.id)
        folders = [folder] if folder.audit.is_file() else []
    if not folders:
        raise MediaNotFoundError(
            what if out is None else out,
            expected="clips and their audit",
            found="none",
            remedy="make them with emomedia run",
        )
    return folders
