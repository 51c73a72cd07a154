"""What the verbs behind the check take: an output folder, or one session's description with ``--out``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .display import Display

What = Annotated[
    Path,
    typer.Argument(
        metavar="OUT|SESSION.toml", help="An output folder, or one session in --out.", readable=False
    ),
]
SessionOut = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="OUT", help="Where that session's clips are, or are to be.", readable=False
    ),
]


def output_of(what: Path, out: Path | None, display: Display) -> Path:
    """The output folder that is meant; a session without clips in it is run, with its errors."""
    if out is None:
        return what
    from ..layout import SessionFolder
    from ..options import Options
    from ..pipeline import run
    from ..session import load_session

    if not SessionFolder(out.resolve(), load_session(what).id).audit.is_file():
        run(what, out, Options(), display)
    return out
