"""Workers: processes of this machine that run tasks.

Each worker is a process of its own, warm from task to task, that does one at a time; whatever kills it costs
only its task.  Workers end with the head, however that ends.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Protocol

from ..stopping import Stop, listen
from .schedule import Room
from .task import Advanced, Failure, Progress, Task, TaskRunner

Event = Progress | Advanced | Failure

STALL_SECONDS = 900
"""A worker that neither says anything nor uses the processor for so long hangs; the engine's own watch and a
file server that comes back take less."""

_LOOK_SECONDS = 5
_LEAVE_SECONDS = 10
_PR_SET_PDEATHSIG = 1
_OF_TERMINALS = (signal.SIGINT, signal.SIGHUP)
"""Ctrl-C reaches the whole group; the head says what to do."""


class Executor(Protocol):
    """Where tasks run."""

    @property
    def room(self) -> Room:
        """What all machines have together."""

    def start(self, key: Hashable, task: Task) -> None:
        """Begin a task; the caller has made sure that there is room."""

    def events(self, seconds: float) -> list[tuple[Hashable, Event]]:
        """What has happened since the last call, in order; waits up to `seconds` for something."""

    def close(self) -> None:
        """End all workers, whatever they are doing."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    key: Hashable | None = None
    description: Path | None = None
    silent: float = 0.0  # seconds for which it was watched and did nothing
    used: float = 0.0


class LocalWorkers:
    """As many processes as tasks run at a time."""

    def __init__(self, room: Room, stall_seconds: float = STALL_SECONDS) -> None:
        self._room = room
        self._stall = stall_seconds
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._looked = monotonic()

    @property
    def room(self) -> Room:
        return self._room

    def start(self, key: Hashable, task: Task) -> None:
        worker = self._idle(task.description) or self._hire()
        worker.key, worker.description, worker.silent = key, task.description, 0.0
        with suppress(OSError):  # a worker that has died meanwhile: the next check finds it
            worker.pipe.send(task)

    def _idle(self, description: Path) -> _Worker | None:
        """An idle worker: the one that holds the session, else one that holds none, else any."""
        idle = [worker for worker in self._workers if worker.key is None]
        order = {description: 0, None: 1}
        return min(idle, key=lambda worker: order.get(worker.description, 2), default=None)

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, os.getpid()), daemon=True)
        resource_tracker.ensure_running()  # would otherwise start during the start, and end the blocking
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)  # which the process begins with
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def events(self, seconds: float) -> list[tuple[Hashable, Event]]:
        events: list[tuple[Hashable, Event]] = []
        by_pipe = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(by_pipe), seconds):
            assert isinstance(pipe, Connection)
            events += self._received(by_pipe[pipe])
        passed, look = monotonic() - self._looked, min(_LOOK_SECONDS, self._stall / 2)
        if passed > look:
            self._looked = monotonic()
            events += self._hanging(min(passed, 2 * look))  # who was stopped with the head has not hung
        return events

    def _received(self, worker: _Worker) -> list[tuple[Hashable, Event]]:
        try:
            message: Event = worker.pipe.recv()
        except (EOFError, OSError):
            return self._dead(worker, "")
        worker.silent = 0.0
        key = worker.key
        if not isinstance(message, Progress):
            worker.key = None
        if isinstance(message, Advanced) and message.next is None:
            worker.description = None
        if isinstance(message, Failure):
            worker.description = None
            if message.kind == "passing":  # a thread may still hang in it, or memory be short
                self._dismiss(worker)
        return [(key, message)]

    def _dead(self, worker: _Worker, why: str) -> list[tuple[Hashable, Event]]:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(_LEAVE_SECONDS)
        code = worker.process.exitcode
        if worker.key is None:
            return []
        text = why or f"its worker {_how_ended(code)}"
        return [(worker.key, Failure("crash", "WorkerDied", text))]

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()

    def _hanging(self, seconds: float) -> list[tuple[Hashable, Event]]:
        """Kill workers that neither report nor work; `seconds` have passed since the last look."""
        events: list[tuple[Hashable, Event]] = []
        for worker in [worker for worker in self._workers if worker.key is not None]:
            used = _processor_seconds(worker.process.pid)
            worker.silent += seconds
            if used > worker.used:
                worker.used, worker.silent = used, 0.0
            elif worker.silent > self._stall:
                worker.process.kill()
                events += self._dead(worker, f"its worker did nothing for {self._stall:.0f} s and was killed")
        return events

    def close(self) -> None:
        """Ask the workers to leave their sessions tidy, and end those that don't within seconds."""
        try:
            for worker in self._workers:
                worker.process.terminate()
            deadline = monotonic() + _LEAVE_SECONDS
            for worker in self._workers:
                worker.process.join(max(0.0, deadline - monotonic()))
        finally:  # also where a second Ctrl-C ends the waiting: nothing is lost, files appear whole
            for worker in self._workers:
                worker.process.kill()
                worker.pipe.close()
            self._workers.clear()


def _how_ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended with status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = "; the system's memory may have run out" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"


def _processor_seconds(pid: int | None) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(pipe: Connection, head: int) -> None:
    """A worker's main loop: tasks come in through the pipe, events go back."""
    end_with(head)
    for ignored in _OF_TERMINALS:
        signal.signal(ignored, signal.SIG_IGN)
    listen()
    prefer_for_killing()
    from .. import _core

    _core.return_large_buffers()
    runner = TaskRunner()
    try:
        while True:
            pipe.send(runner.run(pipe.recv(), pipe.send))
    except (EOFError, OSError, Stop):
        pass
    finally:
        runner.close()


def end_with(head: int) -> None:
    """Have the system kill this process when the one that started it has ended."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != head:
        os._exit(1)


def prefer_for_killing() -> None:
    """Where memory runs out, a worker costs one session a retry, the head costs the batch."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
