"""The page as a whole: sections, style, script and data in one file."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.resources import files
from pathlib import Path

from .. import __version__
from ..dataset.figures import figures, people
from ..files import locked, write_bytes
from ..layout import REPORT_NAME
from . import sections, session_sections, split_section
from .columns import make_columns, packed
from .gather import Gathered, gather
from .markup import to_section


def write_report(out: Path, actors: Path | None = None) -> Path:
    """Write ``report.html`` into an output folder, from its index and what its sessions left.

    Parameters
    ----------
    actors : Path, optional
        A table of who the actors are; else ``actors.toml`` or ``actors.csv`` in `out`, where there is one.

    Raises
    ------
    StageError
        There is no index, or one that cannot be read.
    DescriptionError, MediaNotFoundError
        The table of actors is wrong or missing.
    OutputError
        The page cannot be written.
    """
    out = out.resolve()
    page = out / REPORT_NAME
    text = html(gather(out, actors))
    with locked(out, wait=True):
        write_bytes(page, text.encode("utf-8", "replace"))
    return page


def html(gathered: Gathered) -> str:
    """The page about what was `gathered`."""
    columns = make_columns(gathered)
    found = figures(gathered.table)
    body = "".join(
        [
            sections.in_and_out(gathered, columns, found),
            session_sections.failures(gathered),
            sections.dataset(columns, found, people(found, gathered.actors), gathered.actors),
            split_section.splits(gathered, columns),
            sections.distributions(columns),
            sections.framing(columns),
            sections.measured(gathered),
            session_sections.synchronisation(gathered, columns),
            session_sections.throughput(gathered, columns),
        ]
    )
    script, style, clips = (_part(name) for name in ("page.js", "page.css", "page.html"))
    title = f"{gathered.out.name}: what became of the footage"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        f'<meta name="generator" content="emomedia {escape(__version__)}"><style>{style}</style></head>'
        f'<body><a class="skip place" href="#clips-title">To the clips</a><header><h1>{escape(title)}</h1>'
        f'<p class="soft">A figure that is a link leads to the clips that it is of.</p>{_contents()}</header>'
        f"<main>{body}{clips}</main><footer>emomedia {escape(__version__)}</footer>"
        f'<script type="application/octet-stream" id="data">{packed(columns)}</script>'
        f"<script>{script}</script></body></html>\n"
    )


_PARTS = {
    "in-out": "In and out", "failures": "Failures", "dataset": "The dataset", "splits": "Splits",
    "distributions": "Distributions", "framing": "Framing", "measured": "How it was measured", "sync": "Sync",
    "throughput": "Throughput", "clips": "Clips",
}  # fmt: skip


def _contents() -> str:
    links = "".join(f"<li>{to_section(name, title)}</li>" for name, title in _PARTS.items())
    return f'<nav aria-label="Parts of the page"><ul class="contents">{links}</ul></nav>'


def _policy(script: str) -> str:
    """What a browser is to let the page do: run its own script, show the clips beside it, and no more."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
