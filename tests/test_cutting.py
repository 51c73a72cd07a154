"""What the cut does with clips that the engine has made: their rows, by several threads."""

from __future__ import annotations

import threading
from fractions import Fraction

import pytest

import exact
from emomedia import cutting
from emomedia.errors import VerifyError
from emomedia.options import Options
from emomedia.run import run

SMALL = {"size": (180, 320), "seconds": Fraction(9)}
WAIT_SECONDS = 60


def options(session, workers):
    return Options(turns=session.parent / "turns.json", preset="ultrafast", workers=workers)


def test_as_many_clips_are_read_back_at_once_as_there_are_workers(simulated, tmp_path, monkeypatch):
    session = simulated(**SMALL)
    run(session, tmp_path / "1", options(session, 1))
    assert len(exact.rows_of(tmp_path / "1")) >= 3
    together, begun, row_of = threading.Barrier(3), iter(range(3)), cutting.clip_row

    def clip_row(*made):
        if next(begun, None) is not None:
            together.wait(WAIT_SECONDS)
        return row_of(*made)

    monkeypatch.setattr(cutting, "clip_row", clip_row)
    run(session, tmp_path / "3", options(session, 3))
    assert exact.tree(tmp_path / "3") == exact.tree(tmp_path / "1")


def test_of_clips_that_are_not_as_planned_the_first_one_is_named(simulated, tmp_path, monkeypatch):
    session = simulated(**SMALL)
    later_failed, row_of, asked = threading.Event(), cutting.clip_row, []

    def clip_row(work, clip, turns, folder, damaged):
        number = work.plan.clips.index(clip)
        asked.append(number)
        if number == 1:
            assert later_failed.wait(WAIT_SECONDS)
        if number == 2:
            later_failed.set()
        if number in (1, 2):
            folder.clip(clip.id).write_bytes(folder.clip(work.plan.clips[0].id).read_bytes())
        return row_of(work, clip, turns, folder, damaged)

    monkeypatch.setattr(cutting, "clip_row", clip_row)
    with pytest.raises(VerifyError, match=r"_000_000\.mp4: expected \d+ frames"):
        run(session, tmp_path, options(session, 2))
    assert {1, 2} <= set(asked)
    assert list((tmp_path / "sim/clips").iterdir()) == []
