"""The ledger of an output folder: what became of every session, stage and attempt.

It is an SQLite file that the batch's head alone writes, each change one transaction: with a rollback
journal, which works on network file systems, and synced before it counts.  Whether a stage is fresh is never
asked of it: the stage files say so, and from them it can be rebuilt.  It alone knows errors, attempts
and times, and therefore which sessions are set aside.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import OutputError, OutputFullError
from ..files import make_folder, sync_folder, writing
from .sessions import Entry
from .task import Failure, StageDone

State = Literal["waiting", "running", "done", "failed"]

FOLDER_NAME = ".batch"
"""In the output folder; ids of sessions do not begin with a dot."""

VERSION = 2
_BUSY_SECONDS = 60

_SCHEMA = """
CREATE TABLE batch (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,            -- the description's path where that cannot be read
  path TEXT,                      -- of its description, where that is known
  place INTEGER NOT NULL,         -- in the batch's list; -1 where another batch had it
  inputs TEXT NOT NULL,           -- digest of description, media, options, version
  state TEXT NOT NULL,            -- waiting, running, done, failed
  stage TEXT,                     -- the one that is made, waited for, or that failed
  frames_done INTEGER, frames_total INTEGER,
  media_bytes INTEGER, footage_seconds REAL, clips INTEGER,
  kind TEXT, cause TEXT, error TEXT,
  files TEXT,                     -- digest of its stage files' sizes and times when it failed
  updated REAL NOT NULL
);
CREATE TABLE stages (
  id TEXT NOT NULL, stage TEXT NOT NULL,
  hash TEXT NOT NULL,             -- of what it was made from
  outcome TEXT NOT NULL,          -- made, fresh, own: when it was last passed
  times_made INTEGER NOT NULL,
  seconds REAL, cpu_seconds REAL, -- of the last time that it was made
  made TEXT NOT NULL,             -- counters, JSON
  updated REAL NOT NULL,
  PRIMARY KEY (id, stage)
);
CREATE TABLE attempts (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL, stage TEXT NOT NULL, cores INTEGER NOT NULL,
  began REAL NOT NULL, ended REAL,
  outcome TEXT,                   -- advanced, the kind of a failure, stopped, or interrupted with the head
  error TEXT
);
"""


_INDICES = """
CREATE INDEX IF NOT EXISTS sessions_path ON sessions (path);
CREATE INDEX IF NOT EXISTS attempts_open ON attempts (id) WHERE outcome IS NULL;
"""
"""Without them what a session costs grows with the number of all sessions."""


def ledger_path(out: Path) -> Path:
    """The file of the ledger of the output folder `out`."""
    return out / FOLDER_NAME / "ledger.sqlite"


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a session."""

    id: str
    inputs: str
    state: State
    stage: str | None
    footage_seconds: float | None
    kind: str | None
    cause: str | None
    error: str | None
    files: str | None
    path: str | None


