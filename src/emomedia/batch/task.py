"""What a worker does: it makes one session's next stage, and reads those that are fresh.

Only the pipeline decides what is fresh.  A task names the one stage that it may make; where the next stale
one is another, the task ends with its name, and that stage becomes another task, with its own needs.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Literal

from ..errors import (
    DeviceError,
    EmomediaError,
    EngineError,
    OutputBusyError,
    OutputError,
    StalledError,
)
from ..observer import Outcome
from ..options import Options
from ..pipeline import STAGES, Pipeline
from ..run import open_session
from ..run_report import write_run_report

FIRST = STAGES[0]
FREE = ("turns", "plan")
"""Stages so short that any task makes them on its way."""


@dataclass(frozen=True, slots=True)
class Task:
    """Bring the session's stages up to date as far as `stage` and no further than others are fresh.

    `seconds` are those that its stages took in tasks before, for run.json.
    """

    description: Path
    out: Path
    options: Options
    stage: str
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many frames of a stage are done, of how many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class StageDone:
    """A stage that the task has passed; `made` counts what it made, such as clips and frames."""

    stage: str
    outcome: Outcome
    seconds: float
    cpu_seconds: float
    hash: str
    made: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advanced:
    """A task's end: what it passed, and the stage that has to be made next, None if the session is done.

    `footage_seconds` is None until the session's clock is known; `cpu_seconds` are the whole task's; `notes`
    are what people should know.
    """

    next: str | None
    stages: tuple[StageDone, ...]
    footage_seconds: float | None
    cpu_seconds: float
    notes: tuple[str, ...] = ()


Kind = Literal["input", "passing", "full", "crash", "lost"]
"""Whose fault a failure is: the input's (or emomedia's: it would come again), the moment's, the disk's, what
killed the worker, or the machine that went away with it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed: the error's class, its one line, and the stage if one had begun."""

    kind: Kind
    cause: str
    text: str
    stages: tuple[StageDone, ...] = ()
    stage: str | None = None


