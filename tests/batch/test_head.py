"""The head's decisions, with tasks that are made up: who begins, who is tried again, what is shown."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import av
import pytest

from emomedia.batch.head import ATTEMPTS, CRASHES, LOSSES, Batch
from emomedia.batch.ledger import Ledger, read
from emomedia.batch.progress import Share, bottleneck, duration_text, failure_lines, hours, pace
from emomedia.batch.schedule import Room
from emomedia.batch.sessions import Entry
from emomedia.batch.space import lasting_bytes, present_bytes, session_bytes, size_text
from emomedia.batch.task import Advanced, Failure, Progress, StageDone, failure
from emomedia.batch.workers import LocalWorkers, _Worker
from emomedia.errors import (
    DescriptionError,
    MediaError,
    MediaNotFoundError,
    OutputBusyError,
    OutputError,
    StalledError,
    SyncError,
)
from emomedia.files import output_error
from emomedia.options import Options

from .quiet import Quiet

NEXT = {"probe": "sync", "sync": "speech", "speech": "cut", "cut": None}


class MadeUp:
    """An executor whose tasks end at once; `answers` has for a session what its tasks come to, in turn."""

    def __init__(self, cores=2, answers=None):
        self.room = Room(cores)
        self.answers = {id: list(told) for id, told in (answers or {}).items()}
        self.begun, self.running, self.most = [], {}, 0

    def start(self, key, task):
        assert key not in self.running
        self.running[key] = task
        self.begun.append((key, task.stage, task.options.workers))
        self.most = max(self.most, sum(task.options.workers for task in self.running.values()))

    def events(self, _seconds):
        if not self.running:
            return []
        key = next(iter(self.running))
        task = self.running.pop(key)
        scripted = self.answers.get(key)
        if scripted:
            return [(key, scripted.pop(0))]
        done = StageDone(
            task.stage, "made", 1.0, 1.0, "hash", {"clips_made": 2} if task.stage == "cut" else {}
        )
        return [(key, Progress(1, 2)), (key, Advanced(NEXT[task.stage], (done,), 60.0, 1.0))]

    def close(self): ...


def entry(id, size=1000, **options):
    return Entry(Path(f"/in/{id}/session.toml"), id, Options(**options), "inputs", size)


def batch(out, entries, executor, **choices):
    watcher = Quiet()
    with closing(Ledger(out)) as ledger:
        made = Batch(entries, out, executor, ledger, watcher, retry_seconds=0.001, **choices)
        return made.run(), watcher


def test_a_session_goes_through_its_stages_and_the_long_ones_begin_first(tmp_path):
    executor = MadeUp(cores=2)
    summary, _ = batch(tmp_path, [entry("a", 10), entry("b", 30), entry("c", 20)], executor)
    assert [key for key, stage, _ in executor.begun if stage == "probe"] == ["b", "c", "a"]
    assert [stage for key, stage, _ in executor.begun if key == "a"] == ["probe", "sync", "speech", "cut"]
    assert executor.begun[-1] == ("a", "cut", 2), "the last one has every core"
    assert executor.most == 2
    assert (summary.figures.done, summary.made["cut"], summary.made["clips_made"]) == (3, 3, 6)
    assert (summary.figures.hours, summary.figures.hours_done) == (pytest.approx(0.05), pytest.approx(0.05))


@pytest.mark.parametrize(
    ("kind", "most"), [("passing", ATTEMPTS), ("crash", CRASHES), ("lost", LOSSES), ("input", 1)]
)
def test_a_failure_is_tried_again_as_often_as_its_kind_deserves(tmp_path, kind, most):
    failures = [Failure(kind, "Cause", "why")] * 30
    executor = MadeUp(answers={"a": failures})
    summary, watcher = batch(tmp_path, [entry("a"), entry("b")], executor)
    assert len([key for key, *_ in executor.begun if key == "a"]) == most
    assert [(one.id, one.stage, one.cause, one.text) for one in summary.figures.failed] == [
        ("a", "probe", "Cause", "why")
    ]
    assert len(watcher.said) == most - 1
    assert summary.figures.done == 1


def test_a_batch_whose_last_session_waits_to_be_tried_again_is_not_done(tmp_path, monkeypatch):
    states = []
    monkeypatch.setattr(Quiet, "progress", lambda _, figures: states.append(figures.state))
    executor = MadeUp(answers={"a": [Failure("passing", "Cause", "why")]})
    with closing(Ledger(tmp_path)) as ledger:
        Batch([entry("a")], tmp_path, executor, ledger, Quiet(), retry_seconds=0.3).run()
    assert (states[0], states[-1]) == ("running", "done")


def test_a_cluster_that_has_lost_its_last_machine_is_waited_for(tmp_path):
    class Comes(MadeUp):
        rooms = iter([Room(0)] * 3)

        @property
        def room(self):
            return next(self.rooms, Room(2))

        @room.setter
        def room(self, _): ...

    summary, watcher = batch(tmp_path, [entry("a")], Comes())
    assert summary.figures.done == 1
    assert watcher.said == ["paused: there is no machine to work on; the batch continues when there is one"]


def test_tries_are_counted_anew_for_each_stage(tmp_path):
    crash, passed = Failure("crash", "WorkerDied", "why"), Advanced("cut", (), 60.0, 1.0)
    executor = MadeUp(answers={"a": [crash, crash, passed, crash, crash]})
    summary, _ = batch(tmp_path, [entry("a")], executor)
    assert summary.figures.done == 1


@pytest.mark.parametrize(
    ("kind", "again"), [("input", False), ("crash", False), ("passing", True), ("lost", True)]
)
def test_what_is_set_aside_stays_so_while_its_inputs_do(tmp_path, kind, again):
    failures = [Failure(kind, "Cause", "why")] * 30
    batch(tmp_path, [entry("a")], MadeUp(answers={"a": failures}))
    executor = MadeUp()
    summary, _ = batch(tmp_path, [entry("a")], executor)
    assert bool(executor.begun) == again
    assert summary.figures.done == int(again)
    executor = MadeUp()
    batch(tmp_path, [entry("a")], executor, retry=True)
    assert executor.begun


@pytest.mark.parametrize("name", ["turns.json", "clips.jsonl"])
def test_what_was_set_aside_is_tried_again_once_a_file_of_it_is_corrected(tmp_path, name):
    path = tmp_path / "a" / name
    path.parent.mkdir()
    for correct in (
        lambda: os.utime(path, (time.time() - 3600,) * 2),  # by a file server's clock
        path.unlink,  # to have it made anew
    ):
        path.write_text("{}")
        batch(tmp_path, [entry("a")], MadeUp(answers={"a": [Failure("input", "Cause", "why")]}))
        assert batch(tmp_path, [entry("a")], MadeUp())[0].figures.done == 0
        correct()
        assert batch(tmp_path, [entry("a")], MadeUp())[0].figures.done == 1


def test_a_ledger_that_another_program_holds_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("emomedia.batch.ledger._BUSY_SECONDS", 0.01)
    monkeypatch.setattr("emomedia.batch.head._FULL_SECONDS", 0.001)
    with closing(Ledger(tmp_path)) as ledger:
        holder = sqlite3.connect(ledger.path, isolation_level=None)
        watcher, executor = Quiet(), MadeUp()
        watcher.note = lambda text: (watcher.said.append(text), holder.rollback())
        executor.start = lambda key, task: (
            holder.execute("BEGIN IMMEDIATE"), MadeUp.start(executor, key, task)
        )  # fmt: skip
        holder.execute("BEGIN IMMEDIATE")
        assert Batch([entry("a")], tmp_path, executor, ledger, watcher).run().figures.done == 1
    assert len(watcher.said) == 10
    assert all("database is locked; close what else has it open" in text for text in watcher.said[::2])
    assert all(text.endswith("the batch continues") for text in watcher.said[1::2])


def test_a_worker_that_the_system_cannot_start_is_tried_again(tmp_path):
    class Refused(MadeUp):
        refusals = 2

        def start(self, key, task):
            if self.refusals:
                self.refusals -= 1
                raise BlockingIOError(errno.EAGAIN, "no more processes")
            super().start(key, task)

    summary, watcher = batch(tmp_path, [entry("a")], Refused())
    assert (summary.figures.done, len(watcher.said)) == (1, 2)


@pytest.mark.parametrize("patience", [0, 60], ids=["asked for more at once", "asked for more later"])
def test_where_the_system_has_fewer_processes_than_cores_no_session_is_set_aside(
    tmp_path, monkeypatch, patience
):
    class Small(MadeUp):
        refusals = 0

        def start(self, key, task):
            if len(self.running) == 2:
                self.refusals += 1
                raise OSError(errno.EMFILE, "too many open files")
            super().start(key, task)

    monkeypatch.setattr("emomedia.batch.head._CROWDED_SECONDS", patience)
    executor = Small(cores=6)
    summary, watcher = batch(tmp_path, [entry(str(number)) for number in range(12)], executor)
    assert (summary.figures.done, summary.figures.failed) == (12, ())
    assert watcher.said == ["the system refuses more than 2 workers now: too many open files"]
    assert {row["outcome"] for row in read(tmp_path)["attempts"]} == {"advanced"}
    assert executor.refusals == 1 if patience else executor.refusals > 10


def test_processes_that_the_system_has_again_are_used_again(tmp_path, monkeypatch):
    class Short(MadeUp):
        refusals, together = 1, 0

        def start(self, key, task):
            if self.refusals and len(self.running) == 2:
                self.refusals -= 1
                raise OSError(errno.EMFILE, "too many open files")
            super().start(key, task)
            self.together = max(self.together, len(self.running))

    monkeypatch.setattr("emomedia.batch.head._CROWDED_SECONDS", 0)
    executor = Short(cores=6)
    summary, _ = batch(tmp_path, [entry(str(number)) for number in range(12)], executor)
    assert (summary.figures.done, executor.together) == (12, 6)


def test_workers_that_were_stopped_with_their_head_are_not_taken_for_hanging(monkeypatch):
    """Ctrl-Z and fg, or a scheduler's suspend: hours pass in which nobody can do anything."""
    now = 0.0
    monkeypatch.setattr("emomedia.batch.workers.monotonic", lambda: now)
    with subprocess.Popen(["sleep", "60"]) as process:
        executor, (ours, _theirs) = LocalWorkers(Room(1), stall_seconds=20), multiprocessing.Pipe()
        process.join, process.exitcode = process.wait, -9
        executor._workers.append(_Worker(process, ours, "a", used=1e9))
        for now in (6.0, 40_000.0):  # noqa: B007
            assert executor.events(0) == []
        now = 40_006.0
        ((key, told),) = executor.events(0)
    assert (key, told.text) == ("a", "its worker did nothing for 20 s and was killed")


