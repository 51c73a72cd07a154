"""`emomedia check`: the check stage for sessions whose clips are there, one after the other."""

from __future__ import annotations

from pathlib import Path

from ..dataset.audit import Row
from ..dataset.index import audits, write_index
from ..errors import DescriptionError, MediaNotFoundError
from ..files import locked
from ..layout import SessionFolder
from ..observer import Observer
from ..options import Options
from ..session import load_session
from .measure import Tools
from .profile import read_profile
from .stage import check_session


def check_folder(what: Path, out: Path | None, options: Options, observer: Observer) -> list[Row]:
    """Check the clips of an output folder, or those in `out` of the session that `what` describes.

    Returns
    -------
    list of dict
        The rows of the audits as they are now; the index is made anew.

    Raises
    ------
    DescriptionError
        The profile or the session's description is wrong, or it is not said where the clips are.
    MediaNotFoundError
        There are no clips.
    MissingToolError, UnsupportedMediaError
        A model cannot be run, or is none.
    OutputBusyError
        Another process works on one of the sessions.
    """
    rules = read_profile(options.profile)
    tools = Tools.found(options.face_model, options.person_model)
    folders = _folders(what, out)
    rows: list[Row] = []
    for folder in folders:
        observer.stage_begins("check")
        with locked(folder.path):
            result = check_session(
                folder,
                rules,
                tools,
                options.worker_count,
                lambda done, total: observer.advances("check", done, total),
            )
        for note in result.notes:
            observer.says(f"{folder.session}: {note}")
        rows += result.rows
    write_index(folders[0].out)
    return rows


def _folders(what: Path, out: Path | None) -> list[SessionFolder]:
    if what.is_dir():
        place = what.resolve()
        folders = [SessionFolder(place, audit.parent.name) for audit in audits(place)]
    elif out is None:
        raise DescriptionError(
            what,
            expected="an output folder, or a session.toml with --out",
            found="no folder",
            remedy="say with --out where the clips are",
        )
    else:
        folder = SessionFolder(out.resolve(), load_session(what).id)
        folders = [folder] if folder.audit.is_file() else []
    if not folders:
        raise MediaNotFoundError(
            what if out is None else out,
            expected="clips and their audit",
            found="none",
            remedy="make them with emomedia run",
        )
    return folders
