"""The batch's head: decides what runs next, until every session is done or set aside.

It runs in one thread and writes nothing but the ledger; all other work is done by the tasks.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from ..errors import OutputError
from ..files import error_text
from ..layout import SessionFolder
from ..observer import Notes
from ..pipeline import FILE_OF
from ..stages import digest
from . import space
from .disk import Demand, Disk
from .ledger import Known, Ledger, may_pass
from .needs import grows, need_of
from .progress import Failed, Figures, Share, bottleneck, hours, pace, work_done
from .schedule import Need, starts
from .sessions import Entry, file_state
from .task import FIRST, Advanced, Failure, Progress, StageDone, Task, failure
from .workers import Event, Executor

ATTEMPTS = 4
"""How often a stage is tried where a failure may pass."""

CRASHES = 3
"""How often a stage may kill its worker before its session is set aside."""

LOSSES = 20
"""How often a machine may go away under a stage: no fault of the session's."""

RETRY_SECONDS = 1.0
"""Before the second attempt; each further one waits four times as long."""

_TICK_SECONDS = 1.0
_RECORD_SECONDS = 10.0
_FULL_SECONDS = 5.0
_CROWDED_SECONDS = 60.0
"""For which no more tasks are started than the system had processes for: others may end, and release some."""

State = Literal["waiting", "running", "done", "failed"]


class Watcher(Protocol):
    """What a batch reports to."""

    def stage_ends(self, id: str, done: StageDone) -> None: ...

    def session_ends(self, id: str, failed: Failed | None) -> None: ...

    def note(self, text: str) -> None: ...

    def progress(self, figures: Figures) -> None:
        """Called once a second."""


@dataclass
class _Session:
    """One session's state in the batch."""

    entry: Entry
    state: State = "waiting"
    stage: str = FIRST
    begun: bool = False
    not_before: float = 0.0
    grant: Need | None = None
    seconds: float | None = None
    share: float = 0.0
    done_before: float = 0.0  # share that was done before this batch
    frames: tuple[int, int] | None = None
    tries: Counter[str] = field(default_factory=Counter)
    stage_seconds: dict[str, float] = field(default_factory=dict)
    failed: Failed | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """How a batch ended."""

    figures: Figures
    made: Counter[str]
    task_cpu_seconds: float
    head_cpu_seconds: float
    wall_seconds: float

    @property
    def bookkeeping_share(self) -> float:
        """Share of the processor time that the head took."""
        total = self.task_cpu_seconds + self.head_cpu_seconds
        return self.head_cpu_seconds / total if total else 0.0


