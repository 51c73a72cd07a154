"""What the stage files of an output folder say: enough to rebuild its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import stages
from ..dataset.audit import read_rows
from ..errors import EmomediaError
from ..layout import SessionFolder
from ..pipeline import FILE_OF
from ..quality.stage import verdicts
from .task import StageDone


@dataclass(frozen=True, slots=True)
class Finished:
    """A session that was found; nothing in its folder says where its description is."""

    session: str
    stages: tuple[StageDone, ...]


def finished_stages(out: Path) -> Iterator[Finished]:
    """The sessions of `out` that have stage files, in the order of their ids."""
    for path in sorted(out.glob(f"[!.]*/{FILE_OF['probe']}.json")):
        folder = SessionFolder(out, path.parent.name)
        found = tuple(_stages(folder))
        if found:
            yield Finished(folder.session, found)


def _stages(folder: SessionFolder) -> Iterator[StageDone]:
    for stage, name in FILE_OF.items():
        try:
            stamp = stages.read(folder.stage(name)).get("made_from")
        except EmomediaError:  # the session's own next run says what is wrong with it
            continue
        if isinstance(stamp, dict) and isinstance(stamp.get("hash"), str):
            yield StageDone(stage, "fresh", 0.0, 0.0, stamp["hash"])
        else:
            yield StageDone(stage, "own", 0.0, 0.0, "")
    try:
        rows = read_rows(folder.audit)
    except EmomediaError:
        return
    if rows:
        keys = stages.digest([row["provenance"]["key"] for row in rows])
        yield StageDone("cut", "fresh", 0.0, 0.0, keys, {"clips": len(rows)})
    if rows and all(row["quality"].get("measured") for row in rows):
        yield StageDone("check", "fresh", 0.0, 0.0, verdicts(rows))
