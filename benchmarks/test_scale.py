"""What must not grow: memory, what a composite costs in a long session, what a clip costs among many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emomedia.dataset.audit import Row, named_files, read_rows
from emomedia.files import sha256

from .checks import check_clip
from .conftest import Measure, Scale, scale_of
from .contenders import emomedia_run
from .footage import Session
from .measuring import run
from .scaling import Sized, long_session, make, wide_plan

CHECKED_CLIPS = 20
"""Of a run; their frames are decoded and their marks read."""


def _sizes(scale: Scale) -> list[Sized]:
    """Half an hour and its tenth; four plans, each twice as wide as the one before."""
    if scale.smoke:
        long = [long_session(seconds, every=16, frames=6) for seconds in (16, 160)]
        return [*long, *(wide_plan(count, seconds=8, step=3, frames=24) for count in (6, 12))]
    long = [long_session(seconds, every=20, frames=50) for seconds in (184, 1840)]
    return [*long, *(wide_plan(count, seconds=248, step=3, frames=24) for count in (250, 500, 1000, 2000))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    sizes = _sizes(scale_of(metafunc.config))
    metafunc.parametrize("sized", sizes, ids=[f"{sized.case}, {sized.name}" for sized in sizes])


def test_scale(sized: Sized, out: Path, measure: Measure) -> None:
    """One round: what is compared are long runs, over which a machine's moods even out."""
    session = make(sized, out)
    commands = emomedia_run(2, sized.preset).commands(session, out / "made")
    frames = sized.composites

    def verify() -> dict[str, Any]:
        _verify(sized, session, out / "made")
        return {"clips": len(sized.clips)}

    measure("scale", sized.case, sized.name, 0, frames, lambda: run(commands), verify)


def _verify(sized: Sized, session: Session, out: Path) -> None:
    """Every clip in the audit, every file as the audit has it, no other file, the frames of some clips."""
    rows = read_rows(out / "bench/clips.jsonl")
    assert [(row["id"], row["first_frame"], row["frame_count"]) for row in rows] == [
        (name, first, end - first) for name, first, end in sized.clips
    ]
    assert sum(row["damaged_frames"] for row in rows) == 0
    files = [file for row in rows for file in named_files(row)]
    assert {file["path"] for file in files} == _files(out)
    assert [file["path"] for file in files if sha256(out / file["path"]) != file["sha256"]] == []
    for row in _spread(rows, CHECKED_CLIPS):
        first = row["first_frame"]
        check_clip(out / row["path"], session.footage, first, first + row["frame_count"])


def _files(out: Path) -> set[str]:
    folders = [out / "bench" / name for name in ("clips", "audio")]
    return {str(path.relative_to(out)) for folder in folders for path in folder.iterdir()}


def _spread(rows: list[Row], count: int) -> list[Row]:
    """At most `count` of the rows, from the first to the last."""
    least = min(count, len(rows))
    return [rows[number * (len(rows) - 1) // max(1, least - 1)] for number in range(least)]
