"""``emomedia report``: the page about an output folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ..options import Options
from . import arguments as arg
from .described import SessionOut, What, output_of
from .display import make_display


def write_page(out: Path, note: Callable[[str], None]) -> Path | None:
    """Write the page about `out` at a command's end; a failure is a note, and gives None."""
    from ..errors import EmomediaError
    from ..report import write_report

    try:
        return write_report(out)
    except (EmomediaError, OSError) as error:
        note(f"no report: {error}")
        return None


@arg.takes_options("turns", "workers")
def report(
    what: What,
    *,
    out: SessionOut = None,
    actors: Annotated[
        Path | None,
        typer.Option(
            "--actors",
            metavar="FILE",
            help="Table of the actors: TOML or CSV with id, gender, age, region; "
            "default: OUT/actors.toml or OUT/actors.csv.",
            readable=False,
        ),
    ] = None,
    options: Options,
    json: arg.Json = False,
) -> None:
    """Write OUT/report.html: figures, plots and every clip on one offline page."""
    from ..report import write_report

    with make_display(json) as display:
        page = write_report(output_of(what, out, options, display), actors)
        display.result({"report": str(page)}, [f"open {page} in a browser"])
