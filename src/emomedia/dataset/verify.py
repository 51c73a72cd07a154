"""`emomedia verify OUT`: every file against the audit, every clip decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal

from .. import stopping
from ..containers import opened
from ..errors import MediaNotFoundError, StageError
from ..files import error_text, sha256
from ..layout import INDEX_NAME, SessionFolder
from ..machine import usable_cores
from ..options import COMPOSITE_SIZE, Size
from .audit import Row, named_files, read_rows
from .index import audits, index_bytes, recorded_audits

_AHEAD = 16
"""Clips that may wait for each worker, so that a long one keeps none of them waiting."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree with the audit."""

    path: Path
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Checked:
    """One clip that was checked, and what was found wrong with it."""

    row: Row
    findings: tuple[Finding, ...]


def verify(out: Path, workers: int = 0) -> Iterator[Checked]:
    """Check every clip of an output folder: hashes, sizes, frames and samples, by decoding them.

    So many `workers` check a clip each at a time, one for each core by default; what they find comes in the
    order of the audits.

    Files in ``clips/`` and ``audio/`` that no audit knows, a missing or outdated index and a session
    whose clips.jsonl is broken, or gone from beside its clips, are findings too, on rows without an id.

    Raises
    ------
    MediaNotFoundError
        There is no such folder.
    """
    if not out.is_dir():
        raise MediaNotFoundError(out, expected="an output folder", found="nothing", remedy="correct the path")
    whole: list[Path] = []
    yield from _done(_looks(out, whole), workers or usable_cores())
    yield Checked({}, tuple(_without_audit(out)))
    yield Checked({}, tuple(_index_findings(out, whole)))


def _looks(out: Path, whole: list[Path]) -> Iterator[Callable[[], Checked]]:
    """What there is to look at, in order: each clip and each session's folders.

    `whole` gets the audits that can be read.
    """
    for path in audits(out):
        try:
            rows = read_rows(path)
        except StageError as error:
            yield partial(Checked, {}, (_audit_finding(path, error),))
            continue
        whole.append(path)
        yield from (partial(_clip_checked, out, row) for row in rows)
        yield partial(_session_checked, out, path.parent, rows)


def _done(looks: Iterator[Callable[[], Checked]], workers: int) -> Iterator[Checked]:
    """What the looks find, in their order, `workers` of them at a time."""
    threads = ThreadPoolExecutor(workers)
    begun: deque[Future[Checked]] = deque()
    try:
        for look in looks:
            begun.append(threads.submit(look))
            if len(begun) > _AHEAD * workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


def _clip_checked(out: Path, row: Row) -> Checked:
    return Checked(row, tuple(_clip_findings(out, row)))


def _session_checked(out: Path, session: Path, rows: list[Row]) -> Checked:
    return Checked({}, tuple(_strangers(out, session, rows)))


def _audit_finding(path: Path, error: StageError) -> Finding:
    place = error.subject.removeprefix(f"{path}: ")
    return Finding(path, error.expected, error.found if place == error.subject else f"{place}: {error.found}")


def _without_audit(out: Path) -> Iterator[Finding]:
    """Sessions whose clips no audit names; one that has none yet may be on its way."""
    for path in sorted(out.iterdir()):
        folder = SessionFolder(out, path.name)
        made = [*folder.clips.glob("*.mp4"), *folder.audio.glob("*.flac")]
        if made and not folder.audit.exists():
            yield Finding(folder.audit, f"the audit of {len(made)} files beside it", "none")


def _clip_findings(out: Path, row: Row) -> Iterator[Finding]:
    """What is wrong with a clip's files; they are decoded only if their bytes are those of the audit."""
    found = list(_hash_findings(out / row["path"], row["sha256"]))
    yield from found or _picture_findings(out / row["path"], row, COMPOSITE_SIZE)
    for made in row["sides"]:
        found = list(_hash_findings(out / made["path"], made["sha256"]))
        size = Size(made["width"], made["height"])
        yield from found or _picture_findings(out / made["path"], row, size)
    for voice in (*row["audio"], *row["clean"]):
        found = list(_hash_findings(out / voice["path"], voice["sha256"]))
        yield from found or _voice_findings(out / voice["path"], row["sample_count"])


