"""Which clips an export holds, with all their files and the split that each is in."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import StageError
from ...layout import INDEX_NAME
from ..actors import Actor, find_actors
from ..audit import UNCHECKED
from ..figures import COLUMNS as FIGURES
from ..figures import Figures, figures
from ..index import open_index, outdated, reading
from ..splits import FRACTIONS, NAMES, Splits, make_splits, scenes

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Row = dict[str, Any]

KINDS = {"dialogues": "dialogue", "turns": "turn"}
"""The parts of an export, by the kind of their clips."""

MEDIA = {
    "video": "mp4", "left_audio": "left.flac", "right_audio": "right.flac",
    "left_video": "left.mp4", "right_video": "right.mp4",
    "left_clean_audio": "left.clean.flac", "right_clean_audio": "right.clean.flac",
}  # fmt: skip
"""What files a clip may have, and how their names end in a shard."""

COLUMNS = (*FIGURES, "path", "audio", "clean", "sides")
"""What is asked of all clips at once; turns and words, which are most of an index, are not."""

_BATCH = 500


@dataclass(frozen=True)
class ExportOptions:
    """What can be chosen about an export.

    Attributes
    ----------
    everything : bool
        Rejected clips too.
    leave_out : bool
        Sessions whose actors are in different splits are left out, where else the splits would be empty or
        far from the fractions.
    media : bool
        Whether files of tables (``hf``) hold the media themselves, or their paths alone.
    shard_bytes : int
        About how large one file of media becomes.
    name, license : str or None
        For the data card.
    """

    everything: bool = False
    fractions: Sequence[float] = FRACTIONS
    seed: int = 0
    leave_out: bool = False
    media: bool = True
    shard_bytes: int = 500 << 20
    name: str | None = None
    license: str | None = None
    actors: Path | None = None


@dataclass(frozen=True)
class Selection:
    """The clips of an export.

    Attributes
    ----------
    table : pa.Table
        Of each clip :data:`COLUMNS`, its `split`, and `row`, its number in the index.
    index : pq.ParquetFile
        All that is known of the clips.
    judged : Figures
        Of all clips that there are, also those that are not exported.
    left_out : Figures
        Of the clips that are left out for the splits' sake.
    """

    out: Path
    table: pa.Table
    index: pq.ParquetFile
    splits: Splits
    options: ExportOptions
    judged: Figures
    left_out: Figures
    actors: dict[str, Actor] = field(default_factory=dict)

    @property
    def columns(self) -> pa.Schema:
        """Those of a whole row: the index's, and `split` behind them."""
        import pyarrow as pa

        return self.index.schema_arrow.remove_metadata().append(pa.field("split", pa.string()))

    def parts(self) -> Iterator[tuple[str, str, Iterator[Row]]]:
        """Name, split and whole rows, in the order of the index, of each part that holds any."""
        import pyarrow.compute as pc

        for name, kind in KINDS.items():
            for split in NAMES:
                found = self.table.filter((pc.field("kind") == kind) & (pc.field("split") == split))
                if len(found):
                    yield name, split, self.whole(found)

    def whole(self, clips: pa.Table) -> Iterator[Row]:
        """All that the index has of clips of `table`, a few hundred of them in memory at a time."""
        import pyarrow as pa

        numbers, splits = clips["row"].to_numpy(), clips["split"].to_pylist()
        first = done = 0
        with reading(self.out):
            for batch in self.index.iter_batches(_BATCH):
                end = int(np.searchsorted(numbers, first + len(batch)))
                found = batch.take(pa.array(numbers[done:end] - first)).to_pylist()
                for row, split in zip(found, splits[done:end], strict=True):
                    yield row | {"split": split}
                first, done = first + len(batch), end
                if done == len(numbers):
                    return


