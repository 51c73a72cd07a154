"""The index as the page's script has it: numbers in typed arrays, words by their numbers, one packed blob.

The blob is a 32-bit length, that many bytes of JSON (padded to a multiple of four), then the arrays, all
little-endian; deflated and in base64 it is part of the page.  Plots count what is in these columns, in the
precision that they have here, so that a bar and the list behind it cannot differ.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dataset.figures import plain_reasons
from ..session import SIDES
from .gather import Gathered

if TYPE_CHECKING:
    import pyarrow as pa

NOTHING = 255
"""An edge of a box that is not known; others are shares of the half in 254ths."""

BOXES = ("face", "person")
_EDGES = ("x0", "y0", "x1", "y1")
_WORDS = ("session", "dialogue", "speaker", "kind", "topic", "emotion")


@dataclass(frozen=True)
class Columns:
    """The clips of a page.

    Attributes
    ----------
    strings : dict
        `id` and `text` of each clip, and under `why` the reasons with their figures.
    words : dict
        The different values of the columns of words, by name; `actor` is of both sides.
    numbers : dict
        Arrays of the number of clips: int32 places in `words` (-1: none), float32 measures (NaN: none),
        uint8 boxes.
    reasons : list
        Of each clip places in ``words["reason"]``.
    """

    strings: dict[str, list[str]]
    words: dict[str, list[str]]
    numbers: dict[str, np.ndarray]
    reasons: list[list[int]]

    def __len__(self) -> int:
        return len(self.reasons)


def make_columns(gathered: Gathered) -> Columns:
    """The page's columns of all clips, in the order of the index."""
    table = gathered.table
    words, numbers = {}, {}
    for name in _WORDS:
        words[name], numbers[name] = _encoded(table[name])
    words["actor"], numbers["left_actor"], numbers["right_actor"] = _actors(table)
    words["reason"], reasons = _reasons(table)
    numbers["keep"] = table["keep"].to_numpy().astype(np.int32)
    words["backchannel"] = ["no", "yes"]
    numbers |= _measures(table, numbers, words) | _spoken(table)
    for side in SIDES:
        for name in BOXES:
            boxes = _field(table, side, f"{name}_box").to_pylist()
            edges = _box_edges(boxes)
            numbers |= {f"{side}_{name}_{edge}": edges[:, number] for number, edge in enumerate(_EDGES)}
    strings = {name: [value or "" for value in table[name].to_pylist()] for name in ("id", "text")}
    strings["why"] = ["; ".join(reasons or ()) for reasons in table["reasons"].to_pylist()]
    return Columns(strings, words, numbers, reasons)


def _encoded(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The different values, sorted, and for each row the place of its own; -1 for none."""
    values = column.to_pylist()
    words = sorted({value for value in values if value is not None})
    place: dict[str | None, int] = {word: number for number, word in enumerate(words)}
    return words, np.array([place.get(value, -1) for value in values], np.int32)


def _actors(table: pa.Table) -> tuple[list[str], np.ndarray, np.ndarray]:
    import pyarrow as pa

    left, right = (_plain(table["actors"], side) for side in SIDES)
    words, both = _encoded(pa.chunked_array([*left.chunks, *right.chunks], pa.string()))
    return words, both[: len(table)], both[len(table) :]


def _reasons(table: pa.Table) -> tuple[list[str], list[list[int]]]:
    of_clip = [plain_reasons(reasons) for reasons in table["reasons"].to_pylist()]
    words = sorted({reason for reasons in of_clip for reason in reasons})
    place = {word: number for number, word in enumerate(words)}
    return words, [[place[reason] for reason in reasons] for reasons in of_clip]


def _plain(column: pa.ChunkedArray, *path: str) -> pa.ChunkedArray:
    """A field of a struct, null where the struct is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in path:
        if not pa.types.is_struct(column.type) or column.type.get_field_index(name) < 0:
            return pa.chunked_array([pa.nulls(len(column), pa.float64())])
        column = pc.struct_field(column, name)
    return column


def _field(table: pa.Table, *path: str) -> pa.ChunkedArray:
    return _plain(table["quality"], *path)


def _real(column: pa.ChunkedArray) -> np.ndarray:
    """float32, NaN for null."""
    import pyarrow as pa

    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64).astype(np.float32)


