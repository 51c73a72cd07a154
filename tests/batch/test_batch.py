"""Batches of real sessions: damage, resuming, corrections, poison, a full disk, Ctrl-C."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import many
from emomedia.batch.head import Batch
from emomedia.batch.ledger import Ledger, ledger_path, read
from emomedia.batch.run import run_batch
from emomedia.batch.schedule import Room
from emomedia.batch.sessions import entries
from emomedia.batch.status import status
from emomedia.batch.workers import LocalWorkers
from emomedia.dataset.verify import verify
from emomedia.errors import OutputBusyError
from emomedia.files import locked
from emomedia.options import Options
from emomedia.run import run
from poisoned import Poisoned

from .conftest import DAMAGED
from .quiet import Quiet

OPTIONS = Options(preset="ultrafast")


@pytest.fixture(scope="module")
def workers():
    """Two workers that several tests share, warm."""
    executor = LocalWorkers(Room(2), stall_seconds=4)
    yield executor
    executor.close()


def batch_of(executor, paths, out, options=OPTIONS, **choices):
    """A batch in this process with its workers beside it; its summary and its watcher."""
    change = choices.pop("change", lambda entry: entry)
    watcher = Quiet()
    with locked(out / ".batch"), closing(Ledger(out)) as ledger:
        found = [change(entry) for entry in entries(paths, options)]
        batch = Batch(found, out, executor, ledger, watcher, retry_seconds=0.1, **choices)
        return batch.run(), watcher


def test_damaged_sessions_are_set_aside_with_their_cause_and_the_others_done(undisturbed):
    result = json.loads(undisturbed.ended.stdout.splitlines()[-1])
    assert (result["event"], result["sessions"], result["done"]) == ("result", 6, 3)
    causes = {Path(one["id"].removesuffix("/session.toml")).name: one["cause"] for one in result["failed"]}
    assert causes == {name: many.DAMAGE[damage][0] for name, damage in DAMAGED.items()}
    assert undisturbed.ended.returncode == 1
    (line,) = undisturbed.ended.stderr.splitlines()
    assert "3 of 6 failed" in line and "emomedia status" in line
    assert [finding for checked in verify(undisturbed.out) for finding in checked.findings] == []
    assert {one.cause for one in status(undisturbed.out).failed} == set(causes.values())


def test_machines_are_told_what_the_docs_say(undisturbed):
    told: dict[str, set[str]] = {}
    for line in undisturbed.ended.stdout.splitlines():
        value = json.loads(line)
        told.setdefault(value["event"], set()).update(value)
    progress = set(status(undisturbed.out).as_json())
    assert told["stage_ends"] == {
        "event", "session", "stage", "outcome", "seconds", "cpu_seconds", "clips", "clips_made",
        "frames_made",
    }  # fmt: skip
    assert told["session_ends"] == {"event", "session", "outcome", "stage", "cause", "error"}
    assert told["result"] - progress == {
        "event", "made", "wall_seconds", "task_cpu_seconds", "head_cpu_seconds", "bookkeeping_share",
    }  # fmt: skip
    documented = (Path(__file__).parents[2] / "docs/batch.md").read_text("utf-8")
    keys = set.union(*told.values()) - {"event"}
    assert [key for key in sorted(keys) if f"`{key}`" not in documented] == []


def test_each_stage_is_a_task_of_its_own(undisturbed):
    tried = [
        (row["stage"], row["outcome"]) for row in read(undisturbed.out)["attempts"] if row["id"] == "s01"
    ]
    assert tried == [(stage, "advanced") for stage in ("probe", "sync", "speech", "cut", "check")]
    assert set(many.times_made(undisturbed.out).values()) == {1}


def test_a_batch_makes_the_bytes_that_single_runs_make(undisturbed, tmp_path):
    run(undisturbed.sessions[0], tmp_path, OPTIONS)
    single = many.dataset(tmp_path)
    del single["clips.parquet"]
    assert single.items() <= undisturbed.dataset.items()


def test_killed_at_any_moment_a_batch_goes_on_to_the_same_bytes(undisturbed, tmp_path):
    """``python -m benchmarks.kills`` kills more often, and on Ray."""
    seed = random.randrange(2**32)
    print("seed", seed)
    many.kill_often(undisturbed.sound, tmp_path, 3, random.Random(seed), longest=5)
    many.assert_as_undisturbed(tmp_path, undisturbed.sound_dataset(tmp_path))


def test_ctrl_c_twice_ends_it_and_all_its_workers_at_once(undisturbed, tmp_path):
    code, said, seconds, alive = many.interrupt_twice(many.batch_command(undisturbed.sound, tmp_path))
    assert (code, said.splitlines()[-1][: len(many.STOPPED)]) == (1, many.STOPPED)
    assert seconds < 12
    assert not alive
    assert status(tmp_path).state == "stopped"
    assert not list(tmp_path.glob("*/clips/.*"))


def test_workers_do_not_see_ctrl_c_from_their_beginning_on(workers):
    worker = workers._workers[0] if workers._workers else workers._hire()
    status_of = Path(f"/proc/{worker.process.pid}/status").read_text()
    blocked = int(next(line for line in status_of.splitlines() if line.startswith("SigBlk")).split()[1], 16)
    assert blocked & 1 << signal.SIGINT - 1
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {signal.SIGINT}


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A copy of the undisturbed batch's folder."""
    return shutil.copytree(undisturbed.out, tmp_path / "out")