def test_what_stages_say_is_told_once_with_all_who_said_it(tmp_path):
    same, own = "not measured: faces", "a is odd"
    answers = {id: [Advanced(None, (), 60.0, 1.0, (same,))] for id in "abcdefg"}
    answers["a"] = [Advanced(None, (), 60.0, 1.0, (same, own))]
    executor = MadeUp(cores=1, answers=answers)
    _, watcher = batch(tmp_path, [entry(id, 10 - n) for n, id in enumerate("abcdefg")], executor)
    assert watcher.said == [f"a: {same}", f"a: {own}", f"7 sessions (a, b, c, d, e, …): {same}"]


def test_a_full_disk_is_no_fault_of_the_sessions(tmp_path, monkeypatch):
    monkeypatch.setattr("emomedia.batch.head._FULL_SECONDS", 0.001)
    free = iter([1 << 40, 1 << 30, *[1 << 30] * 3, *[1 << 40] * 20])
    executor = MadeUp(answers={"a": [Failure("full", "OutputError", "no space left")]})
    summary, watcher = batch(tmp_path, [entry("a")], executor, free_bytes=lambda _: next(free))
    assert summary.figures.done == 1
    assert watcher.said[0].startswith("paused: ") and watcher.said[1].endswith("the batch continues")
    assert [row["outcome"] for row in read(tmp_path)["attempts"]] == ["full"] + ["advanced"] * 4


