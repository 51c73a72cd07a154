"""``emomedia batch`` and ``emomedia status``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..options import Options
from . import arguments as arg
from .batch_display import facts, make_batch_display
from .reported import write_page

if TYPE_CHECKING:
    from ..batch.head import Summary

What = Annotated[
    list[str],
    typer.Argument(
        metavar="LIST|GLOB...",
        help="A text file with one session.toml per line, a folder, a pattern, or session.toml files.",
    ),
]
Turns = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Turns to use (turns.json, .TextGrid or .eaf) instead of finding them; a relative path is "
        "relative to each session's folder.",
        readable=False,
    ),
]
Workers = Annotated[int, typer.Option(min=0, metavar="N", help="Cores to use; 0: all that are usable.")]
Retry = Annotated[
    bool, typer.Option("--retry", help="Retry sessions that were set aside, even if nothing has changed.")
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Run on the Ray cluster at this address; auto: this machine's."
    ),
]


@arg.takes_options(turns=Turns, workers=Workers)
def batch(
    what: What,
    out: arg.Out,
    options: Options,
    retry: Retry = False,
    ray: RayAddress = None,
    json: arg.Json = False,
) -> None:
    """Run many sessions in parallel.

    However it is interrupted, run it again: it resumes where it stopped and ends with the same bytes.
    A session that fails is set aside with its error; the others continue.
    """
    from ..batch.progress import refuse_failed
    from ..batch.run import run_batch

    with make_batch_display(json) as display:
        summary = run_batch(what, out, options, display, retry=retry, ray=ray)
        write_page(out, display.note)
        display.result(_for_machines(summary), _for_people(summary, out))
    refuse_failed(summary.figures, out)


def _for_machines(summary: Summary) -> dict[str, Any]:
    return summary.figures.as_json() | {
        "made": dict(summary.made),
        "wall_seconds": round(summary.wall_seconds, 3),
        "task_cpu_seconds": round(summary.task_cpu_seconds, 3),
        "head_cpu_seconds": round(summary.head_cpu_seconds, 3),
        "bookkeeping_share": round(summary.bookkeeping_share, 5),
    }


def _for_people(summary: Summary, out: Path) -> list[str]:
    figures, made = summary.figures, summary.made
    return [
        f"{figures.done} of {figures.sessions} sessions done, {len(figures.failed)} failed; "
        f"{figures.hours_done:.2f} hours of footage, {made['clips_made']} clips made now",
        f"  index      {out}/clips.parquet, report {out}/report.html",
        f"  bottleneck {figures.bottleneck or 'none: there was nothing to do'}; "
        f"bookkeeping {summary.bookkeeping_share:.2%}",
    ]


def status(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An output folder.", readable=False)],
    json: arg.Json = False,
) -> None:
    """Show a batch's progress and its failed sessions, also while it runs."""
    from rich.console import Console

    from ..batch.progress import failure_lines
    from ..batch.status import status as status_of
    from .display import _emit, print_plain

    figures = status_of(out.resolve())
    if json:
        _emit(figures.as_json())
        return
    console = Console()
    for name, value in facts(figures):
        print_plain(console, f"{name:<12}{value}")
    for id, stage, share in figures.running:
        print_plain(console, f"{id}: {stage} {share:.0%}", "  running  ", "bold")
    for line in failure_lines(figures.failed):
        print_plain(console, line, "  failed   ", "red")
