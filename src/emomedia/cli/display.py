"""How a run is shown: lines and a bar for people, JSON lines for machines."""

from __future__ import annotations

import json
import sys
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from .. import stopping
from ..observer import Outcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

_WORDS: dict[Outcome, str] = {
    "made": "[green]made[/]",
    "fresh": "[dim]fresh, kept[/]",
    "own": "[yellow]your own, kept[/]",
}
_PURPOSES = {
    "probe": "takes, tracks, frames",
    "sync": "one clock",
    "speech": "who speaks when",
    "turns": "turns and dialogues",
    "plan": "spans and clips",
    "cut": "decode, compose, encode, cut",
    "check": "measures, keep or reject",
}


_SHOWN_SECONDS = 0.05


class Display(Protocol):
    """An observer that is opened and closed around a command, and ends with a summary."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def stage_begins(self, stage: str) -> None: ...

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None: ...

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None: ...

    def result(self, summary: dict[str, Any], lines: list[str]) -> None:
        """The command's result: an object for machines, lines for people."""


class Pace:
    """Decides when progress is worth showing: not for each of many small things."""

    def __init__(self) -> None:
        self._shown = -_SHOWN_SECONDS

    def is_due(self, done: int, total: int) -> bool:
        """Whether to show that `done` of `total` are done; the last is always shown."""
        now = monotonic()
        if done < total and now - self._shown < _SHOWN_SECONDS:
            return False
        self._shown = now
        return True


class JsonDisplay:
    """One JSON object per line on standard output."""

    def __init__(self) -> None:
        self._pace = Pace()

    def __enter__(self) -> JsonDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def stage_begins(self, stage: str) -> None:
        _emit({"event": "stage_begins", "stage": stage})

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None:
        stopping.check()
        _emit({"event": "stage_ends", "stage": stage, "outcome": outcome, "seconds": round(seconds, 3)})

    def progress(self, stage: str, done: int, total: int) -> None:
        stopping.check()
        if self._pace.is_due(done, total):
            _emit({"event": "progress", "stage": stage, "done": done, "total": total})

    def note(self, text: str) -> None:
        _emit({"event": "note", "text": text})

    def result(self, summary: dict[str, Any], lines: list[str]) -> None:  # noqa: ARG002
        _emit({"event": "result"} | summary)


def _emit(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class PeopleDisplay:
    """A line for each stage as it begins and as it ends, and a bar for stages that report progress."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console()
        self._live: Progress | None = None
        self._bar: Any = None
        self._pace = Pace()

    def __enter__(self) -> PeopleDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def stage_begins(self, stage: str) -> None:
        if self.console.is_terminal:
            from rich.progress import TextColumn

            self._open(TextColumn("[dim]{task.fields[purpose]}[/]"), stage=stage, total=None)

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None:
        stopping.check()
        self._close()
        self.console.print(
            f"  [bold]{stage:<7}[/]{_PURPOSES.get(stage, ''):<30}{_WORDS[outcome]}  [dim]{seconds:.1f} s[/]",
            highlight=False,
        )

    def progress(self, stage: str, done: int, total: int) -> None:
        stopping.check()
        if not self.console.is_terminal or not self._pace.is_due(done, total):
            return
        if self._bar is None:
            self._bar = self._open_bar(stage, total)
        assert self._live is not None
        self._live.update(self._bar, completed=done, total=total, refresh=True)

    def note(self, text: str) -> None:
        print_plain(self.console, "", f"  {text}", "yellow")

    def result(self, summary: dict[str, Any], lines: list[str]) -> None:  # noqa: ARG002
        for line in lines:
            print_plain(self.console, line)

    def _open_bar(self, stage: str, total: int) -> Any:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        return self._open(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            stage=stage,
            total=total,
        )

    def _open(self, *columns: ProgressColumn, stage: str, total: int | None) -> Any:
        """Show a line of `columns` behind the stage's name instead of the one before, until it is closed."""
        from rich.progress import Progress, TextColumn

        self._close()
        name = TextColumn("  [bold]{task.description:<6}[/]")
        # Drawn when the work advances, ten times a second: a thread for it would be one more that can fail.
        self._live = Progress(name, *columns, console=self.console, transient=True, auto_refresh=False)
        task = self._live.add_task(stage, total=total, purpose=_PURPOSES.get(stage, ""))
        self._live.start()
        return task

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = self._bar = None


def print_plain(console: Console, text: str, label: str = "", style: str = "") -> None:
    """Print `text` behind a styled `label` literally: file names and errors are not markup."""
    from rich.text import Text

    console.print(Text.assemble((label, style), text), highlight=False, soft_wrap=True)


def make_display(as_json: bool) -> Display:
    """The display that ``--json`` asks for."""
    return JsonDisplay() if as_json else PeopleDisplay()
