"""clips.parquet: the index over all sessions of an output folder, made from every clips.jsonl.

One row per clip, in the order of sessions and of their audits; the schema below is the contract, and
docs/dataset.md explains the columns.  The file says in its metadata which audits its rows are
from, so that sessions with an unchanged audit are copied from the last index.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StageError
from ..files import atomic, canonical_json, error_text, locked, sha256
from ..layout import AUDIT_NAME, INDEX_NAME
from ..session import SIDES
from ..stages import parse
from .audit import Row, read_rows

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

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
        try:
            count, broken = _write(out, _Before(out / INDEX_NAME))
        except _UnreadableError:
            count, broken = _write(out, None)
    if broken:
        raise broken[0]
    return count


def index_bytes(paths: Sequence[Path]) -> pa.Buffer:
    """The bytes that an index of these audits has.

    Raises StageError where an audit is none.
    """
    import pyarrow as pa

    parts, broken = _gathered(paths, None)
    if broken:
        raise broken[0]
    sink = pa.BufferOutputStream()
    _write_parts(parts, sink)
    return sink.getvalue()


@dataclass(frozen=True, slots=True)
class _Part:
    """One session's rows, which are brought to memory when they are written."""

    session: str
    audit_sha256: str
    count: int
    rows: Callable[[], pa.Table]


def _write(out: Path, before: _Before | None) -> tuple[int, list[StageError]]:
    """The number of clips written, and the errors of broken audits."""
    parts, broken = _gathered(audits(out), before)
    with atomic(out / INDEX_NAME) as temporary:
        _write_parts(parts, temporary)
    return sum(part.count for part in parts), broken


def _gathered(paths: Sequence[Path], before: _Before | None) -> tuple[list[_Part], list[StageError]]:
    """The rows of every audit, taken from `before` if it has them."""
    parts: list[_Part] = []
    broken: list[StageError] = []
    for path in paths:
        session, digest = path.parent.name, _digest(path)
        known = None if before is None else before.part(session, digest)
        try:
            parts.append(_packed(session, digest, _table(path)) if known is None else known)
        except StageError as error:
            broken.append(error)
    return parts, broken


def _packed(session: str, digest: str, table: pa.Table) -> _Part:
    """Rows just made, compressed until they are written: an index's take gigabytes otherwise."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    data = sink.getvalue()
    return _Part(session, digest, len(table), lambda: pa.ipc.open_stream(data).read_all())


def _write_parts(parts: Sequence[_Part], where: Path | pa.BufferOutputStream) -> None:
    """The index's file, in groups of rows that do not depend on where the rows come from."""
    import pyarrow.parquet as pq

    listed = [[part.session, part.audit_sha256, part.count] for part in parts]
    columns = schema().with_metadata({_AUDITS: canonical_json(listed)})
    with pq.ParquetWriter(where, columns, compression="zstd") as writer:
        for group in _groups(part.rows() for part in parts):
            writer.write_table(group.combine_chunks().replace_schema_metadata(columns.metadata))
        if not any(part.count for part in parts):
            writer.write_table(columns.empty_table())


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows of `tables` in groups of :data:`ROWS_PER_GROUP`, of which the last may be smaller."""
    import pyarrow as pa

    held: list[pa.Table] = []
    count = 0
    for table in tables:
        held.append(table)
        count += len(table)
        while count >= ROWS_PER_GROUP:
            together = pa.concat_tables(held)
            yield together.slice(0, ROWS_PER_GROUP)
            held, count = [together.slice(ROWS_PER_GROUP)], count - ROWS_PER_GROUP
    if count:
        yield pa.concat_tables(held)


class _UnreadableError(Exception):
    """Rows of the present index turn out to be unreadable."""


class _Before:
    """The present index, with one group of rows in memory at a time; empty if it is unusable."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._parts: dict[tuple[str, str], tuple[int, int]] = {}
        self._number, self._group = -1, schema().empty_table()
        try:
            _refuse_pipe(path)
            self._file = pq.ParquetFile(pa.OSFile(str(path), "rb"))
            columns, sizes = self._file.schema_arrow, self._file.metadata
        except (pa.ArrowException, ValueError, OSError):  # ValueError: of names that are no UTF-8
            return
        counts = recorded_audits(columns)
        if columns.remove_metadata() != schema() or sum(count for *_, count in counts) != sizes.num_rows:
            return
        groups = (sizes.row_group(number).num_rows for number in range(sizes.num_row_groups))
        self._firsts = [0, *accumulate(groups)]
        firsts = accumulate((count for *_, count in counts), initial=0)
        for (session, digest, count), first in zip(counts, firsts, strict=False):
            self._parts[session, digest] = first, count

    def part(self, session: str, digest: str) -> _Part | None:
        """The rows of an unchanged audit."""
        place = self._parts.get((session, digest))
        return None if place is None else _Part(session, digest, place[1], lambda: self._rows(*place))

    def _rows(self, first: int, count: int) -> pa.Table:
        import pyarrow as pa

        found, end = [], first + count
        while first < end:
            number = bisect_right(self._firsts, first) - 1
            if number != self._number:
                try:
                    self._number, self._group = number, self._file.read_row_group(number)
                    self._group.validate(full=True)  # text that has rotted is found by nobody else
                except (pa.ArrowException, ValueError, OSError) as error:
                    raise _UnreadableError from error
            found.append(self._group.slice(first - self._firsts[number], end - first))
            if not len(found[-1]):  # the group has fewer rows than the file says
                raise _UnreadableError
            first += len(found[-1])
        return pa.concat_tables(found) if found else schema().empty_table()