class Ledger:
    """Written by one process, which holds the folder's lock."""

    def __init__(self, out: Path) -> None:
        """Open the ledger in `out`, or make it from the stage files.

        A broken file, or one of another version, is set aside, and `put_aside` says why.  Raises OutputError
        if it cannot be written.
        """
        self.path = ledger_path(out)
        self.put_aside: str | None = None
        self._is_part = False  # whether a change is one of several that are made as one
        with writing(self.path), as_output_errors(self.path):
            make_folder(self.path.parent)
            try:
                self._db = _opened(self.path)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self.put_aside = str(error)
                self.path.replace(self.path.with_suffix(".broken"))
                self._db = _opened(self.path)
            sync_folder(self.path.parent)
        if self._is_empty():
            self._rebuild(out)
        with self._change() as db:
            db.execute("UPDATE attempts SET outcome = 'interrupted' WHERE outcome IS NULL")
            db.execute("UPDATE sessions SET state = 'waiting' WHERE state = 'running'")

    def close(self) -> None:
        self._db.close()

    def record(self, changes: Iterable[Callable[[], None]]) -> None:
        """Make several changes in one transaction: each transaction costs five disk syncs."""
        with self._change():
            self._is_part = True
            try:
                for change in changes:
                    change()
            finally:
                self._is_part = False

    def known(self) -> dict[str, Known]:
        """All sessions by their ids."""
        columns = ", ".join(Known.__slots__)
        with as_output_errors(self.path):
            rows = self._db.execute(f"SELECT {columns} FROM sessions")
            return {row[0]: Known(*row) for row in rows}

    def record_facts(self, **facts: Any) -> None:
        """Record facts of the batch as a whole, by key."""
        with self._change() as db:
            pairs = [(key, json.dumps(value)) for key, value in facts.items()]
            db.executemany("INSERT OR REPLACE INTO batch VALUES (?, ?)", pairs)

    def set_sessions(self, entries: Iterable[Entry]) -> None:
        """Set the batch's sessions, in order; one whose inputs have changed is no longer done or failed."""
        now = time.time()
        with self._change() as db:
            db.execute("UPDATE sessions SET place = -1")
            for place, entry in enumerate(entries):
                path = str(entry.path)
                db.execute("DELETE FROM sessions WHERE path = ? AND id != ?", (path, entry.id))
                db.execute(
                    "INSERT INTO sessions (id, path, place, inputs, media_bytes, state, updated) "
                    "VALUES (?, ?, ?, ?, ?, 'waiting', ?) ON CONFLICT (id) DO UPDATE SET "
                    "place = excluded.place, path = excluded.path, media_bytes = excluded.media_bytes, "
                    "state = CASE WHEN inputs = excluded.inputs THEN state ELSE 'waiting' END, "
                    "inputs = excluded.inputs",
                    (entry.id, path, place, entry.inputs, entry.media_bytes, now),
                )

    def retry(self, ids: Iterable[str]) -> None:
        """Have failed sessions tried again."""
        with self._change() as db:
            retried = [(id,) for id in ids]
            db.executemany("UPDATE sessions SET state = 'waiting' WHERE id = ? AND state = 'failed'", retried)

    def record_start(self, id: str, stage: str, cores: int) -> None:
        """Record that a task of the session starts."""
        now = time.time()
        with self._change() as db:
            _set(db, id, state="running", stage=stage, frames_done=None, frames_total=None, updated=now)
            row = (id, stage, cores, now)
            db.execute("INSERT INTO attempts (id, stage, cores, began) VALUES (?, ?, ?, ?)", row)

    def record_progress(self, frames: dict[str, tuple[int, int]]) -> None:
        """Record the engines' progress by session: frames done, and all frames."""
        with self._change() as db:
            for id, (done, total) in frames.items():
                _set(db, id, frames_done=done, frames_total=total, updated=time.time())

    def record_success(
        self, id: str, stages: Iterable[StageDone], seconds: float | None, next: str | None
    ) -> None:
        """Record a task's success; without a `next` stage the session is done."""
        now = time.time()
        with self._change() as db:
            clips = _record_stages(db, id, stages, now)
            facts: dict[str, Any] = {"state": "waiting" if next else "done", "stage": next, "updated": now}
            facts |= {"kind": None, "cause": None, "error": None}
            facts |= {} if clips is None else {"clips": clips}
            facts |= {} if seconds is None else {"footage_seconds": seconds}
            _set(db, id, **facts)
            _end_attempt(db, id, "advanced", None, now)

    def record_failure(self, id: str, failure: Failure, *, final: bool, files: str | None = None) -> None:
        """Record a task's failure; if it is `final`, the session is set aside, with `files` in its folder."""
        now = time.time()
        with self._change() as db:
            _record_stages(db, id, failure.stages, now)
            facts = {"kind": failure.kind, "cause": failure.cause, "error": failure.text}
            facts |= {} if failure.stage is None else {"stage": failure.stage}
            _set(db, id, state="failed" if final else "waiting", updated=now, files=files, **facts)
            _end_attempt(db, id, failure.kind, failure.text, now)

    def record_stop(self) -> None:
        """Record that the batch ends before its sessions do."""
        with self._change() as db:
            now = time.time()
            db.execute("UPDATE attempts SET outcome = 'stopped', ended = ? WHERE outcome IS NULL", (now,))
            db.execute("UPDATE sessions SET state = 'waiting' WHERE state = 'running'")

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction, or part of one; a failure to write is an OutputError, and changes nothing."""
        if self._is_part:
            yield self._db
            return
        with as_output_errors(self.path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    def _is_empty(self) -> bool:
        return self._db.execute("SELECT id FROM sessions LIMIT 1").fetchone() is None

    def _rebuild(self, out: Path) -> None:
        """Record the finished stages of existing sessions from their stage files."""
        from .rebuild import finished_stages

        now = time.time()
        with self._change() as db:
            for found in finished_stages(out):
                db.execute(
                    "INSERT INTO sessions (id, place, inputs, state, updated) "
                    "VALUES (?, -1, '', 'waiting', ?)",
                    (found.session, now),
                )
                _record_stages(db, found.session, found.stages, now)


def _opened(path: Path) -> sqlite3.Connection:
    """The database, with its tables."""
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("PRAGMA synchronous = EXTRA")  # FULL, and the folder is synced when the journal goes
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        db.close()
        raise sqlite3.DatabaseError(f"a ledger of version {version}")
    if version == 0:
        db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    _refuse_broken(db)
    db.executescript(_INDICES)
    return db


def _refuse_broken(db: sqlite3.Connection) -> None:
    """Raise DatabaseError if a page is damaged, before anything is read from other pages."""
    try:
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    except BaseException:
        db.close()
        raise


@contextmanager
def as_output_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into an OutputError about `path`, for a full disk an OutputFullError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        remedy = "free space or make it writable, then run again to continue"
        if _code(error) == sqlite3.SQLITE_BUSY:
            remedy = "close what else has it open; on a network file system, mount it with locks"
        if _code(error) == 0:  # Python's, of text that is none
            remedy = "remove it; it is rebuilt from the stage files"
        raise (OutputFullError if _code(error) == sqlite3.SQLITE_FULL else OutputError)(
            path, expected="a ledger that can be written", found=str(error), remedy=remedy
        ) from error


def may_pass(error: OutputError) -> bool:
    """Whether the ledger can be written later, when others release it, or the disk or its server recovers.

    What a quota refuses is an input/output error for SQLite; without an inode it cannot open its journal.
    """
    passing = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    return isinstance(error.__cause__, sqlite3.DatabaseError) and _code(error.__cause__) in passing


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for other errors."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _set(db: sqlite3.Connection, id: str, **facts: Any) -> None:
    columns = ", ".join(f"{name} = ?" for name in facts)
    db.execute(f"UPDATE sessions SET {columns} WHERE id = ?", (*facts.values(), id))


def _end_attempt(db: sqlite3.Connection, id: str, outcome: str, error: str | None, now: float) -> None:
    db.execute(
        "UPDATE attempts SET outcome = ?, error = ?, ended = ? WHERE id = ? AND outcome IS NULL",
        (outcome, error, now, id),
    )


def _record_stages(db: sqlite3.Connection, id: str, stages: Iterable[StageDone], now: float) -> int | None:
    """Record finished stages; returns the number of clips if the cut is one of them."""
    clips = None
    for done in stages:
        made = done.outcome == "made"
        db.execute(
            "INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, stage) DO UPDATE SET "
            "hash = excluded.hash, outcome = excluded.outcome, updated = excluded.updated, "
            "times_made = times_made + excluded.times_made, "
            "seconds = CASE WHEN excluded.times_made THEN excluded.seconds ELSE seconds END, "
            "cpu_seconds = CASE WHEN excluded.times_made THEN excluded.cpu_seconds ELSE cpu_seconds END, "
            "made = CASE WHEN excluded.times_made THEN excluded.made ELSE made END",
            (id, done.stage, done.hash, done.outcome, int(made), done.seconds, done.cpu_seconds,
             json.dumps(done.made), now),
        )  # fmt: skip
        clips = done.made.get("clips", clips)
    return clips


def read(out: Path) -> dict[str, Any]:
    """The whole ledger of `out`, by table; works while a batch writes it.

    Raises OutputError where there is none, or nothing that can be read.
    """
    path = ledger_path(out)
    try:
        try:
            return _tables(path, "ro")
        except sqlite3.OperationalError:  # a head that was killed left its journal: someone has to undo it
            return _tables(path, "rw")
    except (sqlite3.Error, ValueError, TypeError, LookupError) as error:  # damage within pages is found late
        found = "none" if not path.exists() else str(error)
        raise OutputError(
            path,
            expected="a batch's ledger",
            found=found,
            remedy="start one with 'emomedia batch LIST --out OUT'",
        ) from error


def _tables(path: Path, mode: str) -> dict[str, Any]:
    if not path.is_file():
        raise sqlite3.DatabaseError("not a regular file")  # SQLite would wait for a pipe's other end
    with closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=_BUSY_SECONDS)
    ) as db:
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")
        tables = {
            name: [dict(row) for row in db.execute(f"SELECT * FROM {name} ORDER BY {order}")]
            for name, order in (("sessions", "place, id"), ("stages", "id"), ("attempts", "number"))
        }
        batch = {row["key"]: json.loads(row["value"]) for row in db.execute("SELECT * FROM batch")}
    return {"batch": batch} | tables
