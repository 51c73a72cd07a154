"""The cut stage: makes clips that are missing or stale, keeps the others, and writes the audit.

Chunks are the unit of resuming: an interrupted cut leaves complete spool files, and the next one uses them.
A clip is kept if the audit lists it under the same key and with the pictures asked for, and its
files exist in the right sizes.  A file that the audit does not list does not count, and is removed.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .audio.flac import write_flac
from .dataset.audit import Row, clip_row, described, in_order, named_files, read_rows, write_rows
from .engine import make_job, run_engine
from .errors import DamagedMediaError, DeviceError, MediaError
from .files import atomic, make_folder, writing
from .layout import SessionFolder
from .observer import Observer
from .placement import Placement, place
from .plan import Clip
from .session import SIDES
from .turns import TurnsFile
from .work import Work

if TYPE_CHECKING:
    from . import _core

DAMAGE_LIMIT = 0.01
"""Share of the composed frames that may be missing or concealed before a session is refused.

A hundredth is two frames in ten seconds: what a few bad sectors cost; a camera's fault costs more.
The same share of the clips' samples may be missing within a track.
"""


@dataclass(frozen=True, slots=True)
class CutResult:
    """What a cut did; `report` is the engine's, None if every clip existed already, like `placement`."""

    rows: tuple[Row, ...]
    made: int
    report: _core.Report | None
    placement: Placement | None


def cut(
    work: Work,
    turns: TurnsFile,
    folder: SessionFolder,
    observer: Observer,
    check_media: Callable[[], None] = lambda: None,
    begins: Callable[[], None] = lambda: None,
) -> CutResult:
    """Bring the session's clips and its audit up to date with `work`.

    Parameters
    ----------
    check_media : callable
        Raises a MediaError if the media are no longer those that `work` was made from.
    begins : callable
        Called before anything is changed, if there are clips to make.

    Raises
    ------
    DamagedMediaError
        More frames or samples are damaged than :data:`DAMAGE_LIMIT` allows.
    DescriptionError
        A clip has the name of another one's side alone.
    DeviceError
        The encoder is not here, or fails again after the video was started over.
    StalledError
        Others have all sessions of the GPU's encoder.
    EmomediaError
        Whatever the engine meets.

    Clips that the audit does not name are removed: the next run makes them again from the spool files,
    which stay, unless what they hold came from faulty media.
    """
    folder.refuse_shared_names(
        (clip.id for clip in work.plan.clips), [picture.side for picture in work.sides]
    )
    with writing(folder.path):
        for where in (folder.clips, folder.audio):
            make_folder(where)
        kept = _kept_rows(work, folder)
        stale = [clip for clip in work.plan.clips if clip.id not in kept]
        if stale:
            begins()
            _ = work.encoder.card  # refuses a machine without it now, when nothing has changed yet
            _refuse_lost_sound(work, stale)
        report, placement, rows = None, None, _described(kept.values(), work, turns)
        write_rows(folder.audit, rows)
        _remove_strangers(folder, rows)
        if stale:
            make_folder(folder.spool)
            with _nothing_unaudited(folder, rows):
                report, placement = _make(work, stale, folder, observer)
                check_media()
                _refuse_damage(work, stale, report.damaged_frames)
                rows = rows + _made_rows(work, stale, turns, folder, report)
                write_rows(folder.audit, rows)
        if folder.spool.exists():
            shutil.rmtree(folder.spool)
    return CutResult(tuple(in_order(rows)), len(stale), report, placement)


@contextmanager
def _nothing_unaudited(folder: SessionFolder, rows: Sequence[Row]) -> Iterator[None]:
    """If the ``with`` block fails, remove files without a row, and after faulty media the spools too.

    A better copy of a take can have the same size, date, head and tail: then nothing may be left that
    was decoded from the worse one.
    """
    try:
        yield
    except BaseException as error:
        with suppress(OSError):
            if isinstance(error, MediaError):
                shutil.rmtree(folder.spool)
            _remove_strangers(folder, rows)
        raise


def _described(rows: Iterable[Row], work: Work, turns: TurnsFile) -> list[Row]:
    """`rows` with the words and topics that the turns have now."""
    clip_of = {clip.id: clip for clip in work.plan.clips}
    return [described(row, clip_of[row["id"]], turns, work) for row in rows]


def _kept_rows(work: Work, folder: SessionFolder) -> dict[str, Row]:
    """Rows of the audit whose clips need not be made again, by id, without sides not asked for."""
    present = {row["id"]: row for row in read_rows(folder.audit)}
    wanted = {(picture.side, picture.width, picture.height) for picture in work.sides}
    kept = {}
    for clip in work.plan.clips:
        row = present.get(clip.id)
        if row is None or row["provenance"]["key"] != work.clip_key(clip):
            continue
        sides = [made for made in row["sides"] if (made["side"], made["width"], made["height"]) in wanted]
        row = row | {"sides": sides}
        if len(sides) == len(wanted) and all(_is_whole(file, folder) for file in named_files(row)):
            kept[clip.id] = row
    return kept


