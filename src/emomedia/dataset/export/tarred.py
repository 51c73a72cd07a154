"""WebDataset shards: a tar for each part of a split, a clip's files and its JSON side by side in it.

Members of a clip share a name up to its first dot: ``KEY.json`` (the row of the index), ``KEY.mp4``,
``KEY.left.flac`` and so on.  A dot within an id would end the name there, so it is written ``%2E``.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

from ...files import canonical_json
from .selection import MEDIA, Selection, media_file, media_of, plain


def key_of(clip_id: str) -> str:
    """A clip's id as WebDataset can take it; no two ids have the same, for none has a percent sign."""
    return clip_id.replace(".", "%2E")


def write_shards(selection: Selection, folder: Path, advance: Callable[[int], None]) -> list[str]:
    """Write ``<part>-<split>-<number>.tar`` in `folder`; `advance` is called for each clip.

    The bytes do not depend on when and by which user they are written.

    Returns
    -------
    list of str
        The names of the files.
    """
    names: list[str] = []
    for part, split, clips in selection.parts():
        shard, size, number = None, 0, 0
        for row in clips:
            members = {"json": canonical_json(plain(row)).encode()}
            members |= {
                MEDIA[name]: media_file(selection.out, path).read_bytes()
                for name, path in media_of(row).items()
            }
            length = sum(map(len, members.values()))
            if shard is not None and size + length > selection.options.shard_bytes:
                shard.close()
                shard, size = None, 0
            if shard is None:
                names.append(f"{part}-{split}-{number:06d}.tar")
                shard = tarfile.open(folder / names[-1], "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
                number += 1
            for ending, data in members.items():
                _add(shard, f"{key_of(row['id'])}.{ending}", data)
            size += length
            advance(1)
        if shard is not None:
            shard.close()
    return names


def _add(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    shard.addfile(member, io.BytesIO(data))
