"""clips.parquet: the index over all sessions of an output folder, made from every clips.jsonl.

One row a clip, in the order of sessions and of their audits; the schema below is the contract, and
docs/dataset.md tells what the columns mean.  The file says in its metadata which audits its rows are
from, so that a session whose audit is as it was is taken over from the last index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StageError
from ..files import canonical_json, complaint, locked, sha256, write_bytes
from ..layout import AUDIT_NAME, INDEX_NAME
from ..session import SIDES
from .audit import Row, read_rows

if TYPE_CHECKING:
    import pyarrow as pa

PICTURE_MEASURES = (
    "sharpness", "exposure", "shadows_share", "highlights_share", "flicker", "frozen_frames", "black_frames",
    "duplicate_frames", "dropped_frames", "face_share", "face_off_centre", "face_exposure", "person_share",
    "steadiness", "centre_highlights_share",
)  # fmt: skip
SOUND_MEASURES = (
    "dnsmos_ovrl", "dnsmos_sig", "dnsmos_bak", "snr_db", "clipped_share", "loudness_lufs", "bleed_db",
    "silence_share", "other_voice_share",
)  # fmt: skip
MEASURES = PICTURE_MEASURES + SOUND_MEASURES
"""What is measured of each side; null where it could not be."""

BOXES = ("face_box", "person_box")
"""Where face and person are: x, y, width and height as shares of the side's half."""

FLAGS = "transcript_flags"
CLIP_MEASURES = ("sync_residual_ms", FLAGS)
"""What is found of a clip as a whole."""

ROWS_PER_GROUP = 16384

_AUDITS = b"emomedia.audits"
"""Key of the metadata: JSON, for each session its id, its audit's SHA-256 and its number of rows."""


def schema() -> pa.Schema:
    """The index's columns.  What differs in shape from clip to clip is JSON text."""
    import pyarrow as pa

    text, integer, real = pa.string(), pa.int64(), pa.float64()
    voice = pa.struct({"path": text, "sha256": text, "side": text})
    alone = pa.struct(
        {"side": text, "path": text, "sha256": text, "bytes": integer, "width": integer, "height": integer}
    )
    counts = (
        "take_first_frame", "track_first_sample", "sample_count", "filled_samples", "damaged_samples",
        "clipped_samples", "damaged_frames",
    )  # fmt: skip
    side = pa.struct(dict.fromkeys(counts, integer))
    turn = pa.struct(
        {
            "id": text, "speaker": text, "start": real, "end": real, "text": text, "emotion": text,
            "backchannel": pa.bool_(), "overlap_s": real, "gap_s": real, "flags": pa.list_(text),
        }
    )  # fmt: skip
    word = pa.struct(
        {"text": text, "start": real, "end": real, "probability": real, "speaker": text, "turn": text}
    )
    measured = pa.struct(dict.fromkeys(MEASURES, real) | dict.fromkeys(BOXES, pa.list_(real)))
    quality = pa.struct(
        {
            "left": measured, "right": measured, CLIP_MEASURES[0]: real, FLAGS: pa.list_(text),
            "other": text,
        }
    )  # fmt: skip
    return pa.schema(
        {
            "id": text, "kind": text, "session": text, "dialogue": text, "speaker": text,
            "actors": pa.struct(dict.fromkeys(SIDES, text)),
            "path": text, "sha256": text, "bytes": integer, "audio": pa.list_(voice),
            "clean": pa.list_(voice), "sides": pa.list_(alone), "first_frame": integer,
            "frame_count": integer, "fps": text, "start": real, "end": real,
            "sample_count": integer, "damaged_frames": integer, "left": side, "right": side,
            "text": text, "topic": text, "emotion": text, "turns": pa.list_(turn), "words": pa.list_(word),
            "quality": quality, "keep": pa.bool_(), "reasons": pa.list_(text), "provenance": text,
        }
    )  # fmt: skip


def audits(out: Path) -> list[Path]:
    """Every clips.jsonl of an output folder, by session id."""
    return sorted(out.glob(f"*/{AUDIT_NAME}"))


def write_index(out: Path) -> int:
    """Bring ``clips.parquet`` up to date with every audit in `out`, under the folder's lock.

    Rows of audits that are as they were come from the index that is there; the file's bytes are those
    that an index made from nothing would have.

    Returns
    -------
    int
        The number of clips.

    Raises
    ------
    StageError
        An audit is none; the index is then of all the others.
    """
    with locked(out, wait=True):
        known = _known(out / INDEX_NAME)
        parts, told = [], []
        broken: list[StageError] = []
        for path in audits(out):
            session, digest = path.parent.name, _digest(path)
            part = known.get((session, digest))
            try:
                part = _table(path) if part is None else part
            except StageError as error:
                broken.append(error)
                continue
            parts.append(part)
            told.append([session, digest, len(part)])
        table, data = _made(parts, told)
        write_bytes(out / INDEX_NAME, memoryview(data).cast("B"))
    if broken:
        raise broken[0]
    return len(table)


