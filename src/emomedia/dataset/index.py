"""clips.parquet: the index over all sessions of an output folder, made anew from every clips.jsonl.

One row a clip, in the order of sessions and of their audits; the schema below is the contract.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..files import atomic, canonical_json, locked
from ..layout import AUDIT_NAME, INDEX_NAME
from .audit import Row, read_rows

if TYPE_CHECKING:
    import pyarrow as pa


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
    return pa.schema(
        {
            "id": text, "kind": text, "session": text, "dialogue": text, "speaker": text,
            "path": text, "sha256": text, "bytes": integer, "audio": pa.list_(voice),
            "clean": pa.list_(voice), "sides": pa.list_(alone), "first_frame": integer,
            "frame_count": integer, "fps": text, "start": real, "end": real,
            "sample_count": integer, "damaged_frames": integer, "left": side, "right": side,
            "text": text, "topic": text, "emotion": text,
            "quality": text, "keep": pa.bool_(), "reasons": pa.list_(text), "provenance": text,
        }
    )  # fmt: skip


def audits(out: Path) -> list[Path]:
    """Every clips.jsonl of an output folder, by session id."""
    return sorted(out.glob(f"*/{AUDIT_NAME}"))


def write_index(out: Path) -> int:
    """Make ``clips.parquet`` from every audit in `out`, under the folder's lock.

    Returns
    -------
    int
        The number of clips.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with locked(out, wait=True):
        rows = [_flat(row) for path in audits(out) for row in read_rows(path)]
        table = pa.Table.from_pylist(rows, schema=schema())
        with atomic(out / INDEX_NAME) as part:
            pq.write_table(table, part, compression="zstd")
    return len(rows)


def _flat(row: Row) -> Row:
    """`row` with its open-ended parts as JSON text."""
    return row | {name: canonical_json(row[name]) for name in ("quality", "provenance")}
