"""The check stage: clips.jsonl with the measures of each clip and a verdict on it.

It works on an output folder alone: clips, voices, the audit and the stage files.  What the engine saw of the
pictures is in the audit already; a clip that was made without it is decoded.  A clip is measured again only
when something that its measures depend on has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from .. import stages
from ..dataset.audit import UNCHECKED, Row, read_rows, write_rows
from ..files import writing
from ..layout import SessionFolder
from ..session import SIDES
from ..sync.table import clocks
from .measure import TOOLS, SessionFacts, Tools, key_of, measured
from .profile import Rule, faces_seen, judge, read_profile, usual_of


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The session's rows with measures and verdicts; how many were measured now; what people should know."""

    rows: tuple[Row, ...]
    measured: int
    notes: tuple[str, ...]


def check_session(
    folder: SessionFolder,
    rules: tuple[Rule, ...],
    tools: Tools,
    workers: int,
    progress: Callable[[int, int], None] = lambda *_: None,
    find_declared: Callable[[], Mapping[str, float]] | None = None,
    begins: Callable[[], None] = lambda: None,
) -> CheckResult:
    """Measure what clips of a session have not been measured, and judge all of them.

    Parameters
    ----------
    find_declared : callable, optional
        Gives what :func:`emomedia.quality.declared.declared_ms` does; called if a clip is to be measured.
        Without it, because there are no takes, what was found before is kept; where nothing was, a run that
        has the takes looks again.
    begins : callable
        Called before a clip is measured, if any is to be.

    Raises
    ------
    MediaError, MediaNotFoundError
        A clip's file is missing or does not decode.
    OutputError
        The audit cannot be written.
    DescriptionError, StageError
        The audit or a stage file cannot be read.
    """
    before = read_rows(folder.audit)
    facts = session_facts(folder)
    of = {row["id"]: facts.of(row) for row in before}
    has_takes = find_declared is not None
    stale = [row for row in before if not _is_measured(row, of[row["id"]], tools, has_takes=has_takes)]
    if stale:
        begins()
    declared = find_declared() if stale and find_declared is not None else None

    def with_measures(row: Row) -> Row:
        known = row["quality"].get("measured", {}).get("declared_ms") if declared is None else declared
        return row | {"quality": measured(row, folder, of[row["id"]], tools, known)}

    new = _mapped(with_measures, stale, workers, progress)
    rows = [new.get(row["id"], row) for row in before]
    seen = faces_seen(rows)
    usual = usual_of(rows, rules)
    judged = [_judged(row, rules, seen, usual) for row in rows]
    if judged != before:
        with writing(folder.path):
            write_rows(folder.audit, judged)
    notes = _notes(judged, seen)
    same = [(old, row) for old, row in zip(before, judged, strict=True) if old["id"] not in new]
    if rules == read_profile() and any(
        _is_overruled(*rows, rules, others_changed=bool(new)) for rows in same
    ):
        notes.append("clips judged by another --profile before are judged by the usual rules now")
    return CheckResult(tuple(judged), len(stale), tuple(notes))


def verdicts(rows: Sequence[Row]) -> str:
    """Digest of what the check stage found."""
    return stages.digest([[row["quality"], row["reasons"]] for row in rows])


def session_facts(folder: SessionFolder) -> SessionFacts:
    """What the session's stage files say, as far as there are any.

    Raises
    ------
    DescriptionError, StageError
        One of them does not say what it should.
    """
    from ..schema.tables import SpeechTable, TurnsTable
    from ..schema.validation import validate

    path = {name: folder.stage(name) for name in ("speech", "sync", "turns")}
    body = {name: stages.read(file) if file.is_file() else {} for name, file in path.items()}
    for name, table in (("speech", SpeechTable), ("turns", TurnsTable)):
        if body[name]:
            validate(table, body[name], path[name])
    if body["sync"]:
        clocks(body["sync"], path["sync"])
    return SessionFacts(body["speech"], body["sync"], body["turns"].get("turns", []))


def _is_measured(row: Row, facts: Mapping[str, Any], tools: Tools, *, has_takes: bool) -> bool:
    """Whether a clip's measures are those that would be taken now."""
    known = row["quality"].get("measured")
    if known is None or (has_takes and known.get("declared_ms") is None):
        return False
    return bool(known.get("key") == key_of(row, facts, tools.names_beside(known)))


def _mapped(
    change: Callable[[Row], Row], rows: Sequence[Row], workers: int, progress: Callable[[int, int], None]
) -> dict[str, Row]:
    """Changed rows by id, as many at a time as there are workers."""
    made: dict[str, Row] = {}
    with ThreadPoolExecutor(max(1, workers)) as threads:
        changed: Any = threads.map(change, rows)
        with closing(changed):  # left early, it begins no more
            for row in changed:
                made[row["id"]] = row
                progress(len(made), len(rows))
    return made


def _judged(
    row: Row, rules: tuple[Rule, ...], seen: dict[str, bool], usual: dict[str, dict[str, float]]
) -> Row:
    verdict = judge(row, rules, seen, usual)
    return row | {"keep": verdict.keep, "reasons": list(verdict.reasons)}


def _is_overruled(before: Row, row: Row, rules: tuple[Rule, ...], *, others_changed: bool) -> bool:
    """Whether a clip, whose measures are the same as before, was judged by other rules then.

    Where `others_changed`, rules that compare it with the session may say something else by themselves.
    """
    if before["reasons"] == [UNCHECKED]:
        return False
    if not others_changed:
        return bool(before["reasons"] != row["reasons"])
    alone = tuple(rule for rule in rules if rule.of_the_clip_alone)
    return not set(judge(row, alone, {}).reasons) <= set(before["reasons"])


def _notes(rows: Sequence[Row], seen: dict[str, bool]) -> list[str]:
    notes = []
    missing = [
        words
        for what, words in TOOLS.items()
        if any(row["quality"]["measured"][what] is None for row in rows)
    ]
    if missing:
        notes.append(f"not measured: {' and '.join(missing)}; pip install 'emomedia[quality]'")
    if any(row["quality"]["measured"]["face"] is not None for row in rows):
        notes += [
            f"{side}: hardly a face in the whole session, so clips are not judged by faces"
            for side in SIDES
            if not seen[side]
        ]
    return notes
