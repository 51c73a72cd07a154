"""The cut stage: make the clips that are missing or stale, keep the others, write the audit.

Chunks are the unit of resuming: an interrupted cut leaves whole spool files, and goes on from them.
A clip is kept when the audit has it under the same key and its files are there with their sizes.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .audio.flac import write_flac
from .dataset.audit import Row, clip_row, described, read_rows, write_rows
from .engine import Work, clip_paths, make_job, run_job
from .errors import DamagedMediaError
from .files import atomic
from .layout import SessionFolder
from .observer import Observer
from .plan import Clip
from .session import SIDES
from .turns import TurnsFile

if TYPE_CHECKING:
    from . import _core

DAMAGE_LIMIT = 0.01
"""Share of the composed frames that may be missing or concealed before a session is refused.

A hundredth is two frames in ten seconds: what a few bad sectors cost; a camera's fault costs more.
The same share of the clips' samples may be missing within a track.
"""


@dataclass(frozen=True, slots=True)
class CutResult:
    """What a cut did; `report` is the engine's, None when every clip was there already."""

    rows: tuple[Row, ...]
    made: int
    report: _core.Report | None


def cut(work: Work, turns: TurnsFile, folder: SessionFolder, observer: Observer) -> CutResult:
    """Bring the session's clips and its audit up to date with `work`.

    Raises
    ------
    DamagedMediaError
        More frames or samples are damaged than :data:`DAMAGE_LIMIT` allows.
    EmomediaError
        Whatever the engine meets; whole spool files stay for the next run.
    """
    for place in (folder.clips, folder.audio, folder.spool):
        place.mkdir(parents=True, exist_ok=True)
    kept = _kept_rows(work, folder)
    stale = [clip for clip in work.plan.clips if clip.id not in kept]
    report, rows = None, list(kept.values())
    if stale:
        _refuse_lost_sound(work, stale)
        write_rows(folder.audit, rows)
        report = _make(work, stale, folder, observer)
        _refuse_damage(work, stale, report.damaged_frames)
        rows += [
            clip_row(work, clip, turns, folder, damaged)
            for clip, damaged in zip(stale, report.damaged_frames, strict=True)
        ]
    clip_of = {clip.id: clip for clip in work.plan.clips}
    rows = [described(row, clip_of[row["id"]], turns) for row in rows]
    _remove_strangers(folder, work.plan.clips)
    write_rows(folder.audit, rows)
    shutil.rmtree(folder.spool)
    return CutResult(tuple(rows), len(stale), report)


def _kept_rows(work: Work, folder: SessionFolder) -> dict[str, Row]:
    """Rows of the present audit whose clips need not be made again, by id."""
    present = {row["id"]: row for row in read_rows(folder.audit)}
    kept = {}
    for clip in work.plan.clips:
        row = present.get(clip.id)
        if row is None or row["provenance"]["key"] != work.clip_key(clip):
            continue
        paths = clip_paths(folder, clip)
        if all(path.is_file() for path in paths) and paths[0].stat().st_size == row["bytes"]:
            kept[clip.id] = row
    return kept


def _make(work: Work, clips: Sequence[Clip], folder: SessionFolder, observer: Observer) -> _core.Report:
    def write_voices() -> None:
        for clip in clips:
            _write_voices(work, clip, folder)

    job = make_job(work, clips, folder)
    return run_job(job, write_voices, lambda done, total: observer.advances("cut", done, total))


def _write_voices(work: Work, clip: Clip, folder: SessionFolder) -> None:
    first, count = work.samples_of(clip)
    for side in SIDES:
        sound = work.sound[side]
        with atomic(folder.voice(clip.id, side)) as part:
            write_flac(part, sound.cut(first, first + count), sound.bits)


def _refuse_damage(work: Work, clips: Sequence[Clip], damaged: Sequence[Sequence[int]]) -> None:
    frames = sum(clip.frame_count for clip in clips)
    for number, side in enumerate(SIDES):
        broken = sum(counts[number] for counts in damaged)
        if broken > DAMAGE_LIMIT * frames:
            raise DamagedMediaError(
                work.takes[side].files[0].path,
                expected=f"at most {DAMAGE_LIMIT:.0%} damaged frames in the clips",
                found=f"{broken} of {frames}",
                remedy="copy the take from the camera again, or exclude its damaged stretches",
            )


def _refuse_lost_sound(work: Work, clips: Sequence[Clip]) -> None:
    """Known before the engine runs: conforming a track tells what it lacks."""
    stretches = [work.samples_of(clip) for clip in clips]
    samples = sum(count for _, count in stretches)
    for side in SIDES:
        lost = sum(work.sound[side].damaged_samples(first, first + count) for first, count in stretches)
        if lost > DAMAGE_LIMIT * samples:
            raise DamagedMediaError(
                work.sound[side].source,
                expected=f"at most {DAMAGE_LIMIT:.0%} samples missing or broken in the clips",
                found=f"{lost} of {samples}",
                remedy="copy the recording again, name another microphone, or exclude its damaged stretches",
            )


def _remove_strangers(folder: SessionFolder, clips: Sequence[Clip]) -> None:
    """Remove files of clips that the plan no longer has; these two folders are emomedia's own."""
    known: set[Path] = {path for clip in clips for path in clip_paths(folder, clip)}
    for place in (folder.clips, folder.audio):
        for path in place.iterdir():
            if path not in known:
                path.unlink()
