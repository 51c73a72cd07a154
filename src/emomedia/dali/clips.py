"""The clips of a finished dataset, as its index has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import StageError
from ..files import complaint
from ..layout import INDEX_NAME

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["turn", "dialogue"]
Row = dict[str, Any]

COLUMNS = (
    "id", "kind", "session", "dialogue", "speaker", "path", "sha256", "audio", "first_frame", "frame_count",
    "fps", "start", "end", "damaged_frames", "text", "topic", "emotion", "quality", "keep",
)  # fmt: skip
"""What a loader tells of a clip; names and meaning are the index's."""


def read_clips(out: Path, kind: Kind, where: Callable[[Row], bool] | None = None) -> pa.Table:
    """The kept clips of one kind, in the order of the index, with :data:`COLUMNS`.

    Parameters
    ----------
    where : callable, optional
        Of the kept clips only those of which it says so, given a clip's row.

    Raises
    ------
    StageError
        `out` has no index, or one that cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = _index(out / INDEX_NAME)
    table = table.filter(pc.and_(pc.equal(table["kind"], kind), table["keep"]))
    if where is not None:
        table = table.filter(pa.array([bool(where(row)) for row in table.to_pylist()], pa.bool_()))
    return table.combine_chunks()


def _index(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Arrow's own file, not Python's, as in dataset/verify.py.
        with pa.OSFile(str(path), "rb") as file:
            table = pq.read_table(file, columns=list(COLUMNS))
    except OSError as error:
        raise _broken(path, complaint(error)) from error
    except pa.ArrowException as error:
        raise _broken(path, str(error)) from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise _broken(path, f"none with {', '.join(missing)}")
    return table


def _broken(path: Path, found: str) -> StageError:
    return StageError(
        path,
        expected="the index of a finished dataset",
        found=found,
        remedy="name the folder that 'emomedia run --out' wrote, or run again",
    )