def sound_sessions(undisturbed):
    return [path for path in undisturbed.sessions if path.parent.name not in DAMAGED]


def test_a_second_batch_makes_nothing_and_leaves_alone_what_was_set_aside(workers, undisturbed, finished):
    summary, watcher = batch_of(workers, undisturbed.sessions, finished)
    assert {outcome for *_, outcome in watcher.passed} == {"fresh"}
    assert {id for id, *_ in watcher.passed} == {"s00", "s01", "s02"}
    assert len(summary.figures.failed) == 3
    _, watcher = batch_of(workers, undisturbed.sessions[3:4], finished)
    assert [row["outcome"] for row in read(finished)["attempts"] if row["id"] == "s03"] == ["input"]
    batch_of(workers, undisturbed.sessions[3:4], finished, retry=True)
    assert [row["outcome"] for row in read(finished)["attempts"] if row["id"] == "s03"] == ["input"] * 2


def test_a_lost_ledger_is_rebuilt_and_nothing_else(workers, undisturbed, finished):
    before = {
        (row["id"], row["stage"]): row["hash"] for row in read(finished)["stages"] if row["id"] != "s04"
    }
    shutil.rmtree(finished / ".batch")
    with closing(Ledger(finished)):
        pass
    after = {(row["id"], row["stage"]): row["hash"] for row in read(finished)["stages"] if row["id"] != "s04"}
    assert after == before
    summary, _ = batch_of(workers, sound_sessions(undisturbed), finished)
    assert (summary.made["cut"], summary.figures.done) == (0, 3)


def test_a_mended_session_is_done_and_nothing_else(workers, undisturbed, finished, tmp_path):
    folder = shutil.copytree(undisturbed.sessions[3].parent, tmp_path / "s03")
    shutil.copy(undisturbed.sessions[1].parent / "right.mp4", folder / "right.mp4")
    summary, _ = batch_of(workers, [*sound_sessions(undisturbed), folder / "session.toml"], finished)
    assert (summary.made["cut"], summary.made["probe"]) == (1, 1)
    assert (summary.figures.done, len(summary.figures.failed)) == (4, 0)


def test_a_turn_corrected_by_hand_encodes_its_dialogues_chunks_anew_and_nothing_else(workers, tmp_path):
    (path,) = many.make_sessions(tmp_path / "in", 1, seconds=9, dialogues=2)
    batch_of(workers, [path], tmp_path)
    turns = tmp_path / "s00/turns.json"
    body = json.loads(turns.read_text())
    rows = [json.loads(line) for line in (tmp_path / "s00/clips.jsonl").read_text().splitlines()]
    dialogues = {row["id"]: row["frame_count"] for row in rows if row["kind"] == "dialogue"}
    assert len(dialogues) == 2
    last = [turn for turn in body["turns"] if turn["dialogue"] == min(dialogues)][-1]
    last["end"] = round(last["end"] - 0.3, 3)
    turns.write_text(json.dumps(body))
    summary, watcher = batch_of(workers, [path], tmp_path)
    assert {(stage, outcome) for _, stage, outcome in watcher.passed} == {
        ("probe", "fresh"), ("sync", "fresh"), ("speech", "fresh"), ("turns", "own"), ("plan", "made"),
        ("cut", "made"), ("check", "made"),
    }  # fmt: skip
    assert summary.made["frames_made"] == dialogues[last["dialogue"]]
    again = [json.loads(line) for line in (tmp_path / "s00/clips.jsonl").read_text().splitlines()]
    changed = {one["dialogue"] for one, other in zip(rows, again, strict=True) if one != other}
    assert changed == {last["dialogue"]}
    assert {row["id"]: row for row in rows if row["dialogue"] not in changed}.items() <= {
        row["id"]: row for row in again
    }.items()
    known = {row["stage"]: row["hash"] for row in read(tmp_path)["stages"]}
    shutil.rmtree(tmp_path / ".batch")
    with closing(Ledger(tmp_path)):
        pass
    anew = {row["stage"]: row["hash"] for row in read(tmp_path)["stages"]}
    assert {stage: anew[stage] for stage in ("cut", "check")} == {
        stage: known[stage] for stage in ("cut", "check")
    }


