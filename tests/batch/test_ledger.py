"""The ledger: what it keeps, and that readers and power cuts don't hurt it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from emomedia.batch.ledger import Ledger, ledger_path, read
from emomedia.batch.sessions import Entry
from emomedia.batch.status import figures_of, status
from emomedia.batch.task import Failure, StageDone
from emomedia.errors import OutputError
from emomedia.files import locked
from emomedia.options import Options


def entry(id: str, inputs: str = "i") -> Entry:
    return Entry(Path(f"/in/{id}/session.toml"), id, Options(), inputs, media_bytes=1000)


def done(stage: str, outcome: str = "made", **made: int) -> StageDone:
    return StageDone(stage, outcome, 2.0, 3.0, f"hash of {stage}", made)


@pytest.fixture
def ledger(tmp_path):
    with closing(Ledger(tmp_path)) as opened:
        opened.set_sessions([entry("a"), entry("b")])
        yield opened


def sessions(out):
    return {row["id"]: row for row in read(out)["sessions"]}


def test_a_session_goes_from_stage_to_stage(ledger, tmp_path):
    ledger.record_start("a", "probe", 1)
    assert sessions(tmp_path)["a"]["state"] == "running"
    ledger.record_success("a", [done("probe")], None, "cut")
    ledger.record_start("a", "cut", 2)
    ledger.record_progress({"a": (30, 120)})
    assert figures_of(read(tmp_path), running=True).running == (("a", "cut", 0.25),)
    ledger.record_success("a", [done("cut", clips=5)], 60.0, None)
    row = sessions(tmp_path)["a"]
    assert (row["state"], row["clips"], row["footage_seconds"]) == ("done", 5, 60.0)
    tried = [(row["stage"], row["cores"], row["outcome"]) for row in read(tmp_path)["attempts"]]
    assert tried == [("probe", 1, "advanced"), ("cut", 2, "advanced")]


def test_a_stage_that_was_fresh_counts_as_made_no_more_than_before(ledger, tmp_path):
    for outcome in ("made", "fresh", "made", "fresh"):
        ledger.record_start("a", "probe", 1)
        ledger.record_success("a", [done("probe", outcome)], None, "sync")
    (row,) = read(tmp_path)["stages"]
    assert (row["times_made"], row["outcome"], row["hash"]) == (2, "fresh", "hash of probe")


def test_failures_keep_their_cause(ledger, tmp_path):
    ledger.record_start("a", "probe", 1)
    ledger.record_failure("a", Failure("crash", "WorkerDied", "killed by SIGSEGV"), final=False)
    assert sessions(tmp_path)["a"]["state"] == "waiting"
    ledger.record_start("a", "probe", 1)
    ledger.record_failure("a", Failure("crash", "WorkerDied", "killed by SIGSEGV"), final=True)
    (failed,) = status(tmp_path).failed
    assert (failed.id, failed.stage, failed.cause, failed.text) == (
        "a", "probe", "WorkerDied", "killed by SIGSEGV",
    )  # fmt: skip


def test_after_a_kill_what_ran_waits_again(ledger, tmp_path):
    ledger.record_start("a", "probe", 1)
    ledger.record_success("b", [done("cut")], 1.0, None)
    ledger.close()
    with closing(Ledger(tmp_path)) as again:
        assert {id: known.state for id, known in again.known().items()} == {"a": "waiting", "b": "done"}
        again.set_sessions([entry("a"), entry("b", "other inputs")])
        assert again.known()["b"].state == "waiting"
    assert [row["outcome"] for row in read(tmp_path)["attempts"]] == ["interrupted"]


def test_a_description_that_was_mended_leaves_no_row_of_its_path(ledger):
    broken = Entry(Path("/in/a/session.toml"), "/in/a/session.toml", Options(), "i")
    ledger.set_sessions([broken])
    ledger.set_sessions([entry("a")])
    assert set(ledger.known()) == {"a", "b"}


def test_others_read_while_it_is_written(ledger, tmp_path):
    code = "import sys; from pathlib import Path; from emomedia.batch.ledger import read\n"
    code += "for _ in range(10): assert len(read(Path(sys.argv[1]))['sessions']) == 2"
    reader = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    while reader.poll() is None:
        ledger.record_progress({"a": (1, 2)})
        time.sleep(0.01)
    assert reader.returncode == 0


def test_a_change_that_was_cut_off_is_undone_by_whoever_looks_next(ledger, tmp_path):
    """A head killed amid a commit leaves a journal; the pages that it wrote already count for nothing."""
    path = ledger_path(tmp_path)
    ledger.record_start("a", "probe", 1)
    ledger.close()
    code = "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    code += "db.execute('PRAGMA cache_size = 1'); db.execute('PRAGMA cache_spill = 1'); db.execute('BEGIN')\n"
    code += "db.execute('DELETE FROM sessions'); db.execute('CREATE TABLE big (x)')\n"
    code += "db.executemany('INSERT INTO big VALUES (?)', [('x' * 3000,)] * 500); os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.with_name(path.name + "-journal").stat().st_size > 512
    assert set(sessions(tmp_path)) == {"a", "b"}


def test_every_change_is_on_the_disk_before_it_counts(tmp_path):
    """Journal, data and folder are synced; no write-ahead log, which network file systems do not bear."""
    with closing(Ledger(tmp_path)) as opened:
        pragma = {
            name: opened._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        }
    assert pragma == {"journal_mode": "delete", "synchronous": 3}


def of_an_older_version(ledger: bytes) -> bytes:
    return ledger[:60] + (1).to_bytes(4, "big") + ledger[64:]


def with_a_page_of_zeros(ledger: bytes) -> bytes:
    return ledger[:4096] + bytes(4096) + ledger[8192:]


def with_a_name_in_no_encoding(ledger: bytes) -> bytes:
    return ledger.replace(b"sqlite_autoindex_batch", b"sqlite_autoindex_b\xfftch")


@pytest.mark.parametrize(
    "harm",
    [
        lambda _: b"no database at all" * 100,
        lambda _: b"SQLite format 3\0" + bytes(200),
        of_an_older_version,
        with_a_page_of_zeros,
        with_a_name_in_no_encoding,
    ],
)
def test_what_is_no_ledger_is_put_aside(tmp_path, harm):
    path = ledger_path(tmp_path)
    with closing(Ledger(tmp_path)):
        content = harm(path.read_bytes())
    path.write_bytes(content)
    with closing(Ledger(tmp_path)) as opened:
        assert opened.put_aside
        opened.set_sessions([entry("a")])
    assert path.with_suffix(".broken").read_bytes() == content
    assert set(sessions(tmp_path)) == {"a"}


def test_status_where_there_was_no_batch_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="emomedia batch"):
        status(tmp_path)
    ledger_path(tmp_path).parent.mkdir()
    os.mkfifo(ledger_path(tmp_path))
    with pytest.raises(OutputError, match="found not a regular file"):
        status(tmp_path)


@pytest.mark.usefixtures("ledger")
def test_text_that_rots_is_an_error(tmp_path):
    path = ledger_path(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"waiting", b"wa\xffting"))
    with pytest.raises(OutputError, match="UTF-8"):
        status(tmp_path)
    with closing(Ledger(tmp_path)) as opened, pytest.raises(OutputError, match=r"UTF-8.*; remove it"):
        opened.known()


def test_status_tells_a_head_that_has_died(ledger, tmp_path):
    ledger.record_facts(state="running")
    ledger.record_start("a", "cut", 1)
    with locked(tmp_path / ".batch"):
        assert (status(tmp_path).state, len(status(tmp_path).running)) == ("running", 1)
    assert (status(tmp_path).state, len(status(tmp_path).running)) == ("interrupted", 0)


def test_a_ledger_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / ".batch").write_text("a file")
    with pytest.raises(OutputError):
        Ledger(tmp_path)
