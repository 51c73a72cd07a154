"""``emomedia export``: finished sessions in the formats of other programs.

A format of sessions is a name in :data:`FORMATS` and a function that writes the files of all sessions
given; one of the dataset as a whole is a name in :data:`LAYOUTS`, of :mod:`emomedia.dataset.export`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import MediaNotFoundError
from ..layout import SessionFolder
from ..options import Options
from . import arguments as arg
from .described import SessionOut, output_of, turns_of
from .display import Display, make_display

if TYPE_CHECKING:
    from ..dataset.export import ExportOptions

Export = Callable[[Sequence[SessionFolder], Path], Sequence[Path]]
"""Writes sessions below a folder; gives the files that it wrote."""


def _each(form: str, sessions: Sequence[SessionFolder], to: Path) -> list[Path]:
    """A format of :mod:`emomedia.interchange`: each session by itself."""
    from ..interchange import export as export_sessions

    return export_sessions(sessions, form, to)


FORMATS: dict[str, Export] = {
    name: partial(_each, name) for name in ("textgrid", "eaf", "rttm", "srt", "vtt", "emodialog-json")
}

LAYOUTS = ("hf", "webdataset", "emodialog")


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
    if text not in (*LAYOUTS, *FORMATS):
        raise typer.BadParameter(f"{text!r} is not one of {', '.join((*LAYOUTS, *FORMATS))}")
    return text


def _formats(begun: str) -> list[str]:
    """For the shell: those that begin so."""
    return [name for name in (*LAYOUTS, *FORMATS) if name.startswith(begun)]


def _fractions(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not like 0.8,0.1,0.1") from None


_OF_DATASETS = f"Datasets ({', '.join(LAYOUTS)})"


@arg.takes_options("turns", "workers")
def export(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="OUT|SESSION.toml",
            help="An output folder; for turns also one session's folder in it, or one session of --out.",
            readable=False,
        ),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            parser=_format,
            autocompletion=_formats,
            metavar="FORMAT",
            help=f"The dataset as {', '.join(LAYOUTS)}; each session as {', '.join(FORMATS)}.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Folder to write to.", readable=False)],
    *,
    out: SessionOut = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Include rejected clips.", rich_help_panel=_OF_DATASETS)
    ] = False,
    splits: Annotated[
        Collection[float],
        typer.Option(
            "--splits",
            parser=_fractions,
            metavar="F,F,F",
            help="Fractions of train, validation and test; no two share an actor or a dialogue.",
            rich_help_panel=_OF_DATASETS,
        ),
    ] = "0.8,0.1,0.1",  # type: ignore[assignment]
    leave_out: Annotated[
        bool,
        typer.Option(
            "--leave-out",
            help="Where shared sessions connect all actors, leave out those whose actors are in different"
            " splits, rather than put everything into one split.",
            rich_help_panel=_OF_DATASETS,
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", help="Seed of the splits.", rich_help_panel=_OF_DATASETS)
    ] = 0,
    media: Annotated[
        bool,
        typer.Option(
            "--media/--no-media",
            help="hf: include the media, or write the tables alone.",
            rich_help_panel=_OF_DATASETS,
        ),
    ] = True,
    shard_mb: Annotated[
        int,
        typer.Option(
            "--shard-mb", min=1, metavar="N", help="Size of each media file.", rich_help_panel=_OF_DATASETS
        ),
    ] = 500,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name on the card; default: FOLDER's.", rich_help_panel=_OF_DATASETS),
    ] = None,
    license_id: Annotated[
        str | None,
        typer.Option("--license", metavar="ID", help="License on the card.", rich_help_panel=_OF_DATASETS),
    ] = None,
    actors: Annotated[
        Path | None,
        typer.Option(
            "--actors",
            metavar="FILE",
            help="Table of the actors: TOML or CSV with id, gender, age, region.",
            readable=False,
            rich_help_panel=_OF_DATASETS,
        ),
    ] = None,
    options: Options,
    json: arg.Json = False,
) -> None:
    """Write clips or turns in the formats of other programs."""
    with make_display(json) as display:
        if form in LAYOUTS:
            from ..dataset.export import ExportOptions

            chosen = ExportOptions(
                everything=everything, fractions=tuple(splits), seed=seed, leave_out=leave_out, media=media,
                shard_bytes=shard_mb << 20,
                name=name, license=license_id, actors=actors,
            )  # fmt: skip
            _export_dataset(display, output_of(what, out, options, display), form, to, chosen)
            return
        sessions = sessions_in(what) if out is None else [turns_of(what, out, options, display)]
        written = FORMATS[form](sessions, to)
        summary = {"format": form, "sessions": len(sessions), "files": [str(path) for path in written]}
        display.result(summary, [f"{len(sessions)} sessions as {form}: {len(written)} files in {to}"])


def _export_dataset(display: Display, out: Path, form: str, to: Path, options: ExportOptions) -> None:
    from ..dataset.export import export as export_dataset

    made = export_dataset(out, form, to, options, lambda done, total: display.progress("export", done, total))
    for notice in made.splits.notices:
        display.note(notice)
    if form == "emodialog" and not any(name.startswith("videos/") for name in made.files):
        display.note("without videos: the sessions were not run with --layout composite,left,right")
    total = sum(made.splits.seconds.values()) or 1.0
    shares = ", ".join(f"{name} {seconds / total:.1%}" for name, seconds in made.splits.seconds.items())
    display.result(
        {
            "format": form,
            "clips": made.clips,
            "files": list(made.files),
            "splits": made.splits.seconds,
            "left_out": sorted(made.splits.left_out),
        },
        [
            f"{made.clips} clips as {form} in {to}: {shares}",
            f"  card    {to}/README.md, splits {to}/splits.csv",
        ],
    )
