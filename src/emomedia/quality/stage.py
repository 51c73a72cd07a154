"""The check stage: clips.jsonl with the measures of each clip and a verdict on it.

It works on an output folder alone: clips, voices, the audit and the stage files.  What the engine saw of the
pictures is in the audit already; a clip that was made without it is decoded.  A clip is measured again only
when something that its measures depend on has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .. import stages
from ..dataset.audit import Row, read_rows, write_rows
from ..files import writing
from ..layout import SessionFolder
from ..session import SIDES
from .measure import SessionFacts, Tools, key_of, measured
from .profile import Rule, faces_seen, judge


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The session's rows with measures and verdicts; how many were measured now; what people should know."""

    rows: tuple[Row, ...]
    measured: int
    notes: tuple[str, ...]


def check_session(
    folder: SessionFolder,
    rules: tuple[Rule, ...],
    workers: int,
    advances: Callable[[int, int], None] = lambda *_: None,
) -> CheckResult:
    """Measure what clips of a session have not been measured, and judge all of them.

    Raises
    ------
    MediaError, MediaNotFoundError
        A clip's file is missing or does not decode.
    OutputError
        The audit cannot be written.
    StageError
        The audit or a stage file cannot be read.
    """
    before = read_rows(folder.audit)
    facts, tools = session_facts(folder), Tools.found()
    rows, count = _measured_rows(before, folder, facts, tools, workers, advances)
    seen = faces_seen(rows)
    judged = [_judged(row, rules, seen) for row in rows]
    if judged != before:
        with writing(folder.path):
            write_rows(folder.audit, judged)
    return CheckResult(tuple(judged), count, tuple(_notes(judged, tools, seen)))


def session_facts(folder: SessionFolder) -> SessionFacts:
    """What the session's stage files say, as far as there are any."""

    def body(name: str) -> dict[str, Any]:
        path = folder.stage(name)
        return stages.read(path) if path.is_file() else {}

    return SessionFacts(body("speech"), body("sync"), body("turns").get("turns", []))


def _measured_rows(
    rows: Sequence[Row],
    folder: SessionFolder,
    facts: SessionFacts,
    tools: Tools,
    workers: int,
    advances: Callable[[int, int], None],
) -> tuple[list[Row], int]:
    """The rows with all measures, and how many of them were measured now."""

    def with_measures(row: Row) -> tuple[Row, bool]:
        mine = facts.of(row)
        if row["quality"].get("measured", {}).get("key") == key_of(row, mine, tools):
            return row, False
        return row | {"quality": measured(row, folder, mine, tools)}, True

    made, count = [], 0
    with ThreadPoolExecutor(max(1, workers)) as threads:
        for row, new in threads.map(with_measures, rows):
            made.append(row)
            count += new
            advances(len(made), len(rows))
    return made, count


def _judged(row: Row, rules: tuple[Rule, ...], seen: dict[str, bool]) -> Row:
    verdict = judge(row, rules, seen)
    return row | {"keep": verdict.keep, "reasons": list(verdict.reasons)}


def _notes(rows: Sequence[Row], tools: Tools, seen: dict[str, bool]) -> list[str]:
    notes = []
    if tools.missing and rows:
        notes.append(f"not measured: {' and '.join(tools.missing)}; pip install 'emomedia[quality]'")
    if tools.faces is not None and rows:
        notes += [
            f"{side}: hardly a face in the whole session, so clips are not judged by faces"
            for side in SIDES
            if not seen[side]
        ]
    return notes
