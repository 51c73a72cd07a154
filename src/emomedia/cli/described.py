"""The argument of the verbs after the check: an output folder, or a session's description with ``--out``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import DescriptionError
from ..layout import SessionFolder
from ..options import Options
from .display import Display

What = Annotated[
    Path,
    typer.Argument(
        metavar="OUT|SESSION.toml", help="An output folder, or one session of --out.", readable=False
    ),
]
SessionOut = Annotated[
    Path | None,
    typer.Option("--out", metavar="OUT", help="Output folder of that session.", readable=False),
]


def output_of(what: Path, out: Path | None, options: Options, display: Display) -> Path:
    """The output folder meant; a session that has no clips there is run first."""
    if out is not None:
        from ..run import run

        if not session_of(what, out).audit.is_file():
            run(what, out, options, display)
        return out
    if what.is_file():
        raise DescriptionError(
            what,
            expected="an output folder, or a session.toml with --out",
            found="a file, and no --out",
            remedy="name the folder of its clips with --out",
        )
    return what


def turns_of(description: Path, out: Path, options: Options, display: Display) -> SessionFolder:
    """The folder of a described session in `out` with turns: the given, the existing, or else found now."""
    folder = session_of(description, out)
    if options.turns is not None or not folder.stage("turns").is_file():
        from ..run import run_stage

        run_stage(description, out, options, "turns", display)
    return folder


def session_of(description: Path, out: Path) -> SessionFolder:
    """The folder of a described session in `out`, which may not exist yet."""
    from ..session_file import load_session

    return SessionFolder(out.resolve(), load_session(description).id)