def _digest(audit: Path) -> str:
    """Of an audit's bytes; empty if it cannot be read or is not a regular file, which might never end."""
    try:
        return sha256(audit) if audit.is_file() else ""
    except OSError:
        return ""


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


def recorded_audits(columns: pa.Schema) -> list[tuple[str, str, int]]:
    """The audits that an index is made from: session, SHA-256 and rows of each; empty if it does not say."""
    try:
        listed = [tuple(part) for part in parse((columns.metadata or {})[_AUDITS])]
        right = all(type(count) is int and count >= 0 for _, _, count in listed)
        return [(str(session), str(digest), count) for session, digest, count in listed] if right else []
    except (KeyError, TypeError, ValueError):
        return []


def outdated(out: Path, columns: pa.Schema) -> Iterator[str]:
    """The sessions whose audits have changed, come or gone since an index with this schema was made."""
    listed = {session: digest for session, digest, _ in recorded_audits(columns)}
    for audit in audits(out):
        if listed.pop(audit.parent.name, None) != _digest(audit):
            yield audit.parent.name
    yield from listed


def open_index(out: Path) -> pq.ParquetFile:
    """The index of an output folder, to be read piece by piece; it stays the same if another takes its place.

    Whatever is read of it later belongs within :func:`reading`, too: damage within its pages shows then.

    Raises
    ------
    StageError
        `out` has no index, or one that cannot be read or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = out / INDEX_NAME
    with reading(out):
        _refuse_pipe(path)
        file = pq.ParquetFile(pa.OSFile(str(path), "rb"))  # as in verify.py
    _refuse_lacking(path, schema().names, file.schema_arrow.names)
    return file


@contextmanager
def reading(out: Path) -> Iterator[None]:
    """Turn errors of Arrow or the system into a :class:`StageError` about the index of `out`."""
    import pyarrow as pa

    try:
        yield
    except OSError as error:
        raise _broken(out / INDEX_NAME, error_text(error)) from error
    except (pa.ArrowException, ValueError) as error:
        raise _broken(out / INDEX_NAME, str(error)) from error


def read_index(out: str | PathLike[str], columns: Sequence[str] | None = None) -> pa.Table:
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

    path = Path(out) / INDEX_NAME
    with reading(path.parent):
        _refuse_pipe(path)
        # Arrow's own file, not Python's, as in verify.py.
        with pa.OSFile(str(path), "rb") as file:
            table = pq.ParquetFile(file).read(columns=None if columns is None else list(columns))
        table.validate(full=True)
    _refuse_lacking(path, columns or schema().names, table.column_names)
    return table


def _refuse_lacking(path: Path, wanted: Iterable[str], found: Iterable[str]) -> None:
    missing = sorted({name.partition(".")[0] for name in wanted} - set(found))
    if missing:
        raise _broken(
            path, f"one without {', '.join(missing)}", f"run emomedia check {path.parent} to rebuild it"
        )


def _refuse_pipe(path: Path) -> None:
    """Raise OSError for a pipe or a device, which might never end."""
    if path.exists() and not path.is_file():
        raise OSError("something that is not a regular file")


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
