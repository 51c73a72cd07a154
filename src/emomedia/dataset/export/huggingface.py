"""The layout of Hugging Face's ``datasets``: Parquet files by part and split, media as features in them.

The columns are those of the index, and beside them the clip's files as ``Video`` and ``Audio`` features:
``datasets.load_dataset(FOLDER, "turns", split="train")`` gives them decoded.  The columns are described
in the files' own metadata, where ``datasets`` looks for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .selection import KINDS, MEDIA, Row, Selection, media_file, media_of, rows

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_BYTES = 64 << 20
"""Media that one row group holds: what a reader takes into memory at a time."""


def write_huggingface(selection: Selection, folder: Path, advance: Callable[[int], None]) -> list[str]:
    """Write ``<part>/<split>-<number>.parquet`` below `folder`; `advance` is called for each clip.

    Returns
    -------
    list of str
        The names of the files.
    """
    names: list[str] = []
    media = {part: _media_names(selection, part) for part in KINDS if selection.options.media}
    for part, split, clips in selection.parts():
        shards = (f"{part}/{split}-{number:05d}.parquet" for number in count())
        (folder / part).mkdir(exist_ok=True)
        _write_part(selection, clips, media.get(part, []), folder, shards, names, advance)
    return names


def _media_names(selection: Selection, part: str) -> list[str]:
    """What files any clip of a part has: ``datasets`` wants the same columns in all its splits."""
    import pyarrow.compute as pc

    table = selection.table.filter(pc.field("kind") == KINDS[part])
    found = {
        name for row in rows(table.select(["path", "audio", "clean", "sides"])) for name in media_of(row)
    }
    return [name for name in MEDIA if name in found]


def _write_part(
    selection: Selection, clips: Iterator[Row], media: list[str], folder: Path, shards: Any, names: list[str],
    advance: Callable[[int], None],
) -> None:  # fmt: skip
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = _schema(selection.columns, media)
    writer, held, size, shard = None, [], 0, 0
    for row in clips:
        files = media_of(row).items() if media else ()
        content = {name: media_file(selection.out, path).read_bytes() for name, path in files}
        length = sum(map(len, content.values()))
        if writer is not None and shard + size + length > selection.options.shard_bytes and held:
            writer.write_table(pa.Table.from_pylist(held, schema=columns))
            writer.close()
            writer, held, size, shard = None, [], 0, 0
        if writer is None:
            names.append(next(shards))
            compression = "none" if media else "zstd"
            writer = pq.ParquetWriter(folder / names[-1], columns, compression=compression)
        held.append(row | {name: _file(content, media_of(row), name) for name in media})
        size += length
        if size > _GROUP_BYTES or len(held) >= 1000:
            writer.write_table(pa.Table.from_pylist(held, schema=columns))
            held, size, shard = [], 0, shard + size
        advance(1)
    if writer is not None:
        if held:
            writer.write_table(pa.Table.from_pylist(held, schema=columns))
        writer.close()


def _file(content: dict[str, bytes], paths: dict[str, str], name: str) -> Row | None:
    if name not in content:
        return None
    return {"bytes": content[name], "path": Path(paths[name]).name}


def _schema(columns: pa.Schema, media: list[str]) -> pa.Schema:
    """`columns` with those of the media behind them, and what ``datasets`` wants to know of them."""
    import pyarrow as pa

    file = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    for name in media:
        columns = columns.append(pa.field(name, file))
    features = {column.name: feature(column.name, column.type, media) for column in columns}
    return columns.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def feature(name: str, kind: pa.DataType, media: list[str]) -> Any:
    """A column's feature as ``datasets`` writes it into a file."""
    import pyarrow as pa

    if name in media:
        return {"_type": "Video" if name.endswith("video") else "Audio"}
    if pa.types.is_list(kind):
        return {"feature": feature("", kind.value_type, []), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: feature("", field.type, []) for field in kind}
    names = {pa.string(): "string", pa.int64(): "int64", pa.float64(): "float64", pa.bool_(): "bool"}
    return {"dtype": names[kind], "_type": "Value"}


def configs(names: list[str]) -> list[dict[str, Any]]:
    """The card's ``configs``: which files are which part's splits; dialogues where there are turns too."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        part, _, file = name.partition("/")
        split = file.rpartition("-")[0]
        found.setdefault(part, {})[split] = f"{part}/{split}-*.parquet"
    return [
        {
            "config_name": part,
            "data_files": [{"split": split, "path": path} for split, path in splits.items()],
        }
        for part, splits in found.items()
    ]
