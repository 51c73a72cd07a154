"""The clips of a finished dataset, as its index has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..dataset.index import read_index

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["turn", "dialogue"]
Row = dict[str, Any]

COLUMNS = (
    "id", "kind", "session", "dialogue", "speaker", "path", "sha256", "audio", "first_frame", "frame_count",
    "fps", "start", "end", "damaged_frames", "text", "topic", "emotion", "quality", "keep",
)  # fmt: skip
"""The columns that a loader gives of a clip; names and meaning are the index's."""


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

    table = read_index(out, COLUMNS)
    table = table.filter(pc.and_(pc.equal(table["kind"], kind), table["keep"]))
    if where is not None:
        table = table.filter(pa.array([bool(where(row)) for row in table.to_pylist()], pa.bool_()))
    return table.combine_chunks()