def _hash_findings(path: Path, expected: str) -> Iterator[Finding]:
    try:
        if path.is_symlink():
            yield Finding(path, "a file", "a link to one")
        elif not path.is_file():
            yield Finding(path, "a file", "none")
        elif (found := sha256(path)) != expected:
            yield Finding(path, f"SHA-256 {expected[:12]}…", f"{found[:12]}…")
    except OSError as error:
        yield Finding(path, "a file that can be read", error_text(error))


def _picture_findings(path: Path, row: Row, expected: Size) -> Iterator[Finding]:
    """Decode one picture of the clip: frames, their times, picture size."""
    rate = Fraction(row["fps"])
    times, size = [], Size(0, 0)
    try:
        for frame in _decoded(path, "video"):
            times.append(None if frame.pts is None else frame.pts * Fraction(frame.time_base))
            size = Size(frame.width, frame.height)
    except (ValueError, OSError) as error:
        yield Finding(path, "a clip that decodes", str(error))
        return
    if times != [number / rate for number in range(row["frame_count"])]:
        yield Finding(
            path, f"{row['frame_count']} frames at {rate} a second from 0 on", f"{len(times)} frames"
        )
    if size != expected:
        yield Finding(path, f"{expected.width}x{expected.height}", f"{size.width}x{size.height}")


def _voice_findings(path: Path, sample_count: int) -> Iterator[Finding]:
    try:
        samples = sum(frame.samples for frame in _decoded(path, "audio"))
    except (ValueError, OSError) as error:
        yield Finding(path, "a FLAC file that decodes", str(error))
        return
    if samples != sample_count:
        yield Finding(path, f"{sample_count} samples", str(samples))


def _decoded(path: Path, kind: Literal["video", "audio"]) -> Iterator[Any]:
    """The frames of the first stream of a kind in an MP4 or FLAC file.

    Raises
    ------
    ValueError
        There is no such stream, or it cannot be decoded.
    """
    import av

    try:
        with opened(path) as container:
            stream = next((stream for stream in container.streams if stream.type == kind), None)
            if stream is None:
                raise ValueError(f"no {kind} in it")
            for frame in container.decode(stream):
                stopping.check()  # which is asked of the main thread alone
                yield frame
    except av.FFmpegError as error:
        raise ValueError(str(error)) from error


def _strangers(out: Path, session: Path, rows: list[Row]) -> Iterator[Finding]:
    folder = SessionFolder(out, session.name)
    known = {out / file["path"] for row in rows for file in named_files(row)}
    for place in (folder.clips, folder.audio):
        for path in sorted(place.glob("*")):
            if path not in known:
                yield Finding(path, "only files that the audit names", "another one")


def _index_findings(out: Path, paths: Sequence[Path]) -> Iterator[Finding]:
    """What is wrong with the index, which is of those audits that can be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = out / INDEX_NAME
    if not path.is_file():
        yield Finding(path, "the index of all clips", "none")
        return
    try:
        right = index_bytes(paths)
    except StageError as error:
        yield _audit_finding(path, error)
        return
    try:
        # Arrow's own file, not Python's: its threads may still hold what they read when the process ends,
        # and a buffer of Python's that they give back then ends it by SIGABRT.
        with pa.OSFile(str(path), "rb") as file:
            data = file.read_buffer()
        if data.equals(right):
            return
        found, table = (pq.read_table(pa.BufferReader(index)) for index in (data, right))
        writer = pq.read_metadata(pa.BufferReader(data)).created_by
    except (pa.ArrowException, ValueError, OSError) as error:
        yield Finding(path, "an index that can be read", str(error))
        return
    if len(found) != len(table):
        yield Finding(path, f"the {len(table)} clips of the audits", str(len(found)))
    elif recorded_audits(found.schema) != recorded_audits(table.schema) or not found.equals(table):
        yield Finding(path, "what the audits say of each clip", "something else")
    elif writer == pq.read_metadata(pa.BufferReader(right)).created_by:  # others write other bytes
        yield Finding(path, "the bytes that the audits make", "others")
