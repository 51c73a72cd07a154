"""What an output folder holds, read once for the report: the index, and the files that each session left.

The report covers whatever exists: a session's file that is missing or cannot be read leaves a
gap on the page, and a line that says so, but never ends the report.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..batch.ledger import read
from ..batch.status import status
from ..dataset.actors import Actor, find_actors
from ..dataset.index import outdated, read_index
from ..errors import OutputError
from ..files import error_text, read_small
from ..layout import AUDIT_NAME, SessionFolder
from ..pipeline import FILE_OF
from ..session import SIDES
from ..stages import MAX_BYTES, parse

if TYPE_CHECKING:
    import pyarrow as pa

_T = TypeVar("_T")

TOOLS = ("picture", "face", "person", "dnsmos")
"""Of what the audit names who measured it."""

SIDE_MEASURES = (
    "sharpness",
    "dnsmos_ovrl",
    "snr_db",
    "loudness_lufs",
    "person_share",
    "face_box",
    "person_box",
)
COLUMNS = (
    "id", "kind", "session", "dialogue", "speaker", "actors", "start", "end", "text", "topic", "emotion",
    "turns.list.element.gap_s", "turns.list.element.overlap_s", "turns.list.element.backchannel",
    "keep", "reasons", "quality.sync_residual_ms", "quality.other",
    *(f"quality.{side}.{name}" for side in ("left", "right") for name in SIDE_MEASURES),
)  # fmt: skip
"""What the page has of every clip."""


@dataclass(frozen=True)
class SessionFacts:
    """What the files of one session say, as far as the page shows it; None where there is none.

    Attributes
    ----------
    footage_seconds : float or None
        What both takes cover, from plan.json.
    sync, run : dict or None
        sync.json and run.json.
    """

    id: str
    footage_seconds: float | None
    sync: dict[str, Any] | None
    run: dict[str, Any] | None


@dataclass(frozen=True)
class Gathered:
    """All that the report is made from.

    Attributes
    ----------
    failures : tuple of (session, cause)
        Sessions that have no clips, and why as far as is known.
    batch_seconds : float or None
        In which a batch worked, without the pauses between its runs; None where there was none.
    notes : tuple of str
        Files that could not be read, or that the index is behind of.
    tools : dict
        What measured pictures, faces, persons and voices, each with its number of clips.
    """

    out: Path
    table: pa.Table
    sessions: tuple[SessionFacts, ...]
    actors: dict[str, Actor]
    failures: tuple[tuple[str, str], ...] = ()
    batch_seconds: float | None = None
    notes: tuple[str, ...] = field(default=())
    tools: dict[str, Counter[str]] = field(default_factory=dict)


def gather(out: Path, actors: Path | None = None) -> Gathered:
    """Read an output folder.

    Raises
    ------
    StageError
        It has no index, or one that cannot be read.
    DescriptionError, MediaNotFoundError
        The table of actors is wrong or missing.
    """
    table = read_index(out, COLUMNS)
    notes = [
        f"{session}/{AUDIT_NAME}: not as in the index; emomedia check updates it"
        for session in outdated(out, table.schema)
    ]
    finished = set(table["session"].unique().to_pylist())
    sessions = tuple(_session(SessionFolder(out, name), notes) for name in sorted(finished))
    failures = tuple(_failures(out, finished))
    known = find_actors(out, actors)
    return Gathered(out, table, sessions, known, failures, _worked(out), tuple(notes), _tools(table))


def _tools(table: pa.Table) -> dict[str, Counter[str]]:
    """What `measured` of the clips' quality says, which the index has as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[str, Counter[str]] = {what: Counter() for what in TOOLS}
    kind = table.schema.field("quality").type
    nested = pa.types.is_struct(kind) and kind.get_field_index("other") >= 0
    for quality in pc.struct_field(table["quality"], "other").to_pylist() if nested else ():
        measured = json.loads(quality or "{}").get("measured") or {}
        for what, count in found.items():
            count[str(measured.get(what) or "nothing")] += 1
    return found


def _session(folder: SessionFolder, notes: list[str]) -> SessionFacts:
    plan, sync = (_read(folder.stage(name), notes) for name in ("plan", "sync"))
    return SessionFacts(
        folder.session,
        _taken(_footage, plan, folder.stage("plan"), notes),
        _taken(_recordings, sync, folder.stage("sync"), notes),
        _read(folder.run_report, notes),
    )


def _footage(plan: dict[str, Any]) -> float:
    first, end = plan["footage"]
    return float((end - first) / Fraction(plan["rate"]))


def _recordings(sync: dict[str, Any]) -> dict[str, Any]:
    return {side: {kind: dict(sync[side][kind]) for kind in ("take", "track")} for side in SIDES}


def _taken(
    take: Callable[[dict[str, Any]], _T], body: dict[str, Any] | None, path: Path, notes: list[str]
) -> _T | None:
    """What `take` finds in a file's object; None, with a line in `notes`, where it is not of that shape."""
    try:
        return None if body is None else take(body)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        notes.append(f"{path.parent.name}/{path.name}: not as emomedia writes it ({error!r})")
        return None


def _read(path: Path, notes: list[str]) -> dict[str, Any] | None:
    """A file's JSON object; None, with a line in `notes`, where it is not one."""
    try:
        body = parse(read_small(path, MAX_BYTES), float)
        if not isinstance(body, dict):
            raise ValueError("no JSON object")
    except (OSError, ValueError) as error:
        notes.append(f"{path.parent.name}/{path.name}: {error_text(error)}")
        return None
    return body


def _worked(out: Path) -> float | None:
    """Seconds in which any task of a batch ran, by its ledger."""
    try:
        attempts = read(out)["attempts"]
    except OutputError:
        return None  # there was no batch
    seconds, until = 0.0, 0.0
    for began, ended in sorted((row["began"], row["ended"] or row["began"]) for row in attempts):
        seconds += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return seconds


def _failures(out: Path, finished: set[str]) -> Iterator[tuple[str, str]]:
    """Sessions that a batch has set aside, with their errors; then other folders without clips."""
    listed = set()
    try:
        failed = status(out).failed
    except OutputError:
        failed = ()  # there was no batch
    for failure in failed:
        listed.add(failure.id)
        yield failure.id, f"{failure.stage or 'description'}: {failure.text}"
    for path in sorted(out.iterdir()):
        folder = SessionFolder(out, path.name)
        stranger = path.name not in finished | listed and not path.name.startswith(".")
        if stranger and folder.audit.is_file():
            yield path.name, "no clip in it"
        elif stranger and folder.stage(FILE_OF["probe"]).is_file():  # other folders are none of sessions
            yield path.name, "unfinished: no clips.jsonl"