def _is_whole(file: Row, folder: SessionFolder) -> bool:
    """Whether a file that a row names exists, in the right size if the row has it."""
    try:
        status = (folder.out / file["path"]).lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and file.get("bytes", status.st_size) == status.st_size


def _make(
    work: Work, clips: Sequence[Clip], folder: SessionFolder, observer: Observer
) -> tuple[_core.Report, Placement]:
    from . import _core

    def write_voices() -> None:
        for clip in clips:
            _write_voices(work, clip, folder)

    placement = place(work.options.device, work.takes, work.options.worker_count)

    def begin() -> Callable[[], tuple[_core.Report, Placement]]:
        there, gpus = _opened(work, placement)
        engine = _core.Engine(make_job(work, clips, folder, there, gpus))
        progress = partial(observer.progress, "cut")
        return lambda: (run_engine(engine, write_voices, progress), there)

    if work.encoder.card is None:
        return begin()()
    return _made_on_a_card(begin, work, folder, observer)


def _made_on_a_card(
    begin: Callable[[], Callable[[], tuple[_core.Report, Placement]]],
    work: Work,
    folder: SessionFolder,
    observer: Observer,
) -> tuple[_core.Report, Placement]:
    """Run what `begin` starts; once more from the start if NVENC is lost, never partly by another encoder.

    What lies in spools is thrown away then: who knows what a card made before it failed.  An encoder that is
    refused at the beginning, or whose sessions others have, was not lost: the spools stay for the next run.
    """
    make = begin()
    try:
        return make()
    except DeviceError as error:
        del make  # lets go of the card
        _forget_spools(folder)
        observer.note(f"{work.encoder.name} failed ({error.found}); the session's video starts over")
    try:
        return begin()()
    except DeviceError as error:
        _forget_spools(folder)
        raise DeviceError(
            work.encoder.name,
            expected="an encoder that works to the session's end",
            found=f"one that failed twice, now {error.subject}: {error.found}",
            remedy="run again to start the video over, or choose --encoder libx264 to make all clips with it",
        ) from error


def _forget_spools(folder: SessionFolder) -> None:
    shutil.rmtree(folder.spool)
    make_folder(folder.spool)


def _opened(work: Work, placement: Placement) -> tuple[Placement, dict[int, _core.Gpu]]:
    """The placement's GPUs, opened; if some cannot be opened, those of a placement without them."""
    from . import _core

    shut: dict[int, str] = {}
    while True:
        gpus = {}
        for index in placement.gpus:
            try:
                gpus[index] = _core.open_gpu(index)
            except DeviceError as error:
                shut[index] = f"{error.subject}: {error.found}"
        if len(gpus) == len(placement.gpus):
            return placement, gpus
        placement = place(work.options.device, work.takes, work.options.worker_count, shut)


def _made_rows(
    work: Work,
    clips: Sequence[Clip],
    turns: TurnsFile,
    folder: SessionFolder,
    report: _core.Report,
) -> list[Row]:
    """The rows of clips just made, in their order; as many threads as there are workers read the files back.

    Of several clips that are not as they should be, the first one's error is raised.
    """

    from .quality.seen import seen_of

    def row(made: tuple[Clip, Sequence[int]]) -> Row:
        clip, damaged = made
        return clip_row(work, clip, turns, folder, damaged) | {"quality": seen_of(work, clip, report)}

    with ThreadPoolExecutor(work.options.worker_count) as threads:
        return list(threads.map(row, zip(clips, report.damaged_frames, strict=True)))


def _write_voices(work: Work, clip: Clip, folder: SessionFolder) -> None:
    first, count = work.samples_of(clip)
    for side in SIDES:
        sound = work.sound[side]
        with atomic(folder.voice(clip.id, side)) as part:
            write_flac(part, sound.blocks(first, first + count), sound.bits)
    if work.cleaning is not None:
        for side in work.cleaning.touched(first, first + count):
            clean = work.cleaning.find()[side]
            with atomic(folder.clean_voice(clip.id, side)) as part:
                write_flac(part, clean.blocks(first, first + count), clean.track.bits)


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
    """Refuse before the engine runs: conforming a track shows what it lacks."""
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


def _remove_strangers(folder: SessionFolder, rows: Sequence[Row]) -> None:
    """Remove files of clips that no row names; these two folders are emomedia's own."""
    known = {folder.out / file["path"] for row in rows for file in named_files(row)}
    for where in (folder.clips, folder.audio):
        for path in where.iterdir():
            if path not in known and (path.is_symlink() or not path.is_dir()):
                path.unlink(missing_ok=True)
