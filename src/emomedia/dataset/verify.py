"""`emomedia verify OUT`: every file against the audit, every clip decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..files import sha256
from ..layout import INDEX_NAME, SessionFolder
from .audit import Row, read_rows
from .index import audits


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


def verify(out: Path) -> Iterator[Checked]:
    """Check every clip of an output folder: hashes, sizes, frames and samples, by decoding them.

    Files in ``clips/`` and ``audio/`` that no audit knows, a missing or outdated index and a session
    without clips.jsonl are findings too, on rows without an id.
    """
    for path in audits(out):
        rows = read_rows(path)
        for row in rows:
            yield Checked(row, tuple(_clip_findings(out, row)))
        yield Checked({}, tuple(_strangers(out, path.parent, rows)))
    yield Checked({}, tuple(_index_findings(out)))


def _clip_findings(out: Path, row: Row) -> Iterator[Finding]:
    clip = out / row["path"]
    yield from _hash_findings(clip, row["sha256"])
    if clip.exists():
        yield from _picture_findings(clip, row)
    for voice in row["audio"]:
        path = out / voice["path"]
        yield from _hash_findings(path, voice["sha256"])
        if path.exists():
            yield from _voice_findings(path, row["sample_count"])


def _hash_findings(path: Path, expected: str) -> Iterator[Finding]:
    if path.is_symlink():
        yield Finding(path, "a file", "a link to one")
    elif not path.is_file():
        yield Finding(path, "a file", "none")
    elif (found := sha256(path)) != expected:
        yield Finding(path, f"SHA-256 {expected[:12]}…", f"{found[:12]}…")


def _picture_findings(path: Path, row: Row) -> Iterator[Finding]:
    """Decode the clip: frames, their times, picture size, sound's length."""
    import av

    rate = Fraction(row["fps"])
    try:
        with av.open(str(path)) as container:
            times, size = [], (0, 0)
            for frame in container.decode(video=0):
                assert frame.pts is not None and frame.time_base is not None
                times.append(frame.pts * frame.time_base)
                size = frame.width, frame.height
    except (av.FFmpegError, OSError) as error:
        yield Finding(path, "a clip that decodes", str(error))
        return
    if times != [number / rate for number in range(row["frame_count"])]:
        yield Finding(
            path, f"{row['frame_count']} frames at {rate} a second from 0 on", f"{len(times)} frames"
        )
    if size != (1920, 1080):
        yield Finding(path, "1920x1080", f"{size[0]}x{size[1]}")


def _voice_findings(path: Path, sample_count: int) -> Iterator[Finding]:
    import av

    try:
        with av.open(str(path)) as container:
            samples = sum(frame.samples for frame in container.decode(audio=0))
    except (av.FFmpegError, OSError) as error:
        yield Finding(path, "a FLAC file that decodes", str(error))
        return
    if samples != sample_count:
        yield Finding(path, f"{sample_count} samples", str(samples))


def _strangers(out: Path, session: Path, rows: list[Row]) -> Iterator[Finding]:
    folder = SessionFolder(out, session.name)
    known = {out / row["path"] for row in rows} | {
        out / voice["path"] for row in rows for voice in row["audio"]
    }
    for place in (folder.clips, folder.audio):
        for path in sorted(place.glob("*")):
            if path not in known:
                yield Finding(path, "only files that the audit names", "another one")


def _index_findings(out: Path) -> Iterator[Finding]:
    import pyarrow.parquet as pq

    path = out / INDEX_NAME
    if not path.is_file():
        yield Finding(path, "the index of all clips", "none")
        return
    indexed = pq.read_table(path, columns=["id", "sha256"]).to_pylist()
    audited = [
        {"id": row["id"], "sha256": row["sha256"]} for audit in audits(out) for row in read_rows(audit)
    ]
    if indexed != audited:
        yield Finding(path, f"the {len(audited)} clips of the audits", f"{len(indexed)} that differ")
