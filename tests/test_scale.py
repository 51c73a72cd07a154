"""Work in Python grows with the number of clips, and with nothing else: told by counting lines that run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from emomedia.audio.conform import Pcm
from emomedia.cutting import _described, _kept_rows, _refuse_lost_sound, _remove_strangers
from emomedia.dataset import audit
from emomedia.dataset.index import write_index
from emomedia.engine import make_job
from emomedia.layout import SessionFolder
from emomedia.options import Options
from emomedia.plan import Plan, make_plan
from emomedia.plan_file import from_body as plan_from_body
from emomedia.plan_file import to_body as plan_to_body
from emomedia.probe.types import Take, TakeFile
from emomedia.session import SIDES, Crop, Dialogue, Session, Side
from emomedia.timeline import Clock, FileFrames, TakeFrames
from emomedia.turn_taking import find_turns
from emomedia.turns import Turn, TurnsFile, check_turns, parse_turns
from emomedia.turns import to_body as turns_to_body
from emomedia.work import Work
from plain import plain_take

RATE = Fraction(25)
GOP = 50
TURNS = (20, 60, 480)
"""Of three sessions; in the first one whatever is done once in a process is done."""

STEP = Fraction(9, 10)
TURN = Fraction(2)
PER_DIALOGUE = 20
FILE_SECONDS = 30


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python run in `work`, each pass of a loop counted, one on a single line too."""
    count = 0

    def tell(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return tell

    before = sys.gettrace()
    sys.settrace(tell)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_passes_of_loops_are_counted():
    items = list(range(100))
    for work in (lambda: [n for n in items if n < 0], lambda: all(n >= 0 for n in items)):
        assert lines_run(work) >= 100


@dataclass(frozen=True)
class Scene:
    """A session of many turns, each of which overlaps its neighbours, in takes of many files."""

    turns: TurnsFile
    session: Session
    end: Fraction
    work: Work
    folder: SessionFolder

    @property
    def plan(self) -> Plan:
        return self.work.plan


def make_scene(count: int, out: Path) -> Scene:
    turns = [
        Turn(
            f"t_{n:05}", f"d_{n // PER_DIALOGUE:03}", ("left", "right")[n % 2], start, start + TURN, text="so"
        )
        for n in range(count)
        for start in [1 + STEP * n + n // PER_DIALOGUE]
    ]
    groups = [turns[first : first + PER_DIALOGUE] for first in range(0, count, PER_DIALOGUE)]
    dialogues = tuple(Dialogue(f"d_{n:03}", each[0].start, each[-1].end - 1) for n, each in enumerate(groups))
    end = turns[-1].end + 1
    turns_file = TurnsFile("s", tuple(turns), dialogues)
    side = Side("A", (Path("a.mp4"),))
    plan = make_plan(turns_file, [], RATE, (0, int(end * RATE)), Fraction(1, 10), GOP)
    out.mkdir()
    sound = make_sound(out / "sound.pcm", end)
    take = make_take(end)
    work = Work(
        plan=plan,
        takes={"left": take, "right": take},
        clocks={"left": Clock(), "right": Clock(Fraction(1, 7), Fraction(13))},
        find_sound=lambda: {"left": sound, "right": sound},
        media="media",
        options=Options(workers=1),
    )
    folder = SessionFolder(out, "s")
    for place in (folder.clips, folder.audio, folder.spool):
        place.mkdir(parents=True)
    return Scene(turns_file, Session("s", Path("session.toml"), side, side, dialogues), end, work, folder)


def make_take(end: Fraction) -> Take:
    pts = np.arange(FILE_SECONDS * RATE, dtype=np.int64) * 512
    files = int(end / FILE_SECONDS) + 1
    return plain_take(
        tuple(TakeFile(Path(f"{n}.mp4"), 0, "h264", np.arange(0, len(pts), 50)) for n in range(files)),
        TakeFrames(
            tuple(FileFrames(Fraction(1, 12800), Fraction(n * FILE_SECONDS), pts) for n in range(files)),
            1 / RATE,
        ),
        width=2160,
        height=3840,
        crop=Crop(0, 705, 2160, 2430),
        rate=RATE,
    )


def make_sound(path: Path, end: Fraction) -> Pcm:
    """Silence with a broken place every second."""
    samples = int(end * 48000)
    np.zeros(samples, np.int16).tofile(path)
    broken = tuple((first, first + 9) for first in range(0, samples - 9, 48000))
    return Pcm(path, 16, samples, 0, (0, samples), damaged=broken)


def phases(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    """What a run does with a plan, by name, in order; the engine's own work and its files left out."""
    work, folder, plan, turns = scene.work, scene.folder, scene.plan, scene.turns
    fresh = replace(work)  # whatever a Work has found out once is to be found out again
    source = Path("turns.json")
    spoken = {
        side: [[t.start, t.end] for t in turns.turns if t.speaker == side] for side in ("left", "right")
    }
    yield (
        "find turns",
        lambda: find_turns(
            scene.session, {s: {"activity": a} for s, a in spoken.items()}, (Fraction(0), scene.end)
        ),
    )
    body = json.loads(json.dumps(turns_to_body(turns), default=float), parse_float=Decimal)
    yield "read turns", lambda: parse_turns(body, source, scene.session)
    yield "check turns", lambda: check_turns(replace(turns), scene.session, (Fraction(0), scene.end), source)
    yield "plan", lambda: make_plan(replace(turns), [], RATE, plan.footage, Fraction(1, 10), GOP)
    yield "read plan", lambda: plan_from_body(json.loads(json.dumps(plan_to_body(plan))), source)
    keyed = replace(work)
    yield "keys", lambda: [keyed.clip_key(clip) for clip in plan.clips]
    yield "nothing kept", lambda: _kept_rows(replace(work), folder)
    yield "lost sound", lambda: _refuse_lost_sound(work, plan.clips)
    yield "job", lambda: make_job(fresh, plan.clips, folder)
    for clip in plan.clips:
        voices = [folder.voice(clip.id, side) for side in SIDES]
        for path in [*work.clip_paths(clip, folder), *voices]:
            path.write_bytes(b"a clip")
    rows: list[audit.Row] = []
    yield (
        "audit",
        lambda: rows.extend(audit.clip_row(fresh, clip, turns, folder, (0, 0)) for clip in plan.clips),
    )
    yield "write audit", lambda: audit.write_rows(folder.audit, rows)
    yield "read audit", lambda: audit.read_rows(folder.audit)
    yield "all kept", lambda: _kept_rows(replace(work), folder)
    yield "described", lambda: _described(rows, work, replace(turns))
    yield "strangers", lambda: _remove_strangers(folder, rows)
    yield "index", lambda: write_index(folder.out)


def test_each_step_costs_the_same_for_every_clip(tmp_path, monkeypatch):
    """Bisection aside.  The files that stand for clips hold no frames, so nobody counts them here."""
    monkeypatch.setattr(audit, "check_frames", lambda *_: None)
    found: dict[str, list[float]] = {}
    for count in TURNS:
        scene = make_scene(count, tmp_path / str(count))
        assert all(
            one.end_frame > other.first_frame for one, other in pairwise(scene.plan.clips[1:PER_DIALOGUE])
        )
        for name, step in phases(scene):
            found.setdefault(name, []).append(lines_run(step) / len(scene.plan.clips))
        rows = audit.read_rows(scene.folder.audit)
        assert len(rows) == len(scene.plan.clips) == count * (PER_DIALOGUE + 1) // PER_DIALOGUE
    assert {name: many / few for name, (_, few, many) in found.items() if many > 1.2 * few} == {}


@pytest.mark.parametrize("overlap", [1, 30])
def test_a_plan_of_clips_that_all_overlap_is_checked_without_walking_their_spans(overlap):
    """Clips of many spans each: `overlap` seconds of turns that begin every tenth of a second."""

    def scene(count):
        turns = tuple(
            Turn(f"t_{n:05}", None, "left", Fraction(n, 10), Fraction(n, 10) + overlap) for n in range(count)
        )
        plan = make_plan(TurnsFile("s", turns), [], RATE, (0, 10**6), Fraction(0), GOP)
        body = plan_to_body(plan)
        return lines_run(lambda: plan_from_body(body, Path("plan.json"))) / count

    scene(20)
    assert scene(400) < 1.05 * scene(100)