_FULL = {errno.ENOSPC, errno.EDQUOT}
_PASSING = {
    errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
"""Errors of file servers, and of too much at a time, though media or descriptions seem to be at fault."""


class Deferred(Exception):
    """The stage `args[0]` comes next, and this task may not make it."""


class TaskRunner:
    """Runs tasks.  A session stays open between its stages, so that nothing is made twice."""

    def __init__(self) -> None:
        self._held: ExitStack | None = None
        self._pipeline: Pipeline | None = None
        self._key: tuple[Path, Path] | None = None

    def run(self, task: Task, report: Callable[[Progress], None]) -> Advanced | Failure:
        """Do a task, calling `report` with its progress.  An `Exception` becomes a :class:`Failure`."""
        watch = _Watch(report)
        try:
            return self._advance(self._open(task), task, watch)
        except Exception as error:
            done = () if self._pipeline is None else tuple(watch.passed(self._pipeline))
            self.close()
            return replace(failure(error), stages=done, stage=watch.stage)

    def close(self) -> None:
        """Release the session, if one is held."""
        if self._held is not None:
            held, self._held, self._key, self._pipeline = self._held, None, None, None
            held.close()

    def _open(self, task: Task) -> Pipeline:
        key = (task.description, task.out)
        if self._key != key:
            self.close()
            with ExitStack() as stack:
                self._pipeline = stack.enter_context(open_session(task.description, task.out, task.options))
                self._held, self._key = stack.pop_all(), key
        assert self._pipeline is not None
        return self._pipeline

    def _advance(self, pipeline: Pipeline, task: Task, watch: _Watch) -> Advanced:
        def gate(stage: str) -> None:
            if stage not in (task.stage, *FREE):
                raise Deferred(stage)

        pipeline.before_making, pipeline.observer = gate, watch
        pipeline.set_options(task.options)
        try:
            for stage in STAGES:
                getattr(pipeline, stage)
        except Deferred as deferred:
            stages = tuple(watch.passed(pipeline))
            if any((done.stage, done.outcome) == ("cut", "made") for done in stages):
                _write_report(
                    pipeline, task, stages
                )  # where the next stage is made nobody knows of the engine
            return Advanced(
                str(deferred.args[0]), stages, _footage(pipeline), watch.cpu_seconds, tuple(watch.notes)
            )
        stages, seconds = tuple(watch.passed(pipeline)), _footage(pipeline)
        if any(stage.outcome == "made" for stage in stages) or not pipeline.folder.run_report.exists():
            _write_report(pipeline, task, stages)
        self.close()
        return Advanced(None, stages, seconds, watch.cpu_seconds, tuple(watch.notes))


def _write_report(pipeline: Pipeline, task: Task, stages: tuple[StageDone, ...]) -> None:
    """run.json with the seconds of stages that other tasks, elsewhere, have made."""
    made = {done.stage: done.seconds for done in stages if done.outcome == "made"}
    pipeline.seconds |= task.seconds | made
    write_run_report(pipeline, sum(pipeline.seconds.values()))


def _footage(pipeline: Pipeline) -> float | None:
    """Seconds that both takes cover, where that is known by now."""
    if "sync" not in pipeline.__dict__:
        return None
    first, end = pipeline.footage
    return float((end - first) / pipeline.probe.rate)


class _Watch:
    """A run's observer: keeps the stages' times and notes, and reports progress once a second."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._begin = self._stage_begin = process_time()
        self._reported = monotonic()
        self._ended: list[StageDone] = []
        self.stage: str | None = None
        self.notes: list[str] = []

    @property
    def cpu_seconds(self) -> float:
        return process_time() - self._begin

    def stage_begins(self, stage: str) -> None:
        self.stage = stage
        self._stage_begin = process_time()

    def stage_ends(self, stage: str, outcome: Outcome, seconds: float) -> None:
        self._ended.append(StageDone(stage, outcome, seconds, process_time() - self._stage_begin, ""))

    def progress(self, stage: str, done: int, total: int) -> None:
        if stage == "cut" and monotonic() - self._reported >= 1:
            self._reported = monotonic()
            self._report(Progress(done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def passed(self, pipeline: Pipeline) -> list[StageDone]:
        """The stages that have ended, each with what it was made from and what it made."""
        return [
            replace(done, hash=pipeline.hashes[done.stage], made=_made(pipeline, done))
            for done in self._ended
        ]


def _made(pipeline: Pipeline, done: StageDone) -> dict[str, int]:
    if done.stage != "cut":
        return {}
    result = pipeline.cut
    made = {"clips": len(result.rows), "clips_made": result.made}
    if result.report is not None:
        made["frames_made"] = result.report.composed_frames
    return made


def failure(error: BaseException) -> Failure:
    """The failure that an exception in a task means, and whether to try again."""
    refusals = _refusals(error)
    if refusals & _FULL:
        return Failure("full", type(error).__name__, str(error))
    passing = isinstance(
        error, OutputError | OutputBusyError | StalledError | EngineError | DeviceError | MemoryError
    )
    if isinstance(error, OSError) and not isinstance(error, EmomediaError):
        passing = True
    text = str(error) if isinstance(error, EmomediaError) else _unexpected_text(error)
    return Failure("passing" if passing or refusals & _PASSING else "input", type(error).__name__, text)


def _refusals(error: BaseException) -> set[int]:
    """The errno numbers behind an error, raised here or in the core, which reports them in words.

    EIO counts only if Python raised it: libav reports it for broken files, too.  A full disk's words count
    only of outputs: others may quote the user's text, and after a full disk a task is retried for ever.
    """
    text = error.found.lower() if isinstance(error, EmomediaError) else ""
    worded = _PASSING - {errno.EIO} | (_FULL if isinstance(error, OutputError) else set())
    numbers = {number for number in worded if os.strerror(number).lower() in text}
    seen: Any = error
    while seen is not None:
        if isinstance(seen, OSError) and (seen.errno != errno.EIO or type(seen).__module__ == "builtins"):
            numbers.add(seen.errno or 0)
        seen = seen.__cause__ or seen.__context__
    return numbers


def _unexpected_text(error: BaseException) -> str:
    """The text of an unexpected error, with the place where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
