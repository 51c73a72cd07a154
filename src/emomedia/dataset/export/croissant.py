"""croissant.json: what an export holds, by MLCommons' Croissant 1.0.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..splits import NAMES
from .emodialog import ROWS, SCRIPT

if TYPE_CHECKING:
    import pyarrow as pa

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_TABLE = "splits.csv"
_MEANINGS = {
    "id": "the clip's id", "kind": "dialogue or turn", "session": "the recording that it is from",
    "dialogue": "the dialogue that it is, or is a turn of", "split": "train, validation or test",
    "text": "what is said", "topic": "the dialogue's topic", "emotion": "the dialogue's intended emotion",
    "speaker": "whose turn it is, left or right", "start": "seconds on the session's clock",
    "end": "seconds on the session's clock", "frame_count": "frames of the clip", "fps": "frames a second",
    "sha256": "digest of the composite's file", "keep": "whether the quality stage kept it",
    "turns": "the turn, or the dialogue's turns; seconds from the clip's first frame",
    "words": "the words of these turns, on the same clock", "quality": "the measures of its quality",
}  # fmt: skip


def croissant(
    layout: str, name: str, license_id: str | None, description: str, names: Sequence[str], digest: str,
    schema: pa.Schema,
) -> dict[str, Any]:  # fmt: skip
    """The metadata of an export.

    Parameters
    ----------
    names : sequence of str
        The export's files, as its format's writer gave them.
    digest : str
        SHA-256 of splits.csv.
    schema : pa.Schema
        The columns of the rows.
    """
    distribution: list[dict[str, Any]] = [_file_object(_TABLE, "text/csv", digest)]
    record_sets = [_clips()]
    if layout == "hf":
        for part in sorted({each.partition("/")[0] for each in names}):
            distribution.append(_file_set(part, f"{part}/*.parquet", "application/x-parquet"))
            record_sets.append(_table_set(part, schema))
    elif layout == "webdataset":
        distribution.append(_file_set("shards", "*.tar", "application/x-tar"))
        distribution.append(_file_set("rows", "*.json", "application/json", contained="shards"))
    else:
        distribution.append(_file_set("prompts", SCRIPT, "application/json"))
        distribution.append(_file_set("dialogues", ROWS, "application/jsonlines"))
        distribution.append(_file_set("videos", "videos/*.mp4", "video/mp4"))
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": description,
        "license": license_id or "other",
        "url": ".",
        "distribution": distribution,
        "recordSet": record_sets,
    }


def _file_object(name: str, encoding: str, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name,
        "encodingFormat": encoding, "sha256": digest,
    }  # fmt: skip


def _file_set(name: str, includes: str, encoding: str, contained: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "cr:FileSet", "@id": f"{name}-files", "name": f"{name}-files",
        "encodingFormat": encoding, "includes": includes,
    }  # fmt: skip
    if contained is not None:
        found["containedIn"] = {"@id": f"{contained}-files"}
    return found


def _clips() -> dict[str, Any]:
    """The records of splits.csv, which every layout has."""
    import pyarrow as pa

    columns = ("id", "kind", "session", "dialogue", "split")
    source = {"fileObject": {"@id": _TABLE}}
    return {
        "@type": "cr:RecordSet", "@id": "clips", "name": "clips", "key": {"@id": "clips/id"},
        "description": "every clip and its split; splits share no actor and no dialogue: " + ", ".join(NAMES),
        "field": [_field("clips", pa.field(column, pa.string()), source, (column,)) for column in columns],
    }  # fmt: skip


def _table_set(part: str, schema: pa.Schema) -> dict[str, Any]:
    """The columns of a part's Parquet files, and what is nested in them."""
    source = {"fileSet": {"@id": f"{part}-files"}}
    return {
        "@type": "cr:RecordSet", "@id": part, "name": part, "key": {"@id": f"{part}/id"},
        "field": [_field(part, column, source, (column.name,)) for column in schema],
    }  # fmt: skip


def _field(parent: str, column: pa.Field, source: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """What a column is, or what is nested in one, at `path` from the column's name on."""
    import pyarrow as pa

    found: dict[str, Any] = {"@type": "cr:Field", "@id": f"{parent}/{column.name}", "name": column.name}
    kind = column.type
    if pa.types.is_list(kind):
        found["repeated"] = True
        kind = kind.value_type
    if len(path) == 1:
        found["description"] = _MEANINGS.get(column.name, f"column {column.name} of the index")
    if pa.types.is_struct(kind):
        found["subField"] = [_field(found["@id"], each, source, (*path, each.name)) for each in kind]
        return found
    kinds = {
        pa.string(): "sc:Text",
        pa.int64(): "sc:Integer",
        pa.float64(): "sc:Float",
        pa.bool_(): "sc:Boolean",
    }
    found["dataType"] = kinds[kind]
    found["source"] = source | {"extract": {"column": path[0]}}
    if len(path) > 1:
        found["source"]["transform"] = {"jsonPath": ".".join(path[1:])}
    return found
