"""``emomedia export``: finished sessions in the formats of other programs.

A format is a name in :data:`FORMATS` and a function that writes the files of all sessions given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MediaNotFoundError
from ..layout import SessionFolder
from . import arguments as arg
from .display import make_display

Export = Callable[[Sequence[SessionFolder], Path], Sequence[Path]]
"""Writes sessions below a folder; gives the files that it wrote."""


def _each(form: str, sessions: Sequence[SessionFolder], to: Path) -> list[Path]:
    """A format of :mod:`emomedia.interchange`: each session by itself."""
    from ..interchange import export as export_session

    return [path for session in sessions for path in export_session(session, form, to)]


FORMATS: dict[str, Export] = {
    name: partial(_each, name) for name in ("textgrid", "eaf", "rttm", "srt", "vtt", "emodialog")
}


def sessions_in(folder: Path) -> list[SessionFolder]:
    """The sessions of an output folder, or the one whose folder it is.

    Raises
    ------
    MediaNotFoundError
        There is none with turns.
    """
    folder = folder.resolve()
    if (folder / "turns.json").is_file():
        return [SessionFolder(folder.parent, folder.name)]
    found = sorted(path.parent.name for path in folder.glob("*/turns.json"))
    if not found:
        raise MediaNotFoundError(
            folder,
            expected="an output folder, or a session's folder in it",
            found="no turns.json",
            remedy="make the turns first: emomedia turns SESSION.toml --out OUT",
        )
    return [SessionFolder(folder, name) for name in found]


def _format(text: str) -> str:
    if text not in FORMATS:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(FORMATS)}")
    return text


def export(
    folder: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="An output folder, or one session's in it.", readable=False),
    ],
    form: Annotated[
        str,
        typer.Option("--format", parser=_format, metavar="FORMAT", help=f"One of {', '.join(FORMATS)}."),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files go.", readable=False)],
    json: arg.Json = False,
) -> None:
    """Write turns or clips in the formats of other programs."""
    with make_display(json) as display:
        sessions = sessions_in(folder)
        written = FORMATS[form](sessions, to)
        summary = {"format": form, "sessions": len(sessions), "files": [str(path) for path in written]}
        display.ends(summary, [f"{len(sessions)} sessions as {form}: {len(written)} files in {to}"])