def select(out: Path, options: ExportOptions) -> Selection:
    """The clips of `out` that are kept, or all, assigned to their splits.

    Raises
    ------
    StageError
        There is no index, or one older than an audit, or no clip to export, or a session's actors are not
        known, or two clips have the same id: an export's files are named by it.
    DescriptionError
        The fractions or the table of actors are wrong.
    """
    import pyarrow as pa

    index = open_index(out)
    with reading(out):
        table = index.read(columns=[*COLUMNS])
        table.validate(full=True)
    table = table.append_column("row", pa.array(np.arange(len(table))))
    _refuse_outdated(out, table)
    judged = figures(table)
    if not options.everything:
        table = table.filter(table["keep"])
    if not len(table):
        raise StageError(
            out,
            expected="clips to export" if options.everything else "clips that are kept",
            found="none",
            remedy=_remedy(out, judged, options),
        )
    _refuse_equal_ids(table)
    known = rows(table.select(["session", "actors", "start", "end", "emotion", "topic"]))
    splits = make_splits(scenes(known), options.fractions, options.seed, leave_out=options.leave_out)
    column = pa.array(map(splits.of_session.get, table["session"].to_pylist()), pa.string())
    left_out = figures(table.filter(column.is_null()))
    table = table.append_column("split", column).filter(column.is_valid())
    return Selection(out, table, index, splits, options, judged, left_out, find_actors(out, options.actors))


def _remedy(out: Path, judged: Figures, options: ExportOptions) -> str:
    if options.everything:
        return "run sessions first"
    if judged.reasons[UNCHECKED]:
        return f"judge them with 'emomedia check {out}', or use --all"
    return "look at the report's reasons, or use --all"


def _refuse_outdated(out: Path, table: pa.Table) -> None:
    """Refuse an index that an interrupted run has left behind its audits."""
    for session in outdated(out, table.schema):
        raise StageError(
            out / INDEX_NAME,
            expected=f"the clips of {session} as its clips.jsonl has them",
            found="an older index",
            remedy=f"run emomedia check {out} to update it",
        )


def _refuse_equal_ids(table: pa.Table) -> None:
    """Ids that the engine makes begin with the session's; those that users give may be given twice."""
    sessions: dict[str, str] = {}
    for name, session in zip(table["id"].to_pylist(), table["session"].to_pylist(), strict=True):
        other = sessions.setdefault(name, session)
        if other != session:
            raise StageError(
                f"{session}: {name}",
                expected="an id that no clip of another session has",
                found=f"that of a clip of {other}",
                remedy="rename the dialogue in one of the two session.toml files and run it again",
            )


def rows(table: pa.Table) -> Iterator[Row]:
    """The rows of `table` as dicts, a few hundred of them in memory at a time."""
    for batch in table.to_batches(max_chunksize=_BATCH):
        yield from batch.to_pylist()


def plain(row: Row) -> Row:
    """`row` for a JSON file: what the index keeps as JSON text is JSON again."""
    quality = row["quality"]
    if quality and quality["other"]:
        quality = quality | {"other": json.loads(quality["other"])}
    return row | {"provenance": json.loads(row["provenance"]), "quality": quality}


def media_of(row: Row) -> dict[str, str]:
    """The files of a clip by what they are, relative to the output folder.

    ``video`` is the composite, ``left_audio`` a side's own track, ``left_clean_audio`` the same without the
    other's voice, ``left_video`` the side alone; the latter two where they were made.
    """
    found = {"video": row["path"]}
    found |= {f"{voice['side']}_audio": voice["path"] for voice in row["audio"]}
    found |= {f"{voice['side']}_clean_audio": voice["path"] for voice in row["clean"]}
    return found | {f"{alone['side']}_video": alone["path"] for alone in row["sides"]}


def media_file(out: Path, path: str) -> Path:
    """A clip's file that is named by the index.

    Raises
    ------
    StageError
        It is not there, or is a link.
    """
    place = out / path
    try:
        mode = place.lstat().st_mode
    except OSError:
        mode = 0
    if not stat.S_ISREG(mode):
        raise StageError(
            place,
            expected="the file that the index names",
            found="a link" if stat.S_ISLNK(mode) else "none",
            remedy="run the session again, or emomedia verify",
        )
    return place