def _digest(audit: Path) -> str:
    """Of an audit's bytes; nothing of what is no plain file, which might never end."""
    return sha256(audit) if audit.is_file() else ""


def made_anew(paths: Sequence[Path]) -> tuple[pa.Table, pa.Buffer]:
    """The index that these audits make: its rows, and the bytes that its file would have."""
    parts = [_table(path) for path in paths]
    told = [[path.parent.name, sha256(path), len(part)] for path, part in zip(paths, parts, strict=True)]
    return _made(parts, told)


def _made(parts: Sequence[pa.Table], told: list[list[Any]]) -> tuple[pa.Table, pa.Buffer]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = schema().with_metadata({_AUDITS: canonical_json(told)})
    table = pa.concat_tables([schema().empty_table(), *parts]).combine_chunks().cast(columns)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", row_group_size=ROWS_PER_GROUP)
    return table, sink.getvalue()


def _table(audit: Path) -> pa.Table:
    """The rows of one session."""
    import pyarrow as pa

    rows = [_flat(row) for row in read_rows(audit)]
    try:
        return pa.Table.from_pylist(rows, schema=schema())
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise StageError(
            audit,
            expected="values that the index's columns can hold",
            found=str(error),
            remedy="delete clips.jsonl and run again",
        ) from error


def _known(path: Path) -> dict[tuple[str, str], pa.Table]:
    """The rows of the index that is there, by session and its audit's digest; none if it cannot be used."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        _refuse_pipe(path)
        with pa.OSFile(str(path), "rb") as file:
            table = pq.read_table(file)
    except (pa.ArrowException, OSError):
        return {}
    counts = told_audits(table.schema)
    table = table.replace_schema_metadata()
    if table.schema != schema() or sum(count for *_, count in counts) != len(table):
        return {}
    found, first = {}, 0
    for session, digest, count in counts:
        found[session, digest] = table.slice(first, count)
        first += count
    return found


def told_audits(columns: pa.Schema) -> list[tuple[str, str, int]]:
    """Which audits an index says it is from: session, SHA-256 and rows of each; none where it is silent."""
    try:
        told = json.loads((columns.metadata or {})[_AUDITS])
        return [(str(session), str(digest), int(count)) for session, digest, count in told]
    except (KeyError, TypeError, ValueError):
        return []


def outdated(out: Path, columns: pa.Schema) -> Iterator[str]:
    """The sessions whose audits have changed or come since an index with this schema was made."""
    told = {session: digest for session, digest, _ in told_audits(columns)}
    for audit in audits(out):
        if told.get(audit.parent.name) != _digest(audit):
            yield audit.parent.name


def read_index(out: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The index of an output folder, or some of its columns.

    Parameters
    ----------
    columns : sequence of str, optional
        Names; a field of a struct as ``quality.left.sharpness``.

    Raises
    ------
    StageError
        `out` has no index, or one that cannot be read or lacks a column that is asked for.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = out / INDEX_NAME
    try:
        _refuse_pipe(path)
        # Arrow's own file, not Python's, as in verify.py.
        with pa.OSFile(str(path), "rb") as file:
            table = pq.ParquetFile(file).read(columns=None if columns is None else list(columns))
    except OSError as error:
        raise _broken(path, complaint(error)) from error
    except pa.ArrowException as error:
        raise _broken(path, str(error)) from error
    wanted = {name.partition(".")[0] for name in columns or schema().names}
    missing = sorted(wanted - set(table.column_names))
    if missing:
        raise _broken(path, f"one without {', '.join(missing)}", f"emomedia check {out} makes it anew")
    return table


def _refuse_pipe(path: Path) -> None:
    """Raise OSError where something might never end."""
    if path.exists() and not path.is_file():
        raise OSError("something that is no plain file")


def _broken(path: Path, found: str, remedy: str = "") -> StageError:
    return StageError(
        path,
        expected="the index of an output folder",
        found=found,
        remedy=remedy or "name the folder that 'emomedia run --out' wrote, or run again",
    )


def _flat(row: Row) -> Row:
    """`row` as the schema has it: measures in columns of their own, what has none as JSON text."""
    return row | {"quality": _measures(row["quality"]), "provenance": canonical_json(row["provenance"])}


def _measures(quality: Row) -> Row | None:
    """The struct of an audit's `quality`; None before the quality stage has run."""
    if not quality:
        return None
    rest = {key: value for key, value in quality.items() if key not in (*SIDES, *CLIP_MEASURES)}
    struct: Row = {key: quality.get(key) for key in CLIP_MEASURES}
    for side in SIDES:
        measured = quality.get(side) or {}
        struct[side] = {key: measured.get(key) for key in (*MEASURES, *BOXES)}
        more = {key: value for key, value in measured.items() if key not in struct[side]}
        rest |= {side: more} if more else {}
    return struct | {"other": canonical_json(rest) if rest else None}