@pytest.mark.parametrize(
    ("harm", "told", "times"),
    [("SIGKILL", "SIGKILL; the system's memory", 3), ("hang", "did nothing for 4 s", 1)],
)
def test_a_poisoned_session_is_set_aside_and_the_next_is_done(
    workers, undisturbed, tmp_path, monkeypatch, harm, told, times
):
    monkeypatch.setattr("emomedia.batch.head.CRASHES", times)
    shutil.copytree(undisturbed.out / "s01", tmp_path / "s01")

    def poison(entry):
        bad = Poisoned(preset="ultrafast", harm=harm)
        return replace(entry, options=bad) if entry.id == "s00" else entry

    summary, _ = batch_of(workers, undisturbed.sessions[:2], tmp_path, change=poison)
    (failed,) = summary.figures.failed
    assert (failed.id, failed.cause) == ("s00", "WorkerDied")
    assert told in failed.text
    assert summary.figures.done == 1
    tried = [row["outcome"] for row in read(tmp_path)["attempts"] if row["id"] == "s00"]
    assert tried == ["crash"] * times


def test_a_session_whose_worker_died_once_is_tried_again(workers, undisturbed, tmp_path):
    shutil.copytree(undisturbed.out / "s00", tmp_path / "s00")
    once = str(tmp_path / "once")
    summary, watcher = batch_of(
        workers,
        undisturbed.sessions[:1],
        tmp_path,
        change=lambda entry: replace(entry, options=Poisoned(preset="ultrafast", once=once)),
    )
    assert (summary.figures.done, len(watcher.said)) == (1, 1)


def test_what_may_pass_is_tried_again(workers, undisturbed, tmp_path):
    """Another process holds the session for a moment."""
    shutil.copytree(undisturbed.out / "s00", tmp_path / "s00")
    code = "import sys, time; from pathlib import Path; from emomedia.files import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(2.5)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "s00")], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    summary, watcher = batch_of(workers, undisturbed.sessions[:1], tmp_path, change=lambda entry: entry)
    holder.communicate()
    assert summary.figures.done + len(summary.figures.failed) == 1
    assert any("another emomedia process" in text for text in watcher.said)


def test_two_batches_on_one_folder_do_not_collide(undisturbed, finished):
    before = ledger_path(finished).read_bytes()
    with locked(finished / ".batch"), pytest.raises(OutputBusyError, match="another emomedia process"):
        run_batch([str(undisturbed.sound)], finished, OPTIONS, Quiet())
    assert ledger_path(finished).read_bytes() == before


def test_a_full_disk_pauses_the_batch_until_there_is_room(workers, undisturbed, finished, monkeypatch):
    monkeypatch.setattr("emomedia.batch.head._FULL_SECONDS", 0.2)
    asked: list[float] = []

    def free(_folder: Path) -> int:
        asked.append(time.monotonic())
        return 1 << 20 if len(asked) < 4 else 1 << 40

    summary, watcher = batch_of(workers, sound_sessions(undisturbed), finished, free_bytes=free)
    assert summary.figures.done == 3
    expected, paused, goes_on = watcher.said
    assert expected.endswith("the batch pauses when it is full")
    assert paused.startswith("paused: ") and "1.0 MB free" in paused
    assert goes_on.endswith("the batch continues")
