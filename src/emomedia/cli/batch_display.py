"""How a batch is shown: a block that changes and lines for people, JSON lines for machines."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .. import stopping
from ..batch.progress import Failed, Figures, duration_text, failure_lines
from .display import _emit, print_plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..batch.task import StageDone

_JSON_SECONDS = 10.0
_LINE_SECONDS = 300.0


@contextmanager
def _spared() -> Iterator[None]:
    """Let a batch continue without lines that a log on a full disk cannot take."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


class JsonBatch:
    """One JSON object per line on standard output."""

    def __init__(self) -> None:
        self._shown = monotonic()

    def __enter__(self) -> JsonBatch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @_spared()
    def stage_ends(self, id: str, done: StageDone) -> None:
        _emit(
            {"event": "stage_ends", "session": id, "stage": done.stage, "outcome": done.outcome}
            | {"seconds": round(done.seconds, 3), "cpu_seconds": round(done.cpu_seconds, 3)}
            | done.made
        )

    @_spared()
    def session_ends(self, id: str, failed: Failed | None) -> None:
        value: dict[str, Any] = {"event": "session_ends", "session": id, "outcome": "done"}
        if failed is not None:
            value |= {"outcome": "failed", "stage": failed.stage, "cause": failed.cause, "error": failed.text}
        _emit(value)

    @_spared()
    def note(self, text: str) -> None:
        _emit({"event": "note", "text": text})

    @_spared()
    def progress(self, figures: Figures) -> None:
        stopping.check()
        if monotonic() - self._shown >= _JSON_SECONDS:
            self._shown = monotonic()
            _emit({"event": "progress"} | figures.as_json())

    def result(self, summary: dict[str, Any], lines: list[str]) -> None:  # noqa: ARG002
        _emit({"event": "result"} | summary)


class PeopleBatch:
    """A line for each session that ends, and the figures: at a terminal as a block, drawn once a second, else
    as a line at the beginning and every five minutes."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self.console = Console()
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._shown = -_LINE_SECONDS

    def __enter__(self) -> PeopleBatch:
        if sys.stdout.isatty():
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def stage_ends(self, id: str, done: StageDone) -> None: ...

    @_spared()
    def session_ends(self, id: str, failed: Failed | None) -> None:
        if failed is None:
            print_plain(self.console, id, "  done    ", "green")
        else:
            print_plain(self.console, failure_lines([failed])[0], "  failed  ", "red")

    @_spared()
    def note(self, text: str) -> None:
        print_plain(self.console, "", f"  {text}", "yellow")

    @_spared()
    def progress(self, figures: Figures) -> None:
        stopping.check()
        if self._live.is_started:
            self._live.update(block(figures), refresh=True)
        elif monotonic() - self._shown >= _LINE_SECONDS and figures.state != "done":
            self._shown = monotonic()
            print_plain(self.console, line(figures), f"  {figures.state.partition(':')[0]:<8}")

    def result(self, summary: dict[str, Any], lines: list[str]) -> None:  # noqa: ARG002
        self._live.stop()
        for line in lines:
            print_plain(self.console, line)


def make_batch_display(as_json: bool) -> JsonBatch | PeopleBatch:
    """The display that ``--json`` asks for."""
    return JsonBatch() if as_json else PeopleBatch()


def block(figures: Figures) -> RenderableType:
    """The figures as a small table, and the stages that run."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in facts(figures):
        table.add_row(Text(name, style="dim"), value)
    bar = ProgressBar(total=max(figures.hours, 1e-9), completed=figures.hours_done, width=60)
    running = [Text(f"  {id:<24}{stage:<8}{share:>4.0%}") for id, stage, share in figures.running]
    return Group(bar, table, *running)


def line(figures: Figures) -> str:
    """The figures in 70 columns."""
    text = f"{figures.done} of {figures.sessions} done, {len(figures.failed)} failed; "
    text += f"{figures.hours_done:.2f} of {figures.hours:.2f} h"
    if figures.rate is None or figures.left_seconds is None:
        return text
    return f"{text}, {figures.rate:.2f} h/h, {duration_text(figures.left_seconds)} left"


def facts(figures: Figures) -> list[tuple[str, str]]:
    """The main figures in words, with the speed while the batch runs."""
    left = "unknown yet" if figures.left_seconds is None else duration_text(figures.left_seconds)
    rate = "unknown yet" if figures.rate is None else f"{figures.rate:.2f} h of footage an hour"
    pace = [("rate", rate), ("time left", left)]
    return [
        ("state", figures.state),
        ("sessions", f"{figures.done} of {figures.sessions} done, {len(figures.failed)} failed"),
        ("hours", f"{figures.hours_done:.2f} of {figures.hours:.2f}"),
        *(pace if figures.state not in ("done", "stopped", "interrupted") else []),
        ("bottleneck", figures.bottleneck or "none yet"),
    ]