def told_of(kind, found="that", cause=None):
    error = kind("a", expected="this", found=found, remedy="do")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (told_of(MediaNotFoundError), "input"),
        (told_of(SyncError), "input"),
        (told_of(MediaError, cause=av.error.OSError(errno.EIO, "of a broken file")), "input"),
        (told_of(MediaNotFoundError, cause=OSError(errno.EIO, "of a file server")), "passing"),
        (told_of(MediaError, found="Stale file handle"), "passing"),
        (told_of(DescriptionError, found="an id 'no space left on device'"), "input"),
        (KeyError("x"), "input"),
        (told_of(StalledError), "passing"),
        (told_of(OutputBusyError), "passing"),
        (told_of(OutputError), "passing"),
        (OSError(errno.EIO, "broken"), "passing"),
        (MemoryError(), "passing"),
        (OSError(errno.ENOSPC, "full"), "full"),
        (output_error(Path("a"), OSError(errno.EDQUOT, "full")), "full"),
        (OutputError("a", expected="to write", found="No space left on device", remedy="free some"), "full"),
    ],
    ids=str,
)
def test_whose_fault_an_error_is(error, kind):
    assert failure(error).kind == kind


def test_an_unknown_error_is_told_with_its_place():
    try:
        {}["x"]
    except KeyError as error:
        assert failure(error).text.startswith("KeyError: 'x' (test_head.py, line ")


