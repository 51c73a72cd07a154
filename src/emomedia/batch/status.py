"""A batch's figures as read from the ledger of its output folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..files import is_held
from .ledger import FOLDER_NAME, read
from .progress import Failed, Figures, Share, bottleneck, hours, work_done


def status(out: Path) -> Figures:
    """The progress of the batch in `out`, running or not.

    Raises OutputError where there never was one.
    """
    tables = read(out)
    return figures_of(tables, running=is_held(out / FOLDER_NAME))


def figures_of(tables: dict[str, Any], *, running: bool) -> Figures:
    """The figures of a ledger's tables; `running` says whether a batch works there now."""
    facts = tables["batch"]
    rows = [row for row in tables["sessions"] if row["place"] >= 0] or tables["sessions"]
    alive = [row for row in rows if row["state"] != "failed"]
    total, done = hours(
        [Share(row["media_bytes"] or 0, row["footage_seconds"], _share(row)) for row in alive]
    )
    failed = [row for row in rows if row["state"] == "failed"]
    cpu: dict[str, float] = {}
    for row in tables["stages"]:
        cpu[row["stage"]] = cpu.get(row["stage"], 0.0) + (row["cpu_seconds"] or 0)
    state = str(facts.get("state", "unknown"))
    if not running and state not in ("done", "stopped"):
        state = "interrupted"
    return Figures(
        sessions=len(rows),
        done=sum(row["state"] == "done" for row in rows),
        failed=tuple(
            Failed(row["id"], row["stage"], row["cause"] or "", row["error"] or "") for row in failed
        ),
        hours=total,
        hours_done=done,
        rate=facts.get("rate") if running else None,
        left_seconds=facts.get("left_seconds") if running else None,
        running=tuple(
            (row["id"], row["stage"], _part(row)) for row in rows if running and row["state"] == "running"
        ),
        bottleneck=bottleneck(cpu),
        state=state,
    )


def _share(row: dict[str, Any]) -> float:
    return 1.0 if row["state"] == "done" else work_done(row["stage"] or "", _part(row))


def _part(row: dict[str, Any]) -> float:
    return (row["frames_done"] or 0) / (row["frames_total"] or 1)