class Batch:
    """One batch over `entries` into the folder `out`, whose lock the caller holds."""

    def __init__(
        self,
        entries: Sequence[Entry],
        out: Path,
        executor: Executor,
        ledger: Ledger,
        watcher: Watcher,
        *,
        retry: bool = False,
        free_bytes: Callable[[Path], int] = space.free_bytes,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.out, self._executor, self._ledger, self._watcher = out, executor, ledger, watcher
        self._disk, self._retry_seconds = Disk(out, free_bytes), retry_seconds
        self._paused = ""
        known = ledger.known()
        self._record(lambda: ledger.set_sessions(entries))
        self._sessions = {entry.id: _Session(entry) for entry in entries}
        order = sorted(self._sessions.values(), key=lambda session: -session.entry.media_bytes)
        self._open = {session.entry.id: session for session in order}  # those that have not ended
        self._running: dict[str, _Session] = {}
        self._most_tasks = sys.maxsize  # that the system has processes for, until `_crowded_until`
        self._crowded_until = 0.0
        self._unwritten: list[Callable[[], None]] = []  # changes that the ledger still needs
        self._cpu: dict[str, float] = {}
        self._made: Counter[str] = Counter()
        self._task_cpu = 0.0
        self._notes = Notes(watcher.note)
        self._space_forecast = False
        self._began, self._cpu_began = time.monotonic(), time.process_time()
        self._ticked = self._recorded = 0.0
        for session in self._sessions.values():
            self._recall(session, known.get(session.entry.id), retry=retry)
        waiting = [session.entry.id for session in self._open.values() if session.state == "waiting"]
        self._write()
        self._record(lambda: ledger.retry(waiting))

    def _recall(self, session: _Session, earlier: Known | None, *, retry: bool) -> None:
        """Recall an earlier batch's result; a session that would fail again is set aside, unless `retry`."""
        if earlier is not None and earlier.inputs == session.entry.inputs:
            session.seconds = earlier.footage_seconds
            lasts = earlier.state == "failed" and earlier.kind in ("input", "crash")
            if lasts and not retry and earlier.files == self._files(session.entry):
                self._set_aside(session, earlier.stage, earlier.cause or "", earlier.error or "")
                return
        if session.entry.error is not None:
            self._fail(session, failure(session.entry.error))

    def run(self) -> Summary:
        """Work until no session is waiting or running.

        Raises OutputError where the output folder cannot be written at all.
        """
        self._record(lambda: self._ledger.record_facts(**self._facts("running")))
        self._forecast_space()
        while self._open:
            self._start()
            for key, event in self._executor.events(self._timeout()):
                self._handle(self._sessions[str(key)], event)
            self._write()
            self._tick()
        self._notes.finish()
        figures = self.figures()
        self._record(lambda: self._ledger.record_facts(**self._facts("done")))
        self._watcher.progress(figures)
        return Summary(
            figures, self._made, self._task_cpu,
            time.process_time() - self._cpu_began, time.monotonic() - self._began,
        )  # fmt: skip

    def figures(self) -> Figures:
        """The batch's progress."""
        sessions = list(self._sessions.values())
        alive = [session for session in sessions if session.state != "failed"]
        total, done = hours([Share(s.entry.media_bytes, s.seconds, s.share) for s in alive])
        _, before = hours([Share(s.entry.media_bytes, s.seconds, s.done_before) for s in alive])
        rate, left = pace(done - before, total, done, time.monotonic() - self._began)
        running = [s for s in sessions if s.state == "running"]
        return Figures(
            sessions=len(sessions),
            done=sum(session.state == "done" for session in sessions),
            failed=tuple(session.failed for session in sessions if session.failed is not None),
            hours=total,
            hours_done=done,
            rate=rate,
            left_seconds=left,
            running=tuple((s.entry.id, s.stage, _stage_share(s)) for s in running),
            bottleneck="disk space" if self._paused else bottleneck(self._cpu),
            state=self._paused or ("running" if self._open else "done"),
        )

    # -- starting ---------------------------------------------------------------------------------

    def _waiting(self) -> list[_Session]:
        """Sessions that may start, by importance: started ones, then long ones before short ones,
        so that the last to start are the shortest, and all cores finish together."""
        now = time.monotonic()
        waiting = [s for s in self._open.values() if s.state == "waiting" and s.not_before <= now]
        return sorted(waiting, key=lambda session: not session.begun)

    def _start(self) -> None:
        waiting = self._waiting()
        if not waiting:
            return
        room = self._executor.room
        if not self._has_machine(room.cores):
            return

        def need(id: str) -> Need:
            session = self._sessions[id]
            return need_of(session.stage, session.entry.options, room)

        taken = [s.grant for s in self._running.values() if s.grant is not None]
        coming = sum(not grows(need(id)) for id in self._running)
        if time.monotonic() >= self._crowded_until:
            self._most_tasks = sys.maxsize
        begun: list[Callable[[], None]] = []
        for id, grant in starts([s.entry.id for s in waiting], need, room, taken, coming):
            session = self._sessions[id]
            is_crowded = len(self._running) >= self._most_tasks
            if is_crowded or not self._has_space(session) or not self._begin(session, grant):
                break
            begun.append(partial(self._ledger.record_start, id, session.stage, grant.cores))
        self._record(*begun)

    def _has_machine(self, cores: int) -> bool:
        """Whether there is any core: all machines of a cluster may be gone."""
        gone = "paused: there is no machine to work on; the batch continues when there is one"
        if cores < 1 and not self._paused:
            self._pause(gone)
        elif cores > 0 and self._paused == gone:
            self._paused = ""
        return cores > 0

    def _begin(self, session: _Session, grant: Need) -> bool:
        """Start the session's task; false if the system refuses."""
        entry = session.entry
        options = replace(entry.options, workers=grant.cores)
        task = Task(entry.path, self.out, options, session.stage, dict(session.stage_seconds))
        try:
            self._executor.start(entry.id, task)
        except OSError as error:  # it has no process or descriptor to spare
            self._refused(session, error)
            return False
        session.state, session.begun, session.grant, session.frames = "running", True, grant, None
        self._running[entry.id] = session
        return True

    def _refused(self, session: _Session, error: OSError) -> None:
        """Wait for a task to end, without any fault of the session's; if none runs, the session failed."""
        if not self._running:
            self._fail(session, failure(error))
            return
        if not self._crowded_until:
            running = len(self._running)
            self._watcher.note(f"the system refuses more than {running} workers now: {error_text(error)}")
        self._most_tasks = len(self._running)
        self._crowded_until = time.monotonic() + _CROWDED_SECONDS

    # -- what workers report ----------------------------------------------------------------------

    def _handle(self, session: _Session, event: Event) -> None:
        if isinstance(event, Progress):
            session.frames = (event.done, event.total)
            session.share = work_done(session.stage, event.done / max(1, event.total))
            return
        session.grant = None
        del self._running[session.entry.id]
        for stage in event.stages:
            self._count(session, stage)
        if isinstance(event, Advanced):
            self._advance(session, event)
        else:
            self._fail(session, event)

    def _count(self, session: _Session, done: StageDone) -> None:
        if done.outcome == "made":
            self._made[done.stage] += 1
            self._made.update({name: number for name, number in done.made.items() if name != "clips"})
            self._cpu[done.stage] = self._cpu.get(done.stage, 0.0) + done.cpu_seconds
            session.stage_seconds[done.stage] = done.seconds
        self._watcher.stage_ends(session.entry.id, done)

    def _advance(self, session: _Session, done: Advanced) -> None:
        self._task_cpu += done.cpu_seconds
        for note in done.notes:
            self._notes.add(session.entry.id, note)
        fresh = not any(stage.outcome == "made" for stage in done.stages)
        session.seconds = done.footage_seconds if done.footage_seconds is not None else session.seconds
        session.tries.clear()
        session.share = work_done(done.next)
        if fresh:
            session.done_before = session.share
        session.state, session.stage = "waiting", done.next or session.stage
        id = session.entry.id
        self._unwritten.append(
            partial(self._ledger.record_success, id, done.stages, done.footage_seconds, done.next)
        )
        self._forecast_space()
        if done.next is None:
            session.state = "done"
            del self._open[id]
            self._watcher.session_ends(id, None)

    def _fail(self, session: _Session, failed: Failure) -> None:
        session.share, session.state = 0.0, "waiting"
        session.stage = failed.stage or session.stage
        final = self._is_final(session, failed)
        files = self._files(session.entry)
        self._unwritten.append(
            partial(self._ledger.record_failure, session.entry.id, failed, final=final, files=files)
        )
        if final:
            self._set_aside(session, session.stage if session.begun else None, failed.cause, failed.text)

    def _is_final(self, session: _Session, failed: Failure) -> bool:
        """Whether a failed session is given up; if not, sets when it is tried again."""
        if failed.kind == "input":
            return True
        if failed.kind == "full":
            self._disk.was_full()
            return False
        session.tries[failed.kind] += 1
        tried = session.tries[failed.kind]
        most = {"passing": ATTEMPTS, "crash": CRASHES, "lost": LOSSES}[failed.kind]
        wait = self._retry_seconds * (4 ** (tried - 1) if failed.kind == "passing" else 1)
        session.not_before = time.monotonic() + wait
        if tried < most:
            self._watcher.note(f"{session.entry.id}: {session.stage}: {failed.text}; tried again")
            return False
        return True

    def _files(self, entry: Entry) -> str:
        """Digest of the session's stage files; after a failure they change only if somebody corrects them."""
        if entry.error is not None:
            return ""
        folder = SessionFolder(self.out, entry.id)
        paths = [folder.stage(name) for name in FILE_OF.values()]
        return digest([file_state(path) for path in (*paths, folder.audit)])

    def _set_aside(self, session: _Session, stage: str | None, cause: str, text: str) -> None:
        session.state = "failed"
        del self._open[session.entry.id]
        session.failed = Failed(session.entry.id, stage, cause, text)
        self._watcher.session_ends(session.entry.id, session.failed)

    # -- room on the disk, and pauses --------------------------------------------------------------

    def _forecast_space(self) -> None:
        """Warn once, as soon as a length is known, if the disk will not hold it all."""
        if self._space_forecast or not any(session.seconds for session in self._open.values()):
            return
        self._space_forecast = True
        warning = self._disk.forecast([Demand(s.entry, s.seconds) for s in self._open.values()])
        if warning is not None:
            self._watcher.note(warning)

    def _has_space(self, session: _Session) -> bool:
        """Whether the disk has room for the session beside those that run; if not, the batch pauses."""
        running = [Demand(s.entry, s.seconds) for s in self._running.values()]
        free, needed = self._disk.room([*running, Demand(session.entry, session.seconds)])
        if free >= needed:
            if self._paused:
                self._watcher.note(f"{self.out}: {space.size_text(free)} free; the batch continues")
            self._paused = ""
            return True
        if not self._paused and not running:
            self._pause(
                f"paused: {self.out} has {space.size_text(free)} free, and {session.entry.id} needs about "
                f"{space.size_text(needed)}; free space there, and the batch continues"
            )
        return False

    def _pause(self, why: str) -> None:
        self._paused = why
        self._watcher.note(why)
        with suppress(OutputError):  # the reason of the pause
            self._ledger.record_facts(state=why)

    def _write(self) -> None:
        self._record(*self._unwritten)
        self._unwritten.clear()

    def _record(self, *changes: Callable[[], None]) -> None:
        """Make changes to the ledger as one; while it cannot be written, nothing else continues."""
        noted = False
        while changes:
            try:
                self._ledger.record(changes)
                break
            except OutputError as error:
                if not may_pass(error):
                    raise
                if not self._paused:
                    noted, self._paused = True, f"paused: {error}"
                    self._watcher.note(self._paused)
                time.sleep(_FULL_SECONDS)
        if noted:
            self._paused = ""
            self._watcher.note(f"{self._ledger.path}: written; the batch continues")

    # -- time -------------------------------------------------------------------------------------

    def _timeout(self) -> float:
        """Seconds to wait for workers before looking again whether anything can start."""
        now = time.monotonic()
        delays = [s.not_before - now for s in self._open.values() if s.not_before > now]
        if self._paused and not self._running:
            delays.append(_FULL_SECONDS)
            return min(delays)
        return max(0.01, min([_TICK_SECONDS, *delays]))

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked >= _TICK_SECONDS:
            self._ticked = now
            self._watcher.progress(self.figures())
        if now - self._recorded >= _RECORD_SECONDS:
            self._recorded = now
            frames = {id: s.frames for id, s in self._running.items() if s.frames}
            figures = self.figures()
            self._record(lambda: self._ledger.record_progress(frames))
            facts = self._facts(figures.state)
            facts |= {"rate": figures.rate, "left_seconds": figures.left_seconds}
            self._record(lambda: self._ledger.record_facts(**facts))

    def _facts(self, state: str) -> dict[str, object]:
        return {
            "state": state,
            "process": os.getpid(),
            "seconds": round(time.monotonic() - self._began, 1),
            "cores": self._executor.room.cores,
            "bottleneck": bottleneck(self._cpu),
            "updated": time.time(),
        }


def _stage_share(session: _Session) -> float:
    if session.frames is None:
        return 0.0
    done, total = session.frames
    return done / max(1, total)