def _measures(
    table: pa.Table, numbers: Mapping[str, np.ndarray], words: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """One number a clip: of sound the speaker's (a dialogue: the lesser), of pictures the lesser side's."""
    start, end = (table[name].to_numpy() for name in ("start", "end"))
    found = {"start": start.astype(np.float32), "length": (end - start).astype(np.float32)}
    speaker = [(words["speaker"].index(side) if side in words["speaker"] else -2) for side in SIDES]
    for name, column in (("dnsmos", "dnsmos_ovrl"), ("snr", "snr_db"), ("loudness", "loudness_lufs")):
        left, right = (_real(_field(table, side, column)) for side in SIDES)
        mine = [numbers["speaker"] == place for place in speaker]
        found[name] = np.where(mine[0], left, np.where(mine[1], right, np.fmin(left, right)))
    left, right = (_real(_field(table, side, "sharpness")) for side in SIDES)
    found["sharpness"] = np.fmin(left, right)
    for side in SIDES:
        found[f"{side}_fill"] = _real(_field(table, side, "person_share"))
    found["sync"] = _real(_field(table, "sync_residual_ms"))
    return found


def _spoken(table: pa.Table) -> dict[str, np.ndarray]:
    """Gap before and overlap in each turn, and whether it is a backchannel (-1: a dialogue, or not known)."""
    import pyarrow.compute as pc

    said = table["turns"].combine_chunks()
    rows, first = np.unique(pc.list_parent_indices(said).to_numpy(), return_index=True)
    ours = pc.equal(table["kind"], "turn").to_numpy()[rows]
    rows, values = rows[ours], pc.list_flatten(said).take(first[ours])
    gap, overlap = (np.full(len(table), np.nan, np.float32) for _ in range(2))
    backchannel = np.full(len(table), -1, np.int32)
    for column, name in ((gap, "gap_s"), (overlap, "overlap_s"), (backchannel, "backchannel")):
        column[rows] = pc.struct_field(values, name).to_numpy(zero_copy_only=False)
    return {"gap": gap, "overlap": overlap, "backchannel": backchannel}


def _box_edges(boxes: list[Any]) -> np.ndarray:
    """uint8[clips, 4]: left, top, right and bottom edge in 254ths of the half."""
    whole = np.array([box if box and len(box) == 4 else [np.nan] * 4 for box in boxes], np.float64)
    whole = whole.reshape(len(boxes), 4)
    known = np.asarray(np.isfinite(whole).all(axis=1), bool)
    edges = np.concatenate([whole[:, :2], whole[:, :2] + whole[:, 2:]], axis=1)
    scaled = np.round(np.clip(np.where(known[:, None], edges, 0.0), 0, 1) * (NOTHING - 1))
    return np.where(known[:, None], scaled, NOTHING).astype(np.uint8)


def packed(columns: Columns) -> str:
    """The columns as they stand in the page: base64 of deflated bytes."""
    arrays = {name: np.ascontiguousarray(array) for name, array in columns.numbers.items()}
    places, offset = {}, 0
    for name, array in arrays.items():
        places[name] = {"type": array.dtype.name, "offset": offset}
        offset += array.nbytes + -array.nbytes % 4
    header = json.dumps(
        {
            "rows": len(columns), "arrays": places, "strings": columns.strings, "words": columns.words,
            "reasons": columns.reasons,
        },
        ensure_ascii=False, separators=(",", ":"),
    ).encode("utf-8", "replace")  # fmt: skip
    header += b" " * (-len(header) % 4)
    parts = [len(header).to_bytes(4, "little"), header]
    for array in arrays.values():
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        parts.append(data + b"\0" * (-len(data) % 4))
    return base64.b64encode(zlib.compress(b"".join(parts), 6)).decode()
