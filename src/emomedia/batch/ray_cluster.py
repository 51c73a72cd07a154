"""Tasks on a Ray cluster, whose nodes see the media and the output folder under the same paths.

Ray finds a node for each task by what it needs and reports lost nodes; who does what next, retries and
the ledger stay with the head.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from ..errors import DeviceError, MissingToolError
from ..options import Options
from .needs import need_of
from .schedule import Room
from .task import Advanced, Failure, Task, TaskRunner, failure
from .workers import Event

_ROOM_SECONDS = 5
_EMPTY_SECONDS = 0.2


class RayTasks:
    """As many tasks as the cluster has room for; nodes may come and go."""

    def __init__(self, address: str, options: Options) -> None:
        """Join the cluster at `address`.

        Raises MissingToolError where Ray is not installed, DeviceError where there is no such cluster.
        """
        self._ray = _joined(address)
        self._options = options
        self._running: dict[Any, Hashable] = {}
        self._room = self._found_room()
        self._looked = monotonic()
        self._work = self._ray.remote(work)

    @property
    def room(self) -> Room:
        """What all nodes have together, now."""
        if monotonic() - self._looked > _ROOM_SECONDS:
            self._looked = monotonic()
            self._room = self._found_room()
        return self._room

    def _found_room(self) -> Room:
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        cores = [int(node.get("CPU", 0)) for node in nodes]
        gpus = sum(node.get("GPU", 0) for node in nodes) if self._options.device != "cpu" else 0
        largest = [int(node.get("CPU", 0)) for node in nodes if node.get("GPU") or not gpus]
        memory = [int(node.get("memory", 0)) for node in nodes]
        self._most_memory = max(memory, default=0)  # Ray keeps a task waiting that no node can hold
        most = self._options.workers or sum(cores)
        return Room(min(most, sum(cores)), gpus, sum(memory), max(largest, default=0))

    def start(self, key: Hashable, task: Task) -> None:
        need = need_of(task.stage, task.options, self._room).granted(task.options.workers)
        placed = self._work.options(
            num_cpus=need.cores,
            num_gpus=need.gpus,
            memory=min(need.bytes, self._most_memory),
            max_retries=0,
            name=f"{task.stage} {key}",
        )
        self._running[placed.remote(task)] = key

    def events(self, seconds: float) -> list[tuple[Hashable, Event]]:
        if not self._running:
            sleep(min(seconds, _EMPTY_SECONDS))
            return []
        ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [(self._running.pop(reference), self._outcome(reference)) for reference in ended]

    def _outcome(self, reference: Any) -> Event:
        """A task's outcome; the death of its worker or its node is one too."""
        lost = self._ray.exceptions
        try:
            answer: Advanced | Failure = self._ray.get(reference)
        except (lost.WorkerCrashedError, lost.OutOfMemoryError) as error:
            return Failure("crash", type(error).__name__, _first_line(error))
        except (lost.NodeDiedError, lost.ObjectLostError, lost.RaySystemError) as error:
            return Failure("lost", type(error).__name__, _first_line(error))
        except lost.RayError as error:
            return failure(error)
        return answer

    def close(self) -> None:
        for reference in self._running:
            with suppress(Exception):
                self._ray.cancel(reference, force=True)
        self._running.clear()
        self._ray.shutdown()


def work(task: Task) -> Advanced | Failure:
    """A task from its beginning to its end, on a node: its next stage may be another node's."""
    runner = TaskRunner()
    try:
        return runner.run(task, lambda _: None)
    finally:
        runner.close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _joined(address: str) -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingToolError(
            "ray",
            expected="the package that runs work on several machines",
            found="none",
            remedy="pip install 'emomedia[ray]', here and on every node",
        ) from error
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise DeviceError(
            f"--ray {address}",
            expected="the address of a running Ray cluster",
            found=_first_line(error),
            remedy="start one with 'ray start --head', or correct the address",
        ) from error
    return ray