def test_hours_of_sessions_not_probed_yet_are_guessed_from_their_bytes():
    shares = [Share(100, 3600, 1.0), Share(100, 1800, 0.5), Share(400, None, 0.0)]
    assert hours(shares) == (pytest.approx(1.5 + 3), pytest.approx(1.25))


def test_rate_and_time_left_count_what_this_batch_has_done():
    assert pace(2.0, 10.0, 4.0, 3600.0) == (2.0, 3 * 3600)
    assert pace(0.0, 10.0, 4.0, 3600.0) == (None, None)


def test_figures_are_told_in_words():
    assert bottleneck({"cut": 3.0, "speech": 1.0}) == "cut, 75% of the processor time"
    assert [duration_text(seconds) for seconds in (40, 720, 7500, 190_000)] == [
        "40 s",
        "12 min",
        "2 h 5 min",
        "2 d 4 h",
    ]
    assert [size_text(size) for size in (999, 32_000_000, 1.25e9, 7e12)] == [
        "999 B",
        "32.0 MB",
        "1.2 GB",
        "7.0 TB",
    ]
    assert failure_lines([]) == []


def test_finer_and_more_pictures_take_more_space():
    base = session_bytes(3600, Options())
    assert 10e9 < base < 20e9
    assert session_bytes(3600, Options(crf=14)) > 1.6 * base
    assert session_bytes(3600, Options(layout=("composite", "left", "right"))) > 2 * base
    assert lasting_bytes(3600, Options()) < base


def test_files_that_go_while_they_are_counted_count_for_nothing(tmp_path, monkeypatch):
    (tmp_path / "sound").mkdir()
    for name in ("a", "sound/b", "sound/c"):
        (tmp_path / name).write_bytes(b"1234")
    found = [*os.walk(tmp_path)]
    (tmp_path / "a").unlink()
    monkeypatch.setattr(os, "walk", lambda _: found)
    assert present_bytes(tmp_path) == 8
